"""Small matrices drawn: number lines joined by a weight, neurons, planes with their basis vectors, rays, dot products.

The first input is red, round and solid, the second blue, square and dashed; results are ink.
"""

import numpy as np

from .style import (
    BLUE,
    DASHES,
    INK,
    LINE,
    MUTED,
    ORDERED,
    OTHER,
    PAPER,
    PLAIN,
    RED,
    SERIES,
    SMALL,
    arrays,
    as_text,
    at_most,
    few,
    in_style,
    labels,
    page,
)

INPUTS = ((RED, "-", "o"), (BLUE, DASHES[1], "s"))  # colour, dash and marker of x₁ and x₂


@in_style
def number_lines(w, x, names=("nose", "nap")):
    """Two number lines joined by a weight: every whole input by a thin line to its output, every x by a thick one.

    w: a number; x (n,): points on the upper line; names: of input and output.
    Returns a Figure. Raises ValueError for another shape, or a weight that is not finite.
    """
    (x,) = arrays(x=(x, "n"))
    w = _finite(w, "w")
    upper, lower = labels(names, 2, "names")
    ends = np.array([min(0, np.floor(x.min())), max(1, np.ceil(x.max()))])
    reach = np.array([min(0, *ends, *(w * ends)) - 0.35, max(*ends, *(w * ends)) + 0.35])
    figure = page(230)
    ax = figure.add_subplot(xlim=reach, ylim=(-0.6, 1.6))
    ax.set_axis_off()
    for y, name in ((1, upper), (0, lower)):
        ax.axhline(y, color=INK, lw=1.4)
        for tick in range(int(np.ceil(reach[0])), int(np.floor(reach[1])) + 1):
            ax.plot([tick, tick], [y - 0.05, y + 0.05], color=INK, lw=1.2)
            ax.text(
                tick, y + (0.14 if y else -0.14), as_text(tick), ha="center", va="bottom" if y else "top", size=SMALL
            )
        ax.text(reach[0], y + (0.34 if y else -0.34), name, va="center", weight="bold")
    for tick in np.arange(ends[0], ends[1] + 1):
        ax.plot([tick, w * tick], [1, 0], color=LINE, lw=1, zorder=0)
    ax.plot([x, w * x], [1, 0], color=RED, lw=1.6)
    ax.plot(x, np.ones_like(x), "o", color=RED, ms=8, clip_on=False)
    ax.plot(w * x, np.zeros_like(x), "o", color=INK, ms=8, clip_on=False)
    spot = {"ha": "center", "va": "center", "bbox": {"fc": PAPER, "ec": LINE, "boxstyle": "round,pad=0.3"}}
    ax.text((x[-1] + w * x[-1]) / 2, 0.5, f"× {as_text(w)} {lower}/{upper}", color=INK, size=SMALL, **spot)
    return figure


