// A linear map between spaces of one or two dimensions. The state is described in linear_map.py.

import {
  Figure, Handle, INK, LINE, Labels, MUTED, WAYS, add, arrow, button, calm, clamp, column, ease, entry, length,
  multiples, node, resize, round_up, scaled, shape, shows, slide, times, toggle,
} from "./parts.mjs"; // prettier-ignore

const LOOK = [
  { color: "var(--hs-x1)", dash: null },
  { color: "var(--hs-x2)", dash: "7 4" },
]; // of the two inputs
const LETTER = 13; // pixels
const ROUND = [1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8]; // how far an axis may go
const GLIDE = 450; // milliseconds

// ---- small things ----------------------------------------------------------------------------------------------------

const copy = (W) => W.map((row) => [...row]);
const mix = (A, B, t) => A.map((row, i) => row.map((a, j) => a + (B[i][j] - a) * t));
const identity = (n) => [...Array(n)].map((_, i) => [...Array(n)].map((_, j) => Number(i === j)));

/** A number as text: two decimals or three digits that count, a true minus sign, no minus zero. */
function say(value) {
  const digits = Math.abs(value) >= 0.1 || value === 0 ? Number(value.toFixed(2)) : Number(value.toPrecision(2));
  return String(digits === 0 ? 0 : Math.abs(digits) >= 1e6 ? digits.toPrecision(4) : digits).replace("-", "−");
}

const factor = (value) => (say(value).startsWith("−") ? `(${say(value)})` : say(value));
const listed = (names, values) => names.map((name, i) => `${name} ${say(values[i])}`).join(", ");

// ---- spaces ----------------------------------------------------------------------------------------------------------

/**
 * Where the points of a space lie in its drawing, in pixels, and back: a plane, or a line across or upright. `view` is
 * {range, origin}: how far the positive numbers are seen, and at what share of the way across zero lies. `reach` and
 * `edge` are the least and greatest number of each coordinate: in what is used, and in all that is seen.
 */
function space(dims, box, { range, origin }, upright = false) {
  const [w, h] = [box.width - 2 * box.pad, box.height - 2 * box.pad];
  const scale = ((dims === 2 ? Math.min(w, h) : upright ? h : w) * (1 - origin)) / range;
  const [cx, cy] = [box.pad + origin * w, box.height - box.pad - origin * h];
  const to = ([a, b]) => {
    if (dims === 2) return [cx + a * scale, cy - b * scale];
    return upright ? [box.at, cy - a * scale] : [cx + a * scale, box.at];
  };
  const from = ([x, y]) => {
    if (dims === 2) return [(x - cx) / scale, (cy - y) / scale];
    return [upright ? (cy - y) / scale : (x - cx) / scale];
  };
  const across = (pad) => [(pad - cx) / scale, (box.width - pad - cx) / scale];
  const up = (pad) => [(cy - box.height + pad) / scale, (cy - pad) / scale];
  const limits = (pad) => (dims === 2 ? [across(pad), up(pad)] : upright ? [up(pad)] : [across(pad)]);
  return { dims, to, from, reach: limits(box.pad), edge: limits(0), scale, box };
}

/** Whether a point lies in the part of a space that is used. */
const within = (place, v) => v.every((value, i) => clamp(value, ...place.reach[i]) === value);

// ---- drawing ---------------------------------------------------------------------------------------------------------

/** A pen for one drawing: it collects shapes, and puts names where they cover each other least. */
class Pen {
  constructor(box) {
    Object.assign(this, { shapes: [], labels: new Labels(box, { letter: 0.62 }) });
  }

  line([x1, y1], [x2, y2], color, width = 1, dash = null, opacity = null) {
    const look = { stroke: color, "stroke-width": width, "stroke-dasharray": dash, "stroke-opacity": opacity };
    this.shapes.push(shape("line", { x1, y1, x2, y2, ...look, "stroke-linecap": dash ? null : "round" }));
  }

  arrow(tail, tip, color, width = 3, dash = null) {
    const made = arrow(tail, tip, { color, width, dash, look: { "stroke-linecap": dash ? null : "round" } });
    if (made) this.shapes.push(made);
  }

  dot([cx, cy], r, color) {
    this.shapes.push(shape("circle", { cx, cy, r, fill: color }));
  }

