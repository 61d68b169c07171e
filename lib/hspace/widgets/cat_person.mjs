// A cat person and its sliders. The drawing repeats hspace/cats/render.py shape by shape, in its order, colours and
// coordinates: the picture is the square [-1, 1]², x to the right and y down, and the face has coordinates of its own,
// shifted and tilted. What render.py gives as signed distances is traced here as outlines.

import { button, node, say, shape, slide } from "./parts.mjs";

// Colours, RGB in 0..1.
const FUR = [[0.98, 0.88, 0.72], [0.95, 0.68, 0.36], [0.80, 0.42, 0.22], [0.48, 0.28, 0.22]];
const SKY = [
  [1.00, 0.82, 0.74], [1.00, 0.93, 0.70], [0.76, 0.93, 0.74],
  [0.68, 0.87, 0.97], [0.78, 0.76, 0.96], [0.96, 0.76, 0.90],
];
const PINK = [0.96, 0.66, 0.66], ROSE = [0.86, 0.36, 0.42], INK = [0.17, 0.12, 0.14], WHITE = [1, 1, 1];
const CHEEK = [0.90, 0.20, 0.22], LEAF = [0.20, 0.62, 0.30], STEM = [0.10, 0.40, 0.22], STRING = [0.55, 0.50, 0.50];
const ASH = [0.66, 0.67, 0.70], THROAT = [0.13, 0.05, 0.08], BUTTON = [0.24, 0.38, 0.66], HOLE = [0.93, 0.95, 0.98];

const clamp = (value, low = 0, high = 1) => Math.min(high, Math.max(low, value));
const times = (colour, factor) => colour.map((c) => c * factor);
const mix = (from, to, amount) => from.map((c, i) => c + amount * (to[i] - c));
const rgb = (colour) => `rgb(${colour.map((c) => Math.round(255 * clamp(c))).join(",")})`;

/** The colour at `where` in 0..1 along a list of colours, linear between neighbours. */
function palette(colours, where) {
  const place = clamp(where) * (colours.length - 1);
  const i = Math.min(Math.floor(place), colours.length - 2);
  return mix(colours[i], colours[i + 1], place - i);
}

/** Take the colour out of a colour: towards its own grey, a little ashen. */
function drain(colour, amount) {
  const grey = (colour[0] + colour[1] + colour[2]) / 3;
  return mix(colour, ASH.map((ash) => 0.6 * grey + 0.4 * ash), amount);
}

/** Factors with the sizes and colours that are drawn. */
function describe(factors) {
  const p = { ...factors };
  for (const name of ["puppet", "fright", "horse", "fur", "eye", "background"]) p[name] = clamp(p[name]);
  p.wood = 1 - (1 - p.puppet) ** 2;
  p.coat = 1 - (1 - p.horse) ** 2;
  p.dread = p.wood * (1 - (1 - p.fright) ** 2);
  p.friendly = p.wood * (1 - p.fright);
  p.colour = drain(palette(FUR, p.fur), 0.9 * p.wood * p.fright);
  p.line = times(p.colour, 0.42);
  p.chin = 0.34 * p.horse;
  p.mouth = 0.375 + 0.75 * p.chin;
  p.smileHalf = 0.09 + 0.032 * p.nap;
  p.smileBend = 0.008 + 0.026 * p.nap + 0.03 * p.friendly;
  p.noseWidth = 0.055 + 0.0475 * p.nose;
  p.noseHeight = 0.235 + 0.80 * p.chin;
  p.eyeHeight = -0.01 - 0.03 * p.horse;
  p.earTall = 0.14 + 0.20 * p.ear;
  return p;
}

// Outlines: lists of points, made into path data.

const close = (points) => `M${points.map(([x, y]) => `${x.toFixed(4)} ${y.toFixed(4)}`).join("L")}Z`;
const mirrored = (points) => points.map(([x, y]) => [-x, y]).reverse();  // reversed, so that both turn the same way
const both = (points) => close(points) + close(mirrored(points));
const line = (x0, y0, x1, y1) => `M${x0} ${y0}L${x1} ${y1}`;
const lines = (x0, y0, x1, y1) => line(x0, y0, x1, y1) + line(-x0, y0, -x1, y1);

