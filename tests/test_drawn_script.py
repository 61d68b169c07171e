"""The drawn script: one frame for each stage direction, in its order, and every number the one that one computes."""

import re

import nbformat
import numpy as np
import pytest
from contents import NOTEBOOKS

from hspace.widgets.drawn_script import frames

#: The stage directions, in our words, each with parts that must appear, go, or be lit without being new in its frame.
DIRECTIONS = [
    ("both axes, p, its image, and the arrow of h", "X across|H across|p|h(p)|h", "", ""),
    ("2 and 3 on the axes of X", "p 1|p 2", "", ""),
    ("h1: symbol and arrow", "to h₁|h₁(p)", "", ""),
    ("h2: symbol and arrow", "to h₂|h₂(p)", "", ""),
    ("h1 is a square", "h₁ alone", "", ""),
    ("h1 in full", "h₁ whole", "h₁ alone", ""),
    ("h2", "h₂ whole", "", ""),
    ("the components' dots go, 7 and 5 come", "h(p) 1|h(p) 2", "h₁ dot|h₂ dot", "h(p)"),
    ("the arrow and the letters h and h(p) go", "", "h|h name|h(p) name", ""),
    ("the tangent space at p and its arrows; p goes", "at p title|∂₁|∂₂", "p|p name", ""),
    ("the red basis vector on both sides", "small red answer", "", "∂₁"),
    ("the symbols at p", "∂₁ symbol|∂₂ symbol", "", ""),
    ("v and what it is", "v|v value", "", ""),
    ("the red part with its number", "v red|v red number", "", ""),
    ("the blue part with its number", "v blue|v blue number", "", ""),
    ("J, and the tangent space at h(p) with its arrows", "J|at h(p) title|∂h₁|∂h₂", "", ""),
    ("their symbols", "∂h₁ symbol|∂h₂ symbol", "", ""),
    ("the Jacobian as a matrix", "J is|J left|J right", "", ""),
    ("a flat circle with a question mark where the output is", "unknown|?", "", ""),
    ("the slide from before", "nose there|ear there|in name across", "J is|unknown|∂h₁", ""),
    ("its matrix with nap over nose", "nap/nose top|nap/nose low|W 0 0", "", ""),
    ("close-up of the tangent spaces", "close p|close h(p)|q₁|g₁", "nose there", ""),
    ("nap over nose is replaced", "h₁/x₁ top|h₁/x₁ low", "nap/nose top|nap/nose low", ""),
    ("the names of the axes become basis vectors", "q₁ symbol|g₁ symbol", "in name across|out name across", ""),
    ("the value becomes a partial derivative", "J 0 0", "W 0 0", ""),
    ("the second entry likewise", "h₁/x₂ top|J 0 1", "nap/ear top|W 0 1", ""),
    ("the second row likewise", "h₂/x₁ top|J 1 0|h₂/x₂ top|J 1 1", "luck/nose top|luck/ear top|W 1 0|W 1 1", ""),
    ("the ratios go", "", "h₁/x₁ top|h₁/x₂ top|h₂/x₁ top|h₂/x₂ top", ""),
    ("v and u fade in", "v close 0|u close 0|v arrow", "", ""),
    ("first row lit", "", "", "J 0 0|J 0 1"),
    ("the red arrow, in H, with symbols", "row 0 red|u₁ red", "", ""),
    ("the blue one", "row 0 blue|u₁ blue", "", ""),
    ("second row lit", "", "", "J 1 0|J 1 1"),
    ("silence", "row 1 red|row 1 blue", "", ""),
    ("the second row's equation", "u₂ red|u₂ blue", "", ""),
    ("close-up of one partial derivative", "asked", "J 0 0|u₁ red|q₁", ""),
    ("the latent space with h1 alone", "to h₁|h₁ dot|h₁ whole", "", ""),
    ("all but its equation goes, the derivative comes", "slope", "asked|p|to h₁|X across", ""),
    ("the red arrow in X", "red step", "", ""),
    ("the red arrow in H with numbers", "red answer|red answer number", "", ""),
    ("the other one is 1", "other slope", "", ""),
    ("values for h1 put in", "u₁ sum", "", ""),
    ("1.9", "u₁ total", "", ""),
    ("values for h2 and their sum", "u₂ sum|u₂ total", "", ""),
    ("u and its value", "u|u value", "", ""),
    ("forest, map, vectors on both, J", "tree 0|map sheet|forest v|map v|push", "u|slope", ""),
    ("the same with the inverse", "pull|pull name", "", ""),
    ("its values from close up", "inverse 0 0|inverse 0 1|inverse 1 0|inverse 1 1", "", ""),
    ("what goes in is labelled", "n is|square 0 0", "pull|map sheet", ""),
    ("what comes out is labelled", "m is", "", ""),
    ("m = n", "equal", "", ""),
    ("a rectangular one", "tall 2 0|tall none", "", ""),
    ("the inverse by its determinant", "det symbols|det value|by det", "", ""),
]


