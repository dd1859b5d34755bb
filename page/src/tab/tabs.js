/** @import {ActiveRun} from "./storage.js" */

/**
 * @typedef {{type: "who"}} Who A tab asks which runs go on: the others tell them.
 * @typedef {{type: "begun", run: ActiveRun}} Begun A run has begun, or goes on after a decision.
 * @typedef {{type: "ended", run: string}} Ended A run has ended.
 * @typedef {{type: "changed"}} Changed Sessions have another name, or another run.
 * @typedef {{type: "removed", session: string}} Removed
 * @typedef {Who | Begun | Ended | Changed | Removed} Told
 */

/** What tabs of a browser tell each other that show one API with one key. Nothing of it is kept. */
export class Tabs {
  /** @type {BroadcastChannel | null} */
  #channel = null;
  #root;
  #hear;

  /**
   * @param {string} root
   * @param {(told: Told) => void} hear what another tab tells
   */
  constructor(root, hear) {
    this.#root = root;
    this.#hear = hear;
  }

  /** @param {string | null} key what the tab may see: a channel is heard by those alone that know its name */
  join(key) {
    this.#channel?.close();
    this.#channel = new BroadcastChannel(JSON.stringify(["agentos", this.#root, key]));
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.tell({ type: "who" });
  }

  /** @param {Told} told */
  tell(told) {
    this.#channel?.postMessage(told);
  }

  close() {
    this.#channel?.close();
  }
}
