/**
 * @typedef {object} View A part of the page that follows a part of a run.
 * @property {HTMLElement} element
 * @property {(now: number) => boolean} update takes a few milliseconds at most; gives whether there is more to do. `now`: seconds since 1970
 */

/**
 * An element: what stands in `props` under the name of a property is set as one, `on…` listens, and the rest are
 * attributes. Text is never read as HTML.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [props]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, String(value));
  }
  element.append(.../** @type {(Node | string)[]} */ (children.filter((child) => child || child === "")));
  return element;
}

/** What is shown while the API is asked. */
export function loading() {
  return h("p", { class: "hint loading" }, "Loading …");
}

/**
 * What went wrong, and a button that tries again, which takes both away.
 * @param {string} text
 * @param {() => void} again
 */
export function failure(text, again) {
  const button = h("button", { type: "button" }, "Try again");
  const element = h("div", { class: "failed" }, h("p", { class: "failure" }, text), button);
  button.addEventListener("click", () => {
    element.remove();
    again();
  });
  return element;
}

/**
 * A drawn sign, hidden from screen readers. The paths are our own, on a grid of 24.
 * @param {keyof typeof PATHS} name
 */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

const PATHS = {
  plus: "M12 5v14M5 12h14",
  send: "M12 20V4M5 11l7-7 7 7",
  down: "M12 4v16M5 13l7 7 7-7",
  stop: "M7 7h10v10H7z",
  attach: "M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7l-8.4 8.4a1.7 1.7 0 0 1-2.4-2.4L14 7.600",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  pen: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  bin: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  check: "M5 12.500l4.500 4.500L19 7.500",
  copy: "M9 9h10v11H9zM5 15V4h10",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  key: "M14.500 9.500a4 4 0 1 1-3-3.870M11 10l9 9M17 16l2-2",
};
