"""Scenes for the `Stepper`: pictures that are told in steps, every number in them computed."""

from dataclasses import dataclass

import numpy as np

from .base import numbers
from .linear_map import number
from .stepper import Stepper

LETTERS, SMALL = 18, 15  # heights in the scene's own units; 420 of them fill a phone
HEIGHT, BESIDE, ASIDE = 190, 27, 9  # of a plane; what its axes need all round; how far off its axis a sum is drawn
APART, LEAST = 32, 412  # between the two planes; the least width of a scene
RED, BLUE = {"color": "x1"}, {"color": "x2", "dash": True}


def matrix_product(W, x, rows=("nap", "luck"), columns=("nose", "ear")):
    """A matrix times a vector, entry by entry: how each weight carries a basis vector over, and how rows add them up.

    W: (2, 2).  x: (2,).  rows, columns: the names of the outputs and of the inputs; those of up to
    six letters are read on a phone.  Returns a `Stepper`.
    Raises ValueError where a shape, a number or a count of names is wrong.
    """
    W, x = np.array(numbers("W", W, (2, 2))), np.array(numbers("x", x, (2,)))
    for what, names in (("rows", rows), ("columns", columns)):
        if isinstance(names, str) or len(names) != 2:
            raise ValueError(f"{what} must be two names, got {names!r}")
    equation = Equation(W, x, rows, columns)
    here, there = _planes(_corners(np.eye(2), x), _corners(W, x), equation.width)
    drawing = [*_input(here, x, columns), *_output(there, W, x, rows), *equation.elements()]
    title = f"From {columns[0]} and {columns[1]} to {rows[0]} and {rows[1]}"
    return Stepper(_frames(W, x, rows, columns), drawing, view=(-4, -4, equation.width + 8, HEIGHT + 224), title=title)


def _planes(inputs, outputs, width):
    """The input's plane on the left and the output's on the right, at one scale unless one of them would be lost.

    inputs, outputs: the points to show, (k, 2).  width: of both together.
    """
    spans = np.array([np.ptp(points, axis=0) for points in (inputs, outputs)])
    at_one_scale = spans.max() <= 5 * spans.max(axis=1).min()
    shares = spans[:, 0] / spans[:, 0].sum() if at_one_scale else np.array([0.5, 0.5])
    across = (width - APART - 4 * BESIDE) * shares
    scales = np.minimum(across / spans[:, 0], (HEIGHT - 2 * BESIDE) / spans[:, 1])
    if at_one_scale:
        scales[:] = scales.min()
    widths = across + 2 * BESIDE
    return Plane(0, widths[0], inputs, scales[0]), Plane(widths[0] + APART, widths[1], outputs, scales[1])


@dataclass
class Plane:
    """A part of the scene, `HEIGHT` high, that shows the part of the plane with `points` (k, 2) in it, y upwards."""

    left: float
    width: float
    points: np.ndarray
    scale: float

    def __post_init__(self):
        self.middle = (self.points.min(axis=0) + self.points.max(axis=0)) / 2

    def at(self, u, v):
        """Where the point (u, v) lies in the scene."""
        x, y = (np.array([u, v]) - self.middle) * self.scale
        return float(self.left + self.width / 2 + x), float(HEIGHT / 2 - y)

    def arrow(self, name, tail, head, aside=(0, 0), **look):
        """An arrow between two points of the plane, moved aside by some units of the scene."""
        (x1, y1), (x2, y2) = self.at(*tail), self.at(*head)
        dx, dy = aside
        return {"id": name, "kind": "arrow", "x1": x1 + dx, "y1": y1 + dy, "x2": x2 + dx, "y2": y2 + dy, **look}

    def axes(self, key, names):
        """Both axes through the origin, with their names at their ends."""
        (x, y), left, right = self.at(0, 0), self.left + BESIDE / 3, self.left + self.width
        look = {"kind": "arrow", "color": "muted", "size": 1.2}
        yield {"id": f"{key} across", **look, "x1": left, "y1": y, "x2": right, "y2": y}
        yield {"id": f"{key} up", **look, "x1": x, "y1": HEIGHT - BESIDE / 3, "x2": x, "y2": 0}
        yield _text(f"{key} name across", right, y + 23, names[0], SMALL, anchor="end")
        yield _text(f"{key} name up", x + 8, 12, names[1], SMALL)


def _corners(M, x):
    """All points that the picture of M x must show (k, 2): zero, one on each axis, the columns, and the sums."""
    return np.array([(0, 0), (1, 0), (0, 1), *M.T, M[:, 0] * x[0], M[:, 1] * x[1], M @ x, *np.diag(M @ x)])


def _text(name, x, y, text, size=LETTERS, **look):
    return {"id": name, "kind": "text", "x": float(x), "y": float(y), "text": text, "size": size, **look}


