// A walk on a sphere with a vector carried along. The state is described in sphere_walk.py.

import {
  ACCENT, Figure, Handle, INK, MUTED, Words, add, button, calm, choices, clamp, dot, length, line, node, pixels,
  range, resize, shape, shows, slide, text, write_rows,
} from "./parts.mjs"; // prettier-ignore

const WAYS = { latitude: "Latitude circle", triangle: "Triangle" };
const BEGIN = { latitude: -15, triangle: -45 }; // longitude, in degrees from the middle of what is seen
const LENGTH = 0.42; // of a vector, in radii of the sphere, where there is room
const DISC = 1.2; // of the tangent plane that is drawn, in lengths of the vector
const FINE = 120; // points of a way as it is drawn
const PACE = 240; // milliseconds a step


// ---- vectors and angles, in degrees ----------------------------------------------------------------------------------

const cos = (degrees) => Math.cos((degrees * Math.PI) / 180);
const sin = (degrees) => Math.sin((degrees * Math.PI) / 180);
const cross = (u, v) => [0, 1, 2].map((i) => u[(i + 1) % 3] * v[(i + 2) % 3] - u[(i + 2) % 3] * v[(i + 1) % 3]);
const mix = (a, u, b, v) => u.map((value, i) => a * value + b * v[i]);
const sphere = (colatitude, longitude) => [
  sin(colatitude) * cos(longitude),
  sin(colatitude) * sin(longitude),
  cos(colatitude),
];

/** The same angle, as near to `other` as whole turns can bring it. */
const close = (angle, other) => angle + 360 * Math.round((other - angle) / 360);

const angle = (value) => `${Math.abs(value).toFixed(1)}°`;
const sided = (value) => angle(value) + (Math.abs(value) < 0.05 ? "" : value > 0 ? " left" : " right");

/** An angle to the way ahead, in words. */
function ahead(value) {
  const least = close(value, 0);
  if (Math.abs(least) < 0.05) return "straight ahead";
  return `${angle(least)} to the ${least > 0 ? "left" : "right"} of the way ahead`;
}

// ---- the walk --------------------------------------------------------------------------------------------------------

/** A place of a walk: where it is, and the unit vectors ahead and to the left, all in space. */
const place = (at, forward) => ({ at, forward, left: cross(at, forward) });

/** The ways round: each takes a share of the whole way, 0 to 1, to a place. */
const ways = {
  latitude: (colatitude) => (share) => {
    const longitude = BEGIN.latitude + 360 * share;
    return place(sphere(colatitude, longitude), sphere(90, longitude + 90));
  },
  triangle: () => {
    const corners = [sphere(90, BEGIN.triangle), sphere(90, BEGIN.triangle + 90), sphere(0, 0)];
    return (share) => {
      const side = Math.floor(3 * share);
      const [start, end, turned] = [corners[side % 3], corners[(side + 1) % 3], 90 * (3 * share - side)];
      return place(mix(cos(turned), start, sin(turned), end), mix(cos(turned), end, -sin(turned), start));
    };
  },
};

/** The tangent vector v at n, carried to m: turned by the smallest rotation that takes n to m. */
const carried = (v, n, m) => mix(1, v, -dot(m, v) / (1 + dot(n, m)), mix(1, n, 1, m));

/** The angle of a tangent vector to the way ahead, to the left, as near to `last` as it can be. */
const seen = ({ forward, left }, v, last) => close((Math.atan2(dot(left, v), dot(forward, v)) * 180) / Math.PI, last);

/** A vector carried along a way in steps. `angles` are those to the way ahead after each step, as they change. */
class Journey {
  constructor(way, steps, heading) {
    const { forward, left } = way(0);
    Object.assign(this, { way, steps, vectors: [mix(cos(heading), forward, sin(heading), left)], angles: [heading] });
    this.places = range(steps + 1).map((i) => way(i / steps));
    for (let i = 1; i <= steps; i++) {
      this.vectors.push(carried(this.vectors[i - 1], this.places[i - 1].at, this.places[i].at));
      this.angles.push(seen(this.places[i], this.vectors[i], this.angles[i - 1]));
    }
  }

