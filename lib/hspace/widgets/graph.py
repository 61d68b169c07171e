"""The graph of a computation, walked forward and back: what each node says, keeps, and is told."""

import traitlets

from hspace.engine import graph, jvp, plain, vjp
from hspace.figures.chains import layout

from .base import LiveFigure, index, numbers, trait

MODES = ("reverse", "forward")
MOST_NODES, MOST_NUMBERS, WIDEST = 16, 12, 3.6  # what a phone can show; the width in boxes
#: What an operation keeps for its products; those that are not listed keep their slopes.
KEEPS = {
    "@": "the other factor",
    "×": "the other factor",
    "inverse": "the inverse",
    "max": "the place",
    "min": "the place",
}


class Graph(LiveFigure):
    """A recorded computation in steps: forward through the graph, and back.

    output: a `hspace.engine.Node`, the end of the graph: up to 16 nodes with up to 12 numbers each, up to three side by
    side.  steps: {node: v}, small steps of some inputs: with them the reader may choose forward mode as well, in which
    the steps run along with the values.  reading: w, in the output's shape; may be left out where the output is one
    number, which then reads 1.  title: stands above.

    Every number comes from `hspace.engine.vjp` and `jvp`.  `mode`, "reverse" or "forward", and `at`, how many steps are
    done, follow the reader and may be set from Python.
    Raises ValueError for what is no node, too large a graph, numbers that are not finite, and wrong shapes.
    """

    module = "graph"

    nodes = trait(traitlets.List)
    links = trait(traitlets.List)
    stored = trait(traitlets.List)
    title = trait(traitlets.Unicode, "")
    mode = trait(traitlets.Unicode, "reverse")
    at = trait(traitlets.Int, 0)

    def __init__(self, output, steps=None, *, reading=None, title=""):
        places, ways = layout(output)
        _check_size(places, ways)
        if reading is None and output.value.numel() > 1:
            raise ValueError(f"{output} is more than one number: give a reading of that shape, or end with .sum()")
        told = vjp(output, 1.0 if reading is None else reading)
        moved = jvp(output, steps) if steps else {}
        order = graph(output)
        stored, links = {}, []
        for node, i, points in ways:
            links.append(_link(node, i, points, order, told, moved, stored))
        nodes = [_node(node, places, told, moved) for node in order]
        kept = [_numbers("what is kept", tensor) for tensor in stored.values()]
        super().__init__(nodes=nodes, links=links, stored=kept, title=str(title))

    @traitlets.validate("mode")
    def _mode_is_known(self, proposal):
        mode = proposal["value"]
        if mode not in MODES:
            raise ValueError(f"mode={mode!r} must be one of {', '.join(MODES)}")
        if mode == "forward" and not self._has_steps:
            raise ValueError("mode='forward' needs steps: Graph(output, steps={x: v})")
        return mode

    @traitlets.validate("at")
    def _at_is_on_the_way(self, proposal):
        return index("at", proposal["value"], self.length + 1)

    @traitlets.observe("mode")
    def _another_mode_begins_at_the_start(self, change):
        self.at = 0

    @property
    def length(self):
        """How many steps there are: one for each operation, and in reverse mode another one for its way back."""
        count = sum(not node["input"] for node in self.nodes)
        return count * (2 if self.mode == "reverse" else 1)

    @property
    def _has_steps(self):
        return any(node["moved"] is not None for node in self.nodes)

    def describe(self):
        """The operations in their order, what the inputs are told, and where a step leads."""
        inputs = [node for node in self.nodes if node["input"]]
        made = [node for node in self.nodes if not node["input"]]
        title = f"{self.title}: " if self.title else ""
        forward = ", ".join(f"{node['name']} = {written(node['value'])}" for node in made)
        back = ", ".join(f"{node['name']} is told {written(node['told'])}" for node in inputs)
        count, last = sum(_count(tensor) for tensor in self.stored), self.nodes[-1]
        said = [
            f"{title}a graph from {' and '.join(node['name'] for node in inputs)}, walked forward and back.",
            f"Forward: {forward}. {count} numbers are kept.",
            f"Back, from {written(last['told'])}: {back}.",
        ]
        if last["moved"] is not None:
            begun = [f"{node['name']} by {written(node['moved'])}" for node in inputs if node["moved"] is not None]
            said.append(f"In forward mode a step of {' and '.join(begun)} moves the end by {written(last['moved'])}.")
        return " ".join(said)


def _check_size(places, ways):
    wide = max(abs(offset) + 0.5 for *_, points in ways for _, offset in points) * 2 if ways else 0
    most = max(node.value.numel() for node in places)
    if len(places) > MOST_NODES or wide > WIDEST or most > MOST_NUMBERS or not ways:
        raise ValueError(
            f"{len(places)} nodes, {wide:.1f} boxes side by side and up to {most} numbers in one are too many; "
            f"{MOST_NODES} nodes, {WIDEST} boxes and {MOST_NUMBERS} numbers can be live: use figures.graph"
        )


def _node(node, places, told, moved):
    return {
        "name": node.name,
        "input": not node.links,
        "value": _numbers(f"the value of {node}", node.value),
        "told": _numbers(f"what {node} is told", told[node]),
        "moved": _numbers(f"the step of {node}", moved[node]) if node in moved else None,
        "at": [float(number) for number in places[node]],
    }


def _link(node, i, points, order, told, moved, stored):
    """One arrow: between which nodes, what passes along it either way, and what it keeps."""
    link = node.links[i]
    step = link.push(moved[link.parent]) if link.parent in moved else None
    if link.keeps is not None:
        stored.setdefault(id(link.keeps), link.keeps)
    return {
        "start": order.index(link.parent),
        "end": order.index(node),
        "told": _numbers("a reading", link.pull(told[node])),
        "moved": None if step is None else _numbers("a step", step),
        "keeps": None if link.keeps is None else list(stored).index(id(link.keeps)),
        "what": KEEPS.get(node.name, "slopes"),
        "points": [[float(number) for number in point] for point in points],
    }


def _numbers(name, value):
    value = plain(value)
    if value.ndim:
        return numbers(name, value, (None,) * value.ndim)
    return numbers(name, [value], (1,))[0]


def _count(tensor):
    return sum(map(_count, tensor)) if isinstance(tensor, list) else 1


def written(value):
    """Numbers as text: 0.5, (1, 2), or by rows (1, 2; 3, 4); up to three decimals, with a true minus."""
    if not isinstance(value, list):
        return f"{round(value, 3) + 0.0:g}".replace("-", "−")
    if value and isinstance(value[0], list):
        return f"({'; '.join(', '.join(written(number) for number in row) for row in value)})"
    return f"({', '.join(written(number) for number in value)})"
