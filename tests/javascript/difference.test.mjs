import assert from "node:assert/strict";
import { test } from "node:test";

import "./fake_browser.mjs";
import { coverDifference, hatchNegative, limitDifference, subtract, weighDifference } from "../../static/js/maps/difference.js";

const BLUE = 0xff0000aa;

test("a difference is in units on the shared scale, in shares of each maximum on their own", () => {
  const row = { className: "cat", networks: { baseline: { max: 4 }, se: { max: 8 }, cbam: { max: 2 } } };
  const difference = { of: "cbam", minus: "baseline" };
  assert.deepEqual(weighDifference(row, difference, "shared"), { of: 1, minus: -1 });
  assert.deepEqual(weighDifference(row, difference, "own"), { of: 0.5, minus: -0.25 });
  assert.deepEqual(weighDifference(row, { of: "baseline", minus: "se" }, "own"), { of: 0.25, minus: -0.125 });
});

test("maps without evidence have a difference of nothing, on a scale that is not empty", () => {
  const row = { className: "cat", networks: { baseline: { max: 0 }, cbam: { max: 0 } } };
  const factors = weighDifference(row, { of: "cbam", minus: "baseline" }, "own");
  const nothing = subtract(new Float32Array(9), new Float32Array(9), factors);
  assert.deepEqual([...nothing].map(Math.abs), Array(9).fill(0));
  assert.equal(limitDifference(nothing), 1);
});

test("one outlier widens the scale by four at most", () => {
  const values = new Float32Array(70).fill(-1);
  assert.equal(limitDifference(values), 1);
  values[3] = 3;
  assert.equal(limitDifference(values), 1);
  values[3] = 40;
  assert.equal(limitDifference(values), 10);
});

test("only what is clearly negative is hatched, along diagonals", () => {
  const width = 6;
  const values = new Float32Array(36).fill(1);
  values.fill(-0.2, 0, 12);
  values.fill(-1, 18, 36);
  const pixels = new Uint32Array(36).fill(BLUE);
  hatchNegative(values, width, 1, pixels);
  const rows = Array.from({ length: 6 }, (_, row) => [...pixels.subarray(6 * row, 6 * row + 6)]);
  assert.deepEqual(rows.slice(0, 3).flat(), Array(18).fill(BLUE));
  // Rows 3 and 4: white where row plus column is 6, black beside it.
  assert.deepEqual(rows[3], [BLUE, BLUE, BLUE, 0xffffffff, 0xff000000, BLUE]);
  assert.deepEqual(rows[4], [BLUE, BLUE, 0xffffffff, 0xff000000, BLUE, BLUE]);
});

test("larger differences cover more of the picture, at the ends of the opacity all alike", () => {
  const values = Float32Array.from([0, 0.5, -1, 7]);
  const cover = (opacity) => {
    const pixels = new Uint32Array(4).fill(BLUE);
    coverDifference(values, 1, opacity, pixels);
    assert.ok(pixels.every((pixel) => (pixel & 0xffffff) === 0x0000aa));
    return Array.from(pixels, (pixel) => pixel >>> 24);
  };
  assert.deepEqual(cover(0), [0, 0, 0, 0]);
  assert.deepEqual(cover(1), [255, 255, 255, 255]);
  // 255 times 0.5 times 1.5 times 0.25, 0.625 and 1.
  assert.deepEqual(cover(0.5), [48, 120, 191, 191]);
});
