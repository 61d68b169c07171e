"""A matrix in three steps: the factors are torch's, the browser draws the same, and signs left behind are told."""

import json
import math
import re

import numpy as np
import pytest
import torch
from browser import rested, says
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect
from test_widgets_pictures import page, show, state  # noqa: F401  (page is a fixture)

from hspace.widgets import RotateScaleRotate

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
LAW, MIRROR, FLAT = [[2, 0.75], [-0.5, 1.5]], [[1, 1], [1.5, -0.5]], [[1, 2], [0.5, 1]]
entry = st.floats(-4, 4).map(lambda value: round(value, 3))


@settings(deadline=None, max_examples=40)
@given(st.lists(entry, min_size=4, max_size=4))
def test_the_factors_are_those_of_torch_and_make_the_matrix(entries):
    M = np.reshape(entries, (2, 2))
    U, s, V = RotateScaleRotate(M).factors()
    assert np.allclose(U * s @ V.T, M, atol=1e-6)
    assert np.allclose(s, torch.linalg.svdvals(torch.from_numpy(M)), atol=1e-6)
    assert np.allclose(U.T @ U, np.eye(2)) and np.allclose(V.T @ V, np.eye(2))
    assert np.linalg.det(V) > 0 and (np.linalg.det(M) > -1e-9 or np.linalg.det(U) < 0)
    assert V[0, 0] > -1e-9  # turned by at most 90 degrees


@pytest.mark.parametrize("flips", [(True, False), (False, True), (True, True)])
def test_a_pair_may_turn_round_together_but_not_one_of_it_alone(flips):
    together, alone = RotateScaleRotate(LAW, flips=flips), RotateScaleRotate(LAW, flips=flips, follow=False)
    U, s, V = together.factors()
    assert np.allclose(U * s @ V.T, LAW)
    assert np.linalg.det(V) == pytest.approx(1 - 2 * (sum(flips) % 2))
    U, s, V = alone.factors()
    error = np.linalg.norm(U * s @ V.T - LAW, 2)
    assert error == pytest.approx(2 * s[list(flips)].max())
    assert f"misses it by {error:.2f}" in alone.describe() and "misses" not in together.describe()


def test_the_description_tells_the_steps_and_whether_a_direction_is_kept():
    said = RotateScaleRotate(LAW).describe()
    assert "(2, 0.75; −0.5, 1.5) as three steps: Vᵀ turns by −23.1°, D stretches by 2.14 and 1.58, and U" in said
    assert "no real eigenvector" in said and "turns over" not in said
    said = RotateScaleRotate(MIRROR).describe()
    assert "and U turns over and turns by" in said and "has a real eigenvector" in said
    assert "turns over, D" in RotateScaleRotate(LAW, flips=(False, True)).describe()
    assert "stretches by 2.50 and 0.00" in RotateScaleRotate(FLAT).describe()
    assert "stretches by 0.00 and 0.00" in RotateScaleRotate(np.zeros((2, 2))).describe()


def test_a_page_keeps_the_state():
    figure = RotateScaleRotate(torch.tensor(LAW), stage=2, flips=(True, False), follow=False)
    [element] = BeautifulSoup(figure.html(), "html.parser").contents
    assert element["data-widget"] == "rotate_scale_rotate" and element.p.text == figure.describe()
    kept = {"matrix": LAW, "stage": 2.0, "flips": [True, False], "follow": False}
    assert json.loads(element["data-state"]) == figure.state() == kept


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"matrix": [[1, 2, 3], [4, 5, 6]]}, "shape"),
        ({"matrix": [[9, 0], [0, 1]]}, "from -4 to 4"),
        ({"matrix": [[float("nan"), 0], [0, 1]]}, "NaN"),
        ({"stage": 3.5}, "stage=3.5 must be from 0 to 3"),
        ({"flips": (True,)}, "two of True and False"),
        ({"flips": (True, False, True)}, "two of True and False"),
    ],
)
def test_it_refuses(wrong, said):
    with pytest.raises(ValueError, match=said):
        RotateScaleRotate(**{"matrix": LAW, **wrong})
    figure = RotateScaleRotate(LAW)
    [(name, value)] = wrong.items()
    with pytest.raises(ValueError, match=said):
        setattr(figure, name, list(value) if isinstance(value, tuple) else value)


# In the browser

LEFT, RIGHT = ".hs-half:first-child", ".hs-half:last-child"


def tips(page, panel):  # noqa: F811
    """Where the arrows e₁, e₂, v₁, v₂ of a drawing end, in the plane's numbers: (4, 2)."""
    points = rested(page).evaluate(
        """panel => {
          const svg = document.querySelector(`${panel} svg`), size = svg.viewBox.baseVal.width;
          const tip = name => {
            const drawn = svg.querySelector(`.${name} polygon`).getAttribute('points').split(' ')[0].split(',');
            return [Number(drawn[0]) - size / 2, size / 2 - Number(drawn[1])];
          };
          return [size, ...['hs-e1', 'hs-e2', 'hs-v1', 'hs-v2'].map(tip)];
        }""",
        panel,
    )
    largest = np.linalg.norm(state(page, "matrix"), 2)
    rounds = [1.6, 2, 2.5, 3.2, 4, 5, 6.4, 8, 10]
    reach = next(each for each in rounds if each >= max(1.55, 1.42 * largest))
    return np.array(points[1:]) * 2 * reach / points[0]


