"""Bent maps of the plane: their grids, secants that turn into a tangent, angles on both sides, densities."""

import numpy as np

from .linear import arrow
from .style import (
    BLUE,
    DASHES,
    INK,
    LINE,
    MUTED,
    OTHER,
    PAPER,
    PLAIN,
    RED,
    SMALL,
    arrays,
    at_most,
    few,
    in_style,
    labels,
    page,
)


@in_style
def bent(x, h, p, image, every=10):
    """The grid of a plane on the left and where a map takes it on the right, with a point and its image.

    x, h (2, a, b): the points of the grid and their images; along the last axis x₁ grows, along the one before x₂.
    p, image (2,): the point and its image.  every: of the grid's lines, each so-manieth is drawn.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    x, h, p, image = arrays(x=(x, "2 a b"), h=(h, "2 a b"), p=(p, "2"), image=(image, "2"))
    figure = page(330)
    panels = zip(figure.subplots(1, 2), (x, h), (p, image), ("p", "h(p)"), ("x", "h"), strict=True)
    for ax, grid, point, name, letter in panels:
        ax.plot(*grid[:, ::every].transpose(0, 2, 1), color=RED, lw=1)
        ax.plot(*grid[:, :, ::every], color=BLUE, ls=DASHES[1], lw=1)
        ax.plot(*point, "o", color=INK, ms=7, zorder=3)
        told = ax.annotate(name, point, (9, 7), textcoords="offset points", weight="bold")
        told.set_bbox({"fc": PAPER, "ec": "none", "pad": 1, "alpha": 0.8})
        ax.set(xlabel=f"{letter}₁", ylabel=f"{letter}₂", title=letter.upper(), aspect="equal")
        few(ax.xaxis, 6)
        few(ax.yaxis, 6)
    return figure


@in_style
def secants(curve, point, others, slope, names=("x₁", "h₁")):
    """A curve, a point of it, lines from there through other points of it, and the tangent that they approach.

    curve (n, 2); point (2,); others (k, 2), up to 3, each with another first coordinate than the point; slope: of the
    tangent; names: of the axes.  Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    curve, point, others = arrays(curve=(curve, "n 2"), point=(point, "2"), others=(others, "k 2"))
    at_most(3, len(others), "secants")
    names = labels(names, 2, "names")
    figure = page(360)
    ax = figure.add_subplot(xlabel=names[0], ylabel=names[1])
    ax.plot(*curve.T, color=INK, lw=2.2)
    reach = np.array([curve[:, 0].min(), curve[:, 0].max()])
    for other, dash in zip(others, DASHES[1:], strict=False):
        (da, db), look = other - point, {"color": MUTED, "ls": dash, "lw": 1.4}
        ax.plot(reach, point[1] + db / da * (reach - point[0]), label=f"step {da:g}: slope {db / da:.2f}", **look)
        ax.plot(*other, "o", color=MUTED, ms=5)
    ax.plot(reach, point[1] + float(slope) * (reach - point[0]), color=RED, lw=2, label=f"tangent: slope {slope:.2f}")
    ax.plot(*point, "o", color=RED, ms=7, zorder=3)
    low, high = curve[:, 1].min(), curve[:, 1].max()
    ax.set(xlim=reach, ylim=(low - 0.1 * (high - low), high + 0.1 * (high - low)))
    ax.legend(loc="upper left")
    few(ax.xaxis, 6)
    few(ax.yaxis, 6)
    ax.grid()
    return figure


@in_style
def angles(vectors, images, names, spaces=("in X", "in H")):
    """Directions on the left and what becomes of them on the right, drawn at one length, with their angles.

    vectors, images (n, 2), none of them zero, n up to 3; names: n of them; spaces: titles of the two sides.
    Returns a Figure. Raises ValueError for shapes that do not fit, and for a vector without a direction.
    """
    vectors, images = arrays(vectors=(vectors, "n 2"), images=(images, "n 2"))
    at_most(3, len(vectors), "directions")
    names, spaces = labels(names, len(vectors), "names"), labels(spaces, 2, "spaces")
    figure = page(330)
    for ax, ends, title in zip(figure.subplots(1, 2), (vectors, images), spaces, strict=True):
        lengths = np.linalg.norm(ends, axis=1)
        if not lengths.all():
            raise ValueError(f"a vector of length 0 has no angle: {ends[lengths == 0].tolist()}")
        around = np.linspace(0, 2 * np.pi, 181)
        ax.plot(np.cos(around), np.sin(around), color=LINE, lw=1)
        ax.axhline(0, color=MUTED, lw=0.8)
        ax.axvline(0, color=MUTED, lw=0.8)
        looks = ((PLAIN, "-"), (OTHER, DASHES[1]), (INK, DASHES[2]))
        for end, name, (colour, dash) in zip(ends / lengths[:, None], names, looks, strict=False):
            arrow(ax, (0, 0), end, colour, dash, 2.4)
            degrees = np.degrees(np.arctan2(end[1], end[0]))
            told = f"{name}\n{round(degrees, 1) + 0:g}°".replace("-", "−")
            ax.text(*(1.3 * end), told, color=colour, weight="bold", size=SMALL, ha="center", va="center")
        ax.set(xlim=(-1.75, 1.75), ylim=(-1.6, 1.6), aspect="equal", title=title)
        ax.set_axis_off()
    return figure


@in_style
def densities(grid, values, points, names):
    """Densities in the plane as levels of shade, with samples on them.

    grid (2, a, b): where they were computed; values (k, a, b): k densities, up to 3; points (n, 2): samples, drawn on
    all of them; names: k.  Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    grid, values, points = arrays(grid=(grid, "2 a b"), values=(values, "k a b"), points=(points, "n 2"))
    at_most(3, len(values), "densities")
    names = labels(names, len(values), "names")
    figure = page(60 + 540 // len(values))
    for ax, density, name in zip(figure.subplots(1, len(values), squeeze=False)[0], values, names, strict=True):
        shares = np.array([0.02, 0.1, 0.25, 0.5, 0.75, 1.0001])
        shades = ["#eaf1ec", "#cfe1da", "#a3c9c0", "#6fada4", "#3d8c85"]
        ax.contourf(*grid, density / density.max(), shares, colors=shades)
        ax.plot(*points.T, ".", color=INK, ms=2.5, alpha=0.6)
        ax.set(xlim=(grid[0].min(), grid[0].max()), ylim=(grid[1].min(), grid[1].max()), title=name, aspect="equal")
        few(ax.xaxis, 5)
        few(ax.yaxis, 5)
    return figure
