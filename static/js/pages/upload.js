/** The first page: drop, paste or choose pictures, or open one of one's own again. */

import { enhanceEveryPage } from "../lib/every_page.js";
import { showOwnPictures } from "./own_pictures.js";
import { enhanceUpload } from "./upload_form.js";

enhanceUpload();
showOwnPictures();
enhanceEveryPage();
