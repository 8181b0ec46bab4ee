/** The region where a map reaches a value: the line around it, its bounding box, and its share of the map. */

/**
 * @typedef {import("./maps.js").Box} Box
 * @typedef {{line: Path2D, box: Box, share: number}} Contour in pixels of the spread map; `share` of its area, 0 to 1.
 */

/** A pixel's value is the value at its centre. */
const HALF = 0.5;

/** On large maps the line has one vertex per this many pixels; a bilinear map needs no more. */
const CELL_PIXELS = 4;
const COARSE_PIXELS = 100;

/**
 * The edges of a cell that the line crosses, by the corners that reach the value (1 upper left, 2 upper right, 4 lower
 * right, 8 lower left). Edges: 0 top, 1 right, 2 bottom, 3 left. Marching squares: Lorensen and Cline's table in 2D.
 *
 * @type {readonly (readonly [number, number][])[]}
 */
const CROSSINGS = [
  [], [[3, 0]], [[0, 1]], [[3, 1]], [[1, 2]], [[3, 0], [1, 2]], [[0, 2]], [[3, 2]],
  [[2, 3]], [[2, 0]], [[0, 1], [2, 3]], [[2, 1]], [[1, 3]], [[1, 0]], [[0, 3]], [],
];

/**
 * @param {Float32Array} values a spread map, row by row.
 * @param {number} width in pixels.
 * @param {number} height
 * @param {number} level
 * @returns {Contour | null} null if no value reaches the level.
 */
export function trace(values, width, height, level) {
  const region = bound(values, width, level);
  return region && { ...region, line: draw(values, width, height, level, region.box) };
}

/**
 * @param {Float32Array} values
 * @param {number} width
 * @param {number} level
 * @returns {{box: Box, share: number} | null}
 */
function bound(values, width, level) {
  const height = values.length / width;
  let [left, upper, right, lower, count] = [width, height, 0, 0, 0];
  for (let row = 0; row < height; row += 1) {
    const start = row * width;
    const before = count;
    for (let column = 0; column < width; column += 1) {
      if (/** @type {number} */ (values[start + column]) >= level) {
        count += 1;
        if (column < left) left = column;
        if (column >= right) right = column + 1;
      }
    }
    if (count > before) {
      upper = Math.min(upper, row);
      lower = row + 1;
    }
  }
  return count === 0 ? null : { box: { left, upper, right, lower }, share: count / values.length };
}

/**
 * The pixels at which cells begin and end: every few pixels, and the last one.
 *
 * @param {number} first
 * @param {number} end
 * @param {number} count of pixels.
 * @returns {number[]}
 */
function listCorners(first, end, count) {
  const cell = count > COARSE_PIXELS ? CELL_PIXELS : 1;
  const start = Math.max(0, first - cell);
  const last = Math.min(count - 1, end + cell - 1);
  const corners = [];
  for (let at = start; at < last; at += cell) {
    corners.push(at);
  }
  return [...corners, last];
}

/**
 * @param {Float32Array} values
 * @param {number} width
 * @param {number} height
 * @param {number} level
 * @param {Box} box outside of which no value reaches the level.
 * @returns {Path2D}
 */
function draw(values, width, height, level, box) {
  const path = new Path2D();
  const columns = listCorners(box.left, box.right, width);
  const rows = listCorners(box.upper, box.lower, height);
  for (let down = 0; down + 1 < rows.length; down += 1) {
    for (let across = 0; across + 1 < columns.length; across += 1) {
      const [left, right, upper, lower] = [columns[across], columns[across + 1], rows[down], rows[down + 1]];
      crossCell(path, values, width, level, /** @type {Box} */ ({ left, upper, right, lower }));
    }
  }
  return path;
}

/**
 * @param {Path2D} path
 * @param {Float32Array} values
 * @param {number} width
 * @param {number} level
 * @param {Box} cell the pixels at its corners.
 */
function crossCell(path, values, width, level, { left, upper, right, lower }) {
  const a = /** @type {number} */ (values[upper * width + left]);
  const b = /** @type {number} */ (values[upper * width + right]);
  const c = /** @type {number} */ (values[lower * width + right]);
  const d = /** @type {number} */ (values[lower * width + left]);
  const kind = Number(a >= level) + 2 * Number(b >= level) + 4 * Number(c >= level) + 8 * Number(d >= level);
  /** @param {number} from @param {number} to @param {number} first @param {number} last */
  const between = (from, to, first, last) => first + (last - first) * ((level - from) / (to - from)) + HALF;
  /** @param {number} edge @returns {[number, number]} */
  const cross = (edge) => {
    if (edge === 0) return [between(a, b, left, right), upper + HALF];
    if (edge === 1) return [right + HALF, between(b, c, upper, lower)];
    if (edge === 2) return [between(d, c, left, right), lower + HALF];
    return [left + HALF, between(a, d, upper, lower)];
  };
  for (const [first, second] of CROSSINGS[kind] ?? []) {
    path.moveTo(...cross(first));
    path.lineTo(...cross(second));
  }
}
