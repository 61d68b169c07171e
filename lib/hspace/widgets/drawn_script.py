# ruff: noqa: RUF005 (a point plus a pair of numbers is a sum here, and no longer tuple)
"""The drawn script of chapters 4 and 5: a bent map, its tangent spaces and its Jacobian, one frame a stage direction.

The map is h = (x₁² + x₂, x₁ + x₂) at p = (2, 3), with v = (0.3, 0.7); every number in the drawing is computed from
these. The close-up before, with noses and naps, is the cat people's law.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hspace.cats.world import W

from .linear_map import number
from .stepper import Stepper

VIEW = (0, 0, 420, 432)
RED, BLUE, MUTED, ACCENT = {"color": "x1"}, {"color": "x2", "dash": True}, {"color": "muted"}, {"color": "accent"}
P, V = np.array([2.0, 3.0]), np.array([0.3, 0.7])
LAW = W.double().numpy()
X, H = ("x₁", "x₂"), ("h₁", "h₂")
OLD_ROWS, OLD_COLUMNS = ("nap", "luck"), ("nose", "ear")
SMALL, LETTERS, LARGE = 15, 18, 30


def h(x):
    """The bent map, (2,) → (2,)."""
    return np.array([x[0] ** 2 + x[1], x[0] + x[1]])


J = np.array([[2 * P[0], 1.0], [1.0, 1.0]])
TALL = np.vstack([J, [P[1], P[0]]])  # with a third output, x₁ x₂
U = J @ V


def frames(first=1, last=None):
    """The frames `first` to `last` of the script, counted from 1; `last` None is its end.  Returns a `Stepper`.

    Raises ValueError where there are no such frames.
    """
    told = Script()
    for part in PARTS:
        part(told)
    last = len(told.frames) if last is None else last
    if not 1 <= first <= last <= len(told.frames):
        raise ValueError(f"frames {first} to {last} do not exist: the script has 1 to {len(told.frames)}")
    chosen = told.frames[first - 1 : last]
    needed = {name for frame in chosen for name in frame["show"]}
    return Stepper(chosen, [told.without_source(name, needed) for name in told.elements if name in needed], view=VIEW)


class Script:
    """Elements, each drawn once, and frames that build on each other."""

    def __init__(self):
        self.elements, self.frames, self.shown = {}, [], []

    def draw(self, name, kind, **look):
        """An element of the drawing; returns its id."""
        self.elements[name] = {"id": name, "kind": kind, **look}
        return name

    def without_source(self, name, needed):
        """An element, its `from` left out where the source is not in the drawing."""
        element = self.elements[name]
        return {key: value for key, value in element.items() if key != "from" or value in needed}

    def step(self, caption, new=(), gone=(), lit=None):
        """One frame: `new` appears, `gone` goes ("all" clears the picture), `lit` is lit up, else what is new."""
        left = [] if gone == "all" else [name for name in self.shown if name not in gone]
        self.shown = list(dict.fromkeys([*left, *new]))
        lit = list(new if lit is None else lit)
        self.frames.append({"caption": caption, "show": list(self.shown), "highlight": lit})

    # what the drawing is made of; each returns the ids that it drew

    def arrow(self, name, tail, head, size=2.5, **look):
        (x1, y1), (x2, y2) = np.round(tail, 2).tolist(), np.round(head, 2).tolist()
        return [self.draw(name, "arrow", x1=x1, y1=y1, x2=x2, y2=y2, size=size, **look)]

    def line(self, name, tail, head, **look):
        (x1, y1), (x2, y2) = np.round(tail, 2).tolist(), np.round(head, 2).tolist()
        return [self.draw(name, "line", x1=x1, y1=y1, x2=x2, y2=y2, **{"color": "muted", "size": 1.3, **look})]

    def text(self, name, at, words, size=LETTERS, **look):
        x, y = np.round(at, 2).tolist()
        return [self.draw(name, "text", x=x, y=y, text=words, size=size, **look)]

    def dot(self, name, at, r=5, **look):
        cx, cy = np.round(at, 2).tolist()
        return [self.draw(name, "circle", cx=cx, cy=cy, r=r, size=1, **{"fill": "ink", **look})]

    def bracket(self, name, left, right, top, bottom):
        """A pair of brackets."""
        ends = {"left": (left, 5), "right": (right, -5)}
        return [
            self.draw(f"{name} {side}", "path", d=f"M {x + by} {top} H {x} V {bottom} H {x + by}", **MUTED, size=1.6)
            for side, (x, by) in ends.items()
        ]

    def fraction(self, name, at, top, low, **look):
        """A label with a bar, such as nap over nose, its middle at a place."""
        x, y = at
        half = 0.32 * SMALL * max(len(top), len(low)) + 2
        look = {"anchor": "middle", "color": "muted", **look}
        return [
            *self.text(f"{name} top", (x, y - 5), top, SMALL, **look),
            *self.line(f"{name} bar", (x - half, y), (x + half, y), size=1.2),
            *self.text(f"{name} low", (x, y + 16), low, SMALL, **look),
        ]


@dataclass(frozen=True)
class Plane:
    """Coordinates in the picture: where the origin lies, and how long 1 is."""

    x: float
    y: float
    unit: float

    def at(self, a, b):
        return np.array([self.x + a * self.unit, self.y - b * self.unit])

    def axes(self, script, name, names, right, top):
        """Both axes, from a little before the origin to `right` and up to `top`, with their names."""
        return [
            *script.arrow(f"{name} across", (self.x - 8, self.y), (right, self.y), 1.3, **MUTED),
            *script.arrow(f"{name} up", (self.x, self.y + 8), (self.x, top), 1.3, **MUTED),
            *script.text(f"{name} name across", (right, self.y + 20), names[0], SMALL, anchor="end", **MUTED),
            *script.text(f"{name} name up", (self.x + 8, top + 10), names[1], SMALL, **MUTED),
        ]


LAND, CHART = Plane(26, 190, 34), Plane(232, 190, 16)  # X and H, with their own origins
NEAR_P, NEAR_HP = Plane(62, 342, 66), Plane(246, 342, 36)  # the tangent spaces beneath them, seen through a lens
CLOSE_P, CLOSE_HP = Plane(44, 170, 90), Plane(236, 170, 45)  # and from close up, alone
TOP, STEP = 254, 58  # the first line of the matrix, and how far down the second lies


def axes_of_both(script):
    """The empty spaces X and H."""
    return [
        *LAND.axes(script, "X", X, 200, 24),
        *CHART.axes(script, "H", H, 414, 24),
        *script.text("X", (112, 20), "X", bold=True, anchor="middle"),
        *script.text("H", (322, 20), "H", bold=True, anchor="middle"),
    ]


def one_point(script):
    """Frames 1 to 9: p and its image, component by component."""
    p, image = LAND.at(*P), CHART.at(*h(P))
    point = [*script.dot("p", p), *script.text("p name", p + (8, -6), "p", bold=True)]
    arrived = [*script.dot("h(p)", image), *script.text("h(p) name", image + (8, -8), "h(p)", bold=True)]
    bend = script.draw("h", "path", d="M 104 78 C 160 26 262 26 334 100", color="accent", size=2)
    head = script.draw("h head", "polygon", points=[(338, 104), (327, 101), (334, 94)], fill="accent", size=1, **ACCENT)
    way = [bend, head, *script.text("h name", (222, 36), "h", bold=True, anchor="middle", **ACCENT)]
    script.step(
        "Two spaces: X on the left, H on the right. The map h takes a point p of X to the point h(p) of H.",
        [*axes_of_both(script), *point, *way, *arrived],
        lit=[*way, "p", "h(p)"],
    )
    script.step(f"p has the coordinates {number(P[0])} and {number(P[1])}.", _coordinates(script, "p", LAND, P))
    components(script, p)
    formulas(script)


def _coordinates(script, name, plane, point):
    """Lines down to both axes, with the numbers there."""
    a, b = point
    return [
        *script.line(f"{name} drop 1", plane.at(a, b), plane.at(a, 0), dash=True),
        *script.line(f"{name} drop 2", plane.at(a, b), plane.at(0, b), dash=True),
        *script.text(f"{name} 1", plane.at(a, 0) + (0, 20), number(a), SMALL, bold=True, anchor="middle"),
        *script.text(f"{name} 2", plane.at(0, b) + (-6, 5), number(b), SMALL, bold=True, anchor="end"),
    ]


def components(script, p):
    """Frames 3 and 4: where each of the two functions puts its number."""
    value = h(P)
    for i, (end, name_at, words) in enumerate(
        (
            (CHART.at(value[0], 0), (0, 20), "The first of its two functions, h₁, makes one number of p: along here."),
            (CHART.at(0, value[1]), (30, -10), "The second, h₂, makes another: up here."),
        )
    ):
        way = (end - p) / np.linalg.norm(end - p)
        script.step(
            words,
            [
                *script.arrow(f"to {H[i]}", p + 8 * way, end - 7 * way, 1.8),
                *script.dot(f"{H[i]} dot", end),
                *script.text(f"{H[i]}(p)", end + name_at, f"{H[i]}(p)", SMALL, bold=True, anchor="middle"),
            ],
        )


def formulas(script):
    """Frames 5 to 9: the two functions written out, the numbers, and a picture with fewer letters."""
    (a, b), (first, second) = map(number, P), map(number, h(P))
    alone = script.text("h₁ alone", (30, 252), "h₁ = x₁²")
    script.step("What could h₁ be? It might use one input and leave the other aside: the square of x₁.", alone)
    whole = script.text("h₁ whole", (30, 252), f"h₁ = x₁² + x₂ = {a}² + {b} = {first}")
    script.step(f"Or both. We take x₁² + x₂, and at p that is {first}.", whole, gone=alone)
    other = script.text("h₂ whole", (30, 282), f"h₂ = x₁ + x₂ = {a} + {b} = {second}")
    script.step(f"h₂ uses both inputs as well. It adds them, and at p that is {second}.", other)
    arrows = [f"{part}" for name in H for part in (f"to {name}", f"{name} dot", f"{name}(p)")]
    value = script.text("h(p) value", (30, 316), f"h(p) = ({first}, {second})", bold=True)
    script.step(
        f"Put together, the two numbers are one point: h(p) = ({first}, {second}).",
        [*_coordinates(script, "h(p)", CHART, h(P)), *value],
        gone=arrows,
        lit=["h(p) 1", "h(p) 2", "h(p)", *value],
    )
    script.step("Before we go closer, some letters go, and the arrow.", gone=["h", "h head", "h name", "h(p) name"])


def lens(script, name, plane, box, at, words, reach):
    """A tangent space through a lens: a frame, its title, and lines from the place where it touches."""
    left, right = box
    corners = [at + (side * reach, reach) for side in (-1, 1)]
    square = [(at + np.array([a, b]) * reach).tolist() for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return [
        script.draw(f"{name} plane", "polygon", points=square, size=1.6, **ACCENT),
        script.draw(f"{name} lens", "rect", x=left, y=244, width=right - left, height=122, size=1.6, **ACCENT),
        *script.line(f"{name} link 1", corners[0], (left, 244), dash=True),
        *script.line(f"{name} link 2", corners[1], (right, 244), dash=True),
        *script.text(f"{name} title", (right - 8, 262), words, SMALL, bold=True, anchor="end", **ACCENT),
    ]


def tangent_space(script):
    """Frames 10 to 12: the tangent space at p with its basis vectors."""
    p, image = LAND.at(*P), CHART.at(*h(P))
    new = [
        *lens(script, "at p", NEAR_P, (10, 190), p, "T at p", LAND.unit),
        *script.arrow("small ∂₁", p, LAND.at(*(P + (1, 0))), 2, **RED),
        *script.arrow("small ∂₂", p, LAND.at(*(P + (0, 1))), 2, **BLUE),
        *script.arrow("∂₁", NEAR_P.at(0, 0), NEAR_P.at(1, 0), 3.5, **RED, **{"from": "small ∂₁"}),
        *script.arrow("∂₂", NEAR_P.at(0, 0), NEAR_P.at(0, 1), 3.5, **BLUE, **{"from": "small ∂₂"}),
    ]
    old = ["p", "p name", "h₁ whole", "h₂ whole", "h(p) value"]
    script.step("X has, at p, a space of its own: the tangent space T at p, with two arrows to start with.", new, old)
    answer = script.arrow("small red answer", image, CHART.at(*(h(P) + J[:, 0])), 2, **RED, **{"from": "small ∂₁"})
    script.step(
        "Change x₁ a little and nothing else, along the red arrow. In H there is a red arrow, too: how h answers.",
        answer,
        lit=["small ∂₁", "∂₁", *answer],
    )
    symbols = [
        *script.text("∂₁ symbol", NEAR_P.at(1, 0) + (6, 5), "∂/∂x₁", SMALL, **RED),
        *script.text("∂₂ symbol", NEAR_P.at(0, 1) + (-7, 6), "∂/∂x₂", SMALL, color="x2", anchor="end"),
    ]
    script.step("So the two basis vectors of T at p have the names of the partial derivatives.", symbols)


def vector_at_p(script):
    """Frames 13 to 15: v, and its two parts."""
    a, b = map(number, V)
    origin, corner, tip = NEAR_P.at(0, 0), NEAR_P.at(V[0], 0), NEAR_P.at(*V)
    named = [
        *script.text("v name", tip + (7, 0), "v", bold=True),
        *script.text("v value", (14, 394), f"v = ({a}, {b})"),
    ]
    script.step(
        "A vector of this space, v. Its two numbers are counted from here, not from the origin of X.",
        [*script.arrow("v", origin, tip), *named],
    )
    script.step(
        f"Along the red basis vector it goes {a}. Along this line nothing of the blue one is used.",
        [
            *script.arrow("v red", origin, corner, 4.5, **RED, **{"from": "∂₁"}),
            *script.text("v red number", (origin + corner) / 2 + (0, 18), a, SMALL, bold=True, anchor="middle", **RED),
            *script.text("v red term", (150, 394), f"= {a} ∂/∂x₁", **RED),
        ],
    )
    script.step(
        f"And {b} along the blue one.",
        [
            *script.arrow("v blue", corner, tip, 3, **BLUE, **{"from": "∂₂"}),
            *script.text("v blue number", (corner + tip) / 2 + (8, 9), b, SMALL, bold=True, color="x2"),
            *script.text("v blue term", (274, 394), f"+ {b} ∂/∂x₂", color="x2"),
        ],
    )


def where_it_arrives(script):
    """Frames 16 to 19: the tangent space at h(p), J as a matrix, and a question mark."""
    image = CHART.at(*h(P))
    there = [
        *lens(script, "at h(p)", NEAR_HP, (230, 416), image, "T at h(p)", CHART.unit),
        *script.arrow("∂h₁", NEAR_HP.at(0, 0), NEAR_HP.at(1, 0), 3.5),
        *script.arrow("∂h₂", NEAR_HP.at(0, 0), NEAR_HP.at(0, 1), 3.5),
        *script.arrow("J", (194, 306), (226, 306), 2.5, **ACCENT),
        *script.text("J name", (210, 298), "J", bold=True, anchor="middle", **ACCENT),
    ]
    script.step(
        "h(p) has a tangent space as well. The Jacobian J takes vectors from the one to the other.",
        there,
        gone=["small red answer"],
    )
    symbols = [
        *script.text("∂h₁ symbol", NEAR_HP.at(1, 0) + (6, 5), "∂/∂h₁", SMALL),
        *script.text("∂h₂ symbol", NEAR_HP.at(0, 1) + (8, 4), "∂/∂h₂", SMALL),
    ]
    script.step("Its basis vectors are ∂/∂h₁ and ∂/∂h₂.", symbols)
    old = ["v value", "v red term", "v blue term"]
    places = [(150 + 40 * j, 396 + 26 * i) for i in range(2) for j in range(2)]
    matrix = [
        *script.text("J is", (92, 409), "J =", bold=True),
        *script.bracket("J", 128, 212, 376, 428),
        *(
            name
            for k, at in enumerate(places)
            for name in script.text(f"blank {k}", at, "·", anchor="middle", bold=True)
        ),
    ]
    script.step(
        "In numbers J is a matrix: a row for each output, a column for each input. Its entries are missing yet.",
        matrix,
        gone=old,
    )
    ring = script.draw("unknown", "path", d="M 300 322 a 34 10 0 1 0 68 0 a 34 10 0 1 0 -68 0 Z", size=2, **ACCENT)
    column = [
        *script.bracket("v column", 222, 272, 376, 428),
        *(
            name
            for i in range(2)
            for name in script.text(
                f"v column {i}", (247, 396 + 26 * i), number(V[i]), anchor="middle", color=f"x{i + 1}"
            )
        ),
    ]
    script.step(
        "Multiply it with v. Somewhere in T at h(p) a vector arrives. Where?",
        [*column, ring, *script.text("?", (334, 330), "?", 24, bold=True, anchor="middle", **ACCENT)],
    )


def cell(i, j):
    """Where the value and the label of entry i, j of the large matrix stand."""
    return np.array([98 + 122 * j, TOP + STEP * i]), np.array([156 + 122 * j, TOP + STEP * i])


def value(script, name, i, j, words, **look):
    return script.text(name, cell(i, j)[0] + (0, 6), words, anchor="middle", **look)


def old_slide(script):
    """Frames 20 and 21: the cat people's matrix and its labels."""
    axes = [*CLOSE_P.axes(script, "in", OLD_COLUMNS, 190, 50), *CLOSE_HP.axes(script, "out", OLD_ROWS, 414, 50)]
    arrows = [
        *script.arrow("one nose", CLOSE_P.at(0, 0), CLOSE_P.at(1, 0), 3.5, **RED),
        *script.arrow("one ear", CLOSE_P.at(0, 0), CLOSE_P.at(0, 1), 3.5, **BLUE),
        *script.arrow("nose there", CLOSE_HP.at(0, 0), CLOSE_HP.at(*LAW[:, 0]), 3.5, **RED),
        *script.arrow("ear there", CLOSE_HP.at(0, 0), CLOSE_HP.at(*LAW[:, 1]), 3.5, **BLUE),
    ]
    script.step(
        "A picture from before: noses and ears on one side, naps and luck on the other.",
        [*axes, *arrows],
        gone="all",
        lit=arrows,
    )
    entries = [
        name
        for i, row in enumerate(OLD_ROWS)
        for j, column in enumerate(OLD_COLUMNS)
        for name in (
            *value(script, f"W {i} {j}", i, j, number(LAW[i, j]), color=f"x{j + 1}", bold=True),
            *script.fraction(f"{row}/{column}", cell(i, j)[1], row, column),
        )
    ]
    brackets = script.bracket("matrix", 62, 304, TOP - 28, TOP + STEP + 28)
    script.step(
        "Its matrix, with a label at each entry: nap over nose and so on, the output above, the input below.",
        [*brackets, *entries],
        lit=["nap/nose top", "nap/nose low"],
    )


