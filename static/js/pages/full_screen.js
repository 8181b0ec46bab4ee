/** Full screen: nothing but maps, names and P; the arrow keys lead to the next picture of the gallery. */

/**
 * @param {HTMLElement} analysis which stays when its parts are replaced.
 * @param {(sample: string) => void} openSample
 */
export function offerFullScreen(analysis, openSample) {
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("#full-screen")) {
      analysis.requestFullscreen();
    }
  });
  // Before the maps take the key for their reading point.
  document.addEventListener("keydown", (event) => takeKey(event, analysis, openSample), { capture: true });
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLElement} analysis
 * @param {(sample: string) => void} openSample
 */
function takeKey(event, analysis, openSample) {
  const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const isOnHandle = event.target instanceof Element && event.target.matches("[role=slider]");
  if (!way || document.fullscreenElement !== analysis || isOnHandle) {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
  const samples = (analysis.dataset.samples ?? "").split(" ");
  const shown = document.querySelector("[data-sample]")?.getAttribute("data-sample") ?? "";
  const at = samples.indexOf(shown);
  const next = at < 0 ? 0 : (at + way + samples.length) % samples.length;
  openSample(samples[next] ?? "");
}
