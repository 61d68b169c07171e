"""The walk on a sphere: its vector is carried as `hspace.geometry` carries one, in Python and in the browser."""

import json
import math
import re
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
import torch
from browser import rested, says, stays
from bs4 import BeautifulSoup
from playwright.sync_api import expect
from test_widgets_pictures import answer, page, show, state  # noqa: F401  (page is a fixture)

from hspace.geometry import along
from hspace.jacobian import Jacobian
from hspace.krylov import svd
from hspace.widgets import SphereWalk

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
FORMULA = "360° · (1 − cos 60°) = 180.0°"


def chart(z):
    """Colatitude and longitude → the unit sphere."""
    return torch.stack([z[0].sin() * z[1].cos(), z[0].sin() * z[1].sin(), z[0].cos()])


@lru_cache
def carried(colatitude, heading, steps):
    """Points, directions ahead and the vector carried by `hspace.along` round a latitude, all (steps + 1, 3)."""
    phi = torch.linspace(0, 2 * math.pi, steps + 1, dtype=torch.float64)
    places = [torch.stack([torch.full_like(angle, math.radians(colatitude)), angle]) for angle in phi[:-1]]
    path = [svd(Jacobian(chart, z), 2, tol=1e-10) for z in places]
    ahead = torch.stack([-phi.sin(), phi.cos(), 0 * phi], 1)
    points = torch.stack([chart(z) for z in [*places, places[0]]])
    left = torch.linalg.cross(points[0], ahead[0])
    u = math.cos(math.radians(heading)) * ahead[0] + math.sin(math.radians(heading)) * left
    vectors = along(path[0].pull(path[0].U.T @ u), [*path, path[0]])
    u = torch.stack([S.push(v) for S, v in zip([*path, path[0]], vectors, strict=True)])
    return points.numpy(), ahead.numpy(), u.numpy()


def to_left(points, ahead, u):
    """Angles from the way ahead to the vectors, in degrees to the left."""
    return np.degrees(np.arctan2((np.cross(points, ahead) * u).sum(1), (ahead * u).sum(1)))


def apart(a, b):
    """The largest difference of angles, in degrees, whole turns aside."""
    return np.abs((np.asarray(a) - b + 180) % 360 - 180).max()


WALKS = [(60, 0, 24), (30, 75, 12), (85, -140, 24)]


@pytest.mark.parametrize("walk", WALKS)
def test_the_vector_is_carried_as_the_library_carries_it(walk):
    colatitude, heading, steps = walk
    figure = SphereWalk(colatitude, heading=heading, steps=steps)
    assert apart(figure.angles(), to_left(*carried(*walk))) < 1e-8
    assert figure.angles()[0] == heading
    points, _, u = carried(*walk)
    at_home = np.degrees(math.atan2(np.cross(u[0], u[-1]) @ points[0], u[0] @ u[-1]))
    assert apart(figure.turn, at_home) < 1e-8


@pytest.mark.parametrize("colatitude", [10, 37.5, 60, 89])
@pytest.mark.parametrize("steps", [6, 24, 96])
def test_the_turn_is_the_area_of_the_polygon_that_is_walked(colatitude, steps):
    """The sum of a spherical polygon's angles, by the right triangles round the pole, less that of a flat one's."""
    half = math.atan(1 / (math.cos(math.radians(colatitude)) * math.tan(math.pi / steps)))
    area = math.degrees(2 * steps * half - (steps - 2) * math.pi)
    assert SphereWalk(colatitude, heading=20, steps=steps).turn == pytest.approx(area, abs=1e-8)


def test_half_the_step_leaves_a_quarter_of_the_error():
    error = [180 - SphereWalk(60, steps=steps).turn for steps in (24, 48, 96)]
    assert [a / b for a, b in pairwise(error)] == pytest.approx([4, 4], rel=0.02)


