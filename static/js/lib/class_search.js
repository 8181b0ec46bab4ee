/**
 * A class, or the choice of no class.
 *
 * @typedef {{value: string, text: string, note: string}} Choice `note` stands beside the name in the list.
 */

/**
 * Find the names that contain the search; names that begin with it come first.
 *
 * @param {Choice[]} choices
 * @param {string} search
 * @returns {Choice[]}
 */
export function findMatches(choices, search) {
  const wanted = search.trim().toLowerCase();
  const found = choices.filter((choice) => choice.text.toLowerCase().includes(wanted));
  /** @param {Choice} choice */
  const rank = (choice) => (choice.text.toLowerCase().startsWith(wanted) ? 0 : 1);
  return found.sort((first, second) => rank(first) - rank(second));
}
