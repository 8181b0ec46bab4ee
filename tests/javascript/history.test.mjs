import assert from "node:assert/strict";
import { test } from "node:test";

import { chooseLeaving, MOST_BYTES, MOST_ENTRIES, readView } from "../../static/js/lib/history.js";

const make = (count, size) => Array.from({ length: count }, (_, index) => ({ id: String(index), picture: { size } }));

test("the oldest entries leave", () => {
  const { gone, bare } = chooseLeaving(make(MOST_ENTRIES + 2, 1));
  assert.deepEqual(
    gone.map(({ id }) => id),
    [String(MOST_ENTRIES), String(MOST_ENTRIES + 1)],
  );
  assert.deepEqual(bare, []);
});

test("older entries lose their pictures before the newest", () => {
  const { gone, bare } = chooseLeaving(make(4, MOST_BYTES / 2));
  assert.deepEqual(gone, []);
  assert.deepEqual(
    bare.map(({ id }) => id),
    ["2", "3"],
  );
});

test("an entry without a picture takes no bytes", () => {
  const entries = [{ id: "a", picture: null }, ...make(1, MOST_BYTES)];
  assert.deepEqual(chooseLeaving(entries).bare, []);
});

test("the id of an analysis is read from its address, also below a path", () => {
  assert.equal(readView("http://x/analyses/ab-C_9?target=3#attention").id, "ab-C_9");
  assert.equal(readView("http://x/lens/analyses/abc").id, "abc");
  assert.equal(readView("http://x/sheets/abc").id, "");
  assert.equal(readView("http://x/analyses/abc/blocks/cbam/1").id, "");
});
