// A bent map with its tangent spaces at a point. The state is described in tangent.py.

const [REACH, LONGEST, DECADES] = [4, 3, 3]; // of p's and v's coordinates; of the magnification, in powers of ten
const LETTER = 13; // pixels
const SAMPLES = 40; // points of a drawn curve
const DOTS = 9; // a side of the square of points
const GLIDE = 700; // milliseconds

const INK = "var(--hs-ink)";
const MUTED = "var(--hs-muted)";
const ACCENT = "var(--hs-accent)";
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

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children); // strings become text, never markup
  return made;
}

const node = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const shape = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const range = (count) => [...Array(count).keys()];
const times = (W, x) => W.map((row) => row[0] * x[0] + row[1] * x[1]);
const column = (W, j) => W.map((row) => row[j]);
const add = (a, b, by = 1) => [a[0] + by * b[0], a[1] + by * b[1]];
const unit = (j) => [Number(j === 0), Number(j === 1)];
const part = (v, j) => [j === 0 ? v[0] : 0, j === 1 ? v[1] : 0];
const length = (v) => Math.hypot(v[0], v[1]);
const determinant = ([[a, b], [c, d]]) => a * d - b * c;

/** A number as text, with a true minus sign and no minus zero. */
function say(value, decimals = 2) {
  const digits = Number(value.toFixed(decimals));
  return String(digits === 0 ? 0 : digits).replace("-", "−");
}

const pair = (v, decimals) => `(${say(v[0], decimals)}, ${say(v[1], decimals)})`;
const decimals = (zoom) => 2 + 2 * Math.ceil(Math.log10(zoom) - 1e-9);

/** A small number with two digits that count. */
function small(value) {
  if (value < 1e-12) return "0";
  const power = Math.floor(Math.log10(value));
  return value.toFixed(clamp(1 - power, 0, 12)).replace(/\.?0+$/, power >= 1 ? "$&" : "");
}

const factor = (value) => (say(value).startsWith("−") ? `(${say(value)})` : say(value));

/** The least round number that is not below `value`. */
function round(value) {
  const decade = 10 ** Math.floor(Math.log10(value));
  return decade * ([1, 2, 5].find((digit) => digit * decade >= value * (1 - 1e-9)) ?? 10);
}

/** All multiples of `step` from `low` to `high`. */
function multiples(step, [low, high]) {
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.max(0, Math.floor(high / step + 1e-9) - first + 1);
  return range(count).map((i) => (first + i) * step);
}

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
    return round(pixels / this.scale);
  }
}

// ---- drawing ---------------------------------------------------------------------------------------------------------

const FAR = 4000; // pixels: what lies farther out is cut off, else a browser may draw nonsense
const line = (points) =>
  `M${points.map((point) => point.map((value) => clamp(value, -FAR, FAR).toFixed(2)).join(" ")).join("L")}`;

/** A pen for one drawing: it collects shapes, and puts labels where they cover each other least. */
class Pen {
  constructor(place) {
    Object.assign(this, { place, shapes: [], labels: [], taken: [] });
  }

  path(points, look) {
    this.shapes.push(shape("path", { d: line(points), fill: "none", ...look }));
  }

  area(points, look) {
    this.shapes.push(shape("path", { d: `${line(points.map(this.place.to))}Z`, ...look }));
  }

  /** An arrow between two points of the space; `short` pixels are left for a handle at its head. */
  arrow(tail, tip, { color, dash = null, width = 3, name = null, short = 0 }) {
    const [from, to] = [this.place.to(tail), this.place.to(tip)];
    const [dx, dy] = add(to, from, -1);
    const far = Math.hypot(dx, dy);
    if (far < 1) return;
    const [ux, uy] = [dx / far, dy / far];
    const cut = far > 2 * short ? short : 0;
    const [hx, hy] = [to[0] - ux * cut, to[1] - uy * cut];
    const head = Math.min(5 + 2.4 * width, far - cut);
    const [bx, by, side] = [hx - ux * head, hy - uy * head, 0.42 * head];
    const look = { stroke: color, "stroke-width": width, "stroke-dasharray": dash, fill: "none" };
    const group = shape("g", { class: name, "data-tip": to.map((value) => value.toFixed(2)).join(" ") });
    const points = `${hx},${hy} ${bx - uy * side},${by + ux * side} ${bx + uy * side},${by - ux * side}`;
    group.append(shape("path", { d: line([from, [bx, by]]), ...look }), shape("polygon", { points, fill: color }));
    this.shapes.push(group);
    this.keepOff(from, to);
  }

