"""What all live figures share: one ES module each, shown by Jupyter with a kernel and by the website without one."""

import base64
import html
import io
import json
import re
from pathlib import Path

import anywidget
import numpy as np

from hspace.figures import style

FOLDER = Path(__file__).parent
IMPORT = re.compile(r'^import \{([^}]*)\} from "\./parts\.mjs";.*\n', re.M)
LOADS = re.compile(r"^\s*(?:import\b|export\b.*\bfrom\b).*|\bimport\s*\(.*", re.M)


def trait(kind, *args, **options):
    """A trait of the figure's state: `kind(*args, **options)`, sent to the browser and stored on the page."""
    return kind(*args, **options).tag(sync=True, shown=True)


def one_text(module, folder=FOLDER):
    """A figure's module with what it imports from parts.mjs, as one ES module: a notebook takes a single text.

    The parts stand in a function of their own, so that only what is imported can meet the figure's names.
    Raises ValueError where a module imports anything else, or a part that there is not.
    """
    figure = (folder / f"{module}.mjs").read_text(encoding="utf-8")
    wanted = IMPORT.search(figure)
    if wanted is None:
        return alone(f"{module}.mjs", figure)
    parts = (folder / "parts.mjs").read_text(encoding="utf-8")
    names = [name.strip() for name in wanted[1].split(",") if name.strip()]
    offered = re.findall(r"^export (?:const|function|class) (\w+)", parts, re.M)
    if missing := sorted(set(names) - set(offered)):
        raise ValueError(f"{module}.mjs imports {', '.join(missing)}: parts.mjs offers {', '.join(sorted(offered))}")
    named = f"{{ {', '.join(names)} }}"
    inside = alone("parts.mjs", re.sub(r"^export (?=const|function|class)", "", parts, flags=re.M))
    rest = alone(f"{module}.mjs", figure.replace(wanted[0], "", 1))
    return f"const {named} = (() => {{\n{inside}\nreturn {named};\n}})();\n{rest}"


def alone(name, text):
    """`text`, where it is a module that loads no other; else a ValueError."""
    if found := LOADS.search(text):
        raise ValueError(f"{name} has {found[0].strip()!r}: a figure imports {{ names }} from ./parts.mjs, and no more")
    return text


class LiveFigure(anywidget.AnyWidget):
    """A figure to touch.

    A subclass names its module (`module = "linear_map"`, the file linear_map.mjs beside it), declares its state by
    `trait`, and says in `describe` what a reader sees who cannot run it. Notebooks store that sentence and the state as
    an HTML element, so that the website brings the figure to life without a kernel. A new figure has its module as the
    file is now.
    """

    module = None
    _css = FOLDER / "widgets.css"

    @property
    def _esm(self):
        return one_text(self.module)

    def describe(self):
        """What the figure shows, in a sentence or two of plain text."""
        raise NotImplementedError(f"{type(self).__name__} must say what it shows")

    def state(self):
        """The traits that make up the figure, a dict of what JSON can hold."""
        return {name: getattr(self, name) for name in sorted(self.trait_names(shown=True))}

    def html(self):
        """The element that the website turns into the figure; until then it shows the description."""
        state = html.escape(json.dumps(self.state(), ensure_ascii=False, allow_nan=False), quote=True)
        said = html.escape(self.describe())
        return f'<div class="hspace-live" data-widget="{self.module}" data-state="{state}"><p>{said}</p></div>'

    def _repr_mimebundle_(self, **options):
        data, metadata = super()._repr_mimebundle_(**options)
        return {**data, "text/plain": self.describe(), "text/html": self.html()}, metadata


def numbers(name, value, shape):
    """`value` (a tensor, too) as nested lists of floats; `shape` has None for any length.

    Raises ValueError where it does not hold numbers, one is not finite, or its shape is another.
    """
    try:
        array = np.asarray(style.array(value), dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers, in rows of equal length, got {value!r}") from error
    fits = array.ndim == len(shape) and all(
        wanted in (None, size) for wanted, size in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinite numbers: {array.tolist()}")
    return array.tolist()


def index(name, value, count):
    """`value`, where it is an index into `count` things; else a ValueError."""
    if not 0 <= value < count:
        raise ValueError(f"{name}={value} must be an index from 0 to {count - 1}")
    return value


def rounded(value, decimals=2):
    """A number for a sentence: so many decimals (one or more) where they say something, a true minus, no minus zero."""
    return f"{round(float(value), decimals) + 0.0:.{decimals}f}".rstrip("0").rstrip(".").replace("-", "−")


def told(values, decimals=2):
    """A vector for a sentence, or a matrix with semicolons between its rows: (1, 2; 3, 4)."""
    rows = [", ".join(rounded(value, decimals) for value in row) for row in np.atleast_2d(values)]
    return f"({'; '.join(rows)})"


def data_uri(image, kind, **options):
    """A PIL image as a file of a kind, "png" or "jpeg", in a data URI: text that a page can show."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
