/** Shows how much of an upload has been sent, in the form's <progress>. */
document.addEventListener("htmx:xhr:progress", (event) => {
  const { detail, target } = /** @type {CustomEvent<ProgressEvent>} */ (event);
  const bar = /** @type {Element} */ (target).querySelector("progress");
  if (!bar || !detail.lengthComputable) return;
  bar.hidden = false;
  bar.value = detail.loaded / detail.total;
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.matches(".upload")) return;
  form.reset();
  /** @type {HTMLProgressElement} */ (form.querySelector("progress")).hidden = true;
});
