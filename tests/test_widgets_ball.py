"""The ball of steps: its steepest step is the one of linear programming, of a search, and of the browser's twin."""

import json
import math

import numpy as np
import pytest
from browser import rested, says
from bs4 import BeautifulSoup
from hypothesis import example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect
from scipy.optimize import linprog, minimize
from test_widgets_pictures import answer, page, show, state  # noqa: F401  (page is a fixture)

from hspace.widgets import Ball
from hspace.widgets.ball import BALLS

J = np.array([[4.0, 1], [1, 1]])
GRADIENTS = st.tuples(*2 * [st.integers(-50, 50)]).map(lambda g: [g[0] / 10, g[1] / 10]).filter(any)


def by_linear_programming(ball, g):
    """The least dot product with g over the unit ball of the 1-norm or the ∞-norm."""
    if ball == "inf-norm":
        return linprog(g, bounds=[(-1, 1)] * 2).fun
    # d = p − q with p, q ≥ 0 and the sum of all four at most 1
    return linprog([*g, *np.negative(g)], A_ub=[[1] * 4], b_ub=[1], bounds=[(0, None)] * 4).fun


@given(g=GRADIENTS)
@example(g=[2.0, -2.0])
@example(g=[0.0, 3.0])
@settings(max_examples=12, deadline=None)
@pytest.mark.parametrize("ball", ["1-norm", "inf-norm"])
def test_linear_programming_finds_no_steeper_step(ball, g):
    figure = Ball(g, ball)
    assert figure.length(figure.step) == pytest.approx(1)
    assert figure.slope == pytest.approx(figure.step @ g) == pytest.approx(by_linear_programming(ball, g))


@given(g=GRADIENTS)
@settings(max_examples=12, deadline=None)
def test_round_balls_have_their_closed_forms(g):
    g = np.array(g)
    assert np.allclose(Ball(g).step, -g / np.linalg.norm(g))
    assert Ball(g).slope == pytest.approx(-np.linalg.norm(g))
    bent = Ball(g, "pullback")
    best = np.linalg.inv(J.T @ J) @ g
    assert np.allclose(bent.step, -best / math.sqrt(best @ g))
    assert bent.slope == pytest.approx(-np.linalg.norm(np.linalg.inv(J).T @ g)), "minus the dual norm"


@pytest.mark.parametrize("map_", [J, [[1, 0.5], [-2, 1]], np.eye(2)])
def test_a_search_along_the_ellipse_finds_no_steeper_step(map_):
    g, figure = np.array([-1.5, 2]), Ball([-1.5, 2], "pullback", jacobian=map_)
    on_it = {"type": "eq", "fun": lambda d: np.sum((np.array(map_) @ d) ** 2) - 1}
    found = min((minimize(lambda d: d @ g, start, constraints=on_it) for start in np.eye(2)), key=lambda r: r.fun)
    assert figure.slope == pytest.approx(found.fun, abs=1e-5) and np.allclose(figure.step, found.x, atol=1e-3)


@pytest.mark.parametrize("ball", BALLS)
@pytest.mark.parametrize("g", [[4, 1], [-0.3, 2.2], [2, 2], [0, -3]])
def test_no_step_of_length_one_is_steeper(ball, g):
    figure = Ball(g, ball)
    angles = np.radians(np.arange(0, 360, 0.5))
    around = np.stack([np.cos(angles), np.sin(angles)], 1)
    around /= np.array([figure.length(d) for d in around])[:, None]
    slopes = around @ g
    assert figure.slope <= slopes.min() + 1e-9 and figure.slope == pytest.approx(slopes.min(), rel=1e-3)
    alike = np.isclose(slopes, figure.slope, atol=1e-9).sum()
    assert figure.edge == (alike > 40), f"{alike} of 720 steps are as steep as the steepest"


def test_the_steepest_step_in_the_pullback_metric_moves_only_one_output():
    """∇h₁ is the first row of J, and the step that J takes to (−1, 0) descends as H sees it."""
    assert np.allclose(J @ Ball([4, 1], "pullback").step, [-1, 0])
    assert np.allclose(Ball([4, 1], "pullback").step, [-1 / 3, 1 / 3])


