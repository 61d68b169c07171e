"""Singular vectors drawn: a face in three steps, a right angle that stays one, and how iterations arrive."""

import numpy as np

from .linear import INPUTS, arrow, plane
from .style import DASHES, INK, LINE, MUTED, ORDERED, OTHER, PAPER, PLAIN, SMALL, arrays, few, in_style, page

SERIES = ((OTHER, "o"), (PLAIN, "s"), (INK, "D"), (MUTED, "^"))  # colours and markers of up to four curves
TURN = np.linspace(0, 2 * np.pi, 97)
CIRCLE = np.stack([np.cos(TURN), np.sin(TURN)])
EAR = np.array([[0.3, 0.86, 0.94], [0.954, 1.28, 0.342]])
SMILE = np.stack([np.linspace(-0.42, 0.42, 13), -0.58 + 0.9 * np.linspace(-0.42, 0.42, 13) ** 2])
MIRROR = np.diag([-1.0, 1.0])


@in_style
def stages(M):
    """A face under Vᵀ, then D, then U: what M = U D Vᵀ does to a circle, one step at a time.

    M (2, 2). The face's outline is the unit circle, and one of its ears is dark, so that a mirror image can be told.
    Thin arrows are e₁ (red) and e₂ (blue, dashed), thick ones v₁ and v₂ (dashed). V is a rotation; U is one, too, where
    det M is positive.  Returns a Figure. Raises ValueError for another shape.
    """
    (M,) = arrays(M=(M, "2 2"))
    U, s, V = _turned(M)
    mirrored = "turn over, turn" if np.linalg.det(U) < 0 else "turn"
    steps = [
        ("before", np.eye(2), ("v₁", "v₂")),
        (f"Vᵀ: turn by {_degrees(-_angle(V))}", V.T, ("", "")),
        (f"D: stretch by {s[0]:.2f}, {s[1]:.2f}", np.diag(s) @ V.T, ("σ₁", "σ₂")),
        (f"U: {mirrored} by {_degrees(_angle(U))}", M, ("σ₁u₁", "σ₂u₂")),
    ]
    reach = 1.45 * max(1.0, s[0])
    figure = page(620)
    for ax, (title, A, names) in zip(figure.subplots(2, 2).flat, steps, strict=True):
        _face(ax, A)
        for j, (colour, dash, _) in enumerate(INPUTS):
            arrow(ax, (0, 0), A[:, j], colour, dash, 1.5)
            _name(ax, A[:, j], "e₁e₂"[2 * j : 2 * j + 2], colour)
        for j in range(2):
            arrow(ax, (0, 0), A @ V[:, j], PLAIN, ("-", DASHES[2])[j], 3)
            _name(ax, A @ V[:, j], names[j], PLAIN)
        ax.axhline(0, color=MUTED, lw=0.8, zorder=0)
        ax.axvline(0, color=MUTED, lw=0.8, zorder=0)
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title=title)
        few(ax.xaxis, 5)
        few(ax.yaxis, 5)
        ax.grid()
    return figure


def _turned(M):
    """U, s, V of a (2, 2) matrix, with V a rotation by at most 90 degrees."""
    U, s, Vt = np.linalg.svd(M)
    signs = np.sign([Vt[0, 0] or 1, 1])
    signs[1] = signs[0] * np.sign(np.linalg.det(Vt))
    return U * signs, s, Vt.T * signs


def _angle(Q):
    return np.degrees(np.arctan2(Q[1, 0], Q[0, 0]))


def _degrees(angle):
    return f"{angle:.0f}°".replace("-", "−")


def _face(ax, A):
    soft = {"fc": "#efe9df", "ec": MUTED, "lw": 1.3}
    ax.fill(*(A @ EAR), **soft)
    ax.fill(*(A @ MIRROR @ EAR), fc=MUTED, ec=MUTED, lw=1.3)
    ax.fill(*(A @ CIRCLE), **soft)
    for side in (-0.36, 0.36):
        ax.fill(*(A @ (0.11 * CIRCLE + [[side], [0.2]])), fc=MUTED, lw=0)
    ax.fill(*(A @ np.array([[-0.12, 0.12, 0], [-0.1, -0.1, -0.24]])), fc=MUTED, lw=0)
    ax.plot(*(A @ SMILE), color=MUTED, lw=1.5)


