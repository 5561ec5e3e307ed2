/**
 * The step scrubber around a native range input: buttons, keys and a number move it, its label follows, and "scrub" is
 * sent to htmx at most once a frame, and one at a time. Until that is answered the range has data-scrubbing, and live updates leave it where
 * the person put it. The trace shows which step it is.
 */
import { all, around, onContent } from "./dom.js";
import { bring } from "./turns.js";
import { say } from "./words.js";

let frame = 0;

/** @param {Element} node @returns {HTMLInputElement | null | undefined} the range of the panel that the node stands in */
const rangeOf = (node) => node.closest("[data-panel]")?.querySelector("[data-scrubber]");

const numbers = new Intl.NumberFormat("en-US");

/** @param {HTMLInputElement} range */
function label(range) {
  const step = range.valueAsNumber;
  const live = step === Number(range.dataset.newest || range.max);
  range.dataset.live = String(live);
  const text = live ? `· ${range.dataset.newestWords ?? ""}` : say("of {last}", { last: numbers.format(Number(range.max)) });
  range.setAttribute("aria-valuetext", `${say("step {step}", { step })} ${text}`);
  const scrub = range.closest(".scrub");
  const output = scrub?.querySelector("[data-scrub-label]");
  if (output) output.textContent = text;
  const field = /** @type {HTMLInputElement | null | undefined} */ (scrub?.querySelector("[data-scrub-to]"));
  if (field && field !== document.activeElement) field.value = String(step);
}

/** A step that was chosen and whose turn is away (turns.js): it is scrolled to when that is back. */
let sought = "";

/** Marks the step that is shown in the trace, unless that is the newest. @returns {Element | undefined} */
function mark() {
  const range = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-scrubber]"));
  const step = range?.dataset.live === "false" ? range.value : "";
  for (const gutter of document.querySelectorAll(".step > .gutter[aria-current]")) gutter.removeAttribute("aria-current");
  const gutters = step ? [...document.querySelectorAll(".step > .gutter")] : [];
  const chosen = gutters.find((gutter) => gutter.textContent?.trim() === step);
  chosen?.setAttribute("aria-current", "step");
  if (chosen && sought === step) chosen.scrollIntoView({ block: "nearest" });
  if (chosen || sought !== step) sought = "";
  return chosen;
}

/** @param {HTMLInputElement} range */
function scrollToStep(range) {
  const chosen = mark();
  const step = range.valueAsNumber;
  const away = /** @type {HTMLElement[]} */ (chosen ? [] : [...document.querySelectorAll(".turn[data-away]")]).find((turn) => {
    const [first, last] = (turn.dataset.away ?? "").split(" ").map(Number);
    return first <= step && step <= last;
  });
  (chosen ?? away)?.scrollIntoView({ block: "nearest" });
  if (!away) return;
  sought = range.value;
  bring(away);
}

/** @param {HTMLInputElement} range */
function ask(range) {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    range.dispatchEvent(new CustomEvent("scrub", { bubbles: true }));
  });
}

/** @param {HTMLInputElement} range */
function changed(range) {
  label(range);
  scrollToStep(range);
  range.dataset.scrubbing = "";
  ask(range);
}

/** @param {HTMLInputElement} range @param {number} step */
function move(range, step) {
  const before = range.value;
  range.valueAsNumber = step;
  if (range.value !== before) changed(range);
}

/** @param {HTMLInputElement} range @returns {number[]} the steps that wrote memory; data-memory holds the way from each to the next */
function memorySteps(range) {
  let at = 0;
  return (range.dataset.memory ?? "").split(",").filter(Boolean).map((gap) => (at += Number(gap)));
}

/** @param {HTMLInputElement} range @param {string} by "+1", "-1", "+memory" or "-memory" */
function jump(range, by) {
  const at = range.valueAsNumber;
  if (!by.endsWith("memory")) return move(range, at + Number(by));
  const steps = memorySteps(range);
  const to = by.startsWith("+") ? steps.find((step) => step > at) : steps.findLast((step) => step < at);
  if (to !== undefined) move(range, to);
}

/** Goes to the number that was typed, then to the range, where the arrow keys go on. @param {HTMLInputElement} field */
function goTo(field) {
  const range = rangeOf(field);
  const step = Number(field.value.replaceAll(",", ""));
  if (!range) return;
  if (Number.isInteger(step) && step > 0) move(range, step);
  range.focus();
  label(range);
}

document.addEventListener("input", (event) => {
  if (event.target instanceof HTMLInputElement && event.target.matches("[data-scrubber]")) changed(event.target);
});

document.addEventListener("click", (event) => {
  const button = around(event, "[data-scrub]");
  const range = button && rangeOf(button);
  if (!button || !range) return;
  event.preventDefault();
  jump(range, /** @type {string} */ (button.dataset.scrub));
});

document.addEventListener("focusin", ({ target }) => {
  if (target instanceof HTMLInputElement && target.matches("[data-scrub-to]")) target.select();
});

document.addEventListener("focusout", ({ target }) => {
  const range = target instanceof HTMLInputElement && target.matches("[data-scrub-to]") && rangeOf(target);
  if (range) target.value = range.value;
});

document.addEventListener("keydown", (event) => {
  const field = around(event, "[data-scrub-to]");
  if (!(field instanceof HTMLInputElement)) return;
  if (event.key === "Escape") rangeOf(field)?.focus();
  else if (event.key === "Enter") goTo(field);
  else return;
  event.preventDefault();
});

// What is chosen while a request is under way is dropped by htmx, and asked for after it: the last step chosen is the one shown.
document.addEventListener("htmx:afterRequest", (event) => {
  const range = event.target;
  if (!(range instanceof HTMLInputElement && range.matches("[data-scrubber]"))) return;
  const asked = /** @type {CustomEvent} */ (event).detail.requestConfig.parameters.step;
  if (asked !== range.value) ask(range);
  else if (!frame) delete range.dataset.scrubbing;
});

onContent((root) => {
  for (const range of all(root, "[data-scrubber]")) label(/** @type {HTMLInputElement} */ (range));
  mark();
});
