/** The settings that hold now, who wants to know of them, and their way into the address. */

import { commit, preview, settle } from "../lib/address.js";
import { readSettings, roundSettings, writeSettings } from "./settings.js";

/** @typedef {import("./settings.js").Settings} Settings */

// What comes in steps, a wheel's or a key's, is one change until it rests.
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
 * Change while something moves.
 *
 * @param {Partial<Settings>} part
 */
export function move(part) {
  stopResting();
  apply(part);
  preview(writeSettings(location.href, current));
}

/**
 * Change for good: one step in the history.
 *
 * @param {Partial<Settings>} [part]
 */
export function keep(part = {}) {
  stopResting();
  apply(part);
  commit(writeSettings(location.href, current));
}

/**
 * One of several steps of a change: it is kept when no other follows.
 *
 * @param {Partial<Settings>} part
 */
export function step(part) {
  move(part);
  rest = setTimeout(() => keep(), REST_MILLISECONDS);
}

/** Keep what came in steps before something else begins. */
export function finish() {
  if (rest) {
    keep();
  }
}

function stopResting() {
  clearTimeout(rest);
  rest = 0;
}

/** Take the settings from the address: the browser, or the analysis, went to it. */
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
