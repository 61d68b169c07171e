// A ball of steps and the one that descends most. The state is described in ball.py.

const BALLS = {
  "2-norm": { title: "2-norm", length: "√(d₁² + d₂²)" },
  "1-norm": { title: "1-norm", length: "|d₁| + |d₂|" },
  "inf-norm": { title: "∞-norm", length: "max(|d₁|, |d₂|)" },
  pullback: { title: "Pullback metric", length: "2-norm of J d" },
};
const REACH = 5; // of each coordinate of the gradient
const ROOM = 1.75; // how far the drawing goes from the point, in units, unless a ball is wider
const DRAWN = 1.45; // how far from the point a gradient's coordinate of 5 is drawn, where the room is 1.75
const TICK = 0.1; // of the gradient's coordinates
const TURN = 5; // degrees: of an arrow key
const POINTS = 720; // of a ball's rim: corners at 45° are among them
const GLIDE = 500; // milliseconds
const TIE = 1e-9;

const INK = "var(--hs-ink)";
const MUTED = "var(--hs-muted)";
const ACCENT = "var(--hs-accent)";

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

/** A number as text: two decimals at most, a true minus sign, no minus zero. */
const say = (value) => String(Number(value.toFixed(2)) || 0).replace("-", "−");
const point = (values) => `(${values.map(say).join(", ")})`;

// ---- steps and their lengths -----------------------------------------------------------------------------------------

const dot = (u, v) => u[0] * v[0] + u[1] * v[1];
const scaled = (v, by) => [v[0] * by, v[1] * by];
const unit = (degrees) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
const direction = ([a, b]) => (Math.atan2(b, a) * 180) / Math.PI;
const times = (J, d) => J.map((row) => dot(row, d));

/** The lengths that the balls measure. */
const lengths = {
  "2-norm": (d) => Math.hypot(...d),
  "1-norm": ([a, b]) => Math.abs(a) + Math.abs(b),
  "inf-norm": ([a, b]) => Math.max(Math.abs(a), Math.abs(b)),
  pullback: (d, J) => Math.hypot(...times(J, d)),
};

/** The solution d of JᵀJ d = g. */
function lifted(J, g) {
  const [[a, b], [c, d]] = J;
  const [e, f, h] = [a * a + c * c, a * b + c * d, b * b + d * d];
  const area = e * h - f * f;
  return [(h * g[0] - f * g[1]) / area, (e * g[1] - f * g[0]) / area];
}

/** What a ball and a gradient make: lengths, the steepest step, its slope, and whether it stands for a whole edge. */
class Descent {
  constructor({ ball, gradient, jacobian }) {
    Object.assign(this, { ball, gradient, jacobian });
    this.largest = Math.max(...gradient.map(Math.abs));
    this.step = this.largest > 0 ? this.#steepest() : null;
    this.slope = this.step ? dot(this.step, gradient) : 0;
    const least = Math.min(...gradient.map(Math.abs));
    const flat = { "1-norm": least >= (1 - TIE) * this.largest, "inf-norm": least <= TIE * this.largest };
    this.edge = this.largest > 0 && Boolean(flat[ball]);
  }

  length(d) {
    return lengths[this.ball](d, this.jacobian);
  }

  /** The step of length 1 in a direction. */
  along(degrees) {
    const d = unit(degrees);
    return scaled(d, 1 / this.length(d));
  }

