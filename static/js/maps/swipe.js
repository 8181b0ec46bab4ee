/** The handle between two maps that lie on each other: left of it the one, right of it the other. */

const STEP_PERCENT = 2;

/** The handle's place in percent of the map's width; all rows of maps and all pages share it. */
let split = 50;

const KEYS = /** @type {Record<string, (from: number) => number>} */ ({
  ArrowLeft: (from) => from - STEP_PERCENT,
  ArrowDown: (from) => from - STEP_PERCENT,
  ArrowRight: (from) => from + STEP_PERCENT,
  ArrowUp: (from) => from + STEP_PERCENT,
  Home: () => 0,
  End: () => 100,
});

/**
 * Put a handle over each row of maps; only the swipe view shows it.
 *
 * @param {HTMLElement} element the rows of panels.
 */
export function addHandles(element) {
  for (const lineup of element.querySelectorAll(".panel-lineup")) {
    const frame = lineup.querySelector("[data-side=right] .frame");
    if (frame instanceof HTMLElement) {
      lineup.append(makeTrack(element, lineup, frame));
    }
  }
  move(element, split);
}

/**
 * @param {HTMLElement} element
 * @param {Element} lineup
 * @param {HTMLElement} frame whose shape the track has.
 * @returns {HTMLElement}
 */
function makeTrack(element, lineup, frame) {
  const [left, right] = ["left", "right"].map(
    (part) => lineup.querySelector(`[data-side=${part}] .panel-title`)?.textContent ?? "",
  );
  const track = document.createElement("div");
  track.className = "swipe-track";
  track.style.cssText = frame.style.cssText;
  const handle = document.createElement("div");
  handle.className = "swipe-handle";
  handle.tabIndex = 0;
  handle.setAttribute("role", "slider");
  handle.setAttribute("aria-label", `Border between ${left} and ${right}`);
  handle.setAttribute("aria-valuemin", "0");
  handle.setAttribute("aria-valuemax", "100");
  track.append(handle);
  listen(element, track, handle);
  return track;
}

/**
 * @param {HTMLElement} element
 * @param {HTMLElement} track
 * @param {HTMLElement} handle
 */
function listen(element, track, handle) {
  handle.addEventListener("pointerdown", (event) => {
    if (event.button === 0) {
      handle.setPointerCapture(event.pointerId);
    }
  });
  handle.addEventListener("pointermove", (event) => {
    if (handle.hasPointerCapture(event.pointerId)) {
      const { left, width } = track.getBoundingClientRect();
      move(element, (100 * (event.clientX - left)) / width);
    }
  });
  handle.addEventListener("keydown", (event) => {
    const next = KEYS[event.key];
    if (next && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      move(element, next(split));
    }
  });
}

/**
 * @param {HTMLElement} element
 * @param {number} percent
 */
function move(element, percent) {
  split = Math.min(Math.max(percent, 0), 100);
  element.style.setProperty("--split", `${split}%`);
  for (const handle of element.querySelectorAll(".swipe-handle")) {
    handle.setAttribute("aria-valuenow", String(Math.round(split)));
    handle.setAttribute("aria-valuetext", `${Math.round(split)} %`);
  }
}
