"""The pulled-back circle: lengths and axes are those of the library's metric, and the browser draws the same."""

import json

import numpy as np
import pytest
import torch
from browser import rested, says
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect
from test_widgets_pictures import answer, page, show, state  # noqa: F401  (page is a fixture)

from hspace import PullbackMetric
from hspace.widgets import Pullback
from hspace.widgets.pullback import MAPS

TORCH = {
    "bend": lambda x: torch.stack([x[0] ** 2 + x[1], x[0] + x[1]]),
    "turn": lambda x: torch.stack([3**0.5 / 2 * x[0] - x[1] / 2, x[0] / 2 + 3**0.5 / 2 * x[1]]),
    "polar": lambda x: torch.stack([x[0] * x[1].cos(), x[0] * x[1].sin()]),
    "fold": lambda x: torch.stack([x[0] ** 2, x[1]]),
    "globe": lambda x: torch.stack([x[1].cos() * x[0].cos(), x[1].cos() * x[0].sin(), x[1].sin()]),
}
SHARES = st.tuples(*2 * [st.integers(1, 19)])


def inside(name, shares):
    """A point of a map's room, from shares of its sides in twentieths."""
    return [low + (high - low) * share / 20 for share, (low, high) in zip(shares, MAPS[name].room, strict=True)]


@given(shares=SHARES, v=st.tuples(*2 * [st.integers(-30, 30)]))
@settings(max_examples=15, deadline=None)
@pytest.mark.parametrize("name", MAPS)
def test_lengths_are_those_of_the_librarys_metric(name, shares, v):
    p, v = inside(name, shares), [value / 10 for value in v]
    figure = Pullback(name, p, v)
    metric = PullbackMetric(TORCH[name], torch.tensor(p, dtype=torch.float64))
    assert np.allclose(figure.J, metric.J.dense(), atol=1e-12)
    assert figure.length == pytest.approx(metric.norm(torch.tensor(v, dtype=torch.float64)), abs=1e-9)
    assert figure.length**2 == pytest.approx(np.array(v) @ figure.metric @ v, abs=1e-9)


@given(shares=SHARES)
@settings(max_examples=15, deadline=None)
@pytest.mark.parametrize("name", MAPS)
def test_the_half_axes_are_the_nearest_and_the_farthest_step_of_the_ellipse(name, shares):
    figure = Pullback(name, inside(name, shares), radius=0.7)
    turn = np.linspace(0, np.pi, 20001)
    around = np.stack([np.cos(turn), np.sin(turn)])
    far = 0.7 / np.maximum(np.linalg.norm(figure.J @ around, axis=0), 1e-12)
    short, long = figure.axes
    assert short == pytest.approx(far.min(), rel=1e-4)
    assert np.isinf(long) or long == pytest.approx(far.max(), rel=1e-2)


def test_at_the_crease_there_is_no_end():
    figure = Pullback("fold", (0, 1), (1, 0))
    assert np.isinf(figure.axes[1]) and figure.axes[0] == 1 and figure.length == 0
    assert "a strip, 1 to each side and without end" in figure.describe()


def test_only_the_globe_is_curved():
    assert [name for name, known in MAPS.items() if known.curvature] == ["globe"]
    assert "curvature is 1 everywhere" in Pullback("globe", (0.5, 0.5), radius=0.3).describe()
    assert "every ellipse is a circle" in Pullback("turn", (1, 1)).describe()
    assert "the space is flat" in Pullback().describe()


def test_the_description_tells_both_lengths():
    said = Pullback().describe()
    assert "JᵀJ is (17, 5; 5, 2)" in said and "half axes 0.23 and 1.43" in said
    assert "has length 0.76 by X's own ruler and 2.15 in the pulled-back metric" in said


def test_another_map_has_room_for_p():
    figure = Pullback("bend", (2, 6))
    figure.map = "polar"
    assert figure.point == [2.0, 0.0]
    figure.point = [1, 1]
    figure.map = "fold"
    assert figure.point == [1, 1], "where there is room, p stays"


def test_a_page_keeps_the_state():
    figure = Pullback("globe", np.float32([0.5, -1]), (1, 0), radius=0.25, field=True)
    [element] = BeautifulSoup(figure.html(), "html.parser").contents
    assert element["data-widget"] == "pullback" and element.p.text == figure.describe()
    kept = {"map": "globe", "point": [0.5, -1.0], "vector": [1.0, 0.0], "radius": 0.25, "field": True}
    assert json.loads(element["data-state"]) == figure.state() == kept


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"map": "bent"}, "map='bent' must be one of bend, turn, polar, fold, globe"),
        ({"point": [5, 3]}, "outside the room of 'bend'"),
        ({"point": [1, 2, 3]}, r"shape \(2,\)"),
        ({"vector": [4, 0]}, "vector=.* from -3 to 3"),
        ({"vector": [float("nan"), 0]}, "NaN"),
        ({"radius": 2}, "radius=2 must be from 0.05 to 1.5"),
    ],
)
def test_a_pullback_refuses(wrong, said):
    with pytest.raises(ValueError, match=said):
        Pullback(**wrong)
    [(name, value)] = wrong.items()
    with pytest.raises(ValueError, match=said):
        setattr(Pullback(), name, value)


