/** @import {Component, Kind} from "./types.js" */
/** @import {ActiveRun} from "./storage.js" */
/** @import {Told} from "./tabs.js" */
/** @import {Turn} from "./turn.js" */
import { Api } from "./api.js";
import { Composer, takeDrops } from "./composer.js";
import { Conversation } from "./conversation.js";
import { ask } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { explain } from "./explain.js";
import { addressOf, Sidebar } from "./sidebar.js";
import { ActiveRuns, Kept, newId } from "./storage.js";
import { Tabs } from "./tabs.js";

/** @type {Record<Kind, string>} */
const KINDS = { agents: "Agents", teams: "Teams", workflows: "Workflows" };

/** The list is answered from an index that is a moment behind. */
const INDEX_MS = 700;
/** Who was away for so long may have talked elsewhere. */
const AWAY_MS = 60_000;
const SOURCES = {
  key: "Who deployed this API reads it with “make key”.",
  token: "Who runs this API says where it comes from.",
};
const HEADER_TEXT = /^[\x20-\x7e]*$/;

const told = document.documentElement.dataset;
const root = told["root"] ?? "";
const title = told["title"] ?? "AgentOS";

/** @type {Component[]} */
let components = [];
/** @type {Conversation | null} */
let conversation = null;
/** @type {Component | null} */
let component = null;
/** Whether something has changed elsewhere while nobody looked at this tab. */
let behind = false;
let hiddenAt = 0;
let catching = 0;

/** @type {Promise<void> | null} */
let asking = null;
const kept = new Kept(root);
const active = new ActiveRuns(kept);
const tabs = new Tabs(root, hear);
const api = new Api(root, { get: () => kept.get("key") }, (refusal) => (asking ??= askForKey(refusal).finally(() => (asking = null))));

const status = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
const scroller = h("div", { class: "scroller", tabindex: -1 });
const heading = h("h1", {}, title);
const description = h("p", { class: "hint" });
const menu = h("button", { type: "button", class: "round menu", "aria-label": "Sessions", "aria-expanded": "false" }, icon("menu"));
const keyButton = h("button", { type: "button", class: "quiet", hidden: true }, icon("key"), "Forget the key");
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
    tabs.tell({ type: "removed", session });
    if (session === conversation?.session && component) go(addressOf(component.kind, component.id));
  },
  changed: () => tabs.tell({ type: "changed" }),
  begun,
  follows: (run) => Boolean(conversation?.turnOf(run)?.runs),
  ended: settled,
  tell,
});
const aside = h(
  "nav",
  { class: "aside", "aria-label": "Chats" },
  h("a", { class: "brand", href: "#/" }, title),
  h("a", { class: "new", href: "#/" }, icon("plus"), "New chat"),
  sidebar.element,
  h("div", { class: "foot" }, keyButton, h("a", { href: `${root}/docs` }, "API"), h("a", { href: `${root}/chat/licences.txt` }, "Licences")),
);
const main = h("main", {}, h("header", {}, menu, h("div", {}, heading, description)), scroller, composer.element);

composer.element.hidden = true;
document.body.append(h("a", { class: "skip", href: "#message" }, "Skip to the message"), aside, main, status);
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  composer.focus();
});
takeDrops(main, (files) => composer.add(files));
menu.addEventListener("click", () => toggleAside(!aside.classList.contains("open")));
scroller.addEventListener("click", () => toggleAside(false));
aside.addEventListener("click", (event) => /** @type {Element} */ (event.target).closest("a") && toggleAside(false));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hiddenAt = Date.now();
  else if (behind || Date.now() - hiddenAt > AWAY_MS) catchUp();
  if (!document.hidden) showTitle();
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (aside.classList.contains("open")) {
    toggleAside(false);
    menu.focus();
  } else void conversation?.running?.stop();
});
keyButton.addEventListener("click", () => {
  kept.clear();
  location.reload();
});
addEventListener("hashchange", route);
void begin();

