/** Of the end: who scrolls down to here wants to be there. */
const NEAR = 60;
/** Of the end: less than anybody scrolls. Positions are fractions of a pixel. */
const AT = 2;

/** Keeps what grows scrolled to its end, unless somebody scrolls up to read. */
export class End {
  #scroller;
  #changed;
  #top = 0;
  /** Whether the end is shown, and stays so. */
  held = true;

  /**
   * @param {{scrollTop: number, readonly scrollHeight: number, readonly clientHeight: number}} scroller
   * @param {(held: boolean) => void} changed
   */
  constructor(scroller, changed) {
    this.#scroller = scroller;
    this.#changed = changed;
  }

  /** Somebody has scrolled, or the browser has since there is less to show. */
  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const moved = scrollTop - this.#top;
    const left = scrollHeight - scrollTop - clientHeight;
    this.#top = scrollTop;
    if (moved < 0) this.#hold(left < AT);
    else if (moved > 0 && left < NEAR) this.#hold(true);
  }

  /** There is more to show. */
  grown() {
    if (!this.held) return;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#top = this.#scroller.scrollTop;
  }

  /** Goes to the end, and stays there. */
  show() {
    this.#hold(true);
    this.grown();
  }

  /** @param {boolean} held */
  #hold(held) {
    if (held === this.held) return;
    this.held = held;
    this.#changed(held);
  }
}
