"""Many ways to do a thing side by side: a forest plot."""

from .style import INK, LINE, MUTED, PLAIN, SERIES, among, arrays, few, in_style, labels, page, plain_logarithmic


@in_style
def forest(names, columns, targets=None, logarithmic=(), best=None):
    """One line for each name, one panel for each quantity: a dot, its interval, and the target as a dashed line.

    names (n,), from above; columns {quantity: (n, 3)}: value and the ends of its interval; NaN where there is none.
    targets {quantity: (number, "least" or "most")}: the side that is asked for is shaded.
    logarithmic: quantities, all positive, whose axis is.  best: the name that stands out.
    Returns a Figure. Raises ValueError for shapes that do not fit, an empty interval and names that are not there.
    """
    found = dict(zip(columns, arrays(**{str(q): (v, "n 3") for q, v in columns.items()}), strict=True))
    names = labels(names, len(next(iter(found.values()))), "names")
    among(columns, [*(targets or {}), *logarithmic])
    among(names, [best] if best else [])
    figure = page(66 + 24 * len(names))
    panels = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    for ax, (quantity, values) in zip(panels, found.items(), strict=True):
        _panel(ax, quantity, values, quantity in logarithmic, names.index(best) if best else None)
        if quantity in (targets or {}):
            _target(ax, *targets[quantity])
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    for label in panels[0].get_yticklabels():
        label.set_fontweight("bold" if label.get_text() == best else "normal")
    return figure


def _panel(ax, quantity, values, logarithmic, best):
    value, low, high = values.T
    if (low > high).any():
        raise ValueError(f"{quantity}: an interval is empty; it wants low ≤ high")
    if logarithmic:
        ax.set_xscale("log")
    for row in range(len(value)):
        colour, marker = (INK, "D") if row == best else (PLAIN, SERIES[0][2])
        ax.hlines(row, low[row], high[row], color=colour, lw=2)
        ax.plot(value[row], row, marker, color=colour, ms=6)
    ax.set_xmargin(0.08)
    if logarithmic:
        plain_logarithmic(ax.xaxis)
    else:
        few(ax.xaxis, 4)
    ax.set_title(quantity)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")


def _target(ax, number, side):
    left, right = ax.get_xlim()
    left, right = min(left, number), max(right, number)
    ax.axvspan(*((number, right) if side == "least" else (left, number)), color=LINE, alpha=0.45, lw=0, zorder=0)
    ax.axvline(number, color=MUTED, lw=1.2, ls=(0, (4, 3)))
    ax.set_xlim(left, right)
