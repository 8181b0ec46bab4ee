/** Heat maps in the server's format: each value is one of 65535 equal steps up to the map's maximum. */

/**
 * @typedef {string} NetworkName in the lineup.
 * @typedef {{width: number, height: number, min: number, max: number, values: Float32Array}} HeatMap
 *   `values` row by row, in the method's units.
 * @typedef {{left: number, upper: number, right: number, lower: number}} Box
 * @typedef {{className: string, networks: Record<NetworkName, HeatMap>}} MapRow in the lineup's order.
 * @typedef {{of: NetworkName, minus: NetworkName}} Difference one network's map minus another's.
 * @typedef {object} Maps
 * @property {number} pictureWidth
 * @property {number} pictureHeight
 * @property {Box} box
 * @property {string} units
 * @property {Record<NetworkName, string>} titles
 * @property {MapRow[]} rows
 *   `box` is the part of the picture, in its pixels, on which the maps lie.
 */

const STEPS = 65535;

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
    titles: answer.titles,
    rows: answer.rows.map(readRow),
  };
}

/**
 * @param {any} row
 * @returns {MapRow}
 */
function readRow(row) {
  const networks = Object.fromEntries(Object.entries(row.networks).map(([name, map]) => [name, readMap(map)]));
  return { className: row.class_name, networks };
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
  return Math.max(...Object.values(networks).map((map) => map.max));
}

/**
 * The server's sentence across a map that has nothing to show (app/output/images.py).
 *
 * @param {MapRow} row
 * @param {NetworkName} name
 * @returns {string | null} null for a map with evidence.
 */
export function noticeOf({ className, networks }, name) {
  return mapOf(networks, name).max > 0 ? null : `no positive evidence for ${className}`;
}

/**
 * @param {Record<NetworkName, HeatMap>} networks
 * @param {NetworkName} name
 * @returns {HeatMap}
 */
export function mapOf(networks, name) {
  return /** @type {HeatMap} */ (networks[name]);
}