def _input(plane, x, columns):
    """The input space: axes, basis vectors, and x as so much of each."""
    yield from plane.axes("in", columns)
    yield plane.arrow("one 0", (0, 0), (1, 0), **RED, size=4)
    yield plane.arrow("one 1", (0, 0), (0, 1), **BLUE, size=4)
    yield plane.arrow("x 0", (0, 0), (x[0], 0), **RED, size=2.5, **{"from": "one 0"})
    yield plane.arrow("x 1", (x[0], 0), x, **BLUE, size=2.5, **{"from": "one 1"})
    yield plane.arrow("x", (0, 0), x, size=2.5)
    yield _beside(plane, "x name", x, "x")


def _output(plane, W, x, rows):
    """The output space: axes, each row's weights and sum along its own axis, h, and the columns."""
    yield from plane.axes("out", rows)
    for i, (axis, aside) in enumerate((((1, 0), (0, ASIDE)), ((0, 1), (-ASIDE, 0)))):
        yield from _row(plane, i, np.array(axis), W[i], x, aside)
    h = W @ x
    for i in range(2):
        (x1, y1), (x2, y2) = plane.at(*h), plane.at(*np.where(np.arange(2) == i, h, 0))
        ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        yield {"id": f"down {i}", "kind": "line", **ends, "color": "muted", "dash": True, "size": 1.2}
    yield plane.arrow("h", (0, 0), h, size=2.5)
    yield _beside(plane, "h name", h, "h")
    yield plane.arrow("column 0", (0, 0), W[:, 0] * x[0], **RED, size=3.5, **{"from": "x 0"})
    yield plane.arrow("column 1", W[:, 0] * x[0], h, **BLUE, size=3.5, **{"from": "x 1"})


def _row(plane, i, axis, weights, x, aside):
    """Row i on its axis: where it sends the basis vectors and, off the axis, the two parts of its sum head to tail."""
    parts, across = weights * x, (-aside[0], -aside[1])  # the two images lie beside each other, not on top
    yield plane.arrow(f"{i} 0", 0 * axis, weights[0] * axis, **RED, size=4, **{"from": "one 0"})
    yield plane.arrow(f"{i} 1", 0 * axis, weights[1] * axis, across, **BLUE, size=4, **{"from": "one 1"})
    yield plane.arrow(f"sum {i} 0", 0 * axis, parts[0] * axis, aside, **RED, size=3.5, **{"from": f"{i} 0"})
    yield plane.arrow(f"sum {i} 1", parts[0] * axis, sum(parts) * axis, aside, **BLUE, size=3.5, **{"from": f"{i} 1"})
    cx, cy = plane.at(*(sum(parts) * axis))
    yield {"id": f"out {i}", "kind": "circle", "cx": cx, "cy": cy, "r": 4.5, "fill": "ink", "size": 1}


def _beside(plane, name, point, text):
    """The name of a vector, beyond its head."""
    x, y = plane.at(*point)
    return _text(name, x + 6, y - 6, text, bold=True)


class Equation:
    """The product with its units, names = W x, and beneath it the two sums; `width` is what it needs."""

    TOP, LINE, SUM = HEIGHT + 42, 50, 32  # the first line of the product, and the steps to the next line and sum

    def __init__(self, W, x, rows, columns):
        self.W, self.x, self.rows, self.columns = W, x, rows, columns
        self.ratios = [[f"{row}/{column}" for column in columns] for row in rows]
        name = _width(LETTERS, *rows) + 12
        entry = 12 + max(_width(SMALL, *self.ratios[0], *self.ratios[1]), _width(LETTERS, *map(number, W.flat)))
        unit = 14 + max(_width(SMALL, *columns), _width(LETTERS, *map(number, x)))
        self.width = max(LEAST, name + 2 * entry + unit + 44)
        start = (self.width - (name + 2 * entry + unit + 44)) / 2
        self.out, self.matrix = (start, name), (start + name + 32, 2 * entry)
        self.vector = (start + name + 2 * entry + 44, unit)

    def elements(self):
        for key, (left, width) in (("out", self.out), ("W", self.matrix), ("x", self.vector)):
            yield from self._brackets(key, left, left + width)
        yield self._centred("equals", sum(self.out) + 16, self.TOP + 33, "=")
        for i in range(2):
            yield from self._line(i, self.TOP + self.LINE * i)
            yield from self._sum(i, self.TOP + 2 * self.LINE + 36 + self.SUM * i)

    def _line(self, i, y):
        """Line i of the product: the output's name, two entries, and entry i of x, each over its unit."""
        yield self._centred(f"name {i}", self.out[0] + self.out[1] / 2, y + 8, self.rows[i])
        left, width = self.matrix
        for j in range(2):
            place = left + width * (1 + 2 * j) / 4
            yield self._centred(f"W {i} {j}", place, y, number(self.W[i, j]), bold=True, color=f"x{j + 1}")
            yield self._centred(f"ratio {i} {j}", place, y + 18, self.ratios[i][j], SMALL, color="muted")
        place = self.vector[0] + self.vector[1] / 2
        yield self._centred(f"value {i}", place, y, number(self.x[i]), bold=True, color=f"x{i + 1}")
        yield self._centred(f"unit {i}", place, y + 18, self.columns[i], SMALL, color="muted")

    def _sum(self, i, y):
        """Sum i, written out: name = weight · x₁ + weight · x₂ = value."""
        terms = [f"{number(weight)} · {factor(value)}" for weight, value in zip(self.W[i], self.x, strict=True)]
        places = self.width * np.array([0.2, 0.38, 0.52, 0.66, 0.8])
        yield _text(f"line {i}", places[0], y, f"{self.rows[i]} =", anchor="end")
        yield self._centred(f"term {i} 0", places[1] - 8, y, terms[0], color="x1", **{"from": f"W {i} 0"})
        yield self._centred(f"plus {i}", places[2] - 8, y, "+")
        yield self._centred(f"term {i} 1", places[3] - 8, y, terms[1], color="x2", **{"from": f"W {i} 1"})
        yield _text(f"total {i}", places[4], y, f"= {number(self.W[i] @ self.x)}", bold=True)

    def _brackets(self, key, left, right):
        top, bottom = self.TOP - 22, self.TOP + self.LINE + 26
        for side, x, inward in (("left", left, 5), ("right", right, -5)):
            d = f"M {x + inward:.1f} {top} H {x:.1f} V {bottom} H {x + inward:.1f}"
            yield {"id": f"{key} {side}", "kind": "path", "d": d, "color": "muted", "size": 1.6}

    def _centred(self, name, x, y, text, size=LETTERS, **look):
        return _text(name, x, y, text, size, anchor="middle", **look)


