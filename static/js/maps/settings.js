/**
 * The settings of the maps, which the browser changes without the server, and their form in the address.
 *
 * @typedef {{x: number, y: number}} Point
 * @typedef {"side" | "swipe" | "difference"} View all panels side by side, two maps under a handle, or the difference alone.
 * @typedef {object} Settings
 * @property {View} view
 * @property {"shared" | "own"} scale of the maps.
 * @property {"shared" | "own"} differenceScale the maps' scale, or up to the difference's own largest values.
 * @property {string} colormap
 * @property {number} opacity 0 to 1.
 * @property {number} threshold of the contour, as a share of the scale's upper end; 0 draws none.
 * @property {number} zoom 1 shows the whole picture.
 * @property {Point} centre of the visible part, in shares of the picture.
 * @property {Point | null} point the reading point, in shares of the picture.
 */

import { hold, MAX_ZOOM } from "./viewport.js";

/** The server's own defaults (app/analysis/options.py), for settings that are not in the address. @type {Readonly<Settings>} */
export const DEFAULTS = Object.freeze({
  view: "side",
  scale: "shared",
  differenceScale: "own",
  colormap: "viridis",
  opacity: 0.5,
  threshold: 0,
  zoom: 1,
  centre: { x: 0.5, y: 0.5 },
  point: null,
});

/** @type {readonly View[]} */
const VIEWS = ["side", "swipe", "difference"];

const NAMES = ["view", "scale", "difference_scale", "colormap", "opacity", "threshold", "zoom", "centre", "point"];

/**
 * @param {string} address
 * @returns {Settings}
 */
export function readSettings(address) {
  const query = new URL(address, location.href).searchParams;
  return {
    view: VIEWS.find((view) => view === query.get("view")) ?? DEFAULTS.view,
    differenceScale: query.get("difference_scale") === "shared" ? "shared" : "own",
    scale: query.get("scale") === "own" ? "own" : "shared",
    colormap: query.get("colormap") || DEFAULTS.colormap,
    opacity: readNumber(query.get("opacity"), DEFAULTS.opacity, 0, 1),
    threshold: readNumber(query.get("threshold"), DEFAULTS.threshold, 0, 1),
    ...hold(
      readNumber(query.get("zoom"), DEFAULTS.zoom, 1, MAX_ZOOM),
      readPoint(query.get("centre")) ?? DEFAULTS.centre,
    ),
    point: readPoint(query.get("point")),
  };
}

/**
 * Write settings into an address; its other parts stay.
 *
 * @param {string} address
 * @param {Settings} settings
 * @returns {string}
 */
export function writeSettings(address, settings) {
  const url = new URL(address, location.href);
  const isZoomed = settings.zoom > 1;
  const texts = {
    view: settings.view,
    scale: settings.scale,
    difference_scale: settings.differenceScale,
    colormap: settings.colormap,
    opacity: String(settings.opacity),
    threshold: String(settings.threshold),
    zoom: settings.zoom.toFixed(4).replace(/\.?0+$/, ""),
    centre: isZoomed ? writePoint(settings.centre) : "",
    point: settings.point ? writePoint(settings.point) : "",
  };
  for (const [name, text] of Object.entries(texts)) {
    const usual = /** @type {Record<string, unknown>} */ ({ ...DEFAULTS, difference_scale: DEFAULTS.differenceScale })[name];
    if (text === "" || text === String(usual)) {
      url.searchParams.delete(name);
    } else {
      url.searchParams.set(name, text);
    }
  }
  return url.pathname + url.search.replaceAll("%2C", ",") + url.hash;
}

/**
 * Round settings as the address rounds them: a link must show exactly the sender's view.
 *
 * @param {Settings} settings
 * @returns {Settings}
 */
export function roundSettings(settings) {
  /** @param {Settings} given */
  const round = (given) => readSettings(writeSettings(location.href, given));
  // Twice: if the first rounding of the zoom moves the picture's edge, the centre is limited to it, unrounded.
  return round(round(settings));
}

/**
 * The question to the server: the address without the settings of the maps.
 *
 * @param {string} address
 * @returns {string}
 */
export function readQuestion(address) {
  const url = new URL(address, location.href);
  for (const name of NAMES) {
    url.searchParams.delete(name);
  }
  url.searchParams.sort();
  return url.pathname + url.search;
}

/**
 * @param {string | null} text
 * @param {number} otherwise
 * @param {number} lowest
 * @param {number} highest
 * @returns {number}
 */
function readNumber(text, otherwise, lowest, highest) {
  const number = text ? Number(text) : NaN;
  return Number.isFinite(number) ? Math.min(Math.max(number, lowest), highest) : otherwise;
}

/**
 * @param {string | null} text
 * @returns {Point | null}
 */
function readPoint(text) {
  const [x, y] = (text ?? "").split(",").map((part) => readNumber(part, NaN, 0, 1));
  return x === undefined || y === undefined || Number.isNaN(x + y) ? null : { x, y };
}

/** @param {Point} point */
function writePoint({ x, y }) {
  return `${x.toFixed(4)},${y.toFixed(4)}`;
}
