/** A comparison in a notebook: two of its drawings under a handle, and the maps' values under the pointer. */

import { addPlus, formatEvidence, formatShare } from "../lib/format.js";
import { valueAt } from "../maps/interpolation.js";
import { mapOf, readMaps } from "../maps/maps.js";
import { addHandles } from "../maps/swipe.js";

/**
 * @typedef {import("../maps/maps.js").Maps} Maps
 * @typedef {{name: string, title: string, image: string}} Drawing `image` is a data address.
 * @typedef {object} Payload
 * @property {any} maps as the REST API sends them.
 * @property {Drawing[]} drawings
 * @property {string} left the name of the drawing that is first shown on the left.
 * @property {string} right
 * @property {{of: string, minus: string}} difference
 */

const SIDES = /** @type {const} */ (["left", "right"]);

const REST = "Point at the picture to read the maps' values.";

/**
 * Put the drawings under a handle in the place of the figure; an output that has them already stays as it is.
 *
 * @param {Iterable<HTMLElement>} outputs
 * @param {Payload} payload
 */
export function showComparison(outputs, payload) {
  for (const output of outputs) {
    const figure = output.querySelector(".cbam-lens-figure");
    if (figure) {
      figure.replaceWith(makeView(payload));
    }
  }
}

/**
 * @param {Payload} payload
 * @returns {HTMLElement}
 */
function makeView(payload) {
  const view = make("div", "cbam-lens-view");
  const lineup = make("div", "panel-lineup");
  for (const side of SIDES) {
    lineup.append(makeSide(payload, side));
  }
  const readout = make("p", "cbam-lens-readout");
  readout.textContent = REST;
  view.append(lineup, readout);
  addHandles(view);
  // By default it is named after the two maps, which can be others a moment later.
  view.querySelector(".swipe-handle")?.setAttribute("aria-label", "Border between the left and the right drawing");
  followPointer(lineup, readout, payload);
  return view;
}

/**
 * @param {Payload} payload
 * @param {"left" | "right"} side
 * @returns {HTMLElement}
 */
function makeSide(payload, side) {
  const { drawings, maps } = payload;
  const panel = make("div", "panel");
  panel.dataset.side = side;
  const choice = document.createElement("select");
  choice.className = "panel-title";
  choice.setAttribute("aria-label", side === "left" ? "Left of the handle" : "Right of the handle");
  choice.append(...drawings.map(({ name, title }) => new Option(title, name, false, name === payload[side])));
  const frame = make("div", "frame");
  frame.style.aspectRatio = `${maps.picture_width} / ${maps.picture_height}`;
  const image = document.createElement("img");
  frame.append(image);
  const show = () => {
    const drawing = drawings.find(({ name }) => name === choice.value);
    image.src = drawing?.image ?? "";
    image.alt = drawing?.title ?? "";
  };
  choice.addEventListener("change", show);
  show();
  panel.append(choice, frame);
  return panel;
}

/**
 * @param {HTMLElement} lineup
 * @param {HTMLElement} readout
 * @param {Payload} payload
 */
function followPointer(lineup, readout, payload) {
  const maps = readMaps(payload.maps);
  const frame = /** @type {HTMLElement} */ (lineup.querySelector("[data-side=right] .frame"));
  lineup.addEventListener("pointermove", (event) => {
    const { left, top, width, height } = frame.getBoundingClientRect();
    const [across, down] = [(event.clientX - left) / width, (event.clientY - top) / height];
    const isInside = across >= 0 && across < 1 && down >= 0 && down < 1;
    readout.textContent = isInside ? read(maps, payload, across, down) : REST;
  });
  lineup.addEventListener("pointerleave", () => {
    readout.textContent = REST;
  });
}

/**
 * The maps' values at one place.
 *
 * @param {Maps} maps
 * @param {Payload} payload
 * @param {number} across share of the picture's width, 0 to 1.
 * @param {number} down share of its height.
 * @returns {string}
 */
function read({ box, pictureWidth, pictureHeight, rows, titles }, { difference, drawings }, across, down) {
  const [x, y] = [Math.floor(across * pictureWidth), Math.floor(down * pictureHeight)];
  const [column, row] = [
    (across * pictureWidth - box.left) / (box.right - box.left),
    (down * pictureHeight - box.upper) / (box.lower - box.upper),
  ];
  if (column < 0 || column > 1 || row < 0 || row > 1) {
    return `x ${x}, y ${y}: not seen by the networks`;
  }
  const { networks } = /** @type {Maps["rows"][number]} */ (rows[0]);
  /** @param {string} name */
  const valueOf = (name) => valueAt(mapOf(networks, name), column, row);
  const names = drawings.map(({ name }) => name).filter((name) => name in networks);
  const values = names.map((name) => {
    const { max } = mapOf(networks, name);
    const share = max > 0 ? ` (${formatShare(valueOf(name) / max, 0)} of its highest)` : "";
    return `${titles[name]} ${formatEvidence(valueOf(name))}${share}`;
  });
  const change = valueOf(difference.of) - valueOf(difference.minus);
  return `x ${x}, y ${y}: ${values.join(", ")}, difference ${addPlus(formatEvidence(change), change)}`;
}

/**
 * @param {string} element
 * @param {string} className
 * @returns {HTMLElement}
 */
function make(element, className) {
  const made = document.createElement(element);
  made.className = className;
  return made;
}
