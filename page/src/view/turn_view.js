/** @import {RunTree} from "../run/run_tree.js" */
/** @import {State} from "../run/run_node.js" */
/** @import {Surroundings} from "./media.js" */
import { decisionForm } from "./decisions.js";
import { copyButton } from "./copy.js";
import { h, icon } from "./dom.js";
import { PartsView, stateMark, STATES } from "./run_view.js";
import { duration } from "./text.js";

/** @typedef {{message: string, files: string[], background: boolean}} Asked A message, with the names of its files. */

/**
 * @typedef {object} Actions What somebody can do about a turn.
 * @property {(decisions: Record<string, unknown>) => Promise<void>} decide
 * @property {() => void} again send the message again
 * @property {() => boolean} lacksFiles whether the page no longer has the files of the message
 */

/** Of a message that is shown whole: a longer one would push its answer off the screen. */
const MOST_CHARACTERS = 1200;
const MOST_LINES = 16;

/** A message and its answer, as they are seen. */
export class TurnView {
  /** @type {HTMLElement} */
  #footer;
  #notice = h("p", { class: "notice", hidden: true });
  #remark = h("p", { class: "remark hint", hidden: true });
  #decisions = h("div");
  /** @type {{of: unknown, element: HTMLElement} | null} what was asked last, with what is written in it */
  #form = null;
  #parts;
  #mark;
  #time = h("span", { class: "time" });
  #state = h("span", { class: "state" });
  #copy;
  /** @type {State | null} */
  #shown = null;
  #actions;
  #asked;
  #tree;

  /**
   * @param {RunTree} tree
   * @param {Asked} asked
   * @param {Surroundings} surroundings
   * @param {Actions} actions
   */
  constructor(tree, asked, surroundings, actions) {
    this.#tree = tree;
    this.#asked = asked;
    this.#actions = actions;
    this.#parts = new PartsView(tree.root, surroundings);
    this.#mark = stateMark(tree.root.state);
    this.#copy = copyButton("Copy the answer", () => tree.answer, this.#parts.element);
    this.#footer = h("div", { class: "footer" }, this.#mark.element, this.#state, this.#time, this.#copy);
    this.element = h(
      "article",
      { class: "turn", tabindex: -1, "aria-label": "A message and its answer" },
      askedView(asked),
      h("div", { class: "answer" }, h("h2", { class: "unseen" }, `${tree.root.name} answers`), this.#parts.element, this.#remark, this.#notice, this.#decisions, this.#footer),
    );
  }

  /**
   * Shows what is new, for a few milliseconds. Gives whether there is more to do.
   * @param {number} now seconds since 1970
   * @param {boolean} runs
   */
  render(now, runs) {
    const root = this.#tree.root;
    const more = this.#parts.update(now);
    this.element.setAttribute("aria-busy", String(runs));
    const passed = root.seconds ?? (root.startedAt !== null && runs ? Math.floor(now - root.startedAt) : null);
    const time = passed === null ? "" : duration(passed);
    if (this.#time.textContent !== time) this.#time.textContent = time;
    // What it waits for may be known later than that it waits.
    if (this.#shown !== root.state || (root.state === "paused" && this.#open.length && this.#form?.of !== this.#open)) this.#showState();
    return more;
  }

  #showState() {
    const root = this.#tree.root;
    this.#shown = root.state;
    this.element.dataset["state"] = root.state;
    this.#mark.set(root.state);
    this.#copy.hidden = (root.state !== "completed" && root.state !== "cancelled") || !this.#tree.answer;
    this.#state.textContent = root.state === "waiting" && this.#asked.background ? "Waiting for a worker" : STATES[root.state];
    // Who decided by keyboard is not sent to the beginning of the page.
    if (this.#decisions.contains(document.activeElement)) this.element.focus({ preventScroll: true });
    this.#decisions.replaceChildren();
    if (root.state === "paused") this.#askForDecisions();
    if (root.state === "error") this.#showFailure(root.error);
  }

  /** What the run waits for. */
  get #open() {
    const { requirements, stepRequirements } = this.#tree;
    return requirements.length ? requirements : stepRequirements;
  }

  #askForDecisions() {
    const { requirements, stepRequirements } = this.#tree;
    const of = this.#open;
    if (!of.length) return;
    if (this.#form?.of !== of) {
      this.#form = { of, element: decisionForm(this.#tree.root.name, requirements, stepRequirements, (decisions) => this.#actions.decide(decisions)) };
    }
    this.#decisions.append(this.#form.element);
  }

  /** @param {string} text */
  #showFailure(text) {
    const again = h("button", { type: "button" }, this.#actions.lacksFiles() ? "Send it again without its files" : "Send it again");
    again.addEventListener("click", () => this.#actions.again());
    this.#notify(h("span", { dir: "auto" }, text), again);
    this.#notice.classList.add("failure");
  }

  /**
   * Says what stands in the way.
   * @param {string} text nothing hides it
   * @param {{failure?: boolean}} [options] whether waiting does not mend it
   */
  notify(text, { failure = false } = {}) {
    this.#notify(...(text ? [text] : []));
    this.#notice.classList.toggle("failure", failure);
  }

  /** @param {...(Node | string)} content */
  #notify(...content) {
    this.#notice.classList.remove("failure");
    this.#notice.replaceChildren(...content);
    this.#notice.hidden = content.length === 0;
  }

  /** @param {string} text about how the run goes on; nothing hides it */
  remark(text) {
    if (text) this.#remark.textContent = text;
    this.#remark.hidden = !text;
  }

  /** @param {boolean} stopping whether the run is asked to end */
  stopping(stopping) {
    this.#state.textContent = stopping ? "Stopping" : STATES[this.#tree.root.state];
  }
}

/** @param {Asked} asked */
function askedView({ message, files }) {
  const names = files.map((name) => h("li", {}, icon("file"), h("span", { dir: "auto" }, name)));
  const text = h("div", { class: "message" }, message);
  const long = message.length > MOST_CHARACTERS || message.split("\n").length > MOST_LINES;
  return h("div", { class: "asked", dir: "auto" }, text, long ? unfoldButton(text) : null, names.length ? h("ul", { class: "files" }, ...names) : null);
}

/** @param {HTMLElement} text that is folded until somebody asks for all of it */
function unfoldButton(text) {
  const button = h("button", { type: "button", class: "quiet", "aria-expanded": "false" }, "Show all");
  text.classList.add("folded");
  button.addEventListener("click", () => {
    const folded = text.classList.toggle("folded");
    button.textContent = folded ? "Show all" : "Show less";
    button.setAttribute("aria-expanded", String(!folded));
  });
  return button;
}
