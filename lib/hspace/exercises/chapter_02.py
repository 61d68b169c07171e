"""Chapter 2: the weight turned round, measured in millimetres, with a bias, and found by hand."""

import torch

from hspace.cats.world import W, column, sample


def way_back():
    """2.1: the weight from nap smiles back to noses, nose per nap."""
    return 1 / W[0, 0]


def millimetres():
    """2.2: nap per nose in millimetres, where a nose unit is 3 mm and a nap unit 5 mm."""
    return W[0, 0] * 5 / 3


def bias_as_weight():
    """2.3: weight 2 and bias 0.75 as a matrix on (x, 1), (1, 2)."""
    return torch.tensor([[2.0, 0.75]])


def least_squares_by_hand():
    """2.4: the multiple of the nose that is nearest to the nap smile among the chapter's 512 people."""
    people = sample(512, seed=2).double()
    nose, nap = people[:, column("nose")], people[:, column("nap")]
    return (nose @ nap) / (nose @ nose)


EXERCISES = {
    "2.1": (way_back, "Twice a nose is the smile. What times a smile is the nose?"),
    "2.2": (
        millimetres,
        "A nose of one unit is 3 mm long and brings 2 naps of 5 mm each: how many mm of smile for each mm of nose?",
    ),
    "2.3": (bias_as_weight, "The first entry multiplies the nose, the second the 1. Mind the shape: [[., .]]."),
    "2.4": (least_squares_by_hand, "Use the true factors in `people`, all 512: sum of x y over sum of x squared."),
}
