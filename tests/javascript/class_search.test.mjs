import assert from "node:assert/strict";
import { test } from "node:test";

import { findMatches } from "../../static/js/lib/class_search.js";

const CHOICES = ["African elephant", "cat", "crane", "electric guitar", "elephant", "crane"].map((text, at) => ({
  value: String(at),
  text,
}));

function search(text) {
  return findMatches(CHOICES, text).map(({ value }) => Number(value));
}

test("names that begin with the search come first, each group in its order", () => {
  assert.deepEqual(search("ele"), [3, 4, 0]);
});

test("case and surrounding space do not matter", () => {
  assert.deepEqual(search("  ELEphant "), [4, 0]);
});

test("two classes of one name are both found", () => {
  assert.deepEqual(search("crane"), [2, 5]);
});

test("an empty search finds every class, in the original order", () => {
  assert.deepEqual(search(""), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(CHOICES.map(({ value }) => Number(value)), [0, 1, 2, 3, 4, 5]);
});

test("a search that no name contains finds none", () => {
  assert.deepEqual(search("unicorn"), []);
});
