/**
 * A form that was kept because somebody writes in it, while another changed what it edits: "stale" is sent on it, once
 * for each newer version. data-version around the form is the version now, its field "version" the one it was made from.
 */
import { all, onContent } from "./dom.js";

onContent((root) => {
  for (const editor of all(root, "[data-version]")) {
    const form = editor.querySelector("form");
    const made = form?.elements.namedItem("version");
    const now = editor.dataset.version;
    if (!form || !(made instanceof HTMLInputElement) || made.value === now || form.dataset.stale === now) continue;
    form.dataset.stale = now;
    form.dispatchEvent(new CustomEvent("stale"));
  }
});
