// One trace as a waterfall: a row for each strand, below the one that it comes from.

import { get } from "./api.js";
import { h, plain, replace, text, value } from "./dom.js";
import { clock, duration, number, place, plural } from "./format.js";
import { loading } from "./states.js";

export async function show({ main, signal, id }) {
  replace(main, loading("Reading the trace…"));
  const trace = await get(`/api/traces/${id}`, { signal });
  if (signal.aborted) return;
  const span = Math.max(1, trace.duration_ns);
  const title = h("h1", { tabindex: "-1" }, "Trace ", h("code", {}, trace.id));
  const facts = [
    `${duration(trace.duration_ns)}`, plural(trace.events, "event"), plural(trace.strands_total, "strand"),
    plural(trace.processes.length, "process", "processes"), trace.errors > 0 ? plural(trace.errors, "error") : null,
  ].filter(Boolean).join(" · ");
  const processes = [...new Set(trace.strands.map((strand) => strand.process))];
  replace(
    main,
    h(
      "article",
      { class: "trace" },
      h("nav", { class: "moves", "aria-label": "Traces" }, h("a", { href: "#/traces", "data-back": true }, "← Traces")),
      h("header", {}, title, h("p", { class: "dim" }, clock(trace.start_unix_ns), " · ", facts)),
      trace.orphans > 0 ? h("div", { class: "banner warn", role: "note" }, h("b", {}, `${plural(trace.orphans, "broken link")}:`), " what some strands come after is not in the record.") : null,
      h("div", { class: "falls" },
        h("div", { class: "fall axis", "aria-hidden": "true" }, h("span"), h("div", { class: "track" }, [0, 25, 50, 75, 100].map((at) => h("span", { class: "tick", css: { left: `${at}%` } }, at === 0 ? "0" : duration((span * at) / 100))))),
        trace.strands.map((strand, at) => row(strand, at, span, processes))),
      trace.strands_total > trace.strands.length ? h("p", { class: "dim small" }, `${plural(trace.strands_total - trace.strands.length, "more strand")} not shown.`) : null,
      h("p", { class: "legend dim small" }, Object.entries(LEGEND).map(([sort, word]) => h("span", {}, h("i", { class: `mark-${sort}`, "aria-hidden": "true" }), word))),
    ),
  );
  title.focus({ preventScroll: true });
}

const LEGEND = { request: "request", call: "call to another service", function: "function", lock: "waited for a lock", query: "query", write: "write", error: "error", other: "other" };

function sort(mark) {
  return {
    HttpRequest: "request", HttpResponse: "request", CallSent: "call", CallReturned: "call", FunctionCall: "function", FunctionReturn: "function",
    LockAcquire: "lock", DatabaseQuery: "query", Write: "write", AtomicWrite: "write", Error: "error",
  }[mark.kind] ?? "other";
}

