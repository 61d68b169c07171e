"""Rows, tables of pairs, crowded planes and turns drawn: what is drawn is what one computes."""

import numpy as np
import pytest
import torch
from figure_checks import arrows, check_alike, told
from matplotlib.colors import same_color

from hspace import figures
from hspace.figures import eigen, style

R, LEANING = np.array([[2.0, 1.0], [-0.5, 1.0]]), np.array([[2.0, 1.0], [0.5, 1.0]])
W = np.array([[2.0, 0.75], [-0.5, 1.5]])
X = np.array([1.0, 1.5])
CROWD = np.random.default_rng(0).normal(size=(300, 2)) @ [[1.0, 2.0], [0.0, 0.3]]
ANGLES = np.arange(0, 181)
ROWS = np.stack([np.cos(np.radians(ANGLES)), np.sin(np.radians(ANGLES))])
KEPT = ((CROWD @ ROWS) ** 2).sum(axis=0) / (CROWD**2).sum()
STAR = np.stack([np.cos(np.arange(5) * 2 * np.pi / 5), np.sin(np.arange(5) * 2 * np.pi / 5)])
NAMES = ("hat", "scarf", "bell", "bow", "specs")
MAPS = np.random.default_rng(1).normal(size=(2, 16, 16))
COUNTS = np.arange(1, 101)
LINES = {"studied": 1 - np.exp(-COUNTS / 20), "not seen": 0.9 * (1 - np.exp(-COUNTS / 20))}
MAKERS = {
    "row_map": lambda: figures.row_map(R, X, name="R"),
    "shadows": lambda: figures.shadows(X, {"at right angles": R, "leaning": LEANING, "star": STAR.T[[0, 2, 3]]}),
    "best_row": lambda: figures.best_row(CROWD, ANGLES, KEPT),
    "grams": lambda: figures.grams({"Gram matrix": 3 * STAR.T @ STAR, "cosines": STAR.T @ STAR}, NAMES),
    "one table": lambda: figures.grams({"cosines": STAR.T @ STAR}, NAMES),
    "relations": lambda: figures.relations(MAPS, [(3, 4), (9, 10)], ["an eye", "an ear"], "correlation"),
    "crowded": lambda: figures.crowded({"always": STAR * [1, 1, 0.1, 0, 0], "seldom": STAR}, NAMES),
    "turns": lambda: figures.turns({"W": W, "WᵀW": W.T @ W, "shear": [[1, 1], [0, 1]]}),
    "how_many": lambda: figures.how_many(COUNTS, LINES, marks=[10, 50]),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_figure_is_the_same_every_time_and_has_its_own_paper(name):
    check_alike(MAKERS[name])


def test_tensors_give_the_same_figure_as_arrays():
    tensor = torch.from_numpy(R).requires_grad_()
    assert figures.row_map(tensor, torch.from_numpy(X), name="R").png() == MAKERS["row_map"]().png()


def test_rows_are_drawn_where_they_are_and_where_they_go():
    left, right = MAKERS["row_map"]().axes
    assert np.allclose([tip for _, tip, _ in arrows(left)], [*R, X])
    assert np.allclose([tip for _, tip, _ in arrows(right)], [*(R @ R.T).T, R @ X])
    assert {"R r₁ = (5, 0)", "R r₂ = (0, 1.25)", "R x = (3.5, 1)"} <= set(told(MAKERS["row_map"]()))


def test_shadows_are_laid_head_to_tail_and_say_how_far_they_lead():
    for ax, rows in zip(MAKERS["shadows"]().axes, (R, LEANING, STAR.T[[0, 2, 3]]), strict=True):
        *parts, whole = arrows(ax)
        assert np.allclose(whole[1], X)
        at = np.zeros(2)
        for (tail, tip, _), row in zip(parts, rows, strict=True):
            assert np.allclose(tail, at) and np.allclose(tip - tail, (X @ row) / (row @ row) * row)
            at = tip
        miss = np.linalg.norm(X - at)
        assert ("they lead to x" if miss < 1e-6 else f"they miss x by {miss:.2f}") in told(ax)


def test_the_best_row_is_the_first_eigenvector():
    left, right = MAKERS["best_row"]().axes
    values, vectors = np.linalg.eigh(CROWD.T @ CROWD)
    (_, best, _), (_, worst, _) = arrows(left)
    assert abs(best @ vectors[:, 1]) / np.linalg.norm(best) > 0.9999
    assert abs(worst @ vectors[:, 0]) / np.linalg.norm(worst) > 0.9999
    assert any(f"{100 * values[1] / values.sum():.0f} %" in text for text in told(right))


def test_tables_say_their_numbers_in_ink_that_can_be_read():
    figure = figures.grams({"a": [[2.0, -0.001], [-0.001, 1.5]]}, ["x", "y"])
    assert {"2.00", "0.00", "1.50", "a"} <= set(told(figure)) and "−0.00" not in told(figure)
    colours = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert same_color(colours["2.00"], style.PAPER) and same_color(colours["0.00"], style.INK)


def test_a_map_has_its_largest_value_at_the_end_of_the_colours():
    *panels, _ = MAKERS["relations"]().axes
    for ax, values in zip(panels, MAPS, strict=True):
        assert np.allclose(ax.images[0].get_array(), values / np.abs(values).max())
    assert np.allclose([line.get_xydata()[0] for line in panels[1].lines], (10, 9))  # column to the right, row down


def test_what_is_not_stored_is_named_and_not_drawn():
    always, seldom = MAKERS["crowded"]().axes
    assert len(arrows(always)) == 2 and len(arrows(seldom)) == 5
    assert "not stored: bell, bow, specs" in told(always) and "all stored" in told(seldom)


@pytest.mark.parametrize(
    ("M", "kept"),
    [(W, []), (W.T @ W, [23.1, 113.1]), ([[0, 1], [1, 0]], [45, 135]), ([[1, 1], [0, 1]], [0, 180])],
)
def test_marks_stand_at_the_eigenvectors(M, kept):
    (ax,) = figures.turns({"M": M}).axes
    marks = np.concatenate([line.get_xdata() for line in ax.lines if line.get_marker() not in ("None", None, "")])
    assert len(marks) == len(kept) and np.allclose(np.sort(marks), kept, atol=0.3)


@pytest.mark.parametrize("degrees", [-80, -20, 0, 45, 90])
def test_a_rotation_turns_every_line_by_its_angle(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    assert np.allclose(eigen.turned(ROWS, np.array([[c, -s], [s, c]]) @ ROWS), degrees)


def test_marked_counts_say_their_share():
    assert {"10: 35 %", "50: 83 %"} <= set(told(MAKERS["how_many"]()))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: figures.row_map([[1, 0], [0, 0]], X), "row of zeros"),
        (lambda: figures.row_map(R, [1, 2, 3]), "x"),
        (lambda: figures.shadows(X, dict.fromkeys("abcd", R)), "4 panels"),
        (lambda: figures.best_row(CROWD, ANGLES, KEPT[1:]), "kept"),
        (lambda: figures.grams({"a": np.eye(3)}, ["x", "y"]), "2 labels for 3"),
        (lambda: figures.grams({"a": np.eye(2), "b": np.eye(3)}, ["x", "y"]), "b"),
        (lambda: figures.relations(MAPS, [(0, 0)], ["a", "b"], ""), "spots"),
        (lambda: figures.crowded({"a": STAR}, NAMES[1:]), "4 labels for 5"),
        (lambda: figures.turns({"a": np.eye(3)}), "a"),
        (lambda: figures.how_many(COUNTS, {"a": [1.0]}), "a"),
    ],
)
def test_a_figure_refuses(make, said):
    with pytest.raises(ValueError, match=said):
        make()
