/** @import {RunNode} from "./run_node.js" */
/** @import {Requirement, RunEvent, StepRequirement, StoredRun} from "../api/types.js" */
import { add, addMedia, asText, callOf, conclude, end, extend, hasTool, newNode, setTool } from "./run_node.js";
import { fill, openSteps, stateOf, toolState } from "./stored_run.js";

const CONTAINERS = /^(Loop|Parallel|Condition|Router|Steps)Execution(Started|Completed)$/;

/** What is known of a run, made of its events, or of the run as it is stored. */
export class RunTree {
  /** @type {Map<string, RunNode>} */
  #runs = new Map();
  /** @type {Map<string, RunNode>} */
  #steps = new Map();

  /** @type {Requirement[]} */
  requirements = [];
  /** @type {StepRequirement[]} */
  stepRequirements = [];

  /**
   * @param {string} run its id
   * @param {string} name of its component
   */
  constructor(run, name) {
    this.root = newNode(run, name, "waiting", null);
    this.#runs.set(run, this.root);
  }

  /** Forgets what is known: all events come again. */
  restart() {
    const { id, name } = this.root;
    if (this.root.state === "paused") this.#goOn();
    this.#runs = new Map([[id, this.root]]);
    this.#steps.clear();
    Object.assign(this.root, newNode(id, name, this.root.state, null));
  }

  /** @param {RunEvent} event */
  apply(event) {
    if (event.event === "replay") return;
    if (this.root.state === "paused") this.#goOn();
    const name = event.event.replace(/^Team(?=[A-Z])/, "");
    const container = CONTAINERS.exec(name);
    if (container) this.#container(event, container[2] === "Started");
    else if (name.startsWith("Workflow")) this.#run(this.root, name.replace("Workflow", "Run"), event);
    else if (/^(Step|LoopIteration|RouterPaused)/.test(name)) this.#step(name, event);
    else this.#run(this.#node(event), name, event);
  }

  /**
   * Takes the end from the run as it is stored, if its events are no longer kept.
   * @param {StoredRun} run
   */
  settle(run) {
    if (!this.root.parts.length) fill(this.root, run);
    this.root.state = stateOf(run.status);
    if (this.root.state === "error") this.root.error = asText(run.content ?? "The run failed");
    if (this.root.state === "paused") this.#waitFor(run);
  }

  /** Whether a tool was decided and not called: no event tells what became of it. */
  get hasUntold() {
    return this.root.state === "completed" && [...this.#runs.values()].some(({ parts }) => parts.some((part) => part.type === "tool" && part.state === "paused"));
  }

  /**
   * Takes what became of such tools from the run as it is stored.
   * @param {Record<string, any>} run or one within it
   */
  tellOf(run) {
    const node = this.#runs.get(run["run_id"]);
    for (const tool of run["tools"] ?? []) if (node && callOf(node, tool)?.state === "paused") setTool(node, tool, toolState(tool));
    for (const inner of [...(run["member_responses"] ?? []), ...(run["step_executor_runs"] ?? [])]) this.tellOf(inner);
  }

  /** @param {Record<string, any>} run or event that says what it waits for */
  #waitFor(run) {
    this.requirements = run["requirements"] ?? [];
    this.stepRequirements = openSteps(run);
  }

  /** What the whole run has said, without what its members and steps did on the way. */
  get answer() {
    return this.root.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n");
  }