def new_labels(script):
    """Frames 22 to 28: the labels of the cat people become those of the tangent spaces."""
    close_up(script)

    def label(i, j):
        return script.fraction(f"{H[i]}/{X[j]}", cell(i, j)[1], f"∂/∂{H[i]}", f"∂/∂{X[j]}", color="ink")

    def entry(i, j):
        return value(script, f"J {i} {j}", i, j, f"∂{H[i]}/∂{X[j]}", size=SMALL, color=f"x{j + 1}")

    old = {
        (i, j): [f"{row}/{column} {part}" for part in ("top", "bar", "low")]
        for i, row in enumerate(OLD_ROWS)
        for j, column in enumerate(OLD_COLUMNS)
    }
    script.step(
        "Nap over nose becomes ∂/∂h₁ over ∂/∂x₁: above, where it arrives; below, where it comes from.",
        label(0, 0),
        gone=old[0, 0],
    )
    names = [
        *script.text("q₁ symbol", CLOSE_P.at(1, 0) + (0, 22), "∂/∂x₁", SMALL, anchor="middle", **RED),
        *script.text("q₂ symbol", CLOSE_P.at(0, 1) + (9, 6), "∂/∂x₂", SMALL, color="x2"),
        *script.text("g₁ symbol", CLOSE_HP.at(1, 0) + (5, -5), "∂/∂h₁", SMALL),
        *script.text("g₂ symbol", CLOSE_HP.at(0, 1) + (9, 0), "∂/∂h₂", SMALL),
    ]
    words = [f"{side} name {way}" for side in ("in", "out") for way in ("across", "up")]
    script.step(
        "The axes get the new names as well: no nose and no nap any more, but basis vectors.", names, gone=words
    )
    script.step(
        "And where the 2 stood, stands the partial derivative of h₁ with respect to x₁.", entry(0, 0), gone=["W 0 0"]
    )
    script.step("Next to it: h₁ again, but from x₂.", [*label(0, 1), *entry(0, 1)], gone=[*old[0, 1], "W 0 1"])
    second = [name for j in range(2) for name in (*label(1, j), *entry(1, j))]
    script.step("The second row belongs to h₂.", second, gone=[*old[1, 0], *old[1, 1], "W 1 0", "W 1 1"])
    labels = [f"{H[i]}/{X[j]} {part}" for i in range(2) for j in range(2) for part in ("top", "bar", "low")]
    script.step("Every entry is understood. The labels have done their work and may go.", gone=labels)


