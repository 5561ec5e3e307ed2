/**
 * Splitters: dragged, or moved with the arrow keys; double click or Delete resets. A splitter sets one CSS length on
 * <html>, and its neighbour's width or height follows. Also which column a narrow screen shows, and whether the drawer
 * is open.
 */
import { around, onContent, all } from "./dom.js";
import { recall, remember } from "./store.js";

const STEP_PX = 16;
const root = document.documentElement;

/**
 * @param {HTMLElement} sep
 * @returns {HTMLElement} what it sizes: a neighbour, or the drawer on whose upper edge it lies
 */
function sized(sep) {
  const drawer = /** @type {HTMLElement | null} */ (sep.closest(".drawer"));
  const neighbour = sep.dataset.of === "next" ? sep.nextElementSibling : sep.previousElementSibling;
  return drawer ?? /** @type {HTMLElement} */ (neighbour);
}

/** @param {HTMLElement} sep */
const isVertical = (sep) => sep.getAttribute("aria-orientation") !== "horizontal";

/** @param {HTMLElement} sep */
function measure(sep) {
  const box = sized(sep).getBoundingClientRect();
  return Math.round(isVertical(sep) ? box.width : box.height);
}

/** @param {HTMLElement} sep */
function report(sep) {
  sep.setAttribute("aria-valuenow", String(measure(sep)));
}

/**
 * @param {HTMLElement} sep
 * @param {number | null} pixels null for the size it has by itself
 */
function resize(sep, pixels) {
  const name = /** @type {string} */ (sep.dataset.pane);
  const sizes = recall("panes", /** @type {Record<string, number>} */ ({}));
  if (pixels === null) {
    delete sizes[name];
    root.style.removeProperty(`--${name}`);
  } else {
    const low = Number(sep.getAttribute("aria-valuemin"));
    const high = Number(sep.getAttribute("aria-valuemax"));
    sizes[name] = Math.min(high, Math.max(low, Math.round(pixels)));
    root.style.setProperty(`--${name}`, `${sizes[name]}px`);
  }
  remember("panes", sizes);
  report(sep);
}

/** @param {PointerEvent} event */
function drag(event) {
  const sep = around(event, ".sep");
  if (!sep || event.button !== 0) return;
  event.preventDefault();
  const [start, size] = [isVertical(sep) ? event.clientX : event.clientY, measure(sep)];
  const sign = sep.dataset.of === "next" ? -1 : 1;
  sep.setPointerCapture(event.pointerId);
  sep.dataset.dragging = "";
  /** @param {PointerEvent} moved */
  const move = (moved) => resize(sep, size + sign * ((isVertical(sep) ? moved.clientX : moved.clientY) - start));
  const end = () => {
    delete sep.dataset.dragging;
    sep.removeEventListener("pointermove", move);
  };
  sep.addEventListener("pointermove", move);
  sep.addEventListener("lostpointercapture", end, { once: true });
}

/** @param {KeyboardEvent} event */
function key(event) {
  const sep = around(event, ".sep");
  if (!sep) return;
  const sign = sep.dataset.of === "next" ? -1 : 1;
  const [less, more] = isVertical(sep) ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  if (event.key === less) resize(sep, measure(sep) - sign * STEP_PX);
  else if (event.key === more) resize(sep, measure(sep) + sign * STEP_PX);
  else if (event.key === "Home") resize(sep, 0);
  else if (event.key === "End") resize(sep, Infinity);
  else if (event.key === "Delete") resize(sep, null);
  else return;
  event.preventDefault();
}

/** @param {MouseEvent} event */
function press(event) {
  const toggle = around(event, "[data-toggle='drawer']");
  if (toggle) {
    const closed = root.dataset.drawer !== "closed";
    if (closed) root.dataset.drawer = "closed";
    else delete root.dataset.drawer;
    toggle.setAttribute("aria-expanded", String(!closed));
    remember("drawer", closed ? "closed" : null);
  }
  const tab = around(event, ".col-switch [data-show]");
  if (tab) show(/** @type {string} */ (tab.dataset.show));
}

/** @param {string} column */
function show(column) {
  document.querySelector(".columns")?.setAttribute("data-show", column);
  for (const tab of document.querySelectorAll(".col-switch [data-show]")) {
    tab.setAttribute("aria-pressed", String(tab.getAttribute("data-show") === column));
  }
}

// A page may say which column is the one to look at.
const first = /** @type {HTMLElement | null} */ (document.querySelector(".columns[data-show]"))?.dataset.show;
if (first) show(first);

document.addEventListener("pointerdown", drag);
document.addEventListener("keydown", key);
document.addEventListener("click", press);
document.addEventListener("dblclick", (event) => {
  const sep = around(event, ".sep");
  if (sep) resize(sep, null);
});
onContent((node) => {
  all(node, ".sep").forEach(report);
  for (const toggle of all(node, "[data-toggle='drawer']"))
    toggle.setAttribute("aria-expanded", String(root.dataset.drawer !== "closed"));
});
