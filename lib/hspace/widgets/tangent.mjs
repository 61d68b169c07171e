// A bent map with its tangent spaces at a point. The state is described in tangent.py.

import {
  ACCENT, Figure, Handle, INK, LINE, Labels, MUTED, WAYS, add, arrow, button, calm, choices, clamp, column, ease,
  entry, length, line, multiples, node, range, resize, round_up, say, shape, shows, slide, times, toggle, write_rows,
} from "./parts.mjs"; // prettier-ignore

const [REACH, LONGEST, DECADES] = [4, 3, 3]; // of p's and v's coordinates; of the magnification, in powers of ten
const LETTER = 13; // pixels: names of the axes
const SAMPLES = 40; // points of a drawn curve
const DOTS = 9; // a side of the square of points
const GLIDE = 700; // milliseconds

const LOOK = [
  { color: "var(--hs-x1)", dash: null },
  { color: "var(--hs-x2)", dash: "7 4" },
]; // of the two inputs
const TINT = [
  { stroke: LOOK[0].color, "stroke-dasharray": null, "stroke-opacity": 0.5 },
  { stroke: LOOK[1].color, "stroke-dasharray": "3 3", "stroke-opacity": 0.7 },
]; // of the grid's lines along x₁, and along x₂
const INPUTS = ["x₁", "x₂"];
const OUTPUTS = ["h₁", "h₂"];

// ---- the maps: twins of those in tangent.py --------------------------------------------------------------------------

const [COS, SIN] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];

export const maps = {
  bend: {
    name: "bend",
    formulas: ["x₁² + x₂", "x₁ + x₂"],
    at: ([a, b]) => [a * a + b, a + b],
    jacobian: ([a]) => [
      [2 * a, 1],
      [1, 1],
    ],
    words: "One input is squared: lines along x₁ become parabolas, lines along x₂ stay straight.",
  },
  turn: {
    name: "rotation",
    formulas: ["cos 30° · x₁ − sin 30° · x₂", "sin 30° · x₁ + cos 30° · x₂"],
    at: ([a, b]) => [COS * a - SIN * b, SIN * a + COS * b],
    jacobian: () => [
      [COS, -SIN],
      [SIN, COS],
    ],
    words: "A linear map: J is the same at every point, and the first order is the whole truth.",
  },
  fold: {
    name: "fold",
    formulas: ["x₁²", "x₂"],
    at: ([a, b]) => [a * a, b],
    jacobian: ([a]) => [
      [2 * a, 0],
      [0, 1],
    ],
    words: "The left half is laid onto the right one: two points p share one h(p), yet off the crease J can be undone.",
  },
  polar: {
    name: "polar",
    formulas: ["x₁ cos x₂", "x₁ sin x₂"],
    at: ([a, b]) => [a * Math.cos(b), a * Math.sin(b)],
    jacobian: ([a, b]) => [
      [Math.cos(b), -a * Math.sin(b)],
      [Math.sin(b), a * Math.cos(b)],
    ],
    words: "x₁ is a radius and x₂ an angle in radians: lines along x₂ become circles.",
  },
  crush: {
    name: "crush",
    formulas: ["x₁ + x₂", "(x₁ + x₂)² / 4"],
    at: ([a, b]) => [a + b, (a + b) ** 2 / 4],
    jacobian: ([a, b]) => [
      [1, 1],
      [(a + b) / 2, (a + b) / 2],
    ],
    words: "The whole plane becomes one curve, so the two columns of J lie on one line, at every p.",
  },
};

// ---- small things ----------------------------------------------------------------------------------------------------

const unit = (j) => [Number(j === 0), Number(j === 1)];
const part = (v, j) => [j === 0 ? v[0] : 0, j === 1 ? v[1] : 0];
const determinant = ([[a, b], [c, d]]) => a * d - b * c;

const pair = (v, decimals) => `(${say(v[0], decimals)}, ${say(v[1], decimals)})`;
const decimals = (zoom) => 2 + 2 * Math.ceil(Math.log10(zoom) - 1e-9);

/** A small number with two digits that count. */
function small(value) {
  if (value < 1e-12) return "0";
  const power = Math.floor(Math.log10(value));
  return value.toFixed(clamp(1 - power, 0, 12)).replace(/\.?0+$/, power >= 1 ? "$&" : "");
}

