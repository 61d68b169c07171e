"""The puppets: Jacques and Mr. Foster, two cat people of wood on their strings."""

import numpy as np

from hspace.cats.world import column

from ..style import INK, PAPER
from .brush import (
    CREAM,
    GOLD,
    HIGH,
    NIGHT,
    PINE,
    PLUM,
    WIDE,
    WOOD,
    board,
    box,
    cat,
    cutout,
    disc,
    glow,
    line,
    mix,
    paste,
    points,
    shape,
)

STRING = "#d8cfc2"


def puppets(held=True):
    """Jacques and Mr. Foster on a stage: on their strings (`held`), or under what is left of them."""
    figure, ax = board(WIDE, HIGH, NIGHT)
    paint_street(ax)
    paint_stage(ax)
    jacques = cat(nose=0.9, ear=0.9, nap=3.0, luck=1.5, fur=0.36, eye=0.75, puppet=1.0, tilt=5)
    foster = cat(nose=1.5, ear=0.5, nap=3.2, luck=0.9, fur=0.0, eye=0.45, puppet=1.0, tilt=-4)
    paint_puppet(ax, 232, 214, 146, jacques, "#3f7f78", "#39424e", True, held)
    paint_puppet(ax, 404, 190, 160, foster, "#8c4a52", "#5b4a3d", False, held)
    paint_curtains(ax)
    return figure


def friends():
    """The two on their own feet: the strings have frayed through and hold nobody."""
    return puppets(held=False)


def paint_street(ax):
    """Night, stars, a row of small houses with lights on."""
    for k, share in enumerate(np.linspace(0, 1, 10)):
        box(ax, 0, k * 32, WIDE, 36, mix(NIGHT, "#6d6c92", share))
    rng = np.random.default_rng(2)
    for _ in range(46):
        disc(ax, rng.uniform(90, 550), rng.uniform(62, 200), rng.uniform(0.5, 1.5), "#f7ecc8")
    turn = np.linspace(0.35, 2 * np.pi - 1.35, 40)  # from horn to horn, and back on a flatter arc
    moon = [(318 + 21 * np.cos(a), 104 + 21 * np.sin(a)) for a in turn]
    inner = [(325 + 16 * np.cos(a), 99 + 16 * np.sin(a)) for a in np.linspace(0.72, 2 * np.pi - 1.72, 40)]
    shape(ax, [*moon, *reversed(inner)], "#f7ecc8")
    for k, x in enumerate(range(92, 560, 58)):
        tall, colour = rng.uniform(44, 74), mix(PLUM, NIGHT, rng.uniform(0.3, 0.7))
        box(ax, x, 322 - tall, 46, tall, colour)
        shape(ax, [(x - 5, 322 - tall), (x + 51, 322 - tall), (x + 23, 322 - tall - 26)], mix(colour, INK, 0.45))
        for a, b in ((9, 10), (27, 10), (9, 29)):
            box(ax, x + a, 322 - tall + b, 10, 11, GOLD if (k + a + b) % 3 else mix(colour, INK, 0.3))


def paint_stage(ax):
    """Boards and footlights."""
    box(ax, 0, 322, WIDE, 52, mix(WOOD, INK, 0.12))
    for x in range(-400, 1040, 40):
        line(ax, [(320 + (x - 320) * 0.72, 322), (x, 374)], mix(WOOD, INK, 0.42), 0.9)
    glow(ax, 318, 346, 190, "#ffe2a0", 7, 0.07, flat=0.16)


