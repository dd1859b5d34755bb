import assert from "node:assert/strict";
import { test } from "node:test";
import { moment } from "../src/view/text.js";

test("what was today has a time, what was earlier a day, and what was in another year that year", () => {
  const now = new Date(2026, 10, 27, 14, 0);
  const told = (...at) => moment(new Date(...at).toISOString(), now, "en-GB");
  assert.equal(told(2026, 10, 27, 0, 5), "0:05");
  assert.equal(told(2026, 10, 26, 23, 59), "26 Nov");
  assert.equal(told(2025, 10, 27, 14, 0), "27 Nov 2025");
  assert.equal(moment("", now), "");
});
