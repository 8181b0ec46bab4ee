/** The place in the server's queue and the progress of a long map, for a request that waits longer than a moment. */

import { wait } from "./abortable.js";

const FIRST_LOOK_MILLISECONDS = 1500;
const NEXT_LOOK_MILLISECONDS = 1000;

/** @returns {string} a name for one request that nobody can guess. */
export function makeTicket() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Tell the place of a request until it has ended.
 *
 * @param {string} ticket
 * @param {AbortSignal} ended
 * @param {(sentence: string, share: number | null) => void} tell is given an empty sentence once the picture no longer
 *   waits, and the share of the passes that are done where its map takes many.
 */
export async function followPlace(ticket, ended, tell) {
  await wait(FIRST_LOOK_MILLISECONDS);
  while (!ended.aborted) {
    const place = await readPlace(ticket);
    if (ended.aborted) {
      return;
    }
    if (place?.passes_total) {
      tell(describePasses(place.passes_done, place.passes_total), place.passes_done / place.passes_total);
    } else {
      tell(place ? describePlace(place.before, place.seconds) : "", null);
    }
    await wait(NEXT_LOOK_MILLISECONDS);
  }
}

/**
 * @param {number} before the number of pictures that precede this one.
 * @param {number} seconds until its turn.
 * @returns {string}
 */
export function describePlace(before, seconds) {
  if (before === 0) {
    return "Your picture is next …";
  }
  const pictures = before === 1 ? "1 picture is" : `${before} pictures are`;
  return `${pictures} before yours, about ${Math.max(1, Math.round(seconds))} s …`;
}

/**
 * @param {number} done
 * @param {number} total
 * @returns {string}
 */
export function describePasses(done, total) {
  return `Score-CAM: ${done.toLocaleString("en")} of ${total.toLocaleString("en")} forward passes …`;
}

/**
 * @typedef {{before: number, seconds: number, passes_done: number, passes_total: number | null}} Place
 *
 * @param {string} ticket
 * @returns {Promise<Place | null>} null where it does not wait, or nothing is known of it:
 *   the request itself brings the error if the server cannot be reached.
 */
async function readPlace(ticket) {
  const address = (document.documentElement.dataset.queue ?? "").replace("TICKET", ticket);
  try {
    const response = await fetch(address, { headers: { Accept: "application/json" } });
    const place = response.ok ? await response.json() : { before: null, passes_total: null };
    return place.before === null && place.passes_total === null ? null : place;
  } catch {
    return null;
  }
}
