import assert from "node:assert/strict";
import { test } from "node:test";
import { numberOf } from "../src/view/fields.js";

test("a number that is not filled in is none, and not 0", () => {
  assert.deepEqual(["", " ", "0", "1.5"].map(numberOf), [null, null, 0, 1.5]);
});