const factor = (value) => (say(value).startsWith("−") ? `(${say(value)})` : say(value));

// ---- what is seen of a space -----------------------------------------------------------------------------------------

/**
 * How much of a space to show for `points` round `here`: unmagnified, the square `middle` ± `half`, which holds the
 * origin as well; magnified, with `here` in the middle, `near` on each side.
 */
function wanted(points, here) {
  const ends = [0, 1].map((i) => {
    const values = [0, here[i], ...points.map((point) => point[i])];
    return [Math.min(...values), Math.max(...values)];
  });
  const middle = ends.map(([low, high]) => (low + high) / 2);
  const far = Math.max(...points.map((point) => Math.max(...add(point, here, -1).map(Math.abs))));
  const half = Math.max(...ends.map(([low, high]) => (high - low) / 2));
  return { middle, half: 1.2 * Math.max(half, 1), near: 1.15 * Math.max(far, 1) };
}

/** Whether a view does nearly as well as another that is wanted: then it stays, and nothing jumps. */
function serves(view, want) {
  const inside = [0, 1].every((i) => Math.abs(want.middle[i] - view.middle[i]) + want.half / 1.15 <= view.half);
  return inside && view.near >= want.near / 1.1 && view.half <= 2 * want.half && view.near <= 2.5 * want.near;
}

/** Where the points of a space lie in its drawing, in pixels, and back. Magnified, `here` comes to the middle. */
class Place {
  constructor(box, view, here, zoom) {
    const half = view.near + (view.half - view.near) / zoom;
    this.box = box;
    this.scale = (Math.min(box.width, box.height) / 2 / half) * zoom;
    this.middle = add(here, add(view.middle, here, -1), 1 / zoom ** 2);
    this.to = this.to.bind(this);
    const [w, h] = [box.width / 2 / this.scale, box.height / 2 / this.scale];
    this.ends = [
      [this.middle[0] - w, this.middle[0] + w],
      [this.middle[1] - h, this.middle[1] + h],
    ];
  }

  to([a, b]) {
    const { box, scale, middle } = this;
    return [box.width / 2 + (a - middle[0]) * scale, box.height / 2 - (b - middle[1]) * scale];
  }

  from([x, y]) {
    const { box, scale, middle } = this;
    return [middle[0] + (x - box.width / 2) / scale, middle[1] - (y - box.height / 2) / scale];
  }

  /** The numbers at which an axis has a mark: multiples of a round step, at least `pixels` apart. */
  step(pixels) {
    return round_up(pixels / this.scale);
  }
}

// ---- drawing ---------------------------------------------------------------------------------------------------------

/** A pen for one drawing: it collects shapes, and puts names where they cover each other least. */
class Pen {
  constructor(place) {
    Object.assign(this, { place, shapes: [], labels: new Labels(place.box, { foot: 14 }) });
  }

  path(points, look) {
    this.shapes.push(shape("path", { d: line(points), fill: "none", ...look }));
  }

  area(points, look) {
    this.shapes.push(shape("path", { d: `${line(points.map(this.place.to))}Z`, ...look }));
  }

  /** An arrow between two points of the space; `short` pixels are left for a handle at its head. */
  arrow(tail, tip, { name, ...look }) {
    const [from, to] = [tail, tip].map(this.place.to);
    const made = arrow(from, to, { class: name, "data-tip": to.map((value) => value.toFixed(2)).join(" "), ...look });
    if (!made) return;
    this.shapes.push(made);
    this.labels.keepOff(from, to);
  }

  dot(point, r, look) {
    const [cx, cy] = this.place.to(point);
    this.shapes.push(shape("circle", { cx: cx.toFixed(2), cy: cy.toFixed(2), r, ...look }));
  }

  /** A name near a point, where it is in sight, and beyond it as seen from `tail`. */
  name(point, tail, words, look) {
    const { to, box } = this.place;
    const [x, y] = to(point);
    if (x < -20 || y < -20 || x > box.width + 20 || y > box.height + 20) return;
    const away = add([x, y], to(tail), -1);
    this.labels.name([x, y], length(away) < 1 ? -0.8 : Math.atan2(away[1], away[0]), words, look);
  }
}

