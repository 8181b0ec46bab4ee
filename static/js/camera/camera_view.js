/** The networks' heat maps over the frame that they explain, with their classes and probabilities. */

import { paint } from "../maps/colours.js";
import { formatEquation, formatEvidence, formatFixed } from "../lib/format.js";
import { write } from "../lib/write.js";
import { spread } from "../maps/interpolation.js";
import { mapOf, maximumOf, noticeOf, readMaps } from "../maps/maps.js";
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

export class CameraView {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.section = section;
    /** A word in the maps' corner, for untrained networks. @type {string | null} */
    this.mark = null;
    /** @type {Partial<Record<NetworkName, Panel>>} */
    this.panels = {};
    /** @type {Record<NetworkName, string>} */
    this.titles = {};
    this.told = -Infinity;
  }

  /**
   * A panel for each network of the lineup that answers.
   *
   * @param {Record<NetworkName, string>} titles by name, in their order.
   */
  arrange(titles) {
    // Another question to the same networks: their panels stay.
    if (JSON.stringify(titles) === JSON.stringify(this.titles)) {
      return;
    }
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("camera-panel"));
    const scale = this.find(".camera-scale");
    this.section.querySelectorAll("[data-network]").forEach((figure) => figure.remove());
    this.panels = {};
    this.titles = titles;
    Object.entries(titles).forEach(([name, title], at) => {
      const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
      const figure = /** @type {HTMLElement} */ (copy.querySelector("figure"));
      figure.dataset.network = name;
      figure.classList.add(`network-${at + 1}`);
      write(figure.querySelector(".panel-title"), title);
      figure.querySelector("canvas")?.setAttribute("aria-label", `${title}: no frame yet`);
      scale.before(copy);
    });
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
    for (const name of Object.keys(this.titles)) {
      const panel = this.place(name, picture, maps);
      this.colour(panel, maps, mapOf(row.networks, name), colours, maximum);
      this.label(panel, name, frame, row);
      panel.draw({ viewport: DEFAULTS, opacity: DEFAULTS.opacity, lines: [] });
    }
    const isFirst = frame.chosen_by === "mean";
    this.write("#camera-class", frame.class_name);
    this.write("#camera-reason", isFirst ? "the networks’ top guess" : "as you asked");
    this.write("#camera-rate", rate ? `${formatFixed(rate, 1)} frames per second` : "");
    this.write(".colour-bar-highest", formatEvidence(maximum));
    this.write("#camera-scale", `One scale for all maps: 0 to ${formatEvidence(maximum)} (${maps.units}).`);
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
    const { probability, first } = answerOf(frame, name);
    const figure = this.find(`[data-network=${name}]`);
    const notice = noticeOf(row, name);
    const silence = notice ? " No positive evidence for the class." : "";
    const likeliest = `Top guess: ${first.class_name}, ${formatEquation(first.probability)}.`;
    panel.mark = this.mark;
    panel.notice = notice;
    panel.name = `${this.titles[name]}: heat map for ${frame.class_name}, ${formatEquation(probability)}.`;
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
    const parts = Object.entries(this.titles).map(
      ([name, title]) => `${title} ${formatEquation(answerOf(frame, name).probability)}`,
    );
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

/**
 * @param {Frame} frame
 * @param {NetworkName} name
 */
function answerOf(frame, name) {
  return /** @type {Frame["networks"][string]} */ (frame.networks[name]);
}
