/**
 * The page of an analysis. The maps are drawn here, and another class, method or stage needs no full reload: the new
 * page is fetched, and its parts replace those that differ. The address follows, so going back and sharing work.
 */

import { commit } from "../lib/address.js";
import { whileBusy } from "../lib/busy.js";
import { Comparison, giveBack, reserveRoom } from "../maps/comparison.js";
import { enhanceControls, showSettings } from "./controls.js";
import { enhanceEveryPage } from "../lib/every_page.js";
import { formatShare } from "../lib/format.js";
import { enhanceGates } from "./gates.js";
import { takeGestures } from "../maps/gestures.js";
import { explain, fetchPage, isAbort } from "../lib/page.js";
import { readQuestion, readSettings, writeSettings } from "../maps/settings.js";
import { follow, getSettings, onSettings } from "../maps/view.js";
import { enhanceUpload } from "./upload_form.js";

/** The question that the visible page answers. */
let shown = "";

/** @type {AbortController | null} */
let request = null;

/** @type {Comparison | null} */
let comparison = null;

function enhanceAnalysis() {
  const section = document.getElementById("panels");
  if (!section) {
    return;
  }
  shown = readQuestion(location.href);
  reserveRoom(section);
  enhanceForm();
  openFirst(section);
  onSettings(showEverywhere);
  document.addEventListener("click", followInPlace);
  window.addEventListener("popstate", () => {
    if (readQuestion(location.href) === shown) {
      request?.abort();
      follow();
    } else {
      show(location.href, { push: false });
    }
  });
}

/** @param {HTMLElement} section */
async function openFirst(section) {
  try {
    adopt(await Comparison.open(section, getSettings()));
  } catch (error) {
    // The server's drawings are shown instead.
    giveBack(section);
    showError(explain(error));
  }
}

/** @param {Comparison} opened */
function adopt(opened) {
  comparison = opened;
  takeGestures(opened);
  showEverywhere(getSettings());
}

function enhanceForm() {
  const form = document.getElementById("controls-form");
  if (form instanceof HTMLFormElement) {
    enhanceControls(form, ask);
  }
  enhanceGates(ask);
}

/** @param {import("../maps/settings.js").Settings} settings */
function showEverywhere(settings) {
  comparison?.show(settings).catch((error) => showError(explain(error)));
  const form = document.getElementById("controls-form");
  if (form instanceof HTMLFormElement) {
    showSettings(form, settings);
  }
  const zoom = document.getElementById("zoom-value");
  if (zoom) {
    zoom.textContent = formatShare(settings.zoom, 0);
  }
  document.getElementById("maps")?.classList.toggle("is-zoomed", settings.zoom > 1);
  carrySettings();
}

/** Add the current colours and scale to links to pictures and to other classes. */
function carrySettings() {
  for (const link of document.querySelectorAll("#analysis a[href*='opacity=']")) {
    const url = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    const { scale, colormap, opacity } = getSettings();
    for (const [name, value] of Object.entries({ scale, colormap, opacity })) {
      url.searchParams.set(name, String(value));
    }
    link.setAttribute("href", url.pathname + url.search);
  }
}

/**
 * Ask the server the form's question; other parts of the address stay.
 *
 * @param {URLSearchParams} questions
 */
function ask(questions) {
  const url = new URL(location.href);
  for (const [name, value] of questions) {
    url.searchParams.delete(name);
    if (value) {
      url.searchParams.set(name, value);
    }
  }
  show(writeSettings(url.href, getSettings()), { push: true });
}

/** @param {MouseEvent} event */
function followInPlace(event) {
  const link = event.target instanceof Element ? event.target.closest("a[data-in-place]") : null;
  const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (link instanceof HTMLAnchorElement && isPlain) {
    event.preventDefault();
    show(writeSettings(link.href, getSettings()), { push: true });
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
      const parts = await prepareParts(page, readSettings(address), signal);
      signal.throwIfAborted();
      if (push) {
        commit(address);
      }
      shown = readQuestion(address);
      document.title = page.title;
      replaceParts(parts);
    });
  } catch (error) {
    if (!isAbort(error)) {
      showError(explain(error));
    }
  }
}

/**
 * @typedef {{sections: Element[], opened: Comparison}} Parts
 */

/**
 * Prepare the new page's parts with their maps drawn, so that nothing flashes when they replace the old ones.
 *
 * @param {Document} page
 * @param {import("../maps/settings.js").Settings} settings
 * @param {AbortSignal} signal
 * @returns {Promise<Parts>}
 */
async function prepareParts(page, settings, signal) {
  const sections = Array.from(page.querySelectorAll("#analysis > section"), (part) => document.importNode(part, true));
  const panels = /** @type {HTMLElement} */ (sections.find((part) => part.id === "panels"));
  return { sections, opened: await Comparison.open(panels, settings, { signal }) };
}

/** @param {Parts} parts */
function replaceParts({ sections, opened }) {
  const focused = document.activeElement?.id;
  for (const part of sections) {
    const old = document.getElementById(part.id);
    if (old) {
      keepOpen(old, part);
      if (!old.isEqualNode(part)) {
        old.replaceWith(part);
      }
    }
  }
  enhanceForm();
  comparison = null;
  follow();
  adopt(opened);
  if (focused && document.activeElement === document.body) {
    document.getElementById(focused)?.focus({ preventScroll: true });
  }
}

/**
 * Open the disclosures of a new part that the reader opened in the old one.
 *
 * @param {Element} old
 * @param {Element} part
 */
function keepOpen(old, part) {
  for (const { id } of old.querySelectorAll("details[open][id]")) {
    part.querySelector(`#${id}`)?.setAttribute("open", "");
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

enhanceUpload();
enhanceAnalysis();
enhanceEveryPage();
