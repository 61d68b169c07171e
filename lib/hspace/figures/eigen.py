"""Rows as shadows, tables of pairs, features that crowd a plane, directions that are kept, and how many are needed."""

import numpy as np

from .linear import arrow, plane
from .matrix import numbers
from .style import (
    INK,
    LINE,
    MUTED,
    PAPER,
    PLAIN,
    SERIES,
    SIGNED,
    SMALL,
    apart,
    arrays,
    as_text,
    at_most,
    few,
    in_style,
    labels,
    page,
)

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@in_style
def row_map(W, x, name="W", inputs=("x₁", "x₂"), outputs=("h₁", "h₂")):
    """The rows of W drawn among its inputs, with the shadows of x on their lines; right, where W takes them and x.

    W (2, 2), without a row of zeros; x (2,); name: of the matrix.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    W, x = arrays(W=(W, "2 2"), x=(x, "2"))
    _no_zero_row(W, "W")
    inputs, outputs = labels(inputs, 2, "inputs"), labels(outputs, 2, "outputs")
    figure = page(310)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.45])
    for i, (row, (colour, dash, _)) in enumerate(zip(W, SERIES, strict=False)):
        row_name = f"r{i + 1}".translate(SUBSCRIPTS)
        foot = (x @ row) / (row @ row) * row
        left.axline((0, 0), row, color=LINE, lw=1.2, zorder=0)
        left.plot(*zip(x, foot, strict=True), color=colour, lw=1, ls=(0, (1, 2)))
        left.plot(*foot, "o", color=colour, ms=5)
        arrow(left, (0, 0), row, colour, dash, 2.6)
        _beside(left, row, row_name, colour)
        arrow(right, (0, 0), W @ row, colour, dash, 2.6)
        _named(right, W @ row, f"{name} {row_name} = {_point(W @ row)}", colour, above=True)
    for ax, tip, told in ((left, x, f"x = {_point(x)}"), (right, W @ x, f"{name} x = {_point(W @ x)}")):
        arrow(ax, (0, 0), tip, INK, "-", 1.8)
        _named(ax, tip, told, INK)
    left.set(xlabel=inputs[0], ylabel=inputs[1], title="input space")
    right.set(xlabel=outputs[0], ylabel=outputs[1], title="output space")
    plane(left, [(0, 0), x, *W])
    plane(right, [(0, 0), W @ x, *(W @ W.T).T])
    low, high = np.min([(0, 0), W @ x, *(W @ W.T).T], axis=0), np.max([(0, 0), W @ x, *(W @ W.T).T], axis=0)
    room = 0.18 * (high - low).max()
    right.set(xlim=(low[0] - room, high[0] + 2.2 * room), ylim=(low[1] - room, high[1] + 1.6 * room))
    return figure


def _beside(ax, tip, text, colour):
    """A label at the right-hand side of an arrow, halfway."""
    aside = np.array([tip[1], -tip[0]]) / np.hypot(*tip)
    spot = {"xytext": tuple(13 * aside), "textcoords": "offset points", "ha": "center", "va": "center"}
    ax.annotate(text, np.array(tip) / 2, color=colour, weight="bold", size=SMALL, **spot)


def _named(ax, tip, text, colour, above=False):
    """A label beyond an arrow's tip, seen from the origin; or above it, to the right."""
    way = np.array(tip) / max(np.hypot(*tip), 1e-9)
    side = "center" if abs(way[0]) < 0.5 else "left" if way[0] > 0 else "right"
    offset = tuple(8 * way + (0, 4 * np.sign(way[1] + 1e-9)))
    if above:
        side, offset = "right" if way[0] > 0.5 else "left", (0, 13)
    spot = {"xytext": offset, "textcoords": "offset points", "ha": side, "va": "center"}
    told = ax.annotate(text, tip, color=colour, weight="bold", size=SMALL, **spot)
    told.set_bbox({"fc": PAPER, "ec": "none", "pad": 0.6, "alpha": 0.75})


def _point(values):
    return "(" + ", ".join(as_text(round(float(value), 2) + 0.0) for value in values) + ")"


def _panels(figure, count, **options):
    return figure.subplots(1, count, squeeze=False, **options)[0]


def _no_zero_row(rows, name):
    if not rows.any(axis=-1).all():
        raise ValueError(f"{name} has a row of zeros, which has no line to draw")


