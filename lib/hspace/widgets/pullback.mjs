// A circle in H, and the ellipse that it becomes when it is pulled back to X. The state is described in pullback.py.

import {
  ACCENT, Figure, Handle, INK, WAYS, add, arrow, button, choices, clamp, closed, column, dot, length, line, multiples,
  node, plane, range, resize, say, shape, shows, slide, text, times, toggle, write_rows,
} from "./parts.mjs"; // prettier-ignore

const INPUTS = ["x₁", "x₂"];
const LONGEST = 3; // of v's coordinates
const RADII = [0.05, 1.5]; // of the circle
const POINTS = 120; // of an ellipse
const LATTICE = 7; // points each way, where ellipses are shown everywhere
const ENDLESS = 1e3; // a half axis that is longer is drawn without end
const NOTHING = 1e-9;
const SAMPLES = 40; // of a grid's line

const LOOK = [
  { color: "var(--hs-x1)", dash: null },
  { color: "var(--hs-x2)", dash: "6 4" },
];
const TINT = LOOK.map(({ color, dash }) => ({ stroke: color, "stroke-opacity": 0.4, "stroke-dasharray": dash }));

const told = (values) => `(${values.map((value) => say(value)).join(", ")})`;

// ---- vectors and maps ------------------------------------------------------------------------------------------------

const { sin, cos } = Math;
const T = Math.PI / 6; // of the rotation
const WINDOW = 4; // half of what is seen of H, unless a map says otherwise

/** From where the globe is looked at: what is right, up and towards the eye. */
const EYE = (() => {
  const tilt = 0.35;
  return [
    [0, 1, 0],
    [-sin(tilt), 0, cos(tilt)],
    [cos(tilt), 0, sin(tilt)],
  ];
})();
const seen = (h) => [dot(EYE[0], h), dot(EYE[1], h)];

const FLAT = "The ellipses change from place to place, and yet the space is flat:";
const MAPS = {
  bend: {
    name: "bend",
    formulas: ["x₁² + x₂", "x₁ + x₂"],
    at: ([a, b]) => [a * a + b, a + b],
    jacobian: ([a]) => [
      [2 * a, 1],
      [1, 1],
    ],
    room: [[-2, 4], [0, 6]], // prettier-ignore
    start: { point: [2, 3], vector: [0.3, 0.7], radius: 1 },
    words: `${FLAT} it is the plane on the right, in coordinates that are not straight.`,
  },
  turn: {
    name: "rotation",
    formulas: ["cos 30° · x₁ − sin 30° · x₂", "sin 30° · x₁ + cos 30° · x₂"],
    at: ([a, b]) => [cos(T) * a - sin(T) * b, sin(T) * a + cos(T) * b],
    jacobian: () => [
      [cos(T), -sin(T)],
      [sin(T), cos(T)],
    ],
    room: [[-3, 3], [-3, 3]], // prettier-ignore
    start: { point: [1, 1], vector: [0.3, 0.7], radius: 1 },
    fixed: true,
    words: "A rotation changes no length: the circle stays a circle, and both rulers agree.",
  },
  polar: {
    name: "polar",
    formulas: ["x₁ cos x₂", "x₁ sin x₂"],
    at: ([r, a]) => [r * cos(a), r * sin(a)],
    jacobian: ([r, a]) => [
      [cos(a), -r * sin(a)],
      [sin(a), r * cos(a)],
    ],
    room: [[0, 4], [-2, 2]], // prettier-ignore
    start: { point: [2, 0.6], vector: [0.3, 0.7], radius: 0.6 },
    fixed: true,
    half: 4.6,
    words: `${FLAT} the plane again, told by a distance x₁ and an angle x₂.`,
  },
  fold: {
    name: "fold",
    formulas: ["x₁²", "x₂"],
    at: ([a, b]) => [a * a, b],
    jacobian: ([a]) => [
      [2 * a, 0],
      [0, 1],
    ],
    room: [[-2, 2], [-2, 2]], // prettier-ignore
    start: { point: [1, 0.5], vector: [0.6, 0.5], radius: 0.5 },
    half: 3,
    words: `${FLAT} the plane, folded once. Pull p to the crease at x₁ = 0.`,
  },
  globe: {
    name: "globe",
    formulas: ["cos x₂ cos x₁", "cos x₂ sin x₁", "sin x₂"],
    at: ([a, b]) => [cos(b) * cos(a), cos(b) * sin(a), sin(b)],
    jacobian: ([a, b]) => [
      [-cos(b) * sin(a), -sin(b) * cos(a)],
      [cos(b) * cos(a), -sin(b) * sin(a)],
      [0, cos(b)],
    ],
    room: [[-1.5, 1.5], [-1.5, 1.5]], // prettier-ignore
    start: { point: [0.6, 0.9], vector: [0.4, 0.2], radius: 0.3 },
    fixed: true,
    half: 1.12,
    curved: true,
    unit: 0.3, // how long the basis vectors are drawn
    words: "This one is curved. No map of the Earth has circles of one size everywhere; that is why Greenland looks so large.",
  },
};

