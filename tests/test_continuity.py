"""The map of the whole book: what the pages promise of the chapters, and what must be the same everywhere."""

import math
import re
from collections import Counter
from pathlib import Path

import nbformat
import numpy as np
import pytest
from docutils.nodes import make_id

from hspace.cats.world import MEAN, NOISE, STD, W, column

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
CHAPTERS = {int(path.stem[:2]): path for path in sorted((ROOT / "chapters").glob("*.ipynb"))}
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
    from hspace.widgets.mad_libs import MAD_LIBS

    written = {number: " ".join(text.split()) for number, (_, text) in MAD_LIBS.items()}
    assert written == {number: mad_lib(sections()[number]) for number in written}
    assert not set(CHAPTERS) - set(written), "a chapter ends without its page to fill in"


def test_continuity_is_for_authors_only():
    assert "continuity" not in (ROOT / "_toc.yml").read_text(encoding="utf-8")
    assert "only_build_toc_files: true" in (ROOT / "_config.yml").read_text(encoding="utf-8")


# ---------------------------------------------------------------------------- the numbers on the pages


def h(x):
    """The bent map of chapters 4 and 5."""
    return np.array([x[0] ** 2 + x[1], x[0] + x[1]])


def degrees(v):
    return math.degrees(math.atan2(v[1], v[0]))


def text(values):
    """A vector or matrix as the pages write it: rows divided by semicolons, with a true minus."""
    entries = [", ".join(f"{round(value, 4):g}" for value in row) for row in np.atleast_2d(values)]
    return f"({'; '.join(entries)})".replace("-", "−")


LAW, P, V, ONES = W.double().numpy(), np.array([2.0, 3.0]), np.array([0.3, 0.7]), np.ones(2)
J = np.array([[2 * P[0], 1.0], [1.0, 1.0]])


def numbers():
    """The table "Numbers that must agree" of continuity.md, {first column: second column}."""
    values, eigenvalue = np.linalg.svd(LAW)[1], np.linalg.eigvals(LAW)[0]
    squares = np.linalg.eigvalsh(LAW.T @ LAW)[::-1]
    nap, luck = LAW @ ONES
    return {
        "$W$, rows nap and luck, columns nose and ear": text(LAW),
        "the cat with nose 1 and ear 1": f"nap {nap:g}, luck {luck:g}",
        "determinant of $W$": f"{np.linalg.det(LAW):.3f}",
        "eigenvalues of $W$": f"{eigenvalue.real:.2f} ± {abs(eigenvalue.imag):.2f} i",
        "$W^\\top W$": text(LAW.T @ LAW),
        "its eigenvalues": f"{squares[0]:.2f} and {squares[1]:.2f}",
        "singular values of $W$": f"{values[0]:.2f} and {values[1]:.2f}",
        "$p$ and $h(p)$": f"{text(P)} and {text(h(P))}",
        "$v$": text(V),
        "$J$ at $p$": f"{text(J)}, determinant {np.linalg.det(J):.0f}",
        "$u = Jv$": text(J @ V),
        "$h(p + v)$": f"{text(h(P + V))}; to first order {text(h(P) + J @ V)}",
        "$J^{-1}$ at $p$": f"{text(3 * np.linalg.inv(J))} / 3",
        "a step at 45° in $X$": f"arrives at {degrees(J @ ONES):.1f}° in $H$",
        "an arrival at 45° in $H$": f"comes from {degrees(np.linalg.solve(J, ONES)):.0f}° in $X$",
    }


@pytest.mark.parametrize(("what", "value"), numbers().items())
def test_the_numbers_of_continuity_are_right(what, value):
    assert f"| {what} | {value} |" in page("continuity.md")


def test_the_jacobian_is_that_of_the_map():
    step = 1e-6
    columns = [(h(P + step * e) - h(P - step * e)) / (2 * step) for e in np.eye(2)]
    assert np.allclose(np.stack(columns, axis=1), J, atol=1e-6)


def cosine(cat):
    """Of the angle between a cat and the row of the nap."""
    return LAW[0] @ cat / np.linalg.norm(LAW[0]) / np.linalg.norm(cat)