  /**
   * The run that an event is about, which begins with it if it was not known.
   * @param {RunEvent} event
   */
  #node(event) {
    const id = event.run_id ?? "";
    const known = this.#runs.get(id);
    if (known) return known;
    const parent = this.#steps.get(event.step_id ?? "") ?? this.#runs.get(event.parent_run_id ?? "") ?? this.root;
    const node = newNode(id, event.agent_name ?? event.team_name ?? event.agent_id ?? event.team_id ?? "", "running", event.created_at);
    this.#runs.set(id, node);
    const within = this.#runs.get(event.parent_run_id ?? "") ?? parent;
    add(within, { type: "node", node, changes: 0 });
    return node;
  }

  /**
   * @param {RunNode} node
   * @param {string} name of the event, as an agent's
   * @param {RunEvent} event
   */
  #run(node, name, event) {
    switch (name) {
      case "RunStarted":
      case "RunContinued":
        node.state = "running";
        node.startedAt ??= event.created_at;
        break;
      case "RunContent":
      case "RunIntermediateContent":
        if (event.reasoning_content) extend(node, "reasoning", event.reasoning_content);
        if (event.content !== null && event.content !== undefined && event.content !== "") extend(node, "text", asText(event.content));
        addMedia(node, event);
        break;
      case "ReasoningContentDelta":
        extend(node, "reasoning", event.reasoning_content ?? "");
        break;
      case "ReasoningStep":
        extend(node, "reasoning", `${event.reasoning_content || stepOfReasoning(event.content)}\n\n`);
        break;
      case "ToolCallStarted":
      case "ToolCallCompleted":
      case "ToolCallError":
        setTool(node, event.tool ?? {}, name === "ToolCallStarted" ? "running" : name === "ToolCallError" || event.tool?.tool_call_error ? "error" : "completed", event.error);
        addMedia(node, event);
        break;
      case "RunPaused":
        node.state = "paused";
        for (const tool of event.tools ?? []) if (!hasTool(node, tool)) setTool(node, tool, "paused");
        if (node === this.root) this.#waitFor(event);
        break;
      case "RunError":
        end(node, "error", event);
        node.error = asText(event.content ?? event.error ?? "The run failed");
        break;
      case "RunCancelled":
        end(node, "cancelled", event);
        break;
      case "RunCompleted":
        end(node, node.state === "cancelled" ? "cancelled" : "completed", event);
        if (node.state === "completed") conclude(node, event.content);
        addMedia(node, event);
        this.#judge(event.step_results ?? []);
        break;
    }
  }

  /** What comes after a pause comes because somebody has decided. */
  #goOn() {
    this.root.state = "running";
    this.requirements = [];
    this.stepRequirements = [];
  }

  /**
   * A step that failed and was left out has no event of its own.
   * @param {Record<string, any>[]} results
   */
  #judge(results) {
    for (const result of results) {
      const node = this.#steps.get(result["step_id"]);
      if (node && result["success"] === false) {
        node.state = "error";
        node.error = asText(result["error"] ?? "");
      }
      this.#judge(result["steps"] ?? []);
    }
  }

  /**
   * @param {RunEvent} event
   * @param {boolean} starts
   */
  #container(event, starts) {
    if (starts) this.#begin(event);
    else this.#steps.get(event.step_id ?? "") && end(/** @type {RunNode} */ (this.#steps.get(event.step_id ?? "")), "completed", event);
  }

  /** @param {RunEvent} event */
  #begin(event) {
    const node = newNode(event.step_id ?? "", event.step_name ?? "", "running", event.created_at);
    const parent = this.#steps.get(event.parent_step_id ?? "") ?? this.root;
    const former = this.#steps.get(node.id);
    // Its output was refused, and it begins again.
    if (former?.state === "paused") former.state = "completed";
    this.#steps.set(node.id, node);
    add(parent, { type: "node", node, changes: 0 });
    return node;
  }

  /**
   * @param {string} name
   * @param {RunEvent} event
   */
  #step(name, event) {
    if (name === "StepStarted") {
      this.#begin(event);
      return;
    }
    const node = this.#steps.get(event.step_id ?? "");
    if (!node) return;
    switch (name) {
      case "StepCompleted":
        end(node, event.step_response?.success === false ? "error" : "completed", event);
        node.seconds = event.step_response?.metrics?.duration ?? node.seconds;
        if (event.step_response?.error) node.error = asText(event.step_response.error);
        if (!node.parts.some((part) => part.type === "node")) conclude(node, event.content);
        addMedia(node, event);
        break;
      case "StepError":
        end(node, "error", event);
        node.error = asText(event.error);
        break;
      case "StepProgress":
        node.detail = asText(event.content ?? "");
        break;
      case "LoopIterationStarted":
        node.detail = event.max_iterations ? `${event.iteration} of ${event.max_iterations}` : `${event.iteration}`;
        break;
      case "StepContinued":
      case "StepExecutorContinued":
        node.state = "running";
        break;
      case "StepPaused":
      case "StepExecutorPaused":
      case "StepOutputReview":
      case "RouterPaused":
        node.state = "paused";
        break;
    }
  }
}

/**
 * The tree of a run as it is stored.
 * @param {StoredRun} run
 * @param {string} name
 */
export function storedTree(run, name) {
  const tree = new RunTree(run.run_id, name);
  tree.settle(run);
  return tree;
}

/** @param {any} step */
function stepOfReasoning(step) {
  if (!step || typeof step !== "object") return asText(step);
  return [step.title && `**${step.title}**`, step.reasoning, step.action, step.result].filter(Boolean).join("\n\n");
}