/** The singular values of J, larger first, and its right singular vectors, as the eigenvectors of JᵀJ. */
function spectrum(J) {
  const [a, b, d] = [dot(column(J, 0), column(J, 0)), dot(column(J, 0), column(J, 1)), dot(column(J, 1), column(J, 1))];
  const [middle, far] = [(a + d) / 2, length([(a - d) / 2, b])];
  const turn = 0.5 * Math.atan2(2 * b, a - d);
  const values = [middle + far, Math.max(0, middle - far)].map(Math.sqrt);
  const vectors = [[cos(turn), sin(turn)], [-sin(turn), cos(turn)]]; // prettier-ignore
  return { values, vectors, gram: [[a, b], [b, d]] }; // prettier-ignore
}

/** The half axes of the ellipse of radius r, shorter first; Infinity where J takes a direction to nothing. */
const axes = ({ values }, r) => values.map((s) => (s > NOTHING * values[0] ? r / s : Infinity));

/** The steps that J makes r long, once round. */
function ellipse(spectrum, r) {
  const half = axes(spectrum, r).map((value) => Math.min(value, ENDLESS));
  return range(POINTS).map((i) => {
    const turn = (2 * Math.PI * i) / POINTS;
    const [a, b] = [half[0] * cos(turn), half[1] * sin(turn)];
    return [0, 1].map((k) => a * spectrum.vectors[0][k] + b * spectrum.vectors[1][k]);
  });
}

/** Two unit vectors, at right angles to each other, of the plane in H that the circle lies in. */
function circlePlane(J, at) {
  if (at.length === 2) return [[1, 0], [0, 1]]; // prettier-ignore
  const north = Math.abs(at[2]) < 0.9 ? [0, 0, 1] : [1, 0, 0];
  const flat = add(north, at, -dot(north, at));
  const first = flat.map((value) => value / length(flat));
  const second = [0, 1, 2].map((i) => at[(i + 1) % 3] * first[(i + 2) % 3] - at[(i + 2) % 3] * first[(i + 1) % 3]);
  return [first, second];
}

// ---- drawing ---------------------------------------------------------------------------------------------------------

/** An arrow that tells where it ends; a dot, where it has no length. */
function pointer(tail, tip, { name, color = INK, width = 3, ...look }) {
  const whole = { class: name, "data-tip": tip.map((value) => value.toFixed(2)).join(" ") };
  const dot = () => shape("circle", { ...whole, cx: tip[0], cy: tip[1], r: width, fill: color });
  return arrow(tail, tip, { ...whole, color, width, ...look }) ?? dot();
}

/** A word a little beyond `point`, seen from `from`, inside the drawing. */
function beyond(place, point, from, words, look) {
  const way = add(point, from, -1);
  const far = length(way) || 1;
  const half = 4.2 * words.length + 3;
  const spot = add(point, way, (14 + 2 * words.length) / far);
  return text([clamp(spot[0], half, place.size - half), clamp(spot[1], 10, place.size - 10)], words, look);
}

/** Marks along the lower and the left edge, and the names of the axes. */
function frame(place, names) {
  const span = place.ends[0][1] - place.ends[0][0];
  const step = [0.5, 1, 2, 5].find((each) => span / each <= 6.5) ?? 10;
  const { size } = place;
  const small = { size: 11, weight: 400 };
  return [
    ...multiples(step, place.ends[0]).map((value) => [value, place.to([value, 0])[0]])
      .filter(([, x]) => x > 30 && x < size - 26).map(([value, x]) => text([x, size - 9], say(value), small)), // prettier-ignore
    ...multiples(step, place.ends[1]).map((value) => [value, place.to([0, value])[1]])
      .filter(([, y]) => y > 24 && y < size - 24).map(([value, y]) => text([5, y], say(value), { ...small, anchor: "start" })), // prettier-ignore
    text([size - 6, size - 9], names[0], { anchor: "end", italic: true }),
    text([6, 11], names[1], { anchor: "start", italic: true }),
  ];
}

