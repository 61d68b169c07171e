"""A bent map and its tangent spaces: drag a point and a vector, and zoom in until the curve is a line."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import traitlets

from .base import LiveFigure, numbers, rounded, told, trait

REACH, LONGEST, CLOSEST = 4.0, 3.0, 1000.0  # of p's and v's coordinates, and of the magnification
TURN = np.radians(30)


@dataclass(frozen=True)
class Map:
    """A map of the plane: its name and formulas as they are read, its values and its Jacobian.

    at: x (..., 2) → h (..., 2).  jacobian: x (2,) → (2, 2), a row for each output.
    """

    name: str
    formulas: tuple[str, str]
    at: Callable
    jacobian: Callable


def _pair(first, second):
    return np.stack([first, second], -1)


def _parts(x):
    return x[..., 0], x[..., 1]


def _bend(x):
    a, b = _parts(x)
    return _pair(a**2 + b, a + b)


def _turn(x):
    a, b = _parts(x)
    return _pair(np.cos(TURN) * a - np.sin(TURN) * b, np.sin(TURN) * a + np.cos(TURN) * b)


def _fold(x):
    a, b = _parts(x)
    return _pair(a**2, b)


def _polar(x):
    a, b = _parts(x)
    return _pair(a * np.cos(b), a * np.sin(b))


def _crush(x):
    total = x[..., 0] + x[..., 1]
    return _pair(total, total**2 / 4)


#: The maps of the figure, each of them once more in tangent.mjs; a test compares the twins.
MAPS = {
    "bend": Map("bend", ("x₁² + x₂", "x₁ + x₂"), _bend, lambda x: np.array([[2 * x[0], 1.0], [1.0, 1.0]])),
    "turn": Map(
        "rotation",
        ("cos 30° · x₁ − sin 30° · x₂", "sin 30° · x₁ + cos 30° · x₂"),
        _turn,
        lambda x: np.array([[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]]),
    ),
    "fold": Map("fold", ("x₁²", "x₂"), _fold, lambda x: np.array([[2 * x[0], 0.0], [0.0, 1.0]])),
    "polar": Map(
        "polar",
        ("x₁ cos x₂", "x₁ sin x₂"),
        _polar,
        lambda x: np.array([[np.cos(x[1]), -x[0] * np.sin(x[1])], [np.sin(x[1]), x[0] * np.cos(x[1])]]),
    ),
    "crush": Map(
        "crush", ("x₁ + x₂", "(x₁ + x₂)² / 4"), _crush, lambda x: np.array([[1.0, 1.0], [(x[0] + x[1]) / 2] * 2])
    ),
}


class Tangent(LiveFigure):
    """A map of the plane at a point p, with the tangent spaces at p and at h(p), and the Jacobian between them.

    map: "bend" is (x₁² + x₂, x₁ + x₂); "turn" a rotation by 30°; "fold" (x₁², x₂); "polar" takes a radius and an angle
    to a point; "crush" takes the plane to a curve, and has no inverse anywhere.
    point: p, (2,), each coordinate from -4 to 4.  vector: v, (2,), each from -3 to 3.
    zoom: the magnification, 1 to 1000. Magnified z times, the figure shows the step v / z as long as v was.
    ratios: write ∂/∂h₁ over ∂/∂x₁ beside the entries of J.  square: a square of points at p, with its image and area.

    All of these follow what the reader does, and may be set from Python.
    Raises ValueError for another map, and for numbers out of their ranges.
    """

    module = "tangent"

    map = trait(traitlets.Unicode, "bend")
    point = trait(traitlets.List)
    vector = trait(traitlets.List)
    zoom = trait(traitlets.Float, 1.0)
    ratios = trait(traitlets.Bool, True)
    square = trait(traitlets.Bool, False)

    def __init__(self, map="bend", point=(2, 3), vector=(0.3, 0.7), *, zoom=1, ratios=True, square=False):
        super().__init__(
            map=_known(map),
            point=_within("point", point, REACH),
            vector=_within("vector", vector, LONGEST),
            zoom=_magnification(zoom),
            ratios=ratios,
            square=square,
        )

    @traitlets.validate("map")
    def _map_is_known(self, proposal):
        return _known(proposal["value"])

    @traitlets.validate("point", "vector")
    def _is_in_reach(self, proposal):
        name = proposal["trait"].name
        return _within(name, proposal["value"], REACH if name == "point" else LONGEST)

    @traitlets.validate("zoom")
    def _zoom_is_in_range(self, proposal):
        return _magnification(proposal["value"])

    @property
    def J(self):
        """The Jacobian at p, (2, 2), a row for each output."""
        return MAPS[self.map].jacobian(np.array(self.point))

    def step(self):
        """The step v / zoom: where it leads to first order and where in truth, both (2,)."""
        h, p, v = MAPS[self.map].at, np.array(self.point), np.array(self.vector) / self.zoom
        return h(p) + self.J @ v, h(p + v)

    def area(self):
        """The image's area as a multiple of that of the square with corner p and sides 1 / zoom; below 0 if flipped."""
        corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)])
        share = np.linspace(0, 1, 64, endpoint=False)[:, None]
        rim = np.concatenate([a + share * (b - a) for a, b in pairwise(corners)])
        a, b = (self.zoom * (MAPS[self.map].at(np.array(self.point) + rim / self.zoom) - self._image)).T
        return float((a * np.roll(b, -1) - b * np.roll(a, -1)).sum() / 2)

    @property
    def _image(self):
        return MAPS[self.map].at(np.array(self.point))

    def describe(self):
        """The map, its Jacobian at p, where a step leads to first order and in truth, in a few sentences."""
        first, second = MAPS[self.map].formulas
        det, (guess, truth) = np.linalg.det(self.J), self.step()
        by = "v" if self.zoom == 1 else f"v / {self.zoom:g}"
        matrix = f"Its Jacobian there is {told(self.J)}, with determinant {rounded(det)}"
        if not self.ratios:  # for readers who have met neither word
            matrix = f"Its partial derivatives there are {told(self.J)}"
        decimals = 2 + 2 * int(np.ceil(np.log10(self.zoom)))  # two more for each tenfold magnification
        said = [
            f"The map h = ({first}, {second}) takes p = {told(self.point)} to h(p) = {told(self._image)}.",
            f"{matrix}; it takes v = {told(self.vector)} to u = {told(self.J @ self.vector)}.",
            f"To first order h(p + {by}) is {told(guess, decimals)}, in truth it is {told(truth, decimals)}.",
        ]
        if self.square:
            side = "1" if self.zoom == 1 else f"1 / {self.zoom:g}"
            said.append(f"A square at p with sides of {side} has an image of {rounded(self.area())} times its area.")
        return " ".join(said)


def _known(name):
    if name not in MAPS:
        raise ValueError(f"map={name!r} must be one of {', '.join(MAPS)}")
    return name


def _within(name, values, most):
    values = numbers(name, values, (2,))
    if max(map(abs, values)) > most:
        raise ValueError(f"{name}={values} must have coordinates from {-most:g} to {most:g}")
    return values


def _magnification(value):
    (value,) = numbers("zoom", [value], (1,))
    if not 1 <= value <= CLOSEST:
        raise ValueError(f"zoom={value:g} must be from 1 to {CLOSEST:g}")
    return value
