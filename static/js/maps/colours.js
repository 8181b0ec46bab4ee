/** Colour maps: the server's own tables, each fetched when it is first needed. */

import { loadImage } from "../lib/page.js";

/** @typedef {Uint32Array} ColourTable 256 opaque colours in the format of an ImageData. */

export const DIFFERENCE_COLORMAP = "RdBu_r";

const COLOURS = 256;

/** @type {Map<string, Promise<ColourTable>>} */
const tables = new Map();

/**
 * The server's address of a colour map, which the page's root element gives for the map `NAME`.
 *
 * @param {string} colormap matplotlib's name.
 * @returns {string}
 */
export function colormapAddress(colormap) {
  return (document.documentElement.dataset.colourMap ?? "").replace("NAME", colormap);
}

/**
 * @param {string} colormap
 * @returns {Promise<ColourTable>}
 */
export function loadColours(colormap) {
  let table = tables.get(colormap);
  if (!table) {
    table = readTable(colormapAddress(colormap));
    tables.set(colormap, table);
    // The next attempt may succeed.
    table.catch(() => tables.delete(colormap));
  }
  return table;
}

/**
 * @param {string} address of a picture of 256 x 1 pixels.
 * @returns {Promise<ColourTable>}
 */
async function readTable(address) {
  const image = new Image();
  image.src = address;
  await loadImage(image);
  const canvas = document.createElement("canvas");
  canvas.width = COLOURS;
  canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) {
    throw new Error("this browser has no canvas");
  }
  context.drawImage(image, 0, 0);
  return new Uint32Array(context.getImageData(0, 0, COLOURS, 1).data.buffer);
}

/**
 * Paint values as colours on a linear scale; values beyond an end get that end's colour.
 *
 * @param {Float32Array} values
 * @param {ColourTable} table
 * @param {number} low the value of the first colour.
 * @param {number} high the value of the last.
 * @param {Uint32Array} pixels the result.
 */
export function paint(values, table, low, high, pixels) {
  const factor = high > low ? (COLOURS - 1) / (high - low) : 0;
  for (let at = 0; at < values.length; at += 1) {
    const step = Math.round((/** @type {number} */ (values[at]) - low) * factor);
    pixels[at] = /** @type {number} */ (table[step < 0 ? 0 : step > 255 ? 255 : step]);
  }
}
