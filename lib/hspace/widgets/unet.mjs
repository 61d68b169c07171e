// A network drawn as a U. Choosing a block, by mouse, finger or keys, shows its shape and what goes through it.

import { button, node, shape } from "./parts.mjs";

// The map, in its own units.
const WIDTH = 330, LEFT = 95, RIGHT = 228, MIDDLE = (LEFT + RIGHT) / 2, TOP = 32, PITCH = 64;
const SMALL = 24, LARGE = 46, OFFSET = 2.2;

function label(x, y, anchor, className, text) {
  return shape("text", { x, y, "text-anchor": anchor, class: className }, text);
}

/** One cell of a sprite as an inline picture: `show(row)` turns to another of the pictures that went through. */
function cellOf(sprite, block, count, column, place = {}) {
  const [w, h] = block.size, columns = Math.max(1, block.channels.length);
  const image = shape("image", { href: sprite, width: columns * w, height: count * h, preserveAspectRatio: "none" });
  const svg = shape("svg", { ...place, class: "hs-crop" }, image);
  const show = (row) => svg.setAttribute("viewBox", `${column * w} ${row * h} ${w} ${h}`);
  show(0);
  return { svg, show };
}

/** Where the blocks stand and how large they are drawn: by the logarithm of their resolution. */
function layout(blocks) {
  const sides = blocks.map((block) => Math.log2(Math.max(...block.shape.slice(1))));
  const low = Math.min(...sides), span = Math.max(...sides) - low || 1;
  return blocks.map((block, i) => {
    const size = SMALL + (LARGE - SMALL) * (sides[i] - low) / span;
    const sheets = Math.min(5, Math.max(0, Math.round(Math.log2(block.shape[0])) - 2));
    const x = { left: LEFT, middle: MIDDLE, right: RIGHT }[block.side];
    return { x, y: TOP + PITCH * block.row, size, sheets, deep: sheets * OFFSET };
  });
}

function arrow(x, y, dx, dy) {
  const [a, b] = [x - 5 * dx, y - 5 * dy];
  const d = `M${x} ${y}L${a - 3.2 * dy} ${b + 3.2 * dx}L${a + 3.2 * dy} ${b - 3.2 * dx}Z`;
  return shape("path", { class: "hs-arrow", d });
}

/** The way of the picture from block to block, down the left arm and up the right one. */
function flow(blocks, places) {
  const group = shape("g", { class: "hs-flow" });
  for (let i = 1; i < blocks.length; i++) {
    const [a, b] = [places[i - 1], places[i]], [from, to] = [blocks[i - 1].side, blocks[i].side];
    const gap = 3;
    if (from === to) {
      const sign = Math.sign(b.y - a.y), deep = sign < 0 ? a.deep : b.deep;
      const start = a.y + sign * (a.size / 2 + gap) - (sign < 0 ? deep : 0);
      const end = b.y - sign * (b.size / 2 + gap) - (sign > 0 ? deep : 0);
      group.append(shape("path", { d: `M${a.x} ${start}V${end}` }), arrow(a.x, end, 0, sign));
    } else if (from === "left" && to === "right") {
      const end = b.x - b.size / 2 - gap;
      group.append(shape("path", { d: `M${a.x + a.size / 2 + a.deep + gap} ${a.y}H${end}` }), arrow(end, b.y, 1, 0));
    } else if (to === "middle") {
      const end = b.x - b.size / 2 - gap - 1;
      const d = `M${a.x} ${a.y + a.size / 2 + gap}Q${a.x} ${b.y} ${end} ${b.y}`;
      group.append(shape("path", { d }), arrow(end, b.y, 1, 0));
    } else {
      const end = b.y + b.size / 2 + gap;
      const d = `M${a.x + a.size / 2 + a.deep + gap} ${a.y}Q${b.x} ${a.y} ${b.x} ${end}`;
      group.append(shape("path", { d }), arrow(b.x, end, 0, -1));
    }
  }
  return group;
}

