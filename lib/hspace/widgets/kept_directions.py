"""A vector to turn, with its image by a matrix in the same plane: which directions are kept?"""

import cmath
import math

import numpy as np
import traitlets

from .base import LiveFigure, numbers, trait
from .linear_map import number

LAW = [[2.0, 0.75], [-0.5, 1.5]]
#: What is offered unless told otherwise: the law, its Gram matrix, and one of each kind.
MATRICES = {
    "W": LAW,
    "WᵀW": (np.transpose(LAW) @ LAW).tolist(),
    "quarter turn": [[0.0, -1.0], [1.0, 0.0]],
    "mirror": [[0.0, 1.0], [1.0, 0.0]],
    "shear": [[1.0, 1.0], [0.0, 1.0]],
    "projection": [[0.8, 0.4], [0.4, 0.2]],
}
EXACT = 1e-9  # how near to touching counts as touching, in units of the matrix
NOTHING = 1e-6  # how short an image counts as none


class KeptDirections(LiveFigure):
    """A vector v of length 1 and its image M v, drawn from one point; marks where both lie on one line.

    matrices: name → (2, 2), what the reader may choose from; the first is shown. By default the law W, WᵀW, a quarter
    turn, a mirror, a shear and a projection.  angle: of v, in degrees.  marks: whether the kept directions are shown
    from the start; else each appears when the reader has found it.

    `matrix`, `angle` and `marks` follow what the reader does and may be set from Python. Raises ValueError for a shape,
    a name or a number that is wrong.
    """

    module = "kept_directions"

    presets = trait(traitlets.List)
    matrix = trait(traitlets.List)
    angle = trait(traitlets.Float, 30.0)
    marks = trait(traitlets.Bool, False)

    def __init__(self, matrices=None, angle=30, *, marks=False):
        presets = _presets(MATRICES if matrices is None else matrices)
        super().__init__(presets=presets, matrix=presets[0][1], angle=_angle(angle), marks=marks)

    @traitlets.validate("matrix")
    def _matrix_is_two_by_two(self, proposal):
        return numbers("matrix", proposal["value"], (2, 2))

    @traitlets.validate("angle")
    def _angle_goes_round(self, proposal):
        return _angle(proposal["value"])

    @property
    def eigenvalues(self):
        """Both, complex, the one with the larger real or imaginary part first."""
        (a, b), (c, d) = self.matrix
        root = cmath.sqrt(((a - d) / 2) ** 2 + b * c)
        return [(a + d) / 2 + root, (a + d) / 2 - root]

    def kept(self):
        """The kept directions as pairs (degrees from 0 to below 180, eigenvalue); None where all are kept.

        v at the angle θ is kept where the cross product of v and M v is 0. It is offset + size · cos(2θ − phase).
        """
        (a, b), (c, d) = self.matrix
        offset, size, phase = (c - b) / 2, math.hypot(c + b, d - a) / 2, math.atan2(d - a, c + b)
        least = EXACT * max(1e-9, *(abs(entry) for row in self.matrix for entry in row))
        if max(size, abs(offset)) <= least:
            return None
        if abs(offset) > size + least:
            return []
        half = math.acos(max(-1.0, min(1.0, -offset / size)))
        found = {round(math.degrees((phase + side * half) / 2) % 180, 6) % 180 for side in (1, -1)}
        if half < 1e-4 or math.pi - half < 1e-4:  # the two have become one
            found = {min(found)}
        return [(angle, self._stretch(angle)) for angle in sorted(found)]

    def _stretch(self, angle):
        """The eigenvalue of a kept direction: the part of M v along v."""
        v = _unit(angle)
        return float(v @ np.array(self.matrix) @ v)

    @property
    def turn(self):
        """The angle from v to M v in degrees, (-180, 180], to the left; None where M v is 0."""
        v = _unit(self.angle)
        image = np.array(self.matrix) @ v
        if np.hypot(*image) < NOTHING:
            return None
        turn = math.degrees(math.atan2(v[0] * image[1] - v[1] * image[0], v @ image))
        return 180.0 if turn <= -180 + 1e-9 else turn

    def describe(self):
        """The vector, its image, and the directions that the matrix keeps, in three sentences."""
        matrix = "; ".join(", ".join(map(number, row)) for row in self.matrix)
        names = ", ".join(name for name, _ in self.presets)
        turn = self.turn
        moved = "is taken to 0" if turn is None else f"is turned by {number(round(turn, 1))}°"
        return (
            f"A vector v of length 1 that can be turned, and its image M v in the same plane, for several matrices "
            f"({names}). With ({matrix}), v at {number(round(self.angle, 1))}° {moved}. {self._keeps()}"
        )

    def _keeps(self):
        kept = self.kept()
        if kept is None:
            return "Every direction is kept."
        if not kept:
            first = self.eigenvalues[0]
            parts = f"{first.real:.2f} ± {abs(first.imag):.2f} i".replace("-", "−")
            return f"No direction of the plane is kept: the eigenvalues are {parts}."
        told = " and ".join(f"{angle:.1f}° (eigenvalue {number(round(value, 2))})" for angle, value in kept)
        return f"Kept {'is one direction' if len(kept) == 1 else 'are two directions'}: {told}."


def _unit(degrees):
    return np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])


def _angle(value):
    (value,) = numbers("angle", [value], (1,))
    return value % 360


def _presets(matrices):
    """[name, matrix] of each; ValueError where there is none, or a name is empty."""
    if not matrices or not all(isinstance(name, str) and name.strip() for name in matrices):
        raise ValueError(f"matrices must be a dict of names and 2 × 2 matrices, got {matrices!r}")
    return [[name, numbers(f"matrices[{name!r}]", matrix, (2, 2))] for name, matrix in matrices.items()]
