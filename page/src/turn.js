/** @import {Api} from "./api.js" */
/** @import {RunEvent, RunKey} from "./types.js" */
/** @import {RunTree, State} from "./run_tree.js" */
import { ApiError } from "./api.js";
import { decisionForm } from "./decisions.js";
import { duration, h, icon } from "./dom.js";
import { explain } from "./explain.js";
import { follow } from "./follow.js";
import { openSteps } from "./run_tree.js";
import { PartsView, stateMark, STATES } from "./run_view.js";

/**
 * @typedef {object} Turned What a turn tells the page.
 * @property {() => void} changed something is to be shown
 * @property {() => void} begun its run has begun, or goes on after a pause
 * @property {(turn: Turn) => void} ended its run has ended or waits
 * @property {(message: string, files: File[]) => void} again somebody wants the message sent again
 */

/** Somebody has taken a message back before the API took it. */
class TakenBack extends Error {}

/** A message and the run that answers it. */
export class Turn {
  #abort = new AbortController();
  #last = -1;
  /** @type {HTMLElement} */
  #footer;
  #notice;
  #decisions;
  #parts;
  #mark;
  #time = h("span", { class: "time" });
  #state = h("span", { class: "state" });
  /** @type {State | null} */
  #shown = null;
  #stopping = false;
  /** Aborted when the message is taken back: then it is not sent again. */
  #sending = new AbortController();
  /** @type {File[]} the files of the message, while the page has them */
  files = [];

