"""Change matrices: what directions, or methods, do to each factor of the finished picture."""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogFormatterSciNotation, LogLocator

from .style import (
    INK,
    LESS,
    LINE,
    MORE,
    MUTED,
    PAPER,
    PLAIN,
    SIGNED,
    SMALL,
    among,
    arrays,
    in_style,
    labels,
    page,
)

UNIT = "change per unit length, in standard deviations"
FULL = 2.0  # standard deviations: a change that wants no darker colour


@in_style
def change_heatmap(values, factors, low=None, high=None, control=None):
    """Factors × directions as colours; a dot where the interval excludes 0; at the right the largest against chance.

    values (F, k); factors: F names; low, high (F, k): intervals of the values; control (F, r), or (B, F, r) over B
    pictures of which the mean is taken as in the values: the same for random directions. The 95th percentile of its
    |values| stands beside each factor's largest |value|.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    values, low, high, control = _matrix(values, low, high, control, "F k")
    F, k = values.shape
    factors = labels(factors, F, "factors")
    figure = page(122 + 25 * F, colours=None)
    ax, *side = figure.subplots(
        1, 1 if control is None else 2, squeeze=False, sharey=True, width_ratios=[4.4, 1][: 1 + (control is not None)]
    )[0]
    image = _cells(ax, values, factors)
    if low is not None:
        _dots(ax, image, (low > 0) | (high < 0))
    _directions(ax, k)
    bar = figure.colorbar(image, ax=ax, location="bottom", aspect=42, fraction=0.05, pad=0.02)
    bar.set_label(UNIT + ("" if low is None else "\n• its interval excludes 0"))
    bar.outline.set_visible(False)
    for panel in side:
        _against_chance(panel, np.abs(values).max(axis=1), np.quantile(np.abs(control), 0.95, axis=1))
    return figure


@in_style
def change_bars(values, low, high, factors, control=None):
    """One direction: a bar a factor with its interval; behind it what 95 % of random directions do.

    values, low, high (F,); factors: F names; control (F, r), or (B, F, r) of which the mean over B is taken.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    values, low, high, control = _matrix(values, low, high, control, "F")
    F = len(values)
    factors = labels(factors, F, "factors")
    figure = page(86 + 25 * F)
    ax = figure.add_subplot(xlabel=UNIT)
    rows = np.arange(F)
    if control is not None:
        chance = np.quantile(np.abs(control), 0.95, axis=1)
        ax.barh(rows, 2 * chance, left=-chance, height=0.92, color=LINE, label="95 % of random directions")
    colours = np.where(values > 0, MORE, LESS)
    ax.barh(rows, values, height=0.5, color=colours)
    ax.hlines(rows, low, high, color=INK, lw=1.4, label="95 % interval")
    ax.plot([low, high], [rows, rows], "|", color=INK, ms=6)
    ax.axvline(0, color=INK, lw=1)
    ax.set_yticks(rows, factors)
    ax.set_ylim(F - 0.4, -0.6)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    figure.legend(loc="outside upper right", frameon=False, ncols=2, fontsize=SMALL)
    return figure


@in_style
def changes(values, names, factors, wished=(), best=None):
    """How far each of several methods moves each factor: the number in each cell, and its colour.

    values (n, F): sizes of changes in standard deviations, none negative; from `FULL` on all are as dark.
    names: n names, from above; factors: F names, those in `wished` framed.  best: the name that stands out.
    Returns a Figure. Raises ValueError for shapes that do not fit, negative values and names that are not there.
    """
    [values] = arrays(values=(values, "n F"))
    if not (values >= 0).all():
        raise ValueError(f"sizes of changes are not negative: {values.min()}")
    names, factors = labels(names, len(values), "names"), labels(factors, values.shape[1], "factors")
    among(factors, wished)
    among(names, [best] if best else [])
    figure = page(84 + 24 * len(names))
    ax = figure.add_subplot()
    image = ax.imshow(values, cmap=SIGNED, vmin=-FULL, vmax=FULL, aspect="auto")
    numbers(ax, image, values, 1)
    for name in wished:
        ax.add_patch(
            Rectangle((factors.index(name) - 0.48, -0.46), 0.96, len(names) - 0.08, fill=False, ec=INK, lw=1.4)
        )
    ax.set_xticks(range(len(factors)), factors, rotation=90)
    ax.set_yticks(range(len(names)), names)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    for label in ax.get_yticklabels():
        label.set_fontweight("bold" if label.get_text() == best else "normal")
    return figure


def numbers(ax, image, values, digits):
    """Write each number into its cell, light on dark colours, dark on light ones, with a true minus and no −0."""
    colours = _legible(image, values)
    for r, c in np.ndindex(values.shape):
        told = f"{values[r, c]:z.{digits}f}".replace("-", "−")
        ax.text(c, r, told, ha="center", va="center", size=SMALL, color=colours[r, c])


def _legible(image, values):
    """The colour, PAPER or INK, that can be read on each value's."""
    dark = image.to_rgba(values)[..., :3] @ (0.299, 0.587, 0.114) < 0.5
    return np.where(dark, PAPER, INK)


def _matrix(values, low, high, control, axes):
    if (low is None) != (high is None):
        raise ValueError("low and high belong together: give both or neither")
    over = "B F r" if np.ndim(control) == 3 else "F r"
    values, low, high, control = arrays(
        values=(values, axes), low=(low, axes), high=(high, axes), control=(control, over)
    )
    return values, low, high, control.mean(axis=0) if over == "B F r" else control


def _cells(ax, values, factors):
    limit = np.abs(values).max() or 1
    image = ax.imshow(values, cmap=SIGNED, vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
    ax.set_yticks(range(len(factors)), factors)
    ax.hlines(np.arange(len(factors) - 1) + 0.5, -0.5, values.shape[1] - 0.5, color=LINE, lw=0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines[:].set_visible(False)
    return image


def _dots(ax, image, shown):
    """Dots that contrast with their cell: light on dark colours, dark on light ones."""
    rows, columns = np.nonzero(shown)
    colours = _legible(image, image.get_array())[rows, columns]
    ax.scatter(columns, rows, s=5, c=colours, linewidths=0)


def _directions(ax, k):
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if k / step <= 20)
    ax.set_xticks(range(0, k, step))
    ax.set_xlabel("direction")
    ax.xaxis.set_label_position("top")
    ax.xaxis.tick_top()


def _against_chance(ax, largest, chance):
    rows = np.arange(len(largest))
    ax.hlines(rows, chance, largest, color=LINE, lw=2.5)
    ax.plot(largest, rows, "o", ms=5, color=PLAIN, label="largest")
    ax.plot(chance, rows, "|", ms=10, mew=2, color=MUTED, label="random, 95 %")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(numticks=3))
    ax.xaxis.set_major_formatter(LogFormatterSciNotation())
    ax.minorticks_off()
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1), fontsize=SMALL, handletextpad=0.1, borderpad=0.1)
