"""Slides for the workshop's schedules, made of the chapters by nbconvert and reveal.js; `make slides` calls it.

    PYTHONPATH=book/_ext python tools/slides.py

Reads book/teaching/schedules.json, {schedule: [{"start", "minutes", "what", "chapter", "parts"}, …]}, and writes
_build/slides/SCHEDULE.html with all that they load in the folder assets beside them.

What becomes a slide: each item of a schedule; each part of a chapter that it names (all but exercises and the last
pages where it names none), with its first formula, or else its first result, its first list, or its first code; each
figure, under the question that the text asks of it; the statement of an exercise; what is said in a slip. All other
text is the speaker's, in the notes. A heading brings its subsections along, but slips, which are named on their own.
"""

import json
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import npm
from hspace_figures import copy_widgets
from hspace_site import MATHJAX_CONFIG, copy_mathjax
from hspace_teaching import clock, minute

ROOT = Path(__file__).resolve().parent.parent
SCHEDULES = ROOT / "book" / "teaching" / "schedules.json"
OUT = ROOT / "_build" / "slides"
REVEAL = (
    "reveal.js",
    "5.2.1",
    "r7//6mIM5p34hFiDMvYfXgyjXqGRta+/psd9YtytsgRlrpRzFv4RbH76TXd2qD+7ZPZEbpBDhdRhJaFgfQ7zNQ==",  # sha512, npm's own
)
DOLLARS = {"inlineMath": [["$", "$"]], "displayMath": [["$$", "$$"]], "processEscapes": True}
MATHJAX = {**MATHJAX_CONFIG, "tex": {**MATHJAX_CONFIG["tex"], **DOLLARS}}

HEADING = re.compile(r"^(#{2,3}) +(.+?)\s*$")
FORMULA = re.compile(r"^\$\$.*?\$\$", re.M | re.S)
LIST = re.compile(r"^(?:[*-]|\d+\.) .+(?:\n(?:[*-]|\d+\.| ) .+)*", re.M)
QUESTION = re.compile(r"(?<!\*)\*([^*]+?)\*(?!\*)")
SAID = re.compile(r"^\*Said:\*.*?(?=\n\n)", re.M | re.S)
LAST = ("What to remember", "Describe it")
KEYS = {"start", "minutes", "what", "chapter"}
LINES, MOST = 9, 12  # of code and result: that a slide should have, and that it has room for


@dataclass
class Section:
    """A heading of a chapter and what follows it up to the next: texts and code cells in order."""

    title: str
    level: int
    blocks: list = field(default_factory=list)

    @property
    def text(self):
        return "\n\n".join(block for block in self.blocks if isinstance(block, str))

    @property
    def figures(self):
        """[(the text before it, code cell)] of the cells that show something."""
        found, said = [], ""
        for block in self.blocks:
            if isinstance(block, str):
                said = block
            elif shows(block):
                found.append((said, block))
        return found


def shows(cell):
    """Whether a code cell shows a figure, still or live."""
    data = [output.get("data", {}) for output in cell.outputs]
    return any("image/png" in kinds or "hspace-live" in kinds.get("text/html", "") for kinds in data)


def sections(path):
    """The sections of a chapter; the first holds what stands before any heading but the title."""
    found = [Section("", 2)]
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            found[-1].blocks.append(cell)
            continue
        lines, fenced = [], False
        for line in cell.source.splitlines():
            fenced ^= line.startswith("```")
            heading = None if fenced else HEADING.match(line)
            if heading:
                found[-1].blocks.append("\n".join(lines).strip())
                found.append(Section(heading[2], len(heading[1])))
                lines = []
            else:
                lines.append(line)
        found[-1].blocks.append("\n".join(lines).strip())
    return found


def is_slip(section):
    return section.title.startswith("Slip")


def chosen(found, parts, name):
    """The sections that a schedule's item asks for. Raises ValueError, with the headings there are, for another."""
    titles = [section.title for section in found]
    if wrong := [part for part in parts or () if part not in titles]:
        raise ValueError(f"{name} has no heading {wrong[0]!r}; there are {', '.join(map(repr, titles[1:]))}")
    kept, under = [], False
    for section in found[1:]:
        if section.level == 2:
            apart = section.title in LAST or section.title.startswith("Exercise")
            under = section.title in parts if parts else not apart
        if section.title in (parts or ()) or (under and (not is_slip(section) or section.level == 2)):
            kept.append(section)
    return kept


def slide(kind, text):
    return new_markdown_cell(text, metadata={"slideshow": {"slide_type": kind}})


def bare(cell, source=""):
    """A copy of a code cell for a slide: its code only where given, its outputs without sizes of a page."""
    outputs = [{**output, "metadata": {}} if "metadata" in output else output for output in cell.outputs]
    alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    return new_code_cell(
        source, outputs=outputs, execution_count=1, metadata={"alt": alt, "slideshow": {"slide_type": "-"}}
    )


