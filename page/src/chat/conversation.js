/** @import {Api} from "../api/api.js" */
/** @import {ActiveRun, ActiveRuns} from "../tab/storage.js" */
/** @import {Component, RunKey} from "../api/types.js" */
import { failure, h, icon, loading } from "../view/dom.js";
import { End } from "../view/end.js";
import { ApiError } from "../api/api.js";
import { explain } from "../api/explain.js";
import { Frames } from "../view/frames.js";
import { RunTree, storedTree } from "../run/run_tree.js";
import { Turn } from "./turn.js";

/**
 * @typedef {object} Message
 * @property {string} text
 * @property {File[]} files
 * @property {boolean} background
 */

/** The turns of one session, and the loop that draws them. */
export class Conversation {
  /** @type {Turn[]} */
  #turns = [];
  /** @type {Frames<Turn>} */
  #frames = new Frames({
    draw: (turn) => turn.render(Date.now() / 1000),
    first: (turn) => turn.runs,
    drawn: () => this.#end.grown(),
  });
  #list = h("div", { class: "turns" });
  #toEnd = h("button", { type: "button", class: "round to-end", "aria-label": "To the newest", hidden: true }, icon("down"));
  #end;
  /** A long message leaves the answers less room. */
  #sizes = new ResizeObserver(() => this.#end.grown());
  #closed = false;
  /** Whether its session was there before its first message was sent here. */
  #opened = false;
  /** Whether its session was deleted. */
  gone = false;

  /**
   * @param {Api} api
   * @param {Component} component
   * @param {string} session
   * @param {HTMLElement} scroller what scrolls
   * @param {ActiveRuns} runs that go on or wait
   * @param {{changed(): void, begun(run: ActiveRun): void, ended(turn: Turn): void, tell(text: string): void, write(): void, again(message: string, files: File[]): void}} page
   */
  constructor(api, component, session, scroller, runs, page) {
    this.api = api;
    this.runs = runs;
    this.component = component;
    this.session = session;
    this.page = page;
    this.scroller = scroller;
    this.element = h("div", {}, this.#list, this.#toEnd);
    this.#end = new End(scroller, (held) => (this.#toEnd.hidden = held));
    this.#toEnd.addEventListener("click", () => {
      this.#end.show();
      this.page.write();
    });
    this.#watch = () => this.#end.scrolled();
    scroller.addEventListener("scroll", this.#watch, { passive: true });
    this.#sizes.observe(scroller);
    this.#clock = window.setInterval(() => this.#turns.filter((turn) => turn.runs).forEach((turn) => this.#frames.add(turn)), 1000);
  }

  #watch;
  #clock;

  /** The turn whose run goes on. */
  get running() {
    return this.#turns.find((turn) => turn.runs);
  }

  /** Whether its session begins with the only message that was sent here. */
  get begins() {
    return !this.#opened && this.#turns.length === 1;
  }

  /** Reads what was said, and takes up the runs that go on. */
  async load() {
    this.#opened = true;
    const wait = loading();
    this.#list.prepend(wait);
    try {
      await this.#read();
    } catch (error) {
      const missing = error instanceof ApiError && error.status === 404;
      if (!missing || !this.#active().length) this.#list.append(missing ? h("p", { class: "failure" }, explain(error)) : this.#failure(error));
      this.gone = missing && !this.#active().length;
    }
    wait.remove();
    this.takeUp();
    this.#end.show();
  }

  /** @param {unknown} error */
  #failure(error) {
    return failure(explain(error), () => {
      this.page.write();
      void this.load();
    });
  }

  /** Shows what was said elsewhere since it was read: in another tab, or in another browser. */
  async refresh() {
    this.takeUp();
    try {
      await this.#read();
    } catch (error) {
      const missing = error instanceof ApiError && error.status === 404;
      if (missing && this.#turns.some((turn) => turn.state === "completed" || turn.state === "paused")) this.leave();
    }
  }

  /** Takes up the runs that other tabs have begun, or that have gone on. */
  takeUp() {
    for (const run of this.#active()) {
      const turn = this.turnOf(run.run);
      if (turn?.state === "paused" && !turn.follows && !run.waits) void turn.overtaken();
      if (turn) continue;
      const { message, files, background, startedAt, taken = false } = run;
      const next = this.#turns.find(({ key }) => (this.runs.get(key.run)?.startedAt ?? 0) > startedAt);
      void this.#add(this.#key(run.run), new RunTree(run.run, this.component.name), { message, files, background }, next).resume(startedAt, taken);
    }
    this.page.changed();
  }

  /** Its session was deleted: what is written now begins another one. */
  leave() {
    if (this.gone) return;
    this.gone = true;
    const text = "This session was deleted elsewhere. You can still read it here; your next message begins a new one.";
    this.#list.append(h("p", { class: "remark hint" }, text));
    this.page.tell(text);
  }

  #active() {
    return this.runs.all().filter((run) => run.session === this.session && run.component === this.component.id);
  }

  /** @param {string} run its id */
  turnOf(run) {
    return this.#turns.find((turn) => turn.key.run === run);
  }

  /** Shows the stored runs that are not shown yet, each at its place. Those that are not stored yet come last. */
  async #read() {
    const known = new Set(this.#turns.map((turn) => turn.key.run));
    const waiting = this.#turns.filter((turn) => turn.state === "paused");
    const { kind, id, name } = this.component;
    const stored = await this.api.runs(kind, id, this.session, known);
    if (this.#closed) return;
    const states = new Map(stored.map((run) => [run.run_id, run.status]));
    const active = new Set(this.#active().map((run) => run.run));
    let next = this.#turns.find((turn) => !states.has(turn.key.run));
    for (const run of stored.toReversed()) {
      const turn = this.turnOf(run.run_id);
      if (turn) next = turn;
      else if (!active.has(run.run_id)) next = this.#add(this.#key(run.run_id), storedTree(run, name), askedOf(run), next);
    }
    await Promise.all(waiting.filter(({ key }) => states.get(key.run) !== "PAUSED").map((turn) => turn.look()));
  }

  /**
   * @param {string} run
   * @param {Message} message
   */
  send(run, { text, files, background }) {
    const asked = { message: text, files: files.map((file) => file.name), background };
    const key = this.#key(run);
    const turn = this.#add(key, new RunTree(run, this.component.name), asked);
    turn.files = files;
    void turn.start({ message: text, stream: true, run_id: run, session_id: this.session, background }, files);
    this.#end.show();
  }

  /** Shows it no more. Its runs go on. */
  close() {
    this.#closed = true;
    this.#frames.close();
    clearInterval(this.#clock);
    this.scroller.removeEventListener("scroll", this.#watch);
    this.#sizes.disconnect();
    this.#turns.forEach((turn) => turn.detach());
  }

  /**
   * @param {string} run
   * @returns {RunKey}
   */
  #key(run) {
    return { kind: this.component.kind, component: this.component.id, session: this.session, run };
  }

  /**
   * @param {RunKey} key
   * @param {RunTree} tree
   * @param {{message: string, files: string[], background: boolean}} asked
   * @param {Turn} [next] before which it comes
   */
  #add(key, tree, asked, next) {
    /** @type {Turn} */
    const turn = new Turn(this.api, key, tree, asked, {
      changed: () => {
        if (this.#closed) return; // another one scrolls by now
        this.#frames.add(turn);
        this.page.changed();
      },
      begun: (taken) => this.page.begun({ ...this.#key(key.run), ...asked, startedAt: this.runs.get(key.run)?.startedAt ?? Date.now(), taken }),
      ended: (turn) => this.page.ended(turn),
      tell: (text) => this.page.tell(text),
      again: (message, attached) => this.page.again(message, attached),
    });
    this.#turns.splice(next ? this.#turns.indexOf(next) : this.#turns.length, 0, turn);
    this.#list.insertBefore(turn.element, next?.element ?? null);
    this.#frames.add(turn);
    return turn;
  }
}

/**
 * What was asked, of a run as it is read alone or in a list.
 * @param {Record<string, any>} run
 */
function askedOf(run) {
  const media = run["input_media"] ?? run["input"] ?? {};
  const all = ["images", "audios", "videos", "files"].flatMap((kind) => media[kind] ?? []);
  const files = all.map((medium) => medium.filename ?? medium.metadata?.filename ?? medium.id ?? "file");
  const message = run["run_input"] ?? run["input"]?.input_content ?? run["input"] ?? "";
  return { message: typeof message === "string" ? message : JSON.stringify(message), files, background: false };
}
