/**
 * The part of the picture that all panels show: zoom and centre, in shares of the picture.
 *
 * @typedef {import("./settings.js").Point} Point
 * @typedef {{zoom: number, centre: Point}} Viewport
 */

export const MAX_ZOOM = 16;

/**
 * The upper left corner of the visible part, which is `1 / zoom` wide and high.
 *
 * @param {Viewport} viewport
 * @returns {Point}
 */
export function cornerOf({ zoom, centre }) {
  return { x: centre.x - 0.5 / zoom, y: centre.y - 0.5 / zoom };
}

/**
 * Zoom in or out; one place of the picture keeps its position in the panel.
 *
 * @param {Viewport} viewport
 * @param {number} factor
 * @param {Point} place of the picture.
 * @returns {Viewport}
 */
export function zoomAt({ zoom, centre }, factor, place) {
  const next = Math.min(Math.max(zoom * factor, 1), MAX_ZOOM);
  const ratio = zoom / next;
  return hold(next, {
    x: place.x + (centre.x - place.x) * ratio,
    y: place.y + (centre.y - place.y) * ratio,
  });
}

/**
 * @param {Viewport} viewport
 * @param {number} x share of the picture.
 * @param {number} y
 * @returns {Viewport}
 */
export function panBy({ zoom, centre }, x, y) {
  return hold(zoom, { x: centre.x + x, y: centre.y + y });
}

/**
 * Move a viewport by the shortest way that shows a place.
 *
 * @param {Viewport} viewport
 * @param {Point} place
 * @returns {Viewport}
 */
export function reveal({ zoom, centre }, place) {
  const reach = 0.5 / zoom;
  return hold(zoom, {
    x: Math.min(Math.max(centre.x, place.x - reach), place.x + reach),
    y: Math.min(Math.max(centre.y, place.y - reach), place.y + reach),
  });
}

/**
 * Move a viewport into the picture.
 *
 * @param {number} zoom
 * @param {Point} centre
 * @returns {Viewport}
 */
export function hold(zoom, centre) {
  const reach = 0.5 / zoom;
  return {
    zoom,
    centre: {
      x: Math.min(Math.max(centre.x, reach), 1 - reach),
      y: Math.min(Math.max(centre.y, reach), 1 - reach),
    },
  };
}
