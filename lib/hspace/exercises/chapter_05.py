"""Chapter 5: Jacobians of small maps, their inverses, where there is none, areas on a bowl, an angle carried back."""

import math

import torch


def jacobian_elsewhere():
    """5.1: (2 x₁, 1; 1, 1) at x₁ = -1, (2, 2)."""
    return torch.tensor([[-2.0, 1.0], [1.0, 1.0]])


def only_the_second():
    """5.2: the second column of the inverse of (4, 1; 1, 1), (2,)."""
    return torch.tensor([-1.0, 4.0]) / 3


def cannot_be_undone():
    """5.3: the x₂ at which 4 x₁ x₂ + 1 is 0 for x₁ = 1."""
    return -0.25


def paint_for_a_patch():
    """5.4: √(1 + 4 x₁² + 4 x₂²), the area of the graph of x₁² + x₂² per unit of the plane, at (1, 1)."""
    return math.sqrt(1 + 4 + 4)


def from_behind():
    """5.5: the angle of the v with (4, 1; 1, 1) v = (-1, 0), in degrees."""
    v = torch.linalg.solve(torch.tensor([[4.0, 1.0], [1.0, 1.0]]), torch.tensor([-1.0, 0.0]))
    return math.degrees(math.atan2(v[1], v[0]))


EXERCISES = {
    "5.1": (
        jacobian_elsewhere,
        "Rows are outputs, columns inputs. Which of the four derivatives depends on the place?",
    ),
    "5.2": (only_the_second, "It is the way back that is asked for: which matrix brings (0, 1) home?"),
    "5.3": (
        cannot_be_undone,
        "Write down the four derivatives, and from them the determinant. Put x₁ = 1: where is it 0?",
    ),
    "5.4": (
        paint_for_a_patch,
        "Write J down, a row for each of the three outputs. It is tall: which root stands in for its determinant?",
    ),
    "5.5": (from_behind, "Carry (-1, 0) back with the inverse of J at p, then take the angle of what you get."),
}
