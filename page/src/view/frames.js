/** Of a frame: the rest of the time is for everything else. */
const FRAME_MS = 20;

/**
 * @template T
 * @typedef {object} Drawing
 * @property {(thing: T) => boolean} draw takes a few milliseconds; gives whether there is more to do
 * @property {(thing: T) => boolean} first whether it is drawn in every frame
 * @property {() => void} drawn a frame has ended
 */

/**
 * @typedef {object} Screen
 * @property {() => number} now milliseconds
 * @property {(draw: () => void) => number} request
 * @property {(frame: number) => void} cancel
 */

/** @type {Screen} */
const BROWSER = {
  now: () => performance.now(),
  request: (draw) => requestAnimationFrame(draw),
  cancel: (frame) => cancelAnimationFrame(frame),
};

/**
 * What is to be drawn, in the order in which it came, over as many frames as it takes. So a page with hundreds of answers
 * shows the newest at once, and never stands still.
 * @template T
 */
export class Frames {
  /** @type {Set<T>} */
  #waiting = new Set();
  #frame = 0;
  #drawing;
  #screen;

  /**
   * @param {Drawing<T>} drawing
   * @param {Screen} [screen]
   */
  constructor(drawing, screen = BROWSER) {
    this.#drawing = drawing;
    this.#screen = screen;
  }

  /** @param {T} thing that has changed */
  add(thing) {
    this.#waiting.add(thing);
    this.#frame ||= this.#screen.request(() => this.#draw());
  }

  close() {
    this.#waiting.clear();
    this.#screen.cancel(this.#frame);
  }

  #draw() {
    this.#frame = 0;
    const { draw, first, drawn } = this.#drawing;
    const until = this.#screen.now() + FRAME_MS;
    const all = [...this.#waiting];
    const head = all.filter(first);
    const tail = all.filter((thing) => !first(thing));
    // One of the others is drawn in any case, however long the first take.
    for (const [index, thing] of [...head, ...tail].entries()) {
      if (index > head.length && this.#screen.now() >= until) break;
      this.#waiting.delete(thing);
      if (draw(thing)) this.#waiting.add(thing);
    }
    drawn();
    if (this.#waiting.size) this.#frame ||= this.#screen.request(() => this.#draw());
  }
}
