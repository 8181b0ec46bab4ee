/** The page of the live camera. */

import { enhanceCamera } from "../camera/live_camera.js";
import { enhanceEveryPage } from "../lib/every_page.js";

enhanceCamera();
enhanceEveryPage();
