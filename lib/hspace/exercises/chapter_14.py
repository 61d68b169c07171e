"""Answers to the exercises of chapter 14."""

import math

import torch

from hspace.cats.render import render
from hspace.cats.world import average


def entries():
    """14.1: h of 512 × 8 × 8 numbers times x of 3 × 256 × 256."""
    return 512 * 8 * 8 * 3 * 256 * 256


def room():
    """14.2: MiB of fifty singular triplets between 4 × 64 × 64 and 1280 × 8 × 8 numbers, float32."""
    return torch.tensor(50 * (4 * 64 * 64 + 1280 * 8 * 8 + 1) * 4 / 2**20)


def blind():
    """14.3: disagreement of Jv with (2 J)ᵀ u, and of 2 J v with (2 J)ᵀ u, (2,)."""
    return torch.tensor([1.0, 0.0])


def minutes():
    """14.4: of the process with the most seeds, 13 of 100 among 8."""
    return math.ceil(100 / 8) * 3 * 4


def lopsided():
    """14.5: distance to the mirror image, root mean square, of three cat people (3,)."""
    row = render(torch.stack([average(), average(tilt=8), average(shift=0.1)]))
    return (row - row.flip(-1)).square().mean(dim=(1, 2, 3)).sqrt()


EXERCISES = {
    "14.1": (entries, "One entry for each number of h and each number of x: multiply all three sizes of both."),
    "14.2": (room, "U has 50 columns of 81 920, V 50 of 16 384, s has 50 numbers; 4 bytes each, and 2**20 in a MiB."),
    "14.3": (blind, "It divides the difference of the two sides by the first of them. What is each, where Jv is 1?"),
    "14.4": (minutes, "Somebody has thirteen seeds. Each has three units, of four minutes each."),
    "14.5": (
        lopsided,
        "The last axis runs from left to right: flip(3). Then square, mean over all but the first, root.",
    ),
}
