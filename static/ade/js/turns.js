/**
 * The trace as a list of any length: a turn far from the view is emptied, keeps its place and its height, and is fetched again when
 * it comes near. It says in data-away which steps it had, from which to which. What runs, waits for a person or has the focus stays.
 */
import { all, onContent } from "./dom.js";
import { patch } from "./patch.js";

const NEAR = "2000px 0px";
const FAR = "6000px 0px";
const STAYS = "form, [data-streaming], .pulse, :focus";
const AT_ONCE = 20;
const AGAIN_MS = 2000;

/** @type {Element | null} the list that scrolls */
let list = null;
/** @type {IntersectionObserver | undefined} */
let near;
/** @type {IntersectionObserver | undefined} */
let far;
/** @type {Set<HTMLElement>} */
const wanted = new Set();
let fetching = false;

/** @param {IntersectionObserverEntry} entry */
function empty({ target, isIntersecting, boundingClientRect }) {
  const turn = /** @type {HTMLElement} */ (target);
  if (isIntersecting || "away" in turn.dataset || !turn.nextElementSibling || turn.querySelector(STAYS)) return;
  const selection = getSelection();
  if (selection && !selection.isCollapsed && selection.containsNode(turn, true)) return;
  const steps = [...turn.querySelectorAll(".step > .gutter")].map((gutter) => gutter.textContent?.trim());
  turn.dataset.away = `${steps[0] ?? 0} ${steps.at(-1) ?? 0}`;
  turn.style.height = `${boundingClientRect.height}px`;
  turn.replaceChildren();
}

/** @param {IntersectionObserverEntry} entry */
function want({ target, isIntersecting }) {
  const turn = /** @type {HTMLElement} */ (target);
  if (isIntersecting && "away" in turn.dataset) wanted.add(turn);
  else wanted.delete(turn);
}

/** @param {HTMLElement[]} turns */
async function fill(turns) {
  const address = /** @type {HTMLElement | null} */ (document.querySelector("[data-turns]"))?.dataset.turns;
  const runs = turns.map((turn) => turn.id.replace("turn-", "")).join(",");
  const response = await fetch(`${address}&runs=${runs}`);
  if (!response.ok) throw new Error(`Loading turns again failed: ${response.status}`);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  // An update may have come first.
  const away = turns.filter((turn) => turn.isConnected && "away" in turn.dataset);
  const found = away.flatMap(({ id }) => fresh.getElementById(id) ?? []);
  patch(found.map((turn) => ({ id: turn.id, swap: "morph", html: turn.outerHTML })));
}

async function fetchNext() {
  if (fetching) return;
  fetching = true;
  try {
    while (wanted.size) {
      const turns = [...wanted].slice(0, AT_ONCE);
      await fill(turns);
      for (const turn of turns) wanted.delete(turn);
    }
  } catch (error) {
    console.warn(error);
    setTimeout(fetchNext, AGAIN_MS);
  } finally {
    fetching = false;
  }
}

/** Fetches a turn that is away though it does not come near: a scrolling that is under way may win over the one that leads to it. @param {HTMLElement} turn */
export function bring(turn) {
  wanted.add(turn);
  fetchNext();
}

/** @param {Element} scrolled */
function follow(scrolled) {
  near?.disconnect();
  far?.disconnect();
  wanted.clear();
  list = scrolled;
  far = new IntersectionObserver((entries) => entries.forEach(empty), { root: list, rootMargin: FAR });
  near = new IntersectionObserver(
    (entries) => {
      entries.forEach(want);
      fetchNext();
    },
    { root: list, rootMargin: NEAR },
  );
}

/**
 * What is put in above leaves the rest where a person sees it. The browser sees to that itself, but not where the list stands at its
 * beginning.
 *
 * @param {Element} next what stands behind that place
 */
function holdInPlace(next) {
  const before = next.getBoundingClientRect().top;
  requestAnimationFrame(() => {
    const moved = next.getBoundingClientRect().top - before;
    if (list && next.isConnected && Math.abs(moved) > 1) list.scrollTop += moved;
  });
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, shouldSwap } = /** @type {CustomEvent<{target: Element, shouldSwap: boolean}>} */ (event).detail;
  const next = target.id.startsWith("earlier") && target.nextElementSibling;
  if (next && shouldSwap) holdInPlace(next);
});

onContent((root) => {
  const scrolled = document.querySelector("[data-turns]")?.closest(".scroll");
  if (!scrolled) return;
  const isNew = scrolled !== list;
  if (isNew) follow(scrolled);
  for (const turn of all(isNew ? scrolled : root, "#trace > .turn")) {
    far?.observe(turn);
    near?.observe(turn);
  }
});
