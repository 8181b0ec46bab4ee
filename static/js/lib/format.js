/** Numbers as the page writes them. */

/**
 * A map's value with three figures, as the server writes it.
 *
 * @param {number} value
 * @returns {string}
 */
export function formatEvidence(value) {
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

/**
 * @param {number} value
 * @returns {string}
 */
export function formatSigned(value) {
  return value > 0 ? `+${formatEvidence(value)}` : formatEvidence(value);
}

/**
 * @param {number} share 0 to 1.
 * @returns {string}
 */
export function formatPercent(share) {
  return `${Math.round(share * 100)} %`.replace("-", "−");
}