  #steepest() {
    const { ball, gradient: g, largest } = this;
    const sign = g.map((value) => (Math.abs(value) > TIE * largest ? Math.sign(value) : 0));
    if (ball === "inf-norm") return scaled(sign, -1);
    if (ball === "1-norm") {
      const spent = sign.map((value, i) => (Math.abs(g[i]) >= (1 - TIE) * largest ? value : 0));
      return scaled(spent, -1 / Math.hypot(...spent) ** 2);
    }
    const d = ball === "2-norm" ? g : lifted(this.jacobian, g);
    return scaled(d, -1 / this.length(d));
  }

  /** The ends of the edge that descends most, where there is one. */
  get ends() {
    if (!this.edge) return [];
    const [a, b] = this.step;
    if (this.ball === "1-norm")
      return [
        [2 * a, 0],
        [0, 2 * b],
      ];
    return a
      ? [
          [a, -1],
          [a, 1],
        ]
      : [
          [-1, b],
          [1, b],
        ];
  }

  /** How far the ball's rim is from the point, in each of so many directions. */
  rim() {
    return range(POINTS).map((i) => Math.hypot(...this.along((360 * i) / POINTS)));
  }
}

// ---- drawing ---------------------------------------------------------------------------------------------------------

/** Where steps lie in the drawing, in pixels, and back. */
function plane(size, room) {
  const scale = size / 2 / room;
  return {
    size,
    room,
    scale,
    to: ([a, b]) => [size / 2 + a * scale, size / 2 - b * scale],
    from: (x, y) => [(x - size / 2) / scale, (size / 2 - y) / scale],
  };
}

const pixels = (points) => points.map((each) => each.map((value) => value.toFixed(2)).join(" ")).join("L");
const path = (points, look) => shape("path", { d: `M${pixels(points)}`, fill: "none", ...look });
const closed = (points, look) => shape("path", { d: `M${pixels(points)}Z`, ...look });

function arrow(tail, tip, { name, color = INK, width = 3, dash = null }) {
  const [dx, dy] = [tip[0] - tail[0], tip[1] - tail[1]];
  const length = Math.hypot(dx, dy);
  if (length < 1) return shape("circle", { class: name, cx: tip[0], cy: tip[1], r: 2 + width, fill: color });
  const [ux, uy] = [dx / length, dy / length];
  const head = Math.min(5 + 2.4 * width, length);
  const base = [tip[0] - ux * head, tip[1] - uy * head];
  const side = 0.42 * head;
  const wings = [
    [base[0] - uy * side, base[1] + ux * side],
    [base[0] + uy * side, base[1] - ux * side],
  ];
  const look = {
    stroke: color,
    "stroke-width": width,
    "stroke-dasharray": dash,
    "stroke-linecap": dash ? null : "round",
  };
  return shape("g", { class: name }, path([tail, base], look), closed([tip, ...wings], { fill: color }));
}

function text([x, y], words, { color = MUTED, size = 13, weight = 600, anchor = "middle", italic = false } = {}) {
  const look = { fill: color, "font-size": size, "font-weight": weight, "text-anchor": anchor, class: "hs-label" };
  return shape("text", { x, y: y + 0.35 * size, ...look, "font-style": italic ? "italic" : null }, words);
}

/** Words near points of a drawing: they stay inside, and off one another. */
class Words {
  constructor(size) {
    Object.assign(this, { size, taken: [], shapes: [] });
  }

  /** At the first of several points where the words cover no others; if there is none, at the first. */
  put(points, words, look = {}) {
    const half = 0.3 * (look.size ?? 13) * words.length + 2;
    const inside = points.map(([x, y]) => [clamp(x, half, this.size - half), clamp(y, 9, this.size - 9)]);
    const free = ([x, y]) =>
      this.taken.every((old) => Math.abs(x - old.x) >= half + old.half || Math.abs(y - old.y) >= 15);
    const [x, y] = inside.find(free) ?? inside[0];
    this.taken.push({ x, y, half });
    this.shapes.push(text([x, y], words, look));
  }
}

/** Places for words beyond the tip of an arrow from the middle, and beside it. */
function beyond(place, tip, words) {
  const middle = place.size / 2;
  const [dx, dy] = [tip[0] - middle, tip[1] - middle];
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const far = 18 + 3.2 * words.length;
  const off = (side) => [tip[0] - side * uy * far, tip[1] + side * ux * 20];
  return [[tip[0] + ux * far, tip[1] + uy * 22], off(1), off(-1), [tip[0], tip[1] - 24], [tip[0], tip[1] + 24]];
}

