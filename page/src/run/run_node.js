/** @import {Medium, RunEvent, Tool} from "../api/types.js" */

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

/**
 * One of which nothing is known yet.
 * @param {string} id
 * @param {string} name
 * @param {State} state
 * @param {number | null} startedAt
 * @returns {RunNode}
 */
export function newNode(id, name, state, startedAt) {
  return { id, name, state, detail: "", error: "", startedAt, seconds: null, parts: [] };
}

/** @param {Part} part */
function secondsOf(part) {
  return (part.type === "node" ? part.node.seconds : part.type === "tool" ? part.seconds : null) ?? 0;
}

/**
 * Ends a node, and what still goes on within it.
 * @param {RunNode} node
 * @param {State} state
 * @param {RunEvent} event
 */
export function end(node, state, event) {
  node.state = state;
  node.detail = "";
  const lasted = node.startedAt !== null && event.created_at ? event.created_at - node.startedAt : null;
  // Events tell whole seconds: a group took no less than the longest of its parts.
  node.seconds = event.metrics?.duration ?? (lasted === null ? null : Math.max(lasted, ...node.parts.map(secondsOf)));
  endWithin(node, state);
}

/**
 * Ends what runs or waits within a node: nothing does so longer than the node itself.
 * @param {RunNode} node
 * @param {State} state
 */
function endWithin({ parts }, state) {
  for (const part of parts) {
    if (part.type === "tool" && (part.state === "running" || part.state === "paused") && state !== "completed") {
      part.state = "cancelled";
      part.changes += 1;
    }
    if (part.type !== "node") continue;
    if (part.node.state === "running" || part.node.state === "paused") part.node.state = state;
    endWithin(part.node, state);
  }
}

/**
 * Adds a part after all others.
 * @param {RunNode} node
 * @param {Part} part
 */
export function add(node, part) {
  node.parts.push(part);
}

/**
 * Appends a text to the last part if that is of the same type, and to a new part otherwise.
 * @param {RunNode} node
 * @param {"text" | "reasoning"} type
 * @param {string} text
 */
export function extend(node, type, text) {
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
export function conclude(node, content) {
  if (!node.parts.some((part) => part.type === "text")) extend(node, "text", asText(content));
}

/**
 * Whether the call of a tool is known.
 * @param {RunNode} node
 * @param {Tool} tool
 */
export function hasTool(node, tool) {
  return node.parts.some((part) => part.type === "tool" && part.tool.tool_call_id === tool.tool_call_id);
}

/**
 * The call of a tool in a node. One of a member that waited has another id when its run goes on, if its leader's call has
 * the same.
 * @param {RunNode} node
 * @param {Tool} tool
 */
export function callOf(node, tool) {
  const calls = node.parts.filter((part) => part.type === "tool");
  const known = calls.find((part) => tool.tool_call_id && part.tool.tool_call_id === tool.tool_call_id);
  if (known || node.state === "paused") return known;
  return calls.find((part) => part.state === "paused" && part.tool.tool_name === tool.tool_name);
}

/**
 * Says what is known of the call of a tool, in place of what was.
 * @param {RunNode} node
 * @param {Tool} tool
 * @param {State} state
 * @param {string} [error]
 */
export function setTool(node, tool, state, error) {
  const told = error && !tool.result ? { ...tool, result: error } : tool;
  const seconds = tool.metrics?.duration ?? null;
  const known = callOf(node, tool);
  if (known) {
    Object.assign(known, { tool: told, state, seconds });
    known.changes += 1;
    return;
  }
  add(node, { type: "tool", tool: told, state, seconds, changes: 0 });
}

/**
 * Adds the media of an event or of a run, each once.
 * @param {RunNode} node
 * @param {Record<string, any>} source
 */
export function addMedia(node, source) {
  for (const [field, kind] of Object.entries(MEDIA)) {
    const given = source[field];
    for (const medium of Array.isArray(given) ? given : given ? [given] : []) {
      const known = node.parts.some((part) => part.type === "medium" && part.medium.id && part.medium.id === medium.id);
      if (!known && (medium.content || medium.url || medium.id)) add(node, { type: "medium", kind, medium, changes: 0 });
    }
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
