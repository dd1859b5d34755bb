/** @import {RunEvent} from "./types.js" */
import { ApiError } from "./api.js";

/** The events that a run ends with, whatever its kind. Nothing comes after them. */
const END = /^(?:(?:Team)?Run|Workflow)(?:Completed|Error)$/;
/** After this one comes something only if the run was continued. */
const PAUSE = /^(?:(?:Team)?Run|Workflow)Paused$/;
const ENDED = ["COMPLETED", "ERROR", "CANCELLED", "PAUSED"];
const PAUSES_MS = [250, 500, 1000, 2000, 4000, 8000];
/** Who is told to come back later than that decides it: a limit of a month may say weeks. */
const LONGEST_WAIT_SECONDS = 60;

/**
 * @typedef {object} Following
 * @property {string} run
 * @property {number} after index of the last event that is known
 * @property {(() => Promise<AsyncIterable<RunEvent>>) | null} open the first stream: of a start or of a continuation; null to resume
 * @property {(after: number) => Promise<AsyncIterable<RunEvent>>} resume
 * @property {(ms: number) => Promise<void>} wait
 * @property {(error: ApiError | null) => void} [onInterrupted] the stream was lost, and will be taken up; null: it was
 * @property {() => boolean} [young] whether the run may be on its way to the API: one that is not found is asked for again
 */

/**
 * The events of a run, each once and in order, until the run ends or pauses. A stream that ends before, because the
 * connection was lost or the run goes on in another function, is taken up where it was.
 * @param {Following} following
 * @returns {AsyncGenerator<RunEvent>}
 * @throws {ApiError} what waiting does not mend
 */
export async function* follow({ run, after, open, resume, wait, onInterrupted, young }) {
  let last = after;
  let failures = 0;
  let pauses = false;
  for (let next = open; ; ) {
    try {
      for await (const event of await (next ? next() : resume(last))) {
        if (failures) onInterrupted?.(null);
        failures = 0;
        next = null;
        if (event.event === "replay") yield event;
        if (typeof event.event_index !== "number" || event.event_index <= last) {
          if (event.event === "replay" && ENDED.includes(event.status) && !event.total_events) return;
          continue;
        }
        last = event.event_index;
        yield event;
        if (event.run_id === run && END.test(event.event)) return;
        pauses = event.run_id === run && PAUSE.test(event.event);
      }
      if (pauses) return;
      // The end of the stream is not the run's: nothing was lost, so the next one is asked for at once.
      next = null;
      await wait(failures ? pause(failures) : PAUSES_MS[0] ?? 0);
    } catch (error) {
      if (next && error instanceof ApiError && error.status === 409) {
        // The answer to the request was lost, not the request.
        next = null;
        continue;
      }
      if (!next && last < 0 && error instanceof ApiError && error.status === 404 && young?.()) {
        await wait(PAUSES_MS[1] ?? 0);
        continue;
      }
      const lost = error instanceof ApiError ? error : isLost(error) ? new ApiError(0, "The connection was lost", "LOST") : null;
      if (lost === null || !lost.passes || (lost.retryAfter ?? 0) > LONGEST_WAIT_SECONDS) throw error;
      failures += 1;
      onInterrupted?.(lost);
      await wait((lost.retryAfter ?? 0) * 1000 || pause(failures));
    }
  }
}

/** @param {number} failures */
function pause(failures) {
  return PAUSES_MS[Math.min(failures, PAUSES_MS.length) - 1] ?? 0;
}

/**
 * Whether this is how a browser says that a stream broke off.
 * @param {unknown} error
 */
function isLost(error) {
  return error instanceof TypeError || error instanceof SyntaxError;
}
