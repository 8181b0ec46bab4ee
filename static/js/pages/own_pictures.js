/** The visitor's own pictures on the first page: opened again, sent again if the server has dropped them, or deleted. */

import { whileBusy } from "../lib/busy.js";
import { isPlainClick } from "../lib/clicks.js";
import { forget, keepUpload, listEntries, noteView, readView } from "../lib/history.js";
import { explain, isAbort, PageProblem, send } from "../lib/page.js";
import { shrinkImage } from "../lib/thumbnail.js";
import { postForm } from "../lib/upload.js";
import { write } from "../lib/write.js";

/** @typedef {import("../lib/history.js").Entry} Entry */

/** One row; the style sheet hides the rest. */
const SHOWN_AT_FIRST = 4;

/** Note how this page's picture is looked at, if the visitor uploaded it. */
export function noteOwnView() {
  const time = document.querySelector("#link-expiry time");
  const image = document.querySelector(".toolbar-thumbnail");
  if (time instanceof HTMLTimeElement && image instanceof HTMLImageElement) {
    noteView(location.href, Date.parse(time.dateTime), () => shrinkImage(image));
  }
}

export async function showOwnPictures() {
  const section = document.getElementById("own-pictures");
  const place = section?.querySelector("ul");
  const pattern = document.getElementById("own-picture");
  if (!section || !place || !(pattern instanceof HTMLTemplateElement)) {
    return;
  }
  const entries = await listEntries();
  place.replaceChildren(...entries.map((entry) => fill(section, pattern, entry)));
  section.hidden = entries.length === 0;
  const more = document.getElementById("show-all");
  if (more && entries.length > SHOWN_AT_FIRST) {
    more.hidden = false;
    more.textContent = `Show all ${entries.length}`;
    more.addEventListener("click", () => {
      section.classList.add("is-open");
      more.hidden = true;
      section.querySelectorAll("a")[SHOWN_AT_FIRST]?.focus();
    });
  }
  document.getElementById("forget-all")?.addEventListener("click", () => deleteAll(section));
}

/**
 * @param {HTMLElement} section
 * @param {HTMLTemplateElement} pattern
 * @param {Entry} entry
 * @returns {Element}
 */
function fill(section, pattern, entry) {
  const item = /** @type {HTMLElement} */ (document.importNode(pattern.content, true).firstElementChild);
  const link = /** @type {HTMLAnchorElement} */ (item.querySelector("a"));
  item.dataset.id = entry.id;
  link.href = `${section.dataset.analysis?.replace("ID", entry.id)}${entry.search}`;
  link.addEventListener("click", (event) => {
    if (isPlainClick(event)) {
      event.preventDefault();
      openAgain(section, link.href, entry);
    }
  });
  drawThumbnail(/** @type {HTMLCanvasElement} */ (item.querySelector("canvas")), entry.thumbnail);
  write(item.querySelector(".gallery-name"), entry.name);
  write(item.querySelector(".note"), describe(entry));
  const button = item.querySelector("button");
  button?.setAttribute("aria-label", `Delete ${entry.name}`);
  button?.addEventListener("click", () => deleteOne(section, item, entry));
  return item;
}

/**
 * Fill the canvas with the middle of the thumbnail; pages may not load pictures from anywhere but the server.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Blob | null} thumbnail
 */
async function drawThumbnail(canvas, thumbnail) {
  if (thumbnail) {
    const image = await createImageBitmap(thumbnail);
    const scale = Math.max(canvas.width / image.width, canvas.height / image.height);
    const [width, height] = [scale * image.width, scale * image.height];
    canvas.getContext("2d")?.drawImage(image, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
  }
}

/**
 * @param {Entry} entry
 * @returns {string}
 */
function describe({ at, expires, picture }) {
  const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const isSameDay = new Date(at).toDateString() === new Date(expires).toDateString();
  const isGone = expires > 0 && expires < Date.now();
  if (!isGone) {
    return `${day.format(at)}${expires ? `; on the server until ${(isSameDay ? time : day).format(expires)}` : ""}`;
  }
  return `${day.format(at)}; ${picture ? "kept here alone, and sent again when you open it" : "no longer kept"}`;
}

/**
 * Open an analysis; one that the server has dropped is made again from the kept picture.
 *
 * @param {HTMLElement} section
 * @param {string} address
 * @param {Entry} entry
 */
async function openAgain(section, address, entry) {
  say("");
  const { signal } = new AbortController();
  try {
    await whileBusy("Opening the picture …", async (report) => {
      const { ok } = await send(address, { method: "HEAD", signal });
      location.assign(ok ? address : await sendAgain(section, entry, signal, report));
      // Stay busy until the page appears.
      await new Promise(() => {});
    });
  } catch (error) {
    if (!isAbort(error)) {
      say(explain(error));
    }
  }
}

/**
 * @param {HTMLElement} section
 * @param {Entry} entry
 * @param {AbortSignal} signal
 * @param {import("../lib/upload.js").Report} report
 * @returns {Promise<string>} the new address.
 * @throws {PageProblem} with a sentence; an `AbortError` if it was cancelled.
 */
async function sendAgain(section, entry, signal, report) {
  if (!entry.picture) {
    throw new PageProblem("The server has dropped this picture, and this browser had no room for it; choose it again.");
  }
  const file = new File([entry.picture], entry.name, { type: entry.picture.type });
  const data = new FormData();
  for (const [name, value] of Object.entries(entry.options)) {
    data.set(name, value);
  }
  data.set("image", file);
  const sent = await postForm(String(section.dataset.upload), data, signal, report);
  const url = new URL(sent.address);
  url.search = entry.search;
  // The sheet that it was opened from may be gone too.
  url.searchParams.delete("sheet");
  await keepUpload(readView(url.href), file, entry.options);
  await forget(entry.id);
  return url.href;
}

/**
 * @param {HTMLElement} section
 * @param {HTMLElement} item
 * @param {Entry} entry
 */
async function deleteOne(section, item, entry) {
  say("");
  try {
    await remove(section, entry);
  } catch (error) {
    say(`${explain(error)} The picture is deleted here, but may still be on the server.`);
  }
  const next = item.nextElementSibling ?? item.previousElementSibling;
  item.remove();
  const focus = next?.querySelector("button") ?? document.getElementById("image");
  focus?.focus();
  section.hidden = section.querySelector("li") === null;
}

/** @param {HTMLElement} section */
async function deleteAll(section) {
  for (const entry of await listEntries()) {
    const item = section.querySelector(`[data-id="${CSS.escape(entry.id)}"]`);
    if (item instanceof HTMLElement) {
      await deleteOne(section, item, entry);
    }
  }
}

/**
 * Forget an entry here, and delete the picture on the server; one that is gone there already is no error.
 *
 * @param {HTMLElement} section
 * @param {Entry} entry
 */
async function remove(section, { id }) {
  await forget(id);
  const response = await send(String(section.dataset.answer).replace("ID", id), { method: "DELETE" });
  if (!response.ok && response.status !== 404) {
    throw new PageProblem(`The server answered ${response.status} ${response.statusText}.`);
  }
}

/** @param {string} sentence */
function say(sentence) {
  const alert = document.getElementById("own-pictures-problem");
  if (alert) {
    alert.hidden = sentence === "";
    alert.textContent = sentence;
  }
}
