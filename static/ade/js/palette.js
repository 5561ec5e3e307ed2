/** The ⌘K dialog: the server finds, this moves the choice, follows it and keeps the last few. */
import { recall, remember } from "./store.js";

const KEEP = 6;
const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("palette"));
const input = /** @type {HTMLInputElement} */ (dialog.querySelector("input"));
const list = /** @type {HTMLElement} */ (dialog.querySelector("[role=listbox]"));
let request = new AbortController();

/** @typedef {{href: string, text: string}} Place */

const options = () => /** @type {HTMLAnchorElement[]} */ ([...list.querySelectorAll("[role=option]")]);

/** @param {HTMLElement | undefined} option */
function choose(option) {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  input.setAttribute("aria-activedescendant", option?.id ?? "");
  option?.scrollIntoView({ block: "nearest" });
}

/** @param {Place} place @param {number} index */
function recentOption({ href, text }, index) {
  const template = /** @type {HTMLTemplateElement} */ (dialog.querySelector("template"));
  const option = /** @type {HTMLAnchorElement} */ (template.content.firstElementChild?.cloneNode(true));
  option.href = href;
  option.id = `recent-${index}`;
  /** @type {HTMLElement} */ (option.querySelector("b")).textContent = text;
  return option;
}

function addRecent() {
  const recent = recall("palette", /** @type {Place[]} */ ([]));
  const known = new Set(recent.map((place) => place.href));
  for (const option of options()) if (known.has(option.getAttribute("href") ?? "")) option.remove();
  list.prepend(...recent.map(recentOption));
}

async function query() {
  request.abort();
  request = new AbortController();
  const { signal } = request;
  const text = input.value.trim();
  try {
    const response = await fetch(`${dialog.dataset.url}?q=${encodeURIComponent(text)}`, { signal });
    if (!response.ok) throw new Error(`The palette's search failed: ${response.status}`);
    list.innerHTML = await response.text();
  } catch (error) {
    if (signal.aborted) return;
    list.replaceChildren();
    console.error(error);
  }
  if (!text) addRecent();
  choose(options()[0]);
}

/** @param {HTMLAnchorElement} option */
function keep(option) {
  const place = { href: option.getAttribute("href") ?? "", text: option.querySelector("b")?.textContent ?? "" };
  const others = recall("palette", /** @type {Place[]} */ ([])).filter(({ href }) => href !== place.href);
  remember("palette", [place, ...others].slice(0, KEEP));
}

input.addEventListener("input", () => void query());
input.addEventListener("keydown", (event) => {
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") choose(all[(at + 1) % all.length]);
  else if (event.key === "ArrowUp") choose(all.at(at - 1));
  else if (event.key === "Enter") all[at]?.click();
  else return;
  event.preventDefault();
});
list.addEventListener("click", (event) => {
  const option = event.target instanceof Element && event.target.closest("a");
  if (!option) return;
  keep(option);
  dialog.close();
});
// showModal sends no event of its own; the dialog's `open` attribute tells.
new MutationObserver(() => {
  if (!dialog.open) return;
  input.select();
  void query();
}).observe(dialog, { attributeFilter: ["open"] });
