"""The clinic once more, from a step further to the side: the wall is a painted flat, and it ends."""

import numpy as np

from ..style import INK, PAPER
from .brush import CREAM, GOLD, HIGH, NIGHT, WIDE, WOOD, board, disc, glow, line, mix, shape
from .clinic import paint_chair, paint_desk, paint_room, paint_stages, paint_window

EDGE = ((438, 0), (470, 344))  # where the flat ends, above and below


def backdrop():
    """The room of the first chapter without anybody: chair, desk and window, and a wall that stops halfway."""
    figure, ax = board(WIDE, HIGH, CREAM)
    paint_room(ax)
    paint_window(ax, 34, 44, 108, 150)
    paint_stages(ax, 186, 66, 56)
    paint_dark(ax)
    paint_lamp(ax)
    paint_flat(ax)
    paint_strings(ax)
    paint_desk(ax)
    paint_chair(ax)
    return figure


def paint_dark(ax):
    """What lies beyond the wall: no room, only more floor."""
    (top, _), (low, ground) = EDGE
    shape(ax, [(top, 0), (WIDE, 0), (WIDE, HIGH), (low + 34, HIGH), (low, ground)], NIGHT)
    for x in range(500, 1140, 46):
        start = (320 + (x - 320) * 0.62, 321)
        line(ax, [(max(start[0], low), 330), (320 + (x - 320) * 1.1, HIGH)], mix(NIGHT, WOOD, 0.22), 0.8)


def paint_flat(ax):
    """Canvas on a frame, seen from its end, with the struts that keep it standing."""
    (top, _), (low, ground) = EDGE
    back, wood = mix(NIGHT, WOOD, 0.5), mix(WOOD, INK, 0.25)
    shape(ax, [(top, 0), (top + 26, 0), (low + 24, ground - 8), (low, ground)], mix(CREAM, NIGHT, 0.62), INK, 1.2)
    for height in (0.12, 0.42, 0.72):
        x, y = top + (low - top) * height, ground * height
        line(ax, [(x + 4, y), (x + 24, y - 3)], back, 3)
    for height, foot in ((0.24, 556), (0.5, 534)):
        x, y = top + 24 + (low - top) * height, ground * height
        line(ax, [(x, y), (foot, ground + 2)], INK, 7)
        line(ax, [(x, y), (foot, ground + 2)], wood, 4.6)
    line(ax, [(low + 20, ground - 4), (568, ground + 4)], INK, 7)
    line(ax, [(low + 20, ground - 4), (568, ground + 4)], wood, 4.6)


def paint_lamp(ax):
    """The evening in the window is made here."""
    light = "#f3b98f"
    shape(ax, [(592, 60), (EDGE[0][0] + 20, 26), (EDGE[0][0] + 30, 152), (592, 80)], light, alpha=0.16)
    glow(ax, 590, 70, 40, light, 5, 0.10)
    line(ax, [(604, 0), (604, 56)], mix(NIGHT, PAPER, 0.35), 2)
    shape(ax, [(588, 58), (616, 52), (622, 86), (592, 82)], mix(NIGHT, PAPER, 0.22), mix(NIGHT, PAPER, 0.45), 1.4)
    disc(ax, 589, 70, 12, mix(light, GOLD, 0.3), mix(NIGHT, PAPER, 0.45), 1.2, flat=1.0)


def paint_strings(ax):
    """They come from above, end over the desk, and hold nobody."""
    rng = np.random.default_rng(14)
    for x, end in ((486, 168), (503, 206), (522, 178), (541, 214)):
        sway = rng.uniform(-5, 5, 3)
        corners = [(x, 0), (x + sway[0], end * 0.5), (x + sway[1], end * 0.85), (x + sway[2], end)]
        line(ax, corners, mix(PAPER, NIGHT, 0.3), 1.3, soft=True)
        for turn in (-0.5, 0.1, 0.6):
            frayed = (x + sway[2] + 7 * np.sin(turn), end + 7 * np.cos(turn))
            line(ax, [(x + sway[2], end), frayed], mix(PAPER, NIGHT, 0.4), 0.8)