@pytest.mark.parametrize("heading", [-180, 0, 33])
def test_great_circles_turn_nothing_but_a_triangle_of_them_does(heading):
    assert np.ptp(SphereWalk(90, heading=heading).angles()) < 1e-9
    triangle = SphereWalk(heading=heading, steps=9, path="triangle")
    sides = triangle.angles() - heading
    assert np.allclose(sides, -90.0 * (np.arange(10) // 3), atol=1e-9)
    assert triangle.turn == pytest.approx(90)


def test_the_description_tells_the_walk_and_its_turn():
    figure = SphereWalk()
    said = figure.describe()
    assert "colatitude 60° on a sphere in 24 steps" in said and "sets out straight ahead." in said
    assert f"turned to the left by 179.2°; by ever smaller steps it would be {FORMULA}." in said
    figure.at, figure.heading = 8, 10
    assert "sets out 10.0° to the left of the way ahead." in figure.describe()
    assert "After 8 steps it points 50.3° to the right of the way ahead." in figure.describe()
    assert "comes home as it left: the equator is a great circle" in SphereWalk(90).describe()
    said = SphereWalk(path="triangle").describe()
    assert "three great circles" in said and "to the left by 90.0°" in said and "colatitude" not in said


def test_the_state_is_a_few_numbers_and_a_page_keeps_it():
    figure = SphereWalk(np.float32(45), heading=-90, steps=12, path="triangle")
    [element] = BeautifulSoup(figure.html(), "html.parser").contents
    assert element["data-widget"] == "sphere_walk" and element.p.text == figure.describe()
    kept = {"colatitude": 45.0, "heading": -90.0, "steps": 12, "path": "triangle", "at": 0}
    assert json.loads(element["data-state"]) == figure.state() == kept


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"colatitude": 9.5}, "colatitude=9.5 must be from 10 to 90 degrees"),
        ({"colatitude": 120}, "colatitude=120"),
        ({"colatitude": float("nan")}, "NaN"),
        ({"colatitude": "wide"}, "must hold numbers"),
        ({"heading": 181}, "heading=181 must be from -180 to 180"),
        ({"steps": 25}, "steps=25 must be a multiple of 3"),
        ({"steps": 3}, "from 6 to 96"),
        ({"steps": True}, "steps=True"),
        ({"path": "square"}, "path='square' must be one of latitude, triangle"),
    ],
)
def test_a_walk_refuses(wrong, said):
    with pytest.raises(ValueError, match=said):
        SphereWalk(**wrong)


def test_numbers_set_later_are_checked_and_another_way_begins_at_its_start():
    figure = SphereWalk(steps=6)
    for name, value in {"colatitude": 0.0, "heading": 200.0, "steps": 7, "path": "round", "at": 7}.items():
        with pytest.raises(ValueError, match=f"{name}="):
            setattr(figure, name, value)
    figure.at = 6
    figure.path = "triangle"
    assert figure.at == 0


# In the browser

HANDLE = ".hs-sphere_walk [role=slider]"


def drawn(page, name):  # noqa: F811
    """The drawn arrows of a class, (k, 4): x and y of each one's tail and tip, in pixels."""
    paths = rested(page).evaluate(
        "name => [...document.querySelectorAll(`g.${name}`)]"
        ".map(arrow => [...arrow.querySelectorAll('path')].map(path => path.getAttribute('d')))",
        name,
    )
    first = [[re.match(r"M(\S+) ([\d.-]+)", d).groups() for d in pair] for pair in paths]
    return np.array(first, dtype=float).reshape(-1, 4)


def seen(page, points, colatitude):  # noqa: F811
    """Points of space (k, 3), longitudes from the start of the walk, where the drawing must have them: (k, 2)."""
    eye, begin = np.radians(np.clip(90 - colatitude, 28, 60)), np.radians(-15)
    x, y, z = np.asarray(points).T
    x, y = x * np.cos(begin) - y * np.sin(begin), x * np.sin(begin) + y * np.cos(begin)
    ball = rested(page.locator(".hs-ball")).evaluate("e => ['cx', 'cy', 'r'].map(name => Number(e.getAttribute(name)))")
    return np.stack([ball[0] + ball[2] * y, ball[1] - ball[2] * (z * np.cos(eye) - x * np.sin(eye))], 1)


