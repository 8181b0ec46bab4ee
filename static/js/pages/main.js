/** The page works without any of this; each module adds one comfort. */

import { enhanceAnalysis } from "./analysis.js";
import { enhanceCamera } from "./camera.js";
import { revealTarget } from "../lib/disclosure.js";
import { announceSlowLinks } from "../lib/slow_links.js";
import { enhanceUpload } from "./upload.js";

document.documentElement.classList.add("has-script");
enhanceUpload();
enhanceAnalysis();
enhanceCamera();
revealTarget();
announceSlowLinks();
