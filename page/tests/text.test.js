import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, moment, size } from "../src/view/text.js";

test("what was today has a time, what was earlier a day, and what was in another year that year", () => {
  const now = new Date(2026, 10, 27, 14, 0);
  const told = (...at) => moment(new Date(...at).toISOString(), now, "en-GB");
  assert.equal(told(2026, 10, 27, 0, 5), "0:05");
  assert.equal(told(2026, 10, 26, 23, 59), "26 Nov");
  assert.equal(told(2025, 10, 27, 14, 0), "27 Nov 2025");
  assert.equal(moment("", now), "");
});

test("sizes and times are rounded before their unit is chosen", () => {
  assert.deepEqual([0, 1, 999, 1000, 999_499, 999_500, 4_500_000].map(size), ["0 bytes", "1 byte", "999 bytes", "1 KB", "999 KB", "1.0 MB", "4.5 MB"]);
  assert.deepEqual([0.05, 0.25, 9.5, 59.4, 59.6, 119.6, 3600, 7265].map(duration), ["", "0.3 s", "9.5 s", "59 s", "1 min 0 s", "2 min 0 s", "1 h 0 min", "2 h 1 min"]);
});
