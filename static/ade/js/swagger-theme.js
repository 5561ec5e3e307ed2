// Blocking, in <head> of /docs, after early.js: Swagger's dark colours where the product's are dark.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => root.classList.toggle("dark-mode", (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark");
  dark.addEventListener("change", apply);
  apply();
})();
