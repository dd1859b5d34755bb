import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../src/api/api.js";
import { follow } from "../src/api/follow.js";

const content = (index) => ({ event: "RunContent", run_id: "r", event_index: index });
const END = { event: "RunCompleted", run_id: "r", event_index: 9 };

/** Streams one after the other: an error among the events breaks the stream off there. */
async function followed(streams, { after = -1, starts = true, young = false } = {}) {
  const asked = [];
  const waits = [];
  const next = (last) => {
    asked.push(last);
    const stream = streams.shift();
    if (stream === undefined) throw new Error("asked once more");
    if (stream instanceof Error) throw stream;
    return (async function* () {
      for (const event of stream) {
        if (event instanceof Error) throw event;
        yield event;
      }
    })();
  };
  const events = [];
  const open = starts ? async () => next("start") : null;
  for await (const event of follow({ run: "r", after, open, resume: async (last) => next(last), wait: async (ms) => void waits.push(ms), young: () => young })) {
    events.push(event.event_index ?? event.event);
  }
  return { events, asked, waits };
}

test("a stream is taken up after the last event, and nothing comes twice", async () => {
  const lost = new TypeError("network error");
  const { events, asked } = await followed([[content(0), content(1), lost], [content(1), content(3)], [content(3), END]]);
  assert.deepEqual(events, [0, 1, 3, 9]);
  assert.deepEqual(asked, ["start", 1, 3]);
});

test("a member's end is not the run's", async () => {
  const member = { event: "RunCompleted", run_id: "m", event_index: 1 };
  const { events } = await followed([[content(0), member], [END]]);
  assert.deepEqual(events, [0, 1, 9]);
});

test("a cancelled run ends with the event after", async () => {
  const cancelled = { event: "RunCancelled", run_id: "r", event_index: 8 };
  assert.deepEqual((await followed([[cancelled, END]])).events, [8, 9]);
});

test("a run whose events are gone has ended", async () => {
  const replay = { event: "replay", status: "COMPLETED", total_events: 0 };
  assert.deepEqual((await followed([[replay]], { starts: false })).events, ["replay"]);
});

test("who is told to come back in weeks does not wait, and in seconds does", async () => {
  const throttled = (seconds) => new ApiError(429, "The limit is reached", "LIMIT_REACHED", seconds);
  const { waits } = await followed([throttled(5), [END]]);
  assert.deepEqual(waits, [5000]);
  await assert.rejects(followed([throttled(1_900_800), [END]]), { code: "LIMIT_REACHED" });
});

test("a start whose answer was lost is sent again, and followed if it had arrived", async () => {
  const conflict = new ApiError(409, "in use", "CONFLICT");
  const { asked, events } = await followed([new ApiError(0, "", "UNREACHABLE"), conflict, [END]]);
  assert.deepEqual(asked, ["start", "start", -1]);
  assert.deepEqual(events, [9]);
});

test("waiting grows, and does as the API says", async () => {
  const busy = new ApiError(429, "", "", 7);
  const gone = new ApiError(0, "", "");
  const { waits } = await followed([gone, gone, busy, gone, [END]]);
  assert.deepEqual(waits, [250, 500, 7000, 2000]);
});

test("what waiting does not mend is thrown", async () => {
  await assert.rejects(followed([new ApiError(404, "Run not found", "")]), { status: 404 });
});

test("a run that may be on its way to the API is waited for, and one that is not there is not", async () => {
  const missing = () => new ApiError(404, "Run not found", "");
  assert.deepEqual((await followed([missing(), missing(), [END]], { starts: false, young: true })).asked, [-1, -1, -1]);
  await assert.rejects(followed([missing()], { starts: false }), { status: 404 });
  await assert.rejects(followed([missing()], { young: true }), { status: 404 });
  await assert.rejects(followed([[content(0), new TypeError()], missing()], { starts: false, young: true }), { status: 404 });
});

test("a pause is the end, unless something comes after it", async () => {
  const pause = { event: "RunPaused", run_id: "r", event_index: 5 };
  assert.deepEqual((await followed([[content(0), pause]])).events, [0, 5]);
  const { events, asked } = await followed([[content(0), pause, content(6), new TypeError()], [END]], { starts: false });
  assert.deepEqual([events, asked], [[0, 5, 6, 9], [-1, 6]]);
});
