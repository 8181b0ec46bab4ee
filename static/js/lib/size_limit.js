import { formatMegabytes } from "./format.js";

/**
 * The server's sentence for a picture over its limit (app/server/limits.py), without sending the picture first.
 *
 * @param {number} size in bytes.
 * @param {number} limit in bytes.
 * @returns {string | null} null for a picture within the limit.
 */
export function refuseBytes(size, limit) {
  return size > limit ? `${formatMegabytes(size)}; the limit is ${limit / 1e6} MB; send a smaller picture` : null;
}
