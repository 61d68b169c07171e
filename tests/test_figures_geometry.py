"""Walks drawn: what lies behind the globe is faint, orders are those of the errors, paths keep their distances."""

import numpy as np
import pytest
import torch
from figure_checks import check_alike, told
from matplotlib.colors import same_color

from hspace import figures
from hspace.figures import geometry, style

AROUND = np.radians(np.linspace(0, 360, 73))
EQUATOR = np.stack([np.cos(AROUND), np.sin(AROUND), 0 * AROUND], 1)
NORTH = np.tile([0.0, 0, 1], (4, 1))
STEPS = np.array([8, 16, 32])
LENGTHS = np.array([0.0, 8, 16])
PATH = np.linspace(0, 1, 5)[:, None] * np.random.default_rng(0).normal(size=40)
MAKERS = {
    "globe": lambda: figures.globe({"equator": EQUATOR}, EQUATOR[:4], NORTH),
    "empty globe": lambda: figures.globe({}),
    "orders": lambda: figures.orders(STEPS, {"first": 1 / STEPS, "second": 1 / STEPS**2}),
    "paths": lambda: figures.paths({"straight": PATH, "bent": PATH + PATH**2}),
    "overshoot": lambda: figures.overshoot(LENGTHS, np.outer([1, 2, 4], LENGTHS), [LENGTHS / 10], good=0.05),
    "no control": lambda: figures.overshoot(LENGTHS, [LENGTHS]),
}


def lines(ax, label):
    return [line for line in ax.lines if line.get_label() == label]


@pytest.mark.parametrize("name", MAKERS)
def test_a_figure_is_the_same_every_time_and_has_its_own_paper(name):
    check_alike(MAKERS[name])


def test_tensors_give_the_same_figure_as_arrays():
    tensor = torch.from_numpy(PATH).requires_grad_()
    bent = torch.from_numpy(PATH + PATH**2)
    assert figures.paths({"straight": tensor, "bent": bent}).png() == MAKERS["paths"]().png()


@pytest.mark.parametrize("view", [(0, 0), (-60, 25), (200, -70)])
def test_a_view_is_an_orthogonal_projection(view):
    seen = geometry._View(*view)
    axes = np.stack([seen.right, seen.up, seen.near])
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)  # right, up, towards the eye: not mirrored
    points = np.random.default_rng(0).normal(size=(9, 3))
    parts = np.column_stack([seen.flat(points), seen.depth(points)])
    np.testing.assert_allclose((parts**2).sum(1), (points**2).sum(1))


def test_from_the_front_east_is_right_and_north_is_up():
    seen = geometry._View(0, 0)
    np.testing.assert_allclose(
        seen.flat(np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])), [[0, 0], [1, 0], [0, 1]], atol=1e-12
    )


def test_what_is_behind_the_globe_is_faint():
    (ax,) = MAKERS["globe"]().axes
    (front,) = lines(ax, "equator")
    shown = ~np.isnan(front.get_xdata())
    seen = geometry._View(-60, 25)
    np.testing.assert_array_equal(shown, seen.depth(EQUATOR) >= 0)
    back = next(line for line in ax.lines if same_color(line.get_color(), style.PLAIN) and line is not front)
    assert back.get_alpha() < 0.5 and front.get_alpha() is None
    np.testing.assert_allclose(back.get_xydata()[~shown], seen.flat(EQUATOR[~shown]))


def test_arrows_stand_where_they_are_and_keep_their_proportions():
    twice = NORTH * [[1], [2], [1], [2]]
    (ax,) = figures.globe({}, EQUATOR[:4], twice).axes
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None)]
    seen = geometry._View(-60, 25)
    np.testing.assert_allclose([arrow.xyann for arrow in arrows], seen.flat(EQUATOR[:4]))
    sizes = [np.subtract(arrow.xy, arrow.xyann) for arrow in arrows]
    np.testing.assert_allclose(sizes[1], 2 * sizes[0])
    assert {"start", "home"} <= set(told(ax.figure))
    assert arrows[0].arrowprops["ls"] != arrows[-1].arrowprops["ls"], "told apart by colour alone"