/** The skip connections: from the left arm straight over to the right one. */
function bridges(links, places) {
  return links.map(({ start, end }) => {
    const a = places[start], b = places[end], x0 = a.x + a.size / 2 + a.deep + 4, x1 = b.x - b.size / 2 - 5;
    const bend = (x1 - x0) * 0.45;
    const path = shape("path", { d: `M${x0} ${a.y}C${x0 + bend} ${a.y} ${x1 - bend} ${b.y} ${x1} ${b.y}` });
    return { start, end, group: shape("g", { class: "hs-skip" }, path, arrow(x1, b.y, 1, 0)) };
  });
}

/** The sheets of a block, the first channel on the front one, and its labels. */
function stack(block, place, sprite, count) {
  const { x, y, size, sheets } = place, left = x - size / 2, top = y - size / 2;
  const group = shape("g", { class: "hs-block", role: "button" });
  const box = { left: [0, -28, 140], right: [WIDTH - 140, -28, 140], middle: [MIDDLE - 64, -24, 128] }[block.side];
  const tall = block.side === "middle" ? 76 : 56;
  group.append(shape("rect", { class: "hs-plate", x: box[0], y: y + box[1], width: box[2], height: tall, rx: 8 }));
  for (let i = sheets; i > 0; i--) {
    const x = left + i * OFFSET, y = top - i * OFFSET;
    group.append(shape("rect", { class: "hs-sheet", x, y, width: size, height: size }));
  }
  const front = cellOf(sprite, block, count, 0, { x: left, y: top, width: size, height: size });
  group.append(front.svg, shape("rect", { class: "hs-rim", x: left, y: top, width: size, height: size }));
  const sizes = block.shape.join("×"), below = ` ${sizes}`; // the blank parts the two labels when they are read as one
  const name = `${block.title}${block.bottleneck ? " · h" : ""}`;
  if (block.side === "middle") {
    group.append(label(x, y + size / 2 + 16, "middle", "hs-title-in", name));
    group.append(label(x, y + size / 2 + 30, "middle", "hs-shape", below));
  } else {
    const [at, anchor] = block.side === "left" ? [4, "start"] : [WIDTH - 4, "end"];
    group.append(label(at, y - 2, anchor, "hs-title-in", name));
    group.append(label(at, y + 13, anchor, "hs-shape", below));
  }
  if (block.bottleneck) group.classList.add("hs-bottleneck");
  group.setAttribute("aria-label", `${name} ${sizes}`); // just what is seen
  return { group, front };
}

const KEYS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

function render({ model, el }) {
  const blocks = model.get("blocks"), links = model.get("links"), sprites = model.get("pictures");
  const count = model.get("count"), places = layout(blocks);
  const says = "Map of the network, from the noisy picture down to the bottleneck and up again";
  const root = node("div", { class: "hs-figure hs-unet", role: "group", "aria-label": says });
  const status = node("div", { class: "hs-said", role: "status" });
  let timer = 0;

  const set = (name, value) => {
    model.set(name, value);
    model.save_changes();
    clearTimeout(timer);
    timer = setTimeout(() => {
      const block = blocks[model.get("chosen")];
      status.textContent = `${block.title}: ${block.shape.join(" by ")}. ${block.text}`;
    }, 500);
  };
  const choose = (i) => set("chosen", (i + blocks.length) % blocks.length);

  const bottom = Math.max(...places.map((place) => place.y)) + 58;
  const frame = { viewBox: `0 0 ${WIDTH} ${bottom}`, class: "hs-map" };
  const map = shape("svg", { ...frame, role: "group", "aria-label": "Blocks" });
  const skips = bridges(links, places);
  const ways = shape("g", { class: "hs-ways" }, flow(blocks, places), ...skips.map((skip) => skip.group));
  if (links.length) {  // between the pictures, which are alone in their row: no stack comes near
    ways.append(label(MIDDLE, TOP + 4, "middle", "hs-remark", "skip"));
    ways.append(label(MIDDLE, TOP + 17, "middle", "hs-remark", "connections"));
  }
  const stacks = blocks.map((block, i) => stack(block, places[i], sprites[i], count));
  stacks.forEach(({ group }, i) => {
    group.addEventListener("click", () => { choose(i); group.focus(); });
    group.addEventListener("keydown", (event) => {
      const to = event.key === "Home" ? 0 : event.key === "End" ? blocks.length - 1 : i + (KEYS[event.key] ?? 0);
      const acts = event.key === "Enter" || event.key === " ";
      if (to === i && !acts) return;
      event.preventDefault();
      choose(to);
      stacks[(to + blocks.length) % blocks.length].group.focus();
    });
    map.append(group);
  });
  map.append(ways);  // above the plate of the chosen block

  const panel = node("div", { class: "hs-side" });
  const back = button("‹ Back", () => choose(model.get("chosen") - 1));
  const next = button("Next ›", () => choose(model.get("chosen") + 1));
  const walk = node("div", { class: "hs-bar" });
  walk.append(back, next);
  const people = pick(model, blocks, sprites, count, set), details = node("div", { class: "hs-details" });
  panel.append(walk, details, ...people.nodes);

  function show() {
    const chosen = model.get("chosen"), picture = model.get("picture");
    stacks.forEach(({ group, front }, i) => {
      front.show(picture);
      group.setAttribute("aria-pressed", i === chosen);
      group.setAttribute("tabindex", i === chosen ? 0 : -1);
    });
    for (const { start, end, group } of skips) {
      group.classList.toggle("hs-on", start === chosen || end === chosen || blocks[chosen].bottleneck);
    }
    details.replaceChildren(...inside(blocks[chosen], sprites[chosen], count, picture));
    people.show(picture);
  }

  const body = node("div", { class: "hs-body" });
  body.append(map, panel);
  root.append(body, status);
  el.append(root);
  const events = ["change:chosen", "change:picture"];
  events.forEach((event) => model.on(event, show));
  show();
  return () => {
    clearTimeout(timer);
    events.forEach((event) => model.off(event, show));
    root.remove();
  };
}

