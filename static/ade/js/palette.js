/** The ⌘K dialog: recent places, what can be done on the page, and what the server finds. This moves the choice and follows it. */
import { score } from "./fuzzy.js";
import { holdersIn, keyWords, labelOf, press } from "./keys.js";
import { keepPlace, recentPlaces } from "./recent.js";
import { say } from "./words.js";

const RECENT = 6;
const COMMANDS = 8;

const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("palette"));
const input = /** @type {HTMLInputElement} */ (dialog.querySelector("input"));
const list = /** @type {HTMLElement} */ (dialog.querySelector("[role=listbox]"));
const said = /** @type {HTMLElement} */ (dialog.querySelector("[role=status]"));
const [recent, here, found] = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=group]")]);
let request = new AbortController();
/** @type {HTMLElement[]} what the commands on offer press */
let pressed = [];

const options = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=option]")]);
const chosen = () => /** @type {HTMLElement | null} */ (list.querySelector("[aria-selected=true]"));

/** @param {HTMLElement | undefined} option */
function choose(option) {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  input.setAttribute("aria-activedescendant", option?.id ?? "");
  option?.scrollIntoView({ block: "nearest" });
}

/**
 * @template T
 * @param {T[]} items
 * @param {(item: T) => string} name
 * @param {number} limit
 * @returns {T[]} those that fit what was typed, best first
 */
function fitting(items, name, limit) {
  return items
    .map((item) => ({ item, fit: score(input.value, name(item)) ?? -1 }))
    .filter(({ fit }) => fit > -1)
    .sort((one, other) => (input.value.trim() ? other.fit - one.fit : 0))
    .slice(0, limit)
    .map(({ item }) => item);
}

/** @param {string} id @param {string} text @param {string} note @param {string} [href] */
function option(id, text, note, href) {
  const template = /** @type {HTMLTemplateElement} */ (dialog.querySelector(href ? "#palette-place" : "#palette-command"));
  const node = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  node.id = id;
  if (href) node.setAttribute("href", href);
  /** @type {HTMLElement} */ (node.querySelector("b")).textContent = text;
  /** @type {HTMLElement} */ (node.lastElementChild).textContent = note;
  return node;
}

function fillRecent() {
  const places = recentPlaces().filter((place) => place.href !== location.pathname);
  const shown = fitting(places, (place) => place.text, input.value.trim() ? 3 : RECENT);
  recent.replaceChildren(
    ...shown.map((place, index) => option(`recent-${index}`, place.text, say(place.noun ?? "recent"), place.href)),
  );
}

function fillCommands() {
  const named = new Map(
    holdersIn(document)
      .filter((node) => !dialog.contains(node) && node.dataset.dialog !== "palette")
      .map((node) => [labelOf(node), node]),
  );
  const shown = fitting([...named], ([label]) => label, COMMANDS);
  pressed = shown.map(([, node]) => node);
  here.replaceChildren(
    ...shown.map(([label, node], index) => option(`command-${index}`, label, keyWords(node))),
  );
}

/** A heading, which no screen reader counts as an option. @param {HTMLElement} group */
function head(group) {
  group.hidden = !group.children.length;
  group.toggleAttribute("data-headed", Boolean(group.children.length));
}

async function query() {
  request.abort();
  request = new AbortController();
  const { signal } = request;
  fillRecent();
  fillCommands();
  const own = choice();
  const agent = /^\/agents\/(agent-[^/]+)/.exec(location.pathname)?.[1] ?? "";
  try {
    const asked = new URLSearchParams({ q: input.value.trim(), agent });
    const response = await fetch(`${dialog.dataset.url}?${asked}`, { signal });
    if (!response.ok) throw new Error(`The palette's search failed: ${response.status}`);
    found.innerHTML = await response.text();
  } catch (error) {
    if (signal.aborted) return;
    found.replaceChildren();
    console.warn(error);
  }
  const known = new Set([...recent.children].map((each) => each.getAttribute("href")));
  for (const each of [...found.children]) if (known.has(each.getAttribute("href"))) each.remove();
  // Who has moved the choice meanwhile keeps it.
  const moved = chosen();
  show(moved && moved !== own && moved.isConnected ? moved : options()[0]);
}

/** @returns {HTMLElement | undefined} the first option, chosen until the server has answered */
function choice() {
  show(options()[0]);
  return options()[0];
}

/** @param {HTMLElement | undefined} option */
function show(option) {
  for (const group of [recent, here, found]) head(group);
  const count = options().length;
  said.textContent = count ? say(count === 1 ? "{count} result" : "{count} results", { count }) : say("Nothing of that name");
  said.classList.toggle("sr-only", count > 0);
  choose(option);
}

/** @param {HTMLElement} option */
function follow(option) {
  dialog.close();
  const command = /^command-(\d+)$/.exec(option.id);
  if (command) return press(pressed[Number(command[1])]);
  if (option.dataset.notRecent === undefined)
    keepPlace({
      href: option.getAttribute("href") ?? "",
      text: option.querySelector("b")?.textContent ?? "",
      noun: option.lastElementChild?.textContent ?? "",
    });
}

input.addEventListener("input", () => void query());
input.addEventListener("keydown", (event) => {
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") choose(all[(at + 1) % all.length]);
  else if (event.key === "ArrowUp") choose(all.at(at - 1));
  else if (event.key === "PageDown") choose(all[Math.min(at + 8, all.length - 1)]);
  else if (event.key === "PageUp") choose(all[Math.max(at - 8, 0)]);
  else if (event.key === "Enter" && !event.isComposing) all[at]?.click();
  else return;
  event.preventDefault();
});
list.addEventListener("click", (event) => {
  const option = event.target instanceof Element && event.target.closest("[role=option]");
  if (option instanceof HTMLElement) follow(option);
});
// showModal sends no event of its own; the dialog's `open` attribute tells.
new MutationObserver(() => {
  if (!dialog.open) return;
  input.select();
  void query();
}).observe(dialog, { attributeFilter: ["open"] });
