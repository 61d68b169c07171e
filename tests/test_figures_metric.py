"""Rulers drawn: equal likeness is a line, a ray and a circle; pulled-back circles have equal length in the metric."""

import numpy as np
import pytest
import torch
from figure_checks import check_alike

from hspace import figures
from hspace.figures import style

A, B, OTHERS = np.array([1.0, 1.0]), np.array([1.5, 0.5]), np.array([[2.0, 2.0], [0.9, 0.8]])
GRID = np.stack(np.meshgrid(np.linspace(1, 3, 5), np.linspace(0, 2, 5), indexing="xy"))
IMAGE = np.stack([GRID[0] ** 2 + GRID[1], GRID[0] + GRID[1]])
POINTS = np.array([[1.5, 1.0], [2.5, 0.5]])
IMAGES = np.stack([POINTS[:, 0] ** 2 + POINTS[:, 1], POINTS.sum(1)], 1)
JACOBIANS = np.array([[[3.0, 1], [1, 1]], [[5.0, 1], [1, 1]]])
RADII = np.array([0.3, 0.6, 0.9])
LENGTHS = np.exp(np.random.default_rng(0).normal(size=(4, 5)))
NAMES = list("abcde")
COSINES = np.clip(np.corrcoef(np.random.default_rng(1).normal(size=(5, 4))), -1, 1)
TRUTH = np.linspace(1, 5, 40)
GROUPS = {"one": {"x": (0.5, 0.4, 0.6), "y": (0.2, -0.1, 0.3)}, "two": {"x": (0.1, 0.0, 0.2)}}
MAKERS = {
    "likeness": lambda: figures.likeness(A, B, OTHERS, "abcd"),
    "pulled_back": lambda: figures.pulled_back(GRID, IMAGE, POINTS, IMAGES, JACOBIANS, 0.3),
    "roundness": lambda: figures.roundness(RADII, {"flat": 2 * np.pi * RADII, "sphere": 2 * np.pi * np.sin(RADII)}),
    "rulers": lambda: figures.rulers({"pixels": LENGTHS, "h": LENGTHS**2}, NAMES),
    "one ruler": lambda: figures.rulers({"pixels": LENGTHS}, NAMES),
    "overlaps": lambda: figures.overlaps({"in pixels": COSINES, "in h": np.eye(5)}, NAMES),
    "distances": lambda: figures.distances(TRUTH, {"pixels": TRUTH**2, "h": TRUTH[::-1]}, {"pixels": 1, "h": -1}),
    "intervals": lambda: figures.intervals(GROUPS, "correlation"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_figure_is_the_same_every_time_and_has_its_own_paper(name):
    check_alike(MAKERS[name])


def test_what_is_equally_alike_lies_on_the_three_curves():
    (ax,) = MAKERS["likeness"]().axes
    rays = [line.get_xydata()[1] for line in ax.lines if line.get_color() == style.MUTED]
    circles = [line.get_xydata() for line in ax.lines if line.get_color() == style.PLAIN]
    np.testing.assert_allclose(np.linalg.norm(circles[0] - A, axis=1), np.linalg.norm(B - A))
    cosines = [end @ A / np.linalg.norm(end) / np.linalg.norm(A) for end in rays]
    np.testing.assert_allclose(cosines, B @ A / np.linalg.norm(A) / np.linalg.norm(B))
    (level,) = [line for line in ax.lines if line.get_color() == style.OTHER]
    on_it = np.array([level.get_xy1(), level.get_xy2()])
    np.testing.assert_allclose(on_it @ A, A @ B)


def test_the_ellipses_have_one_length_in_the_metric():
    left, right = MAKERS["pulled_back"]().axes
    for patch, p, J in zip(left.patches, POINTS, JACOBIANS, strict=True):
        np.testing.assert_allclose(np.linalg.norm((patch.get_xy() - p) @ J.T, axis=1), 0.3)
    for patch, h in zip(right.patches, IMAGES, strict=True):
        np.testing.assert_allclose(np.linalg.norm(patch.get_xy() - h, axis=1), 0.3)


def test_the_way_round_is_compared_with_the_radius():
    (ax,) = MAKERS["roundness"]().axes
    flat, sphere = [line.get_ydata() for line in ax.lines[1:]]
    np.testing.assert_allclose(flat, 1)
    np.testing.assert_allclose(sphere, np.sin(RADII) / RADII)


def test_steps_stand_in_the_order_of_the_first_ruler():
    (ax,) = MAKERS["rulers"]().axes
    means = np.log(LENGTHS).mean(0)
    assert [label.get_text() for label in ax.get_yticklabels()] == [NAMES[i] for i in means.argsort()[::-1]]
    first = ax.lines[1].get_xdata()
    np.testing.assert_allclose(np.log(first), np.sort(means)[::-1] - means.mean())


def test_large_cosines_are_written():
    axes = MAKERS["overlaps"]().axes
    assert not axes[1].texts, "right angles leave the table empty"
    written = sum(abs(COSINES[i, j]) >= 0.15 for i in range(5) for j in range(5) if i != j)
    assert len(axes[0].texts) == written > 0


def test_the_title_has_the_correlation():
    axes = MAKERS["distances"]().axes
    assert [ax.get_title(loc="left") for ax in axes] == ["pixels\n1.00", "h\n−1.00"]


def test_groups_stand_one_below_the_other():
    (ax,) = MAKERS["intervals"]().axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one", "x", "y", "two", "x"]
    assert (np.diff(ax.get_yticks()) > 0).all() and ax.get_ylim()[0] > ax.get_ylim()[1]


def test_tensors_will_do():
    given = [torch.tensor(values) for values in (GRID, IMAGE, POINTS, IMAGES, JACOBIANS)]
    assert figures.pulled_back(*given, 0.3).png() == MAKERS["pulled_back"]().png()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: figures.likeness(A, [0, 0], OTHERS, "abcd"), "length 0"),
        (lambda: figures.likeness(A, B, OTHERS, "abc"), "3 labels for 4"),
        (lambda: figures.pulled_back(GRID, IMAGE, POINTS, IMAGES, 0 * JACOBIANS, 1), "no inverse"),
        (lambda: figures.pulled_back(GRID, IMAGE, POINTS[:1], IMAGES, JACOBIANS, 1), "images must have shape"),
        (lambda: figures.roundness([0, 1], {"x": [1, 1]}), "positive radius"),
        (lambda: figures.rulers({"x": -LENGTHS}, NAMES), "0 or below"),
        (lambda: figures.overlaps({"x": 2 * np.eye(5)}, NAMES), "between -1 and 1"),
        (lambda: figures.distances(TRUTH, {"x": TRUTH[:3]}), "must have shape"),
        (lambda: figures.intervals({"x": {"y": (0, 2, 1)}}, "z"), "is empty"),
    ],
)
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
