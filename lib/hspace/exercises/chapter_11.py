"""Chapter 11: stretches, an area, terms of a picture, the shortest change, patience, a renderer's Jacobian."""

import math

import torch

from hspace.cats import world
from hspace.cats.render import render
from hspace.jacobian import Jacobian
from hspace.krylov import svd


def stretches_of_the_bent_map():
    """11.1: singular values of J = (4, 1; 1, 1), the bent map's at (2, 3), largest first, (2,)."""
    return [(5 + math.sqrt(13)) / 2, (5 - math.sqrt(13)) / 2]


def area_of_the_ellipse():
    """11.2: by what factor the law makes the area of a circle larger."""
    return torch.linalg.svdvals(world.W.double()).prod()


def terms_of_a_picture():
    """11.3: how many terms hold 99.9 % of the squared size of the chapter's cat person, its colours on each other."""
    person = world.average(nose=1.4, ear=1.2, nap=3.5, luck=1.2)
    squares = torch.linalg.svdvals(render(person[None], size=256)[0].double().flatten(0, 1)) ** 2
    return int((squares.cumsum(0) < 0.999 * squares.sum()).sum()) + 1


def shortest_change():
    """11.4: the shortest change of nose and ear that makes the nap smile wider by 1, (2,)."""
    row = world.W[0].double()
    return row / (row @ row)


def rounds_of_patience():
    """11.5: rounds after which the power iteration has made the second of two values, 1 and 0.99, 1000 times less."""
    return math.ceil(math.log(1000) / (2 * math.log(1 / 0.99)))


def drawn_in_standard_deviations(z):
    """The average cat person, changed by z (12,) standard deviations of each factor, as a picture (3, 64, 64)."""
    return render((world.average() + z * world.STD)[None])[0]


def stretches_of_the_renderer():
    """11.6: the three largest singular values of the renderer's Jacobian there, (3,)."""
    return svd(Jacobian(drawn_in_standard_deviations, torch.zeros(12)), k=3, tol=1e-4).s


EXERCISES = {
    "11.1": (
        stretches_of_the_bent_map,
        "Their squares are the eigenvalues of JᵀJ. Their product is the determinant of J, and the sum of their squares "
        "is that of the squared entries.",
    ),
    "11.2": (area_of_the_ellipse, "Turns change no area. What do the two stretches do to it?"),
    "11.3": (
        terms_of_a_picture,
        "Square the singular values of A, add them up from the largest, and count until 99.9 % of the sum is reached.",
    ),
    "11.4": (
        shortest_change,
        "It points along the row (2, 0.75), and its dot product with the row must be 1: the pseudo-inverse of M[:1].",
    ),
    "11.5": (
        rounds_of_patience,
        "A round multiplies the ratio by 0.99²: how many such factors make it less than 1/1000? Round up.",
    ),
    "11.6": (
        stretches_of_the_renderer,
        "Make a Jacobian of `drawn` at torch.zeros(12), and give it to hspace.svd with k = 3.",
    ),
}
