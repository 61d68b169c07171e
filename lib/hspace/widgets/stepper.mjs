// A drawing that is told in steps. The state is described in stepper.py; kinds, ids and colours unknown here are skipped.

import { calm, ease, fill, node, shape, slide } from "./parts.mjs";

const COLORS = new Set(["ink", "muted", "accent", "paper", "x1", "x2"]);
const SHAPES = {
  line: "line",
  circle: "circle",
  rect: "rect",
  polygon: "polygon",
  path: "path",
  text: "text",
  arrow: "g",
};
const GEOMETRY = {
  line: ["x1", "y1", "x2", "y2"],
  arrow: ["x1", "y1", "x2", "y2"],
  circle: ["cx", "cy", "r"],
  rect: ["x", "y", "width", "height"],
  polygon: ["points"],
  path: ["d"],
  text: ["x", "y"],
};
const MOVING = 700; // milliseconds

const color = (name, otherwise) => (name === "none" ? "none" : `var(--hs-${COLORS.has(name) ? name : otherwise})`);

/** A line with a head, as the attributes of its two parts; `width` is that of the stroke. */
function arrow({ x1, y1, x2, y2 }, width) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  const head = Math.min(4 + 2.6 * width, length);
  const [ux, uy] = length ? [(x2 - x1) / length, (y2 - y1) / length] : [1, 0];
  const [bx, by, side] = [x2 - ux * head, y2 - uy * head, head * 0.42];
  const points = [
    [x2, y2],
    [bx - uy * side, by + ux * side],
    [bx + uy * side, by - ux * side],
  ];
  return { shaft: { x1, y1, x2: bx + ux, y2: by + uy }, head: { points: length < 0.5 ? "" : points.join(" ") } };
}

/** One element of the drawing: a halo that shows while it is highlighted, and the element itself. */
class Part {
  constructor(given) {
    this.given = given;
    this.at = Object.fromEntries(GEOMETRY[given.kind].map((name) => [name, given[name]]));
    this.node = shape("g", { class: "hs-part", "data-part": given.id });
    this.halo = given.kind === "text" ? shape("rect", { rx: 4 }) : this.make(true);
    this.halo.setAttribute("class", "hs-halo");
    this.body = this.make(false);
    this.node.append(this.halo, this.body);
    this.draw(this.at);
  }

  make(halo) {
    const { kind, size, dash, anchor, bold, text } = this.given;
    if (kind === "text") return this.letters(size ?? 16, anchor ?? "start", bold, text);
    const width = (size ?? 2) + (halo ? 8 : 0);
    const stroke = halo ? "var(--hs-accent)" : color(this.given.color, "ink");
    const fill = halo ? "none" : color(this.given.fill ?? "none", "ink");
    const look = { stroke, fill, "stroke-width": width, "stroke-linejoin": "round" };
    if (dash && !halo) look["stroke-dasharray"] = `${Math.max(5, 2.2 * width)} ${Math.max(3.5, 1.4 * width)}`;
    if (kind !== "arrow") return shape(SHAPES[kind], look);
    const group = shape("g", { fill: stroke });
    group.append(
      shape("line", look),
      shape("polygon", { stroke: halo ? stroke : "none", "stroke-width": halo ? 7 : 0 }),
    );
    return group;
  }

  letters(size, anchor, bold, text) {
    const weight = bold ? 700 : 400;
    const look = {
      "font-size": size,
      "text-anchor": anchor,
      "font-weight": weight,
      fill: color(this.given.color, "ink"),
    };
    const made = shape("text", look);
    made.textContent = text;
    return made;
  }

  /** Put the geometry `at` into the element and, except for a text, into its halo. */
  draw(at) {
    const { kind, size } = this.given;
    for (const target of kind === "text" ? [this.body] : [this.halo, this.body]) {
      if (kind === "arrow") {
        const parts = arrow(at, size ?? 2);
        fill(target.firstChild, parts.shaft);
        fill(target.lastChild, parts.head);
      } else if (kind === "polygon") fill(target, { points: at.points.join(" ") });
      else fill(target, at);
    }
  }

  show(visible, lit) {
    this.node.classList.toggle("hs-shown", visible);
    this.node.classList.toggle("hs-lit", lit);
    this.measure();
  }

  /** Lay the halo of a lit text round its letters; where the page is not laid out yet, that is done when it is. */
  measure() {
    const lit = this.node.classList.contains("hs-lit") && this.given.kind === "text";
    if (!lit || !this.body.getClientRects().length) return;
    const box = this.body.getBBox();
    fill(this.halo, { x: box.x - 4, y: box.y - 1, width: box.width + 8, height: box.height + 2 });
  }

  /** Where it starts when it appears: at its source, or, for what has a tail, at its tail. */
  start(source) {
    if (source) return source.at;
    const { x1, y1 } = this.at;
    return { ...this.at, x2: x1, y2: y1 };
  }

  /** Whether it moves when it appears, rather than only fading in. */
  moves(source) {
    return Boolean(source) || this.given.kind === "line" || this.given.kind === "arrow";
  }
}

