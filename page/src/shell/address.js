/** @import {Kind} from "../api/types.js" */

/**
 * The address within the page of a component, and of one of its sessions.
 * @param {Kind} kind
 * @param {string} id of the component
 * @param {string} [session]
 */
export function addressOf(kind, id, session = "") {
  return `#/${[kind, id, session].filter(Boolean).map(encodeURIComponent).join("/")}`;
}

/**
 * What an address names: its parts are empty where it names nothing.
 * @param {string} address
 */
export function namedBy(address) {
  const [kind = "", id = "", session = ""] = address.replace(/^#\//, "").split("/").map(decoded);
  return { kind, id, session };
}

/** @param {string} part of an address; one that cannot be read names nothing */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
