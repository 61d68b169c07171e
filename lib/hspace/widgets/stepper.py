"""A drawn scene in steps: one picture, of which each step shows or lights up parts, with a caption."""

import re

import traitlets

from .base import LiveFigure, numbers, trait

COLORS = ("ink", "muted", "accent", "paper", "x1", "x2")
#: What an element of each kind must have, beside `id` and `kind`.
NEEDS = {
    "line": ("x1", "y1", "x2", "y2"),
    "arrow": ("x1", "y1", "x2", "y2"),
    "circle": ("cx", "cy", "r"),
    "rect": ("x", "y", "width", "height"),
    "polygon": ("points",),
    "path": ("d",),
    "text": ("x", "y", "text"),
}
#: What it may have. `from` is the id of another element of its kind: where this one appears, it moves out of that one.
MAY = {"color", "dash", "size", "fill", "anchor", "bold", "from"}
ANCHORS = ("start", "middle", "end")
PATH = re.compile(r"[MmLlHhVvCcSsQqTtAaZz0-9eE+\-., ]+")


class Stepper(LiveFigure):
    """A drawing that is told in steps, with next, back, a slider and play.

    frames: list of {caption, show: [ids], highlight: [ids]}, at least one; what is highlighted is shown as well.
    drawing: list of elements, in the order they are painted: {id, kind} and

    | kind | needs | size |
    |---|---|---|
    | line, arrow | x1, y1, x2, y2 | width of the stroke |
    | circle | cx, cy, r | width of the stroke |
    | rect | x, y, width, height | width of the stroke |
    | polygon | points, (k, 2) | width of the stroke |
    | path | d, as in SVG | width of the stroke |
    | text | x, y of its baseline, text | height of the letters |

    and, where wanted, color (ink, muted, accent, paper, x1 or x2), dash (bool), size, fill (a colour; none by default),
    for a text anchor (start, middle or end) and bold (bool), and for a line, an arrow or a text `from`: the id of the
    element out of which it moves when it appears.
    view: x, y, width and height of the part of the plane that is seen, y downwards; letters should be 15 or more where
    it is 420 wide, to be read on a phone.  title: stands above.

    Raises ValueError where a kind, an id, a colour or a number is not as it must be.
    """

    module = "stepper"

    frames = trait(traitlets.List)
    drawing = trait(traitlets.List)
    view = trait(traitlets.List)
    title = trait(traitlets.Unicode, "")
    frame = trait(traitlets.Int, 0)

    def __init__(self, frames, drawing, *, view=(0, 0, 640, 360), title=""):
        view = numbers("view", view, (4,))
        if min(view[2:]) <= 0:
            raise ValueError(f"view must have a width and a height above 0, got {view}")
        drawing = [_element(element) for element in drawing]
        kinds = {element["id"]: element["kind"] for element in drawing}
        if len(kinds) < len(drawing):
            ids = [element["id"] for element in drawing]
            raise ValueError(f"ids must differ, but {sorted({i for i in ids if ids.count(i) > 1})} stand twice")
        for element in drawing:
            _check_source(element, kinds)
        frames = [_frame(i, frame, kinds) for i, frame in enumerate(frames)]
        if not frames:
            raise ValueError("frames is empty: give at least one")
        super().__init__(frames=frames, drawing=drawing, view=view, title=title)

    @traitlets.validate("frame")
    def _is_one_of_them(self, proposal):
        if not 0 <= proposal["value"] < max(1, len(self.frames)):
            raise ValueError(f"frame must be from 0 to {len(self.frames) - 1}, got {proposal['value']}")
        return proposal["value"]

    def describe(self):
        """The title and the captions, numbered."""
        captions = " ".join(f"({i}) {frame['caption']}" for i, frame in enumerate(self.frames, 1))
        return f"{self.title + ': ' if self.title else ''}a drawing in {len(self.frames)} steps. {captions}"


def _element(given):
    """One element of a drawing, checked, its numbers as floats."""
    name, kind = given.get("id"), given.get("kind")
    if not isinstance(name, str) or not name:
        raise ValueError(f"an element needs an id, a text that is not empty: {given}")
    if kind not in NEEDS:
        raise ValueError(f"element {name!r} has kind {kind!r}: use one of {', '.join(NEEDS)}")
    if missing := [key for key in NEEDS[kind] if key not in given]:
        raise ValueError(f"element {name!r} is a {kind} and needs {', '.join(missing)}")
    if unknown := sorted(set(given) - MAY - {"id", "kind", *NEEDS[kind]}):
        raise ValueError(f"element {name!r} is a {kind} and has no {', '.join(unknown)}")
    _check_look(name, given)
    return {key: _value(name, key, value) for key, value in given.items()}


def _check_look(name, given):
    for key in ("color", "fill"):
        if given.get(key, "ink") not in COLORS:
            raise ValueError(f"element {name!r} has {key} {given[key]!r}: use one of {', '.join(COLORS)}")
    if given.get("anchor", "start") not in ANCHORS:
        raise ValueError(f"element {name!r} has anchor {given['anchor']!r}: use one of {', '.join(ANCHORS)}")


def _value(name, key, value):
    """The value of `key`, in the type that the browser expects."""
    if key in ("dash", "bold"):
        return bool(value)
    if key == "points":
        return numbers(f"points of element {name!r}", value, (None, 2))
    if key == "d" and not PATH.fullmatch(value):
        raise ValueError(f"element {name!r} has d {value!r}: a path holds commands, numbers, commas and blanks only")
    if key in ("id", "kind", "color", "fill", "anchor", "from", "d", "text"):
        return value if isinstance(value, str) else str(value)
    found = numbers(f"{key} of element {name!r}", [value], (1,))[0]
    if key in ("r", "width", "height", "size") and found <= 0:
        raise ValueError(f"element {name!r} has {key} {found:g}: it must be above 0")
    return found


def _check_source(element, kinds):
    source, kind = element.get("from"), element["kind"]
    if source is None:
        return
    if kind not in ("line", "arrow", "text") or kinds.get(source) != kind:
        raise ValueError(
            f"element {element['id']!r} comes from {source!r}: a line, an arrow or a text can come from one of its kind"
        )


def _frame(index, given, kinds):
    """One frame: its caption, what it shows and what it lights up."""
    if unknown := sorted(set(given) - {"caption", "show", "highlight"}):
        raise ValueError(f"frame {index} has {', '.join(unknown)}: a frame has caption, show and highlight")
    if not isinstance(given.get("caption"), str) or not given["caption"].strip():
        raise ValueError(f"frame {index} needs a caption, got {given.get('caption')!r}")
    highlight = list(given.get("highlight", ()))
    show = list(dict.fromkeys([*given.get("show", ()), *highlight]))
    if unknown := [name for name in show if name not in kinds]:
        raise ValueError(f"frame {index} names {unknown}, which the drawing lacks: it has {sorted(kinds)}")
    return {"caption": given["caption"].strip(), "show": show, "highlight": highlight}
