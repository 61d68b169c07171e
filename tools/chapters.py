"""Run the chapters and store their outputs, so that running again changes nothing.

    python tools/chapters.py [12 ...]      the chapters with these numbers; all of them without

A chapter that fails is left as it was. A stored figure is kept where the new one agrees with it, so that the repository
does not grow by a picture at every run.
"""

import copy
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from compare_outputs import VOLATILE_TYPES, content_difference

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
CELL_METADATA = {"tags", "mystnb", "jupyter", "cellView"}  # read by tests, site, Jupyter, Colab; timings go


def chosen(numbers, folder=CHAPTERS):
    """The notebooks with these numbers ("12" or "5"), or all. Raises ValueError where there is none."""
    notebooks = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if numbers:
        notebooks = [path for path in notebooks if path.name[:2] in {number.zfill(2) for number in numbers}]
    if len(notebooks) < max(1, len(numbers)):
        raise ValueError(f"no chapter {' or '.join(numbers) or 'at all'} in {folder}: it wants NN_slug.ipynb")
    return notebooks


def execute(notebook, folder):
    """A copy of the notebook, run from its first cell in a fresh kernel whose working directory is `folder`."""
    run = copy.deepcopy(notebook)
    NotebookClient(run, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    return run


def join_streams(outputs):
    """Outputs with all text of one stream in its first output: how it was cut depends on timing."""
    joined, streams = [], {}
    for output in outputs:
        if output.output_type == "stream" and output.name in streams:
            streams[output.name].text += output.text
            continue
        if output.output_type == "stream":
            streams[output.name] = output
        joined.append(output)
    return joined


def normalise(notebook):
    """Bring a notebook that has run into the stored form, in place: counts 1..n and nothing that varies.

    Raises ValueError for an empty code cell: it would have no count.
    """
    notebook.metadata = nbformat.from_dict(KERNEL)
    count = 0
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in CELL_METADATA}
        if cell.cell_type != "code":
            continue
        if not cell.source.strip():
            raise ValueError(f"an empty code cell follows count {count}: remove it")
        count += 1
        cell.execution_count = count
        cell.outputs = join_streams(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            for kind in VOLATILE_TYPES & set(output.get("data", {})):
                del output.data[kind]
    return notebook


HEAVY = ("image/png", "text/html")  # figures and live figures


def figures(cell):
    """The outputs of a cell that hold a figure, as pairs (MIME type, the output's data)."""
    data = [output.get("data", {}) for output in cell.get("outputs", [])]
    return [(kind, contents) for contents in data for kind in HEAVY if kind in contents]


def keep_figures(new, old):
    """Put the stored figures back, in place, where a cell of the same id draws them again alike. Returns how many."""
    kept = 0
    before = {cell.id: figures(cell) for cell in old.cells if "id" in cell}
    for cell in new.cells:
        stored, drawn = before.get(cell.get("id"), []), figures(cell)
        for (kind, a), (kind_now, b) in zip(stored, drawn, strict=False):
            if kind == kind_now and content_difference(kind, a[kind], b[kind]) is None:
                b[kind] = a[kind]
                kept += 1
    return kept


def refresh(path):
    """Run one chapter in place; returns a line that says what happened. CellExecutionError where a cell fails."""
    old = nbformat.read(path, as_version=4)
    new = normalise(execute(old, path.parent))
    kept = keep_figures(new, old)
    nbformat.validate(new)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(nbformat.writes(new).rstrip("\n") + "\n", encoding="utf-8")
    os.replace(temporary, path)
    return f"{path.name}: {sum(len(figures(cell)) for cell in new.cells)} figures, {kept} of them as stored"


def main(numbers):
    try:
        for path in chosen(numbers):
            print(refresh(path), flush=True)
    except (CellExecutionError, ValueError) as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main(sys.argv[1:])