  text(point, words, look) {
    this.labels.text(point, words, look);
  }

  keepOff(a, b) {
    this.labels.keepOff(a, b);
  }
}

/** The numbers at which a line of a space gets a mark: multiples of a round step, at least `pixels` apart. */
const marks = (place, axis, pixels) => multiples(round_up(pixels / place.scale), place.edge[axis]);

/** The grid's meshes: one unit where that looks right, else something round. */
function grid_step({ scale }) {
  if (scale >= 14 && scale <= 70) return 1;
  return round_up(26 / scale);
}

const along = (axis, value, other) => (axis === 0 ? [value, other] : [other, value]);

/** The two families of a grid, lines along each axis through the marks on the other; `image` may move their ends. */
function grid(pen, place, step, extent, looks, image = (v) => v) {
  for (const axis of [0, 1]) {
    for (const value of multiples(step, extent[1 - axis])) {
      const [a, b] = extent[axis].map((end) => place.to(image(along(axis, end, value))));
      pen.line(a, b, looks[axis].color, 1, looks[axis].dash, looks[axis].opacity);
    }
  }
}

const PLAIN = [0, 1].map(() => ({ color: LINE, dash: null, opacity: 1 }));
const TINTED = [
  { color: LOOK[0].color, dash: null, opacity: 0.45 },
  { color: LOOK[1].color, dash: "3 3", opacity: 0.65 },
];

/** Axes with numbers and names. */
function axes(pen, place, names) {
  if (place.dims === 1) return number_line(pen, place, names[0]);
  const { width, height } = place.box;
  const [ox, oy] = place.to([0, 0]);
  pen.arrow([2, oy], [width - 2, oy], MUTED, 1.2);
  pen.arrow([ox, height - 2], [ox, 2], MUTED, 1.2);
  pen.keepOff([2, oy], [width - 2, oy]);
  pen.keepOff([ox, height - 2], [ox, 2]);
  for (const value of marks(place, 0, 34)) {
    const x = place.to([value, 0])[0];
    if (value !== 0 && x > 14 && x < width - 24) pen.text([x, oy + 13], say(value));
  }
  for (const value of marks(place, 1, 34)) {
    const y = place.to([0, value])[1];
    if (value !== 0 && y > 24 && y < height - 10) pen.text([ox - 5, y + 4], say(value), { anchor: "end" });
  }
  pen.text([width - 5, oy - 8], names[0], { anchor: "end", size: LETTER, italic: true });
  pen.text([ox + 8, 13], names[1], { anchor: "start", size: LETTER, italic: true });
}

function number_line(pen, place, name) {
  const [width, y] = [place.box.width, place.to([0])[1]];
  pen.arrow([2, y], [width - 2, y], MUTED, 1.2);
  pen.keepOff([2, y], [width - 2, y]);
  for (const value of marks(place, 0, 32)) {
    const x = place.to([value])[0];
    if (x < 8 || x > width - 18) continue;
    pen.line([x, y - 4], [x, y + 4], MUTED, 1.2);
    pen.text([x, y + 18], say(value));
  }
  pen.text([width - 5, y - 10], name, { anchor: "end", size: LETTER, italic: true });
}

/** Arrows laid head to tail; `by` moves them off their axis. */
function chain(pen, place, parts, { width = 2, by = [0, 0] } = {}) {
  let at = parts[0].map(() => 0);
  parts.forEach((part, j) => {
    const next = at.map((value, i) => value + part[i]);
    const [tail, tip] = [add(place.to(at), by), add(place.to(next), by)];
    pen.arrow(tail, tip, LOOK[j].color, width, LOOK[j].dash);
    pen.keepOff(tail, tip);
    at = next;
  });
}

/** A point `by` pixels before `tip`, so that a handle does not cover the arrow's head. */
function short_of(tip, tail, by) {
  const far = length(add(tip, tail, -1));
  return far > 2 * by ? add(tip, add(tail, tip, -1), by / far) : tip;
}

