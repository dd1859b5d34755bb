import assert from "node:assert/strict";
import { test } from "node:test";
import { Frames } from "../src/view/frames.js";

/** Draws things that take so many milliseconds in each of so many frames; gives what each frame has drawn. */
function drawn(things, frames) {
  let now = 0;
  let next = null;
  const shown = [];
  const screen = { now: () => now, request: (draw) => ((next = draw), 1), cancel: () => (next = null) };
  const drawing = {
    draw(thing) {
      now += thing.ms;
      shown.at(-1).push(thing.name);
      return (thing.times -= 1) > 0;
    },
    first: (thing) => Boolean(thing.runs),
    drawn() {},
  };
  const all = new Frames(drawing, screen);
  things.forEach((thing) => all.add({ times: 1, ...thing }));
  for (let frame = 0; frame < frames; frame++) {
    const draw = next;
    next = null;
    shown.push([]);
    draw?.();
  }
  return shown;
}

test("a frame ends when its time is over, and the next one goes on", () => {
  const things = ["a", "b", "c", "d", "e"].map((name) => ({ name, ms: 12 }));
  assert.deepEqual(drawn(things, 4), [["a", "b"], ["c", "d"], ["e"], []]);
});

test("what runs is drawn in every frame, and holds nothing up for ever", () => {
  const things = [{ name: "a", ms: 5 }, { name: "b", ms: 5 }, { name: "live", ms: 30, runs: true, times: 3 }];
  assert.deepEqual(drawn(things, 4), [["live", "a"], ["live", "b"], ["live"], []]);
});

test("what is not ready comes after what waits", () => {
  const things = [{ name: "long", ms: 15, times: 2 }, { name: "short", ms: 15 }];
  assert.deepEqual(drawn(things, 3), [["long", "short"], ["long"], []]);
});
