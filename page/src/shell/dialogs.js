import { h } from "../view/dom.js";

let count = 0;

/**
 * Asks for a line of text, or for a yes. Gives null if it is not answered. What destroys something is not done by Enter
 * alone.
 * @param {{title: string, problem?: string, text?: string, label?: string, value?: string, type?: string, yes: string, closes?: boolean, destroys?: boolean}} asked
 * @returns {Promise<string | null>}
 */
export function ask({ title, problem = "", text = "", label = "", value = "", type = "text", yes, closes = true, destroys = false }) {
  const input = label ? h("input", { type, value, required: true, dir: "auto", autocomplete: "off", spellcheck: "false" }) : null;
  const no = h("button", { type: "button", value: "", autofocus: destroys }, "Cancel");
  const about = `about-${(count += 1)}`;
  const dialog = h(
    "dialog",
    { "aria-label": title, "aria-describedby": about },
    h(
      "form",
      {},
      h("h2", {}, title),
      h("div", { class: "about", id: about }, problem ? h("p", { class: "failure", dir: "auto" }, problem) : null, text ? h("p", { dir: "auto" }, text) : null),
      input ? h("label", { class: "field" }, h("span", {}, label), input) : null,
      h("div", { class: "buttons" }, h("button", { type: "submit", class: destroys ? "primary danger" : "primary" }, yes), closes ? no : null),
    ),
  );
  document.body.append(dialog);
  const { promise, resolve } = resolvers();
  dialog.querySelector("form")?.addEventListener("submit", (event) => {
    event.preventDefault();
    resolve(input ? input.value.trim() : "yes");
    dialog.close();
  });
  no.addEventListener("click", () => dialog.close());
  if (!closes) dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.addEventListener("close", () => {
    resolve(null);
    dialog.remove();
  });
  dialog.showModal();
  input?.select();
  return promise;
}

/** @returns {{promise: Promise<string | null>, resolve: (value: string | null) => void}} */
function resolvers() {
  /** @type {(value: string | null) => void} */
  let resolve = () => {};
  const promise = new Promise((/** @type {(value: string | null) => void} */ done) => (resolve = done));
  return { promise, resolve };
}
