"""The directive `hspace-exercises`: a table of all exercises with their minutes and difficulty, read from the chapters.

`tools/exercises.py` tries the same exercises out.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]
DIFFICULTIES = ("easy", "medium", "hard", "open")
HEADING = re.compile(r"^## (Exercise \d+ · .+)\n\n\*(\d+) minutes, (\w+)\.\*", re.M)
SOLUTION = re.compile(r"<details>.*?```python\n(.*?)```.*?</details>", re.S)
NUMBER = re.compile(r"\d+\.\d+")


@dataclass(frozen=True)
class Exercise:
    """One exercise: where it stands, what its heading says, and its code.

    stub: index of the cell that the reader fills in; checker, solution: code.
    """

    chapter: str  # 02_nose
    number: str  # 2.1
    title: str  # Exercise 1 · The way back
    minutes: int
    difficulty: str
    stub: int
    checker: str
    solution: str

    @property
    def anchor(self):
        """The id that the site gives to the heading."""
        return nodes.make_id(re.sub(r"[*_`$]", "", self.title))


def cells_of(path):
    """[(kind, source, tags)] of a notebook's cells."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags", [])) for cell in cells]


def read(path):
    """The exercises of one chapter, in order.

    Raises ValueError for a stub without a number, without a heading that gives minutes and difficulty, without a
    checker or without a solution, and for a heading without a stub.
    """
    cells = cells_of(path)
    stubs = [i for i, (_, _, tags) in enumerate(cells) if "exercise" in tags]
    headings = [match[1] for kind, source, _ in cells if kind == "markdown" for match in HEADING.finditer(source)]
    if len(headings) != len(stubs):
        raise ValueError(f"{path.name}: {len(headings)} headings of exercises and {len(stubs)} stubs")
    ends = [0, *stubs, len(cells)]
    return [one(path, cells[a:b], cells[b:c], b) for a, b, c in zip(ends, ends[1:], ends[2:], strict=False)]


def one(path, before, after, stub):
    """The exercise whose stub is the first cell of `after`, which goes up to the next stub."""
    number = next((tag for tag in after[0][2] if NUMBER.fullmatch(tag)), None)
    found = [match for kind, source, _ in before if kind == "markdown" for match in HEADING.finditer(source)]
    checker = next((source for _, source, _ in after if f'check("{number}"' in source), None)
    solution = next((match[1] for _, source, _ in after if (match := SOLUTION.search(source))), None)
    wanted = {
        "a tag with its number, such as 2.1": number,
        "a heading and a line such as *5 minutes, easy.*": found,
        f'a cell with check("{number}", …)': checker,
        "a folded solution in Python": solution,
    }
    if missing := [what for what, there in wanted.items() if not there]:
        raise ValueError(f"{path.name}: the exercise in cell {stub} lacks {', and '.join(missing)}")
    title, minutes, difficulty = found[-1].groups()
    if difficulty not in DIFFICULTIES:
        raise ValueError(f"{path.name}: {title!r} is {difficulty!r}; write {', '.join(DIFFICULTIES)}")
    return Exercise(path.stem, number, title, int(minutes), difficulty, stub, checker, solution)


def title_of(path):
    """A chapter's title: 2 · A nose and a smile."""
    return cells_of(path)[0][1].splitlines()[0].removeprefix("# ")


class Exercises(SphinxDirective):
    """A table for each chapter of the book's contents, and the sum of its minutes."""

    def run(self):
        chapters = sorted((ROOT / "chapters").glob("[0-9][0-9]_*.ipynb"))
        found = []
        for path in chapters:
            self.env.note_dependency(str(path))
            exercises = read(path)
            heading = nodes.title("", "", self.link(f"chapters/{path.stem}", title_of(path)))
            together = f"{len(exercises)} exercises, {sum(e.minutes for e in exercises)} minutes together."
            section = nodes.section("", heading, nodes.paragraph("", together), self.table(exercises))
            section["ids"] = [nodes.make_id(f"exercises-{path.stem}")]
            found.append(section)
        return found

    def link(self, page, text, anchor=""):
        address = self.env.app.builder.get_relative_uri(self.env.docname, page)
        return nodes.reference("", text, internal=True, refuri=address + (anchor and f"#{anchor}"))

    def table(self, exercises):
        rows = [
            self.row(self.link(f"chapters/{e.chapter}", e.title, e.anchor), e.minutes, e.difficulty) for e in exercises
        ]
        group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in (70, 15, 15)), cols=3)
        group += nodes.thead("", self.row("Exercise", "Minutes", "Difficulty"))
        group += nodes.tbody("", *rows)
        return nodes.table("", group)

    def row(self, *cells):
        texts = [cell if isinstance(cell, nodes.Node) else nodes.Text(str(cell)) for cell in cells]
        return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", text)) for text in texts))


def setup(app):
    app.add_directive("hspace-exercises", Exercises)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
