/** @import {Api} from "./api.js" */
/** @import {RunEvent, RunKey} from "./types.js" */
/** @import {State} from "./run_node.js" */
/** @import {RunTree} from "./run_tree.js" */
import { ApiError } from "./api.js";
import { decisionForm } from "./decisions.js";
import { duration, h, icon } from "./dom.js";
import { explain } from "./explain.js";
import { follow } from "./follow.js";
import { PartsView, stateMark, STATES } from "./run_view.js";

/**
 * @typedef {object} Turned What a turn tells the page.
 * @property {() => void} changed something is to be shown
 * @property {(taken: boolean) => void} begun its message is on its way to the API, or was taken: its run goes on
 * @property {(text: string) => void} tell for a screen reader
 * @property {(turn: Turn) => void} ended its run has ended or waits
 * @property {(message: string, files: File[]) => void} again somebody wants the message sent again
 */

/** How long a message may take to the API, if the page that sent it was loaded again meanwhile. */
const ON_ITS_WAY_MS = 10_000;
const STOP_AGAIN_MS = 2000;
const LOST = "The API does not know this run: its message did not arrive, or its session was deleted. Send it again.";

/** Somebody has taken a message back before the API took it. */
class TakenBack extends Error {}

/** A message and the run that answers it. */
export class Turn {
  #abort = new AbortController();
  /** Whether the message is on its way: only a page that stays sends it again if it gets lost. */
  #opens = false;
  #leaves = false;
  #last = -1;
  /** @type {HTMLElement} */
  #footer;
  #notice;
  #remark = h("p", { class: "remark hint", hidden: true });
  #decisions;
  /** @type {{of: unknown, element: HTMLElement} | null} what was asked last, with what is written in it */
  #form = null;
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
      { class: "turn", tabindex: -1, "aria-label": "A message and its answer" },
      h("div", { class: "asked", dir: "auto" }, asked.message, names.length ? h("ul", { class: "files" }, ...names) : null),
      h("div", { class: "answer" }, h("h2", { class: "unseen" }, `${tree.root.name} answers`), this.#parts.element, this.#remark, this.#notice, this.#decisions, this.#footer),
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
    // Who decided by keyboard is not sent to the beginning of the page.
    if (this.#decisions.contains(document.activeElement)) this.element.focus({ preventScroll: true });
    this.#decisions.replaceChildren();
    if (root.state === "paused") this.#askForDecisions();
    if (root.state === "error") this.#fail(root.error);
  }

  #askForDecisions() {
    const { requirements, stepRequirements } = this.tree;
    if (!requirements.length && !stepRequirements.length) return;
    const of = requirements.length ? requirements : stepRequirements;
    if (this.#form?.of !== of) {
      this.#form = { of, element: decisionForm(requirements, stepRequirements, (decisions) => this.continue(decisions)) };
    }
    this.#decisions.append(this.#form.element);
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
    this.#opens = true;
    this.page.begun(false);
    return this.#follow(async () => {
      if (this.#sending.signal.aborted) throw new TakenBack();
      const events = await this.api.start(this.key, form, this.#abort.signal);
      this.#opened();
      // The API took it just when it was taken back.
      if (this.#sending.signal.aborted) void this.stop();
      return events;
    });
  }

  /**
   * @param {number} startedAt when its message was sent, in milliseconds since 1970
   * @param {boolean} taken whether the API is known to have it
   */
  resume(startedAt, taken) {
    this.#opens = !taken;
    return this.#follow(null, startedAt);
  }

  /** Looks whether the run still waits. */
  async look() {
    const { status } = await this.api.run(this.key);
    if (status !== "PAUSED" && this.state === "paused") void this.overtaken();
  }

  /**
   * Follows what came of a decision that was made elsewhere.
   * @param {string} [answer] what became of the one that was made here
   */
  overtaken(answer = "") {
    this.#remark.textContent = `${answer}It was decided elsewhere. This is how the run goes on.`;
    this.#remark.hidden = false;
    this.page.tell(this.#remark.textContent);
    this.tree.root.state = "running";
    this.page.begun(true);
    this.page.changed();
    return this.#follow(null);
  }

  /** @param {Record<string, unknown>} decisions */
  async continue(decisions) {
    this.#tell();
    this.#remark.hidden = true;
    const paused = this.state;
    this.tree.root.state = "running";
    this.page.changed();
    try {
      // Whether the decisions fit is known before the first event: if not, the run still waits.
      const events = await this.api.continue(this.key, decisions, this.#abort.signal);
      this.page.begun(true);
      void this.#follow(async () => events);
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return void this.overtaken("Your answer came too late and was not used. ");
      this.tree.root.state = paused;
      this.#tell(explain(error));
      this.page.tell(explain(error));
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
      for (let tried = false; this.runs; tried = true) {
        if (tried) await waited(STOP_AGAIN_MS, this.#abort.signal);
        if (await this.#cancel()) return;
      }
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#state.textContent = STATES[this.state];
      this.#tell(explain(error));
    } finally {
      this.#stopping = false;
    }
  }

  /** Gives whether the API was reached. */
  async #cancel() {
    try {
      await this.api.cancel(this.key);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.passes) return false;
      if (error.status !== 404 || this.state !== "waiting") throw error;
      // The API has no such run yet.
      this.#sending.abort(new TakenBack());
    }
    return true;
  }

  /** Follows the run no more. It goes on, and so does its message on its way to it. */
  detach() {
    this.#leaves = true;
    if (!this.#opens) this.#abort.abort();
  }

  /** The API has the message. */
  #opened() {
    this.#opens = false;
    this.page.begun(true);
    if (this.#leaves) this.#abort.abort();
  }

  /**
   * @param {(() => Promise<AsyncIterable<RunEvent>>) | null} open
   * @param {number} [startedAt] milliseconds since 1970
   */
  async #follow(open, startedAt = 0) {
    const signal = this.#abort.signal;
    const following = {
      run: this.key.run,
      after: this.#last,
      open,
      resume: async (/** @type {number} */ after) => {
        const events = await this.api.resume(this.key, after, signal);
        if (after < 0) this.tree.restart();
        if (this.#opens) this.#opened();
        return events;
      },
      young: () => Date.now() - startedAt < ON_ITS_WAY_MS,
      wait: (/** @type {number} */ ms) => waited(ms, AbortSignal.any([signal, this.#sending.signal])),
      onInterrupted: (/** @type {ApiError | null} */ error) => this.#tell(...(error ? [interrupted(error, this.#last >= 0 || open === null)] : [])),
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
      this.#opens = false;
      this.#tell();
      this.tree.root.state = error instanceof TakenBack ? "cancelled" : "error";
      this.tree.root.error = error instanceof TakenBack ? "" : open === null && isMissing(error) ? LOST : explain(error);
    }
    this.page.changed();
    this.page.ended(this);
  }

  /** What the events did not say, the run as it is stored does. */
  async #settle() {
    this.tree.settle(await this.api.run(this.key));
  }
}

/** @param {unknown} error */
function isMissing(error) {
  return error instanceof ApiError && error.status === 404;
}

/**
 * @param {ApiError} error after which the same is asked again
 * @param {boolean} began whether anything of the run was seen
 */
function interrupted(error, began) {
  if (error.status === 0 && !began) return "The API cannot be reached. Your message is kept, and sent as soon as it can be …";
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
