"""A map at a point: its Jacobian, its first order and its area, in Python and in the browser."""

import json

import numpy as np
import pytest
import torch
from browser import rested, says
from bs4 import BeautifulSoup
from playwright.sync_api import expect
from test_widgets_pictures import answer, page, show, state  # noqa: F401  (page is a fixture)

from hspace.widgets import Tangent
from hspace.widgets.tangent import MAPS

POINTS = np.random.default_rng(0).uniform(-4, 4, size=(20, 2))


def torch_twin(name):
    """The maps once more, written with torch: for `jacrev`."""
    turn = torch.deg2rad(torch.tensor(30.0, dtype=torch.float64))
    return {
        "bend": lambda x: torch.stack([x[0] ** 2 + x[1], x[0] + x[1]]),
        "turn": lambda x: torch.stack([turn.cos() * x[0] - turn.sin() * x[1], turn.sin() * x[0] + turn.cos() * x[1]]),
        "fold": lambda x: torch.stack([x[0] ** 2, x[1]]),
        "polar": lambda x: torch.stack([x[0] * x[1].cos(), x[0] * x[1].sin()]),
        "crush": lambda x: torch.stack([x.sum(), x.sum() ** 2 / 4]),
    }[name]


@pytest.mark.parametrize("name", MAPS)
def test_a_map_has_the_values_and_the_jacobian_that_torch_finds(name):
    f = torch_twin(name)
    np.testing.assert_allclose(MAPS[name].at(POINTS), np.stack([f(x) for x in torch.tensor(POINTS)]), atol=1e-12)
    for point in POINTS:
        wanted = torch.func.jacrev(f)(torch.tensor(point))
        np.testing.assert_allclose(Tangent(name, point).J, wanted, atol=1e-12)


def test_the_story_s_numbers():
    figure = Tangent()
    assert figure.J.tolist() == [[4, 1], [1, 1]]
    np.testing.assert_allclose(figure.J @ figure.vector, [1.9, 1])
    np.testing.assert_allclose(figure.step(), [[8.9, 6], [8.99, 6]])
    assert figure.describe() == (
        "The map h = (x₁² + x₂, x₁ + x₂) takes p = (2, 3) to h(p) = (7, 5). "
        "Its Jacobian there is (4, 1; 1, 1), with determinant 3; it takes v = (0.3, 0.7) to u = (1.9, 1). "
        "To first order h(p + v) is (8.9, 6), in truth it is (8.99, 6)."
    )


@pytest.mark.parametrize("name", ["bend", "polar", "fold", "crush"])
def test_ten_times_closer_the_error_is_a_tenth_of_the_step(name):
    errors = []
    for zoom in (10, 100):
        guess, truth = Tangent(name, (2, 1), (1, 0.5), zoom=zoom).step()
        errors.append(np.linalg.norm(truth - guess) * zoom)
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.1)


def test_a_linear_map_has_no_error():
    guess, truth = Tangent("turn", (2, 1), (3, -3)).step()
    np.testing.assert_allclose(guess, truth, atol=1e-12)


@pytest.mark.parametrize(("name", "exact"), [("bend", 4), ("turn", 1), ("fold", 5), ("polar", 2.5), ("crush", 0)])
def test_the_area_of_the_image_is_the_integral_of_the_determinant(name, exact):
    """Over the unit square at (2, 1): det J is 2x₁ − 1, 1, 2x₁, x₁ and 0, and x₁ is 2.5 on average."""
    assert Tangent(name, (2, 1)).area() == pytest.approx(exact, abs=1e-3)
    close = Tangent(name, (2, 1), zoom=1000)
    assert close.area() == pytest.approx(np.linalg.det(close.J), abs=3e-3)


def test_the_description_tells_the_magnification_and_the_square():
    said = Tangent("polar", (2, 0), (1, 0.5), zoom=10, square=True).describe()
    assert "first order h(p + v / 10) is (2.1, 0.1), in truth it is (2.0974, 0.105)." in said
    assert said.endswith("A square at p with sides of 1 / 10 has an image of 2.05 times its area.")
    assert "with determinant −6;" in Tangent("fold", (-3, 0)).describe()
    assert "Its partial derivatives there are (4, 1; 1, 1); it takes v" in Tangent(ratios=False).describe()