/** Numbers along the lower and the left edge, the axes where they are in sight, and the names of both. */
function frame(pen, names) {
  const { place } = pen;
  const { width, height } = place.box;
  const step = place.step(44);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const [ox, oy] = place.to([0, 0]);
  const look = { stroke: MUTED, "stroke-width": 1.2 };
  if (ox > 0 && ox < width) pen.path([[ox, 0], [ox, height]], look); // prettier-ignore
  if (oy > 0 && oy < height) pen.path([[0, oy], [width, oy]], look); // prettier-ignore
  for (const value of multiples(step, place.ends[0])) {
    const [x] = place.to([value, 0]);
    if (x > 34 && x < width - 34) pen.labels.text([x, height - 4], say(value, digits));
  }
  for (const value of multiples(step, place.ends[1])) {
    const [, y] = place.to([0, value]);
    if (y > 28 && y < height - 20) pen.labels.text([4, y + 4], say(value, digits), { anchor: "start" });
  }
  pen.labels.text([width - 5, height - 5], names[0], { anchor: "end", size: LETTER, italic: true });
  pen.labels.text([5, 13], names[1], { anchor: "start", size: LETTER, italic: true });
}

/** The straight grid of a space, in one plain colour. */
function plain_grid(pen) {
  const { place } = pen;
  const { width, height } = place.box;
  const step = place.step(30);
  const look = { stroke: LINE, "stroke-width": 1 };
  for (const value of multiples(step, place.ends[0])) {
    const [x] = place.to([value, 0]);
    pen.path([[x, 0], [x, height]], look); // prettier-ignore
  }
  for (const value of multiples(step, place.ends[1])) {
    const [, y] = place.to([0, value]);
    pen.path([[0, y], [width, y]], look); // prettier-ignore
  }
}

/** The lines of the input's grid, along each axis, as `image` places them; `here` is where they are seen. */
function grid(pen, here, image) {
  const step = here.step(30);
  const wide = here.ends.map(([low, high]) => [low - 0.25 * (high - low), high + 0.25 * (high - low)]);
  for (const axis of [0, 1]) {
    const [low, high] = wide[axis];
    for (const value of multiples(step, wide[1 - axis])) {
      const points = range(SAMPLES + 1).map((i) => {
        const along = low + ((high - low) * i) / SAMPLES;
        return pen.place.to(image(axis === 0 ? [along, value] : [value, along]));
      });
      pen.path(points, { ...TINT[axis], class: "hs-curve" });
    }
  }
}

const CORNERS = [
  [-1, -1],
  [1, -1],
  [1, 1],
  [-1, 1],
];
const SQUARE = CORNERS.map(([a, b]) => [(a + 1) / 2, (b + 1) / 2]);

/** The rim of the unit square, anticlockwise, in many points. */
const RIM = SQUARE.flatMap((corner, i) =>
  range(64).map((k) => add(corner, add(SQUARE[(i + 1) % 4], corner, -1), k / 64)),
);
const LATTICE = range(DOTS ** 2).map((i) => [(i % DOTS) / (DOTS - 1), Math.floor(i / DOTS) / (DOTS - 1)]);

/** A tangent space at a point: its plane, its two arrows, and a vector head to tail. `W` holds the arrows' columns. */
function tangent(pen, at, W, v, zoom, { names, vector, plane, short = 0 }) {
  const place = (a) => add(at, times(W, a), 1 / zoom);
  if (plane) pen.area(CORNERS.map(place), { class: "hs-plane" });
  const tips = [0, 1].map((j) => place(unit(j)));
  tips.forEach((tip, j) => pen.arrow(at, tip, { ...LOOK[j], width: 3.5, name: `hs-basis${j + 1}` }));
  pen.arrow(at, place(part(v, 0)), { ...LOOK[0], width: 2, name: "hs-part1" });
  pen.arrow(place(part(v, 0)), place(v), { ...LOOK[1], width: 2, name: "hs-part2" });
  pen.arrow(at, place(v), { color: INK, width: 3, name: `hs-${vector}`, short });
  return () => {
    pen.name(place(v), at, vector, { color: INK, italic: true });
    tips.forEach((tip, j) => pen.name(tip, at, names[j], { color: LOOK[j].color }));
  };
}

