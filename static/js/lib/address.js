/** The address says what is shown: it follows while something moves, and becomes a step back when that has ended. */

// Chromium ignores more than 200 changes in 10 seconds.
const PAUSE_MILLISECONDS = 200;

let settled = location.href;
let last = 0;
let timer = 0;

/**
 * Follow what still moves; the step back stays where it began.
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
 * Make what is shown now one step in the history.
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

/** Take the address as it is: the browser went to it. */
export function settle() {
  clearTimeout(timer);
  settled = location.href;
}
