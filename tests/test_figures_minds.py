"""Sizes and falling curves: every number that is said is the one that was given."""

import io

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.colors import same_color
from PIL import Image

from hspace import figures
from hspace.figures import minds, style

MODELS = {"small": (1000, 100, 50), "a-model-with-a-long-name": (1e9, 2e4, 8e4)}
CURVES = {"one": torch.tensor([8.0, 4.0, 2.0]), "two": [3.0, 3.0, 1.5]}
MAKERS = {
    "burdens": lambda: figures.burdens(MODELS),
    "one model": lambda: figures.burdens({"x": (10, 10, 10)}, k=2),
    "falls": lambda: figures.falls(CURVES),
    "kinds": lambda: figures.kinds([0.5, 0.1, 0.49], [0.8, 0.5, 0.81], ["a", "b", "c"], chance=0.5),
    "four": lambda: figures.falls({str(i): np.linspace(2, 1, 30) for i in range(4)}),
}


def told(figure):
    return [text.get_text() for text in figure.findobj(mpl.text.Text) if text.get_text()]


@pytest.mark.parametrize("name", MAKERS)
def test_a_figure_is_the_same_every_time_and_has_its_own_paper(name):
    before = {key: mpl.rcParams[key] for key in mpl.rcParams if key != "backend"}
    figure = MAKERS[name]()
    assert isinstance(figure, style.Figure)
    assert figure.png() == MAKERS[name]().png() and len(figure.png()) < 150_000
    assert {key: mpl.rcParams[key] for key in mpl.rcParams if key != "backend"} == before
    image = Image.open(io.BytesIO(figure.png())).convert("RGB")
    assert same_color(np.asarray(image)[2, 2] / 255, style.PAPER)


def test_three_sizes_of_each_model_are_drawn_and_said():
    figure = figures.burdens(MODELS, k=50)
    (ax,) = figure.axes
    drawn = {line.get_label(): line.get_xydata() for line in ax.lines}
    np.testing.assert_allclose(drawn["weights"][:, 0], [4e3, 4e9])
    np.testing.assert_allclose(drawn["J, if it were written down"][:, 0], [2e4, 6.4e9])
    np.testing.assert_allclose(drawn["its first 50 directions"][:, 0], [50 * 151 * 4, 50 * 100001 * 4])
    assert [label.get_text() for label in ax.get_yticklabels()] == list(MODELS)
    assert all(points[0, 1] > points[1, 1] for points in drawn.values()), "the first model stands at the top"
    assert {"4.0 kB", "20 kB", "30 kB", "4.0 GB", "6.4 GB", "20 MB", "1 GB"} <= set(told(figure))


@pytest.mark.parametrize(("size", "said"), [(12, "12 B"), (1.4e6, "1.4 MB"), (4.5e8, "450 MB"), (2.6e10, "26 GB")])
def test_sizes_are_said_in_two_digits(size, said):
    assert minds._told(size) == said


def test_curves_begin_at_one_and_carry_their_names():
    figure = figures.falls(CURVES)
    one, two = (line.get_ydata() for line in figure.axes[0].lines)
    np.testing.assert_allclose(one, [1, 0.5, 0.25])
    np.testing.assert_allclose(two, [1, 1, 0.5])
    assert {"one", "two"} <= set(told(figure))


def test_kinds_stand_in_rows_with_both_of_their_numbers():
    figure = MAKERS["kinds"]()
    for ax, values in zip(figure.axes, ([0.5, 0.1, 0.49], [0.8, 0.5, 0.81]), strict=True):
        points = next(line.get_xydata() for line in ax.lines if line.get_marker() == "o")
        np.testing.assert_allclose(points, np.transpose([values, [2, 1, 0]]))
        assert ax.get_xlim()[0] <= points[:, 0].min() and points[:, 0].max() <= ax.get_xlim()[1]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b", "c"]
    assert [line.get_xdata()[0] for line in figure.axes[1].lines if line.get_linestyle() == "--"] == [0.5]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: figures.burdens({"x": (1, 0, 2)}), "least number is 0"),
        (lambda: figures.burdens({"x": (1, 2)}), r"models 3|must have shape"),
        (lambda: figures.falls({"a": [1.0, 0.0]}), "least value is 0"),
        (lambda: figures.kinds([1.0], [1.0, 0.5], ["a"], 0.5), "must have shape"),
        (lambda: figures.falls({"a": [1.0, 0.5], "b": [1.0]}), "must have shape"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()
