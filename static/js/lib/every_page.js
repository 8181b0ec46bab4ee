/** The script of every page. Pages also work without scripts. */

import { revealTarget } from "./disclosure.js";
import { announceSlowForms } from "./slow_forms.js";

/** Call this last: the page scrolls to the part that its address names, which other scripts may still move. */
export function enhanceEveryPage() {
  document.documentElement.classList.add("has-script");
  revealTarget();
  announceSlowForms();
}
