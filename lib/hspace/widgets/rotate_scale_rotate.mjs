// A matrix taken apart: rotate, scale, rotate. The state is described in rotate_scale_rotate.py.

import {
  ACCENT, Figure, Handle, LINE, MUTED, WAYS, Words, add, arrow, button, calm, clamp, column, ease, entry, length,
  line, node, plane, range, resize, scaled, shape, shows, slide, text, times, toggle, write_rows,
} from "./parts.mjs"; // prettier-ignore

const STEPS = ["Vᵀ", "D", "U"];
const DOES = ["rotate", "scale", "rotate"];
const LARGEST = 4; // size of an entry
const TICK = 0.05; // of a dragged entry
const PACE = 900; // milliseconds a step
const ROUND = [1.6, 2, 2.5, 3.2, 4, 5, 6.4, 8, 10]; // how far an axis may go

const BASIS = [
  { color: "var(--hs-x1)", dash: null, name: "e₁" },
  { color: "var(--hs-x2)", dash: "6 4", name: "e₂" },
];

// ---- matrices of two rows and columns -------------------------------------------------------------------------------

const product = (A, B) => A.map((row) => [0, 1].map((j) => row[0] * B[0][j] + row[1] * B[1][j]));
const transposed = ([[a, b], [c, d]]) => [[a, c], [b, d]]; // prettier-ignore
const det = ([[a, b], [c, d]]) => a * d - b * c;
const columns = (u, v) => [[u[0], v[0]], [u[1], v[1]]]; // prettier-ignore
const diagonal = (a, d) => [[a, 0], [0, d]]; // prettier-ignore
const rotation = (angle) => [
  [Math.cos(angle), -Math.sin(angle)],
  [Math.sin(angle), Math.cos(angle)],
];

/** Signed singular vectors and values, as `factors` in Python has them. */
function factors(M, flips, follow) {
  const [[a, b], [, d]] = product(transposed(M), M);
  let V = rotation(0.5 * Math.atan2(2 * b, a - d));
  const first = times(M, column(V, 0));
  const far = length(first);
  const u = far > 1e-12 ? scaled(first, 1 / far) : [1, 0];
  const left = scaled([-u[1], u[0]], det(M) < 0 ? -1 : 1);
  const s = [far, far > 1e-12 ? Math.abs(det(M)) / far : 0];
  const signs = diagonal(...flips.map((flip) => (flip ? -1 : 1)));
  const U = columns(u, left);
  V = product(V, signs);
  return { U: follow ? product(U, signs) : U, s, V };
}

const together = ({ U, s, V }) => product(product(U, diagonal(...s)), transposed(V));

/** The largest stretch of a matrix. */
function norm(A) {
  const [[a, b], [, d]] = product(transposed(A), A);
  return Math.sqrt((a + d + Math.hypot(a - d, 2 * b)) / 2);
}

/** The angle of the first column of an orthogonal matrix. */
const angle = (Q) => Math.atan2(Q[1][0], Q[0][0]);

/** Part of an orthogonal matrix, 0 to 1: where it reflects, it first turns over about the first axis, then turns. */
function part_of(U, share) {
  if (det(U) > 0) return rotation(angle(U) * share);
  const [over, turned] = [clamp(2 * share, 0, 1), clamp(2 * share - 1, 0, 1)];
  return product(rotation(angle(U) * turned), diagonal(1, Math.cos(Math.PI * over)));
}

/** Part of the transpose, which undoes V: it turns back and, where V reflects, turns over last. */
function part_back(V, share) {
  if (det(V) > 0) return rotation(-angle(V) * share);
  const [turned, over] = [clamp(2 * share, 0, 1), clamp(2 * share - 1, 0, 1)];
  return product(diagonal(1, Math.cos(Math.PI * over)), rotation(-angle(V) * turned));
}

/** How far the face has come at a stage from 0 to 3. */
function come({ U, s, V }, stage) {
  const [first, second, third] = [0, 1, 2].map((begin) => clamp(stage - begin, 0, 1));
  const scales = diagonal(...s.map((value) => 1 + (value - 1) * second));
  return product(part_of(U, third), product(scales, part_back(V, first)));
}

// ---- words ----------------------------------------------------------------------------------------------------------

const fixed = (value, digits) => {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
};
const degrees = (radians) => `${fixed((radians * 180) / Math.PI, 1)}°`;
const turns = (radians) => `turns by ${degrees(radians)}`;

function eigenvalues([[a, b], [c, d]]) {
  const [half, square] = [(a + d) / 2, (a - d) ** 2 / 4 + b * c];
  if (square < 0) return `${fixed(half, 2)} ± ${fixed(Math.sqrt(-square), 2)} i: none is real, no direction is kept`;
  const root = Math.sqrt(square);
  return root < 5e-3 ? `${fixed(half, 2)}, twice` : `${fixed(half + root, 2)} and ${fixed(half - root, 2)}, both real`;
}

