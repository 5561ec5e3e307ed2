/** Short messages in the corner: from the server by the header HX-Trigger, and for every request that failed. */
import { say } from "./words.js";

const SHOWN_MS = 6000;

/**
 * @param {string} text
 * @param {"ok" | "warn" | "bad" | "accent"} [tone] a bad one stays until it is dismissed
 * @param {string} [report] what "Copy report" copies
 */
export function toast(text, tone = "accent", report) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("toast"));
  const node = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  node.dataset.tone = tone;
  /** @type {HTMLElement} */ (node.querySelector("span")).textContent = text;
  const copy = /** @type {HTMLElement} */ (node.querySelector("[data-copy]"));
  copy.hidden = !report;
  copy.dataset.copy = report ?? "";
  node.querySelector("[data-dismiss]")?.addEventListener("click", () => node.remove());
  document.getElementById("toasts")?.append(node);
  if (tone !== "bad") setTimeout(() => node.remove(), SHOWN_MS);
}

/** @param {CustomEvent["detail"]} detail of an htmx event @param {string} answer */
function reportOf({ requestConfig, pathInfo }, answer) {
  const asked = `${(requestConfig?.verb ?? "get").toUpperCase()} ${pathInfo?.requestPath ?? ""}`;
  return [asked, answer, `on ${location.href}`, new Date().toISOString(), navigator.userAgent].join("\n");
}

document.addEventListener("toast", (event) => {
  const { text, tone } = /** @type {CustomEvent} */ (event).detail;
  // What an answer that failed says is told below, with a report.
  if (tone !== "bad" || !failing) toast(text, tone);
  else told = text;
});

/** Whether htmx will tell of the answer at hand as a failure (422 is none: see htmx-config), and what it said by itself. */
let failing = false;
let told = "";
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { status } = /** @type {CustomEvent} */ (event).detail.xhr;
  failing = status >= 400 && status !== 422;
  told = "";
});
document.addEventListener("htmx:afterOnLoad", () => (failing = false));
document.addEventListener("htmx:responseError", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  const { xhr, pathInfo } = detail;
  const text = told || say("{path} answered {status}", { path: pathInfo.requestPath, status: `${xhr.status} ${xhr.statusText}` });
  failing = false;
  toast(text, "bad", reportOf(detail, `${xhr.status} ${xhr.statusText}: ${text}`));
});
document.addEventListener("htmx:sendError", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  const text = say("{path}: the server did not answer. Is it running?", { path: detail.pathInfo.requestPath });
  toast(text, "bad", reportOf(detail, text));
});
