"""Chapter 3: the law's rows and columns, its first row held still, another basis, one more layer."""

import torch

from hspace.cats.world import W


def nap_and_luck():
    """3.1: nap and luck of a nose of 0.5 and ears of 2, (2,)."""
    return W @ torch.tensor([0.5, 2.0])


def luck_without_a_smile():
    """3.2: change of nose that keeps the nap smile as the ears grow by 1, and what it does to luck, (2,)."""
    nose = -W[0, 1] / W[0, 0]
    return torch.stack([nose, W[1, 0] * nose + W[1, 1]])


def law_in_the_other_language():
    """3.3: the law for amounts of the vectors (1, 1) and (1, -1), (2, 2)."""
    return W @ torch.tensor([[1.0, 1.0], [1.0, -1.0]])


def contentment():
    """3.4: nap + 0.5 luck as weights on nose and ear, (1, 2)."""
    return torch.tensor([[1.0, 0.5]]) @ W


EXERCISES = {
    "3.1": (nap_and_luck, "Each row of W meets the column (0.5, 2); stack the two results, nap first."),
    "3.2": (
        luck_without_a_smile,
        "The ear brings 0.75 of nap: which change of the nose takes it away again? Then ask the second row.",
    ),
    "3.3": (law_in_the_other_language, "B acts first, W on what comes out: which of them stands on the right?"),
    "3.4": (
        contentment,
        "Contentment is a row that reads nap and luck, and W makes these of nose and ear. Which stands on the left?",
    ),
}