def close_up(script):
    """Frame 22: both tangent spaces from close up."""
    new = [
        *script.arrow("q₁", CLOSE_P.at(0, 0), CLOSE_P.at(1, 0), 3.5, **RED),
        *script.arrow("q₂", CLOSE_P.at(0, 0), CLOSE_P.at(0, 1), 3.5, **BLUE),
        *script.arrow("g₁", CLOSE_HP.at(0, 0), CLOSE_HP.at(1, 0), 3.5),
        *script.arrow("g₂", CLOSE_HP.at(0, 0), CLOSE_HP.at(0, 1), 3.5),
        *script.text("close p", (112, 30), "T at p", bold=True, anchor="middle", **ACCENT),
        *script.text("close h(p)", (322, 30), "T at h(p)", bold=True, anchor="middle", **ACCENT),
    ]
    old = ["one nose", "one ear", "nose there", "ear there"]
    script.step("The same picture, but what we see now are the two tangent spaces, from close up.", new, gone=old)


def rows(script):
    """Frames 29 to 35: J times v, row by row, in symbols."""
    vectors = [
        *script.bracket("v close", 312, 356, TOP - 28, TOP + STEP + 28),
        *script.bracket("u close", 6, 44, TOP - 28, TOP + STEP + 28),
        *script.text("equals", (53, TOP + STEP / 2 + 6), "=", anchor="middle"),
        *(
            name
            for i in range(2)
            for name in script.text(
                f"v close {i}", (334, TOP + STEP * i + 6), number(V[i]), anchor="middle", bold=True, color=f"x{i + 1}"
            )
        ),
        *(
            name
            for i in range(2)
            for name in script.text(
                f"u close {i}", (25, TOP + STEP * i + 6), ("u₁", "u₂")[i], anchor="middle", bold=True
            )
        ),
        *script.arrow("v arrow", CLOSE_P.at(0, 0), CLOSE_P.at(*V)),
        *script.text("v arrow name", CLOSE_P.at(*V) + (7, 2), "v", bold=True),
    ]
    script.step("v goes in, u comes out. Look at it for as long as you need; three seconds will do.", vectors)
    script.step("The first row of J.", lit=["J 0 0", "J 0 1"])
    red, blue = (J * V).T
    start, corner, end = (CLOSE_HP.at(x, 0) + (0, 10) for x in (0, red[0], red[0] + blue[0]))
    terms = [f"{'+ ' * j}∂{H[0]}/∂{X[j]} · {number(V[j])}" for j in range(2)]
    script.step(
        "Its first entry carries the red part of v over. It lands on the axis of ∂/∂h₁.",
        [
            *script.arrow("row 0 red", start, corner, 4, **RED, **{"from": "q₁"}),
            *script.text("u₁ is", (14, 362), "u₁ ="),
            *script.text("u₁ red", (62, 362), terms[0], **RED),
        ],
    )
    script.step(
        "Its second entry carries the blue part, and adds it: a dot product.",
        [
            *script.arrow("row 0 blue", corner, end, 4, **BLUE, **{"from": "q₂"}),
            *script.text("u₁ blue", (204, 362), terms[1], color="x2"),
        ],
    )
    script.step("The second row.", lit=["J 1 0", "J 1 1"])
    start, corner, end = (CLOSE_HP.at(0, y) + (-10, 0) for y in (0, red[1], red[1] + blue[1]))
    script.step(
        "…",
        [
            *script.arrow("row 1 red", start, corner, 4, **RED, **{"from": "q₁"}),
            *script.arrow("row 1 blue", corner, end, 4, **BLUE, **{"from": "q₂"}),
        ],
    )
    terms = [f"{'+ ' * j}∂{H[1]}/∂{X[j]} · {number(V[j])}" for j in range(2)]
    script.step(
        "What has just happened, as an equation.",
        [
            *script.text("u₂ is", (14, 394), "u₂ ="),
            *script.text("u₂ red", (62, 394), terms[0], **RED),
            *script.text("u₂ blue", (204, 394), terms[1], color="x2"),
        ],
    )


