// Brings the live figures of a page to life, without a kernel: <div class="hspace-live" data-widget="linear_map"
// data-state="{…}"> holds a description, which stays where JavaScript does not run or a figure fails.
const MODULES = new Set(["ball", "cat_person", "graph", "image_strip", "kept_directions", "linear_map", "mad_lib", "pullback", "rotate_scale_rotate", "sphere_walk", "stepper", "tangent", "unet"]);

// What a module asks of a Jupyter model. Listeners hear of a trait only when its value has changed, as in Jupyter.
class Model {
  #state;
  #listeners = [];
  constructor(state) { this.#state = state; }
  get(name) { return this.#state[name]; }
  set(name, value) {
    if (JSON.stringify(this.#state[name]) === JSON.stringify(value)) return;
    this.#state[name] = value;
    for (const wanted of [`change:${name}`, "change"])
      for (const [event, listener] of [...this.#listeners]) if (event === wanted) listener(this, value);
  }
  on(event, listener) { this.#listeners.push([event, listener]); }
  off(event, listener) {
    this.#listeners = this.#listeners.filter(([e, l]) => (event && e !== event) || (listener && l !== listener));
  }
  save_changes() {}
}

async function wake(place) {
  const description = [...place.childNodes], el = document.createElement("div");
  try {
    if (!MODULES.has(place.dataset.widget)) throw new Error(`no live figure is called "${place.dataset.widget}"`);
    const model = new Model(JSON.parse(place.dataset.state));
    const { default: figure } = await import(`./${place.dataset.widget}.mjs`);
    place.append(el); // in the page before it is drawn: a figure may measure itself
    await figure.render({ model, el });
    description.forEach((node) => node.remove());
    place.dataset.awake = "";
  } catch (error) {
    el.remove();
    console.error("a live figure stays as it is described", error);
  }
}

const places = new Set(document.querySelectorAll(".hspace-live"));
const start = (place) => places.delete(place) && wake(place);
const near = new IntersectionObserver((entries) => entries.forEach((e) => e.isIntersecting && start(e.target)), {
  rootMargin: "800px 0px",
});
places.forEach((place) => near.observe(place));
addEventListener("beforeprint", () => places.forEach(start));
