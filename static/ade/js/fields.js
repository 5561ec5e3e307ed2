/** data-remember keeps a choice in this browser; data-count-for shows the length of a field against its limit. */
import { all, onContent } from "./dom.js";
import { recall, remember } from "./store.js";

/** @param {HTMLInputElement | HTMLSelectElement} field */
const choiceKey = (field) => `choice.${field.name}`;

/** @param {HTMLElement} node */
function restore(node) {
  const field = /** @type {HTMLInputElement | HTMLSelectElement} */ (node);
  const choice = recall(choiceKey(field), /** @type {string | boolean | null} */ (null));
  if (choice === null) return;
  if (field instanceof HTMLSelectElement) field.value = String(choice);
  else field.checked = field.type === "radio" ? field.value === choice : choice === true;
}

/** @param {HTMLElement} counter */
function count(counter) {
  const field = /** @type {HTMLTextAreaElement | null} */ (document.getElementById(counter.dataset.countFor ?? ""));
  if (!field) return;
  const limit = Number(counter.dataset.limit);
  // Characters as Python counts them: one for each code point.
  const length = [...field.value].length;
  counter.textContent = `${length.toLocaleString("en")} / ${limit.toLocaleString("en")}`;
  if (length > limit) counter.dataset.tone = "bad";
  else if (length > limit * 0.9) counter.dataset.tone = "warn";
  else delete counter.dataset.tone;
}

document.addEventListener("change", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement) || !field.matches("[data-remember]"))
    return;
  remember(choiceKey(field), field.type === "checkbox" ? /** @type {HTMLInputElement} */ (field).checked : field.value);
});
document.addEventListener("input", (event) => {
  if (!(event.target instanceof Element) || !event.target.id) return;
  for (const counter of all(document.body, `[data-count-for="${CSS.escape(event.target.id)}"]`)) count(counter);
});
onContent((root) => {
  all(root, "[data-remember]").forEach(restore);
  all(root, "[data-count-for]").forEach(count);
});