def paint_puppet(ax, x, y, size, person, coat, trousers, boy, held):
    """A wooden body under a cat person's head of `size` at (x, y), hung from a cross of two bars, or no longer."""
    s, wood = size / 146, mix(WOOD, PAPER, 0.3)
    neck, hip, floor = y + 0.30 * size, y + 0.30 * size + (52 if boy else 66) * s, 344
    bar, hands = 58, [(x - 52 * s, neck + 34 * s), (x + 52 * s, neck + 20 * s)]
    disc(ax, x, floor + 5, 46 * s, INK, alpha=0.35, flat=0.16)
    for side in (-1, 1):
        knee, foot = (x + side * 17 * s, (hip + floor) / 2), (x + side * 19 * s, floor)
        for (a, b), (c, d), colour in (
            ((x + side * 13 * s, hip), knee, trousers),
            (knee, foot, wood if boy else trousers),
        ):
            line(ax, [(a, b), (c, d)], INK, 12.6 * s)
            line(ax, [(a, b), (c, d)], colour, 10.2 * s)
        disc(ax, *knee, 5 * s, wood, INK, 1.2)
        shape(
            ax,
            [
                (foot[0] - 8 * s, floor - 4),
                (foot[0] + 8 * s, floor - 4),
                (foot[0] + (8 + 8 * (side > 0)) * s, floor + 6),
                (foot[0] - (8 + 8 * (side < 0)) * s, floor + 6),
            ],
            "#3a2a24",
            INK,
            1.2,
        )
    for side, hand in zip((-1, 1), hands, strict=True):
        shoulder, elbow = (x + side * 24 * s, neck + 8 * s), (x + side * 44 * s, neck + 22 * s + 8 * s * (side < 0))
        line(ax, [shoulder, elbow, hand], INK, 11.6 * s)
        line(ax, [shoulder, elbow, hand], coat, 9.2 * s)
        disc(ax, *elbow, 4.4 * s, wood, INK, 1.2)
        disc(ax, *hand, 6.4 * s, wood, INK, 1.3)
        paint_string(ax, hand, (x + side * 64, bar), side, held)
    body = [
        (x - 22 * s, neck),
        (x + 22 * s, neck),
        (x + 30 * s, neck + 14 * s),
        (x + 25 * s, hip + 4 * s),
        (x - 25 * s, hip + 4 * s),
        (x - 30 * s, neck + 14 * s),
    ]
    shape(ax, body, coat, INK, 1.5)
    (paint_jersey if boy else paint_cardigan)(ax, x, neck, hip, s)
    for side in (-1, 1):
        paint_string(ax, face_point(person, x, y, size, side * 0.34, -0.2), (x + side * 24, bar), -side, held)
    paste(ax, head_of(person, 2 * round(size)), x - size / 2, y - size / 2, size, size)
    (dress_boy if boy else dress_man)(ax, lambda a, b: face_point(person, x, y, size, a, b), size)
    line(ax, [(x - 66, bar), (x + 66, bar)], INK, 8.4)
    line(ax, [(x - 66, bar), (x + 66, bar)], WOOD, 6)
    line(ax, [(x - 24, bar - 7), (x + 24, bar + 7)], INK, 7.4)
    line(ax, [(x - 24, bar - 7), (x + 24, bar + 7)], mix(WOOD, PAPER, 0.2), 5)


def paint_string(ax, low, high, side, held):
    """A string from its bar: straight down to where it holds, or a frayed end that swings to one `side`."""
    if held:
        line(ax, [low, high], STRING, 0.9)
        return
    (x, y), drop = high, min(26 + 4 * side, 0.6 * (low[1] - high[1]))
    end = (x + side * 5, y + drop)
    line(ax, [high, (x - side * 2, y + 0.4 * drop), (x + side * 3, y + 0.75 * drop), end], STRING, 0.9, soft=True)
    for across, down in ((-4, 5), (0, 7), (4, 4)):
        line(ax, [end, (end[0] + across, end[1] + down)], STRING, 0.6)


def paint_jersey(ax, x, neck, hip, s):
    for k in range(4):
        y = neck + (10 + 11 * k) * s
        line(ax, [(x - 24 * s, y), (x + 24 * s, y)], CREAM, 3.6 * s)


def paint_cardigan(ax, x, neck, hip, s):
    shape(ax, [(x - 12 * s, neck), (x + 12 * s, neck), (x, neck + 36 * s)], PAPER, INK, 1.1)
    line(ax, [(x, neck + 36 * s), (x, hip + 3 * s)], INK, 1.2)
    for k in range(3):
        disc(ax, x + 5 * s, neck + (40 + 9 * k) * s, 2 * s, GOLD, INK, 0.8)
    for side in (-1, 1):
        shape(
            ax,
            [(x, neck + 9 * s), (x + side * 13 * s, neck + 3 * s), (x + side * 13 * s, neck + 15 * s)],
            PINE,
            INK,
            1.1,
        )


def face_point(person, x, y, size, a, b):
    """The point (a, b) of the face's own coordinates, in half widths, on the page; the head is at (x, y)."""
    turn = np.deg2rad(person[0, column("tilt")].item())
    right, down = np.cos(turn) * a - np.sin(turn) * b, np.sin(turn) * a + np.cos(turn) * b + 0.06
    return x + right * size / 2, y + down * size / 2


def head_of(person, size):
    """A puppet's head cut out without the renderer's strings: those end at the edge of its picture, ours at the bar."""
    plain = person.clone()
    plain[:, column("puppet")] = 0
    head = cutout(person, size)
    head[..., 3] = np.minimum(head[..., 3], cutout(plain, size)[..., 3])
    return head


