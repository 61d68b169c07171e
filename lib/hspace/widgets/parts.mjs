// What the live figures share. A page loads this file beside theirs; for a notebook, base.py joins it with each.

export const INK = "var(--hs-ink)";
export const MUTED = "var(--hs-muted)";
export const LINE = "var(--hs-line)";
export const ACCENT = "var(--hs-accent)";

// ---- elements -------------------------------------------------------------------------------------------------------

/** Give an element attributes, those that are null left out, and children. */
export function fill(made, attributes, children = []) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children); // strings become text, never markup
  return made;
}

export const node = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const shape = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** Make a drawing so large, with one unit to a pixel. */
export const resize = (svg, width, height = width) => fill(svg, { viewBox: `0 0 ${width} ${height}`, width, height });

/** Put pairs of a name and a value into a list. */
export const write_rows = (list, pairs) =>
  list.replaceChildren(
    ...pairs.map(([name, value]) => node("div", {}, node("dt", {}, name), node("dd", {}, value))),
  );

// ---- numbers --------------------------------------------------------------------------------------------------------

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
export const range = (count) => [...Array(count).keys()];
export const ease = (t) => t * t * (3 - 2 * t);

/** A number as text: two decimals at most, a true minus sign, no minus zero. */
export const say = (value, decimals = 2) => String(Number(value.toFixed(decimals)) || 0).replace("-", "−");

/** The least number of one of these digits, and zeros, that is not below `value`. */
export function round_up(value, digits = [1, 2, 5]) {
  const decade = 10 ** Math.floor(Math.log10(value));
  return decade * (digits.find((digit) => digit * decade >= value * (1 - 1e-9)) ?? 10);
}

/** All multiples of `step` from `low` to `high`. */
export function multiples(step, [low, high]) {
  const first = Math.ceil(low / step - 1e-9);
  return range(Math.max(0, Math.floor(high / step + 1e-9) - first + 1)).map((i) => (first + i) * step);
}

// ---- vectors, and matrices as lists of rows -------------------------------------------------------------------------

export const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
export const length = (v) => Math.hypot(...v);
export const add = (a, b, by = 1) => a.map((value, i) => value + by * b[i]);
export const scaled = (v, by) => v.map((value) => value * by);
export const times = (M, v) => M.map((row) => dot(row, v));
export const column = (M, j) => M.map((row) => row[j]);

// ---- drawing, in pixels ---------------------------------------------------------------------------------------------

/** A square drawing of what lies up to `half` from `middle`: a point to pixels, and back. */
export function plane(size, half, middle = [0, 0]) {
  const scale = size / 2 / half;
  return {
    size,
    half,
    scale,
    ends: middle.map((value) => [value - half, value + half]),
    to: ([a, b]) => [size / 2 + (a - middle[0]) * scale, size / 2 - (b - middle[1]) * scale],
    from: ([x, y]) => [middle[0] + (x - size / 2) / scale, middle[1] + (size / 2 - y) / scale],
  };
}

const FAR = 6000; // what lies farther out is cut off, else a browser may draw nonsense

export const pixels = (point) => point.map((value) => clamp(value, -FAR, FAR).toFixed(2)).join(" ");
export const line = (points) => `M${points.map(pixels).join("L")}`;
export const path = (points, look) => shape("path", { d: line(points), fill: "none", ...look });
export const closed = (points, look) => shape("path", { d: `${line(points)}Z`, ...look });

/**
 * An arrow with a head of `head` pixels, the last `short` pixels left free; null where it is too short to be seen.
 * `look` goes to its shaft; a class or data, to the whole.
 */
export function arrow(tail, tip, { color = INK, width = 3, dash = null, head, short = 0, look = {}, ...whole }) {
  const far = length(add(tip, tail, -1));
  if (far < 1) return null;
  const along = scaled(add(tip, tail, -1), 1 / far);
  const across = [-along[1], along[0]];
  const end = add(tip, along, far > 2 * short ? -short : 0);
  const size = Math.min(head ?? 5 + 2.4 * width, far);
  const base = add(end, along, -size);
  const points = [end, add(base, across, 0.42 * size), add(base, across, -0.42 * size)].join(" ");
  const shaft = { stroke: color, "stroke-width": width, "stroke-dasharray": dash, ...look };
  return shape("g", whole, path([tail, base], shaft), shape("polygon", { points, fill: color }));
}