def derivatives(script):
    """Frames 36 to 41: what the partial derivatives of h₁ are."""
    asked = script.text("asked", (210, 330), "∂h₁/∂x₁ = ?", LARGE, bold=True, anchor="middle", **RED)
    script.step("But which number is this one?", asked, gone="all")
    seen = [
        "X across",
        "X up",
        "X name across",
        "X name up",
        "X",
        "H across",
        "H name across",
        "p",
        "p name",
        "to h₁",
        "h₁ dot",
        "h₁(p)",
        "h₁ whole",
    ]
    script.step("Remember the function h₁, by itself.", seen, lit=["h₁ dot", "h₁ whole"])
    slope = script.text("slope", (30, 292), f"∂h₁/∂x₁ = 2 x₁ = 2 · {number(P[0])} = {number(J[0, 0])} at p", **RED)
    script.step(
        "Its partial derivative with respect to x₁ is 2 x₁. Everything else is in the way now.",
        slope,
        gone=[*asked, *seen[:-1]],
    )
    bare = ["in across", "in up", "out across", "out up", "close p", "close h(p)"]
    middle = (CLOSE_P.at(0, 0) + CLOSE_P.at(V[0], 0)) / 2
    step = [
        *script.arrow("red step", CLOSE_P.at(0, 0), CLOSE_P.at(V[0], 0), 4, **RED),
        *script.text("red step number", middle + (0, -10), number(V[0]), SMALL, bold=True, anchor="middle", **RED),
    ]
    script.step(f"So a red step of {number(V[0])} here …", [*bare, *step], lit=step)
    reach = CLOSE_HP.at(J[0, 0] * V[0], 0)
    answer = [
        *script.arrow("red answer", CLOSE_HP.at(0, 0), reach, 4, **RED, **{"from": "red step"}),
        *script.text(
            "red answer number",
            (CLOSE_HP.at(0, 0) + reach) / 2 + (0, -10),
            f"{number(J[0, 0])} · {number(V[0])} = {number(J[0, 0] * V[0])}",
            SMALL,
            bold=True,
            anchor="middle",
            **RED,
        ),
    ]
    script.step(f"… makes about {number(J[0, 0] * V[0])} there: at p the derivative is {number(J[0, 0])}.", answer)
    script.step(
        "The partial derivative with respect to x₂ is just 1. How one finds such expressions can wait.",
        script.text("other slope", (30, 320), f"∂h₁/∂x₂ = {number(J[0, 1])}", color="x2"),
    )


