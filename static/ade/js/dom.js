/** Small helpers shared by the modules. */

/**
 * Runs `mount` on the page now and on every piece of HTML that arrives later, by htmx or by the socket. It must bear
 * being called twice on a node.
 *
 * @param {(root: Element) => void} mount
 */
export function onContent(mount) {
  mount(document.body);
  document.addEventListener("htmx:load", (event) => mount(/** @type {Element} */ (event.target)));
  document.addEventListener("ade:patched", (event) => {
    for (const node of /** @type {CustomEvent<{nodes: Element[]}>} */ (event).detail.nodes) mount(node);
  });
}

/**
 * @param {Element} root
 * @param {string} selector
 * @returns {HTMLElement[]} the root itself, when it matches, and all that match below it
 */
export function all(root, selector) {
  const below = /** @type {HTMLElement[]} */ ([...root.querySelectorAll(selector)]);
  return root.matches(selector) ? [/** @type {HTMLElement} */ (root), ...below] : below;
}

/**
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null} the nearest element around the event's target that matches
 */
export function around(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}

/**
 * @param {EventTarget | null} target
 * @returns {boolean} whether letters typed there are text
 */
export function takesText(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  return (
    target instanceof HTMLInputElement && !["button", "checkbox", "file", "radio", "range", "submit"].includes(target.type)
  );
}
