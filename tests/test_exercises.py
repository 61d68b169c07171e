"""Every stub fails its checker and every folded solution passes it; the index says what the chapters say."""

import json
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from contents import NOTEBOOKS, SITE

import hspace
from exercises import complaint, main, names
from hspace.directions import stored
from hspace.exercises import EXERCISES, OPEN, check
from hspace_exercises import read


def exercises():
    return [pytest.param(path, e, id=e.number) for path in NOTEBOOKS for e in read(path)]


def test_every_checker_is_used_once():
    cells = [cell.source for path in NOTEBOOKS for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    assert sorted(re.findall(r'check\("([\d.]+)"', "\n".join(cells))) == sorted(EXERCISES | OPEN)
    assert sorted(e.number for path in NOTEBOOKS for e in read(path)) == sorted(EXERCISES | OPEN)


@pytest.mark.parametrize(("path", "exercise"), exercises())
def test_the_stub_fails_and_the_solution_passes(path, exercise):
    assert complaint(path, exercise) == ""


def test_a_wrong_answer_gets_a_hint(capsys):
    check("12.1", 50)
    assert "Square the singular values" in capsys.readouterr().out
    check("12.2", [1.0, 2.0])
    assert "shape" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"99\.9"):
        check("99.9", 1)


def test_what_is_counted_must_be_met_exactly(capsys):
    """344 rounds: one more is within the 1 % that other numbers may be off."""
    for answer, said in ((344, "Right."), (345, "Not yet"), (344.5, "Not yet")):
        check("11.5", answer)
        assert capsys.readouterr().out.startswith(said)


def test_an_open_exercise_says_what_an_answer_lacks(capsys):
    alice = hspace.load()
    x_t = alice.denoise(alice.noise(stored("fifty_directions").about["seed"]), stop=600)
    for answer, said in ((x_t, "0.25 are wanted"), (x_t[0], "a state has shape"), ("a wish", "a state is a tensor")):
        check("13.5", answer)
        told = capsys.readouterr().out
        assert told.startswith("Not yet") and said in told


@pytest.mark.parametrize(
    ("code", "used", "made"),
    [
        ("x = x + 1", {"x"}, {"x"}),
        ("x += 1", {"x"}, {"x"}),
        ("total = 0\nfor i in rows:\n    total += i", {"rows"}, {"total", "i"}),
        ("def f(a):\n    return a * b\nc = f(2)", {"b"}, {"f", "c"}),
        ("[a for a in b]", {"b"}, set()),
        ("import numpy as np", set(), {"np"}),
    ],
)
def test_names_that_code_uses_and_makes(code, used, made):
    assert names(code) == (used, made)


@pytest.fixture
def changed(tmp_path, monkeypatch):
    """changed(old, new): a copy of chapter 2 with one text made another, where `make exercises` looks for chapters."""
    monkeypatch.setattr("exercises.chosen", lambda numbers: [tmp_path / "02_nose.ipynb"])

    def change(old, new):
        [source] = [path for path in NOTEBOOKS if path.stem == "02_nose"]
        notebook = json.loads(source.read_text(encoding="utf-8"))
        assert any(old in "".join(cell["source"]) for cell in notebook["cells"]), old
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"]).replace(old, new)
        path = tmp_path / source.name
        path.write_text(json.dumps(notebook), encoding="utf-8")
        return path

    return change


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("answer = 1 / 2", "answer = 1 / 3", "of the solution"),
        ("answer = None  # a number, in nose per nap", "answer = 0.5", "of the stub"),
        ("answer = 1 / 2", "answer = 1 / nothing", "NameError"),
    ],
)
def test_an_exercise_that_does_not_hold_is_named(changed, capsys, old, new, wrong):
    changed(old, new)
    with pytest.raises(SystemExit, match="1 of 4 exercises fail"):
        main([])
    [line] = [line for line in capsys.readouterr().out.splitlines() if "stub fails, solution passes" not in line]
    assert line.startswith("2.1") and wrong in line


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("*2 minutes, easy.*", "*2 minutes.*", "3 headings of exercises and 4 stubs"),
        ("*2 minutes, easy.*", "*2 minutes, wild.*", "'wild'; write easy, medium, hard, open"),
        ('check("2.1", answer)', "", r'check\("2.1", …\)'),
        ("answer = 1 / 2\n```", "answer = 1 / 2\n", "lacks a folded solution in Python"),
    ],
)
def test_an_exercise_that_is_not_whole_is_refused(changed, old, new, message):
    with pytest.raises(ValueError, match=message):
        read(changed(old, new))


def test_the_index_lists_every_exercise_with_its_minutes_and_leads_to_it():
    page = BeautifulSoup((SITE / "book" / "exercises.html").read_text(encoding="utf-8"), "html.parser")
    rows = [[cell.get_text().strip() for cell in row.find_all("td")] for row in page.select("article tbody tr")]
    written = [re.findall(r"^## (Exercise .*)\n\n\*(\d+) minutes, (\w+)", source, re.M) for source in sources()]
    assert rows == [list(entry) for chapter in written for entry in chapter]
    links = [link["href"] for link in page.select("article tbody a")]
    assert len(links) == len(rows) and all(re.search(r"chapters/\d\d_\w+\.html#exercise-\d", link) for link in links)


def sources():
    """The Markdown of each chapter, one text."""
    notebooks = (nbformat.read(path, 4) for path in NOTEBOOKS)
    return ["\n\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown") for book in notebooks]
