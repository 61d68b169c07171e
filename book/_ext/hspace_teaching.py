"""The pages for instructors: schedules as tables, what the chapters say of themselves, and pictures from their outputs.

The schedules are data, `teaching/schedules.json`. A chapter that is not written yet stays plain text.
"""

import base64
import json
import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from hspace_exercises import cells_of, read

ROOT = Path(__file__).resolve().parents[2]
SCHEDULES = ROOT / "book" / "teaching" / "schedules.json"
PICTURES = "_build/teaching"  # beneath the book's folder, where Jupyter Book puts what it takes out of notebooks
DAYS = {"half_day": "half day", "full_day": "full day"}
PAUSES = ("Break", "Lunch")
ALONE = re.compile(r"About (\d+) minutes")
HEADING = re.compile(r"^#{2,3} +(.+?) *$", re.M)
FENCE = re.compile(r"^```.*?^```", re.M | re.S)
MATHS = re.compile(r"\$([^$]+)\$")


def schedules():
    """{"half_day": [entry, …], "full_day": […]}; an entry has start, minutes, what, chapter and perhaps parts."""
    return json.loads(SCHEDULES.read_text(encoding="utf-8"))


def minute(time):
    """Minutes since midnight of "09:30"."""
    hours, minutes = time.split(":")
    return 60 * int(hours) + int(minutes)


def clock(minutes):
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def duration(minutes):
    """Minutes in words: "40 minutes", "1 hour", "3 hours 30 minutes"."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} hour{'s' * (hours > 1)}"] * bool(hours) + [f"{rest} minutes"] * bool(rest or not hours)
    return " ".join(parts)


def summary(day):
    """A day's first and last minute, and how much of it is teaching."""
    whole, pauses = (sum(e["minutes"] for e in day if wanted(e)) for wanted in (lambda e: True, is_pause))
    start = minute(day[0]["start"])
    span = f"From {clock(start)} to {clock(start + whole)}, {duration(whole)}"
    return f"{span}: {duration(whole - pauses)} together and {duration(pauses)} of breaks."


def is_pause(entry):
    return entry["what"] in PAUSES


def path_of(chapter):
    return ROOT / "chapters" / f"{chapter}.ipynb"


def prose(chapter):
    """A chapter's Markdown without its code."""
    texts = [source for kind, source, _ in cells_of(path_of(chapter)) if kind == "markdown"]
    return FENCE.sub("", "\n\n".join(texts))


def headings(chapter):
    """A chapter's headings of the second and third level, as written."""
    return HEADING.findall(prose(chapter))


def minutes_alone(chapter):
    """What a chapter says of itself: the minutes for a reader alone."""
    return int(ALONE.search(prose(chapter))[1])


def minutes_in(day, chapter):
    return sum(entry["minutes"] for entry in day if entry["chapter"] == chapter)


def exercise(chapter, number):
    """(heading, "5 minutes, easy") of an exercise. ValueError where the chapter has none of that number."""
    found = [each for each in read(path_of(chapter)) if each.number.endswith(f".{number}")]
    if not found:
        raise ValueError(f"chapter {chapter} has no exercise {number}")
    return found[0].title, f"{found[0].minutes} minutes, {found[0].difficulty}"


def picture(chapter, call, nth=0):
    """(PNG, alternative text) of the nth cell of a chapter that ends in the given call.

    Raises ValueError where no cell of the chapter does, or where it has stored no picture.
    """
    cells = json.loads(path_of(chapter).read_text(encoding="utf-8"))["cells"]
    drawn = [cell for cell in cells if cell["cell_type"] == "code" and call in "".join(cell["source"])]
    pngs = [o["data"]["image/png"] for cell in drawn[nth : nth + 1] for o in cell["outputs"] if "data" in o]
    if not pngs:
        raise ValueError(f"chapter {chapter} has no picture by {call!r}")
    return base64.b64decode("".join(pngs[0])), drawn[nth]["metadata"]["mystnb"]["image"]["alt"]


class to_chapter(nodes.Inline, nodes.TextElement):
    """A chapter's title, or one of its headings; a link where the chapter exists."""


def link(chapter, heading=None):
    return to_chapter(chapter=chapter, heading=heading)


def with_maths(text):
    """Nodes of a text with $formulas$."""
    pieces = MATHS.split(text)
    return [nodes.math(piece, piece) if i % 2 else nodes.Text(piece) for i, piece in enumerate(pieces) if piece]


def cell_of(*content):
    return nodes.entry("", nodes.paragraph("", "", *content))