export function text([x, y], words, { color = MUTED, size = 13, weight = 600, anchor = "middle", italic } = {}) {
  const look = { fill: color, "font-size": size, "font-weight": weight, "text-anchor": anchor, class: "hs-label" };
  return shape("text", { x, y: y + 0.35 * size, ...look, "font-style": italic ? "italic" : null }, words);
}

/** Words near points of a drawing: they stay inside, and off one another, `apart` pixels from line to line. */
export class Words {
  constructor(width, height, apart = 15) {
    Object.assign(this, { width, height, apart, taken: [], shapes: [] });
  }

  /** At the first of several points where the words, `half` to each side, cover no others; else at the first. */
  put(points, half, words, look = {}) {
    const inside = points.map(([x, y]) => [clamp(x, half, this.width - half), clamp(y, 9, this.height - 9)]);
    const apart = (x, y, old) => Math.abs(x - old.x) >= half + old.half || Math.abs(y - old.y) >= this.apart;
    const [x, y] = inside.find((spot) => this.taken.every((old) => apart(...spot, old))) ?? inside[0];
    this.taken.push({ x, y, half });
    this.shapes.push(text([x, y], words, look));
  }
}

const LETTER = 13; // size of a name

/** Numbers and names in a drawing: a name goes where it covers least of what is there, `foot` pixels from below. */
export class Labels {
  constructor({ width, height }, { foot = 3, letter = 0.6 } = {}) {
    Object.assign(this, { width, height, foot, letter, shapes: [], taken: [] });
  }

  text([x, y], words, { color = MUTED, anchor = "middle", size = 11, weight = 400, italic } = {}) {
    this.shapes.push(text([x, y - 0.35 * size], words, { color, anchor, size, weight, italic }));
    const width = this.letter * size * words.length;
    const left = { start: x, middle: x - width / 2, end: x - width }[anchor];
    this.taken.push({ left, top: y - 0.8 * size, right: left + width, bottom: y + 0.25 * size, weight: 3 });
  }

  /** Where a line or an arrow runs, names are to keep off. */
  keepOff(a, b) {
    const steps = Math.min(40, Math.ceil(length(add(b, a, -1)) / 14) || 1);
    for (const i of range(steps + 1)) {
      const [x, y] = add(a, add(b, a, -1), i / steps);
      this.taken.push({ left: x - 4, top: y - 4, right: x + 4, bottom: y + 4, weight: 0.6 });
    }
  }

  /** A name near a point: of the places round it the one that covers least; at `angle`, where all are alike. */
  name([x, y], angle, words, look = {}) {
    const width = this.letter * LETTER * words.length;
    let best = null;
    for (const turn of [0, 0.6, -0.6, 1.2, -1.2, 1.9, -1.9, 3.1]) {
      for (const far of [13, 24]) {
        const [ux, uy] = [Math.cos(angle + turn), Math.sin(angle + turn)];
        const box = this.#inside([x + ux * (far + (width / 2) * Math.abs(ux)), y + uy * (far + LETTER / 2)], width);
        const cost = this.#covered(box) + 12 * Math.abs(turn) + 2 * (far - 13);
        if (!best || cost < best.cost) best = { cost, box };
      }
    }
    const { left, right, top } = best.box;
    this.text([(left + right) / 2, top + 0.95 * LETTER], words, { size: LETTER, weight: 600, ...look });
  }

  #inside([x, y], width) {
    const tall = 0.6 * LETTER;
    const cx = clamp(x, width / 2 + 3, this.width - width / 2 - 3);
    const cy = clamp(y, tall + 3, this.height - tall - this.foot);
    return { left: cx - width / 2, right: cx + width / 2, top: cy - tall, bottom: cy + tall };
  }

  #covered(box) {
    let area = 0;
    for (const other of this.taken) {
      const w = Math.min(box.right, other.right) - Math.max(box.left, other.left);
      const h = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
      if (w > 0 && h > 0) area += w * h * other.weight;
    }
    return area;
  }
}

