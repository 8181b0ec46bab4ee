/** One network's map minus another's: its values, its own scale, and its drawing without colours. */

import { mapOf } from "./maps.js";

/**
 * @typedef {import("./maps.js").Difference} Difference
 * @typedef {import("./maps.js").MapRow} MapRow
 * @typedef {{of: number, minus: number}} Factors of the two maps.
 */

/** The server's constants (app/render/colour_scale.py and app/render/overlay.py). */
const QUANTILE = 0.98;
const OUTLIER_RATIO = 4;
const HATCHED_SHARE = 0.25;
const HATCHES = 40;
const NARROWEST_HATCH_PIXELS = 6;

const WHITE = 0xffffffff;
const BLACK = 0xff000000;

/**
 * The factors of a difference: in the method's units on the shared scale, in shares of each map's maximum where each has
 * its own scale.
 *
 * @param {MapRow} row
 * @param {Difference} difference
 * @param {"shared" | "own"} scale
 * @returns {Factors}
 */
export function weighDifference({ networks }, difference, scale) {
  if (scale === "shared") {
    return { of: 1, minus: -1 };
  }
  return { of: 1 / (mapOf(networks, difference.of).max || 1), minus: -1 / (mapOf(networks, difference.minus).max || 1) };
}

/**
 * @param {Float32Array} of
 * @param {Float32Array} minus of the same length.
 * @param {Factors} factors
 * @returns {Float32Array}
 */
export function subtract(of, minus, factors) {
  return of.map((value, at) => value * factors.of + /** @type {number} */ (minus[at]) * factors.minus);
}

/**
 * The ends of a difference's own scale, as on the server: 98 % of its values lie within them, and the largest one is at
 * most four times as large.
 *
 * @param {Float32Array} values
 * @returns {number} above 0; 1 where there is no difference.
 */
export function limitDifference(values) {
  const sizes = values.map(Math.abs).sort();
  const common = sizes[Math.floor(QUANTILE * (sizes.length - 1))] ?? 0;
  const largest = sizes.at(-1) ?? 0;
  return Math.max(common, largest / OUTLIER_RATIO) || 1;
}

/**
 * Draw white and black diagonals where a difference is clearly negative, so that its sign survives without colours.
 *
 * @param {Float32Array} values row by row.
 * @param {number} width
 * @param {number} limit the upper end of the scale.
 * @param {Uint32Array} pixels already coloured.
 */
export function hatchNegative(values, width, limit, pixels) {
  const height = values.length / width;
  const distance = Math.max(NARROWEST_HATCH_PIXELS, Math.floor(Math.max(height, width) / HATCHES));
  const thickness = Math.max(1, Math.floor(distance / 8));
  const highest = -HATCHED_SHARE * limit;
  for (let at = 0; at < values.length; at += 1) {
    const along = ((at % width) + Math.floor(at / width)) % distance;
    if (along < 2 * thickness && /** @type {number} */ (values[at]) < highest) {
      pixels[at] = along < thickness ? WHITE : BLACK;
    }
  }
}

/**
 * Set how far a difference's colours cover the picture: the larger the value, the more (app/render/overlay.py).
 *
 * @param {Float32Array} values
 * @param {number} limit the upper end of the scale.
 * @param {number} opacity 0 to 1.
 * @param {Uint32Array} pixels already coloured; their alpha changes.
 */
export function coverDifference(values, limit, opacity, pixels) {
  const most = 255 * opacity * (2 - opacity);
  const least = opacity ** 2;
  for (let at = 0; at < values.length; at += 1) {
    const weight = Math.min(Math.abs(/** @type {number} */ (values[at])) / limit, 1);
    const alpha = Math.round(most * (weight + (1 - weight) * least));
    pixels[at] = /** @type {number} */ (pixels[at]) & 0xffffff | (alpha << 24);
  }
}

/**
 * A picture in the server's greys (Pillow's conversion to `L`), so that its colours are not taken for the difference's.
 *
 * @param {CanvasImageSource} picture decoded.
 * @param {number} width
 * @param {number} height
 * @returns {HTMLCanvasElement}
 */
export function drawGrey(picture, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.drawImage(picture, 0, 0, width, height);
  const image = context.getImageData(0, 0, width, height);
  const { data } = image;
  for (let at = 0; at < data.length; at += 4) {
    const [red = 0, green = 0, blue = 0] = [data[at], data[at + 1], data[at + 2]];
    data.fill((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16, at, at + 3);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
