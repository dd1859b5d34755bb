/** @import {MediumPart, NodePart, Part, RunNode, State, TextPart, ReasoningPart, ToolPart} from "../run/run_node.js" */
/** @import {View} from "./dom.js" */
/** @import {Surroundings} from "./media.js" */
import { h, icon } from "./dom.js";
import { blocksOf, rendered } from "./markdown.js";
import { mediumView } from "./media.js";
import { delegation } from "../run/run_node.js";
import { StreamText } from "./stream_text.js";
import { duration } from "./text.js";

/** @type {Record<State, string>} */
export const STATES = {
  waiting: "Waiting",
  running: "Running",
  completed: "Done",
  error: "Failed",
  cancelled: "Stopped",
  paused: "Waits for you",
};

/** What a run, a member or a step has said and done, in order. */
export class PartsView {
  /** @type {Map<Part, View>} */
  #views = new Map();
  #parts;

  /**
   * @param {RunNode} node
   * @param {Surroundings} surroundings
   */
  constructor(node, surroundings) {
    this.node = node;
    this.#parts = node.parts;
    this.surroundings = surroundings;
    this.element = h("div", { class: "parts" });
  }

  /** @param {number} now */
  update(now) {
    let more = false;
    if (this.#parts !== this.node.parts) {
      this.#parts = this.node.parts;
      this.#views.clear();
      this.element.replaceChildren();
    }
    for (const part of this.node.parts) {
      let view = this.#views.get(part);
      if (!view) {
        view = this.#viewOf(part);
        this.#views.set(part, view);
        this.element.append(view.element);
      }
      more = view.update(now) || more;
    }
    return more;
  }

  /**
   * @param {Part} part
   * @returns {View}
   */
  #viewOf(part) {
    switch (part.type) {
      case "text":
        return textView(part, this.node);
      case "reasoning":
        return reasoningView(part, this.node);
      case "tool":
        return toolView(part);
      case "medium":
        return mediumView(part, this.surroundings);
      case "node":
        return nodeView(part, this.surroundings);
    }
  }
}

/**
 * @param {TextPart | ReasoningPart} part
 * @param {RunNode} node
 * @returns {View}
 */
function textView(part, node) {
  const element = h("div", { class: "text", dir: "auto" });
  const text = new StreamText(element, { blocksOf, rendered });
  return {
    element,
    update() {
      text.set(part.text);
      return text.render(node.state !== "running");
    },
  };
}

/**
 * @param {ReasoningPart} part
 * @param {RunNode} node
 * @returns {View}
 */
function reasoningView(part, node) {
  const inner = textView(part, node);
  const element = h("details", { class: "reasoning" }, h("summary", {}, "Reasoning"), inner.element);
  return { element, update: (now) => inner.update(now) };
}

/**
 * @param {ToolPart} part
 * @returns {View}
 */
function toolView(part) {
  const mark = stateMark(part.state);
  const time = h("span", { class: "time" });
  const given = delegation(part.tool);
  const name = given ? h("span", {}, `Asked ${given.member}`) : h("code", {}, part.tool.tool_name ?? "tool");
  const short = h("span", { class: "short" }, given ? given.task : brief(part.tool.tool_args));
  const result = h("div", { class: "result" });
  const element = h(
    "details",
    { class: "tool" },
    h("summary", {}, mark.element, name, short, time),
    h("div", { class: "inside" }, h("h4", {}, given ? "Task" : "Arguments"), given ? h("p", { dir: "auto" }, given.task) : plain(pretty(part.tool.tool_args ?? {})), result),
  );
  let shown = -1;
  return {
    element,
    update() {
      if (shown === part.changes) return false;
      shown = part.changes;
      mark.set(part.state);
      element.dataset["state"] = part.state;
      time.textContent = part.seconds === null ? "" : duration(part.seconds);
      const told = part.tool.result;
      const has = told !== null && told !== undefined && told !== "";
      result.replaceChildren(...(has ? [h("h4", {}, part.state === "error" ? "Error" : "Result"), plain(pretty(told))] : []));
      return false;
    },
  };
}

/**
 * A member of a team or a step of a workflow: open while it runs, unless somebody closes it.
 * @param {NodePart} part
 * @param {Surroundings} surroundings
 * @returns {View}
 */
function nodeView({ node }, surroundings) {
  const parts = new PartsView(node, surroundings);
  const mark = stateMark(node.state);
  const detail = h("span", { class: "short" });
  const time = h("span", { class: "time" });
  const error = h("p", { class: "failure", role: "note", hidden: true });
  const summary = h("summary", {}, mark.element, h("span", { class: "name" }, node.name || "Step"), detail, time);
  const element = h("details", { class: "node" }, summary, h("div", { class: "inside" }, parts.element, error));
  element.open = node.state === "running";
  let touched = false;
  summary.addEventListener("click", () => (touched = true));
  /** @type {State | null} */
  let shown = null;
  return {
    element,
    update(now) {
      const passed = node.seconds ?? (node.state === "running" && node.startedAt !== null ? now - node.startedAt : null);
      const text = passed === null ? "" : duration(node.state === "running" ? Math.floor(passed) : passed);
      if (time.textContent !== text) time.textContent = text;
      if (detail.textContent !== node.detail) detail.textContent = node.detail;
      if (shown !== node.state) {
        mark.set(node.state);
        element.dataset["state"] = node.state;
        error.hidden = !node.error;
        error.textContent = node.error;
        if (shown === "running" && !touched) element.open = node.state === "error";
        shown = node.state;
      }
      return parts.update(now);
    },
  };
}

/**
 * A sign for a state, with its name for those who do not see it.
 * @param {State} state
 */
export function stateMark(state) {
  const name = h("span", { class: "unseen" });
  const element = h("span", { class: "mark" }, name);
  /** @param {State} next */
  function set(next) {
    element.dataset["state"] = next;
    element.querySelector("svg")?.remove();
    if (next === "completed") element.append(icon("check"));
    if (next === "error") element.append(icon("close"));
    name.textContent = STATES[next];
  }
  set(state);
  return { element, set };
}

/** @param {string} text */
function plain(text) {
  return h("pre", { tabindex: 0, dir: "auto" }, text);
}

/** @param {unknown} value */
function pretty(value) {
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  try {
    const read = JSON.parse(value);
    return typeof read === "object" && read !== null ? JSON.stringify(read, null, 2) : value;
  } catch {
    return value;
  }
}

/** @param {Record<string, unknown> | null | undefined} args */
function brief(args) {
  return Object.entries(args ?? {})
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ")
    .slice(0, 120);
}

