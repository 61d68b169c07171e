// The graph of a computation, walked forward and back. The state is described in graph.py, which computes every number;
// here they are added up and shown.

import { Figure, button, choices, clamp, node, resize, shape, shows, slide, write_rows } from "./parts.mjs";

const ROW = 88; // pixels from one level to the next
const [HIGH, WIDE, LEAST] = [60, 124, 64]; // of a box
const MODES = { reverse: "Reverse mode", forward: "Forward mode" };

// ---- numbers, in lists of lists --------------------------------------------------------------------------------------

const add = (a, b) => (Array.isArray(a) ? a.map((value, i) => add(value, b[i])) : a + b);
const count = (value) => (Array.isArray(value) ? value.reduce((sum, part) => sum + count(part), 0) : 1);

/** A number with up to three decimals; all numbers as 0.5, (1, 2), or by rows (1, 2; 3, 4). */
function written(value) {
  if (!Array.isArray(value)) return String(Number(value.toFixed(3)) + 0).replace("-", "−");
  const rows = Array.isArray(value[0]) ? value.map((row) => row.map(written).join(", ")) : value.map(written);
  return `(${rows.join(Array.isArray(value[0]) ? "; " : ", ")})`;
}

/** The same in at most `most` letters: with fewer decimals, or else only how many there are. */
function short(value, most) {
  const rounded = (digits) => (part) =>
    Array.isArray(part) ? part.map(rounded(digits)) : Number(part.toFixed(digits));
  for (const digits of [3, 2]) {
    const text = written(rounded(digits)(value));
    if (text.length <= most) return text;
  }
  return `${count(value)} numbers`;
}

// ---- the walk --------------------------------------------------------------------------------------------------------

/** What is known after a number of steps in a mode. */
class Walk {
  constructor({ nodes, links, stored }, mode, at) {
    Object.assign(this, { nodes, links, stored, mode, at });
    this.made = nodes.flatMap((given, i) => (given.input ? [] : [i])); // operations, in order
    const many = this.made.length;
    this.length = mode === "reverse" ? 2 * many : many;
    this.done = new Set(this.made.slice(0, Math.min(at, many)));
    this.back = at > many ? this.made.slice(2 * many - at) : []; // those that have handed on what they were told
    this.current = at === 0 ? null : at <= many ? this.made[at - 1] : this.back[0];
    this.turned = mode === "reverse" && at > many;
  }

  knows(i) {
    return this.nodes[i].input || this.done.has(i);
  }

  /** What a node has been told so far, or null: the sum of what came along its arrows. */
  told(i) {
    const whole = this.mode === "reverse" && this.at >= this.made.length;
    if (whole && i === this.nodes.length - 1) return this.nodes[i].told;
    const parts = this.links.filter(({ start, end }) => start === i && this.back.includes(end));
    return parts.length ? parts.map((link) => link.told).reduce(add) : null;
  }

  moved(i) {
    return this.mode === "forward" && this.knows(i) ? this.nodes[i].moved : null;
  }

  /** Whether all who use a node have told it their part. */
  complete(i) {
    return this.links.every(({ start, end }) => start !== i || this.back.includes(end));
  }

  arrows(i) {
    return this.links.filter(({ end }) => end === i);
  }

  /** The arrows whose kept numbers are still there; forward mode needs them only at once. */
  keeping() {
    if (this.mode === "forward") return this.current === null ? [] : this.arrows(this.current);
    return this.links.filter(({ end }) => this.done.has(end) && !this.back.includes(end));
  }

  kept() {
    const tensors = new Set(this.keeping().flatMap(({ keeps }) => (keeps === null ? [] : [keeps])));
    return [...tensors].reduce((sum, i) => sum + count(this.stored[i]), 0);
  }
}

// ---- words -----------------------------------------------------------------------------------------------------------

function headline(walk) {
  if (walk.current === null) return walk.mode === "reverse" ? "The inputs are known." : "The inputs, and their step.";
  const { name, value } = walk.nodes[walk.current];
  if (walk.turned) return `Back: ${name} hands on what it was told.`;
  return `Forward: ${name} = ${written(value)}`;
}

function remark(walk) {
  if (walk.current === null)
    return "Press Next. Each node computes its value from those above it, and keeps what its Jacobian will need.";
  if (walk.mode === "forward") {
    if (walk.at === walk.length)
      return `The end moves by ${written(walk.nodes.at(-1).moved)}. That is J v, for this one v.`;
    return "The step is multiplied by the node’s Jacobian at once. Nothing need be kept for later.";
  }
  if (walk.turned) return back_in_words(walk);
  if (walk.at === walk.made.length)
    return "Forward is done. Now the end is given its own reading, and the way back begins.";
  return keeping_in_words(walk);
}

