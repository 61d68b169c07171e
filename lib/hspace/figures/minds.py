"""Models and methods side by side: what there is to carry, how curves fall, how strong and how sure changes are."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from .style import DASHES, INK, LINE, MUTED, OTHER, PAPER, PLAIN, SMALL, apart, arrays, few, in_style, labels, page

BYTES = 4  # of a float32
UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B"))


@in_style
def burdens(models, k=50):
    """What there is to carry of each model, in bytes of float32 on a logarithmic axis.

    models: {name: (weights, n, m)}: how many weights, numbers of x, numbers of h.  A circle is the weights, a square
    the Jacobian if one wrote it down, m n numbers, and a triangle its k singular triplets, k (m + n + 1).
    Returns a Figure. Raises ValueError where a number is not above 0.
    """
    (counts,) = arrays(models=(np.array(list(models.values()), dtype=float).reshape(len(models), -1), "models 3"))
    if not (counts > 0).all():
        raise ValueError(f"the least number is {counts.min():g}; a logarithmic axis needs positive ones")
    weights, n, m = counts.T
    series = (
        ("weights", weights, {"marker": "o", "mfc": PLAIN, "mec": PLAIN}),
        ("J, if it were written down", m * n, {"marker": "s", "mfc": PAPER, "mec": OTHER, "mew": 2}),
        (f"its first {k} directions", k * (m + n + 1), {"marker": "^", "mfc": INK, "mec": INK}),
    )
    places = np.arange(len(counts))[::-1]
    figure = page(110 + 58 * len(counts))
    ax = figure.add_subplot(xscale="log")
    everything = BYTES * np.stack([values for _, values, _ in series])
    ax.hlines(places, everything.min(0), everything.max(0), color=LINE, lw=2)
    for (name, values, look), side in zip(series, (-1, 1, 1), strict=True):
        ax.plot(BYTES * values, places, ls="", ms=9, label=name, zorder=3, **look)
        for size, place in zip(BYTES * values, places, strict=True):
            where = {"va": "bottom" if side > 0 else "top", "ha": "center"}
            spot = {"xytext": (0, 8 * side), "textcoords": "offset points", **where}
            ax.annotate(_told(size), (size, place), color=MUTED, size=SMALL, **spot)
    ax.set(xlim=(everything.min() / 3, everything.max() * 3), ylim=(-0.55, len(counts) - 0.45))
    ax.set_yticks(places, list(models))
    ticks = 10.0 ** np.arange(np.ceil(np.log10(everything.min() / 3)), np.log10(everything.max() * 3))
    ax.set_xticks(ticks, [_told(tick, "g") for tick in ticks])
    ax.minorticks_off()
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, handletextpad=0.3, columnspacing=1.2)
    return figure


def _told(size, digits=None):
    """Bytes as text with a unit: two digits, or as `digits`, a format, says."""
    unit, name = next((unit, name) for unit, name in UNITS if size >= unit or unit == 1)
    value = float(f"{size / unit:.2g}")
    return f"{value:{digits or ('.1f' if value < 10 and unit > 1 else '.0f')}} {name}"


@in_style
def falls(curves, ylabel="singular value over the first", xlabel="index of the direction"):
    """Falling curves, each divided by its first value, with their names at their ends.

    curves: {name: (k,)}, positive; all of one length.  Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    values = np.stack(arrays(**{str(name): (curve, "k") for name, curve in curves.items()}))
    names = labels(list(curves), len(values), "curves")
    if not (values > 0).all():
        raise ValueError(f"the least value is {values.min():g}; shares of the first need positive ones")
    values = values / values[:, :1]
    k = values.shape[1]
    figure = page(320)
    ax = figure.add_subplot(xlabel=xlabel, ylabel=ylabel, ylim=(0, 1.04))
    colours = (PLAIN, OTHER, INK, MUTED)
    places = apart(values[:, -1], 0.075)
    index = np.arange(1, k + 1)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    for i, (curve, name, place) in enumerate(zip(values, names, places, strict=True)):
        colour, dash = colours[i % len(colours)], DASHES[i % len(DASHES)]
        ax.plot(index, curve, color=colour, ls=dash, marker="o", ms=3.5, clip_on=False, zorder=3)
        spot = {"xytext": (1.02 * k + 0.2, place), "va": "center", "color": colour, "weight": "bold"}
        ax.annotate(name, (k, curve[-1]), size=SMALL, annotation_clip=False, **spot)
    ax.set_xlim(1 - 0.01 * k, k)
    ax.grid(axis="y")
    return figure


@in_style
def kinds(strength, agreement, names, chance):
    """Kinds of directions, one a row: how much each changes, and beside it how much pictures agree on the change.

    strength (K,), in standard deviations of the factors per unit of length; agreement (K,), 0..1; names: K labels;
    chance: the agreement of unrelated changes, a dashed line.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    strength, agreement = arrays(strength=(strength, "K"), agreement=(agreement, "K"))
    names = labels(names, len(strength), "names")
    rows = np.arange(len(names))[::-1]
    figure = page(120 + 34 * len(names))
    left, right = figure.subplots(1, 2, sharey=True)
    for ax, values in ((left, strength), (right, agreement)):
        ax.hlines(rows, 0, values, color=LINE, lw=2)
        ax.plot(values, rows, "o", ms=9, color=PLAIN, zorder=3, clip_on=False)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_color(LINE)
        few(ax.xaxis, 5)
    left.set(xlim=(0, 1.1 * strength.max()), title="strength", xlabel="sd for each unit of length")
    left.set_yticks(rows, names)
    right.axvline(chance, color=MUTED, ls=DASHES[1], lw=1.2)
    right.set(xlim=(0, 1), ylim=(-0.6, len(names) - 0.4), title="agreement", xlabel="1 is perfect, dashed is chance")
    return figure