def walk_to(page, at):  # noqa: F811
    page.evaluate("at => { model.set('at', at); }", at)
    expect(page.locator(HANDLE)).to_have_attribute("aria-valuenow", str(at))


@pytest.mark.parametrize("walk", WALKS)
def test_the_twin_draws_what_the_library_carries(page, walk):  # noqa: F811
    colatitude, heading, steps = walk
    show(page, SphereWalk(colatitude, heading=heading, steps=steps))
    walk_to(page, steps)
    points, _, u = carried(*walk)
    length = min(0.42, 0.16 + 0.52 * math.sin(math.radians(colatitude)))
    wanted = np.hstack([seen(page, points, colatitude), seen(page, points + length * u, colatitude)])
    found = {name: drawn(page, name) for name in ("hs-start", "hs-trail", "hs-carried")}
    assert [len(arrows) for arrows in found.values()] == [1, steps - 1, 1]
    assert np.abs(found["hs-start"][0] - wanted[0]).max() < 0.02
    assert np.abs(found["hs-carried"][0] - wanted[-1]).max() < 0.02
    gap = np.abs(found["hs-trail"][:, None] - wanted[1:-1]).max(axis=2)
    assert gap.min(axis=0).max() < 0.02
    behind = heading - SphereWalk(colatitude, heading=heading, steps=steps).angles()[-1]
    says(page, "Turn when home", f"360° − {behind:.1f}° = {360 - behind:.1f}°")


def test_walking_by_keys_and_buttons(page):  # noqa: F811
    show(page, SphereWalk())
    walker = page.locator(HANDLE)
    walker.focus()
    for key in ("ArrowRight", "ArrowUp", "PageUp", "ArrowLeft"):
        page.keyboard.press(key)
    assert state(page, "at") == 4
    told = "step 4 of 24, the vector 30.1° to the right of the way ahead"
    expect(walker).to_have_attribute("aria-valuetext", told)
    says(page, "Turned against the way", "30.1° right")
    says(page, "Turn when home", "not home yet")
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Step 4 of 24')")
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Step", exact=True).click(click_count=2)
    assert state(page, "at") == 5
    walker.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    assert state(page, "at") == 24
    expect(page.get_by_role("button", name="Step", exact=True)).to_have_attribute("aria-disabled", "true")
    says(page, "Turn when home", "360° − 180.8° = 179.2°")
    says(page, "By the formula", FORMULA)
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Home: turned by 179.2°')")
    page.keyboard.press("Home")
    assert state(page, "at") == 0


def test_the_walker_is_dragged_round_the_far_side_and_no_further_than_home(page):  # noqa: F811
    show(page, SphereWalk())
    points, *_ = carried(60, 0, 24)
    svg = rested(page.locator(".hs-globe svg")).bounding_box()
    spots = seen(page, points, 60) + np.array([svg["x"], svg["y"]])
    page.mouse.move(*(spots[0] + 3))
    page.mouse.down()
    for i in range(1, 12):
        page.mouse.move(*(spots[i] + 3))
        assert state(page, "at") == i
    expect(page.locator(HANDLE)).to_contain_class("hs-away")
    for i in [*range(12, 25), 1, 2]:
        page.mouse.move(*(spots[i] + 3))
    page.mouse.up()
    assert state(page, "at") == 24
    page.mouse.move(*spots[20])
    assert state(page, "at") == 24
    box = rested(page.locator(HANDLE)).bounding_box()
    assert min(box["width"], box["height"]) >= 24
    expect(page.locator(HANDLE)).to_have_css("touch-action", "none")


