/** Drop, paste or choose pictures: they are sent at once, and problems appear beside the form. */

import { whileBusy } from "../lib/busy.js";
import { keepUpload, readOptions, readView } from "../lib/history.js";
import { explain, fetchPage, isAbort } from "../lib/page.js";
import { refuseBytes } from "../lib/size_limit.js";
import { postForm } from "../lib/upload.js";
import { makeSheet } from "./sheet_upload.js";

/** @type {AbortController | null} */
let request = null;

export function enhanceUpload() {
  const form = document.getElementById("upload-form");
  const input = document.getElementById("image");
  if (!(form instanceof HTMLFormElement) || !(input instanceof HTMLInputElement)) {
    return;
  }
  form.classList.add("is-live");
  input.addEventListener("change", () => {
    sendFiles(form, input.files);
  });
  const photo = document.getElementById("photo");
  photo?.addEventListener("change", () => {
    sendFiles(form, /** @type {HTMLInputElement} */ (photo).files);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sendForm(form, new FormData(form, event.submitter));
  });
  takeDrops(form);
  takePastes(form);
}

/**
 * Accept files that are dropped anywhere; outside the zone, the browser would otherwise open the picture.
 *
 * @param {HTMLFormElement} form
 */
function takeDrops(form) {
  document.addEventListener("dragover", (event) => {
    if (hasFiles(event)) {
      event.preventDefault();
      form.classList.add("is-dropping");
    }
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) {
      form.classList.remove("is-dropping");
    }
  });
  document.addEventListener("drop", (event) => {
    form.classList.remove("is-dropping");
    if (!hasFiles(event)) {
      return;
    }
    event.preventDefault();
    sendFiles(form, event.dataTransfer?.files);
  });
}

/**
 * @param {DragEvent} event
 * @returns {boolean}
 */
function hasFiles(event) {
  return Boolean(event.dataTransfer?.types.includes("Files"));
}

/** @param {HTMLFormElement} form */
function takePastes(form) {
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) {
      event.preventDefault();
      sendFiles(form, event.clipboardData.files);
    }
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {FileList | null | undefined} list
 */
function sendFiles(form, list) {
  // Copied, because emptying the input also empties its list.
  const files = Array.from(list ?? []);
  if (files.length > 1) {
    send(form, "Comparing several pictures …", (signal) => makeSheet(form, files, signal));
  } else if (files[0]) {
    sendPicture(form, files[0]);
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {File} file
 */
function sendPicture(form, file) {
  const problem = refuseBytes(file.size, Number(form.dataset.maxBytes));
  if (problem) {
    showError(problem);
    return;
  }
  const data = new FormData(form);
  data.set("image", file);
  sendForm(form, data);
}

/**
 * @param {HTMLFormElement} form
 * @param {FormData} data
 */
function sendForm(form, data) {
  const isFile = data.get("image") instanceof File && /** @type {File} */ (data.get("image")).size > 0;
  send(form, "Comparing the networks …", async (signal, report) => {
    if (!isFile) {
      return (await fetchPage(form.action, { method: "POST", body: data, signal })).address;
    }
    const { address } = await postForm(form.action, data, signal, report);
    await keepUpload(readView(address), /** @type {File} */ (data.get("image")), readOptions(data));
    return address;
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {string} sentence for the busy bar.
 * @param {(signal: AbortSignal, report: import("../lib/upload.js").Report) => Promise<string>} work gives the new
 *   page's address.
 */
async function send(form, sentence, work) {
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  showError("");
  clearFile(form);
  try {
    await whileBusy(sentence, async (report) => {
      location.assign(await work(signal, report));
      // Stay busy until the new page appears.
      await new Promise(() => {});
    });
  } catch (error) {
    if (!isAbort(error)) {
      showError(explain(error));
    }
  }
}

/**
 * Empty the input, so that the same file can be chosen again after a change.
 *
 * @param {HTMLFormElement} form
 */
function clearFile(form) {
  const input = form.elements.namedItem("image");
  if (input instanceof HTMLInputElement) {
    input.value = "";
  }
}

/** @param {string} sentence */
function showError(sentence) {
  const alert = document.getElementById("upload-error");
  const text = alert?.querySelector("[data-problem]");
  if (!alert || !text) {
    return;
  }
  text.textContent = sentence;
  alert.hidden = sentence === "";
  if (sentence) {
    alert.scrollIntoView({ block: "nearest" });
  }
}
