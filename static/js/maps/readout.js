/** The maps' values at one place: beside each panel, and in one sentence for screen readers. */

import { addPlus, formatEvidence, formatShare } from "../lib/format.js";
import { write } from "../lib/write.js";
import { mapOf } from "./maps.js";

/**
 * @typedef {import("./row.js").Row} Row
 * @typedef {import("./row.js").Reading} Reading
 * @typedef {import("./settings.js").Settings} Settings
 * @typedef {{x: number, y: number}} Pixel of the picture.
 */

export class Readout {
  /**
   * @param {HTMLElement} section with a line for each panel.
   * @param {Record<string, string>} titles the networks' names for people.
   */
  constructor(section, titles) {
    this.section = section;
    this.titles = titles;
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
      for (const name of row.names) {
        const { max } = mapOf(row.row.networks, name);
        const value = reading?.networks[name] ?? 0;
        const share = max > 0 ? `, ${formatShare(value / max, 0)} of its highest` : "";
        const text = reading ? `Here ${formatEvidence(value)}${share}` : "Not seen by the networks";
        write(row.element.querySelector(`[data-readout="${name}"]`), text);
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
      if (!reading) {
        return "not seen by the networks";
      }
      const values = row.names.map((name) => `${this.titles[name]} ${formatEvidence(reading.networks[name] ?? 0)}`);
      return `${names}${values.join(", ")}, difference ${writeDifference(reading, scale)}`;
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
