// What is shown where there is nothing to show: nothing yet, nothing at all, or something went wrong.

import { Failure, useKey } from "./api.js";
import { h, replace, text } from "./dom.js";

export function loading(what) {
  const bars = [62, 81, 47, 70].map((width) => h("div", { class: "ghost", css: { width: `${width}%` } }));
  return h("div", { class: "loading", "aria-busy": "true" }, h("p", { class: "dim" }, what), bars);
}

export function empty(title, ...rest) {
  return h("section", { class: "empty" }, h("h2", {}, title), rest);
}

export function failed(error, again) {
  const words = {
    0: "The collector does not answer.",
    404: "There is no such thing here.",
    503: "The collector is not ready yet.",
  };
  const gone = "It may have been found before and not be there any more, or its events have been given up.";
  return h(
    "section",
    { class: "empty error", role: "alert" },
    h("h2", {}, words[error.status] ?? "That did not work."),
    h("p", {}, error.status === 404 ? gone : text(error.message, 500)),
    h("button", { type: "button", on: { click: again } }, "Try again"),
  );
}

/** Asks for the key. */
export function login(wrong, entered) {
  const field = h("input", {
    type: "password", id: "key", name: "key", autocomplete: "current-password", required: true, spellcheck: "false",
    "aria-describedby": "key-hint",
  });
  const submit = (event) => {
    event.preventDefault();
    const key = field.value.trim();
    // Only such characters can be in a header, and so in a key.
    if (!/^[\x21-\x7e]+$/.test(key)) return replace(hint, "A key is made of visible ASCII characters.");
    useKey(key);
    entered();
  };
  const hint = h("p", { id: "key-hint", class: wrong ? "wrong" : "dim", role: wrong ? "alert" : null },
    wrong ? "That key is not the right one." : "It is kept in this tab, until that is closed.");
  return h(
    "form",
    { class: "empty login", on: { submit } },
    h("h2", {}, "This collector wants a key"),
    h("label", { for: "key" }, "API key"),
    h("div", { class: "field" }, field, h("button", { type: "submit" }, "Open")),
    hint,
  );
}

export const isMissingKey = (error) => error instanceof Failure && error.status === 401;
