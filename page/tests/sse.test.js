import assert from "node:assert/strict";
import { test } from "node:test";
import { events, FrameReader } from "../src/api/sse.js";

const STREAM = "event: a\nid: 1\ndata: {\"n\":1}\n\n: a comment\n\ndata: two\r\ndata:lines\r\n\r\ndata: ü €\n\n";
const FRAMES = ['{"n":1}', "two\nlines", "ü €"];

test("frames are the same however the text is cut", () => {
  for (let size = 1; size <= STREAM.length; size++) {
    const reader = new FrameReader();
    const found = [];
    for (let at = 0; at < STREAM.length; at += size) found.push(...reader.read(STREAM.slice(at, at + size)));
    assert.deepEqual(found, FRAMES, `pieces of ${size}`);
  }
});

test("a frame that is not whole is not given", () => {
  assert.deepEqual(new FrameReader().read("data: half\n"), []);
});

test("a stream that is silent for too long broke off", async () => {
  const silent = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('data: {"event": "a"}\n\n')) });
  const read = [];
  await assert.rejects(async () => {
    for await (const event of events(silent, 20)) read.push(event.event);
  }, TypeError);
  assert.deepEqual(read, ["a"]);
});
