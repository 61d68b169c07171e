"""Bent maps drawn: grids and images, secants with the slopes they have, angles, densities."""

import numpy as np
import pytest
import torch
from figure_checks import check_alike, told

from hspace import figures
from hspace.figures import style

LINE = np.linspace(-1, 4, 21)
GRID = np.stack(np.meshgrid(LINE, LINE))
IMAGE = np.stack([GRID[0] ** 2 + GRID[1], GRID.sum(0)])
CURVE = np.stack([LINE, LINE**2 + 3], 1)
OTHERS = np.array([[4.0, 19], [3, 12], [2.5, 9.25]])
VECTORS = np.array([[1.0, 1], [0, 2]])
MAKERS = {
    "bent": lambda: figures.bent(GRID, IMAGE, (2, 3), (7, 5)),
    "secants": lambda: figures.secants(CURVE, (2, 7), OTHERS, 4),
    "angles": lambda: figures.angles(VECTORS, VECTORS @ [[4, 1], [1, 1]], ["one", "two"]),
    "densities": lambda: figures.densities(GRID, np.exp(-(GRID**2)), CURVE, ["first", "second"]),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_figure_is_the_same_every_time_and_has_its_own_paper(name):
    check_alike(MAKERS[name])


def test_tensors_give_the_same_figure_as_arrays():
    given = torch.from_numpy(GRID), torch.from_numpy(IMAGE).requires_grad_()
    assert figures.bent(*given, torch.tensor([2.0, 3.0]), [7, 5]).png() == MAKERS["bent"]().png()


def test_lines_of_a_grid_keep_their_colours_and_pass_through_their_points():
    left, right = MAKERS["bent"]().axes
    for ax, grid in ((left, GRID), (right, IMAGE)):
        red = [line for line in ax.lines if line.get_color() == style.RED]
        blue = [line for line in ax.lines if line.get_color() == style.BLUE]
        assert len(red) == len(blue) == 3
        np.testing.assert_array_equal(red[1].get_xydata().T, grid[:, 10])
        np.testing.assert_array_equal(blue[1].get_xydata().T, grid[:, :, 10])
        assert blue[0].get_linestyle() != red[0].get_linestyle()


def test_secants_have_the_slopes_that_they_say():
    words = told(MAKERS["secants"]())
    assert [word for word in words if "slope" in word] == [
        "step 2: slope 6.00",
        "step 1: slope 5.00",
        "step 0.5: slope 4.50",
        "tangent: slope 4.00",
    ]


def test_angles_are_those_of_the_vectors():
    words = told(MAKERS["angles"]())
    assert [word.split("\n")[1] for word in words if "°" in word] == ["45°", "90°", "21.8°", "45°"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: figures.bent(GRID, IMAGE[:, 1:], (2, 3), (7, 5)), "h must have shape"),
        (lambda: figures.angles(VECTORS, 0 * VECTORS, "ab"), "length 0 has no angle"),
        (lambda: figures.secants(CURVE, (2, 7), np.ones((4, 2)), 4), "too many"),
        (lambda: figures.densities(GRID, IMAGE, CURVE, ["one"]), "1 labels for 2"),
    ],
)
def test_a_figure_refuses(make, said):
    with pytest.raises(ValueError, match=said):
        make()