def numbers_in(script):
    """Frames 42 to 45: u in numbers."""
    sums = [" + ".join(f"{number(w)} · {number(v)}" for w, v in zip(row, V, strict=True)) for row in J]
    script.step("Put the values in for the first component of u.", script.text("u₁ sum", (30, 362), f"u₁ = {sums[0]}"))
    script.step(
        f"It is {number(U[0])}: so many times ∂/∂h₁.",
        script.text("u₁ total", (242, 362), f"= {number(U[0])}", bold=True),
    )
    both = [
        *script.text("u₂ sum", (30, 392), f"u₂ = {sums[1]}"),
        *script.text("u₂ total", (242, 392), f"= {number(U[1])}", bold=True),
    ]
    script.step("Both partial derivatives of h₂ are 1, so the second component is a plain sum.", both)
    tip = CLOSE_HP.at(*U)
    drawn = [
        *script.arrow("u", CLOSE_HP.at(0, 0), tip),
        *script.line("u drop", tip, CLOSE_HP.at(U[0], 0), dash=True),
        *script.text("u value", tip + (-6, -12), f"u = ({number(U[0])}, {number(U[1])})", bold=True, anchor="middle"),
    ]
    script.step(f"And this is u: ({number(U[0])}, {number(U[1])}).", drawn, gone=["red answer number"])


