/** Numbers for tests: comparing close ones, and drawing them from a seed. */

import assert from "node:assert/strict";

/** Fail if two numbers are not close to each other. */
export function closeTo(found, wanted, tolerance = 1e-5) {
  assert.ok(Math.abs(found - wanted) <= tolerance, `${found} is not within ${tolerance} of ${wanted}`);
}

/** A generator of numbers from 0 to 1, by Park and Miller: the same ones for the same seed. */
export function makeRandom(seed) {
  let state = seed;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  // The first numbers of small seeds are small.
  for (let skipped = 0; skipped < 5; skipped += 1) {
    next();
  }
  return next;
}
