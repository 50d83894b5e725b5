// Light, dark, or as the system has it. What was chosen is kept in the browser, if it lets us.

const NEXT = { auto: "light", light: "dark", dark: "auto" };
const SIGN = { auto: "◐", light: "○", dark: "●" };
const WORDS = { auto: "as the system has it", light: "light", dark: "dark" };

function kept() {
  try {
    return localStorage.getItem("trackside.theme");
  } catch {
    return null;
  }
}

export function setTheme(theme) {
  const known = theme in NEXT ? theme : "auto";
  if (known === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = known;
  const button = document.getElementById("theme");
  button.textContent = SIGN[known];
  button.title = `Colours: ${WORDS[known]} (t)`;
  button.setAttribute("aria-label", `Colours: ${WORDS[known]}`);
  button.dataset.now = known;
  try {
    localStorage.setItem("trackside.theme", known);
  } catch {
    // It is chosen for this visit, then.
  }
}

export function nextTheme() {
  setTheme(NEXT[document.getElementById("theme").dataset.now]);
}

setTheme(kept() ?? "auto");
document.getElementById("theme").addEventListener("click", nextTheme);
