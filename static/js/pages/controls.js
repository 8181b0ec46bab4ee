/** The options form: the browser draws some choices at once and asks the server for the others. */

import { enhanceClassPickers } from "../lib/class_picker.js";
import { formatShare } from "../lib/format.js";
import { write } from "../lib/write.js";
import { finish, getSettings, keep, move, step } from "../maps/view.js";

/** @typedef {import("../maps/settings.js").Settings} Settings */

const FORM = "controls-form";

const SLIDERS = ["opacity", "threshold"];

/** The fields that the browser draws by itself, and the settings that they change. */
const DRAWN_HERE = /** @type {Record<string, keyof Settings>} */ ({
  scale: "scale",
  difference_scale: "differenceScale",
  colormap: "colormap",
  opacity: "opacity",
  threshold: "threshold",
});

/** Whether a slider moves by keys, which make many changes where dragging makes one. */
let movesByKeys = false;

/**
 * Listen to the form's fields, some of which are outside of it. Call this once.
 *
 * @param {(question: URLSearchParams, origin: Element) => void} ask the server.
 */
export function listenToControls(ask) {
  document.addEventListener("pointerdown", () => {
    movesByKeys = false;
  });
  document.addEventListener("keydown", (event) => {
    movesByKeys = fieldOf(event)?.type === "range";
  });
  document.addEventListener("input", (event) => {
    const field = fieldOf(event);
    if (field && SLIDERS.includes(field.name)) {
      move(readPart(field));
    }
  });
  document.addEventListener("change", (event) => {
    const field = fieldOf(event);
    if (field && SLIDERS.includes(field.name) && movesByKeys) {
      step(readPart(field));
    } else if (field && field.name in DRAWN_HERE) {
      keep(readPart(field));
    } else if (field?.form) {
      ask(readQuestions(field.form), field);
    }
  });
  document.addEventListener("focusout", (event) => {
    if (fieldOf(event)?.type === "range") {
      finish();
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target instanceof HTMLFormElement && event.target.id === FORM) {
      event.preventDefault();
      ask(readQuestions(event.target), event.submitter ?? event.target);
    }
  });
}

/**
 * @param {Event} event
 * @returns {HTMLInputElement | HTMLSelectElement | null} the form's field; null for any other element.
 */
function fieldOf({ target }) {
  const isField = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  return isField && target.form?.id === FORM && target.name ? target : null;
}

/** Turn the fields of classes into search fields. Call this for each new form. */
export function enhanceControls() {
  const form = document.getElementById(FORM);
  if (form instanceof HTMLFormElement) {
    form.classList.add("is-live");
    document.querySelector(".toolbar")?.classList.add("is-live");
    enhanceClassPickers(form);
    showSettings(getSettings());
  }
}

/** Give all fields the values that the page was made for, after a question that failed. */
export function restoreControls() {
  const form = document.getElementById(FORM);
  if (form instanceof HTMLFormElement) {
    form.reset();
  }
  showSettings(getSettings());
}

/**
 * Show the settings in the form; the address may have changed them.
 *
 * @param {Settings} settings
 */
export function showSettings(settings) {
  const form = document.getElementById(FORM);
  if (!(form instanceof HTMLFormElement)) {
    return;
  }
  for (const [name, setting] of Object.entries(DRAWN_HERE)) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) {
      field.disabled = false;
      field.value = String(settings[setting]);
    }
  }
  write(form.querySelector("#opacity-value"), formatShare(settings.opacity, 0));
  write(form.querySelector("#threshold-value"), settings.threshold > 0 ? formatShare(settings.threshold, 0) : "off");
}

/**
 * @param {HTMLInputElement | HTMLSelectElement} field
 * @returns {Partial<Settings>}
 */
function readPart({ name, value }) {
  return { [String(DRAWN_HERE[name])]: SLIDERS.includes(name) ? Number(value) : value };
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
    if (!(name in DRAWN_HERE)) {
      query.append(name, String(value));
    }
  }
  return query;
}
