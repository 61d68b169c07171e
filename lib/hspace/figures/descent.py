"""Steps downhill drawn: a function beside its linear part, and balls of steps with the one that descends most."""

import numpy as np

from .linear import arrow
from .style import DASHES, INK, LINE, MUTED, OTHER, PLAIN, SMALL, arrays, as_text, few, in_style, page


@in_style
def remainder(steps, change, linear, at=None, names=("change of f", "linear part"), step="α"):
    """What a function changes by along a line, its linear part there, and the gap between them: the remainder.

    steps (n,): how far along the line; change, linear (n,): of the function and of its linear part, from step 0 on.
    at: the step at which the gap is marked, the one nearest to it; None marks none.  names: of the two curves.
    Returns a Figure. Raises ValueError for shapes that do not fit.
    """
    steps, change, linear = arrays(steps=(steps, "n"), change=(change, "n"), linear=(linear, "n"))
    figure = page(330)
    ax = figure.add_subplot(xlabel=step, ylabel="change")
    ax.axhline(0, color=MUTED, lw=0.8, zorder=0)
    if steps.min() < 0:
        ax.axvline(0, color=MUTED, lw=0.8, zorder=0)
    ax.plot(steps, change, color=PLAIN, lw=2.4, label=names[0])
    ax.plot(steps, linear, color=INK, ls=DASHES[1], label=names[1])
    ax.plot(0, 0, "o", color=INK, ms=7)
    if at is not None:
        _gap(ax, np.abs(steps - at).argmin(), steps, change, linear)
    few(ax.xaxis, 6)
    few(ax.yaxis, 6)
    ax.grid()
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def _gap(ax, i, steps, change, linear):
    """The remainder at one step, named beside its middle or, where it is short, beside the end off the curve."""
    x, ends = steps[i], np.array([linear[i], change[i]])
    ax.plot([x, x], ends, color=OTHER, lw=3.5, solid_capstyle="butt")
    told = {"textcoords": "offset points", "color": OTHER, "weight": "bold", "size": SMALL}
    if abs(np.diff(ends)[0]) > 0.25 * np.ptp([change, linear]):
        left = x > np.median(steps)
        spot = {"xytext": (-9 if left else 9, 0), "ha": "right" if left else "left", "va": "center"}
        ax.annotate("remainder", (x, ends.mean()), **spot, **told)
        return
    rises = linear[-1] > linear[0]
    spot = {"xytext": (2, -9 if rises else 9), "ha": "left", "va": "top" if rises else "bottom"}
    ax.annotate("remainder", (x, ends.min() if rises else ends.max()), **spot, **told)


@in_style
def balls(gradient, rims, steps):
    """Balls of steps in the plane: the half plane that descends, and on each rim the step that descends most.

    gradient (2,), not zero: drawn as a direction.  rims {name: (p, 2)}: the steps of length 1, once round;
    steps {name: (2,)}: the steepest of them.  A dashed level line touches the ball there.
    Returns a Figure. Raises ValueError for shapes that do not fit, other names, or a gradient of 0.
    """
    (gradient,) = arrays(gradient=(gradient, "2"))
    if not gradient.any():
        raise ValueError("the gradient is 0: no step descends, and there is none to draw")
    if rims.keys() != steps.keys():
        raise ValueError(f"steps belong to {', '.join(steps)}, and the balls are {', '.join(rims)}")
    across = 2 if len(rims) > 1 else 1
    down = -(-len(rims) // across)
    figure = page(310 * down)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for ax in axes[len(rims) :]:
        ax.set_axis_off()
    room = 1.15 * max(1, *(np.abs(np.asarray(rim)).max() for rim in rims.values()))
    for ax, (name, rim) in zip(axes, rims.items(), strict=False):
        rim, step = arrays(**{f"rims[{name!r}]": (rim, "p 2"), f"steps[{name!r}]": (steps[name], "2")})
        _ball(ax, gradient, rim, step, room)
        ax.set_title(f"{name}: {as_text(round(step @ gradient, 2))}")
    return figure


def _ball(ax, gradient, rim, step, room):
    n = gradient / np.linalg.norm(gradient)
    along = 4 * room * np.array([[n[1], -n[0]], [-n[1], n[0]]])
    ax.fill(*np.concatenate([along, along[::-1] - 8 * room * n]).T, color="#e3efe9", lw=0, zorder=0)
    ax.plot(*along.T, color=MUTED, lw=1.1)
    ax.plot(*(along + (step @ n) * n).T, color=PLAIN, lw=1.3, ls=DASHES[1])
    ax.fill(*rim.T, color="#fffdf8", alpha=0.55, lw=0)
    ax.plot(*np.concatenate([rim, rim[:1]]).T, color=INK, lw=1.8)
    for axis in (ax.axhline, ax.axvline):
        axis(0, color=LINE, lw=0.9, zorder=0.5)
    arrow(ax, np.zeros(2), 1.25 * n, MUTED, "-", 2)
    arrow(ax, np.zeros(2), step, PLAIN, "-", 3.2)
    spot = {"textcoords": "offset points", "ha": "center", "va": "center"}
    ax.annotate("∇f", 1.25 * n, 12 * n, color=MUTED, weight="bold", **spot)
    ax.set(xlim=(-room, room), ylim=(-room, room), aspect="equal")
    few(ax.xaxis, 4)
    few(ax.yaxis, 4)
