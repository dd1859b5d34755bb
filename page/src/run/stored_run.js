/** @import {RunNode, State} from "./run_node.js" */
/** @import {StepRequirement, Tool} from "../api/types.js" */
import { add, addMedia, asText, conclude, extend, newNode, setTool } from "./run_node.js";

/**
 * The state that the API's status means.
 * @param {string | undefined} status
 * @returns {State}
 */
export function stateOf(status) {
  switch (status) {
    case "PENDING":
      return "waiting";
    case "RUNNING":
      return "running";
    case "ERROR":
      return "error";
    case "CANCELLED":
      return "cancelled";
    case "PAUSED":
      return "paused";
    default:
      return "completed";
  }
}

/**
 * The state of a call of a tool in a run that is stored and does not wait for it.
 * @param {Tool} tool
 * @returns {State}
 */
export function toolState(tool) {
  return tool.tool_call_error ? "error" : "completed";
}

/**
 * Makes the parts of a node of a run as it is stored.
 * @param {RunNode} node
 * @param {Record<string, any>} run
 */
export function fill(node, run) {
  node.state = stateOf(run.status);
  node.seconds = run.metrics?.duration ?? null;
  if (run.reasoning_content) extend(node, "reasoning", run.reasoning_content);
  for (const step of run.step_results ?? []) fillStep(node, step, run.step_executor_runs ?? []);
  const members = [...(run.member_responses ?? [])];
  for (const tool of run.tools ?? []) {
    const state = toolState(tool);
    setTool(node, tool, state === "completed" && node.state === "paused" && tool.result === null ? "paused" : state);
    const at = members.findIndex((member) => member.run_id === tool.child_run_id);
    if (at >= 0) fillMember(node, members.splice(at, 1)[0]);
  }
  for (const member of members) fillMember(node, member);
  if (node.state === "error") node.error = asText(run.content ?? "The run failed");
  else if (node.state !== "paused") conclude(node, run.content); // else it is a sentence about what it waits for
  addMedia(node, run);
}

/**
 * @param {RunNode} node
 * @param {Record<string, any>} run
 */
function fillMember(node, run) {
  const member = newNode(run.run_id ?? "", run.agent_name ?? run.team_name ?? run.agent_id ?? run.team_id ?? "", "completed", null);
  fill(member, run);
  add(node, { type: "node", node: member, changes: 0 });
}

/**
 * @param {RunNode} parent
 * @param {Record<string, any>} step
 * @param {Record<string, any>[]} runs of the steps' agents and teams
 */
function fillStep(parent, step, runs) {
  const node = newNode(step.step_id ?? "", step.step_name ?? "", step.success === false ? "error" : "completed", null);
  node.seconds = step.metrics?.duration ?? null;
  if (step.error) node.error = asText(step.error);
  for (const inner of step.steps ?? []) fillStep(node, inner, runs);
  const run = runs.find((each) => each.run_id === step.step_run_id);
  if (run) fillMember(node, run);
  else if (!step.steps?.length) conclude(node, step.content);
  addMedia(node, step);
  add(parent, { type: "node", node, changes: 0 });
}

/**
 * What a workflow waits for: earlier pauses of the run are still in its list.
 * @param {Record<string, any>} run
 * @returns {StepRequirement[]}
 */
export function openSteps(run) {
  const steps = [...(run.step_requirements ?? []), ...(run.error_requirements ?? [])];
  return steps.filter((step) => ["confirmed", "user_input", "selected_choices", "decision"].every((field) => (step[field] ?? null) === null));
}
