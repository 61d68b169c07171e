"""Rulers drawn: three kinds of likeness, circles pulled back to ellipses, lengths by several rulers, cosines, ranks."""

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
    SIGNED,
    arrays,
    at_most,
    few,
    in_style,
    labels,
    page,
    plain_logarithmic,
)

SERIES = ((INK, "D"), (OTHER, "s"), (PLAIN, "o"), (MUTED, "^"))  # colour and marker: neither x₁ nor x₂
FULL = np.linspace(0, 2 * np.pi, 181)


@in_style
def likeness(a, b, others, names, axes=("nose", "ear")):
    """What is as like to a as b is, by three measures: a line by dot product, two rays by cosine, a circle by distance.

    a, b (2,), neither of them 0; others (n, 2): further points, dots; names: of a, b and the others; axes: their names.
    Returns a Figure. Raises ValueError for shapes that do not fit and vectors of length 0.
    """
    a, b, others = arrays(a=(a, "2"), b=(b, "2"), others=(others, "n 2"))
    names, axes = labels(names, 2 + len(others), "names"), labels(axes, 2, "axes")
    if not (a.any() and b.any()):
        raise ValueError("a vector of length 0 is like nothing: a and b must differ from 0")
    every = np.stack([np.zeros(2), a, b, *others])
    low, high = every.min(0), every.max(0)
    pad = 0.3 * (high - low).max()
    figure = page(420)
    ax = figure.add_subplot(xlabel=axes[0], ylabel=axes[1], aspect="equal")
    across = np.array([-a[1], a[0]])
    foot = (a @ b) / (a @ a) * a
    ax.axline(foot, foot + across, color=SERIES[1][0], ls=DASHES[1], lw=1.8, label="equal dot product")
    turn = np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))
    for sign in (1, -1):
        c, s = np.cos(sign * turn), np.sin(sign * turn)
        ray = 20 * np.linalg.norm(high - low) * np.array([c * a[0] - s * a[1], s * a[0] + c * a[1]])
        ray = np.stack([np.zeros(2), ray / np.linalg.norm(a)])
        ax.plot(*ray.T, color=MUTED, ls=DASHES[2], lw=1.8, label="equal cosine" if sign > 0 else None)
    far = np.linalg.norm(b - a)
    circle = np.stack([a[0] + far * np.cos(FULL), a[1] + far * np.sin(FULL)])
    ax.plot(*circle, color=PLAIN, lw=1.8, label="equal distance")
    arrow(ax, (0, 0), a, INK, "-", 2.8)
    arrow(ax, (0, 0), b, INK, "-", 1.6)
    ax.plot(*others.T, "o", color=INK, ms=6)
    for i, (point, name) in enumerate(zip(every[1:], names, strict=True)):
        told = ax.annotate(name, point, (8, 7) if i < 2 else (9, -15), textcoords="offset points", weight="bold")
        told.set_bbox({"fc": PAPER, "ec": "none", "pad": 0.6, "alpha": 0.8})
    ax.set(xlim=(low[0] - pad, high[0] + pad), ylim=(low[1] - pad, high[1] + pad))
    few(ax.xaxis, 6)
    few(ax.yaxis, 6)
    ax.grid()
    figure.legend(loc="outside upper center", ncols=3, frameon=False, handlelength=2.8)
    return figure


@in_style
def pulled_back(x, h, points, images, jacobians, radius):
    """Circles of one radius at points of H, on the right, and what they are when pulled back to X, on the left.

    x, h (2, a, b): a grid of X and its images; along the last axis x₁ grows, along the one before x₂.
    points, images (k, 2), jacobians (k, 2, 2): where the circles stand and J there, which must have an inverse.
    Returns a Figure. Raises ValueError for shapes that do not fit, and for a J without an inverse.
    """
    x, h, points, images, jacobians = arrays(
        x=(x, "2 a b"), h=(h, "2 a b"), points=(points, "k 2"), images=(images, "k 2"), jacobians=(jacobians, "k 2 2")
    )
    if (np.abs(np.linalg.det(jacobians)) < 1e-6).any():
        raise ValueError("a J has no inverse: the ellipse there would be endless; leave that point out")
    circle = float(radius) * np.stack([np.cos(FULL), np.sin(FULL)])
    ellipses = points[:, :, None] + np.linalg.inv(jacobians) @ circle
    circles = images[:, :, None] + circle
    wide, high = zip(*(np.ptp(grid.reshape(2, -1), axis=1) for grid in (x, h)), strict=True)
    share = np.clip(wide[1] / high[1] / (wide[0] / high[0]), 0.5, 2)  # of the right panel's width in the left one's
    figure = page(300)
    panels = zip(
        figure.subplots(1, 2, width_ratios=[1, share]),
        (x, h),
        (ellipses, circles),
        (points, images),
        ("x", "h"),
        strict=True,
    )
    for ax, grid, rims, middles, letter in panels:
        ax.plot(*grid.transpose(0, 2, 1), color=RED, lw=0.8, alpha=0.5)
        ax.plot(*grid, color=BLUE, ls=DASHES[1], lw=0.8, alpha=0.5)
        for rim in rims:
            ax.fill(*rim, fc="#14706a30", ec=PLAIN, lw=1.3)
        ax.plot(*middles.T, ".", color=INK, ms=3)
        ax.set(xlabel=f"{letter}₁", ylabel=f"{letter}₂", title=letter.upper(), aspect="equal")
        few(ax.xaxis, 6)
        few(ax.yaxis, 6)
    return figure


