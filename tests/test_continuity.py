"""The map of the whole book: what the pages promise of the chapters, and what must be the same everywhere."""

import re
from collections import Counter

import nbformat
import pytest
from contents import NOTEBOOKS, ROOT
from docutils.nodes import make_id

from hspace.widgets.mad_libs import MAD_LIBS

BOOK = ROOT / "book"
CHAPTERS = {int(path.stem[:2]): path for path in NOTEBOOKS}
SLUGS = {
    1: "01_noise",
    2: "02_nose",
    3: "03_ears_and_luck",
    4: "04_tangent",
    5: "05_jacobian",
    6: "06_straight_lines",
    7: "07_chains",
    8: "08_metric",
    9: "09_treatment",
    10: "10_eigenface",
    11: "11_rotate_scale_rotate",
    12: "12_fifty_directions",
    13: "13_is_that_you",
    14: "14_other_minds",
}
AT_LEAST = {"000": 50, "001": 140, "002": 20, "003": 35}  # rows for each of the four texts
ROW = re.compile(r"^\| (\d{3}-\d+) \| (\d+) \| (.*?) \| (-?\d+) \| `(\w+)#([^`]+)` \|$", re.M)
BLANK = re.compile(r"\{([^{}]*)\}")


def page(name):
    return (BOOK / name).read_text(encoding="utf-8")