async function begin() {
  try {
    const config = await api.config();
    components = /** @type {Kind[]} */ (Object.keys(KINDS)).flatMap((kind) =>
      (config[kind] ?? []).map((/** @type {any} */ each) => ({
        kind,
        id: each.id,
        name: each.name ?? each.id,
        description: each.description ?? "",
        prompts: config["chat"]?.quick_prompts?.[each.id] ?? [],
      })),
    );
    keyButton.hidden = kept.get("key") === null;
    tabs.join(kept.get("key"));
    sidebar.showRuns();
    void sidebar.reload();
    route();
  } catch (error) {
    const again = h("button", { type: "button" }, "Try again");
    again.addEventListener("click", () => void begin());
    scroller.replaceChildren(h("div", { class: "home" }, h("p", { class: "failure" }, explain(error)), again));
  }
}

/** Shows what the address names. */
function route() {
  const [kind = "", id = "", session = ""] = location.hash.replace(/^#\//, "").split("/").map(decoded);
  if (session && session === conversation?.session) return;
  conversation?.close();
  conversation = null;
  component = components.find((each) => each.kind === kind && each.id === id) ?? null;
  heading.textContent = component?.name ?? title;
  description.textContent = component?.description ?? "";
  showTitle();
  composer.element.hidden = !component;
  composer.open(location.hash);
  composer.takeFiles(component?.kind !== "workflows");
  composer.running(false);
  sidebar.show(session);
  if (!component) scroller.replaceChildren(home(kind in KINDS ? id : ""));
  else if (session) {
    const opened = open(component, session);
    void opened.load().then(() => opened === conversation && composer.running(Boolean(opened.running)));
  } else scroller.replaceChildren(beginning(component));
  if (component) composer.focus();
}

/** @param {string} part of an address; one that cannot be read names nothing */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
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
  const opened = new Conversation(api, component, session, scroller, active, {
    changed: () => opened === conversation && composer.running(Boolean(opened.running)),
    begun,
    ended,
    tell,
    again: (text, files) => send({ text, files, background: false }),
  });
  conversation = opened;
  scroller.replaceChildren(opened.element);
  sidebar.show(session);
  return opened;
}

/** @param {import("./composer.js").Message} message */
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
  status.textContent = `${component.name} is answering`;
}

/** @param {ActiveRun} run */
function begun(run) {
  const known = active.get(run.run);
  active.add(run);
  sidebar.showRuns();
  if (run.taken && (!known?.taken || known.waits)) tabs.tell({ type: "begun", run });
}

/**
 * A run has ended or waits: seen here, or asked for.
 * @param {ActiveRun} run
 * @param {string | undefined} status none: it is not there
 */
function settled(run, status) {
  if (status === "PAUSED") {
    if (run.waits) return;
    active.add({ ...run, waits: true });
    tabs.tell({ type: "begun", run: { ...run, waits: true } });
  } else {
    active.remove(run.run);
    tabs.tell({ type: "ended", run: run.run });
  }
  sidebar.showRuns();
  soon();
}

/** @param {Told} told by another tab */
function hear(told) {
  switch (told.type) {
    case "who":
      return active.all().forEach((run) => run.taken && tabs.tell({ type: "begun", run }));
    case "begun":
      return heardOf(told.run);
    case "ended":
      active.remove(told.run);
      break;
    case "removed":
      sidebar.drop(told.session);
      if (told.session === conversation?.session) conversation.leave();
  }
  sidebar.showRuns();
  soon();
}

/** @param {ActiveRun} run that goes on or waits, as another tab says, which may be behind */
function heardOf(run) {
  const turn = conversation?.turnOf(run.run);
  const known = active.get(run.run);
  if (turn && turn.state !== "paused" && !turn.runs) return;
  if (known && (run.waits || !known.waits)) return;
  active.add(run);
  sidebar.showRuns();
  if (document.hidden) behind = true;
  else if (run.session === conversation?.session) conversation.takeUp();
}

