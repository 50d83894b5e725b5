// The strands of a finding side by side: what each did around the accesses, from top to bottom.

import { h, plain, replace, s, text } from "./dom.js";
import { duration, number, plural, shortPlace } from "./format.js";

const ROW = 26;
const MARKED = 48;
const BANNER = 34;
const GAP = 22;
const HEAD = 8;
const TIME = 76;
const GUTTER = 56;
const BAR = 5;

const MARKS = {
  read: "the read",
  lost: "its update gets lost",
  overwrites: "overwrites it",
  first: "first access",
  second: "second access",
  without: "without the lock",
  with: "with the lock",
  acquired: "taken",
  next: "after the await",
};

export function timeline(finding, told, signal) {
  const title = h("h2", {}, "Timeline");
  if (told.events.length === 0) {
    return h("section", { class: "timeline" }, title, h("p", { class: "dim" }, "The events around it are not stored any more."));
  }
  const { items, height } = layout(finding, told);
  const bars = lockBars(items);
  const hues = new Map();
  for (const { name } of bars) if (!hues.has(name)) hues.set(name, hues.size % 5);
  for (const bar of bars) bar.hue = hues.get(bar.name);
  const drawing = s("svg", { class: "wires", "aria-hidden": "true", height });
  const body = h("div", { class: "lanes", css: { height: `${height}px`, "--lanes": String(told.lanes.length) } }, drawing, h("ol", { class: "events" }, items.map((item) => element(item, told, finding))));
  const draw = () => wires(drawing, told, items, bars, body.clientWidth, height);
  const observer = new ResizeObserver(draw);
  observer.observe(body);
  signal.addEventListener("abort", () => observer.disconnect());
  return h(
    "section",
    { class: "timeline", "aria-label": "Timeline" },
    h("div", { class: "section-head" }, title, h("p", { class: "dim small" }, "From top to bottom by timestamp; only arrows, and the order within a strand, are proof of what came first.")),
    h("div", { class: "scroll" },
      h("div", { class: "heads", css: { "--lanes": String(told.lanes.length) } }, h("span", { class: "dim small" }, "time"), told.lanes.map((lane, at) => laneHead(lane, at, bars, told))),
      body),
    told.lanes_left_out > 0 ? h("p", { class: "dim small" }, `${plural(told.lanes_left_out, "more strand")} not shown.`) : null,
  );
}

function laneHead(lane, at, bars, told) {
  const locks = new Map(bars.filter((bar) => bar.lane === at).map((bar) => [bar.name, bar.hue]));
  const several = new Set(told.lanes.map((other) => `${other.service}/${other.instance}`)).size > 1;
  return h(
    "div",
    { class: `lane-head lane-${at === 0 ? "a" : at === 1 ? "b" : "c"}` },
    h("b", {}, text(lane.thread, 60)),
    several ? h("span", { class: "service" }, text(`${lane.service}/${lane.instance}`, 60)) : null,
    [...locks].map(([name, hue]) => h("span", { class: "lock-key" }, h("i", { class: `bar-${hue}`, "aria-hidden": "true" }), text(name, 30))),
  );
}

/** Where each row stands: the events, what is not shown between them, and the moment at which something was lost. */
function layout(finding, told) {
  const items = [];
  let y = HEAD;
  const push = (item, height) => {
    items.push({ ...item, y, height });
    y += height;
  };
  const shown = new Set();
  const lostAt = finding.kind === "lost_update" ? told.events.findLastIndex((event) => event.marks.some((mark) => mark === "lost" || mark === "overwrites")) : -1;
  told.events.forEach((event, at) => {
    if (event.skipped > 0 && (shown.has(event.lane) || event.skipped > 0)) push({ sort: "gap", lane: event.lane, words: `${plural(event.skipped, "event")} not shown` }, GAP);
    if (event.lost_before > 0) push({ sort: "hole", lane: event.lane, words: `${plural(event.lost_before, "event")} lost` }, GAP);
    shown.add(event.lane);
    push({ sort: "event", lane: event.lane, event, at }, event.marks.length ? MARKED : ROW);
    if (at === lostAt) push({ sort: "moment", lane: event.lane, event }, BANNER);
  });
  return { items, height: y + HEAD };
}

