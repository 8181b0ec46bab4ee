/** Shows the busy bar when a link or a form leads to a slow page. */

import { startBusy } from "./busy.js";
import { isPlainClick } from "./clicks.js";

export function announceSlowLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-slow]") : null;
    // With a modifier key the page opens in another tab or window, and this one stays.
    if (link instanceof HTMLElement && isPlainClick(event) && !event.defaultPrevented) {
      startBusy(link.dataset.slow ?? "");
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target instanceof HTMLFormElement && event.target.dataset.slow && !event.defaultPrevented) {
      startBusy(event.target.dataset.slow);
    }
  });
}
