/** @import {Api} from "../api/api.js" */
/** @import {RunEvent, RunKey} from "../api/types.js" */
/** @import {State} from "../run/run_node.js" */
/** @import {RunTree} from "../run/run_tree.js" */
/** @import {Asked} from "../view/turn_view.js" */
import { ApiError } from "../api/api.js";
import { explain, explainWait } from "../api/explain.js";
import { follow } from "../api/follow.js";
import { TurnView } from "../view/turn_view.js";
import { waited } from "../api/wait.js";

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
  /** Why nothing comes at the moment. */
  #why = "";
  #stopping = false;
  /** Whether its events are read: while they are, they say how it goes on. */
  follows = false;
  #view;
  /** Aborted when the message is taken back: then it is not sent again. */
  #sending = new AbortController();
  /** @type {File[]} the files of the message, while the page has them */
  files = [];

  /**
   * @param {Api} api
   * @param {RunKey} key
   * @param {RunTree} tree
   * @param {Asked} asked
   * @param {Turned} page
   */
  constructor(api, key, tree, asked, page) {
    this.api = api;
    this.key = key;
    this.tree = tree;
    this.asked = asked;
    this.page = page;
    const surroundings = { session: key.session, blob: async (/** @type {string} */ path) => (await api.request(path)).blob() };
    this.#view = new TurnView(tree, asked, surroundings, {
      decide: (decisions) => this.continue(decisions),
      again: () => page.again(asked.message, this.files),
      lacksFiles: () => this.files.length < asked.files.length,
    });
  }

  /** @returns {State} */
  get state() {
    return this.tree.root.state;
  }

  get runs() {
    return this.state === "waiting" || this.state === "running";
  }

  get element() {
    return this.#view.element;
  }

  /**
   * Shows what is new, for a few milliseconds. Gives whether there is more to do.
   * @param {number} now seconds since 1970
   */
  render(now) {
    return this.#view.render(now, this.runs);
  }

  /**
   * @param {Record<string, string | boolean>} fields
   * @param {File[]} files
   */
  start(fields, files) {
    this.#opens = true;
    this.page.begun(false);
    return this.#follow(async () => {
      if (this.#sending.signal.aborted) throw new TakenBack();
      const events = await this.api.start(this.key, fields, files, this.#abort.signal);
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
    const open = this.tree.stepRequirements;
    const { status } = await this.api.run(this.key);
    // It may have gone on here, and paused again, while this was asked.
    if (status !== "PAUSED" && this.state === "paused" && !this.follows && open === this.tree.stepRequirements) void this.overtaken();
  }

  /**
   * Follows what came of a decision that was made elsewhere.
   * @param {string} [answer] what became of the one that was made here
   */
  overtaken(answer = "") {
    const remark = `${answer}It was decided elsewhere. This is how the run goes on.`;
    this.#view.remark(remark);
    this.page.tell(remark);
    this.tree.root.state = "running";
    this.page.begun(true);
    this.page.changed();
    return this.#follow(null);
  }

  /** @param {Record<string, unknown>} decisions */
  async continue(decisions) {
    this.#view.notify("");
    this.#view.remark("");
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
      this.#view.notify(explain(error), { failure: true });
      this.page.tell(explain(error));
    } finally {
      this.page.changed();
    }
  }

  /** Asks for the end of the run, which comes as an event. */
  async stop() {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#view.stopping(true);
    try {
      for (let tried = false; this.runs; tried = true) {
        if (tried) await waited(STOP_AGAIN_MS, this.#abort.signal);
        if (await this.#cancel()) return;
      }
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#view.stopping(false);
      this.#view.notify(explain(error));
      this.page.tell(explain(error));
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
    this.follows = true;
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
      onInterrupted: (/** @type {ApiError | null} */ error) => this.#interrupted(error ? explainWait(error, this.#last >= 0 || open === null) : ""),
    };
    try {
      for await (const event of follow(following)) {
        if (event.event_index !== undefined) this.#last = event.event_index;
        this.tree.apply(event);
        this.page.changed();
      }
      this.#view.notify("");
      if (this.runs || (this.state === "paused" && !this.tree.requirements.length && !this.tree.stepRequirements.length)) await this.#settle();
      else if (this.tree.hasUntold) await this.#tell();
    } catch (error) {
      if (signal.aborted) return;
      this.#opens = false;
      this.#view.notify("");
      this.tree.root.state = error instanceof TakenBack ? "cancelled" : "error";
      this.tree.root.error = error instanceof TakenBack ? "" : open === null && isMissing(error) ? LOST : explain(error);
    }
    this.follows = false;
    this.page.changed();
    this.page.ended(this);
  }

  /** @param {string} text why nothing comes; "": something does */
  #interrupted(text) {
    // Once, however often it is tried.
    if (text && text !== this.#why) this.page.tell(text);
    this.#why = text;
    this.#view.notify(text);
  }

  /** What became of tools that nobody called. Without it the answer is whole. */
  async #tell() {
    try {
      this.tree.tellOf(await this.api.run(this.key));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
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