/** The grid of X, as `image` places it in a drawing; parts of it for which `shown` is false are left out. */
function grid(map, step, image, shown = () => true) {
  return [0, 1].flatMap((axis) => {
    const [low, high] = map.room[axis];
    const [from, to] = map.room[1 - axis];
    return range(Math.round((to - from) / step) + 1).map((i) => {
      const value = from + i * step;
      const points = range(SAMPLES + 1).map((k) => {
        const along = low + ((high - low) * k) / SAMPLES;
        return axis === 0 ? [along, value] : [value, along];
      });
      const pieces = points.reduce((all, x) => {
        if (!shown(x)) all.push([]);
        else all[all.length - 1].push(image(x));
        return all;
      }, [[]]); // prettier-ignore
      const d = pieces.filter((piece) => piece.length > 1).map(line).join("");
      return shape("path", { d: d || "M0 0", fill: "none", "stroke-width": 1, ...TINT[axis] });
    });
  });
}

// ---- the figure ------------------------------------------------------------------------------------------------------

/** Move a point by an arrow key, or to an end of its first coordinate; tells whether that was the key. */
function pressed({ key, shiftKey }, at, ends, move) {
  const end = { Home: ends[0], End: ends[1] }[key];
  if (WAYS[key]) move(add(at, WAYS[key], shiftKey ? 0.5 : 0.1));
  else if (end !== undefined) move([end, at[1]]);
  return Boolean(WAYS[key]) || end !== undefined;
}

const tenth = (value) => Number((Math.round(10 * value) / 10).toFixed(1));

class Pullback extends Figure {
  constructor(model) {
    super(model);
    this.first = this.copied(NAMES);
    this.build();
  }

  get now() {
    const map = MAPS[this.get("map")] ?? MAPS.bend;
    const [p, v, r] = [this.get("point"), this.get("vector"), this.get("radius")];
    const J = map.jacobian(p);
    return { map, p, v, r, J, at: map.at(p), field: this.get("field"), spectrum: spectrum(J) };
  }

  build() {
    const names = Object.entries(MAPS).map(([key, { name }]) => [key, name]);
    this.maps = choices("Map", names, (key) => this.save({ map: key, ...MAPS[key].start }));
    const drawing = (label) => shape("svg", { class: "hs-space", role: "group", "aria-label": label });
    this.drawings = [drawing("X, with the ellipse at p"), drawing("H, with the circle at h(p)")];
    this.art = this.drawings.map((svg) => svg.appendChild(shape("g", { "aria-hidden": "true" })));
    this.formula = node("p", { class: "hs-formula" });
    this.list = node("dl", { class: "hs-readings" });
    this.remark = node("p", { class: "hs-remark" });
    const panels = this.drawings.map((svg, i) =>
      node("div", { class: "hs-panel" }, node("p", { class: "hs-side" }, i ? "H: a circle" : "X: what it was"), svg),
    );
    this.root = node("div", { class: "hs-figure hs-pullback", role: "group", "aria-label": "A metric pulled back" });
    this.root.append(
      this.maps.node,
      this.formula,
      node("div", { class: "hs-spaces" }, ...panels),
      this.controls(),
      this.remark,
      this.list,
      this.said,
    );
    this.addHandles();
  }

  controls() {
    const [min, max] = RADII;
    this.slide = slide("Radius in H", { min, max, step: 0.05 }, (radius) => this.save({ radius }));
    this.radius = node("span", { class: "hs-count", "aria-hidden": "true" });
    this.everywhere = toggle("everywhere", (field) => this.save({ field }));
    return node(
      "div",
      { class: "hs-bar" },
      node("label", { class: "hs-toggle" }, "radius ", this.slide, this.radius),
      this.everywhere.node,
      button("Start again", () => this.save(structuredClone(this.first))),
    );
  }

