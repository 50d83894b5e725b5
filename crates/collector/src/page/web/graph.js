// The order graph: an arrow from a lock that is held to the one that is taken meanwhile. Locks that can go round in a circle
// stand on one.

import { h, plain, s, text } from "./dom.js";
import { number, plural, times } from "./format.js";

const NODES_MAX = 24;

/** A name without the id that tells locks of one name apart. */
const bare = (name) => name.replace(/ \[[^\]]*\]$/, "");

export function graphs({ orders, orders_left_out, deadlocks }) {
  const title = h("h2", {}, "Orders");
  if (orders.length === 0) return [title, h("p", { class: "dim" }, "No lock was taken while another one was held.")];
  const bad = new Map();
  for (const { id, steps } of deadlocks) for (const [holds, asks] of steps) bad.set(`${bare(holds)}\u0000${bare(asks)}`, id);
  const parts = components(orders);
  return [
    h("div", { class: "section-head" }, title, h("p", { class: "dim small" }, "An arrow leads from a lock that is held to one that is taken meanwhile; red ones are part of a potential deadlock.")),
    h("div", { class: "graphs" }, parts.slice(0, 12).map((part) => graph(part, bad))),
    parts.length > 12 ? h("p", { class: "dim small" }, `${plural(parts.length - 12, "more group")} of locks not drawn.`) : null,
    table(orders, bad),
    orders_left_out > 0 ? h("p", { class: "dim small" }, `Too many orders to tell all apart: ${times(orders_left_out)} another one was met.`) : null,
  ];
}

/** Orders in groups of locks that hang together, the largest first. */
function components(orders) {
  const root = new Map();
  const find = (key) => {
    while (root.get(key) !== key) {
      root.set(key, root.get(root.get(key)));
      key = root.get(key);
    }
    return key;
  };
  const key = (service, lock) => `${service}\u0000${lock}`;
  for (const { service, holds, takes } of orders) {
    for (const lock of [holds, takes]) if (!root.has(key(service, lock))) root.set(key(service, lock), key(service, lock));
    root.set(find(key(service, holds)), find(key(service, takes)));
  }
  const groups = Map.groupBy(orders, ({ service, holds }) => find(key(service, holds)));
  return [...groups.values()].sort((a, b) => b.length - a.length);
}

function graph(orders, bad) {
  const names = [...new Set(orders.flatMap(({ holds, takes }) => [holds, takes]))];
  const shown = names.slice(0, NODES_MAX);
  const [width, height] = shown.length <= 2 ? [380, 120] : [380, 260];
  const radius = [width / 2 - 90, height / 2 - 30];
  const place = new Map(shown.map((name, at) => {
    const angle = shown.length === 2 ? Math.PI * (1 + at) : (2 * Math.PI * at) / shown.length - Math.PI / 2;
    return [name, [width / 2 + Math.cos(angle) * radius[0], height / 2 + Math.sin(angle) * (shown.length === 1 ? 0 : radius[1])]];
  }));
  const all = [...place.values()];
  const [top, bottom] = [Math.min(...all.map(([, y]) => y)), Math.max(...all.map(([, y]) => y))];
  const half = (name) => Math.min(84, 10 + 3.6 * Math.min(22, [...plain(name)].length));
  const edges = orders.filter(({ holds, takes }) => place.has(holds) && place.has(takes)).map(({ holds, takes, count }) => {
    const wrong = bad.has(`${bare(holds)}\u0000${bare(takes)}`);
    return arrow(place.get(holds), place.get(takes), half(holds), half(takes), wrong, count, holds, takes);
  });
  const nodes = shown.map((name) => {
    const [x, y] = place.get(name);
    const label = s("text", { x, y: y + 4, "text-anchor": "middle" });
    label.textContent = plain(name, 21);
    return s("g", { class: "lock-node" }, s("rect", { x: x - half(name), y: y - 13, width: 2 * half(name), height: 26, rx: 6 }), label, s("title", {}, plain(name)));
  });
  const words = `${plural(names.length, "lock")} of ${plain(orders[0].service, 60)}, taken in ${plural(orders.length, "order")}`;
  return h("figure", {}, s("svg", { viewBox: `0 ${top - 40} ${width} ${bottom - top + 60}`, role: "img", "aria-label": words }, edges, nodes),
    h("figcaption", { class: "dim small" }, text(orders[0].service, 60), names.length > shown.length ? `, ${number(names.length - shown.length)} locks not drawn` : null));
}

function arrow([x1, y1], [x2, y2], half1, half2, wrong, count, holds, takes) {
  const told = s("title", {}, plain(`${plain(takes, 100)} taken while ${plain(holds, 100)} is held, ${times(count)}`));
  const sort = wrong ? "edge wrong" : "edge";
  if (x1 === x2 && y1 === y2) {
    return s("g", { class: sort }, s("path", { d: `M${x1 - 14} ${y1 - 13} c-16 -34 44 -34 28 0` }), told);
  }
  const [dx, dy] = [x2 - x1, y2 - y1];
  // Out of the box and into the other one, both a little to the side, so that two opposite arrows are two.
  const out = (half) => Math.min(half / Math.max(1e-6, Math.abs(dx)), 13 / Math.max(1e-6, Math.abs(dy)), 0.45);
  const long = Math.hypot(dx, dy);
  const [sideX, sideY] = [(-dy / long) * 7, (dx / long) * 7];
  const [ax, ay] = [x1 + dx * out(half1) + sideX, y1 + dy * out(half1) + sideY];
  const end = 1 - out(half2) - 4 / long;
  const [bx, by] = [x1 + dx * end + sideX, y1 + dy * end + sideY];
  const [ux, uy] = [dx / long, dy / long];
  const tip = `M${bx} ${by} L${bx - ux * 8 - uy * 4} ${by - uy * 8 + ux * 4} L${bx - ux * 8 + uy * 4} ${by - uy * 8 - ux * 4} z`;
  return s("g", { class: sort }, s("path", { d: `M${ax} ${ay} L${bx - ux * 6} ${by - uy * 6}` }), s("path", { class: "tip", d: tip }), told);
}

function table(orders, bad) {
  const line = ({ service, holds, takes, count, place }) => {
    const id = bad.get(`${bare(holds)}\u0000${bare(takes)}`);
    return h("tr", {}, h("td", {}, h("code", {}, text(holds, 60))), h("td", {}, h("code", {}, text(takes, 60))), h("td", {}, text(service, 60)), h("td", { class: "num" }, number(count)),
      h("td", {}, h("code", { class: "dim" }, text(place ?? "", 120))), h("td", {}, id ? h("a", { href: `#/findings/${id}` }, "potential deadlock") : null));
  };
  return h("details", {}, h("summary", {}, `As a table: ${plural(orders.length, "order")}`),
    h("table", {}, h("thead", {}, h("tr", {}, ["held", "taken meanwhile", "service", "times", "for example at", ""].map((word) => h("th", { scope: "col" }, word)))), h("tbody", {}, orders.slice(0, 500).map(line))));
}
