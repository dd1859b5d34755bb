import { h, icon } from "./dom.js";

const TOLD_MS = 2000;

/**
 * A button that copies a text, or selects an element where a browser lets a page copy nothing: over plain HTTP.
 * @param {string} label what a screen reader calls it
 * @param {() => string} text
 * @param {HTMLElement} element that shows the text
 */
export function copyButton(label, text, element) {
  const button = h("button", { type: "button", class: "quiet" });
  const offer = () => button.replaceChildren(icon("copy"), h("span", { "aria-hidden": "true" }, "Copy"), h("span", { class: "unseen" }, label));
  offer();
  button.addEventListener("click", async () => {
    const copied = await copyText(text(), element);
    button.replaceChildren(...(copied ? [icon("check"), "Copied"] : ["Press Ctrl+C"]));
    setTimeout(offer, TOLD_MS);
  });
  return button;
}

/**
 * @param {string} text
 * @param {HTMLElement} element
 */
async function copyText(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(element);
    return false;
  }
}
