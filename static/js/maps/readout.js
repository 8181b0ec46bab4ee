/** The maps' values at one place: beside each panel, and in one sentence for screen readers. */

import { addPlus, formatEvidence, formatShare } from "../lib/format.js";
import { write } from "../lib/write.js";
import { NETWORKS } from "./maps.js";

/**
 * @typedef {import("./row.js").Row} Row
 * @typedef {import("./row.js").Reading} Reading
 * @typedef {import("./settings.js").Settings} Settings
 * @typedef {{x: number, y: number}} Pixel of the picture.
 */

export class Readout {
  /**
   * @param {HTMLElement} section with a line for each panel.
   * @param {string} attention the display name of the network with attention.
   */
  constructor(section, attention) {
    this.section = section;
    this.attention = attention;
    this.position = section.querySelector("[data-readout=position]");
    this.said = section.querySelector("#viewer-said");
    /** The text of the lines when nothing is pointed at. @type {Map<Element, string | null>} */
    this.rest = new Map(
      Array.from(section.querySelectorAll("[data-readout]"), (line) => [line, line.textContent]),
    );
  }

  /**
   * @param {Pixel} pixel
   * @param {{row: Row, reading: Reading | null}[]} readings
   * @param {Settings["scale"]} scale
   */
  show({ x, y }, readings, scale) {
    write(this.position, `At x ${x}, y ${y}`);
    for (const { row, reading } of readings) {
      for (const name of NETWORKS) {
        const { max } = row.row.networks[name];
        const share = max > 0 && reading ? `, ${formatShare(reading[name] / max, 0)} of its highest` : "";
        const text = reading ? `Here ${formatEvidence(reading[name])}${share}` : "Not seen by the networks";
        write(row.element.querySelector(`[data-readout=${name}]`), text);
      }
      const text = reading ? `Here ${writeDifference(reading, scale)}` : "Not seen by the networks";
      write(row.element.querySelector("[data-readout=difference]"), text);
    }
  }

  clear() {
    for (const [line, text] of this.rest) {
      write(line, text ?? "");
    }
  }

  /**
   * Write for screen readers.
   *
   * @param {Pixel} pixel
   * @param {{row: Row, reading: Reading | null}[]} readings
   * @param {Settings["scale"]} scale
   */
  say({ x, y }, readings, scale) {
    const parts = readings.map(({ row, reading }) => {
      const names = readings.length > 1 ? `${row.row.className}: ` : "";
      return reading
        ? `${names}baseline ${formatEvidence(reading.baseline)}, ${this.attention} ${formatEvidence(reading.cbam)}, ` +
            `difference ${writeDifference(reading, scale)}`
        : "not seen by the networks";
    });
    write(this.said, `x ${x}, y ${y}: ${parts.join("; ")}`);
  }
}

/**
 * @param {Reading} reading
 * @param {Settings["scale"]} scale
 */
function writeDifference({ difference }, scale) {
  return addPlus(scale === "own" ? formatShare(difference, 0) : formatEvidence(difference), difference);
}
