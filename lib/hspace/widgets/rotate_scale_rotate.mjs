// A matrix taken apart: rotate, scale, rotate. The state is described in rotate_scale_rotate.py.

const STEPS = ["Vᵀ", "D", "U"];
const DOES = ["rotate", "scale", "rotate"];
const LARGEST = 4; // size of an entry
const TICK = 0.05; // of a dragged entry
const PACE = 900; // milliseconds a step
const ROUND = [1.6, 2, 2.5, 3.2, 4, 5, 6.4, 8, 10]; // how far an axis may go

const INK = "var(--hs-ink)";
const MUTED = "var(--hs-muted)";
const ACCENT = "var(--hs-accent)";
const BASIS = [
  { color: "var(--hs-x1)", dash: null, name: "e₁" },
  { color: "var(--hs-x2)", dash: "6 4", name: "e₂" },
];

// ---- small things ---------------------------------------------------------------------------------------------------

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
const copy = (M) => M.map((row) => [...row]);

// ---- matrices of two rows and columns -------------------------------------------------------------------------------

const times = (A, B) => A.map((row) => [0, 1].map((j) => row[0] * B[0][j] + row[1] * B[1][j]));
const apply = (A, [x, y]) => A.map((row) => row[0] * x + row[1] * y);
const transposed = ([[a, b], [c, d]]) => [[a, c], [b, d]]; // prettier-ignore
const det = ([[a, b], [c, d]]) => a * d - b * c;
const column = (A, j) => [A[0][j], A[1][j]];
const columns = (u, v) => [[u[0], v[0]], [u[1], v[1]]]; // prettier-ignore
const diagonal = (a, d) => [[a, 0], [0, d]]; // prettier-ignore
const scaled = (v, by) => v.map((each) => each * by);
const rotation = (angle) => [
  [Math.cos(angle), -Math.sin(angle)],
  [Math.sin(angle), Math.cos(angle)],
];
const IDENTITY = diagonal(1, 1);

/** Signed singular vectors and values, as `factors` in Python has them. */
function factors(M, flips, follow) {
  const [[a, b], [, d]] = times(transposed(M), M);
  let V = rotation(0.5 * Math.atan2(2 * b, a - d));
  const first = apply(M, column(V, 0));
  const length = Math.hypot(...first);
  const u = length > 1e-12 ? scaled(first, 1 / length) : [1, 0];
  const left = scaled([-u[1], u[0]], det(M) < 0 ? -1 : 1);
  const s = [length, length > 1e-12 ? Math.abs(det(M)) / length : 0];
  const signs = diagonal(...flips.map((flip) => (flip ? -1 : 1)));
  const U = columns(u, left);
  V = times(V, signs);
  return { U: follow ? times(U, signs) : U, s, V };
}

const product = ({ U, s, V }) => times(times(U, diagonal(...s)), transposed(V));

/** The largest stretch of a matrix. */
function norm(A) {
  const [[a, b], [, d]] = times(transposed(A), A);
  return Math.sqrt((a + d + Math.hypot(a - d, 2 * b)) / 2);
}

/** The angle of the first column of an orthogonal matrix. */
const angle = (Q) => Math.atan2(Q[1][0], Q[0][0]);

/** Part of an orthogonal matrix, 0 to 1: where it reflects, it first turns over about the first axis, then turns. */
function part_of(U, share) {
  if (det(U) > 0) return rotation(angle(U) * share);
  const [over, turned] = [clamp(2 * share, 0, 1), clamp(2 * share - 1, 0, 1)];
  return times(rotation(angle(U) * turned), diagonal(1, Math.cos(Math.PI * over)));
}

/** Part of the transpose, which undoes V: it turns back and, where V reflects, turns over last. */
function part_back(V, share) {
  if (det(V) > 0) return rotation(-angle(V) * share);
  const [turned, over] = [clamp(2 * share, 0, 1), clamp(2 * share - 1, 0, 1)];
  return times(diagonal(1, Math.cos(Math.PI * over)), rotation(-angle(V) * turned));
}

