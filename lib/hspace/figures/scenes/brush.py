"""What the scenes are painted with: a board in page pixels, flat shapes, smooth outlines, cat people cut out."""

import matplotlib.colors
import numpy as np
import torch
from matplotlib.patches import Ellipse, PathPatch
from matplotlib.path import Path

from hspace.cats.render import render
from hspace.cats.world import FACTORS, average, column

from ..style import page

WIDE, HIGH = 640, 400  # of a scene, in page pixels
WOOD, PLUM, GOLD, NIGHT, MIST = "#a8744a", "#5a3350", "#e2b04a", "#1d2733", "#f0e3cd"
PINE, DUSK, SAGE, SKIN, CREAM = "#1f3d3a", "#3d5f6b", "#9db19f", "#f0cfb4", "#efe3cb"


def board(width, height, colour):
    """An empty picture of width × height page pixels, y down, filled with a colour: a Figure and its Axes."""
    figure = page(height, width, layout="none")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)
    ax.set_axis_off()
    box(ax, 0, 0, width, height, colour)
    return figure, ax


def points(given):
    """Corners as (n, 2): given so, or as in SVG, "x,y x,y ..."."""
    if isinstance(given, str):
        given = [pair.split(",") for pair in given.split()]
    return np.asarray(given, dtype=float)


def shape(ax, corners, colour, edge=None, thick=1.6, alpha=1, soft=False):
    """A filled outline through its corners; soft: rounded through all of them instead of straight."""
    corners = points(corners)
    path = smooth(corners) if soft else Path(np.vstack([corners, corners[:1]]), closed=True)
    kept = {"fc": colour, "ec": edge or "none", "lw": thick if edge else 0, "alpha": alpha, "joinstyle": "round"}
    return ax.add_patch(PathPatch(path, **kept))


def box(ax, x, y, wide, high, colour, edge=None, thick=1.6, alpha=1):
    """A rectangle by its upper left corner."""
    corners = [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]
    return shape(ax, corners, colour, edge, thick, alpha)


def disc(ax, x, y, radius, colour, edge=None, thick=1.6, alpha=1, flat=1.0, angle=0):
    """A circle, or an ellipse `flat` times as high as wide, turned by `angle` degrees."""
    kept = {"fc": colour, "ec": edge or "none", "lw": thick if edge else 0, "alpha": alpha}
    return ax.add_patch(Ellipse((x, y), 2 * radius, 2 * radius * flat, angle=angle, **kept))


def line(ax, corners, colour, thick=1.6, dash=None, soft=False, alpha=1):
    """A line through its corners with round ends; dash: (on, off) in units of its thickness."""
    corners = points(corners)
    path = smooth(corners, closed=False) if soft else Path(corners)
    kept = {"fc": "none", "ec": colour, "lw": thick, "alpha": alpha, "capstyle": "round", "joinstyle": "round"}
    return ax.add_patch(PathPatch(path, ls=(0, dash) if dash else "-", **kept))


def glow(ax, x, y, radius, colour, rings=7, alpha=0.07, flat=1.0):
    """Light around a point in flat rings, as one would print it."""
    for k in range(rings, 0, -1):
        disc(ax, x, y, radius * k / rings, colour, alpha=alpha, flat=flat)


def smooth(corners, closed=True):
    """A path through all corners (n, 2) without corners: Catmull and Rom's spline as cubic Bézier curves."""
    first, last = (corners[-1:], corners[:2]) if closed else (corners[:1], corners[-1:])
    around = np.vstack([first, corners, last])
    before, here, there, after = around[:-3], around[1:-2], around[2:-1], around[3:]
    bends = np.stack([here + (there - before) / 6, there - (after - here) / 6, there], axis=1).reshape(-1, 2)
    return Path(np.vstack([here[:1], bends]), [Path.MOVETO, *[Path.CURVE4] * len(bends)])


def mix(one, other, share):
    """The colour `share` of the way from one to the other, share in 0..1."""
    one, other = (np.array(matplotlib.colors.to_rgb(colour)) for colour in (one, other))
    return tuple(one + (other - one) * share)


def paste(ax, picture, x, y, wide, high, interpolation="bilinear", **options):
    """A picture (h, w, 3 or 4), values 0..1, into the rectangle with its upper left corner at (x, y)."""
    kept = {"extent": (x, x + wide, y + high, y), "aspect": "auto", "interpolation": interpolation, "zorder": 1}
    image = ax.imshow(picture, **(kept | options))
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim(), autoscale_on=False)
    return image


def cat(**factors):
    """Factors (1, 12) of one cat person: the average one, changed by name."""
    return average(**factors)[None]


def drawn(factors, size):
    """Cat people (B, 12) as pictures (B, size, size, 3), values 0..1."""
    return ((render(factors, size) + 1) / 2).movedim(1, -1).numpy()


def cutout(factors, size):
    """One cat person (1, 12) without the wall: (size, size, 4), values 0..1.

    Drawn before two walls, the picture differs only as far as it lets the wall through, which is 1 - its opacity.
    """
    people = factors.expand(2, len(FACTORS)).clone()
    people[:, column("background")] = torch.tensor([0.4, 1.0])  # green and pink: no channel is clipped
    one, other = drawn(people, size).astype(float)
    walls = one[:, :1] - other[:, :1]  # the first column shows nothing else
    through = ((one - other) * walls).sum(-1) / (walls**2).sum(-1)
    opacity = (1 - through).clip(0, 1)[..., None]
    colour = (one - (1 - opacity) * one[:, :1]) / np.maximum(opacity, 1e-3)
    return np.concatenate([colour.clip(0, 1), opacity], axis=-1)


def pine(x, base, tall):
    """Three skirts of branches, polygons (n, 2), for a pine that stands at (x, base)."""
    skirts = []
    for low, high, half in ((0.08, 0.52, 0.25), (0.30, 0.76, 0.195), (0.54, 1.0, 0.135)):
        y, top, reach = base - low * tall, base - high * tall, half * tall
        drip = [
            (x - reach, y),
            (x - reach * 0.5, y - 0.035 * tall),
            (x - reach * 0.28, y + 0.012 * tall),
            (x, y - 0.03 * tall),
        ]
        other = [(2 * x - a, b) for a, b in reversed(drip[:-1])]
        skirts.append(
            [
                *drip,
                *other,
                (x + reach * 0.34, (y + top) / 2 - 0.02 * tall),
                (x, top),
                (x - reach * 0.34, (y + top) / 2 - 0.02 * tall),
            ]
        )
    return skirts