function draw_input(pen, { p, v, zoom, square }) {
  grid(pen, pen.place, (x) => x);
  frame(pen, INPUTS);
  if (square) draw_square(pen, (a) => add(p, a, 1 / zoom));
  const names = ["∂/∂x₁", "∂/∂x₂"];
  const write = tangent(pen, p, [unit(0), unit(1)], v, zoom, { names, vector: "v", plane: !square, short: 8 });
  write();
  pen.name(p, add(p, [1, 1], 1 / zoom), "p", { color: INK, italic: true });
}

function draw_output(pen, here, { map, p, v, zoom, square, bend }) {
  const [at, J] = [map.at(p), map.jacobian(p)];
  plain_grid(pen);
  grid(pen, here, map.at);
  frame(pen, OUTPUTS);
  const truth = map.at(add(p, v, 1 / zoom));
  if (square) {
    const moved = (a) => {
      const [from, to] = [add(at, a, 1 / zoom), map.at(add(p, a, 1 / zoom))];
      return add(from, add(to, from, -1), bend);
    };
    draw_square(pen, moved);
    const parallelogram = SQUARE.map((a) => add(at, times(J, a), 1 / zoom));
    pen.area(parallelogram, { fill: "none", stroke: INK, "stroke-width": 1.5, "stroke-dasharray": "2 3" });
  }
  const names = ["∂h/∂x₁", "∂h/∂x₂"];
  const write = tangent(pen, at, J, v, zoom, { names, vector: "u", plane: !square });
  const way = range(SAMPLES + 1).map((i) => pen.place.to(map.at(add(p, v, i / SAMPLES / zoom))));
  pen.path(way, { stroke: ACCENT, "stroke-width": 2.5, class: "hs-way" });
  const guess = add(at, times(J, v), 1 / zoom);
  pen.path([guess, truth].map(pen.place.to), { stroke: ACCENT, "stroke-width": 2, "stroke-dasharray": "2 3" });
  pen.dot(truth, 5.5, { fill: "var(--hs-paper)", stroke: ACCENT, "stroke-width": 2.5, class: "hs-truth" });
  pen.dot(at, 4.5, { fill: INK, class: "hs-image" });
  write();
  pen.name(truth, guess, zoom > 1 ? "in truth" : "h(p + v)", { color: ACCENT });
  pen.name(at, add(at, times(J, [1, 1]), 1 / zoom), "h(p)", { color: INK, italic: true });
}

function draw_square(pen, moved) {
  pen.area(RIM.map(moved), { class: "hs-plane hs-square" });
  for (const a of LATTICE) pen.dot(moved(a), 2.2, { fill: ACCENT });
}

/** The area inside the image of the unit square at p, magnified, by its rim; below 0 if it goes round the other way. */
function area(map, p, zoom) {
  const at = map.at(p);
  const points = RIM.map((a) => add(map.at(add(p, a, 1 / zoom)), at, -1).map((value) => value * zoom));
  return points.reduce((sum, [a, b], i) => {
    const [c, d] = points[(i + 1) % points.length];
    return sum + (a * d - b * c) / 2;
  }, 0);
}

// ---- controls --------------------------------------------------------------------------------------------------------

/** A slider with its name and value. */
function slider(name, { max, from = "", to = "" }, change) {
  const field = slide(name, { min: 0, max, step: 1 }, change);
  const value = node("span", { "aria-hidden": "true" }, to);
  const put = (now, text) => {
    field.value = now;
    field.setAttribute("aria-valuetext", text);
    if (!to) value.textContent = text;
  };
  return { node: node("label", { class: "hs-slide" }, node("span", {}, from || name), field, value), put };
}