/** A named arrow from the origin. Returns what writes its name, to be called when all arrows are there. */
function vector(pen, place, v, look, by = [0, 0]) {
  const [tail, tip] = [add(place.to(v.map(() => 0)), by), add(place.to(v), by)];
  pen.arrow(tail, short_of(tip, tail, look.short ?? 0), look.color, look.width ?? 3.5, look.dash);
  pen.keepOff(tail, tip);
  return () => {
    const flat = by[1] && place.dims === 1;
    const outward = flat ? [Math.sign(tip[0] - tail[0]) || 1, 0] : add(tip, tail, -1);
    const [x, y] = length(outward) < 1 ? [1, -1] : outward;
    pen.labels.name(tip, Math.atan2(y, x), look.text, { color: look.color, italic: look.italic });
  };
}

/** How far off its line the j-th basis vector of a one-dimensional space is drawn, so that they do not cover each other. */
const level = (place, j) => (place.dims === 1 ? [0, -30 - 24 * j] : [0, 0]);

const BOLD = { color: INK, width: 3 };

function draw_input(pen, place, now) {
  const { x, names } = now;
  if (place.dims === 2) grid(pen, place, now.step, place.edge, now.grid ? TINTED : PLAIN);
  axes(pen, place, names);
  const parts = x.map((value, j) => identity(x.length).map((row) => row[j] * value));
  if (place.dims === 2) chain(pen, place, parts);
  const labels = parts.map((_, j) => {
    const unit = column(identity(x.length), j);
    return vector(pen, place, unit, { ...LOOK[j], text: `1 ${names[j]}` }, level(place, j));
  });
  labels.push(vector(pen, place, x, { ...BOLD, text: "x", italic: true, short: 8 }));
  labels.reverse().forEach((label) => label());
}

function draw_output(pen, place, now) {
  const { W, x, names, inputs } = now;
  const n = inputs.length;
  if (place.dims === 2) grid(pen, place, grid_step(place), place.edge, PLAIN);
  if (now.grid) image_of_grid(pen, place, now);
  axes(pen, place, names);
  const h = times(W, x);
  const parts = x.map((value, j) => scaled(column(W, j), value));
  if (now.rows) row_sums(pen, place, W, x, h);
  else if (place.dims === 2) chain(pen, place, parts);
  const labels = [];
  const short = now.editable ? 6 : 0;
  const width = n === 1 ? 9 : 3.5; // the only column lies under h, and shows on both sides of it
  for (let j = 0; j < n; j++) {
    labels.push(
      vector(pen, place, column(W, j), { ...LOOK[j], width, short, text: `1 ${inputs[j]}` }, level(place, j)),
    );
  }
  labels.push(vector(pen, place, h, { ...BOLD, text: "h", italic: true }));
  labels.reverse().forEach((label) => label());
}

/** The image of the input's grid: two families of lines, or a line with the images of the input's marks. */
function image_of_grid(pen, place, { W, inputs, step, extent }) {
  if (place.dims === 1) return; // all lines of a plane would fall on one: nothing to see
  if (inputs.length === 2) return grid(pen, place, step, extent, TINTED, (v) => times(W, v));
  const to = (value) => place.to(scaled(column(W, 0), value));
  pen.line(to(extent[0][0]), to(extent[0][1]), LOOK[0].color, 1, null, 0.5);
  for (const value of multiples(step, extent[0])) pen.dot(to(value), 2.5, LOOK[0].color);
}

/** Each row's dot product on its own axis: its terms head to tail, beside the axis. */
function row_sums(pen, place, W, x, h) {
  W.forEach((row, i) => {
    const unit = place.dims === 2 ? [Number(i === 0), Number(i === 1)] : [1];
    const by = place.dims === 1 ? [0, 36] : i === 0 ? [0, 22] : [-26, 0];
    const parts = row.map((w, j) => scaled(unit, w * x[j]));
    chain(pen, place, parts, { width: 4, by });
    const end = place.to(scaled(unit, h[i]));
    pen.line(add(end, by), place.to(h), MUTED, 1.2, "2 3");
    const sign = Math.sign(h[i]) || 1;
    const off = place.dims === 2 && i === 1 ? [0, -9 * sign + 4] : [9 * sign, 4];
    const anchor = place.dims === 2 && i === 1 ? "middle" : sign > 0 ? "start" : "end";
    pen.text(add(add(end, by), off), say(h[i]), { color: INK, weight: 700, size: 12, anchor });
  });
}

