/** The gate controls: each choice asks the server at once. The button is for use without JavaScript. */

const FORM = "gates-form";

/** @param {(questions: URLSearchParams, origin: Element) => void} ask the server. Call this once. */
export function listenToGates(ask) {
  const takeChange = (/** @type {Event} */ event) => {
    const origin = event.target;
    const form = origin instanceof HTMLSelectElement || origin instanceof HTMLInputElement ? origin.form : null;
    if (form?.id === FORM && origin instanceof Element) {
      ask(new URLSearchParams({ interventions: readChanges(form) }), origin);
    }
  };
  document.addEventListener("change", takeChange);
  document.addEventListener("submit", (event) => {
    if (event.target instanceof HTMLFormElement && event.target.id === FORM) {
      event.preventDefault();
      ask(new URLSearchParams({ interventions: readChanges(event.target) }), event.target);
    }
  });
}

/** Hide what only a page without JavaScript needs. Call this for each new form. */
export function enhanceGates() {
  document.getElementById(FORM)?.classList.add("is-live");
}

/**
 * @param {HTMLFormElement} form
 * @returns {string} the changes, separated by commas; empty if all gates are as learned.
 */
function readChanges(form) {
  return new FormData(form)
    .getAll("interventions")
    .filter((value) => value !== "")
    .join(",");
}