  /** The place after so many steps, not only whole ones, and the vector's angle to the way ahead there. */
  after(steps) {
    const last = Math.floor(steps);
    if (last === steps) return { ...this.places[last], angle: this.angles[last] };
    const here = this.way(steps / this.steps);
    return {
      ...here,
      angle: seen(here, carried(this.vectors[last], this.places[last].at, here.at), this.angles[last]),
    };
  }

  /** How far the vector has fallen behind the way, which turned to the left under it. */
  behind(steps) {
    return this.angles[0] - this.angles[steps];
  }

  /** By how much it is turned to the left when it is home: a round way in the plane would turn by 360°. */
  get turn() {
    return 360 - this.behind(this.steps);
  }
}

// ---- drawing ---------------------------------------------------------------------------------------------------------

/** The sphere as it is seen from far away; the eye stands `eye` degrees above the equator. */
class Globe {
  constructor(width, eye) {
    const size = Math.min(width, 400);
    this.radius = (size - 12) / 2 / Math.hypot(1, LENGTH);
    Object.assign(this, { eye, width, height: size });
    Object.assign(this, { right: [0, 1, 0], up: [-sin(eye), 0, cos(eye)], towards: [cos(eye), 0, sin(eye)] });
    this.to = this.to.bind(this);
  }

  to(point) {
    return [this.width / 2 + this.radius * dot(point, this.right), this.height / 2 - this.radius * dot(point, this.up)];
  }

  near(point) {
    return dot(point, this.towards) >= 0;
  }

  /** The tangent plane of a place: coordinates ahead and to the left, in radii, to pixels. */
  plane({ at, forward, left }) {
    return (a, b) => this.to(mix(1, at, 1, mix(a, forward, b, left)));
  }
}

/** A curve on the sphere in two parts, the near side's and the far side's. */
function curve(globe, points) {
  const parts = { near: "", far: "" };
  let last = null;
  points.slice(1).forEach((point, i) => {
    const side = globe.near(mix(0.5, points[i], 0.5, point)) ? "near" : "far";
    const [from, to] = [points[i], point].map((each) => pixels(globe.to(each)));
    parts[side] += side === last ? `L${to}` : `M${from}L${to}`;
    last = side;
  });
  return parts;
}

/** An arrow in a tangent plane, foreshortened as the plane is; `scale` is how many pixels a unit of it has at most. */
function arrow(plane, scale, degrees, { name, long, width, color = ACCENT, dash, opacity }) {
  const head = Math.min((5 + 2.2 * width) / scale, long);
  const at = (along, across) =>
    plane(along * cos(degrees) - across * sin(degrees), along * sin(degrees) + across * cos(degrees));
  const shaft = { d: line([at(0, 0), at(long - 0.8 * head, 0)]), stroke: color, "stroke-width": width, fill: "none" };
  const tip = line([at(long, 0), at(long - head, 0.42 * head), at(long - head, -0.42 * head)]);
  const look = { class: name, opacity, "stroke-linejoin": "round", "stroke-linecap": dash ? null : "round" };
  return shape(
    "g",
    look,
    shape("path", { ...shaft, "stroke-dasharray": dash }),
    shape("path", { d: `${tip}Z`, fill: color, stroke: color, "stroke-width": 1 }),
  );
}

/** An arc in a tangent plane, as a path. */
function arc(plane, radius, from, to) {
  const count = Math.max(2, Math.ceil(Math.abs(to - from) / 5));
  const angles = range(count + 1).map((i) => from + ((to - from) * i) / count);
  return line(angles.map((degrees) => plane(radius * cos(degrees), radius * sin(degrees))));
}

const disc = (plane, radius) => shape("path", { d: `${arc(plane, radius, 0, 360)}Z`, class: "hs-plane" });
const stroke = (d, look) => shape("path", { d, fill: "none", ...look });

/** Six meridian circles and the five latitudes between the poles, 30 degrees apart. */
function graticule(globe) {
  const round = range(121).map((i) => 3 * i);
  const meridians = range(6).map((i) => round.map((along) => sphere(along, BEGIN.latitude + 30 * i)));
  const latitudes = range(5).map((i) => round.map((along) => sphere(30 * (i + 1), along)));
  const parts = [...meridians, ...latitudes].map((points) => curve(globe, points));
  const all = (side) => stroke(parts.map((part) => part[side]).join(""), { class: `hs-mesh hs-${side}` });
  return { far: all("far"), near: all("near") };
}