function axes(place) {
  const { size, room, to } = place;
  const [marks, far] = [[-1, 1], 0.98 * room];
  const lines = [
    [
      [-far, 0],
      [far, 0],
    ],
    [
      [0, -far],
      [0, far],
    ],
  ];
  const ticks = marks
    .flatMap((at) => [
      [at, 0],
      [0, at],
    ])
    .map((at) => {
      const [x, y] = to(at);
      const d = at[1] === 0 ? `M${x} ${y - 4}v8` : `M${x - 4} ${y}h8`;
      return shape("path", { d, stroke: MUTED, "stroke-width": 1.2 });
    });
  const names = [
    text([size - 12, size / 2 + 15], "d₁", { italic: true }),
    text([size / 2 + 15, 12], "d₂", { italic: true }),
    text([to([1, 0])[0] + 4, size / 2 + 15], "1", { size: 11, weight: 400 }),
    text([size / 2 + 11, to([0, 1])[1] - 1], "1", { size: 11, weight: 400 }),
  ];
  const drawn = lines.map((ends) => path(ends.map(to), { stroke: MUTED, "stroke-width": 1.2 }));
  return [...drawn, ...ticks, ...names];
}

/** The half plane of steps that descend, its border, and the level line that the ball just touches. */
function descending(place, { gradient, step }) {
  const { room, to } = place;
  const size = Math.hypot(...gradient);
  const [n, far] = [scaled(gradient, 1 / size), 3 * room];
  const across = [-n[1], n[0]];
  const at = (along, side) => [n[0] * along + across[0] * side, n[1] * along + across[1] * side];
  const level = dot(step, n);
  const line = (along) => [at(along, -far), at(along, far)].map(to);
  return [
    closed([at(0, -far), at(0, far), at(-far, far), at(-far, -far)].map(to), { class: "hs-down" }),
    path(line(0), { stroke: MUTED, "stroke-width": 1.5, class: "hs-border" }),
    path(line(level), { stroke: ACCENT, "stroke-width": 1.5, "stroke-dasharray": "6 5", class: "hs-level" }),
  ];
}

/** The rim of a ball, given by how far it is in each direction. */
const rim = (place, radii) => radii.map((radius, i) => place.to(scaled(unit((360 * i) / radii.length), radius)));

/** How far a rim is in one direction. */
function reach(radii, degrees) {
  const at = ((((degrees % 360) + 360) % 360) / 360) * radii.length;
  const [i, share] = [Math.floor(at), at % 1];
  return radii[i % radii.length] * (1 - share) + radii[(i + 1) % radii.length] * share;
}

// ---- words -----------------------------------------------------------------------------------------------------------

const WHY = {
  "2-norm": "All directions cost the same: the best step goes straight against the gradient.",
  "1-norm": "What one coordinate uses, the other must do without: all goes to the steeper one.",
  "inf-norm": "Each coordinate may use its 1, whatever the other does: both move downhill as far as they can.",
  pullback: "Length is measured after the map J. A step that J makes small is cheap: there is much more of it.",
};

function remark(descent) {
  if (!descent.step) return "The gradient is 0: to first order no step descends.";
  if (descent.edge) return "A tie: every step of the thick edge descends as much. The arrow shows its middle.";
  return `${WHY[descent.ball]} Slide the dashed line down as far as it still touches the ball.`;
}

/** How the reader's own step compares. */
function compared(slope, best) {
  if (Math.abs(slope) < 0.005) return "0: level";
  if (slope > 0) return `${say(slope)}: up`;
  return `${say(slope)}: ${Math.round((100 * slope) / best)} % of it`;
}

function readings(descent, own) {
  const { ball, gradient, step, slope } = descent;
  return [
    ["Length of a step d", BALLS[ball].length],
    ["Gradient ∇f", point(gradient)],
    ["Steepest step", step ? point(step) : "none"],
    ["Its slope ⟨d, ∇f⟩", say(slope)],
    ["Your step", point(own)],
    ["Its slope", step ? compared(dot(own, gradient), slope) : "0: level"],
  ];
}