  addHandles() {
    const handle = (label, sizes, spot, ends, move) =>
      new Handle(this.drawings[0], {
        label,
        sizes,
        where: () => this.here.to(spot()),
        drag: (at) => move(this.here.from(at)),
        key: (event) => pressed(event, spot(), ends(), move),
      });
    const p = () => this.now.p;
    this.foot = handle("p: x₁, x₂", [15, 10, 5.5], p, () => this.now.map.room[0], (at) => this.setPoint(at));
    const ends = () => [-LONGEST, LONGEST].map((value) => p()[0] + value);
    const tip = () => add(p(), this.now.v);
    this.tip = handle("v: along x₁, along x₂", [18, 12, 7.5], tip, ends, (at) => this.setVector(at));
  }

  setPoint(at) {
    this.save({ point: at.map((value, i) => clamp(tenth(value), ...this.now.map.room[i])) });
  }

  setVector(tip) {
    this.save({ vector: add(tip, this.now.p, -1).map((value) => clamp(tenth(value), -LONGEST, LONGEST)) });
  }

  measure() {
    const width = Math.floor(this.root.clientWidth - 32);
    if (width <= 0) return false; // in a closed tab or fold: the observer calls again when it opens
    this.size = Math.min(width >= 440 ? Math.floor((width - 20) / 2) : width, 400);
    for (const svg of this.drawings) resize(svg, this.size);
    return true;
  }

  draw() {
    super.draw();
    if (!this.measure()) return;
    const now = this.now;
    const { map, at } = now;
    const middle = map.room.map(([low, high]) => (low + high) / 2);
    this.here = plane(this.size, 1.08 * Math.max(...map.room.map(([low, high]) => (high - low) / 2)), middle);
    const there = plane(this.size, map.half ?? WINDOW, map.fixed ? [0, 0] : at);
    this.art[0].replaceChildren(...this.input(this.here, now));
    this.art[1].replaceChildren(...this.output(there, now));
    this.put(now);
  }

  input(place, { map, p, v, r, spectrum: own, field }) {
    const { to } = place;
    const step = (map.room[0][1] - map.room[0][0]) / 6;
    const drawn = grid(map, step, to);
    if (field) drawn.push(...lattice(map, (x) => ellipse(spectrum(map.jacobian(x)), fieldRadius(map)).map((d) => to(add(x, d))))); // prettier-ignore
    const rim = ellipse(own, r).map((d) => to(add(p, d)));
    drawn.push(closed(rim, { class: "hs-rim hs-back" }));
    drawn.push(...units(place, p, [[1, 0], [0, 1]].map((e) => add(p, e, map.unit ?? 1)))); // prettier-ignore
    const [foot, tip] = [to(p), to(add(p, v))];
    drawn.push(pointer(foot, tip, { name: "hs-v", width: 3, short: 8 }), ...frame(place, INPUTS));
    drawn.push(beyond(place, tip, foot, "v", { color: INK, italic: true }));
    return drawn;
  }

  output(place, { map, p, v, r, J, at, spectrum: own, field }) {
    const flat = map.curved ? seen : (h) => h;
    const to = (h) => place.to(flat(h));
    const front = (h) => !map.curved || dot(EYE[2], h) > 0;
    const step = (map.room[0][1] - map.room[0][0]) / 6;
    const drawn = [];
    if (map.curved) drawn.push(shape("circle", { cx: place.size / 2, cy: place.size / 2, r: place.scale, class: "hs-rim hs-earth" })); // prettier-ignore
    drawn.push(...grid(map, step, (x) => to(map.at(x)), (x) => front(map.at(x)))); // prettier-ignore
    const [first, second] = circlePlane(J, at);
    const round = (middle, [a, b], radius) =>
      range(POINTS).map((i) => {
        const turn = (2 * Math.PI * i) / POINTS;
        return to(add(add(middle, a, radius * cos(turn)), b, radius * sin(turn)));
      });
    if (field) drawn.push(...lattice(map, (x) => round(map.at(x), circlePlane(J, map.at(x)), fieldRadius(map)), (x) => front(map.at(x)))); // prettier-ignore
    drawn.push(closed(round(at, [first, second], r), { class: "hs-rim hs-round" }));
    if (axes(own, r)[1] < ENDLESS) {
      const truth = ellipse(own, r).map((d) => to(map.at(add(p, d))));
      drawn.push(closed(truth, { class: "hs-truth", fill: "none", stroke: ACCENT, "stroke-width": 2, "stroke-dasharray": "3 3" }));
    }
    drawn.push(...units({ to }, at, [0, 1].map((j) => add(at, column(J, j), map.unit ?? 1)))); // prettier-ignore
    const [foot, tip] = [to(at), to(add(at, times(J, v)))];
    drawn.push(pointer(foot, tip, { name: "hs-u", width: 3 }), shape("circle", { cx: foot[0], cy: foot[1], r: 4, fill: INK }));
    if (!map.curved) drawn.push(...frame(place, ["h₁", "h₂"]));
    drawn.push(beyond(place, tip, foot, "J v", { color: INK, italic: true }));
    return drawn;
  }