def slips():
    """What slips.md prints of the first three chapters, {what: text}."""
    picture, ease = 0.5, [(0.6, 0.8), (0.8, 0.6)]  # one pixel; roots of the shares of picture and noise at two times
    nose, ear, nap = (column(name) for name in ("nose", "ear", "nap"))
    variance, mean = STD.double() ** 2, MEAN.double()
    squared_nose = variance[nose] + mean[nose] ** 2
    through_zero = LAW[0, 0] + LAW[0, 1] * mean[ear] * mean[nose] / squared_nose
    half_units = np.array([2.0, 1.0])
    tilt = math.degrees(math.acos(cosine([0, 2.6])))
    queen = np.array([1.8, 1, 0]) - [0.4, 0, 0] + [0.6, 0, 1]
    return {
        "the state": f"$0.6 \\cdot 0.5 + 0.8 \\cdot (-1) = {ease[0][0] * picture - ease[0][1]:g}$",
        "the network's output": f"$0.6 \\cdot (-1) - 0.8 \\cdot 0.5 = {-ease[0][0] - ease[0][1] * picture:g}$",
        "the next state": f"$0.8 \\cdot 0.5 + 0.6 \\cdot (-1) = {ease[1][0] * picture - ease[1][1]:g}$",
        "noses explain": f"noses explain {LAW[0, 0] ** 2 * variance[nose] / variance[nap]:.0%}".replace("%", " %"),
        "back from a nap": f"grows by {LAW[0, 0] * variance[nose] / variance[nap]:.2f} for each unit",
        "bias": f"by 0.75 · 1 = {LAW[0, 1] * mean[ear]:g} on average",
        "slope through zero": f"{through_zero:.2f} instead of 2",
        "stacked": f"the output is {text(LAW @ ONES)}. The sum {(LAW @ ONES).sum():g}",
        "no ears": f"{LAW[0] @ ONES:g} for the cat {text([LAW[0] @ ONES / LAW[0, 0], 0])}",
        "half units": f"{text(half_units)}, and the row {text(LAW[0])} becomes {text(LAW[0] / half_units)}",
        "signs": f"{text(LAW @ ONES)} and {text(-LAW @ ONES)}",
        "onto the axis": f"$W (3, 1) = {text(LAW @ [3, 1])}$",
        "queen": f"= {text(queen)}$: a puppet horse",
        "same way": f"the cat (0.8, 0.3) points exactly the same way and has the dot product {LAW[0] @ [0.8, 0.3]:g}",
        "longer": f"The cat (0, 2.6) points {tilt:.0f}° away from it and has {LAW[0] @ [0, 2.6]:g}",
        "cosines": f"the cosines are {cosine([0.8, 0.3]):.2f} and {cosine([0, 2.6]):.2f}",
    }


@pytest.mark.parametrize(("what", "value"), slips().items())
def test_the_slips_of_the_first_chapters_are_right(what, value):
    assert value in " ".join(page("slips.md").split()), f"{what} should read {value}"


def test_the_law_explains_the_variance_that_the_slips_speak_of():
    nose, ear, nap = (STD.double()[column(name)] ** 2 for name in ("nose", "ear", "nap"))
    assert nap.item() == pytest.approx(4 * nose.item() + 0.75**2 * ear.item() + NOISE**2, rel=1e-6)


def test_sizes_of_her_layers_are_as_the_slips_say():
    import hspace

    config = hspace.load().network.config
    sizes = [channels * (config.sample_size >> i) ** 2 for i, channels in enumerate(config.block_out_channels)]
    sizes.append(config.block_out_channels[-2] * (config.sample_size >> 3) ** 2)  # what the middle is made from
    written = " ".join(page("slips.md").split())
    assert all(f"{size:,}".replace(",", " ") in written for size in [3 * config.sample_size**2, *sizes])
    assert f"h$ has {'two thirds'}" in written and sizes[-2] * 3 == config.sample_size**2 * 3 * 2


# ------------------------------------------------------------------------------------- the other pages


def test_how_to_read_links_the_chapters_that_exist():
    table = re.findall(r"^\| (?:\[)?(\d+) · [^|]*\|", page("reading.md"), re.M)
    assert table == [str(number) for number in SLUGS]
    linked = re.findall(r"^\| \[\d+ · [^]]*\]\(\.\./chapters/(\w+)\.ipynb\)", page("reading.md"), re.M)
    assert linked == [path.stem for path in CHAPTERS.values()]
    titles = [headings(nbformat.read(path, as_version=4))[0] for path in CHAPTERS.values()]
    assert re.findall(r"^\| \[(\d+ · [^]]*)\]", page("reading.md"), re.M) == titles


def test_a_chapter_needs_only_earlier_ones():
    needs = {int(n): m for n, m in re.findall(r"^\| \[?(\d+) · [^|]*\|[^|]*\| ([^|]*) \|$", page("reading.md"), re.M)}
    assert list(needs) == list(SLUGS)
    assert all(int(other) < number for number, text in needs.items() for other in re.findall(r"\d+", text))


def terms():
    return re.findall(r"^\*\*(.+?)\*\*\n: (.*?)(?=\n\n|\Z)", page("glossary.md"), re.M | re.S)


@pytest.mark.parametrize(("term", "entry"), terms(), ids=lambda value: value[:20])
def test_a_term_has_a_sentence_a_formula_and_a_home(term, entry):
    *sentence, formula = entry.split("\n")
    assert " ".join(sentence).strip().endswith(".") and len(sentence) <= 4
    assert re.search(r"[$`→⟶≈…=,.]", formula) and re.search(r"\[?(Chapter (\d+)|Model card)", formula)
    assert all(int(number) in SLUGS for number in re.findall(r"Chapter (\d+)", formula))


def test_terms_are_in_alphabetical_order():
    names = [re.sub(r"[$,]", "", term).lower() for term, _ in terms()]
    assert names == sorted(names) and len(names) > 40
