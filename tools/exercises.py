"""Try every exercise out: its stub must fail its checker, and its solution must pass; `make exercises` calls it.

PYTHONPATH=book/_ext python tools/exercises.py [12 ...]      the chapters with these numbers; all of them without
"""

import contextlib
import io
import re
import sys

from chapters import chosen
from hspace_exercises import cells_of, read

MADE = r"^(?:def )?([\w, ]+?)(?: = |\()"  # before " = ", or behind "def"; a call makes nothing but does no harm
IMPORTED = r"^\s*(?:from \S+ )?import (.+)$"


def needed(code, cells):
    """The cells, in order, that assign, define or import a name which `code` or a cell kept for it uses."""
    kept, names = [], set(re.findall(r"\w+", code))
    for cell in reversed(cells):
        made = re.findall(MADE, cell, re.M) + re.findall(IMPORTED, cell, re.M)
        if names & {name.strip() for group in made for name in group.split(",")}:
            kept.append(cell)
            names |= set(re.findall(r"\w+", cell))
    return reversed(kept)


def said(checker, space):
    """The last line that the checker prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(checker, space)
    return printed.getvalue().strip().splitlines()[-1]


def tried(path, exercise):
    """What the checker says of the stub and of the solution, a pair of lines.

    The cells that they need are run first: those that make what they name, and what those name in turn.
    """
    cells, space = cells_of(path), {}
    before = [source for kind, source, _ in cells[: exercise.stub] if kind == "code"]
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in needed(exercise.solution + exercise.checker, before):
            exec(re.sub(r"^\s*%.*$", "", cell, flags=re.M), space)  # without what only a notebook knows
    exec("from hspace.exercises import check\n" + cells[exercise.stub][1], space)
    stub = said(exercise.checker, space)
    exec(exercise.solution, space)
    return stub, said(exercise.checker, space)


def complaint(path, exercise):
    """What is wrong with an exercise, a sentence; "" where nothing is."""
    try:
        stub, solution = tried(path, exercise)
    except Exception as error:  # of the book's code, whatever it is
        return f"{type(error).__name__}: {error}"
    wrong = [] if stub.startswith("Not yet") else [f"the checker says {stub!r} of the stub"]
    return "; ".join(wrong if solution == "Right." else [*wrong, f"the checker says {solution!r} of the solution"])


def main(numbers):
    try:
        exercises = [(path, exercise) for path in chosen(numbers) for exercise in read(path)]
    except ValueError as error:
        sys.exit(str(error))
    failed = 0
    for path, exercise in exercises:
        wrong = complaint(path, exercise)
        failed += bool(wrong)
        about = f"{exercise.number:5} {exercise.minutes:3} minutes, {exercise.difficulty:7}{exercise.title}"
        print(f"{about}: {wrong or 'stub fails, solution passes'}", flush=True)
    sys.exit(f"{failed} of {len(exercises)} exercises fail" if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
