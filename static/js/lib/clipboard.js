/** Pictures on the clipboard. */

import { PageProblem } from "./page.js";

/** The browser has no clipboard for a page that came over plain HTTP from another machine, or the reader forbade it. */
export class ClipboardRefusal extends PageProblem {
  constructor() {
    super("This browser does not let the page copy pictures.");
  }
}

/**
 * Put a picture onto the clipboard.
 *
 * @param {() => Promise<Blob>} draw a PNG.
 * @throws {ClipboardRefusal} where the browser refuses.
 */
export async function copyPicture(draw) {
  if (typeof ClipboardItem === "undefined" || !navigator.clipboard) {
    throw new ClipboardRefusal();
  }
  // Given as a promise: some browsers let a page copy only in the very moment of a click.
  const picture = draw();
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
  } catch (error) {
    // A picture that could not be drawn has its own sentence.
    await picture;
    throw error instanceof DOMException ? new ClipboardRefusal() : error;
  }
}