// ---- the figure ------------------------------------------------------------------------------------------------------

function button(words, press) {
  const made = node("button", { type: "button", class: "hs-button" }, words);
  made.addEventListener("click", press);
  return made;
}

/** A round handle that mouse, touch and arrow keys move. `move(point)` and `key(event)` are told where to. */
function handle(svg, label, color, { where, move, key }) {
  const group = shape("g", { class: "hs-handle", tabindex: 0, role: "slider", "aria-label": label });
  const [ring, knob] = [shape("circle", { r: 12, class: "hs-ring" }), shape("circle", { r: 7.5, class: "hs-knob" })];
  group.append(shape("circle", { r: 20, class: "hs-hit" }), ring, fill(knob, { stroke: color }, []));
  let grip = null;
  const pointer = (event) => {
    const box = svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  // Else a phone scrolls after all: browsers heed touch-action on a whole drawing, and not on a part of it.
  group.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  group.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    group.focus({ preventScroll: true });
    group.setPointerCapture(event.pointerId);
    const [[x, y], [ax, ay]] = [pointer(event), where()];
    grip = [ax - x, ay - y]; // it stays under the finger where it was taken
  });
  group.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const [x, y] = pointer(event);
    move(x + grip[0], y + grip[1]);
  });
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
    group.addEventListener(kind, () => (grip = null));
  }
  group.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !key(event.key, event.shiftKey ? 5 : 1)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  return svg.appendChild(group);
}

class Figure {
  constructor(model) {
    this.model = model;
    this.first = Object.fromEntries(["gradient", "ball", "tried"].map((name) => [name, model.get(name)]));
    this.build();
    this.follow();
    this.shown = this.goal();
  }

  get(name) {
    return this.model.get(name);
  }

  save(changes) {
    for (const [name, value] of Object.entries(changes)) this.model.set(name, value);
    this.model.save_changes();
  }

  build() {
    this.choices = Object.entries(BALLS).map(([ball, { title }]) => [ball, button(title, () => this.save({ ball }))]);
    this.svg = shape("svg", { class: "hs-space", role: "group", "aria-label": "Steps from the point" });
    this.art = this.svg.appendChild(shape("g", { "aria-hidden": "true" }));
    this.list = node("dl", { class: "hs-readings" });
    this.remark = node("p", { class: "hs-remark" });
    this.said = node("p", { class: "hs-said", role: "status" });
    this.panel = node("div", { class: "hs-drawing" }, this.svg);
    const again = button("Start again", () => this.save({ ...this.first, gradient: [...this.first.gradient] }));
    const beside = node("div", { class: "hs-told" }, this.remark, this.list, node("div", { class: "hs-bar" }, again));
    this.root = node("div", { class: "hs-figure hs-ball", role: "group", "aria-label": "A ball of steps" });
    this.root.append(
      node(
        "div",
        { class: "hs-choices", role: "group", "aria-label": "Ball" },
        ...this.choices.map(([, made]) => made),
      ),
      node("div", { class: "hs-sides" }, this.panel, beside),
      this.said,
    );
    this.addHandles();
  }

  addHandles() {
    this.own = handle(this.svg, "Your step", INK, {
      where: () => this.place.to(this.descent.along(this.get("tried"))),
      move: (x, y) => this.try(direction(this.place.from(x, y))),
      key: (name, by) => this.turn(name, by),
    });
    this.tip = handle(this.svg, "Gradient", ACCENT, {
      where: () => this.place.to(this.arrowhead()),
      move: (x, y) => this.pull(scaled(this.place.from(x, y), 1 / this.drawn)),
      key: (name, by) => this.nudge(name, by),
    });
  }

  /** The gradient to a point, in steps that can be read. */
  pull(values) {
    this.save({
      gradient: values.map((value) => Number((TICK * Math.round(clamp(value, -REACH, REACH) / TICK)).toFixed(6))),
    });
  }