@pytest.fixture(scope="module")
def script():
    return frames()


def names(text):
    return set(filter(None, text.split("|")))


def test_there_is_a_frame_for_every_stage_direction_in_its_order(script):
    before, found = set(), []
    for (what, new, gone, lit), frame in zip(DIRECTIONS, script.frames, strict=True):
        shown, wrong = set(frame["show"]), set()
        wrong |= names(new) - (shown - before) | names(gone) & shown | names(gone) - before
        wrong |= names(lit) - set(frame["highlight"])
        if wrong:
            found.append((what, wrong))
        before = shown
    assert found == []


def test_frames_without_a_change_do_not_exist(script):
    seen = [(tuple(frame["show"]), tuple(frame["highlight"])) for frame in script.frames]
    assert len(set(seen)) == len(seen)
    assert {name for frame in script.frames for name in frame["show"]} == {part["id"] for part in script.drawing}


def part(script, name):
    return next(element for element in script.drawing if element["id"] == name)


def vector(script, name):
    """An arrow as a vector, y upwards, in units of the drawing."""
    arrow = part(script, name)
    return np.array([arrow["x2"] - arrow["x1"], arrow["y1"] - arrow["y2"]])


def test_the_arrows_are_drawn_to_scale(script):
    h1, h2 = vector(script, "g₁")[0], vector(script, "g₂")[1]
    assert h1 == h2
    np.testing.assert_allclose(vector(script, "u"), [1.9 * h1, h1], atol=0.03)
    np.testing.assert_allclose(vector(script, "row 0 red") + vector(script, "row 0 blue"), [1.9 * h1, 0], atol=0.03)
    np.testing.assert_allclose(vector(script, "row 1 red") + vector(script, "row 1 blue"), [0, h1], atol=0.03)
    np.testing.assert_allclose(vector(script, "v red") + vector(script, "v blue"), vector(script, "v"), atol=0.03)
    np.testing.assert_allclose(vector(script, "v"), 0.3 * vector(script, "∂₁") + 0.7 * vector(script, "∂₂"), atol=0.03)
    columns = np.stack([vector(script, "map x"), vector(script, "map y")], 1) / 36
    np.testing.assert_allclose(columns, [[4, 1], [1, 1]], atol=0.01)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("h₁ whole", "h₁ = x₁² + x₂ = 2² + 3 = 7"),
        ("h₂ whole", "h₂ = x₁ + x₂ = 2 + 3 = 5"),
        ("slope", "∂h₁/∂x₁ = 2 x₁ = 2 · 2 = 4 at p"),
        ("red answer number", "4 · 0.3 = 1.2"),
        ("u₁ sum", "u₁ = 4 · 0.3 + 1 · 0.7"),
        ("u value", "u = (1.9, 1)"),
        ("inverse 1 1", "∂x₂/∂h₂ = 4/3"),
        ("inverse 0 1", "∂x₁/∂h₂ = −1/3"),
        ("det value", "= 4 · 1 − 1 · 1 = 3"),
    ],
)
def test_the_numbers_written_in_the_drawing(script, name, words):
    assert part(script, name)["text"] == words


def test_all_stays_in_sight_and_can_be_read_on_a_phone(script):
    left, top, width, height = script.view
    for element in script.drawing:
        for key, value in element.items():
            if key in ("x", "x1", "x2", "cx"):
                assert left <= value <= left + width, element
            if key in ("y", "y1", "y2", "cy"):
                assert top <= value <= top + height, element
        assert element["kind"] != "text" or element["size"] >= 15


def test_a_part_of_the_script_holds_only_what_it_shows():
    some = frames(10, 12)
    assert len(some.frames) == 3 and len(some.drawing) < len(frames().drawing) / 3
    assert some.frames[0]["caption"] == frames().frames[9]["caption"]
    for wrong in ((0, 3), (5, 4), (1, len(DIRECTIONS) + 1)):
        with pytest.raises(ValueError, match=f"frames {wrong[0]} to {wrong[1]} do not exist"):
            frames(*wrong)


def test_chapters_4_and_5_show_all_of_it_in_order():
    cells = [cell for path in NOTEBOOKS if path.stem[:2] in ("04", "05") for cell in nbformat.read(path, 4).cells]
    calls = [re.findall(r"^frames\((\d+), (\d+)\)", cell.source, re.M) for cell in cells if cell.cell_type == "code"]
    shown = [number for [(first, last)] in filter(None, calls) for number in range(int(first), int(last) + 1)]
    assert shown == list(range(1, len(DIRECTIONS) + 1))
