/** @import {Item} from "./decision_items.js" */
/** @import {Requirement, StepRequirement} from "../api/types.js" */
import { requirementItem, stepItem } from "./decision_items.js";
import { h } from "./dom.js";
import { yesOrNo } from "./fields.js";

/**
 * A form for everything that a paused run waits for.
 * @param {string} name of what runs
 * @param {Requirement[]} requirements of an agent or a team
 * @param {StepRequirement[]} steps of a workflow
 * @param {(decisions: Record<string, unknown>) => Promise<void>} send
 * @returns {HTMLElement}
 */
export function decisionForm(name, requirements, steps, send) {
  const items = [...requirements.map((requirement) => requirementItem(requirement, name)), ...steps.map(stepItem)];
  const single = items.length === 1 && items[0]?.verdict;
  const buttons = single
    ? [h("button", { type: "submit", class: "primary", value: "yes" }, "Approve"), h("button", { type: "submit", value: "no" }, "Refuse")]
    : [h("button", { type: "submit", class: "primary", value: "yes" }, "Continue")];
  const form = h(
    "form",
    { class: "decisions", "aria-label": "The run waits for you" },
    ...items.map((item, index) => (single ? item.element : numbered(item, index))),
    h("div", { class: "buttons" }, ...buttons),
  );
  form.addEventListener("keydown", (event) => {
    // Enter presses the first button: who has written why not would approve.
    if (single && event.key === "Enter" && event.target instanceof HTMLInputElement) event.preventDefault();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const yes = event.submitter?.getAttribute("value") !== "no";
    const decided = items.map((item, index) => item.decided(single || !item.verdict ? yes : chosen(form, index)));
    buttons.forEach((button) => (button.disabled = true));
    try {
      await send(requirements.length ? { requirements: decided } : { step_requirements: decided });
    } finally {
      buttons.forEach((button) => (button.disabled = false));
    }
  });
  return form;
}

/**
 * @param {Item} item
 * @param {number} index
 */
function numbered(item, index) {
  if (!item.verdict) return item.element;
  return h(
    "div",
    {},
    item.element,
    yesOrNo(`verdict-${index}`, item.element),
  );
}

/**
 * @param {HTMLFormElement} form
 * @param {number} index
 */
function chosen(form, index) {
  return new FormData(form).get(`verdict-${index}`) === "yes";
}
