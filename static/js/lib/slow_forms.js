/** Shows the busy bar when a form leads to a slow page. */

import { startBusy } from "./busy.js";

export function announceSlowForms() {
  document.addEventListener("submit", (event) => {
    if (event.target instanceof HTMLFormElement && event.target.dataset.slow && !event.defaultPrevented) {
      startBusy(event.target.dataset.slow);
    }
  });
}
