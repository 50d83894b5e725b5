// Elements are made here and nowhere else. Whatever comes from the record is put into text nodes: there is no way from a
// name to markup, to an attribute that runs something, or to an address.

const SVG = "http://www.w3.org/2000/svg";

/** Characters that cannot be seen or that change how others are shown: controls, direction marks, joiners, separators. */
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]/g;

/** An element. `attributes` are of our own making; `children` are nodes, or text, which stays text. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "css") {
      for (const [property, setting] of Object.entries(value)) element.style.setProperty(property, setting);
    } else if (name === "href" && !String(value).startsWith("#")) {
      throw new Error("links lead to places of this page only");
    } else if (name.startsWith("on") || name === "style" || name === "src") {
      throw new Error(`no attribute ${name}`);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Text of the record, in a box of its own direction; what cannot be seen is spelled out. */
export function text(value, max = 160) {
  const whole = String(value ?? "");
  const cut = whole.length > max;
  const shown = cut ? whole.slice(0, safeEnd(whole, max)) : whole;
  const box = h("bdi");
  let at = 0;
  for (const match of shown.matchAll(HIDDEN)) {
    if (match.index > at) box.append(shown.slice(at, match.index));
    box.append(h("span", { class: "hidden-char" }, escape(match[0])));
    at = match.index + match[0].length;
  }
  box.append(shown.slice(at));
  if (cut) box.append(h("span", { class: "dim" }, "…"));
  return box;
}

/** The same for attributes such as `title`, which have no markup. */
export function plain(value, max = 300) {
  const whole = String(value ?? "");
  const shown = whole.length > max ? `${whole.slice(0, safeEnd(whole, max))}…` : whole;
  return shown.replace(HIDDEN, escape);
}

/** Text of any length: the beginning of it, and a button for the rest. */
export function value(content, max = 160) {
  const whole = String(content ?? "");
  if (whole.length <= max) return text(whole, max);
  const box = h("span", { class: "long" }, text(whole, max));
  const more = h("button", { type: "button", class: "more", "aria-expanded": "false" }, more_label(whole));
  more.addEventListener("click", () => {
    const open = more.getAttribute("aria-expanded") === "true";
    more.setAttribute("aria-expanded", String(!open));
    more.textContent = open ? more_label(whole) : "less";
    box.classList.toggle("open", !open);
    box.firstChild.replaceWith(text(whole, open ? max : Infinity));
  });
  box.append(" ", more);
  return box;
}

function more_label(whole) {
  return `all ${whole.length.toLocaleString("en")} characters`;
}

function escape(char) {
  return `\\u{${char.codePointAt(0).toString(16)}}`;
}

/** An end that does not cut a pair of surrogates in two. */
function safeEnd(whole, end) {
  const code = whole.charCodeAt(end - 1);
  return code >= 0xd800 && code < 0xdc00 ? end - 1 : end;
}

/** Puts `children` in the place of what is in `element`. */
export function replace(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
}