def _name(ax, v, words, colour):
    """Words beyond the tip of an arrow, on the paper's colour so that they read over the face."""
    length = np.hypot(*v)
    if length < 1e-9 or not words:
        return
    spot = {"xytext": 13 * v / length, "textcoords": "offset points", "ha": "center", "va": "center"}
    box = {"fc": PAPER, "ec": "none", "alpha": 0.75, "pad": 0.6}
    ax.annotate(words, v, color=colour, weight="bold", size=SMALL, bbox=box, zorder=6, **spot)


@in_style
def right_angles(M):
    """A right angle is turned through the plane: the angle between the images of its arms, and the arms' lengths.

    M (2, 2), not zero. Above, the angle that M makes of a right angle whose first arm points at 0 to 180 degrees;
    below, how long M makes the arms. Dotted lines mark where the right angle stays one.
    Returns a Figure. Raises ValueError for another shape, or a matrix with a line that it sends to 0.
    """
    (M,) = arrays(M=(M, "2 2"))
    if abs(np.linalg.det(M)) < 1e-9 * np.abs(M).max() ** 2:
        raise ValueError(f"M = {M.tolist()} sends a line to 0: there is no angle to it")
    degrees = np.linspace(0, 180, 361)
    turn = np.radians(degrees)
    arms = M @ np.stack([np.cos(turn), np.sin(turn)]), M @ np.stack([-np.sin(turn), np.cos(turn)])
    lengths = [np.hypot(*arm) for arm in arms]
    between = np.degrees(np.arccos(np.clip((arms[0] * arms[1]).sum(0) / (lengths[0] * lengths[1]), -1, 1)))
    first = _angle(_turned(M)[2]) % 180
    figure = page(430)
    top, bottom = figure.subplots(2, 1, sharex=True)
    top.plot(degrees, between, color=INK)
    top.axhline(90, color=LINE, lw=1.4, zorder=0)
    top.set(title="angle between the images of the two arms", ylabel="degrees")
    bottom.plot(degrees, lengths[0], color=PLAIN, label="image of the first arm")
    bottom.plot(degrees, lengths[1], color=OTHER, ls=DASHES[1], label="image of the second")
    bottom.set(title="their lengths", xlabel="where the first arm points, in degrees", xlim=(0, 180))
    bottom.set_ylim(0, 1.3 * max(map(np.max, lengths)))
    for at in (first, (first + 90) % 180):
        for ax in (top, bottom):
            ax.axvline(at, color=MUTED, lw=1.2, ls=(0, (1, 2)))
        spot = {"xytext": (4, 4), "textcoords": "offset points", "color": MUTED, "size": SMALL}
        top.annotate(f"{at:.1f}°", (at, 0), xycoords=top.get_xaxis_transform(), **spot)
    bottom.legend(ncols=2, loc="upper center", frameon=False)
    bottom.set_xticks(range(0, 181, 30))
    for ax in (top, bottom):
        ax.grid(axis="y")
    return figure