/** What is known of the chosen block, and its strongest channels. */
function inside(block, sprite, count, picture) {
  const [channels, ...places] = block.shape, total = block.shape.reduce((a, b) => a * b, 1);
  const title = node("p", { class: "hs-title" }, block.bottleneck ? `${block.title}: h ` : `${block.title} `);
  if (/^\w+_/.test(block.name) && !block.name.startsWith("x_")) title.append(node("code", {}, block.name));
  const amount = total.toLocaleString("en").replaceAll(",", "\u202f");
  const numbers = `${channels} channels of ${places.join(" × ")}: ${amount} numbers`;
  const cells = node("div", { class: "hs-cells" });
  const shown = block.channels.length ? block.channels : [null];
  shown.forEach((channel, column) => {
    const cell = cellOf(sprite, block, count, column);
    cell.show(picture);
    cell.svg.setAttribute("role", "img");
    cell.svg.setAttribute("aria-label", channel === null ? block.title : `Channel ${channel}`);
    const figure = node("div", { class: channel === null ? "hs-one hs-whole" : "hs-one" });
    figure.append(cell.svg);
    if (channel !== null) figure.append(node("span", { class: "hs-hint" }, `no. ${channel}`));
    cells.append(figure);
  });
  const made = [title, node("p", { class: "hs-size" }, numbers), node("p", { class: "hs-tells" }, block.text), cells];
  const legend = "Its liveliest channels. Brown is above a channel's mean, violet below.";
  if (block.channels.length) made.push(node("p", { class: "hs-hint" }, legend));
  return made;
}

/** Buttons for the pictures that went through, where there are several. */
function pick(model, blocks, sprites, count, set) {
  if (count < 2) return { nodes: [], show: () => {} };
  const row = node("div", { class: "hs-people", role: "group", "aria-label": "Picture that goes through" });
  const last = blocks.length - 1;
  const buttons = Array.from({ length: count }, (_, i) => {
    const cell = cellOf(sprites[last], blocks[last], count, 0);
    const made = button(cell.svg, () => set("picture", i), { class: "hs-face", "aria-label": `Picture ${i + 1}` });
    cell.show(i);
    row.append(made);
    return made;
  });
  const show = (picture) => buttons.forEach((made, i) => made.setAttribute("aria-pressed", i === picture));
  return { nodes: [node("p", { class: "hs-hint" }, "Follow another picture:"), row], show };
}

export default { render };
