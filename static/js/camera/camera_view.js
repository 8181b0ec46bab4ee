/** Both networks' heat maps over the frame that they explain, with their classes and probabilities. */

import { paint } from "../maps/colours.js";
import { formatEquation, formatEvidence, formatFixed } from "../lib/format.js";
import { write } from "../lib/write.js";
import { spread } from "../maps/interpolation.js";
import { maximumOf, NETWORKS, noticeOf, readMaps } from "../maps/maps.js";
import { Panel } from "../maps/panel.js";
import { scaleBox } from "../maps/placement.js";
import { DEFAULTS } from "../maps/settings.js";

/**
 * @typedef {import("./camera_link.js").Frame} Frame
 * @typedef {import("../maps/colours.js").ColourTable} ColourTable
 * @typedef {import("../maps/maps.js").HeatMap} HeatMap
 * @typedef {import("../maps/maps.js").MapRow} MapRow
 * @typedef {import("../maps/maps.js").Maps} Maps
 * @typedef {import("../maps/maps.js").NetworkName} NetworkName
 */

/** The shortest time between two messages to screen readers. */
const TELL_MILLISECONDS = 5000;

const TITLES = { baseline: "Baseline", cbam: "CBAM" };

export class CameraView {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.section = section;
    /** A word in the maps' corner, for untrained networks. @type {string | null} */
    this.mark = null;
    /** @type {Partial<Record<NetworkName, Panel>>} */
    this.panels = {};
    this.told = -Infinity;
  }

  /**
   * @param {ImageBitmap} picture the frame that was answered.
   * @param {Frame} frame
   * @param {ColourTable} colours
   * @param {number} rate frames per second.
   */
  show(picture, frame, colours, rate) {
    const maps = readMaps(frame.maps);
    const row = /** @type {MapRow} */ (maps.rows[0]);
    const maximum = maximumOf(row);
    for (const name of NETWORKS) {
      const panel = this.place(name, picture, maps);
      this.colour(panel, maps, row.networks[name], colours, maximum);
      this.label(panel, name, frame, row);
      panel.draw({ viewport: DEFAULTS, opacity: DEFAULTS.opacity, lines: [] });
    }
    const isFirst = frame.chosen_by === "baseline";
    this.write("#camera-class", frame.class_name);
    this.write("#camera-reason", isFirst ? "the baseline’s top guess" : "as you asked");
    this.write("#camera-rate", rate ? `${formatFixed(rate, 1)} frames per second` : "");
    this.write("#camera-scale", `One scale for both maps: 0 to ${formatEvidence(maximum)} (${maps.units}).`);
    this.tell(frame);
  }

  /**
   * A network's panel for a new picture, at the picture's own size.
   *
   * @param {NetworkName} name
   * @param {ImageBitmap} picture
   * @param {Maps} maps of the frame that was sent, which may be smaller.
   * @returns {Panel}
   */
  place(name, picture, maps) {
    const canvas = /** @type {HTMLCanvasElement} */ (this.find(`[data-network=${name}] canvas`));
    const { width, height } = picture;
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
    }
    const box = scaleBox(maps, width, height);
    const panel = (this.panels[name] ??= new Panel(canvas, picture, box));
    panel.picture = picture;
    panel.box = box;
    return panel;
  }

  /**
   * @param {Panel} panel
   * @param {Maps} maps
   * @param {HeatMap} map
   * @param {ColourTable} colours
   * @param {number} maximum the value of the last colour.
   */
  colour(panel, { box }, map, colours, maximum) {
    // At the size of the sent frame, which may have far fewer pixels than the frame on the page.
    const [width, height] = [Math.round(box.right - box.left), Math.round(box.lower - box.upper)];
    panel.colour(width, height, (pixels) => paint(spread(map, width, height), colours, 0, maximum, pixels));
  }

  /**
   * @param {Panel} panel
   * @param {NetworkName} name
   * @param {Frame} frame
   * @param {MapRow} row
   */
  label(panel, name, frame, row) {
    const { probability, first } = frame.networks[name];
    const figure = this.find(`[data-network=${name}]`);
    const notice = noticeOf(row, name);
    const silence = notice ? " No positive evidence for the class." : "";
    const likeliest = `Top guess: ${first.class_name}, ${formatEquation(first.probability)}.`;
    panel.mark = this.mark;
    panel.notice = notice;
    panel.name = `${TITLES[name]}: heat map for ${frame.class_name}, ${formatEquation(probability)}.`;
    panel.say(silence);
    write(figure.querySelector(".probability-value"), formatEquation(probability));
    write(figure.querySelector(".panel-note"), likeliest + silence);
  }

  /**
   * Write for screen readers, but not about every frame.
   *
   * @param {Frame} frame
   */
  tell(frame) {
    const now = performance.now();
    if (now - this.told < TELL_MILLISECONDS) {
      return;
    }
    this.told = now;
    const parts = NETWORKS.map((name) => `${TITLES[name]} ${formatEquation(frame.networks[name].probability)}`);
    this.write("#camera-status", `${frame.class_name}: ${parts.join(", ")}`);
  }

  /**
   * @param {string} selector
   * @param {string} text
   */
  write(selector, text) {
    write(this.find(selector), text);
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement}
   */
  find(selector) {
    return /** @type {HTMLElement} */ (this.section.querySelector(selector));
  }
}
