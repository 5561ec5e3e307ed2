// Blocking, in <head>: what must be right before the first paint. The theme, drawer and pane sizes this person chose;
// store.js writes them.
(() => {
  const root = document.documentElement;
  const read = (/** @type {string} */ key) => {
    try {
      return JSON.parse(localStorage.getItem(`ade.${key}`) ?? "null");
    } catch {
      return null; // storage refused or unreadable: defaults
    }
  };
  const theme = read("theme");
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  if (read("drawer") === "closed") root.dataset.drawer = "closed";
  for (const [name, pixels] of Object.entries(read("panes") ?? {}))
    root.style.setProperty(`--${name}`, `${Number(pixels)}px`);
})();
