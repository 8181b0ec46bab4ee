/** Shows that a request is running: a moving bar, and a sentence that screen readers read too. */

let running = 0;

/**
 * Show the bar until a request has ended.
 *
 * @template Result
 * @param {string} sentence about the task.
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