const around = (count, point) =>
  Array.from({ length: count }, (_, i) => point(Math.cos(2 * Math.PI * i / count), Math.sin(2 * Math.PI * i / count)));

/** First-order signed distance to an ellipse about the origin. */
function ellipse(x, y, a, b) {
  const level = Math.sqrt((x / a) ** 2 + (y / b) ** 2 + 1e-9);
  const slope = Math.sqrt((x / a ** 2) ** 2 + (y / b ** 2) ** 2 + 1e-9);
  return level * (level - 1) / slope;
}

/** The outline at which that distance is `grow`, about (x, y): along a ray it has a closed form. */
function ring(x, y, a, b, grow = 0) {
  return around(72, (c, s) => {
    const level = Math.hypot(c / a, s / b), slope = Math.hypot(c / a ** 2, s / b ** 2);
    const r = Math.max(0, 1 + grow * slope / level) / level;
    return [x + r * c, y + r * s];
  });
}

/** The outline of any shape that every ray from (x, y) leaves once, by bisection. */
function trace(distance, x, y, rays = 96) {
  return around(rays, (c, s) => {
    let inside = 0, outside = 1.5;
    for (let i = 0; i < 16; i++) {
      const middle = (inside + outside) / 2;
      if (distance(x + middle * c, y + middle * s) < 0) inside = middle; else outside = middle;
    }
    return [x + inside * c, y + inside * s];
  });
}

const area = (d, colour, opacity = 1) => ({ d, fill: rgb(colour), stroke: "none", width: 0, opacity });
const stroke = (d, width, colour, opacity = 1) => ({ d, fill: "none", stroke: rgb(colour), width, opacity });
/** An area with round corners: grown by `round` on all sides. */
const rounded = (d, round, colour) => ({ d, fill: rgb(colour), stroke: rgb(colour), width: 2 * round, opacity: 1 });

/** The face's shapes, back to front: always the same number of them. */
function shapes(p) {
  return [strings, mane, ears, head, charm, eyes, puppetEyes, muzzle, mouth, nose].flatMap((part) => part(p));
}

function strings(p) {
  return [stroke(lines(0.36, -0.2, 0.30, -1.6), 0.028, STRING, p.wood)];
}

function mane(p) {
  const hair = times(p.line, 0.9);
  return [
    area(both(ring(0.40, 0.16, 0.24, 0.50)), hair, p.coat),
    area(both(ring(0.12, -0.42, 0.16, 0.17)), hair, p.coat),
  ];
}

function ears(p) {
  const outer = both([[0.20, -0.28], [0.52, -0.30 - p.earTall], [0.56, -0.02]]);
  const inner = both([[0.33, -0.27], [0.495, -0.24 - 0.78 * p.earTall], [0.50, -0.15]]);
  return [
    rounded(outer, 0.065, p.line),
    rounded(outer, 0.035, p.colour),
    rounded(inner, 0.015, drain(PINK, 0.8 * p.dread)),
  ];
}

function head(p) {
  const distance = (x, y) => {
    const skull = ellipse(x, y - 0.08, 0.62 - 0.12 * p.horse, 0.53 - 0.03 * p.horse);
    const long = ellipse(x, y - 0.14 - p.chin, 0.40 - 0.06 * p.horse, 0.44 - 0.04 * p.horse);
    const blend = 0.10, share = clamp(0.5 + 0.5 * (long - skull) / blend);
    return long + (skull - long) * share - blend * share * (1 - share);
  };
  const shade = times(p.colour, 0.80), side = -0.12 * p.horse;
  return [
    area(close(trace((x, y) => distance(x, y) - 0.03, 0, 0.25, 144)), p.line),
    area(close(trace(distance, 0, 0.25, 144)), p.colour),
    stroke(lines(0.60 + side, 0.12, 0.49 + side, 0.13), 0.05, shade, 1 - p.coat),
    stroke(lines(0.59 + side, 0.27, 0.49 + side, 0.25), 0.05, shade, 1 - p.coat),
  ];
}

function charm(p) {
  const size = 0.040 + 0.018 * (p.luck + 1.3);
  const distance = (x, y) => {
    const u = Math.abs((x + y) / Math.SQRT2), v = Math.abs((y - x) / Math.SQRT2);
    return Math.min(ellipse(u - 0.95 * size, v, size, 0.82 * size), ellipse(u, v - 0.95 * size, 0.82 * size, size));
  };
  const clover = (grow) => close(trace((x, y) => distance(x, y) - grow, 0, 0).map(([x, y]) => [x, y - 0.245]));
  return [area(clover(0.022), STEM), area(clover(0), LEAF)];
}

