/**
 * When what has the focus is taken from the page, such as an answered question, the focus goes to the nearest part around it that is still
 * there: a person who works by keyboard goes on from that place, and not from the top of the page.
 */

/** What a link or button with data-then-focus="selectors" has fetched takes the focus: what the first selector finds that finds anything. */
document.addEventListener("htmx:afterSettle", (event) => {
  const asked = /** @type {CustomEvent<{requestConfig?: {elt?: HTMLElement}}>} */ (event).detail.requestConfig?.elt;
  const found = asked?.dataset.thenFocus?.split(",").map((selector) => document.querySelector(selector));
  const node = found?.find(Boolean);
  if (node instanceof HTMLElement) node.focus();
});

/** @type {HTMLElement[]} what has the focus, and all that is around it */
let path = [];

document.addEventListener("focusin", ({ target }) => {
  path = [];
  for (let node = /** @type {HTMLElement | null} */ (target); node && node !== document.body; node = node.parentElement)
    path.push(node);
});

new MutationObserver(() => {
  if (document.activeElement !== document.body || !path.length || path[0].isConnected) return;
  const around = path.find((node) => node.isConnected);
  path = [];
  if (!around) return;
  if (around.tabIndex < 0) {
    around.tabIndex = -1;
    around.dataset.focused = ""; // the next live update leaves it focusable (patch.js)
    around.addEventListener("focusout", () => delete around.dataset.focused, { once: true });
  }
  around.focus({ preventScroll: true });
}).observe(document.body, { childList: true, subtree: true });
