/** A page that has no script of its own. */

import { enhanceEveryPage } from "../lib/every_page.js";

enhanceEveryPage();
