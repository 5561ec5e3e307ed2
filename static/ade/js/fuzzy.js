/** The rule of ade/fuzzy.py, for the commands of a page, which only the browser knows. */

const CLOSE = 0.35;

/** @param {string} word @param {string} name @returns {number} above 0 when the letters of `word` stand in `name` in this order, and close */
function scattered(word, name) {
  let at = -1;
  let first = -1;
  for (const letter of word) {
    at = name.indexOf(letter, at + 1);
    if (at < 0) return 0;
    if (first < 0) first = at;
  }
  const share = word.length / (at - first + 1);
  return share >= CLOSE ? share : 0;
}

/** @param {string} word @param {string} name */
function scoreOf(word, name) {
  const at = name.indexOf(word);
  if (at === 0) return 4;
  if (at > 0) return /[\p{L}\p{N}]/u.test(name[at - 1]) ? 2 : 3;
  return scattered(word, name);
}

/**
 * @param {string} query
 * @param {string} name
 * @returns {number | null} how well it fits; null when a word of `query` does not
 */
export function score(query, name) {
  const folded = name.toLowerCase();
  const scores = query.toLowerCase().split(/\s+/).filter(Boolean).map((word) => scoreOf(word, folded));
  return scores.includes(0) ? null : scores.reduce((sum, each) => sum + each, 0) - Math.min(folded.length, 200) / 1000;
}
