/** The address of the current view. It changes during a move; the end of the move is one step in the history. */

// Chromium ignores changes beyond 200 in 10 seconds.
const PAUSE_MILLISECONDS = 200;

let settled = location.href;
let last = 0;
let timer = 0;

/**
 * Change the address during a move; going back still leads to its start.
 *
 * @param {string} address
 */
export function preview(address) {
  clearTimeout(timer);
  const wait = last + PAUSE_MILLISECONDS - performance.now();
  timer = setTimeout(() => {
    last = performance.now();
    history.replaceState(null, "", address);
  }, Math.max(0, wait));
}

/**
 * Add the current view to the history as one step.
 *
 * @param {string} address
 */
export function commit(address) {
  clearTimeout(timer);
  if (location.href !== settled) {
    history.replaceState(null, "", settled);
  }
  if (new URL(address, settled).href !== settled) {
    history.pushState(null, "", address);
  }
  settled = location.href;
}

/** Take over the address to which the browser went. */
export function settle() {
  clearTimeout(timer);
  settled = location.href;
}
