/** @import {Conversation} from "../chat/conversation.js" */
/** @import {Sidebar} from "./sidebar.js" */
/** @import {ActiveRun, ActiveRuns} from "../tab/storage.js" */
/** @import {Told} from "../tab/tabs.js" */
import { Tabs } from "../tab/tabs.js";

/** The list is answered from an index that is a moment behind. */
const INDEX_MS = 700;
/** Who was away for so long may have talked elsewhere. */
const AWAY_MS = 60_000;

/** Keeps what this tab shows of runs and sessions in step with other tabs, and with the API after a while out of sight. */
export class Sync {
  #active;
  #page;
  #tabs;
  /** Whether something has changed elsewhere while nobody looked at this tab. */
  #behind = false;
  #hiddenAt = 0;
  #catching = 0;

  /**
   * @param {string} root such as `/v1`
   * @param {ActiveRuns} active
   * @param {{sidebar(): Sidebar, conversation(): Conversation | null}} page
   */
  constructor(root, active, page) {
    this.#active = active;
    this.#page = page;
    this.#tabs = new Tabs(root, (told) => this.#hear(told));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#hiddenAt = Date.now();
      else if (this.#behind || Date.now() - this.#hiddenAt > AWAY_MS) this.#catchUp();
    });
    addEventListener("online", () => this.#catchUp());
  }

  /** @param {string | null} key what the tab may see */
  join(key) {
    this.#tabs.join(key);
  }

  /** @param {string} session that was deleted here */
  removed(session) {
    this.#tabs.tell({ type: "removed", session });
  }

  /** Sessions have another name. */
  changed() {
    this.#tabs.tell({ type: "changed" });
  }

  /** @param {ActiveRun} run that begins or goes on here */
  begun(run) {
    const known = this.#active.get(run.run);
    this.#active.add(run);
    this.#page.sidebar().showRuns();
    if (run.taken && (!known?.taken || known.waits)) this.#tabs.tell({ type: "begun", run });
  }

  /**
   * A run has ended or waits: seen here, or asked for.
   * @param {ActiveRun} run
   * @param {string | undefined} status none: it is not there
   */
  settled(run, status) {
    if (status === "PAUSED") {
      if (run.waits) return;
      this.#active.add({ ...run, waits: true });
      this.#tabs.tell({ type: "begun", run: { ...run, waits: true } });
    } else {
      this.#active.remove(run.run);
      this.#tabs.tell({ type: "ended", run: run.run });
    }
    this.#page.sidebar().showRuns();
    this.#soon();
  }

  /** @param {Told} told by another tab */
  #hear(told) {
    const conversation = this.#page.conversation();
    switch (told.type) {
      case "who":
        return this.#active.all().forEach((run) => run.taken && this.#tabs.tell({ type: "begun", run }));
      case "begun":
        return this.#heardOf(told.run);
      case "ended":
        this.#active.remove(told.run);
        break;
      case "removed":
        this.#page.sidebar().drop(told.session);
        if (told.session === conversation?.session) conversation.leave();
    }
    this.#page.sidebar().showRuns();
    this.#soon();
  }

  /** @param {ActiveRun} run that goes on or waits, as another tab says, which may be behind */
  #heardOf(run) {
    const conversation = this.#page.conversation();
    const turn = conversation?.turnOf(run.run);
    const known = this.#active.get(run.run);
    if (turn && turn.state !== "paused" && !turn.runs) return;
    if (known && (run.waits || !known.waits)) return;
    this.#active.add(run);
    this.#page.sidebar().showRuns();
    if (document.hidden) this.#behind = true;
    else if (run.session === conversation?.session) conversation.takeUp();
  }

  /** Catches up with what has changed, once for all that changes in a moment. */
  #soon() {
    clearTimeout(this.#catching);
    this.#catching = window.setTimeout(() => this.#catchUp(), INDEX_MS);
  }

  #catchUp() {
    this.#behind = document.hidden;
    if (this.#behind) return;
    const sidebar = this.#page.sidebar();
    sidebar.showRuns();
    void sidebar.poll(true);
    void sidebar.reload();
    void this.#page.conversation()?.refresh();
  }
}
