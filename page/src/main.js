/** @import {Component} from "./api/types.js" */
/** @import {Message} from "./chat/conversation.js" */
/** @import {ActiveRun} from "./tab/storage.js" */
/** @import {Turn} from "./chat/turn.js" */
import { addressOf, namedBy } from "./shell/address.js";
import { Api } from "./api/api.js";
import { Composer, takeDrops } from "./shell/composer.js";
import { Conversation } from "./chat/conversation.js";
import { failure, loading } from "./view/dom.js";
import { spoken } from "./view/markdown.js";
import { explain } from "./api/explain.js";
import { beginning, home, KINDS } from "./shell/home.js";
import { Layout } from "./shell/layout.js";
import { Sidebar } from "./shell/sidebar.js";
import { askForKey } from "./shell/sign_in.js";
import { ActiveRuns, Kept, newId } from "./tab/storage.js";
import { Sync } from "./shell/sync.js";

const told = document.documentElement.dataset;
const root = told["root"] ?? "";

/** @type {Component[]} */
let components = [];
/** @type {Conversation | null} */
let conversation = null;
/** @type {Component | null} */
let component = null;

/** @type {Promise<void> | null} */
let asking = null;
const kept = new Kept(root);
const active = new ActiveRuns(kept);
const api = new Api(root, { get: () => kept.get("key") }, (refusal) => (asking ??= takeKey(refusal).finally(() => (asking = null))));
const sync = new Sync(root, active, { sidebar: () => sidebar, conversation: () => conversation });

const composer = new Composer(
  {
    extensions: (told["accept"] ?? "").split(","),
    maxBytes: Number(told["maxBytes"]),
    maxFiles: Number(told["maxFiles"]),
  },
  kept,
  { send, stop: () => void conversation?.running?.stop() },
);
const sidebar = new Sidebar(api, active, () => components, {
  removed(session) {
    sync.removed(session);
    if (session === conversation?.session && component) go(addressOf(component.kind, component.id));
  },
  changed: () => sync.changed(),
  begun: (run) => sync.begun(run),
  follows: (run) => Boolean(conversation?.turnOf(run)?.runs),
  ended: endedElsewhere,
  tell: (text) => layout.tell(text),
});
const layout = new Layout({ root, title: told["title"] ?? "AgentOS" }, sidebar.element, composer, () => {
  kept.clear();
  location.reload();
});

composer.element.hidden = true;
takeDrops(layout.main, (files) => composer.add(files));
document.addEventListener("visibilitychange", () => document.hidden || layout.title());
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (!layout.closeAside()) void conversation?.running?.stop();
});
addEventListener("hashchange", route);
void begin();

async function begin() {
  layout.show(loading());
  try {
    const config = await api.config();
    components = KINDS.flatMap((kind) =>
      (config[kind] ?? []).map((/** @type {any} */ each) => ({
        kind,
        id: each.id,
        name: each.name ?? each.id,
        description: each.description ?? "",
        prompts: config["chat"]?.quick_prompts?.[each.id] ?? [],
      })),
    );
    layout.hasKey(kept.get("key") !== null);
    sync.join(kept.get("key"));
    sidebar.showRuns();
    void sidebar.reload();
    route();
  } catch (error) {
    layout.show(failure(explain(error), () => void begin()));
  }
}

/** @param {string} refusal */
async function takeKey(refusal) {
  const key = await askForKey(api, refusal);
  kept.set("key", key);
  sync.join(key);
  layout.hasKey(true);
}

/** Shows what the address names. */
function route() {
  const { kind, id, session } = namedBy(location.hash);
  if (session && session === conversation?.session) return;
  conversation?.close();
  conversation = null;
  const chosen = components.find((each) => each.kind === kind && each.id === id) ?? null;
  component = chosen;
  layout.head(chosen);
  composer.element.hidden = !chosen;
  composer.open(location.hash);
  composer.takeFiles(chosen?.kind !== "workflows");
  composer.running(false);
  sidebar.show(session);
  if (!chosen) return layout.show(home(components, KINDS.some((each) => each === kind) ? id : ""));
  if (session) {
    const opened = open(chosen, session);
    void opened.load().then(() => opened === conversation && composer.running(Boolean(opened.running)));
  } else layout.show(beginning(chosen, (text) => send({ text, files: [], background: false })));
  // Where a finger types, the focus brings up a keyboard over half of what was opened.
  if (matchMedia("(hover: hover)").matches) composer.focus();
  else layout.scroller.focus();
}

/** @param {string} address within the page */
function go(address) {
  if (location.hash === address) route();
  else location.hash = address;
}

/**
 * @param {Component} component
 * @param {string} session
 */
function open(component, session) {
  const opened = new Conversation(api, component, session, layout.scroller, active, {
    changed: () => opened === conversation && composer.running(Boolean(opened.running)),
    begun: (run) => sync.begun(run),
    ended: (turn) => ended(turn, opened),
    tell: (text) => layout.tell(text),
    write: () => composer.focus(),
    again: (text, files) => send({ text, files, background: false }),
  });
  conversation = opened;
  layout.show(opened.element);
  sidebar.show(session);
  return opened;
}

/** @param {Message} message */
function send(message) {
  if (!component) return;
  if (!conversation || conversation.gone) {
    conversation?.close();
    const session = newId();
    open(component, session);
    history.pushState(null, "", addressOf(component.kind, component.id, session));
    composer.open(location.hash, true);
  }
  conversation?.send(newId(), message);
  composer.running(true);
  layout.tell(`${component.name} is answering`);
}

/**
 * A run was asked about, and has ended or waits.
 * @param {ActiveRun} run
 * @param {string | undefined} status none: it is not there
 */
function endedElsewhere(run, status) {
  if (status === "ERROR" && active.get(run.run) && !conversation?.turnOf(run.run)) {
    const name = components.find(({ kind, id }) => kind === run.kind && id === run.component)?.name ?? run.component;
    layout.notice(`${name} failed: ${run.message}`, { address: addressOf(run.kind, run.component, run.session), name: "See why" });
  }
  sync.settled(run, status);
}

/**
 * @param {Turn} turn
 * @param {Conversation} opened the conversation that it is a part of
 */
function ended(turn, opened) {
  if (document.hidden) layout.title(true);
  composer.running(Boolean(conversation?.running));
  const run = active.get(turn.key.run);
  if (run) sync.settled(run, turn.state === "paused" ? "PAUSED" : "");
  const { name, error } = turn.tree.root;
  if (turn.state === "error" && !conversation?.turnOf(turn.key.run)) {
    // Only a message that was not taken keeps its page busy after somebody has left it.
    const { kind, component, session } = turn.key;
    const address = addressOf(kind, component, opened.begins ? "" : session);
    composer.giveBack(address, turn.asked.message, turn.files);
    return layout.notice(`Your message to ${name} was not sent: ${error}`, { address, name: "Write it again" });
  }
  if (turn.state === "paused") layout.tell(`${name} waits for you`);
  else if (turn.state === "error") layout.tell(`${name} failed: ${error}`);
  else if (turn.state === "cancelled") layout.tell(`${name} was stopped`);
  else layout.tell(`${name}: ${spoken(turn.tree.answer)}`);
}