def test_the_state_is_a_few_numbers_and_a_page_keeps_it():
    figure = Tangent("fold", torch.tensor([1.0, 2.0]), np.float32([1, -1]), zoom=100, ratios=False)
    [element] = BeautifulSoup(figure.html(), "html.parser").contents
    assert element["data-widget"] == "tangent" and element.p.text == figure.describe()
    kept = {"map": "fold", "point": [1, 2], "vector": [1, -1], "zoom": 100, "ratios": False, "square": False}
    assert json.loads(element["data-state"]) == figure.state() == kept


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"map": "knot"}, "map='knot' must be one of bend, turn, fold, polar, crush"),
        ({"point": (2, 4.5)}, r"point=\[2.0, 4.5\] must have coordinates from -4 to 4"),
        ({"point": (1, 2, 3)}, r"point must have shape \(2,\)"),
        ({"vector": (0, -3.1)}, "vector=.* from -3 to 3"),
        ({"vector": (0, float("nan"))}, "NaN"),
        ({"zoom": 0.5}, "zoom=0.5 must be from 1 to 1000"),
        ({"zoom": 2000}, "zoom=2000"),
    ],
)
def test_a_tangent_refuses(wrong, said):
    with pytest.raises(ValueError, match=said):
        Tangent(**wrong)


def test_numbers_set_later_are_checked():
    figure = Tangent()
    for name, value in {"map": "knot", "point": [5, 0], "vector": [0, 4], "zoom": 0.0}.items():
        with pytest.raises(ValueError, match=f"{name}="):
            setattr(figure, name, value)
    assert figure.state() == Tangent().state()


# In the browser

HANDLES = ".hs-tangent [role=slider]"


def drawn(page, name):  # noqa: F811
    """Tail and tip of the drawn arrow of a class, in pixels: (2, 2)."""
    found = page.locator(f"g.hs-{name}")
    tail = rested(found.locator("path")).get_attribute("d")[1:].split("L")[0]
    return np.array([tail.split(), rested(found).get_attribute("data-tip").split()], dtype=float)


def spot(page, name):  # noqa: F811
    """The middle of the drawn circle of a class, in pixels."""
    circle = page.locator(f"circle.hs-{name}")
    return [float(rested(circle).get_attribute(side)) for side in ("cx", "cy")]


def test_the_twins_agree(page):  # noqa: F811
    found = rested(page).evaluate(
        """async (points) => {
          const { maps } = await import('./tangent.mjs');
          return Object.entries(maps).map(([key, map]) =>
            [key, map.name, map.formulas, points.map(map.at), points.map(map.jacobian)]);
        }""",
        POINTS.tolist(),
    )
    assert [(key, name, tuple(formulas)) for key, name, formulas, *_ in found] == [
        (key, given.name, given.formulas) for key, given in MAPS.items()
    ]
    for key, _, _, values, jacobians in found:
        np.testing.assert_allclose(values, MAPS[key].at(POINTS), atol=1e-12)
        np.testing.assert_allclose(jacobians, np.stack([MAPS[key].jacobian(x) for x in POINTS]), atol=1e-12)


def test_the_output_is_drawn_to_scale(page):  # noqa: F811
    for zoom in (1, 5):
        figure = Tangent(zoom=zoom)
        show(page, figure)
        tail, tip = drawn(page, "u")
        scale = (tip - tail)[0] / 1.9
        np.testing.assert_allclose(tip - tail, scale * np.array([1.9, -1]), atol=0.05)
        guess, truth = figure.step()
        away = zoom * (truth - guess) * scale * [1, -1]
        np.testing.assert_allclose(spot(page, "truth"), tip + away, atol=0.05)
        np.testing.assert_allclose(spot(page, "image"), tail, atol=0.05)


