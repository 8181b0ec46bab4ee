import assert from "node:assert/strict";
import { test } from "node:test";

import "./fake_browser.mjs";
import { trace } from "../../static/js/maps/contour.js";
import { closeTo, makeRandom } from "./numbers.mjs";

/** A spread map from a function of the column and the row. */
function make(width, height, value) {
  return Float32Array.from({ length: width * height }, (_, at) => value(at % width, Math.floor(at / width)));
}

/** The map's value at a place on the grid's lines, for `trace`: a pixel's value is that of its centre. */
function read(values, width, [x, y]) {
  const [column, row] = [x - 0.5, y - 0.5];
  const [left, upper] = [Math.floor(column), Math.floor(row)];
  const [right, lower] = [Math.ceil(column), Math.ceil(row)];
  const [across, down] = [column - left, row - upper];
  const along = (at) => values[at * width + left] * (1 - across) + values[at * width + right] * across;
  return along(upper) * (1 - down) + along(lower) * down;
}

test("nothing is traced if no value reaches the level", () => {
  assert.equal(trace(make(5, 4, () => 1), 5, 4, 1.01), null);
});

test("one bright pixel has a diamond around it", () => {
  const contour = trace(make(3, 3, (x, y) => Number(x === 1 && y === 1)), 3, 3, 0.5);
  assert.deepEqual(contour.box, { left: 1, upper: 1, right: 2, lower: 2 });
  assert.equal(contour.share, 1 / 9);
  const points = new Set(contour.line.lines.flat().map(String));
  assert.deepEqual(points, new Set(["1,1.5", "2,1.5", "1.5,1", "1.5,2"]));
  assert.equal(contour.line.lines.length, 4);
});

test("a map that rises from left to right has one upright line, where it reaches the level", () => {
  const contour = trace(make(8, 5, (x) => x), 8, 5, 3.25);
  assert.deepEqual(contour.box, { left: 4, upper: 0, right: 8, lower: 5 });
  assert.equal(contour.share, 0.5);
  assert.deepEqual([...new Set(contour.line.lines.flat().map(([x]) => x))], [3.75]);
  assert.equal(contour.line.lines.length, 4);
});

test("two corners that touch are kept apart", () => {
  const contour = trace(make(2, 2, (x, y) => Number(x === y)), 2, 2, 0.75);
  assert.deepEqual(new Set(contour.line.lines.map((line) => line.map(String).sort().join(" "))), new Set([
    "0.5,0.75 0.75,0.5",
    "1.25,1.5 1.5,1.25",
  ]));
});

test("the map has the level's value all along the line", () => {
  const random = makeRandom(1);
  for (let run = 0; run < 20; run += 1) {
    const [width, height] = [10 + (run % 7), 8 + (run % 5)];
    const values = make(width, height, () => random());
    const level = 0.2 + 0.6 * random();
    for (const point of trace(values, width, height, level).line.lines.flat()) {
      closeTo(read(values, width, point), level);
    }
  }
});

test("the line is closed except where it leaves the map", () => {
  const random = makeRandom(2);
  const [width, height] = [14, 11];
  const values = make(width, height, () => random());
  /** @type {Map<string, number>} */
  const ends = new Map();
  const { line } = trace(values, width, height, 0.5);
  for (const point of line.lines.flat()) {
    ends.set(String(point), (ends.get(String(point)) ?? 0) + 1);
  }
  assert.ok(ends.size > 50);
  for (const [point, count] of ends) {
    const [x, y] = point.split(",").map(Number);
    const isBorder = x === 0.5 || y === 0.5 || x === width - 0.5 || y === height - 0.5;
    assert.equal(count, isBorder ? 1 : 2, point);
  }
});

test("box and share cover all pixels that reach the level", () => {
  const random = makeRandom(3);
  const [width, height] = [23, 17];
  const values = make(width, height, () => random() ** 4);
  const reached = [...values.keys()].filter((at) => values[at] >= 0.7);
  const columns = reached.map((at) => at % width);
  const rows = reached.map((at) => Math.floor(at / width));
  const contour = trace(values, width, height, 0.7);
  assert.deepEqual(contour.box, {
    left: Math.min(...columns),
    upper: Math.min(...rows),
    right: Math.max(...columns) + 1,
    lower: Math.max(...rows) + 1,
  });
  assert.equal(contour.share, reached.length / values.length);
});

test("the coarse line of a large map stays within a pixel of a circle", () => {
  const [size, middle, radius] = [400, 200, 120];
  const values = make(size, size, (x, y) => 1000 - Math.hypot(x + 0.5 - middle, y + 0.5 - middle));
  const contour = trace(values, size, size, 1000 - radius);
  const points = contour.line.lines.flat();
  // One vertex per four pixels; a line with a vertex at every pixel would have four times as many.
  assert.ok(points.length > 200 && points.length < 1000, String(points.length));
  for (const [x, y] of points) {
    closeTo(Math.hypot(x - middle, y - middle), radius, 1);
  }
  closeTo(contour.share, (Math.PI * radius ** 2) / size ** 2, 0.002);
});