/** The lines of numbers beneath the drawings. */
function readings(M, found) {
  const { U, s, V } = found;
  const error = norm(together(found).map((row, i) => row.map((value, j) => value - M[i][j])));
  return [
    ["Vᵀ", turns(-angle(V)) + (det(V) < 0 ? ", then turns over" : "")],
    ["D", `stretches by ${fixed(s[0], 2)} and ${fixed(s[1], 2)}`],
    ["U", (det(U) < 0 ? "turns over, then " : "") + turns(angle(U))],
    ["U D Vᵀ", error < 1e-9 ? "is M" : `is not M: off by ${fixed(error, 2)}`],
    ["Eigenvalues of M", eigenvalues(M)],
  ];
}

/** What the left drawing shows. */
function where(stage) {
  if (stage === 0) return "before any step";
  const whole = Math.ceil(stage) - 1;
  const share = Math.round(100 * (stage - whole));
  return share === 100 ? `after ${STEPS.slice(0, whole + 1).join(", ")}` : `${STEPS[whole]}, ${share} % of the way`;
}

const REMARKS = [
  "A face in a circle, and v₁ and v₂ at right angles. Press Vᵀ, D, U.",
  "Vᵀ has brought v₁ and v₂ onto the axes. Nothing has changed its size.",
  "D has stretched along the axes alone. The circle is an ellipse.",
  "U has turned the axes to where M sends v₁ and v₂: still at right angles.",
];
const LOST = "A v was turned round and its u was not: these three steps make another matrix than M.";

// ---- drawing --------------------------------------------------------------------------------------------------------

const circle = (cx, cy, r, count = 24) =>
  range(count).map((i) => {
    const turn = (2 * Math.PI * i) / count;
    return [cx + r * Math.cos(turn), cy + r * Math.sin(turn)];
  });

/** A cat person within the unit circle, which is its outline; one ear is dark, so that a mirror image can be told. */
const FACE = {
  outline: circle(0, 0, 1, 96),
  light: [[0.3, 0.954], [0.86, 1.28], [0.94, 0.342]], // prettier-ignore
  dark: [[-0.3, 0.954], [-0.86, 1.28], [-0.94, 0.342]], // prettier-ignore
  eyes: [circle(-0.36, 0.2, 0.11), circle(0.36, 0.2, 0.11)],
  nose: [[-0.12, -0.1], [0.12, -0.1], [0, -0.24]], // prettier-ignore
  smile: range(13).map((i) => {
    const x = -0.42 + 0.07 * i;
    return [x, -0.58 + 0.9 * x * x];
  }),
};

function draw_plane({ to, half, size }) {
  const made = [];
  const ruled = (a, b, look) => {
    const [[x1, y1], [x2, y2]] = [to(a), to(b)];
    made.push(shape("line", { x1, y1, x2, y2, stroke: LINE, ...look }));
  };
  for (let k = -Math.floor(half); k <= half; k++) {
    const axis = k === 0 ? { stroke: MUTED, "stroke-width": 1.2 } : {};
    ruled([k, -half], [k, half], axis);
    ruled([-half, k], [half, k], axis);
  }
  made.push(text([size - 12, size / 2 + 14], String(Math.floor(half)), { size: 11, weight: 400 }));
  return made;
}

function draw_face({ to }, A) {
  const seen = (points) => line(points.map((point) => to(times(A, point))));
  const part = (points, name, end = "Z") => shape("path", { d: seen(points) + end, class: name });
  return [
    part(FACE.light, "hs-ear"),
    part(FACE.dark, "hs-ear hs-dark"),
    part(FACE.outline, "hs-face"),
    ...FACE.eyes.map((eye) => part(eye, "hs-feature")),
    part(FACE.nose, "hs-feature"),
    part(FACE.smile, "hs-smile", ""),
  ];
}

/** Names beyond the tips of arrows, each where it covers no other. */
function names(place, arrows) {
  const words = new Words(place.size, place.size, 17);
  for (const { tip, name, color } of arrows) {
    const [dx, dy] = add(tip, place.to([0, 0]), -1);
    if (length([dx, dy]) < 8) continue;
    const [away, half] = [Math.atan2(dy, dx), 5 + 4 * name.length];
    const spots = [0, 0.7, -0.7, 1.3, -1.3, 2.2, -2.2].map((turn) => [
      tip[0] + (12 + 0.6 * half) * Math.cos(away + turn),
      tip[1] + 17 * Math.sin(away + turn),
    ]);
    words.put(spots, half, name, { color, size: 14, weight: 650 });
  }
  return words.shapes;
}

