"""How a drawing is made: how much picture and how much noise there is at each timestep."""

import numpy as np

from .style import DASHES, INK, OTHER, PLAIN, arrays, in_style, page


@in_style
def schedule(alphas_cumprod, at=()):
    """The two factors of x_t = sqrt(ᾱ_t) x_0 + sqrt(1 - ᾱ_t) ε over t, noise on the left as a drawing goes.

    alphas_cumprod (T,): ᾱ_t in 0..1; at: timesteps 0..T - 1 to mark.  Returns a Figure.
    Raises ValueError for another shape, for ᾱ out of range, and for a mark that is no timestep.
    """
    (alphas,) = arrays(alphas_cumprod=(alphas_cumprod, "T"))
    if not ((alphas >= 0) & (alphas <= 1)).all():
        raise ValueError(f"alphas_cumprod runs from {alphas.min()} to {alphas.max()}; shares lie between 0 and 1")
    at = [int(t) for t in at]
    if wrong := [t for t in at if not 0 <= t < len(alphas)]:
        raise ValueError(f"at={wrong} are no timesteps of this schedule; they go from 0 to {len(alphas) - 1}")
    curves = {"picture, √ᾱ": (np.sqrt(alphas), PLAIN, "o"), "noise, √(1 − ᾱ)": (np.sqrt(1 - alphas), OTHER, "s")}
    figure = page(280)
    ax = figure.subplots()
    for dash, (name, (values, colour, marker)) in zip(DASHES, curves.items(), strict=False):
        ax.plot(values, color=colour, ls=dash, marker=marker, markevery=at, ms=6, mec=INK, mew=0.8, label=name)
    ax.set(xlim=(len(alphas), 0), ylim=(-0.03, 1.06), xlabel="timestep t", ylabel="factor")
    ax.grid()
    ax.legend(loc="center left")
    return figure
