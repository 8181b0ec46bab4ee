/** The gate controls: each choice asks the server at once. The button is for use without JavaScript. */

/** @param {(questions: URLSearchParams) => void} ask the server. */
export function enhanceGates(ask) {
  const form = document.getElementById("gates-form");
  if (!(form instanceof HTMLFormElement)) {
    return;
  }
  form.classList.add("is-live");
  const askAgain = () => ask(new URLSearchParams({ interventions: readChanges(form) }));
  form.addEventListener("change", askAgain);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    askAgain();
  });
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
