"""ImageStrip: pictures along a direction, scrubbed by a slider."""

import numpy as np
import traitlets
from PIL import Image

from hspace.figures import style
from hspace.figures.pictures import eight_bits, shrunk

from .base import LiveFigure, data_uri, index, trait

SIDE = 256  # pixels; larger pictures are made smaller
TILE = 8  # JPEG works on tiles of this many pixels: a cell of whole tiles keeps its neighbours' colours out


class ImageStrip(LiveFigure):
    """Pictures in a row, one large at a time; a slider goes along them.

    pictures: (k, 3, S, S), or (n, k, 3, S, S) for n rows of which the reader chooses one, in [-1, 1] or uint8; k at
    least 2.
    labels: k texts or numbers, one a picture, such as lengths of a walk; a number gets its sign where some are below 0.
    title: what the strip shows.  rows: n names.  The first picture shown is the middle one where k is odd, where a walk
    starts, else the first; `at` and `row` can be read and set afterwards.
    Raises ValueError for another shape, numbers that are not finite, or the wrong number of labels or names.
    """

    module = "image_strip"

    title = trait(traitlets.Unicode, "")
    labels = trait(traitlets.List)
    rows = trait(traitlets.List)
    sprites = trait(traitlets.List)  # one picture a row, its k cells side by side
    side = trait(traitlets.Int)  # of a picture, in pixels of the sprite
    cell = trait(traitlets.Int)  # from one picture of the sprite to the next
    at = trait(traitlets.Int, 0)
    row = trait(traitlets.Int, 0)

    def __init__(self, pictures, labels, *, title="", rows=None):
        pixels = _pixels(pictures)
        n, k = pixels.shape[:2]
        if rows is None and n > 1:
            raise ValueError(f"pictures hold {n} rows: name them by rows=[...], so that a reader can choose")
        side = pixels.shape[2]
        super().__init__(
            title=str(title),
            labels=_signed(style.labels(labels, k, "labels")),
            rows=[] if rows is None else style.labels(rows, n, "rows"),
            sprites=[_sprite(strip) for strip in pixels],
            side=side,
            cell=side + -side % TILE,
            at=k // 2 if k % 2 else 0,
        )

    @traitlets.validate("at")
    def _place(self, proposal):
        return index("at", proposal["value"], len(self.labels))

    @traitlets.validate("row")
    def _choice(self, proposal):
        return index("row", proposal["value"], len(self.sprites))

    def describe(self):
        name = f"{self.title}: a" if self.title else "A"
        count, first, last = len(self.labels), self.labels[0], self.labels[-1]
        said = f"{name} strip of {count} pictures, from {first} to {last}, here at {self.labels[self.at]}."
        if len(self.rows) > 1:
            said += f" One strip each for {', '.join(self.rows)}."
        return f"{said} Slide along it to see what changes and what stays."


def _signed(names):
    """Plain numbers with a true minus; with a plus as well where some are negative."""
    try:
        values = [float(name) for name in names]
    except ValueError:
        return names
    both = min(values) < 0
    signs = ["+" if both and value > 0 else "" for value in values]
    return [sign + name.strip().lstrip("+").replace("-", "−") for sign, name in zip(signs, names, strict=True)]


def _pixels(pictures):
    """Pictures as uint8 (n, k, S, S, 3), made smaller where they are larger than `SIDE`."""
    shape = tuple(getattr(pictures, "shape", np.shape(pictures)))
    axes = {4: "k 3 S S", 5: "n k 3 S S"}.get(len(shape))
    if axes is None or shape[-1] != shape[-2]:
        raise ValueError(f"pictures must have shape (k, 3, S, S) or (n, k, 3, S, S), not {shape}")
    (values,) = style.arrays(pictures=(pictures, axes))
    values = values.reshape(-1, *values.shape[-4:])
    if values.shape[1] < 2:
        raise ValueError("a strip needs at least 2 pictures; show a single one by figures.sheet")
    pixels = eight_bits(values)
    return pixels if shape[-1] <= SIDE else shrunk(pixels, SIDE / shape[-1])


def _sprite(strip):
    """Pictures (k, S, S, 3) side by side as a JPEG in a data URI, each in a cell of whole tiles."""
    spare = -strip.shape[1] % TILE
    cells = np.pad(strip, ((0, 0), (0, spare), (0, spare), (0, 0)), mode="edge")
    return data_uri(Image.fromarray(np.concatenate(list(cells), axis=1)), "jpeg", quality=92, subsampling=0)