@in_style
def shadows(x, rows):
    """The projections of x on the lines of some rows, laid head to tail: do they lead to x?

    x (2,); rows: {name: (k, 2)} with k up to 3, none of them zero; one panel a name, up to 3.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    (x,) = arrays(x=(x, "2"))
    at_most(3, len(rows), "panels")
    figure = page(110 + 560 // max(2, len(rows)))
    panels = _panels(figure, len(rows), sharex=True, sharey=True)
    reached = []
    for ax, (name, given) in zip(panels, rows.items(), strict=True):
        (given,) = arrays(**{f"rows[{name!r}]": (given, "k 2")})
        _no_zero_row(given, f"rows[{name!r}]")
        at_most(len(SERIES), len(given), "rows")
        reached += _head_to_tail(ax, x, given)
        ax.set_title(name)
    for ax in panels:
        plane(ax, [(0, 0), x, *reached])
    return figure


def _head_to_tail(ax, x, rows):
    """Projections of x on rows (k, 2), each from where the last one ended; returns the points on the way."""
    at, points = np.zeros(2), []
    for i, (row, (colour, dash, _)) in enumerate(zip(rows, SERIES, strict=False)):
        ax.axline((0, 0), row, color=LINE, lw=1.2, zorder=0)
        part = (x @ row) / (row @ row) * row
        arrow(ax, at, at + part, colour, dash, 2.4)
        aside = np.array([part[1], -part[0]]) / max(np.hypot(*part), 1e-9)
        name = f"on r{i + 1}".translate(SUBSCRIPTS)
        spot = {"xytext": tuple(15 * aside), "textcoords": "offset points", "ha": "center", "va": "center"}
        ax.annotate(name, at + part / 2, color=colour, weight="bold", size=SMALL, **spot)
        at = at + part
        points.append(at)
    arrow(ax, (0, 0), x, INK, "-", 1.8)
    spot = {"xytext": (-11, 2), "textcoords": "offset points", "ha": "center", "va": "center"}
    ax.annotate("x", x, color=INK, weight="bold", size=SMALL, **spot)
    miss = np.hypot(*(x - at))
    if miss > 1e-6:
        ax.plot(*zip(at, x, strict=True), color=MUTED, lw=1.4, ls=(0, (1, 1.5)))
    told = "they lead to x" if miss < 1e-6 else f"they miss x by {miss:.2f}"
    ax.set_xlabel(told)
    return points


@in_style
def best_row(points, angles, kept, axes=("nose", "nap")):
    """A crowd, and how much of it a single unit row keeps, for every direction of the row.

    points (n, 2); angles (k,) in degrees, -90 to 180; kept (k,): share of the crowd's squared length, 0 to 1; axes:
    their names. The best and the worst of the rows are marked in both halves.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    points, angles, kept = arrays(points=(points, "n 2"), angles=(angles, "k"), kept=(kept, "k"))
    axes = labels(axes, 2, "axes")
    figure = page(330)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.15])
    left.plot(*points.T, "o", ms=2.4, color=MUTED, alpha=0.45, mew=0)
    right.plot(angles, 100 * kept, color=INK)
    reach = 0.75 * np.quantile(np.hypot(*points.T), 0.97)
    for i, name, (colour, dash, marker) in zip((kept.argmax(), kept.argmin()), ("best", "worst"), SERIES, strict=False):
        way = reach * np.array([np.cos(np.radians(angles[i])), np.sin(np.radians(angles[i]))])
        left.axline((0, 0), way, color=colour, ls=dash, lw=1)
        arrow(left, (0, 0), way, colour, dash, 2.6)
        _named(left, way, name, colour)
        right.plot(angles[i], 100 * kept[i], marker, color=colour, ms=8)
        told = f"{name}: {angles[i]:.0f}°, {100 * kept[i]:.0f} %".replace("-", "−")
        up, early = name == "best", angles[i] < angles.mean()
        spot = {"xytext": (0, 9 if up else -9), "textcoords": "offset points", "va": "bottom" if up else "top"}
        side = "left" if early else "right"
        right.annotate(told, (angles[i], 100 * kept[i]), color=colour, weight="bold", size=SMALL, ha=side, **spot)
    left.set(xlabel=axes[0], ylabel=axes[1])
    plane(left, [(0, 0), *np.quantile(points, (0.002, 0.998), axis=0)])
    right.set(xlabel="direction of the row, degrees", ylim=(-14, 114), title="kept of the squared length, %")
    right.set_xticks([tick for tick in range(-90, 181, 45) if angles.min() <= tick <= angles.max()])
    right.set_yticks(range(0, 101, 25))
    right.grid()
    return figure


