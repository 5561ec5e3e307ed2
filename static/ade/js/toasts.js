/** Short messages in the corner: from the server by the header HX-Trigger, and for every request that failed. */

const SHOWN_MS = 6000;

/**
 * @param {string} text
 * @param {"ok" | "warn" | "bad" | "accent"} [tone] a bad one stays until it is dismissed
 */
export function toast(text, tone = "accent") {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("toast"));
  const node = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  node.dataset.tone = tone;
  /** @type {HTMLElement} */ (node.querySelector("span")).textContent = text;
  node.querySelector("button")?.addEventListener("click", () => node.remove());
  document.getElementById("toasts")?.append(node);
  if (tone !== "bad") setTimeout(() => node.remove(), SHOWN_MS);
}

document.addEventListener("toast", (event) => {
  const { text, tone } = /** @type {CustomEvent} */ (event).detail;
  toast(text, tone);
});
document.addEventListener("htmx:responseError", (event) => {
  const { xhr, pathInfo } = /** @type {CustomEvent} */ (event).detail;
  if (!xhr.getResponseHeader("HX-Trigger")?.includes("toast"))
    toast(`${pathInfo.requestPath} answered ${xhr.status} ${xhr.statusText}`, "bad");
});
document.addEventListener("htmx:sendError", (event) => {
  toast(
    `${/** @type {CustomEvent} */ (event).detail.pathInfo.requestPath}: the server did not answer. Is it running?`,
    "bad",
  );
});
