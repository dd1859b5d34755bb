import { size } from "../view/text.js";

/**
 * @typedef {object} Limits
 * @property {string[]} extensions with their dots
 * @property {number} maxBytes of all files of a message
 * @property {number} maxFiles
 */

/**
 * Why these files cannot be sent together; "" if they can.
 * @param {{name: string, size: number}[]} files
 * @param {Limits} limits
 */
export function refusal(files, { extensions, maxBytes, maxFiles }) {
  if (files.length > maxFiles) return `At most ${maxFiles} files go with a message.`;
  for (const file of files) {
    const dot = file.name.lastIndexOf(".");
    const extension = dot < 0 ? "" : file.name.slice(dot).toLowerCase();
    if (!extensions.includes(extension)) return `“${file.name}” is of a type that is not taken.`;
    if (file.size === 0) return `“${file.name}” is empty.`;
  }
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  return bytes > maxBytes ? `These files have ${size(bytes)}. A message takes ${size(maxBytes)}.` : "";
}

/** @param {Limits} limits */
export function allowed({ maxBytes, maxFiles }) {
  return `Pictures, sounds, films, PDF, Office and text files, up to ${size(maxBytes)} together, at most ${maxFiles}`;
}
