"""Singular values: over timesteps, and beside the exact ones. Indices count from 0, as the columns of U and V do."""

import numpy as np

from .style import (
    DASHES,
    INK,
    MUTED,
    ORDERED,
    OTHER,
    PLAIN,
    SMALL,
    apart,
    arrays,
    in_style,
    labels,
    page,
    plain_logarithmic,
)


@in_style
def spectra(values, timesteps=None):
    """Singular values by index, one line a timestep, labelled at its end.

    values: a dict t -> (k,), or (T, k) with T timesteps. Positive, on a logarithmic axis.
    Returns a Figure. Raises ValueError for shapes that do not fit, or values that are not positive.
    """
    if isinstance(values, dict):
        timesteps, values = list(values), np.stack(arrays(**{f"values[{t}]": (s, "k") for t, s in values.items()}))
    (values,) = arrays(values=(values, "T k"))
    T, k = values.shape
    names = labels(timesteps if timesteps is not None else (), T, "timesteps")
    if not (values > 0).all():
        raise ValueError(f"the least singular value is {values.min()}; a logarithmic axis needs positive ones")
    figure = page(400)
    ax = figure.add_subplot(ylabel="singular value  σ", xlabel="index of the direction", yscale="log")
    rank = np.argsort(np.argsort([float(t) for t in timesteps]))
    colours = ORDERED(1 - rank / max(1, T - 1))
    bottom, top = np.log(values.min()), np.log(values.max())
    ends = np.log(values[:, -1])
    span = max(1, k - 1)
    places = apart(ends, 0.054 * (top - bottom))
    places += max(0, bottom - places.min()) - max(0, places.max() - top)
    for s, name, colour, end, i, place in zip(values, names, colours, ends, rank, places, strict=True):
        ax.plot(range(k), s, color=colour, ls=DASHES[i % len(DASHES)])
        spot = {"xytext": (1.055 * span, np.exp(place)), "va": "center", "color": colour, "weight": "bold"}
        leader = {"arrowstyle": "-", "color": colour, "lw": 0.7, "relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 0}
        ax.annotate(f"t = {name}", (k - 1, np.exp(end)), size=SMALL, arrowprops=leader, annotation_clip=False, **spot)
    _indices(ax, k)
    ax.set_xlim(-0.01 * span, 1.01 * span)
    plain_logarithmic(ax.yaxis)
    ax.grid(axis="y")
    return figure


@in_style
def agreement(s, exact, residuals, tol):
    """The k singular values found, on the exact spectrum, and how far off they are.

    s (k,); exact (n,) with n >= k, drawn to 1.3 k; residuals (k,), in units of s[0], and their bound tol.
    Returns a Figure. Raises ValueError for shapes that do not fit, or too few exact values.
    """
    s, exact, residuals = arrays(s=(s, "k"), exact=(exact, "n"), residuals=(residuals, "k"))
    k = len(s)
    if len(exact) < k:
        raise ValueError(f"exact holds {len(exact)} singular values, fewer than the {k} to compare with")
    figure = page(480)
    panels = figure.subplots(2, 1, sharex=True)
    known = exact[: round(1.3 * k) + 1]
    panels[0].plot(known, color=INK, lw=1.2, label="exact")
    panels[0].plot(s, "o", ms=4.5, mfc="none", mec=OTHER, mew=1.3, label="found by Krylov")
    panels[0].set_title("singular values")
    panels[0].set_ylim(0)
    panels[0].legend(loc="upper right")
    error = np.abs(s - exact[:k]) / exact[:k]
    _errors(panels[1], error, residuals, tol)
    for ax in panels:
        ax.axvline(k - 0.5, color=MUTED, lw=0.8, ls=(0, (1, 2)))
        ax.grid(axis="y")
    _indices(panels[-1], len(known))
    panels[-1].set_xlabel("index of the direction")
    return figure


def _errors(ax, error, residuals, tol):
    """Relative errors and residuals on a logarithmic axis; what is exactly 0 stands at the bottom of it."""
    seen = np.concatenate([error, residuals, [tol]])
    floor = 10.0 ** np.floor(np.log10(max(seen[seen > 0].min(), 1e-17)))
    ax.plot(np.maximum(residuals, floor), "s", ms=3.6, color=PLAIN, label="residual")
    ax.plot(np.maximum(error, floor), "^", ms=4.5, mfc="none", mec=OTHER, mew=1.2, label="relative error of σ")
    ax.axhline(tol, color=INK, lw=1, ls=DASHES[1])
    ax.text(0.995, tol, f"tol = {tol:g}", transform=ax.get_yaxis_transform(), ha="right", va="bottom", size=SMALL)
    ax.set_yscale("log")
    ax.set_ylim(floor / 2, max(seen.max(), tol) * 8)
    ax.minorticks_off()
    ax.set_title("residual, in units of the largest σ, and relative error of σ")
    ax.legend(loc="lower right", handletextpad=0.2)


def _indices(ax, k):
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if k / step <= 8)
    ax.set_xticks(range(0, k, step))
