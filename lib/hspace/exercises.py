"""Checkers for the exercises of the book: each prints what it thinks of an answer, so that a notebook runs through."""

import torch

from hspace.directions import stored


def check(exercise, answer):
    """Print whether `answer` solves the exercise, such as check("12.1", answer), and where not, a hint.

    Raises ValueError for an exercise that does not exist.
    """
    if exercise not in EXERCISES:
        raise ValueError(f"there is no exercise {exercise!r}; there are {', '.join(EXERCISES)}")
    expected, hint = EXERCISES[exercise]
    print("Not yet: the answer is still empty." if answer is None else _verdict(answer, expected(), hint))


def _verdict(answer, expected, hint):
    answer, expected = torch.as_tensor(answer).double(), torch.as_tensor(expected).double()
    if answer.shape != expected.shape:
        return f"Not yet: the shape is {tuple(answer.shape)}, {tuple(expected.shape)} is wanted. {hint}"
    return "Right." if torch.allclose(answer, expected, rtol=1e-2, atol=1e-6) else f"Not yet. {hint}"


def half_of_the_effect():
    """12.1: how many singular directions carry half of the sum of all squared singular values."""
    squares = stored("fifty_directions").exact.double() ** 2
    return int((squares.cumsum(0) < squares.sum() / 2).sum()) + 1


def purity_of_horse():
    """12.2: of each direction's change in standard deviations, the share (by norm) that is horse, (k,)."""
    result = stored("fifty_directions")
    values = result.each.float().mean(dim=0)
    return values[result.about["factors"].index("horse")].abs() / values.norm(dim=0)


EXERCISES = {
    "12.1": (
        half_of_the_effect,
        "Square the singular values, add them up from the largest, and count until half is reached.",
    ),
    "12.2": (purity_of_horse, "Divide the size of the horse's row by the length of each column of M."),
}
