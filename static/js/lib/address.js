/** The address says what is shown. It follows while something moves; the end of the move is one step in the history. */

// Chromium ignores changes beyond 200 in 10 seconds.
const PAUSE_MILLISECONDS = 200;

let settled = location.href;
let last = 0;
let timer = 0;

/**
 * Follow a move that goes on; going back still leads to where it began.
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
 * Add what is shown now to the history as one step.
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

/** Accept the address that the browser went to. */
export function settle() {
  clearTimeout(timer);
  settled = location.href;
}
