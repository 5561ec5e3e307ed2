/**
 * Puts HTML from the server into the page without taking anything from the person in front of it. The rules below hold
 * for fragments from the socket and for htmx responses swapped with "morph" alike.
 */

import { takesText } from "./dom.js";

/**
 * @typedef {object} Fragment
 * @property {string} id the node it is about
 * @property {"morph" | "append" | "prepend" | "remove"} swap
 * @property {string} [target] id of the parent for append and prepend
 * @property {string} [html] one element with that id; not for remove
 * @property {string} [panel] the panel it is part of
 * @property {string} [params] the data-params that panel was drawn for
 */

const { Idiomorph, htmx } = /** @type {any} */ (window);

/** @param {HTMLSelectElement} select */
function isOtherChoice(select) {
  const options = [...select.options];
  // Without a chosen option in the HTML, a browser shows the first.
  const first = select.multiple || options.some((option) => option.defaultSelected) ? undefined : options[0];
  return options.some((option) => option.selected !== (option.defaultSelected || option === first));
}

/** @param {Element} field */
function isDirty(field) {
  if (field instanceof HTMLTextAreaElement) return field.value !== field.defaultValue;
  if (field instanceof HTMLSelectElement) return isOtherChoice(field);
  if (!(field instanceof HTMLInputElement) || field.type === "hidden") return false;
  return ["checkbox", "radio"].includes(field.type)
    ? field.checked !== field.defaultChecked
    : field.value !== field.defaultValue;
}

/** @param {Element} node */
function isKept(node) {
  const keep = node.getAttribute("data-keep");
  if (keep === null) return node.hasAttribute("data-client");
  if (keep !== "dirty" || (node.contains(document.activeElement) && takesText(document.activeElement))) return true;
  // What the server refused stands in the form as it was sent, and is stored nowhere.
  if (node.querySelector('[aria-invalid="true"]')) return true;
  return [...node.querySelectorAll("input, textarea, select")].some(isDirty);
}

/**
 * Whether the node holds already what the fresh one would be filled with (late.js).
 *
 * @param {Element} node
 * @param {Node} fresh
 */
function isFilled(node, fresh) {
  if (!(fresh instanceof HTMLElement && fresh.dataset.late) || fresh.childElementCount) return false;
  return node.childElementCount > 0 && node.getAttribute("data-stamp") === fresh.dataset.stamp;
}

/**
 * Whether there is nothing to do: the browser compares whole trees faster than they are walked here. Fields are left out, for
 * what a person wrote in one does not stand in its attributes.
 *
 * @param {Element} node
 * @param {Node} fresh
 */
const isSame = (node, fresh) => node.isEqualNode(fresh) && !node.matches(FIELDS) && !node.querySelector(FIELDS);

const FIELDS = "input, textarea, select, option";

/**
 * @param {Node} node
 * @param {Node} fresh
 * @returns {boolean} false leaves the node as it is
 */
function mayMorph(node, fresh) {
  if (!(node instanceof Element)) return true;
  if (isSame(node, fresh)) return false;
  return !isKept(node) && !isFilled(node, fresh) && !(node === document.activeElement && node instanceof HTMLTextAreaElement);
}

/**
 * Attributes that say what the person or a module did, not what the server knows: [name, whose].
 *
 * @type {[string, string][]}
 */
const OWN_ATTRIBUTES = [
  ["open", "details, dialog"],
  ["data-mounted", "textarea"],
  ["data-show", ".columns"],
  ["aria-pressed", ".col-switch *"],
  ["aria-valuenow", ".sep"],
  ["aria-selected", "[role=tab]:not([hx-get])"],
  ["tabindex", "[role=tab]:not([hx-get])"],
  ["tabindex", "[data-focused]"],
  ["data-focused", "*"],
  ["hidden", "[role=tabpanel]"],
  ["data-scrubbing", "[data-scrubber]"],
  ["data-live", "[data-scrubbing]"],
  ["value", "[data-scrubbing]"],
];

/**
 * @param {string} name
 * @param {Element} node
 * @returns {boolean} false leaves the attribute, or the live value of that name, as it is
 */
function mayUpdate(name, node) {
  if (OWN_ATTRIBUTES.some(([own, whose]) => own === name && node.matches(whose))) return false;
  if (name === "selected") return !isDirty(node.closest("select") ?? node);
  if (name !== "value" && name !== "checked") return true;
  if (node instanceof HTMLInputElement && node.type === "range") return node.dataset.live === "true" || !isDirty(node);
  return !isDirty(node) && !(name === "value" && node === document.activeElement);
}

/** @type {Set<Node>} what is kept in the place of an element of another sort with the same id, such as a form of what it edits */
const standing = new Set();

/** @param {Node} fresh */
function mayAdd(fresh) {
  const present = fresh instanceof Element && fresh.id ? document.getElementById(fresh.id) : null;
  if (!present || present.localName === /** @type {Element} */ (fresh).localName || !isKept(present)) return true;
  standing.add(present);
  return false;
}

/** @param {Node} node */
const mayRemove = (node) => !(node instanceof Element && node.hasAttribute("data-client")) && !standing.delete(node);