@in_style
def roundness(radii, rounds):
    """The way round circles, divided by 2π times the radius, against the radius: 1 on whatever is flat.

    radii (r,), positive; rounds {name: (r,)}: the ways round, up to 3.
    Returns a Figure. Raises ValueError for shapes that do not fit and radii that are not positive.
    """
    at_most(3, len(rounds), "lines")
    radii, *lines = arrays(radii=(radii, "r"), **{f"rounds[{name!r}]": (way, "r") for name, way in rounds.items()})
    if not (radii > 0).all():
        raise ValueError(f"a circle has a positive radius: {radii.tolist()}")
    figure = page(290)
    ax = figure.add_subplot(xlabel="radius", ylabel="way round / (2π radius)")
    ax.axhline(1, color=LINE, lw=4, zorder=0)
    for (name, way), dash, (colour, marker) in zip(
        zip(rounds, lines, strict=True), DASHES, (SERIES[2], *SERIES[:2]), strict=False
    ):
        ax.plot(radii, way / (2 * np.pi * radii), color=colour, ls=dash, marker=marker, ms=6, label=name)
    ax.set(xlim=(0, 1.06 * radii.max()), ylim=(0, 1.12))
    ax.legend(loc="lower left")
    ax.grid(axis="y")
    return figure


@in_style
def rulers(lengths, names):
    """The same steps measured by several rulers, each in units of its own middle length, on a logarithmic axis.

    lengths {ruler: (B, F)}: B measurements of F steps, positive, up to 4 rulers; names: F names.
    A marker stands at the geometric mean over the B, a thin line from the least to the largest. The steps stand in the
    order of the first ruler. Returns a Figure. Raises ValueError for shapes that do not fit and lengths not above 0.
    """
    at_most(len(SERIES), len(lengths), "rulers")
    given = arrays(**{f"lengths[{name!r}]": (values, "B F") for name, values in lengths.items()})
    if not all((values > 0).all() for values in given):
        raise ValueError("a length is 0 or below; a logarithmic axis needs positive ones")
    F = given[0].shape[1]
    names = labels(names, F, "names")
    logs = [np.log(values) - np.log(values).mean() for values in given]
    order = np.argsort(logs[0].mean(0))[::-1]
    figure = page(100 + 34 * F)
    ax = figure.add_subplot(xscale="log", xlabel="length, in units of the ruler's own middle")
    ax.axvline(1, color=MUTED, lw=1)
    offsets = np.linspace(-0.26, 0.26, len(given)) if len(given) > 1 else [0]
    for (ruler, values), offset, (colour, marker) in zip(
        zip(lengths, logs, strict=True), offsets, SERIES, strict=False
    ):
        values, rows = values[:, order], np.arange(F) + offset
        ax.hlines(rows, np.exp(values.min(0)), np.exp(values.max(0)), color=colour, lw=1)
        ax.plot(np.exp(values.mean(0)), rows, marker, color=colour, ms=6.5, label=ruler)
    ax.set_yticks(np.arange(F), [names[i] for i in order])
    ax.set_ylim(F - 0.5, -0.5)
    ax.set_xmargin(0.04)
    plain_logarithmic(ax.xaxis)
    ax.grid(axis="x")
    for row in np.arange(F - 1) + 0.5:
        ax.axhline(row, color=LINE, lw=0.8)
    figure.legend(loc="outside upper center", ncols=len(lengths), frameon=False)
    return figure


