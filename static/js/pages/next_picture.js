/** The next picture in full screen: of the sheet from which this page was opened, or of the gallery. */

import { fetchPage } from "../lib/page.js";

/** The rows' addresses of the sheets that were asked, by the sheet's address. @type {Map<string, string[]>} */
const known = new Map();

/**
 * The page of the sheet's next row, in the order of the sheet; from the last row to the first.
 *
 * @param {string} sheet its address.
 * @param {number} way 1, or -1 for the row before.
 * @returns {Promise<string>} its address.
 * @throws {PageProblem} with the server's sentence.
 */
export async function findNextRow(sheet, way) {
  const key = sheet.split("#")[0] ?? "";
  const rows = known.get(key) ?? (await listRows(key));
  known.set(key, rows);
  const at = rows.findIndex((row) => new URL(row, location.href).pathname === location.pathname);
  return rows[(Math.max(at, 0) + way + rows.length) % rows.length] ?? location.href;
}

/**
 * @param {string} sheet
 * @returns {Promise<string[]>}
 */
async function listRows(sheet) {
  const { page } = await fetchPage(sheet);
  return Array.from(page.querySelectorAll(".sheet-name a"), (link) => link.getAttribute("href") ?? "");
}

/**
 * @param {string[]} samples the gallery's pictures.
 * @param {number} way 1, or -1 for the picture before.
 * @returns {string} the first picture if the shown one is not of the gallery.
 */
export function findNextSample(samples, way) {
  const shown = document.querySelector("[data-sample]")?.getAttribute("data-sample") ?? "";
  const at = samples.indexOf(shown);
  return (at < 0 ? samples[0] : samples[(at + way + samples.length) % samples.length]) ?? "";
}
