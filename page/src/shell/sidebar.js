/** @import {Api} from "../api/api.js" */
/** @import {ActiveRun, ActiveRuns} from "../tab/storage.js" */
/** @import {Component, Session} from "../api/types.js" */
import { addressOf } from "./address.js";
import { ask } from "./dialogs.js";
import { failure, h, icon } from "../view/dom.js";
import { explain } from "../api/explain.js";
import { stateOf } from "../run/stored_run.js";
import { STATES, stateMark } from "../view/run_view.js";
import { moment } from "../view/text.js";

/** Sessions that are listed at first; each “Show more” lists twice as many. */
const FIRST = 20;
/** The most that the API lists at once. Older ones are found by their names. */
const MOST = 1000;
const SEARCH_MS = 250;
const POLL_MS = 3000;
/** How long a run may take to be known to the API, after which one that is not found is lost. */
const ON_ITS_WAY_MS = 10_000;

/** Runs that go on, and earlier sessions. */
export class Sidebar {
  #wanted = FIRST;
  #name = "";
  #current = "";
  #asked = 0;
  #answered = 0;
  /** A list that was asked for earlier may come later and have them, and so may an index of the store. */
  #deleted = /** @type {Set<string>} */ (new Set());
  #list = h("ul", { class: "sessions" });
  #runs = h("ul", { class: "runs" });
  #runsTitle = h("h2", { hidden: true }, "Running");
  #empty = h("p", { class: "hint" }, "Loading …");
  #failed = h("div");
  #problem = h("p", { class: "failure", hidden: true });
  #more = h("button", { type: "button", class: "quiet more", hidden: true }, "Show more");
  #search = h("input", { type: "search", placeholder: "Search sessions", "aria-label": "Search sessions", dir: "auto" });