const EYE = 0.27, WIDE = 0.115;

function eyes(p) {
  const tall = 0.035 + 0.105 * p.eye;
  const moved = (points) => both(points.map(([x, y]) => [x + EYE, y + p.eyeHeight]));
  const pupil = (x, y) => Math.max(ellipse(x + 0.012, y, 0.062, 0.10), ellipse(x, y, WIDE, tall));
  const shine = (x, y) => Math.max(ellipse(x + 0.035, y + 0.035, 0.03, 0.03), pupil(x, y));
  return [
    area(moved(ring(0, 0, WIDE, tall, 0.028)), p.line),
    area(moved(ring(0, 0, WIDE, tall)), WHITE),
    area(moved(trace(pupil, -0.012, 0)), INK),
    area(moved(trace(shine, -0.035, -0.012)), WHITE),
  ];
}

function puppetEyes(p) {
  const tall = 0.035 + 0.105 * p.eye, y = p.eyeHeight;
  const hollow = ring(EYE, y + 0.02 * p.fright, WIDE + 0.02 + 0.08 * p.fright, tall + 0.02 + 0.09 * p.fright);
  const button = (grow) => both(ring(EYE, y, WIDE + 0.03, tall + 0.03, grow));
  const hole = (x) => both(ring(EYE + x, y, 0.022, 0.022 + 0.1 * tall));
  return [
    area(both(hollow), THROAT, p.dread),
    area(button(0), INK, p.friendly),
    area(button(-0.035), BUTTON, p.friendly),
    area(hole(0.042) + hole(-0.042), HOLE, p.friendly),
    area(both(ring(EYE, y + 0.02, 0.034, 0.034)), HOLE, p.wood * p.fright),
  ];
}

function muzzle(p) {
  const pale = mix(p.colour, WHITE, 0.55), middle = 0.335 + 0.92 * p.chin, blush = 0.05 * p.puppet;
  const cheek = ring(0.43 - 0.08 * p.horse, 0.245, 0.055 + 0.06 * p.puppet, 0.05 + blush);
  return [
    area(close(ring(0, middle, 0.29 - 0.01 * p.horse, 0.19 + 0.06 * p.horse)), pale),
    stroke(line(0, 0.02, 0, 0.45), 0.15, pale, p.coat),
    area(both(ring(0.20, middle - 0.06, 0.035, 0.05)), p.line, p.coat),
    area(both(cheek), CHEEK, p.wood * (1 - 0.9 * p.fright)),
  ];
}

function mouth(p) {
  const half = p.smileHalf, bend = p.smileBend, y = p.mouth + 0.03 + bend, drop = 0.03 + 0.24 * p.fright;
  const hinge = half + 0.015, foot = 0.11 + drop - bend;
  return [
    area(close(throat(half, bend, drop).map(([x, v]) => [x, v + y])), THROAT, p.dread),
    stroke(lines(hinge, y - bend, hinge, y + foot), 0.036, INK, p.wood),
    stroke(`M${-half} ${y - bend}Q0 ${y + bend} ${half} ${y - bend}`, 0.048, INK),  // the parabola, exactly
  ];
}

/** The open jaw: what of an ellipse lies below the smile. */
function throat(half, bend, drop) {
  const above = [], below = [];
  for (let i = 0; i <= 48; i++) {
    const c = -Math.cos(Math.PI * i / 48), x = (half + 0.01) * c, reach = drop * Math.sqrt(1 - c * c);
    const top = Math.max(0.01 - reach, -bend * (x / half) ** 2);
    above.push([x, Math.min(top, 0.01 + reach)]);
    below.push([x, 0.01 + reach]);
  }
  return above.concat(below.reverse());
}

function nose(p) {
  const outline = (grow) => close(ring(0, p.noseHeight, p.noseWidth, 0.72 * p.noseWidth, grow));
  return [
    area(outline(0.018), drain(times(ROSE, 0.6), 0.6 * p.dread)),
    area(outline(0), drain(ROSE, 0.6 * p.dread)),
  ];
}

