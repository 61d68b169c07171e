// A ball of steps and the one that descends most. The state is described in ball.py.

import {
  ACCENT, Figure, Handle, INK, MUTED, WAYS, Words, add, arrow, button, calm, choices, clamp, closed, dot, ease,
  length, node, path, plane, range, resize, say, scaled, shape, shows, text, times, write_rows,
} from "./parts.mjs"; // prettier-ignore

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

/** A point as text. */
const told = (values) => `(${values.map((value) => say(value)).join(", ")})`;

// ---- steps and their lengths -----------------------------------------------------------------------------------------

const unit = (degrees) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
const direction = ([a, b]) => (Math.atan2(b, a) * 180) / Math.PI;

/** The lengths that the balls measure. */
const lengths = {
  "2-norm": length,
  "1-norm": ([a, b]) => Math.abs(a) + Math.abs(b),
  "inf-norm": ([a, b]) => Math.max(Math.abs(a), Math.abs(b)),
  pullback: (d, J) => length(times(J, d)),
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

/** An arrow from the middle; a dot, where it has no length. */
const pointer = (tail, tip, { name, width, ...look }) => {
  const caps = look.dash ? {} : { "stroke-linecap": "round" };
  const dot = () => shape("circle", { class: name, cx: tip[0], cy: tip[1], r: 2 + width, fill: look.color ?? INK });
  return arrow(tail, tip, { class: name, width, ...look, look: caps }) ?? dot();
};

/** Put words at one of several points, as wide as they are. */
const write = (words, points, name, look) => words.put(points, 0.3 * (look.size ?? 13) * name.length + 2, name, look);

/** Places for words beyond the tip of an arrow from the middle, and beside it. */
function beyond(place, tip, words) {
  const middle = place.size / 2;
  const [dx, dy] = [tip[0] - middle, tip[1] - middle];
  const [ux, uy] = scaled([dx, dy], 1 / (length([dx, dy]) || 1));
  const far = 18 + 3.2 * words.length;
  const off = (side) => [tip[0] - side * uy * far, tip[1] + side * ux * 20];
  return [[tip[0] + ux * far, tip[1] + uy * 22], off(1), off(-1), [tip[0], tip[1] - 24], [tip[0], tip[1] + 24]];
}

function axes(place) {
  const { size, half, to } = place;
  const [marks, far] = [[-1, 1], 0.98 * half];
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
  const { half, to } = place;
  const [n, far] = [scaled(gradient, 1 / length(gradient)), 3 * half];
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
    ["Gradient ∇f", told(gradient)],
    ["Steepest step", step ? told(step) : "none"],
    ["Its slope ⟨d, ∇f⟩", say(slope)],
    ["Your step", told(own)],
    ["Its slope", step ? compared(dot(own, gradient), slope) : "0: level"],
  ];
}

// ---- the figure ------------------------------------------------------------------------------------------------------

class Ball extends Figure {
  constructor(model) {
    super(model);
    this.first = this.copied(["gradient", "ball", "tried"]);
    this.build();
    this.follow();
    this.shown = this.goal();
  }

  build() {
    const titles = Object.entries(BALLS).map(([ball, { title }]) => [ball, title]);
    this.balls = choices("Ball", titles, (ball) => this.save({ ball }));
    this.svg = shape("svg", { class: "hs-space", role: "group", "aria-label": "Steps from the point" });
    this.art = this.svg.appendChild(shape("g", { "aria-hidden": "true" }));
    this.list = node("dl", { class: "hs-readings" });
    this.remark = node("p", { class: "hs-remark" });
    this.panel = node("div", { class: "hs-drawing" }, this.svg);
    const again = button("Start again", () => this.save(structuredClone(this.first)));
    const beside = node("div", { class: "hs-told" }, this.remark, this.list, node("div", { class: "hs-bar" }, again));
    this.root = node("div", { class: "hs-figure hs-ball", role: "group", "aria-label": "A ball of steps" });
    this.root.append(this.balls.node, node("div", { class: "hs-sides" }, this.panel, beside), this.said);
    this.addHandles();
  }

  addHandles() {
    this.own = new Handle(this.svg, {
      label: "Your step",
      where: () => this.place.to(this.descent.along(this.get("tried"))),
      drag: (at) => this.try(direction(this.place.from(at))),
      key: ({ key, shiftKey }) => this.turn(key, shiftKey ? 5 : 1),
    });
    this.tip = new Handle(this.svg, {
      label: "Gradient",
      color: ACCENT,
      where: () => this.place.to(this.arrowhead()),
      drag: (at) => this.pull(scaled(this.place.from(at), 1 / this.drawn)),
      key: ({ key, shiftKey }) => this.nudge(key, shiftKey ? 5 : 1),
    });
  }

