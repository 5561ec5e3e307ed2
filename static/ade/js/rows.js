/** data-of-row="id": what shows a row of the table beside it. That row is marked. */
function mark() {
  const shown = /** @type {HTMLElement | null} */ (document.querySelector("[data-of-row]"))?.dataset.ofRow;
  for (const row of document.querySelectorAll("tbody > tr")) row.classList.toggle("on", row.id === shown);
}

if (document.querySelector("[data-of-row]")) {
  mark();
  for (const change of ["htmx:afterSwap", "ade:patched"]) document.addEventListener(change, mark);
}