// ---- controls -------------------------------------------------------------------------------------------------------

/** A button; while it says that it can do nothing it does nothing, and yet keeps the focus. */
export function button(words, press, attributes = {}) {
  const made = node("button", { type: "button", class: "hs-button", ...attributes }, words);
  made.addEventListener("click", () => made.getAttribute("aria-disabled") !== "true" && press());
  return made;
}

/** Buttons of which one is chosen: pairs of a key and words. `put(key)` tells which one it is. */
export function choices(label, named, choose) {
  const made = named.map(([key, words]) => [key, button(words, () => choose(key))]);
  const group = { class: "hs-choices", role: "group", "aria-label": label };
  return {
    node: node("div", group, ...made.map(([, each]) => each)),
    put: (key) => made.forEach(([own, each]) => each.setAttribute("aria-pressed", own === key)),
  };
}

export function toggle(words, change) {
  const box = node("input", { type: "checkbox" });
  box.addEventListener("change", () => change(box.checked));
  return { node: node("label", { class: "hs-toggle" }, box, ` ${words}`), put: (on) => (box.checked = on) };
}

/** The bare field of a slider. */
export function slide(label, { min, max, step }, change) {
  const field = node("input", { type: "range", min, max, step, class: "hs-range", "aria-label": label });
  field.addEventListener("input", () => change(field.valueAsNumber));
  field.addEventListener("keydown", (event) => event.stopPropagation()); // a notebook has its own plans for keys
  return field;
}

/** A number that can be typed over, and moved `by` so much with arrow keys, from -most to most. */
export function entry(label, change, { input = null, by = 0.25, most = Infinity, digits = 4 } = {}) {
  const look = { type: "number", step: "any", class: "hs-entry", "aria-label": label, "data-input": input };
  const field = node("input", look);
  let last = 0;
  const put = (value) => {
    last = value;
    const writing = document.activeElement === field && Number.isNaN(field.valueAsNumber); // as after a lone minus
    if (!writing && field.valueAsNumber !== value) field.value = Number(value.toFixed(digits));
  };
  field.addEventListener("input", () => Math.abs(field.valueAsNumber) <= most && change(field.valueAsNumber));
  field.addEventListener("keydown", (event) => {
    event.stopPropagation(); // a notebook has its own plans for single letters
    const step = { ArrowUp: by, ArrowDown: -by }[event.key];
    if (!step) return;
    event.preventDefault();
    const value = clamp((field.valueAsNumber || 0) + step, -most, most);
    field.value = Number(value.toFixed(6)); // the next key goes on from it, drawn or not
    change(field.valueAsNumber);
  });
  field.addEventListener("blur", () => put(last)); // also where something out of range was typed
  return { node: field, put };
}

/** The ways that the arrow keys show, across and up. */
export const WAYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * A round handle in a drawing, for mouse, touch and arrow keys.
 *
 * where() is its place in pixels by the figure's state, drawn or not: so keys that are faster than the drawing all
 * count. drag(point) is told where it is pulled to, key(event) whether a key is one of its own: then it returns true.
 * take() and release(), where given, are called when it is taken and let go.
 */
export class Handle {
  constructor(svg, { label, color = INK, sizes = [20, 12, 7.5], where, drag, key, take, release }) {
    Object.assign(this, { svg, where, drag, key, take, release, grip: null });
    const [hit, ring, knob] = sizes.map((r) => ({ r }));
    this.node = shape("g", { class: "hs-handle", tabindex: 0, role: "slider", "aria-label": label });
    this.node.append(
      shape("circle", { ...hit, class: "hs-hit" }),
      shape("circle", { ...ring, class: "hs-ring" }),
      shape("circle", { ...knob, class: "hs-knob", stroke: color }),
    );
    svg.append(this.node);
    this.#listen();
  }

