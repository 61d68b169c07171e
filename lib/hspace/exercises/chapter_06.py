"""Chapter 6: a function from two answers, a gradient, steps in two balls, how far down, a matrix as a variable."""

import torch

from hspace.cats.world import W


def from_two_answers():
    """6.1: at (2, 3), the linear function that gives 5 for (1, 1) and 1 for (1, -1): a number."""
    y = torch.tensor([(5.0 + 1.0) / 2, (5.0 - 1.0) / 2])
    return y @ torch.tensor([2.0, 3.0])


def smile_more():
    """6.2: gradient of half the squared distance of W x from (4, 0), at x = (1, 1), (2,)."""
    return W.T @ (W @ torch.ones(2) - torch.tensor([4.0, 0.0]))


def in_other_balls():
    """6.3: the steepest steps of length 1 there, in the 1-norm and in the ∞-norm, one a row, (2, 2)."""
    slopes = smile_more()
    only = torch.where(slopes.abs() == slopes.abs().max(), -slopes.sign(), 0.0)
    return torch.stack([only, -slopes.sign()])


def as_far_as_it_goes_down():
    """6.4: where x₁² + x₂ is back at its height, going from (2, 3) against its gradient (4, 1): a number."""
    return 17 / 16


def matrix_as_variable():
    """6.5: the gradient of A ↦ aᵀ A b, (2, 2)."""
    return torch.tensor([[3.0, 4.0], [6.0, 8.0]])


EXERCISES = {
    "6.1": (from_two_answers, "Write (2, 3) as a sum of multiples of (1, 1) and (1, -1), and keep both promises."),
    "6.2": (
        smile_more,
        "The error is W x - (4, 0), and each column of W says what one input does to it. Ask both columns.",
    ),
    "6.3": (
        in_other_balls,
        "The table of balls has both. Mind which slope is the larger in size, and the sign of each.",
    ),
    "6.4": (as_far_as_it_goes_down, "Write the change in α: its linear part and its remainder. Where do they cancel?"),
    "6.5": (matrix_as_variable, "Put in the matrix with a single 1 in row i and column j: which number comes out?"),
}
