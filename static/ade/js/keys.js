/**
 * Keys named in the DOM: data-key on a button or link presses it, on a field focuses it; several are parted by blanks. "?" lists them. Also roving
 * focus: arrow keys in data-roving lists.
 */
import { all, around, onContent, takesText } from "./dom.js";
import { recall, remember } from "./store.js";

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/**
 * @param {KeyboardEvent} event
 * @returns {string} as written in data-key: "j", "F8", "Shift+F11", "Mod+k", "Mod+Shift+f"
 */
function nameOf(event) {
  const mod = isMac ? event.metaKey : event.ctrlKey;
  // Shift is part of a printed character already ("?"), but not of "F11" or of a shortcut.
  const shift = event.shiftKey && (event.key.length > 1 || mod);
  return [
    mod && "Mod",
    event.altKey && "Alt",
    shift && "Shift",
    event.key.length === 1 && mod ? event.key.toLowerCase() : event.key,
  ]
    .filter(Boolean)
    .join("+");
}

/** @param {string} name */
const isSingle = (name) => !name.includes("+") && name.length === 1;

/** @param {ParentNode} root @returns {HTMLElement[]} what has a key and can be pressed now */
export function holdersIn(root) {
  const found = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[data-key]")]);
  return found.filter((node) => !node.matches(":disabled, [aria-disabled=true]") && node.checkVisibility());
}

/**
 * @param {HTMLElement[]} found
 * @returns {HTMLElement | undefined} of several the one that shares the smallest part of the page with the focus, such as a block
 */
function nearest(found) {
  for (let around = found[1] && document.activeElement; around; around = around.parentElement) {
    const inside = found.find((node) => around?.contains(node));
    if (inside) return inside;
  }
  return found[0];
}

const holders = () => holdersIn([...document.querySelectorAll("dialog:modal")].at(-1) ?? document);

/** @param {HTMLElement} node */
export function press(node) {
  if (takesText(node)) node.focus();
  else node.click();
}

/** @param {HTMLElement} node @returns {string[]} */
const keysOf = (node) => (node.dataset.key ?? "").split(" ");

/** @param {string} key */
const words = (key) => key.replace("Mod", isMac ? "⌘" : "Ctrl").replace(/\+(.)$/, (_, last) => `+${last.toUpperCase()}`);

/** @param {HTMLElement} node @returns {string} its keys, as this machine's keyboard has them */
export const keyWords = (node) => keysOf(node).map(words).join(", ");

/** @param {HTMLElement} node */
export function labelOf(node) {
  const label =
    node.dataset.keyLabel ??
    node.getAttribute("aria-label") ??
    node.getAttribute("title") ??
    node.querySelector(".text")?.textContent;
  return (
    label ??
    [...node.childNodes]
      .filter((child) => child.nodeName !== "KBD")
      .map((child) => child.textContent)
      .join(" ")
      .trim()
  );
}

function list() {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("keys"));
  const template = /** @type {HTMLTemplateElement} */ (dialog.querySelector("template"));
  const rows = holders().flatMap((node) => {
    const row = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const [key, label] = row.children;
    key.textContent = keyWords(node);
    label.textContent = labelOf(node);
    return [key, label];
  });
  dialog.querySelector(".keys")?.replaceChildren(...rows);
  dialog.showModal();
}

/** @param {KeyboardEvent} event */
function rove(event) {
  const group = around(event, "[data-roving]");
  if (!group || takesText(event.target) || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  // In a table the arrows go from row to row; Tab reaches what else stands in one.
  const hasRows = group.querySelector(".row-link") !== null;
  const items = /** @type {HTMLElement[]} */ ([
    ...group.querySelectorAll(hasRows ? ".row-link" : "a[href], button, summary"),
  ]).filter((item) => item.checkVisibility());
  const at = items.findIndex((item) => ((hasRows && item.closest("tr")) || item).contains(document.activeElement));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key] ?? 0;
  event.preventDefault();
  items[Math.max(0, Math.min(items.length - 1, to))]?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const name = nameOf(event);
  if (isSingle(name) && (takesText(event.target) || !recall("single-keys", true))) return;
  const node = nearest(holders().filter((holder) => keysOf(holder).includes(name)));
  if (node) press(node);
  else if (name === "?" && !document.querySelector("dialog:modal")) list();
  else return rove(event);
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (around(event, "[data-show-keys]")) list();
});

const single = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-single-keys]"));
if (single) single.checked = recall("single-keys", true);
single?.addEventListener("change", () => remember("single-keys", single.checked));

// Keys as this machine writes them.
onContent((root) => {
  if (!isMac) for (const kbd of all(root, "kbd")) kbd.textContent = (kbd.textContent ?? "").replace("⌘", "Ctrl ");
});