  #listen() {
    const { node } = this;
    // Else a phone scrolls after all: browsers heed touch-action on a whole drawing, and not on a part of it.
    node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    node.addEventListener("pointerdown", (event) => event.button === 0 && this.#take(event));
    node.addEventListener("pointermove", (event) => this.grip && this.drag(add(this.#pointer(event), this.grip)));
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
      node.addEventListener(kind, () => this.#drop());
    }
    node.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || !this.key(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  #pointer(event) {
    const box = this.svg.getBoundingClientRect();
    const stretch = this.svg.viewBox.baseVal.width / box.width;
    return [(event.clientX - box.left) * stretch, (event.clientY - box.top) * stretch];
  }

  #take(event) {
    event.preventDefault();
    this.take?.();
    this.node.focus({ preventScroll: true });
    this.node.setPointerCapture(event.pointerId);
    this.grip = add(this.where(), this.#pointer(event), -1); // it stays under the finger where it was taken
  }

  #drop() {
    const held = this.grip !== null;
    this.grip = null;
    if (held) this.release?.();
  }

  /** Put it at a point of the drawing, or at the nearest place that is seen. `told` is [least, most, now, in words]. */
  put([x, y], { width, height = width }, [low, high, now, words]) {
    const inside = [clamp(x, 6, width - 6), clamp(y, 6, height - 6)];
    this.node.classList.toggle("hs-away", inside[0] !== x || inside[1] !== y);
    const values = { "aria-valuemin": low, "aria-valuemax": high, "aria-valuenow": now, "aria-valuetext": words };
    fill(this.node, { transform: `translate(${pixels(inside)})`, ...values });
  }
}

// ---- a figure -------------------------------------------------------------------------------------------------------

export const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * A figure that is drawn anew, at most once a frame, when its state changes. It has `root`, a status line `said`, and
 * `words()` for it; `draw()` begins with the one from here.
 */
export class Figure {
  constructor(model) {
    Object.assign(this, { model, request: 0, gliding: 0, speaking: 0 });
    this.said = node("p", { class: "hs-said", role: "status" });
  }

  get(name) {
    return this.model.get(name);
  }

  save(changes) {
    for (const [name, value] of Object.entries(changes)) this.model.set(name, value);
    this.model.save_changes();
  }

  /** A copy of some of the state, to go back to. */
  copied(names) {
    return structuredClone(Object.fromEntries(names.map((name) => [name, this.get(name)])));
  }

  redraw() {
    if (!this.request) this.request = requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.request);
    this.request = 0;
  }

  /** Draw frame after frame while `step(t)` is called with 0 to 1, for so many milliseconds. */
  glide(milliseconds, step) {
    cancelAnimationFrame(this.gliding);
    const begin = performance.now();
    const turn = (now) => {
      const t = clamp((now - begin) / milliseconds, 0, 1);
      step(t);
      this.draw();
      if (t < 1) this.gliding = requestAnimationFrame(turn);
    };
    this.gliding = requestAnimationFrame(turn);
  }

  /** Tell what the figure shows when it has been left alone for a moment. */
  speak() {
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => (this.said.textContent = this.words()), 600);
  }

  changed() {
    this.redraw();
    this.speak();
  }

  stop() {
    clearTimeout(this.speaking);
    cancelAnimationFrame(this.request);
    cancelAnimationFrame(this.gliding);
  }
}

/** What a page calls to show a figure of a class, which hears of changes of the traits `names`. */
export const shows = (Kind, names) => ({ model, el }) => {
  const figure = new Kind(model);
  el.append(figure.root);
  figure.draw();
  const listeners = names.map((name) => [`change:${name}`, () => figure.changed(name)]);
  for (const [event, listener] of listeners) model.on(event, listener);
  const observer = new ResizeObserver(() => figure.redraw());
  observer.observe(figure.root);
  return () => {
    figure.stop();
    observer.disconnect();
    for (const [event, listener] of listeners) model.off(event, listener);
    figure.root.remove();
  };
};
