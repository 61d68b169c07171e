"""The slides: what is chosen of a chapter, and how it stands on the screen."""

import json
import re
from itertools import pairwise

import nbformat
import pytest
from browser import Watch, chromium, give_up
from bs4 import BeautifulSoup
from contents import NOTEBOOKS, ROOT

import slides
from chrome import serve

CHAPTERS = ROOT / "chapters"
NOSE = CHAPTERS / "02_nose.ipynb"
#: A schedule that meets every rule: a break, a formula, figures still and live, a slip, an exercise, the last pages.
PLAN = [
    {"start": "09:50", "minutes": 15, "what": "Break and $h$", "chapter": None},
    {"start": "10:05", "minutes": 25, "what": "One weight", "chapter": "02_nose", "parts": [
        "From one line to the other", "A matrix with one entry", "Slip · One thing with two names, or two things",
        "Exercise 1 · The way back", "What to remember", "Describe it"]},
]  # fmt: skip


def headings(cells):
    found = [re.match(r"#+ (.*)", cell.source) for cell in cells if cell.cell_type == "markdown"]
    return [match[1] for match in found if match]


def kinds(cells):
    return [cell.metadata["slideshow"]["slide_type"] for cell in cells]


def section(title):
    [found] = [s for s in slides.sections(NOSE) if s.title == title]
    return found


def test_a_chapter_without_parts_is_shown_without_its_exercises_and_last_pages():
    chosen = [s.title for s in slides.chosen(slides.sections(NOSE), None, "02")]
    assert chosen == [
        "Once there was a cat person",
        "From one line to the other",
        "A neuron",
        "A matrix with one entry",
        "The weight, found in faces",
    ]


def test_a_heading_brings_its_subsections_and_a_slip_is_named_on_its_own():
    found = slides.sections(next(path for path in NOTEBOOKS if path.stem == "08_metric"))
    chosen = [s.title for s in slides.chosen(found, ["Pulled back"], "08")]
    assert chosen[0] == "Pulled back" and "A circle in H" in chosen and not any(t.startswith("Slip") for t in chosen)
    assert [s.title for s in slides.chosen(found, ["Slip · Euclid's formula"], "08")] == ["Slip · Euclid's formula"]


def test_a_heading_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(ValueError, match=r"no heading 'Noses'; there are 'Once there was a cat person'"):
        slides.chosen(slides.sections(NOSE), ["Noses"], "02_nose.ipynb")


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"start": "09:00", "minutes": 5, "what": "x", "chapter": "77_none"}, "77_none"),
        ({"start": "09:00", "what": "x", "chapter": None}, "lacks minutes"),
    ],
)
def test_a_wrong_item_is_named(item, message):
    with pytest.raises(ValueError, match=message):
        slides.slides_for(item, CHAPTERS)


def test_a_formula_stands_under_its_heading_and_figures_follow():
    cells = slides.slides_of(section("From one line to the other"))
    assert kinds(cells)[0] == "slide" and cells[1].source.startswith("$$1.5")
    assert kinds(cells).count("subslide") == len(section("From one line to the other").figures) == 2
    assert any("*Where does a nose of size 1 land?*" in cell.source for cell in cells)


def test_without_formula_and_figure_the_first_result_is_shown_with_its_code():
    cells = slides.slides_of(section("A matrix with one entry"))
    assert cells[1].source.endswith("W @ x") and cells[1].outputs


def test_without_these_a_list_is_shown_or_else_code():
    late = {s.title: s for path in NOTEBOOKS if path.stem[:2] in ("11", "13") for s in slides.sections(path)}
    listed = slides.slides_of(late["How would I know?"])[1].source
    assert listed.startswith("1. the **referee**") and listed.count("\n") >= 3 and "chance" in listed.splitlines()[-1]
    code = slides.slides_of(late["Many arrows: subspace iteration"])[1]
    assert code.source.startswith("def subspace") and not code.outputs


