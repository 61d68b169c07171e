"""A ball of steps round a point: which step of length 1 descends most depends on what is called length 1."""

import numpy as np
import traitlets

from .base import LiveFigure, numbers, rounded, told, trait

BALLS = {
    "2-norm": "the root of the sum of squares",
    "1-norm": "the sum of absolute values",
    "inf-norm": "the largest absolute value",
    "pullback": "the length of J d, the step's image",
}
REACH = 5.0  # of each coordinate of the gradient
TIE = 1e-9  # of the gradient's size: less than this is no difference


class Ball(LiveFigure):
    """All steps of length 1 or less, the half plane of those that descend, and the one that descends most.

    gradient: (2,), each from -5 to 5.  ball: "2-norm", "1-norm", "inf-norm", or "pullback", where the length of a step
    d is the 2-norm of J d.  jacobian: J, (2, 2) with an inverse; that of chapter 5 by default.
    tried: the direction of a step of the reader's own, -180 to 180 degrees from the first axis to the second.

    `gradient`, `ball` and `tried` follow what the reader does and may be set from Python; `jacobian` may be set, too.
    Raises ValueError for a number out of its range, another shape, another ball, and a J that has no inverse.
    """

    module = "ball"

    gradient = trait(traitlets.List)
    ball = trait(traitlets.Unicode, "2-norm")
    jacobian = trait(traitlets.List)
    tried = trait(traitlets.Float, -90.0)

    def __init__(self, gradient=(4, 1), ball="2-norm", *, jacobian=((4, 1), (1, 1)), tried=-90):
        super().__init__(
            gradient=_gradient(gradient), ball=_ball(ball), jacobian=_invertible(jacobian), tried=_degrees(tried)
        )

    @traitlets.validate("gradient")
    def _gradient_in_reach(self, proposal):
        return _gradient(proposal["value"])

    @traitlets.validate("ball")
    def _ball_is_known(self, proposal):
        return _ball(proposal["value"])

    @traitlets.validate("jacobian")
    def _jacobian_has_an_inverse(self, proposal):
        return _invertible(proposal["value"])

    @traitlets.validate("tried")
    def _tried_in_range(self, proposal):
        return _degrees(proposal["value"])

    def length(self, d):
        """The length of a step d, (2,), in the ball's own measure."""
        d = np.asarray(d, dtype=float)
        if self.ball == "pullback":
            return float(np.linalg.norm(np.array(self.jacobian) @ d))
        return float(np.linalg.norm(d, {"2-norm": 2, "1-norm": 1, "inf-norm": np.inf}[self.ball]))

    @property
    def step(self):
        """The step of length 1 that descends most to first order, (2,); None where the gradient is 0.

        Where a whole edge of the ball descends as much, it is the middle of that edge (see `edge`).
        """
        g = np.array(self.gradient)
        if not g.any():
            return None
        sign = np.where(np.abs(g) > TIE * np.abs(g).max(), np.sign(g), 0)
        if self.ball == "1-norm":
            largest = np.abs(g) >= (1 - TIE) * np.abs(g).max()
            return -sign * largest / largest.sum()
        if self.ball == "inf-norm":
            return -sign
        d = -g if self.ball == "2-norm" else -np.linalg.solve(self.metric, g)
        return d / self.length(d)

    @property
    def slope(self):
        """The most negative dot product of a step of length 1 with the gradient: minus the gradient's dual norm."""
        return 0.0 if self.step is None else float(self.step @ self.gradient)

    @property
    def edge(self):
        """Whether a whole edge of the ball descends as much as `step`; only balls with corners have edges."""
        size = np.abs(self.gradient)
        if self.ball == "1-norm":
            return bool(size.max() > 0 and size.min() >= (1 - TIE) * size.max())
        return bool(self.ball == "inf-norm" and size.max() > 0 and size.min() <= TIE * size.max())

    @property
    def metric(self):
        """The matrix of the pullback metric, JᵀJ, (2, 2)."""
        J = np.array(self.jacobian)
        return J.T @ J

    @property
    def own(self):
        """The reader's own step: the direction `tried`, made 1 long in the ball's measure, (2,)."""
        angle = np.radians(self.tried)
        d = np.array([np.cos(angle), np.sin(angle)])
        return d / self.length(d)

    def describe(self):
        """The ball, its steepest step and the half plane of descent, in three or four sentences."""
        where = f"A ball of steps round a point where the gradient is {told(self.gradient)}"
        said = [f"{where}; the length of a step d is {BALLS[self.ball]} ({self.ball})."]
        if self.step is None:
            return f"{said[0]} No step descends to first order."
        best = f"{told(self.step)} descends most: its dot product with the gradient is {rounded(self.slope)}."
        alike = " So do all steps of the same edge of the ball, of which it is the middle." if self.edge else ""
        said.append(f"Of all steps of length 1, {best}{alike}")
        said.append("All steps behind the line at right angles to the gradient descend, half of the plane.")
        mine = float(self.own @ self.gradient)
        said.append(f"The step {told(self.own)}, tried beside it, has the dot product {rounded(mine)}.")
        return " ".join(said)


def _gradient(value):
    value = numbers("gradient", value, (2,))
    if max(map(abs, value)) > REACH:
        raise ValueError(f"gradient={value} must have coordinates from {-REACH:g} to {REACH:g}; divide it by a number")
    return value


def _ball(name):
    if name not in BALLS:
        raise ValueError(f"ball={name!r} must be one of {', '.join(BALLS)}")
    return name


def _invertible(value):
    J = numbers("jacobian", value, (2, 2))
    large, small = np.linalg.svd(J)[1]
    if small <= 0.02 * large:
        raise ValueError(f"jacobian={J} has no inverse, or nearly none: its ball would be endless. Choose another map")
    return J


def _degrees(value):
    (value,) = numbers("tried", [value], (1,))
    if not -180 <= value <= 180:
        raise ValueError(f"tried={value:g} must be from -180 to 180 degrees")
    return value