/** The wall's colours from top to bottom: [offset, colour]. */
function wall(p) {
  const plain = palette(SKY, p.background);
  const light = 0.16, dark = 0.04, kink = 0.8;  // light is 0.06 - 0.10 y, and 0 at y = 0.6
  return [[0, mix(plain, [1.08, 1.08, 1.08], light)], [kink, plain], [1, times(plain, 1 - dark)]];
}

// The figure

/** An empty picture and the function that draws factors into it. */
function easel() {
  const id = `hs-wall-${Math.random().toString(36).slice(2)}`;
  const gradient = shape("linearGradient", { id, x1: 0, y1: 0, x2: 0, y2: 1 });
  const face = shape("g", { "stroke-linecap": "round", "stroke-linejoin": "round" });
  const ground = shape("rect", { x: -1, y: -1, width: 2, height: 2, fill: `url(#${id})` });
  const svg = shape("svg", { viewBox: "-1 -1 2 2", role: "img" }, shape("defs", {}, gradient), ground, face);
  svg.classList.add("hs-person");
  const draw = (factors) => {
    const p = describe(factors), parts = shapes(p);
    const place = `translate(${p.shift} ${0.06 - 0.16 * p.horse}) rotate(${p.tilt})`;
    face.setAttribute("transform", place);
    gradient.replaceChildren(...wall(p).map(([offset, c]) => shape("stop", { offset, "stop-color": rgb(c) })));
    while (face.childElementCount < parts.length) face.append(shape("path"));
    parts.forEach((part, i) => {
      const path = face.children[i];
      for (const key of ["d", "fill", "stroke", "opacity"]) path.setAttribute(key, part[key]);
      path.setAttribute("stroke-width", part.width);
    });
    return { p, place };
  };
  return { svg, draw };
}

// Where one can pull at the picture, and which way a factor grows there.
const HANDLES = {
  nose: { along: [1, 0], at: (p) => [p.noseWidth, p.noseHeight] },
  ear: { along: [0, -1], at: (p) => [0.52, -0.33 - p.earTall] },
  nap: { along: [1, 0], at: (p) => [p.smileHalf, p.mouth + 0.03] },
  luck: { along: [0, -1], at: () => [0, -0.245] },
};
const PULL = 0.7;  // of half a picture, from one end of a factor's range to the other

function render({ model, el }) {
  const named = { role: "group", "aria-label": "A cat person with sliders" };
  const root = node("div", { class: "hs-figure hs-cat_person", ...named });
  const { svg, draw } = easel();
  const handles = shape("g", { class: "hs-pulls" });
  svg.append(handles);
  const panel = node("div", { class: "hs-side" }), law = node("div", { class: "hs-law" });
  const status = node("div", { class: "hs-said", role: "status" });
  const start = { factors: model.get("factors"), locked: model.get("locked") };

  const locked = () => model.get("locked");
  const follow = (factors) => {
    // rounded as in Python, so that the kernel has nothing to correct while a slider moves
    const [nap, luck] = model.get("law").map(([a, b]) => Math.round(1e6 * (a * factors.nose + b * factors.ear)) / 1e6);
    return { ...factors, nap, luck };
  };
  const tied = (name) => locked() && (name === "nap" || name === "luck");
  const current = () => (locked() ? follow(model.get("factors")) : model.get("factors"));

  function change(name, value) {
    const factors = { ...model.get("factors"), [name]: value };
    model.set("factors", locked() ? follow(factors) : factors);
    model.save_changes();
    if (locked() && (name === "nose" || name === "ear")) announce();
  }

  let timer = 0;
  function announce() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const { nap, luck } = current();
      status.textContent = locked() ? `By the law: nap ${say(nap)}, luck ${say(luck)}` : "";
    }, 600);
  }

  const rows = model.get("sliders").map((slider) => row(slider, change));
  rows.forEach(({ label }) => panel.append(label));
  const pulled = model.get("sliders").filter(({ name }) => HANDLES[name]);
  const pulls = pulled.map((slider) => handle(slider, svg, current, change));
  pulls.forEach(({ grip }) => handles.append(grip));

  const bar = node("div", { class: "hs-bar" });
  const lock = node("input", { type: "checkbox" });
  lock.addEventListener("change", () => {
    model.set("locked", lock.checked);
    if (lock.checked) model.set("factors", follow(model.get("factors")));
    model.save_changes();
    announce();
  });
  const lockLabel = node("label", { class: "hs-toggle" });
  lockLabel.append(lock, node("span", {}, "The law holds: nap and luck follow nose and ear"));
  if (model.get("lockable")) bar.append(lockLabel);
  const reset = () => {
    model.set("locked", start.locked);
    model.set("factors", start.factors);
    model.save_changes();
  };
  bar.append(button("Reset", reset));

  function show() {
    const factors = current(), { p, place } = draw(factors);
    const list = model.get("controls").map((name) => `${name} ${say(factors[name])}`).join(", ");
    svg.setAttribute("aria-label", `A cat person: ${list}`);
    handles.setAttribute("transform", place);
    lock.checked = locked();
    rows.forEach((one) => one.show(factors[one.name], tied(one.name)));
    pulls.forEach((one) => one.show(p, tied(one.name)));
    law.hidden = !locked();
    law.replaceChildren(...equations(model.get("law"), factors));
  }

  panel.append(bar, law);
  const body = node("div", { class: "hs-body" });
  body.append(svg, panel);
  root.append(body, status);
  el.append(root);
  const events = ["change:factors", "change:locked"];
  events.forEach((event) => model.on(event, show));
  show();
  return () => {
    clearTimeout(timer);
    events.forEach((event) => model.off(event, show));
    root.remove();
  };
}

