import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamText } from "../src/view/stream_text.js";

/** Paragraphs, in place of Markdown. */
const blocksOf = (text) => (text.match(/(?:[^\n]|\n(?!\n))+\n*/g) ?? []).map((raw) => ({ raw }));

/** Where a text is shown: nodes that can be removed, and how many were ever made. */
function place() {
  const shown = { nodes: [], made: 0, append: (fragment) => shown.nodes.push(...fragment.childNodes) };
  function rendered(block) {
    shown.made += 1;
    const node = { text: block.raw, remove: () => shown.nodes.splice(shown.nodes.indexOf(node), 1) };
    return { childNodes: [node] };
  }
  return Object.assign(shown, { rendering: { blocksOf, rendered } });
}

test("a text that grows is shown as the whole is", () => {
  const text = "one\n\ntwo two\n\nthree\nthree\n\nfour";
  const shown = place();
  const stream = new StreamText(shown, shown.rendering, () => 0);
  for (let length = 1; length <= text.length; length++) {
    stream.set(text.slice(0, length));
    while (stream.render());
    assert.equal(shown.nodes.map((node) => node.text).join(""), text.slice(0, length).replace(/^\n+/, ""));
  }
});

test("only the last block is made again", () => {
  const shown = place();
  const stream = new StreamText(shown, shown.rendering, () => 0);
  const paragraphs = Array.from({ length: 50 }, (_, number) => `paragraph ${number}\n\n`);
  for (let count = 1; count <= 50; count++) {
    stream.set(paragraphs.slice(0, count).join(""));
    while (stream.render());
  }
  assert.equal(shown.nodes.length, 50);
  assert.ok(shown.made <= 150, `${shown.made} blocks were made`);
});

test("a long text is shown in portions", () => {
  let time = 0;
  const shown = place();
  const stream = new StreamText(shown, shown.rendering, () => (time += 1));
  stream.set("word\n\n".repeat(20_000));
  let frames = 0;
  while (stream.render(true)) frames += 1;
  assert.equal(shown.nodes.length, 20_000);
  assert.ok(frames > 500, `${frames} frames`);
});
