"""Every stub fails its checker and every folded solution passes it."""

import re

import nbformat
import pytest
from contents import NOTEBOOKS

from hspace.exercises import EXERCISES, OPEN, check

MADE = r"^(?:def )?([\w, ]+?)(?: = |\()"  # before " = ", or behind "def"; a call makes nothing but does no harm
SOLUTION = re.compile(r"<details>.*?```python\n(.*?)```.*?</details>", re.S)


def exercises():
    """(notebook, index of the stub's cell) of every exercise in the book."""
    for path in NOTEBOOKS:
        for i, cell in enumerate(nbformat.read(path, 4).cells):
            if "exercise" in cell.metadata.get("tags", []):
                yield pytest.param(path, i, id=f"{path.stem}-{i}")


def test_every_checker_is_used_once():
    cells = [cell.source for path in NOTEBOOKS for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    assert sorted(re.findall(r'check\("([\d.]+)"', "\n".join(cells))) == sorted(EXERCISES | OPEN)


@pytest.mark.parametrize(("path", "stub"), list(exercises()))
def test_the_stub_fails_and_the_solution_passes(path, stub, capsys):
    """The cells that the solution needs are run first: those that make what it names, and what they name in turn."""
    cells = nbformat.read(path, 4).cells
    solution = next(SOLUTION.search(cell.source) for cell in cells[stub:] if SOLUTION.search(cell.source)).group(1)
    checker = next(cell.source for cell in cells[stub:] if "check(" in cell.source)
    space = {}
    for cell in needed(solution + checker, [c.source for c in cells[:stub] if c.cell_type == "code"]):
        exec(re.sub(r"^\s*%.*$", "", cell, flags=re.M), space)  # without what only a notebook knows
    exec("from hspace.exercises import check\n" + cells[stub].source, space)
    exec(checker, space)
    assert capsys.readouterr().out.strip().splitlines()[-1].startswith("Not yet")
    exec(solution, space)
    exec(checker, space)
    assert capsys.readouterr().out.strip().splitlines()[-1] == "Right."


def needed(code, cells):
    """The cells, in order, that assign, define or import a name which `code` or a cell kept for it uses."""
    kept, names = [], set(re.findall(r"\w+", code))
    for cell in reversed(cells):
        made = re.findall(MADE, cell, re.M) + re.findall(r"^\s*(?:from \S+ )?import (.+)$", cell, re.M)
        if names & {name.strip() for group in made for name in group.split(",")}:
            kept.append(cell)
            names |= set(re.findall(r"\w+", cell))
    return reversed(kept)


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