function keeping_in_words(walk) {
  const kept = walk.arrows(walk.current).filter(({ keeps }) => keeps !== null);
  if (!kept.length) return "It keeps nothing: in its Jacobian are no numbers but 0, 1 and −1.";
  const [{ what }] = kept;
  if (kept.length > 1) return "It keeps both factors: each is the other’s Jacobian.";
  return `It keeps ${what} ${written(walk.stored[kept[0].keeps])} for the way back.`;
}

function back_in_words(walk) {
  const waits = walk.nodes.findIndex((given, i) => walk.told(i) !== null && !walk.complete(i));
  if (waits >= 0) return `${walk.nodes[waits].name} has not heard from all who use it, and waits.`;
  const met = [...new Set(walk.arrows(walk.current).map(({ start }) => start))].find(
    (i) => walk.links.filter(({ start }) => start === i).length > 1,
  );
  if (met !== undefined) return `${walk.nodes[met].name} was used more than once. What it is told is added up.`;
  if (walk.at === walk.length) return "Every input has been told how the end answers to it.";
  return "What it kept is no longer needed.";
}

/** Lines of numbers below the drawing. */
function readings(walk) {
  const rows = [];
  if (walk.turned) {
    rows.push(["It was told", written(walk.nodes[walk.current].told)]);
    for (const { start, told } of walk.arrows(walk.current))
      rows.push([`It tells ${walk.nodes[start].name}`, written(told)]);
  } else if (walk.mode === "forward" && walk.current !== null) {
    for (const { start, moved } of walk.arrows(walk.current))
      if (moved !== null) rows.push([`From ${walk.nodes[start].name}’s step`, written(moved)]);
    rows.push(["Its own step", walk.moved(walk.current) === null ? "none" : written(walk.moved(walk.current))]);
  }
  rows.push([walk.mode === "forward" ? "Numbers needed now" : "Numbers kept for the way back", String(walk.kept())]);
  return rows;
}

// ---- the drawing -----------------------------------------------------------------------------------------------------

class Drawing {
  constructor(nodes, links, width) {
    this.width = width;
    const reach = Math.max(
      ...[...nodes.map(({ at }) => at), ...links.flatMap(({ points }) => points)].map(([, x]) => Math.abs(x)),
    );
    this.slot = Math.min(WIDE + 18, (width - 4) / (2 * reach + 1));
    this.box = Math.max(LEAST, this.slot - 10);
    this.letters = Math.floor((this.box - 6) / 6.6);
    this.height = Math.max(...nodes.map(({ at: [level] }) => level)) * ROW + HIGH + 4;
  }

  to([level, offset]) {
    return [this.width / 2 + offset * this.slot, 2 + level * ROW + HIGH / 2];
  }

  /** Straight down beside the boxes that an arrow passes, aslant only in the rooms between rows. */
  route(points) {
    const at = points.map((point) => this.to(point));
    return at.flatMap(([x, y], i) => {
      const ends = [
        [x, y - HIGH / 2],
        [x, y + HIGH / 2],
      ];
      return i === 0 ? [ends[1]] : i === at.length - 1 ? [ends[0]] : ends;
    });
  }

  /** An arrow through its points, from box to box; turned round on the way back. */
  arrow({ points }, turned, kind) {
    const way = this.route(points);
    if (turned) way.reverse();
    const [[x0, y0], [x, y]] = way.slice(-2);
    const length = Math.hypot(x - x0, y - y0) || 1;
    const [ux, uy] = [(x - x0) / length, (y - y0) / length];
    const tip = [
      [x, y],
      [x - 9 * ux - 4 * uy, y - 9 * uy + 4 * ux],
      [x - 9 * ux + 4 * uy, y - 9 * uy - 4 * ux],
    ];
    way[way.length - 1] = [x - 7 * ux, y - 7 * uy];
    const line = shape("polyline", { points: way.join(" ") });
    return shape("g", { class: `hs-arrow ${kind}` }, line, shape("polygon", { points: tip.join(" ") }));
  }

  node(walk, i) {
    const given = walk.nodes[i];
    const [x, y] = this.to(given.at);
    const kinds = [given.input && "hs-input", walk.current === i && "hs-now", !walk.knows(i) && "hs-ahead"];
    const box = { x: x - this.box / 2, y: y - HIGH / 2, width: this.box, height: HIGH, rx: 8 };
    const made = shape("g", { class: ["hs-node", ...kinds.filter(Boolean)].join(" ") }, shape("rect", box));
    const line = (words, dy, kind) => made.append(shape("text", { x, y: y + dy, class: kind }, words));
    const room = Math.floor((this.box - 6) / 8);
    line(given.name.length > room ? `${given.name.slice(0, room - 1)}…` : given.name, -14, "hs-op");
    if (walk.knows(i)) line(short(given.value, this.letters), 4, "hs-value");
    const [told, moved] = [walk.told(i), walk.moved(i)];
    if (told !== null) line(`↑ ${short(told, this.letters - 2)}`, 23, "hs-told");
    if (moved !== null) line(`→ ${short(moved, this.letters - 2)}`, 23, "hs-told");
    return made;
  }

