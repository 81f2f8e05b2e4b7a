// Runs before the page is drawn, so that the chosen theme is there from the first frame.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const wanted = root.dataset.theme;
    root.dataset.bsTheme = wanted === "dark" || (wanted === "auto" && dark.matches) ? "dark" : "light";
    root.dispatchEvent(new CustomEvent("scm:theme"));
  };
  dark.addEventListener("change", apply);
  apply();
})();