def forest_and_map(script):
    """Frames 46 to 48: directions of the forest on the map, and back."""
    here, there = Plane(56, 172, 84), Plane(250, 172, 36)
    trees = [(22, 96), (40, 70), (150, 74), (172, 110), (166, 60), (96, 62)]
    wood = [name for k, at in enumerate(trees) for name in tree(script, k, at)]
    sheet = [
        script.draw("map sheet", "rect", x=230, y=44, width=186, height=146, size=1.6, **MUTED),
        *(name for k, x in enumerate((292, 354)) for name in script.line(f"fold {k}", (x, 44), (x, 190), dash=True)),
    ]
    titles = [
        *script.text("forest", (100, 32), "forest", bold=True, anchor="middle"),
        *script.text("map", (322, 32), "map", bold=True, anchor="middle"),
    ]
    arrows = []
    for name, vector, look in (("x", (1, 0), RED), ("y", (0, 1), BLUE), ("v", V, {})):
        arrows += script.arrow(f"forest {name}", here.at(0, 0), here.at(*vector), 3, **look)
        arrows += script.arrow(
            f"map {name}", there.at(0, 0), there.at(*(J @ vector)), 3, **look, **{"from": f"forest {name}"}
        )
    push = [
        *script.arrow("push", (192, 100), (228, 100), 2.5, **ACCENT),
        *script.text("push name", (210, 90), "J", bold=True, anchor="middle", **ACCENT),
    ]
    script.step(
        "The pushforward: directions in the forest become directions on the map. J carries them.",
        [*wood, *sheet, *titles, *arrows, *push],
        gone="all",
        lit=push,
    )
    pull = [
        *script.arrow("pull", (228, 134), (192, 134), 2.5, **ACCENT),
        *script.text("pull name", (210, 158), "J⁻¹", bold=True, anchor="middle", **ACCENT),
    ]
    script.step("And the inverse brings directions on the map back into the forest.", pull)
    inverse = np.linalg.inv(J)
    entries = [
        name
        for i in range(2)
        for j in range(2)
        for name in script.text(
            f"inverse {i} {j}",
            (146 + 170 * j, 262 + 46 * i),
            f"∂{X[i]}/∂{H[j]} = {ratio(inverse[i, j])}",
            SMALL,
            anchor="middle",
        )
    ]
    script.step(
        "Its entries: the symbols stand the other way up, as those of x, the inverse function. The numbers do not.",
        [
            *script.text("inverse name", (12, 290), "J⁻¹ =", bold=True),
            *script.bracket("inverse", 72, 396, 236, 326),
            *entries,
        ],
        lit=entries,
    )


