/** This server's pages as documents, and its errors as sentences. */

import { untilServed } from "./retry.js";

/** @typedef {{ok: boolean, status: number, statusText: string}} Status of an answer. */

export class PageProblem extends Error {}

/** @returns {PageProblem} */
export function explainUnreachable() {
  return new PageProblem("The server cannot be reached; check that it is running, then try again.");
}

/**
 * A page as a document.
 *
 * @param {string} address
 * @param {RequestInit} [options] as for `fetch`.
 * @param {string} [ticket] by which the server tells how far it is.
 * @returns {Promise<{address: string, page: Document}>} the address after redirects, and the page.
 * @throws {PageProblem} with the server's sentence; an `AbortError` when the request was cancelled.
 */
export async function fetchPage(address, options, ticket) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "text/html", ...(ticket ? { "X-Ticket": ticket } : {}) };
  const response = await send(address, { ...options, headers });
  return { address: response.url, page: readPage(response, await response.text()) };
}

/**
 * @param {Status} status of the answer.
 * @param {string} text the answer.
 * @returns {Document}
 * @throws {PageProblem} with the server's sentence.
 */
export function readPage(status, text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  if (!status.ok) {
    throw problemOf(status, page);
  }
  return page;
}

/**
 * @param {Status} response
 * @param {Document} page the server's error page.
 * @returns {PageProblem}
 */
function problemOf(response, page) {
  const sentence = page.querySelector("[data-problem]")?.textContent?.trim();
  return new PageProblem(sentence || `The server answered ${response.status} ${response.statusText}; try again.`);
}

/**
 * An answer in JSON.
 *
 * @param {string} address
 * @param {RequestInit} [options] as for `fetch`.
 * @returns {Promise<any>}
 * @throws {PageProblem} with the server's sentence; an `AbortError` when the request was cancelled.
 */
export async function fetchAnswer(address, options) {
  const response = await send(address, { ...options, headers: { Accept: "application/json" } });
  if (!response.ok) {
    throw problemOf(response, new DOMParser().parseFromString(await response.text(), "text/html"));
  }
  return response.json();
}

/**
 * Wait for an image.
 *
 * @param {HTMLImageElement} image with its address.
 * @throws {PageProblem} if it does not load.
 */
export async function loadImage(image) {
  try {
    await image.decode();
  } catch {
    throw new PageProblem("A picture did not load; check that the server is running, then try again or reload the page.");
  }
}

/**
 * Fetch, again if the server is busy, with a sentence if it cannot be reached.
 *
 * @param {string} address
 * @param {RequestInit} options as for `fetch`.
 * @returns {Promise<Response>}
 * @throws {PageProblem} with the sentence; an `AbortError` when the request was cancelled.
 */
export async function send(address, options) {
  const { response } = await untilServed(() => fetchOnce(address, options), options.signal ?? undefined);
  return response;
}

/**
 * Fetch a file, again if the server is busy.
 *
 * @param {string} address
 * @returns {Promise<Response>} one that is no error.
 * @throws {PageProblem} with a sentence.
 */
export async function fetchFile(address) {
  const response = await send(address, {});
  if (!response.ok) {
    throw new PageProblem(await readProblem(response, "reload the page"));
  }
  return response;
}

/**
 * The server's sentence from its JSON problem.
 *
 * @param {Response} response
 * @param {string} remedy where the answer is no such problem.
 * @returns {Promise<string>}
 */
export async function readProblem(response, remedy) {
  const sentence = `the server answered ${response.status} ${response.statusText}; ${remedy}`;
  try {
    return String((await response.json()).detail || sentence).slice(0, 500);
  } catch (error) {
    if (isAbort(error)) {
      throw error;
    }
    return sentence;
  }
}

/**
 * @param {string} address
 * @param {RequestInit} options as for `fetch`.
 * @returns {Promise<{response: Response, status: number, retryAfter: number}>}
 */
async function fetchOnce(address, options) {
  try {
    const response = await fetch(address, options);
    const retryAfter = Number(response.headers.get("Retry-After")) || 0;
    return { response, status: response.status, retryAfter };
  } catch (error) {
    if (isAbort(error)) {
      throw error;
    }
    throw explainUnreachable();
  }
}

/**
 * Whether an error only says that a request was cancelled.
 *
 * @param {unknown} error
 * @returns {boolean}
 */
export function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/**
 * An error as a sentence for people; an unexpected error is thrown again.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function explain(error) {
  if (error instanceof PageProblem) {
    return error.message.charAt(0).toUpperCase() + error.message.slice(1);
  }
  throw error;
}
