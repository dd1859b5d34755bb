/** @import {Api} from "./api.js" */
/** @import {ActiveRun} from "./storage.js" */
/** @import {Component, Session} from "./types.js" */
import { ask } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { explain } from "./explain.js";
import { stateOf } from "./run_tree.js";
import { STATES, stateMark } from "./run_view.js";
import { activeRuns } from "./storage.js";

const PAGE = 20;
const SEARCH_MS = 250;
const POLL_MS = 3000;

/** The address within the page of a component, and of one of its sessions. */
export const addressOf = (/** @type {string} */ kind, /** @type {string} */ id, /** @type {string} */ session = "") =>
  `#/${[kind, id, session].filter(Boolean).map(encodeURIComponent).join("/")}`;

/** Runs that go on, and earlier sessions. */
export class Sidebar {
  #page = 1;
  #name = "";
  #current = "";
  #asked = 0;
  #answered = 0;
  /** A list that was asked for earlier may come later and have them, and so may an index of the store. */
  #deleted = /** @type {Set<string>} */ (new Set());
  #list = h("ul", { class: "sessions" });
  #runs = h("ul", { class: "runs" });
  #runsTitle = h("h2", { hidden: true }, "Running");
  #empty = h("p", { class: "hint" });
  #more = h("button", { type: "button", class: "quiet more", hidden: true }, "Show more");
  #search = h("input", { type: "search", placeholder: "Search sessions", "aria-label": "Search sessions", dir: "auto" });

  /**
   * @param {Api} api
   * @param {() => Component[]} components
   * @param {{removed(session: string): void, tell(text: string): void}} page
   */
  constructor(api, components, page) {
    this.api = api;
    this.components = components;
    this.page = page;
    this.element = h("div", { class: "lists" }, this.#runsTitle, this.#runs, h("h2", {}, "Sessions"), this.#search, this.#list, this.#empty, this.#more);
    this.#more.addEventListener("click", () => void this.#load(this.#page + 1));
    let timer = 0;
    this.#search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => {
        this.#name = this.#search.value.trim();
        void this.#load(1);
      }, SEARCH_MS);
    });
    setInterval(() => void this.#poll(), POLL_MS);
  }

  reload() {
    return this.#load(1);
  }

  /** @param {string} session which one is open */
  show(session) {
    this.#current = session;
    for (const link of this.#list.querySelectorAll("a")) mark(link, link.dataset["session"] === session);
  }

  /** @param {number} page */
  async #load(page) {
    const asked = (this.#asked += 1);
    try {
      const found = await this.api.sessions({ page, limit: PAGE, name: this.#name });
      if (asked !== this.#asked) return;
      this.#page = page;
      const items = found.data.flatMap((session) => this.#item(session) ?? []);
      if (page === 1) this.#list.replaceChildren(...items);
      else this.#list.append(...items);
      this.#more.hidden = page >= found.meta.total_pages;
      this.#empty.textContent = this.#list.childElementCount ? "" : this.#name ? "No session has this name." : "There are none yet.";
    } catch (error) {
      if (asked === this.#asked) this.#empty.textContent = explain(error);
    } finally {
      if (asked === this.#asked) this.#answered = asked;
    }
  }

  /** @param {Session} session */
  #item(session) {
    const component = this.components().find(
      ({ kind, id }) => id === { agents: session.agent_id, teams: session.team_id, workflows: session.workflow_id }[kind],
    );
    if (this.#deleted.has(session.session_id)) return null;
    const name = session.session_name || "Untitled";
    const title = h("span", { class: "title", dir: "auto" }, name);
    const link = component
      ? h("a", { href: addressOf(component.kind, component.id, session.session_id), "data-session": session.session_id }, title, h("small", {}, component.name))
      : h("span", { class: "closed", "data-session": session.session_id }, title, h("small", {}, "Its component is not served"));
    if (link instanceof HTMLAnchorElement) mark(link, session.session_id === this.#current);
    const rename = h("button", { type: "button", class: "quiet", "aria-label": `Rename ${name}` }, icon("pen"));
    const remove = h("button", { type: "button", class: "quiet", "aria-label": `Delete ${name}` }, icon("bin"));
    const item = h("li", {}, link, h("span", { class: "tools" }, rename, remove));
    rename.addEventListener("click", async () => {
      const next = await ask({ title: "Rename the session", label: "Name", value: title.textContent ?? "", yes: "Rename" });
      if (next) await this.#try(() => this.api.rename(session.session_id, next), () => this.#renamed({ ...session, session_name: next }));
    });
    remove.addEventListener("click", async () => {
      const text = `“${title.textContent}” and its runs will be gone. Runs that go on are stopped.`;
      if (!(await ask({ title: "Delete the session?", text, yes: "Delete" }))) return;
      await this.#try(() => this.api.remove(session.session_id), () => {
        this.#deleted.add(session.session_id);
        this.#listed(session)?.remove();
        this.#empty.textContent = this.#list.childElementCount ? "" : "There are none yet.";
        this.page.removed(session.session_id);
      });
    });
    return item;
  }

  /** @param {Session} session */
  #renamed(session) {
    const item = this.#item(session);
    if (item) this.#listed(session)?.replaceWith(item);
    if (this.#asked !== this.#answered) void this.reload();
  }

  /**
   * What the list shows of a session by now.
   * @param {Session} session
   */
  #listed({ session_id }) {
    const shown = /** @type {NodeListOf<HTMLElement>} */ (this.#list.querySelectorAll("[data-session]"));
    return [...shown].find((each) => each.dataset["session"] === session_id)?.closest("li");
  }

  /**
   * @param {() => Promise<unknown>} change
   * @param {() => void} done
   */
  async #try(change, done) {
    try {
      await change();
      done();
    } catch (error) {
      this.page.tell(explain(error));
    }
  }

  /** Shows the runs that this tab has started and that have not ended. */
  showRuns() {
    const runs = activeRuns.all();
    this.#runsTitle.hidden = !runs.length;
    const known = new Map([...this.#runs.children].map((item) => [/** @type {HTMLElement} */ (item).dataset["run"], item]));
    this.#runs.replaceChildren(...runs.map((run) => known.get(run.run) ?? runItem(run)));
  }

  async #poll() {
    if (document.hidden) return;
    await Promise.all(activeRuns.all().map((run) => this.#ask(run)));
  }

  /** @param {ActiveRun} run */
  async #ask(run) {
    try {
      const { status } = await this.api.run(run);
      const item = [...this.#runs.children].find((each) => /** @type {HTMLElement} */ (each).dataset["run"] === run.run);
      const state = item?.querySelector(".state");
      if (state) state.textContent = STATES[stateOf(status)];
      if (status === "PENDING" || status === "RUNNING") return;
    } catch (error) {
      if (/** @type {{status?: number}} */ (error).status !== 404 || Date.now() - run.startedAt < 10_000) return;
    }
    // An open page of the run sees its end by itself.
    if (run.session === this.#current) return;
    activeRuns.remove(run.run);
    this.showRuns();
    void this.reload();
  }
}

/** @param {ActiveRun} run */
function runItem(run) {
  const state = run.background ? "Waiting" : "Running";
  const link = h(
    "a",
    { href: addressOf(run.kind, run.component, run.session) },
    h("span", { class: "title", dir: "auto" }, run.message),
    h("small", {}, h("span", { class: "state" }, state), run.background ? ", in the background" : ""),
  );
  return h("li", { "data-run": run.run }, stateMark("running").element, link);
}

/**
 * @param {HTMLAnchorElement} link
 * @param {boolean} current
 */
function mark(link, current) {
  if (current) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}
