/** Full screen: nothing but maps, names and P; the arrow keys lead to the next picture. */

/**
 * @param {HTMLElement} analysis which stays when its parts are replaced.
 * @param {(way: number) => void} openNext is given 1, or -1 for the picture before.
 */
export function offerFullScreen(analysis, openNext) {
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("#full-screen")) {
      analysis.requestFullscreen();
    }
  });
  // Before the maps take the key for their reading point.
  document.addEventListener("keydown", (event) => takeKey(event, analysis, openNext), { capture: true });
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLElement} analysis
 * @param {(way: number) => void} openNext
 */
function takeKey(event, analysis, openNext) {
  const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const isOnHandle = event.target instanceof Element && event.target.matches("[role=slider]");
  if (!way || document.fullscreenElement !== analysis || isOnHandle) {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
  openNext(way);
}
