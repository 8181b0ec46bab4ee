/** What can be done with the page: undo, copy its link, full screen. */

import { canUndo, onSteps } from "../lib/address.js";
import { whileBusy } from "../lib/busy.js";
import { ClipboardRefusal, copyPicture } from "../lib/clipboard.js";
import { explain, fetchFile } from "../lib/page.js";
import { write } from "../lib/write.js";

export function listenToToolbar() {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button, #phone-class") : null;
    if (button?.id === "undo") {
      history.back();
    } else if (button?.id === "copy-link") {
      copyLink();
    } else if (button?.id === "copy-figure") {
      copyFigure();
    } else if (button?.id === "phone-class") {
      event.preventDefault();
      document.getElementById("target")?.focus();
    } else if (button?.id === "phone-share") {
      share();
    }
  });
  onSteps(showUndo);
}

/** Show what the server does not know: whether there is a step to undo, and the reader's own time. */
export function showToolbar() {
  showUndo();
  const time = document.querySelector("#link-expiry time");
  if (time instanceof HTMLTimeElement) {
    const ends = new Date(time.dateTime);
    const isToday = ends.toDateString() === new Date().toDateString();
    /** @type {Intl.DateTimeFormatOptions} */
    const form = { hour: "2-digit", minute: "2-digit", ...(isToday ? {} : { day: "numeric", month: "short" }) };
    write(time, new Intl.DateTimeFormat("en-GB", form).format(ends));
  }
}

function showUndo() {
  const undo = document.getElementById("undo");
  if (undo instanceof HTMLButtonElement) {
    undo.disabled = !canUndo();
  }
}

async function copyLink() {
  const said = document.getElementById("link-said");
  try {
    await navigator.clipboard.writeText(location.href);
    write(said, "Copied.");
  } catch {
    // Browsers give no clipboard to pages that came over plain HTTP from another machine.
    write(said, "This browser does not let pages copy; the link is in the address bar.");
  }
}

/** Put the figure, as the Export menu gives it, onto the clipboard. */
async function copyFigure() {
  const said = document.getElementById("link-said");
  const link = document.querySelector("#export a[download$='.png']");
  if (!(link instanceof HTMLAnchorElement)) {
    return;
  }
  document.getElementById("export")?.removeAttribute("open");
  try {
    await copyPicture(() =>
      whileBusy("Drawing the figure …", () => fetchFile(link.href).then((response) => response.blob())),
    );
    write(said, "The figure is copied.");
  } catch (error) {
    const remedy = error instanceof ClipboardRefusal ? " The menu “Export” saves the figure as a file." : "";
    write(said, explain(error) + remedy);
  }
}

async function share() {
  if (!navigator.share) {
    await copyLink();
    document.getElementById("link-expiry")?.scrollIntoView({ block: "center" });
    return;
  }
  try {
    await navigator.share({ title: document.title, url: location.href });
  } catch (error) {
    // The reader may close the list of receivers.
    if (!(error instanceof DOMException && error.name === "AbortError")) {
      throw error;
    }
  }
}
