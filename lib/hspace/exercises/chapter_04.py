"""Chapter 4: another point of the bent map, its derivatives there, a step to first order, how close is close enough."""

import math

import torch


def another_point():
    """4.1: (x₁² + x₂, x₁ + x₂) at (-1, 2), (2,)."""
    return torch.tensor([3.0, 1.0])


def red_answer():
    """4.2: (2 x₁, 1) at x₁ = -1, (2,)."""
    return torch.tensor([-2.0, 1.0])


def without_the_map():
    """4.3: (7, 5) − 0.1 (4, 1) + 0.2 (1, 1), (2,)."""
    return torch.tensor([6.8, 5.1])


def close_enough():
    """4.4: the s for which the error 0.3² s² is a hundredth of the step's length s ‖(0.3, 0.7)‖."""
    return 0.01 * math.hypot(0.3, 0.7) / 0.3**2


def round_in_a_circle():
    """4.5: (−x₁ sin x₂, x₁ cos x₂) at (2, π/3), (2,)."""
    return torch.tensor([-2 * math.sin(math.pi / 3), 2 * math.cos(math.pi / 3)])


EXERCISES = {
    "4.1": (another_point, "Square the first coordinate and add the second; then add both as they are."),
    "4.2": (red_answer, "Change x₁ by a millionth at (-1, 2), leave x₂ alone, and divide the change of h by it."),
    "4.3": (without_the_map, "First the step from p to the point; then so much of (4, 1) and so much of (1, 1)."),
    "4.4": (close_enough, "Half the step has a quarter of the error. Divide both by the length of the step."),
    "4.5": (round_in_a_circle, "Change the angle alone, by a millionth, and divide the change of both outputs by it."),
}
