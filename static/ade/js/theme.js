/** The theme button: system, dark, light, and round again. early.js applies the choice before the first paint. */
import { remember } from "./store.js";
import { say } from "./words.js";

const ORDER = ["system", "dark", "light"];

function current() {
  return document.documentElement.dataset.theme ?? "system";
}

/** @param {string} theme */
function choose(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  remember("theme", theme === "system" ? null : theme);
}

function label() {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    const text = say("Theme: {theme}", { theme: say(current()) });
    button.setAttribute("aria-label", text);
    button.setAttribute("title", text);
  }
}

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element && event.target.closest("[data-theme-toggle]"))) return;
  choose(ORDER[(ORDER.indexOf(current()) + 1) % ORDER.length]);
  label();
});
label();
