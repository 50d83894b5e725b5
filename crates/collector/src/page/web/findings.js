// The list of findings.

import { h, replace, text } from "./dom.js";
import { KINDS, bytes, number, plural, times } from "./format.js";
import { empty, failed, loading } from "./states.js";

/** The row that was looked at last, to come back to. */
let last = null;

export function badge(kind) {
  return h("span", { class: `badge ${kind}` }, KINDS[kind] ?? KINDS.other);
}

export function sure(confidence) {
  const words = { confirmed: "confirmed", likely: "likely", possible: "possible" };
  return h("span", { class: `sure ${words[confidence] ?? ""}` }, h("i", { "aria-hidden": "true" }), words[confidence] ?? "");
}

export function show({ main, shared, signal }) {
  const search = h("input", {
    type: "search", placeholder: "Filter by variable, file, service", "aria-label": "Filter findings", spellcheck: "false", value: shared.filter,
  });
  const chips = h("div", { class: "chips", role: "group", "aria-label": "Kinds of findings" });
  const list = h("ol", { class: "rows findings", "aria-label": "Findings" });
  const foot = h("div", { class: "foot" });
  const columns = head();
  const page = [
    h("h1", { class: "unseen" }, "Findings"),
    h("div", { class: "tools" }, search, chips),
    columns,
    list,
    foot,
  ];
  search.addEventListener("input", () => {
    shared.filter = search.value;
    draw();
  });

  let drawn = null;
  shared.subscribe(draw, signal);

  function draw() {
    const { overview, error } = shared;
    if (!overview) {
      replace(main, error ? failed(error, () => location.reload()) : loading("Asking the collector…"));
      return;
    }
    const { summary } = overview;
    if (!summary) return replace(main, loading("Analysing what is stored…"));
    if (overview.findings_total === 0) return replace(main, h("h1", { class: "unseen" }, "Findings"), nothing(summary), gaps(overview));
    if (search.parentElement?.parentElement !== main) replace(main, page);
    const now = JSON.stringify([overview.analysis.number, shared.more.length, shared.filter, shared.kind]);
    if (drawn === now) return;
    drawn = now;
    rows();
  }

  function rows() {
    const { overview } = shared;
    const all = shared.rows();
    const words = shared.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = all.filter((row) => {
      const told = [row.variable, ...row.places, ...row.services, KINDS[row.kind], row.confidence].join(" ").toLowerCase();
      return words.every((word) => told.includes(word));
    });
    const counts = Map.groupBy(matching, (row) => row.kind);
    if (shared.kind && !counts.has(shared.kind)) shared.kind = null;
    const shown = matching.filter((row) => !shared.kind || row.kind === shared.kind);
    const chip = (kind, count) => h("button", {
      type: "button", class: "chip", "aria-pressed": String(shared.kind === kind),
      on: { click: () => { shared.kind = shared.kind === kind ? null : kind; draw(); } },
    }, kind ? h("span", { class: `dot ${kind}` }) : null, kind ? KINDS[kind] : "all", h("b", {}, number(count)));
    const focused = document.activeElement?.dataset?.row ?? (last && document.activeElement === document.body ? last : null);
    replace(chips, chip(null, matching.length), [...counts].map(([kind, of]) => chip(kind, of.length)));
    replace(list, shown.map(row));
    columns.hidden = shown.length === 0;
    const rest = overview.findings_total - all.length;
    const more = h("button", { type: "button", on: { click: () => shared.loadMore().catch(() => {}) } }, `Load more: ${number(rest)} are not listed yet`);
    replace(
      foot,
      shown.length === 0 ? h("p", { class: "dim pad" }, "Nothing matches the filter.") : null,
      rest > 0 ? more : null,
      gaps(overview),
    );
    // What had the focus keeps it, also in a list that was made anew.
    const again = focused && [...list.querySelectorAll("[data-row]")].find((link) => link.dataset.row === focused);
    again?.focus({ preventScroll: true });
    if (again && focused === last) again.scrollIntoView({ block: "nearest" });
    last = null;
  }
}

