"""What the live figures share: joined with each of them for a notebook, and its handles, which no key escapes."""

import json
import re

import pytest
from browser import rested
from playwright.sync_api import expect
from test_browser import FIGURES
from test_widgets_pictures import FOLDER, page, show  # noqa: F401  (page is a fixture)

from hspace import widgets
from hspace.widgets.base import one_text

PARTS = (FOLDER / "parts.mjs").read_text(encoding="utf-8")
OFFERED = re.findall(r"^export (?:const|function|class) (\w+)", PARTS, re.M)
SHOW_TEXT = """async ([text, state]) => {
  clean();
  window.model = new model.constructor(state);
  const address = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  const { default: figure } = await import(address);
  window.clean = figure.render({ model, el: document.querySelector('main') });
}"""


def drawn(page):  # noqa: F811
    """The figure as it stands on the page; cat_person gives its wall an id by chance."""
    return re.sub(r"hs-wall-\w+", "hs-wall", rested(page.locator("main")).inner_html())


def written(folder, parts="", figure=""):
    """A folder with a figure, made up for a test, and its parts."""
    folder.joinpath("parts.mjs").write_text(parts, encoding="utf-8")
    folder.joinpath("figure.mjs").write_text(figure, encoding="utf-8")
    return folder


@pytest.mark.parametrize("module", FIGURES)
def test_a_notebook_shows_what_the_page_shows(page, module):  # noqa: F811
    figure = FIGURES[module]("ear")
    assert figure._esm == one_text(module) and "import " not in figure._esm
    show(page, figure)
    as_files = drawn(page)
    page.evaluate(SHOW_TEXT, [figure._esm, figure.state()])
    assert drawn(page) == as_files


def test_a_figure_may_use_names_that_the_parts_have_too(page, tmp_path):  # noqa: F811
    own = "const [fill, Handle] = ['mine', 'also mine'];\n"
    text = 'import { node } from "./parts.mjs"; // one of many\n\n' + own + (
        'const render = ({ el }) => { el.append(node("p", {}, fill, ", ", Handle)); return () => {}; };\n'
        "export default { render };\n"
    )  # fmt: skip
    show(page, widgets.Ball())
    page.evaluate(SHOW_TEXT, [one_text("figure", written(tmp_path, PARTS, text)), {}])
    expect(page.locator("main p")).to_have_text("mine, also mine")
    page.evaluate("() => document.querySelector('main').replaceChildren()")


@pytest.mark.parametrize(
    ("parts", "figure", "said"),
    [
        ("export const a = 1;\n", 'import { a, b } from "./parts.mjs";\n', "figure.mjs imports b: parts.mjs offers a"),
        ("export const a = 1;\n", 'import { a as c } from "./parts.mjs";\n', "imports a as c"),
        ("", 'import * as d3 from "https://example.org/d3";\n', "figure.mjs has 'import \\* as d3"),
        ("export const a = 1;\n", 'import { a } from "./parts.mjs";\nimport { b } from "./b.mjs";\n', "./b.mjs"),
        ("", 'const more = await import("./more.mjs");\n', r"import\(\"./more.mjs"),
        ("", 'export { a } from "./a.mjs";\n', "export { a } from"),
        ('import "./b.mjs";\nexport const a = 1;\n', 'import { a } from "./parts.mjs";\n', "parts.mjs has 'import"),
    ],
)
def test_a_figure_that_imports_anything_else_is_refused(tmp_path, parts, figure, said):
    with pytest.raises(ValueError, match=said):
        one_text("figure", written(tmp_path, parts, figure))


def test_every_part_is_used_and_every_import_too():
    unused = set(OFFERED)
    for path in FOLDER.glob("*.mjs"):
        text = path.read_text(encoding="utf-8")
        found = re.search(r"^import \{([^}]*)\}.*\n", text, re.M)
        names = [name.strip() for name in found[1].split(",") if name.strip()] if found else []
        assert names == sorted(names), path.name
        rest = text.replace(found[0], "") if found else text
        idle = [name for name in names if not re.search(rf"(?<![.\w-]){name}\b", rest.replace("...", " "))]
        assert idle == [], f"{path.name} imports {idle} for nothing"
        unused -= set(names)
    inside = {name for name in unused if len(re.findall(rf"\b{name}\b", PARTS)) > 1}
    assert unused - inside == set()


# Keys that are faster than the drawing

AT_ONCE = """(e, keys) => {
  e.focus();
  for (const key of keys) e.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}"""
HELD = {
    "linear_map": 3,
    "kept_directions": 1,
    "sphere_walk": 1,
    "tangent": 2,
    "ball": 2,
    "pullback": 2,
    "rotate_scale_rotate": 2,
}
TYPED = {"linear_map": 6, "kept_directions": 4, "tangent": 2, "rotate_scale_rotate": 4}


def after(page, figure, selector, i, batches):  # noqa: F811
    """The figure's state after batches of keys on its i-th part of a kind, each batch within one frame."""
    show(page, figure)
    for keys in batches:
        rested(page.locator(selector).nth(i)).evaluate(AT_ONCE, keys)
    return json.dumps(rested(page).evaluate("model.state"), sort_keys=True)


@pytest.mark.parametrize(
    ("module", "selector", "count", "key"),
    [
        *[(module, ".hs-handle", count, "ArrowRight") for module, count in HELD.items()],
        *[(module, "input.hs-entry", count, "ArrowUp") for module, count in TYPED.items()],
    ],
)
def test_keys_that_are_faster_than_the_drawing_all_count(page, module, selector, count, key):  # noqa: F811
    figure = FIGURES[module]("ear")
    show(page, figure)
    expect(page.locator(selector)).to_have_count(count)
    for i in range(count):
        one_by_one = after(page, figure, selector, i, [[key]] * 3)
        assert after(page, figure, selector, i, [[key] * 3]) == one_by_one
        assert after(page, figure, selector, i, [[key]]) != one_by_one


REACH = """() => {
  let heard = 0;
  const listen = () => (heard += 1);
  document.addEventListener('keydown', listen);
  const fields = [...document.querySelectorAll('main input:not([type=checkbox])')];
  for (const e of fields) e.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp', bubbles: true }));
  document.removeEventListener('keydown', listen);
  return [fields.length, heard];
}"""


def test_keys_of_fields_and_sliders_stay_in_them(page):  # noqa: F811
    """In a notebook they would move on to another cell."""
    reached = {}
    for module, make in FIGURES.items():
        show(page, make("ear"))
        reached[module] = rested(page).evaluate(REACH)
    assert sum(count for count, _ in reached.values()) > 20
    assert {module: heard for module, (_, heard) in reached.items() if heard} == {}


def test_every_figure_with_handles_and_numbers_is_tried():
    texts = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.mjs") if path.stem != "parts"}
    assert {name for name, text in texts.items() if "new Handle(" in text} == set(HELD)
    assert {name for name, text in texts.items() if re.search(r"(?<!function )\bentry\(", text)} == set(TYPED)
