"""Chains drawn: arrows are the Jacobians', graphs keep their order and hide nothing, counts are those given."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from figure_checks import check_alike, told

from hspace import figures
from hspace.engine import Node, graph, vjp
from hspace.figures import chains

P, V = torch.tensor([2.0, 3.0]), torch.tensor([0.3, 0.7])
W = torch.tensor([[2.0, 0.75], [-0.5, 1.5]])
SIZES = [1, 10, 100]


def h(x):
    return torch.stack([x[0] ** 2 + x[1], x[0] + x[1]])


def g(y):
    return torch.stack([y[0] * y[1], y[1] ** 2])


def skip():
    """A layer with a connection that goes round it."""
    weights, x = Node(W, "W"), Node([0.3, 0.7], "x")
    return (((weights @ x).tanh() + x - torch.ones(2)) ** 2).sum()


def tangle():
    a = Node(0.5, "a")
    b = a.sin()
    c = a * b
    return c * (b + c).exp() + a


GRAPHS = {
    "skip": skip,
    "tangle": tangle,
    "an input": lambda: Node(1.0, "x"),
    "a square": lambda: (lambda x: x * x)(Node(2.0, "x")),
    "a row of inputs": lambda: Node(1.0, "a") * Node(2.0, "b") + Node(3.0, "c") * Node(4.0, "d"),
}
MAKERS = {
    "chain": lambda: figures.chain([h, g], P, V),
    "one map": lambda: figures.chain([h], P, V, names=["X", "H"]),
    "graph": lambda: figures.graph(skip()),
    "told": lambda: (lambda end: figures.graph(end, vjp(end)))(tangle()),
    "counts": lambda: figures.counts({"n": (SIZES, {"one": SIZES, "two": [9, 9, 9]}), "m": (SIZES, {"one": SIZES})}),
    "numbers": lambda: figures.counts({"k": (SIZES, {"kept": [30, 10, 40]})}, "numbers kept"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_figure_is_the_same_every_time_and_has_its_own_paper(name):
    check_alike(MAKERS[name])


def test_the_arrow_is_pushed_forward_and_the_curve_is_the_image():
    axes = MAKERS["chain"]().axes
    spots, arrows = [[2, 3], [7, 5], [35, 25]], [[0.3, 0.7], [1.9, 1], [16.5, 10]]
    ends = [[2.3, 3.7], h(P + V).tolist(), g(h(P + V)).tolist()]
    for ax, spot, arrow, end in zip(axes, spots, arrows, ends, strict=True):
        (drawn,) = [text for text in ax.texts if getattr(text, "arrow_patch", None)]
        np.testing.assert_allclose(drawn.xyann, spot, rtol=1e-5)
        np.testing.assert_allclose(np.subtract(drawn.xy, spot), arrow, rtol=1e-5)
        (square,) = [line for line in ax.lines if line.get_marker() == "s"]
        np.testing.assert_allclose(square.get_xydata()[0], end, rtol=1e-5)
        assert ax.get_xlim()[0] < drawn.xy[0] < ax.get_xlim()[1]
        assert ax.get_ylim()[0] < drawn.xy[1] < ax.get_ylim()[1]


@pytest.mark.parametrize("name", GRAPHS)
def test_arrows_go_down_and_no_box_lies_on_another_or_on_a_passing_arrow(name):
    end = GRAPHS[name]()
    places, ways = chains.layout(end)
    assert set(places) == set(graph(end))
    spots = sorted(places.values())
    assert all(b[0] > a[0] or b[1] - a[1] >= 0.99 for a, b in pairwise(spots))
    for node, i, points in ways:
        levels = [level for level, _ in points]
        assert levels == list(range(places[node.links[i].parent][0], places[node][0] + 1))
        for level, offset in points[1:-1]:
            near = [abs(offset - place) for at, place in places.values() if at == level]
            assert min(near, default=1) > 0.5
    assert len(ways) == sum(len(node.links) for node in places)
    first_uses = {n: min((places[m][0] for m in places for k in m.links if k.parent is n), default=1) for n in places}
    assert all(places[n][0] == first_uses[n] - 1 for n in places if not n.links)


def test_two_arrows_between_the_same_boxes_lie_beside_each_other():
    _, ways = chains.layout(GRAPHS["a square"]())
    (_, _, one), (_, _, two) = ways
    assert one[0][0] == two[0][0] and abs(one[0][1] - two[0][1]) > 0.2


def test_a_graph_says_names_values_and_what_was_told():
    end = skip()
    said = told(figures.graph(end))
    assert {"W", "x", "@", "tanh", "+", "−", "^2", "sum", "(0.30, 0.70)", "2 × 2"} <= set(said)
    assert f"{end.value:.2f}" in said and not any("↑" in text for text in said)
    readings = vjp(end)
    x = next(node for node in graph(end) if node.name == "x")
    said = told(figures.graph(end, readings))
    assert "↑ 1.00" in said and f"↑ {chains.short(readings[x])}" in said


@pytest.mark.parametrize("name", GRAPHS)
def test_boxes_stay_on_the_page(name):
    (ax,) = figures.graph(GRAPHS[name]()).axes
    corners = np.concatenate([patch.get_xy() for patch in ax.patches])
    assert np.abs(corners[:, 0]).max() < 320
    low, high = sorted(ax.get_ylim())
    assert low <= corners[:, 1].min() and corners[:, 1].max() <= high


@pytest.mark.parametrize("name", GRAPHS)
def test_no_arrow_crosses_a_box(name):
    (ax,) = figures.graph(GRAPHS[name]()).axes
    boxes = [patch.get_xy() for patch in ax.patches]
    for line in ax.lines:
        ends = line.get_xydata()
        for a, b in pairwise(ends):
            points = a + np.linspace(0, 1, 50)[:, None] * (b - a)
            for box in boxes:
                inside = (points > box.min(0) + 0.5) & (points < box.max(0) - 0.5)
                assert not inside.all(axis=1).any()


def test_short_texts():
    assert chains.short(torch.tensor(-0.125)) == "−0.12"
    assert chains.short(torch.tensor([1.0, 2.0])) == "(1.00, 2.00)"
    assert chains.short(torch.ones(5)) == "5 numbers" and chains.short(W) == "2 × 2"


def test_counts_are_those_given_on_shared_axes():
    left, right = MAKERS["counts"]().axes
    assert [line.get_ydata().tolist() for line in left.lines] == [SIZES, [9, 9, 9]]
    assert left.get_xlabel() == "n" and right.get_xlabel() == "m" and left.get_ylabel() == "multiplications"
    assert left.get_ylim() == right.get_ylim() and left.get_yscale() == left.get_xscale() == "log"
    looks = [(line.get_color(), line.get_linestyle(), line.get_marker()) for line in left.lines]
    assert all(len(set(parts)) == 2 for parts in zip(*looks, strict=True))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: figures.chain([h], P, V), "3 labels for 2"),
        (lambda: figures.chain([h, h, h, h], P, V, names="abcde"), "4 maps are too many"),
        (lambda: figures.chain([h, g], torch.ones(3), V), r"p must have shape"),
        (lambda: figures.graph(torch.ones(2)), "is no node"),
        (lambda: figures.counts({"n": ([1, 2], {"a": [1, 0]})}), "n: a number is 0 or below"),
        (lambda: figures.counts({"n": ([1, 2], {"a": [1, 2, 3]})}), "counts of 'a'"),
        (lambda: figures.counts({"n": ([1], {name: [1] for name in "abcd"})}), "4 lines are too many"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()
