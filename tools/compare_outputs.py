"""Are two runs of a notebook cell the same? Text by its words and numbers, figures by their pixels.

Used by the tests of the chapters (conftest.py) and by `make chapters`, so that both mean the same by "unchanged".
"""

import base64
import io
import json
import math
import re
from collections import defaultdict
from decimal import Decimal
from html.parser import HTMLParser

import numpy as np
from PIL import Image

TOLERANCE = 2.0  # root mean square, of 255: drawing the same figure again gives 0, a curve 1.1 times as high about 10
TILE = 32  # pixels: one wrong thumbnail hides in a whole gallery, not in a tile

# What differs from run to run without meaning (nbval leaves out the same fields), and widgets' random model ids.
VOLATILE = {"output_type", "metadata", "execution_count", "traceback", "name"}
VOLATILE_TYPES = {"application/vnd.jupyter.widget-view+json"}

NUMBER = re.compile(r"(?<![\w.])[-+−]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?![\w.]*\w)")


def numbers_agree(stored, now, percent=False):
    """Whether two printed numbers differ by at most one unit in the last digit of the one printed more finely.

    Rounding flips between machines, so 0.123 equals 0.124, and not 0.125. Whole numbers count something and must be
    equal, unless `percent`: a rounded share may flip as well.  stored, now: str.
    """
    a, b = (Decimal(text.replace("−", "-")) for text in (stored, now))
    units = [number.as_tuple().exponent for number in (a, b)]
    if units == [0, 0] and not percent:
        return a == b
    return abs(a - b) <= Decimal(1).scaleb(min(units))


def _pieces(text):
    """The text between the numbers, with runs of blanks made one: a changed sign or width moves the columns."""
    return [re.sub(r" ?\n ?", "\n", re.sub(r"[ \t]+", " ", piece)).strip(" ") for piece in NUMBER.split(text)]


def text_difference(stored, now):
    """What differs between two printed texts, in a sentence, or None where they agree (see `numbers_agree`)."""
    if stored == now:
        return None
    between, between_now = _pieces(stored), _pieces(now)
    if between != between_now:
        return f"the text differs\n  stored: {stored!r}\n  now:    {now!r}"
    for i, (a, b) in enumerate(zip(NUMBER.findall(stored), NUMBER.findall(now), strict=True)):
        if not numbers_agree(a, b, percent=between[i + 1].startswith("%")):
            return f"{a.strip()} became {b.strip()}\n  stored: {stored!r}\n  now:    {now!r}"
    return None


def decode_png(data):
    """A PNG, as base64 text or bytes, as a float array (height, width, 4), colours multiplied by opacity, 0..255."""
    raw = base64.b64decode(data) if isinstance(data, str) else data
    pixels = np.asarray(Image.open(io.BytesIO(raw)).convert("RGBA"), dtype=np.float64)
    opacity = pixels[..., 3:]
    return np.concatenate([pixels[..., :3] * opacity / 255, opacity], axis=-1)


def picture_difference(stored, now, tolerance=TOLERANCE, tile=TILE):
    """What differs between two PNGs, in a sentence, or None where they agree.

    They agree where sizes are equal and the root mean square difference is at most `tolerance` of 255 over the whole
    picture and in every tile of `tile` × `tile` pixels.  stored, now: PNG files as base64 text or bytes.
    """
    a, b = decode_png(stored), decode_png(now)
    if a.shape != b.shape:
        return f"the picture was {a.shape[1]} × {a.shape[0]} pixels and is {b.shape[1]} × {b.shape[0]}"
    square = ((a - b) ** 2).sum(-1) / 3
    whole = np.sqrt(square.mean())
    if whole > tolerance:
        return f"the pixels differ by {whole:.1f} of 255 over the whole picture (at most {tolerance})"
    rows, columns = (np.arange(0, size, tile) for size in square.shape)
    sums = np.add.reduceat(np.add.reduceat(square, rows, axis=0), columns, axis=1)
    counts = np.outer(np.diff([*rows, square.shape[0]]), np.diff([*columns, square.shape[1]]))
    tiles = np.sqrt(sums / counts)
    row, column = np.unravel_index(tiles.argmax(), tiles.shape)
    if tiles[row, column] > tolerance:
        return (
            f"the pixels differ by {tiles[row, column]:.1f} of 255 in the tile at x = {column * tile}, y = {row * tile}"
            f" (at most {tolerance}; {whole:.2f} over the whole picture)"
        )
    return None


