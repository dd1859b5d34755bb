// The methods of one client from npm that are about what we serve, against a stack: test_npm_clients.py runs this.
// PACKAGE is the client, URL the stack, and KEY the stack's security key.
"use strict";

const assert = require("node:assert/strict");
const { randomUUID } = require("node:crypto");
const { once } = require("node:events");
const { test } = require("node:test");
const { AgnoClient } = require(process.env.PACKAGE);

/** Methods that not every client has. */
const has = (...names) => names.every((name) => name in AgnoClient.prototype);
const unless = (...names) => ({ skip: has(...names) ? false : `it has no ${names.join(", ")}` });

/** A client of a user that is new, connected as a page connects it. */
async function connected(options = {}) {
  const client = new AgnoClient({ endpoint: process.env.URL, authToken: process.env.KEY, userId: randomUUID(), ...options });
  const { agents, teams } = await client.initialize();
  const [{ db_id: dbId }] = options.mode === "team" ? teams : agents;
  client.updateConfig({ dbId, agentId: options.agentId ?? "assistant" });
  return client;
}

const lastOf = (client) => client.getMessages().at(-1);

test("connecting finds the agents and the teams", async () => {
  const client = new AgnoClient({ endpoint: process.env.URL, authToken: process.env.KEY });
  assert.equal(await client.checkStatus(), true);
  const { agents, teams } = await client.initialize();
  assert.ok(agents.some(({ id, db_id }) => id === "assistant" && db_id));
  assert.ok(teams.some(({ id }) => id === "newsroom"));
  assert.equal(client.getState().isEndpointActive, true);
  assert.equal(client.getConfig().agentId, agents[0].id);
});

test("a wrong key is told", async () => {
  const client = new AgnoClient({ endpoint: process.env.URL, authToken: "wrong", agentId: "assistant" });
  await assert.rejects(client.fetchAgents());
  await client.sendMessage("Hello");
  assert.match(client.getState().errorMessage, /Invalid authentication token/);
});

test("an agent answers, and its tool is shown", async () => {
  const client = await connected();
  await client.sendMessage("add 2 and 3");
  assert.equal(client.getState().errorMessage, undefined);
  assert.equal(lastOf(client).content, "add gave: 5.0");
  assert.deepEqual(lastOf(client).tool_calls.map(({ tool_name, result }) => [tool_name, result]), [["add", "5.0"]]);
});

test("a team answers", async () => {
  const client = await connected({ mode: "team", teamId: "newsroom" });
  await client.sendMessage("Hello");
  assert.match(lastOf(client).content, /Hello/);
  const sessions = await client.fetchSessions();
  assert.ok(sessions.some(({ session_id }) => session_id === client.getConfig().sessionId));
});

test("a conversation is listed, opened again and deleted", async () => {
  const client = await connected({ agentId: "companion" });
  await client.sendMessage("My name is Ada.");
  await client.sendMessage("what did I say?");
  const { sessionId } = client.getConfig();
  const other = await connected({ agentId: "companion", userId: client.getConfig().userId });
  const listed = await other.fetchSessions();
  assert.equal(listed.find(({ session_id }) => session_id === sessionId).session_name, "My name is Ada.");
  const messages = await other.loadSession(sessionId);
  assert.deepEqual(
    messages.map(({ role, content }) => [role, content]),
    [
      ["user", "My name is Ada."],
      ["agent", messages[1].content],
      ["user", "what did I say?"],
      ["agent", 'You said: "My name is Ada."'],
    ],
  );
  await other.deleteSession(sessionId);
  assert.ok(!(await other.fetchSessions()).some(({ session_id }) => session_id === sessionId));
});

test("a run that waits is shown as paused, and goes on", async () => {
  const client = await connected({ agentId: "clerk" });
  const paused = once(client, "run:paused");
  await client.sendMessage('call measure_temperature {"place": "attic"}');
  const [{ tools }] = await paused;
  assert.equal(client.getState().isPaused, true);
  await client.continueRun(tools.map((tool) => ({ ...tool, result: "21 degrees" })));
  assert.equal(client.getState().isPaused, false);
  assert.match(lastOf(client).content, /21 degrees/);
});

