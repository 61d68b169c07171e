"""A matrix taken apart: a face is rotated, scaled and rotated, and has then been multiplied by the matrix."""

import math

import numpy as np
import traitlets

from .base import LiveFigure, numbers, trait
from .linear_map import number

LARGEST = 4.0  # size of an entry
STAGES = 3  # Vᵀ, D, U
NAMES = ("first", "second")


class RotateScaleRotate(LiveFigure):
    """A matrix M as three steps, Vᵀ, D and U, beside M in one go; the matrix can be dragged.

    matrix: (2, 2), entries from −4 to 4.  stage: how far the face on the left has come, from 0 (untouched) by 1 (after
    Vᵀ) and 2 (after D) to 3 (after U).  flips: whether v₁ and v₂ point the other way than they do by default, where V
    is a rotation by more than −90 and at most 90 degrees.  follow: whether u₁ and u₂ turn round with them; where they
    do not, as if they came from a problem of their own, U D Vᵀ is another matrix.

    All four follow what the reader does, and may be set from Python.
    Raises ValueError for another shape, an entry or a stage out of its range.
    """

    module = "rotate_scale_rotate"

    matrix = trait(traitlets.List)
    stage = trait(traitlets.Float, float(STAGES))
    flips = trait(traitlets.List, traitlets.Bool(), [False, False])
    follow = trait(traitlets.Bool, True)

    def __init__(self, matrix, *, stage=STAGES, flips=(False, False), follow=True):
        super().__init__(matrix=_matrix(matrix), stage=_stage(stage), flips=_flips(flips), follow=follow)

    @traitlets.validate("matrix")
    def _matrix_in_range(self, proposal):
        return _matrix(proposal["value"])

    @traitlets.validate("stage")
    def _stage_in_range(self, proposal):
        return _stage(proposal["value"])

    @traitlets.validate("flips")
    def _two_flips(self, proposal):
        return _flips(proposal["value"])

    def factors(self):
        """U (2, 2), s (2,), V (2, 2) as they are shown: M = U diag(s) Vᵀ where `follow` is on or nothing is flipped."""
        M = np.array(self.matrix)
        (a, b), (_, d) = M.T @ M
        angle = 0.5 * math.atan2(2 * b, a - d)  # of the longest image, in (−90°, 90°]
        V = rotation(angle)
        s = np.linalg.norm(M @ V, axis=0)
        U = np.empty((2, 2))
        U[:, 0] = M @ V[:, 0] / s[0] if s[0] > 1e-12 else (1, 0)
        left = np.array([-U[1, 0], U[0, 0]])
        U[:, 1] = -left if np.linalg.det(M) < 0 else left
        s[1] = abs(np.linalg.det(M)) / s[0] if s[0] > 1e-12 else 0
        signs = np.where(self.flips, -1.0, 1.0)
        return U * (signs if self.follow else 1), s, V * signs

    def describe(self):
        """The three steps with their numbers, and whether they make the matrix, in three sentences or four."""
        U, s, V = self.factors()
        back, over = turn(V * [[1, 1], [-1, -1]]), [np.linalg.det(Q) < 0 for Q in (U, V)]
        rows = "; ".join(", ".join(map(number, row)) for row in self.matrix)
        said = [
            f"The matrix M = ({rows}) as three steps: Vᵀ {back}{' and turns over' if over[1] else ''}, D stretches by "
            f"{s[0]:.2f} and {s[1]:.2f}, and U {'turns over and ' if over[0] else ''}{turn(U)}.",
            self._eigenvectors(),
        ]
        error = np.linalg.norm(U * s @ V.T - self.matrix, 2)
        if error > 1e-9:
            left = " and ".join(name for name, flip in zip(NAMES, self.flips, strict=True) if flip)
            said.append(f"The {left} v was turned round alone: U D Vᵀ is not M and misses it by {error:.2f}.")
        return " ".join(said)

    def _eigenvectors(self):
        (a, b), (c, d) = self.matrix
        if (a - d) ** 2 + 4 * b * c < 0:
            return "M has no real eigenvector: there is no direction that it keeps."
        return "M has a real eigenvector: there is a direction that it keeps."


def rotation(angle):
    """The rotation of the plane to the left, (2, 2); angle in radians."""
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def turn(Q):
    """By how much the first column of an orthogonal matrix is turned from the first axis, in words."""
    return f"turns by {_degrees(math.atan2(Q[1, 0], Q[0, 0]))}"


def _degrees(angle):
    return f"{math.degrees(angle) + 0.0:.1f}°".replace("-0.0°", "0.0°").replace("-", "−")


def _matrix(values):
    matrix = numbers("matrix", values, (2, 2))
    if np.abs(matrix).max() > LARGEST:
        raise ValueError(f"matrix={matrix} must have entries from {-LARGEST:g} to {LARGEST:g}")
    return matrix


def _stage(value):
    (value,) = numbers("stage", [value], (1,))
    if not 0 <= value <= STAGES:
        raise ValueError(f"stage={value:g} must be from 0 to {STAGES}")
    return value


def _flips(values):
    values = list(values)
    if len(values) != 2 or not all(isinstance(value, bool) for value in values):
        raise ValueError(f"flips={values} must be two of True and False, for v₁ and v₂")
    return values