  /** A small square on an arrow that keeps numbers, in the room above the box that needs them. */
  mark({ points }) {
    const [[x0, y0], [x, y]] = this.route(points).slice(-2);
    return shape("rect", { x: (x0 + x) / 2 - 5, y: (y0 + y) / 2 - 5, width: 10, height: 10, class: "hs-kept" });
  }

  shapes(walk) {
    const lit = ({ end }) => end === walk.current;
    const kind = (link) => (lit(link) ? "hs-lit" : walk.back.includes(link.end) ? "hs-behind" : "");
    return [
      ...walk.links.map((link) => this.arrow(link, walk.back.includes(link.end), kind(link))),
      ...walk
        .keeping()
        .filter(({ keeps }) => keeps !== null)
        .map((link) => this.mark(link)),
      ...walk.nodes.map((_, i) => this.node(walk, i)),
    ];
  }
}

// ---- the figure ------------------------------------------------------------------------------------------------------

function build(figure, title) {
  const ui = {
    modes: choices("Mode", Object.entries(MODES), (mode) => figure.choose(mode)),
    svg: shape("svg", { class: "hs-space", role: "img" }),
    head: node("p", { class: "hs-head" }),
    remark: node("p", { class: "hs-remark" }),
    list: node("dl", { class: "hs-readings" }),
    back: button("Back", () => figure.go(figure.at - 1)),
    next: button("Next", () => figure.go(figure.at + 1)),
    scrub: slide("Step", { min: 0, step: 1 }, (at) => figure.go(at)),
    count: node("span", { class: "hs-count", "aria-hidden": "true" }),
  };
  ui.panel = node("div", { class: "hs-drawn" }, ui.svg);
  ui.side = node("div", { class: "hs-told-side" }, ui.head, ui.remark, ui.list);
  const label = title || "The graph of a computation";
  ui.root = node("div", { class: "hs-figure hs-graph", role: "group", "aria-label": label });
  if (title) ui.root.append(node("p", { class: "hs-title" }, title));
  const bar = node("div", { class: "hs-bar" }, ui.back, ui.next, ui.scrub, ui.count);
  const both = node("div", { class: "hs-graph-both" }, ui.panel, ui.side);
  ui.root.append(ui.modes.node, bar, both, figure.said);
  return ui;
}

class Graph extends Figure {
  constructor(model) {
    super(model);
    this.given = Object.fromEntries(["nodes", "links", "stored"].map((name) => [name, model.get(name)]));
    this.ui = build(this, model.get("title"));
    this.root = this.ui.root;
    this.ui.modes.node.hidden = this.given.nodes.every(({ moved }) => moved === null);
  }

  get mode() {
    return this.model.get("mode");
  }

  get walk() {
    const walk = new Walk(this.given, this.mode, this.model.get("at"));
    return walk.at <= walk.length ? walk : new Walk(this.given, this.mode, walk.length);
  }

  get at() {
    return this.walk.at;
  }

  go(at) {
    this.save({ at: clamp(at, 0, this.walk.length) });
  }

  choose(mode) {
    if (mode !== this.mode) this.save({ mode, at: 0 });
  }

  draw() {
    super.draw();
    const [walk, { ui }] = [this.walk, this];
    this.put(walk);
    const width = Math.floor(ui.panel.clientWidth);
    if (!width) return; // in a closed tab or fold: the observer calls again when it opens
    const drawing = new Drawing(walk.nodes, walk.links, width);
    resize(ui.svg, width, drawing.height);
    ui.svg.replaceChildren(...drawing.shapes(walk));
  }

  put(walk) {
    const { ui } = this;
    const step = `step ${walk.at} of ${walk.length}`;
    ui.head.textContent = headline(walk);
    ui.remark.textContent = remark(walk);
    write_rows(ui.list, readings(walk));
    ui.svg.setAttribute("aria-label", `The graph, ${step}. ${headline(walk)}`);
    ui.scrub.max = walk.length;
    ui.scrub.setAttribute("aria-valuetext", step);
    ui.scrub.value = walk.at;
    ui.count.textContent = `${walk.at} / ${walk.length}`;
    ui.back.setAttribute("aria-disabled", walk.at === 0);
    ui.next.setAttribute("aria-disabled", walk.at === walk.length);
    ui.modes.put(walk.mode);
  }

  words() {
    const walk = this.walk;
    const lines = readings(walk).map(([name, value]) => `${name}: ${value}.`);
    return [`Step ${walk.at} of ${walk.length}.`, headline(walk), ...lines].join(" ");
  }
}

const render = shows(Graph, ["at", "mode"]);

export default { render };
