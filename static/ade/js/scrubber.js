/**
 * The step scrubber around a native range input: buttons and keys move it, its label follows, and "scrub" is sent to
 * htmx once per burst of changes. Until that is answered the range has data-scrubbing, and live updates leave it where
 * the person put it. The trace shows which step it is.
 */
import { all, around, onContent } from "./dom.js";

const DELAY_MS = 30;
let timer = 0;

/** @param {HTMLInputElement} range */
function label(range) {
  const step = range.valueAsNumber;
  const live = step === Number(range.dataset.newest || range.max);
  range.dataset.live = String(live);
  const text = live ? `step ${step} · live` : `step ${step} of ${range.max}`;
  range.setAttribute("aria-valuetext", text);
  const output = range.closest(".scrub")?.querySelector("[data-scrub-label]");
  if (output) output.textContent = text;
}

/** Marks the step that is shown in the trace, unless that is the newest. @returns {Element | undefined} */
function mark() {
  const range = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-scrubber]"));
  const step = range?.dataset.live === "false" ? range.value : "";
  const gutters = [...document.querySelectorAll(".step > .gutter")];
  for (const gutter of gutters) gutter.removeAttribute("aria-current");
  const chosen = gutters.find((gutter) => gutter.textContent?.trim() === step);
  chosen?.setAttribute("aria-current", "step");
  return chosen;
}

/** @param {HTMLInputElement} range */
function changed(range) {
  label(range);
  mark()?.scrollIntoView({ block: "nearest" });
  range.dataset.scrubbing = "";
  clearTimeout(timer);
  timer = setTimeout(() => {
    timer = 0;
    range.dispatchEvent(new CustomEvent("scrub", { bubbles: true }));
  }, DELAY_MS);
}

/** @param {HTMLInputElement} range @param {number} step */
function move(range, step) {
  const before = range.value;
  range.valueAsNumber = step;
  if (range.value !== before) changed(range);
}

/** @param {HTMLInputElement} range @param {string} by "+1", "-1", "+memory" or "-memory" */
function jump(range, by) {
  const at = range.valueAsNumber;
  if (!by.endsWith("memory")) return move(range, at + Number(by));
  const steps = (range.dataset.memory ?? "").split(",").filter(Boolean).map(Number);
  const to = by.startsWith("+") ? steps.find((step) => step > at) : steps.findLast((step) => step < at);
  if (to !== undefined) move(range, to);
}

document.addEventListener("input", (event) => {
  if (event.target instanceof HTMLInputElement && event.target.matches("[data-scrubber]")) changed(event.target);
});

document.addEventListener("click", (event) => {
  const button = around(event, "[data-scrub]");
  const range = /** @type {HTMLInputElement | null | undefined} */ (
    button?.closest(".scrub")?.querySelector("[data-scrubber]")
  );
  if (!button || !range) return;
  event.preventDefault();
  jump(range, /** @type {string} */ (button.dataset.scrub));
});

document.addEventListener("htmx:afterRequest", ({ target }) => {
  if (!timer && target instanceof HTMLInputElement) delete target.dataset.scrubbing;
});

onContent((root) => {
  for (const range of all(root, "[data-scrubber]")) label(/** @type {HTMLInputElement} */ (range));
  mark();
});
