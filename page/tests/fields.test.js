import assert from "node:assert/strict";
import { test } from "node:test";
import { collectionOf, numberOf, typeOf } from "../src/view/fields.js";

test("a number that is not filled in is none, and not 0", () => {
  assert.deepEqual(["", " ", "0", "1.5"].map(numberOf), [null, null, 0, 1.5]);
});

test("a list or an object is written as JSON, and anything else is neither", () => {
  assert.deepEqual(["", '["a", 1]', '{"a": 1}', "a, b", "1", "null"].map(collectionOf), [null, ["a", 1], { a: 1 }, undefined, undefined, undefined]);
});

test("types are read as Python writes them", () => {
  const read = (given) => [typeOf(given).type, typeOf(given).optional];
  assert.deepEqual(["int", "typing.List[str]", "typing.Optional[float]", "dict[str, int] | None"].map(read), [
    ["int", false],
    ["list[str]", false],
    ["float", true],
    ["dict[str, int]", true],
  ]);
});
