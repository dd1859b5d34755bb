/** @import {Question, Requirement, StepRequirement, Tool} from "../api/types.js" */
import { sentence } from "../api/explain.js";
import { h } from "./dom.js";
import { choices, inputField, textField, yesOrNo } from "./fields.js";
import { delegation } from "../run/run_node.js";

/**
 * @typedef {object} Item One thing to decide.
 * @property {HTMLElement} element
 * @property {boolean} verdict whether it is a yes or a no, and nothing else
 * @property {(yes: boolean) => Record<string, any>} decided what is sent back
 */

let count = 0;

/**
 * What a tool of an agent or of a team's member waits for.
 * @param {Requirement} requirement
 * @param {string} name of the agent, if it is not a member's
 * @returns {Item}
 */
export function requirementItem(requirement, name) {
  const tool = requirement.tool_execution;
  const who = `${requirement.member_agent_name ?? name} wants`;
  if (tool.user_feedback_schema?.length) return questionsItem(requirement, tool.user_feedback_schema);
  if (tool.requires_user_input) return fieldsItem(requirement, tool, who);
  if (tool.external_execution_required) return resultItem(requirement, tool, who);
  const note = textField("Note", { placeholder: "A note, if you like" });
  return {
    element: h("div", { class: "item" }, heading(who, tool), args(tool), note.element),
    verdict: true,
    decided: (yes) => decidedTool(requirement, { confirmed: yes, confirmation_note: note.value() || null }, { confirmation: yes, confirmation_note: note.value() || null }),
  };
}

/**
 * @param {Requirement} requirement
 * @param {Tool} tool
 * @param {string} who
 * @returns {Item}
 */
function fieldsItem(requirement, tool, who) {
  const schema = tool.user_input_schema ?? [];
  const fields = schema.map(inputField);
  return {
    element: h("div", { class: "item" }, heading(who, tool), ...fields.map((field) => field.element)),
    verdict: false,
    decided() {
      const filled = schema.map((field, index) => ({ ...field, value: fields[index]?.value() ?? null }));
      return decidedTool(requirement, { user_input_schema: filled, answered: true }, { user_input_schema: filled });
    },
  };
}

/**
 * @param {Requirement} requirement
 * @param {Tool} tool
 * @param {string} who
 * @returns {Item}
 */
function resultItem(requirement, tool, who) {
  const result = textField("Result", { required: true, long: true });
  return {
    element: h("div", { class: "item" }, heading(who, tool, ", which you do"), args(tool), result.element),
    verdict: false,
    decided: () => decidedTool(requirement, { result: result.value() }, { external_execution_result: result.value() }),
  };
}

/**
 * @param {Requirement} requirement
 * @param {Question[]} questions
 * @returns {Item}
 */
function questionsItem(requirement, questions) {
  const groups = questions.map((question) => choices(question.question, question.options ?? [], question.multi_select ?? false));
  return {
    element: h("div", { class: "item" }, ...groups.map((group) => group.element)),
    verdict: false,
    decided() {
      const answered = questions.map((question, index) => ({ ...question, selected_options: groups[index]?.value() ?? [] }));
      return decidedTool(requirement, { user_feedback_schema: answered, answered: true }, { user_feedback_schema: answered });
    },
  };
}

/**
 * What a step of a workflow waits for.
 * @param {StepRequirement} step
 * @returns {Item}
 */
export function stepItem(step) {
  const title = h("h3", {}, step.step_name ?? "The next step");
  if (step.executor_requirements?.length) return executorItem(step, title);
  if (step.requires_route_selection) return routeItem(step, title);
  if (step.requires_user_input) return stepFieldsItem(step, title);
  if (step.error_message !== undefined) {
    return {
      element: h("div", { class: "item" }, title, h("p", {}, `The step failed: ${sentence(step.error_message)} Approve to try it again, refuse to leave it out.`)),
      verdict: true,
      decided: (yes) => ({ ...step, decision: yes ? "retry" : "skip" }),
    };
  }
  const message = step.output_review_message ?? step.confirmation_message ?? "May this step run?";
  const output = step.step_output?.content;
  const edited = typeof output === "string" && step.requires_output_review ? textField("Its text, which you may change", { value: output, long: true }) : null;
  const feedback = textField("Note", { placeholder: "Why not, if you refuse" });
  return {
    element: h("div", { class: "item" }, title, h("p", { dir: "auto" }, message), edited?.element, feedback.element),
    verdict: true,
    decided(yes) {
      const changed = edited && edited.value() !== output ? { edited_output: edited.value() } : {};
      return { ...step, confirmed: yes, ...(yes ? changed : { rejection_feedback: feedback.value() || null }) };
    },
  };
}

/**
 * @param {StepRequirement} step
 * @param {HTMLElement} title
 * @returns {Item}
 */
function executorItem(step, title) {
  const inner = (step.executor_requirements ?? []).map((requirement) => requirementItem(requirement, "The agent"));
  const verdict = inner.every((item) => item.verdict);
  const name = `inner-${(count += 1)}`;
  const choice = verdict ? null : inner.map((item, index) => (item.verdict ? yesOrNo(`${name}-${index}`, item.element) : null));
  const element = h("div", { class: "item" }, title, ...inner.flatMap((item, index) => [item.element, choice?.[index]]));
  return {
    element,
    verdict,
    decided: (yes) => ({
      ...step,
      executor_requirements: inner.map((item, index) => {
        const picked = element.querySelector(`input[name="${name}-${index}"]:checked`);
        return item.decided(picked ? picked.getAttribute("value") === "yes" : yes);
      }),
    }),
  };
}

/**
 * @param {StepRequirement} step
 * @param {HTMLElement} title
 * @returns {Item}
 */
function routeItem(step, title) {
  const options = (step.available_choices ?? []).map((label) => ({ label }));
  const group = choices(step.user_input_message ?? "Which way?", options, step.allow_multiple_selections ?? false);
  return {
    element: h("div", { class: "item" }, title, group.element),
    verdict: false,
    decided: () => ({ ...step, selected_choices: group.value() }),
  };
}

/**
 * @param {StepRequirement} step
 * @param {HTMLElement} title
 * @returns {Item}
 */
function stepFieldsItem(step, title) {
  const schema = step.user_input_schema ?? [];
  const fields = schema.map(inputField);
  return {
    element: h("div", { class: "item" }, title, h("p", { dir: "auto" }, step.user_input_message ?? ""), ...fields.map((field) => field.element)),
    verdict: false,
    decided() {
      const values = Object.fromEntries(schema.map((field, index) => [field.name, fields[index]?.value() ?? null]));
      return { ...step, confirmed: true, user_input: values };
    },
  };
}

/**
 * @param {Requirement} requirement
 * @param {Record<string, unknown>} tool what its tool gets
 * @param {Record<string, unknown>} own what it gets itself
 */
function decidedTool(requirement, tool, own) {
  return { ...requirement, ...own, tool_execution: { ...requirement.tool_execution, ...tool } };
}

/**
 * @param {string} who
 * @param {Tool} tool
 * @param {string} [rest]
 */
function heading(who, tool, rest = "") {
  const given = delegation(tool);
  return h("h3", {}, `${who} `, given ? `to ask ${given.member}` : "to call ", given ? "" : h("code", {}, tool.tool_name ?? "a tool"), rest);
}

/** @param {Tool} tool */
function args(tool) {
  const entries = Object.entries(tool.tool_args ?? {});
  return h("dl", {}, ...entries.flatMap(([name, value]) => [h("dt", {}, name), h("dd", { dir: "auto" }, typeof value === "string" ? value : JSON.stringify(value))]));
}