/** How far the face has come at a stage from 0 to 3. */
function come({ U, s, V }, stage) {
  const [first, second, third] = [0, 1, 2].map((begin) => clamp(stage - begin, 0, 1));
  const scales = diagonal(...s.map((value) => 1 + (value - 1) * second));
  return times(part_of(U, third), times(scales, part_back(V, first)));
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
  const error = norm(product(found).map((row, i) => row.map((value, j) => value - M[i][j])));
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
  [...Array(count)].map((_, i) => {
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
  smile: [...Array(13)].map((_, i) => {
    const x = -0.42 + 0.07 * i;
    return [x, -0.58 + 0.9 * x * x];
  }),
};

const path = (points, closed = true) =>
  `M${points.map((point) => point.map((value) => value.toFixed(2)).join(" ")).join("L")}${closed ? "Z" : ""}`;

/** A square piece of the plane: `range` is how far its axes go from the middle. */
function plane(size, range) {
  const scale = size / 2 / range;
  return {
    size,
    range,
    to: ([x, y]) => [size / 2 + x * scale, size / 2 - y * scale],
    from: (x, y) => [(x - size / 2) / scale, (size / 2 - y) / scale],
  };
}

function draw_plane({ to, range, size }) {
  const made = [];
  const line = (a, b, look) => {
    const [[x1, y1], [x2, y2]] = [to(a), to(b)];
    made.push(shape("line", { x1, y1, x2, y2, stroke: "var(--hs-line)", ...look }));
  };
  for (let k = -Math.floor(range); k <= range; k++) {
    const axis = k === 0 ? { stroke: MUTED, "stroke-width": 1.2 } : {};
    line([k, -range], [k, range], axis);
    line([-range, k], [range, k], axis);
  }
  made.push(text([size - 12, size / 2 + 14], String(Math.floor(range)), { size: 11, weight: 400 }));
  return made;
}

function draw_face({ to }, A) {
  const seen = (points) => points.map((point) => to(apply(A, point)));
  const part = (points, name, closed = true) => shape("path", { d: path(seen(points), closed), class: name });
  return [
    part(FACE.light, "hs-ear"),
    part(FACE.dark, "hs-ear hs-dark"),
    part(FACE.outline, "hs-face"),
    ...FACE.eyes.map((eye) => part(eye, "hs-feature")),
    part(FACE.nose, "hs-feature"),
    part(FACE.smile, "hs-smile", false),
  ];
}

/** An arrow from the origin to `v`, in the plane's own numbers; `short` pixels are left free at its tip. */
function arrow(place, v, { color, dash = null, width = 3, name, short = 0 }) {
  const [tail, end] = [place.to([0, 0]), place.to(v)];
  const [dx, dy] = [end[0] - tail[0], end[1] - tail[1]];
  const length = Math.hypot(dx, dy);
  if (length < 2 + short) return null;
  const [ux, uy] = [dx / length, dy / length];
  const tip = [end[0] - ux * short, end[1] - uy * short];
  const head = Math.min(5 + 2.2 * width, length - short);
  const [bx, by] = [tip[0] - ux * head, tip[1] - uy * head];
  const side = 0.42 * head;
  const look = { stroke: color, "stroke-width": width, "stroke-dasharray": dash };
  return shape(
    "g",
    { class: name },
    shape("line", { x1: tail[0], y1: tail[1], x2: bx, y2: by, ...look }),
    shape("polygon", {
      points: `${tip} ${bx - uy * side},${by + ux * side} ${bx + uy * side},${by - ux * side}`,
      fill: color,
    }),
  );
}

function text([x, y], words, { color = MUTED, size = 14, weight = 650 } = {}) {
  const look = { fill: color, "font-size": size, "font-weight": weight, "text-anchor": "middle", class: "hs-label" };
  return shape("text", { x, y: y + 0.35 * size, ...look }, words);
}

/** Names beyond the tips of arrows, each where it covers no other. */
function names(place, arrows) {
  const taken = [];
  return arrows.flatMap(({ v, words, color }) => {
    const [tail, tip] = [place.to([0, 0]), place.to(v)];
    const length = Math.hypot(tip[0] - tail[0], tip[1] - tail[1]);
    if (length < 8) return [];
    const away = Math.atan2(tip[1] - tail[1], tip[0] - tail[0]);
    const half = 5 + 4 * words.length;
    const spots = [0, 0.7, -0.7, 1.3, -1.3, 2.2, -2.2].map((turn) => [
      clamp(tip[0] + (12 + 0.6 * half) * Math.cos(away + turn), half, place.size - half),
      clamp(tip[1] + 17 * Math.sin(away + turn), 9, place.size - 9),
    ]);
    const free = ([x, y]) => taken.every((old) => Math.abs(x - old.x) >= half + old.half || Math.abs(y - old.y) >= 17);
    const [x, y] = spots.find(free) ?? spots[0];
    taken.push({ x, y, half });
    return [text([x, y], words, { color })];
  });
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
  const basis = BASIS.map(({ color, dash, name }, j) => {
    const look = { color, dash, width: 2.4, name: `hs-e${j + 1}`, short };
    return { v: column(A, j), words: name, look, color };
  });
  const singular = [0, 1].map((j) => {
    const look = { color: ACCENT, dash: j ? "3 3" : null, width: 4, name: `hs-v${j + 1}` };
    return { v: apply(A, column(found.V, j)), words: labels[j], look, color: ACCENT };
  });
  const arrows = [...singular, ...basis];
  return [
    ...draw_plane(place),
    ...draw_face(place, A),
    ...arrows.map(({ v, look }) => arrow(place, v, look)).filter(Boolean),
    ...names(place, arrows),
  ];
}

// ---- what can be operated -------------------------------------------------------------------------------------------

/** A round handle for one column of the matrix, which mouse, touch and arrow keys move from `where()`, drawn or not. */
function handle(svg, j, where, move, release) {
  const { color, name } = BASIS[j];
  const group = shape("g", { class: "hs-handle", tabindex: 0, role: "slider", "aria-label": `Where M sends ${name}` });
  const knob = shape("circle", { r: 6.5, class: "hs-knob", stroke: color });
  group.append(shape("circle", { r: 18, class: "hs-hit" }), shape("circle", { r: 11, class: "hs-ring" }), knob);
  svg.append(group);
  const part = { place: null };
  let grip = null;
  const point = (event) => {
    const box = svg.getBoundingClientRect();
    const stretch = part.place.size / box.width;
    return [(event.clientX - box.left) * stretch, (event.clientY - box.top) * stretch];
  };
  // chromium heeds touch-action on a whole svg only: without this a long pull would scroll the page
  group.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  group.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    group.focus({ preventScroll: true });
    group.setPointerCapture(event.pointerId);
    const [at, [x, y]] = [part.place.to(where()), point(event)];
    grip = [at[0] - x, at[1] - y]; // it stays under the finger where it was taken
  });
  group.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const [x, y] = point(event);
    move(part.place.from(x + grip[0], y + grip[1]));
  });
  const drop = () => {
    if (grip) release();
    grip = null;
  };
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) group.addEventListener(kind, drop);
  group.addEventListener("keydown", (event) => {
    const by = TICK * (event.shiftKey ? 10 : 1);
    const steps = { ArrowRight: [by, 0], ArrowLeft: [-by, 0], ArrowUp: [0, by], ArrowDown: [0, -by] };
    const step = event.altKey || event.ctrlKey || event.metaKey ? null : steps[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    move(where().map((value, i) => value + step[i]));
    release();
  });
  part.put = (place, values) => {
    part.place = place;
    const told = `${fixed(values[0], 2)} across, ${fixed(values[1], 2)} up`;
    const numbers = { "aria-valuemin": -LARGEST, "aria-valuemax": LARGEST, "aria-valuenow": values[0] };
    fill(group, { transform: `translate(${place.to(values)})`, ...numbers, "aria-valuetext": told }, []);
  };
  part.held = () => grip !== null;
  return part;
}

