/** A button in each panel copies its map as it is shown. Where the browser refuses, the map can be saved instead. */

import { copyPicture } from "../lib/clipboard.js";
import { explain, PageProblem } from "../lib/page.js";
import { saveFile } from "../lib/save.js";
import { write } from "../lib/write.js";

const SAID_MILLISECONDS = 3000;

/** Listen to the buttons. Call this once. */
export function offerCopies() {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest(".panel-copy, .panel-save") : null;
    const panel = button?.closest("[data-panel]");
    const canvas = panel?.querySelector("canvas");
    if (!button || !panel || !canvas) {
      return;
    }
    if (button.matches(".panel-copy")) {
      copyMap(button, panel, canvas);
    } else {
      saveMap(panel, canvas);
    }
  });
}

/**
 * @param {Element} button
 * @param {Element} panel
 * @param {HTMLCanvasElement} canvas
 */
async function copyMap(button, panel, canvas) {
  const said = document.getElementById("viewer-said");
  showProblem(panel, "");
  // Screen readers read a sentence again only if it was gone.
  write(said, "");
  try {
    await copyPicture(() => encode(canvas));
    write(button, "Copied");
    write(said, `${titleOf(panel)}: copied.`);
    setTimeout(() => write(button, "Copy"), SAID_MILLISECONDS);
  } catch (error) {
    showProblem(panel, explain(error));
  }
}

/**
 * @param {Element} panel
 * @param {HTMLCanvasElement} canvas
 */
async function saveMap(panel, canvas) {
  const figure = document.querySelector("#export a[download$='.png']")?.getAttribute("download") ?? "cbam-lens.png";
  const name = figure.replace(/\.png$/, `-${panel.getAttribute("data-panel")}.png`);
  try {
    saveFile(await encode(canvas), name);
    showProblem(panel, "");
  } catch (error) {
    showProblem(panel, explain(error));
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {Promise<Blob>} a PNG.
 * @throws {PageProblem} if there is no memory for it.
 */
function encode(canvas) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((file) => {
      if (file) {
        resolve(file);
      } else {
        reject(new PageProblem("There is no memory for the picture; close other pages, then try again."));
      }
    }, "image/png");
  });
}

/** @param {Element} panel */
function titleOf(panel) {
  return panel.querySelector(".panel-title")?.textContent ?? "";
}

/**
 * @param {Element} panel
 * @param {string} sentence empty if there is none.
 */
function showProblem(panel, sentence) {
  const alert = panel.querySelector(".panel-problem");
  if (alert instanceof HTMLElement) {
    alert.hidden = sentence === "";
    write(alert.querySelector("span"), sentence);
  }
}
