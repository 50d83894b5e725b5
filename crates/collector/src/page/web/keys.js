// The keyboard. Rows are links or buttons that carry `data-row`; what Enter does to them is the browser's business.

import { nextTheme } from "./theme.js";

const VIEWS = ["findings", "traces", "locks", "live"];
const dialog = document.getElementById("keys");

const rows = () => [...document.querySelectorAll("main [data-row]")].filter((row) => row.offsetParent !== null);

function step(by) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.indexOf(document.activeElement?.closest?.("[data-row]"));
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by));
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
}

function back() {
  const up = document.querySelector("main [data-back]");
  if (up) location.hash = up.getAttribute("href");
}

function neighbour(which) {
  const link = document.querySelector(`main [data-${which}]`);
  if (link) location.hash = link.getAttribute("href");
}

function help() {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

document.getElementById("help").addEventListener("click", help);
document.getElementById("keys-close").addEventListener("click", () => dialog.close());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const field = event.target.closest?.("input, textarea, select");
  if (field) {
    if (event.key !== "Escape" || field.type === "password") return;
    if (field.value) {
      field.value = "";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    } else {
      field.blur();
    }
    event.preventDefault();
    return;
  }
  if (dialog.open) {
    if (event.key === "?") help();
    return;
  }
  const view = VIEWS[Number(event.key) - 1];
  const actions = {
    j: () => step(1),
    ArrowDown: () => step(1),
    k: () => step(-1),
    ArrowUp: () => step(-1),
    Escape: back,
    "[": () => neighbour("previous"),
    "]": () => neighbour("next"),
    "/": () => document.querySelector("main input[type=search]")?.focus(),
    "?": help,
    t: nextTheme,
  };
  const action = view ? () => (location.hash = `#/${view}`) : actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