def staged(figure, stage):
    """What has become of e₁, e₂, v₁, v₂ after so many whole steps: (4, 2)."""
    U, s, V = figure.factors()
    A = [np.eye(2), V.T, np.diag(s) @ V.T, U * s @ V.T][stage]
    return np.hstack([A, A @ V]).T


@pytest.mark.parametrize("matrix", [LAW, MIRROR])
@pytest.mark.parametrize("flips", [(False, False), (True, False)])
@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_the_twin_draws_what_python_computes(page, matrix, flips, stage):  # noqa: F811
    figure = RotateScaleRotate(matrix, stage=stage, flips=flips)
    show(page, figure)
    assert np.abs(tips(page, LEFT) - staged(figure, stage)).max() < 1e-6
    U, s, _ = figure.factors()
    images = tips(page, RIGHT)
    assert np.abs(images[2:] - (U * s).T).max() < 1e-6
    assert np.allclose([math.atan2(*v) for v in images[:2]], [math.atan2(*v) for v in np.transpose(matrix)])
    says(page, "U D Vᵀ", "is M")


def test_between_the_stages_nothing_jumps(page):  # noqa: F811
    figure = RotateScaleRotate(MIRROR, stage=0, flips=(True, False))
    show(page, figure)
    seen = []
    for stage in np.linspace(0, 3, 61):
        page.evaluate("stage => { model.set('stage', stage); }", float(stage))
        seen.append(rested(page.locator(f"{LEFT} .hs-face")).get_attribute("d"))
    moved = [np.array(re.findall(r"[\d.]+", d), dtype=float) for d in seen]
    jumps = np.abs(np.diff(moved, axis=0)).max(axis=1)
    assert jumps[-20:].max() < 60 and len(set(seen)) > 20


def test_steps_are_played_and_told(page):  # noqa: F811
    show(page, RotateScaleRotate(LAW, stage=0))
    page.get_by_role("button", name="D scale").click()
    page.wait_for_function("model.get('stage') === 2")
    expect(page.get_by_role("button", name="D scale")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("How far")).to_have_attribute("aria-valuetext", "after Vᵀ, D")
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('after Vᵀ, D. Vᵀ turns')")
    page.get_by_label("How far").press("Home")
    assert state(page, "stage") == 0
    expect(page.locator(".hs-remark")).to_contain_text("A face in a circle")


def test_a_sign_left_behind_makes_another_matrix(page):  # noqa: F811
    show(page, RotateScaleRotate(LAW))
    page.get_by_label("turn v₁ round").check()
    says(page, "U D Vᵀ", "is M")
    page.get_by_label("each u follows its v").uncheck()
    says(page, "U D Vᵀ", "is not M: off by 4.28")
    expect(page.locator(".hs-remark")).to_contain_text("another matrix")
    page.get_by_role("button", name="Start again").click()
    assert state(page, "flips") == [False, False] and state(page, "follow") is True


def test_the_matrix_is_dragged_moved_by_keys_and_typed(page):  # noqa: F811
    show(page, RotateScaleRotate(LAW))
    says(page, "Eigenvalues of M", "1.75 ± 0.56 i: none is real, no direction is kept")
    first, second = page.locator(".hs-handle").all()
    second.focus()
    for key in ("ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    assert np.allclose(state(page, "matrix"), [[2, 0.8], [-0.5, 1]])
    box = rested(first).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(1, 9):
        page.mouse.move(x, y - 4 * i)
    page.mouse.up()
    matrix = np.array(state(page, "matrix"))
    assert matrix[1, 0] > -0.2 and matrix[0, 0] == pytest.approx(2)
    field = page.get_by_label("M, row 2, column 2")
    field.fill("-1")
    says(page, "U", re.compile("^turns over, then"))
    field.fill("77")
    field.blur()
    assert state(page, "matrix")[1][1] == -1
    expect(field).to_have_value("-1")


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_it_fits(page, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 900})
    show(page, RotateScaleRotate(MIRROR, flips=(True, True)))
    assert rested(page).evaluate("document.documentElement.scrollWidth") <= width
    handles = [rested(handle).bounding_box() for handle in page.locator(".hs-handle").all()]
    assert min(min(box["width"], box["height"]) for box in handles) >= 24
    page.set_viewport_size({"width": 900, "height": 900})


def test_cleaning_up_leaves_nothing(page):  # noqa: F811
    show(page, RotateScaleRotate(LAW))
    page.evaluate("clean()")
    expect(page.locator("main *")).to_have_count(0)
    assert rested(page).evaluate("Object.values(model.calls).flat().length") == 0
