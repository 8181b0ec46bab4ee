/** The current settings, their listeners and their way into the address. */

import { commit, correct, preview, settle } from "../lib/address.js";
import { readSettings, roundSettings, writeSettings } from "./settings.js";

/** @typedef {import("./settings.js").Settings} Settings */

// Steps of a wheel or a key are one change until there is a pause of this length.
const REST_MILLISECONDS = 500;

let current = readSettings(location.href);
let rest = 0;

/** @type {Set<(settings: Settings) => void>} */
const listeners = new Set();

/** @returns {Settings} */
export function getSettings() {
  return current;
}

/** @param {(settings: Settings) => void} listener */
export function onSettings(listener) {
  listeners.add(listener);
}

/**
 * Change the settings during a move.
 *
 * @param {Partial<Settings>} part
 */
export function move(part) {
  stopResting();
  apply(part);
  preview(writeSettings(location.href, current));
}

/**
 * Change the settings and add one step to the history.
 *
 * @param {Partial<Settings>} [part]
 */
export function keep(part = {}) {
  stopResting();
  apply(part);
  commit(writeSettings(location.href, current));
}

/**
 * Change the settings in one of several steps; the last one adds a step to the history.
 *
 * @param {Partial<Settings>} part
 */
export function step(part) {
  move(part);
  rest = setTimeout(() => keep(), REST_MILLISECONDS);
}

/**
 * Take back a setting that could not be had.
 *
 * @param {Partial<Settings>} part
 */
export function takeBack(part) {
  stopResting();
  apply(part);
  correct(writeSettings(location.href, current));
}

/** End a change in steps, before another change begins. */
export function finish() {
  if (rest) {
    keep();
  }
}

function stopResting() {
  clearTimeout(rest);
  rest = 0;
}

/** Take the settings from the address, after the browser or the page has changed it. */
export function follow() {
  stopResting();
  settle();
  apply(readSettings(location.href));
}

/** @param {Partial<Settings>} part */
function apply(part) {
  current = roundSettings({ ...current, ...part });
  for (const listener of listeners) {
    listener(current);
  }
}