def paint_jaw(ax, at, half, size):
    """The lower edge of a wooden jaw between its hinges."""
    line(ax, [at(a, 0.545 + 0.03 * (1 - (a / half) ** 2)) for a in np.linspace(-half, half, 9)], INK, 0.0118 * size)


def dress_boy(ax, at, size):
    """A knitted cap with a bobble."""
    paint_jaw(ax, at, 0.2, size)
    cap = "-0.31,-0.40 -0.22,-0.55 0,-0.63 0.22,-0.55 0.31,-0.40 0.15,-0.43 0,-0.44 -0.15,-0.43"
    shape(ax, [at(a, b) for a, b in points(cap)], "#c98b2e", INK, 1.5, soft=True)
    brim = "-0.33,-0.37 -0.16,-0.43 0,-0.445 0.16,-0.43 0.33,-0.37"
    line(ax, [at(a, b) for a, b in points(brim)], INK, 0.062 * size, soft=True)
    line(ax, [at(a, b) for a, b in points(brim)], "#3f7f78", 0.045 * size, soft=True)
    disc(ax, *at(0, -0.68), 0.055 * size, CREAM, INK, 1.4)


def dress_man(ax, at, size):
    """Brows, spectacles and a moustache."""
    paint_jaw(ax, at, 0.207, size)
    for side in (-1, 1):
        disc(ax, *at(side * 0.27, -0.01), 0.094 * size, "none", INK, 3.2)
        disc(ax, *at(side * 0.27, -0.01), 0.094 * size, "none", GOLD, 1.8)
        line(ax, [at(side * 0.46, -0.03), at(side * 0.60, -0.08)], INK, 1.6)
        brow = "0.13,-0.24 0.22,-0.31 0.36,-0.29 0.42,-0.21 0.30,-0.245 0.20,-0.235"
        shape(ax, [at(side * a, b) for a, b in points(brow)], "#f5f2ec", INK, 1.2, soft=True)
        half = "0.0,0.32 0.10,0.30 0.22,0.35 0.31,0.33 0.25,0.42 0.12,0.41"
        shape(ax, [at(side * a, b) for a, b in points(half)], "#f5f2ec", INK, 1.2, soft=True)
    line(ax, [at(-0.085, -0.03), at(0, -0.06), at(0.085, -0.03)], INK, 1.8, soft=True)


def paint_curtains(ax):
    """Drapes to both sides, a valance above, the edge of the stage below with its lights."""
    red, dark = PLUM, mix(PLUM, INK, 0.45)
    for side in (0, 1):
        flip = (lambda a: a) if side == 0 else (lambda a: WIDE - a)
        shape(
            ax,
            [(flip(a), b) for a, b in ((-30, -30), (104, -30), (92, 120), (60, 236), (78, 300), (86, 372), (-30, 372))],
            red,
            dark,
            1.6,
            soft=True,
        )
        for k in range(5):
            a = 6 + 17 * k
            fold = [(a + 3, 0), (a + 1, 120), (a * 0.62 + 2, 236), (a * 0.82, 300), (a * 0.9, 368)]
            line(
                ax,
                [(flip(p), q) for p, q in fold],
                dark if k % 2 else mix(red, PAPER, 0.14),
                3 if k % 2 else 2,
                soft=True,
            )
        shape(ax, [(flip(a), b) for a, b in ((-10, 230), (62, 230), (64, 242), (-10, 244))], GOLD, INK, 1.2)
    for k in range(8):
        shape(
            ax,
            [(k * 80 + 80 * np.cos(a) * 0.5 + 40, 8 + 30 * np.sin(a)) for a in np.linspace(0, np.pi, 24)],
            mix(red, PAPER, 0.06),
            dark,
            1.4,
        )
        line(
            ax,
            [(k * 80 + 40 + 38 * np.cos(a), 10 + 26 * np.sin(a)) for a in np.linspace(0.12, np.pi - 0.12, 24)],
            GOLD,
            1.4,
        )
    box(ax, 0, -6, WIDE, 16, mix(red, INK, 0.2))
    box(ax, 0, 372, WIDE, 30, mix(WOOD, INK, 0.55), INK, 1.2)
    for x in range(40, WIDE, 62):
        glow(ax, x, 372, 20, "#ffe2a0", 4, 0.12)
        shape(ax, [(x + 9 * np.cos(a), 374 - 9 * np.sin(a)) for a in np.linspace(0, np.pi, 20)], "#fff0c0", INK, 1.2)
