/** The address that opens what a person looks at: data-link on a part of a page, or the page with the panels and words it shows now. */

/** @returns {string} of what has the focus, else of what is chosen on the page, else of the page */
export function linkHere() {
  const focused = document.activeElement?.closest("[data-link], main a[href]");
  const marked = [...document.querySelectorAll("[data-link][aria-current=true], tr[data-link].on")].find((node) => node.checkVisibility());
  const node = focused ?? marked;
  const path = node?.getAttribute("data-link") ?? node?.getAttribute("href");
  return path ? new URL(path, location.href).href : pageLink().href;
}

/** The panels of a workspace change without its address. */
function pageLink() {
  const url = new URL(location.href);
  for (const place of document.querySelectorAll(".panel-place")) {
    const panel = /** @type {HTMLElement | null} */ (place.querySelector("[data-panel]"));
    const name = place.id.replace("-panel", "");
    if (!panel) continue;
    if (panel.dataset.panel !== firstOf(name)) url.searchParams.set(name, panel.dataset.panel ?? "");
    else url.searchParams.delete(name);
    for (const [key, value] of new URLSearchParams(panel.dataset.params))
      if (key !== "step") url.searchParams.set(key, value);
  }
  return url;
}

/** @param {string} place @returns {string | undefined} the panel that stands there when the address names none */
function firstOf(place) {
  const tab = document.querySelector(`[role=tab][aria-controls="${place}-panel"]`);
  return tab?.id.replace("tab-", "");
}
