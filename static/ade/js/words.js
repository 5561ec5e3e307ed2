/** What the scripts say, in the language of the page: #script-words holds their texts by the English ones; a page in English has none. */

const known = /** @type {Record<string, string>} */ (JSON.parse(document.getElementById("script-words")?.textContent || "{}"));

/**
 * @param {string} text in English, listed in ade/script_words.py
 * @param {Record<string, string | number>} [values] what stands for {name} in it
 */
export function say(text, values = {}) {
  return (known[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
