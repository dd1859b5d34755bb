/** Of a frame: what comes in a burst is shown over several, each of which leaves time for everything else. */
const BUDGET_MS = 20;
/** Characters that are looked at together. */
const PIECE = 16_000;
/** Of the time that an open block takes to render again: so the page has most of it for everything else. */
const SHARE = 4;

/**
 * @typedef {object} Rendering How a text becomes blocks, and a block nodes. Text in, nothing else known of Markdown.
 * @property {(text: string) => {raw: string}[]} blocksOf
 * @property {(block: any) => DocumentFragment} rendered
 */

/**
 * Shows a text that grows as Markdown. Blocks that are followed by another one stay as they are. Only the last block is
 * rendered again, at most once a frame, and less often if it takes long.
 */
export class StreamText {
  #text = "";
  /** Where the text begins that is not in settled blocks. */
  #settled = 0;
  /** @type {{raw: string, end: number}[]} blocks that are settled, but not shown yet */
  #queue = [];
  /** @type {ChildNode[]} the nodes of the last block */
  #open = [];
  /** How much of the text the last block was made of. */
  #seen = 0;
  #piece = PIECE;
  #next = 0;
  #container;
  #now;
  #rendering;

  /**
   * @param {ParentNode} container
   * @param {Rendering} rendering
   * @param {() => number} now milliseconds
   */
  constructor(container, rendering, now = () => performance.now()) {
    this.#container = container;
    this.#now = now;
    this.#rendering = rendering;
  }

  /** @param {string} text the whole text so far */
  set(text) {
    this.#text = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
  }

  /**
   * Renders for a few milliseconds. Gives whether there is more to do.
   * @param {boolean} [ended] whether the text is whole
   */
  render(ended = false) {
    const started = this.#now();
    do {
      if (!this.#queue.length && !this.#look(started, ended)) return this.#seen < this.#text.length;
      const block = this.#queue.shift();
      if (block) this.#show(block);
    } while (this.#now() - started < BUDGET_MS);
    return true;
  }

  /**
   * Finds the next blocks. Gives whether there are any that are settled; shows the one that is not.
   * @param {number} started
   * @param {boolean} ended
   */
  #look(started, ended) {
    if (this.#seen === this.#text.length || (started < this.#next && !ended)) return false;
    const rest = this.#text.slice(this.#settled, this.#settled + this.#piece);
    const whole = this.#settled + rest.length === this.#text.length;
    const blocks = this.#placed(this.#rendering.blocksOf(rest));
    const last = blocks.pop();
    this.#queue = blocks;
    if (blocks.length) {
      this.#piece = PIECE;
      return true;
    }
    if (!whole) this.#piece *= 2;
    if (last) this.#open = this.#replaceOpen(last);
    this.#seen = this.#settled + rest.length;
    this.#next = this.#now() + (this.#now() - started) * SHARE;
    return false;
  }

  /** @param {{raw: string}[]} blocks */
  #placed(blocks) {
    let at = this.#settled;
    return blocks.map((block) => {
      const begin = this.#text.indexOf(block.raw, at);
      at = (begin < 0 ? at : begin) + block.raw.length;
      return Object.assign(block, { end: at });
    });
  }

  /** @param {{raw: string, end: number}} block */
  #show(block) {
    this.#replaceOpen(block);
    this.#open = [];
    this.#settled = block.end;
    this.#seen = block.end;
  }

  /** @param {{raw: string}} block */
  #replaceOpen(block) {
    const fragment = this.#rendering.rendered(block);
    const nodes = [...fragment.childNodes];
    this.#open.forEach((node) => node.remove());
    this.#container.append(fragment);
    return nodes;
  }
}