def row(entry):
    """An entry of a schedule as a row of the table: when, how long, what, and where it stands."""
    where = [link(entry["chapter"])] if entry["chapter"] else []
    for i, part in enumerate(entry.get("parts", ())):
        where += [nodes.Text(": " if i == 0 else "; "), link(entry["chapter"], part)]
    what = with_maths(entry["what"])
    when = cell_of(nodes.Text(entry["start"])), cell_of(nodes.Text(str(entry["minutes"])))
    done = nodes.row("", *when, cell_of(*([nodes.emphasis("", "", *what)] if is_pause(entry) else what)))
    done += cell_of(*where)
    return done


def table(day):
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in (8, 6, 36, 50)), cols=4)
    names = ("at", "min", "what", "in the book")
    group += nodes.thead("", nodes.row("", *(cell_of(nodes.Text(name)) for name in names)))
    group += nodes.tbody("", *map(row, day))
    return nodes.table("", group, classes=["schedule"])


class Schedule(SphinxDirective):
    """```{hspace-schedule} half_day``` stands for a day's table, after a sentence with its sums."""

    required_arguments = 1

    def run(self):
        self.env.note_dependency(str(SCHEDULES))
        day = schedules()[self.arguments[0]]
        return [nodes.paragraph("", summary(day)), table(day)]


class Room(SphinxDirective):
    """```{hspace-room} 01_noise``` says how long a chapter takes, alone and in each schedule, and its exercise.

    The option `exercise` is the number of the one to do in the room.
    """

    required_arguments = 1
    option_spec = {"exercise": directives.positive_int}  # noqa: RUF012 (docutils has it so)

    def run(self):
        chapter = self.arguments[0]
        if not path_of(chapter).exists():
            return [nodes.paragraph("", "This chapter is not out yet.", classes=["room"])]
        self.env.note_dependency(str(path_of(chapter)))
        self.env.note_dependency(str(SCHEDULES))
        taken = {name: minutes_in(day, chapter) for name, day in schedules().items()}
        days = ", ".join(f"{DAYS[name]} {minutes or 'none'}" for name, minutes in taken.items())
        heading, told = exercise(chapter, self.options["exercise"])
        minutes = nodes.strong("", "Minutes"), nodes.Text(f": alone {minutes_alone(chapter)}, {days}. ")
        room = nodes.strong("", "In the room"), nodes.Text(": "), link(chapter, heading), nodes.Text(f" ({told}).")
        return [nodes.paragraph("", "", *minutes, *room, classes=["room"])]


class FromChapter(SphinxDirective):
    """```{hspace-picture} 05_jacobian``` is a picture that the chapter has stored; its alternative text comes along.

    The option `by` is the call that drew it, `nth` which of them, from 0.
    """

    required_arguments = 1
    option_spec = {"by": directives.unchanged_required, "nth": directives.nonnegative_int}  # noqa: RUF012

    def run(self):
        chapter, nth = self.arguments[0], self.options.get("nth", 0)
        self.env.note_dependency(str(path_of(chapter)))
        png, alt = picture(chapter, self.options["by"], nth)
        name = re.sub(r"\W+", "_", f"{chapter} {self.options['by']}").strip("_")
        file = Path(self.env.srcdir, PICTURES, f"{name}_{nth}.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png)
        return [nodes.image(uri=f"/{PICTURES}/{file.name}", alt=alt)]


class ToChapters(SphinxPostTransform):
    """Links to chapters and their headings, once all titles are known."""

    default_priority = 5

    def run(self, **kwargs):
        for node in list(self.document.findall(to_chapter)):
            node.replace_self(self.resolved(node["chapter"], node["heading"]))

    def resolved(self, chapter, heading):
        docname = f"chapters/{chapter}"
        if docname not in self.env.titles:
            number, name = chapter.split("_", 1)
            return nodes.Text(heading or f"{int(number)} · {name.replace('_', ' ').capitalize()}")
        target = self.app.builder.get_relative_uri(self.env.docname, docname)
        if not heading:
            return nodes.reference("", "", nodes.Text(self.env.titles[docname].astext()), refuri=target, internal=True)
        # The titles have the printer's apostrophe, which a schedule need not have.
        titles = {ref.astext().replace("’", "'"): ref for ref in self.env.tocs[docname].findall(nodes.reference)}
        found = titles[MATHS.sub(r"\1", heading).replace("’", "'")]
        return nodes.reference("", "", nodes.Text(found.astext()), refuri=target + found["anchorname"], internal=True)


def add_style(app, pagename, templatename, context, doctree):
    """The handout prints on a sheet of its own size."""
    if pagename == "book/teaching/handout":
        app.add_css_file("handout.css")


def setup(app):
    app.add_node(to_chapter)
    app.add_directive("hspace-schedule", Schedule)
    app.add_directive("hspace-room", Room)
    app.add_directive("hspace-picture", FromChapter)
    app.add_post_transform(ToChapters)
    app.connect("html-page-context", add_style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