/** One number to one number: two upright number lines, joined by where the map takes each mark. */
function draw_rulers(pen, [here, there], now) {
  const w = now.W[0][0];
  const spots = marks(here, 0, 30);
  if (now.grid)
    for (const value of spots) pen.line(here.to([value]), there.to([w * value]), LOOK[0].color, 1, null, 0.38);
  [here, there].forEach((place, side) => upright(pen, place, side, [now.inputs, now.names][side][0]));
  const [unit, image] = [here.to([1]), there.to([w])];
  pen.arrow(here.to([0]), unit, LOOK[0].color, 4.5);
  pen.arrow(there.to([0]), image, LOOK[0].color, 4.5);
  const [x, h] = [here.to(now.x), there.to([w * now.x[0]])];
  pen.line(x, h, INK, 2.5);
  pen.dot(h, 6, INK);
  const middle = [(x[0] + h[0]) / 2, (x[1] + h[1]) / 2 - 10];
  pen.text(middle, `× ${say(now.goal[0][0])}`, { color: INK, size: 16, weight: 700 });
  const look = { color: LOOK[0].color, size: LETTER, weight: 600 };
  const half = (a, b) => (a[1] + b[1]) / 2 + 4;
  pen.text([unit[0] + 10, half(here.to([0]), unit)], `1 ${now.inputs[0]}`, { ...look, anchor: "start" });
  pen.text([image[0] - 10, half(there.to([0]), image)], `1 ${now.inputs[0]}`, { ...look, anchor: "end" });
}

function upright(pen, place, side, name) {
  const [x, height] = [place.to([0])[0], place.box.height];
  const out = side === 0 ? -1 : 1;
  pen.arrow([x, height - 2], [x, 2], MUTED, 1.2);
  for (const value of marks(place, 0, 24)) {
    const y = place.to([value])[1];
    if (y < 30 || y > height - 8) continue;
    pen.line([x - 4, y], [x + 4, y], MUTED, 1.2);
    pen.text([x + out * 18, y + 4], say(value), { anchor: side === 0 ? "end" : "start" });
  }
  pen.text([x + out * 12, 13], name, { anchor: side === 0 ? "end" : "start", size: LETTER, italic: true });
}

// ---- handles ---------------------------------------------------------------------------------------------------------

/** How far an arrow key moves a handle, a number for each coordinate; null for any other key. */
function step_of({ key, shiftKey }, values, [low, high], step) {
  const plane = values.length === 2;
  const up = (by) => (plane ? [0, by] : [by, 0]);
  const steps = {
    PageUp: up(10 * step),
    PageDown: up(-10 * step),
    Home: [low - values[0], 0],
    End: [high - values[0], 0],
  };
  const [across, upward] = WAYS[key] ?? [0, 0];
  const by = step * (shiftKey ? 10 : 1);
  if (across) return [by * across, 0];
  return upward ? up(by * upward) : (steps[key] ?? null);
}

// ---- the equation ----------------------------------------------------------------------------------------------------

function fixed(look) {
  const made = node("span", { class: "hs-entry hs-fixed", "data-input": look });
  return { node: made, put: (value) => (made.textContent = say(value)) };
}

/** names = matrix · vector, and a line for every sum beneath. */
function equation(inputs, outputs, editable, setEntry, setNumber) {
  const cells = outputs.map((output, i) =>
    inputs.map((input, j) => {
      const label = `weight of row ${i + 1}, column ${j + 1}: ${output} per ${input}`;
      return editable ? entry(label, (value) => setEntry(i, j, value), { input: j }) : fixed(j);
    }),
  );
  const numbers = inputs.map((input, j) => entry(`x, ${input}`, (value) => setNumber(j, value), { input: j }));
  const ratio = (i, j) =>
    node(
      "span",
      { class: "hs-ratio" },
      node("span", {}, outputs[i]),
      node("span", { class: "hs-per" }, " per "),
      node("span", {}, inputs[j]),
    );
  const body = cells
    .map((row, i) => row.map((cell, j) => node("span", { class: "hs-cell" }, cell.node, ratio(i, j))))
    .flat();
  const column = (nodes) => node("span", { class: "hs-brackets hs-column" }, ...nodes);
  const named = (name) => node("span", { class: "hs-cell hs-name" }, name);
  const matrix = node("span", { class: "hs-brackets hs-matrix" }, ...body);
  matrix.style.setProperty("--hs-columns", inputs.length);
  const vector = numbers.map((each, j) =>
    node("span", { class: "hs-cell" }, each.node, node("span", { class: "hs-unit" }, inputs[j])),
  );
  const sums = outputs.map(() => node("p", { class: "hs-sum" }));
  const product = node(
    "div",
    { class: "hs-product" },
    column(outputs.map(named)),
    node("span", {}, "="),
    matrix,
    column(vector),
  );
  return {
    root: node("div", { class: "hs-equation" }, product, node("div", { class: "hs-sums" }, ...sums)),
    cells,
    numbers,
    sums,
  };
}

