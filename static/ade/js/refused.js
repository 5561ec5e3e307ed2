/**
 * A form that the server refuses comes back (422) with what is wrong beside its fields. The first of those takes the focus and is
 * brought into view; where no field is to blame, what tells of it is, and takes the focus where the form has lost it.
 */

/** @param {HTMLElement} asked as it was sent: the form that came back may be another node of the same id */
const formOf = (asked) => (asked.id && document.getElementById(asked.id)) || asked;

document.addEventListener("htmx:afterSettle", (event) => {
  const { xhr, requestConfig } = /** @type {CustomEvent} */ (event).detail;
  if (xhr?.status !== 422) return;
  const form = formOf(requestConfig.elt);
  const blamed = form.querySelector('[aria-invalid="true"]') ?? form.querySelector('[role="alert"]');
  if (!(blamed instanceof HTMLElement) || !blamed.checkVisibility()) return;
  if (blamed.role === "alert") blamed.tabIndex = -1;
  if (blamed.role !== "alert" || !form.contains(document.activeElement)) blamed.focus({ preventScroll: true });
  blamed.scrollIntoView({ block: "center" });
});
