/** The results of a running study, which are loaded again every few seconds while somebody looks at them. */

import { enhanceEveryPage } from "../lib/every_page.js";

const PAUSE_MILLISECONDS = 5000;

const PARTS = [".results-state", ".results-progress", "#results-live-part"];

/** Take the changing parts over from the same page as it is now. */
async function update() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) {
    throw new Error(`the results were answered with ${answer.status}`);
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!fresh.getElementById("results-live")) {
    // The study has ended, and with it what only a running one has.
    location.reload();
    return;
  }
  for (const selector of PARTS) {
    const [old, now] = [document.querySelector(selector), fresh.querySelector(selector)];
    // An unchanged part stays, with its place in the window and its selected text.
    if (old && now && old.innerHTML !== now.innerHTML) {
      old.replaceChildren(...now.childNodes);
    }
  }
}

async function run() {
  const live = /** @type {HTMLInputElement | null} */ (document.getElementById("results-live"));
  const late = document.getElementById("results-late");
  if (live?.checked && !document.hidden) {
    const failed = await update().then(
      () => false,
      () => true,
    );
    if (late) {
      late.hidden = !failed;
    }
  }
  setTimeout(run, PAUSE_MILLISECONDS);
}

enhanceEveryPage();
setTimeout(run, PAUSE_MILLISECONDS);