def result(section, lines=LINES, printed=True):
    """The section's first code cell of at most so many lines with a printed result, or else without one; or None."""
    for block in section.blocks:
        if isinstance(block, str) or shows(block) or "hide-cell" in block.metadata.get("tags", []):
            continue
        said = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in block.outputs]
        if bool(said) == printed and "\n".join([block.source, *said]).strip().count("\n") < lines:
            return block
    return None


def key(section):
    """What the section's first slide shows under its heading, a list of cells."""
    text = section.text
    if section.title.startswith("Exercise"):
        return [slide("-", text.split("<details>")[0].strip())]
    if section.title in LAST[:1]:
        return [slide("-", text)]
    if is_slip(section) and (said := SAID.search(text + "\n\n")):
        return [slide("-", f"> {said[0]}".replace("\n", "\n> "))]
    if formula := FORMULA.search(text):
        return [slide("-", formula[0])]
    if section.figures:
        return []
    found, listed = result(section), LIST.search(text)
    if listed and not found:
        return [slide("-", listed[0])]
    found = found or result(section, MOST) or result(section, printed=False)
    return [bare(found, found.source)] if found else []


def question(text):
    """The last question that a text asks in italics, or "": the one that a live figure answers."""
    asked = [found for found in QUESTION.findall(text) if found.rstrip().endswith(("?", "."))]
    return f"*{asked[-1].strip()}*" if asked and asked[-1].rstrip().endswith("?") else ""


def slides_of(section):
    """The cells of a section's slides: its heading with the key to it, then each figure; the text as notes."""
    cells, shown = [slide("slide", f"## {section.title}"), *key(section)], section.figures
    notes = slide("notes", section.text)
    if len(cells) == 1 and shown:  # the heading would stand alone
        said, figure = shown.pop(0)
        cells += [slide("-", question(said)), bare(figure)] if question(said) else [bare(figure)]
    cells.append(notes)
    for said, figure in shown:
        cells += [slide("subslide", f"### {section.title}\n\n{question(said)}"), bare(figure)]
    return cells


def ends(item):
    """When an item of a schedule is over: 09:40."""
    return clock(minute(item["start"]) + item["minutes"])


def slides_for(item, chapters):
    """The cells of an item of a schedule.  chapters: their folder."""
    if not item.keys() >= KEYS:
        raise ValueError(f"{item} lacks {', '.join(sorted(KEYS - item.keys()))}")
    when = f"{item['start']} – {ends(item)}"
    if item["chapter"] is None:
        return [slide("slide", f"# {item['what']}\n\n{when}")]
    path = chapters / f"{item['chapter']}.ipynb"
    if not path.exists():
        raise ValueError(f"the schedule names the chapter {item['chapter']!r}, and {path} is missing")
    title = nbformat.read(path, as_version=4).cells[0].source.splitlines()[0].removeprefix("# ")
    cells = [slide("slide", f"# {item['what']}\n\n{when} · Chapter {title}")]
    for section in chosen(sections(path), item.get("parts"), path.name):
        cells += slides_of(section)
    return cells


def page(name, items, chapters):
    """The slides of one schedule as HTML."""
    cells = [cell for item in items for cell in slides_for(item, chapters)]
    title = f"A Map of Alice · {name.replace('_', ' ')}"
    exporter = SlidesExporter(
        template_name="_slides",
        extra_template_basedirs=[str(ROOT / "book")],
        reveal_url_prefix="assets/reveal",
        reveal_theme="white",  # the others fetch their letters elsewhere
        exclude_anchor_links=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    exporter.register_preprocessor(without_code, enabled=True)
    notebook = new_notebook(cells=cells, metadata={"title": title, "mathjax": MATHJAX})
    return exporter.from_notebook_node(notebook)[0]


def without_code(notebook, resources):
    """Cells that have no code are shown by their outputs alone."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and not cell.source:
            cell.metadata.transient = {"remove_source": True}
    return notebook, resources


def assets(target):
    """reveal.js, MathJax, the live figures and the slides' own style, as the pages load them."""
    with npm.package(*REVEAL) as tar:
        shutil.rmtree(target, ignore_errors=True)  # not before: without the network the slides of before stay whole
        wanted = [m for m in tar.getmembers() if re.match(r"package/(dist|plugin/notes)/", m.name)]
        tar.extractall(target, wanted, filter="data")
    (target / "package").rename(target / "reveal")
    copy_mathjax(target / "mathjax")
    copy_widgets(target / "live")
    shutil.copy(ROOT / "book" / "_static" / "live" / "live.mjs", target / "live")
    shutil.copy(ROOT / "book" / "_slides" / "slides.css", target)


def main(schedules=SCHEDULES, out=OUT, chapters=ROOT / "chapters"):
    """Write one page for each schedule; returns their paths."""
    plans = json.loads(schedules.read_text(encoding="utf-8"))
    pages = {out / f"{name}.html": page(name, items, chapters) for name, items in plans.items()}
    out.mkdir(parents=True, exist_ok=True)
    assets(out / "assets")
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
    return list(pages)


if __name__ == "__main__":
    try:
        for written in main():
            print(written)
    except (ValueError, OSError) as error:
        sys.exit(str(error))
