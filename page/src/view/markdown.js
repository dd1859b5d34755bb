import DOMPurify from "dompurify";
import { Marked } from "marked";
import { copyButton } from "./copy.js";
import { h } from "./dom.js";

/** Pictures within a text that can be shown without asking anybody. */
const OWN_PICTURE = /^data:image\/(?:png|jpe?g|gif|webp|avif);base64,[A-Za-z0-9+/=\s]+$/;
/** Tags without attributes, once they are escaped. */
const WORD_TAGS = /&#60;(\/?)(b|br|del|em|i|kbd|mark|small|strong|sub|sup|u)\s*\/?&#62;/gi;
/** Characters that are read aloud at once: the rest is there to be read. */
const SPOKEN = 3000;
const SAFE_LINK = /^(?:https?:\/\/|mailto:)/i;

const marked = new Marked({
  gfm: true,
  renderer: {
    // What a picture is has to wait until somebody asks for it, and a box that is ticked is a sign.
    image({ href, text }) {
      return `<span data-picture="${escaped(href)}">${escaped(text)}</span>`;
    },
    // HTML in a text is shown as it is written, but for what marks a few words.
    html({ text }) {
      return text.startsWith("<!--") ? "" : escaped(text).replace(WORD_TAGS, "<$1$2>");
    },
    checkbox({ checked }) {
      return checked ? "☑ " : "☐ ";
    },
    code({ text, lang }) {
      return `<pre data-language="${escaped(lang?.split(/\s/)[0] ?? "")}"><code>${escaped(text)}</code></pre>`;
    },
  },
});

DOMPurify.addHook("afterSanitizeAttributes", (element) => {
  if (element.tagName === "A") {
    if (!SAFE_LINK.test(element.getAttribute("href") ?? "")) element.removeAttribute("href");
    element.setAttribute("target", "_blank");
    element.setAttribute("rel", "noopener noreferrer nofollow");
  }
  if (/^(?:P|LI|H[1-6]|BLOCKQUOTE|TABLE)$/.test(element.tagName)) element.setAttribute("dir", "auto");
});

const ALLOWED = {
  ALLOWED_TAGS: [
    ..."p br hr h1 h2 h3 h4 h5 h6 em strong b i u del sub sup kbd mark small blockquote".split(" "),
    ..."ul ol li pre code a span table thead tbody tr th td".split(" "),
  ],
  ALLOWED_ATTR: ["href", "title", "align", "start", "data-picture", "data-language"],
  ADD_URI_SAFE_ATTR: ["data-picture", "data-language"], // what becomes of a picture's address is decided below
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/**
 * The blocks of a text.
 * @param {string} text
 */
export function blocksOf(text) {
  return marked.lexer(text).filter((token) => token.type !== "space" && token.type !== "def");
}

/**
 * A block as nodes that nothing in it can make act.
 * @param {import("marked").Token} block
 * @returns {DocumentFragment}
 */
export function rendered(block) {
  const fragment = /** @type {DocumentFragment} */ (
    /** @type {unknown} */ (DOMPurify.sanitize(marked.parser([block]), ALLOWED))
  );
  fragment.querySelectorAll("pre").forEach(frameCode);
  fragment.querySelectorAll("li").forEach((item) => item.classList.toggle("task", /^[☑☐] /.test(item.textContent)));
  fragment.querySelectorAll("table").forEach((table) => {
    const frame = h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": "Table" });
    table.replaceWith(frame);
    frame.append(table);
  });
  fragment.querySelectorAll("span[data-picture]").forEach((span) => {
    span.replaceWith(picture(span.getAttribute("data-picture") ?? "", span.textContent ?? ""));
  });
  return fragment;
}

/**
 * A text as it is read aloud: without signs of Markdown, and no longer than a few minutes.
 * @param {string} text
 */
export function spoken(text) {
  const begin = text.length > SPOKEN ? `${text.slice(0, SPOKEN)} …` : text;
  const fragment = /** @type {DocumentFragment} */ (
    /** @type {unknown} */ (DOMPurify.sanitize(marked.parser(marked.lexer(begin)), ALLOWED))
  );
  fragment.querySelectorAll("td, th, li, br, hr").forEach((element) => element.after(" "));
  return (fragment.textContent ?? "").replace(/\s+/g, " ").trim();
}

/** @param {HTMLPreElement} pre */
function frameCode(pre) {
  const language = pre.dataset["language"] ?? "";
  const copy = copyButton("Copy the code", () => pre.textContent ?? "", pre);
  const frame = h("div", { class: "code" }, h("div", { class: "bar" }, h("span", {}, language || "text"), copy));
  pre.replaceWith(frame);
  pre.tabIndex = 0;
  pre.dir = "ltr";
  frame.append(pre);
}

/**
 * A button that shows the picture if it is in the text itself, and otherwise a link: the page asks no other host.
 * @param {string} source
 * @param {string} text
 */
function picture(source, text) {
  const name = text.trim() || "Picture";
  if (OWN_PICTURE.test(source)) {
    const button = h("button", { type: "button", class: "picture" }, `Show the picture: ${name}`);
    button.addEventListener("click", () => button.replaceWith(h("img", { src: source, alt: text })));
    return button;
  }
  if (!/^https?:\/\//i.test(source)) return document.createTextNode(name);
  const host = URL.canParse(source) ? new URL(source).host : source;
  return h("a", { class: "picture", href: source, target: "_blank", rel: "noopener noreferrer nofollow" }, `${name} (a picture at ${host})`);
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
