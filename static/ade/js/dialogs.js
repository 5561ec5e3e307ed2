/**
 * Dialogs opened by data-dialog or as the fragment of the address, closed by data-close; hx-confirm asks in the page's own
 * dialog. Menus shut by themselves.
 */
import { around } from "./dom.js";
import { say } from "./words.js";

document.addEventListener("click", (event) => {
  const opener = around(event, "[data-dialog]");
  const dialog = opener && document.getElementById(/** @type {string} */ (opener.dataset.dialog));
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  around(event, "[data-close]")?.closest("dialog")?.close();
  // A click beside the dialog is a click on the dialog element itself, for its content fills it.
  if (event.target instanceof HTMLDialogElement && isBackdrop(/** @type {MouseEvent} */ (event), event.target))
    event.target.close();
});

const addressed = document.getElementById(location.hash.slice(1));
if (addressed instanceof HTMLDialogElement) addressed.showModal();

/**
 * @param {MouseEvent} event
 * @param {HTMLDialogElement} dialog
 */
function isBackdrop({ clientX: x, clientY: y }, dialog) {
  const box = dialog.getBoundingClientRect();
  return x < box.left || x > box.right || y < box.top || y > box.bottom;
}

document.addEventListener("htmx:confirm", (event) => {
  const { detail } =
    /** @type {CustomEvent<{question: string | null, elt: HTMLElement, issueRequest: (skip: boolean) => void}>} */ (
      event
    );
  const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById("confirm"));
  if (!detail.question || !dialog) return;
  event.preventDefault();
  /** @type {HTMLElement} */ (dialog.querySelector("h2")).textContent = detail.question;
  /** @type {HTMLElement} */ (dialog.querySelector("[value=yes]")).textContent =
    detail.elt.dataset.confirmYes ?? say("Yes, go on");
  dialog.returnValue = "no";
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && detail.issueRequest(true), { once: true });
  dialog.showModal();
});

// A form in a dialog that the server accepted closes it, and is empty when it opens again.
document.addEventListener("htmx:afterRequest", (event) => {
  const { detail } = /** @type {CustomEvent<{successful: boolean, elt: Element, xhr: XMLHttpRequest}>} */ (event);
  // A refusal is shown in the form (422), for which htmx takes it as good.
  if (!detail.successful || detail.xhr.status === 422 || !(detail.elt instanceof HTMLFormElement) || !detail.elt.matches("dialog form[hx-post]"))
    return;
  detail.elt.closest("dialog")?.close();
  detail.elt.reset();
});

// A dialog whose content its opener fetched: the old content was hidden until now, so nothing in it could be focused.
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt } = /** @type {CustomEvent<{elt: HTMLElement}>} */ (event).detail;
  const field = document.getElementById(elt.dataset.dialog ?? "")?.querySelector("[autofocus]");
  if (field instanceof HTMLElement) field.focus();
});

// A dialog that an answer brought: what was asked for cannot be done without another choice.
document.addEventListener("ask", (event) => {
  const dialog = document.getElementById(/** @type {CustomEvent<{dialog: string}>} */ (event).detail.dialog);
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  const field = dialog?.querySelector("[autofocus]");
  if (field instanceof HTMLElement) field.focus();
});

const openMenus = () => /** @type {HTMLDetailsElement[]} */ ([...document.querySelectorAll("details.menu[open]")]);

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    if (menu.contains(document.activeElement)) menu.querySelector("summary")?.focus();
    menu.open = false;
  }
});
