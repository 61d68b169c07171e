"""Training and its outcome: the loss curve, the factors' distributions, the law fitted back."""

import numpy as np
from matplotlib.lines import Line2D

from .style import BLUE, INK, MUTED, OTHER, PLAIN, RED, SMALL, arrays, few, in_style, labels, page, plain_logarithmic


@in_style
def loss_curve(loss, starts=None):
    """The loss of every step, faint, and its running median, on logarithmic axes.

    loss (steps,), positive; starts {step: name}: where a new run went on from the one before; the names stand
        above the axes, so close ones should be short.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    (loss,) = arrays(loss=(loss, "steps"))
    if not (loss > 0).all():
        raise ValueError(f"the least loss is {loss.min()}; a logarithmic axis needs positive ones")
    figure = page(340)
    ax = figure.add_subplot(xlabel="step", ylabel="loss", xscale="log", yscale="log", xlim=(1, max(2, len(loss))))
    ax.plot(np.arange(1, len(loss) + 1), loss, color=PLAIN, alpha=0.28, lw=0.7, label="each step")
    ax.plot(*running_median(loss), color=INK, label="running median")
    ax.legend()
    for step, name in (starts or {}).items():
        ax.axvline(step, color=MUTED, lw=1, ls=(0, (4, 3)))
        ax.annotate(name, (step, 1), (0, 4), ("data", "axes fraction"), "offset points", ha="center", color=MUTED)
    plain_logarithmic(ax.yaxis)
    plain_logarithmic(ax.xaxis)
    ax.grid()
    return figure


def running_median(loss, share=0.08):
    """Medians over windows of `share` of the steps so far: at up to 160 steps, evenly apart on a logarithmic axis.

    loss (steps,).  Returns steps, counted from 1, and medians.
    """
    at = np.unique(np.geomspace(1, len(loss), 160).round().astype(int))
    reach = np.maximum(1, (at * share).astype(int))
    return at, np.array([np.median(loss[max(0, a - 1 - r) : a + r]) for a, r in zip(at, reach, strict=True)])


@in_style
def histograms(real, drawn, factors, ks=None):
    """Each factor among real pictures (outlined) and drawn ones (filled), both read by the same judge.

    real (n, F), drawn (m, F); factors: F names; ks (F,): Kolmogorov-Smirnov distances, printed in each.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    real, drawn, ks = arrays(real=(real, "n F"), drawn=(drawn, "m F"), ks=(ks, "F"))
    factors = labels(factors, real.shape[1], "factors")
    columns = min(3, len(factors))
    rows = -(-len(factors) // columns)
    figure = page(50 + 130 * rows)
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for i, (ax, name) in enumerate(zip(panels, factors, strict=False)):
        _histogram(ax, real[:, i], drawn[:, i])
        ax.set_title(name, pad=4)
        if ks is not None:
            ax.set_title(f"KS {ks[i]:.2f}", loc="right", size=SMALL, color=MUTED, pad=4)
    for ax in list(panels)[len(factors) :]:
        ax.remove()
    figure.legend(*_last_legend(figure), loc="outside upper center", ncols=2, frameon=False)
    return figure


def _histogram(ax, real, drawn):
    """Shares per bin. A bin that towers over the others (most people are no puppets) is cut, its share written."""
    low, high = np.quantile(np.concatenate([real, drawn]), (0.001, 0.999))
    bins = np.linspace(low, high if high > low else low + 1, 21)
    shares = [np.histogram(np.clip(v, bins[0], bins[-1]), bins)[0] / len(v) for v in (real, drawn)]
    ax.stairs(shares[1], bins, fill=True, fc="#f0cda6", ec=OTHER, hatch="////", lw=0, label="drawn")
    ax.stairs(shares[0], bins, color=INK, lw=1.5, label="real")
    at = np.argmax(np.max(shares, axis=0))
    tower = slice(max(0, at - 1), at + 2)  # with its neighbours, for the judge's error spreads it
    others = np.delete(np.max(shares, axis=0), tower).max()
    if max(share[at] for share in shares) > 3 * others > 0:
        ax.set_ylim(0, 2.4 * others)
        told = "real {:.0%}\ndrawn {:.0%}".format(*(share[tower].sum() for share in shares)).replace("%", " %")
        ax.text(bins[min(at + 2, 20)], 2.3 * others, told, size=SMALL, va="top")
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    few(ax.xaxis, 3)


def _last_legend(figure):
    handles, names = figure.axes[0].get_legend_handles_labels()
    return handles[::-1], names[::-1]


LARGE = {"va": "center", "weight": "bold", "size": 13}


@in_style
def law(truth, fitted, half_width, rows=("nap", "luck"), columns=("nose", "ear")):
    """The law's four entries, laid out as the matrix: the world's value as a line, the fitted one with its interval.

    truth, fitted, half_width (2, 2): the interval is fitted ± half_width; rows, columns: their names. The first column
    is red and round, the second blue and square.  Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    truth, fitted, half = arrays(truth=(truth, "2 2"), fitted=(fitted, "2 2"), half_width=(half_width, "2 2"))
    rows, columns = labels(rows, 2, "rows"), labels(columns, 2, "columns")
    reach = 1.15 * max(np.abs(fitted - truth).max() + half.max(), 0.1)
    figure = page(300, layout="none")
    for r, c in np.ndindex(2, 2):
        ax = figure.add_axes((0.16 + 0.415 * c, 0.56 - 0.43 * r, 0.37, 0.19))
        _entry(ax, truth[r, c], fitted[r, c], half[r, c], (RED, BLUE)[c], "os"[c], reach)
        if r == 0:
            figure.text(0.345 + 0.415 * c, 0.94, f"{'●■'[c]} {columns[c]}", color=(RED, BLUE)[c], ha="center", **LARGE)
        if c == 0:
            figure.text(0.1, 0.655 - 0.43 * r, rows[r], ha="right", **LARGE)
    for left, inward in ((0.115, 0.015), (0.985, -0.015)):
        x, y = [left + inward, left, left, left + inward], [0.87, 0.87, 0.02, 0.02]
        figure.add_artist(Line2D(x, y, color=INK, lw=1.8))
    return figure


def _entry(ax, truth, fitted, half, colour, marker, reach):
    ax.axvline(truth, color=INK, lw=1.4)
    ax.errorbar(fitted, 0, xerr=half, fmt=marker, color=colour, ms=8, lw=2.2, capsize=5, capthick=2)
    ax.set_title(f"{truth:g}  →  {fitted:.2f} ± {half:.2f}".replace("-", "−"), loc="center", pad=6)
    ax.set(xlim=(truth - reach, truth + reach), ylim=(-1, 1), yticks=[])
    few(ax.xaxis, 5)
    ax.spines["left"].set_visible(False)