function row(strand, at, span, processes) {
  const percent = (ns) => (100 * ns) / span;
  const list = h("div", { class: "fall-detail", id: `strand-${at}`, hidden: true });
  const toggle = h("button", { type: "button", class: "fall-name", "data-row": String(at), "aria-expanded": "false", "aria-controls": `strand-${at}`, css: { "--depth": String(Math.min(strand.depth, 8)) } },
    strand.relation ? h("span", { class: "dim", title: strand.relation === "call" ? "called by the strand above" : "forked by the strand above" }, strand.relation === "call" ? "↳ " : "⑂ ") : null,
    h("span", { class: `service p-${processes.indexOf(strand.process) % 5}` }, text(strand.process, 40)), " ", h("span", {}, text(strand.name, 60)));
  toggle.addEventListener("click", () => {
    const open = toggle.getAttribute("aria-expanded") === "true";
    toggle.setAttribute("aria-expanded", String(!open));
    list.hidden = open;
    if (!open && !list.firstChild) list.append(detail(strand));
  });
  const levels = pack(strand.marks);
  const bars = strand.marks.map((mark, number) => {
    const width = mark.end_ns === null ? null : percent(mark.end_ns - mark.at_ns);
    const css = { left: `${percent(mark.at_ns)}%`, "--level": String(levels[number]), ...(width === null ? {} : { width: `max(2px, ${width}%)` }) };
    return h("i", { class: `${width === null ? "point" : "bar"} mark-${sort(mark)}`, css, title: plain(told(mark).textContent, 200) });
  });
  return [
    h("div", { class: "fall" }, toggle,
      h("div", { class: "track", css: { "--levels": String(Math.max(0, ...levels)) } },
        h("i", { class: `extent p-${processes.indexOf(strand.process) % 5}`, css: { left: `${percent(strand.start_ns)}%`, width: `max(3px, ${percent(strand.end_ns - strand.start_ns)}%)` } }),
        bars,
        h("span", { class: "dim small label", css: percent(strand.end_ns) > 80 ? { right: `${100 - percent(strand.start_ns)}%` } : { left: `${percent(strand.end_ns)}%` } }, duration(strand.end_ns - strand.start_ns)))),
    strand.missing ? h("p", { class: "fall-missing" }, text(strand.missing, 200)) : null,
    list,
  ];
}

/** A level for each bar, so that those that overlap do not hide each other, unless they are too many. */
function pack(marks) {
  const ends = [];
  return marks.map((mark) => {
    if (mark.end_ns === null || sort(mark) === "request") return 0;
    const free = ends.findIndex((end) => end <= mark.at_ns);
    const level = free >= 0 ? free : Math.min(ends.length, 3);
    ends[level] = Math.max(ends[level] ?? 0, mark.end_ns);
    return level;
  });
}

/** What a mark says. */
function told(mark) {
  const name = mark.name === null ? null : h("code", {}, text(mark.name, 80));
  const said = {
    HttpRequest: ["request ", name, " ", mark.text && value(mark.text, 100), mark.new && [" → ", value(mark.new, 40)]],
    HttpResponse: ["response ", mark.new && value(mark.new, 40)],
    CallSent: "call to another service",
    FunctionCall: [name, mark.text && ["(", value(mark.text, 80), ")"], mark.new && [" → ", value(mark.new, 80)]],
    LockAcquire: ["waited for ", name],
    DatabaseQuery: ["query ", h("code", {}, value(mark.text ?? "", 160))],
    Error: ["error ", name, " ", value(mark.text ?? "", 160)],
    Write: ["wrote ", name, " ", mark.old !== null ? [value(mark.old, 40), " → "] : null, value(mark.new ?? "?", 40)],
    AtomicWrite: ["wrote ", name, " atomically ", value(mark.new ?? "?", 40)],
    MessageSent: ["sent on ", name], MessageReceived: ["received on ", name],
    Custom: [name, " ", value(mark.text ?? "", 160)],
  }[mark.kind] ?? [mark.kind, " ", name];
  return h("span", {}, said);
}

function detail(strand) {
  if (strand.marks.length === 0) return h("p", { class: "dim small" }, `${plural(strand.events, "event")}, of which none is of note here.`);
  const line = (mark) => h("tr", {},
    h("td", { class: "num" }, `+${duration(mark.at_ns)}`),
    h("td", { class: "num" }, mark.end_ns === null ? "" : duration(mark.end_ns - mark.at_ns)),
    h("td", {}, h("i", { class: `swatch mark-${sort(mark)}`, "aria-hidden": "true" }), told(mark)),
    h("td", { class: "dim" }, h("code", {}, text(mark.file ? place(mark) : "", 120))));
  return h("div", {},
    h("table", {}, h("thead", {}, h("tr", {}, ["at", "took", "what", "where"].map((word, at) => h("th", { scope: "col", class: at < 2 ? "num" : null }, word)))), h("tbody", {}, strand.marks.map(line))),
    strand.marks_left_out > 0 ? h("p", { class: "dim small" }, `${number(strand.marks_left_out)} more not shown.`) : null);
}
