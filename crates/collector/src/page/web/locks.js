// What locks cost, and in which orders they are taken.

import { get } from "./api.js";
import { h, replace, s, text, value } from "./dom.js";
import { duration, number, place, plural, times } from "./format.js";
import { graphs } from "./graph.js";
import { empty, loading } from "./states.js";

export async function show({ main, shared, signal, refused }) {
  replace(main, loading("Asking for the locks…"));
  const open = new Set();
  let filter = "";
  let told = null;
  const body = h("div", { class: "lock-rows" });
  const orders = h("section", { class: "orders-graph", "aria-label": "Orders of locks" });
  const search = h("input", { type: "search", placeholder: "Filter by lock or process", "aria-label": "Filter locks", spellcheck: "false" });
  search.addEventListener("input", () => {
    filter = search.value.toLowerCase();
    draw();
  });

  async function load() {
    const now = await get("/api/locks", { signal });
    if (signal.aborted || now === told) return;
    told = now;
    if (told.locks.length === 0) {
      replace(main, h("h1", { class: "unseen" }, "Locks"), empty("No locks yet", h("p", {}, "Locks of trackside::sync, and those that a program tells of, are listed here once they were taken.")));
      return;
    }
    if (!body.isConnected) {
      replace(main, h("h1", { class: "unseen" }, "Locks"), h("div", { class: "tools" }, search, h("p", { class: "dim small" }, "Those that were waited for longest first. Times are as coarse as the clock that recorded them.")), body, orders);
    }
    draw();
    replace(orders, graphs(told));
  }

  function draw() {
    const shown = told.locks.filter((lock) => !filter || `${lock.lock} ${lock.process}`.toLowerCase().includes(filter));
    const focused = document.activeElement?.dataset?.row;
    const left = told.total - told.locks.length;
    replace(body,
      h("div", { class: "columns locks", "aria-hidden": "true" }, ["lock", "taken", "waited", "waiting, in all", "held, in all", "waits", "holds"].map((word) => h("span", {}, word))),
      shown.map((lock) => row(lock, open)),
      left > 0 ? h("p", { class: "dim small" }, `${plural(left, "more lock")} not shown.`) : null);
    const again = focused && [...body.querySelectorAll("[data-row]")].find((button) => button.dataset.row === focused);
    again?.focus({ preventScroll: true });
  }

  await load();
  let seen = shared.overview?.analysis.number;
  shared.subscribe(() => {
    const now = shared.overview?.analysis.number;
    if (now !== seen) load().catch((error) => error.status === 401 && refused());
    seen = now;
  }, signal);
}

function row(lock, open) {
  const id = `${lock.run} ${lock.lock}`;
  const box = h("div", { class: "lock-detail", hidden: !open.has(id) });
  const toggle = h(
    "button",
    { type: "button", class: "lock-row", "data-row": id.slice(0, 300), "aria-expanded": String(open.has(id)) },
    h("span", { class: "c-what" }, h("code", { class: "name" }, text(lock.lock, 60)), h("span", { class: "service" }, text(lock.process, 50))),
    h("span", { class: "c-num" }, number(lock.acquisitions)),
    h("span", { class: "c-num" }, lock.wait.count === 0 ? "–" : number(lock.wait.count)),
    h("span", { class: "c-num" }, h("b", { class: lock.wait.total_ns > 0 ? "hot" : "dim" }, lock.wait.total_ns === 0 ? "–" : duration(lock.wait.total_ns)), most(lock.wait)),
    h("span", { class: "c-num" }, h("b", {}, duration(lock.hold.total_ns)), most(lock.hold)),
    h("span", {}, histogram(lock.wait, "wait")),
    h("span", {}, histogram(lock.hold, "hold")),
  );
  const fill = () => box.firstChild || box.append(detail(lock));
  toggle.addEventListener("click", () => {
    const opens = !open.has(id);
    if (opens) open.add(id);
    else open.delete(id);
    toggle.setAttribute("aria-expanded", String(opens));
    box.hidden = !opens;
    if (opens) fill();
  });
  if (open.has(id)) fill();
  return [toggle, box];
}