/** Names of the two singular directions on the left, stage by stage. */
const LABELS = [
  ["v₁", "v₂"],
  ["Vᵀv₁", "Vᵀv₂"],
  ["σ₁", "σ₂"],
  ["σ₁u₁", "σ₂u₂"],
];

/** Everything in one drawing: the face under A, where the basis and the singular directions have come. */
function draw(place, A, found, labels, short = 0) {
  const basis = BASIS.map((look, j) => {
    return { ...look, tip: place.to(column(A, j)), width: 2.4, kind: `hs-e${j + 1}`, short };
  });
  const singular = [0, 1].map((j) => {
    const tip = place.to(times(A, column(found.V, j)));
    return { tip, name: labels[j], color: ACCENT, dash: j ? "3 3" : null, width: 4, kind: `hs-v${j + 1}` };
  });
  const arrows = [...singular, ...basis];
  const drawn = ({ tip, kind, color, dash, width, short: free }) =>
    arrow(place.to([0, 0]), tip, { class: kind, color, dash, width, head: 5 + 2.2 * width, short: free });
  return [
    ...draw_plane(place),
    ...draw_face(place, A),
    ...arrows.map(drawn).filter(Boolean),
    ...names(place, arrows),
  ];
}

// ---- the figure -----------------------------------------------------------------------------------------------------

class RotateScaleRotate extends Figure {
  constructor(model) {
    super(model);
    this.first = this.copied(["matrix", "flips", "follow"]);
    Object.assign(this, { shown: model.get("stage"), range: 0 });
    this.build();
    this.fit();
  }

  get M() {
    return this.model.get("matrix");
  }

  get stage() {
    return this.model.get("stage");
  }

  build() {
    const labels = ["Step by step", "M in one go"];
    this.drawings = labels.map((label) => shape("svg", { class: "hs-space", role: "group", "aria-label": label }));
    this.art = this.drawings.map((svg) => svg.appendChild(shape("g", { "aria-hidden": "true" })));
    this.columns = [0, 1].map((j) => this.handle(j));
    const caption = (words) => node("p", { class: "hs-panel-name" }, words);
    this.captions = ["", "M in one go: drag e₁ and e₂"].map(caption);
    this.panels = this.drawings.map((svg, i) => node("div", { class: "hs-half" }, this.captions[i], svg));
    this.panels[0].append(this.stepping());
    this.panels[1].append(this.matrix());
    this.remark = node("p", { class: "hs-remark" });
    this.list = node("dl", { class: "hs-readings" });
    const look = { class: "hs-figure hs-rotate_scale_rotate", role: "group" };
    this.root = node("div", { ...look, "aria-label": "A matrix in three steps" });
    const both = node("div", { class: "hs-halves" }, ...this.panels);
    this.root.append(both, this.remark, this.list, this.switches(), this.said);
  }

  /** A round handle for one column of the matrix. */
  handle(j) {
    const { color, name } = BASIS[j];
    return new Handle(this.drawings[1], {
      label: `Where M sends ${name}`,
      color,
      sizes: [18, 11, 6.5],
      where: () => this.place.to(column(this.M, j)),
      drag: (at) => this.setColumn(j, this.place.from(at)),
      key: ({ key, shiftKey }) => {
        if (WAYS[key]) this.setColumn(j, add(column(this.M, j), WAYS[key], TICK * (shiftKey ? 10 : 1)));
        if (WAYS[key]) this.release();
        return Boolean(WAYS[key]);
      },
      release: () => this.release(),
    });
  }

  /** The slider through the three steps, and a button for each. */
  stepping() {
    this.slider = slide("How far", { min: 0, max: 3, step: 0.05 }, (stage) => {
      this.shown = stage; // under the finger there is nothing to glide
      this.save({ stage });
    });
    this.buttons = STEPS.map((step, i) => button(`${step} ${DOES[i]}`, () => this.go(i)));
    const group = { class: "hs-bar hs-steps", role: "group", "aria-label": "Steps" };
    return node("div", {}, this.slider, node("div", group, ...this.buttons));
  }

  matrix() {
    const cell = (i, j) =>
      entry(`M, row ${i + 1}, column ${j + 1}`, (value) => this.setEntry(i, j, value), { input: j, most: LARGEST });
    this.entries = [0, 1].map((i) => [0, 1].map((j) => cell(i, j)));
    const cells = this.entries.flat().map((each) => node("span", { class: "hs-cell" }, each.node));
    const brackets = node("span", { class: "hs-brackets hs-matrix" }, ...cells);
    brackets.style.setProperty("--hs-columns", 2);
    return node("div", { class: "hs-product" }, node("i", {}, "M"), node("span", {}, "="), brackets);
  }

