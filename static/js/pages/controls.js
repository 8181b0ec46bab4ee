/** The options form: the browser draws some choices at once and asks the server for the others. */

import { enhanceClassPickers } from "../lib/class_picker.js";
import { formatShare } from "../lib/format.js";
import { write } from "../lib/write.js";
import { getSettings, keep, move } from "../maps/view.js";

/** @typedef {import("../maps/settings.js").Settings} Settings */

const SLIDERS = ["opacity", "threshold"];

const DRAWN_HERE = ["scale", "colormap", ...SLIDERS];

/**
 * @param {HTMLFormElement} form
 * @param {(question: URLSearchParams) => void} ask the server.
 */
export function enhanceControls(form, ask) {
  form.classList.add("is-live");
  enhanceClassPickers(form);
  form.addEventListener("input", (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (SLIDERS.includes(field.name)) {
      move(readPart(field));
    }
  });
  form.addEventListener("change", (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (DRAWN_HERE.includes(field.name)) {
      keep(readPart(field));
    } else {
      ask(readQuestions(form));
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(readQuestions(form));
  });
  showSettings(form, getSettings());
}

/**
 * Show the settings in the form; the address may have changed them.
 *
 * @param {HTMLFormElement} form
 * @param {Settings} settings
 */
export function showSettings(form, settings) {
  for (const name of /** @type {("scale" | "colormap" | "opacity" | "threshold")[]} */ (DRAWN_HERE)) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) {
      field.disabled = false;
      field.value = String(settings[name]);
    }
  }
  write(form.querySelector("#opacity-value"), formatShare(settings.opacity, 0));
  write(form.querySelector("#threshold-value"), settings.threshold > 0 ? formatShare(settings.threshold, 0) : "off");
}

/**
 * @param {HTMLInputElement} field
 * @returns {Partial<Settings>}
 */
function readPart({ name, value }) {
  return SLIDERS.includes(name) ? { [name]: Number(value) } : { [name]: value };
}

/**
 * The form's question to the server.
 *
 * @param {HTMLFormElement} form
 * @returns {URLSearchParams}
 */
function readQuestions(form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (!DRAWN_HERE.includes(name)) {
      query.append(name, String(value));
    }
  }
  return query;
}