@in_style
def network(W, inputs=("nose", "ear"), outputs=("nap", "luck"), ratios=True):
    """Neurons as circles, weights on the lines between them.

    W (m, n) with n of 1 or 2; inputs: n names, from above; outputs: m names; ratios: whether each weight carries its
    unit, such as nap/nose.  Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    (W,) = arrays(W=(W, "m n"))
    m, n = W.shape
    at_most(2, n, "inputs")
    inputs, outputs = labels(inputs, n, "inputs"), labels(outputs, m, "outputs")
    figure = page(90 + 110 * max(m, n), layout="none")
    ax = figure.add_axes((0, 0, 1, 1), aspect="equal", xlim=(-3.2, 3.2))
    ax.set_axis_off()
    left, right = ([(side, 0.55 * (k - 1) - 1.1 * i) for i in range(k)] for side, k in ((-1.9, n), (1.9, m)))
    for j, (x, y) in enumerate(left):
        colour, dash, _ = INPUTS[j]
        for i, (to_x, to_y) in enumerate(right):
            ax.plot([x, to_x], [y, to_y], color=colour, ls=dash, lw=2, zorder=1)
            share = 0.5 if n == m == 1 else 0.3 if (j + i) % 2 else 0.62  # so that labels on crossing lines stay apart
            unit = f" {outputs[i]}/{inputs[j]}" if ratios else ""
            spot = (x + share * (to_x - x), y + share * (to_y - y))
            box = {"fc": PAPER, "ec": colour, "boxstyle": "round,pad=0.25"}
            ax.text(*spot, f"{as_text(W[i, j])}{unit}", color=colour, ha="center", va="center", size=SMALL, bbox=box)
        _neuron(ax, x, y, inputs[j], colour)
    for (x, y), name in zip(right, outputs, strict=True):
        _neuron(ax, x, y, name, INK)
    ax.set_ylim(-0.55 * max(m, n) - 0.1, 0.55 * max(m, n) + 0.1)
    return figure


def _neuron(ax, x, y, name, colour):
    ax.plot(x, y, "o", ms=48, mfc=PAPER, mec=colour, mew=2, zorder=2)
    ax.text(x, y, name, ha="center", va="center", weight="bold", color=colour, zorder=3)


@in_style
def linear_map(W, x, inputs=("nose", "ear"), outputs=("nap", "luck")):
    """x as a sum of basis vectors on the left, W x as the same sum of their images on the right.

    W (m, 2) with m of 1 (a number line) or 2 (a plane); x (2,).  Thick arrows are the basis vectors and where they
    land, thin ones what x makes of them, grey ones the output's own basis vectors.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    W, x = arrays(W=(W, "m 2"), x=(x, "2"))
    at_most(2, len(W), "outputs")
    inputs, outputs = labels(inputs, 2, "inputs"), labels(outputs, len(W), "outputs")
    figure = page(350)
    left, right = figure.subplots(1, 2)
    _sum_in_plane(left, np.eye(2), x, inputs)
    left.set(xlabel=inputs[0], ylabel=inputs[1], title="input space")
    right.set_title("output space")
    if len(W) == 1:
        _sum_on_line(right, W[0], x, inputs, outputs[0])
    else:
        for axis, name in zip(np.eye(2), outputs, strict=True):
            arrow(right, (0, 0), axis, MUTED, "-", 2.2)
            right.annotate(f"1 {name}", axis, xytext=(0, 9), textcoords="offset points", **TINY)
        _sum_in_plane(right, W, x, inputs)
        right.set(xlabel=outputs[0], ylabel=outputs[1])
    return figure


TINY = {"size": SMALL, "color": MUTED, "ha": "center", "va": "center"}


def _sum_in_plane(ax, columns, x, names):
    """Arrows x₁ c₁ and x₂ c₂ head to tail with their sum, over the columns c₁ and c₂ of a (2, 2) matrix themselves."""
    tail = np.zeros(2)
    points = [tail, *columns.T]
    for column, amount, name, (colour, dash, _) in zip(columns.T, x, names, INPUTS, strict=True):
        arrow(ax, (0, 0), column, colour, dash, 3.2)
        aside = np.array([column[1], -column[0]]) / (np.hypot(*column) or 1)
        side = 1 if colour == RED else -1
        spot = {"xytext": side * 13 * aside, "textcoords": "offset points", "ha": "center", "va": "center"}
        ax.annotate(name, 0.85 * column, color=colour, weight="bold", size=SMALL, **spot)
        arrow(ax, tail, tail + amount * column, colour, dash, 1.3)
        tail = tail + amount * column
        points.append(tail)
    arrow(ax, (0, 0), tail, INK, "-", 1.8)
    plane(ax, points)


def _sum_on_line(ax, row, x, names, output):
    """The dot product of a row (2,) with x, head to tail along the output's number line."""
    tail, points = 0.0, [0.0, 1.0, *row]
    for k, (weight, amount, name, (colour, dash, _)) in enumerate(zip(row, x, names, INPUTS, strict=True)):
        arrow(ax, (0, 2.6 - 0.5 * k), (weight, 2.6 - 0.5 * k), colour, dash, 3.2)
        ax.text(weight + 0.1, 2.6 - 0.5 * k, name, color=colour, weight="bold", size=SMALL, va="center")
        arrow(ax, (tail, 1.2), (tail + amount * weight, 1.2), colour, dash, 1.6)
        tail += amount * weight
        points.append(tail)
    arrow(ax, (0, 0.6), (tail, 0.6), INK, "-", 1.8)
    arrow(ax, (0, -0.7), (1, -0.7), MUTED, "-", 2.2)
    ax.text(1.1, -0.7, f"1 {output}", color=MUTED, size=SMALL, va="center")
    ax.axhline(0, color=INK, lw=1)
    low, high = min(points), max(points)
    ax.set(xlim=(low - 0.3, high + 0.14 * (high - low) + 0.5), ylim=(-1.4, 3.1), xlabel=output, yticks=[])
    ax.spines["left"].set_visible(False)
    few(ax.xaxis, 5)
    ax.grid(axis="x")