function write_sum(line, name, row, x, h) {
  const terms = row.flatMap((w, j) => [
    j ? " + " : "",
    node("span", { "data-input": j }, `${say(w)} · ${factor(x[j])}`),
  ]);
  line.replaceChildren(node("i", {}, name), " = ", ...terms, " = ", node("b", {}, say(h)));
}

// ---- the figure ------------------------------------------------------------------------------------------------------

/** How wide and high the drawings are in a column of `width` pixels. */
function layout(width, n, m) {
  const beside = width >= 460;
  if (n === 1 && m === 1) return { whole: { width, height: clamp(0.5 * width, 230, 320) } };
  const each = beside ? (width - 20) / 2 : width;
  const plane = { width: each, height: beside ? Math.min(each, 360) : clamp(0.66 * each, 190, 300), pad: 16 };
  const line = { width: each, height: 150, pad: 26, at: 88 };
  return { boxes: [n, m].map((dims) => (dims === 2 ? plane : line)) };
}

class LinearMap extends Figure {
  constructor(model) {
    super(model);
    [this.inputs, this.outputs] = [model.get("inputs"), model.get("outputs")];
    [this.n, this.m] = [this.inputs.length, this.outputs.length];
    this.first = this.copied(["matrix", "vector"]);
    Object.assign(this, { shown: copy(this.first.matrix), views: [], bend: 1, width: 0 });
    this.rulers = this.n === 1 && this.m === 1;
    this.build();
    this.fit();
  }

  // What is drawn and said comes from here.
  get W() {
    return this.model.get("matrix");
  }

  get x() {
    return this.model.get("vector");
  }

  build() {
    const { inputs, outputs, model } = this;
    const drawing = (label) => shape("svg", { class: "hs-space", role: "group", "aria-label": label });
    const labels = [`Input space: ${inputs.join(", ")}`, `Output space: ${outputs.join(", ")}`];
    this.drawings = this.rulers ? [drawing(labels.join(". "))] : labels.map(drawing);
    this.art = this.drawings.map((svg) => svg.appendChild(shape("g", { "aria-hidden": "true" })));
    const editable = model.get("editable");
    this.equation = equation(
      inputs,
      outputs,
      editable,
      (...given) => this.setEntry(...given),
      (...given) => this.setNumber(...given),
    );
    const panels = node(
      "div",
      { class: "hs-spaces" },
      ...this.drawings.map((svg) => node("div", { class: "hs-panel" }, svg)),
    );
    const label = `Linear map from ${inputs.join(", ")} to ${outputs.join(", ")}`;
    this.root = node("div", { class: "hs-figure hs-linear_map", role: "group", "aria-label": label });
    this.root.append(panels, this.equation.root, this.controls(), this.said);
    this.addHandles(editable);
  }

  controls() {
    const named = { grid: "grid", ...(this.n === 2 && { rows: "dot products" }), ratios: "units" };
    const switched = ([name, words]) => [name, toggle(words, (on) => this.save({ [name]: on }))];
    this.toggles = Object.entries(named).map(switched);
    const bar = node("div", { class: "hs-bar" }, ...this.toggles.map(([, each]) => each.node));
    if (this.n === this.m && this.n === 2) bar.append(this.bender());
    bar.append(button("Start again", () => this.reset()));
    return bar;
  }

