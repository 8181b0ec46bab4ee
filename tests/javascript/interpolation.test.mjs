import assert from "node:assert/strict";
import { test } from "node:test";

import { spread, valueAt } from "../../static/js/maps/interpolation.js";
import { closeTo, makeRandom } from "./numbers.mjs";

function make(width, height, values) {
  return { width, height, min: Math.min(...values), max: Math.max(...values), values: Float32Array.from(values) };
}

function makeNoise(width, height, seed) {
  const random = makeRandom(seed);
  return make(width, height, Array.from({ length: width * height }, () => random()));
}

function expectNear(found, wanted) {
  assert.equal(found.length, wanted.length);
  wanted.forEach((value, at) => closeTo(found[at], value));
}

test("two positions become four pixels, three quarters of the way at the inner ones", () => {
  expectNear(spread(make(2, 1, [0, 4]), 4, 1), [0, 1, 3, 4]);
});

test("rows are spread as columns are", () => {
  expectNear(spread(make(1, 2, [0, 4]), 1, 4), [0, 1, 3, 4]);
});

test("four positions become two pixels by a triangle that is as wide as a pixel", () => {
  // Pillow's weights: 3/7, 3/7, 1/7.
  expectNear(spread(make(4, 1, [7, 0, 0, 0]), 2, 1), [3, 0]);
  expectNear(spread(make(4, 1, [0, 7, 0, 0]), 2, 1), [3, 1]);
});

test("a map at its own size does not change", () => {
  const map = makeNoise(7, 5, 1);
  expectNear(spread(map, 7, 5), [...map.values]);
});

test("a flat map stays flat at every size", () => {
  for (const [width, height] of [[1, 1], [3, 2], [7, 7], [50, 33]]) {
    expectNear(spread(make(7, 7, Array(49).fill(0.3)), width, height), Array(width * height).fill(0.3));
  }
});

test("no pixel is beyond the map's lowest and highest value", () => {
  const map = makeNoise(7, 7, 2);
  for (const value of spread(map, 224, 160)) {
    assert.ok(value >= map.min - 1e-6 && value <= map.max + 1e-6);
  }
});

test("a mirrored map becomes a mirrored picture", () => {
  const [width, height, size] = [7, 3, 40];
  const map = makeNoise(width, height, 3);
  const flip = (values, count) => Array.from(values, (_, at) => values[at - (at % count) + count - 1 - (at % count)]);
  const mirrored = spread(make(width, height, flip(map.values, width)), size, height);
  expectNear(mirrored, flip(spread(map, size, height), size));
});

test("the value read at a pixel's centre is the value drawn there", () => {
  const map = makeNoise(7, 5, 4);
  const [width, height] = [91, 64];
  const pixels = spread(map, width, height);
  pixels.forEach((value, at) => {
    const [x, y] = [(at % width) + 0.5, Math.floor(at / width) + 0.5];
    closeTo(valueAt(map, x / width, y / height), value);
  });
});

test("the map's edge is read as its outermost positions", () => {
  const map = make(2, 2, [1, 2, 3, 4]);
  assert.deepEqual([valueAt(map, 0, 0), valueAt(map, 1, 0), valueAt(map, 0, 1), valueAt(map, 1, 1)], [1, 2, 3, 4]);
  assert.equal(valueAt(map, 0.5, 0.5), 2.5);
});