@in_style
def dot_products(row, vectors, names, axes=("nose", "ear")):
    """Dot products with one row as shadows on its line: length of the vector times the cosine, times the row's length.

    row (2,), not zero; vectors (n, 2) with n up to 3, and n names; axes: names of the two inputs.
    Returns a Figure. Raises ValueError for shapes that do not fit, or a row of zeros.
    """
    row, vectors = arrays(row=(row, "2"), vectors=(vectors, "n 2"))
    if not row.any():
        raise ValueError("row is zero: every dot product with it is 0, and it has no line to draw")
    at_most(len(SERIES), len(vectors), "vectors")
    names, axes = labels(names, len(vectors), "names"), labels(axes, 2, "axes")
    feet = np.outer(vectors @ row / (row @ row), row)
    figure = page(380)
    ax = figure.add_subplot(xlabel=axes[0], ylabel=axes[1])
    ax.axline((0, 0), row, color=LINE, lw=1.4, zorder=0)
    arrow(ax, (0, 0), row, MUTED, "-", 3.2)
    ax.annotate("the row", row, xytext=(6, -4), textcoords="offset points", size=SMALL, color=MUTED)
    for vector, foot, name, (colour, dash, _) in zip(vectors, feet, names, SERIES, strict=False):
        arrow(ax, (0, 0), vector, colour, dash, 2)
        ax.plot(*zip(vector, foot, strict=True), color=colour, lw=1, ls=(0, (1, 2)))
        ax.plot(*foot, "o", color=colour, ms=5)
        told = f"{name}: {as_text(round(float(vector @ row), 2))}"
        above = row[0] * vector[1] - row[1] * vector[0] > 1e-6  # left of the row; else its label goes below
        spot = {"xytext": (6, 5 if above else -14), "textcoords": "offset points"}
        spot["bbox"] = {"fc": PAPER, "ec": "none", "pad": 1, "alpha": 0.9}  # other vectors pass behind it
        ax.annotate(told, vector, color=colour, weight="bold", size=SMALL, **spot)
    plane(ax, [(0, 0), row, *vectors, *feet])
    return figure