@in_style
def grams(tables, names):
    """Tables of pairs, such as a Gram matrix beside a correlation matrix: the number in each cell, and its colour.

    tables: {title: (n, n)}, up to 3, each on a scale of its own; names: of the n things.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    at_most(3, len(tables), "tables")
    given = arrays(**{f"tables[{title!r}]": (table, "n n") for title, table in tables.items()})
    names = labels(names, len(given[0]), "names")
    n = len(names)
    figure = page(320 if len(tables) == 1 else 70 + 600 // len(tables))
    for ax, title, table in zip(_panels(figure, len(given)), tables, given, strict=True):
        limit = np.abs(table).max() or 1
        image = ax.imshow(table, cmap=SIGNED, vmin=-limit, vmax=limit)
        numbers(ax, image, table, 2)
        ax.set_xticks(range(n), names)
        ax.set_yticks(range(n), names if ax.get_subplotspec().is_first_col() else [""] * n)
        ax.set_title(title)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    return figure


@in_style
def relations(maps, spots, titles, unit):
    """How every pixel goes with a marked one: signed maps, more and less by colour, 0 as paper.

    maps (k, H, W) with k up to 4, each on a scale of its own up to its largest |value|; spots (k, 2): row and column of
    the marked pixels; titles: k texts; unit: what the colours stand for.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    maps, spots = arrays(maps=(maps, "k H W"), spots=(spots, "k 2"))
    at_most(4, len(maps), "maps")
    titles = labels(titles, len(maps), "titles")
    figure = page(96 + round(620 / max(3, len(maps))))
    panels = _panels(figure, len(maps))
    for ax, values, (row, column), title in zip(panels, maps, spots, titles, strict=True):
        limit = np.abs(values).max() or 1
        image = ax.imshow(values / limit, cmap=SIGNED, vmin=-1, vmax=1, interpolation="nearest")
        ax.plot(column, row, "s", ms=8, mfc="none", mec=PAPER, mew=3.2)
        ax.plot(column, row, "s", ms=8, mfc="none", mec=INK, mew=1.4)
        ax.set_title(title, loc="center")
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)
        ax.spines[:].set_color(LINE)
    bar = figure.colorbar(image, ax=panels, location="bottom", aspect=42, fraction=0.05, pad=0.03, ticks=[-1, 0, 1])
    bar.ax.set_xticklabels(["less", "0", "more"])
    bar.set_label(unit)
    bar.outline.set_visible(False)
    return figure