  nudge(key, by) {
    const steps = { ArrowRight: [by, 0], ArrowLeft: [-by, 0], ArrowUp: [0, by], ArrowDown: [0, -by] };
    const [a, b] = this.get("gradient");
    const ends = { Home: [-REACH, b], End: [REACH, b] };
    if (steps[key]) this.pull([a + TICK * steps[key][0], b + TICK * steps[key][1]]);
    else if (ends[key]) this.pull(ends[key]);
    return Boolean(steps[key] || ends[key]);
  }

  /** The reader's own step to a direction, in whole degrees. */
  try(degrees) {
    const whole = Math.round(degrees);
    this.save({ tried: whole > 180 ? whole - 360 : whole < -180 ? whole + 360 : whole });
  }

  turn(key, by) {
    const way = { ArrowRight: -1, ArrowDown: -1, ArrowLeft: 1, ArrowUp: 1 }[key]; // to the right is with the clock
    const ends = { Home: -180, End: 180 };
    if (way) this.try(this.get("tried") + way * by * TURN);
    else if (key in ends) this.try(ends[key]);
    return Boolean(way || key in ends);
  }

  follow() {
    this.descent = new Descent({
      ball: this.get("ball"),
      gradient: this.get("gradient"),
      jacobian: this.get("jacobian"),
    });
    const widest = Math.max(...new Descent({ ...this.descent, ball: "pullback" }).rim());
    this.room = Math.max(ROOM, 1.12 * widest); // for every ball alike: nothing jumps when another is chosen
    this.drawn = ((DRAWN / REACH) * this.room) / ROOM;
  }

  /** What the drawing is to show: the ball's rim and the directions of the steepest step and the reader's. */
  goal() {
    const { step } = this.descent;
    return { rim: this.descent.rim(), steepest: step ? direction(step) : 0 };
  }

  arrowhead() {
    return scaled(this.get("gradient"), this.drawn);
  }

  redraw() {
    if (!this.request) this.request = requestAnimationFrame(() => this.draw());
  }

  /** Let the drawn ball and its steepest step glide to the ones that are wanted. */
  glide() {
    cancelAnimationFrame(this.gliding);
    const [from, to, begin] = [this.shown, this.goal(), performance.now()];
    if (calm() || !this.place) {
      this.shown = to;
      return this.redraw();
    }
    const way = ((((to.steepest - from.steepest) % 360) + 540) % 360) - 180;
    const turn = (now) => {
      const t = clamp((now - begin) / GLIDE, 0, 1);
      const ease = t * t * (3 - 2 * t);
      const radii = to.rim.map((radius, i) => from.rim[i] + (radius - from.rim[i]) * ease);
      this.shown = t < 1 ? { rim: radii, steepest: from.steepest + way * ease } : to;
      this.draw();
      if (t < 1) this.gliding = requestAnimationFrame(turn);
    };
    this.gliding = requestAnimationFrame(turn);
  }

  measure() {
    const size = Math.min(Math.floor(this.panel.clientWidth), 400);
    if (size <= 0) return false; // in a closed tab or fold: the observer calls again when it opens
    this.place = plane(size, this.room);
    fill(this.svg, { viewBox: `0 0 ${size} ${size}`, width: size, height: size }, []);
    return true;
  }