function element(item, told, finding) {
  const side = item.lane === 0 ? "a" : item.lane === 1 ? "b" : "c";
  const css = { top: `${item.y}px`, height: `${item.height}px`, "--lane": String(item.lane) };
  if (item.sort === "moment") {
    const words = proven(finding)
      ? "By now one of the two updates is lost: this write does not know of the other."
      : "Here an update may be lost: this write does not know of the other.";
    return h("li", { class: "moment", css }, h("span", {}, words));
  }
  if (item.sort !== "event") return h("li", { class: `skip-row ${item.sort}`, css }, h("span", { class: "cell" }, item.words));
  const { event } = item;
  const marked = event.marks.length > 0;
  return h(
    "li",
    { class: `event lane-${side}${marked ? " marked" : ""} k-${kindClass(event.kind)}`, css },
    h("span", { class: "time", title: `step ${number(event.step)}` }, `+${duration(event.at_ns)}`),
    h("span", { class: "unseen" }, text(told.lanes[event.lane].thread, 60), ": "),
    h("div", { class: "cell" },
      h("div", { class: "line" }, words(event), marked ? null : after(item, told), h("code", { class: "at", title: plain(`${event.file ?? ""}:${event.line ?? ""}:${event.column ?? ""}`) }, text(shortPlace(event), 40))),
      marked ? h("div", { class: "marks" }, values(event), event.marks.map((mark) => h("span", { class: "mark" }, markName(mark, finding))), after(item, told)) : null),
  );
}

/** What an arrow that ends here says. */
function after(item, told) {
  const by = [...new Set(told.arrows.filter((arrow) => arrow.to === item.at).map((arrow) => `${arrow.by} of ${told.lanes[told.events[arrow.from].lane].thread}`))];
  return by.map((words) => h("span", { class: "after", title: plain(`after ${words}`) }, "after ", text(words, 50)));
}

/** Whether values prove that one of these very two updates is lost. Which one, timestamps tell, which are no proof. */
export const proven = (finding) => finding.confidence === "confirmed" && finding.lost_at_least === null;

const markName = (mark, finding) => (mark === "lost" && !proven(finding) ? "its update may get lost" : MARKS[mark]) ?? mark.replace("holds ", "held in step ").replace("asks ", "asked for in step ");

function kindClass(kind) {
  if (kind.startsWith("Lock")) return "lock";
  if (kind === "Error") return "error";
  if (/Read|Load/.test(kind)) return "read";
  if (/Write|Rmw|Store|Update/.test(kind)) return "write";
  return "other";
}

function values(event) {
  if (event.old === null && event.new === null) return null;
  // A row has one line; the whole of it is in the boxes above.
  const old = event.old === null ? null : [text(event.old, 60), " → "];
  return h("code", { class: "values", title: plain(`${event.old ?? ""} → ${event.new ?? "?"}`) }, old, text(event.new ?? "?", 60));
}

/** What happened, in words. */
function words(event) {
  const name = event.name === null ? null : h("code", {}, text(event.name, 60));
  const brief = (content) => content === null ? null : h("code", { class: "v" }, text(content, 40));
  const marked = event.marks.length > 0;
  const change = marked ? null : [event.old === null ? null : [" ", brief(event.old), " →"], event.new === null ? null : [" ", brief(event.new)]];
  const waited = event.took_ns === null ? null : h("span", { class: "waited" }, ` waited ${duration(event.took_ns)}`);
  const shared = event.shared ? " (shared)" : null;
  const say = {
    Read: ["read ", name, change], Write: ["wrote ", name, change],
    AtomicRead: ["read ", name, " atomically", change], AtomicWrite: ["wrote ", name, " atomically", change], AtomicRmw: ["updated ", name, " atomically", change],
    AtomicLoad: ["loaded ", name, change], AtomicStore: ["stored ", name, change], AtomicUpdate: ["updated ", name, change],
    LockAcquire: ["took ", name, shared, waited], LockRelease: ["gave back ", name, shared],
    FunctionCall: ["called ", name], FunctionReturn: ["returned from ", name],
    HttpRequest: ["request ", name, " ", brief(event.text)], HttpResponse: ["response ", brief(event.new)],
    AsyncSpawn: ["spawned ", name], TaskBegin: ["task began"], TaskEnd: ["task ended"], AsyncAwait: ["waited for the end of ", name ?? "a task"],
    MemoryFence: ["fence ", brief(event.text)], DatabaseQuery: ["query ", brief(event.text)], DatabaseResult: ["query done"],
    Error: ["error ", name, " ", brief(event.text)], Custom: [name, " ", brief(event.text)],
    CallSent: ["called another service"], CallReturned: ["the call returned"],
    MessageSent: ["sent on ", name ?? "a channel"], MessageReceived: ["received on ", name ?? "a channel"],
    SyncRelease: ["signalled ", name], SyncAcquire: ["noticed ", name], Suspended: ["was not ready"],
  }[event.kind];
  return h("span", { class: "words" }, say ?? event.kind);
}

