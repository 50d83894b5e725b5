// The list of traces.

import { get } from "./api.js";
import { h, replace, text } from "./dom.js";
import { clock, duration, number, plural } from "./format.js";
import { empty, loading } from "./states.js";

const LIMIT = 200;
let last = null;

export async function show({ main, shared, signal, refused }) {
  replace(main, loading("Asking for the traces…"));
  let rows = [];
  let total = 0;
  let filter = "";
  const list = h("ol", { class: "rows traces", "aria-label": "Traces" });
  const foot = h("div", { class: "foot" });
  const search = h("input", { type: "search", placeholder: "Filter by process or id", "aria-label": "Filter traces", spellcheck: "false" });
  search.addEventListener("input", () => {
    filter = search.value.toLowerCase();
    draw();
  });

  async function load(after) {
    const told = await get(`/api/traces?limit=${LIMIT}${after ? `&after=${after}` : ""}`, { signal });
    if (signal.aborted) return;
    rows = after ? [...rows, ...told.traces] : told.traces;
    ({ total } = told);
    draw(told);
  }

  let kept = 0;
  function draw(told) {
    kept = told?.kept ?? kept;
    if (rows.length === 0) {
      replace(main, h("h1", { class: "unseen" }, "Traces"), empty("No traces yet", h("p", {}, "A trace is what one request did, in all the services that it went through.")));
      return;
    }
    const shown = rows.filter((row) => !filter || row.id.includes(filter) || row.processes.some((process) => process.toLowerCase().includes(filter)));
    const longest = Math.max(1, ...shown.map((row) => row.duration_ns));
    const focused = document.activeElement?.dataset?.row ?? last;
    replace(list, shown.map((row) => line(row, longest)));
    const more = h("button", { type: "button", on: { click: () => load(rows.at(-1).id).catch(() => {}) } }, "Load more");
    replace(foot,
      h("p", { class: "dim small" }, `${number(shown.length)} shown of ${plural(total, "trace")}${total > kept ? `, of which the latest ${number(kept)} can be looked at` : ""}.`),
      rows.length < kept ? more : null);
    if (list.parentElement !== main) {
      replace(main, h("h1", { class: "unseen" }, "Traces"), h("div", { class: "tools" }, search), head(), list, foot);
    }
    const again = focused && [...list.querySelectorAll("[data-row]")].find((link) => link.dataset.row === focused);
    if (again && document.activeElement !== search) again.focus({ preventScroll: focused !== last });
    last = null;
  }

  let number_ = null;
  await load(null);
  shared.subscribe(() => {
    const now = shared.overview?.analysis.number;
    if (number_ !== null && now !== number_ && rows.length <= LIMIT) load(null).catch((error) => error.status === 401 && refused());
    number_ = now ?? number_;
  }, signal);
}

function head() {
  return h("div", { class: "columns traces", "aria-hidden": "true" }, ["began", "processes", "how long", "events", "strands", "calls", ""].map((word) => h("span", {}, word)));
}

function line(row, longest) {
  const share = Math.max(0.5, (100 * row.duration_ns) / longest);
  return h(
    "li",
    {},
    h(
      "a",
      { href: `#/traces/${row.id}`, "data-row": row.id, on: { click: () => (last = row.id) } },
      h("span", { class: "c-when" }, clock(row.start_unix_ns).slice(11), h("code", { class: "dim" }, row.id.slice(0, 8))),
      h("span", { class: "c-who" }, row.processes.slice(0, 6).map((process) => h("span", { class: "service" }, text(process, 40))), row.processes.length > 6 ? `+${row.processes.length - 6}` : null),
      h("span", { class: "c-long" }, h("i", { class: "length", css: { width: `${share}%` } }), h("span", {}, duration(row.duration_ns))),
      h("span", { class: "c-num" }, number(row.events)),
      h("span", { class: "c-num" }, number(row.strands)),
      h("span", { class: "c-num" }, number(row.calls)),
      h("span", { class: "c-bad" }, row.errors > 0 ? h("span", { class: "hole bad" }, plural(row.errors, "error")) : null, row.orphans > 0 ? h("span", { class: "hole" }, plural(row.orphans, "broken link")) : null),
    ),
  );
}
