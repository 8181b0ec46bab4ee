/** The address of the current view. It changes during a move; the end of the move is one step in the history. */

// Chromium ignores changes beyond 200 in 10 seconds.
const PAUSE_MILLISECONDS = 200;

/** The number of steps that this page has added before the current entry of the history. */
const countSteps = () => Number(history.state?.steps) || 0;

/** @type {Set<() => void>} */
const listeners = new Set();

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
    history.replaceState(history.state, "", address);
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
    history.replaceState(history.state, "", settled);
  }
  if (new URL(address, settled).href !== settled) {
    history.pushState({ steps: countSteps() + 1 }, "", address);
  }
  settled = location.href;
  tell();
}

/**
 * Correct the current view without a step: something in it could not be had.
 *
 * @param {string} address
 */
export function correct(address) {
  clearTimeout(timer);
  history.replaceState(history.state, "", address);
  settled = location.href;
}

/** Take over the address to which the browser went. */
export function settle() {
  clearTimeout(timer);
  settled = location.href;
  tell();
}

/**
 * Whether going back stays on this page.
 *
 * @returns {boolean}
 */
export function canUndo() {
  return countSteps() > 0;
}

/** @param {() => void} listener called after every step. */
export function onSteps(listener) {
  listeners.add(listener);
}

function tell() {
  listeners.forEach((listener) => listener());
}
