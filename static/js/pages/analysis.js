/**
 * The page of an analysis. The maps are drawn here, and another class, method, stage or tab needs no full reload: the
 * new page is fetched, and its parts replace those that differ. The address follows, so going back and sharing work.
 */

import { commit, onSteps } from "../lib/address.js";
import { whileBusy } from "../lib/busy.js";
import { isPlainClick } from "../lib/clicks.js";
import { reveal } from "../lib/disclosure.js";
import { enhanceEveryPage } from "../lib/every_page.js";
import { formatShare } from "../lib/format.js";
import { closeMenusOutside } from "../lib/menus.js";
import { explain, fetchPage, isAbort } from "../lib/page.js";
import { followPlace, makeTicket } from "../lib/queue.js";
import { Comparison, giveBack, reserveRoom } from "../maps/comparison.js";
import { takeGestures } from "../maps/gestures.js";
import { readQuestion, readSettings, writeSettings } from "../maps/settings.js";
import { addHandles } from "../maps/swipe.js";
import { follow, getSettings, onSettings, takeBack } from "../maps/view.js";
import { enhanceControls, listenToControls, restoreControls, showSettings } from "./controls.js";
import { offerFullScreen } from "./full_screen.js";
import { offerCopies } from "./map_copy.js";
import { findNextRow, findNextSample } from "./next_picture.js";
import { noteOwnView } from "./own_pictures.js";
import { hideProblem, showProblem } from "./problem.js";
import { replaceParts, samePanels } from "./parts.js";
import { listenToToolbar, showToolbar } from "./toolbar.js";
import { enhanceUpload } from "./upload_form.js";
import { pinMaps, showView, switchViews } from "./views.js";

/** The question that the visible page answers. */
let shown = "";

/** @type {AbortController | null} */
let request = null;

/** @type {Comparison | null} */
let comparison = null;

function enhanceAnalysis() {
  const section = document.getElementById("panels");
  const analysis = document.getElementById("analysis");
  if (!section || !analysis) {
    return;
  }
  shown = readQuestion(location.href);
  noteOwnView();
  onSteps(noteOwnView);
  reserveRoom(section);
  listen(analysis);
  enhanceForms();
  openFirst(section);
}

/** @param {HTMLElement} analysis */
function listen(analysis) {
  listenToControls(ask);
  listenToToolbar();
  offerCopies();
  switchViews();
  closeMenusOutside();
  offerFullScreen(analysis, openNext);
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
    showProblem(explain(error));
  }
}

/** @param {Comparison} opened */
function adopt(opened) {
  comparison = opened;
  takeGestures(opened);
  addHandles(opened.element);
  showEverywhere(getSettings());
}

function enhanceForms() {
  enhanceControls();
  showToolbar();
  showView(getSettings().view);
}

/** @param {import("../maps/settings.js").Settings} settings */
function showEverywhere(settings) {
  pinMaps();
  // Before drawing: lines are as wide as the view makes them.
  showView(settings.view);
  if (comparison) {
    draw(comparison, settings);
  }
  showSettings(settings);
  const zoom = document.getElementById("zoom-value");
  if (zoom) {
    zoom.textContent = formatShare(settings.zoom, 0);
  }
  document.getElementById("maps")?.classList.toggle("is-zoomed", settings.zoom > 1);
  carrySettings();
}

/**
 * Draw the maps; where the colours do not load, their control goes back to those that are drawn.
 *
 * @param {Comparison} drawn
 * @param {import("../maps/settings.js").Settings} settings
 */
async function draw(drawn, settings) {
  try {
    await drawn.show(settings);
  } catch (error) {
    if (getSettings().colormap === settings.colormap) {
      takeBack({ colormap: drawn.colormap });
    }
    showProblem(explain(error), document.getElementById("colormap") ?? undefined);
  }
}

/** Add the current colours and scale to links to pictures and to other classes. */
function carrySettings() {
  for (const link of document.querySelectorAll("#analysis a[href*='opacity=']")) {
    const url = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    const { scale, differenceScale, colormap, opacity, threshold } = getSettings();
    for (const [name, value] of Object.entries({ scale, difference_scale: differenceScale, colormap, opacity, threshold })) {
      url.searchParams.set(name, String(value));
    }
    link.setAttribute("href", url.pathname + url.search + url.hash);
  }
}

/**
 * Ask the server the form's question; other parts of the address stay.
 *
 * @param {URLSearchParams} questions
 * @param {Element} origin the control that asks.
 */
