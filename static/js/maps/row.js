/** One class's maps, one per network, and a difference of two, coloured and outlined for their panels. */

import { loadColours, paint } from "./colours.js";
import { trace } from "./contour.js";
import { formatEvidence, formatShare } from "../lib/format.js";
import { spread, valueAt } from "./interpolation.js";
import { coverDifference, hatchNegative, limitDifference, subtract, weighDifference } from "./difference.js";
import { mapOf, maximumOf, noticeOf } from "./maps.js";
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
   * @param {{colour: CanvasImageSource, grey: CanvasImageSource}} pictures under the maps, and under the difference.
   * @param {Box} box where the maps lie, in the canvases' pixels.
   * @param {Difference} difference
   * @param {string | undefined} mark a word for the maps' corner.
   */
  constructor(row, element, pictures, box, difference, mark) {
    this.row = row;
    this.names = Object.keys(row.networks);
    this.difference = difference;
    this.element = element;
    this.width = box.right - box.left;
    this.height = box.lower - box.upper;
    /** @param {string} kind @param {CanvasImageSource} picture */
    const makePanel = (kind, picture) => {
      const frame = /** @type {HTMLElement} */ (element.querySelector(`[data-map="${kind}"]`));
      const panel = new Panel(replaceDrawing(frame), picture, box);
      panel.mark = mark ?? null;
      return panel;
    };
    /** Each network's panel. @type {Map<NetworkName, Panel>} */
    this.panels = new Map(this.names.map((name) => [name, makePanel(name, pictures.colour)]));
    this.differencePanel = makePanel("difference", pictures.grey);
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
   * The upper end of the difference's scale.
   *
   * @param {Settings} settings
   * @param {number} sharedLimit
   * @returns {number}
   */
  differenceLimit({ scale, differenceScale }, sharedLimit) {
    if (differenceScale === "shared") {
      // Without evidence any limit will do but 0, which would paint the lowest colour everywhere.
      return scale === "own" ? 1 : sharedLimit || 1;
    }
    const { of, minus } = this.difference;
    const values = [of, minus].map((name) => mapOf(this.row.networks, name).values);
    const [first, second] = /** @type {[Float32Array, Float32Array]} */ (values);
    return limitDifference(subtract(first, second, weighDifference(this.row, this.difference, scale)));
  }

  /**
   * @param {Settings} settings
   * @param {number} sharedLimit
   * @param {ColourTable} table
   * @param {ColourTable} differenceTable
   */
  colour(settings, sharedLimit, table, differenceTable) {
    const { scale } = settings;
    for (const [name, panel] of this.panels) {
      const limit = this.limit(name, scale, sharedLimit);
      panel.colour(this.width, this.height, (pixels) => paint(this.spreadOf(name), table, 0, limit, pixels));
    }
    this.colourDifference(settings, sharedLimit, differenceTable);
  }

  /**
   * @param {Settings} settings
   * @param {number} sharedLimit
   * @param {ColourTable} differenceTable
   */
  colourDifference(settings, sharedLimit, differenceTable) {
    const { of, minus } = this.difference;
    const factors = weighDifference(this.row, this.difference, settings.scale);
    const difference = subtract(this.spreadOf(of), this.spreadOf(minus), factors);
    const limit = this.differenceLimit(settings, sharedLimit);
    this.differencePanel.colour(this.width, this.height, (pixels) => {
      paint(difference, differenceTable, -limit, limit, pixels);
      hatchNegative(difference, this.width, limit, pixels);
      coverDifference(difference, limit, settings.opacity, pixels);
    });
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
    const note = this.element.querySelector(`[data-contour="${name}"]`);
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
    // Its colours have their own opacity.
    this.differencePanel.draw({ viewport, opacity: 1, lines: [] });
  }

  /**
   * Read every map's value at one place, in shares of the box; null outside it.
   *
   * @param {import("./settings.js").Point} place
   * @param {Settings["scale"]} scale
   * @returns {Reading | null}
   */
  read({ x, y }, scale) {
    if (x < 0 || x > 1 || y < 0 || y > 1) {
      return null;
    }
    /** @type {Record<NetworkName, number>} */
    const networks = {};
    for (const name of this.names) {
      networks[name] = valueAt(mapOf(this.row.networks, name), x, y);
    }
    const { of, minus } = weighDifference(this.row, this.difference, scale);
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
