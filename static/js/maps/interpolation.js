/**
 * Bilinear interpolation from a map's positions to pixels, between the positions' centres, as on the server.
 *
 * @typedef {import("./maps.js").HeatMap} HeatMap
 * @typedef {{first: number, weights: number[]}} Mix the neighbours that make one pixel, and their weights.
 */

/**
 * A map at `width` x `height` pixels, row by row.
 *
 * @param {HeatMap} map
 * @param {number} width
 * @param {number} height
 * @returns {Float32Array}
 */
export function spread(map, width, height) {
  const across = mixes(map.width, width);
  const down = mixes(map.height, height);
  const rows = new Float32Array(width * map.height);
  for (let row = 0; row < map.height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      rows[row * width + column] = mix(across[column], map.values, row * map.width, 1);
    }
  }
  const pixels = new Float32Array(width * height);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      pixels[row * width + column] = mix(down[row], rows, column, width);
    }
  }
  return pixels;
}

/**
 * A map's value at one place.
 *
 * @param {HeatMap} map
 * @param {number} x share of the map's width, 0 to 1.
 * @param {number} y share of its height.
 * @returns {number}
 */
export function valueAt(map, x, y) {
  const [column, rest] = between(x * map.width, map.width);
  const [row, under] = between(y * map.height, map.height);
  const nextColumn = Math.min(column + 1, map.width - 1);
  const nextRow = Math.min(row + 1, map.height - 1);
  /** @param {number} r @param {number} c */
  const value = (r, c) => map.values[r * map.width + c] ?? 0;
  const upper = value(row, column) * (1 - rest) + value(row, nextColumn) * rest;
  const lower = value(nextRow, column) * (1 - rest) + value(nextRow, nextColumn) * rest;
  return upper * (1 - under) + lower * under;
}

/**
 * The last position whose centre is before a place, and the place's share of the way to the next centre.
 *
 * @param {number} place
 * @param {number} count
 * @returns {[number, number]}
 */
function between(place, count) {
  const centred = Math.min(Math.max(place - 0.5, 0), count - 1);
  const position = Math.floor(centred);
  return [position, centred - position];
}

/**
 * Pillow's bilinear filter: a triangle, as wide as a position if the picture is larger than the map, or as wide as a
 * pixel if it is smaller. The part of a triangle beyond the map does not count.
 *
 * @param {number} count positions.
 * @param {number} size pixels.
 * @returns {Mix[]}
 */
function mixes(count, size) {
  const step = count / size;
  const support = Math.max(step, 1);
  return Array.from({ length: size }, (_, pixel) => {
    const centre = (pixel + 0.5) * step;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const end = Math.min(count, Math.floor(centre + support + 0.5));
    const raw = Array.from({ length: end - first }, (_, at) =>
      Math.max(0, 1 - Math.abs(first + at + 0.5 - centre) / support),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { first, weights: raw.map((weight) => weight / sum) };
  });
}

/**
 * @param {Mix | undefined} part
 * @param {Float32Array} values
 * @param {number} start the index of the line's first value.
 * @param {number} stride from one position of the line to the next.
 * @returns {number}
 */
function mix(part, values, start, stride) {
  if (!part) {
    return 0;
  }
  const { first, weights } = part;
  let sum = 0;
  for (let at = 0; at < weights.length; at += 1) {
    sum += /** @type {number} */ (weights[at]) * /** @type {number} */ (values[start + (first + at) * stride]);
  }
  return sum;
}
