/**
 * The message box: grows with its text, Enter sends, Up and Down at the edges walk earlier inputs, the draft survives a
 * reload.
 */
import { all, around, onContent } from "./dom.js";
import { recall, remember } from "./store.js";

const KEEP = 50;

/** @param {Element} form */
const boxOf = (form) => /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
/** @param {HTMLElement} form */
const draftKey = (form) => `draft.${form.dataset.composer}`;
/** @param {HTMLElement} form */
const sentKey = (form) => `sent.${form.dataset.composer}`;

/** @param {HTMLTextAreaElement} box */
function grow(box) {
  if (CSS.supports("field-sizing", "content")) return;
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + 2}px`;
}

/** @param {HTMLTextAreaElement} box @param {string} text */
function write(box, text) {
  box.value = text;
  box.setSelectionRange(text.length, text.length);
  grow(box);
}

/**
 * Puts an earlier or later input in the box when the cursor is at that edge.
 *
 * @param {HTMLElement} form
 * @param {HTMLTextAreaElement} box
 * @param {1 | -1} back 1 for earlier
 * @returns {boolean} whether the text was changed
 */
function walk(form, box, back) {
  const edge = back > 0 ? box.value.slice(0, box.selectionStart) : box.value.slice(box.selectionEnd);
  if (edge.includes("\n")) return false;
  const sent = recall(sentKey(form), /** @type {string[]} */ ([]));
  const at = Number(form.dataset.at ?? -1) + back;
  if (at < -1 || at >= sent.length) return false;
  if (form.dataset.at === undefined || form.dataset.at === "-1") form.dataset.draft = box.value;
  form.dataset.at = String(at);
  write(box, at === -1 ? (form.dataset.draft ?? "") : sent[at]);
  return true;
}

/** @param {HTMLElement} form */
function sent(form) {
  const box = boxOf(form);
  const text = box.value.trim();
  if (text)
    remember(
      sentKey(form),
      [text, ...recall(sentKey(form), /** @type {string[]} */ ([])).filter((old) => old !== text)].slice(0, KEEP),
    );
  remember(draftKey(form), null);
  delete form.dataset.at;
  write(box, "");
}

document.addEventListener("keydown", (event) => {
  const form = around(event, "[data-composer]");
  if (!form || !(event.target instanceof HTMLTextAreaElement) || event.isComposing) return;
  const up = event.key === "ArrowUp";
  if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
    if (event.target.value.trim()) /** @type {HTMLFormElement} */ (form).requestSubmit();
  } else if (!(up || event.key === "ArrowDown") || !walk(form, event.target, up ? 1 : -1)) return;
  event.preventDefault();
});

document.addEventListener("input", (event) => {
  const form = around(event, "[data-composer]");
  if (!form || !(event.target instanceof HTMLTextAreaElement)) return;
  delete form.dataset.at;
  remember(draftKey(form), event.target.value || null);
  grow(event.target);
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { detail } = /** @type {CustomEvent<{xhr: XMLHttpRequest, elt: HTMLElement}>} */ (event);
  // The buttons that send what stands in it are of a dialog that asked first.
  const form = detail.elt.matches("[data-composer]") ? detail.elt : document.getElementById(detail.elt.dataset.sends ?? "");
  if (detail.xhr.status !== 204 || !form) return;
  sent(form);
  if (form !== detail.elt) boxOf(form).focus();
});

onContent((root) => {
  for (const form of all(root, "[data-composer]")) {
    const box = boxOf(form);
    const draft = recall(draftKey(form), "");
    if (draft && !box.value) write(box, draft);
  }
});