def test_an_arrow_behind_is_faint():
    (ax,) = figures.globe({}, EQUATOR[[0, 36]], NORTH[:2], view=(0, 0)).axes
    front, back = (text.arrow_patch.get_alpha() for text in ax.texts if getattr(text, "arrow_patch", None))
    assert back < 0.5 < front


def test_orders_are_those_of_the_errors():
    figure = MAKERS["orders"]()
    assert {"first\norder 1.0", "second\norder 2.0"} <= set(told(figure))
    (ax,) = figure.axes
    first, second = ax.lines
    np.testing.assert_allclose(first.get_ydata(), 1 / STEPS)
    np.testing.assert_allclose(second.get_ydata(), 1 / STEPS**2)
    assert first.get_marker() != second.get_marker()


def test_paths_in_a_plane_keep_their_distances_and_the_first_ends_at_the_right():
    plane, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(30, 2)))
    flat = [np.array([[0, 0], [1, 1], [2, 3.0]]), np.array([[0, 0], [1, -2], [-1, -3.0]])]
    (ax,) = figures.paths({name: path @ plane.T + 5 for name, path in zip("ab", flat, strict=True)}).axes
    for name, path in zip("ab", flat, strict=True):
        drawn = lines(ax, name)[0].get_xydata()
        np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), np.linalg.norm(path, axis=1), atol=1e-9)
        np.testing.assert_allclose(
            np.linalg.norm(np.diff(drawn, axis=0), axis=1), np.linalg.norm(np.diff(path, axis=0), axis=1)
        )
    end = lines(ax, "a")[0].get_xydata()[-1]
    assert end[0] > 0 and abs(end[1]) < 1e-9
    assert ax.get_title(loc="left") == "the plane that holds 100 % of it"


def test_paths_tell_how_much_they_leave_out():
    corner = np.array([[0, 0, 0], [2, 0, 0.0]]), np.array([[0, 0, 0], [0, 2, 0.0]]), np.array([[0, 0, 0], [0, 0, 1.0]])
    (ax,) = figures.paths(dict(zip("abc", corner, strict=True))).axes
    assert ax.get_title(loc="left") == "the plane that holds 89 % of it"  # 8 of 9


def test_overshoot_draws_every_walk_and_the_medians():
    (ax,) = MAKERS["overshoot"]().axes
    along, random = lines(ax, "along the directions")[0], lines(ax, "along random ones")[0]
    np.testing.assert_allclose(along.get_ydata(), 2 * LENGTHS)
    np.testing.assert_allclose(random.get_ydata(), LENGTHS / 10)
    thin = [line for line in ax.lines if line.get_linewidth() < 1]
    assert len(thin) == 4
    assert lines(ax, "before any step")[0].get_ydata()[0] == 0.05


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: figures.globe({"c": EQUATOR[:, :2]}), r"curves\['c'\] must have shape \(p = 73, 3\)|must have shape"),
        (lambda: figures.globe({"c": 2 * EQUATOR}), "c leaves the unit sphere by 1"),
        (lambda: figures.globe({}, EQUATOR[:4]), "points and vectors belong together"),
        (lambda: figures.globe({}, 3 * EQUATOR[:4], NORTH), "points leaves the unit sphere"),
        (lambda: figures.globe(dict.fromkeys("abcd", EQUATOR)), "4 curves are too many"),
        (lambda: figures.orders([8, 16], {"a": [1, 0]}), "error is 0 or below"),
        (lambda: figures.orders([16, 8], {"a": [1, 2]}), r"must be two or more, and rise: \[16, 8\]"),
        (lambda: figures.orders([8], {"a": [1]}), "two or more"),
        (lambda: figures.orders([8, 16], {"a": [1, 2, 3]}), r"errors\['a'\] must have shape"),
        (lambda: figures.paths({"a": PATH, "b": PATH + 1}), "begin at different points"),
        (lambda: figures.paths({"a": PATH, "b": PATH[:, :3]}), r"\[40, 3\] dimensions"),
        (lambda: figures.paths({"a": 0 * PATH}), "no path leaves the start"),
        (lambda: figures.overshoot(LENGTHS, [[1, 2]]), "error must have shape"),
    ],
)
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
