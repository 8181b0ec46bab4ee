/**
 * Another class, method, stage, scale or colour without a full reload: the same page is fetched, and the parts of the
 * analysis that are different are put in place of the old ones. The address follows, so that back and sharing work.
 */

import { whileBusy } from "./busy.js";
import { enhanceClassPicker } from "./class_picker.js";
import { explain, fetchPage, isAbort } from "./page.js";

/** What is shown, without the fragment. */
let shown = "";

/** @type {AbortController | null} */
let request = null;

export function enhanceAnalysis() {
  if (!document.getElementById("analysis")) {
    return;
  }
  shown = addressOf(location.href);
  enhanceControls();
  document.addEventListener("click", followInPlace);
  window.addEventListener("popstate", () => {
    if (addressOf(location.href) !== shown) {
      show(location.href, { push: false });
    }
  });
}

/**
 * @param {string} address
 * @returns {string}
 */
function addressOf(address) {
  const { pathname, search } = new URL(address, location.href);
  return pathname + search;
}

function enhanceControls() {
  const form = document.getElementById("controls-form");
  if (!(form instanceof HTMLFormElement)) {
    return;
  }
  form.classList.add("is-live");
  enhanceClassPicker(form);
  const opacity = form.elements.namedItem("opacity");
  const value = document.getElementById("opacity-value");
  if (opacity instanceof HTMLInputElement && value) {
    opacity.addEventListener("input", () => {
      value.textContent = `${Math.round(opacity.valueAsNumber * 100)} %`;
    });
  }
  form.addEventListener("change", () => apply(form));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply(form);
  });
}

/** @param {HTMLFormElement} form */
function apply(form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    query.append(name, String(value));
  }
  show(`${location.pathname}?${query}`, { push: true });
}

/** @param {MouseEvent} event */
function followInPlace(event) {
  const link = event.target instanceof Element ? event.target.closest("a[data-in-place]") : null;
  const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (link instanceof HTMLAnchorElement && isPlain) {
    event.preventDefault();
    show(link.href, { push: true });
  }
}

/**
 * @param {string} address
 * @param {{push: boolean}} options whether the address is a new step in the history.
 */
async function show(address, { push }) {
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  showError("");
  try {
    await whileBusy("Drawing the maps …", async () => {
      const { page } = await fetchPage(address, { signal });
      const parts = await prepareParts(page);
      signal.throwIfAborted();
      replaceParts(parts);
      document.title = page.title;
      shown = addressOf(address);
      if (push && shown !== addressOf(location.href)) {
        history.pushState(null, "", address);
      }
    });
  } catch (error) {
    if (!isAbort(error)) {
      showError(explain(error));
    }
  }
}

/**
 * The new page's parts with the panels' images decoded, so that nothing flashes when they are put in.
 *
 * @param {Document} page
 * @returns {Promise<Element[]>}
 */
async function prepareParts(page) {
  const parts = Array.from(page.querySelectorAll("#analysis > section"), (part) => document.importNode(part, true));
  const images = parts.flatMap((part) => Array.from(part.querySelectorAll("img:not([loading])")));
  // An image that does not come shows its alternative text; the others need not wait for that.
  await Promise.allSettled(images.map((image) => /** @type {HTMLImageElement} */ (image).decode()));
  return parts;
}

/** @param {Element[]} parts */
function replaceParts(parts) {
  const focused = document.activeElement?.id;
  for (const part of parts) {
    const old = document.getElementById(part.id);
    if (old && !old.isEqualNode(part)) {
      old.replaceWith(part);
    }
  }
  enhanceControls();
  if (focused && document.activeElement === document.body) {
    document.getElementById(focused)?.focus({ preventScroll: true });
  }
}

/** @param {string} sentence */
function showError(sentence) {
  const alert = document.getElementById("analysis-error");
  if (alert) {
    alert.textContent = sentence;
    alert.hidden = sentence === "";
  }
}