  /** A slider from the plain grid to its image. */
  bender() {
    this.slider = slide("How far the space has moved", { min: 0, max: 100 }, (percent) => {
      this.bend = percent / 100;
      this.slider.setAttribute("aria-valuetext", `${percent} % of the way`);
      this.redraw();
    });
    this.slider.value = 100;
    return node("label", { class: "hs-toggle hs-bend" }, "before ", this.slider, " after");
  }

  addHandles(editable) {
    this.columns = [];
    if (editable && !this.rulers) {
      this.columns = this.inputs.map((name, j) => {
        const look = { label: `Where 1 ${name} lands`, color: LOOK[j].color, sizes: [15, 9, 5.5] };
        return this.handle(1, look, () => column(this.W, j), (v) => this.setColumn(j, v)); // prettier-ignore
      });
    }
    const label = `x: ${this.inputs.join(", ")}`;
    this.tip = this.handle(0, { label }, () => this.x, (v) => this.setVector(v)); // prettier-ignore
  }

  /** A round handle in the drawing of a side, for what `values()` gives and `move(values)` sets. */
  handle(side, look, values, move) {
    const place = () => this.places[side];
    return new Handle(this.drawings[side], {
      ...look,
      where: () => place().to(values()),
      drag: (point) => move(place().from(point)),
      key: (event) => {
        const by = step_of(event, values(), place().reach[0], this.tick(side));
        if (!by) return false;
        move(values().map((value, i) => value + by[i]));
        this.release();
        return true;
      },
      release: () => this.release(),
    });
  }

  /** The least step of a handle: a round fortieth of what is seen, or so. */
  tick(side) {
    return round_up(this.views[side].range / 50);
  }

  snap(values, side, reach) {
    const tick = this.tick(side);
    return values.map((value, i) => Number((Math.round(clamp(value, ...reach[i]) / tick) * tick).toFixed(6)));
  }

  setVector(values) {
    this.save({ vector: this.snap(values.slice(0, this.n), 0, this.places[0].reach) });
  }

  setNumber(j, value) {
    this.save({ vector: this.x.map((old, i) => (i === j ? value : old)) });
  }

  setEntry(i, j, value) {
    const W = copy(this.W);
    W[i][j] = value;
    this.save({ matrix: W });
  }

  setColumn(j, values) {
    const snapped = this.snap(values.slice(0, this.m), 1, this.places[1].reach);
    const W = this.W.map((row, i) => row.map((w, k) => (k === j ? snapped[i] : w)));
    this.shown = copy(W); // under the finger there is nothing to glide
    this.save({ matrix: W });
  }

  reset() {
    this.bend = 1;
    if (this.slider) this.slider.value = 100;
    this.save(structuredClone(this.first));
    this.release();
  }

  held() {
    return [this.tip, ...this.columns].some((part) => part.grip);
  }

  release() {
    requestAnimationFrame(() => {
      this.fit();
      this.redraw();
    });
  }

  /** Everything that is drawn in the input space, or in the output space, as points. */
  points(side) {
    const [W, x] = [side === 0 ? identity(this.n) : this.W, this.x];
    return [
      ...this.inputs.map((_, j) => column(W, j)),
      ...this.inputs.map((_, j) => scaled(column(W, j), x[j])),
      times(W, x),
    ];
  }

  /** What a space needs: how far its numbers go, and whether zero can stand aside because none of them is below it. */
  wanted(side, room) {
    const numbers = this.points(side).flat();
    const size = Math.max(1, ...numbers.map(Math.abs));
    const positive = Math.min(...numbers) >= 0;
    return { size, range: round_up(room * size, ROUND), origin: positive ? 0.3 : 0.5 };
  }

  /** Choose how much of each space is seen: all that matters, and both at one scale where that wastes little. */
  fit() {
    const want = [this.wanted(0, 1.6), this.wanted(1, 1.12)]; // room to drag in on the left
    const range = Math.max(...want.map((each) => each.range));
    const alike = this.rulers || range <= 3 * Math.min(...want.map((each) => each.range));
    if (alike)
      for (const each of want) Object.assign(each, { range, origin: Math.max(...want.map(({ origin }) => origin)) });
    if (!this.views.length || want.some((each, i) => !this.serves(i, each))) this.views = want;
  }

