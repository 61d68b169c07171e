"""A metric pulled back: the ellipse at p whose steps a map makes equally long, and a step measured on both sides."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import traitlets

from .base import LiveFigure, numbers, rounded, told, trait

LONGEST = 3.0  # of v's coordinates
SMALLEST, LARGEST = 0.05, 1.5  # of the circle's radius
TURN = np.radians(30)
NOTHING = 1e-9  # of the larger singular value: below it, a direction counts as lost


@dataclass(frozen=True)
class Map:
    """A map of the plane: its name and formulas as they are read, its values, its Jacobian, where p may be.

    at: x (2,) → h (m,).  jacobian: x (2,) → (m, 2), a row for each output.  room: for each coordinate of p, its ends.
    curvature: of the pulled-back metric, the same everywhere: 0 is flat.
    """

    name: str
    formulas: tuple[str, ...]
    at: Callable
    jacobian: Callable
    room: tuple
    curvature: int = 0


def _bend(x):
    return np.array([x[0] ** 2 + x[1], x[0] + x[1]])


def _turn(x):
    return np.array([np.cos(TURN) * x[0] - np.sin(TURN) * x[1], np.sin(TURN) * x[0] + np.cos(TURN) * x[1]])


def _polar(x):
    return np.array([x[0] * np.cos(x[1]), x[0] * np.sin(x[1])])


def _fold(x):
    return np.array([x[0] ** 2, x[1]])


def _globe(x):
    return np.array([np.cos(x[1]) * np.cos(x[0]), np.cos(x[1]) * np.sin(x[0]), np.sin(x[1])])


def _globe_jacobian(x):
    (sa, sb), (ca, cb) = np.sin(x), np.cos(x)
    return np.array([[-cb * sa, -sb * ca], [cb * ca, -sb * sa], [0, cb]])


#: The maps of the figure, each of them once more in pullback.mjs; a test compares the twins.
MAPS = {
    "bend": Map(
        "bend",
        ("x₁² + x₂", "x₁ + x₂"),
        _bend,
        lambda x: np.array([[2 * x[0], 1.0], [1.0, 1.0]]),
        ((-2, 4), (0, 6)),
    ),
    "turn": Map(
        "rotation",
        ("cos 30° · x₁ − sin 30° · x₂", "sin 30° · x₁ + cos 30° · x₂"),
        _turn,
        lambda x: np.array([[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]]),
        ((-3, 3), (-3, 3)),
    ),
    "polar": Map(
        "polar",
        ("x₁ cos x₂", "x₁ sin x₂"),
        _polar,
        lambda x: np.array([[np.cos(x[1]), -x[0] * np.sin(x[1])], [np.sin(x[1]), x[0] * np.cos(x[1])]]),
        ((0, 4), (-2, 2)),
    ),
    "fold": Map("fold", ("x₁²", "x₂"), _fold, lambda x: np.array([[2 * x[0], 0.0], [0.0, 1.0]]), ((-2, 2), (-2, 2))),
    "globe": Map(
        "globe", ("cos x₂ cos x₁", "cos x₂ sin x₁", "sin x₂"), _globe, _globe_jacobian, ((-1.5, 1.5), (-1.5, 1.5)), 1
    ),
}


class Pullback(LiveFigure):
    """A map at a point p: round h(p) a circle, round p the ellipse of the steps that lead to it, to first order.

    map: "bend" is (x₁² + x₂, x₁ + x₂); "turn" a rotation by 30°; "polar" takes a radius and an angle to a point; "fold"
    is (x₁², x₂), which loses a direction where x₁ = 0; "globe" takes longitude and latitude, in radians, to the unit
    sphere: the only one of them whose metric is curved.
    point: p, (2,), within the map's room (`MAPS[map].room`).  vector: v, (2,), a step at p, each from -3 to 3.
    radius: of the circle in H, 0.05 to 1.5.  field: the ellipses of a lattice of points, too, all of one small radius.

    All of these follow what the reader does, and may be set from Python. Where a new map has no room for p, p moves
    to the middle of its room.
    Raises ValueError for another map, and for numbers out of their ranges.
    """

    module = "pullback"

    map = trait(traitlets.Unicode, "bend")
    point = trait(traitlets.List)
    vector = trait(traitlets.List)
    radius = trait(traitlets.Float, 1.0)
    field = trait(traitlets.Bool, False)

    def __init__(self, map="bend", point=(2, 3), vector=(0.3, 0.7), *, radius=1, field=False):
        super().__init__(
            map=_known(map),
            point=_in_room(_known(map), point),
            vector=_vector(vector),
            radius=_radius(radius),
            field=field,
        )

    @traitlets.validate("map")
    def _map_is_known(self, proposal):
        return _known(proposal["value"])

    @traitlets.validate("point")
    def _point_is_in_the_room(self, proposal):
        return _in_room(self.map, proposal["value"])

    @traitlets.validate("vector")
    def _vector_is_in_reach(self, proposal):
        return _vector(proposal["value"])

    @traitlets.validate("radius")
    def _radius_is_in_range(self, proposal):
        return _radius(proposal["value"])

    @traitlets.observe("map")
    def _p_stays_in_the_room(self, change):
        room = MAPS[self.map].room
        if not all(low <= value <= high for value, (low, high) in zip(self.point, room, strict=True)):
            self.point = [sum(ends) / 2 for ends in room]

    @property
    def J(self):
        """The Jacobian at p, (m, 2), a row for each output."""
        return MAPS[self.map].jacobian(np.array(self.point))

    @property
    def metric(self):
        """The matrix of the pulled-back metric at p, JᵀJ, (2, 2)."""
        return self.J.T @ self.J

    @property
    def length(self):
        """Of v in the pulled-back metric: ‖J v‖ = √(vᵀ JᵀJ v)."""
        return float(np.linalg.norm(self.J @ self.vector))

    @property
    def axes(self):
        """The half axes of the ellipse, shorter first, (2,): the radius over each singular value; inf where J loses."""
        s = np.linalg.svd(self.J)[1]
        return np.array([self.radius / value if value > NOTHING * s[0] else np.inf for value in s])

    def describe(self):
        """The map, the ellipse at p and the two lengths of v, in a few sentences."""
        known = MAPS[self.map]
        short, long = self.axes
        where = f"Round h(p) = {told(known.at(np.array(self.point)))} lies a circle of radius {rounded(self.radius)}"
        if np.isinf(long):
            ellipse = f"a strip, {rounded(short)} to each side and without end: along it J takes every step to nothing"
        else:
            ellipse = f"an ellipse with half axes {rounded(short)} and {rounded(long)}"
        flat = (
            "The ellipses change from place to place, but the space is flat: only its coordinates are not straight."
            if known.curvature == 0
            else "This space is curved, as the sphere is: its curvature is 1 everywhere."
        )
        said = [
            f"The map h = ({', '.join(known.formulas)}) at p = {told(self.point)}; JᵀJ is {told(self.metric)}.",
            f"{where}. Pulled back to p it is {ellipse}.",
            f"The step v = {told(self.vector)} has length {rounded(np.linalg.norm(self.vector))} by X's own ruler and "
            f"{rounded(self.length)} in the pulled-back metric.",
            "A rotation changes no length: every ellipse is a circle." if self.map == "turn" else flat,
        ]
        return " ".join(said)


def _known(name):
    if name not in MAPS:
        raise ValueError(f"map={name!r} must be one of {', '.join(MAPS)}")
    return name


def _in_room(name, point):
    point = numbers("point", point, (2,))
    for value, (low, high) in zip(point, MAPS[name].room, strict=True):
        if not low <= value <= high:
            raise ValueError(f"point={point} lies outside the room of {name!r}, {MAPS[name].room}")
    return point


def _vector(value):
    value = numbers("vector", value, (2,))
    if max(map(abs, value)) > LONGEST:
        raise ValueError(f"vector={value} must have coordinates from {-LONGEST:g} to {LONGEST:g}")
    return value


def _radius(value):
    (value,) = numbers("radius", [value], (1,))
    if not SMALLEST <= value <= LARGEST:
        raise ValueError(f"radius={value:g} must be from {SMALLEST:g} to {LARGEST:g}")
    return value