/** Where a word stands beyond a point, seen from another. */
function beyond(tip, tail, words, gap = 13) {
  const way = add(tip, tail, -1);
  const far = length(way);
  const [ux, uy] = far > 4 ? [way[0] / far, way[1] / far] : [0, -1];
  return [tip[0] + ux * (gap + 3.4 * words.length), tip[1] + uy * gap];
}

/** What is drawn on the sphere, the far side first, then the ball, which lets it shine through, then the near side. */
class Scene {
  constructor(globe, mesh, long) {
    const words = new Words(globe.width, globe.height);
    Object.assign(this, { globe, long, words, far: [mesh.far], near: [mesh.near] });
  }

  curve(points, look) {
    const parts = curve(this.globe, points);
    for (const side of ["far", "near"]) if (parts[side]) this[side].push(stroke(parts[side], look));
  }

  put(where, drawn) {
    this[this.globe.near(where.at) ? "near" : "far"].push(drawn);
  }

  disc(where) {
    this.put(where, disc(this.globe.plane(where), DISC * this.long));
  }

  arrow(where, degrees, look) {
    this.put(where, arrow(this.globe.plane(where), this.globe.radius, degrees, { long: this.long, ...look }));
  }

  /** A word at the first of several points where it covers no other word. */
  write(points, words, look) {
    this.words.put(points, 3.8 * words.length, words, { size: 12, ...look });
  }

  shapes() {
    const [cx, cy] = this.globe.to([0, 0, 0]);
    const ball = (look) => shape("circle", { cx, cy, r: this.globe.radius, class: look });
    return [...this.far, ball("hs-ball"), ...this.near, ball("hs-rim"), ...this.words.shapes];
  }
}

/** The whole drawing of a walk: the way, the trail of vectors, the vector now and the one at the start. */
function draw_walk(scene, journey, shown, { path, colatitude }) {
  const here = journey.after(shown);
  const [start, first] = [journey.places[0], journey.angles[0]];
  const way = range(FINE + 1).map((i) => journey.way(i / FINE).at);
  const walked = way.slice(0, Math.floor((FINE * shown) / journey.steps) + 1);
  scene.curve(way, { stroke: MUTED, "stroke-width": 1.5 });
  if (shown > 0) scene.curve([...walked, here.at], { stroke: MUTED, "stroke-width": 4 });
  for (let i = 1; i < shown; i++) {
    scene.arrow(journey.places[i], journey.angles[i], { name: "hs-trail", width: 1.75, opacity: 0.42 });
  }
  scene.disc(here);
  scene.arrow(here, 0, { long: DISC * scene.long, width: 1.5, color: MUTED });
  scene.arrow(here, here.angle, { name: "hs-carried", width: 4.5 });
  scene.arrow(start, first, { name: "hs-start", width: 2.2, color: INK, dash: "6 4" });
  name_arrow(scene, here, here.angle, "carried", { color: ACCENT, weight: 700 });
  name_arrow(scene, start, first, "start", { color: INK });
  if (shown === journey.steps) draw_turn(scene, journey);
  draw_pole(scene, path, colatitude);
}

/** A name beyond an arrow's tip or, where that is taken, behind its tail. */
function name_arrow(scene, where, degrees, words, look) {
  const [plane, { long }] = [scene.globe.plane(where), scene];
  const [tail, tip] = [plane(0, 0), plane(long * cos(degrees), long * sin(degrees))];
  scene.write([beyond(tip, tail, words), beyond(tail, tip, words, 18)], words, look);
}

/** At home: the angle from the vector at the start to the one that was carried. */
function draw_turn(scene, journey) {
  const plane = scene.globe.plane(journey.places[0]);
  const [from, turn, radius] = [journey.angles[0], journey.turn, 0.52 * scene.long];
  scene.near.push(stroke(arc(plane, radius, from, from + turn), { stroke: ACCENT, "stroke-width": 2 }));
  const points = [from + turn / 2, from - 60, from + turn + 60].map((degrees) =>
    beyond(plane(radius * cos(degrees), radius * sin(degrees)), plane(0, 0), angle(turn), 9),
  );
  scene.write(points, angle(turn), { color: ACCENT, weight: 700 });
}

