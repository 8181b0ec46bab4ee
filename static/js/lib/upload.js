/** A form that is sent with progress, which `fetch` does not tell. */

import { explainUnreachable, readPage } from "./page.js";
import { followPlace, makeTicket } from "./queue.js";
import { untilServed } from "./retry.js";

/**
 * @typedef {(sentence: string, share: number | null) => void} Report the phase, and the share of the whole that is done.
 * @typedef {{ok: boolean, status: number, statusText: string, url: string, text: string, retryAfter: number}} Sent
 */

/** Uploading is the first half of the bar; the networks' work, of which nothing is known, the second. */
const UPLOADED_SHARE = 0.5;

const COMPARING = "Comparing the networks …";

/**
 * Post a form, and read the page to which the server leads.
 *
 * @param {string} address
 * @param {FormData} data
 * @param {AbortSignal} signal
 * @param {Report} report
 * @returns {Promise<{address: string, page: Document}>}
 * @throws {PageProblem} with the server's sentence; an `AbortError` when the request was cancelled.
 */
export async function postForm(address, data, signal, report) {
  const sent = await untilServed(() => post(address, data, signal, report), signal);
  return { address: sent.url, page: readPage(sent, sent.text) };
}

/**
 * @param {string} address
 * @param {FormData} data
 * @param {AbortSignal} signal
 * @param {Report} report
 * @returns {Promise<Sent>}
 */
function post(address, data, signal, report) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const ticket = makeTicket();
    const ended = new AbortController();
    const stop = () => request.abort();
    signal.addEventListener("abort", stop);
    request.addEventListener("loadend", () => {
      signal.removeEventListener("abort", stop);
      ended.abort();
    });
    request.upload.addEventListener("progress", ({ loaded, total }) =>
      report("Uploading the picture …", total ? (UPLOADED_SHARE * loaded) / total : null),
    );
    request.upload.addEventListener("load", () => {
      report(COMPARING, UPLOADED_SHARE);
      followPlace(ticket, ended.signal, (sentence) => report(sentence || COMPARING, UPLOADED_SHARE));
    });
    request.addEventListener("load", () => resolve(readSent(request)));
    request.addEventListener("error", () => reject(explainUnreachable()));
    request.addEventListener("abort", () => reject(signal.reason));
    request.open("POST", address);
    request.setRequestHeader("Accept", "text/html");
    request.setRequestHeader("X-Ticket", ticket);
    report("Uploading the picture …", 0);
    request.send(data);
  });
}

/**
 * @param {XMLHttpRequest} request
 * @returns {Sent}
 */
function readSent(request) {
  const { status, statusText, responseURL: url, responseText: text } = request;
  const retryAfter = Number(request.getResponseHeader("Retry-After")) || 0;
  return { ok: status >= 200 && status < 300, status, statusText, url, text, retryAfter };
}
