// The switch that folds the story away, for who wants the mathematics only. Without JavaScript the story shows.
(() => {
  const root = document.documentElement, knob = document.getElementById("story-switch");
  const hidden = (element) => root.dataset.story === "folded" && element.closest(".story");

  // Entries of the page's contents that lead to a folded section go with it.
  function prune() {
    for (const link of document.querySelectorAll(".section-nav a[href^='#'], .page-toc a[href^='#']")) {
      const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      const item = link.closest("li");
      if (target && item) item.hidden = Boolean(hidden(target));
    }
  }

  function show(state) {
    root.dataset.story = state;
    knob.setAttribute("aria-checked", String(state !== "folded"));
    prune();
  }

  // The first line in view that stays keeps its place, so that nobody is lost.
  function flip() {
    const state = root.dataset.story === "folded" ? "shown" : "folded";
    const lines = document.querySelectorAll(".bd-article :is(p, h2, h3, .cell)");
    const line = [...lines].find((e) => !e.closest(".story") && e.getBoundingClientRect().top > 60);
    const before = line?.getBoundingClientRect().top;
    show(state);
    if (line && scrollY > 0) scrollBy({ top: line.getBoundingClientRect().top - before, behavior: "instant" });
    try { localStorage.setItem("story", state); } catch { /* not remembered */ }
  }

  // A link into the story opens it for this visit.
  function follow() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !hidden(target)) return;
    show("shown");
    target.scrollIntoView();
  }

  knob.addEventListener("click", flip);
  addEventListener("hashchange", follow);
  show(root.dataset.story || "shown");
  follow();
})();