  /** The gradient to a point, in steps that can be read. */
  pull(values) {
    this.save({
      gradient: values.map((value) => Number((TICK * Math.round(clamp(value, -REACH, REACH) / TICK)).toFixed(6))),
    });
  }

  nudge(key, by) {
    const [gradient, end] = [this.get("gradient"), { Home: -REACH, End: REACH }[key]];
    if (WAYS[key]) this.pull(add(gradient, WAYS[key], TICK * by));
    else if (end) this.pull([end, gradient[1]]);
    return Boolean(WAYS[key] || end);
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

  /** Let the drawn ball and its steepest step glide to the ones that are wanted. */
  follow_ball() {
    const [from, to] = [this.shown, this.goal()];
    if (calm() || !this.place) {
      this.shown = to;
      return this.redraw();
    }
    const way = ((((to.steepest - from.steepest) % 360) + 540) % 360) - 180;
    this.glide(GLIDE, (t) => {
      const rim = to.rim.map((radius, i) => from.rim[i] + (radius - from.rim[i]) * ease(t));
      this.shown = t < 1 ? { rim, steepest: from.steepest + way * ease(t) } : to;
    });
  }

  measure() {
    const size = Math.min(Math.floor(this.panel.clientWidth), 400);
    if (size <= 0) return false; // in a closed tab or fold: the observer calls again when it opens
    this.place = plane(size, this.room);
    resize(this.svg, size);
    return true;
  }

  draw() {
    super.draw();
    if (!this.measure()) return;
    const { place, descent, shown } = this;
    const [middle, own] = [place.to([0, 0]), unit(this.get("tried"))];
    const tips = {
      steepest: place.to(scaled(unit(shown.steepest), reach(shown.rim, shown.steepest))),
      yours: place.to(scaled(own, reach(shown.rim, this.get("tried")))),
      gradient: place.to(this.arrowhead()),
    };
    const words = new Words(place.size, place.size);
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
      drawn.push(pointer(middle, tips.gradient, { name: "hs-gradient", color: MUTED, width: 3 }));
      drawn.push(pointer(middle, tips.steepest, { name: "hs-steepest", color: ACCENT, width: 4.5 }));
      write(words, beyond(place, tips.steepest, "steepest"), "steepest", { color: ACCENT, weight: 700 });
      write(words, beyond(place, tips.gradient, "∇f"), "∇f", { color: MUTED, weight: 700, size: 14 });
    }
    drawn.push(pointer(middle, tips.yours, { name: "hs-own", width: 2.4, dash: "6 4" }));
    write(words, beyond(place, tips.yours, "yours"), "yours", { color: INK });
    if (descent.step) this.nameSides(words);
    this.art.replaceChildren(...drawn, ...words.shapes);
    this.put();
  }

  /** The words "up" and "down" far from the middle, on the gradient's line. */
  nameSides(words) {
    const { place, descent } = this;
    const n = scaled(descent.gradient, (0.86 * this.room) / length(descent.gradient));
    const across = [-0.75 * n[1], 0.75 * n[0]];
    for (const [sign, name] of [
      [-1, "down"],
      [1, "up"],
    ]) {
      const spots = [-1, 1, 0].map((side) =>
        place.to([sign * 0.6 * n[0] + side * across[0], sign * 0.6 * n[1] + side * across[1]]),
      );
      write(words, spots, name, { size: 12 });
    }
  }

  /** Handles, numbers, words and buttons. */
  put() {
    const { place, descent } = this;
    const [gradient, tried] = [this.get("gradient"), this.get("tried")];
    const own = descent.along(tried);
    const spots = [place.to(scaled(unit(tried), reach(this.shown.rim, tried))), place.to(this.arrowhead())];
    const words = [`${told(own)}, slope ${say(dot(own, gradient))}`, told(gradient)];
    const limits = [
      [-180, 180, tried],
      [-REACH, REACH, gradient[0]],
    ];
    [this.own, this.tip].forEach((hold, i) => hold.put(spots[i], { width: place.size }, [...limits[i], words[i]]));
    write_rows(this.list, readings(descent, own));
    this.remark.textContent = remark(descent);
    this.balls.put(descent.ball);
  }

  words() {
    const { step, slope, gradient } = this.descent;
    const own = dot(this.descent.along(this.get("tried")), gradient);
    const best = step ? `Steepest step ${told(step)}, slope ${say(slope)}.` : "The gradient is 0.";
    return `${best} Your step has slope ${say(own)}.`;
  }

  changed(name) {
    if (name !== "tried") this.follow();
    if (name === "ball") this.follow_ball();
    else if (name !== "tried") {
      cancelAnimationFrame(this.gliding);
      this.shown = this.goal();
    }
    super.changed();
  }
}

const render = shows(Ball, ["gradient", "ball", "jacobian", "tried"]);

export default { render };