  /** Whether the present view does nearly as well: then it stays, and nothing jumps. */
  serves(side, { size, range, origin }) {
    const view = this.views[side];
    return size * 1.02 <= view.range && range > 0.6 * view.range && origin <= view.origin;
  }

  /** The output must not run away from who drags the input. */
  grow() {
    const held = this.columns.some((part) => part.grip) || this.rulers || !this.places;
    if (held || within(this.places[1], times(this.W, this.x))) return;
    const want = this.wanted(1, 1.12);
    this.views[1] = {
      range: Math.max(want.range, this.views[1].range),
      origin: Math.max(want.origin, this.views[1].origin),
    };
  }

  /** Let the drawn matrix glide to the real one. */
  follow() {
    cancelAnimationFrame(this.gliding);
    if (this.held() || calm() || !this.width) {
      this.shown = copy(this.W);
      return this.redraw();
    }
    const from = copy(this.shown);
    this.glide(GLIDE, (t) => (this.shown = mix(from, this.W, ease(t))));
  }

  measure() {
    const width = Math.floor(this.drawings[0].parentElement.parentElement.clientWidth);
    if (!width) return false; // in a closed tab or fold: the observer calls again when it opens
    const plan = layout(width, this.n, this.m);
    if (this.rulers) {
      const [from, to] = [0.2 * width, 0.8 * width];
      this.places = [from, to].map((at, i) => space(1, { ...plan.whole, pad: 18, at }, this.views[i], true));
    } else {
      this.places = plan.boxes.map((box, i) => space([this.n, this.m][i], box, this.views[i]));
    }
    this.drawings.forEach((svg, i) => resize(svg, this.places[i].box.width, this.places[i].box.height));
    this.width = width;
    return true;
  }

  draw() {
    super.draw();
    this.grow();
    if (!this.measure()) return;
    const W = this.bend < 1 ? mix(identity(this.n), this.shown, this.bend) : this.shown;
    const now = { W, goal: this.W, x: this.x, inputs: this.inputs, ...this.shows() };
    now.step = grid_step(this.places[0]);
    now.extent = this.places[0].edge;
    const pens = this.art.map((_, i) => new Pen(this.places[i].box));
    if (this.rulers) draw_rulers(pens[0], this.places, { ...now, names: this.outputs });
    else {
      draw_input(pens[0], this.places[0], { ...now, names: this.inputs });
      draw_output(pens[1], this.places[1], { ...now, names: this.outputs });
    }
    this.art.forEach((group, i) => group.replaceChildren(...pens[i].shapes, ...pens[i].labels.shapes));
    this.put(W);
  }

  shows() {
    return Object.fromEntries(["grid", "rows", "editable"].map((name) => [name, this.model.get(name)]));
  }

  /** Handles, equation and switches. */
  put(W) {
    const {
      x,
      equation: { cells, numbers, sums },
    } = this;
    this.put_handle(this.tip, this.places[0], x, listed(this.inputs, x));
    this.columns.forEach((part, j) => {
      const told = listed(this.outputs, column(this.W, j));
      this.put_handle(part, this.places[1], column(W, j), told, level(this.places[1], j));
    });
    cells.forEach((row, i) => row.forEach((cell, j) => cell.put(this.W[i][j])));
    numbers.forEach((each, j) => each.put(x[j]));
    const h = times(this.W, x);
    sums.forEach((line, i) => write_sum(line, this.outputs[i], this.W[i], x, h[i]));
    for (const [name, each] of this.toggles) each.put(this.get(name));
    this.equation.root.classList.toggle("hs-ratios", this.model.get("ratios"));
  }

  put_handle(part, place, values, told, by = [0, 0]) {
    const [low, high] = place.reach[0].map((value) => Number(value.toPrecision(4)));
    part.put(add(place.to(values), by), place.box, [low, high, clamp(values[0], low, high), told]);
  }

  words() {
    return `${listed(this.inputs, this.x)} gives ${listed(this.outputs, times(this.W, this.x))}.`;
  }

  changed(name) {
    if (name === "matrix") this.follow();
    if (!this.held()) this.fit();
    this.redraw();
    if (name === "matrix" || name === "vector") this.speak();
  }
}

const render = shows(LinearMap, ["matrix", "vector", "ratios", "rows", "grid"]);

export default { render };
