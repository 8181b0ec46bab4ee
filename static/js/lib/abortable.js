/**
 * A promise's result, or the signal's reason as soon as the signal is aborted.
 *
 * @template Result
 * @param {Promise<Result>} work
 * @param {AbortSignal} signal
 * @returns {Promise<Result>}
 */
export function orAborted(work, signal) {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    if (signal.aborted) {
      giveUp();
    }
    signal.addEventListener("abort", giveUp);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}

/**
 * @param {number} milliseconds
 * @returns {Promise<void>}
 */
export function wait(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
