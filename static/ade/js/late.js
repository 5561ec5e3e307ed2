/**
 * What is drawn only once it is looked at. An empty node with data-late is filled when it comes near the view: the words
 * of data-late are added to the address in data-late-base around it. data-stamp says what it will hold: while that stays
 * the same, an update leaves what came (patch.js). A node with data-near is sent "near" when it comes near the view.
 */
import { all, onContent } from "./dom.js";

const { htmx } = /** @type {any} */ (window);
const MARGIN = "1500px";

/** @param {HTMLElement} node */
function fill(node) {
  const base = /** @type {HTMLElement | null} */ (node.closest("[data-late-base]"))?.dataset.lateBase;
  if (!base || node.childElementCount) return;
  htmx.ajax("GET", `${base}&${node.dataset.late}`, { source: node, target: node, swap: "innerHTML" });
}

const near = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      if (target instanceof HTMLElement && target.dataset.late) fill(target);
      else target.dispatchEvent(new CustomEvent("near"));
    }
  },
  // Newer than the types: a margin around lists that scroll in themselves.
  /** @type {any} */ ({ rootMargin: MARGIN, scrollMargin: MARGIN }),
);

onContent((root) => {
  for (const node of all(root, "[data-late]:empty, [data-near]")) near.observe(node);
});