  /** Handles, numbers, words and controls. */
  put(now) {
    const { map, p, v, r, J } = now;
    const [foot, tip] = [p, add(p, v)].map(this.here.to);
    this.foot.put(foot, { width: this.size }, [...map.room[0], p[0], `p is ${told(p)}`]);
    const lengths = `length ${say(length(v))} in X, ${say(length(times(J, v)))} in H`;
    this.tip.put(tip, { width: this.size }, [-LONGEST, LONGEST, v[0], `v is ${told(v)}, ${lengths}`]);
    this.formula.textContent = `h = (${map.formulas.join(", ")})`;
    write_rows(this.list, readings(now));
    const lost = axes(now.spectrum, r)[1] === Infinity;
    this.remark.textContent = lost ? LOST : map.words;
    this.slide.value = r;
    this.slide.setAttribute("aria-valuetext", say(r));
    this.radius.textContent = say(r);
    this.everywhere.put(now.field);
    this.maps.put(this.get("map"));
  }

  words() {
    const { v, J, spectrum: own, r } = this.now;
    return `Half axes ${halves(own, r)}. v is ${say(length(v))} long in X and ${say(length(times(J, v)))} in H.`;
  }
}

const LOST = "Here J takes a direction to nothing: the ellipse has no end, and a step along it has length 0.";

/** The images of the two basis vectors, red and blue. */
const units = (place, foot, tips) =>
  tips.map((tip, j) => pointer(place.to(foot), place.to(tip), { ...LOOK[j], width: 2.2, name: `hs-basis${j + 1}` }));

/** Ellipses or circles at a lattice of points of the room, but where an ellipse would be longer than the room. */
function lattice(map, rim, shown = () => true) {
  const along = ([low, high]) => range(LATTICE).map((i) => low + ((high - low) * (i + 0.5)) / LATTICE);
  const points = along(map.room[0]).flatMap((a) => along(map.room[1]).map((b) => [a, b]));
  const short = (x) => axes(spectrum(map.jacobian(x)), fieldRadius(map))[1] < map.room[0][1] - map.room[0][0];
  return points.filter((x) => short(x) && shown(x)).map((x) => closed(rim(x), { class: "hs-small" }));
}

const fieldRadius = (map) => (map.curved ? 0.13 : 0.35);

const halves = (own, r) =>
  axes(own, r)
    .map((value) => (value === Infinity ? "∞" : say(value)))
    .join(" and ");

/** The lines of numbers beneath the drawings. */
function readings({ map, v, r, J, spectrum: own }) {
  const { gram } = own;
  const lengths = [length(column(J, 0)), length(column(J, 1))];
  const cosine = lengths[0] * lengths[1] > 0 ? gram[0][1] / lengths[0] / lengths[1] : null;
  const angle = cosine === null ? "none" : `${say((Math.acos(clamp(cosine, -1, 1)) * 180) / Math.PI)}°`;
  return [
    ["metric JᵀJ", `${told(gram[0])}, ${told(gram[1])}`],
    ["half axes of the ellipse", halves(own, r)],
    ["length of v in X", say(length(v))],
    ["length of v in H, √(vᵀJᵀJ v)", say(length(times(J, v)))],
    ["angle of x₁ and x₂, seen in H", angle],
    ["curvature", map.curved ? "1: curved" : "0: flat"],
  ];
}

const NAMES = ["map", "point", "vector", "radius", "field"];

const render = shows(Pullback, NAMES);

export default { render };