/** The pole and, for a latitude circle, the colatitude θ from there to the circle. */
function draw_pole(scene, path, colatitude) {
  const { globe } = scene;
  const [cx, cy] = globe.to([0, 0, 1]);
  scene.near.push(shape("circle", { cx, cy, r: 3, fill: MUTED }));
  if (path !== "latitude") return;
  const longitude = BEGIN.latitude - 55;
  const points = range(31).map((i) => sphere((colatitude * i) / 30, longitude));
  scene.curve(points, { stroke: MUTED, "stroke-width": 1.75, "stroke-dasharray": "2 3" });
  const [x, y] = globe.to(sphere(colatitude / 2, longitude));
  const beside = [
    [x - 12, y - 6],
    [x - 16, y + 10],
    [x + 12, y + 10],
  ];
  scene.write(beside, "θ", { size: 14, weight: 700 });
}

/** The tangent plane from above, as the walker sees it: ahead is up. */
function draw_plane(svg, journey, shown, size) {
  const here = journey.after(shown);
  const scale = (size / 2 - 18) / DISC;
  const plane = (a, b) => [size / 2 - scale * b, size / 2 + 6 - scale * a];
  const start = journey.angles[0];
  resize(svg, size);
  svg.replaceChildren(
    disc(plane, DISC),
    arrow(plane, scale, 0, { long: DISC, width: 1.5, color: MUTED }),
    stroke(arc(plane, 0.46, start, here.angle), { stroke: INK, "stroke-width": 1.5 }),
    arrow(plane, scale, here.angle, { long: 1, width: 4.5 }),
    arrow(plane, scale, start, { long: 1, width: 2.2, color: INK, dash: "6 4" }),
    shape("circle", { cx: size / 2, cy: size / 2 + 6, r: 4, fill: INK }),
    text([size / 2, 8], "ahead", { size: 12 }),
  );
}

// ---- words -----------------------------------------------------------------------------------------------------------

const TO_DO = "Drag the round handle along the way, or press Step";
const FULL = 359.95; // a turn that reads 360.0°

/** The lines of numbers beside the sphere. */
function readings(journey, at, { path, colatitude }) {
  const { steps, turn } = journey;
  const home = `360° − ${angle(journey.behind(steps))} = ${angle(turn)}`;
  const formula = `360° · (1 − cos ${colatitude}°) = ${angle(360 * (1 - cos(colatitude)))}`;
  return [
    ["Steps walked", `${at} of ${steps}`],
    ["Vector, to the way ahead", sided(close(journey.angles[at], 0))],
    ["Turned against the way", sided(-journey.behind(at))],
    ["Turn when home", at < steps ? "not home yet" : home],
    path === "triangle" ? ["Its angles, less 180°", "3 · 90° − 180° = 90.0°"] : ["By the formula", formula],
  ];
}

/** What to see at this point of the walk. */
function remark(journey, at, { path, colatitude }) {
  if (at === 0) return `${TO_DO}: the vector goes from one tangent plane to the next, turned as little as can be.`;
  return (path === "triangle" ? on_triangle : colatitude === 90 ? on_equator : on_latitude)(journey, at);
}

function on_latitude(journey, at) {
  const { steps, turn } = journey;
  if (at < steps) return "The way bends to the left. The vector does not bend with it, and falls behind.";
  const other = turn > 180 ? ` So much to the left is ${angle(360 - turn)} to the right.` : "";
  const way = `On this circle the way has turned by ${angle(journey.behind(steps))} only`;
  return `Home. In the plane, a way round turns by 360°. ${way}; the rest is the turn of the vector.${other}`;
}

function on_equator(journey, at) {
  if (at < journey.steps)
    return "The equator is a great circle: its own direction is carried into itself. Such a way is a geodesic.";
  return "Home, and nothing has turned: 360° is a full turn. The equator is a great circle, a geodesic.";
}

