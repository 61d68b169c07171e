"""The vector to turn: what it keeps is what numpy finds, in Python and in the browser."""

import json
import re

import numpy as np
import pytest
from browser import rested, says, stays
from bs4 import BeautifulSoup
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect
from test_widgets_pictures import page, show, state  # noqa: F401  (page is a fixture)

from hspace.widgets import KeptDirections
from hspace.widgets.kept_directions import LAW, MATRICES

GRAM = MATRICES["WᵀW"]
entry = st.integers(-12, 12).map(lambda n: n / 4)


def of(matrix, **options):
    return KeptDirections({"M": matrix}, **options)


@given(st.lists(entry, min_size=4, max_size=4))
@settings(max_examples=60, deadline=None)
def test_kept_directions_are_the_real_eigenvectors(entries):
    M = np.reshape(entries, (2, 2))
    values, vectors = np.linalg.eig(M)
    gap = (M[0, 0] - M[1, 1]) ** 2 + 4 * M[0, 1] * M[1, 0]
    assume(abs(gap) > 1e-6)  # where two become one, numpy's answer is a matter of rounding
    found = of(M).kept()
    if gap < 0:
        assert found == []
        wanted = sorted(values, key=lambda z: -z.imag)
        assert np.allclose(of(M).eigenvalues, wanted)
        return
    wanted = sorted(zip(np.degrees(np.arctan2(vectors[1], vectors[0])) % 180, values, strict=True))
    gaps = [abs((a - b + 90) % 180 - 90) for (a, _), (b, _) in zip(found, wanted, strict=True)]
    if max(gaps) > 1e-4:  # one at 0 may be at 180 by rounding
        wanted = wanted[1:] + wanted[:1]
    for (angle, value), (other, eigenvalue) in zip(found, wanted, strict=True):
        assert abs((angle - other + 90) % 180 - 90) < 1e-4 and value == pytest.approx(eigenvalue, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("W", []),
        ("quarter turn", []),
        ("mirror", [(45, 1), (135, -1)]),
        ("shear", [(0, 1)]),
        ("projection", [(26.565, 1), (116.565, 0)]),
    ],
)
def test_the_offered_matrices_are_one_of_each_kind(name, kept):
    assert np.allclose(of(MATRICES[name]).kept(), kept, atol=1e-3) if kept else of(MATRICES[name]).kept() == []


def test_a_multiple_of_the_identity_keeps_all():
    assert of(np.eye(2) * 3).kept() is None and of(np.zeros((2, 2))).kept() is None
    assert "Every direction is kept." in of(np.eye(2)).describe()


@pytest.mark.parametrize("angle", [0, 30, 151.5, 300])
def test_the_turn_is_the_angle_between(angle):
    figure = of(LAW, angle=angle)
    v = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    image = np.array(LAW) @ v
    cosine = v @ image / np.linalg.norm(image)
    assert abs(figure.turn) == pytest.approx(np.degrees(np.arccos(cosine)))
    assert figure.turn < 0  # the law turns everything to the right


def test_the_description_says_what_is_kept():
    said = KeptDirections().describe()
    assert "WᵀW, quarter turn" in said and "With (2, 0.75; −0.5, 1.5), v at 30° is turned by −21.4°." in said
    assert "No direction of the plane is kept: the eigenvalues are 1.75 ± 0.56 i." in said
    assert "Kept are two directions: 23.1° (eigenvalue 4.57) and 113.1° (eigenvalue 2.49)." in of(GRAM).describe()
    assert "Kept is one direction: 0.0° (eigenvalue 1)." in of(MATRICES["shear"]).describe()
    assert "is taken to 0" in of([[1, 0], [0, 0]], angle=90).describe()


def test_a_page_keeps_the_state():
    figure = KeptDirections({"A": LAW, "B": np.eye(2)}, angle=-30, marks=True)
    [element] = BeautifulSoup(figure.html(), "html.parser").contents
    assert element["data-widget"] == "kept_directions" and element.p.text == figure.describe()
    presets = [["A", LAW], ["B", [[1.0, 0.0], [0.0, 1.0]]]]
    kept = {"presets": presets, "matrix": LAW, "angle": 330.0, "marks": True}
    assert json.loads(element["data-state"]) == figure.state() == kept


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"matrices": {}}, "matrices must be a dict"),
        ({"matrices": {" ": LAW}}, "names"),
        ({"matrices": {"A": [[1, 2]]}}, "shape"),
        ({"matrices": {"A": [[1, 2], [3, float("nan")]]}}, "NaN"),
        ({"angle": float("inf")}, "infinite"),
        ({"angle": "up"}, "must hold numbers"),
    ],
)
def test_a_figure_refuses(wrong, said):
    with pytest.raises(ValueError, match=said):
        KeptDirections(**wrong)


def test_numbers_set_later_are_checked():
    figure = KeptDirections()
    figure.angle = 400
    assert figure.angle == 40
    with pytest.raises(ValueError, match="shape"):
        figure.matrix = [[1.0]]


# In the browser

HANDLE = ".hs-kept_directions [role=slider]"


