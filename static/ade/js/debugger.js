/** "b" sets or takes away the breakpoint beside what is focused in the trace; elsewhere it opens the list of breakpoints. */
import { takesText } from "./dom.js";
import { recall } from "./store.js";

document.addEventListener("keydown", (event) => {
  if (event.key !== "b" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (takesText(event.target) || !recall("single-keys", true) || document.querySelector("dialog[open]")) return;
  const dot = document.activeElement?.closest(".ev, .step")?.querySelector(".bp");
  const list = document.getElementById("tab-breakpoints");
  if (!dot && !list) return;
  event.preventDefault();
  /** @type {HTMLElement} */ (dot ?? list).click();
});