  dot(point, r, look) {
    const [cx, cy] = this.place.to(point);
    this.shapes.push(shape("circle", { cx: cx.toFixed(2), cy: cy.toFixed(2), r, ...look }));
  }

  text([x, y], text, { color = MUTED, anchor = "middle", size = 11, weight = 400, italic = false } = {}) {
    const look = { "text-anchor": anchor, "font-size": size, "font-weight": weight, fill: color, class: "hs-label" };
    this.labels.push(shape("text", { x, y, ...look, "font-style": italic ? "italic" : null }, text));
    const width = 0.6 * size * text.length;
    const left = { start: x, middle: x - width / 2, end: x - width }[anchor];
    this.taken.push({ left, top: y - 0.8 * size, right: left + width, bottom: y + 0.25 * size, weight: 3 });
  }

  /** Where a line or an arrow runs, labels are to keep off. */
  keepOff(a, b) {
    const steps = Math.min(40, Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1]) / 14) || 1);
    for (const i of range(steps + 1)) {
      const [x, y] = add(a, add(b, a, -1), i / steps);
      this.taken.push({ left: x - 4, top: y - 4, right: x + 4, bottom: y + 4, weight: 0.6 });
    }
  }

  /** A label near a point: of the places round it, the one that covers least, and outward where all are alike. */
  name(point, tail, text, look = {}) {
    const { to, box } = this.place;
    const [x, y] = to(point);
    if (x < -20 || y < -20 || x > box.width + 20 || y > box.height + 20) return;
    const [dx, dy] = add([x, y], to(tail), -1);
    const [width, angle] = [0.6 * LETTER * text.length, Math.hypot(dx, dy) < 1 ? -0.8 : Math.atan2(dy, dx)];
    let best = null;
    for (const turn of [0, 0.6, -0.6, 1.2, -1.2, 1.9, -1.9, 3.1]) {
      for (const far of [13, 24]) {
        const [ux, uy] = [Math.cos(angle + turn), Math.sin(angle + turn)];
        const spot = [x + ux * (far + (width / 2) * Math.abs(ux)), y + uy * (far + LETTER / 2)];
        const label = this.#inside(spot, width);
        const cost = this.#covered(label) + 12 * Math.abs(turn) + 2 * (far - 13);
        if (!best || cost < best.cost) best = { cost, label };
      }
    }
    const { left, right, top } = best.label;
    this.text([(left + right) / 2, top + 0.95 * LETTER], text, { size: LETTER, weight: 600, ...look });
  }

  #inside([x, y], width) {
    const { box } = this.place;
    const [cx, cy] = [clamp(x, width / 2 + 3, box.width - width / 2 - 3), clamp(y, 10, box.height - 22)];
    const tall = 0.6 * LETTER;
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
    if (x > 34 && x < width - 34) pen.text([x, height - 4], say(value, digits));
  }
  for (const value of multiples(step, place.ends[1])) {
    const [, y] = place.to([0, value]);
    if (y > 28 && y < height - 20) pen.text([4, y + 4], say(value, digits), { anchor: "start" });
  }
  pen.text([width - 5, height - 5], names[0], { anchor: "end", size: LETTER, italic: true });
  pen.text([5, 13], names[1], { anchor: "start", size: LETTER, italic: true });
}

