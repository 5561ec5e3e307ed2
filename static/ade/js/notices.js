/**
 * The notification centre: its own socket brings what waits for a person and what failed, of all agents. What was seen is kept in this
 * browser; what is unseen is counted on the button and in the page's title. What is about the agent on the screen is seen already.
 */
import { patch } from "./patch.js";
import { recall, remember } from "./store.js";
import { setUnread } from "./title.js";
import { toast } from "./toasts.js";
import { say } from "./words.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const KEPT = 300;

const panel = /** @type {HTMLElement} */ (document.getElementById("notices"));
const opener = /** @type {HTMLElement} */ (document.querySelector("[popovertarget=notices]"));
const shownAgent = /^\/agents\/(agent-[^/]+)/.exec(location.pathname)?.[1];
let wait = FIRST_WAIT_MS;
let isFirst = true;
/** @type {WebSocket | null} */
let socket = null;

const rows = () => /** @type {HTMLElement[]} */ ([...panel.querySelectorAll("[data-notice]")]);
const seen = () => new Set(recall("notices", /** @type {string[]} */ ([])));
const idOf = (/** @type {HTMLElement} */ row) => /** @type {string} */ (row.dataset.notice);

/** @param {HTMLElement[]} read */
function markSeen(read) {
  if (!read.length) return;
  const ids = read.map(idOf);
  remember("notices", [...ids, ...[...seen()].filter((id) => !ids.includes(id))].slice(0, KEPT));
}

/** Marks what is unseen, and counts it. @returns {HTMLElement[]} */
function refresh() {
  if (!document.hidden) markSeen(rows().filter((row) => row.dataset.agent === shownAgent));
  const known = seen();
  const unseen = rows().filter((row) => !known.has(idOf(row)));
  for (const row of rows()) row.toggleAttribute("data-unread", unseen.includes(row));
  const count = /** @type {HTMLElement} */ (opener.querySelector("[data-count]"));
  count.textContent = unseen.length ? String(unseen.length) : "";
  opener.setAttribute("aria-label", unseen.length ? say("Notifications, {count} new", { count: unseen.length }) : say("Notifications"));
  setUnread(unseen.length);
  return unseen;
}

/** @param {import("./patch.js").Fragment[]} fragments */
function take(fragments) {
  const before = new Set(rows().map(idOf));
  patch(fragments);
  const fresh = refresh().filter((row) => !before.has(idOf(row)));
  // One tab tells it, and none what was there when it was opened.
  if (!isFirst && !document.hidden && !panel.matches(":popover-open"))
    for (const row of fresh.slice(0, 3))
      toast(row.querySelector("a > span")?.textContent ?? "", row.dataset.tone === "bad" ? "warn" : "accent");
  isFirst = false;
}

function open() {
  const url = new URL("/ws/notices/", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const current = new WebSocket(url);
  socket = current;
  current.onmessage = (event) => {
    wait = FIRST_WAIT_MS;
    take(JSON.parse(event.data).fragments);
  };
  current.onclose = () => {
    if (socket !== current) return;
    setTimeout(() => socket === current && open(), wait * (0.5 + Math.random() / 2));
    wait = Math.min(LONGEST_WAIT_MS, wait * 2);
  };
}

panel.addEventListener("toggle", (event) => {
  if (/** @type {ToggleEvent} */ (event).newState === "open") panel.querySelector("a")?.focus();
  else {
    markSeen(rows());
    refresh();
  }
});
// Another tab has seen them.
window.addEventListener("storage", (event) => event.key === "ade.notices" && refresh());
document.addEventListener("visibilitychange", refresh);
// An open socket would keep the page out of the back-forward cache.
window.addEventListener("pagehide", () => {
  const old = socket;
  socket = null;
  old?.close();
});
window.addEventListener("pageshow", (event) => event.persisted && open());
open();
