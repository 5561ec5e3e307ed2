/**
 * A form with data-draft="noun" keeps what was typed in this browser until the server has taken it, and brings it back
 * when the page is opened again. The draft belongs to the thing whose id is in the form's field of that name, of a new one
 * to what data-draft-new says it is. It holds
 * the hidden fields too, so that a version number stays with the text that was written on top of it. A button elsewhere that
 * sends the form says so by data-draft-of="selector".
 */
import { all, around, onContent } from "./dom.js";
import { recall, remember } from "./store.js";

/** @param {HTMLFormElement} form */
function keyOf(form) {
  const noun = /** @type {string} */ (form.dataset.draft);
  return `draft.${noun}.${new FormData(form).get(noun) || form.dataset.draftNew || "new"}`;
}

/** @param {HTMLFormElement} form @returns {[string, string][]} */
const entriesOf = (form) =>
  [...new FormData(form)].flatMap(([name, value]) =>
    typeof value === "string" && name !== "csrfmiddlewaretoken" ? [[name, value]] : [],
  );

/** @param {HTMLFormElement} form @param {Map<string, string>} draft */
function write(form, draft) {
  for (const field of form.elements) {
    if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = draft.has(field.name);
    else if (field instanceof HTMLInputElement && field.type === "radio") field.checked = draft.get(field.name) === field.value;
    else if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)
      field.value = draft.get(field.name) ?? field.value;
  }
}

/** The forms that hold their draft: a live update of what is around one brings nothing back, and ends no draft. @type {WeakSet<HTMLFormElement>} */
const current = new WeakSet();

/** @param {HTMLFormElement} form */
function restore(form) {
  const draft = recall(keyOf(form), /** @type {[string, string][] | null} */ (null));
  if (!draft || current.has(form)) return;
  current.add(form);
  const typed = (/** @type {[string, string][]} */ entries) =>
    JSON.stringify(entries.filter(([name]) => form.elements.namedItem(name)?.getAttribute?.("type") !== "hidden"));
  if (typed(draft) === typed(entriesOf(form))) return remember(keyOf(form), null);
  write(form, new Map(draft));
  form.querySelector("[data-draft-note]")?.removeAttribute("hidden");
  const tell = () => form.dispatchEvent(new Event("input", { bubbles: true }));
  // htmx listens from DOMContentLoaded on, which comes after this module.
  if (document.readyState === "complete") tell();
  else window.addEventListener("load", tell, { once: true });
}

document.addEventListener("input", (event) => {
  const form = around(event, "form[data-draft]");
  if (!(form instanceof HTMLFormElement) || event.target === form) return;
  current.add(form);
  remember(keyOf(form), entriesOf(form));
});

/** The form that a request sends: a live update may take it from the page before the answer is there. @type {WeakMap<XMLHttpRequest, HTMLFormElement>} */
const sending = new WeakMap();

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, xhr } = /** @type {CustomEvent<{elt: HTMLElement, xhr: XMLHttpRequest}>} */ (event).detail;
  const form = elt.dataset.draftOf ? document.querySelector(elt.dataset.draftOf) : elt;
  if (form instanceof HTMLFormElement && form.dataset.draft !== undefined) sending.set(xhr, form);
});

// Before the answer is put in the page, for it may change what the form is about.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = /** @type {CustomEvent} */ (event).detail;
  const form = sending.get(xhr);
  if (!form || xhr.status >= 300) return;
  remember(keyOf(form), null);
  form.querySelector("[data-draft-note]")?.setAttribute("hidden", "");
});

document.addEventListener("click", (event) => {
  const form = around(event, "[data-draft-discard]")?.closest("form");
  if (!form) return;
  remember(keyOf(form), null);
  location.reload();
});

onContent((root) => {
  for (const form of all(root, "form[data-draft]")) restore(/** @type {HTMLFormElement} */ (form));
});