@in_style
def turning(vectors, goal):
    """Unit vectors of the plane, one a round, on their way to a direction: darker as they go on.

    vectors (n, 2); goal (2,): the direction, drawn as a line through the origin.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    vectors, goal = arrays(vectors=(vectors, "n 2"), goal=(goal, "2"))
    figure = page(380)
    ax = figure.add_subplot(xlabel="x₁", ylabel="x₂")
    ax.plot(*CIRCLE, color=LINE, lw=1.2)
    ax.axline((0, 0), goal, color=MUTED, lw=1.2, ls=DASHES[1])
    _name(ax, 1.18 * goal / np.hypot(*goal), "v₁", MUTED)
    for i, v in enumerate(vectors):
        colour = ORDERED(i / max(1, len(vectors) - 1))
        arrow(ax, (0, 0), v, colour, "-", 2)
        _name(ax, v, str(i), colour)
    plane(ax, [(0, 0), *vectors, 1.2 * goal / np.hypot(*goal)])
    return figure


@in_style
def convergence(curves, xlabel="products with M or Mᵀ", ylabel="error", levels=None):
    """Errors against what they cost, on a logarithmic axis; up to four curves, each with its own marker.

    curves: a dict name -> (x, error), both (n,), n of each curve's own; an error of exactly 0 is not drawn.
    levels: a dict name -> height of a dashed line, such as a tolerance.
    Returns a Figure. Raises ValueError for shapes that do not fit, for too many curves, or negative errors.
    """
    if not 1 <= len(curves) <= len(SERIES):
        raise ValueError(f"{len(curves)} curves: needed are 1 to {len(SERIES)}, to be told apart")
    figure = page(380)
    ax = figure.add_subplot(xlabel=xlabel, ylabel=ylabel, yscale="log")
    for (name, (x, error)), (colour, marker) in zip(curves.items(), SERIES, strict=False):
        x, error = arrays(x=(x, "n"), error=(error, "n"))
        if not (error >= 0).all():
            raise ValueError(f"{name}: the least error is {error.min()}; a logarithmic axis needs positive ones")
        kept = error > 0
        look = {"color": colour, "marker": marker, "ms": 5, "mfc": PAPER, "mew": 1.3, "lw": 1.6}
        ax.plot(x[kept], error[kept], label=name, markevery=max(1, kept.sum() // 12), **look)
    for name, level in (levels or {}).items():
        ax.axhline(level, color=MUTED, lw=1, ls=DASHES[1])
        spot = {"transform": ax.get_yaxis_transform(), "ha": "right", "va": "bottom", "size": SMALL, "color": MUTED}
        ax.text(0.995, level, name, **spot)
    ax.minorticks_off()
    ax.set_xlim(0)
    figure.legend(loc="outside upper center", ncols=min(3, len(curves)), frameon=False)
    ax.grid(axis="y")
    return figure


@in_style
def filters(degree, top=1.25):
    """What a power and the best polynomial of the same degree make of large values while they hold small ones below 1.

    degree: of both, in σ / τ with τ the largest value that is not wanted: (σ/τ)ⁿ, and Chebyshev's polynomial Tₙ of it.
    top: how far beyond τ is drawn.  Returns a Figure. Raises ValueError for a degree below 1 or a top of 1 or less.
    """
    if degree < 1 or not top > 1:
        raise ValueError(f"degree = {degree} must be at least 1, top = {top} above 1")
    x = np.linspace(0, top, 601)
    inside = np.cos(degree * np.arccos(np.clip(x, -1, 1)))
    best = np.where(x <= 1, inside, np.cosh(degree * np.arccosh(np.clip(x, 1, None))))
    figure = page(360)
    ax = figure.add_subplot(xlabel="singular value, in units of the largest unwanted one", xlim=(0, top))
    ax.axvspan(0, 1, color=LINE, alpha=0.35, lw=0)
    ax.plot(x, best, color=PLAIN, label=f"the best polynomial of degree {degree}")
    ax.plot(x, x**degree, color=OTHER, ls=DASHES[1], label=f"the power {degree}")
    ax.set_yscale("symlog", linthresh=1, linscale=0.6)
    ends = best[-1], top**degree
    ticks = [-1, 0, 1, *(10.0**k for k in range(1, int(np.log10(max(ends))) + 1))]
    ax.set_yticks(ticks, [f"{tick:,.0f}".replace(",", "\u202f").replace("-", "−") for tick in ticks])
    ax.minorticks_off()
    ax.set_ylabel("factor on what lies along it")
    ax.text(0.5, 3, "not wanted: held between −1 and 1", ha="center", va="center", size=SMALL, color=MUTED)
    ax.legend(loc="upper left")
    ax.grid(axis="y")
    return figure
