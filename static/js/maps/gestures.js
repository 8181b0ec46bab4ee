/** Pointing, zooming and panning: a gesture on one panel moves all of them. */

import { finish, getSettings, keep, move, step } from "./view.js";
import { cornerOf, panBy, reveal, zoomAt } from "./viewport.js";

/**
 * @typedef {import("./comparison.js").Comparison} Comparison
 * @typedef {import("./settings.js").Point} Point
 */

const ZOOM_STEP = 1.25;
const KEY_STEP = 0.02;

/** A pointer that moves no farther than this, in screen pixels, has clicked. */
const CLICK_PIXELS = 5;

/** The pixels per line, for browsers that measure a wheel's movement in lines. */
const WHEEL_PIXELS_PER_LINE = 16;

const ARROWS = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
});

/** @param {Comparison} comparison */
export function takeGestures(comparison) {
  new Gestures(comparison);
}

class Gestures {
  /** @param {Comparison} comparison */
  constructor(comparison) {
    this.comparison = comparison;
    /** The last positions of the pressed pointers, by their id. @type {Map<number, Point>} */
    this.down = new Map();
    this.moved = 0;
    const { element, section } = comparison;
    element.tabIndex = 0;
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", "Maps");
    element.setAttribute("aria-describedby", "viewer-keys");
    for (const canvas of element.querySelectorAll("canvas")) {
      this.listen(canvas);
    }
    element.addEventListener("keydown", (event) => this.takeKey(event));
    this.button(section, "zoom-in", () => this.zoom(ZOOM_STEP ** 2));
    this.button(section, "zoom-out", () => this.zoom(ZOOM_STEP ** -2));
    this.button(section, "zoom-whole", () => keep({ zoom: 1, centre: { x: 0.5, y: 0.5 } }));
  }

  /** @param {HTMLCanvasElement} canvas */
  listen(canvas) {
    canvas.addEventListener("pointermove", (event) => this.takeMove(canvas, event));
    canvas.addEventListener("pointerleave", () => this.comparison.hover(null));
    canvas.addEventListener("pointerdown", (event) => this.takeDown(canvas, event));
    canvas.addEventListener("pointerup", (event) => this.takeUp(canvas, event));
    canvas.addEventListener("pointercancel", (event) => this.release(event));
    canvas.addEventListener("wheel", (event) => this.takeWheel(canvas, event), { passive: false });
  }

  /**
   * @param {HTMLElement} section
   * @param {string} id
   * @param {() => void} action
   */
  button(section, id, action) {
    section.querySelector(`#${id}`)?.addEventListener("click", action);
  }