/** J times v = u, with labels beside the entries of J, and the two sums written out. */
function equation(change) {
  const cells = OUTPUTS.map(() => INPUTS.map((_, j) => node("span", { class: "hs-entry hs-fixed", "data-input": j })));
  const label = (i, j) => {
    const per = node("span", { class: "hs-per" }, " over ");
    return node("span", { class: "hs-ratio" }, node("span", {}, `∂/∂${OUTPUTS[i]}`), per, node("span", {}, `∂/∂${INPUTS[j]}`)); // prettier-ignore
  };
  const body = cells.flatMap((row, i) => row.map((cell, j) => node("span", { class: "hs-cell" }, cell, label(i, j))));
  const matrix = node("span", { class: "hs-brackets hs-matrix" }, ...body);
  matrix.style.setProperty("--hs-columns", 2);
  const column = (nodes) => node("span", { class: "hs-brackets hs-column" }, ...nodes);
  const field = (name, j) =>
    entry(`v along ∂/∂${name}`, (value) => change(j, value), { input: j, by: 0.1, digits: 6 });
  const fields = INPUTS.map(field);
  const outcome = OUTPUTS.map(() => node("span", { class: "hs-cell" }));
  const product = node(
    "div",
    { class: "hs-product" },
    node("span", { class: "hs-name" }, "J\u00a0v"),
    "=",
    matrix,
    column(fields.map((field) => node("span", { class: "hs-cell" }, field.node))),
    "=",
    column(outcome),
  );
  const sums = OUTPUTS.map(() => node("p", { class: "hs-sum" }));
  const root = node("div", { class: "hs-equation" }, product, node("div", { class: "hs-sums" }, ...sums));
  const put = (J, v) => {
    const u = times(J, v);
    J.forEach((row, i) => {
      row.forEach((value, j) => (cells[i][j].textContent = say(value)));
      outcome[i].textContent = say(u[i]);
      const terms = row.flatMap((value, j) => [
        j ? " + " : "",
        node("span", { "data-input": j }, `${say(value)} · ${factor(v[j])}`),
      ]);
      sums[i].replaceChildren(node("i", {}, ["u₁", "u₂"][i]), " = ", ...terms, " = ", node("b", {}, say(u[i])));
    });
    fields.forEach((field, j) => field.put(v[j]));
  };
  return { root, put };
}

/** The lines of numbers beneath the drawings. */
function readings({ map, p, v, zoom, square }) {
  const [at, J, digits] = [map.at(p), map.jacobian(p), decimals(zoom)];
  const [guess, truth] = [add(at, times(J, v), 1 / zoom), map.at(add(p, v, 1 / zoom))];
  const [off, step] = [length(add(truth, guess, -1)), length(v) / zoom];
  const by = zoom > 1 ? `v / ${say(zoom)}` : "v";
  const share = step > 0 ? `, ${small((100 * off) / step)} % of the step` : "";
  const rows = [
    ["p and h(p)", `${pair(p, 4)} and ${pair(at, digits)}`],
    [`h(p + ${by}) to first order`, pair(guess, digits)],
    ["the same in truth", pair(truth, digits)],
    ["off by", `${small(off)}${share}`],
    ["determinant of J", say(determinant(J))],
  ];
  if (square) rows.push(["the square's area grows", `${say(area(map, p, zoom), digits)} times`]);
  return rows;
}

// ---- the figure ------------------------------------------------------------------------------------------------------

/** Move a point by an arrow key, ten times as far by Page or Shift, or to an end; tells whether that was the key. */
function pressed({ key, shiftKey }, { at, tick, ends }, move) {
  const page = { PageUp: [0, 10], PageDown: [0, -10] }[key];
  const end = { Home: ends[0], End: ends[1] }[key];
  const way = page ?? WAYS[key];
  if (way) move(add(at, way, tick * (shiftKey && !page ? 10 : 1)));
  else if (end) move(end);
  return Boolean(way || end);
}

class Tangent extends Figure {
  constructor(model) {
    super(model);
    this.first = this.copied(NAMES);
    Object.assign(this, { bend: 1, views: [] });
    this.build();
  }

  get now() {
    const [p, v] = [this.get("point"), this.get("vector")];
    const map = maps[this.get("map")] ?? maps.bend;
    return { map, p, v, zoom: this.get("zoom"), square: this.get("square"), bend: this.bend };
  }

