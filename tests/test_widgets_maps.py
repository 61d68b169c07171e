"""LinearMap, Stepper with its scenes, and MadLib: what they take, hold and say without a browser."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup

from hspace import widgets
from hspace.widgets import LinearMap, MadLib, Stepper, describe_it
from hspace.widgets.linear_map import number
from hspace.widgets.mad_lib import parse, plain
from hspace.widgets.mad_libs import MAD_LIBS
from hspace.widgets.scenes import matrix_product

FOLDER = Path(widgets.__file__).parent
W = [[2, 0.75], [0.5, 1]]
NAMES = {"inputs": ("nose", "ear"), "outputs": ("nap", "luck")}
EVIL = """</script><b onclick='x()'>"cat" & 'horse'</b>"""
DOT = {"id": "dot", "kind": "circle", "cx": 1, "cy": 2, "r": 3}


def stored(figure):
    """The element that a page keeps, read back as a browser reads it."""
    (element,) = BeautifulSoup(figure.html(), "html.parser").contents
    return element, json.loads(element["data-state"])


def figures():
    text = [{"id": "t", "kind": "text", "x": 0, "y": 0, "text": EVIL}]
    return [
        LinearMap(W, inputs=(EVIL, "ear"), outputs=("nap", "luck")),
        Stepper([{"caption": EVIL, "show": ["t"]}], text, title=EVIL),
        MadLib(f"{EVIL} {{{EVIL}}}", title=EVIL),
    ]


@pytest.mark.parametrize("figure", figures(), ids=lambda figure: figure.module)
def test_markup_in_a_text_stays_text(figure):
    element, state = stored(figure)
    assert [child.name for child in element.find_all(True)] == ["p"]
    assert state == figure.state()
    assert EVIL in element.p.text
    assert "</script>" not in figure.html()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.mjs")), ids=lambda path: path.stem)
def test_modules_stand_alone(path):
    text = path.read_text(encoding="utf-8")
    assert ("export default { render }" in text) == (path.stem != "parts")
    text = text.replace('} from "./parts.mjs";', "").replace("\nimport {", "", 1)
    for forbidden in ("import ", "innerHTML", "insertAdjacentHTML", "eval(", "fetch(", "console."):
        assert forbidden not in text, forbidden


# LinearMap


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_a_map_says_what_it_does(shape):
    matrix = np.arange(1.0, 5).reshape(2, 2)[: shape[0], : shape[1]] * [1, -0.5][: shape[1]]
    figure = LinearMap(matrix)
    assert (len(figure.outputs), len(figure.inputs)) == shape
    assert figure.vector == [1.0] * shape[1]
    for name, h in zip(figure.outputs, matrix.sum(axis=1), strict=True):
        assert f"{name} = {number(h)}" in figure.describe()


def test_a_map_in_full():
    figure = LinearMap(W, (1, 2), ratios=True, rows=True, grid=False, editable=False, **NAMES)
    assert figure.state() == {
        "matrix": [[2.0, 0.75], [0.5, 1.0]],
        "vector": [1.0, 2.0],
        "inputs": ["nose", "ear"],
        "outputs": ["nap", "luck"],
        "ratios": True,
        "rows": True,
        "grid": False,
        "editable": False,
    }
    assert figure.describe() == (
        "A linear map from nose and ear to nap and luck. "
        "Its matrix (2, 0.75; 0.5, 1) takes nose = 1, ear = 2 to nap = 3.5, luck = 2.5."
    )


@pytest.mark.parametrize(
    ("args", "options", "message"),
    [
        ([np.ones((3, 2))], {}, r"\(3, 2\)"),
        ([np.ones((1, 0))], {}, r"\(1, 0\)"),
        ([[1, 2]], {}, r"\(2,\)"),
        ([[[1, float("nan")]]], {}, "nan"),
        ([[[1.0]], (1, 2)], {}, r"vector.*\(2,\)"),
        ([[[1.0]]], {"inputs": ("nose", "ear")}, "inputs must be 1"),
        ([W], {"outputs": ("nap", "nap")}, "different"),
        ([W], {"outputs": "nap"}, "in a list"),
        ([W], {"inputs": ("nose", " ")}, "in a list"),
    ],
)
def test_a_map_refuses(args, options, message):
    with pytest.raises(ValueError, match=message):
        LinearMap(*args, **options)


def test_a_map_keeps_its_shape():
    figure = LinearMap(W)
    figure.matrix = np.eye(2).tolist()
    figure.vector = [0, -1]
    assert figure.vector == [0.0, -1.0]
    with pytest.raises(ValueError, match=r"matrix must have shape \(2, 2\)"):
        figure.matrix = [[1.0]]
    with pytest.raises(ValueError, match="vector"):
        figure.vector = [float("inf"), 0]
    assert figure.matrix == np.eye(2).tolist()


def test_numbers_in_sentences():
    assert [number(value) for value in (-0.0, 0.1 + 0.2, -2, 1e-20 * 0, 12345.6)] == [
        "0",
        "0.3",
        "−2",
        "0",
        "1.235e+04",
    ]


# Stepper


def test_a_drawing_in_steps():
    frames = [{"caption": " One. ", "show": ["dot"]}, {"caption": "Two.", "highlight": ["dot"]}]
    line = {"id": "line", "kind": "line", "x1": 0, "y1": 0, "x2": 1, "y2": np.float32(2), "dash": 1, "color": "x2"}
    figure = Stepper(frames, [DOT, line], title="Dots")
    assert figure.describe() == "Dots: a drawing in 2 steps. (1) One. (2) Two."
    assert figure.frames[1] == {"caption": "Two.", "show": ["dot"], "highlight": ["dot"]}
    assert figure.drawing[1]["dash"] is True
    assert stored(figure)[1]["frame"] == 0
    figure.frame = 1
    with pytest.raises(ValueError, match="from 0 to 1, got 2"):
        figure.frame = 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "blob"}, "kind 'blob': use one of line"),
        ({"id": ""}, "needs an id"),
        ({"color": "red"}, "color 'red': use one of ink"),
        ({"fill": "url(#x)"}, "fill 'url"),
        ({"r": 0}, "above 0"),
        ({"cx": float("nan")}, "cx of element 'dot'"),
        ({"onclick": "x()"}, "has no onclick"),
        ({"from": "dot"}, "comes from 'dot'"),
        ({"kind": "path"}, "needs d"),
        ({"kind": "text", "text": "a"}, "needs x, y"),
    ],
)
def test_a_drawing_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        Stepper([{"caption": "One.", "show": []}], [DOT | change])


def test_a_drawing_refuses_what_is_no_path_and_no_anchor():
    frames = [{"caption": "One."}]
    with pytest.raises(ValueError, match="a path holds commands"):
        Stepper(frames, [{"id": "p", "kind": "path", "d": "M 0 0 <b>"}])
    with pytest.raises(ValueError, match="anchor 'left'"):
        Stepper(frames, [{"id": "t", "kind": "text", "x": 0, "y": 0, "text": "a", "anchor": "left"}])
    with pytest.raises(ValueError, match=r"\['dot'\] stand twice"):
        Stepper(frames, [DOT, DOT])
    with pytest.raises(ValueError, match="points of element 'q'"):
        Stepper(frames, [{"id": "q", "kind": "polygon", "points": [[1, 2, 3]]}])


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "frames is empty"),
        ([{"caption": " "}], "frame 0 needs a caption"),
        ([{"caption": "One.", "show": ["dott"]}], r"frame 0 names \['dott'\].*\['dot'\]"),
        ([{"caption": "One.", "highlight": ["dott"]}], "frame 0 names"),
        ([{"caption": "One.", "hide": []}], "frame 0 has hide"),
    ],
)
def test_frames_refuse(frames, message):
    with pytest.raises(ValueError, match=message):
        Stepper(frames, [DOT])


def test_a_view_needs_a_size():
    with pytest.raises(ValueError, match="view must have a width"):
        Stepper([{"caption": "One."}], [DOT], view=(0, 0, 0, 10))


# scenes


@pytest.fixture(scope="module")
def scene():
    return matrix_product(W, (1, 2))


def part(scene, name):
    return next(element for element in scene.drawing if element["id"] == name)


def vector(scene, name):
    """An arrow as a vector, y upwards, in units of the scene."""
    arrow = part(scene, name)
    return np.array([arrow["x2"] - arrow["x1"], arrow["y1"] - arrow["y2"]])


def test_the_scene_draws_the_product(scene):
    unit = vector(scene, "one 0")[0]  # how long 1 is drawn, on both sides
    h = np.array(W) @ (1, 2)
    np.testing.assert_allclose(vector(scene, "x"), [unit, 2 * unit])
    np.testing.assert_allclose(vector(scene, "h"), unit * h)
    for i, axis in enumerate(np.eye(2)):
        np.testing.assert_allclose(vector(scene, f"{i} 1"), unit * W[i][1] * axis)
        np.testing.assert_allclose(vector(scene, f"sum {i} 0") + vector(scene, f"sum {i} 1"), unit * h[i] * axis)
        assert part(scene, f"total {i}")["text"] == f"= {number(h[i])}"
    np.testing.assert_allclose(vector(scene, "column 0") + vector(scene, "column 1"), unit * h)
    assert scene.frames[4]["caption"].replace("\u00a0", " ").count("2 · 1 + 0.75 · 2 = 3.5 nap") == 1


def test_the_scene_goes_entry_by_entry(scene):
    lit = [next((name for name in frame["highlight"] if name.startswith("W ")), None) for frame in scene.frames]
    assert lit == [None, None, "W 0 0", "W 0 1", None, "W 1 0", "W 1 1", None, None, "W 0 0"]
    assert {name for frame in scene.frames for name in frame["show"]} == {element["id"] for element in scene.drawing}


@pytest.mark.parametrize("W", [W, [[0, 0], [0, 0]], [[-3, 2], [1, -4]], [[1000, 1], [0, 0.001]]])
@pytest.mark.parametrize("x", [(1, 1), (0, 0), (-2, 5)])
def test_the_scene_stays_in_its_view(W, x):
    scene = matrix_product(W, x, rows=("happiness", "luck"), columns=("whiskers", "ear"))
    left, top, width, height = scene.view
    for element in scene.drawing:
        for key, value in element.items():
            if key in ("x", "x1", "x2", "cx"):
                assert left <= value <= left + width, element
            if key in ("y", "y1", "y2", "cy"):
                assert top <= value <= top + height, element


@pytest.mark.parametrize(
    ("given", "message"),
    [(([[1]], (1, 1)), "W must have"), ((W, (1,)), "x must have"), ((W, (1, 1), "ab"), "rows must")],
)
def test_the_scene_refuses(given, message):
    with pytest.raises(ValueError, match=message):
        matrix_product(*given)


# MadLib


def test_blanks_and_synonyms():
    pieces, answers = parse("A {dot product|inner product} adds, a {norm} measures.")
    assert pieces == ["A ", " adds, a ", " measures."]
    assert answers == [["dot product", "inner product"], ["norm"]]
    assert MadLib("A {norm}.\n\nB.", title="").describe() == "A ____. B."
    assert plain(" Dot-\u2011Product ") == plain("dotproduct")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no blank here", "no blank in 'no blank here'"),
        ("{a} and {b", "a brace without its partner in 'and {b'"),
        ("{a}}", "a brace without"),
        ("{}", "without an answer: {}"),
        ("{a|}", r"without an answer: \{a\|\}"),
        ("{ - }", "without an answer"),
    ],
)
def test_a_text_refuses(text, message):
    with pytest.raises(ValueError, match=message):
        MadLib(text)


@pytest.mark.parametrize("chapter", sorted(MAD_LIBS))
def test_every_page_to_describe_a_chapter(chapter):
    page = describe_it(chapter)
    assert page.title
    assert "____" in page.describe()
    for words in page.answers:
        assert len({plain(word) for word in words}) == len(words), f"the same answer twice: {words}"


def test_a_chapter_without_a_page():
    with pytest.raises(ValueError, match=r"chapter 99.*1, 2, 3"):
        describe_it(99)


def test_the_browser_compares_as_we_do():
    """The same characters are left out in mad_lib.mjs as in `plain`."""
    text = (FOLDER / "mad_lib.mjs").read_text(encoding="utf-8")
    [left_out] = re.findall(r"word\.toLowerCase\(\)\.replace\(/(.*?)/gu", text)
    answers = {answer for page in MAD_LIBS for words in describe_it(page).answers for answer in words}
    for word in {*answers, "Dot-\u2011Product\u2010\u2013_ x", "don't (ever)\u00a0& É"}:
        assert re.sub(left_out, "", word.lower()) == plain(word)