@in_style
def crowded(features, names, least=0.25):
    """Features as arrows in a plane: how many share it, and how far apart they keep.

    features: {title: (2, n)}, one arrow a column, up to 3 panels; names: of the n features; least: a feature shorter
    than this is not stored, and only named beneath.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    at_most(3, len(features), "panels")
    given = arrays(**{f"features[{title!r}]": (columns, "2 n") for title, columns in features.items()})
    names = labels(names, given[0].shape[1], "names")
    half = 1.5 * max(1, *(np.hypot(*columns).max() for columns in given))
    figure = page(100 + 560 // max(2, len(features)))
    around = np.radians(np.arange(0, 361, 3))
    for ax, title, columns in zip(_panels(figure, len(given)), features, given, strict=True):
        ax.plot(np.cos(around), np.sin(around), color=LINE, lw=1.2, zorder=0)
        left_out = []
        for tip, name in zip(columns.T, names, strict=True):
            if np.hypot(*tip) < least:
                left_out.append(name)
                continue
            arrow(ax, (0, 0), tip, PLAIN, "-", 2.4)
            _named(ax, tip, name, INK)
        ax.set(xlim=(-half, half), ylim=(-half, half), aspect="equal", xticks=[], yticks=[])
        ax.axhline(0, color=LINE, lw=0.8, zorder=0)
        ax.axvline(0, color=LINE, lw=0.8, zorder=0)
        ax.spines[:].set_visible(False)
        ax.set_title(title, loc="center")
        told = f"not stored: {', '.join(left_out)}" if left_out else "all stored"
        ax.text(0.5, 0.0, told, transform=ax.transAxes, ha="center", va="bottom", size=SMALL, color=MUTED)
    return figure


@in_style
def turns(matrices):
    """By how much a matrix turns each direction of the plane: where the line meets 0, a direction is kept.

    matrices: {name: (2, 2)}, up to 3. Lines are taken, not arrows, so that a direction which
    is turned over (a negative eigenvalue) counts as kept: turns lie between -90 and 90 degrees.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    at_most(len(SERIES), len(matrices), "matrices")
    angles = np.arange(0, 180.01, 0.25)
    v = np.stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))])
    figure = page(340)
    ax = figure.add_subplot(xlabel="direction of v, degrees", ylabel="turned by, degrees")
    ax.axhline(0, color=INK, lw=1)
    ends, seen = [], [0.0]
    for (name, M), (colour, dash, marker) in zip(matrices.items(), SERIES, strict=False):
        (M,) = arrays(**{f"matrices[{name!r}]": (M, "2 2")})
        turn = turned(v, M @ v)
        jumps = np.abs(np.diff(turn, append=turn[-1])) > 60
        ax.plot(angles, np.where(jumps, np.nan, turn), color=colour, ls=dash)
        exact = np.flatnonzero(np.abs(turn) < 1e-9)
        between = np.flatnonzero((turn[:-1] * turn[1:] < -1e-18) & (np.abs(np.diff(turn)) < 60))
        kept = angles[np.union1d(exact, between)] if len(exact) < 5 else angles[:0]  # else all are kept: no marks
        ax.plot(kept, 0 * kept, marker, color=colour, ms=8, zorder=3, clip_on=False)
        seen += [turn.min(), turn.max()]
        ends.append((name, turn[-1], colour))
    low, high = 30 * np.floor(min(seen) / 30), 30 * np.ceil(max(seen) / 30)
    for (name, _, colour), place in zip(ends, apart([end for _, end, _ in ends], 0.07 * (high - low)), strict=True):
        ax.text(184, place, name, color=colour, weight="bold", size=SMALL, va="center")
    ticks = np.arange(low, high + 1, 30)
    ax.set(xlim=(0, 180), ylim=(low - 4, high + 4))
    ax.set_xticks(range(0, 181, 30))
    ax.set_yticks(ticks, [as_text(tick) for tick in ticks])
    ax.grid()
    return figure


def turned(v, image):
    """Angles from the lines of v (2, n) to those of image (2, n), degrees in (-90, 90], to the left."""
    cross, dot = v[0] * image[1] - v[1] * image[0], (v * image).sum(axis=0)
    angle = np.degrees(np.arctan2(cross, dot))
    angle = np.where(np.abs(cross) < 1e-12, 0.0, angle)
    return 90 - (90 - angle) % 180


@in_style
def how_many(counts, kept, marks=()):
    """The share that the first k directions keep, against k.

    counts (n,), rising, from 1; kept {name: (n,)}, shares from 0 to 1, up to 3; marks: counts to name on the lines'
    last one.  Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    at_most(len(SERIES), len(kept), "lines")
    counts, *lines = arrays(counts=(counts, "n"), **{f"kept[{name!r}]": (line, "n") for name, line in kept.items()})
    figure = page(340)
    ax = figure.add_subplot(xlabel="number of eigenfaces", ylabel="kept of what differs, %", xscale="log")
    for name, line, (colour, dash, _) in zip(kept, lines, SERIES, strict=False):
        ax.plot(counts, 100 * line, color=colour, ls=dash, label=name)
    colour, last = SERIES[len(lines) - 1][0], lines[-1]
    for mark in marks:
        share = 100 * np.interp(mark, counts, last)
        ax.plot(mark, share, "o", color=colour, ms=7)
        spot = {"xytext": (7, -14), "textcoords": "offset points", "size": SMALL}
        ax.annotate(f"{mark}: {share:.0f} %", (mark, share), color=colour, weight="bold", **spot)
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000) if tick <= counts[-1]]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set(xlim=(1, counts[-1] * 1.25), ylim=(0, 104))
    few(ax.yaxis, 5)
    ax.legend(loc="upper left")
    ax.grid()
    return figure