def test_without_a_gradient_nothing_descends():
    for ball in BALLS:
        figure = Ball([0, 0], ball)
        assert figure.step is None and figure.slope == 0 and not figure.edge
        assert "No step descends" in figure.describe()


@pytest.mark.parametrize(
    ("ball", "said"),
    [
        ("2-norm", "(−0.97, −0.24) descends most: its dot product with the gradient is −4.12."),
        ("1-norm", "(−1, 0) descends most: its dot product with the gradient is −4."),
        ("inf-norm", "(−1, −1) descends most: its dot product with the gradient is −5."),
        ("pullback", "(−0.33, 0.33) descends most: its dot product with the gradient is −1."),
    ],
)
def test_the_description_tells_the_step(ball, said):
    figure = Ball(ball=ball, tried=180)
    assert said in figure.describe() and f"({ball})" in figure.describe()
    assert "half of the plane" in figure.describe()
    assert f"tried beside it, has the dot product {'−0.97' if ball == 'pullback' else '−4'}." in figure.describe()


def test_the_description_tells_a_tie():
    said = Ball([-2, 2], "1-norm").describe()
    assert "(0.5, −0.5) descends most" in said and "So do all steps of the same edge" in said
    assert "(0, −1) descends most" in Ball([0, 2], "inf-norm").describe()
    assert "edge" not in Ball().describe()


def test_a_page_keeps_the_state():
    figure = Ball(np.float32([1, -2]), "inf-norm", jacobian=[[1, 0], [0, 2]], tried=30)
    [element] = BeautifulSoup(figure.html(), "html.parser").contents
    assert element["data-widget"] == "ball" and element.p.text == figure.describe()
    kept = {"gradient": [1.0, -2.0], "ball": "inf-norm", "jacobian": [[1.0, 0.0], [0.0, 2.0]], "tried": 30.0}
    assert json.loads(element["data-state"]) == figure.state() == kept


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"gradient": [1, 2, 3]}, r"shape \(2,\)"),
        ({"gradient": [6, 0]}, "gradient=.* from -5 to 5"),
        ({"gradient": [float("nan"), 0]}, "NaN"),
        ({"ball": "3-norm"}, "ball='3-norm' must be one of 2-norm, 1-norm, inf-norm, pullback"),
        ({"jacobian": [[1, 2], [2, 4]]}, "no inverse"),
        ({"jacobian": [[0, 0], [0, 0]]}, "no inverse"),
        ({"jacobian": [[1, 2]]}, r"shape \(2, 2\)"),
        ({"tried": 181}, "tried=181 must be from -180 to 180"),
    ],
)
def test_a_ball_refuses(wrong, said):
    with pytest.raises(ValueError, match=said):
        Ball(**wrong)
    [(name, value)] = wrong.items()
    with pytest.raises(ValueError, match=said):
        setattr(Ball(), name, value)


# In the browser

TITLES = {"2-norm": "2-norm", "1-norm": "1-norm", "inf-norm": "∞-norm", "pullback": "Pullback metric"}


def text(values):
    return "(" + ", ".join(f"{round(value, 2) + 0.0:g}" for value in values).replace("-", "−") + ")"


def tip(page, name):  # noqa: F811
    """Where the arrow of a class ends, from the middle of the drawing, in pixels to the right and up."""
    points = rested(page.locator(f"g.{name} polygon")).get_attribute("points")
    x, y = map(float, points.split()[0].split(","))
    size = float(rested(page.locator(".hs-drawing svg")).get_attribute("width"))
    return np.array([x - size / 2, size / 2 - y])


@pytest.mark.parametrize("g", [[4, 1], [-2.5, 2.5], [0, 3]])
def test_the_twin_finds_the_same_step_in_every_ball(page, g):  # noqa: F811
    show(page, Ball(g, tried=10))
    for ball, title in TITLES.items():
        page.get_by_role("button", name=title).click()
        same = Ball(g, ball, tried=10)
        says(page, "Steepest step", text(same.step))
        says(page, "Its slope ⟨d, ∇f⟩", text([same.slope])[1:-1])
        says(page, "Your step", text(same.own))
        steepest, own = tip(page, "hs-steepest"), tip(page, "hs-own")
        scale = np.linalg.norm(own) / np.linalg.norm(same.own)
        assert np.allclose(steepest, scale * same.step, atol=0.2) and np.allclose(own, scale * same.own, atol=0.2)
        expect(page.locator(".hs-edge")).to_have_count(int(same.edge))


