"""Chains of maps: a small patch carried from space to space, the graph of a computation, and what its products cost."""

from itertools import pairwise

import numpy as np
import torch

from hspace.engine import Node
from hspace.engine import graph as nodes_of

from .style import (
    DASHES,
    INK,
    LINE,
    MUTED,
    OTHER,
    PAPER,
    PLAIN,
    SERIES,
    SMALL,
    arrays,
    at_most,
    few,
    in_style,
    labels,
    page,
    plain_logarithmic,
)

WAYPOINT = 0.45  # widths of a box that an arrow takes up where it passes between boxes
BOX, HIGH, APART = 124, 46, 26  # of a node's box, page pixels: width, height, and room below


@in_style
def chain(maps, p, v, names=("X", "Y", "Z")):
    """A patch round p and a step v, carried through smooth maps of the plane one after the other.

    maps: up to 3 torch functions (2,) → (2,); p, v (2,); names: of the spaces, one more than maps.  In each space the
    thick arrow is the step, pushed forward by the Jacobians so far, and the dashed one is where the step truly leads.
    Returns a Figure. Raises ValueError for shapes that do not fit, or too many maps.
    """
    p, v = (torch.as_tensor(part, dtype=torch.float64) for part in arrays(p=(p, "2"), v=(v, "2")))
    at_most(3, len(maps), "maps")
    names = labels(names, len(maps) + 1, "names")
    figure = page(290)
    reach = 1.25 * v.abs().max()
    lines, truth, spot, arrow = _patch(p, reach), p + torch.linspace(0, 1, 33)[:, None] * v, p, v
    for k, ax in enumerate(figure.subplots(1, len(names))):
        if k:
            lines, truth = (
                torch.func.vmap(maps[k - 1])(points.reshape(-1, 2)).reshape(points.shape) for points in (lines, truth)
            )
            spot, arrow = torch.func.jvp(maps[k - 1], (spot,), (arrow,))
        _space(ax, lines.numpy(), truth.numpy(), spot.numpy(), arrow.numpy())
        ax.set_title(names[k])
    figure.axes[0].plot([], [], color=PLAIN, lw=2.4, label="the step, by Jacobians")
    figure.axes[0].plot([], [], color=OTHER, ls=DASHES[1], lw=1.6, label="where it truly leads")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def _patch(p, reach, count=7):
    """Lines of a square grid round p: (2 count, 25, 2)."""
    along, across = torch.linspace(-reach, reach, 25), torch.linspace(-reach, reach, count)
    one = torch.stack(torch.meshgrid(across, along, indexing="ij"), dim=-1).double()
    return p + torch.cat([one, one.flip(-1)])


def _space(ax, lines, truth, spot, arrow):
    for line in lines:
        ax.plot(*line.T, color=LINE, lw=1, zorder=0)
    ax.plot(*truth.T, color=OTHER, ls=DASHES[1], lw=1.6, zorder=4)
    ax.plot(*truth[-1], "s", mfc=PAPER, mec=OTHER, mew=1.6, ms=5, zorder=5)
    style = {"arrowstyle": "-|>", "color": PLAIN, "lw": 2.4, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 14}
    ax.annotate("", spot + arrow, spot, arrowprops=style)
    ax.plot(*spot, "o", color=INK, ms=6)
    points = np.concatenate([lines.reshape(-1, 2), [spot + arrow]])
    middle, half = (points.max(0) + points.min(0)) / 2, 0.53 * np.ptp(points, axis=0).max()
    ax.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half), aspect="equal")
    few(ax.xaxis, 3)
    few(ax.yaxis, 3)


def layout(output):
    """Where the nodes of a graph are drawn, inputs above what is made of them.

    Returns (places, ways). places: {node: (level, offset)}, the offset in boxes to the right of the middle; ways: for
    every arrow (node, which of its links, points (level, offset) from the parent to the node).
    Raises ValueError for what is no node of `hspace.engine`.
    """
    if not isinstance(output, Node):
        raise ValueError(f"{output!r} is no node: draw what hspace.engine made, such as x.sum() of a Node x")
    nodes = nodes_of(output)
    level = {node: node.depth for node in nodes}
    for node in nodes:  # an input stands just above its first use
        if not node.links and node is not output:
            uses = [other.depth for other in nodes for link in other.links if link.parent is node]
            level[node] = min(uses) - 1
    chains = []
    for node in nodes:
        for i, link in enumerate(node.links):
            between = [("way", node, i, n) for n in range(level[link.parent] + 1, level[node])]
            level |= {point: point[-1] for point in between}
            chains.append((node, i, [link.parent, *between, node]))
    offset = _ordered(level, [chain for *_, chain in chains])
    places = {node: (level[node], offset[node]) for node in nodes}
    ways = [(node, i, _points(node, i, chain, level, offset)) for node, i, chain in chains]
    return places, ways


def _ordered(level, chains):
    """Offsets of all that has a level, neighbours in chains near each other: the barycentre method, a few sweeps."""
    rows = [[item for item in level if level[item] == n] for n in range(max(level.values()) + 1)]
    above, below = {item: [] for item in level}, {item: [] for item in level}
    for chain in chains:
        for upper, lower in pairwise(chain):
            above[lower].append(upper)
            below[upper].append(lower)
    offset = {}
    for row in rows:
        _spread(row, offset)
    for _ in range(4):
        for neighbours, order in ((above, rows), (below, rows[::-1])):
            for row in order:
                row.sort(key=lambda item: _mean([offset[n] for n in neighbours[item]], offset[item]))
                _spread(row, offset)
    return offset


