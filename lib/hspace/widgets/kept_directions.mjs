// A vector v and its image M v in one plane: which directions are kept? The state is described in kept_directions.py.

import {
  ACCENT, Figure, Handle, INK, LINE, MUTED, arrow, button, calm, choices, clamp, entry, length, line, node, plane,
  range, resize, round_up, say, shape, shows, text, times, toggle, write_rows,
} from "./parts.mjs"; // prettier-ignore

const EXACT = 1e-9; // how near to touching counts as touching, in units of the matrix
const NOTHING = 1e-6; // how short an image counts as none
const CATCH = 2; // degrees: a dragged vector jumps to a kept direction that is so near
const FINE = 240; // points of the ellipse and of the line of turns
const PACE = 14; // seconds for a whole round
const [LEFT, RIGHT, TOP, BOTTOM] = [40, 12, 14, 34]; // of the chart, in pixels

// ---- angles in degrees, vectors of the plane --------------------------------------------------------------------------

const degrees = (radians) => (radians * 180) / Math.PI;
const unit = (angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
const modulo = (value, by) => ((value % by) + by) % by;
const at_angle = (v) => modulo(degrees(Math.atan2(v[1], v[0])), 360);
const apart = (a, b) => modulo(a - b + 180, 360) - 180; // from b to a, the short way

/** The angle from v to M v, to the left, from above -180 to 180; null where M v is 0. */
function turn(M, angle) {
  const [v, image] = [unit(angle), times(M, unit(angle))];
  if (length(image) < NOTHING) return null;
  const found = degrees(Math.atan2(v[0] * image[1] - v[1] * image[0], v[0] * image[0] + v[1] * image[1]));
  return found <= -180 + EXACT ? 180 : found;
}

/** The kept directions in degrees, 0 to below 180; null where all are. As `kept` in kept_directions.py. */
function kept([[a, b], [c, d]]) {
  const [offset, size, phase] = [(c - b) / 2, Math.hypot(c + b, d - a) / 2, Math.atan2(d - a, c + b)];
  const least = EXACT * Math.max(EXACT, ...[a, b, c, d].map(Math.abs));
  if (Math.max(size, Math.abs(offset)) <= least) return null;
  if (Math.abs(offset) > size + least) return [];
  const half = Math.acos(clamp(-offset / size, -1, 1));
  const found = [1, -1].map((side) => modulo(Number(modulo(degrees(phase + side * half) / 2, 180).toFixed(6)), 180));
  const one = half < 1e-4 || Math.PI - half < 1e-4; // the two have become one
  return one ? [Math.min(...found)] : found.sort((p, q) => p - q);
}

const stretch = (M, angle) => {
  const [v, image] = [unit(angle), times(M, unit(angle))];
  return v[0] * image[0] + v[1] * image[1];
};

/** Both eigenvalues of a matrix that keeps no direction, as text. */
function complex([[a, b], [c, d]]) {
  const below = ((a - d) / 2) ** 2 + b * c;
  return `${say((a + d) / 2)} ± ${say(Math.sqrt(Math.max(0, -below)))} i`;
}

const angled = (value) => `${(Math.round(value * 10) / 10 + 0).toFixed(1)}°`.replace("-", "−");

// ---- drawing ---------------------------------------------------------------------------------------------------------

const stroke = (d, look) => shape("path", { d, fill: "none", ...look });

const label = (at, words, look) => text(at, words, { size: 12, ...look });

/** The plane in pixels: how it is scaled, so that the unit circle and its image are seen, and names beyond them. */
function seen(size, M) {
  const far = Math.max(1, ...range(24).map((i) => length(times(M, unit(15 * i)))));
  return plane(size, ((size / 2) * round_up(far, [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8])) / (size / 2 - 34));
}

/** An arrow; a dot, where it has no length. */
const pointer = (tail, tip, color, width) =>
  arrow(tail, tip, { color, width, look: { "stroke-linecap": "round" } }) ??
  shape("circle", { cx: tip[0], cy: tip[1], r: 4, fill: color });

const curve = ({ to }, M) => line(range(FINE + 1).map((i) => to(times(M, unit((360 * i) / FINE)))));
const SAME = [
  [1, 0],
  [0, 1],
];

/** Circle and image, the marked lines, v and M v with the angle between. */
function draw_plane(place, M, angle, marked) {
  const { size } = place;
  const [middle, v, image] = [place.to([0, 0]), place.to(unit(angle)), place.to(times(M, unit(angle)))];
  const through = (at) => line([-3 * size, 3 * size].map((far) => place.to(unit(at).map((e) => (e * far) / place.scale))));
  const made = [
    stroke(line([[0, size / 2], [size, size / 2]]), { stroke: LINE, "stroke-width": 1 }), // prettier-ignore
    stroke(line([[size / 2, 0], [size / 2, size]]), { stroke: LINE, "stroke-width": 1 }), // prettier-ignore
    ...marked.map((at) => stroke(through(at), { class: "hs-kept", stroke: ACCENT, "stroke-width": 1.6, "stroke-dasharray": "2 4" })),
    stroke(curve(place, SAME), { stroke: MUTED, "stroke-width": 1.4 }),
    stroke(curve(place, M), { stroke: ACCENT, "stroke-width": 1.4, "stroke-dasharray": "5 4" }),
  ];
  const turned = turn(M, angle);
  if (turned !== null && Math.abs(turned) > 0.05) {
    const arc = range(31).map((i) => place.to(unit(angle + (turned * i) / 30).map((e) => 0.42 * e)));
    made.push(stroke(line(arc), { stroke: INK, "stroke-width": 1.4 }));
  }
  made.push(pointer(middle, image, ACCENT, 4), pointer(middle, v, INK, 2.4));
  const names = [[image, "M v", ACCENT], [v, "v", INK]]; // prettier-ignore
  const near = Math.hypot(image[0] - v[0], image[1] - v[1]) < 26;
  names.forEach(([tip, name, color], i) => made.push(name_tip(tip, middle, name, color, size, near && i === 0)));
  return made;
}

/** A name beyond an arrow's tip; beside the arrow where another name stands there. */
function name_tip(tip, middle, name, color, size, crowded) {
  const [dx, dy] = [tip[0] - middle[0], tip[1] - middle[1]];
  const long = Math.hypot(dx, dy) || 1;
  const [ux, uy] = long > 1 ? [dx / long, dy / long] : [0, 1];
  const [along, aside] = crowded ? [-20, 24] : [22, name === "v" ? -20 : 0];
  const [x, y] = [tip[0] + ux * along - uy * aside, tip[1] + uy * along + ux * aside];
  return label([clamp(x, 14, size - 14), clamp(y, 9, size - 9)], name, { color, size: 14, weight: 700 });
}

/** The turn for every direction: where the line meets 0 or 180, a direction is kept. */
function draw_chart(width, height, M, angle, marked) {
  const turns = range(FINE + 1).map((i) => turn(M, (360 * i) / FINE));
  const end = Math.max(...turns.map((each) => Math.abs(each ?? 0))) < 89 ? 90 : 180;
  const x = (at) => LEFT + ((width - LEFT - RIGHT) * at) / 360;
  const y = (turned) => TOP + ((height - TOP - BOTTOM) * (end - turned)) / (2 * end);
  const made = [];
  for (const level of [-end, -end / 2, 0, end / 2, end]) {
    const whole = level % 180 === 0;
    const look = { stroke: whole ? MUTED : LINE, "stroke-width": whole ? 1.4 : 1 };
    made.push(stroke(line([[LEFT, y(level)], [width - RIGHT, y(level)]]), look)); // prettier-ignore
    made.push(label([LEFT - 6, y(level)], say(level), { size: 11, weight: 400, anchor: "end" }));
  }
  for (const at of [0, 90, 180, 270, 360])
    made.push(label([x(at), height - BOTTOM + 13], String(at), { size: 11, weight: 400 }));
  made.push(label([(LEFT + width - RIGHT) / 2, height - 7], "direction of v, degrees", { size: 12, weight: 400 }));
  let [d, last] = ["", null];
  for (const i of range(FINE + 1)) {
    const now = turns[i];
    const goes_on = now !== null && last !== null && Math.abs(now - last) < 90;
    if (now !== null) d += `${goes_on ? "L" : "M"}${x((360 * i) / FINE).toFixed(2)} ${y(now).toFixed(2)}`;
    last = now;
  }
  made.push(stroke(d, { class: "hs-turns", stroke: ACCENT, "stroke-width": 2.4 }));
  for (const at of marked.flatMap((each) => [each, each + 180])) {
    const level = Math.abs(turn(M, at) ?? 0) > 90 ? 180 : 0;
    made.push(shape("circle", { class: "hs-spot", cx: x(at), cy: y(level), r: 5.5, fill: "var(--hs-paper)", stroke: ACCENT, "stroke-width": 2.4 }));
  }
  const now = turn(M, angle);
  made.push(stroke(line([[x(angle), TOP], [x(angle), height - BOTTOM]]), { stroke: INK, "stroke-width": 1, "stroke-dasharray": "2 3" })); // prettier-ignore
  if (now !== null) made.push(shape("circle", { cx: x(angle), cy: y(now), r: 4.5, fill: INK }));
  return made;
}

// ---- words -----------------------------------------------------------------------------------------------------------

/** What became of v, in a few words. */
function happened(M, angle) {
  const turned = turn(M, angle);
  if (turned === null) return "M v is 0";
  if (Math.abs(turned) < 0.05) return "kept: it is not turned";
  if (Math.abs(turned) > 179.95) return "kept: it is turned over, on the same line";
  return `turned by ${angled(turned)}`;
}

/** The sentence under the figure. */
function remark(M, angle, all, marks) {
  const here = (all ?? [modulo(angle, 180)]).find((at) => Math.abs(apart(2 * angle, 2 * at)) < 0.1);
  if (all === null) return `Every direction is kept: M v is ${say(stretch(M, 0))} v, whatever v is.`;
  if (here !== undefined) {
    const value = say(stretch(M, here));
    return value === "0"
      ? "An eigenvector, with the eigenvalue 0: M v is nothing, which is 0 times v."
      : `An eigenvector: M v is ${value} times v. The eigenvalue is ${value}.`;
  }
  if (marks && !all.length)
    return `There is no mark to see: this matrix turns every direction. Its eigenvalues are ${complex(M)}.`;
  return "Turn v by its round handle. Is there a direction that M does not turn?";
}

// ---- the figure ------------------------------------------------------------------------------------------------------

const STEPS = { ArrowRight: 1, ArrowUp: 1, PageUp: 15, ArrowLeft: -1, ArrowDown: -1, PageDown: -15 };

class KeptDirections extends Figure {
  constructor(model) {
    super(model);
    this.found = new Map(); // what the reader has found, for each matrix
    this.build();
  }

  get M() {
    return this.get("matrix");
  }

  get angle() {
    return this.get("angle");
  }

  build() {
    const presets = this.get("presets").map(([name, matrix]) => [JSON.stringify(matrix), name]);
    this.presets = choices("Matrix", presets, (key) => this.choose(JSON.parse(key)));
    this.svg = shape("svg", { class: "hs-space", role: "group", "aria-label": "v and M v in the plane" });
    this.art = this.svg.appendChild(shape("g", { "aria-hidden": "true" }));
    this.chart = shape("svg", { class: "hs-space", "aria-hidden": "true" });
    this.list = node("dl", { class: "hs-readings" });
    this.remark = node("p", { class: "hs-remark" });
    this.panel = node("div", { class: "hs-turning" }, this.svg);
    this.chart_panel = node("div", { class: "hs-chart" }, node("p", {}, "turned by, degrees"), this.chart);
    const label = "A vector to turn, and its image by a matrix";
    this.root = node("div", { class: "hs-figure hs-kept_directions", role: "group", "aria-label": label });
    this.root.append(
      this.presets.node,
      node("div", { class: "hs-pair" }, this.panel, this.chart_panel),
      node("div", { class: "hs-facts" }, this.entries(), this.list),
      this.remark,
      this.controls(),
      this.said,
    );
    this.handle = new Handle(this.svg, {
      label: "Direction of v",
      where: () => this.plane.to(unit(this.angle)),
      drag: (point) => this.drag(point),
      key: (event) => this.press(event),
      take: () => this.halt(),
    });
  }

  entries() {
    const cell = (i, j) => entry(`row ${i + 1}, column ${j + 1} of M`, (value) => this.setEntry(i, j, value));
    this.cells = [0, 1].map((i) => [0, 1].map((j) => cell(i, j)));
    const body = this.cells.flat().map((cell) => node("span", { class: "hs-cell" }, cell.node));
    const matrix = node("span", { class: "hs-brackets hs-matrix" }, ...body);
    matrix.style.setProperty("--hs-columns", 2);
    return node("div", { class: "hs-product" }, node("span", { class: "hs-name" }, "M ="), matrix);
  }

  controls() {
    this.play = button("Turn", () => (this.playing ? this.halt() : this.start()));
    this.play.classList.add("hs-play");
    this.marks = toggle("show the kept directions", (marks) => this.save({ marks }));
    return node("div", { class: "hs-bar" }, this.play, this.marks.node);
  }

  /** To where the pointer shows, in half degrees, or to a kept direction close by. */
  drag(point) {
    const wanted = at_angle(this.plane.from(point));
    const near = this.lines().find((at) => Math.abs(apart(wanted, at)) < CATCH);
    this.save({ angle: near ?? modulo(Math.round(2 * wanted) / 2, 360) });
  }

  press({ key, shiftKey }) {
    const by = STEPS[key] * (shiftKey ? 10 : 1);
    const goal = { Home: 0, End: 180 }[key];
    if (goal === undefined && Number.isNaN(by)) return false;
    this.halt();
    if (goal !== undefined) this.save({ angle: goal });
    else this.turnBy(by);
    return true;
  }

  /** The angles at which v lies on a kept direction, all round. */
  lines() {
    return (kept(this.M) ?? []).flatMap((at) => [at, at + 180]);
  }

  /** Turn, and stop at a kept direction on the way: it shall not be missed between two steps. */
  turnBy(by) {
    const from = this.angle;
    const ways = this.lines().map((at) => apart(at, from) * Math.sign(by));
    const least = Math.min(...ways.filter((way) => way > 1e-6 && way < Math.abs(by)));
    const to = from + (Number.isFinite(least) ? least : Math.abs(by)) * Math.sign(by);
    this.save({ angle: modulo(Number(to.toFixed(6)), 360) });
  }

  choose(matrix) {
    this.halt();
    this.save({ matrix });
  }

  setEntry(i, j, value) {
    this.halt();
    this.save({ matrix: this.M.map((row, r) => row.map((old, c) => (r === i && c === j ? value : old))) });
  }

  /** Once round. */
  start() {
    if (calm()) return this.turnBy(15);
    let [last, left] = [performance.now(), 360];
    const next = (now) => {
      const by = Math.min(left, (360 * Math.min(100, now - last)) / (1000 * PACE));
      [last, left] = [now, left - by];
      if (by > 0) this.turnBy(by);
      this.playing = left > 1e-6 ? requestAnimationFrame(next) : null;
      this.redraw();
    };
    this.playing = requestAnimationFrame(next);
    this.redraw();
  }

  halt() {
    cancelAnimationFrame(this.playing);
    this.playing = null;
    this.redraw();
  }

  /** The kept directions that are marked: all, or those that the reader has found. */
  marked(all) {
    const key = JSON.stringify(this.M);
    const seen = this.found.get(key) ?? new Set();
    const here = (all ?? []).find((at) => Math.abs(apart(2 * this.angle, 2 * at)) < 0.1);
    if (here !== undefined) this.found.set(key, seen.add(here));
    return this.get("marks") ? (all ?? []) : [...seen].sort((a, b) => a - b);
  }

  draw() {
    super.draw();
    const [size, width] = [this.panel, this.chart_panel].map((panel) => Math.floor(panel.clientWidth));
    if (!size || !width) return; // in a closed tab or fold: the observer calls again when it opens
    const [M, angle, all] = [this.M, this.angle, kept(this.M)];
    const [marked, high] = [this.marked(all), clamp(0.72 * width, 190, 250)];
    this.plane = seen(size, M);
    resize(this.svg, size);
    resize(this.chart, width, high);
    this.art.replaceChildren(...draw_plane(this.plane, M, angle, marked));
    this.chart.replaceChildren(...draw_chart(width, high, M, angle, marked));
    this.put(M, angle, all, marked);
  }

  /** Handle, numbers, words and controls. */
  put(M, angle, all, marked) {
    const image = times(M, unit(angle));
    const told = `v at ${angled(angle)}, ${happened(M, angle)}`;
    const now = [0, 360, Number(angle.toFixed(1)), told];
    this.handle.put(this.plane.to(unit(angle)), { width: this.plane.size }, now);
    const listed = marked.map((at) => `${angled(at)} (${say(stretch(M, at))})`).join(", ");
    const rows = [
      ["v", angled(angle)],
      ["M v", length(image) < NOTHING ? "0" : `${angled(at_angle(image))}, ${say(length(image))} long`],
      ["So it is", happened(M, angle)],
      ["Directions kept", all === null ? "all" : listed || (this.get("marks") ? "none" : "none found yet")],
    ];
    write_rows(this.list, rows);
    this.remark.textContent = remark(M, angle, all, this.get("marks"));
    this.cells.forEach((row, i) => row.forEach((cell, j) => cell.put(M[i][j])));
    this.presets.put(JSON.stringify(M));
    this.marks.put(this.get("marks"));
    this.play.textContent = this.playing ? "Stop" : "Turn";
  }

  words() {
    const told = remark(this.M, this.angle, kept(this.M), this.get("marks"));
    return `v at ${angled(this.angle)}, ${happened(this.M, this.angle)}. ${told}`;
  }

  stop() {
    cancelAnimationFrame(this.playing);
    super.stop();
  }
}

const render = shows(KeptDirections, ["matrix", "angle", "marks"]);

export default { render };