/** For how long locks were held, as far as the rows tell. */
function lockBars(items) {
  const bars = [];
  const open = new Map();
  const ofLane = (lane) => items.filter((item) => item.sort === "event" && item.lane === lane);
  const top = (lane) => ofLane(lane)[0].y;
  const bottom = (lane) => ofLane(lane).at(-1).y + ROW;
  const name = (event) => event.name ?? event.lock;
  const close = (key, y) => {
    const bar = open.get(key);
    if (!bar) return false;
    bar.to = y;
    return open.delete(key);
  };
  for (const item of items.filter((item) => item.sort === "event")) {
    const { event, lane, y } = item;
    const middle = y + ROW / 2;
    const key = `${lane}\u0000${event.lock}`;
    if (event.kind === "LockAcquire") {
      const bar = { lane, name: name(event), from: middle, to: bottom(lane), shared: event.shared };
      open.set(key, bar);
      bars.push(bar);
    } else if (event.kind === "LockRelease" && !close(key, middle)) {
      bars.push({ lane, name: name(event), from: top(lane), to: middle, shared: event.shared });
    }
    // A lock that is known to be held here, and that no row was seen to take.
    for (const held of event.locks ?? []) {
      const base = held.replace(/ \(shared\)$/, "").replace(/ \[[^\]]*\]$/, "");
      const known = bars.some((bar) => bar.lane === lane && (bar.name === base || bar.name === held) && bar.from <= middle && bar.to >= middle);
      const later = items.find((other) => other.y > y && other.lane === lane && other.event?.kind === "LockRelease" && name(other.event) === base);
      if (!known && !later) bars.push({ lane, name: base, from: top(lane), to: bottom(lane), shared: held.endsWith("(shared)") });
    }
  }
  // Each lock has a slot of its own in its lane.
  const slots = new Map();
  for (const bar of bars) {
    const own = slots.get(bar.lane) ?? slots.set(bar.lane, []).get(bar.lane);
    if (!own.includes(bar.name)) own.push(bar.name);
    bar.slot = own.indexOf(bar.name) % 4;
  }
  return bars;
}

/** Life lines, dots, bars of locks, and arrows. */
function wires(drawing, told, items, bars, width, height) {
  const lanes = told.lanes.length;
  const each = (width - TIME) / lanes;
  const x = (lane) => TIME + lane * each + GUTTER - 14;
  const side = (lane) => (lane === 0 ? "a" : lane === 1 ? "b" : "c");
  drawing.setAttribute("width", String(width));
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const events = items.filter((item) => item.sort === "event");
  const at = (index) => events.find((item) => item.at === index);
  const middle = (item) => item.y + ROW / 2;
  const bands = events.filter((item) => item.event.marks.length).map((item) => s("rect", { class: "band", x: TIME - 6, width: Math.max(0, width - TIME + 6), y: item.y, height: item.height - 2, rx: 4 }));
  const lines = told.lanes.map((_, lane) => s("line", { class: `life ${side(lane)}`, x1: x(lane), x2: x(lane), y1: 0, y2: height }));
  const held = bars.map((bar) => s("rect", {
    class: `held bar-${bar.hue}${bar.shared ? " shared" : ""}`, x: x(bar.lane) - 12 - bar.slot * (BAR + 2), y: bar.from, width: BAR, height: Math.max(3, bar.to - bar.from), rx: 2,
  }));
  const dots = events.map((item) => s("circle", { class: `node ${side(item.lane)}${item.event.marks.length ? " big" : ""}`, cx: x(item.lane), cy: middle(item), r: item.event.marks.length ? 6 : 3.5 }));
  const arrows = told.arrows.map((arrow, index) => {
    const [from, to] = [at(arrow.from), at(arrow.to)];
    if (!from || !to) return null;
    // Along the border between two rows, where there is no text, and down the left edge of the other lane.
    const [x1, y1, x2, y2] = [x(from.lane), middle(from), x(to.lane), middle(to)];
    const border = from.y + from.height;
    const edge = TIME + to.lane * each + 2 + 3 * (index % 4);
    const turn = edge > x1 ? 1 : -1;
    const r = Math.min(6, Math.max(0, (y2 - border) / 2));
    const way = `M${x1} ${y1 + 4} V${border - 5} q0 5 ${5 * turn} 5 H${edge - r * turn} q${r * turn} 0 ${r * turn} ${r} V${y2 - r} q0 ${r} ${r} ${r} H${x2 - 7}`;
    return [s("path", { class: "arrow", d: way }), s("path", { class: "tip", d: `M${x2 - 6} ${y2} l-7 -4 v8 z` })];
  });
  replace(drawing, bands, lines, held, arrows, dots);
}
