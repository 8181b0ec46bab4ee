/**
 * Write a text if it is not there already: screen readers may read an element again whenever it changes.
 *
 * @param {Element | null} element
 * @param {string} text
 */
export function write(element, text) {
  if (element && element.textContent !== text) {
    element.textContent = text;
  }
}
