"""The forest and its map: one ground, seen by two maps, the eye's and the paper's."""

import numpy as np
from matplotlib.patheffects import withStroke

from ..style import INK, PAPER
from .brush import GOLD, HIGH, MIST, PINE, WIDE, board, box, disc, glow, line, mix, pine, shape


def forest():
    """The territory, and a map of it that knows less: the view and the map are two images of the same ground."""
    figure, ax = board(WIDE, HIGH, MIST)
    paint_sky(ax)
    ground = np.array([[0.44 + 0.17 * np.sin(5.6 * v + 0.3) * (1 - 0.5 * v), v] for v in np.linspace(-0.1, 1, 60)])
    paint_path(ax, ground)
    here = ground[HERE]
    trees = wood(ground)
    for tree in trees:
        if tree[1] > here[1]:
            paint_pine(ax, *tree)
    paint_walker(ax, *seen(*here), near(here[1]))
    for tree in [tree for tree in trees if tree[1] <= here[1]] + FRAME:
        paint_pine(ax, *tree)
    paint_map(ax, ground, trees)
    paint_arrow(ax, seen(*here), mapped(*here))
    return figure


HERE = 13  # where on the path somebody stands
FRAME = [(0.355, -0.10, 1.12), (0.300, -0.06, 1.25)]  # trees so close that they frame the view


def near(v):
    """How large things look at depth v: 1 in front, less behind."""
    return 1 / (1 + 3.4 * np.maximum(v, -0.15))


def seen(u, v):
    """Where the point (u, v) of the ground lies in the view."""
    return 250 + (u - 0.5) * 1250 * near(v), 150 + 262 * near(v)


def mapped(u, v):
    """Where the same point lies on the sheet: an affine map, the only h that paper can do."""
    return 408 + 180 * u + 26 * v, 376 - 14 * u - 136 * v


def wood(path, count=230):
    """Trees (u, v, height), far ones first, none on the path: placed by chance, at a distance from each other."""
    rng, trees = np.random.default_rng(11), []
    while len(trees) < count:
        u, v = rng.uniform(-0.9, 1.9), rng.uniform(0.0, 1.0) ** 0.8
        clear = abs(u - np.interp(v, path[:, 1], path[:, 0])) > 0.11
        if clear and all((u - a) ** 2 + (v - b) ** 2 > 0.0015 for a, b, _ in trees):
            trees.append((u, v, rng.uniform(0.75, 1.3)))
    return sorted(trees, key=lambda tree: -tree[1])


def paint_sky(ax):
    """Evening in bands, a low sun, hills."""
    for k, share in enumerate(np.linspace(0, 1, 12)):
        box(ax, 0, k * 18, WIDE, 19, mix("#7fa3a6", "#f7d3a8", share))
    glow(ax, 214, 150, 90, "#fff2cf", 6, 0.16)
    disc(ax, 214, 150, 30, "#fff6df")
    for base, colour, seed in ((178, "#b9c4b4", 1), (196, "#9fb3a6", 5)):
        rng = np.random.default_rng(seed)
        ridge = [(x, base + rng.uniform(-22, 14)) for x in range(-40, 720, 62)]
        shape(ax, [(-60, 420), *ridge, (720, 420)], colour, soft=True)
    for k in range(14):
        v = 1 - k / 13
        y = 150 + 262 * near(v)
        box(ax, 0, y - 3, WIDE, HIGH, mix("#6f8d6a", "#c9d2b4", v**0.6))


def paint_pine(ax, u, v, tall):
    """One pine in the air's colour at its depth, lit from the left."""
    (x, y), scale = seen(u, v), near(v)
    size = 235 * tall * scale
    if not -120 < x < WIDE + 120:
        return
    air = min(1, 1.12 * max(v, 0) ** 0.7)
    colour = mix(PINE, "#b4c3b0", air)
    disc(ax, x + 0.1 * size, y, 0.24 * size, mix("#4c6a4e", "#b5c2a0", air), flat=0.16, alpha=0.7)
    box(ax, x - 0.022 * size, y - 0.12 * size, 0.044 * size, 0.13 * size, mix("#4a3327", "#b4b3a0", air))
    for part in pine(x, y, size):
        shape(ax, part, colour)
        middle = [(a, b) for a, b in part if a <= x + 0.01 * size]
        shape(ax, [(x - (x - a) * 0.94, b) for a, b in middle], mix(colour, "#f2d9a0", 0.16 * (1 - 0.5 * air)))


