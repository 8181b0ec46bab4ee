/** Numbers as the server writes them (app/pages/templating.py); a test compares the texts. */

/** More digits than any number halfway between two short numbers has. */
const EXACT_DIGITS = 100;

/** Beyond these powers of ten Python's `g` writes an exponent. */
const [LOWEST_POWER, HIGHEST_POWER] = [-4, 2];

/**
 * A map's value with three figures: 12.3, 1.2e−05.
 *
 * @param {number} value
 * @returns {string}
 */
export function formatEvidence(value) {
  const magnitude = Math.abs(value);
  const [figures, exponent] = roundHalfToEven((digits) => magnitude.toExponential(digits), 2).split("e");
  const power = Number(exponent);
  if (power >= LOWEST_POWER && power <= HIGHEST_POWER) {
    return addMinus(value, String(Number(`${figures}e${power}`)));
  }
  const sign = power < 0 ? "−" : "+";
  return addMinus(value, `${Number(figures)}e${sign}${String(Math.abs(power)).padStart(2, "0")}`);
}

/**
 * A share from 0 to 1 in percent: 92.5 %.
 *
 * @param {number} value
 * @param {number} [digits] after the point.
 * @returns {string}
 */
export function formatShare(value, digits = 1) {
  return `${formatFixed(value * 100, digits)} %`;
}

/**
 * P as an equation: P = 0.925. A probability that would round to 0 or 1 is written as P < 0.001 or P > 0.999.
 *
 * @param {number} value
 * @returns {string}
 */
export function formatEquation(value) {
  if (value < 0.0005) {
    return "P < 0.001";
  }
  return value >= 0.9995 ? "P > 0.999" : `P = ${formatFixed(value, 3)}`;
}

/**
 * A file's size: 31.2 MB.
 *
 * @param {number} bytes
 * @returns {string}
 */
export function formatMegabytes(bytes) {
  return `${formatFixed(bytes / 1e6, 1)} MB`;
}

/**
 * @param {number} value
 * @param {number} digits after the point.
 * @returns {string}
 */
export function formatFixed(value, digits) {
  const magnitude = Math.abs(value);
  return addMinus(value, roundHalfToEven((count) => magnitude.toFixed(count), digits));
}

/**
 * A plus before a positive difference.
 *
 * @param {string} text of the value.
 * @param {number} value
 * @returns {string}
 */
export function addPlus(text, value) {
  return value > 0 && !isZero(text) ? `+${text}` : text;
}

/**
 * @param {number} value
 * @param {string} text of its magnitude.
 * @returns {string}
 */
function addMinus(value, text) {
  return value < 0 && !isZero(text) ? `−${text}` : text;
}

/** @param {string} text */
function isZero(text) {
  return !/[1-9]/.test(text);
}

/**
 * Round as Python does: an exact half goes to the even digit. JavaScript rounds it away from zero.
 *
 * @param {(digits: number) => string} write a number that is not negative, with so many digits after the point.
 * @param {number} digits
 * @returns {string}
 */
function roundHalfToEven(write, digits) {
  const [figures = "", exponent] = write(EXACT_DIGITS).split("e");
  const kept = figures.slice(0, figures.length - EXACT_DIGITS + digits);
  const isHalf = /^50*$/.test(figures.slice(kept.length));
  const isEven = /[02468]\.?$/.test(kept);
  if (!isHalf || !isEven) {
    return write(digits);
  }
  const lower = kept.replace(/\.$/, "");
  return exponent === undefined ? lower : `${lower}e${exponent}`;
}
