/**
 * data-copy="text" or "#id" copies text; data-copy-link="/path" copies a full address; data-copy-here that of what is focused, chosen, or of
 * the page as it is (links.js).
 */
import { around } from "./dom.js";
import { linkHere } from "./links.js";
import { toast } from "./toasts.js";
import { say } from "./words.js";

/** @param {HTMLElement} button */
function textOf(button) {
  if (button.dataset.copyHere !== undefined) return linkHere();
  if (button.dataset.copyLink !== undefined) return new URL(button.dataset.copyLink, location.href).href;
  const copy = button.dataset.copy ?? "";
  return copy.startsWith("#") ? (document.getElementById(copy.slice(1))?.textContent ?? "") : copy;
}

/** @param {string} link */
const shortened = (link) => link.replace(location.origin, "").replace(/(-[0-9a-f]{4})[0-9a-f-]{28}/g, "$1…");

/** The old way, where the page is not served over https or from localhost. @param {string} text */
function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("The browser refused to copy.");
}

// Text marked by dragging over the summary of an open part is there to be copied: the part stays open.
document.addEventListener("click", (event) => {
  const summary = around(event, "summary");
  const marked = getSelection();
  if (summary && marked && !marked.isCollapsed && summary.contains(marked.anchorNode)) event.preventDefault();
});

document.addEventListener("click", async (event) => {
  const button = around(event, "[data-copy], [data-copy-link], [data-copy-here]");
  if (!button) return;
  event.preventDefault();
  try {
    const text = textOf(button);
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else copyBySelection(text);
    toast(button.dataset.copy === undefined ? say("Copied the link {link}", { link: shortened(text) }) : say("Copied"), "ok");
  } catch {
    toast(say("The browser refused to copy. Select the text and copy it by hand."), "bad");
  }
});
