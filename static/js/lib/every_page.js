/** What every page has. Pages work without any script; each adds a comfort. */

import { revealTarget } from "./disclosure.js";
import { announceSlowLinks } from "./slow_links.js";

/** Called last: a page scrolls to what its address names once it has its final layout. */
export function enhanceEveryPage() {
  document.documentElement.classList.add("has-script");
  revealTarget();
  announceSlowLinks();
}
