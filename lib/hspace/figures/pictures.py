"""Pictures side by side: sheets, strips along directions, the gallery. Pictures are (..., 3, H, W) in [-1, 1]."""

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path
from PIL import Image

from .style import INCH, INK, PAPER, SHARP, SMALL, arrays, in_style, labels, page

GAP, MARGIN, LETTER = 4, 8, 20  # page pixels: between pictures, around all, height of a line of small text


@in_style
def sheet(pictures, columns=8, titles=None, cell=64):
    """A grid of pictures, row by row, with a small title under each.

    pictures (B, 3, H, W) in [-1, 1], or uint8; titles: B texts; cell: size of a picture in page pixels. A picture is
    enlarged by a whole factor, so that its pixels stay squares; one that is larger than the cell is averaged down.
    Returns a Figure. Raises ValueError for another shape or number of titles.
    """
    cells = _pixels(pictures, "B", cell * SHARP)
    count, high, wide, _ = cells.shape
    titles = titles if titles is None else labels(titles, count, "titles")
    columns = min(columns, count)
    down, right = high + SHARP * (GAP + LETTER * (titles is not None)), wide + SHARP * GAP
    spots = [(SHARP * MARGIN + i % columns * right, SHARP * MARGIN + i // columns * down) for i in range(count)]
    size = [2 * SHARP * MARGIN - SHARP * GAP + n for n in (columns * right, -(-count // columns) * down)]
    figure, ax = _board(*size, zip(spots, cells, strict=True))
    for (x, y), title in zip(spots, titles or [], strict=False):
        ax.text(x + wide / 2, y + high + SHARP * GAP, title, ha="center", va="top", size=SMALL)
    return figure


@in_style
def strips(pictures, rows=None, columns=None, cell=64):
    """One strip of F pictures a row; where F is odd the middle one, where the walk starts, is framed.

    pictures (R, F, 3, H, W) in [-1, 1], or uint8; rows: R labels at the left; columns: F labels above, such as lengths;
    cell: size of a picture in page pixels.  Returns a Figure. Raises ValueError for shapes or labels that do not fit.
    """
    columns = columns if columns is None else [_signed(length) for length in columns]
    return _strips(pictures, rows, columns, cell, framed=True)


@in_style
def compare(before, after, names=("before", "after"), titles=None, cell=64):
    """Pictures above what became of them.

    before, after (B, 3, H, W) in [-1, 1], or uint8; names: labels of the two rows; titles: B labels above,
    of one line or more.
    Returns a Figure. Raises ValueError for shapes or labels that do not fit.
    """
    pairs = np.stack(arrays(before=(before, "B 3 H W"), after=(after, "B 3 H W")))
    return _strips(pairs, names, titles, cell, framed=False)


@in_style
def table(pictures, rows=None, columns=None, cell=64):
    """Pictures in rows and columns, such as walks that begin at the left, one a row; none is framed.

    pictures (R, F, 3, H, W) in [-1, 1], or uint8; rows: R labels; columns: F labels, such as lengths; cell: size of a
    picture in page pixels. Light rather than exact: colours are rounded to steps of 8 of 255.
    Returns a Figure. Raises ValueError for shapes or labels that do not fit.
    """
    (pictures,) = arrays(pictures=(pictures, "R F 3 H W"))
    light = np.minimum(np.round(eight_bits(pictures) / 8) * 8, 255).astype(np.uint8)
    return _strips(np.moveaxis(light, -1, -3), rows, columns, cell, framed=False)


def _strips(pictures, rows, columns, cell, framed):
    cells = _pixels(pictures, "R F", cell * SHARP)
    R, F, high, wide, _ = cells.shape
    rows = rows if rows is None else labels(rows, R, "rows")
    columns = columns if columns is None else labels(columns, F, "columns")
    left = SHARP * MARGIN + (_width(rows) + SHARP * GAP if rows else 0)
    lines = max((text.count("\n") + 1 for text in columns or []), default=0)
    top = SHARP * (MARGIN + LETTER * lines)
    down, right = high + SHARP * GAP, wide + SHARP * GAP
    spots = [(left + f * right, top + r * down) for r in range(R) for f in range(F)]
    size = left + F * right + SHARP * (MARGIN - GAP), top + R * down + SHARP * (MARGIN - GAP)
    figure, ax = _board(*size, zip(spots, cells.reshape(-1, high, wide, 3), strict=True))
    middle = F // 2 if framed and F % 2 and F > 1 else None
    if middle is not None:
        _frame(ax, left + middle * right, top, wide, R * down - SHARP * GAP, SHARP * 2)
    for r, text in enumerate(rows or []):
        ax.text(left - SHARP * 8, top + r * down + high / 2, text, ha="right", va="center", size=SMALL)
    for f, text in enumerate(columns or []):
        weight = "bold" if f == middle else "normal"
        ax.text(left + f * right + wide / 2, top - SHARP * 5, text, ha="center", va="bottom", size=SMALL, weight=weight)
    return figure


@in_style
def gallery(strips, numbers=None, columns=2, width=700):
    """All directions on one page: strips of F small pictures with their numbers, down one column, then the next.

    strips (K, F, 3, H, W) in [-1, 1], or uint8; numbers: K labels, by default 0 .. K - 1, the columns of V; columns of
    strips; width of the figure in page pixels. Where F is odd the middle pictures, where the walks start, are framed.
    Light rather than exact: pictures of more than 48 pixels are made smaller, and colours rounded to steps of 8 of 255.
    Returns a Figure. Raises ValueError for shapes or labels that do not fit.
    """
    cells = _pixels(strips, "K F", 48, enlarge=False)
    cells = np.minimum(np.round(cells / 8) * 8, 255).astype(np.uint8)
    K, F, high, wide, _ = cells.shape
    numbers = labels(range(K) if numbers is None else numbers, K, "numbers")
    each = -(-K // columns)  # strips in a column
    gap, label = max(2, wide // 28), round(wide * 0.6)
    right, down = label + F * (wide + gap) + gap * 5, high + gap
    start = [(gap + k // each * right, gap * 4 + k % each * down) for k in range(K)]
    spots = [(x + label + f * (wide + gap), y) for x, y in start for f in range(F)]
    size = -(-K // each) * right - gap * 2, gap * 7 + each * down
    sharp = size[0] / width
    figure, ax = _board(*size, zip(spots, cells.reshape(-1, high, wide, 3), strict=True), sharp)
    for k, ((x, y), number) in enumerate(zip(start, numbers, strict=True)):
        ax.text(x + label - gap * 3, y + high / 2, number, ha="right", va="center", size=SMALL)
        if k % each == 0 and F % 2 and F > 1:
            _frame(ax, x + label + F // 2 * (wide + gap), y, wide, min(each, K - k) * down - gap, gap)
    return figure


def _pixels(pictures, axes, dots, enlarge=True):
    """Pictures (*axes, 3, H, W) as uint8 (*axes, H', W', 3), the longer side near or at `dots`."""
    pictures = eight_bits(*arrays(pictures=(pictures, f"{axes} 3 H W")))
    longer = max(pictures.shape[-3:-1])
    if longer > dots:
        return shrunk(pictures, dots / longer)
    times = max(1, round(dots / longer)) if enlarge else 1
    return pictures.repeat(times, axis=-3).repeat(times, axis=-2)


def eight_bits(pictures):
    """An array of pictures (..., 3, H, W) in [-1, 1], clipped, or uint8, as uint8 (..., H, W, 3).

    Raises ValueError for numbers that are not finite.
    """
    if pictures.dtype != np.uint8:
        if not np.isfinite(pictures).all():
            raise ValueError("pictures hold NaN or infinity; values in [-1, 1] are needed")
        pictures = ((np.clip(pictures, -1, 1) + 1) * 127.5).round().astype(np.uint8)
    return np.moveaxis(pictures, -3, -1)


def shrunk(pictures, factor):
    """Pictures (..., H, W, 3), uint8, made smaller by a factor below 1."""
    high, wide = (max(1, round(n * factor)) for n in pictures.shape[-3:-1])
    flat = pictures.reshape(-1, *pictures.shape[-3:])
    small = [np.asarray(Image.fromarray(p).resize((wide, high), Image.Resampling.LANCZOS)) for p in flat]
    return np.stack(small).reshape(*pictures.shape[:-3], high, wide, 3)


def _frame(ax, x, y, wide, high, thick):
    """A frame of `thick` dots just outside the rectangle at (x, y)."""
    corner = x - thick / 2, y - thick / 2
    width = thick * 72 / ax.figure.dpi  # in points
    ax.add_patch(Rectangle(corner, wide + thick, high + thick, fill=False, ec=INK, lw=width, snap=False))


def _board(width, height, pasted, sharp=SHARP):
    """A figure of width × height dots with pictures (H, W, 3) at (x, y), and its Axes: in dots, y down, dot for dot."""
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = [round(255 * c) for c in to_rgb(PAPER)]
    for (x, y), picture in pasted:
        canvas[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    figure = page(height / sharp, width / sharp, sharp, layout="none", colours=None)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    ax.imshow(canvas, extent=(0, width, height, 0), interpolation="nearest", aspect="auto")
    return figure, ax


def _width(texts):
    """Dots that the widest text needs, with some air."""
    font = FontProperties(family="DejaVu Sans", size=SMALL)
    points = max(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] for text in texts)
    return round(points / 72 * INCH * SHARP) + SHARP * 8


def _signed(label):
    """A length as text, with its sign and a true minus: -8.0 as −8; text stays as it is."""
    if isinstance(label, str):
        return label
    return f"{float(label):+g}".replace("-", "−") if label else "0"
