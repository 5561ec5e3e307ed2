/**
 * What is drawn only once it is looked at. An empty node with data-late is filled when it comes near the view: the words
 * of data-late are added to the address in data-late-base around it. data-stamp says what it will hold: while that stays
 * the same, an update leaves what came (patch.js). A node with data-near is sent "near" when it comes near the view.
 */
import { all, onContent } from "./dom.js";

const { htmx } = /** @type {any} */ (window);
const MARGIN = "1500px";
/** Steps may be gone through: what is only near waits until the page rests. */
const RESTS_MS = 250;

/** @type {WeakMap<HTMLElement, number>} */
const timers = new WeakMap();

/** @param {HTMLElement} node @returns {string | undefined} where what it will hold comes from, as the page is now */
function addressOf(node) {
  const base = /** @type {HTMLElement | null} */ (node.closest("[data-late-base]"))?.dataset.lateBase;
  return base && `${base}&${node.dataset.late}`;
}

/** @param {HTMLElement} node */
function fill(node) {
  const address = addressOf(node);
  if (address && !node.childElementCount) htmx.ajax("GET", address, { source: node, target: node, swap: "innerHTML" });
}

/** @param {IntersectionObserverEntry} entry */
function isSeen({ target, boundingClientRect: { top, bottom } }) {
  const list = target.closest(".scroll")?.getBoundingClientRect();
  return !list || (top < list.bottom && bottom > list.top);
}

/** @param {IntersectionObserverEntry} entry */
function came(entry) {
  const node = /** @type {HTMLElement} */ (entry.target);
  if (!node.dataset.late) return node.dispatchEvent(new CustomEvent("near"));
  clearTimeout(timers.get(node));
  if (isSeen(entry)) fill(node);
  else timers.set(node, setTimeout(() => fill(node), RESTS_MS));
}

const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      came(entry);
    }
  },
  // Newer than the types: a margin around lists that scroll in themselves.
  /** @type {any} */ ({ rootMargin: MARGIN, scrollMargin: MARGIN }),
);

// Another step may have been chosen meanwhile, whose lines these are not.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent<{target: HTMLElement, requestConfig: {path: string}, shouldSwap: boolean}>} */ (event);
  if (!detail.target.dataset.late || detail.requestConfig.path === addressOf(detail.target)) return;
  detail.shouldSwap = false;
  fill(detail.target);
});

onContent((root) => {
  for (const node of all(root, "[data-late]:empty, [data-near]")) near.observe(node);
});
