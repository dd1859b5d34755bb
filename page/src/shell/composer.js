/** @import {Message} from "../chat/conversation.js" */
/** @import {Limits} from "./files.js" */
/** @import {Kept} from "../tab/storage.js" */
import { h, icon } from "../view/dom.js";
import { size } from "../view/text.js";
import { allowed, refusal } from "./files.js";

/** Where a message is written. What is not sent waits at its address, the text through a reload, too. */
export class Composer {
  #address = "";
  /** @type {Map<string, File[]>} by address */
  #filesOf = new Map();
  #takesFiles = true;
  #runs = false;
  #input = h("textarea", { rows: 1, placeholder: "Write a message", "aria-label": "Message", dir: "auto", enterkeyhint: "send" });
  #picker;
  #attach;
  #list = h("ul", { class: "files", "aria-label": "Files that go with the message" });
  #problem = h("p", { class: "failure", role: "alert", hidden: true });
  #background = h("input", { type: "checkbox" });
  #send = h("button", { type: "submit", class: "primary round", "aria-label": "Send" }, icon("send"));
  #stop = h("button", { type: "button", class: "primary round", "aria-label": "Stop", hidden: true }, icon("stop"));

  /**
   * @param {Limits} limits
   * @param {Kept} drafts
   * @param {{send(message: Message): void, stop(): void}} page
   */
  constructor(limits, drafts, page) {
    this.limits = limits;
    this.drafts = drafts;
    this.page = page;
    this.#picker = h("input", { type: "file", multiple: true, accept: limits.extensions.join(","), class: "unseen", tabindex: -1, "aria-hidden": "true" });
    this.#attach = h("button", { type: "button", class: "round", "aria-label": "Attach files", title: allowed(limits) }, icon("attach"));
    const hint = h("span", { class: "hint" }, allowed(limits));
    this.element = h(
      "form",
      { class: "composer", "aria-label": "Write a message" },
      this.#problem,
      this.#list,
      this.#input,
      h("div", { class: "row" }, this.#picker, this.#attach, hint, h("label", { class: "tick", title: "The run goes on without this page" }, this.#background, "In the background"), this.#send, this.#stop),
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener("input", () => {
      this.#keep();
      this.#show();
    });
    this.#input.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      this.add(files);
    });
    this.#attach.addEventListener("click", () => this.#picker.click());
    this.#picker.addEventListener("change", () => {
      this.add([...(this.#picker.files ?? [])]);
      this.#picker.value = "";
    });
    this.#stop.addEventListener("click", () => page.stop());
    this.#show();
  }

  /**
   * @param {string} address of what is written to
   * @param {boolean} [moves] whether what is written goes there, too
   */
  open(address, moves = false) {
    const { value } = this.#input;
    const files = this.#files;
    if (moves) this.#clear();
    this.#address = address;
    this.#input.value = moves ? value : (this.drafts.get(this.#draft) ?? "");
    if (moves) this.#files = files;
    this.#keep();
    this.#show();
  }

  /**
   * Gives back what could not be sent, unless something else is written there.
   * @param {string} address of what it was written to
   * @param {string} text
   * @param {File[]} files
   */
  giveBack(address, text, files) {
    const name = draftOf(address);
    if (this.drafts.get(name) !== null || this.#filesOf.get(address)?.length) return;
    this.drafts.set(name, text);
    this.#filesOf.set(address, files);
    if (address === this.#address) this.open(address);
  }

  get #draft() {
    return draftOf(this.#address);
  }

  get #files() {
    return this.#filesOf.get(this.#address) ?? [];
  }

  set #files(files) {
    this.#filesOf.set(this.#address, files);
  }

  #keep() {
    if (this.#input.value) this.drafts.set(this.#draft, this.#input.value);
    else this.drafts.remove(this.#draft);
  }

  #clear() {
    this.#files = [];
    this.#input.value = "";
    this.#keep();
  }

  focus() {
    this.#input.focus({ preventScroll: true });
  }

  /** @param {boolean} takes whether the component takes files */
  takeFiles(takes) {
    this.#takesFiles = takes;
    if (!takes) this.#files = [];
    this.#show();
  }

  /** @param {boolean} runs whether there is something to stop */
  running(runs) {
    if (this.#runs === runs) return;
    const focused = document.activeElement === this.#stop || document.activeElement === this.#send;
    this.#runs = runs;
    this.#show();
    if (focused) this.focus();
  }

  /** @param {File[]} files */
  add(files) {
    if (!this.#takesFiles) return this.#refuse("A workflow takes no files.");
    this.#files = [...this.#files, ...files];
    this.#show();
  }

  /** @param {string} text */
  #refuse(text) {
    this.#problem.hidden = !text;
    this.#problem.textContent = text;
  }

  #submit() {
    const text = this.#input.value.trim();
    if (this.#runs || (!text && !this.#files.length) || refusal(this.#files, this.limits)) return;
    const files = this.#files;
    this.#clear();
    this.#show();
    this.page.send({ text: text || "Look at this.", files, background: this.#background.checked });
  }

  #show() {
    const problem = refusal(this.#files, this.limits);
    this.#refuse(problem);
    this.#list.hidden = !this.#files.length;
    this.#list.replaceChildren(...this.#files.map((file) => this.#fileItem(file)));
    this.#attach.hidden = !this.#takesFiles;
    this.element.classList.toggle("takes-files", this.#takesFiles);
    this.#send.hidden = this.#runs;
    this.#stop.hidden = !this.#runs;
    this.#send.disabled = Boolean(problem) || (!this.#input.value.trim() && !this.#files.length);
    // Where a browser does not fit the field to its text itself.
    if (!CSS.supports("field-sizing", "content")) {
      this.#input.style.height = "auto";
      this.#input.style.height = `${this.#input.scrollHeight}px`;
    }
  }

  /** @param {File} file */
  #fileItem(file) {
    const remove = h("button", { type: "button", class: "quiet", "aria-label": `Remove ${file.name}` }, icon("close"));
    remove.addEventListener("click", () => {
      this.#files = this.#files.filter((each) => each !== file);
      this.#show();
      this.focus();
    });
    return h("li", {}, icon("file"), h("span", { dir: "auto" }, file.name), h("small", {}, size(file.size)), remove);
  }
}

/** @param {string} address of what is written to */
function draftOf(address) {
  return `draft ${address}`;
}

/**
 * Files that are dropped anywhere on an element.
 * @param {HTMLElement} target
 * @param {(files: File[]) => void} take
 */
export function takeDrops(target, take) {
  let depth = 0;
  const holds = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  const show = () => target.classList.toggle("drops", depth > 0);
  target.addEventListener("dragenter", (event) => {
    if (holds(event)) depth += 1;
    show();
  });
  target.addEventListener("dragleave", (event) => {
    if (holds(event)) depth -= 1;
    show();
  });
  target.addEventListener("dragover", (event) => {
    if (holds(event)) event.preventDefault();
  });
  target.addEventListener("drop", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    depth = 0;
    show();
    take([...(event.dataTransfer?.files ?? [])]);
  });
}
