"""What the tests of the figures share: what a figure says, its arrows, and that it comes out alike every time."""

import io

import matplotlib as mpl
import numpy as np
from matplotlib.colors import same_color
from PIL import Image

from hspace.figures import style


def told(figure):
    """All texts of a figure."""
    return [text.get_text() for text in figure.findobj(mpl.text.Text) if text.get_text()]


def arrows(ax):
    """(tail, tip, colour) of every arrow, in the order drawn."""
    drawn = [text for text in ax.texts if getattr(text, "arrow_patch", None)]
    return [(np.array(a.xyann), np.array(a.xy), a.arrowprops["color"]) for a in drawn]


def settings():
    """matplotlib's settings; not the backend, for asking after it chooses one."""
    return {name: mpl.rcParams[name] for name in mpl.rcParams if name != "backend"}


def check_alike(make, most=150_000):
    """`make()` twice: one small PNG of up to `most` bytes, on the book's paper, and matplotlib's settings as before."""
    before = settings()
    figure = make()
    png = figure.png()
    assert isinstance(figure, style.Figure)
    assert png == make().png() and len(png) < most
    assert settings() == before
    corner = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))[0, 0]
    assert same_color(corner / 255, style.PAPER)
