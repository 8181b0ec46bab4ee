/** Both networks' heat maps over the frame that they explain, and what is said of it. */

import { paint } from "../maps/colours.js";
import { formatEvidence } from "../lib/format.js";
import { spread } from "../maps/interpolation.js";
import { NETWORKS, readMaps } from "../maps/maps.js";

/**
 * @typedef {import("./camera_link.js").Frame} Frame
 * @typedef {import("../maps/colours.js").ColourTable} ColourTable
 * @typedef {import("../maps/maps.js").Box} Box
 * @typedef {import("../maps/maps.js").HeatMap} HeatMap
 * @typedef {import("../maps/maps.js").Maps} Maps
 * @typedef {import("../maps/maps.js").NetworkName} NetworkName
 */

const OPACITY = 0.5;

/** As the server covers what no network saw (app/render/overlay.py). */
const UNSEEN = "rgb(128 128 128 / 0.55)";

/** How often screen readers are told, at most. */
const TELL_MILLISECONDS = 5000;

const TITLES = { baseline: "Baseline", cbam: "CBAM" };

export class CameraView {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.section = section;
    this.layer = document.createElement("canvas");
    this.told = -Infinity;
  }

  /**
   * @param {ImageBitmap} picture the frame that was answered.
   * @param {Frame} frame
   * @param {ColourTable} colours
   * @param {number} rate frames a second.
   */
  show(picture, frame, colours, rate) {
    const maps = readMaps(frame.maps);
    const row = /** @type {import("../maps/maps.js").MapRow} */ (maps.rows[0]);
    const maximum = Math.max(...NETWORKS.map((name) => row.networks[name].max));
    for (const name of NETWORKS) {
      const figure = this.find(`[data-network=${name}]`);
      const canvas = /** @type {HTMLCanvasElement} */ (figure.querySelector("canvas"));
      this.draw(canvas, picture, maps, row.networks[name], colours, maximum);
      this.describe(figure, canvas, name, frame, row.networks[name]);
    }
    const isFirst = frame.chosen_by === "baseline";
    this.write("#camera-class", frame.class_name);
    this.write("#camera-reason", isFirst ? "the baseline’s first class" : "as you asked");
    this.write("#camera-rate", rate ? `${rate.toFixed(1)} frames a second` : "");
    this.write("#camera-scale", `One scale for both maps: 0 to ${formatEvidence(maximum)} (${maps.units}).`);
    this.tell(frame);
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {ImageBitmap} picture
   * @param {Maps} maps
   * @param {HeatMap} map
   * @param {ColourTable} colours
   * @param {number} maximum the value of the last colour.
   */
  draw(canvas, picture, maps, map, colours, maximum) {
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
    }
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.drawImage(picture, 0, 0);
    context.save();
    // The maps speak of the frame as it was sent, which may be smaller.
    context.scale(picture.width / maps.pictureWidth, picture.height / maps.pictureHeight);
    const { left, upper, right, lower } = maps.box;
    context.fillStyle = UNSEEN;
    context.beginPath();
    context.rect(0, 0, maps.pictureWidth, maps.pictureHeight);
    context.rect(left, upper, right - left, lower - upper);
    context.fill("evenodd");
    this.colour(map, maps.box, colours, maximum);
    context.globalAlpha = OPACITY;
    context.drawImage(this.layer, left, upper, right - left, lower - upper);
    context.restore();
  }

  /**
   * @param {HeatMap} map
   * @param {Box} box
   * @param {ColourTable} colours
   * @param {number} maximum
   */
  colour(map, box, colours, maximum) {
    const width = Math.round(box.right - box.left);
    const height = Math.round(box.lower - box.upper);
    if (this.layer.width !== width || this.layer.height !== height || !this.pixels) {
      this.layer.width = width;
      this.layer.height = height;
      this.pixels = new ImageData(width, height);
    }
    paint(spread(map, width, height), colours, 0, maximum, new Uint32Array(this.pixels.data.buffer));
    this.layer.getContext("2d")?.putImageData(this.pixels, 0, 0);
  }

  /**
   * @param {HTMLElement} figure
   * @param {HTMLCanvasElement} canvas
   * @param {NetworkName} name
   * @param {Frame} frame
   * @param {HeatMap} map
   */
  describe(figure, canvas, name, frame, map) {
    const { probability, first } = frame.networks[name];
    const likeliest = `Its first class: ${first.class_name}, ${formatEquation(first.probability)}.`;
    const silence = map.max > 0 ? "" : " No positive evidence for the class.";
    const label = `${TITLES[name]}: heat map for ${frame.class_name}, ${formatEquation(probability)}.`;
    canvas.setAttribute("aria-label", label + silence);
    write(figure.querySelector(".probability-value"), formatEquation(probability));
    write(figure.querySelector(".panel-note"), likeliest + silence);
  }

  /**
   * Tell screen readers now and then.
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

/**
 * @param {Element | null} element
 * @param {string} text
 */
function write(element, text) {
  if (element && element.textContent !== text) {
    element.textContent = text;
  }
}

/**
 * P as the server writes it (app/templating.py).
 *
 * @param {number} probability
 * @returns {string}
 */
function formatEquation(probability) {
  if (probability < 0.0005) {
    return "P < 0.001";
  }
  return probability >= 0.9995 ? "P > 0.999" : `P = ${probability.toFixed(3)}`;
}
