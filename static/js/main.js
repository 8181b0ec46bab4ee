/** The page works without any of this; each module adds one comfort. */

import { enhanceAnalysis } from "./analysis.js";
import { revealTarget } from "./disclosure.js";
import { enhanceUpload } from "./upload.js";

enhanceUpload();
enhanceAnalysis();
revealTarget();
