/** @import {RunKey} from "../api/types.js" */

/** @typedef {RunKey & {message: string, files: string[], background: boolean, startedAt: number, taken?: boolean, waits?: boolean}} ActiveRun `startedAt`: milliseconds since 1970; `taken`: by the API; `waits`: for somebody to decide */

/** What a page keeps for its tab only, until that is closed. Each API of an origin has its own. */
export class Kept {
  /** @type {Map<string, string>} what the browser does not keep, or has no room for */
  #memory = new Map();
  #prefix;

  /** @param {string} root such as `/v1` */
  constructor(root) {
    this.#prefix = `agentos${root}.`;
  }

  /** @param {string} name */
  get(name) {
    return this.#memory.get(name) ?? tried(() => sessionStorage.getItem(this.#prefix + name)) ?? null;
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  set(name, value) {
    this.remove(name);
    tried(() => sessionStorage.setItem(this.#prefix + name, value), () => this.#memory.set(name, value));
  }

  /** @param {string} name */
  remove(name) {
    this.#memory.delete(name);
    tried(() => sessionStorage.removeItem(this.#prefix + name));
  }

  clear() {
    this.#memory.clear();
    tried(() => Object.keys(sessionStorage).filter((name) => name.startsWith(this.#prefix)).forEach((name) => sessionStorage.removeItem(name)));
  }
}

/** Runs that go on, or wait for somebody. */
export class ActiveRuns {
  #kept;

  /** @param {Kept} kept */
  constructor(kept) {
    this.#kept = kept;
  }

  /** @returns {ActiveRun[]} */
  all() {
    try {
      return JSON.parse(this.#kept.get("runs") ?? "[]");
    } catch {
      return [];
    }
  }

  /** @param {string} run its id */
  get(run) {
    return this.all().find((each) => each.run === run);
  }

  /** @param {ActiveRun} run in place of what was known of it */
  add(run) {
    this.#save([...this.all().filter((each) => each.run !== run.run), run]);
  }

  /** @param {string} run its id */
  remove(run) {
    this.#save(this.all().filter((each) => each.run !== run));
  }

  /** @param {ActiveRun[]} runs */
  #save(runs) {
    this.#kept.set("runs", JSON.stringify(runs));
  }
}

/** A new id for a run or a session. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * What a browser gives of its storage, which it may refuse, or which may be full.
 * @template T
 * @param {() => T} use
 * @param {() => void} [refused]
 */
function tried(use, refused) {
  try {
    return use();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    refused?.();
  }
}
