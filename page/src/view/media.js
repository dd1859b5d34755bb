/** @import {Medium} from "../api/types.js" */
/** @import {MediumKind, MediumPart} from "../run/run_node.js" */
/** @import {View} from "./dom.js" */
import { h, icon } from "./dom.js";
import { explain } from "../api/explain.js";

/**
 * @typedef {object} Surroundings Where the bytes of media are that a run as it is stored has not.
 * @property {(path: string) => Promise<Blob>} blob
 * @property {string} session
 */

/** Types that a browser shows without executing anything of them. Others are saved. */
const SHOWN = { image: /^image\/(?:png|jpe?g|gif|webp|avif|bmp)$/, audio: /^audio\//, video: /^video\//, file: /^$/ };
/** @type {Record<MediumKind, string>} */
const NAMES = { image: "picture", audio: "sound", video: "film", file: "file" };
/** @type {Record<MediumKind, string>} */
const TYPES = { image: "image/png", audio: "audio/wav", video: "video/mp4", file: "application/octet-stream" };

/**
 * A medium of an answer. It is shown when somebody asks for it.
 * @param {MediumPart} part
 * @param {Surroundings} surroundings
 * @returns {View}
 */
export function mediumView({ kind, medium }, surroundings) {
  const element = h("div", { class: "medium" });
  const name = nameOf(kind, medium);
  if (medium.url && !medium.content) {
    element.append(/^https?:\/\//i.test(medium.url) ? link(medium.url, name) : name);
  } else {
    const type = medium.mime_type || TYPES[kind];
    const shows = SHOWN[kind].test(type);
    const button = h("button", { type: "button" }, icon("file"), `${shows ? "Show" : "Save"} the ${NAMES[kind]}: ${name}`);
    const problem = h("p", { class: "failure" });
    button.addEventListener("click", async () => {
      problem.textContent = "";
      try {
        const blob = await bytesOf(medium, type, surroundings);
        if (shows) button.replaceWith(player(kind, URL.createObjectURL(blob), name));
        else save(blob, name);
      } catch (error) {
        problem.textContent = explain(error);
      }
    });
    element.append(button, problem);
  }
  return { element, update: () => false };
}

/**
 * The bytes: those of the run, or, where the run as it is stored has none, those that its session has.
 * @param {Medium} medium
 * @param {string} type
 * @param {Surroundings} surroundings
 */
async function bytesOf(medium, type, surroundings) {
  const content = medium.content ?? "";
  if (!content) return surroundings.blob(`/sessions/${encodeURIComponent(surroundings.session)}/media/${encodeURIComponent(medium.id ?? "")}`);
  if (type.startsWith("text/")) return new Blob([content], { type: "text/plain" });
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: SHOWN.image.test(type) || /^(?:audio|video)\//.test(type) ? type : "application/octet-stream" });
}

/**
 * @param {MediumKind} kind
 * @param {string} url
 * @param {string} name
 */
function player(kind, url, name) {
  if (kind === "image") return h("img", { src: url, alt: name });
  return kind === "audio" ? h("audio", { src: url, controls: true, "aria-label": name }) : h("video", { src: url, controls: true, "aria-label": name });
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function save(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * @param {string} url
 * @param {string} name
 */
function link(url, name) {
  const host = URL.canParse(url) ? new URL(url).host : url;
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, `${name} (at ${host})`);
}

/**
 * @param {MediumKind} kind
 * @param {Medium} medium
 */
function nameOf(kind, medium) {
  return medium.filename || medium.id || NAMES[kind];
}