def tree(script, k, at):
    """A tree of the forest: a triangle on a stem."""
    x, y = at
    crown = script.draw(f"tree {k}", "polygon", points=[(x, y - 22), (x + 10, y), (x - 10, y)], size=1.4, **ACCENT)
    return [*script.line(f"stem {k}", (x, y), (x, y + 8), size=2), crown]


def ratio(value):
    """A number as a fraction of small whole numbers."""
    return str(Fraction(value).limit_denominator(1000)).replace("-", "−")


def grid(script, name, M, left, top):
    """A matrix of numbers, 46 wide and 40 high an entry, its upper left corner at a place."""
    m, n = M.shape
    return [
        *script.bracket(name, left, left + 46 * n, top, top + 40 * m),
        *(
            text
            for i in range(m)
            for j in range(n)
            for text in script.text(
                f"{name} {i} {j}",
                (left + 23 + 46 * j, top + 27 + 40 * i),
                number(M[i, j]),
                bold=True,
                anchor="middle",
                color=f"x{j + 1}",
            )
        ),
    ]


def when_it_exists(script):
    """Frames 49 to 53: inputs and outputs counted, and the inverse by the determinant."""
    square = [*script.text("square name", (14, 106), "J =", bold=True), *grid(script, "square", J, 54, 60)]
    below = script.text("n is", (100, 166), "n = 2 in", anchor="middle", **ACCENT)
    script.step(
        "What goes in: a column for each basis vector of T at p. Their number is n.",
        [*square, *below],
        gone="all",
        lit=below,
    )
    script.step(
        "What comes out: a row for each basis vector of T at h(p). Their number is m.",
        script.text("m is", (154, 106), "m = 2 out", **ACCENT),
    )
    script.step(
        "For an inverse the two must be equal, and the matrix square. That is needed. It is not yet enough.",
        script.text("equal", (322, 106), "m = n", 24, bold=True, anchor="middle", **ACCENT),
    )
    tall = [
        *grid(script, "tall", TALL, 54, 190),
        *script.text("tall m", (154, 256), "m = 3 out, n = 2 in", **ACCENT),
        *script.text("tall none", (154, 284), "no inverse"),
    ]
    script.step(
        "A rectangular one has none: with more basis vectors coming out than going in, not every vector out there can "
        "be reached.",
        tall,
    )
    det = np.linalg.det(J)
    (a, b), (c, d) = J
    adjugate = np.array([[d, -b], [-c, a]])
    formula = [
        *script.text("det symbols", (14, 332), "det J = ∂h₁/∂x₁ · ∂h₂/∂x₂ − ∂h₁/∂x₂ · ∂h₂/∂x₁", SMALL),
        *script.text(
            "det value", (14, 358), f"= {number(a)} · {number(d)} − {number(b)} · {number(c)} = {number(det)}", SMALL
        ),
        *script.text("by det", (190, 396), f"J⁻¹ = 1/{number(det)} ·", bold=True),
        *grid(script, "adjugate", adjugate, 306, 348),
    ]
    script.step(
        "Where there is one, it can be made of the entries of J itself, divided by the determinant. If that is 0, "
        "there is none.",
        formula,
        gone=["n is", "m is", "equal"],
    )


PARTS = (
    one_point,
    tangent_space,
    vector_at_p,
    where_it_arrives,
    old_slide,
    new_labels,
    rows,
    derivatives,
    numbers_in,
    forest_and_map,
    when_it_exists,
)