def test_numbers_follow_the_map_the_magnification_and_the_square(page):  # noqa: F811
    show(page, Tangent())
    says(page, "p and h(p)", "(2, 3) and (7, 5)")
    says(page, "h(p + v) to first order", "(8.9, 6)")
    says(page, "the same in truth", "(8.99, 6)")
    says(page, "off by", "0.09, 12 % of the step")
    lens = page.get_by_label("Magnified")
    lens.press("End")
    assert state(page, "zoom") == 1000
    says(page, "h(p + v / 1000) to first order", "(7.0019, 5.001)")
    says(page, "the same in truth", "(7.00190009, 5.001)")
    lens.press("Home")
    page.get_by_role("button", name="crush").click()
    says(page, "determinant of J", "0")
    expect(page.locator(".hs-remark")).to_contain_text("no way back")
    page.get_by_role("button", name="polar").click()
    expect(page.get_by_role("button", name="Move the square")).to_be_hidden()
    page.get_by_label("a square of points").check()
    says(page, "the square's area grows", "2.5 times")
    page.get_by_role("button", name="Start again").click()
    assert [state(page, name) for name in ("map", "zoom", "square")] == ["bend", 1, False]


def test_keys_move_p_and_v_and_v_can_be_typed(page):  # noqa: F811
    show(page, Tangent())
    foot, tip = page.locator(HANDLES).all()
    for key in ("ArrowRight", "PageUp", "ArrowDown"):
        foot.press(key)
    assert state(page, "point") == [2.1, 3.9]
    foot.press("Home")
    assert state(page, "point") == [-4, 3.9]
    foot.press("ArrowLeft")
    assert state(page, "point") == [-4, 3.9]
    tip.press("Shift+ArrowUp")
    assert state(page, "vector") == [0.3, 1.7]
    tip.press("End")
    assert state(page, "vector") == [3, 1.7]
    page.get_by_label("v along ∂/∂x₁").fill("-0.25")
    assert state(page, "vector") == [-0.25, 1.7]
    expect(tip).to_have_attribute("aria-valuetext", "v is (−0.25, 1.7), u is (3.7, 1.45)")
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('p and h(p) are (−4, 3.9)')")


def test_p_and_v_are_dragged_also_when_magnified(page):  # noqa: F811
    show(page, Tangent(zoom=10))
    for i, (name, before) in enumerate((("vector", [0.3, 0.7]), ("point", [2, 3]))):
        box = rested(page.locator(HANDLES).nth(1 - i)).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        for j in range(1, 6):
            page.mouse.move(x + 5 * j, y - 4 * j)
        page.mouse.up()
        moved = np.array(state(page, name)) - before
        assert (moved > 0).all() and (moved < (0.6 if name == "vector" else 0.06)).all(), moved
    box = rested(page.locator(HANDLES).nth(1)).bounding_box()
    assert min(box["width"], box["height"]) >= 24


WATCH_THE_SQUARE = """() => {
  window.seen = [];
  const note = () => window.seen.push([...document.querySelectorAll('.hs-square')].at(-1).getAttribute('d'));
  new MutationObserver(note).observe(document.querySelector('.hs-tangent'), { childList: true, subtree: true });
}"""


def test_the_square_moves_and_can_be_moved_by_hand(page):  # noqa: F811
    show(page, Tangent(square=True))
    rim = page.locator(".hs-square").last
    after = rested(rim).get_attribute("d")
    page.get_by_label("How far the square has moved").press("Home")
    before = rested(rim).get_attribute("d")
    assert before != after
    page.evaluate(WATCH_THE_SQUARE)
    page.get_by_role("button", name="Move the square").click()
    seen = rested(page).evaluate("seen")
    assert seen[0] == before and seen[-1] == after and len(set(seen)) > 2


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_the_figure_fits(page, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 800})
    show(page, Tangent("turn", (-4, 4), (3, 3), square=True))
    assert rested(page).evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 900, "height": 900})


def test_cleaning_up_leaves_nothing(page):  # noqa: F811
    show(page, Tangent(square=True))
    page.get_by_role("button", name="Move the square").click()
    page.evaluate("clean()")
    expect(page.locator("main *")).to_have_count(0)
    assert rested(page).evaluate("Object.values(model.calls).flat().length") == 0
