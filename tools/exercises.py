"""Try every exercise out: its stub must fail its checker, and its solution must pass; `make exercises` calls it.

PYTHONPATH=book/_ext python tools/exercises.py [12 ...]      the chapters with these numbers; all of them without
"""

import ast
import contextlib
import io
import re
import symtable
import sys

from chapters import chosen
from hspace_exercises import cells_of, read


def needed(code, cells):
    """The cells, in order, that make a name which `code`, or a cell kept for it, uses without making it first."""
    kept, (wanted, _) = [], names(code)
    for cell in reversed(cells):
        used, made = names(cell)
        if wanted & made:
            kept.append(cell)
            wanted = wanted - made | used
    return kept[::-1]


def names(code):
    """Two sets: the names that Python code uses before it makes them, and those that it makes."""
    used, made = set(), set()
    for statement in ast.parse(code).body:
        outer, *inner = scopes(symtable.symtable(ast.unparse(statement), "cell", "exec"))
        read = {symbol.get_name() for symbol in outer.get_symbols() if symbol.is_referenced()}
        read |= {symbol.get_name() for scope in inner for symbol in scope.get_symbols() if symbol.is_global()}
        # symtable counts `x += 1` as making x alone
        read |= {node.target.id for node in ast.walk(statement) if changes(node)}
        own = ast.walk(statement.target) if isinstance(statement, ast.For) else ()
        used |= read - made - {node.id for node in own if isinstance(node, ast.Name)}
        made |= {name.get_name() for name in outer.get_symbols() if name.is_assigned() or name.is_imported()}
    return used, made


def changes(node):
    """Whether a statement is like `x += 1`."""
    return isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)


def scopes(table):
    """A table of symbols and those of all functions and comprehensions within it."""
    return [table, *(scope for child in table.get_children() for scope in scopes(child))]


def plain(cell):
    """A cell as Python alone: without what only a notebook knows."""
    return re.sub(r"^(\s*)%.*$", r"\1pass", cell, flags=re.M)


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
    given = plain(cells[exercise.stub][1])
    before = [plain(source) for kind, source, _ in cells[: exercise.stub] if kind == "code"]
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in needed(f"{given}\n{exercise.solution}\n{plain(exercise.checker)}", before):
            exec(cell, space)
    exec(f"from hspace.exercises import check\n{given}", space)
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
