/** @import {RunKey} from "./types.js" */

const KEY = "agentos.key";
const RUNS = "agentos.runs";

/**
 * What a page keeps, for its tab only and until that is closed.
 * @typedef {RunKey & {message: string, files: string[], background: boolean, startedAt: number}} ActiveRun `startedAt`: milliseconds since 1970
 */

export const key = {
  get: () => sessionStorage.getItem(KEY),
  /** @param {string} value */
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

export const activeRuns = {
  /** @returns {ActiveRun[]} */
  all() {
    try {
      return JSON.parse(sessionStorage.getItem(RUNS) ?? "[]");
    } catch {
      return [];
    }
  },

  /** @param {ActiveRun} run */
  add(run) {
    save([...this.all().filter((each) => each.run !== run.run), run]);
  },

  /** @param {string} run its id */
  remove(run) {
    save(this.all().filter((each) => each.run !== run));
  },
};

/** @param {ActiveRun[]} runs */
function save(runs) {
  sessionStorage.setItem(RUNS, JSON.stringify(runs));
}

/** A new id for a run or a session. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
