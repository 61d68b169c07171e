"""Chapter 8: a step measured elsewhere, a right angle on the map, an ellipse, other units, a step of no length."""

import math

import torch

from hspace.cats import world

G = [[17.0, 5.0], [5.0, 2.0]]  # JᵀJ of the bent map (x1² + x2, x1 + x2) at (2, 3), with J = (4, 1; 1, 1)


def the_same_step_elsewhere():
    """8.1: the length of (0.3, 0.7) in the metric that the bent map pulls back at (-1, 2), where J = (-2, 1; 1, 1)."""
    return math.hypot(-2 * 0.3 + 0.7, 0.3 + 0.7)


def right_angle_on_the_map():
    """8.2: the s for which (s, 1) has the dot product 0 with (1, 0) in the pulled-back metric at (2, 3)."""
    return -G[0][1] / G[0][0]


def ellipse_and_average():
    """8.3: half axes at (2, 3), shorter first, and the root of the mean squared length over all directions, (3,)."""
    trace, det = G[0][0] + G[1][1], G[0][0] * G[1][1] - G[0][1] ** 2
    root = math.sqrt((trace / 2) ** 2 - det)
    return [1 / math.sqrt(trace / 2 + root), 1 / math.sqrt(trace / 2 - root), math.sqrt(trace / 2)]


def luck_in_tenths():
    """8.4: the length of the step (0.5, 0.5) under the law, with luck counted in tenths."""
    nap, luck = (world.W.double() @ torch.tensor([0.5, 0.5], dtype=torch.float64)).tolist()
    return math.hypot(nap, 10 * luck)


def a_step_of_no_length():
    """8.5: the step of length 1 to the lower right that x1 + x2 does not see, (2,)."""
    return [math.sqrt(0.5), -math.sqrt(0.5)]


EXERCISES = {
    "8.1": (
        the_same_step_elsewhere,
        "Only 2 x1 in J depends on the place. The length is the root of the sum of squares of J v.",
    ),
    "8.2": (right_angle_on_the_map, "Set (1, 0) G (s, 1) to zero, with the first row of G = JᵀJ, and solve for s."),
    "8.3": (
        ellipse_and_average,
        "The half axes are 1 over the singular values of J. The mean of vᵀ G v over all directions is half of G's "
        "trace; then take the root.",
    ),
    "8.4": (luck_in_tenths, "Push (0.5, 0.5) through W, multiply the luck by ten, and take the length."),
    "8.5": (a_step_of_no_length, "Solve (1, 1) v = 0, make v one long, and choose the sign."),
}