/** An entry of the matrix that can be typed over. */
function entry(i, j, change) {
  const label = `M, row ${i + 1}, column ${j + 1}`;
  const field = node("input", { type: "number", step: "any", class: "hs-entry", "aria-label": label, "data-input": j });
  field.addEventListener("input", () => {
    const value = field.valueAsNumber;
    if (Number.isFinite(value) && Math.abs(value) <= LARGEST) change(value);
  });
  field.addEventListener("keydown", (event) => {
    event.stopPropagation(); // a notebook has its own plans for single letters
    const by = { ArrowUp: 0.25, ArrowDown: -0.25 }[event.key];
    if (!by) return;
    event.preventDefault();
    change(clamp(Number(((field.valueAsNumber || 0) + by).toFixed(6)), -LARGEST, LARGEST));
  });
  let last = 0;
  const put = (value) => {
    last = value;
    const writing = document.activeElement === field && Number.isNaN(field.valueAsNumber); // as after a lone minus
    if (!writing && field.valueAsNumber !== value) field.value = Number(value.toFixed(4));
  };
  field.addEventListener("blur", () => {
    field.value = Number(last.toFixed(4)); // also where something out of range was typed
  });
  return { node: node("span", { class: "hs-cell" }, field), put };
}

function button(words, press) {
  const made = node("button", { type: "button", class: "hs-button" }, words);
  made.addEventListener("click", press);
  return made;
}

