/** Says that a request runs: a moving bar, a sentence for the eyes and for screen readers. */

let running = 0;

/**
 * Show that something runs until it has ended.
 *
 * @template Result
 * @param {string} sentence what runs.
 * @param {() => Promise<Result>} work the request.
 * @returns {Promise<Result>}
 */
export async function whileBusy(sentence, work) {
  running += 1;
  show(sentence);
  try {
    return await work();
  } finally {
    running -= 1;
    if (running === 0) {
      show("");
    }
  }
}

/**
 * Show that something runs until this page is left.
 *
 * @param {string} sentence what runs.
 */
export function startBusy(sentence) {
  running += 1;
  show(sentence);
}

// A page that comes back out of the browser's memory waits for nothing.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    running = 0;
    show("");
  }
});

/** @param {string} sentence */
function show(sentence) {
  const busy = document.getElementById("busy");
  const text = busy?.querySelector(".busy-text");
  if (!busy || !text) {
    return;
  }
  busy.classList.toggle("is-busy", sentence !== "");
  text.textContent = sentence;
  document.getElementById("main")?.setAttribute("aria-busy", String(sentence !== ""));
}
