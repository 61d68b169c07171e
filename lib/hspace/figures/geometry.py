"""Walks drawn: a globe with curves and carried vectors, orders of error, paths in H, overshoot."""

import numpy as np

from .style import (
    DASHES,
    INK,
    LINE,
    MUTED,
    OTHER,
    PAPER,
    SERIES,
    SMALL,
    apart,
    arrays,
    at_most,
    in_style,
    labels,
    page,
    plain_logarithmic,
)

SOON = 0.02  # of the radius: as far inside the rim a point still counts as in front


@in_style
def globe(curves, points=None, vectors=None, names=("start", "home"), view=(-60.0, 25.0)):
    """The unit sphere from far away, with curves on it and tangent vectors; what is behind is faint.

    curves: {name: (p, 3)}, up to 3, points of the unit sphere.  points, vectors (n, 3): where tangent vectors stand and
    what they are, in the order they were carried; the first, dashed, and the last are labelled `names`.
    view: degrees of longitude and latitude from which one looks.
    Returns a Figure. Raises ValueError for shapes that do not fit, and for points that are not on the unit sphere.
    """
    at_most(len(SERIES), len(curves), "curves")
    lines = [arrays(**{f"curves[{name!r}]": (curve, "p 3")})[0] for name, curve in curves.items()]
    points, vectors = arrays(points=(points, "n 3"), vectors=(vectors, "n 3"))
    if (points is None) != (vectors is None):
        raise ValueError("points and vectors belong together: give both or neither")
    for name, curve in [*zip(curves, lines, strict=True), *([] if points is None else [("points", points)])]:
        _on_the_sphere(name, curve)
    seen = _View(*view)
    figure = page(420)
    ax = figure.add_subplot(aspect="equal", xlim=(-1.55, 1.55), ylim=(-1.12, 1.12))
    ax.set_axis_off()
    _graticule(ax, seen)
    for (name, curve), (colour, dash, _) in zip(zip(curves, lines, strict=True), SERIES, strict=False):
        seen.line(ax, curve, color=colour, lw=2.2, ls=dash, label=name)
    if points is not None:
        _carried(ax, seen, points, vectors, labels(names, 2, "names"))
    if curves:
        ax.legend(loc="lower left", handlelength=2.6, frameon=False)
    return figure


def _carried(ax, seen, points, vectors, names):
    """Tangent vectors as arrows: the first dashed, the last thick, those between thin."""
    length = 0.42 / np.linalg.norm(vectors, axis=1).max()
    last = len(points) - 1
    for i, (point, vector) in enumerate(zip(points, vectors, strict=True)):
        ends = seen.flat(np.stack([point, point + length * vector]))
        in_front = seen.depth(point) > -SOON
        colour, dash, width = (INK, DASHES[1], 2) if i == 0 else (OTHER, "-", 2.8 if i == last else 1.2)
        style = {"arrowstyle": "-|>", "color": colour, "ls": dash, "lw": width, "shrinkA": 0, "shrinkB": 0}
        arrow = ax.annotate("", ends[1], ends[0], arrowprops={**style, "mutation_scale": 8 + 2 * width})
        arrow.arrow_patch.set_alpha(1 if in_front else 0.3)
    spots = seen.flat(points[[0, last]] + length * vectors[[0, last]])
    for spot, root, name, colour in zip(spots, seen.flat(points[[0, last]]), names, (INK, OTHER), strict=True):
        way = (spot - root) / max(np.linalg.norm(spot - root), 1e-9)
        where = {"xytext": tuple(13 * way), "textcoords": "offset points", "ha": "center", "va": "center"}
        text = ax.annotate(name, spot, color=colour, weight="bold", size=SMALL, **where)
        text.set_bbox({"fc": PAPER, "ec": "none", "pad": 1, "alpha": 0.8})