def factor(value):
    """A number as it stands after a dot: in brackets where it is negative."""
    return f"({number(value)})" if value < 0 else number(value)


def _width(size, *texts):
    """About how wide the widest of the texts is, in letters of a height."""
    return 0.6 * size * max(map(len, texts))


def _frames(W, x, rows, columns):
    """The ten steps: the input space, each row entry by entry, both rows together, and the columns."""
    story = Story()
    story.step(
        f"The input space. One {columns[0]} points to the right, one {columns[1]} points up. "
        "Every cat person here is built of these two.",
        ["one 0", "one 1"],
    )
    story.step(
        f"Ours has {number(x[0])} {columns[0]} and {number(x[1])} {columns[1]}: so much of each basis vector. "
        "Head to tail they make x.",
        ["x 0", "x 1", "x", "x name"],
        lit=["value 0", "value 1"],
    )
    for i, row in enumerate(rows):
        _row_steps(story, i, row, W[i], x, columns)
    h = W @ x
    story.step(
        f"{number(h[0])} {rows[0]} across and {number(h[1])} {rows[1]} up meet in one point: the vector h, "
        "what the layer makes of this cat person.",
        ["down 0", "down 1", "h", "h name"],
        lit=["total 0", "total 1"],
    )
    story.step(
        f"Now read down instead. Each column is where one basis vector lands, and h is {number(x[0])} of the first "
        f"and {number(x[1])} of the second. Rows or columns, it is the same h.",
        ["column 0", "column 1"],
        lit=["W 0 0", "W 1 0", "W 0 1", "W 1 1"],
        gone=["down 0", "down 1", *(f"sum {i} {j}" for i in range(2) for j in range(2))],
    )
    return story.frames


def _row_steps(story, i, row, weights, x, columns):
    """Three steps: the weight of each input, then their sum on the row's axis."""
    order = ("first", "second")[i]
    for j, column in enumerate(columns):
        begin = f"The {order} row is for {row}. Its" if j == 0 else "The same row, next entry. The"
        story.step(
            f"{begin} weight {number(weights[j])} {row}/{column} says where one {column} lands on the {row} axis.",
            [f"{i} {j}"],
            lit=[f"one {j}", f"W {i} {j}", f"ratio {i} {j}"],
        )
    terms = " + ".join(f"{number(w)}\u00a0·\u00a0{factor(v)}" for w, v in zip(weights, x, strict=True))
    story.step(
        f"The input stretches each of them as it does at home, and they are added: "
        f"{terms} =\u00a0{number(weights @ x)} {row}. That is a dot product.",
        [f"sum {i} 0", f"sum {i} 1", f"out {i}", f"term {i} 0", f"plus {i}", f"term {i} 1", f"total {i}"],
        lit=["value 0", "value 1", f"line {i}"],
        gone=[f"{i} 0", f"{i} 1"],
    )


class Story:
    """Frames that build on each other: `step` adds elements, and lights up the new ones."""

    def __init__(self):
        self.frames = []
        self.shown = [f"{key} {part}" for key in ("in", "out") for part in ("across", "up", "name across", "name up")]
        self.shown += [f"{key} {side}" for key in ("out", "W", "x") for side in ("left", "right")] + ["equals"]
        for i in range(2):
            self.shown += [f"name {i}", f"value {i}", f"unit {i}", f"line {i}"]
            self.shown += [f"{key} {i} {j}" for key in ("W", "ratio") for j in range(2)]

    def step(self, caption, new, lit=(), gone=()):
        self.shown = [name for name in self.shown if name not in gone] + new
        self.frames.append({"caption": caption, "show": list(self.shown), "highlight": [*new, *lit]})
