/**
 * Live updates: opens the websocket named by data-socket, asking for what came after data-seq, and applies each message
 * in one animation frame. A lost connection is opened again from the last number applied, so nothing is missed or
 * applied twice. The server is told which panels the page shows, at first and whenever that changes: {"panels":
 * {"context": "step=14"}}, from data-panel and data-params. A panel that htmx brought is told of with the number of the
 * newest event it may hold, {"arrived": {"context": 117}}: the server draws it anew if the stream is further.
 *
 * What the page is about may be deleted meanwhile: {"gone": true} shows that, and the socket is not opened again.
 *
 * @typedef {{seq?: number, fragments?: import("./patch.js").Fragment[], reload?: boolean, gone?: boolean}} Message
 */
import { patch, reload } from "./patch.js";
import { say } from "./words.js";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
const TELL_MS = 150;
/** A page hidden for longer may hold a connection that died unnoticed, as after a laptop slept. */
const STALE_MS = 30_000;

const source = /** @type {HTMLElement | null} */ (document.querySelector("[data-socket]"));
/** @type {WebSocket | null} */
let socket = null;
/** @type {Message[]} */
let waiting = [];
let wait = FIRST_WAIT_MS;
let retry = 0;
let hiddenAt = 0;
let openedAt = Infinity;
let frame = 0;
let telling = 0;
let applied = Promise.resolve();
let told = "";
/** @type {Record<string, number>} */
let arrived = {};

/** @param {string} path */
function address(path) {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("after", source?.dataset.seq ?? "0");
  return url;
}

/**
 * @param {"on" | "off"} state
 * @param {string} text
 */
function show(state, text) {
  const live = document.getElementById("live");
  if (!live) return;
  live.dataset.live = state;
  /** @type {HTMLElement} */ (live.lastElementChild).textContent = say(text);
}

/** Tells the server which panels the page shows, so that it draws no others, and which of them came by htmx. */
function tell() {
  if (socket?.readyState !== WebSocket.OPEN) return;
  const shown = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-panel]")]);
  const panels = Object.fromEntries(shown.map((panel) => [panel.dataset.panel, panel.dataset.params ?? ""]));
  const message = JSON.stringify({ panels });
  if (message === told && !Object.keys(arrived).length) return;
  told = message;
  socket.send(JSON.stringify({ panels, arrived }));
  arrived = {};
}

/** Has every panel drawn anew that the page shows. */
function renew() {
  for (const panel of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-panel]")))
    arrived[/** @type {string} */ (panel.dataset.panel)] = 0;
}

/** @param {Event} event */
function settled(event) {
  const { xhr } = /** @type {CustomEvent<{xhr?: XMLHttpRequest}>} */ (event).detail;
  const [slug, seq] = xhr?.getResponseHeader("X-Panel")?.split(" ") ?? [];
  if (slug) arrived[slug] = Math.min(Number(seq), arrived[slug] ?? Infinity);
  // Scrubbing changes what is shown many times a second.
  clearTimeout(telling);
  telling = setTimeout(tell, TELL_MS);
}

/** @param {number | undefined} seq */
function advance(seq) {
  if (seq === undefined || !source) return;
  source.dataset.seq = String(seq);
  document.documentElement.dataset.seq = String(seq);
}

/**
 * Whether htmx has brought its panel meanwhile, of which the server does not know yet: it was drawn before, or the server
 * draws the panel anew when it is told.
 *
 * @param {import("./patch.js").Fragment} fragment
 */
const isOvertaken = ({ panel }) => panel !== undefined && panel in arrived;

/** @param {Message} message */
async function take(message) {
  if (message.gone) gone();
  if (message.fragments) patch(message.fragments.filter((fragment) => !isOvertaken(fragment)));
  if (message.reload) {
    await reload();
    renew(); // what the address does not say, such as the words searched for
    tell();
  }
  // A page loaded again may be further than the message that asked for it.
  advance(message.reload ? Math.max(message.seq ?? 0, Number(source?.dataset.seq)) : message.seq);
}

function gone() {
  const old = socket;
  socket = null;
  old?.close();
  show("off", "deleted");
  document.getElementById("gone")?.removeAttribute("hidden");
}

async function flush() {
  frame = 0;
  const messages = waiting;
  waiting = [];
  try {
    for (const message of messages) await take(message);
  } catch (error) {
    // What could not be applied comes again: the number has not moved.
    console.error(error);
    waiting = [];
    socket?.close();
  }
}

/** One after the other, for loading the page again takes a while. */
function flushNext() {
  applied = applied.then(flush);
}

/** @param {Message} message */
function receive(message) {
  waiting.push(message);
  // Hidden pages get no animation frames.
  if (document.hidden) flushNext();
  else frame ||= requestAnimationFrame(flushNext);
}

function open() {
  clearTimeout(retry);
  const current = new WebSocket(address(/** @type {string} */ (source?.dataset.socket)));
  socket = current;
  current.onopen = () => {
    openedAt = Date.now();
    if (told) renew(); // the connection before may have died with the last word unheard
    told = "";
    tell();
    show("on", "live");
  };
  current.onmessage = (event) => receive(JSON.parse(event.data));
  current.onclose = () => {
    if (socket === current) again();
  };
}

function again() {
  show("off", "reconnecting");
  if (Date.now() - openedAt > LONGEST_WAIT_MS) wait = FIRST_WAIT_MS;
  openedAt = Infinity;
  retry = setTimeout(open, wait * (0.5 + Math.random() / 2));
  wait = Math.min(LONGEST_WAIT_MS, wait * 2);
}

function reopen() {
  const old = socket;
  socket = null;
  old?.close();
  wait = FIRST_WAIT_MS;
  open();
}

function visibility() {
  if (document.hidden) hiddenAt = Date.now();
  else if (Date.now() - hiddenAt > STALE_MS || socket?.readyState !== WebSocket.OPEN) reopen();
}

if (source) {
  document.documentElement.dataset.seq = source.dataset.seq ?? "0";
  document.addEventListener("visibilitychange", visibility);
  document.addEventListener("htmx:afterSettle", settled);
  document.addEventListener("ade:patched", tell);
  window.addEventListener("online", reopen);
  // An open socket would keep the page out of the back-forward cache.
  window.addEventListener("pagehide", () => {
    const old = socket;
    socket = null;
    old?.close();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) reopen();
  });
  open();
}
