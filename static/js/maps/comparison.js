/** An analysis's panels, which the browser draws together from maps that the server sends once. */

import { DIFFERENCE_COLORMAP } from "./colours.js";
import { drawGrey } from "./difference.js";
import { readMaps } from "./maps.js";
import { fetchAnswer, loadImage } from "../lib/page.js";
import { Panel, replaceDrawing } from "./panel.js";
import { scaleBox } from "./placement.js";
import { Readout } from "./readout.js";
import { loadTables, Row } from "./row.js";
import { showScale } from "./scale_bars.js";

/**
 * @typedef {import("./colours.js").ColourTable} ColourTable
 * @typedef {import("./maps.js").Box} Box
 * @typedef {import("./maps.js").Maps} Maps
 * @typedef {import("./settings.js").Point} Point
 * @typedef {import("./settings.js").Settings} Settings
 */

/**
 * Hide the server's drawings before the browser requests them, and keep their space.
 *
 * @param {HTMLElement} section
 */
export function reserveRoom(section) {
  section.classList.add("is-live");
  for (const image of section.querySelectorAll("[data-map] img")) {
    const frame = /** @type {HTMLElement} */ (image.parentElement);
    const [width, height] = ["width", "height"].map((side) => Number(image.getAttribute(side)));
    frame.style.aspectRatio = `${width} / ${height}`;
    frame.style.setProperty("--ratio", String((width ?? 1) / (height || 1)));
  }
}

/**
 * Show the server's drawings again.
 *
 * @param {HTMLElement} section
 */
export function giveBack(section) {
  section.classList.remove("is-live");
}

export class Comparison {
  /**
   * Fetch the maps and colours of a section's panels.
   *
   * @param {HTMLElement} section
   * @param {Settings} settings
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<Comparison>}
   */
  static async open(section, settings, options) {
    const element = /** @type {HTMLElement} */ (section.querySelector("#maps"));
    const picture = /** @type {HTMLImageElement} */ (element.querySelector("[data-map=picture] img"));
    const [answer, tables] = await Promise.all([
      fetchAnswer(element.dataset.maps ?? "", options),
      loadTables(settings.colormap, DIFFERENCE_COLORMAP),
      loadImage(picture),
    ]);
    return new Comparison(section, element, picture, readMaps(answer), settings, tables);
  }

  /**
   * @param {HTMLElement} section
   * @param {HTMLElement} element the rows of panels.
   * @param {HTMLImageElement} picture decoded.
   * @param {Maps} maps
   * @param {Settings} settings
   * @param {[ColourTable, ColourTable]} tables of the chosen colours and of the difference's colours.
   */
  constructor(section, element, picture, maps, settings, tables) {
    this.section = section;
    this.element = element;
    this.maps = maps;
    this.settings = settings;
    this.tables = tables;
    this.colormap = settings.colormap;
    /** @type {Point | null} */
    this.hovered = null;
    const frame = /** @type {HTMLElement} */ (picture.parentElement);
    const [width, height] = ["width", "height"].map((side) => Number(picture.getAttribute(side)));
    this.box = scaleBox(maps, width ?? 1, height ?? 1);
    this.picture = new Panel(replaceDrawing(frame), picture, this.box);
    const pictures = { colour: picture, grey: drawGrey(picture, width ?? 1, height ?? 1) };
    const difference = { of: element.dataset.of ?? "", minus: element.dataset.minus ?? "" };
    this.rows = maps.rows.map((row, at) => {
      const part = /** @type {HTMLElement} */ (element.querySelector(`[data-row="${at}"]`));
      return new Row(row, part, pictures, this.box, difference, element.dataset.mark);
    });
    this.sharedLimit = Math.max(...this.rows.map((row) => row.maximum));
    this.readout = new Readout(section, maps.titles);
    reserveRoom(section);
    this.drawn = "";
    this.coloured = "";
    this.opacity = settings.opacity;
    this.traced = "";
    this.frameRequest = 0;
    this.draw();
  }

  /**
   * Change the settings of the maps, with the next frame.
   *
   * @param {Settings} settings
   * @returns {Promise<void>} settled when the colours have loaded.
   */
  async show(settings) {
    this.settings = settings;
    this.schedule();
    if (settings.colormap !== this.colormap) {
      const tables = await loadTables(settings.colormap, DIFFERENCE_COLORMAP);
      if (this.settings.colormap === settings.colormap) {
        this.tables = tables;
        this.colormap = settings.colormap;
        this.schedule();
      }
    }
  }

