/** Pictures on the clipboard. */

import { PageProblem } from "./page.js";

/**
 * Put a picture onto the clipboard.
 *
 * @param {() => Promise<Blob>} draw a PNG.
 * @throws {PageProblem} where the browser refuses: it has no clipboard for a page that came over plain HTTP from another
 *   machine, and the reader may have forbidden it.
 */
export async function copyPicture(draw) {
  if (typeof ClipboardItem === "undefined" || !navigator.clipboard) {
    throw explainRefusal();
  }
  // Given as a promise: some browsers let a page copy only in the very moment of a click.
  const picture = draw();
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
  } catch (error) {
    // A picture that could not be drawn has its own sentence.
    await picture;
    throw error instanceof DOMException ? explainRefusal() : error;
  }
}

/** @returns {PageProblem} */
function explainRefusal() {
  return new PageProblem("This browser does not let the page copy pictures.");
}