  switches() {
    const flip = (j) => (on) => this.save({ flips: this.model.get("flips").map((old, i) => (i === j ? on : old)) });
    this.toggles = [
      toggle("turn v₁ round", flip(0)),
      toggle("turn v₂ round", flip(1)),
      toggle("each u follows its v", (on) => this.save({ follow: on })),
    ];
    const again = button("Start again", () => this.reset());
    return node("div", { class: "hs-bar" }, ...this.toggles.map((each) => each.node), again);
  }

  /** Play the step i, or play it again. */
  go(i) {
    this.save({ stage: i });
    this.shown = i;
    this.save({ stage: i + 1 });
  }

  setEntry(i, j, value) {
    this.save({ matrix: this.M.map((row, r) => row.map((old, k) => (r === i && k === j ? value : old))) });
  }

  setColumn(j, values) {
    const snap = (value) => Math.round(clamp(value, -LARGEST, LARGEST) / TICK) * TICK;
    const snapped = values.map((value) => Number(snap(value).toFixed(6)));
    this.save({ matrix: this.M.map((row, i) => row.map((old, k) => (k === j ? snapped[i] : old))) });
  }

  reset() {
    this.save({ ...structuredClone(this.first), stage: 3 });
    this.release();
  }

  held() {
    return this.columns.some((part) => part.grip);
  }

  release() {
    requestAnimationFrame(() => {
      this.fit();
      this.redraw();
    });
  }

  /** Choose how much of the plane is seen; while that does nearly as well as before, it stays, and nothing jumps. */
  fit() {
    const wanted = Math.max(1.55, 1.42 * norm(this.M));
    const range = ROUND.find((each) => each >= wanted) ?? wanted;
    if (wanted > this.range || range < 0.6 * this.range) this.range = range;
  }

  /** Let the drawn stage glide to the real one. */
  follow_stage() {
    cancelAnimationFrame(this.gliding);
    const [from, to] = [this.shown, this.stage];
    if (calm() || !this.place || from === to) {
      this.shown = to;
      return this.redraw();
    }
    this.glide(PACE * Math.abs(to - from), (t) => (this.shown = t < 1 ? from + (to - from) * ease(t) : to));
  }

  measure() {
    const width = Math.floor(this.panels[0].clientWidth);
    if (!width) return false; // in a closed tab or fold: the observer calls again when it opens
    this.place = plane(Math.min(width, 340), this.range);
    for (const svg of this.drawings) resize(svg, this.place.size);
    return true;
  }

  draw() {
    super.draw();
    if (!this.measure()) return;
    const found = factors(this.M, this.model.get("flips"), this.model.get("follow"));
    const { place } = this;
    const labels = LABELS[Math.round(this.shown)];
    this.art[0].replaceChildren(...draw(place, come(found, this.shown), found, labels));
    this.art[1].replaceChildren(...draw(place, this.M, found, ["Mv₁", "Mv₂"], 6));
    this.columns.forEach((part, j) => {
      const [x, y] = column(this.M, j);
      const told = [-LARGEST, LARGEST, x, `${fixed(x, 2)} across, ${fixed(y, 2)} up`];
      part.put(place.to([x, y]), { width: place.size }, told);
    });
    this.put(found);
  }

  /** Numbers, words and controls. */
  put(found) {
    const lost = !this.model.get("follow") && this.model.get("flips").some(Boolean);
    this.captions[0].textContent = `Step by step: ${where(this.stage)}`;
    this.remark.textContent = lost ? LOST : REMARKS[Math.round(this.stage)];
    write_rows(this.list, readings(this.M, found));
    this.list.classList.toggle("hs-lost", lost);
    this.slider.value = this.stage;
    this.slider.setAttribute("aria-valuetext", where(this.stage));
    this.buttons.forEach((made, i) => made.setAttribute("aria-pressed", this.stage === i + 1));
    this.entries.forEach((row, i) => row.forEach((each, j) => each.put(this.M[i][j])));
    this.model.get("flips").forEach((flip, j) => this.toggles[j].put(flip));
    this.toggles[2].put(this.model.get("follow"));
  }

  words() {
    const found = factors(this.M, this.model.get("flips"), this.model.get("follow"));
    const rows = readings(this.M, found).map((row) => row.join(" "));
    return `${where(this.stage)}. ${rows.slice(0, 4).join("; ")}.`;
  }

  changed(name) {
    if (name === "stage") this.follow_stage();
    if (name === "matrix" && !this.held()) this.fit();
    super.changed();
  }
}

const render = shows(RotateScaleRotate, ["matrix", "stage", "flips", "follow"]);

export default { render };