def plain(heading):
    """A heading's text without its Markdown."""
    return re.sub(r"[*_`$]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading))


def headings(notebook):
    """The headings of a notebook, in order; what stands in fenced code is none."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    return [plain(heading) for heading in re.findall(r"^#{1,6} +(.*?)\s*#*$", text, re.M)]


def anchors(notebook):
    """The ids that the site gives to a notebook's headings: docutils', of which only the first of two equals counts."""
    return {make_id(heading) for heading in headings(notebook)} - {""}


def broken(rows, existing):
    """What is wrong with rows (id, seed, what, chapter, file, anchor), given {chapter: its anchors}: lines of text."""
    found = [f"{name} stands twice" for name, n in Counter(row[0] for row in rows).items() if n > 1]
    for name, seed, what, chapter, file, anchor in rows:
        number = int(chapter)
        if seed not in AT_LEAST or not name.startswith(f"{seed}-") or not what.strip():
            found.append(f"{name} says nothing, or of a seed that is not there")
        if number not in SLUGS:
            found.append(f"{name} is promised to chapter {number}; there are 1 to {max(SLUGS)}")
        elif file != SLUGS[number]:
            found.append(f"{name} is promised to chapter {number} and to the file {file}")
        elif make_id(anchor) != anchor:
            found.append(f"{name}: no heading has the anchor {anchor!r}")
        elif number in existing and anchor not in existing[number]:
            found.append(f"{name} is promised to {file}#{anchor}; its headings are {sorted(existing[number])}")
    return found


@pytest.fixture(scope="module")
def rows():
    found = ROW.findall(page("beats.md"))
    lines = re.findall(r"^\| \d{3}-.*", page("beats.md"), re.M)
    assert len(found) == len(lines), f"not a row: {next(line for line in lines if not ROW.match(line))}"
    return found


def test_every_chapter_keeps_what_was_promised_of_it(rows):
    existing = {number: anchors(nbformat.read(path, as_version=4)) for number, path in CHAPTERS.items()}
    assert not broken(rows, existing)


def test_chapters_have_the_names_of_the_plan():
    assert {number: path.stem for number, path in CHAPTERS.items()} == {number: SLUGS[number] for number in CHAPTERS}


def test_all_four_texts_and_all_chapters_are_covered(rows):
    assert {row[3] for row in rows} == {str(number) for number in SLUGS}
    count = Counter(row[1] for row in rows)
    assert not {seed: n for seed, n in AT_LEAST.items() if count[seed] < n}, count


def test_rows_stand_in_the_order_of_the_texts(rows):
    numbers = [(row[1], int(row[0].split("-")[1])) for row in rows]
    assert numbers == [(seed, i + 1) for seed in AT_LEAST for i in range(sum(n[0] == seed for n in numbers))]


GOOD = ("001-1", "001", "noises", "1", "01_noise", "the-room")


@pytest.mark.parametrize(
    "change",
    [{3: "15"}, {3: "0"}, {4: "02_nose"}, {5: "the-hall"}, {5: "The room"}, {1: "004"}, {2: " "}, {0: "000-1"}],
)
def test_the_check_finds_what_it_should(change):
    assert not broken([GOOD], {1: {"the-room"}}) and not broken([GOOD], {})
    assert broken([tuple(change.get(i, value) for i, value in enumerate(GOOD))], {1: {"the-room"}})
    assert broken([GOOD, GOOD], {})


def test_anchors_are_those_of_the_site():
    cells = [
        "# 12 · Fifty directions\n\ntext",
        "## What `J` *does*\n```\n# none\n```",
        "## $h$, king − man + woman",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(cell) for cell in cells])
    assert anchors(notebook) == {"fifty-directions", "what-j-does", "h-king-man-woman"}


# ----------------------------------------------------------------------------- continuity, describe it


def sections():
    """The sections of continuity.md that tell a chapter, {number: text}."""
    parts = re.split(r"^## (?=\d+ ·)", page("continuity.md"), flags=re.M)[1:]
    return {int(re.match(r"\d+", part)[0]): part for part in parts}


def mad_lib(section):
    """The text with blanks at the end of a section, its line breaks removed."""
    return " ".join(" ".join(re.findall(r"^> ?(.*)$", section, re.M)).split())


def test_continuity_tells_every_chapter():
    assert list(sections()) == list(SLUGS)


@pytest.mark.parametrize("number", SLUGS)
def test_continuity_says_who_knows_and_what_is_left_blank(number):
    section = sections()[number]
    for part in ("**Beats.**", "**At its end.**", "**Voices.**", "**Describe it.**"):
        assert section.count(part) == 1, part
    blanks = BLANK.findall(mad_lib(section))
    assert 8 <= len(blanks) <= 16
    assert all(answer.strip() for blank in blanks for answer in blank.split("|"))


def test_the_pages_to_fill_in_are_those_of_continuity():
    written = {number: " ".join(text.split()) for number, (_, text) in MAD_LIBS.items()}
    assert written == {number: mad_lib(sections()[number]) for number in written}
    assert not set(CHAPTERS) - set(written), "a chapter ends without its page to fill in"


def test_continuity_is_for_authors_only():
    assert "continuity" not in (ROOT / "_toc.yml").read_text(encoding="utf-8")
    assert "only_build_toc_files: true" in (ROOT / "_config.yml").read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------- the other pages


@pytest.fixture(scope="module")
def plan():
    """The table of reading.md: rows (number, title, file of the chapter or "", what it needs)."""
    row = r"^\| \[?((\d+) · [^]|]*?)(?:\]\(\.\./chapters/(\w+)\.ipynb\))? \|[^|]*\| ([^|]*) \|$"
    found = re.findall(row, page("reading.md"), re.M)
    return [(int(number), title, file, needs) for title, number, file, needs in found]


def test_how_to_read_links_the_chapters_that_exist(plan):
    assert [number for number, *_ in plan] == list(SLUGS)
    titles = {path.stem: headings(nbformat.read(path, as_version=4))[0] for path in CHAPTERS.values()}
    assert {file: title for _, title, file, _ in plan if file} == titles
    assert all(file in ("", SLUGS[number]) for number, _, file, _ in plan)


def test_a_chapter_needs_only_earlier_ones(plan):
    assert all(int(other) < number for number, *_, needs in plan for other in re.findall(r"\d+", needs))


def test_how_to_read_asks_for_what_the_chapters_ask_for(plan):
    for number, *_, needs in plan:
        head = nbformat.read(CHAPTERS[number], as_version=4).cells[0].source
        said = re.search(r"\*\*What you need\.\*\* (.*?)About", head, re.S)[1]
        assert re.findall(r"\d+", said) == re.findall(r"\d+", needs), number


def test_every_slip_of_a_chapter_is_collected():
    collected = re.findall(r"^### (.+)$", page("slips.md"), re.M)
    for path in CHAPTERS.values():
        for heading in headings(nbformat.read(path, as_version=4)):
            assert not heading.startswith("Slip · ") or heading.removeprefix("Slip · ") in collected, heading


def terms():
    return re.findall(r"^\*\*(.+?)\*\*\n: (.*?)(?=\n\n|\Z)", page("glossary.md"), re.M | re.S)


@pytest.mark.parametrize(("term", "entry"), terms(), ids=lambda value: value[:20])
def test_a_term_has_a_sentence_a_formula_and_a_home(term, entry):
    *sentence, last = entry.split("\n")
    assert " ".join(sentence).strip().endswith(".") and len(sentence) <= 4
    shown = re.match(r" *(.+?) \[?(?:Chapter \d+|Model card)", last)  # the formula, or a picture in words
    assert shown and len(shown[1]) > 4, f"{term}: no formula before its home in {last!r}"
    assert all(int(number) in SLUGS for number in re.findall(r"Chapter (\d+)", last))


def test_terms_are_in_alphabetical_order():
    names = [re.sub(r"[$,]", "", term).lower() for term, _ in terms()]
    assert names == sorted(names) and len(names) > 40
