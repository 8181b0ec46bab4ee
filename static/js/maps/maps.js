/** Heat maps in the server's format: each value is one of 65535 equal steps up to the map's maximum. */

import { fetchAnswer } from "../lib/page.js";

/**
 * @typedef {"baseline" | "cbam"} NetworkName
 * @typedef {{width: number, height: number, min: number, max: number, values: Float32Array}} HeatMap
 *   `values` row by row, in the method's units.
 * @typedef {{left: number, upper: number, right: number, lower: number}} Box
 * @typedef {{className: string, networks: Record<NetworkName, HeatMap>}} MapRow
 * @typedef {{pictureWidth: number, pictureHeight: number, box: Box, units: string, rows: MapRow[]}} Maps
 *   `box` is the part of the picture, in its pixels, that the maps cover.
 */

/** @type {readonly NetworkName[]} */
export const NETWORKS = ["baseline", "cbam"];

const STEPS = 65535;

/**
 * @param {string} address
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<Maps>}
 */
export async function fetchMaps(address, options) {
  return readMaps(await fetchAnswer(address, options));
}

/**
 * @param {any} answer as the server sends it.
 * @returns {Maps}
 */
export function readMaps(answer) {
  const [left, upper, right, lower] = answer.box;
  return {
    pictureWidth: answer.picture_width,
    pictureHeight: answer.picture_height,
    box: { left, upper, right, lower },
    units: answer.units,
    rows: answer.rows.map(readRow),
  };
}

/**
 * @param {any} row
 * @returns {MapRow}
 */
function readRow(row) {
  const { baseline, cbam } = row.networks;
  return { className: row.class_name, networks: { baseline: readMap(baseline), cbam: readMap(cbam) } };
}

/**
 * @param {{width: number, height: number, min: number, max: number, steps: string}} sent
 * @returns {HeatMap}
 */
function readMap({ width, height, min, max, steps }) {
  const bytes = new DataView(Uint8Array.from(atob(steps), (character) => character.charCodeAt(0)).buffer);
  const values = Float32Array.from({ length: width * height }, (_, at) => (bytes.getUint16(2 * at, true) * max) / STEPS);
  return { width, height, min, max, values };
}

/**
 * The highest value of a row's maps.
 *
 * @param {MapRow} row
 * @returns {number}
 */
export function maximumOf({ networks }) {
  return Math.max(...NETWORKS.map((name) => networks[name].max));
}

/**
 * The server's sentence across a map without evidence (app/output/panels.py).
 *
 * @param {MapRow} row
 * @param {NetworkName} name
 * @returns {string | null} null for a map with evidence.
 */
export function noticeOf({ className, networks }, name) {
  return networks[name].max > 0 ? null : `no positive evidence for ${className}`;
}

/**
 * The factors of a row's difference, CBAM minus baseline: in the method's units on the shared scale, or in shares of
 * each map's maximum if each has its own scale.
 *
 * @param {MapRow} row
 * @param {"shared" | "own"} scale
 * @param {number} sharedLimit the upper end of the shared scale.
 * @returns {{factors: Record<NetworkName, number>, limit: number}} each map's factor, and the colours' ends.
 */
export function scaleDifference({ networks: { baseline, cbam } }, scale, sharedLimit) {
  if (scale === "own") {
    return { factors: { baseline: -1 / (baseline.max || 1), cbam: 1 / (cbam.max || 1) }, limit: 1 };
  }
  // Without evidence any limit except 0 is right; 0 would paint the lowest colour everywhere.
  return { factors: { baseline: -1, cbam: 1 }, limit: sharedLimit || 1 };
}