  build() {
    const names = Object.entries(maps).map(([key, { name }]) => [key, name]);
    this.maps = choices("Map", names, (key) => this.save({ map: key }));
    const drawing = (label) => shape("svg", { class: "hs-space", role: "group", "aria-label": label });
    this.drawings = [drawing("Input space, at p"), drawing("Output space, at h(p)")];
    this.art = this.drawings.map((svg) => svg.appendChild(shape("g", { "aria-hidden": "true" })));
    this.formula = node("p", { class: "hs-formula" });
    this.equation = equation((j, value) => this.setNumber(j, value));
    this.list = node("dl", { class: "hs-readings" });
    this.remark = node("p", { class: "hs-remark" });
    const panels = this.drawings.map((svg) => node("div", { class: "hs-panel" }, svg));
    this.root = node("div", { class: "hs-figure hs-tangent", role: "group", "aria-label": "A map near a point" });
    this.root.append(
      this.maps.node,
      this.formula,
      node("div", { class: "hs-spaces" }, ...panels),
      this.slides(),
      this.equation.root,
      this.list,
      this.remark,
      this.controls(),
      this.said,
    );
    this.addHandles();
  }

  slides() {
    const max = 20 * DECADES;
    const look = (i) => this.save({ zoom: Number((10 ** (i / 20)).toPrecision(3)) });
    this.lens = slider("Magnified", { max }, look);
    this.before = slider("How far the square has moved", { max: 100, from: "before", to: "after" }, (value) => {
      this.halt();
      this.bend = value / 100;
      this.redraw();
    });
    return node("div", { class: "hs-slides" }, this.lens.node, this.before.node);
  }

  controls() {
    const labels = { ratios: "labels of the entries", square: "a square of points" };
    const switched = ([name, words]) => [name, toggle(words, (on) => this.save({ [name]: on }))];
    this.toggles = Object.entries(labels).map(switched);
    this.play = button("Move the square", () => this.moveSquare());
    const again = button("Start again", () => this.reset());
    return node("div", { class: "hs-bar" }, ...this.toggles.map(([, each]) => each.node), this.play, again);
  }

  addHandles() {
    const [p, tip] = [() => this.now.p, () => add(this.now.p, this.now.v, 1 / this.now.zoom)];
    const handle = (label, sizes, spot, key, move) =>
      new Handle(this.drawings[0], {
        label,
        sizes,
        where: () => this.here.to(spot()),
        drag: (at) => move(this.here.from(at).map((value, i) => clamp(value, ...this.here.ends[i]))), // in sight
        key,
        release: () => this.redraw(),
      });
    const press_p = (event) => {
      const at = (end) => [end, p()[1]];
      return pressed(event, { at: p(), tick: this.tick(), ends: [-REACH, REACH].map(at) }, (to) => this.setPoint(to));
    };
    const press_v = (event) => {
      const { p: foot, zoom } = this.now;
      const ends = [-LONGEST, LONGEST].map((end) => [foot[0] + end / zoom, tip()[1]]);
      return pressed(event, { at: tip(), tick: 0.1 / zoom, ends }, (to) => this.setVector(to));
    };
    this.foot = handle("p: x₁, x₂", [14, 9, 5], p, press_p, (at) => this.setPoint(at));
    const label = "v: along ∂/∂x₁, along ∂/∂x₂";
    this.tip = handle(label, [18, 12, 7.5], tip, press_v, (at) => this.setVector(at));
  }

  /** The least step of p: a tenth, a hundredth where all is magnified ten times, and so on. */
  tick() {
    return 10 ** -(1 + Math.floor(Math.log10(this.get("zoom")) + 1e-9));
  }

  setPoint(at) {
    const places = 1 + Math.floor(Math.log10(this.get("zoom")) + 1e-9);
    this.save({ point: at.map((value) => Number(clamp(value, -REACH, REACH).toFixed(places))) });
  }

  setVector(tip) {
    const { p, zoom } = this.now;
    const v = add(tip, p, -1).map((value) => clamp(Math.round(value * zoom * 10) / 10, -LONGEST, LONGEST));
    this.save({ vector: v });
  }

  setNumber(j, value) {
    const to = Number(clamp(value, -LONGEST, LONGEST).toFixed(6));
    this.save({ vector: this.get("vector").map((old, i) => (i === j ? to : old)) });
  }

  reset() {
    this.halt();
    this.bend = 1;
    this.views = [];
    this.save(structuredClone(this.first));
    this.redraw();
  }

