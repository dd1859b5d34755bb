import assert from "node:assert/strict";
import { test } from "node:test";
import { End } from "../src/view/end.js";

/** A scroller of 100 pixels that shows its end, and what was told of it. */
function shown(height) {
  const told = [];
  const scroller = {
    height,
    clientHeight: 100,
    top: 0,
    get scrollHeight() {
      return this.height;
    },
    get scrollTop() {
      return this.top;
    },
    set scrollTop(top) {
      this.top = Math.max(0, Math.min(top, this.height - 100));
    },
  };
  const end = new End(scroller, (held) => told.push(held));
  end.show();
  return {
    told,
    top: () => scroller.top,
    grow(by) {
      scroller.height += by;
      scroller.scrollTop = scroller.top; // a browser shows nothing behind the end
      end.scrolled();
      end.grown();
    },
    scroll(by) {
      scroller.scrollTop = scroller.top + by;
      end.scrolled();
    },
  };
}

test("what grows stays at its end, and so does what shrinks", () => {
  const page = shown(500);
  page.grow(300);
  assert.equal(page.top(), 700);
  page.grow(-200);
  page.grow(50);
  assert.equal(page.top(), 550);
  assert.deepEqual(page.told, []);
});

test("the smallest step up stays where it is, whatever comes", () => {
  const page = shown(500);
  page.scroll(-10);
  page.scroll(0); // the last event of a movement may tell nothing new
  page.grow(300);
  assert.equal(page.top(), 390);
  assert.deepEqual(page.told, [false]);
});

test("a step down stays away from an end that is far, and holds one that is near", () => {
  const page = shown(500);
  page.scroll(-200);
  page.scroll(20);
  page.grow(100);
  assert.equal(page.top(), 220);
  page.scroll(250);
  page.grow(100);
  assert.equal(page.top(), 600);
  assert.deepEqual(page.told, [false, true]);
});
