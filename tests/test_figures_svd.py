"""Singular vectors drawn: steps end at the matrix, right angles are marked where they stay, curves are the errors."""

import numpy as np
import pytest
import torch
from figure_checks import check_alike, told

from hspace import figures
from hspace.figures import svd

LAW = np.array([[2, 0.75], [-0.5, 1.5]])
MIRROR = np.diag([1, -1]) @ LAW
ERRORS = 0.5 ** np.arange(8)
CURVES = {"fast": (4 * np.arange(8), ERRORS**2), "slow": (20 * np.arange(8), ERRORS)}
MAKERS = {
    "stages": lambda: figures.stages(LAW),
    "right_angles": lambda: figures.right_angles(LAW),
    "turning": lambda: figures.turning(np.eye(2), [1, 1]),
    "convergence": lambda: figures.convergence(CURVES, levels={"tol": 1e-3}),
    "filters": lambda: figures.filters(6),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_figure_is_the_same_every_time_and_has_its_own_paper(name):
    check_alike(MAKERS[name])


@pytest.mark.parametrize("M", [LAW, MIRROR, -LAW, np.array([[0, 1], [1, 0.0]]), np.array([[1, 2], [2, 4.0]])])
def test_the_steps_turn_stretch_and_end_at_the_matrix(M):
    U, s, V = svd._turned(M)
    np.testing.assert_allclose(U * s @ V.T, M, atol=1e-12)
    assert np.linalg.det(V) == pytest.approx(1) and -90 < svd._angle(V) <= 90
    figure = figures.stages(M)
    face = [ax.patches[2].get_xy() for ax in figure.axes]  # behind both ears
    for A, seen in zip((np.eye(2), V.T, np.diag(s) @ V.T, M), face, strict=True):
        np.testing.assert_allclose(seen[: svd.CIRCLE.shape[1]], (A @ svd.CIRCLE).T, atol=1e-12)


def test_a_mirror_is_told():
    assert not any("turn over" in text for text in told(figures.stages(LAW)))
    assert "U: turn over, turn by −3°" in told(figures.stages(MIRROR))
    assert {"Vᵀ: turn by −23°", "D: stretch by 2.14, 1.58"} <= set(told(figures.stages(LAW)))


def test_right_angles_are_marked_where_the_images_are_at_right_angles():
    top, bottom = figures.right_angles(LAW).axes
    degrees, between = top.lines[0].get_data()
    marked = [line.get_xdata()[0] for line in top.lines if line.get_linestyle() == ":" or len(line.get_xdata()) == 2]
    marked = [at for at in marked if 0 < at < 180]
    assert len(marked) == 2 and marked[1] - marked[0] == pytest.approx(90)
    for at in marked:
        assert np.interp(at, degrees, between) == pytest.approx(90, abs=0.02)
    first = bottom.lines[0].get_ydata()
    values = np.linalg.svd(LAW)[1]
    assert first.max() == pytest.approx(values[0], abs=1e-4) and first.min() == pytest.approx(values[1], abs=1e-4)
    with pytest.raises(ValueError, match="sends a line to 0"):
        figures.right_angles([[1, 2], [2, 4]])


def test_curves_are_the_errors_given_and_zeros_are_left_out():
    (ax,) = figures.convergence(CURVES | {"done": ([1, 2], [1e-3, 0.0])}).axes
    shown = {line.get_label(): line.get_data() for line in ax.lines}
    for name, (x, error) in CURVES.items():
        np.testing.assert_allclose(shown[name], (x, error))
    assert shown["done"][0].tolist() == [1]
    assert len({line.get_marker() for line in ax.lines}) == 3
    tensors = {name: (x.tolist(), torch.from_numpy(error)) for name, (x, error) in CURVES.items()}
    assert figures.convergence(tensors, levels={"tol": 1e-3}).png() == MAKERS["convergence"]().png()


@pytest.mark.parametrize(
    ("curves", "said"),
    [({}, "0 curves"), ({"a": ([1, 2], [1.0])}, "shape"), ({"a": ([1], [-1.0])}, "the least error is -1")],
)
def test_curves_that_do_not_fit_are_refused(curves, said):
    with pytest.raises(ValueError, match=said):
        figures.convergence(curves)


def test_the_polynomial_is_chebyshevs():
    (ax,) = figures.filters(6, top=1.2).axes
    best, power = ax.lines[:2]
    x = best.get_xdata()
    np.testing.assert_allclose(best.get_ydata(), np.polynomial.chebyshev.chebval(x, [0] * 6 + [1]), atol=1e-9)
    np.testing.assert_allclose(power.get_ydata(), x**6)
    for wrong in ({"degree": 0}, {"degree": 4, "top": 1.0}):
        with pytest.raises(ValueError, match=r"degree|top"):
            figures.filters(**wrong)
