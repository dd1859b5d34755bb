/** @import {Component, Kind} from "../api/types.js" */
import { addressOf } from "./address.js";
import { h } from "../view/dom.js";

/** @type {Record<Kind, string>} */
const TITLES = { agents: "Agents", teams: "Teams", workflows: "Workflows" };
export const KINDS = /** @type {Kind[]} */ (Object.keys(TITLES));

/**
 * What is shown where nobody was chosen yet.
 * @param {Component[]} components
 * @param {string} missing the id of a component that is not there
 */
export function home(components, missing) {
  const kinds = KINDS.filter((kind) => components.some((each) => each.kind === kind));
  return h(
    "div",
    { class: "home" },
    missing ? h("p", { class: "failure" }, `“${missing}” is not served here, or not to you. Choose another one.`) : null,
    h("p", { class: "lead" }, components.length ? "Whom would you like to talk to?" : "There is nobody to talk to yet."),
    components.length ? null : h("p", { class: "hint" }, "Name an agent, a team or a workflow in ", h("code", {}, "layers/components/components.py"), ", then start or deploy the API again."),
    ...kinds.map((kind) =>
      h(
        "section",
        {},
        h("h2", {}, TITLES[kind]),
        h("ul", { class: "cards" }, ...components.filter((each) => each.kind === kind).map(card)),
      ),
    ),
  );
}

/** @param {Component} each */
function card(each) {
  const link = h("a", { href: addressOf(each.kind, each.id) }, h("strong", { dir: "auto" }, each.name), h("span", { dir: "auto" }, each.description));
  return h("li", {}, link);
}

/**
 * What is shown where nothing was said yet.
 * @param {Component} component
 * @param {(text: string) => void} send
 */
export function beginning(component, send) {
  const prompts = component.prompts.map((prompt) => {
    const button = h("button", { type: "button", dir: "auto" }, prompt);
    button.addEventListener("click", () => send(prompt));
    return h("li", {}, button);
  });
  return h(
    "div",
    { class: "home beginning" },
    h("p", { class: "lead", dir: "auto" }, component.name),
    h("p", { class: "hint", dir: "auto" }, component.description),
    prompts.length ? h("ul", { class: "prompts", "aria-label": "Try one of these" }, ...prompts) : null,
  );
}
