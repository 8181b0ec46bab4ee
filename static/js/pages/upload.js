/** The first page: pictures are dropped, pasted or chosen. */

import { enhanceEveryPage } from "../lib/every_page.js";
import { enhanceUpload } from "./upload_form.js";

enhanceUpload();
enhanceEveryPage();