  draw() {
    cancelAnimationFrame(this.request);
    this.request = 0;
    if (!this.measure()) return;
    const { place, descent, shown } = this;
    const [middle, own] = [place.to([0, 0]), unit(this.get("tried"))];
    const tips = {
      steepest: place.to(scaled(unit(shown.steepest), reach(shown.rim, shown.steepest))),
      yours: place.to(scaled(own, reach(shown.rim, this.get("tried")))),
      gradient: place.to(this.arrowhead()),
    };
    const words = new Words(place.size);
    words.taken.push(...Object.values(tips).map(([x, y]) => ({ x, y, half: 14 })));
    const names = [
      [place.size - 12, place.size / 2 + 15],
      [place.size / 2 + 15, 12],
    ]; // of the axes
    words.taken.push(...names.map(([x, y]) => ({ x, y, half: 10 })));
    const ball = closed(rim(place, shown.rim), { class: "hs-rim" });
    const [down, ...lines] = descent.step ? descending(place, descent) : [];
    const drawn = [...(down ? [down] : []), ball, ...lines, ...axes(place)];
    if (descent.step) {
      if (descent.edge) drawn.push(path(descent.ends.map(place.to), { class: "hs-edge" }));
      drawn.push(arrow(middle, tips.gradient, { name: "hs-gradient", color: MUTED, width: 3 }));
      drawn.push(arrow(middle, tips.steepest, { name: "hs-steepest", color: ACCENT, width: 4.5 }));
      words.put(beyond(place, tips.steepest, "steepest"), "steepest", { color: ACCENT, weight: 700 });
      words.put(beyond(place, tips.gradient, "∇f"), "∇f", { color: MUTED, weight: 700, size: 14 });
    }
    drawn.push(arrow(middle, tips.yours, { name: "hs-own", width: 2.4, dash: "6 4" }));
    words.put(beyond(place, tips.yours, "yours"), "yours", { color: INK });
    if (descent.step) this.nameSides(words);
    this.art.replaceChildren(...drawn, ...words.shapes);
    this.put();
  }

  /** The words "up" and "down" far from the middle, on the gradient's line. */
  nameSides(words) {
    const { place, descent } = this;
    const n = scaled(descent.gradient, (0.86 * this.room) / Math.hypot(...descent.gradient));
    const across = [-0.75 * n[1], 0.75 * n[0]];
    for (const [sign, name] of [
      [-1, "down"],
      [1, "up"],
    ]) {
      const spots = [-1, 1, 0].map((side) =>
        place.to([sign * 0.6 * n[0] + side * across[0], sign * 0.6 * n[1] + side * across[1]]),
      );
      words.put(spots, name, { size: 12 });
    }
  }

  /** Handles, numbers, words and buttons. */
  put() {
    const { place, descent } = this;
    const [gradient, tried] = [this.get("gradient"), this.get("tried")];
    const own = descent.along(tried);
    const spots = [place.to(scaled(unit(tried), reach(this.shown.rim, tried))), place.to(this.arrowhead())];
    const told = [`${point(own)}, slope ${say(dot(own, gradient))}`, point(gradient)];
    const limits = [
      [-180, 180, tried],
      [-REACH, REACH, gradient[0]],
    ];
    [this.own, this.tip].forEach((hold, i) => {
      const [low, high, now] = limits[i];
      const values = { "aria-valuemin": low, "aria-valuemax": high, "aria-valuenow": now, "aria-valuetext": told[i] };
      fill(hold, { transform: `translate(${spots[i].map((value) => value.toFixed(2)).join(" ")})`, ...values }, []);
    });
    const rows = readings(descent, own);
    this.list.replaceChildren(
      ...rows.map(([name, value]) => node("div", {}, node("dt", {}, name), node("dd", {}, value))),
    );
    this.remark.textContent = remark(descent);
    for (const [ball, made] of this.choices) made.setAttribute("aria-pressed", ball === descent.ball);
  }

  speak() {
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => {
      const { step, slope, gradient } = this.descent;
      const own = dot(this.descent.along(this.get("tried")), gradient);
      const best = step ? `Steepest step ${point(step)}, slope ${say(slope)}.` : "The gradient is 0.";
      this.said.textContent = `${best} Your step has slope ${say(own)}.`;
    }, 600);
  }

  changed(name) {
    if (name !== "tried") this.follow();
    if (name === "ball") this.glide();
    else if (name !== "tried") {
      cancelAnimationFrame(this.gliding);
      this.shown = this.goal();
    }
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
  const names = ["gradient", "ball", "jacobian", "tried"];
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
