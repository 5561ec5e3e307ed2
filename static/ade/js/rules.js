/**
 * Dragging a tool of the rules graph onto another lets that one follow it: where the graph has data-let-follow, the
 * address to tell. The form beside the graph does the same by keyboard.
 */
import { around } from "./dom.js";

const { htmx } = /** @type {any} */ (window);

const address = () => document.getElementById("rules-canvas")?.dataset.letFollow;

/** @type {string | undefined} */
let dragged;

/** @param {Event} event */
const toolAt = (event) => around(event, ".rule-node[data-tool]");

/** @param {Element | null} node */
function mark(node) {
  for (const other of document.querySelectorAll("[data-dropping]")) other.removeAttribute("data-dropping");
  node?.setAttribute("data-dropping", "");
}

document.addEventListener("dragstart", (event) => {
  dragged = address() && toolAt(event)?.dataset.tool;
});

document.addEventListener("dragover", (event) => {
  const node = dragged ? toolAt(event) : null;
  mark(node);
  if (node) event.preventDefault();
});

document.addEventListener("drop", (event) => {
  const child = toolAt(event)?.dataset.tool;
  if (!dragged || !child) return;
  event.preventDefault();
  htmx.ajax("POST", address(), { values: { tool_name: dragged, child }, swap: "none" });
});

document.addEventListener("dragend", () => {
  dragged = undefined;
  mark(null);
});
