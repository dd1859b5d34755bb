import assert from "node:assert/strict";
import { test } from "node:test";
import { ActiveRuns, Kept } from "../src/tab/storage.js";
import { Tabs } from "../src/tab/tabs.js";

/** What a tab hears until it is told the end. */
function listening(t, root, key) {
  const heard = [];
  const { promise, resolve } = Promise.withResolvers();
  const tabs = new Tabs(root, (told) => (told.type === "removed" ? resolve(heard) : heard.push(told.type)));
  tabs.join(key);
  t.after(() => tabs.close());
  return { tabs, heard: promise };
}

test("tabs hear those that have the same key at the same API, and no others", async (t) => {
  const all = [["/v1", "ada"], ["/v1", "ada"], ["/v1", "bob"], ["/v1", null], ["/v2", "ada"]].map((each) => listening(t, ...each));
  const [first, second, ...others] = all;
  first.tabs.tell({ type: "changed" });
  for (const { tabs } of [first, second, ...others]) tabs.tell({ type: "removed", session: "s" });
  assert.deepEqual(await second.heard, ["changed"]);
  assert.deepEqual(await first.heard, ["who"]);
  // Nobody is left to tell them the end: each has a channel of its own.
  others.forEach(({ heard }) => heard.then(() => assert.fail("heard another key's tab")));
});

test("a tab that gets another key leaves the tabs of the last one", async (t) => {
  const first = listening(t, "", "old");
  const second = listening(t, "", "old");
  second.tabs.join("new");
  const third = listening(t, "", "new");
  first.tabs.tell({ type: "changed" });
  third.tabs.tell({ type: "removed", session: "s" });
  assert.deepEqual(await second.heard, ["who"]);
});

/** A browser's storage with room for so many characters. */
function room(characters) {
  const items = {};
  const methods = {
    getItem: (name) => items[name] ?? null,
    removeItem: (name) => delete items[name],
    setItem(name, value) {
      if (value.length > characters) throw new DOMException("full", "QuotaExceededError");
      items[name] = value;
    },
  };
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(items, name, { value });
  return items;
}

const RUN = { kind: "agents", component: "a", session: "s", run: "r", message: "x".repeat(200), files: [], background: false, startedAt: 1 };

for (const [name, storage] of [
  ["full", () => room(150)],
  ["refused", () => null],
]) {
  test(`what the browser keeps nowhere is kept while the page is open: a storage that is ${name}`, () => {
    Object.defineProperty(globalThis, "sessionStorage", {
      configurable: true,
      get() {
        const given = storage();
        if (given === null) throw new DOMException("denied", "SecurityError");
        return given;
      },
    });
    const runs = new ActiveRuns(new Kept(""));
    runs.add(RUN);
    runs.add({ ...RUN, run: "s" });
    assert.deepEqual(runs.all().map(({ run }) => run), ["r", "s"]);
    runs.remove("r");
    assert.deepEqual(runs.all().map(({ run }) => run), ["s"]);
  });
}

test("what one API of an origin is told, another one does not get, and forgetting leaves the other its own", () => {
  const items = room(1000);
  Object.defineProperty(globalThis, "sessionStorage", { configurable: true, value: items });
  const [own, other] = [new Kept("/v1"), new Kept("/v2")];
  own.set("key", "secret");
  own.set("draft #/agents/a", "Dear Ada");
  assert.equal(other.get("key"), null);
  other.set("key", "another");
  own.clear();
  assert.deepEqual([own.get("key"), own.get("draft #/agents/a"), other.get("key")], [null, null, "another"]);
});