class _Live(HTMLParser):
    """The live figure in an HTML output: its widget's name, its state and the sentence that describes it."""

    def __init__(self, source):
        super().__init__()
        self.name, self.state, self.said = None, None, ""
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "data-widget" in found:
            self.name, self.state = found["data-widget"], json.loads(found["data-state"])

    def handle_data(self, data):
        self.said += data


PICTURE = re.compile(r"data:image/(png|jpeg);base64,")


def live_difference(stored, now, tolerance=2e-3):
    """What differs between two live figures (HTML outputs), in a sentence, or None where they agree.

    Their states must have the same parts; fractions may differ by `tolerance`, of the number or absolutely, and
    embedded pictures as figures may.
    """
    before, after = _Live(stored), _Live(now)
    if before.name != after.name:
        return f"the figure was {before.name} and is {after.name}"
    return text_difference(before.said, after.said) or _state_difference(before.state, after.state, tolerance, "state")


def _state_difference(a, b, tolerance, where):
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        parts = [(a[key], b[key], f"{where}.{key}") for key in a]
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        parts = [(*pair, f"{where}[{i}]") for i, pair in enumerate(zip(a, b, strict=True))]
    else:
        return _leaf_difference(a, b, tolerance, where)
    return next(filter(None, (_state_difference(x, y, tolerance, name) for x, y, name in parts)), None)


def _leaf_difference(a, b, tolerance, where):
    if a == b:
        return None
    if all(isinstance(value, str) and PICTURE.match(value) for value in (a, b)):
        message = picture_difference(PICTURE.sub("", a), PICTURE.sub("", b))
        return message and f"{where}: {message}"
    if all(isinstance(value, float) for value in (a, b)) and math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance):
        return None
    return f"{where}: {str(a)[:80]} became {str(b)[:80]}"


def content_difference(kind, stored, now, clean=lambda text: text):
    """What differs between two contents of one kind (a MIME type or a stream's name), or None where they agree."""
    if kind == "image/png":
        return picture_difference(stored, now)
    if kind == "text/html" and all("data-widget=" in text for text in (stored, now)):
        return live_difference(stored, now)
    if isinstance(stored, str) and isinstance(now, str):
        return text_difference(clean(stored), clean(now))
    return None if stored == now else f"{stored!r} became {now!r}"


def _by_kind(outputs):
    """The outputs' contents by stream name or MIME type, in order: {kind: [content, ...]}."""
    kinds = defaultdict(list)
    for output in outputs:
        fields = {key: value for key, value in output.items() if key not in VOLATILE | {"data", "text"}}
        if "text" in output:
            fields[output["name"]] = output["text"]
        for kind, content in {**fields, **output.get("data", {})}.items():
            if kind not in VOLATILE_TYPES:
                kinds[kind].append(content)
    return kinds


def differences(stored, now, clean=lambda text: text):
    """How a cell's outputs changed between two runs.

    stored, now: lists of notebook outputs, streams of one name joined.  clean: applied to every text before comparing.
    Returns a list of (message, stored content, content now), empty where the runs agree; the contents are PNGs as
    base64 text where a picture differs, else None.
    """
    found = []
    stored_kinds, now_kinds = _by_kind(stored), _by_kind(now)
    for kind in sorted({*stored_kinds, *now_kinds}):
        before, after = stored_kinds[kind], now_kinds[kind]
        if len(before) != len(after):
            found.append((f"{kind}: {len(before)} stored, {len(after)} now", None, None))
            continue
        for a, b in zip(before, after, strict=True):
            if message := content_difference(kind, a, b, clean):
                pictures = (a, b) if kind == "image/png" else (None, None)
                found.append((f"{kind}: {message}", *pictures))
    return found


def save_pictures(folder, name, stored, now):
    """Write two differing PNGs and their difference beside each other, for looking; returns the files' paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"stored": base64.b64decode(stored), "now": base64.b64decode(now)}
    a, b = decode_png(stored), decode_png(now)
    if a.shape == b.shape:
        change = np.clip(128 + (b - a)[..., :3], 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(change).save(buffer, "PNG")
        files["difference"] = buffer.getvalue()
    paths = [folder / f"{name}_{kind}.png" for kind in files]
    for path, content in zip(paths, files.values(), strict=True):
        path.write_bytes(content)
    return paths