@in_style
def rays(W, features, inputs=("nose", "ear"), outputs=("nap", "luck"), multiples=(0.5, 1, 1.5)):
    """Features as rays: all multiples of a vector on the left, where W takes them on the right.

    W (2, 2); features (n, 2) with n up to 3; multiples: the dots drawn on each ray.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    W, features, multiples = arrays(W=(W, "2 2"), features=(features, "n 2"), multiples=(multiples, "k"))
    at_most(len(SERIES), len(features), "features")
    inputs, outputs = labels(inputs, 2, "inputs"), labels(outputs, 2, "outputs")
    figure = page(340)
    shown = (features, features @ W.T)
    for ax, ends, names, title in zip(
        figure.subplots(1, 2), shown, (inputs, outputs), ("input space", "output space"), strict=True
    ):
        for end, (colour, dash, marker) in zip(ends, SERIES, strict=False):
            ax.plot(*(np.outer([0, 1.2 * multiples.max()], end).T), color=colour, ls=dash, lw=1.3)
            ax.plot(*np.outer(multiples, end).T, marker, color=colour, ms=7)
            ratio = f"{names[1]}/{names[0]} = {_ratio(end)}"
            up = end[1] >= 0
            spot = {"xytext": (0, 6 if up else -6), "textcoords": "offset points", "va": "bottom" if up else "top"}
            ax.annotate(ratio, 1.2 * multiples.max() * end, color=colour, size=SMALL, ha="center", **spot)
        ax.set(xlabel=names[0], ylabel=names[1], title=title)
        plane(ax, [(0, 0), *(1.45 * multiples.max() * ends)])
    return figure


@in_style
def fitted(x, y, lines, names=("nose", "nap"), colour=None, colour_name=None):
    """Points and the lines fitted to them.

    x, y (n,); lines: a dict label -> (slope, bias), up to 3; names: of the axes; colour (n,): a third number of every
    point, named colour_name.  Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    x, y, colour = arrays(x=(x, "n"), y=(y, "n"), colour=(colour, "n"))
    at_most(len(SERIES), len(lines), "lines")
    names = labels(names, 2, "names")
    figure = page(380)
    ax = figure.add_subplot(xlabel=names[0], ylabel=names[1])
    shade = {"color": MUTED} if colour is None else {"c": colour, "cmap": ORDERED}
    points = ax.scatter(x, y, s=14, linewidths=0, alpha=0.75, **shade)
    if colour is not None:
        bar = figure.colorbar(points, ax=ax, label=colour_name, aspect=30, pad=0.02)
        bar.outline.set_visible(False)
        bar.solids.set_alpha(1)
    reach = np.array([min(0, x.min()), x.max()])
    for (name, (slope, bias)), (tint, dash, _) in zip(lines.items(), SERIES[1:] + SERIES[:1], strict=False):
        ax.plot(reach, float(slope) * reach + float(bias), color=PAPER, lw=4.5)
        ax.plot(reach, float(slope) * reach + float(bias), color=tint, ls=dash, lw=2.2, label=name)
    ax.legend(loc="upper left")
    few(ax.xaxis, 6)
    few(ax.yaxis, 6)
    ax.grid()
    return figure


@in_style
def witnesses(alone, together, names):
    """How well many readers know each thing alone, and how well the judge who hears them all: R² on new pictures.

    alone (n, F); together (F,); names: F names. What is worse than always saying the mean (below 0) stands at 0.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    alone, together = arrays(alone=(alone, "n F"), together=(together, "F"))
    names = labels(names, len(together), "names")
    figure = page(110 + 42 * len(names))
    ax = figure.add_subplot(xlabel="R² on pictures that nobody has seen", xlim=(-0.02, 1.02))
    rows = np.arange(len(names))
    ax.hlines(rows, 0, 1, color=LINE, lw=1)
    spread = np.linspace(-0.18, 0.18, len(alone))[:, None]  # so that equal ones do not hide each other
    ax.plot(alone.clip(0), rows + spread, "o", ms=5, mfc="none", mec=OTHER, mew=1.2)
    ax.plot(together.clip(0), rows, "D", ms=9, color=PLAIN)
    ax.plot([], [], "o", ms=5, mfc="none", mec=OTHER, label="one reader, one patch")
    ax.plot([], [], "D", ms=8, color=PLAIN, ls="none", label="the judge, who hears them all")
    ax.set_yticks(rows, names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def arrow(ax, tail, tip, colour, dash, width):
    """An arrow in data coordinates; a vector of length zero is a dot."""
    if np.allclose(tail, tip):
        ax.plot(*tip, "o", color=colour, ms=2 + width)
        return
    style = {"arrowstyle": "-|>", "color": colour, "linestyle": dash, "lw": width, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", tip, tail, arrowprops={**style, "mutation_scale": 9 + 2 * width}, annotation_clip=False)


def plane(ax, points):
    """Axes through the origin, equal scales, room for all points."""
    points = np.array(points)
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, max(0.62 * (high - low).max(), 0.5)
    ax.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half), aspect="equal")
    ax.axhline(0, color=MUTED, lw=0.8, zorder=0)
    ax.axvline(0, color=MUTED, lw=0.8, zorder=0)
    few(ax.xaxis, 5)
    few(ax.yaxis, 5)
    ax.grid()


def _finite(value, name):
    value = float(value)
    if not np.isfinite(value):
        raise ValueError(f"{name} is {value}; a finite number is needed")
    return value


def _ratio(vector):
    return "∞" if vector[0] == 0 else f"{vector[1] / vector[0]:.2f}".replace("-", "−")