Object.assign(Idiomorph.defaults.callbacks, {
  beforeNodeAdded: mayAdd,
  beforeNodeMorphed: mayMorph,
  beforeNodeRemoved: mayRemove,
  beforeAttributeUpdated: mayUpdate,
});

// htmx looks for "morph" around what asked, and what a fragment took from the page meanwhile has nothing around it.
document.addEventListener("htmx:beforeSwap", (event) => {
  const asked = /** @type {CustomEvent<{requestConfig: {elt: Element}}>} */ (event).detail.requestConfig.elt;
  if (!asked.isConnected) asked.setAttribute("hx-ext", "morph");
});

/** @param {string} html */
function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return /** @type {HTMLElement} */ (template.content.firstElementChild);
}

/**
 * @param {Fragment} fragment
 * @returns {boolean} whether it was drawn for what the page has left since, such as a step while scrubbing
 */
function isLate({ panel, params }) {
  if (panel === undefined) return false;
  const shown = /** @type {HTMLElement | null} */ (document.querySelector(`[data-panel="${CSS.escape(panel)}"]`));
  return shown === null || (shown.dataset.params ?? "") !== params;
}

/**
 * @param {Fragment} fragment
 * @returns {Element | null} the node as it now is in the page, or null when there is none
 */
function apply({ id, swap, target, html }) {
  const present = document.getElementById(id);
  if (swap === "remove") {
    present?.remove();
    return null;
  }
  if (present) {
    Idiomorph.morph(present, parse(/** @type {string} */ (html)), { morphStyle: "outerHTML" });
    return document.getElementById(id);
  }
  const parent = target && document.getElementById(target);
  if (!parent) return null; // a panel this page does not show
  const node = parse(/** @type {string} */ (html));
  parent.insertAdjacentElement(swap === "prepend" ? "afterbegin" : "beforeend", node);
  return node;
}

const CALM_FRAMES = 3;

/** @param {Element} list */
const isAtEnd = (list) => list.scrollHeight - list.scrollTop - list.clientHeight < 24;

/** Lists with data-follow that are at their end now. */
const atEnd = () => [...document.querySelectorAll("[data-follow]")].filter(isAtEnd);

/**
 * Scrolls to the end, or to `chosen`, until the height rests: what was out of sight gets its real height only when it is
 * drawn. Stops when a person scrolls back meanwhile.
 *
 * @param {Element} list
 * @param {Element | null} [chosen]
 * @param {{top: number, height: number, calm: number}} [last]
 */
function settle(list, chosen = null, last = { top: 0, height: -1, calm: 0 }) {
  if (!chosen && list.scrollTop < last.top && !isAtEnd(list)) return;
  if (chosen) chosen.scrollIntoView({ block: "center" });
  else list.scrollTop = list.scrollHeight;
  const { scrollTop: top, scrollHeight: height } = list;
  const calm = height === last.height ? last.calm + 1 : 0;
  if (calm < CALM_FRAMES) requestAnimationFrame(() => settle(list, chosen, { top, height, calm }));
}

/**
 * Applies fragments in order, then sends "ade:patched" on document with the nodes they touched.
 *
 * @param {Fragment[]} fragments
 */
export function patch(fragments) {
  const following = atEnd();
  const current = fragments.filter((fragment) => !isLate(fragment));
  const nodes = /** @type {Element[]} */ (current.map(apply).filter((node) => node?.isConnected));
  for (const node of nodes) htmx.process(node);
  for (const list of following) settle(list);
  document.dispatchEvent(new CustomEvent("ade:patched", { detail: { nodes } }));
}

/** @param {Element} place */
function shownIn(place) {
  const panel = /** @type {HTMLElement | null} */ (place.querySelector("[data-panel]"));
  return `${panel?.dataset.panel} ${panel?.dataset.params}`;
}

/** Panels that the person chose since, such as a tab or a search, of which the address does not say. @param {Document} fresh */
function keepChosen(fresh) {
  for (const place of document.querySelectorAll(".panel-place")) {
    const other = fresh.getElementById(place.id);
    if (other && shownIn(other) !== shownIn(place))
      other.replaceChildren(...[...place.children].map((child) => child.cloneNode(true)));
  }
}

/**
 * Loads this page again and morphs it in place: text being typed, open parts, scroll and chosen panels stay.
 *
 * @returns {Promise<void>}
 * @throws {Error} the server did not answer with a page
 */
export async function reload() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) throw new Error(`Loading this page again failed: ${response.status}`);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const following = atEnd();
  document.title = fresh.title;
  keepChosen(fresh);
  Idiomorph.morph(document.body, fresh.body, { morphStyle: "outerHTML" });
  htmx.process(document.body);
  for (const list of following) settle(list);
  document.dispatchEvent(new CustomEvent("ade:patched", { detail: { nodes: [document.body] } }));
}

/**
 * A list that follows begins at its end, or at the step that is shown: when the page is loaded, and when htmx brings it.
 *
 * @param {ParentNode} root
 */
function toEnd(root) {
  for (const list of root.querySelectorAll("[data-follow]")) settle(list, list.querySelector(".gutter[aria-current]"));
}

toEnd(document);
document.addEventListener("htmx:afterSettle", (event) => {
  const target = /** @type {CustomEvent} */ (event).detail.target;
  if (target instanceof Element && target.classList.contains("panel-place")) toEnd(target);
});