const most = (times_) => times_.count === 0 ? null : h("span", { class: "dim small" }, `max ${duration(times_.max_ns)}`);

/** How durations are distributed: a bar for each power of two, all on the same scale. */
function histogram(told, sort, large = false) {
  if (told.count === 0) return h("span", { class: "dim small" }, sort === "wait" ? "nobody waited" : "");
  const [width, height, base] = large ? [420, 96, 78] : [132, 26, 26];
  // From 64 ns to 16 s; what is shorter or longer is in the outermost bars.
  const [least, steps] = [6, 29];
  const bins = new Array(steps).fill(0);
  for (const { from_ns, count } of told.buckets) {
    bins[Math.min(steps - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, from_ns))) - least))] += count;
  }
  const top = Math.max(...bins);
  const each = width / steps;
  const bar = (count, at) => {
    if (count === 0) return null;
    const tall = Math.max(2, (count / top) * (base - 2));
    return s("rect", { class: sort, x: at * each + 0.5, y: base - tall, width: each - 1, height: tall, rx: 1 }, s("title", {}, `${times(count)} from ${duration(2 ** (at + least))} to ${duration(2 ** (at + least + 1))}`));
  };
  const marks = [["100 ns", 100], ["10 µs", 1e4], ["1 ms", 1e6], ["100 ms", 1e8], ["10 s", 1e10]];
  const tick = ([word, ns]) => {
    const x = (Math.log2(ns) - least) * each;
    return [s("line", { class: "rule", x1: x, x2: x, y1: 0, y2: base }), large ? s("text", { x, y: height - 4, "text-anchor": x < 20 ? "start" : "middle" }, word) : null];
  };
  const words = `${sort === "wait" ? "Waits" : "Holds"}: ${times(told.count)}, ${duration(told.total_ns)} in all, ${duration(told.max_ns)} at most`;
  return s("svg", { class: `histogram${large ? " large" : ""}`, viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": words },
    marks.map(tick), s("line", { class: "floor", x1: 0, x2: width, y1: base, y2: base }), bins.map(bar));
}

function detail(lock) {
  const headed = (title, columns, numbers, rows) => rows.length === 0 ? null : h("section", {}, h("h3", {}, title), h("table", {}, h("thead", {}, h("tr", {}, columns.map((word, at) => h("th", { scope: "col", class: at >= columns.length - numbers ? "num" : null }, word)))), h("tbody", {}, rows)));
  const cells = (...all) => h("tr", {}, all.map((cell, at) => h("td", { class: at > 0 && typeof cell === "string" ? "num" : null }, cell)));
  const where = (told) => h("code", {}, value(told ? place(told) : "unknown", 160));
  return h(
    "div",
    {},
    h("div", { class: "histograms" },
      h("figure", {}, h("figcaption", {}, "how long it was waited for"), histogram(lock.wait, "wait", true)),
      h("figure", {}, h("figcaption", {}, "how long it was held"), histogram(lock.hold, "hold", true))),
    lock.across_awaits.count > 0 ? h("p", {}, `Held across awaits ${times(lock.across_awaits.count)}, for ${duration(lock.across_awaits.total_ns)} in all.`) : null,
    headed("Where it is taken", ["place", "taken", "waited", "waiting", "held"], 4, lock.sites.map((site) =>
      cells([where(site.place), site.shared ? " shared" : null], number(site.acquisitions), number(site.wait.count), duration(site.wait.total_ns), duration(site.hold.total_ns)))),
    headed("Who waited longest, and for whom", ["strand", "waited at", "held meanwhile, taken at", "times", "in all", "at most"], 3, lock.waiters.map((waiter) =>
      cells(h("span", {}, text(waiter.thread, 80)), where(waiter.place), where(waiter.held_at), number(waiter.count), duration(waiter.total_ns), duration(waiter.max_ns)))),
  );
}
