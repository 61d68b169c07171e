"""Small matrices drawn: arrows end where the matrix says, labels say it too, and what does not fit is named."""

import numpy as np
import pytest
import torch
from figure_checks import arrows, check_alike, told
from hypothesis import given, settings
from hypothesis import strategies as st

from hspace.figures import linear, style

W = np.array([[2.0, 0.75], [-0.5, 1.5]])
NOSE, EAR = np.random.default_rng(0).uniform(0, 2, size=(2, 60))
LINES = {"without a bias": (2.5, 0.0), "with a bias": (2.0, 0.75)}
MAKERS = {
    "number_lines": lambda: linear.number_lines(2.0, [0.5, 1, 1.5]),
    "one neuron": lambda: linear.network([[2.0]], ["nose"], ["nap"]),
    "network": lambda: linear.network(W),
    "onto a line": lambda: linear.linear_map(W[:1], [1, 1.5], outputs=["nap"]),
    "onto a plane": lambda: linear.linear_map(W, [1, 1.5]),
    "dot_products": lambda: linear.dot_products(W[0], [[0.8, 0.3], [0, 2.6]], ["short", "long"]),
    "rays": lambda: linear.rays(W, [[1, 0.5], [0, 1]]),
    "fitted": lambda: linear.fitted(NOSE, 2 * NOSE + EAR, LINES, colour=EAR, colour_name="ear"),
    "witnesses": lambda: linear.witnesses([[0.2, -3], [0.5, 0.4]], [0.8, 0.9], ["nose", "ear"]),
}


def line(ax, colour):
    return [each.get_xydata() for each in ax.lines if each.get_color() == colour]


@pytest.mark.parametrize("name", MAKERS)
def test_a_figure_is_the_same_every_time_and_has_its_own_paper(name):
    check_alike(MAKERS[name], most=120_000)


@given(w=st.integers(-6, 6).map(lambda n: n / 2), x=st.lists(st.integers(-8, 12).map(lambda n: n / 4), min_size=1))
@settings(max_examples=8, deadline=None)
def test_number_lines_join_every_point_to_its_product(w, x):
    (ax,) = linear.number_lines(w, x).axes
    joints = [each for each in line(ax, style.RED) if len(each) == 2 and each[0, 1] == 1 and each[1, 1] == 0]
    assert sorted((a[0], b[0]) for a, b in joints) == sorted((a, w * a) for a in x)
    low, high = ax.get_xlim()
    assert all(low < value < high for a in x for value in (a, w * a))


def test_the_weight_carries_its_unit():
    assert "× 2 nap/nose" in told(MAKERS["number_lines"]())
    assert "× −0.5 b/a" in told(linear.number_lines(-0.5, [1.0], names="ab"))


def test_a_network_shows_each_weight_on_its_connection():
    figure = MAKERS["network"]()
    assert {"2 nap/nose", "0.75 nap/ear", "−0.5 luck/nose", "1.5 luck/ear"} <= set(told(figure))
    (ax,) = figure.axes
    places = {text.get_text(): text.get_position() for text in ax.texts}
    for i, output in enumerate(("nap", "luck")):
        for j, name in enumerate(("nose", "ear")):
            start, end = np.array(places[name]), np.array(places[output])
            (label,) = [spot for text, spot in places.items() if text.endswith(f" {output}/{name}")]
            along = np.array(label) - start
            turned = along[0] * (end - start)[1] - along[1] * (end - start)[0]
            assert abs(turned) < 1e-9, f"the weight of {name} on {output} (row {i}, column {j}) is off its line"
    assert {"2", "0.75"} <= set(told(linear.network(W[:1], outputs=["nap"], ratios=False)))


def test_the_weights_of_a_network_do_not_cover_each_other():
    figure = MAKERS["network"]()
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if "/" in text.get_text()]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_the_same_sum_stands_on_both_sides():
    x = np.array([1, 1.5])
    left, right = MAKERS["onto a plane"]().axes
    for ax, M in ((left, np.eye(2)), (right, W)):
        thick_red, thin_red, thick_blue, thin_blue = [each for each in arrows(ax) if each[2] in (style.RED, style.BLUE)]
        np.testing.assert_allclose([thick_red[1], thick_blue[1]], M.T)
        np.testing.assert_allclose(thin_red[1], x[0] * M[:, 0])
        np.testing.assert_allclose(thin_blue[0], thin_red[1], err_msg="not head to tail")
        np.testing.assert_allclose(thin_blue[1], M @ x)
        (result,) = [each for each in arrows(ax) if each[2] == style.INK]
        np.testing.assert_allclose(result[1], M @ x)
    own = [tip.tolist() for _, tip, colour in arrows(right) if colour == style.MUTED]
    assert own == [[1, 0], [0, 1]], "the output's own basis vectors are not the images"
    assert {"1 nap", "1 luck"} <= set(told(right.figure))