function on_triangle(journey, at) {
  if (at === journey.steps)
    return "Home. Each side is straight, and yet the vector has turned by 90°. In the plane it could not.";
  if ((3 * at) % journey.steps === 0) return "A corner: the way turns to the left by 90°. The vector does not.";
  return "A great circle: the angle to the way ahead stays as it is.";
}

// ---- the figure ------------------------------------------------------------------------------------------------------

/** A slider with its name and value. `say(value)` is the value in words. */
function slider(name, limits, say, change) {
  const field = slide(name, limits, change);
  const value = node("span", { "aria-hidden": "true" });
  const put = (now) => {
    field.value = now;
    field.setAttribute("aria-valuetext", say(now));
    value.textContent = say(now);
  };
  return { node: node("label", { class: "hs-slide" }, node("span", {}, name), field, value), put };
}

const heading_in_words = (value) => (value ? sided(value).replace(".0°", "°") : "ahead");
const STEPS = { ArrowRight: 1, ArrowUp: 1, PageUp: 3, ArrowLeft: -1, ArrowDown: -1, PageDown: -3 };

class SphereWalk extends Figure {
  constructor(model) {
    super(model);
    this.build();
    this.follow();
  }

  build() {
    this.ways = choices("Way", Object.entries(WAYS), (path) => this.choose(path));
    this.svg = shape("svg", { class: "hs-space", role: "group", "aria-label": "The sphere" });
    this.art = this.svg.appendChild(shape("g", { "aria-hidden": "true" }));
    this.view = shape("svg", { class: "hs-space", "aria-hidden": "true" });
    this.list = node("dl", { class: "hs-readings" });
    this.remark = node("p", { class: "hs-remark" });
    this.globe_panel = node("div", { class: "hs-globe" }, this.svg, this.walking());
    const view = node("div", { class: "hs-view" }, this.view, node("p", {}, "the tangent plane from above"));
    this.root = node("div", { class: "hs-figure hs-sphere_walk", role: "group", "aria-label": "A walk on a sphere" });
    this.root.append(
      this.ways.node,
      node("div", { class: "hs-both" }, this.globe_panel, view, this.remark, this.list),
      this.settings(),
      this.said,
    );
    this.walker = this.handle();
  }

  walking() {
    this.back = button("Back", () => this.step(-1));
    this.forth = button("Step", () => this.step(1));
    this.play = button("Walk round", () => (this.playing ? this.halt() : this.walk()));
    this.play.classList.add("hs-play");
    return node("div", { class: "hs-bar" }, this.back, this.forth, this.play);
  }

  settings() {
    const degrees = (value) => `${value}°`;
    this.theta = slider("Colatitude θ", { min: 10, max: 90, step: 1 }, degrees, (value) =>
      this.save({ colatitude: value }),
    );
    const first = { min: -180, max: 180, step: 5 };
    this.heading = slider("First heading", first, heading_in_words, (value) => this.save({ heading: value }));
    return node("div", { class: "hs-slides" }, this.theta.node, this.heading.node);
  }

  /** The round handle on the way. */
  handle() {
    return new Handle(this.svg, {
      label: "Walker",
      where: () => this.globe.to(this.journey.places[this.get("at")].at),
      drag: (point) => this.go(this.nearest(point)),
      key: ({ key }) => this.press(key),
      take: () => this.halt(),
    });
  }

  /** The step nearest to a point: found from the present one, so that the near side and the far do not mix. */
  nearest(point) {
    const off = this.journey.places.map(({ at }) => length(add(this.globe.to(at), point, -1)));
    const reach = Math.ceil(off.length / 8);
    let [from, to] = [null, this.get("at")];
    while (from !== to) {
      from = to;
      for (let i = Math.max(0, from - reach); i <= Math.min(off.length - 1, from + reach); i++)
        if (off[i] < off[to]) to = i;
    }
    return to;
  }

  press(key) {
    const to = { Home: 0, End: this.journey.steps }[key] ?? this.get("at") + STEPS[key];
    if (Number.isNaN(to)) return false;
    this.halt();
    this.go(to);
    return true;
  }

  go(at) {
    this.save({ at: clamp(at, 0, this.journey.steps) });
  }

  step(by) {
    this.halt();
    this.go(this.get("at") + by);
  }

