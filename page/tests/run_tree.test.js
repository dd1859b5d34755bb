import assert from "node:assert/strict";
import { test } from "node:test";
import { RunTree, storedTree } from "../src/run/run_tree.js";

const shape = (node) => [node.name, node.state, ...node.parts.map((part) => (part.type === "node" ? shape(part.node) : part.type === "tool" ? [part.tool.tool_name, part.state] : part.text))];
const tool = (id, more = {}) => ({ tool_call_id: id, tool_name: "add", ...more });

test("events of members and steps find their place", () => {
  const tree = new RunTree("w", "Letter");
  for (const event of [
    { event: "WorkflowStarted", run_id: "w", created_at: 1 },
    { event: "StepStarted", run_id: "w", step_id: "s", step_name: "write", created_at: 1 },
    { event: "TeamRunStarted", run_id: "t", workflow_run_id: "w", step_id: "s", team_name: "Desk" },
    { event: "RunContent", run_id: "m", parent_run_id: "t", step_id: "s", agent_name: "Writer", content: "hel" },
    { event: "RunContent", run_id: "m", parent_run_id: "t", step_id: "s", content: "lo" },
    { event: "RunCompleted", run_id: "m", content: "hello" },
    { event: "TeamRunCompleted", run_id: "t", content: "bye" },
    { event: "StepCompleted", run_id: "w", step_id: "s", step_response: { success: true, metrics: { duration: 2 } }, content: "bye" },
    { event: "WorkflowCompleted", run_id: "w", content: "bye", step_results: [{ step_id: "s", success: true }] },
  ]) tree.apply(event);
  const member = ["Writer", "completed", "hello"];
  assert.deepEqual(shape(tree.root), ["Letter", "completed", ["write", "completed", ["Desk", "completed", member, "bye"]], "bye"]);
  assert.equal(tree.answer, "bye");
});

test("a tool that waited is the same tool when the run goes on", () => {
  const tree = new RunTree("r", "Clerk");
  for (const event of [
    { event: "RunStarted", run_id: "r" },
    { event: "RunPaused", run_id: "r", tools: [tool("1")], requirements: [{ id: "q", tool_execution: tool("1") }] },
  ]) tree.apply(event);
  assert.deepEqual([shape(tree.root), tree.requirements.length], [["Clerk", "paused", ["add", "paused"]], 1]);
  for (const event of [
    { event: "RunContinued", run_id: "r" },
    { event: "ToolCallStarted", run_id: "r", tool: tool("1") },
    { event: "ToolCallCompleted", run_id: "r", tool: tool("1", { result: "5" }) },
    { event: "RunContent", run_id: "r", content: "five" },
    { event: "RunCompleted", run_id: "r", content: "five" },
  ]) tree.apply(event);
  assert.deepEqual([shape(tree.root), tree.requirements.length], [["Clerk", "completed", ["add", "completed"], "five"], 0]);
});

test("a call that has another id when its run goes on is the same call", () => {
  const tree = new RunTree("t", "Desk");
  for (const event of [
    { event: "TeamRunStarted", run_id: "t" },
    { event: "RunPaused", run_id: "m", parent_run_id: "t", agent_name: "Clerk", tools: [tool("1"), tool("2", { tool_name: "send" })] },
    { event: "TeamRunPaused", run_id: "t", requirements: [{ id: "q", tool_execution: tool("1") }] },
    { event: "RunContinued", run_id: "m", parent_run_id: "t" },
    { event: "ToolCallStarted", run_id: "m", parent_run_id: "t", tool: tool("new", { tool_name: "send" }) },
    { event: "ToolCallCompleted", run_id: "m", parent_run_id: "t", tool: tool("new", { tool_name: "send", result: "sent" }) },
  ]) tree.apply(event);
  assert.deepEqual(shape(tree.root.parts[0].node), ["Clerk", "running", ["add", "paused"], ["send", "completed"]]);
});

