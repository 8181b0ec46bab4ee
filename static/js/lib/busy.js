/** Shows that a request is running: a moving bar, and a sentence that screen readers read too. */

import { write } from "./write.js";

let running = 0;

/**
 * Show the bar until a request has ended.
 *
 * @template Result
 * @param {string} sentence about the task.
 * @param {(report: (sentence: string, share: number | null) => void) => Promise<Result>} work the request; it may
 *   report another sentence, and the share of the work that is done.
 * @returns {Promise<Result>}
 */
export async function whileBusy(sentence, work) {
  running += 1;
  show(sentence);
  try {
    return await work(show);
  } finally {
    running -= 1;
    if (running === 0) {
      show("");
    }
  }
}

/**
 * Show the bar until the reader leaves this page.
 *
 * @param {string} sentence about the task.
 */
export function startBusy(sentence) {
  running += 1;
  show(sentence);
}

// A page that the browser restores from its cache waits for nothing.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    running = 0;
    show("");
  }
});

/**
 * Show another sentence for a while, if a request is running.
 *
 * @param {string} sentence
 * @param {Promise<void>} pause
 */
export async function tellMeanwhile(sentence, pause) {
  const text = document.querySelector(".busy-text");
  const before = text?.textContent ?? "";
  if (before) {
    show(sentence);
  }
  try {
    await pause;
  } finally {
    if (before && text?.textContent === sentence) {
      show(before);
    }
  }
}

/**
 * @param {string} sentence
 * @param {number | null} [share] of the work that is done; null if it is not known.
 */
function show(sentence, share = null) {
  const busy = document.getElementById("busy");
  const text = busy?.querySelector(".busy-text");
  if (!busy || !text) {
    return;
  }
  busy.classList.toggle("is-busy", sentence !== "");
  busy.classList.toggle("has-share", share !== null);
  busy.style.setProperty("--share", String(share ?? 0));
  write(text, sentence);
  document.getElementById("main")?.setAttribute("aria-busy", String(sentence !== ""));
}
