/** The colour bars under the panels; they follow the scale and the colours. */

import { colormapAddress } from "./colours.js";
import { formatEvidence, formatShare } from "../lib/format.js";
import { write } from "../lib/write.js";
import { maximumOf } from "./maps.js";

/**
 * @typedef {import("./row.js").Row} Row
 * @typedef {import("./settings.js").Settings} Settings
 */

/**
 * @param {Row} shownRow
 * @param {Settings} settings
 * @param {{limit: number, units: string, rows: number, className: string}} shared the upper end of the shared scale.
 */
export function showScale(shownRow, settings, { limit, units, rows, className }) {
  const { element, row } = shownRow;
  const { scale, colormap } = settings;
  for (const part of element.querySelectorAll("[data-scale]")) {
    /** @type {HTMLElement} */ (part).hidden = part.getAttribute("data-scale") !== scale;
    const image = part.querySelector("img");
    if (image) {
      setImage(image, colormapAddress(colormap), `Colours of ${colormap}, ${readEnds(part)}`);
    }
  }
  const shared = element.querySelector("[data-scale=shared]");
  if (shared) {
    const what = rows > 1 ? "evidence" : `evidence for ‘${className}’`;
    const extent = "one scale for all";
    write(shared.querySelector(".colour-bar-highest"), formatEvidence(limit));
    write(shared.querySelector(".colour-bar-label"), `${what} in ${units}, ${extent}`);
    setImage(shared.querySelector("img"), null, `Colours of ${colormap}, ${readEnds(shared)}`);
  }
  const difference = element.querySelector(".panel-difference");
  if (difference && maximumOf(row) > 0) {
    const extent = shownRow.differenceLimit(settings, limit);
    const end = formatEvidence(extent);
    write(difference.querySelector(".colour-bar-lowest"), `−${end}`);
    write(difference.querySelector(".colour-bar-highest"), `+${end}`);
    const label = labelDifference(settings, units, extent / (scale === "own" ? 1 : limit));
    write(difference.querySelector(".colour-bar-label"), label);
    setImage(difference.querySelector(".colour-bar img"), null, `Colours of RdBu_r, ${readEnds(difference)}`);
  }
}

/**
 * The server's words for a difference's scale (app/pages/analysis/wording.py).
 *
 * @param {Settings} settings
 * @param {string} units
 * @param {number} share of the maps' scale.
 * @returns {string}
 */
function labelDifference({ scale, differenceScale }, units, share) {
  const what = scale === "own" ? "shares of each map’s own maximum" : units;
  return differenceScale === "shared" ? `in ${what}, the maps’ scale` : `in ${what}, ${formatShare(share, 0)} of the maps’ scale`;
}

/** @param {Element} part */
function readEnds(part) {
  const [lowest, highest] = ["lowest", "highest"].map((end) => part.querySelector(`.colour-bar-${end}`)?.textContent);
  return `from ${lowest} to ${highest}`;
}

/**
 * @param {HTMLImageElement | null} image
 * @param {string | null} address or null to keep it.
 * @param {string} description
 */
function setImage(image, address, description) {
  if (!image) {
    return;
  }
  if (address && image.getAttribute("src") !== address) {
    image.src = address;
  }
  image.alt = description;
}