function toggle(words, change) {
  const box = node("input", { type: "checkbox" });
  box.addEventListener("change", () => change(box.checked));
  return { node: node("label", { class: "hs-toggle" }, box, ` ${words}`), put: (on) => (box.checked = on) };
}

// ---- the figure -----------------------------------------------------------------------------------------------------

class Figure {
  constructor(model) {
    this.model = model;
    const names = ["matrix", "flips", "follow"];
    this.first = Object.fromEntries(names.map((name) => [name, structuredClone(model.get(name))]));
    Object.assign(this, { shown: model.get("stage"), range: 0, request: 0, gliding: 0 });
    this.build();
    this.fit();
  }

  get M() {
    return this.model.get("matrix");
  }

  get stage() {
    return this.model.get("stage");
  }

  save(changes) {
    for (const [name, value] of Object.entries(changes)) this.model.set(name, value);
    this.model.save_changes();
  }

  build() {
    const labels = ["Step by step", "M in one go"];
    this.drawings = labels.map((label) => shape("svg", { class: "hs-space", role: "group", "aria-label": label }));
    this.art = this.drawings.map((svg) => svg.appendChild(shape("g", { "aria-hidden": "true" })));
    this.columns = [0, 1].map((j) =>
      handle(
        this.drawings[1],
        j,
        () => column(this.M, j),
        (v) => this.setColumn(j, v),
        () => this.release(),
      ),
    );
    const caption = (words) => node("p", { class: "hs-panel-name" }, words);
    this.captions = ["", "M in one go: drag e₁ and e₂"].map(caption);
    this.panels = this.drawings.map((svg, i) => node("div", { class: "hs-half" }, this.captions[i], svg));
    this.panels[0].append(this.stepping());
    this.panels[1].append(this.matrix());
    this.remark = node("p", { class: "hs-remark" });
    this.list = node("dl", { class: "hs-readings" });
    this.said = node("p", { class: "hs-said", role: "status" });
    const look = { class: "hs-figure hs-rotate_scale_rotate", role: "group" };
    this.root = node("div", { ...look, "aria-label": "A matrix in three steps" });
    const both = node("div", { class: "hs-halves" }, ...this.panels);
    this.root.append(both, this.remark, this.list, this.switches(), this.said);
  }

  /** The slider through the three steps, and a button for each. */
  stepping() {
    const range = { type: "range", min: 0, max: 3, step: 0.05 };
    this.slider = node("input", { ...range, class: "hs-range", "aria-label": "How far" });
    this.slider.addEventListener("input", () => {
      this.shown = this.slider.valueAsNumber; // under the finger there is nothing to glide
      this.save({ stage: this.shown });
    });
    this.slider.addEventListener("keydown", (event) => event.stopPropagation());
    this.buttons = STEPS.map((step, i) => button(`${step} ${DOES[i]}`, () => this.go(i)));
    const group = { class: "hs-bar hs-steps", role: "group", "aria-label": "Steps" };
    return node("div", {}, this.slider, node("div", group, ...this.buttons));
  }

