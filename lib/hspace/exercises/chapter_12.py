"""Chapter 12: how much fifty directions hold, and the horse among them."""

from hspace.directions import stored


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