  /**
   * Read the maps at the place under the pointer.
   *
   * @param {Point | null} place in shares of the picture; null when the pointer has left.
   */
  hover(place) {
    this.hovered = place;
    this.schedule();
  }

  /** Tell screen readers the maps' values at the kept place. */
  say() {
    const place = this.settings.point;
    if (place) {
      this.readout.say(this.toPixel(place), this.read(place), this.settings.scale);
    }
  }

  schedule() {
    this.frameRequest ||= requestAnimationFrame(() => {
      this.frameRequest = 0;
      this.draw();
    });
  }

  draw() {
    const { settings, sharedLimit } = this;
    const coloured = `${this.colormap} ${settings.scale} ${settings.differenceScale}`;
    const traced = `${settings.threshold} ${settings.scale}`;
    const looked = JSON.stringify([coloured, traced, settings.opacity, settings.zoom, settings.centre, settings.view]);
    if (coloured !== this.coloured) {
      this.colour();
      this.coloured = coloured;
    } else if (settings.opacity !== this.opacity) {
      this.rows.forEach((row) => row.colourDifference(settings, sharedLimit, this.tables[1]));
    }
    this.opacity = settings.opacity;
    if (traced !== this.traced) {
      this.rows.forEach((row) => row.trace(settings, sharedLimit, (box) => this.toPictureBox(box)));
      this.traced = traced;
    }
    if (looked !== this.drawn) {
      this.rows.forEach((row) => row.draw(settings));
      this.picture.draw({ viewport: settings, opacity: 1, lines: this.listLines() });
      this.drawn = looked;
    }
    this.point();
  }

  colour() {
    const { settings, sharedLimit, maps } = this;
    for (const row of this.rows) {
      row.colour(settings, sharedLimit, ...this.tables);
      const shared = {
        limit: sharedLimit,
        units: `${maps.units}s`,
        rows: this.rows.length,
        className: row.row.className,
      };
      showScale(row, { ...settings, colormap: this.colormap }, shared);
    }
  }

  /** The networks' contours for the explained class, in the networks' colours, for the picture's own panel. */
  listLines() {
    const colours = getComputedStyle(document.documentElement);
    const row = /** @type {Row} */ (this.rows[0]);
    return row.names.flatMap((name, at) => {
      const contour = row.contours[name];
      return contour ? [{ contour, colour: colours.getPropertyValue(`--line-${at + 1}`) }] : [];
    });
  }

  /** Mark the reading point, and write the maps' values there. */
  point() {
    const place = this.hovered ?? this.settings.point;
    for (const panel of [this.picture, ...this.rows.flatMap((row) => row.allPanels)]) {
      panel.point(place, this.settings);
    }
    this.element.classList.toggle("is-reading", place !== null);
    if (place) {
      this.readout.show(this.toPixel(place), this.read(place), this.settings.scale);
    } else {
      this.readout.clear();
    }
  }

  /** @param {Point} place */
  read(place) {
    const { pictureWidth, pictureHeight, box } = this.maps;
    const inside = {
      x: (place.x * pictureWidth - box.left) / (box.right - box.left),
      y: (place.y * pictureHeight - box.upper) / (box.lower - box.upper),
    };
    return this.rows.map((row) => ({ row, reading: row.read(inside, this.settings.scale) }));
  }

  /** @param {Point} place */
  toPixel({ x, y }) {
    return { x: Math.round(x * this.maps.pictureWidth), y: Math.round(y * this.maps.pictureHeight) };
  }

  /**
   * @param {Box} box in the canvas's pixels, from the maps' corner.
   * @returns {Box} in the picture's pixels.
   */
  toPictureBox(box) {
    const across = this.maps.pictureWidth / this.picture.canvas.width;
    const down = this.maps.pictureHeight / this.picture.canvas.height;
    return {
      left: Math.round((this.box.left + box.left) * across),
      upper: Math.round((this.box.upper + box.upper) * down),
      right: Math.round((this.box.left + box.right) * across),
      lower: Math.round((this.box.upper + box.lower) * down),
    };
  }
}
