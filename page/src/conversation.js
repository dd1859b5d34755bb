/** @import {Api} from "./api.js" */
/** @import {Message} from "./composer.js" */
/** @import {Component, RunKey} from "./types.js" */
import { h } from "./dom.js";
import { explain } from "./explain.js";
import { RunTree, storedTree } from "./run_tree.js";
import { activeRuns } from "./storage.js";
import { Turn } from "./turn.js";

const NEAR_END = 60;

/** The turns of one session, and the loop that draws them. */
export class Conversation {
  /** @type {Turn[]} */
  #turns = [];
  /** @type {Set<Turn>} */
  #busy = new Set();
  #frame = 0;
  #atEnd = true;

  /**
   * @param {Api} api
   * @param {Component} component
   * @param {string} session
   * @param {HTMLElement} scroller what scrolls
   * @param {{changed(): void, begun(): void, ended(turn: Turn): void, again(message: string, files: File[]): void}} page
   */
  constructor(api, component, session, scroller, page) {
    this.api = api;
    this.component = component;
    this.session = session;
    this.page = page;
    this.scroller = scroller;
    this.element = h("div", { class: "turns" });
    this.#watch = () => (this.#atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END);
    scroller.addEventListener("scroll", this.#watch, { passive: true });
    this.#clock = window.setInterval(() => this.#turns.filter((turn) => turn.runs).forEach((turn) => this.#draw(turn)), 1000);
  }

  #watch;
  #clock;

  /** The turn whose run goes on. */
  get running() {
    return this.#turns.find((turn) => turn.runs);
  }

  get empty() {
    return this.#turns.length === 0;
  }

  /** Reads what was said, and takes up the runs that go on. */
  async load() {
    const active = activeRuns.all().filter((run) => run.session === this.session);
    const wait = h("p", { class: "hint" }, "Loading …");
    this.element.append(wait);
    /** @type {Turn[]} */
    let sent = [];
    try {
      const stored = await this.api.runs(this.component.kind, this.component.id, this.session).catch((error) => {
        if (error.status === 404 && active.length) return [];
        throw error;
      });
      // What was sent meanwhile comes after what was said before.
      sent = [...this.#turns];
      const shown = [...active, ...sent.map((turn) => turn.key)].map((each) => each.run);
      for (const run of stored) {
        if (!shown.includes(run.run_id)) this.#add(this.#key(run.run_id), storedTree(run, this.component.name), askedOf(run), sent[0]);
      }
    } catch (error) {
      this.element.append(h("p", { class: "failure" }, explain(error)));
    }
    wait.remove();
    for (const run of active) {
      const turn = this.#add(run, new RunTree(run.run, this.component.name), { message: run.message, files: run.files, background: run.background }, sent[0]);
      void turn.resume();
    }
    this.toEnd();
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
    turn.page.begun();
    const form = new FormData();
    form.set("message", text);
    form.set("stream", "true");
    form.set("run_id", run);
    form.set("session_id", this.session);
    if (background) form.set("background", "true");
    for (const file of files) form.append("files", file, file.name);
    void turn.start(form);
    this.toEnd();
  }

  /** Shows it no more. Its runs go on. */
  close() {
    cancelAnimationFrame(this.#frame);
    clearInterval(this.#clock);
    this.scroller.removeEventListener("scroll", this.#watch);
    this.#turns.forEach((turn) => turn.detach());
  }

  toEnd() {
    this.#atEnd = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
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
        this.#draw(turn);
        this.page.changed();
      },
      begun: () => {
        activeRuns.add({ ...key, ...asked, startedAt: Date.now() });
        this.page.begun();
      },
      ended: () => {
        activeRuns.remove(key.run);
        this.page.ended(turn);
      },
      again: (message, attached) => this.page.again(message, attached),
    });
    this.#turns.push(turn);
    this.element.insertBefore(turn.element, next?.element ?? null);
    this.#draw(turn);
    return turn;
  }

  /** @param {Turn} turn */
  #draw(turn) {
    this.#busy.add(turn);
    this.#frame ||= requestAnimationFrame(() => this.#drawAll());
  }

  #drawAll() {
    this.#frame = 0;
    const busy = [...this.#busy];
    this.#busy.clear();
    for (const turn of busy) if (turn.render(Date.now() / 1000)) this.#busy.add(turn);
    if (this.#atEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
    if (this.#busy.size) this.#frame = requestAnimationFrame(() => this.#drawAll());
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