/** The straight grid of a space, in one plain colour. */
function plain_grid(pen) {
  const { place } = pen;
  const { width, height } = place.box;
  const step = place.step(30);
  const look = { stroke: "var(--hs-line)", "stroke-width": 1 };
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

// ---- handles ---------------------------------------------------------------------------------------------------------

/** A round handle that mouse, touch and arrow keys move, from `where()`, drawn or not, to where `move(point)` says. */
class Handle {
  constructor(svg, { label, small, most, tick, where, move, release }) {
    Object.assign(this, { svg, most, tick, where, move, grip: null });
    const [ring, knob] = [
      shape("circle", { r: small ? 9 : 12, class: "hs-ring" }),
      shape("circle", { r: small ? 5 : 7.5, class: "hs-knob", stroke: INK }),
    ];
    this.node = shape("g", { class: "hs-handle", tabindex: 0, role: "slider", "aria-label": label });
    this.node.append(shape("circle", { r: small ? 14 : 18, class: "hs-hit" }), ring, knob);
    svg.append(this.node);
    // Else a phone scrolls after all: browsers heed touch-action on a whole drawing, and not on a part of it.
    this.node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    this.node.addEventListener("pointerdown", (event) => this.take(event));
    this.node.addEventListener("pointermove", (event) => this.grip && this.drag(event));
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
      this.node.addEventListener(kind, () => {
        if (this.grip) release();
        this.grip = null;
      });
    }
    this.node.addEventListener("keydown", (event) => this.press(event));
  }

  pointer(event) {
    const box = this.svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  take(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.node.focus({ preventScroll: true });
    this.node.setPointerCapture(event.pointerId);
    this.grip = add(this.place.to(this.where()), this.pointer(event), -1); // it stays under the finger where it was taken
  }

  drag(event) {
    const at = this.place.from(add(this.pointer(event), this.grip));
    this.move(at.map((value, i) => clamp(value, ...this.place.ends[i]))); // out of sight nothing can be held
  }

  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = this.tick() * (event.shiftKey ? 10 : 1);
    const far = 10 * this.tick();
    const way = {
      ArrowRight: [step, 0],
      ArrowLeft: [-step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
      PageUp: [0, far],
      PageDown: [0, -far],
    }[event.key];
    const end = { Home: -this.most, End: this.most }[event.key];
    if (!way && end === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(way ? add(this.where(), way) : this.edge(end));
  }

  put(place, values, text) {
    this.place = place;
    const [x, y] = place.to(this.where());
    const { width, height } = place.box;
    const inside = [clamp(x, 6, width - 6), clamp(y, 6, height - 6)];
    this.node.classList.toggle("hs-away", inside[0] !== x || inside[1] !== y);
    const told = { "aria-valuemin": -this.most, "aria-valuemax": this.most, "aria-valuenow": values[0] };
    fill(this.node, { transform: `translate(${inside})`, ...told, "aria-valuetext": text }, []);
  }
}

// ---- controls --------------------------------------------------------------------------------------------------------

function button(words, press) {
  const made = node("button", { type: "button", class: "hs-button" }, words);
  made.addEventListener("click", press);
  return made;
}

/** A slider with its name and value. */
function slider(name, { max, from = "", to = "" }, change) {
  const field = node("input", { type: "range", min: 0, max, step: 1, class: "hs-range", "aria-label": name });
  const value = node("span", { "aria-hidden": "true" }, to);
  field.addEventListener("input", () => change(field.valueAsNumber));
  field.addEventListener("keydown", (event) => event.stopPropagation()); // a notebook has its own plans for keys
  const put = (now, text) => {
    field.value = now;
    field.setAttribute("aria-valuetext", text);
    if (!to) value.textContent = text;
  };
  return { node: node("label", { class: "hs-slide" }, node("span", {}, from || name), field, value), put };
}

function toggle(figure, name, text) {
  const box = node("input", { type: "checkbox" });
  box.addEventListener("change", () => figure.save({ [name]: box.checked }));
  return {
    node: node("label", { class: "hs-toggle" }, box, ` ${text}`),
    put: () => (box.checked = figure.get(name)),
  };
}

/** A number of a vector that can be typed over. */
function entry(label, j, change) {
  const look = { type: "number", step: "any", class: "hs-entry", "aria-label": label, "data-input": j };
  const field = node("input", look);
  field.addEventListener("input", () => Number.isFinite(field.valueAsNumber) && change(field.valueAsNumber));
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const by = { ArrowUp: 0.1, ArrowDown: -0.1 }[event.key];
    if (!by) return;
    event.preventDefault();
    change((field.valueAsNumber || 0) + by);
  });
  let last = 0;
  const put = (value) => {
    last = value;
    const writing = document.activeElement === field && Number.isNaN(field.valueAsNumber); // as after a lone minus
    if (!writing && field.valueAsNumber !== value) field.value = Number(value.toFixed(6));
  };
  field.addEventListener("blur", () => put(last));
  return { node: field, put };
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
  const fields = INPUTS.map((name, j) => entry(`v along ∂/∂${name}`, j, (value) => change(j, value)));
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

class Figure {
  constructor(model) {
    this.model = model;
    this.first = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
    Object.assign(this, { bend: 1, views: [], request: 0, moving: 0, speaking: 0 });
    this.build();
  }

  get(name) {
    return this.model.get(name);
  }

  save(changes) {
    for (const [name, value] of Object.entries(changes)) this.model.set(name, value);
    this.model.save_changes();
  }

  get now() {
    const [p, v] = [this.get("point"), this.get("vector")];
    const map = maps[this.get("map")] ?? maps.bend;
    return { map, p, v, zoom: this.get("zoom"), square: this.get("square"), bend: this.bend };
  }

  build() {
    this.choices = Object.entries(maps).map(([key, { name }]) => [key, button(name, () => this.save({ map: key }))]);
    const drawing = (label) => shape("svg", { class: "hs-space", role: "group", "aria-label": label });
    this.drawings = [drawing("Input space, at p"), drawing("Output space, at h(p)")];
    this.art = this.drawings.map((svg) => svg.appendChild(shape("g", { "aria-hidden": "true" })));
    this.formula = node("p", { class: "hs-formula" });
    this.equation = equation((j, value) => this.setNumber(j, value));
    this.list = node("dl", { class: "hs-readings" });
    this.remark = node("p", { class: "hs-remark" });
    this.said = node("p", { class: "hs-said", role: "status" });
    const panels = this.drawings.map((svg) => node("div", { class: "hs-panel" }, svg));
    this.root = node("div", { class: "hs-figure hs-tangent", role: "group", "aria-label": "A map near a point" });
    this.root.append(
      node("div", { class: "hs-choices", role: "group", "aria-label": "Map" }, ...this.choices.map(([, made]) => made)),
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
    this.toggles = [toggle(this, "ratios", "labels of the entries"), toggle(this, "square", "a square of points")];
    this.play = button("Move the square", () => this.moveSquare());
    const again = button("Start again", () => this.reset());
    return node("div", { class: "hs-bar" }, ...this.toggles.map((each) => each.node), this.play, again);
  }

  addHandles() {
    const release = () => this.redraw();
    this.foot = new Handle(this.drawings[0], {
      label: "p: x₁, x₂",
      small: true,
      most: REACH,
      tick: () => this.tick(),
      where: () => this.now.p,
      move: (at) => this.setPoint(at),
      release,
    });
    this.tip = new Handle(this.drawings[0], {
      label: "v: along ∂/∂x₁, along ∂/∂x₂",
      most: LONGEST,
      tick: () => 0.1 / this.get("zoom"),
      where: () => add(this.now.p, this.now.v, 1 / this.now.zoom),
      move: (at) => this.setVector(at),
      release,
    });
    this.foot.edge = (end) => [end, this.foot.where()[1]];
    this.tip.edge = (end) => [this.get("point")[0] + end / this.get("zoom"), this.tip.where()[1]];
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
    this.save(this.first);
    this.redraw();
  }

  /** The square of points moves from where it would be if nothing were changed to where the map takes it. */
  moveSquare() {
    this.halt();
    if (calm()) {
      this.bend = this.bend < 1 ? 1 : 0;
      return this.redraw();
    }
    const begin = performance.now();
    const turn = (now) => {
      const t = clamp((now - begin) / (2 * GLIDE) - 0.15, 0, 1);
      this.bend = t * t * (3 - 2 * t);
      this.draw();
      if (t < 1) this.moving = requestAnimationFrame(turn);
    };
    this.moving = requestAnimationFrame(turn);
  }

  halt() {
    cancelAnimationFrame(this.moving);
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
    for (const svg of this.drawings) {
      const { width: w, height: h } = this.box;
      fill(svg, { viewBox: `0 0 ${w} ${h}`, width: w, height: h }, []);
    }
    return true;
  }

  redraw() {
    if (!this.request) this.request = requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.request);
    this.request = 0;
    if (!this.measure()) return;
    this.fit();
    const now = this.now;
    if (!this.foot.grip) this.anchor = now.p; // while p is dragged, what is seen stays where it is
    const middles = [this.anchor, now.map.at(this.anchor)];
    const places = middles.map((here, i) => new Place(this.box, this.views[i], here, now.zoom));
    const pens = places.map((place) => new Pen(place));
    draw_input(pens[0], now);
    draw_output(pens[1], places[0], now);
    pens.forEach((pen, i) => this.art[i].replaceChildren(...pen.shapes, ...pen.labels));
    this.foot.put(places[0], now.p, `p is ${pair(now.p, 4)}, h(p) is ${pair(now.map.at(now.p), 4)}`);
    const u = times(now.map.jacobian(now.p), now.v);
    this.tip.put(places[0], now.v, `v is ${pair(now.v)}, u is ${pair(u)}`);
    this.put(now);
  }

  /** Numbers, words and controls. */
  put(now) {
    const { map, p, v, zoom, square } = now;
    const J = map.jacobian(p);
    this.formula.textContent = `h = (${map.formulas.join(", ")})`;
    this.equation.put(J, v);
    this.root.classList.toggle("hs-ratios", this.get("ratios"));
    const rows = readings(now).map(([name, value]) => node("div", {}, node("dt", {}, name), node("dd", {}, value)));
    this.list.replaceChildren(...rows);
    const lost = Math.abs(determinant(J)) < 1e-9;
    this.remark.textContent = lost ? `${map.words} Here the determinant is 0: there is no way back.` : map.words;
    this.lens.put(Math.round(20 * Math.log10(zoom)), `${say(zoom)}×`);
    this.before.put(Math.round(100 * this.bend), `${Math.round(100 * this.bend)} % of the way`);
    for (const part of [this.before.node, this.play]) part.hidden = !square;
    for (const [key, made] of this.choices) made.setAttribute("aria-pressed", key === this.get("map"));
    for (const each of this.toggles) each.put();
  }

  speak() {
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => {
      const [[, points], , , [, off], [, det]] = readings(this.now);
      const u = times(this.now.map.jacobian(this.now.p), this.now.v);
      this.said.textContent = `p and h(p) are ${points}. u is ${pair(u)}, off by ${off}. Determinant ${det}.`;
    }, 600);
  }

  stop() {
    this.halt();
    clearTimeout(this.speaking);
    cancelAnimationFrame(this.request);
  }
}

const NAMES = ["map", "point", "vector", "zoom", "ratios", "square"];

function render({ model, el }) {
  const figure = new Figure(model);
  el.append(figure.root);
  figure.draw();
  const changed = () => {
    figure.redraw();
    figure.speak();
  };
  for (const name of NAMES) model.on(`change:${name}`, changed);
  const observer = new ResizeObserver(() => figure.redraw());
  observer.observe(figure.root);
  return () => {
    figure.stop();
    observer.disconnect();
    for (const name of NAMES) model.off(`change:${name}`, changed);
    figure.root.remove();
  };
}

export default { render };
