"""Chapter 10: a preimage, partners of leaning rows, a correlation from weights, crowded features, kept directions."""

import torch

from hspace.cats.world import W

ANIMALS = (
    (1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    (1.6, 1.0, 1.0, 1.2, 0.8, 1.2),
    (0.0, 0.0, 1.0, 0.8, 1.0, 0.9),
    (0.5, 1.2, 1.0, 0.6, 0.4, 0.0),
    (1.5, 0.0, 1.0, 0.0, 0.0, 1.4),
)  # cat, kitten, lion, dog, frog: how small, tame, four-footed, soft, whiskered and short-snouted


def shortest_preimage():
    """10.1: the shortest vector that the row (1, 2, 2) reads as 1, (3,)."""
    return torch.linalg.pinv(torch.tensor([[1.0, 2.0, 2.0]]))[:, 0]


def read_by_leaning_rows():
    """10.2: the vector that the rows (2, 1) and (0.5, 1) read as 3 and 1, (2,), by Cramer's rule."""
    determinant = 2 * 1 - 1 * 0.5
    return [(3 * 1 - 1 * 1) / determinant, (2 * 1 - 0.5 * 3) / determinant]


def smile_and_luck():
    """10.3: the correlation of nap and luck for white noses and ears: the cosine of the rows of W."""
    return torch.nn.functional.cosine_similarity(W[0], W[1], dim=0)


def seven_in_three():
    """10.4: the least sum of squared cosines of all ordered pairs of seven unit vectors in three dimensions."""
    return 7**2 / 3 - 7


def two_that_are_kept():
    """10.5: the directions, in degrees, that (1, 2; 3, 2) keeps: along (2, 3) and (1, -1)."""
    return torch.rad2deg(torch.atan2(torch.tensor([3.0, 1.0]), torch.tensor([2.0, -1.0])))


def fewest_words():
    """10.6: share of the animals' squared length in their best two orthonormal words."""
    squares = torch.linalg.svdvals(torch.tensor(ANIMALS)) ** 2
    return squares[:2].sum() / squares.sum()


EXERCISES = {
    "10.1": (shortest_preimage, "Divide the row by what it reads in itself: r·r, which is its length squared."),
    "10.2": (
        read_by_leaning_rows,
        "The rows lean, so their projections do not add up. Solve the two equations: the columns of the inverse speak.",
    ),
    "10.3": (
        smile_and_luck,
        "For white inputs the covariance of the outputs is W Wᵀ. Divide by both standard deviations, the roots of its "
        "diagonal.",
    ),
    "10.4": (seven_in_three, "The limit is n²/m - n, for n features in m neurons."),
    "10.5": (
        two_that_are_kept,
        "Find the eigenvectors, and the angle of each: atan2 of its second and first coordinate, plus 180 where it is "
        "negative.",
    ),
    "10.6": (
        fewest_words,
        "The squared length that the best k orthonormal words keep is the sum of the k largest eigenvalues of the Gram "
        "matrix of the columns.",
    ),
}