function row(finding) {
  const services = [...new Set(finding.services)];
  const open = () => (last = finding.id);
  return h(
    "li",
    {},
    h(
      "a",
      { href: `#/findings/${finding.id}`, "data-row": finding.id, on: { click: open } },
      h("span", { class: "c-kind" }, badge(finding.kind)),
      h("span", { class: "c-what" }, h("code", { class: "name" }, text(finding.variable, 90)),
        finding.lost ? h("span", { class: "lost" }, text(finding.lost, 120)) : null),
      h("span", { class: "c-where" },
        places(finding).map(([where, who]) => h("code", {}, where ? text(where, 70) : "unknown place", who ? h("span", { class: "dim" }, " · ", text(who, 30)) : null))),
      h("span", { class: "c-who" }, services.map((service) => h("span", { class: "service" }, text(service, 30)))),
      h("span", { class: "c-sure" }, sure(finding.confidence),
        finding.incomplete ? h("span", { class: "hole", title: "The record has a hole that could overturn this" }, "incomplete") : null),
      h("span", { class: "c-count" }, times(finding.count)),
    ),
  );
}

/** Both places; with their services, if that is what tells them apart. */
function places({ places: [one, other], services: [first, second] }) {
  if (first !== second) return [[one, first], [other, second]];
  return one === other ? [[one]] : [[one], [other]];
}

function head() {
  return h("div", { class: "columns findings", "aria-hidden": "true" }, ["finding", "variable or locks", "where", "service", "how sure", "seen"].map((word) => h("span", {}, word)));
}

function nothing(summary) {
  if (summary.events === 0) {
    const code = `Client::builder("${location.origin}").service("my-service").build()?`;
    return empty("Nothing has been recorded yet", h("p", {}, "Send events from your program, and they are analysed as they come:"), h("pre", {}, code));
  }
  return empty(
    "No data race, no lost update, no misuse of locks",
    h("p", {}, `found in ${plural(summary.events, "event")} of ${plural(summary.strands, "strand")} on ${plural(summary.variables, "variable")} and ${plural(summary.locks, "lock")}.`),
  );
}

/** What is not in the record, so that findings may be missing. */
function gaps({ summary, analysis }) {
  const lost = Object.entries(summary.lost);
  const told = [
    analysis.left_out_bytes > 0 && `${bytes(analysis.left_out_bytes)} of the oldest batches are not taken into account here; GET /api/findings looks at all`,
    lost.length > 0 && ["lost before they got here: ", lost.map(([reason, count], at) => [at ? ", " : "", text(reason, 60), ` ${number(count)}`])],
    summary.not_arrived > 0 && `recorded, but not here (yet): ${plural(summary.not_arrived, "event")}`,
    summary.batches_missing > 0 && `missing: ${plural(summary.batches_missing, "batch", "batches")}`,
    summary.unsampled > 0 && `not sampled, so recorded for their errors alone: ${plural(summary.unsampled, "context")}`,
    summary.kinds_off.length > 0 && `not recorded all the time: ${summary.kinds_off.join(", ")}`,
    summary.holes > 0 && `the record has ${plural(summary.holes, "hole")}`,
    summary.variables_bounded > 0 && `too busy to keep every access of: ${plural(summary.variables_bounded, "variable")}`,
    summary.lock_orders_bounded + summary.lock_cycles_bounded > 0 && "not all orders of locks could be looked at",
    summary.findings_dropped > 0 && `beyond the limit of findings: ${plural(summary.findings_dropped, "pair")}`,
  ].filter(Boolean);
  if (told.length === 0) return null;
  return h("section", { class: "gaps", "aria-label": "What is missing" }, h("h2", {}, "Findings may be missing"), h("ul", {}, told.map((line) => h("li", {}, line))));
}
