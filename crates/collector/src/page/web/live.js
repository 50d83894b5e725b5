// What comes in, second by second.

import { listen } from "./api.js";
import { h, replace, s, text } from "./dom.js";
import { bytes, number, plural, short } from "./format.js";

const SECONDS = 120;
const AGAIN_MS = 2000;

export async function show({ main, signal, refused }) {
  const history = [];
  const state = h("p", { class: "dim", role: "status" }, "connecting…");
  const figures = h("div", { class: "figures" });
  const chart = h("figure", { class: "chart" });
  const tables = h("div", { class: "live-tables" });
  replace(main, h("article", { class: "live" }, h("header", { class: "section-head" }, h("h1", {}, "Live"), state), figures, chart, tables));

  const take = (moment) => {
    history.push(moment);
    if (history.length > SECONDS) history.shift();
    figuresOf(figures, moment);
    replace(chart, chartOf(history));
    replace(tables, services(moment), losses(moment), stored(moment));
  };
  while (!signal.aborted) {
    try {
      await listen("/api/live", take, { signal, opened: () => replace(state, "updated once a second") });
      replace(state, "the collector ended the stream; asking again");
    } catch (error) {
      if (signal.aborted || error.name === "AbortError") return;
      if (error.status === 401) return refused();
      replace(state, h("b", { class: "wrong" }, error.status === 0 ? "no connection to the collector; trying again" : text(error.message, 200)));
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

const rate = (moment, what) => (moment.seconds > 0.05 ? moment[what] / moment.seconds : 0);

function figuresOf(box, moment) {
  const lost = Object.values(moment.lost).reduce((sum, count) => sum + count, 0);
  const figure = (title, big, small, sort = "") => h("div", { class: `figure ${sort}` }, h("h2", {}, title), h("p", { class: "big" }, big), h("p", { class: "dim small" }, small));
  const used = moment.stored.max_bytes > 0 ? moment.stored.used_bytes / moment.stored.max_bytes : 0;
  replace(box,
    figure("events a second", short(Math.round(rate(moment, "events"))), `${number(moment.stored.events)} since the start`),
    figure("bytes a second", bytes(Math.round(rate(moment, "bytes"))), `${plural(moment.stored.batches, "batch", "batches")} stored`),
    figure("room taken", `${(100 * used).toFixed(used < 0.1 ? 1 : 0)} %`, `${bytes(moment.stored.used_bytes)} of ${bytes(moment.stored.max_bytes)}`, used > 0.9 ? "bad" : ""),
    figure("lost", short(lost), lost === 0 ? "nothing, say all runs" : "events that runs say they lost", lost > 0 ? "bad" : ""));
}

function chartOf(history) {
  const [width, height, base] = [960, 150, 130];
  const rates = history.map((moment) => rate(moment, "events"));
  const top = Math.max(1, ...rates);
  const x = (at) => width - (history.length - 1 - at) * (width / (SECONDS - 1));
  const y = (value) => base - (value / top) * (base - 14);
  const line = rates.map((value, at) => `${at ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join(" ");
  const area = `${line} L${width} ${base} L${x(0).toFixed(1)} ${base} z`;
  return [
    s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Events a second over the last ${history.length} seconds, ${short(Math.round(top))} at most`, preserveAspectRatio: "none" },
      s("line", { class: "floor", x1: 0, x2: width, y1: base, y2: base }),
      s("path", { class: "area", d: area }), s("path", { class: "curve", d: line, "vector-effect": "non-scaling-stroke" })),
    h("figcaption", { class: "dim small" }, h("span", {}, "2 min ago"), h("span", {}, `${short(Math.round(Math.max(...rates)))} events a second at most`), h("span", {}, "now")),
  ];
}

function table(title, columns, rows, none) {
  return h("section", {}, h("h2", {}, title), rows.length === 0 ? h("p", { class: "dim" }, none)
    : h("table", {}, h("thead", {}, h("tr", {}, columns.map((word, at) => h("th", { scope: "col", class: at ? "num" : null }, word)))), h("tbody", {}, rows)));
}

const cells = (first, ...rest) => h("tr", {}, h("td", {}, first), rest.map((cell) => h("td", { class: "num" }, cell)));

function services(moment) {
  const most = Math.max(1, ...moment.services.map((service) => service.events));
  return table("By service", ["service", "runs", "a second", "in all", "lost"], moment.services.map((service) => cells(
    [text(service.service, 60), h("i", { class: "share", css: { width: `${(100 * service.events) / most}%` } })],
    number(service.runs), number(Math.round(service.events / Math.max(0.05, moment.seconds))), number(service.events_total),
    service.lost > 0 ? h("b", { class: "wrong" }, number(service.lost)) : "0",
  )), "No service has sent anything yet.");
}

function losses(moment) {
  const refused = [["duplicates", "came again, and counted once"], ["rejected", "requests turned away"], ["refused_full", "batches refused: no room"]];
  const rows = Object.entries(moment.lost).map(([reason, count]) => cells(h("code", {}, text(reason, 60)), number(count)));
  const also = refused.filter(([what]) => moment[what] > 0).map(([what, words]) => cells(words, `${number(moment[what])} just now`));
  return table("Losses by reason", ["reason", "events"], [...rows, ...also], "Nothing was lost.");
}

function stored(moment) {
  const { evicted_batches } = moment.stored;
  if (evicted_batches === 0) return null;
  return table("Given up", ["what", "batches"], [cells("for their age, or to make room", number(evicted_batches))]);
}
