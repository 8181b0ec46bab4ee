/** The playground of gates: each choice asks the server at once, and the button is for those without script. */

/** @param {(questions: URLSearchParams) => void} ask what to do when the server has to answer. */
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
 * @returns {string} what is changed, separated by commas; empty where everything is as learned.
 */
function readChanges(form) {
  return new FormData(form)
    .getAll("interventions")
    .filter((value) => value !== "")
    .join(",");
}