  /** The square of points moves from where it would be if nothing were changed to where the map takes it. */
  moveSquare() {
    this.halt();
    if (calm()) {
      this.bend = this.bend < 1 ? 1 : 0;
      return this.redraw();
    }
    this.glide(2.3 * GLIDE, (t) => (this.bend = ease(clamp(1.15 * t - 0.15, 0, 1)))); // seen for a while as it is
  }

  halt() {
    cancelAnimationFrame(this.gliding);
  }

  get held() {
    return Boolean(this.foot.grip || this.tip.grip);
  }

  /** How much of each space is seen before it is magnified: all that matters; what does nearly as well stays. */
  fit() {
    const { map, p, v, square } = this.now;
    const [at, J] = [map.at(p), map.jacobian(p)];
    const corners = square ? SQUARE : [];
    const here = [unit(0), unit(1), v, ...corners].map((a) => add(p, a));
    const there = [unit(0), unit(1), v, ...corners].map((a) => add(at, times(J, a)));
    there.push(...[v, ...corners].map((a) => map.at(add(p, a))));
    [wanted(here, p), wanted(there, at)].forEach((want, side) => {
      const stays = this.views[side] && (serves(this.views[side], want) || (side === 0 && this.held));
      if (!stays) this.views[side] = want;
    });
  }

  measure() {
    const width = Math.floor(this.root.clientWidth - 32);
    if (width <= 0) return false; // in a closed tab or fold: the observer calls again when it opens
    const beside = width >= 460;
    const each = beside ? (width - 20) / 2 : width;
    this.box = { width: each, height: Math.min(beside ? each : 0.86 * each, 380) };
    for (const svg of this.drawings) resize(svg, this.box.width, this.box.height);
    return true;
  }

  draw() {
    super.draw();
    if (!this.measure()) return;
    this.fit();
    const now = this.now;
    if (!this.foot.grip) this.anchor = now.p; // while p is dragged, what is seen stays where it is
    const middles = [this.anchor, now.map.at(this.anchor)];
    const places = middles.map((here, i) => new Place(this.box, this.views[i], here, now.zoom));
    const pens = places.map((place) => new Pen(place));
    draw_input(pens[0], now);
    draw_output(pens[1], places[0], now);
    pens.forEach((pen, i) => this.art[i].replaceChildren(...pen.shapes, ...pen.labels.shapes));
    this.here = places[0];
    this.put_handles(now);
    this.put(now);
  }

  put_handles({ map, p, v, zoom }) {
    const spots = [p, add(p, v, 1 / zoom)].map(this.here.to);
    this.foot.put(spots[0], this.box, [-REACH, REACH, p[0], `p is ${pair(p, 4)}, h(p) is ${pair(map.at(p), 4)}`]);
    const u = times(map.jacobian(p), v);
    this.tip.put(spots[1], this.box, [-LONGEST, LONGEST, v[0], `v is ${pair(v)}, u is ${pair(u)}`]);
  }

  /** Numbers, words and controls. */
  put(now) {
    const { map, p, v, zoom, square } = now;
    const J = map.jacobian(p);
    this.formula.textContent = `h = (${map.formulas.join(", ")})`;
    this.equation.put(J, v);
    this.root.classList.toggle("hs-ratios", this.get("ratios"));
    write_rows(this.list, readings(now));
    const lost = Math.abs(determinant(J)) < 1e-9;
    this.remark.textContent = lost ? `${map.words} Here the determinant is 0: there is no way back.` : map.words;
    this.lens.put(Math.round(20 * Math.log10(zoom)), `${say(zoom)}×`);
    this.before.put(Math.round(100 * this.bend), `${Math.round(100 * this.bend)} % of the way`);
    for (const part of [this.before.node, this.play]) part.hidden = !square;
    this.maps.put(this.get("map"));
    for (const [name, each] of this.toggles) each.put(this.get(name));
  }

  words() {
    const [[, points], , , [, off], [, det]] = readings(this.now);
    const u = times(this.now.map.jacobian(this.now.p), this.now.v);
    return `p and h(p) are ${points}. u is ${pair(u)}, off by ${off}. Determinant ${det}.`;
  }
}

const NAMES = ["map", "point", "vector", "zoom", "ratios", "square"];

const render = shows(Tangent, NAMES);

export default { render };