test("a run is cancelled", unless("cancelRun"), async () => {
  const client = await connected();
  const words = new Promise((resolve) => client.on("message:update", () => lastOf(client)?.content && resolve()));
  const sending = client.sendMessage("[slow 50ms] " + "word ".repeat(200));
  await words;
  const runId = client.getCurrentRunId();
  await client.cancelRun();
  await sending;
  assert.equal(lastOf(client).cancelled, true);
  const headers = { Authorization: `Bearer ${process.env.KEY}` };
  let status;
  for (const deadline = Date.now() + 30_000; Date.now() < deadline && status !== "CANCELLED"; ) {
    status = (await (await fetch(`${process.env.URL}/agents/assistant/runs/${runId}`, { headers })).json()).status;
  }
  assert.equal(status, "CANCELLED");
});

test("a background run is followed, and resumed", unless("resumeRun"), async () => {
  const client = await connected();
  await client.sendMessage("Hello", { background: true });
  const { content, run_id: runId } = client.getMessages().find(({ role }) => role === "agent");
  assert.match(content, /Hello/);
  const { sessionId, userId } = client.getConfig();
  const other = await connected({ userId, sessionId });
  const ended = once(other, "run:resume:end");
  await other.resumeRun({ runId, sessionId });
  await ended;
  assert.match(lastOf(other).content, /Hello/);
});

test("sessions are made, read, changed and deleted", unless("createSession", "deleteMultipleSessions"), async () => {
  const client = await connected();
  const made = await client.createSession({
    session_name: "Ships",
    session_state: { port: "Genoa" },
    agent_id: "assistant",
    user_id: client.getConfig().userId,
  });
  assert.equal((await client.renameSession(made.session_id, "Harbours")).session_name, "Harbours");
  await client.updateSession(made.session_id, { metadata: { colour: "red" } });
  const read = await client.getSessionById(made.session_id);
  assert.deepEqual([read.session_name, read.session_state, read.metadata], ["Harbours", { port: "Genoa" }, { colour: "red" }]);
  await client.deleteMultipleSessions([made.session_id]);
  await assert.rejects(client.getSessionById(made.session_id));
});

test("a run of a session is read", unless("getRunById"), async () => {
  const client = await connected();
  await client.sendMessage("Hello");
  const { sessionId } = client.getConfig();
  const { run_id: runId } = lastOf(client);
  assert.equal((await client.getRunById(sessionId, runId)).run_input, "Hello");
});

test("the state of a session is read and changed", unless("setSessionState"), async () => {
  const client = await connected();
  await client.sendMessage("Hello");
  await client.setSessionState({ port: "Genoa", cargo: { tea: 1 } });
  await client.mergeSessionState({ cargo: { salt: 2 } });
  assert.deepEqual(await client.refreshSessionState(), { port: "Genoa", cargo: { tea: 1, salt: 2 } });
});

test("memories are made, listed, changed and deleted", unless("createMemory", "deleteMultipleMemories"), async () => {
  const client = await connected();
  const { userId } = client.getConfig();
  const made = await client.createMemory({ memory: "Ada likes tea.", topics: ["drinks"], user_id: userId });
  const other = await client.createMemory({ memory: "Ada sails.", topics: ["ships"], user_id: userId });
  assert.equal((await client.getMemoryById(made.memory_id)).memory, "Ada likes tea.");
  await client.updateMemory(made.memory_id, { memory: "Ada likes coffee.", topics: ["drinks"], user_id: userId });
  const found = await client.fetchMemories({ user_id: userId, search_content: "coffee", limit: 5, page: 1 });
  assert.deepEqual(found.data.map(({ memory_id }) => memory_id), [made.memory_id]);
  assert.ok((await client.getMemoryTopics()).includes("ships"));
  const stats = await client.getUserMemoryStats({ limit: 1000, page: 1 });
  assert.equal(stats.data.find(({ user_id }) => user_id === userId).total_memories, 2);
  await client.deleteMemory(made.memory_id);
  await client.deleteMultipleMemories([other.memory_id], { userId });
  assert.equal((await client.fetchMemories({ user_id: userId })).data.length, 0);
});
