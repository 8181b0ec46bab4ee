/** Several pictures: they are sent one after another, and their analyses become a sheet. */

import { whileBusy } from "../lib/busy.js";
import { keepUpload, readOptions } from "../lib/history.js";
import { PageProblem, readProblem, send } from "../lib/page.js";
import { refuseBytes } from "../lib/size_limit.js";
import { shrinkFile } from "../lib/thumbnail.js";

/**
 * A picture that was sent: its analysis, or the reason why there is none.
 *
 * @typedef {{name: string, analysis?: string, problem?: string}} Row
 */

/**
 * Analyse all pictures and make a sheet.
 *
 * @param {HTMLFormElement} form
 * @param {File[]} files
 * @param {AbortSignal} signal
 * @returns {Promise<string>} the sheet's address.
 * @throws {PageProblem} with a sentence; an `AbortError` if it was cancelled.
 */
export async function makeSheet(form, files, signal) {
  const limit = Number(form.dataset.sheetPictures);
  if (files.length > limit) {
    throw new PageProblem(`${files.length} pictures; the limit is ${limit} at once; send fewer`);
  }
  /** @type {Row[]} */
  const rows = [];
  try {
    for (const [index, file] of files.entries()) {
      const failed = rows.filter(({ problem }) => problem !== undefined).map(({ name }) => name);
      showProgress(index, files.length, file.name, failed);
      const sentence = `Comparing picture ${index + 1} of ${files.length} …`;
      const answer = await whileBusy(sentence, () => analyse(form, file, signal));
      rows.push({ name: file.name.slice(-200), ...answer });
    }
    showProgress(files.length, files.length, "", []);
    return await whileBusy("Making the sheet …", () => createSheet(form, rows, signal));
  } finally {
    hideProgress();
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {File} file
 * @param {AbortSignal} signal
 * @returns {Promise<{analysis: string} | {problem: string}>}
 */
async function analyse(form, file, signal) {
  const problem = refuseBytes(file.size, Number(form.dataset.maxBytes));
  if (problem) {
    return { problem };
  }
  const data = new FormData(form);
  data.set("image", file);
  /** @type {Response} */
  let response;
  try {
    response = await send(String(form.dataset.analyses), { method: "POST", body: data, signal });
  } catch (error) {
    if (error instanceof PageProblem) {
      // The other pictures may still arrive, and those that did are kept.
      return { problem: error.message };
    }
    throw error;
  }
  if (!response.ok) {
    return { problem: await readProblem(response, "send the picture again") };
  }
  const { id, expires } = await response.json();
  const view = { id, search: "", expires: Date.parse(expires), thumbnail: await shrinkFile(file) };
  await keepUpload(view, file, readOptions(data));
  return { analysis: id };
}

/**
 * @param {HTMLFormElement} form
 * @param {Row[]} rows
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
async function createSheet(form, rows, signal) {
  const response = await send(String(form.dataset.sheetRows), {
    method: "POST",
    body: JSON.stringify({ rows }),
    headers: { "Content-Type": "application/json" },
    signal,
  });
  if (!response.ok) {
    throw new PageProblem(await readProblem(response, "send the picture again"));
  }
  return (await response.json()).address;
}

/**
 * @param {number} done
 * @param {number} count
 * @param {string} name of the current picture.
 * @param {string[]} failed the names of the pictures that could not be compared.
 */
function showProgress(done, count, name, failed) {
  const place = document.getElementById("sheet-progress");
  const bar = place?.querySelector("progress");
  const text = place?.querySelector("span");
  if (!place || !bar || !text) {
    return;
  }
  place.hidden = false;
  bar.max = count;
  bar.value = done;
  const failures = failed.length ? `; could not be compared: ${failed.join(", ")}` : "";
  text.textContent = `${done} of ${count} pictures sent${name ? `; now ${name}` : ""}${failures}`;
}

function hideProgress() {
  const place = document.getElementById("sheet-progress");
  if (place) {
    place.hidden = true;
  }
}
