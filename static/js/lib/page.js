/** Pages of this server as documents, and its errors as sentences. */

export class PageProblem extends Error {}

/**
 * A page as a document.
 *
 * @param {string} address
 * @param {RequestInit} [options] as for `fetch`.
 * @returns {Promise<{address: string, page: Document}>} the address after redirects, and the page.
 * @throws {PageProblem} with the server's sentence; an `AbortError` when the request was given up.
 */
export async function fetchPage(address, options) {
  const response = await send(address, "text/html", options);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!response.ok) {
    throw problemOf(response, page);
  }
  return { address: response.url, page };
}

/**
 * @param {Response} response
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
 * @throws {PageProblem} with the server's sentence; an `AbortError` when the request was given up.
 */
export async function fetchAnswer(address, options) {
  const response = await send(address, "application/json", options);
  if (!response.ok) {
    throw problemOf(response, new DOMParser().parseFromString(await response.text(), "text/html"));
  }
  return response.json();
}

/**
 * Wait for an image.
 *
 * @param {HTMLImageElement} image with its address.
 * @throws {PageProblem} when it does not come.
 */
export async function loadImage(image) {
  try {
    await image.decode();
  } catch {
    throw new PageProblem("A picture did not come from the server; see whether it still runs, then load the page again.");
  }
}

/**
 * @param {string} address
 * @param {string} mediaType
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
async function send(address, mediaType, options) {
  try {
    return await fetch(address, { ...options, headers: { Accept: mediaType } });
  } catch (error) {
    if (isAbort(error)) {
      throw error;
    }
    throw new PageProblem("The server cannot be reached; see whether it still runs, then try again.");
  }
}

/**
 * Whether an error only says that a request was given up for a newer one.
 *
 * @param {unknown} error
 * @returns {boolean}
 */
export function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/**
 * An error as a sentence for people; what nobody expected is thrown on.
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