/** Move parts from a start to their place; returns a function that puts them there at once. */
function animate(moves) {
  let request = 0;
  const settle = (t) => {
    for (const { part, from } of moves) {
      part.draw(
        Object.fromEntries(Object.entries(part.at).map(([name, to]) => [name, from[name] + (to - from[name]) * t])),
      );
    }
  };
  const begin = performance.now();
  const tick = (now) => {
    const t = Math.min(1, Math.max(0, (now - begin) / MOVING));
    settle(ease(t));
    if (t < 1) request = requestAnimationFrame(tick);
  };
  settle(0);
  request = requestAnimationFrame(tick);
  return () => {
    cancelAnimationFrame(request);
    settle(1);
  };
}

function build(model, choose) {
  const [x, y, width, height] = model.get("view");
  const frames = model.get("frames");
  const title = model.get("title");
  const picture = shape("svg", { viewBox: `${x} ${y} ${width} ${height}`, class: "hs-scene", role: "img" });
  picture.style.setProperty("--hs-view", `${width} / ${height}`);
  const captions = frames.map((frame) => node("p", { class: "hs-caption" }, frame.caption));
  const button = (name, text) =>
    node("button", { type: "button", class: "hs-button" }, node("span", { "aria-hidden": "true" }, text), ` ${name}`);
  const parts = {
    picture,
    captions,
    back: button("Back", "‹"),
    play: button("Play", "▸"),
    next: button("Next", "›"),
    scrub: slide("Step", { min: 1, max: frames.length, step: 1 }, (step) => choose(step - 1)),
    count: node("span", { class: "hs-count", "aria-hidden": "true" }),
    said: node("p", { class: "hs-said", role: "status" }),
  };
  parts.play.classList.add("hs-play");
  parts.root = node("div", {
    class: "hs-figure hs-stepper",
    role: "group",
    "aria-label": title || "A drawing in steps",
  });
  if (title) parts.root.append(node("p", { class: "hs-title" }, title));
  const bar = node("div", { class: "hs-bar" }, parts.back, parts.play, parts.next, parts.scrub, parts.count);
  parts.root.append(picture, node("div", { class: "hs-captions" }, ...captions), bar, parts.said);
  return parts;
}

function render({ model, el }) {
  const frames = model.get("frames");
  const ui = build(model, (frame) => choose(frame));
  const parts = new Map();
  for (const given of model.get("drawing")) if (Object.hasOwn(SHAPES, given.kind)) parts.set(given.id, new Part(given));
  ui.picture.append(...[...parts.values()].map((part) => part.node));
  const last = frames.length - 1;
  const current = () => Math.min(Math.max(model.get("frame") ?? 0, 0), last);
  let [shown, settle, playing, speaking] = [new Set(), () => {}, 0, 0];

  function draw(moving) {
    const frame = frames[current()];
    const show = new Set([...(frame.show ?? []), ...(frame.highlight ?? [])]);
    const lit = new Set(frame.highlight ?? []);
    settle();
    const moves = [];
    for (const [id, part] of parts) {
      part.show(show.has(id), lit.has(id));
      const source = parts.get(part.given.from);
      if (moving && show.has(id) && !shown.has(id) && part.moves(source))
        moves.push({ part, from: part.start(source) });
    }
    settle = moves.length && !calm() ? animate(moves) : () => {};
    shown = show;
    label(frame);
  }

  function label(frame) {
    const at = current();
    ui.captions.forEach((caption, i) => caption.classList.toggle("hs-now", i === at));
    ui.picture.setAttribute("aria-label", `Drawing, step ${at + 1} of ${frames.length}: ${frame.caption}`);
    ui.scrub.value = at + 1;
    ui.scrub.setAttribute("aria-valuetext", `step ${at + 1} of ${frames.length}`);
    ui.count.textContent = `${at + 1} / ${frames.length}`;
    ui.back.setAttribute("aria-disabled", at === 0);
    ui.next.setAttribute("aria-disabled", at === last);
  }

  function speak() {
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      ui.said.textContent = `Step ${current() + 1} of ${frames.length}. ${frames[current()].caption}`;
    }, 400);
  }

  function go(to) {
    if (to < 0 || to > last || to === current()) return;
    model.set("frame", to);
    model.save_changes();
  }

  function pause() {
    clearTimeout(playing);
    playing = 0;
    ui.play.replaceChildren(node("span", { "aria-hidden": "true" }, "▸"), " Play");
  }

  function play() {
    if (current() === last) go(0);
    ui.play.replaceChildren(node("span", { "aria-hidden": "true" }, "Ⅱ"), " Pause");
    const turn = () => {
      go(current() + 1);
      if (current() === last || !el.isConnected) pause();
      else wait();
    };
    const wait = () => (playing = setTimeout(turn, 1800 + 45 * frames[current()].caption.length)); // time to read it
    wait();
  }

  let before = current();
  const changed = () => {
    draw(current() === before + 1); // only a step forward tells where things come from
    before = current();
    speak();
  };
  const choose = (to) => {
    pause();
    go(to);
  };
  ui.back.addEventListener("click", () => choose(current() - 1));
  ui.next.addEventListener("click", () => choose(current() + 1));
  ui.play.addEventListener("click", () => (playing ? pause() : play()));
  model.on("change:frame", changed);
  el.append(ui.root);
  draw(false);
  const measure = () => parts.forEach((part) => part.measure());
  const observer = new ResizeObserver(measure); // it comes into view, or its letters change
  observer.observe(ui.picture);
  document.fonts?.ready.then(measure);
  return () => {
    pause();
    settle();
    observer.disconnect();
    clearTimeout(speaking);
    model.off("change:frame", changed);
    ui.root.remove();
  };
}

export default { render };