def test_the_law_is_turned_round_and_keeps_nothing(page):  # noqa: F811
    show(page, KeptDirections(angle=0))
    page.locator(HANDLE).focus()
    for _ in range(24):
        page.keyboard.press("PageUp")
    assert state(page, "angle") == 0
    says(page, "Directions kept", "none found yet")
    page.get_by_role("checkbox").check()
    says(page, "Directions kept", "none")
    expect(page.locator(".hs-kept, .hs-spot")).to_have_count(0)
    expect(page.locator(".hs-remark")).to_contain_text("1.75 ± 0.56 i")


def test_no_kept_direction_is_missed_between_two_steps(page):  # noqa: F811
    show(page, KeptDirections(angle=10))
    page.get_by_role("button", name="WᵀW").click()
    assert np.allclose(state(page, "matrix"), GRAM)
    page.locator(HANDLE).focus()
    page.keyboard.press("PageUp")
    first = of(GRAM).kept()[0][0]
    assert state(page, "angle") == pytest.approx(first, abs=1e-5)
    expect(page.locator(".hs-remark")).to_contain_text("The eigenvalue is 4.57.")
    expect(page.locator(HANDLE)).to_have_attribute("aria-valuetext", "v at 23.1°, kept: it is not turned")
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('An eigenvector')")
    for _ in range(6):
        page.keyboard.press("PageUp")
    says(page, "Directions kept", "23.1° (4.57), 113.1° (2.49)")
    expect(page.locator(".hs-kept")).to_have_count(2)
    expect(page.locator(".hs-spot")).to_have_count(4)
    page.get_by_role("button", name="shear").click()
    says(page, "Directions kept", "none found yet")


@pytest.mark.parametrize("name", MATRICES)
def test_the_twin_draws_what_the_matrix_does(page, name):  # noqa: F811
    figure = of(MATRICES[name], angle=70, marks=True)
    show(page, figure)
    expect(page.locator(".hs-readings dd").first).to_have_text("70.0°")
    image = np.array(MATRICES[name]) @ [np.cos(np.radians(70)), np.sin(np.radians(70))]
    angle, length = np.degrees(np.arctan2(image[1], image[0])) % 360, np.hypot(*image)
    said = rested(page.locator(".hs-readings > div", has_text="M v").locator("dd")).text_content()
    numbers = [float(each) for each in re.findall(r"[\d.]+", said)]
    assert numbers == pytest.approx([angle, length], abs=0.051)
    expect(page.locator(".hs-kept")).to_have_count(len(figure.kept()))


def test_v_is_dragged_and_jumps_to_a_kept_direction(page):  # noqa: F811
    show(page, of(MATRICES["mirror"], angle=20))
    frame = rested(page.locator(".hs-turning svg")).bounding_box()
    box = rested(page.locator(HANDLE)).bounding_box()
    middle = np.array([frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2])
    tip = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    radius = np.hypot(*(tip - middle))
    page.mouse.move(*tip)
    page.mouse.down()
    for degrees in (30, 43.7):
        way = np.array([np.cos(np.radians(degrees)), -np.sin(np.radians(degrees))])
        page.mouse.move(*(middle + radius * way))
    page.mouse.up()
    assert state(page, "angle") == 45
    says(page, "So it is", "kept: it is not turned")
    assert min(box["width"], box["height"]) >= 24
    expect(page.locator(HANDLE)).to_have_css("touch-action", "none")


def test_entries_are_typed(page):  # noqa: F811
    show(page, KeptDirections(angle=90))
    page.get_by_label("row 1, column 2 of M").fill("0")
    assert state(page, "matrix") == [[2, 0], [-0.5, 1.5]]
    says(page, "So it is", "kept: it is not turned")
    page.get_by_label("row 2, column 1 of M").press("ArrowUp")
    assert state(page, "matrix") == [[2, 0], [-0.25, 1.5]]


def test_turning_by_itself_can_be_stopped(page):  # noqa: F811
    show(page, KeptDirections())
    page.get_by_role("button", name="Turn", exact=True).click()
    page.wait_for_function("model.get('angle') > 45")
    page.get_by_role("button", name="Stop").click()
    assert stays(page, lambda: state(page, "angle"))
    assert state(page, "angle") > 45


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_the_figure_fits(page, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 800})
    show(page, KeptDirections(marks=True))
    page.get_by_role("button", name="WᵀW").click()
    assert rested(page).evaluate("document.documentElement.scrollWidth") <= width
    cut = rested(page).evaluate("""() => [...document.querySelectorAll('.hs-kept_directions svg')].flatMap(svg => {
      const frame = svg.getBoundingClientRect();
      return [...svg.querySelectorAll('text')].map(e => e.getBoundingClientRect())
        .filter(box => box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1);
    }).length""")
    assert cut == 0
    page.set_viewport_size({"width": 900, "height": 900})


def test_cleaning_up_leaves_nothing(page):  # noqa: F811
    show(page, KeptDirections())
    page.evaluate("clean()")
    expect(page.locator("main *")).to_have_count(0)
    assert rested(page).evaluate("Object.values(model.calls).flat().length") == 0
