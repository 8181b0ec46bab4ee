/** The parts of a page, replaced by those of the page that the server has sent. */

/**
 * Whether two pages show the same maps, so that the drawn ones can stay.
 *
 * @param {Element} old
 * @param {Element} fresh
 * @returns {boolean}
 */
export function samePanels(old, fresh) {
  const read = (/** @type {Element} */ section) => {
    const maps = /** @type {HTMLElement} */ (section.querySelector("#maps"));
    return JSON.stringify([maps.dataset.maps, maps.dataset.of, maps.dataset.minus]);
  };
  return read(old) === read(fresh);
}

/** @param {Element[]} sections of the new page. */
export function replaceParts(sections) {
  const focused = document.activeElement?.id;
  for (const part of sections) {
    const old = document.getElementById(part.id);
    if (old) {
      keepOpen(old, part);
      if (!old.isEqualNode(part)) {
        old.replaceWith(part);
      }
    }
  }
  if (focused && document.activeElement === document.body) {
    // The field of a class gets its own id when it is enhanced, right after this.
    queueMicrotask(() => document.getElementById(focused)?.focus({ preventScroll: true }));
  }
}

/**
 * Open the disclosures of a new part that the reader opened in the old one.
 *
 * @param {Element} old
 * @param {Element} part
 */
function keepOpen(old, part) {
  for (const { id } of old.querySelectorAll("details[open][id]")) {
    part.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  }
}