class _View:
    """An orthographic projection of space: who looks from longitude and latitude, in degrees, from far away."""

    def __init__(self, longitude, latitude):
        a, e = np.radians([longitude, latitude])
        self.right = np.array([-np.sin(a), np.cos(a), 0])
        self.up = np.array([-np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a), np.cos(e)])
        self.near = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])

    def flat(self, points):
        """(..., 3) → (..., 2)."""
        return np.stack([points @ self.right, points @ self.up], axis=-1)

    def depth(self, points):
        """Positive in front of the middle of the sphere."""
        return points @ self.near

    def line(self, ax, points, label=None, **style):
        """A curve (p, 3) on the sphere: its front as given, its back thin and faint."""
        flat, behind = self.flat(points), self.depth(points) < 0
        front = np.where(behind[:, None], np.nan, flat)
        # A point more on either side closes the gap at the rim.
        wide = behind | np.roll(behind, 1) | np.roll(behind, -1)
        back = np.where(wide[:, None], flat, np.nan)
        ax.plot(*back.T, **{**style, "alpha": 0.35, "lw": 0.6 * style["lw"]})
        ax.plot(*front.T, label=label, **style)


def _graticule(ax, seen, step=30):
    """The rim, and circles of latitude and longitude every `step` degrees."""
    around = np.radians(np.arange(0, 361, 3))
    ax.fill(np.cos(around), np.sin(around), color="#f6f1e6", zorder=0)
    ax.plot(np.cos(around), np.sin(around), color=MUTED, lw=1.2)
    for tilt in np.radians(np.arange(step, 180, step)):
        ring = [np.sin(tilt) * np.cos(around), np.sin(tilt) * np.sin(around), np.cos(tilt) + 0 * around]
        seen.line(ax, np.stack(ring, 1), color=LINE, lw=0.9, zorder=1)
    for turn in np.radians(np.arange(0, 180, step)):
        ring = [np.sin(around) * np.cos(turn), np.sin(around) * np.sin(turn), np.cos(around)]
        seen.line(ax, np.stack(ring, 1), color=LINE, lw=0.9, zorder=1)


def _on_the_sphere(name, points):
    off = np.abs(np.linalg.norm(points, axis=1) - 1).max()
    if not off < 1e-3:
        raise ValueError(f"{name} leaves the unit sphere by {off:.2g}; divide points by their length")


@in_style
def orders(steps, errors, quantity="error"):
    """Errors against the number of steps, both logarithmic: order p falls by 2^p where the steps are doubled.

    steps (n,), rising, n at least 2; errors {name: (n,)}, positive, up to 3; quantity: what the errors are of.
    The order at the end of each line is that of its last two points.
    Returns a Figure. Raises ValueError for shapes that do not fit, and errors that are not positive.
    """
    at_most(len(SERIES), len(errors), "lines")
    steps, *lines = arrays(steps=(steps, "n"), **{f"errors[{name!r}]": (e, "n") for name, e in errors.items()})
    if len(steps) < 2 or not (np.diff(steps) > 0).all():
        raise ValueError(f"steps must be two or more, and rise: {steps.tolist()}")
    if not all((line > 0).all() for line in lines):
        raise ValueError("an error is 0 or below; a logarithmic axis needs positive ones")
    figure = page(330)
    ax = figure.add_subplot(xlabel="steps", ylabel=quantity, xscale="log", yscale="log")
    logs = [np.log(line) for line in lines]
    span = max(line.max() for line in logs) - min(line.min() for line in logs)
    places = apart([line[-1] for line in logs], 0.12 * max(span, 1))
    for (name, line), place, (colour, dash, marker) in zip(
        zip(errors, lines, strict=True), places, SERIES, strict=False
    ):
        ax.plot(steps, line, color=colour, ls=dash, marker=marker, ms=6)
        order = -np.log(line[-1] / line[-2]) / np.log(steps[-1] / steps[-2])
        told = f"{name}\norder {order:.1f}".replace("-", "−")
        spot = (steps[-1] * (steps[-1] / steps[0]) ** 0.03, np.exp(place))
        ax.text(*spot, told, color=colour, weight="bold", size=SMALL, va="center", linespacing=1.4)
    ax.set_xlim(steps[0] / 1.1, steps[-1] * (steps[-1] / steps[0]) ** 0.45)
    ax.margins(y=0.12)
    ax.set_xticks(steps, [f"{step:g}" for step in steps])
    ax.minorticks_off()
    plain_logarithmic(ax.yaxis)
    ax.grid(axis="y")
    return figure


