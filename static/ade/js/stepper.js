/**
 * Goes through the recording of a call, forwards and back: [data-stepper="id of the editor's textarea"] holds it as JSON
 * in data-steps. Where it stands is the value of its range. Buttons with data-go move it: a number of steps, "first",
 * "last", or to the breakpoint "next" or "previous".
 */
import { breakpointsOf, standAt } from "./breakpoints.js";
import { all, around, onContent } from "./dom.js";
import { viewOf } from "./editor.js";
import { say } from "./words.js";

/**
 * @typedef {{line: number, depth: number, function: string, event: "line" | "return" | "exception", note: string,
 *   variables: [string, string][], changed: string[], printed: number}} Step
 */

/** @type {{text: string, steps: Step[]}} what was read last: it is asked for at every step */
let read = { text: "", steps: [] };

/** @param {HTMLElement} stepper @returns {Step[]} */
function stepsOf(stepper) {
  const text = stepper.dataset.steps ?? "[]";
  if (read.text !== text) read = { text, steps: JSON.parse(text) };
  return read.steps;
}

/** @param {HTMLElement} stepper */
const rangeOf = (stepper) => /** @type {HTMLInputElement} */ (stepper.querySelector("input[type=range]"));

/** @param {HTMLElement} stepper */
const viewOfStepper = (stepper) => viewOf(document.getElementById(stepper.dataset.stepper ?? ""));

const WORDS = { line: "before", return: "returns", exception: "raises" };

/** @param {HTMLElement} stepper @param {Step} step */
function rowsOf(stepper, step) {
  const template = /** @type {HTMLTemplateElement} */ (stepper.querySelector("template"));
  return step.variables.map(([name, text]) => {
    const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    const [key, value] = row.children;
    key.textContent = name;
    value.textContent = text;
    row.classList.toggle("changed", step.changed.includes(name));
    return row;
  });
}

/** @param {HTMLElement} stepper */
function show(stepper) {
  const steps = stepsOf(stepper);
  const range = rangeOf(stepper);
  const step = steps[range.valueAsNumber];
  const text = (/** @type {string} */ name, /** @type {string} */ value) => {
    const node = stepper.querySelector(`[data-shows="${name}"]`);
    if (node) node.textContent = value;
  };
  const depth = step.depth > 1 ? ` · ${say("{depth} deep", { depth: step.depth })}` : "";
  const where = say("line {line} in {function}", { line: step.line, function: step.function });
  text("place", `${range.valueAsNumber + 1} / ${steps.length} · ${where}${depth}`);
  text("event", step.event === "line" ? "" : `${say(WORDS[step.event])} ${step.note}`);
  stepper.dataset.event = step.event;
  range.setAttribute("aria-valuetext", say("step {step}, line {line}", { step: range.valueAsNumber + 1, line: step.line }));
  const printed = document.getElementById(stepper.dataset.stdout ?? "tool-stdout")?.textContent ?? "";
  text("printed", [...printed].slice(0, step.printed).join(""));
  stepper.querySelector("tbody")?.replaceChildren(...rowsOf(stepper, step));
  stepper.querySelector(".changed")?.scrollIntoView({ block: "nearest" });
  standAt(viewOfStepper(stepper), step.line);
}

/** @param {Step[]} steps where to begin: at the error that ended the call, else at the beginning */
function beginning(steps) {
  let at = steps.length - 1;
  if (steps[at]?.event !== "exception") return 0;
  while (steps[at - 1]?.event === "exception") at -= 1;
  return at;
}

/** @param {HTMLElement} stepper @param {string} where @returns {number} */
function target(stepper, where) {
  const steps = stepsOf(stepper);
  const at = rangeOf(stepper).valueAsNumber;
  const lines = breakpointsOf(viewOfStepper(stepper));
  const stops = [...steps.keys()].filter((index) => steps[index].event === "line" && lines.has(steps[index].line));
  if (where === "next") return stops.find((index) => index > at) ?? steps.length - 1;
  if (where === "previous") return stops.findLast((index) => index < at) ?? 0;
  return Math.max(0, Math.min(steps.length - 1, at + Number(where)));
}

document.addEventListener("click", (event) => {
  const button = around(event, "[data-go]");
  const stepper = /** @type {HTMLElement | null | undefined} */ (button?.closest("[data-stepper]"));
  if (!button || !stepper) return;
  rangeOf(stepper).value = String(target(stepper, button.dataset.go ?? "0"));
  show(stepper);
});

document.addEventListener("input", (event) => {
  const stepper = event.target instanceof HTMLInputElement && around(event, "[data-stepper]");
  if (stepper) show(stepper);
});

// A recording arrived, or the result of a call that was not recorded.
onContent((root) => {
  for (const stepper of all(root, "[data-stepper]")) {
    const steps = stepsOf(stepper);
    const tab = stepper.id === "tool-steps" ? document.getElementById("tab-steps") : null;
    if (steps.length) {
      tab?.click();
      rangeOf(stepper).value = String(beginning(steps));
      show(stepper);
    } else {
      standAt(viewOfStepper(stepper), null);
      if (tab?.getAttribute("aria-selected") === "true") document.getElementById("tab-value")?.click();
    }
  }
});
