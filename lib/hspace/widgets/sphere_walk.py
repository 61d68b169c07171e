"""A sphere to walk on: a vector is carried round a loop without being turned, and comes home turned."""

from itertools import pairwise

import numpy as np
import traitlets

from .base import LiveFigure, index, numbers, trait

PATHS = ("latitude", "triangle")
COLATITUDES, HEADINGS = (10, 90), (-180, 180)  # degrees
STEPS = range(6, 97, 3)


class SphereWalk(LiveFigure):
    """A sphere to walk on: a vector is carried along by parallel transport and compared with itself at home.

    colatitude: of the latitude circle to walk along, its angle θ from the pole: 10 to 90 degrees; 90 is the equator.
    heading: of the vector at the start, in degrees to the left of the way ahead, -180 to 180.
    steps: of one round, a multiple of 3 from 6 to 96. At each of them the smallest rotation takes the vector to the
    next tangent plane, as the polar factor in `hspace.transport` does: an approximation of second order.
    path: "latitude", or "triangle" for three great circles with three right angles, an eighth of the sphere.

    All of these, and `at`, the number of steps walked, follow what the reader does and may be set from Python.
    Raises ValueError for a number out of its range or another path.
    """

    module = "sphere_walk"

    colatitude = trait(traitlets.Float, 60.0)
    heading = trait(traitlets.Float, 0.0)
    steps = trait(traitlets.Int, 24)
    path = trait(traitlets.Unicode, "latitude")
    at = trait(traitlets.Int, 0)

    def __init__(self, colatitude=60, *, heading=0, steps=24, path="latitude"):
        super().__init__(
            colatitude=_degrees("colatitude", colatitude, *COLATITUDES),
            heading=_degrees("heading", heading, *HEADINGS),
            steps=_steps(steps),
            path=_path(path),
        )

    @traitlets.validate("colatitude")
    def _colatitude_in_range(self, proposal):
        return _degrees("colatitude", proposal["value"], *COLATITUDES)

    @traitlets.validate("heading")
    def _heading_in_range(self, proposal):
        return _degrees("heading", proposal["value"], *HEADINGS)

    @traitlets.validate("steps")
    def _steps_in_range(self, proposal):
        return _steps(proposal["value"])

    @traitlets.validate("path")
    def _path_is_known(self, proposal):
        return _path(proposal["value"])

    @traitlets.validate("at")
    def _at_is_on_the_way(self, proposal):
        return index("at", proposal["value"], self.steps + 1)

    @traitlets.observe("steps", "path")
    def _another_way_begins_at_its_start(self, change):
        self.at = 0

    def angles(self):
        """The vector's angle to the way ahead after each step, in degrees to the left, as it changes: (steps + 1,)."""
        points, ahead = _way(self.path, self.colatitude, self.steps)
        left = np.cross(points, ahead)
        heading = np.radians(self.heading)
        vectors = _carried(np.cos(heading) * ahead[0] + np.sin(heading) * left[0], points)
        angles = np.degrees(np.arctan2((vectors * left).sum(1), (vectors * ahead).sum(1)))
        return self.heading + np.unwrap(angles, period=360) - angles[0]

    @property
    def turn(self):
        """By how much the vector comes home turned, in degrees to the left: 360 less what it fell behind the way.

        On the equator it falls behind by nothing, and 360 is a full turn.
        """
        angles = self.angles()
        return float(360 + angles[-1] - angles[0])

    def describe(self):
        """The walk and by how much it turns the vector, in three sentences or four."""
        angles, round_triangle = self.angles(), self.path == "triangle"
        where = "a triangle of three great circles" if round_triangle else f"the circle of colatitude {self._theta}"
        said = [
            f"A vector is carried round {where} on a sphere in {self.steps} steps, at each into the next tangent plane "
            f"by the smallest rotation. It sets out {_ahead(self.heading)}."
        ]
        if 0 < self.at < self.steps:
            said.append(f"After {_count(self.at, 'step')} it points {_ahead(angles[self.at])}.")
        return " ".join([*said, self._home()])

    def _home(self):
        """The sentence about the end of the walk."""
        turned = f"It comes home turned to the left by {self.turn:.1f}°"
        if self.path == "triangle":
            return f"{turned}, as much as the triangle's three right angles exceed 180°."
        if self.colatitude == 90:
            return (
                "It comes home as it left: the equator is a great circle, whose own direction is carried into itself."
            )
        exact = 360 * (1 - np.cos(np.radians(self.colatitude)))
        return f"{turned}; by ever smaller steps it would be 360° · (1 − cos {self._theta}) = {exact:.1f}°."

    @property
    def _theta(self):
        return f"{self.colatitude:g}°"


def _degrees(name, value, low, high):
    """A number of degrees as a float, where it lies in its range; else a ValueError."""
    (value,) = numbers(name, [value], (1,))
    if not low <= value <= high:
        raise ValueError(f"{name}={value:g} must be from {low} to {high} degrees")
    return value


def _steps(value):
    if isinstance(value, bool) or value not in STEPS:
        raise ValueError(
            f"steps={value!r} must be a multiple of 3 (for a triangle's sides) from {STEPS[0]} to {STEPS[-1]}"
        )
    return int(value)


def _path(name):
    if name not in PATHS:
        raise ValueError(f"path={name!r} must be one of {', '.join(PATHS)}")
    return name


def _sphere(colatitude, longitude):
    """Points of the unit sphere, (..., 3), from degrees."""
    theta, phi = np.radians(colatitude), np.radians(longitude)
    return np.stack(np.broadcast_arrays(np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)), -1)


def _way(path, colatitude, steps):
    """Points of a round way and the unit vectors ahead, both (steps + 1, 3); the last is the first again."""
    if path == "latitude":
        longitude = np.linspace(0, 360, steps + 1)
        return _sphere(colatitude, longitude), _sphere(90, longitude + 90)
    side, part = np.divmod(np.arange(steps + 1), steps // 3)
    corners, turned = np.eye(3), (np.pi / 2 * part / (steps // 3))[:, None]
    start, end = corners[side % 3], corners[(side + 1) % 3]
    return np.cos(turned) * start + np.sin(turned) * end, np.cos(turned) * end - np.sin(turned) * start


def _carried(v, points):
    """A tangent vector v at the first of the points, carried to all: at each step the smallest rotation turns it."""
    vectors = [v]
    for here, there in pairwise(points):
        v = v - (there @ v) / (1 + here @ there) * (here + there)
        vectors.append(v)
    return np.stack(vectors)


def _ahead(angle):
    """An angle to the way ahead, in words."""
    angle = 180 - (180 - angle) % 360
    if abs(angle) < 0.05:
        return "straight ahead"
    return f"{abs(angle):.1f}° to the {'left' if angle > 0 else 'right'} of the way ahead"


def _count(number, thing):
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
