/**
 * Write a text unless it is already there: screen readers may read an element again after every change.
 *
 * @param {Element | null} element
 * @param {string} text
 */
export function write(element, text) {
  if (element && element.textContent !== text) {
    element.textContent = text;
  }
}
