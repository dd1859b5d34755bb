/**
 * Reads server-sent events (the HTML standard, 9.2.6) from text that arrives in pieces of any length.
 * Of a frame only its data counts here: every event says in it what it is.
 */
export class FrameReader {
  #rest = "";
  /** @type {string[]} */
  #data = [];

  /**
   * The data of the frames that this piece completes.
   * @param {string} piece
   * @returns {string[]}
   */
  read(piece) {
    const text = this.#rest + piece;
    // A carriage return at the end may be half of a line break.
    const end = text.endsWith("\r") ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() + text.slice(end);
    return lines.flatMap((line) => this.#line(line));
  }

  /** @param {string} line */
  #line(line) {
    if (line === "") {
      const data = this.#data;
      this.#data = [];
      return data.length ? [data.join("\n")] : [];
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === "data") this.#data.push(value ?? "");
    return [];
  }
}

/** A stream has a comment every 15 seconds. One that is silent for so long broke off, and nobody was told: after a sleep. */
const SILENCE_MS = 45_000;

/**
 * The events of an answer, as objects, while it arrives.
 * @param {ReadableStream<Uint8Array>} body
 * @param {number} [silence] milliseconds
 * @returns {AsyncGenerator<import("./types.js").RunEvent>}
 * @throws {TypeError} it broke off, as a browser says it, too
 */
export async function* events(body, silence = SILENCE_MS) {
  const frames = new FrameReader();
  const pieces = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  try {
    for (;;) {
      const { done, value } = await within(silence, pieces.read());
      if (done) return;
      for (const data of frames.read(/** @type {any} */ (value))) yield JSON.parse(data);
    }
  } finally {
    await pieces.cancel().catch(() => {});
  }
}

/**
 * @template T
 * @param {number} ms
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
function within(ms, promise) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TypeError("The stream is silent")), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
