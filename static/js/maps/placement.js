/** The place of the maps on a canvas. */

/**
 * @typedef {import("./maps.js").Box} Box
 * @typedef {import("./maps.js").Maps} Maps
 */

/**
 * The maps' box in whole pixels of a canvas, at least one, as the server rounds it (app/render/overlay.py).
 *
 * @param {Pick<Maps, "box" | "pictureWidth" | "pictureHeight">} maps
 * @param {number} width of the canvas.
 * @param {number} height
 * @returns {Box}
 */
export function scaleBox({ box, pictureWidth, pictureHeight }, width, height) {
  const [across, down] = [width / pictureWidth, height / pictureHeight];
  const left = Math.min(roundHalfEven(box.left * across), width - 1);
  const upper = Math.min(roundHalfEven(box.upper * down), height - 1);
  return {
    left,
    upper,
    right: Math.min(width, Math.max(left + 1, roundHalfEven(box.right * across))),
    lower: Math.min(height, Math.max(upper + 1, roundHalfEven(box.lower * down))),
  };
}

/**
 * Round as Python does: an exact half goes to the even number.
 *
 * @param {number} value
 * @returns {number}
 */
function roundHalfEven(value) {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}
