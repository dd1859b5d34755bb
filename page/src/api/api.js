/** @import {Kind, RunEvent, RunKey, Session, StoredRun} from "./types.js" */
import { events } from "./sse.js";

/** An answer that is none: `status` is 0 if the API could not be reached. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} detail
   * @param {string} code
   * @param {number} [retryAfter] seconds
   */
  constructor(status, detail, code, retryAfter) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may work later. */
  get passes() {
    return [0, 429, 502, 503, 504].includes(this.status);
  }
}

/** Runs of a session that are read one by one. */
const READ_WHOLE = 20;

/** The API under a prefix, asked with the key of this tab. */
export class Api {
  /**
   * @param {string} root such as `/v1`
   * @param {{get(): string | null}} key
   * @param {(refusal: string) => Promise<void>} askForKey resolves when there is another key
   */
  constructor(root, key, askForKey) {
    this.#root = root;
    this.#key = key;
    this.#askForKey = askForKey;
  }

  #root;
  #key;
  #askForKey;

  /**
   * @param {string} path
   * @param {RequestInit} [options]
   * @returns {Promise<Response>} of a status below 300
   * @throws {ApiError}
   */
  async request(path, options = {}) {
    for (;;) {
      const key = this.#key.get();
      const answer = await this.#fetch(path, options, key);
      if (answer.ok) return answer;
      const error = await errorOf(answer);
      if (answer.status !== 401) throw error;
      // Another request may have asked for a key meanwhile.
      if (this.#key.get() === key) await this.#askForKey(key === null ? "" : error.message);
    }
  }

  /**
   * @param {string} path
   * @param {RequestInit} options
   * @param {string | null} key
   */
  async #fetch(path, options, key) {
    const headers = new Headers(options.headers);
    if (key !== null) headers.set("Authorization", `Bearer ${key}`);
    try {
      return await fetch(this.#root + path, { ...options, headers, redirect: "error", credentials: "omit" });
    } catch (failure) {
      if (options.signal?.aborted) throw failure;
      throw new ApiError(0, "The API cannot be reached", "UNREACHABLE");
    }
  }

  /** @param {string} path */
  async get(path) {
    return (await this.request(path)).json();
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} body
   */
  send(method, path, body) {
    return this.request(path, { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  }

  /** @returns {Promise<Record<string, any>>} */
  config() {
    return this.get("/config");
  }

  /** @returns {Promise<Record<string, any>>} */
  info() {
    return this.get("/info");
  }

  /**
   * The newest sessions.
   * @param {{limit: number, name: string}} asked `name`: a part of it
   * @returns {Promise<{data: Session[], meta: {total_count: number}}>}
   */
  sessions({ limit, name }) {
    const query = new URLSearchParams({ limit: String(limit) });
    if (name) query.set("session_name", name);
    return this.get(`/sessions?${query}`);
  }

  /**
   * @param {string} id
   * @param {string} name
   */
  rename(id, name) {
    return this.send("POST", `/sessions/${encodeURIComponent(id)}/rename`, { session_name: name });
  }

  /** @param {string} id */
  remove(id) {
    return this.request(`/sessions/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  /**
   * All runs of a session that have ended or paused, oldest first. The list leaves out what a team's members did and what
   * a run waits for, so the newest are read one by one where that counts.
   * @param {Kind} kind
   * @param {string} component
   * @param {string} session
   * @param {Set<string>} known ids of runs that need not be whole
   * @returns {Promise<StoredRun[]>}
   */
  async runs(kind, component, session, known) {
    /** @type {StoredRun[]} */
    const all = [];
    for (let page = 1, found = 100; found === 100; page++) {
      const query = new URLSearchParams({ session_id: session, page: String(page), limit: "100" });
      const runs = await this.get(`/${kind}/${encodeURIComponent(component)}/runs?${query}`);
      all.push(...runs.filter((/** @type {StoredRun} */ run) => !run.parent_run_id));
      found = runs.length;
    }
    const firstWhole = all.length - READ_WHOLE;
    return Promise.all(
      all.map((run, index) => {
        const partial = (run.truncated || run.status === "PAUSED" || kind === "teams") && !known.has(run.run_id);
        return partial && index >= firstWhole ? this.run({ kind, component, session, run: run.run_id }) : run;
      }),
    );
  }

  /**
   * @param {RunKey} key
   * @returns {Promise<StoredRun>}
   */
  run(key) {
    return this.get(pathOf(key));
  }

  /**
   * @param {RunKey} key
   * @param {Record<string, string | boolean>} fields
   * @param {File[]} files
   * @param {AbortSignal} signal
   * @returns {Promise<AsyncGenerator<RunEvent>>}
   */
  async start({ kind, component }, fields, files, signal) {
    return stream(await this.request(`/${kind}/${encodeURIComponent(component)}/runs`, { method: "POST", ...bodyOf(fields, files), signal }));
  }

  /**
   * @param {RunKey} key
   * @param {number} after index of the last event that is known
   * @param {AbortSignal} signal
   */
  async resume(key, after, signal) {
    const form = new FormData();
    if (after >= 0) form.set("last_event_index", String(after));
    return stream(await this.request(`${pathOf(key)}/resume`, { method: "POST", body: form, signal }));
  }

  /**
   * @param {RunKey} key
   * @param {Record<string, unknown>} decisions
   * @param {AbortSignal} signal
   */
  async continue(key, decisions, signal) {
    const form = new FormData();
    form.set("stream", "true");
    for (const [name, value] of Object.entries(decisions)) form.set(name, JSON.stringify(value));
    return stream(await this.request(`${pathOf(key)}/continue`, { method: "POST", body: form, signal }));
  }

  /** @param {RunKey} key */
  async cancel(key) {
    return (await this.request(`${pathOf(key)}/cancel`, { method: "POST" })).json();
  }
}

/**
 * JSON, unless there are files: browsers write the ends of lines in a form as CRLF.
 * @param {Record<string, string | boolean>} fields
 * @param {File[]} files
 * @returns {RequestInit}
 */
function bodyOf(fields, files) {
  if (!files.length) return { body: JSON.stringify(fields), headers: { "Content-Type": "application/json" } };
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
  for (const file of files) form.append("files", file, file.name);
  return { body: form };
}

/** @param {RunKey} key */
function pathOf({ kind, component, run }) {
  return `/${kind}/${encodeURIComponent(component)}/runs/${encodeURIComponent(run)}`;
}

/**
 * @param {Response} answer
 * @returns {AsyncGenerator<RunEvent>}
 */
async function* stream(answer) {
  const type = answer.headers.get("content-type") ?? "";
  if (answer.body && type.startsWith("text/event-stream")) yield* events(answer.body);
}

/** @param {Response} answer */
async function errorOf(answer) {
  const body = await answer.json().catch(() => ({}));
  const detail = typeof body.detail === "string" ? body.detail : `The API answered ${answer.status}`;
  const retryAfter = Number(answer.headers.get("retry-after")) || undefined;
  return new ApiError(answer.status, detail, body.error_code ?? "", retryAfter);
}
