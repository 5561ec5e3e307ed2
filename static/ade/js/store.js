/**
 * What this browser remembers between visits, as JSON under "ade.<key>". Never throws: without storage nothing is
 * remembered.
 */

/**
 * @template T
 * @param {string} key
 * @param {T} fallback what to give when nothing (readable) is stored
 * @returns {T}
 */
export function recall(key, fallback) {
  try {
    const text = localStorage.getItem(`ade.${key}`);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

/**
 * @param {string} key
 * @param {unknown} value undefined or null forgets
 */
export function remember(key, value) {
  try {
    if (value === undefined || value === null) localStorage.removeItem(`ade.${key}`);
    else localStorage.setItem(`ade.${key}`, JSON.stringify(value));
  } catch {
    // storage refused or full
  }
}
