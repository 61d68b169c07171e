// What scrolls sideways on a narrow screen (tables, formulas) can be reached and scrolled by the keyboard.
(() => {
  const article = document.querySelector(".bd-article");
  if (!article) return;
  const mark = () => {
    for (const box of article.querySelectorAll("table, div.math, mjx-container[display]")) {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  new ResizeObserver(mark).observe(article); // its height changes, too, when formulas have been set
  addEventListener("load", mark);
})();