def test_a_finger_drags_the_walker_and_does_not_scroll_the_page(page):  # noqa: F811
    small = {"viewport": {"width": 390, "height": 500}, "has_touch": True, "is_mobile": True}
    with page.context.browser.new_context(**small) as context:
        phone = context.new_page()
        phone.route("**/*", answer)
        phone.goto("http://figures.test/")
        phone.wait_for_function("window.ready")
        show(phone, SphereWalk())
        box = rested(phone.locator(HANDLE)).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        fingers = context.new_cdp_session(phone)
        for i in range(13):
            touch = {"type": "touchMove" if i else "touchStart", "touchPoints": [{"x": x + 5 * i, "y": y - 5 * i}]}
            fingers.send("Input.dispatchTouchEvent", touch)
        fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert state(phone, "at") >= 2
        assert rested(phone).evaluate("scrollY") == 0


def test_the_latitude_and_the_heading_are_changed_at_home(page):  # noqa: F811
    show(page, SphereWalk(45, steps=96))
    walk_to(page, 96)
    page.get_by_label("Colatitude").press("End")
    assert state(page, "colatitude") == 90 and state(page, "at") == 96
    says(page, "Turn when home", "360° − 0.0° = 360.0°")
    expect(page.locator(".hs-remark")).to_contain_text("nothing has turned")
    page.get_by_label("First heading").press("ArrowRight")
    says(page, "Vector, to the way ahead", "5.0° left")
    expect(page.get_by_label("First heading")).to_have_attribute("aria-valuetext", "5° left")


def test_a_triangle_of_straight_lines_turns_the_vector(page):  # noqa: F811
    show(page, SphereWalk(30, heading=20))
    walk_to(page, 5)
    page.get_by_role("button", name="Triangle").click()
    assert state(page, "path") == "triangle" and state(page, "at") == 0
    expect(page.get_by_label("Colatitude")).to_be_hidden()
    for at, angle in {7: "20.0° left", 8: "70.0° right", 15: "70.0° right", 24: "110.0° left"}.items():
        walk_to(page, at)
        says(page, "Vector, to the way ahead", angle)
    says(page, "Turn when home", "360° − 270.0° = 90.0°")


def test_walking_round_by_itself_can_be_stopped(page):  # noqa: F811
    show(page, SphereWalk(steps=96))
    page.get_by_role("button", name="Walk round").click()
    page.wait_for_function("model.get('at') >= 2")
    page.get_by_role("button", name="Stop").click()
    assert stays(page, lambda: state(page, "at"))
    assert 2 <= state(page, "at") < 96


def test_who_is_home_walks_round_once_more(page):  # noqa: F811
    show(page, SphereWalk(steps=6))
    page.evaluate("() => { window.went = []; model.on('change:at', () => went.push(model.get('at'))); }")
    for times in (1, 2):
        page.get_by_role("button", name="Walk round").click()
        page.wait_for_function("count => went.filter(at => at === 6).length === count", arg=times)
    assert rested(page).evaluate("went") == [*range(1, 7), 0, *range(1, 7)]


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_the_figure_fits(page, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 800})
    show(page, SphereWalk(85))
    walk_to(page, 24)
    assert rested(page).evaluate("document.documentElement.scrollWidth") <= width
    cut = rested(page).evaluate("""() => {
      const frame = document.querySelector('.hs-globe svg').getBoundingClientRect();
      return [...document.querySelectorAll('.hs-globe svg text')].map(e => e.getBoundingClientRect())
        .filter(box => box.left < frame.left || box.right > frame.right || box.bottom > frame.bottom).length;
    }""")
    assert cut == 0
    page.set_viewport_size({"width": 900, "height": 900})


def test_cleaning_up_leaves_nothing(page):  # noqa: F811
    show(page, SphereWalk())
    page.evaluate("clean()")
    expect(page.locator("main *")).to_have_count(0)
    assert rested(page).evaluate("Object.values(model.calls).flat().length") == 0