SLOW_MOTION = """() => {
  const real = window.requestAnimationFrame;
  let now = performance.now();
  performance.now = () => now; // every frame is 20 milliseconds after the last, however slow the machine is
  window.requestAnimationFrame = draw => real.call(window, () => draw(now += 20));
  window.seen = [];
  const note = () => window.seen.push(document.querySelector('g.hs-steepest polygon').getAttribute('points'));
  const watch = new MutationObserver(note);
  watch.observe(document.querySelector('.hs-drawing g'), { childList: true });
  window.normal = () => { delete performance.now; window.requestAnimationFrame = real; watch.disconnect(); };
}"""


def test_the_step_turns_while_the_ball_changes(page):  # noqa: F811
    show(page, Ball([4, 1]))
    middle = float(rested(page.locator(".hs-drawing svg")).get_attribute("width")) / 2
    page.evaluate(SLOW_MOTION)
    page.get_by_role("button", name="∞-norm").click()
    drawn = [points.split()[0].split(",") for points in rested(page).evaluate("window.seen")]
    angles = [math.degrees(math.atan2(middle - float(y), float(x) - middle)) for x, y in drawn]
    page.evaluate("normal()")
    assert angles == sorted(angles), "it turns one way, from the circle's answer to the square's corner"
    assert angles[0] < -160 and angles[-1] == pytest.approx(-135, abs=0.1) and len(set(angles)) > 6


def test_the_gradient_is_dragged_and_nudged(page):  # noqa: F811
    show(page, Ball([4, 1]))
    hold = page.get_by_role("slider", name="Gradient")
    box = rested(hold.locator(".hs-hit")).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x + 3, y)
    page.mouse.down()
    page.mouse.move(x - 60, y - 40, steps=4)
    page.mouse.up()
    a, b = state(page, "gradient")
    assert 0 < a < 4 and b > 1
    hold.focus()
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowDown"):
        page.keyboard.press(key)
    assert np.allclose(state(page, "gradient"), [a + 0.1, b + 0.1 - 0.5])
    page.keyboard.press("End")
    assert state(page, "gradient")[0] == 5
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Steepest step')")
    page.get_by_role("button", name="Start again").click()
    assert state(page, "gradient") == [4, 1]


def test_the_readers_own_step_is_compared_with_the_best(page):  # noqa: F811
    show(page, Ball([3, 4], tried=-90))
    says(page, "Its slope", "−4: 80 % of it")
    hold = page.get_by_role("slider", name="Your step")
    hold.focus()
    page.keyboard.press("Home")
    says(page, "Its slope", "−3: 60 % of it")
    page.keyboard.press("ArrowUp")  # over the end, round and round
    assert state(page, "tried") == -175
    page.evaluate("model.set('tried', 90)")
    says(page, "Its slope", "4: up")
    box = rested(hold.locator(".hs-hit")).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 110, steps=5)
    page.mouse.up()
    assert -60 < state(page, "tried") < 60


def test_no_gradient_leaves_no_arrow(page):  # noqa: F811
    show(page, Ball([0, 0]))
    says(page, "Steepest step", "none")
    expect(page.locator(".hs-down, .hs-steepest")).to_have_count(0)
    expect(page.locator(".hs-remark")).to_contain_text("The gradient is 0")


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_the_figure_fits(page, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 800})
    show(page, Ball([4, 1], "pullback"))
    assert rested(page).evaluate("document.documentElement.scrollWidth") <= width
    cut = rested(page).evaluate("""() => {
      const frame = document.querySelector('.hs-drawing svg').getBoundingClientRect();
      const out = box => box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
      const words = [...document.querySelectorAll('.hs-drawing svg text')];
      return words.filter(e => out(e.getBoundingClientRect())).length;
    }""")
    assert cut == 0
    page.set_viewport_size({"width": 900, "height": 900})


def test_cleaning_up_leaves_nothing(page):  # noqa: F811
    show(page, Ball())
    page.evaluate("clean()")
    expect(page.locator("main *")).to_have_count(0)
    assert rested(page).evaluate("Object.values(model.calls).flat().length") == 0
