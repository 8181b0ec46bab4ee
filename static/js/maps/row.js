/** One class's maps, one per network, and a difference of two, coloured and outlined for their panels. */

import { loadColours, paint } from "./colours.js";
import { trace } from "./contour.js";
import { formatEvidence, formatShare } from "../lib/format.js";
import { spread, valueAt } from "./interpolation.js";
import { mapOf, maximumOf, noticeOf, scaleDifference } from "./maps.js";
import { Panel, replaceDrawing } from "./panel.js";

/**
 * @typedef {import("./colours.js").ColourTable} ColourTable
 * @typedef {import("./contour.js").Contour} Contour
 * @typedef {import("./maps.js").Box} Box
 * @typedef {import("./maps.js").Difference} Difference
 * @typedef {import("./maps.js").MapRow} MapRow
 * @typedef {import("./maps.js").NetworkName} NetworkName
 * @typedef {import("./settings.js").Settings} Settings
 * @typedef {{networks: Record<NetworkName, number>, difference: number}} Reading
 */

const LINE_COLOUR = "white";

export class Row {
  /**
   * @param {MapRow} row
   * @param {HTMLElement} element with a frame for each map.
   * @param {HTMLImageElement} picture
   * @param {Box} box where the maps lie, in the canvases' pixels.
   * @param {Difference} difference
   * @param {string | undefined} mark a word for the maps' corner.
   */
  constructor(row, element, picture, box, difference, mark) {
    this.row = row;
    this.names = Object.keys(row.networks);
    this.difference = difference;
    this.element = element;
    this.width = box.right - box.left;
    this.height = box.lower - box.upper;
    /** @param {string} kind */
    const makePanel = (kind) => {
      const frame = /** @type {HTMLElement} */ (element.querySelector(`[data-map=${kind}]`));
      const panel = new Panel(replaceDrawing(frame), picture, box);
      panel.mark = mark ?? null;
      return panel;
    };
    /** Each network's panel. @type {Map<NetworkName, Panel>} */
    this.panels = new Map(this.names.map((name) => [name, makePanel(name)]));
    this.differencePanel = makePanel("difference");
    /** @type {Map<NetworkName, Float32Array>} */
    this.spreads = new Map(this.names.map((name) => [name, spread(mapOf(row.networks, name), this.width, this.height)]));
    for (const [name, panel] of this.panels) {
      panel.notice = noticeOf(row, name);
    }
    /** @type {Partial<Record<NetworkName, Contour | null>>} */
    this.contours = {};
    /** The text of the contours' lines without a contour. @type {Partial<Record<NetworkName, string>>} */
    this.rest = {};
  }

  /** Every panel of the row. */
  get allPanels() {
    return [...this.panels.values(), this.differencePanel];
  }

  /** The highest value of all maps. */
  get maximum() {
    return maximumOf(this.row);
  }

  /**
   * The upper end of a map's scale.
   *
   * @param {NetworkName} name
   * @param {Settings["scale"]} scale
   * @param {number} sharedLimit
   * @returns {number}
   */
  limit(name, scale, sharedLimit) {
    return scale === "own" ? mapOf(this.row.networks, name).max : sharedLimit;
  }

  /**
   * @param {Settings["scale"]} scale
   * @param {number} sharedLimit
   * @param {ColourTable} table
   * @param {ColourTable} differenceTable
   */
  colour(scale, sharedLimit, table, differenceTable) {
    for (const [name, panel] of this.panels) {
      const limit = this.limit(name, scale, sharedLimit);
      panel.colour(this.width, this.height, (pixels) => paint(this.spreadOf(name), table, 0, limit, pixels));
    }
    const { of, minus, limit } = scaleDifference(this.row, this.difference, scale, sharedLimit);
    const subtracted = this.spreadOf(this.difference.minus);
    const difference = this.spreadOf(this.difference.of).map(
      (value, at) => value * of + /** @type {number} */ (subtracted[at]) * minus,
    );
    this.differencePanel.colour(this.width, this.height, (pixels) =>
      paint(difference, differenceTable, -limit, limit, pixels),
    );
  }

  /**
   * @param {NetworkName} name
   * @returns {Float32Array} the network's map at the panel's size.
   */
  spreadOf(name) {
    return /** @type {Float32Array} */ (this.spreads.get(name));
  }

  /**
   * Trace the contours again, and describe them in the canvases' names.
   *
   * @param {Settings} settings
   * @param {number} sharedLimit
   * @param {(box: Box) => Box} toPicture from the canvas's pixels of the map to the picture's.
   */
  trace({ scale, threshold }, sharedLimit, toPicture) {
    for (const [name, panel] of this.panels) {
      const level = threshold * this.limit(name, scale, sharedLimit);
      const contour = level > 0 ? trace(this.spreadOf(name), this.width, this.height, level) : null;
      this.contours[name] = contour;
      const words = threshold > 0 ? writeContour(contour && { ...contour, box: toPicture(contour.box) }, level) : "";
      panel.say(words && `; ${words}`);
      this.tell(name, words);
    }
  }

  /**
   * @param {NetworkName} name
   * @param {string} words of the contour.
   */
  tell(name, words) {
    const note = this.element.querySelector(`[data-contour=${name}]`);
    if (note) {
      this.rest[name] ??= note.textContent ?? "";
      note.textContent = words ? words[0]?.toUpperCase() + words.slice(1) : this.rest[name];
    }
  }

  /** @param {Settings} settings */
  draw({ zoom, centre, opacity }) {
    const viewport = { zoom, centre };
    for (const [name, panel] of this.panels) {
      const contour = this.contours[name];
      const lines = contour ? [{ contour, colour: LINE_COLOUR }] : [];
      panel.draw({ viewport, opacity, lines });
    }
    this.differencePanel.draw({ viewport, opacity, lines: [] });
  }

  /**
   * Read every map's value at one place, in shares of the box; null outside it.
   *
   * @param {import("./settings.js").Point} place
   * @param {Settings["scale"]} scale
   * @param {number} sharedLimit
   * @returns {Reading | null}
   */
  read({ x, y }, scale, sharedLimit) {
    if (x < 0 || x > 1 || y < 0 || y > 1) {
      return null;
    }
    /** @type {Record<NetworkName, number>} */
    const networks = {};
    for (const name of this.names) {
      networks[name] = valueAt(mapOf(this.row.networks, name), x, y);
    }
    const { of, minus } = scaleDifference(this.row, this.difference, scale, sharedLimit);
    const [first = 0, second = 0] = [this.difference.of, this.difference.minus].map((name) => networks[name]);
    return { networks, difference: first * of + second * minus };
  }
}

/**
 * @param {{box: Box, share: number} | null} contour in the picture's pixels.
 * @param {number} level
 * @returns {string}
 */
function writeContour(contour, level) {
  if (!contour) {
    return `nothing reaches ${formatEvidence(level)}`;
  }
  const { left, upper, right, lower } = contour.box;
  const area = contour.share < 0.005 ? "under 1 %" : formatShare(contour.share, 0);
  return `${area} reaches ${formatEvidence(level)}: x ${left}–${right}, y ${upper}–${lower}`;
}

/**
 * The colour tables of a row's maps and of its difference.
 *
 * @param {string} colormap
 * @param {string} differenceColormap
 * @returns {Promise<[ColourTable, ColourTable]>}
 */
export function loadTables(colormap, differenceColormap) {
  return Promise.all([loadColours(colormap), loadColours(differenceColormap)]);
}