def test_no_heading_stands_alone():
    for items in json.loads(slides.SCHEDULES.read_text(encoding="utf-8")).values():
        for item in (item for item in items if item["chapter"]):
            cells = slides.slides_for(item, CHAPTERS)[1:]
            for cell, under in pairwise(cells):
                assert kinds([cell, under]) != ["slide", "notes"], f"nothing stands under {cell.source!r}"


def test_all_text_is_the_speakers():
    found = section("A matrix with one entry")
    [notes] = [cell.source for cell in slides.slides_of(found) if cell.metadata["slideshow"]["slide_type"] == "notes"]
    assert notes == found.text and "Put the weight into a table" in notes


def test_of_a_slip_what_was_said_and_of_an_exercise_its_statement():
    said = slides.slides_of(section("Slip · One thing with two names, or two things"))[1].source
    assert said.startswith("> *Said:*") and "So it is" not in said
    asked = slides.slides_of(section("Exercise 1 · The way back"))[1].source
    assert "Which weight leads" in asked and "Solution" not in asked and "answer" not in asked


def test_times_run_over_the_hour():
    assert slides.ends(PLAN[0]) == "10:05"


def test_headings_in_code_are_none(tmp_path):
    cell = nbformat.v4.new_markdown_cell("## One\n\n```python\n## no heading\n```\n\n## Two")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "a.ipynb")
    assert [s.title for s in slides.sections(tmp_path / "a.ipynb")] == ["", "One", "Two"]


def test_the_books_schedules_name_chapters_and_headings_that_exist():
    plans = json.loads(slides.SCHEDULES.read_text(encoding="utf-8"))
    assert set(plans) == {"half_day", "full_day"}
    for items in plans.values():
        assert [slides.slides_for(item, CHAPTERS) for item in items]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the slides of PLAN."""
    folder = tmp_path_factory.mktemp("slides")
    (folder / "schedules.json").write_text(json.dumps({"plan": PLAN}), encoding="utf-8")
    try:
        slides.main(folder / "schedules.json", folder / "out")
    except OSError as error:
        give_up(f"NO REVEAL.JS, SO THE SLIDES ARE NOT TESTED: npm's registry did not answer ({error})")
    return folder / "out"


def test_pictures_say_what_they_show_and_nothing_is_loaded_from_elsewhere(built):
    page = BeautifulSoup((built / "plan.html").read_text(encoding="utf-8"), "html.parser")
    assert all(len(image["alt"].split()) >= 4 for image in page.select("img")) and page.select("img")
    loaded = [e.get("src") or e.get("href") for e in page.select("script[src], link[href], img[src]")]
    assert [a for a in loaded if not a.startswith("data:") and not (built / a).is_file()] == []
    assert "hide-cell" not in str(page) and not page.select("aside.notes img")


OVER = """() => [...Reveal.getCurrentSlide().querySelectorAll('*')]
  .filter(e => !e.closest('aside, svg, mjx-assistive-mml')).map(e => [e, e.getBoundingClientRect()])
  .filter(([e, box]) => box.width && (box.bottom > innerHeight + 1 || box.right > innerWidth + 1))
  .map(([e]) => e.outerHTML.slice(0, 120))"""
DEAD = "Reveal.getCurrentSlide().querySelectorAll('.hspace-live:not(:has(.hs-figure))').length"


def test_every_slide_fits_the_screen_and_its_figures_are_alive(built):
    with serve(built) as server, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        watch = Watch(page, server.address)
        page.goto(f"{server.address}/plan.html")
        page.wait_for_function("window.Reveal?.isReady() && document.querySelector('mjx-container')")
        count = page.evaluate("Reveal.getTotalSlides()")
        assert count > len(PLAN[1]["parts"]) + 2
        for _ in range(count):
            page.wait_for_function(f"() => !{DEAD}")
            page.wait_for_timeout(150)
            assert page.evaluate(OVER) == []
            page.evaluate("Reveal.next()")
        assert watch.outside == [] and watch.errors == []
