"""The book in print: pages made one, numbers that are right, solutions at the end."""

import io
import itertools
import re
from unittest.mock import Mock

import pytest
from browser import ADVICE, give_up
from bs4 import BeautifulSoup
from contents import SITE, toc
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

import pdf
from chrome import find

FEW = [("", ["book/intro"]), ("Chapters", ["chapters/02_nose", "chapters/03_ears_and_luck"])]


@pytest.fixture(scope="module")
def page():
    """Three pages of the book as one, parsed."""
    assert (SITE / "index.html").exists(), "no site in _build/html: run `make book` first"
    return BeautifulSoup(pdf.one_page(FEW), "html.parser")


def test_the_print_has_every_page_of_the_contents_but_those_for_the_screen():
    pages = [entry for _, entries in pdf.contents() for entry in entries]
    assert pages == [entry for entry in toc() if entry not in pdf.ON_SCREEN]
    assert set(toc()) >= pdf.ON_SCREEN and not any(entry.startswith("chapters/") for entry in pdf.ON_SCREEN)


def test_every_link_within_the_book_leads_to_one_place(page):
    ids = [element["id"] for element in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    within = [link["href"] for link in page.select("a[href]") if ":" not in link["href"]]
    assert within and not [goal for goal in within if goal[0] != "#" or goal[1:] not in ids]


def test_every_picture_is_there(page):
    sources = [image["src"] for image in page.select("img")]
    assert sources and not [s for s in sources if not s.startswith("data:") and not (SITE / s).is_file()]


def test_setup_is_left_out_and_solutions_stand_at_the_end(page):
    chapter = page.find(id="chapters-02_nose")
    assert "%pip" not in page.get_text() and not page.select("details")
    assert "answer = 1 / 2" not in chapter.get_text()
    end = page.find(id="solutions")
    assert "answer = 1 / 2" in end.get_text()
    assert len(end.select("section")) == len(chapter.select(".exercise")) + len(
        page.find(id="chapters-03_ears_and_luck").select(".exercise")
    )


def test_contents_list_chapters_and_sections_once_and_no_tasks(page):
    lines = [" ".join(link.get_text().split()) for link in page.select(".contents a")]
    assert lines.count("2 · A nose and a smile") == lines.count("Once there was a cat person") == 1
    assert not [line for line in lines if line.startswith(("Exercise", "Describe it", "Slip"))]


@pytest.fixture(scope="module")
def made(page):
    """The PDF of the three pages: its pages' texts."""
    with sync_playwright() as playwright:
        if find(playwright) is None:
            give_up(ADVICE)
    reader = PdfReader(io.BytesIO(pdf.printed(str(page))))
    return [" ".join(sheet.extract_text().split()) for sheet in reader.pages]


def test_the_numbers_in_the_contents_are_those_of_the_pages(made):
    listed = re.findall(
        r"(2 · A nose and a smile|Basis vectors|Where the basis lands|The weight, found in faces|Solutions) (\d+)",
        made[1],
    )
    assert len(listed) == 5
    for title, number in listed:
        assert title in made[int(number) - 1] and made[int(number) - 1].endswith(number)


@pytest.mark.parametrize(("last", "prints"), [(1, 2), (4, 5), (5, None)])
def test_it_is_printed_until_the_numbers_stay(monkeypatch, last, prints):
    page, count = Mock(), itertools.count()
    monkeypatch.setattr(pdf, "press", lambda page: next(count))
    monkeypatch.setattr(pdf, "numbers", lambda turn: {"a": min(turn, last - 1)})
    if prints:
        assert pdf.numbered(page) == prints - 1 and page.evaluate.call_count == prints - 1
    else:
        with pytest.raises(RuntimeError, match="after 5 prints"):
            pdf.numbered(page)


def test_an_exercise_says_on_which_page_its_solution_is(made):
    [number] = [n for text in made for n in re.findall(r"Which weight leads from nap.*?Solution: page (\d+)", text)][:1]
    assert "The way back" in made[int(number) - 1] and "answer = 1 / 2" in made[int(number) - 1]


def test_live_figures_are_printed_as_they_stand(made):
    assert not [text for text in made if "Drag" in text and "Start again" in text]
    assert any("nap/nose" in text for text in made)


def test_the_link_to_the_pdf_waits_for_it(tmp_path):
    (tmp_path / "a.html").write_text('x <!-- printed: <p><a href="b.pdf">PDF</a></p> --> y', encoding="utf-8")
    (tmp_path / "b.html").write_text("nothing", encoding="utf-8")
    assert pdf.link(tmp_path) == 1 and pdf.link(tmp_path) == 0
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == 'x <p><a href="b.pdf">PDF</a></p> y'


def test_every_page_of_the_site_waits_for_the_pdf_or_leads_to_it():
    for entry in toc():
        text = (SITE / f"{entry}.html").read_text(encoding="utf-8")
        assert ("<!-- printed: " in text) is not (SITE / pdf.NAME).exists(), entry
        assert f"{'../' * entry.count('/')}{pdf.NAME}" in text, entry
