// Pictures along a direction: one large, all of them small below, and a slider that goes along them.

import { button, clamp, node, shape, slide } from "./parts.mjs";

/** An inline picture that holds a whole sprite, or one cell of it: `show(sprite, i)`. */
function pane(count, side, cell, whole) {
  const width = count * cell;
  const image = shape("image", { width, height: cell, preserveAspectRatio: "none" });
  const svg = shape("svg", { viewBox: whole ? `0 0 ${width} ${side}` : `0 0 ${side} ${side}` }, image);
  const show = (sprite, i) => {
    if (image.getAttribute("href") !== sprite) image.setAttribute("href", sprite);
    image.setAttribute("x", whole ? 0 : -i * cell);
  };
  return { svg, show };
}

function render({ model, el }) {
  const title = model.get("title"), labels = model.get("labels"), rows = model.get("rows");
  const count = labels.length, side = model.get("side"), cell = model.get("cell");
  const named = { role: "group", "aria-label": title || "A strip of pictures" };
  const root = node("div", { class: "hs-figure hs-image_strip", ...named });

  const at = () => clamp(model.get("at"), 0, count - 1);
  const place = () => `${labels[at()]}, picture ${at() + 1} of ${count}`;
  const status = node("div", { class: "hs-said", role: "status" });
  let timer = 0;
  function announce(text) {
    clearTimeout(timer);
    timer = setTimeout(() => { status.textContent = text(); }, 500);
  }
  function set(name, value) {
    if (model.get(name) === value) return;
    model.set(name, value);
    model.save_changes();
  }
  const go = (i) => set("at", clamp(i, 0, count - 1));

  const head = node("div", { class: "hs-head" });
  if (title) head.append(node("p", { class: "hs-title" }, title));
  const choice = node("select", { class: "hs-select", "aria-label": "Which strip" });
  rows.forEach((name) => choice.append(node("option", {}, name)));
  choice.addEventListener("change", () => {
    set("row", choice.selectedIndex);
    announce(() => `${rows[model.get("row")]}: ${place()}`);
  });
  if (rows.length > 1) head.append(choice);
  else if (rows.length) head.append(node("p", { class: "hs-hint" }, rows[0]));

  const large = pane(count, side, cell, false), film = pane(count, side, cell, true);
  large.svg.setAttribute("role", "img");
  large.svg.classList.add("hs-large");
  film.svg.classList.add("hs-film");
  film.svg.setAttribute("aria-hidden", "true");  // the slider says the same
  film.svg.style.maxWidth = `${count * 72}px`;
  const frame = shape("rect", { class: "hs-frame", y: 0, width: side, height: side });
  film.svg.append(frame);

  let held = false;
  const scrub = (event) => {
    const box = film.svg.getBoundingClientRect();
    go(Math.floor(count * (event.clientX - box.left) / box.width));
  };
  film.svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    held = true;
    film.svg.setPointerCapture(event.pointerId);
    scrub(event);
  });
  film.svg.addEventListener("pointermove", (event) => { if (held) scrub(event); });
  for (const end of ["pointerup", "pointercancel"]) {
    film.svg.addEventListener(end, () => { if (held) announce(place); held = false; });
  }

  const name = title ? `Place along: ${title}` : "Place along the strip";
  const slider = slide(name, { min: 0, max: count - 1, step: 1 }, go);
  const step = (by) => () => { go(at() + by); announce(place); };
  const back = button("‹", step(-1), { "aria-label": "Previous picture" });
  const next = button("›", step(1), { "aria-label": "Next picture" });
  const controls = node("div", { class: "hs-controls" }), label = node("p", { class: "hs-place" });
  controls.append(back, slider, next);

  function show() {
    const i = at(), sprite = model.get("sprites")[model.get("row")];
    large.show(sprite, i);
    film.show(sprite, i);
    frame.setAttribute("x", i * cell);
    large.svg.setAttribute("aria-label", `${rows.length ? `${rows[model.get("row")]}, ` : ""}${place()}`);
    label.textContent = labels[i];
    slider.value = i;
    slider.setAttribute("aria-valuetext", place());
    back.setAttribute("aria-disabled", i === 0);  // not disabled, which would drop the focus at the ends
    next.setAttribute("aria-disabled", i === count - 1);
    choice.selectedIndex = model.get("row");
  }

  root.append(head, large.svg, label, controls, film.svg, status);
  el.append(root);
  const events = ["change:at", "change:row"];
  events.forEach((event) => model.on(event, show));
  show();
  return () => {
    clearTimeout(timer);
    events.forEach((event) => model.off(event, show));
    root.remove();
  };
}

export default { render };