  /** @param {number} factor */
  zoom(factor) {
    const settings = getSettings();
    keep(zoomAt(settings, factor, settings.point ?? settings.centre));
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {PointerEvent} event
   */
  takeDown(canvas, event) {
    if (event.button !== 0) {
      return;
    }
    if (this.down.size === 0) {
      finish();
      this.moved = 0;
    }
    this.down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    canvas.setPointerCapture(event.pointerId);
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {PointerEvent} event
   */
  takeMove(canvas, event) {
    const before = this.down.get(event.pointerId);
    if (!before) {
      this.comparison.hover(placeOf(canvas, event));
      return;
    }
    const now = { x: event.clientX, y: event.clientY };
    const other = [...this.down].find(([id]) => id !== event.pointerId)?.[1];
    this.moved += Math.hypot(now.x - before.x, now.y - before.y);
    this.down.set(event.pointerId, now);
    if (other) {
      this.pinch(canvas, before, now, other);
    } else if (getSettings().zoom > 1 && this.moved > CLICK_PIXELS) {
      this.pan(canvas, before, now);
    } else {
      this.comparison.hover(placeOf(canvas, event));
    }
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Point} before
   * @param {Point} now
   */
  pan(canvas, before, now) {
    const { width, height } = canvas.getBoundingClientRect();
    const settings = getSettings();
    this.comparison.hover(null);
    move(panBy(settings, (before.x - now.x) / width / settings.zoom, (before.y - now.y) / height / settings.zoom));
  }

  /**
   * Zoom after one of two fingers has moved: their distance sets the zoom, and the place between them stays.
   *
   * @param {HTMLCanvasElement} canvas
   * @param {Point} before
   * @param {Point} now
   * @param {Point} other
   */
  pinch(canvas, before, now, other) {
    const factor = Math.hypot(now.x - other.x, now.y - other.y) / Math.hypot(before.x - other.x, before.y - other.y);
    const middle = { clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 };
    const { width, height } = canvas.getBoundingClientRect();
    const settings = getSettings();
    const moved = panBy(
      settings,
      (before.x - now.x) / 2 / width / settings.zoom,
      (before.y - now.y) / 2 / height / settings.zoom,
    );
    this.comparison.hover(null);
    move(zoomAt(moved, Number.isFinite(factor) && factor > 0 ? factor : 1, placeOf(canvas, middle)));
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {PointerEvent} event
   */
  takeUp(canvas, event) {
    const wasDown = this.down.has(event.pointerId);
    this.release(event);
    if (wasDown && this.down.size === 0 && this.moved <= CLICK_PIXELS) {
      keep({ point: placeOf(canvas, event) });
      this.comparison.hover(null);
    }
  }

  /** @param {PointerEvent} event */
  release(event) {
    if (this.down.delete(event.pointerId) && this.down.size === 0) {
      this.comparison.hover(null);
      if (this.moved > CLICK_PIXELS) {
        keep();
      }
    }
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {WheelEvent} event
   */
  takeWheel(canvas, event) {
    const settings = getSettings();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * WHEEL_PIXELS_PER_LINE;
    const next = zoomAt(settings, Math.exp(-pixels / 300), placeOf(canvas, event));
    // The page scrolls unless the user asked to zoom and the zoom can still change.
    const isMeant = event.ctrlKey || event.metaKey || this.comparison.element.contains(document.activeElement);
    if (!isMeant || (next.zoom === settings.zoom && !event.ctrlKey)) {
      return;
    }
    event.preventDefault();
    step(next);
  }

  /** @param {KeyboardEvent} event */
  takeKey(event) {
    const isForMaps = event.target === this.comparison.element;
    if (!isForMaps || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const action = this.findAction(event);
    if (action) {
      event.preventDefault();
      action();
    }
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {(() => void) | undefined}
   */
  findAction({ key, shiftKey }) {
    const settings = getSettings();
    const arrow = ARROWS[key];
    const middle = settings.point ?? settings.centre;
    if (arrow) {
      const [x, y] = arrow.map((way) => (way * KEY_STEP) / settings.zoom);
      return shiftKey ? () => step(panBy(settings, 5 * (x ?? 0), 5 * (y ?? 0))) : () => this.movePoint(x ?? 0, y ?? 0);
    }
    if (key === "+" || key === "=") {
      return () => step(zoomAt(settings, ZOOM_STEP, middle));
    }
    if (key === "-" || key === "−") {
      return () => step(zoomAt(settings, 1 / ZOOM_STEP, middle));
    }
    if (key === "0") {
      return () => keep({ zoom: 1, centre: { x: 0.5, y: 0.5 } });
    }
    return key === "Escape" && settings.point ? () => keep({ point: null }) : undefined;
  }

  /**
   * Move the reading point a little and show it.
   *
   * @param {number} x share of the picture.
   * @param {number} y
   */
  movePoint(x, y) {
    const settings = getSettings();
    const from = settings.point ?? settings.centre;
    const point = settings.point
      ? { x: Math.min(Math.max(from.x + x, 0), 1), y: Math.min(Math.max(from.y + y, 0), 1) }
      : from;
    this.comparison.hover(null);
    step({ point, ...reveal(settings, point) });
    this.comparison.say();
  }
}

/**
 * The place of the picture under a pointer, in shares of the picture.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {{clientX: number, clientY: number}} event
 * @returns {Point}
 */
function placeOf(canvas, { clientX, clientY }) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const { zoom, centre } = getSettings();
  const corner = cornerOf({ zoom, centre });
  const x = corner.x + (clientX - left) / width / zoom;
  const y = corner.y + (clientY - top) / height / zoom;
  return { x: Math.min(Math.max(x, 0), 1), y: Math.min(Math.max(y, 0), 1) };
}
