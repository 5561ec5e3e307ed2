/**
 * A button with data-reveal="id" shows the node of that id: its tab is chosen, it is opened, scrolled to and focused; a dialog that the button
 * is in closes.
 */
import { around } from "./dom.js";

/** @param {Element} node */
export function reveal(node) {
  const panel = node.closest("[role=tabpanel][hidden]");
  document.getElementById(panel?.getAttribute("aria-labelledby") ?? "")?.click();
  const column = /** @type {HTMLElement | null} */ (node.closest("[data-col]"));
  const chooser = column && document.querySelector(`.col-switch [data-show="${column.dataset.col}"]`);
  if (chooser instanceof HTMLElement && chooser.offsetParent) chooser.click();
}

document.addEventListener("click", (event) => {
  const node = document.getElementById(around(event, "[data-reveal]")?.dataset.reveal ?? "");
  if (!node) return;
  around(event, "dialog")?.close();
  reveal(node);
  const folded = node.querySelector("details");
  if (folded) folded.open = true;
  node.scrollIntoView({ block: "nearest" });
  const shown = [...node.querySelectorAll("summary, [aria-current], button")].find((each) => each.checkVisibility());
  if (shown instanceof HTMLElement) shown.focus();
});
