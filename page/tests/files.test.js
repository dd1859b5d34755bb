import assert from "node:assert/strict";
import { test } from "node:test";
import { refusal } from "../src/shell/files.js";

const limits = { extensions: [".txt", ".png"], maxBytes: 1000, maxFiles: 2 };
const file = (name, size = 1) => ({ name, size });

for (const [files, why] of [
  [[file("a.txt"), file("B.PNG", 999)], /^$/],
  [[file("a.exe")], /“a.exe” is of a type/],
  [[file("txt")], /type/],
  [[file("a.txt", 0)], /is empty/],
  [[file("a.txt", 600), file("b.txt", 600)], /These files have 1 KB/],
  [[file("a.txt"), file("b.txt"), file("c.txt")], /At most 2/],
]) {
  test(`${JSON.stringify(files)}: ${why}`, () => assert.match(refusal(files, limits), why));
}