def paint_path(ax, path):
    """The path on the ground, as wide everywhere as a person needs."""
    banks = [[seen(u + side * 0.024, v) for u, v in path] for side in (-1, 1)]
    shape(ax, [*banks[0], *reversed(banks[1])], "#d9cba0")
    shape(
        ax, [*banks[0], *reversed([(x - 0.3 * (x - a), y) for (x, y), (a, _) in zip(*banks, strict=True)])], "#e8ddb8"
    )


def paint_walker(ax, x, y, scale):
    """Somebody small, with a lantern."""
    s = 62 * scale
    glow(ax, x + 0.34 * s, y - 0.4 * s, 1.1 * s, "#ffe6a0", 6, 0.13)
    disc(ax, x, y, 0.3 * s, INK, alpha=0.35, flat=0.2)
    shape(
        ax,
        [(x - 0.22 * s, y), (x + 0.24 * s, y), (x + 0.1 * s, y - 0.62 * s), (x - 0.1 * s, y - 0.62 * s)],
        "#b5683c",
        INK,
        1,
    )
    disc(ax, x, y - 0.74 * s, 0.17 * s, "#4a2f2a", INK, 0.9)
    shape(ax, [(x - 0.02 * s, y - 0.92 * s), (x - 0.2 * s, y - 1.02 * s), (x - 0.17 * s, y - 0.84 * s)], GOLD)
    shape(ax, [(x + 0.02 * s, y - 0.92 * s), (x + 0.2 * s, y - 1.02 * s), (x + 0.17 * s, y - 0.84 * s)], GOLD)
    line(ax, [(x + 0.1 * s, y - 0.5 * s), (x + 0.34 * s, y - 0.52 * s)], INK, 1.4)
    disc(ax, x + 0.34 * s, y - 0.38 * s, 0.1 * s, "#fff1b8", INK, 0.9)


def paint_map(ax, path, trees):
    """The sheet in the foreground: the path, the tallest trees, a grid, and where somebody stands."""
    sheet = [mapped(u, v) for u, v in ((-0.06, -0.09), (1.1, -0.09), (1.1, 1.06), (-0.06, 1.06))]
    shape(ax, [(x + 5, y + 6) for x, y in sheet], INK, alpha=0.28)
    shape(ax, sheet, "#fbf3df", INK, 1.5)
    for k in range(4):
        a, b = -0.06 + 0.29 * k, -0.06 + 0.29 * (k + 1)
        fold = [mapped(u, v) for u, v in ((a, -0.09), (b, -0.09), (b, 1.06), (a, 1.06))]
        shape(ax, fold, "#8a7350" if k % 2 else "#fffdf4", alpha=0.12)
    for share in np.linspace(0.12, 0.92, 6):
        line(ax, [mapped(share, -0.09), mapped(share, 1.06)], "#8a7350", 0.6, alpha=0.55)
        line(ax, [mapped(-0.06, share), mapped(1.1, share)], "#8a7350", 0.6, alpha=0.55)
    line(ax, [mapped(u, v) for u, v in path if v >= -0.02], "#8c4a2c", 2.2, dash=(2.2, 1.8))
    for u, v, tall in trees:
        if tall > 1.0 and 0.0 < u < 1.04 and v > 0.0:
            x, y = mapped(u, v)
            shape(ax, [(x - 4.5, y + 4), (x + 4.5, y + 4), (x, y - 6.5)], PINE)
    x, y = mapped(*path[HERE])
    disc(ax, x, y, 5.4, "#fbf3df", INK, 1.3)
    disc(ax, x, y, 2.2, INK)


def paint_arrow(ax, here, there):
    """From the place in the forest to its point on the map, in the book's letters."""
    (x, y), (a, b) = (here[0] + 26, here[1] - 30), (there[0] - 9, there[1] - 7)
    bend = ((x + a) / 2, min(y, b) - 34)
    curve = [
        tuple((1 - k) ** 2 * np.array((x, y)) + 2 * k * (1 - k) * np.array(bend) + k**2 * np.array((a, b)))
        for k in np.linspace(0, 1, 30)
    ]
    line(ax, curve, PAPER, 4, alpha=0.55)
    line(ax, curve, INK, 1.5)
    turn = np.arctan2(b - curve[-4][1], a - curve[-4][0])
    head = [(a - 9 * np.cos(turn + side), b - 9 * np.sin(turn + side)) for side in (-0.42, 0.42)]
    shape(ax, [(a, b), *head], INK)
    halo = [withStroke(linewidth=3.5, foreground=PAPER, alpha=0.6)]
    for letter, x, y in (("X", 26, 32), ("h", 384, 270), ("H", 590, 362)):
        font = {"size": 18, "style": "italic", "family": "DejaVu Serif", "color": INK}
        ax.text(x, y, letter, ha="center", va="center", path_effects=halo, **font)
