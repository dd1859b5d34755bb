import { ApiError } from "./api.js";

/** @param {number} seconds */
function wait(seconds) {
  if (seconds === 1) return "a second";
  if (seconds < 120) return `${seconds} seconds`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / 86_400)} days`;
}

/**
 * What the API or somebody else says, which may end with a full stop.
 * @param {string} text
 */
export function sentence(text) {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/**
 * What went wrong, and what to do about it.
 * @param {unknown} error
 * @returns {string}
 */
export function explain(error) {
  if (!(error instanceof ApiError)) return `Something went wrong in this page: ${error instanceof Error ? error.message : error}`;
  const said = sentence(error.message);
  switch (error.status) {
    case 0:
      return "The API cannot be reached. Check your connection, then try again.";
    case 403:
      return `You may not do this. ${said} Ask for that right, or use another key.`;
    case 404:
      return `${said} It was deleted, or it belongs to somebody else. Start a new chat.`;
    case 413:
      return `This is too large. ${said} Send fewer or smaller files, or a shorter text.`;
    case 429:
      return `${said} Try again ${error.retryAfter ? `in ${wait(error.retryAfter)}` : "in a moment"}.`;
    case 501:
      return "This API does not serve that. It is a part of AgentOS that is not offered here.";
    case 502:
    case 503:
    case 504:
      return `The API is not available at the moment. ${said} Try again in a moment.`;
    case 500:
      return "The API failed. Try again; if that does not help, its log says why.";
    default:
      return said;
  }
}

/**
 * What went wrong and is tried again.
 * @param {ApiError} error
 * @param {boolean} began whether anything of the run was seen
 */
export function explainWait(error, began) {
  if (error.status === 0 && !began) return "The API cannot be reached. Your message is kept, and sent as soon as it can be …";
  if (error.status === 0) return "The connection was lost. The run goes on; trying to reach it again …";
  return `${sentence(error.message)} Trying again …`;
}
