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
  const response = await send(address, options);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!response.ok) {
    const sentence = page.querySelector("[data-problem]")?.textContent?.trim();
    throw new PageProblem(sentence || `The server answered ${response.status} ${response.statusText}; try again.`);
  }
  return { address: response.url, page };
}

/**
 * @param {string} address
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
async function send(address, options) {
  try {
    return await fetch(address, { ...options, headers: { Accept: "text/html" } });
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