  matrix() {
    this.entries = [0, 1].map((i) => [0, 1].map((j) => entry(i, j, (value) => this.setEntry(i, j, value))));
    const brackets = node("span", { class: "hs-brackets hs-matrix" }, ...this.entries.flat().map((each) => each.node));
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
    const M = copy(this.M);
    M[i][j] = value;
    this.save({ matrix: M });
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
    return this.columns.some((part) => part.held());
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

  redraw() {
    if (!this.request) this.request = requestAnimationFrame(() => this.draw());
  }

  /** Let the drawn stage glide to the real one. */
  glide() {
    cancelAnimationFrame(this.gliding);
    const [from, to, begin] = [this.shown, this.stage, performance.now()];
    const time = PACE * Math.abs(to - from);
    if (calm() || !this.size || !time) {
      this.shown = to;
      return this.redraw();
    }
    const turn = (now) => {
      const t = clamp((now - begin) / time, 0, 1);
      this.shown = t < 1 ? from + (to - from) * t * t * (3 - 2 * t) : to;
      this.draw();
      if (t < 1) this.gliding = requestAnimationFrame(turn);
    };
    this.gliding = requestAnimationFrame(turn);
  }

  measure() {
    const width = Math.floor(this.panels[0].clientWidth);
    if (!width) return false; // in a closed tab or fold: the observer calls again when it opens
    this.size = Math.min(width, 340);
    const look = { viewBox: `0 0 ${this.size} ${this.size}`, width: this.size, height: this.size };
    for (const svg of this.drawings) fill(svg, look, []);
    return true;
  }

  draw() {
    cancelAnimationFrame(this.request);
    this.request = 0;
    if (!this.measure()) return;
    const found = factors(this.M, this.model.get("flips"), this.model.get("follow"));
    const place = plane(this.size, this.range);
    const labels = LABELS[Math.round(this.shown)];
    this.art[0].replaceChildren(...draw(place, come(found, this.shown), found, labels));
    this.art[1].replaceChildren(...draw(place, this.M, found, ["Mv₁", "Mv₂"], 6));
    this.columns.forEach((part, j) => part.put(place, column(this.M, j)));
    this.put(found);
  }

  /** Numbers, words and controls. */
  put(found) {
    const lost = !this.model.get("follow") && this.model.get("flips").some(Boolean);
    this.captions[0].textContent = `Step by step: ${where(this.stage)}`;
    this.remark.textContent = lost ? LOST : REMARKS[Math.round(this.stage)];
    const rows = readings(this.M, found);
    this.list.replaceChildren(
      ...rows.map(([name, value]) => node("div", {}, node("dt", {}, name), node("dd", {}, value))),
    );
    this.list.classList.toggle("hs-lost", lost);
    this.slider.value = this.stage;
    this.slider.setAttribute("aria-valuetext", where(this.stage));
    this.buttons.forEach((made, i) => made.setAttribute("aria-pressed", this.stage === i + 1));
    this.entries.forEach((row, i) => row.forEach((each, j) => each.put(this.M[i][j])));
    this.model.get("flips").forEach((flip, j) => this.toggles[j].put(flip));
    this.toggles[2].put(this.model.get("follow"));
  }

  speak() {
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => {
      const found = factors(this.M, this.model.get("flips"), this.model.get("follow"));
      const rows = readings(this.M, found).map((row) => row.join(" "));
      this.said.textContent = `${where(this.stage)}. ${rows.slice(0, 4).join("; ")}.`;
    }, 600);
  }

  changed(name) {
    if (name === "stage") this.glide();
    if (name === "matrix" && !this.held()) this.fit();
    this.redraw();
    this.speak();
  }

  stop() {
    clearTimeout(this.speaking);
    cancelAnimationFrame(this.request);
    cancelAnimationFrame(this.gliding);
  }
}

function render({ model, el }) {
  const figure = new Figure(model);
  el.append(figure.root);
  figure.draw();
  const names = ["matrix", "stage", "flips", "follow"];
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
}

export default { render };