  /**
   * @param {Api} api
   * @param {ActiveRuns} active
   * @param {() => Component[]} components
   * @param {{removed(session: string): void, changed(): void, begun(run: ActiveRun): void, follows(run: string): boolean, ended(run: ActiveRun, status: string | undefined): void, tell(text: string): void}} page
   */
  constructor(api, active, components, page) {
    this.api = api;
    this.active = active;
    this.components = components;
    this.page = page;
    this.element = h("div", { class: "lists" }, this.#runsTitle, this.#runs, h("h2", {}, "Sessions"), this.#search, this.#problem, this.#list, this.#empty, this.#failed, this.#more);
    this.#more.addEventListener("click", () => void this.#showMore());
    let timer = 0;
    this.#search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => {
        this.#name = this.#search.value.trim();
        this.#wanted = FIRST;
        void this.reload();
      }, SEARCH_MS);
    });
    setInterval(() => void this.poll(), POLL_MS);
  }

  /** @param {string} session that was deleted */
  drop(session) {
    this.#deleted.add(session);
    const item = this.#listed(session);
    const next = item?.nextElementSibling ?? item?.previousElementSibling;
    const focused = item?.contains(document.activeElement);
    item?.remove();
    if (focused) /** @type {HTMLElement} */ (next?.querySelector("a, button") ?? this.#search).focus();
    this.#sayIfEmpty();
  }

  #sayIfEmpty() {
    const none = this.#name ? "No session has this name." : "There are none yet. Your chats will be listed here.";
    this.#empty.textContent = this.#list.childElementCount ? "" : none;
  }

  /** @param {string} session which one is open */
  show(session) {
    this.#current = session;
    for (const link of this.#list.querySelectorAll("a")) mark(link, link.dataset["session"] === session);
  }

  /** Lists more of them: all from the newest, since what was deleted or begun meanwhile has moved the others. */
  async #showMore() {
    const last = this.#list.lastElementChild;
    const session = last?.querySelector("[data-session]")?.getAttribute("data-session") ?? "";
    this.#wanted = Math.min(this.#wanted * 2, MOST);
    await this.reload();
    // The button may be gone, and what was asked for comes before it.
    if ([document.body, this.#more].some((each) => each === document.activeElement)) this.#after(session)?.focus();
  }

  /**
   * What has the focus after the item of a session.
   * @param {string} session its id
   * @returns {HTMLElement | null | undefined}
   */
  #after(session) {
    return this.#listed(session)?.nextElementSibling?.querySelector("a, button");
  }

  /** Lists the newest sessions, as many as are wanted. */
  async reload() {
    const asked = (this.#asked += 1);
    try {
      const found = await this.api.sessions({ limit: this.#wanted, name: this.#name });
      if (asked !== this.#asked) return;
      const focused = this.#focused();
      this.#list.replaceChildren(...found.data.flatMap((session) => this.#item(session) ?? []));
      this.#more.hidden = this.#wanted >= Math.min(found.meta.total_count, MOST);
      this.#failed.replaceChildren();
      this.#sayIfEmpty();
      focused();
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#empty.textContent = "";
      this.#failed.replaceChildren(failure(explain(error), () => this.#tryAgain()));
    } finally {
      if (asked === this.#asked) this.#answered = asked;
    }
  }

  #tryAgain() {
    this.#search.focus();
    void this.reload();
  }

  /** Gives what puts the focus back where it is in the list, once its items are others. */
  #focused() {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement?.closest(".sessions li"));
    const at = [...(focused?.querySelectorAll("a, button") ?? [])].indexOf(/** @type {Element} */ (document.activeElement));
    const session = /** @type {HTMLElement | null} */ (focused?.querySelector("[data-session]"))?.dataset["session"];
    return () => session !== undefined && /** @type {HTMLElement | undefined} */ (this.#listed(session)?.querySelectorAll("a, button")[at])?.focus({ preventScroll: true });
  }

  /** @param {Session} session */
  #item(session) {
    const component = this.components().find(
      ({ kind, id }) => id === { agents: session.agent_id, teams: session.team_id, workflows: session.workflow_id }[kind],
    );
    if (this.#deleted.has(session.session_id)) return null;
    const name = session.session_name || "Untitled";
    const title = h("span", { class: "title", dir: "auto" }, name);
    const time = session.updated_at ?? "";
    const about = h("small", { class: "about" }, h("span", { dir: "auto" }, component?.name ?? "Its component is not served"), h("time", { datetime: time }, moment(time, new Date())));
    const link = component
      ? h("a", { href: addressOf(component.kind, component.id, session.session_id), "data-session": session.session_id }, title, about)
      : h("span", { class: "closed", "data-session": session.session_id }, title, about);
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
      if (!(await ask({ title: "Delete the session?", text, yes: "Delete", destroys: true }))) return;
      await this.#try(() => this.api.remove(session.session_id), () => {
        this.drop(session.session_id);
        this.page.removed(session.session_id);
      });
    });
    return item;
  }

  /** @param {Session} session */
  #renamed(session) {
    const focused = this.#focused();
    const item = this.#item(session);
    if (item) this.#listed(session.session_id)?.replaceWith(item);
    focused();
    this.page.changed();
    if (this.#asked !== this.#answered) void this.reload();
  }

  /**
   * What the list shows of a session by now.
   * @param {string} session its id
   */
  #listed(session) {
    const shown = /** @type {NodeListOf<HTMLElement>} */ (this.#list.querySelectorAll("[data-session]"));
    return [...shown].find((each) => each.dataset["session"] === session)?.closest("li");
  }

  /**
   * @param {() => Promise<unknown>} change
   * @param {() => void} done
   */
  async #try(change, done) {
    let problem = "";
    try {
      await change();
      done();
    } catch (error) {
      problem = explain(error);
      this.page.tell(problem);
    }
    this.#problem.textContent = problem;
    this.#problem.hidden = !problem;
  }

  /** Shows the runs that go on or wait, of this tab and of others. */
  showRuns() {
    const runs = this.active.all();
    this.#runsTitle.hidden = !runs.length;
    this.#runsTitle.textContent = runs.every((run) => run.waits) ? "Waiting for you" : "Running";
    const shown = /** @type {HTMLElement[]} */ ([...this.#runs.children]);
    const same = (/** @type {ActiveRun} */ run) => shown.find(({ dataset }) => dataset["run"] === run.run && "waits" in dataset === Boolean(run.waits));
    this.#runs.replaceChildren(...runs.map((run) => same(run) ?? this.#runItem(run)));
  }

  /** @param {ActiveRun} run */
  #runItem(run) {
    const state = run.waits ? "paused" : run.background ? "waiting" : "running";
    const component = this.components().find(({ kind, id }) => kind === run.kind && id === run.component);
    const link = h(
      "a",
      { href: addressOf(run.kind, run.component, run.session) },
      h("span", { class: "title", dir: "auto" }, run.message),
      h("small", {}, `${component?.name ?? run.component}: `, h("span", { class: "state" }, STATES[state]), run.background && !run.waits ? ", in the background" : ""),
    );
    return h("li", { "data-run": run.run, "data-waits": Boolean(run.waits) }, stateMark(run.waits ? "paused" : "running").element, link);
  }

  /** @param {boolean} [all] those that wait for somebody, too */
  async poll(all = false) {
    if (document.hidden) return;
    await Promise.all(this.active.all().filter((run) => all || !run.waits).map((run) => this.#ask(run)));
  }

  /** @param {ActiveRun} run */
  async #ask(run) {
    let status;
    try {
      ({ status } = await this.api.run(run));
    } catch (error) {
      if (/** @type {{status?: number}} */ (error).status !== 404 || Date.now() - run.startedAt < ON_ITS_WAY_MS) return;
    }
    // It may have paused or gone on while this was asked.
    if (Boolean(this.active.get(run.run)?.waits) !== Boolean(run.waits)) return;
    const goesOn = status === "PENDING" || status === "RUNNING";
    const item = [...this.#runs.children].find((each) => /** @type {HTMLElement} */ (each).dataset["run"] === run.run);
    const state = item?.querySelector("small .state");
    if (state && goesOn) state.textContent = STATES[stateOf(status)];
    if (goesOn && run.waits) this.page.begun({ ...run, waits: false });
    // An open page of the run sees its end by itself.
    if (!goesOn && !this.page.follows(run.run)) this.page.ended(run, status);
  }
}

/**
 * @param {HTMLAnchorElement} link
 * @param {boolean} current
 */
function mark(link, current) {
  if (current) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}
