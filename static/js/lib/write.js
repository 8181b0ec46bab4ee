/**
 * Put a text where it is not yet: a text that is put in anew may be read out anew.
 *
 * @param {Element | null} element
 * @param {string} text
 */
export function write(element, text) {
  if (element && element.textContent !== text) {
    element.textContent = text;
  }
}
