"""A matrix as a figure: drag the vector, change the entries, see the space move."""

import numpy as np
import traitlets

from .base import LiveFigure, numbers, trait

INPUTS, OUTPUTS = ("x₁", "x₂"), ("h₁", "h₂")


class LinearMap(LiveFigure):
    """A linear map between spaces of one or two dimensions: input on the left, output on the right.

    matrix: (m, n) with m and n 1 or 2, a row for each output.  vector: (n,), ones by default.
    inputs, outputs: the names of the n and m coordinates.  ratios: write output/input beside every entry.
    rows: show each row's dot product as head-to-tail addition on its output's axis.  grid: draw the input's grid and
    its image.  editable: let the reader change the matrix; the vector can be moved in any case.

    `matrix` and `vector` follow what the reader does, and may be set from Python, in the shapes they were made with.
    Raises ValueError where a shape, a number or a name is wrong.
    """

    module = "linear_map"

    matrix = trait(traitlets.List)
    vector = trait(traitlets.List)
    inputs = trait(traitlets.List, traitlets.Unicode())
    outputs = trait(traitlets.List, traitlets.Unicode())
    ratios = trait(traitlets.Bool, False)
    rows = trait(traitlets.Bool, False)
    grid = trait(traitlets.Bool, True)
    editable = trait(traitlets.Bool, True)

    def __init__(
        self, matrix, vector=None, *, inputs=INPUTS, outputs=OUTPUTS, ratios=False, rows=False, grid=True, editable=True
    ):
        matrix = numbers("matrix", matrix, (None, None))
        m, n = np.shape(matrix)
        if not (1 <= m <= 2 and 1 <= n <= 2):
            raise ValueError(f"matrix must have one or two rows and columns, got shape {(m, n)}")
        super().__init__(
            matrix=matrix,
            vector=numbers("vector", np.ones(n) if vector is None else vector, (n,)),
            inputs=_names("inputs", inputs, INPUTS, n),
            outputs=_names("outputs", outputs, OUTPUTS, m),
            ratios=ratios,
            rows=rows,
            grid=grid,
            editable=editable,
        )

    @traitlets.validate("matrix", "vector")
    def _keeps_its_shape(self, proposal):
        name, m, n = proposal["trait"].name, len(self.outputs), len(self.inputs)
        return numbers(name, proposal["value"], (m, n) if name == "matrix" else (n,))

    def describe(self):
        """The map, its matrix and what it does to the vector, in two sentences."""
        matrix = "; ".join(", ".join(map(number, row)) for row in self.matrix)
        h = np.array(self.matrix) @ self.vector
        return (
            f"A linear map from {' and '.join(self.inputs)} to {' and '.join(self.outputs)}. "
            f"Its matrix ({matrix}) takes {_point(self.inputs, self.vector)} to {_point(self.outputs, h)}."
        )


def number(value):
    """A number for a sentence: at most four digits that count, a true minus sign, no minus zero."""
    return f"{value + 0.0:.4g}".replace("-", "−")


def _point(names, values):
    return ", ".join(f"{name} = {number(value)}" for name, value in zip(names, values, strict=True))


def _names(what, given, default, count):
    """`count` different names; of the default ones, the first `count`."""
    if isinstance(given, str) or not all(isinstance(name, str) and name.strip() for name in given):
        raise ValueError(f"{what} must be {count} names in a list, got {given!r}")
    given = list(default[:count] if tuple(given) == default else given)
    if len(given) != count or len(set(given)) != count:
        raise ValueError(f"{what} must be {count} different names, one for each number, got {given!r}")
    return given
