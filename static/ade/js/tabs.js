/**
 * Tab lists: one tab selected and in the tab order, arrow keys between them. Tabs with hx-get load their panel; the
 * others show and hide theirs.
 */
import { all, around, onContent } from "./dom.js";

/** @param {HTMLElement} tab */
function select(tab) {
  for (const other of tab.closest("[role=tablist]")?.querySelectorAll("[role=tab]") ?? []) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.setAttribute("tabindex", chosen ? "0" : "-1");
    if (!other.hasAttribute("hx-get")) panelOf(other)?.toggleAttribute("hidden", !chosen);
  }
  if (tab.id) panelOf(tab)?.setAttribute("aria-labelledby", tab.id);
}

/** @param {Element} tab */
function panelOf(tab) {
  const target = tab.getAttribute("aria-controls") ?? tab.getAttribute("hx-target")?.slice(1);
  return target ? document.getElementById(target) : null;
}

// A panel that came by another way than its tab, such as a step's number in the trace, or in a panel that is hidden: the tab follows.
document.addEventListener("htmx:afterSwap", (event) => {
  if (!(event.target instanceof Element && event.target.matches("[role=tabpanel]"))) return;
  const panel = event.target.querySelector("[data-panel]");
  const hidden = event.target.hasAttribute("hidden") && event.target.getAttribute("aria-labelledby");
  const tab = document.getElementById(panel ? `tab-${panel.getAttribute("data-panel")}` : hidden || "");
  if (tab) select(tab);
});

document.addEventListener("click", (event) => {
  const tab = around(event, "[role=tab]");
  if (!tab || /** @type {MouseEvent} */ (event).metaKey || /** @type {MouseEvent} */ (event).ctrlKey) return;
  if (!tab.hasAttribute("hx-get") && panelOf(tab)) event.preventDefault();
  select(tab);
});

document.addEventListener("keydown", (event) => {
  const tab = around(event, "[role=tab]");
  if (!tab || event.altKey || event.ctrlKey || event.metaKey) return;
  const tabs = /** @type {HTMLElement[]} */ ([
    ...(tab.closest("[role=tablist]")?.querySelectorAll("[role=tab]") ?? []),
  ]);
  const at = tabs.indexOf(tab);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined && event.key !== " ") return;
  event.preventDefault();
  const next = to === undefined ? tab : tabs[to % tabs.length];
  next.focus();
  next.click();
});

// A link elsewhere, such as a step's number, may show another panel in a tab's place.
onContent((root) => {
  for (const panel of all(root, "[role=tabpanel] > [data-panel]")) {
    const tab = document.getElementById(`tab-${panel.dataset.panel}`);
    if (tab && tab.getAttribute("aria-selected") !== "true") select(tab);
  }
});