  choose(path) {
    this.halt();
    if (path !== this.get("path")) this.save({ path, at: 0 });
  }

  /** Walk the rest of the way, or from home once more. */
  walk() {
    const again = this.get("at") === this.journey.steps;
    if (calm()) return this.go(again ? 0 : this.journey.steps);
    if (again) {
      this.go(0);
      this.shown = 0;
    }
    const next = () => {
      this.playing = this.get("at") < this.journey.steps ? setTimeout(next, PACE) : null;
      if (this.playing) this.go(this.get("at") + 1);
      this.redraw();
    };
    next();
  }

  halt() {
    clearTimeout(this.playing);
    this.playing = null;
    this.redraw();
  }

  /** Compute the walk anew, from the model's state. */
  follow() {
    const way = ways[this.get("path")](this.colatitude);
    this.journey = new Journey(way, this.get("steps"), this.get("heading"));
    cancelAnimationFrame(this.gliding);
    this.shown = this.at;
  }

  /** Of the walk: a triangle goes down to the equator. */
  get colatitude() {
    return this.get("path") === "latitude" ? this.get("colatitude") : 90;
  }

  get at() {
    return Math.min(this.get("at"), this.get("steps"));
  }

  /** Let the drawn walker glide to where it is. */
  follow_walker() {
    cancelAnimationFrame(this.gliding);
    const from = this.shown;
    if (this.walker.grip || calm() || !this.globe || Math.abs(from - this.at) > 3) {
      this.shown = this.at;
      return this.redraw();
    }
    this.glide(this.playing ? PACE : 160, (t) => (this.shown = t < 1 ? from + (this.at - from) * t : this.at));
  }

  measure() {
    const width = Math.floor(this.globe_panel.clientWidth);
    if (!width) return false; // in a closed tab or fold: the observer calls again when it opens
    const eye = clamp(90 - this.colatitude, 28, 60); // small circles are seen from above
    if (this.globe?.width === width && this.globe.eye === eye) return true;
    this.globe = new Globe(width, eye);
    this.mesh = graticule(this.globe);
    resize(this.svg, width, this.globe.height);
    return true;
  }

  draw() {
    super.draw();
    if (!this.measure()) return;
    const given = { path: this.get("path"), colatitude: this.colatitude };
    const scene = new Scene(this.globe, this.mesh, Math.min(LENGTH, 0.16 + 0.52 * sin(this.colatitude)));
    draw_walk(scene, this.journey, this.shown, given);
    this.art.replaceChildren(...scene.shapes());
    draw_plane(this.view, this.journey, this.shown, 132);
    this.put(given);
  }

  /** Handle, numbers, words and controls. */
  put(given) {
    const [at, end] = [this.at, this.journey.steps];
    const here = this.journey.after(this.shown).at;
    const told = `step ${at} of ${end}, the vector ${ahead(this.journey.angles[at])}`;
    this.walker.put(this.globe.to(here), this.globe, [0, end, at, told]);
    this.walker.node.classList.toggle("hs-away", !this.globe.near(here));
    write_rows(this.list, readings(this.journey, at, given));
    this.list.classList.toggle("hs-home", at === end);
    this.remark.textContent = remark(this.journey, at, given);
    this.theta.put(this.get("colatitude"));
    this.theta.node.hidden = given.path !== "latitude";
    this.heading.put(this.get("heading"));
    this.ways.put(given.path);
    this.back.setAttribute("aria-disabled", at === 0);
    this.forth.setAttribute("aria-disabled", at === end);
    this.play.textContent = this.playing ? "Stop" : "Walk round";
  }

  words() {
    const [at, { steps, angles, turn }] = [this.at, this.journey];
    if (at < steps) return `Step ${at} of ${steps}: the vector ${ahead(angles[at])}.`;
    return `Home: turned by ${angle(turn)} to the left${turn > FULL ? ", a full turn" : ""}.`;
  }

  changed(name) {
    if (name === "at") this.follow_walker();
    else this.follow();
    super.changed();
  }

  stop() {
    clearTimeout(this.playing);
    super.stop();
  }
}

const render = shows(SphereWalk, ["colatitude", "heading", "steps", "path", "at"]);

export default { render };
