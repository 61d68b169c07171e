"""How every figure looks: its own warm paper, so that it reads on light and on dark pages, dark ink, few colours.

Lengths are page pixels: a figure 640 wide fills the column of the book and is stored with two dots a pixel. Nothing
here touches pyplot, and matplotlib's settings change only while a figure is made or drawn.
"""

import base64
import io

import matplotlib.figure
import numpy as np
from matplotlib import style
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from PIL import Image

PAPER, INK, MUTED, LINE = "#fffdf8", "#26211e", "#6a6159", "#ddd5c8"
RED, BLUE = "#c8322b", "#2b62b5"  # the story's x₁ and x₂, and nothing else; each comes with a label, dash or marker
MORE, LESS = "#a85400", "#5b3a94"  # the two ends of a signed scale
PLAIN, OTHER = "#14706a", "#a85400"  # two series that are neither x₁ nor x₂

DOWN, UP = [(0, LESS), (0.3, "#a996cf"), (0.45, "#e2dbee")], [(0.55, "#f7e2c8"), (0.7, "#e3a35c"), (1, MORE)]
#: Steeper near 0, so that one large value does not whiten all others.
SIGNED = LinearSegmentedColormap.from_list("signed", [*DOWN, (0.5, PAPER), *UP])
ORDERED = LinearSegmentedColormap.from_list("ordered", ["#3b1f5c", "#1d6f83", "#b9780f"])
DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 1.5, 2)))
#: Colour, dash and marker of up to three things that are neither x₁ nor x₂.
SERIES = ((PLAIN, "-", "o"), (OTHER, DASHES[1], "s"), (INK, DASHES[2], "D"))

WIDTH = 640  # page pixels
INCH = 100  # page pixels an inch: 10 points are 14 page pixels
SHARP = 2  # dots a page pixel

SMALL = 9.5  # points; the least that a phone can show
SETTINGS = {
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.labelsize": 10.5,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": LINE,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.8,
    "legend.facecolor": PAPER,
    "legend.edgecolor": PAPER,
    "legend.framealpha": 1,
    "hatch.linewidth": 0.8,
    "svg.hashsalt": "hspace",
}

#: Decorator and context: our settings over matplotlib's own, whatever the notebook has set; put back afterwards.
in_style = style.context(["default", SETTINGS])


class Figure(matplotlib.figure.Figure):
    """A matplotlib figure that shows itself, once and the same everywhere, as the last value of a cell.

    A bare Figure shows as text unless the inline backend is on, which crops it. IPython asks `_ipython_display_` before
    either, so this class draws itself.

    colours: how many its PNG may have, up to 256, or None for all. Charts need few, which saves two thirds of the file.
    """

    colours = None

    @in_style
    def png(self):
        """The figure as PNG bytes, the same on every call: no date and no program name in the file."""
        if self.get_layout_engine() is not None:  # each further layout would move things by a hair: lay out once
            self.draw_without_rendering()
            self.set_layout_engine("none")
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=self.dpi, metadata={"Software": None})
        picture, file = Image.open(file).convert("RGB"), io.BytesIO()
        if self.colours:
            picture = picture.quantize(self.colours, dither=Image.Dither.NONE)
        picture.save(file, "PNG", optimize=True)
        return file.getvalue()

    _repr_png_ = png

    def _ipython_display_(self):
        from IPython.display import display

        data = {"image/png": base64.b64encode(self.png()).decode(), "text/plain": repr(self)}
        width, height = (round(inches * INCH) for inches in self.get_size_inches())
        display(data, raw=True, metadata={"image/png": {"width": width, "height": height}})


def page(height, width=WIDTH, sharp=SHARP, layout="constrained", colours=256):
    """An empty `Figure` of width × height page pixels, with `sharp` dots a pixel."""
    # matplotlib cuts fractions of a dot off: a hair more keeps 5.48 inches at 200 dots from becoming 1095 of 1096.
    size = (width / INCH + 1e-6, height / INCH + 1e-6)
    figure = Figure(figsize=size, dpi=INCH * sharp, layout=layout)
    figure.colours = colours
    return figure


def plain_logarithmic(axis):
    """A logarithmic axis with plain numbers at 1, 2 and 5 of each decade, at 1 alone where there are many decades."""
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 200 * low else (1,)))
    axis.set_major_formatter(lambda x, _: f"{x:,.0f}".replace(",", "\u202f") if x >= 1 else f"{x:g}")
    axis.set_minor_locator(NullLocator())


def few(axis, most):
    """Up to `most` ticks at round numbers."""
    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))


def arrays(**given):
    """What was passed, as numpy arrays of agreeing shapes, in order.

    given: name=(tensor, array, list or None, "F k"): a letter stands for one length wherever it occurs, a number for
    itself. None stays None. Raises ValueError naming the shape that is wrong and the one that is needed.
    """
    sizes, found = {}, []
    for name, (values, axes) in given.items():
        found.append(None if values is None else array(values))
        if values is None:
            continue
        letters, shape = axes.split(), found[-1].shape
        wanted = [
            int(a) if a.isdigit() else sizes.get(a, shape[i] if i < len(shape) else None) for i, a in enumerate(letters)
        ]
        if list(shape) != wanted:
            need = ", ".join(
                a if n is None or a == str(n) else f"{a} = {n}" for a, n in zip(letters, wanted, strict=True)
            )
            raise ValueError(f"{name} must have shape ({need}{',' * (len(letters) == 1)}), not {shape}")
        if 0 in shape:
            raise ValueError(f"{name} is empty: its shape is {shape}")
        sizes |= {a: n for a, n in zip(letters, shape, strict=True) if not a.isdigit()}
    return found


def array(values):
    """A tensor, on any device and with or without a gradient, or anything that numpy takes."""
    values = values.detach().cpu() if hasattr(values, "detach") else values
    return np.asarray(values.float() if str(getattr(values, "dtype", "")) == "torch.bfloat16" else values)


def labels(names, count, what):
    """`count` labels as text; ValueError where there is another number of them."""
    if len(names) != count:
        raise ValueError(f"{what}: {len(names)} labels for {count}")
    return [str(name) for name in names]


def among(known, names):
    """ValueError for a name that is not one of the known."""
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is not one of {', '.join(known)}")


def at_most(most, count, what):
    """ValueError where more things are to be drawn than can be told apart."""
    if count > most:
        raise ValueError(f"{count} {what} are too many to tell apart; draw at most {most}")


def as_text(number):
    """A number as short as it is, with a true minus."""
    return f"{float(number):g}".replace("-", "−")


def apart(places, least):
    """Places of labels, in the order given, moved as little as needed to lie `least` apart. places (n,)."""
    order = np.argsort(places, kind="stable")
    ladder = least * np.arange(len(places))
    # Sorted places minus the ladder must not decrease: pool neighbours that do, as in isotonic regression.
    pools = []
    for value in np.asarray(places, dtype=float)[order] - ladder:
        pools.append([value, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, n), (b, m) = pools[-2:]
            pools[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    moved = np.empty(len(places))
    moved[order] = np.repeat([value for value, _ in pools], [n for _, n in pools]) + ladder
    return moved
