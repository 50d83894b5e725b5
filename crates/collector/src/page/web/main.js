// Where things begin: which view is shown, and what they all share, the list of findings and how old it is.

import { get } from "./api.js";
import { h, replace } from "./dom.js";
import { show as finding } from "./finding.js";
import { show as findings } from "./findings.js";
import { ago, duration, plural, short } from "./format.js";
import "./keys.js";
import { show as live } from "./live.js";
import { show as locks } from "./locks.js";
import { failed, isMissingKey, login } from "./states.js";
import "./theme.js";
import { show as trace } from "./trace.js";
import { show as traces } from "./traces.js";

const POLL_MS = 2000;
const POLL_SOON_MS = 250;
const LIMIT = 200;

const main = document.getElementById("main");
const notice = document.getElementById("notice");
const status = document.getElementById("status");

const ROUTES = [
  [/^#\/findings\/([\w-]+)$/, "findings", finding],
  [/^#\/findings$/, "findings", findings],
  [/^#\/traces\/([\w-]+)$/, "traces", trace],
  [/^#\/traces$/, "traces", traces],
  [/^#\/locks$/, "locks", locks],
  [/^#\/live$/, "live", live],
];

/** What the views share. */
const shared = {
  overview: null,
  error: null,
  /** Rows behind the first ones, which were asked for. */
  more: [],
  filter: "",
  kind: null,
  listeners: new Set(),
  /** Calls `listener` now and whenever the analysis has news; stops when `signal` says so. */
  subscribe(listener, signal) {
    this.listeners.add(listener);
    signal.addEventListener("abort", () => this.listeners.delete(listener));
    listener();
  },
  async loadMore() {
    const rows = this.rows();
    const next = await get(`/api/overview?limit=${LIMIT}&after=${rows.at(-1).id}`);
    this.more.push(...next.findings);
    this.listeners.forEach((listener) => listener());
  },
  rows() {
    return [...(this.overview?.findings ?? []), ...this.more];
  },
};

let view = new AbortController();
let locked = false;
/** The address of what is shown: several changes of it may be told after the last one. */
let at = null;

/** Shows what the address says; the same again only if it is to be `anew`. */
function route(anew) {
  if (locked || (!anew && location.hash === at)) return;
  const found = ROUTES.map(([pattern, name, show]) => [pattern.exec(location.hash), name, show]).find(([match]) => match);
  if (!found) {
    // An anchor of this page, such as the one that skips to the content, leads nowhere else.
    if (location.hash === "#main") return main.focus();
    return location.replace("#/findings");
  }
  at = location.hash;
  view.abort();
  view = new AbortController();
  const [match, name, show] = found;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${name[0].toUpperCase()}${name.slice(1)} · trackside`;
  window.scrollTo(0, 0);
  const controller = view;
  const context = { main, shared, signal: view.signal, id: match[1], refused };
  Promise.resolve(show(context)).catch((error) => {
    if (controller.signal.aborted || error.name === "AbortError") return;
    if (isMissingKey(error)) return refused();
    replace(main, failed(error, () => route(true)));
  });
}

/** The key is missing, or not the right one. */
function refused() {
  if (locked) return;
  locked = true;
  view.abort();
  let shown = false;
  try {
    shown = sessionStorage.getItem("trackside.key") !== null;
  } catch {
    // Then nothing is known of it.
  }
  replace(notice);
  replace(status);
  replace(main, login(shown, () => {
    locked = false;
    route(true);
    poll();
  }));
  main.querySelector("input")?.focus();
}

let timer = 0;

async function poll() {
  clearTimeout(timer);
  if (locked) return;
  try {
    const overview = await get(`/api/overview?limit=${LIMIT}`);
    if (overview !== shared.overview) {
      if (overview.analysis.number !== shared.overview?.analysis.number) shared.more = [];
      overview.since = performance.now() - (overview.analysis.age_ms ?? 0);
      shared.overview = overview;
    }
    shared.error = null;
    replace(notice);
  } catch (error) {
    if (isMissingKey(error)) return refused();
    shared.error = error;
    replace(notice, h("p", { class: "notice" }, error.status === 0
      ? "The collector does not answer. What you see is what it said last; trying again."
      : `The collector answers with an error (${error.status}); trying again.`));
  }
  shared.listeners.forEach((listener) => listener());
  tell();
  const soon = shared.error === null && (shared.overview.analysis.number === 0 || shared.overview.analysis.running);
  timer = setTimeout(poll, soon ? POLL_SOON_MS : POLL_MS);
}

/** How old what is shown is, and of how much. */
function tell() {
  const { overview, error } = shared;
  document.getElementById("findings-count").textContent = overview?.summary ? short(overview.findings_total) : "";
  if (!overview) return replace(status, error ? "" : "connecting…");
  const { analysis, summary } = overview;
  const parts = [];
  if (summary) parts.push(`${short(summary.events)} events of ${plural(summary.runs, "run")}`);
  if (analysis.failed) parts.push("the last analysis failed");
  const busy = analysis.running || !summary;
  const age = summary ? ago(performance.now() - overview.since) : "";
  parts.push(busy ? "analysing…" : `analysed ${age}`);
  if (!busy && analysis.outdated) parts.push("more has come");
  const title = summary ? `Analysed ${age}, which took ${duration(analysis.took_ms * 1e6)}` : "";
  const words = parts.join(" · ");
  // Said aloud only when it changes in more than its age.
  if (status.dataset.words !== words) {
    status.dataset.words = words;
    replace(status, h("span", { class: busy ? "pulse" : "still", "aria-hidden": "true" }), h("span", { title }, words));
  }
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
window.addEventListener("hashchange", () => route(false));
document.addEventListener("visibilitychange", () => document.hidden || poll());
setInterval(() => document.hidden || tell(), 1000);
poll();
route(true);