@in_style
def overlaps(cosines, names):
    """Cosines between n steps as tables of colours, side by side, one for each ruler; written where they are not small.

    cosines {ruler: (n, n)}, from -1 to 1, up to 2; names: n names.
    Returns a Figure. Raises ValueError for shapes that do not fit and numbers that are no cosines.
    """
    at_most(2, len(cosines), "tables")
    tables = arrays(**{f"cosines[{name!r}]": (values, "n n") for name, values in cosines.items()})
    if not all((np.abs(table) <= 1 + 1e-3).all() for table in tables):
        raise ValueError("cosines lie between -1 and 1")
    names = labels(names, len(tables[0]), "names")
    figure = page(130 + 480 // len(tables) if len(tables) > 1 else 520, colours=None)
    for ax, ruler, table in zip(figure.subplots(1, len(tables), squeeze=False)[0], cosines, tables, strict=True):
        image = ax.imshow(table, cmap=SIGNED, vmin=-1, vmax=1)
        ax.set_title(ruler)
        ax.set_xticks(np.arange(len(names)), names, rotation=90)
        first = ax is figure.axes[0]
        ax.set_yticks(np.arange(len(names)), names if first else [])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        for i, j in zip(*np.nonzero(np.abs(table) >= 0.15), strict=True):
            if i != j:
                told = f"{abs(table[i, j]):.1f}"[1:] if abs(table[i, j]) < 0.95 else "1"
                sign = "−" if table[i, j] < 0 else ""
                dark = abs(table[i, j]) > 0.55
                ax.text(j, i, sign + told, ha="center", va="center", size=7.5, color=PAPER if dark else INK)
    bar = figure.colorbar(image, ax=figure.axes, location="bottom", aspect=42, fraction=0.05, pad=0.02)
    bar.set_label("cosine of the angle")
    bar.outline.set_visible(False)
    return figure


@in_style
def distances(truth, measured, correlations=None):
    """Distances of pairs by several rulers, each in units of its median, against those in truth, each pair a dot.

    truth (p,); measured {ruler: (p,)}, up to 3; correlations {ruler: number}: written above the panel.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    at_most(3, len(measured), "rulers")
    truth, *values = arrays(truth=(truth, "p"), **{f"measured[{name!r}]": (d, "p") for name, d in measured.items()})
    figure = page(100 + 540 // len(values))
    panels = figure.subplots(1, len(values), squeeze=False, sharey=True)[0]
    for ax, ruler, distance in zip(panels, measured, values, strict=True):
        ax.plot(truth, distance / np.median(distance), ".", color=PLAIN, ms=2.2, alpha=0.45, mec="none")
        told = "" if correlations is None else f"\n{correlations[ruler]:.2f}".replace("-", "−")
        ax.set(xlabel="distance of the factors", title=f"{ruler}{told}")
        few(ax.xaxis, 5)
    panels[0].set_ylabel("distance / its median")
    panels[0].set_ylim(0)
    few(panels[0].yaxis, 5)
    return figure


@in_style
def intervals(groups, quantity):
    """Numbers with their intervals, in groups one below the other.

    groups {group: {name: (value, low, high)}}; quantity: what the numbers are.  A line marks 0.
    Returns a Figure. Raises ValueError for an interval whose ends are in the wrong order.
    """
    count = sum(map(len, groups.values()))
    figure = page(80 + 26 * count + 26 * len(groups))
    ax = figure.add_subplot(xlabel=quantity)
    ax.axvline(0, color=MUTED, lw=1)
    row, ticks = 0.0, []
    for group, rows in groups.items():
        ticks.append((row, group, "bold"))
        for i, (name, (value, low, high)) in enumerate(rows.items()):
            if not low <= high:
                raise ValueError(f"{group}, {name}: the interval from {low} to {high} is empty")
            row += 1
            colour, marker = SERIES[i % len(SERIES)]
            ax.hlines(row, low, high, color=colour, lw=2)
            ax.plot(value, row, marker, color=colour, ms=7)
            ticks.append((row, name, "normal"))
        row += 1.3
    ax.set_yticks([place for place, *_ in ticks], [name for _, name, _ in ticks])
    for label, (*_, weight) in zip(ax.get_yticklabels(), ticks, strict=True):
        label.set_fontweight(weight)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(row - 0.6, -0.7)
    ax.spines["left"].set_visible(False)
    ax.set_xmargin(0.08)
    ax.grid(axis="x")
    return figure
