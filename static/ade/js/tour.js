/**
 * The tour of an agent's workspace: a card beside the part it tells of. Begins by itself on the example agent, once in a browser, and with
 * ?tour. The page stays usable; Escape ends it, and the focus goes back to where it was.
 */
import { recall, remember } from "./store.js";
import { say } from "./words.js";

const GAP = 12;
const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById("tour"));
/** @type {HTMLElement[]} */
let stops = [];
let at = 0;
/** @type {Element | null} */
let before = null;

/** @param {HTMLElement} stop @returns {HTMLElement | null} the first of what it names that is drawn */
function targetOf(stop) {
  const chooser = document.querySelector(`.col-switch [data-show="${stop.dataset.column}"]`);
  if (chooser instanceof HTMLElement && chooser.checkVisibility()) chooser.click();
  const named = /** @type {string} */ (stop.dataset.stop).split(",");
  const found = named.map((selector) => /** @type {HTMLElement | null} */ (document.querySelector(selector)));
  return found.find((node) => node?.checkVisibility()) ?? null;
}

/** Beside the target where there is room, else over its lower edge. @param {HTMLElement} card @param {Element} target */
function place(card, target) {
  const box = target.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = card;
  const within = (/** @type {number} */ value, /** @type {number} */ most) => Math.max(GAP, Math.min(value, most - GAP));
  let [left, top] = [box.left, box.bottom + GAP];
  if (innerWidth - box.right > width + 2 * GAP) [left, top] = [box.right + GAP, box.top];
  else if (box.left > width + 2 * GAP) [left, top] = [box.left - width - GAP, box.top];
  else if (box.top > height + 2 * GAP && innerHeight - box.bottom < height + 2 * GAP) top = box.top - height - GAP;
  card.style.left = `${within(left, innerWidth - width)}px`;
  card.style.top = `${within(top, innerHeight - height)}px`;
}

function light(/** @type {Element | null} */ target) {
  for (const node of document.querySelectorAll("[data-toured]")) node.removeAttribute("data-toured");
  target?.setAttribute("data-toured", "");
}

function show() {
  if (!dialog) return;
  const stop = stops[at];
  const target = targetOf(stop);
  const [heading, text] = stop.children;
  const [title, body, count] = ["#tour-title", "#tour-text", "[data-place]"].map((name) => /** @type {HTMLElement} */ (dialog.querySelector(name)));
  title.textContent = heading.textContent;
  body.textContent = text.textContent;
  count.textContent = say("{at} of {count}", { at: at + 1, count: stops.length });
  const [back, next] = /** @type {HTMLButtonElement[]} */ ([...dialog.querySelectorAll("[data-tour='-1'], [data-tour='+1']")]);
  back.disabled = at === 0;
  next.textContent = at === stops.length - 1 ? say("Done") : say("Next");
  light(target);
  place(dialog, target ?? document.body);
  title.focus();
}

function begin() {
  if (!dialog) return;
  before = document.activeElement;
  const template = /** @type {HTMLTemplateElement} */ (dialog.querySelector("template"));
  stops = /** @type {HTMLElement[]} */ ([...template.content.children]);
  at = 0;
  dialog.show();
  show();
}

function end() {
  if (!dialog?.open) return;
  dialog.close();
  light(null);
  remember("tour", "seen");
  if (before instanceof HTMLElement && before !== document.body) before.focus();
  else document.getElementById("composer-text")?.focus();
}

/** @param {number} by */
function move(by) {
  at += by;
  if (at >= stops.length) end();
  else {
    at = Math.max(0, at);
    show();
  }
}

/** @param {KeyboardEvent} event */
function key(event) {
  if (!dialog?.open) return;
  if (event.key === "Escape" && !document.querySelector("dialog:modal, :popover-open")) end();
  else if (!dialog.contains(document.activeElement)) return;
  else if (event.key === "ArrowRight") move(1);
  else if (event.key === "ArrowLeft") move(-1);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

if (dialog) {
  document.addEventListener("keydown", key, { capture: true });
  dialog.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-tour]");
    const by = button && button.getAttribute("data-tour");
    if (by === "end") end();
    else if (by) move(Number(by));
  });
  window.addEventListener("resize", () => dialog.open && show());
  const url = new URL(location.href);
  const asked = url.searchParams.has("tour");
  url.searchParams.delete("tour");
  if (asked) history.replaceState(history.state, "", url);
  if (asked || (dialog.dataset.start === "first" && recall("tour", "") !== "seen")) begin();
}
