/** One class's three maps: baseline, CBAM and their difference, coloured and outlined for their panels. */

import { loadColours, paint } from "./colours.js";
import { trace } from "./contour.js";
import { formatEvidence, formatShare } from "../lib/format.js";
import { spread, valueAt } from "./interpolation.js";
import { scaleDifference, maximumOf, NETWORKS, noticeOf } from "./maps.js";
import { Panel, replaceDrawing } from "./panel.js";

/**
 * @typedef {import("./colours.js").ColourTable} ColourTable
 * @typedef {import("./contour.js").Contour} Contour
 * @typedef {import("./maps.js").Box} Box
 * @typedef {import("./maps.js").MapRow} MapRow
 * @typedef {import("./maps.js").NetworkName} NetworkName
 * @typedef {import("./settings.js").Settings} Settings
 * @typedef {Record<NetworkName, number> & {difference: number}} Reading
 */

const LINE_COLOUR = "white";

export class Row {
  /**
   * @param {MapRow} row
   * @param {HTMLElement} element with a frame for each map.
   * @param {HTMLImageElement} picture
   * @param {Box} box the maps' place, in the canvases' pixels.
   * @param {string | undefined} mark a word for the maps' corner.
   */
  constructor(row, element, picture, box, mark) {
    this.row = row;
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
    this.panels = { baseline: makePanel("baseline"), cbam: makePanel("cbam"), difference: makePanel("difference") };
    const { baseline, cbam } = row.networks;
    this.spreads = {
      baseline: spread(baseline, this.width, this.height),
      cbam: spread(cbam, this.width, this.height),
    };
    for (const name of NETWORKS) {
      this.panels[name].notice = noticeOf(row, name);
    }
    /** @type {Partial<Record<NetworkName, Contour | null>>} */
    this.contours = {};
    /** The text of the contours' lines without a contour. @type {Partial<Record<NetworkName, string>>} */
    this.rest = {};
  }

  /** The highest value of both maps. */
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
    return scale === "own" ? this.row.networks[name].max : sharedLimit;
  }

  /**
   * @param {Settings["scale"]} scale
   * @param {number} sharedLimit
   * @param {ColourTable} table
   * @param {ColourTable} differenceTable
   */
  colour(scale, sharedLimit, table, differenceTable) {
    for (const name of NETWORKS) {
      const limit = this.limit(name, scale, sharedLimit);
      this.panels[name].colour(this.width, this.height, (pixels) => paint(this.spreads[name], table, 0, limit, pixels));
    }
    const { factors, limit } = scaleDifference(this.row, scale, sharedLimit);
    const { baseline, cbam } = this.spreads;
    const difference = cbam.map(
      (value, at) => value * factors.cbam + /** @type {number} */ (baseline[at]) * factors.baseline,
    );
    this.panels.difference.colour(this.width, this.height, (pixels) =>
      paint(difference, differenceTable, -limit, limit, pixels),
    );
  }

  /**
   * Trace the contours again and describe them in the canvases' names.
   *
   * @param {Settings} settings
   * @param {number} sharedLimit
   * @param {(box: Box) => Box} toPicture from the canvas's pixels of the map to the picture's.
   */
  trace({ scale, threshold }, sharedLimit, toPicture) {
    for (const name of NETWORKS) {
      const level = threshold * this.limit(name, scale, sharedLimit);
      const contour = level > 0 ? trace(this.spreads[name], this.width, this.height, level) : null;
      this.contours[name] = contour;
      const words = threshold > 0 ? writeContour(contour && { ...contour, box: toPicture(contour.box) }, level) : "";
      this.panels[name].say(words && `; ${words}`);
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
    for (const name of NETWORKS) {
      const contour = this.contours[name];
      const lines = contour ? [{ contour, colour: LINE_COLOUR }] : [];
      this.panels[name].draw({ viewport, opacity, lines });
    }
    this.panels.difference.draw({ viewport, opacity, lines: [] });
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
    const baseline = valueAt(this.row.networks.baseline, x, y);
    const cbam = valueAt(this.row.networks.cbam, x, y);
    const { factors } = scaleDifference(this.row, scale, sharedLimit);
    return { baseline, cbam, difference: cbam * factors.cbam + baseline * factors.baseline };
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