/** A labelled slider for one factor. */
function row({ name, hint, low, high, step }, change) {
  const label = node("label", { class: `hs-row hs-row-${name}` });
  const words = node("span", { class: "hs-words" }), value = node("span", { class: "hs-value" });
  words.append(node("span", { class: "hs-factor" }, name), node("span", { class: "hs-hint" }, hint));
  const input = slide(`${name}, ${hint}`, { min: low, max: high, step }, (number) => change(name, number));
  label.append(words, input, value);
  const show = (number, disabled) => {
    input.value = number;
    input.disabled = disabled;
    input.setAttribute("aria-valuetext", say(number));
    label.classList.toggle("hs-off", disabled);
    value.textContent = say(number);
  };
  return { name, label, show };
}

/** A ring on the picture by which a factor can be pulled with mouse or finger; its slider serves the keyboard. */
function handle({ name, low, high, step }, svg, current, change) {
  const reach = shape("circle", { r: 0.12, class: "hs-reach" });
  const grip = shape("g", { class: "hs-pull" }, reach, shape("circle", { r: 0.045 }));
  const { along, at } = HANDLES[name];
  let from = null;
  // chromium heeds touch-action on a whole svg only: without this a long pull would scroll the page
  grip.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  grip.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    from = { x: event.clientX, y: event.clientY, value: current()[name] };
  });
  grip.addEventListener("pointermove", (event) => {
    if (!from) return;
    const half = svg.getBoundingClientRect().width / 2;
    const moved = ((event.clientX - from.x) * along[0] + (event.clientY - from.y) * along[1]) / half;
    const value = clamp(from.value + (high - low) * moved / PULL, low, high);
    change(name, Math.round(Math.round(value / step) * step * 1e6) / 1e6);
  });
  for (const end of ["pointerup", "pointercancel"]) grip.addEventListener(end, () => { from = null; });
  const show = (p, disabled) => {
    const [x, y] = at(p);
    grip.setAttribute("transform", `translate(${x} ${y})`);
    grip.classList.toggle("hs-off", disabled);
  };
  return { name, grip, show };
}

/** The law's two lines, with the numbers at hand. */
function equations(law, factors) {
  return ["nap", "luck"].map((name, i) => {
    const [a, b] = law[i], line = node("p", { class: "hs-formula" });  // \u00a0: it breaks between the terms only
    const nose = node("span", { class: "hs-x1" }, `nose\u00a0${say(factors.nose)}`);
    const ear = node("span", { class: "hs-x2" }, `ear\u00a0${say(factors.ear)}`);
    const first = `${name} =\u00a0${say(a)}\u00a0·\u00a0`, second = ` +\u00a0${say(b)}\u00a0·\u00a0`;
    line.append(first, nose, second, ear, ` =\u00a0${say(factors[name])}`);
    return line;
  });
}

export default { render };
