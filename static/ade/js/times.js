/** Keeps <time data-relative> true. The words are those of the template filter `ago`. */
import { all, onContent } from "./dom.js";
import { say } from "./words.js";

const EVERY_MS = 15_000;

/** @param {Date} at @returns {string} */
function ago(at) {
  const seconds = (Date.now() - at.getTime()) / 1000;
  if (seconds < 45) return say("now");
  if (seconds < 45 * 60) return say("{number} min ago", { number: Math.max(1, Math.round(seconds / 60)) });
  if (seconds < 22 * 3600) return say("{number} h ago", { number: Math.max(1, Math.round(seconds / 3600)) });
  const days = Math.max(1, Math.round(seconds / 86_400));
  if (days === 1) return say("yesterday");
  return days < 30 ? say("{days} days ago", { days }) : at.toISOString().slice(0, 10);
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