function ask(questions, origin) {
  const url = new URL(location.href);
  for (const [name, value] of questions) {
    url.searchParams.delete(name);
    if (value) {
      url.searchParams.set(name, value);
    }
  }
  show(writeSettings(url.href, getSettings()), { push: true, origin });
}

/** @param {MouseEvent} event */
function followInPlace(event) {
  const link = event.target instanceof Element ? event.target.closest("a[data-in-place]") : null;
  if (link instanceof HTMLAnchorElement && isPlainClick(event)) {
    event.preventDefault();
    show(writeSettings(link.href, getSettings()), { push: true, origin: link });
  }
}

/** @param {number} way 1 for the next picture of the sheet or of the gallery, -1 for the one before. */
async function openNext(way) {
  const sheet = document.querySelector("a[data-sheet]");
  if (!(sheet instanceof HTMLAnchorElement)) {
    openSample(findNextSample(document.getElementById("analysis")?.dataset.samples?.split(" ") ?? [], way));
    return;
  }
  try {
    const row = await whileBusy("Opening the sheet …", () => findNextRow(sheet.href, way));
    show(writeSettings(row, { ...getSettings(), point: null }), { push: true });
  } catch (error) {
    showProblem(explain(error));
  }
}

/** @param {string} sample a gallery picture's name. */
function openSample(sample) {
  const data = new FormData();
  data.set("sample", sample);
  data.set("lineup", document.getElementById("analysis")?.dataset.lineup ?? "");
  const form = /** @type {HTMLFormElement} */ (document.getElementById("upload-form"));
  show(form.action, { push: true, data });
}

/**
 * @param {string} address
 * @param {object} options
 * @param {boolean} options.push whether the address is a new step in the history.
 * @param {Element} [options.origin] the control that asks.
 * @param {FormData} [options.data] to post.
 */
async function show(address, { push, origin, data }) {
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  hideProblem();
  try {
    const sentence = (origin instanceof HTMLElement && origin.dataset.slow) || "Drawing the maps …";
    await whileBusy(sentence, async (report) => {
      const fetched = await fetchTold(address, data ? { signal, method: "POST", body: data } : { signal }, (told, share) =>
        report(told || sentence, share),
      );
      const reached = data ? writeSettings(fetched.address, { ...getSettings(), point: null }) : address;
      await replace(fetched.page, reached, signal, push);
    });
  } catch (error) {
    if (!isAbort(error)) {
      restoreControls();
      showProblem(explain(error), origin);
    }
  }
}

/**
 * Fetch a page, and tell meanwhile how far the server is.
 *
 * @param {string} address
 * @param {RequestInit} options as for `fetch`.
 * @param {(sentence: string, share: number | null) => void} tell
 */
async function fetchTold(address, options, tell) {
  const ticket = makeTicket();
  const ended = new AbortController();
  let said = "";
  followPlace(ticket, ended.signal, (sentence, share) => {
    // Silence must not take the place of a sentence about a busy server.
    if (sentence || said) {
      tell(sentence, share);
    }
    said = sentence;
  });
  try {
    return await fetchPage(address, options, ticket);
  } finally {
    ended.abort();
  }
}

/**
 * Replace the parts that differ, with the new maps already drawn, so that nothing flashes.
 *
 * @param {Document} page
 * @param {string} address
 * @param {AbortSignal} signal
 * @param {boolean} push
 */
async function replace(page, address, signal, push) {
  const sections = Array.from(page.querySelectorAll("#analysis > section"), (part) => document.importNode(part, true));
  const panels = /** @type {HTMLElement} */ (sections.find((part) => part.id === "panels"));
  const stays = comparison !== null && samePanels(comparison.section, panels);
  const opened = stays ? null : await Comparison.open(panels, readSettings(address), { signal });
  signal.throwIfAborted();
  if (push) {
    commit(address);
  }
  shown = readQuestion(address);
  document.title = page.title;
  followSheet(page);
  replaceParts(stays ? sections.filter((part) => part !== panels) : sections);
  if (opened) {
    comparison = null;
  }
  enhanceForms();
  follow();
  if (opened) {
    adopt(opened);
  }
  const { hash } = new URL(address, location.href);
  if (hash) {
    reveal();
    document.getElementById(hash.slice(1))?.scrollIntoView();
  }
}

/**
 * Let "Back to the sheet" lead to the row of the new page.
 *
 * @param {Document} page
 */
function followSheet(page) {
  const address = page.querySelector("a[data-sheet]")?.getAttribute("href");
  if (address) {
    document.querySelector("a[data-sheet]")?.setAttribute("href", address);
  }
}

enhanceUpload();
enhanceAnalysis();
enhanceEveryPage();
