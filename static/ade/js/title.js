/** The title of the tab: how many notifications are new, how the agent shown is, then the page's own. */
import { say } from "./words.js";

const WORTH_TELLING = /** @type {Record<string, string>} */ ({
  running: "working",
  queued: "queued",
  paused: "paused",
  waiting: "waits",
  failed: "failed",
});

let unread = 0;
let own = document.title;
let shown = own;

/** @param {number} count */
export function setUnread(count) {
  unread = count;
  tell();
}

function tell() {
  // A page that was loaded again has brought its own title.
  if (document.title !== shown) own = document.title;
  const state = document.getElementById("agent-state")?.dataset.state ?? "";
  shown = [unread ? `(${unread}) ` : "", WORTH_TELLING[state] ? `${say(WORTH_TELLING[state])} · ` : "", own].join("");
  if (document.title !== shown) document.title = shown;
}

document.addEventListener("ade:patched", tell);
tell();
