"""The Eigenface: a principal component of drawn cat people, by its own light."""

import numpy as np

from hspace.cats.render import render
from hspace.cats.world import column, sample
from hspace.krylov import exact_svd

from .brush import HIGH, WIDE, board, paste

WARM, COLD = np.array([1.0, 0.86, 0.62]), np.array([0.16, 0.36, 0.50])


def eigenface():
    """A principal component of cat people, by its own light."""
    figure, ax = board(WIDE, HIGH, "#080b12")
    figure.colours = None  # light needs them all
    faces = components()
    for face, (x, y, size) in zip(faces[3:], AROUND, strict=False):
        paste(ax, lit(face, 0.6), x - size / 2, y - size / 2, size, size, "bicubic")
    paste(ax, lit(0.5 * faces[0] + 0.8 * faces[2], 0.95), 105, -30, 430, 430, "bicubic")
    return figure


AROUND = ((70, 90, 150), (160, 300, 120), (40, 330, 90), (570, 90, 150), (480, 300, 120), (604, 330, 90))


def components(count=160, size=96):
    """Leading principal components (12, size, size) of grey cat people, each of largest value 1.

    They look almost straight ahead, and none is a horse, so that the features lie on each other.
    """
    people = sample(count, seed=0)
    people[:, column("horse")] = 0
    people[:, column("background")] = 0.5
    people[:, column("shift")] *= 0.35
    people[:, column("tilt")] *= 0.5
    grey = ((render(people, size) + 1) / 2).mean(dim=1).flatten(1).double()
    _, V = exact_svd(grey - grey.mean(dim=0), 12)
    faces = V.T.reshape(-1, size, size)
    faces = faces * faces[:, 3 * size // 5, size // 4].sign()[:, None, None]  # a sign by rule: the cheek is light
    return (faces / faces.abs().amax(dim=(1, 2), keepdim=True)).numpy()


def lit(face, strength):
    """A component as light on the dark, (h, w, 4): warm where it is positive, cold where negative, fading outwards."""
    size = len(face)
    y, x = np.mgrid[0:size, 0:size] / (size - 1) * 2 - 1
    fade = np.clip(2.6 * (1 - np.hypot(x, y)), 0, 1) ** 0.7
    up, down = np.clip(face, 0, None)[..., None], np.clip(-face, 0, None)[..., None]
    light = np.clip(1.5 * strength * (up * WARM + down * COLD), 0, 1)
    bright = light.max(axis=-1, keepdims=True)
    return np.concatenate([light / np.maximum(bright, 1e-6), bright * fade[..., None]], axis=-1)
