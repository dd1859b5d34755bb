/** @import {Medium, Requirement, RunEvent, StepRequirement, StoredRun, Tool} from "./types.js" */

/**
 * @typedef {"waiting" | "running" | "completed" | "error" | "cancelled" | "paused"} State
 *
 * @typedef {{type: "text", text: string, changes: number}} TextPart
 * @typedef {{type: "reasoning", text: string, changes: number}} ReasoningPart
 * @typedef {{type: "tool", tool: Tool, state: State, seconds: number | null, changes: number}} ToolPart
 * @typedef {{type: "medium", kind: MediumKind, medium: Medium, changes: number}} MediumPart
 * @typedef {{type: "node", node: RunNode, changes: number}} NodePart
 * @typedef {TextPart | ReasoningPart | ToolPart | MediumPart | NodePart} Part
 * @typedef {"image" | "audio" | "video" | "file"} MediumKind
 *
 * @typedef {object} RunNode A run, a member's run within a team's, or a step of a workflow.
 * @property {string} id
 * @property {string} name
 * @property {State} state
 * @property {string} detail what it is doing, if it says so
 * @property {string} error
 * @property {number | null} startedAt seconds since 1970
 * @property {number | null} seconds how long it took
 * @property {Part[]} parts in the order in which they began
 */

const DELEGATION = "delegate_task_to_member";
/** @type {Record<string, MediumKind>} */
const MEDIA = { images: "image", audio: "audio", videos: "video", files: "file", image: "image", response_audio: "audio" };
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
 * What a workflow waits for: earlier pauses of the run are still in its list.
 * @param {Record<string, any>} run
 * @returns {StepRequirement[]}
 */
function openSteps(run) {
  const steps = [...(run.step_requirements ?? []), ...(run.error_requirements ?? [])];
  return steps.filter((step) => ["confirmed", "user_input", "selected_choices", "decision"].every((field) => (step[field] ?? null) === null));
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

/**
 * @param {RunNode} node
 * @param {Record<string, any>} run
 */
function fill(node, run) {
  node.state = stateOf(run.status);
  node.seconds = run.metrics?.duration ?? null;
  if (run.reasoning_content) extend(node, "reasoning", run.reasoning_content);
  for (const step of run.step_results ?? []) fillStep(node, step, run.step_executor_runs ?? []);
  const members = [...(run.member_responses ?? [])];
  for (const tool of run.tools ?? []) {
    setTool(node, tool, tool.tool_call_error ? "error" : node.state === "paused" && tool.result === null ? "paused" : "completed");
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
 * Whom a leader gave a task to; null for any other tool.
 * @param {Tool} tool
 */
export function delegation(tool) {
  if (!tool.tool_name?.startsWith(DELEGATION)) return null;
  return { member: String(tool.tool_args?.["member_id"] ?? "everyone"), task: String(tool.tool_args?.["task"] ?? "") };
}

/**
 * Anything as text: objects as JSON.
 * @param {unknown} value
 */
export function asText(value) {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? "" : `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;
}

/**
 * @param {string} id
 * @param {string} name
 * @param {State} state
 * @param {number | null} startedAt
 * @returns {RunNode}
 */
function newNode(id, name, state, startedAt) {
  return { id, name, state, detail: "", error: "", startedAt, seconds: null, parts: [] };
}

/** @param {Part} part */
function secondsOf(part) {
  return (part.type === "node" ? part.node.seconds : part.type === "tool" ? part.seconds : null) ?? 0;
}

/**
 * @param {RunNode} node
 * @param {State} state
 * @param {RunEvent} event
 */
function end(node, state, event) {
  node.state = state;
  node.detail = "";
  const lasted = node.startedAt !== null && event.created_at ? event.created_at - node.startedAt : null;
  // Events tell whole seconds: a group took no less than the longest of its parts.
  node.seconds = event.metrics?.duration ?? (lasted === null ? null : Math.max(lasted, ...node.parts.map(secondsOf)));
  for (const part of node.parts) {
    if (part.type === "tool" && (part.state === "running" || part.state === "paused") && state !== "completed") {
      part.state = "cancelled";
      part.changes += 1;
    }
    if (part.type === "node" && part.node.state === "running") part.node.state = state;
  }
}

/**
 * @param {RunNode} node
 * @param {Part} part
 */
function add(node, part) {
  node.parts.push(part);
}

/**
 * @param {RunNode} node
 * @param {"text" | "reasoning"} type
 * @param {string} text
 */
function extend(node, type, text) {
  const last = node.parts.at(-1);
  if (last?.type === type) {
    last.text += text;
    last.changes += 1;
  } else if (text.trim()) add(node, { type, text, changes: 0 });
}

/**
 * The whole answer counts where nothing of it came before.
 * @param {RunNode} node
 * @param {unknown} content
 */
function conclude(node, content) {
  if (!node.parts.some((part) => part.type === "text")) extend(node, "text", asText(content));
}

/**
 * @param {RunNode} node
 * @param {Tool} tool
 */
function hasTool(node, tool) {
  return node.parts.some((part) => part.type === "tool" && part.tool.tool_call_id === tool.tool_call_id);
}

/**
 * @param {RunNode} node
 * @param {Tool} tool
 * @param {State} state
 * @param {string} [error]
 */
function setTool(node, tool, state, error) {
  const told = error && !tool.result ? { ...tool, result: error } : tool;
  const seconds = tool.metrics?.duration ?? null;
  for (const part of node.parts) {
    if (part.type === "tool" && tool.tool_call_id && part.tool.tool_call_id === tool.tool_call_id) {
      Object.assign(part, { tool: told, state, seconds });
      part.changes += 1;
      return;
    }
  }
  add(node, { type: "tool", tool: told, state, seconds, changes: 0 });
}

/**
 * @param {RunNode} node
 * @param {Record<string, any>} source
 */
function addMedia(node, source) {
  for (const [field, kind] of Object.entries(MEDIA)) {
    const given = source[field];
    for (const medium of Array.isArray(given) ? given : given ? [given] : []) {
      const known = node.parts.some((part) => part.type === "medium" && part.medium.id && part.medium.id === medium.id);
      if (!known && (medium.content || medium.url || medium.id)) add(node, { type: "medium", kind, medium, changes: 0 });
    }
  }
}

/** @param {any} step */
function stepOfReasoning(step) {
  if (!step || typeof step !== "object") return asText(step);
  return [step.title && `**${step.title}**`, step.reasoning, step.action, step.result].filter(Boolean).join("\n\n");
}