def test_a_row_adds_up_along_its_line():
    _, ax = MAKERS["onto a line"]().axes
    reds, blues, (result,), (unit,) = (
        [each for each in arrows(ax) if each[2] == colour] for colour in (style.RED, style.BLUE, style.INK, style.MUTED)
    )
    assert [tip[0] for _, tip, _ in reds] == [2, 2] and [tip[0] for _, tip, _ in blues] == [0.75, 3.125]
    assert blues[1][0][0] == 2 and result[1][0] == 3.125 and unit[1][0] == 1


def test_nothing_of_something_is_a_dot():
    left, right = linear.linear_map(W, [0, 0]).axes
    for ax in (left, right):
        assert not [each for each in arrows(ax) if each[2] == style.INK]
        assert [0, 0] in [each[0].tolist() for each in line(ax, style.INK)]


def test_shadows_are_perpendicular_and_tell_the_dot_product():
    figure = MAKERS["dot_products"]()
    (ax,) = figure.axes
    assert "long: 1.95" in told(figure)
    for vector, colour in (([0.8, 0.3], style.PLAIN), ([0, 2.6], style.OTHER)):
        (shadow,) = [each for each in line(ax, colour) if len(each) == 2]
        np.testing.assert_array_equal(shadow[0], vector)
        assert abs((shadow[1] - shadow[0]) @ W[0]) < 1e-12
        assert np.isclose(np.linalg.norm(shadow[1]) * np.linalg.norm(W[0]), vector @ W[0])


def test_multiples_of_a_feature_stay_on_one_ray():
    figure = MAKERS["rays"]()
    for ax, ends in zip(figure.axes, ([[1, 0.5], [0, 1]], [[2.375, 0.25], [0.75, 1.5]]), strict=True):
        for end, colour in zip(ends, (style.PLAIN, style.OTHER), strict=True):
            ray, dots = line(ax, colour)
            np.testing.assert_allclose(dots, np.outer([0.5, 1, 1.5], end))
            np.testing.assert_allclose(ray[1], 1.8 * np.array(end))
    assert {"ear/nose = 0.50", "ear/nose = ∞", "luck/nap = 0.11", "luck/nap = 2.00"} <= set(told(figure))


def test_fitted_lines_have_their_slope_and_bias():
    ax = MAKERS["fitted"]().axes[0]
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), np.stack([NOSE, 2 * NOSE + EAR], axis=1))
    drawn = {each.get_label(): each.get_xydata() for each in ax.lines if not each.get_label().startswith("_")}
    for name, (slope, bias) in LINES.items():
        np.testing.assert_allclose(drawn[name][:, 1], slope * drawn[name][:, 0] + bias)
    assert len(linear.fitted(NOSE, EAR, LINES).axes) == 1, "without a third number there is no colour bar"


def test_witnesses_stand_beside_the_judge_and_nobody_below_zero():
    (ax,) = MAKERS["witnesses"]().axes
    shown = [each.get_xdata().tolist() for each in ax.lines if each.get_marker() == "o" and len(each.get_xdata())]
    assert shown == [[0.2, 0.5], [0, 0.4]]
    (judge,) = [each for each in ax.lines if each.get_marker() == "D" and len(each.get_xdata())]
    assert judge.get_xdata().tolist() == [0.8, 0.9]


def test_tensors_will_do():
    given = torch.tensor(W, requires_grad=True)
    assert linear.linear_map(given, torch.tensor([1, 1.5])).png() == MAKERS["onto a plane"]().png()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: linear.number_lines(float("nan"), [1.0]), "w is nan"),
        (lambda: linear.number_lines(2.0, 1.0), r"x must have shape \(n,\), not \(\)"),
        (lambda: linear.number_lines(2.0, [1.0], names="abc"), "names: 3 labels for 2"),
        (lambda: linear.network(np.ones((2, 3)), "abc", "de"), "3 inputs"),
        (lambda: linear.network(W, inputs="a"), "inputs: 1 labels for 2"),
        (lambda: linear.linear_map(np.ones((3, 2)), [1, 1], outputs="abc"), "3 outputs"),
        (lambda: linear.linear_map(W, [1.0]), r"x must have shape \(2,\), not \(1,\)"),
        (lambda: linear.dot_products([0, 0], [[1, 1]], ["a"]), "row is zero"),
        (lambda: linear.dot_products([1, 0], np.ones((4, 2)), "abcd"), "4 vectors"),
        (lambda: linear.rays(W, np.ones((4, 2))), "4 features"),
        (lambda: linear.rays(W[:1], [[1, 1]]), r"W must have shape \(2, 2\)"),
        (lambda: linear.fitted(NOSE, EAR[:5], LINES), r"y must have shape \(n = 60,\)"),
        (lambda: linear.fitted(NOSE, EAR, {k: (1, 0) for k in "abcd"}), "4 lines"),
        (lambda: linear.witnesses([[0.1, 0.2]], [0.5], ["nose"]), r"together must have shape \(F = 2,\)"),
        (lambda: linear.witnesses([[0.1]], [0.5], ["nose", "ear"]), "names: 2 labels for 1"),
    ],
)
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
