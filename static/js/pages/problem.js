/** The sentence about a question that failed, beside the control that asked it. */

const ID = "analysis-error";

export function hideProblem() {
  const alert = document.getElementById(ID);
  if (alert) {
    alert.hidden = true;
    alert.textContent = "";
  }
}

/**
 * @param {string} sentence
 * @param {Element} [origin] the control; without one the sentence stands under the options.
 */
export function showProblem(sentence, origin) {
  const alert = document.getElementById(ID);
  if (!alert) {
    return;
  }
  // Full screen hides the options.
  const usual = document.getElementById(document.fullscreenElement ? "verdict" : "controls-form");
  const place = (!document.fullscreenElement && origin?.closest("[data-beside]")) || usual;
  place?.after(alert);
  alert.textContent = sentence;
  alert.hidden = false;
}