/** Catches up with what has changed, once for all that changes in a moment. */
function soon() {
  clearTimeout(catching);
  catching = window.setTimeout(catchUp, INDEX_MS);
}

function catchUp() {
  behind = document.hidden;
  if (behind) return;
  sidebar.showRuns();
  void sidebar.poll(true);
  void sidebar.reload();
  void conversation?.refresh();
}

/** @param {boolean} [news] whether there is something to see that nobody has seen */
function showTitle(news = false) {
  document.title = `${news ? "● " : ""}${component ? `${component.name} – ` : ""}${title}`;
}

/** @param {Turn} turn */
function ended(turn) {
  if (document.hidden) showTitle(true);
  composer.running(Boolean(conversation?.running));
  const run = active.get(turn.key.run);
  if (run) settled(run, turn.state === "paused" ? "PAUSED" : "");
  const { name, error } = turn.tree.root;
  if (turn.state === "paused") tell(`${name} waits for you`);
  else if (turn.state === "error") tell(`${name} failed: ${error}`);
  else if (turn.state === "cancelled") tell(`${name} was stopped`);
  else tell(`${name}: ${turn.tree.answer}`);
}

/** @param {string} text for a screen reader */
function tell(text) {
  status.textContent = text;
}

/** @param {boolean} opens */
function toggleAside(opens) {
  aside.classList.toggle("open", opens);
  menu.setAttribute("aria-expanded", String(opens));
  if (opens) aside.querySelector("a")?.focus();
}

/** @param {string} refusal */
async function askForKey(refusal) {
  const { auth_mode: mode } = await api.info();
  const what = mode === "jwt" ? "token" : "key";
  let given = "";
  for (let reason = refusal; ; reason = "it has letters that no header takes") {
    given = (await ask({
      title: `This API asks for a ${what}`,
      problem: reason ? `The last one was not taken: ${reason}.` : "",
      text: `${SOURCES[what]} It is kept in this tab until you close it, and sent to this API only.`,
      label: what === "key" ? "Key" : "Token",
      type: "password",
      yes: "Continue",
      closes: false,
    })) ?? "";
    if (HEADER_TEXT.test(given)) break;
  }
  kept.set("key", given);
  tabs.join(given);
  keyButton.hidden = false;
}

/** @param {string} missing the id of a component that is not there */
function home(missing) {
  const kinds = /** @type {Kind[]} */ (Object.keys(KINDS)).filter((kind) => components.some((each) => each.kind === kind));
  return h(
    "div",
    { class: "home" },
    missing ? h("p", { class: "failure" }, `“${missing}” is not served here, or not to you. Choose another one.`) : null,
    h("p", { class: "lead" }, components.length ? "Whom would you like to talk to?" : "There is nobody to talk to yet."),
    components.length ? null : h("p", { class: "hint" }, "Name an agent, a team or a workflow in ", h("code", {}, "layers/components/components.py"), ", then start or deploy the API again."),
    ...kinds.map((kind) =>
      h(
        "section",
        {},
        h("h2", {}, KINDS[kind]),
        h("ul", { class: "cards" }, ...components.filter((each) => each.kind === kind).map(card)),
      ),
    ),
  );
}

/** @param {Component} each */
function card(each) {
  const link = h("a", { href: addressOf(each.kind, each.id) }, h("strong", { dir: "auto" }, each.name), h("span", { dir: "auto" }, each.description));
  return h("li", {}, link);
}

/** @param {Component} each */
function beginning(each) {
  const prompts = each.prompts.map((prompt) => {
    const button = h("button", { type: "button", dir: "auto" }, prompt);
    button.addEventListener("click", () => send({ text: prompt, files: [], background: false }));
    return h("li", {}, button);
  });
  return h(
    "div",
    { class: "home beginning" },
    h("p", { class: "lead", dir: "auto" }, each.name),
    h("p", { class: "hint", dir: "auto" }, each.description),
    prompts.length ? h("ul", { class: "prompts", "aria-label": "Try one of these" }, ...prompts) : null,
  );
}