def _mean(values, otherwise):
    return sum(values) / len(values) if values else otherwise


def _spread(row, offset):
    """Put a row's items side by side, its middle at 0."""
    widths = [WAYPOINT if isinstance(item, tuple) else 1 for item in row]
    left = -sum(widths) / 2
    for item, width in zip(row, widths, strict=True):
        offset[item] = left + width / 2
        left += width


def _points(node, i, chain, level, offset):
    """The points of one arrow; arrows between the same two nodes run beside each other."""
    alike = [k for k, link in enumerate(node.links) if link.parent is node.links[i].parent]
    shift = 0.36 * (alike.index(i) - (len(alike) - 1) / 2)
    return [(level[item], offset[item] + shift) for item in chain]


@in_style
def graph(output, told=None):
    """A recorded computation: a box for each node with its name and value, inputs at the top, arrows downwards.

    output: a `hspace.engine.Node`; told: {node: tensor}, what `hspace.engine.vjp` returned, written below the values.
    Returns a Figure. Raises ValueError for what is no node.
    """
    places, ways = layout(output)
    told = told or {}
    high = HIGH + 18 * bool(told)
    levels = 1 + max(level for level, _ in places.values())
    figure = page(levels * (high + APART) + 6, layout="none")
    ax = figure.add_axes((0, 0, 1, 1), xlim=(-320, 320), ylim=(levels * (high + APART) - APART + 6, -6))
    ax.set_axis_off()
    for _, _, points in ways:
        xy = np.array(_route(points, high))
        ax.plot(*xy[:-1].T, color=MUTED, lw=1.3, zorder=1)
        style = {"arrowstyle": "-|>", "color": MUTED, "lw": 1.3, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 11}
        ax.annotate("", xy[-1], xy[-2], arrowprops=style)
    for node, (level, offset) in places.items():
        _box(ax, node, told.get(node), BOX * 1.12 * offset, level * (high + APART), high)
    return figure


def _route(points, high):
    """An arrow in page pixels: straight down beside the boxes that it passes, aslant only in the rooms between rows."""
    (first, *between, last), pitch = points, high + APART
    xy = [(BOX * 1.12 * first[1], first[0] * pitch + high)]
    for level, offset in between:
        xy += [(BOX * 1.12 * offset, level * pitch), (BOX * 1.12 * offset, level * pitch + high)]
    return [*xy, (BOX * 1.12 * last[1], last[0] * pitch - 1)]


def _box(ax, node, told, x, y, high):
    ax.fill(
        [x - BOX / 2, x + BOX / 2, x + BOX / 2, x - BOX / 2],
        [y, y, y + high, y + high],
        fc=PAPER, ec=MUTED if node.links else INK, lw=1.2 if node.links else 2, zorder=2,
    )  # fmt: skip
    where = {"ha": "center", "va": "center", "zorder": 3}
    ax.text(x, y + 14, node.name, weight="bold", **where)
    ax.text(x, y + 33, short(node.value), size=SMALL, **where)
    if told is not None:
        ax.text(x, y + 51, f"↑ {short(told)}", size=SMALL, color=OTHER, weight="bold", **where)


def short(value):
    """A tensor in a few letters: up to two numbers, else its shape."""
    if value.numel() > 2:
        return " × ".join(str(n) for n in value.shape) + " numbers" * (value.ndim == 1)
    parts = [f"{number:.2f}".replace("-", "−") for number in value.flatten().tolist()]
    return parts[0] if value.ndim == 0 else f"({', '.join(parts)})"


@in_style
def counts(panels, quantity="multiplications"):
    """Counts against a size, in panels side by side, all axes logarithmic.

    panels: {name of the size: (sizes (n,), {name: counts (n,)})}, up to 3 panels with up to 3 lines each, all numbers
    above 0; quantity: what is counted.  Returns a Figure. Raises ValueError for shapes that do not fit, too many lines
    or panels, and numbers that are not above 0.
    """
    at_most(3, len(panels), "panels")
    figure = page(330)
    for ax, (size, (sizes, lines)) in zip(
        np.ravel(figure.subplots(1, len(panels), sharey=True)), panels.items(), strict=True
    ):
        at_most(len(SERIES), len(lines), "lines")
        x, *ys = arrays(sizes=(sizes, "n"), **{f"counts of {name!r}": (y, "n") for name, y in lines.items()})
        if min(x.min(), *(y.min() for y in ys)) <= 0:
            raise ValueError(f"{size}: a number is 0 or below; logarithmic axes need positive ones")
        ax.set(xlabel=size, xscale="log", yscale="log")
        for (name, y), (colour, dash, _), marker in zip(zip(lines, ys, strict=True), SERIES, "os^", strict=False):
            ax.plot(x, y, color=colour, ls=dash, marker=marker, ms=6, label=name)
        plain_logarithmic(ax.xaxis)
        plain_logarithmic(ax.yaxis)
        ax.grid()
    figure.axes[0].set_ylabel(quantity)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
    return figure