test("what became of a tool that waited and that nobody called is read from the run as it is stored", () => {
  const tree = new RunTree("t", "Desk");
  for (const event of [
    { event: "TeamRunStarted", run_id: "t" },
    { event: "RunPaused", run_id: "m", parent_run_id: "t", agent_name: "Clerk", tools: [tool("1")] },
    { event: "TeamRunPaused", run_id: "t", tools: [tool("2"), tool("3")], requirements: [{ id: "q", tool_execution: tool("1") }] },
    { event: "TeamRunContinued", run_id: "t" },
    { event: "ToolCallCompleted", run_id: "t", tool: tool("3", { result: "5" }) },
  ]) tree.apply(event);
  assert.equal(tree.hasUntold, false);
  for (const event of [{ event: "RunCompleted", run_id: "m" }, { event: "TeamRunCompleted", run_id: "t", content: "no" }]) tree.apply(event);
  assert.equal(tree.hasUntold, true);
  const member = { run_id: "m", tools: [tool("new", { result: "no", tool_call_error: true })] };
  tree.tellOf({ run_id: "t", tools: [tool("2", { result: "4" }), tool("3", { result: "6" })], member_responses: [member] });
  assert.deepEqual(shape(tree.root), ["Desk", "completed", ["Clerk", "completed", ["add", "error"]], ["add", "completed"], ["add", "completed"], "no"]);
  assert.deepEqual([tree.root.parts[2].tool.result, tree.hasUntold], ["5", false]);
});

test("a step whose output was refused begins again, and nothing waits in a run that has ended", () => {
  const tree = new RunTree("w", "Letter");
  const begins = { event: "StepStarted", run_id: "w", step_id: "s", step_name: "write" };
  const review = { event: "StepOutputReview", run_id: "w", step_id: "s" };
  for (const event of [begins, review, { event: "WorkflowPaused", run_id: "w" }, begins]) tree.apply(event);
  assert.deepEqual(shape(tree.root).slice(2), [["write", "completed"], ["write", "running"]]);
  for (const event of [review, { event: "WorkflowPaused", run_id: "w" }, { event: "WorkflowCompleted", run_id: "w", content: "bye" }]) tree.apply(event);
  assert.deepEqual(shape(tree.root).slice(2), [["write", "completed"], ["write", "completed"], "bye"]);
});

test("a cancelled run stays cancelled, and so does what it was doing", () => {
  const tree = new RunTree("r", "A");
  for (const event of [
    { event: "ToolCallStarted", run_id: "r", tool: tool("1") },
    { event: "RunCancelled", run_id: "r" },
    { event: "RunCompleted", run_id: "r", content: "Run r was cancelled" },
  ]) tree.apply(event);
  assert.deepEqual(shape(tree.root), ["A", "cancelled", ["add", "cancelled"]]);
});

test("a stored run looks as its events did", () => {
  const tree = storedTree({ run_id: "r", status: "COMPLETED", content: "5", tools: [tool("1", { child_run_id: "m", result: "5" })], member_responses: [{ run_id: "m", agent_name: "M", status: "COMPLETED", content: "five" }] }, "A");
  assert.deepEqual(shape(tree.root), ["A", "completed", ["add", "completed"], ["M", "completed", "five"], "5"]);
});

test("a group of steps takes no less than the longest of them, although events tell whole seconds", () => {
  const tree = new RunTree("w", "Review");
  for (const event of [
    { event: "ParallelExecutionStarted", run_id: "w", step_id: "p", step_name: "read", created_at: 1 },
    { event: "StepStarted", run_id: "w", step_id: "s", parent_step_id: "p", step_name: "summary", created_at: 1 },
    { event: "StepCompleted", run_id: "w", step_id: "s", parent_step_id: "p", step_response: { success: true, metrics: { duration: 0.7 } } },
    { event: "ParallelExecutionCompleted", run_id: "w", step_id: "p", created_at: 1 },
  ]) tree.apply(event);
  const group = tree.root.parts[0].node;
  assert.deepEqual([group.name, group.parts.length, group.seconds], ["read", 1, 0.7]);
});

test("a run that was opened as it is stored becomes what its events say, when all of them come again", () => {
  const tree = storedTree({ run_id: "r", status: "PAUSED", content: "I wait", tools: [tool("1", { result: null })], requirements: [{ id: "q", tool_execution: tool("1") }] }, "Clerk");
  assert.deepEqual([shape(tree.root), tree.requirements.length], [["Clerk", "paused", ["add", "paused"]], 1]);
  tree.restart();
  for (const event of [
    { event: "RunStarted", run_id: "r" },
    { event: "RunContent", run_id: "r", content: "Let me see. " },
    { event: "ToolCallCompleted", run_id: "r", tool: tool("1", { result: "5" }) },
    { event: "RunCompleted", run_id: "r", content: "Let me see. " },
  ]) tree.apply(event);
  assert.deepEqual([shape(tree.root), tree.requirements.length], [["Clerk", "completed", "Let me see. ", ["add", "completed"]], 0]);
});
