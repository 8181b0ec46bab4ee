/** A sheet: its order, and a ZIP file that says how many pictures it already has. */

import { whileBusy } from "../lib/busy.js";
import { isPlainClick } from "../lib/clicks.js";
import { enhanceEveryPage } from "../lib/every_page.js";
import { explain, fetchFile, PageProblem } from "../lib/page.js";
import { saveFile } from "../lib/save.js";
import { PictureCounter } from "../lib/zip_progress.js";

function enhanceArchive() {
  const link = document.querySelector("a[data-pictures]");
  if (!(link instanceof HTMLAnchorElement)) {
    return;
  }
  link.addEventListener("click", async (event) => {
    if (!isPlainClick(event) || link.dataset.waiting) {
      return;
    }
    event.preventDefault();
    link.dataset.waiting = "true";
    showProblem("");
    try {
      saveFile(await whileBusy("Writing the ZIP file …", (report) => fetchArchive(link, report)), link.download);
    } catch (error) {
      showProblem(explain(error));
    } finally {
      delete link.dataset.waiting;
    }
  });
}

/**
 * @param {HTMLAnchorElement} link
 * @param {import("../lib/upload.js").Report} report
 * @returns {Promise<Blob>}
 */
async function fetchArchive(link, report) {
  const count = Number(link.dataset.pictures);
  const { body } = await fetchFile(link.href);
  const counter = new PictureCounter();
  const chunks = [];
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (body).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return new Blob(chunks, { type: "application/zip" });
      }
      chunks.push(value);
      const complete = counter.add(value);
      const sentence = complete < count ? `${complete} of ${count} pictures done …` : "Drawing the sheet …";
      report(sentence, complete / (count + 1));
    }
  } catch (error) {
    if (error instanceof TypeError) {
      throw new PageProblem("the ZIP file broke off; check that the server is running, then download it again");
    }
    throw error;
  }
}

/** @param {string} sentence */
function showProblem(sentence) {
  const place = document.getElementById("archive-problem");
  if (place) {
    place.textContent = sentence;
    place.hidden = sentence === "";
  }
}

/** The order and the filter apply as soon as they are chosen. */
function enhanceOrder() {
  const form = document.getElementById("sheet-form");
  if (form instanceof HTMLFormElement) {
    form.addEventListener("change", ({ target }) => {
      if (target instanceof HTMLSelectElement && (target.name === "sort" || target.name === "only")) {
        form.requestSubmit();
      }
    });
  }
}

enhanceArchive();
enhanceOrder();
enhanceEveryPage();
