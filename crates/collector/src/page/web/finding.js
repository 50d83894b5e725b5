// One finding: what happened, where, and what to do about it.

import { get } from "./api.js";
import { h, plain, replace, text, value } from "./dom.js";
import { badge, sure } from "./findings.js";
import { ACCESS, KINDS, number, place, plural, times } from "./format.js";
import { loading } from "./states.js";
import { proven, timeline } from "./timeline.js";

export async function show({ main, shared, signal, id }) {
  replace(main, loading("Reading the events around it…"));
  const told = await get(`/api/findings/${id}`, { signal });
  if (signal.aborted) return;
  const { finding } = told;
  document.title = `${plain(finding.variable, 60)} · ${KINDS[finding.kind] ?? KINDS.other} · trackside`;
  const head = h("h1", { tabindex: "-1" }, text(finding.variable, 200));
  const moves = h("nav", { class: "moves", "aria-label": "Findings" });
  const [rest, lanes] = [h("div", { class: "detail-grid" }), timeline(finding, told.timeline, signal)];
  replace(
    main,
    h(
      "article",
      { class: "finding" },
      moves,
      h("header", {}, h("p", { class: "kicker" }, badge(finding.kind), sure(finding.confidence), h("span", { class: "dim" }, seen(finding))), head),
      banner(finding),
      h("p", { class: "explanation" }, value(finding.explanation, 1500)),
      sides(finding),
      lanes,
      rest,
    ),
  );
  replace(rest, advice(finding), discipline(finding.discipline));
  shared.subscribe(() => neighbours(moves, shared, id), signal);
  head.focus({ preventScroll: true });
}

function neighbours(moves, shared, id) {
  const rows = shared.rows();
  const at = rows.findIndex((row) => row.id === id);
  const link = (row, which, sign) => row
    ? h("a", { href: `#/findings/${row.id}`, [`data-${which}`]: true, title: plain(row.variable, 80), "aria-label": `${which} finding` }, sign)
    : h("span", { class: "dim", "aria-hidden": "true" }, sign);
  replace(
    moves,
    h("a", { href: "#/findings", "data-back": true }, "← Findings"),
    at < 0 ? null : h("span", { class: "dim" }, `${number(at + 1)} of ${number(shared.overview.findings_total)}`),
    at < 0 ? null : [link(rows[at - 1], "previous", "‹"), link(rows[at + 1], "next", "›")],
  );
}

function seen(finding) {
  const what = {
    potential_deadlock: "met", recursive_read: "met", held_across_await: "taken so", inconsistent_locking: "without the lock",
  };
  return `${what[finding.kind] ?? "seen"} ${times(finding.count)}`;
}

/** Why it is not surer, and what could overturn it. */
function banner(finding) {
  const part = (title, words, sort) => words ? h("div", { class: `banner ${sort}`, role: "note" }, h("b", {}, title), " ", value(words, 600)) : null;
  return [part("The record is incomplete:", finding.incomplete, "warn"), part("Not certain:", finding.reserve, "info")];
}

/** The accesses, side by side. */
function sides(finding) {
  if (finding.orders.length > 0) return orders(finding.orders);
  const names = {
    lost_update: proven(finding) ? ["The write that gets lost", "The write that overwrites it"] : ["The write that may get lost", "The write that may overwrite it"],
    data_race: ["One access", "The other"],
    inconsistent_locking: ["Without the lock", "With the lock"],
    held_across_await: ["Where it was taken", "What came after the await"],
  }[finding.kind] ?? ["First", "Second"];
  const read = finding.read ? access(finding.read, "The read it was computed from", "b", finding) : null;
  return h("div", { class: `sides${read ? " three" : ""}` }, access(finding.first, names[0], "a", finding), read, access(finding.second, names[1], "b", finding));
}

function access(info, title, side, finding) {
  const across = finding.first.run !== finding.second.run;
  const lane = finding.first.thread_id === finding.second.thread_id && !across ? "a" : side;
  const values = info.old === null && info.new === null ? null : h(
    "p",
    { class: "values" },
    info.old === null ? null : [h("code", {}, value(info.old, 120)), h("span", { class: "to", "aria-label": "became" }, "→")],
    h("code", { class: "new" }, info.new === null ? "?" : value(info.new, 120)),
  );
  return h(
    "section",
    { class: `side lane-${lane}`, "aria-label": title },
    h("h2", {}, title),
    h("p", { class: "where" }, h("code", {}, value(place(info), 200))),
    h("p", { class: "who" }, h("b", {}, text(info.thread, 80)), " ", ACCESS[info.kind] ?? "", across ? [" in ", text(`${info.service}/${info.instance}`, 80)] : null),
    values,
    h("p", { class: "locks" }, h("span", { class: "dim" }, "locks held "), info.locks.length === 0 ? h("b", {}, "none") : info.locks.map((lock) => h("code", { class: "lock" }, text(lock, 60)))),
    h("p", { class: "dim small" }, `step ${number(info.step)} · ${text(info.service, 40).textContent}/${text(info.instance, 40).textContent} · `, h("code", {}, text(info.event_id, 40))),
  );
}

/** The steps of a circle of locks. */
function orders(steps) {
  const step = (order, at) => h(
    "li",
    {},
    h("b", {}, text(order.asked.thread, 80)),
    h("div", {}, "holds ", h("code", { class: "lock" }, text(order.holds, 80)), h("span", { class: "dim" }, " taken at "), h("code", {}, value(order.held ? place(order.held) : "an unknown place", 160))),
    h("div", {}, "asks for ", h("code", { class: "lock" }, text(order.asks, 80)), h("span", { class: "dim" }, " at "), h("code", {}, value(place(order.asked), 160))),
    h("div", { class: "dim small" }, `done ${times(order.count)}`,
      order.asked.locks.length > 1 ? [", holding ", order.asked.locks.map((lock, n) => [n ? ", " : "", text(lock, 60)])] : null),
  );
  return h("ol", { class: "orders", "aria-label": "Steps" }, steps.map(step));
}

function advice(finding) {
  return h(
    "section",
    { class: "advice" },
    h("h2", {}, "What to do"),
    h("p", {}, value(finding.advice, 800)),
    h("h2", {}, "Harmless if"),
    h("p", {}, value(finding.benign_if, 800)),
    finding.lost_at_least ? h("p", { class: "dim" }, `Of the updates computed from that value, ${plural(finding.lost_at_least, "is", "are")} lost at least.`) : null,
  );
}

function discipline(told) {
  if (!told) return null;
  return h(
    "section",
    { class: "advice" },
    h("h2", {}, "Who holds the lock"),
    h("p", {}, h("code", { class: "lock" }, text(told.lock, 80)), ` is held by ${number(told.held)} of ${plural(told.accesses, "access", "accesses")}. Without it:`),
    h("ul", {}, told.without.map(([where, count]) => h("li", {}, h("code", {}, value(place(where), 200)), ` ${times(count)}`))),
  );
}
