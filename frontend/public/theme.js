// Sets the theme before the first paint, so that the dark theme does not flash white.
(() => {
  const chosen = localStorage.getItem("pastelka.theme");
  const dark =
    chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
