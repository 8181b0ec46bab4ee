/** A panel's canvas: the picture, with a map's colours, lines and words over it. */

import { cornerOf } from "./viewport.js";

/**
 * @typedef {import("./maps.js").Box} Box
 * @typedef {import("./contour.js").Contour} Contour
 * @typedef {import("./viewport.js").Viewport} Viewport
 * @typedef {{contour: Contour, colour: string}} Line
 * @typedef {object} Drawing
 * @property {Viewport} viewport
 * @property {number} opacity of the colours.
 * @property {Line[]} lines
 */

/** The server's cover for the area that no network saw (app/render/overlay.py). */
const UNSEEN = "rgb(128 128 128 / 0.55)";

const DARK = "rgb(20 20 20)";
const HALO = "rgb(0 0 0 / 0.65)";

/**
 * Put a canvas in the place of the server's drawing.
 *
 * @param {HTMLElement} frame with the server's drawing.
 * @returns {HTMLCanvasElement} with the drawing's size and name.
 */
export function replaceDrawing(frame) {
  const image = frame.querySelector("img");
  const canvas = document.createElement("canvas");
  canvas.width = Number(image?.getAttribute("width"));
  canvas.height = Number(image?.getAttribute("height"));
  canvas.className = "map-canvas";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", image?.alt ?? "");
  frame.append(canvas);
  return canvas;
}

export class Panel {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {CanvasImageSource} picture decoded.
   * @param {Box} box the map's place, in the canvas's pixels.
   */
  constructor(canvas, picture, box) {
    this.canvas = canvas;
    this.picture = picture;
    this.box = box;
    this.name = canvas.getAttribute("aria-label") ?? "";
    this.marker = document.createElement("div");
    this.marker.className = "marker";
    this.marker.hidden = true;
    canvas.after(this.marker);
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    /** @type {HTMLCanvasElement | null} */
    this.layer = null;
    /** A word in the corner. @type {string | null} */
    this.mark = null;
    /** A sentence across the map. @type {string | null} */
    this.notice = null;
  }

  /**
   * Paint the map's colours.
   *
   * @param {number} width of the colours, in pixels; they are scaled to the box.
   * @param {number} height
   * @param {(pixels: Uint32Array) => void} paint fills the pixels, row by row.
   */
  colour(width, height, paint) {
    this.layer ??= document.createElement("canvas");
    if (!this.pixels || this.pixels.width !== width || this.pixels.height !== height) {
      this.layer.width = width;
      this.layer.height = height;
      this.pixels = new ImageData(width, height);
    }
    paint(new Uint32Array(this.pixels.data.buffer));
    this.layer.getContext("2d")?.putImageData(this.pixels, 0, 0);
  }

  /** @param {Drawing} drawing */
  draw({ viewport, opacity, lines }) {
    const { context, canvas } = this;
    const corner = cornerOf(viewport);
    const { zoom } = viewport;
    context.setTransform(zoom, 0, 0, zoom, -corner.x * zoom * canvas.width, -corner.y * zoom * canvas.height);
    context.drawImage(this.picture, 0, 0, canvas.width, canvas.height);
    if (this.layer) {
      this.cover();
      context.globalAlpha = opacity;
      const { left, upper, right, lower } = this.box;
      context.drawImage(this.layer, left, upper, right - left, lower - upper);
      context.globalAlpha = 1;
    }
    const unit = canvas.width / (canvas.clientWidth || canvas.width) / zoom;
    for (const line of lines) {
      this.outline(line, unit);
    }
    context.resetTransform();
    this.write();
  }

  /** Cover the area that no network saw. */
  cover() {
    const { context, canvas, box } = this;
    context.fillStyle = UNSEEN;
    context.beginPath();
    context.rect(0, 0, canvas.width, canvas.height);
    context.rect(box.left, box.upper, box.right - box.left, box.lower - box.upper);
    context.fill("evenodd");
  }

  /**
   * @param {Line} line
   * @param {number} unit the width of a screen pixel.
   */
  outline({ contour, colour }, unit) {
    const { context, box } = this;
    const { left, upper, right, lower } = contour.box;
    context.save();
    context.translate(box.left, box.upper);
    for (const [style, width] of /** @type {[string, number][]} */ ([[HALO, 3.5], [colour, 1.75]])) {
      context.strokeStyle = style;
      context.lineWidth = width * unit;
      context.setLineDash([]);
      context.stroke(contour.line);
      context.setLineDash([5 * unit, 4 * unit]);
      context.strokeRect(left, upper, right - left, lower - upper);
    }
    context.restore();
  }

  /** Write the server's words: a mark on maps of random weights, and a sentence on a map without evidence. */
  write() {
    const { context, canvas, mark, notice } = this;
    context.textBaseline = "middle";
    if (notice) {
      const size = Math.max(8, Math.min(48, canvas.width / 20));
      this.band(0, (canvas.height - 2 * size) / 2, canvas.width, 2 * size);
      context.font = `${size}px sans-serif`;
      context.textAlign = "center";
      context.fillText(notice, canvas.width / 2, canvas.height / 2, canvas.width);
    }
    if (mark) {
      const size = Math.max(8, Math.min(32, canvas.width / 12, canvas.height / 3));
      context.font = `${size}px sans-serif`;
      context.textAlign = "left";
      this.band(0, 0, context.measureText(mark).width + size, 1.5 * size);
      context.fillText(mark, size / 2, 0.75 * size);
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  band(x, y, width, height) {
    this.context.fillStyle = DARK;
    this.context.fillRect(x, y, width, height);
    this.context.fillStyle = "white";
  }

  /**
   * Name the canvas for screen readers: the map, and the current drawing on it.
   *
   * @param {string} addition
   */
  say(addition) {
    this.canvas.setAttribute("aria-label", this.name + addition);
  }

  /**
   * Put the marker on a place of the picture, in shares; hide it if the place is not visible.
   *
   * @param {import("./settings.js").Point | null} place
   * @param {Viewport} viewport
   */
  point(place, viewport) {
    const corner = cornerOf(viewport);
    const x = place ? (place.x - corner.x) * viewport.zoom : -1;
    const y = place ? (place.y - corner.y) * viewport.zoom : -1;
    this.marker.hidden = x < 0 || x > 1 || y < 0 || y > 1;
    if (!this.marker.hidden) {
      this.marker.style.left = `${100 * x}%`;
      this.marker.style.top = `${100 * y}%`;
    }
  }
}