  /**
   * @param {Api} api
   * @param {RunKey} key
   * @param {RunTree} tree
   * @param {{message: string, files: string[], background: boolean}} asked
   * @param {Turned} page
   */
  constructor(api, key, tree, asked, page) {
    this.api = api;
    this.key = key;
    this.tree = tree;
    this.asked = asked;
    this.page = page;
    this.#parts = new PartsView(tree.root, {
      session: key.session,
      blob: async (path) => (await api.request(path)).blob(),
    });
    this.#mark = stateMark(tree.root.state);
    this.#notice = h("p", { class: "notice", hidden: true });
    this.#decisions = h("div");
    this.#footer = h("div", { class: "footer" }, this.#mark.element, this.#state, this.#time);
    const names = asked.files.map((name) => h("li", {}, icon("file"), h("span", { dir: "auto" }, name)));
    this.element = h(
      "article",
      { class: "turn", "aria-label": "A message and its answer" },
      h("div", { class: "asked", dir: "auto" }, asked.message, names.length ? h("ul", { class: "files" }, ...names) : null),
      h("div", { class: "answer" }, h("h2", { class: "unseen" }, `${tree.root.name} answers`), this.#parts.element, this.#notice, this.#decisions, this.#footer),
    );
  }

  /** @returns {State} */
  get state() {
    return this.tree.root.state;
  }

  get runs() {
    return this.state === "waiting" || this.state === "running";
  }

  /**
   * Shows what is new, for a few milliseconds. Gives whether there is more to do.
   * @param {number} now seconds since 1970
   */
  render(now) {
    const root = this.tree.root;
    const more = this.#parts.update(now);
    this.element.setAttribute("aria-busy", String(this.runs));
    const passed = root.seconds ?? (root.startedAt !== null && this.runs ? Math.floor(now - root.startedAt) : null);
    const time = passed === null ? "" : duration(passed);
    if (this.#time.textContent !== time) this.#time.textContent = time;
    if (this.#shown !== root.state) this.#showState();
    return more;
  }

  #showState() {
    const root = this.tree.root;
    this.#shown = root.state;
    this.element.dataset["state"] = root.state;
    this.#mark.set(root.state);
    this.#state.textContent = root.state === "waiting" && this.asked.background ? "Waiting for a worker" : STATES[root.state];
    this.#decisions.replaceChildren();
    if (root.state === "paused") this.#askForDecisions();
    if (root.state === "error") this.#fail(root.error);
  }

  #askForDecisions() {
    const { requirements, stepRequirements } = this.tree;
    if (!requirements.length && !stepRequirements.length) return;
    this.#decisions.append(decisionForm(requirements, stepRequirements, (decisions) => this.continue(decisions)));
  }

  /** @param {string} text */
  #fail(text) {
    const lacksFiles = this.files.length < this.asked.files.length;
    const again = h("button", { type: "button" }, lacksFiles ? "Send it again without its files" : "Send it again");
    again.addEventListener("click", () => this.page.again(this.asked.message, this.files));
    this.#tell(h("span", { dir: "auto" }, text), again);
    this.#notice.classList.add("failure");
  }

  /** @param {...(Node | string)} content nothing hides it */
  #tell(...content) {
    this.#notice.classList.remove("failure");
    this.#notice.replaceChildren(...content);
    this.#notice.hidden = content.length === 0;
  }

  /** @param {FormData} form */
  start(form) {
    return this.#follow(async () => {
      if (this.#sending.signal.aborted) throw new TakenBack();
      const events = await this.api.start(this.key, form, this.#abort.signal);
      // The API took it just when it was taken back.
      if (this.#sending.signal.aborted) void this.stop();
      return events;
    });
  }

  resume() {
    return this.#follow(null);
  }

  /** @param {Record<string, unknown>} decisions */
  async continue(decisions) {
    this.#tell();
    const paused = this.state;
    this.tree.root.state = "running";
    try {
      // Whether the decisions fit is known before the first event: if not, the run still waits.
      const events = await this.api.continue(this.key, decisions, this.#abort.signal);
      this.page.begun();
      void this.#follow(async () => events);
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return void this.#follow(null);
      this.tree.root.state = paused;
      this.#tell(explain(error));
      this.#notice.classList.add("failure");
    } finally {
      this.page.changed();
    }
  }

  /** Asks for the end of the run, which comes as an event. */
  async stop() {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#state.textContent = "Stopping";
    try {
      await this.api.cancel(this.key);
    } catch (error) {
      // The API has no such run yet.
      if (error instanceof ApiError && error.status === 404 && this.state === "waiting") this.#sending.abort(new TakenBack());
      else this.#tell(explain(error));
    } finally {
      this.#stopping = false;
    }
  }

  /** Follows the run no more. It goes on. */
  detach() {
    this.#abort.abort();
  }

  /** @param {(() => Promise<AsyncIterable<RunEvent>>) | null} open */
  async #follow(open) {
    const signal = this.#abort.signal;
    const following = {
      run: this.key.run,
      after: this.#last,
      open,
      resume: (/** @type {number} */ after) => this.api.resume(this.key, after, signal),
      wait: (/** @type {number} */ ms) => waited(ms, AbortSignal.any([signal, this.#sending.signal])),
      onInterrupted: (/** @type {ApiError | null} */ error) => this.#tell(...(error ? [interrupted(error)] : [])),
    };
    try {
      for await (const event of follow(following)) {
        if (event.event_index !== undefined) this.#last = event.event_index;
        this.tree.apply(event);
        this.page.changed();
      }
      this.#tell();
      if (this.runs || (this.state === "paused" && !this.tree.requirements.length)) await this.#settle();
    } catch (error) {
      if (signal.aborted) return;
      this.#tell();
      this.tree.root.state = error instanceof TakenBack ? "cancelled" : "error";
      this.tree.root.error = error instanceof TakenBack ? "" : explain(error);
    }
    this.page.changed();
    this.page.ended(this);
  }

  /** What the events did not say, the run as it is stored does. */
  async #settle() {
    const run = await this.api.run(this.key);
    if (run.status === "PAUSED") this.tree.stepRequirements = openSteps(run);
    else this.tree.settle(run);
  }
}

/** @param {ApiError} error after which the same is asked again */
function interrupted(error) {
  if (error.status === 0) return "The connection was lost. The run goes on; trying to reach it again …";
  return `${error.message}. Trying again …`;
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function waited(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const timer = setTimeout(done, ms);
    // Whoever is back on the network waits no longer.
    addEventListener("online", done, { once: true });
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    }
  });
}
