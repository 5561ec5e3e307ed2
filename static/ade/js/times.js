/** Keeps <time data-relative> true. The words are those of the template filter `ago`. */
import { all, onContent } from "./dom.js";

const EVERY_MS = 15_000;

/** @param {Date} at @returns {string} */
function ago(at) {
  const seconds = (Date.now() - at.getTime()) / 1000;
  if (seconds < 45) return "now";
  if (seconds < 45 * 60) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 22 * 3600) return `${Math.max(1, Math.round(seconds / 3600))} h ago`;
  const days = Math.max(1, Math.round(seconds / 86_400));
  if (days === 1) return "yesterday";
  return days < 30 ? `${days} days ago` : at.toISOString().slice(0, 10);
}

/** @param {Element} root */
function refresh(root) {
  for (const time of all(root, "time[data-relative]")) {
    const text = ago(new Date(/** @type {HTMLTimeElement} */ (time).dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
}

onContent(refresh);
setInterval(() => refresh(document.body), EVERY_MS);