# In the browser

DRAWN = """name => [...document.querySelector(name).getAttribute('d').matchAll(/[ML]([-\\d.]+) ([-\\d.]+)/g)]
  .map(found => [Number(found[1]), Number(found[2])])"""


def number(value):
    return f"{round(float(value), 2) + 0.0:g}".replace("-", "−")


@pytest.mark.parametrize("name", MAPS)
def test_the_twin_draws_the_same_ellipse(page, name):  # noqa: F811
    p = inside(name, (14, 13))
    figure = Pullback(name, p, (0.5, -0.4), radius=0.4)
    show(page, figure)
    says(page, "length of v in H, √(vᵀJᵀJ v)", number(figure.length))
    says(page, "half axes of the ellipse", f"{number(figure.axes[0])} and {number(figure.axes[1])}")
    says(page, "metric JᵀJ", ", ".join(f"({number(a)}, {number(b)})" for a, b in figure.metric))
    says(page, "curvature", "1: curved" if name == "globe" else "0: flat")
    rim = np.array(rested(page).evaluate(DRAWN, ".hs-back"))
    (low, high), _ = MAPS[name].room
    size = float(rested(page.locator(".hs-space").first).get_attribute("width"))
    scale = size / (1.08 * (high - low))
    steps = (rim - rim.mean(0)) * [1, -1] / scale
    assert np.allclose(np.linalg.norm(steps @ figure.J.T, axis=1), 0.4, atol=0.02 * np.linalg.norm(figure.J, 2))
    assert np.allclose(rim.mean(0) / scale, (np.array([p[0], -p[1]]) + 1.08 * (high - low) / 2
                       - [(low + high) / 2, -sum(MAPS[name].room[1]) / 2]), atol=0.05)  # fmt: skip


def test_p_is_dragged_and_the_ellipse_follows(page):  # noqa: F811
    show(page, Pullback())
    before = rested(page).evaluate(DRAWN, ".hs-back")
    hold = page.get_by_role("slider", name="p:")
    box = rested(hold.locator(".hs-knob")).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y + 20, steps=4)
    page.mouse.up()
    a, b = state(page, "point")
    assert 0 < a < 2 and 2 < b < 3
    assert rested(page).evaluate(DRAWN, ".hs-back") != before
    says(page, "half axes of the ellipse", " and ".join(map(number, Pullback(point=(a, b)).axes)))
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Half axes')")
    page.keyboard.press("End")
    assert state(page, "point") == [4, b]
    page.get_by_role("button", name="Start again").click()
    assert state(page, "point") == [2, 3]


def test_v_is_moved_by_keys_and_measured(page):  # noqa: F811
    show(page, Pullback())
    page.get_by_role("slider", name="v:").focus()
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    assert np.allclose(state(page, "vector"), [-0.1, 0.8])
    says(page, "length of v in X", number(np.hypot(0.1, 0.8)))
    says(page, "length of v in H, √(vᵀJᵀJ v)", number(np.hypot(0.4, 0.7)))


def test_the_ellipse_falls_apart_at_the_crease(page):  # noqa: F811
    show(page, Pullback("fold", (1, 0.5)))
    page.get_by_role("slider", name="p:").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    assert state(page, "point")[0] == 0
    says(page, "half axes of the ellipse", "1 and ∞")
    expect(page.locator(".hs-remark")).to_contain_text("takes a direction to nothing")
    expect(page.locator(".hs-truth")).to_have_count(0)


def test_another_map_brings_its_own_beginning(page):  # noqa: F811
    show(page, Pullback())
    page.get_by_role("button", name="globe").click()
    assert state(page, "map") == "globe" and state(page, "radius") == 0.3
    expect(page.locator(".hs-remark")).to_contain_text("Greenland")
    page.get_by_role("checkbox", name="everywhere").check()
    assert state(page, "field") is True
    expect(page.locator(".hs-space").first.locator(".hs-small")).to_have_count(49)
    assert 0 < rested(page.locator(".hs-space").last.locator(".hs-small")).count() < 49, "what lies behind is left out"


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_the_figure_fits(page, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 800})
    show(page, Pullback(vector=(2, 2)))
    assert rested(page).evaluate("document.documentElement.scrollWidth") <= width
    cut = rested(page).evaluate("""() => [...document.querySelectorAll('svg.hs-space')].flatMap(svg => {
      const frame = svg.getBoundingClientRect();
      return [...svg.querySelectorAll('text')].map(e => e.getBoundingClientRect())
        .filter(box => box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1);
    }).length""")
    assert cut == 0
    page.set_viewport_size({"width": 900, "height": 900})


def test_cleaning_up_leaves_nothing(page):  # noqa: F811
    show(page, Pullback())
    page.evaluate("clean()")
    expect(page.locator("main *")).to_have_count(0)
    assert rested(page).evaluate("Object.values(model.calls).flat().length") == 0