@in_style
def paths(paths, start="start"):
    """Paths from one point, laid flat: the plane that holds most of all of them, the first path's end to the right.

    paths: {name: (p, m)}, up to 3, points in a space of many dimensions; all begin at the same one.  start: its label.
    The title says how much of their squared distances from the start the plane holds.
    Returns a Figure. Raises ValueError for shapes that do not fit, different starts, or paths that go nowhere.
    """
    at_most(len(SERIES), len(paths), "paths")
    lines = [arrays(**{f"paths[{name!r}]": (path, "p m")})[0] for name, path in paths.items()]
    if len({line.shape[1] for line in lines}) != 1:
        raise ValueError(f"paths lie in spaces of {[line.shape[1] for line in lines]} dimensions: needed is one space")
    moved = [line.astype(float) - lines[0][0] for line in lines]
    every = np.concatenate(moved)
    if not np.allclose([line[0] for line in moved], 0, atol=1e-4 * max(np.abs(every).max(), 1e-300)):
        raise ValueError("the paths begin at different points")
    if not every.any():
        raise ValueError("no path leaves the start: there is no plane to draw")
    axes, share = _plane_of(every, moved[0][-1])
    figure = page(360)
    ax = figure.add_subplot(xlabel="distance in H", ylabel="across, in H", aspect="equal", adjustable="datalim")
    for name, line, (colour, dash, marker) in zip(paths, moved, SERIES, strict=False):
        flat = line @ axes.T
        ax.plot(*flat.T, color=colour, ls=dash, marker=marker, ms=5, label=name)
        ax.plot(*flat[-1], marker, color=colour, ms=10)
    ax.plot(0, 0, "o", color=INK, ms=8)
    ax.annotate(start, (0, 0), (0, -13), textcoords="offset points", ha="center", va="center", size=SMALL)
    ax.set_title(f"the plane that holds {share:.0%} of it".replace("%", " %"))
    ax.margins(0.12)
    ax.legend(loc="best")
    ax.grid()
    return figure


def _plane_of(every, ahead):
    """Two orthonormal rows (2, m) that hold most of the points, `ahead` along the first, and the share they hold."""
    _, values, rows = np.linalg.svd(every, full_matrices=False)
    plane = rows[:2] if len(rows) > 1 else np.stack([rows[0], 0 * rows[0]])
    share = (values[:2] ** 2).sum() / (values**2).sum()
    first = plane @ ahead
    if np.linalg.norm(first) > 0:
        c, s = first / np.linalg.norm(first)
        plane = np.array([[c, s], [-s, c]]) @ plane
    flat = every @ plane[1]
    return plane * np.array([[1], [1 if flat[np.abs(flat).argmax()] >= 0 else -1]]), share


@in_style
def overshoot(lengths, error, control=None, quantity="realism error", good=None):
    """What becomes of pictures along walks: each thin, their median thick, and the same for random directions.

    lengths (L,); error (k, L) along k directions; control (r, L) along random ones, or None; quantity: what it is;
    good: the error before any step, a dotted line.  Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    lengths, error, control = arrays(lengths=(lengths, "L"), error=(error, "k L"), control=(control, "r L"))
    figure = page(340)
    ax = figure.add_subplot(xlabel="length of the step in X", ylabel=quantity)
    sets = [("along the directions", error), ("along random ones", control)]
    for (name, values), (colour, dash, marker) in zip(sets, SERIES, strict=False):
        if values is not None:
            ax.plot(lengths, values.T, color=colour, lw=0.8, alpha=0.55, ls=dash)
            middle = np.median(values, axis=0)
            ax.plot(lengths, middle, color=colour, lw=2.6, ls=dash, marker=marker, ms=6, label=name)
    if good is not None:
        ax.axhline(float(good), color=MUTED, lw=1.2, ls=(0, (1, 2)), label="before any step")
    ax.set_xticks(lengths)
    ax.set_ylim(0)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    ax.grid(axis="y")
    return figure
