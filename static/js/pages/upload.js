/** The first page: drop, paste or choose pictures. */

import { enhanceEveryPage } from "../lib/every_page.js";
import { enhanceUpload } from "./upload_form.js";

enhanceUpload();
enhanceEveryPage();
