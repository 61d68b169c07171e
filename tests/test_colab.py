"""The chapters in an environment like Colab's: the setup cell and the imports of each, and three of them whole."""

import nbformat
import pytest

from chapters import CHAPTERS
from colab import WIDGET, committed, complaints, for_colab, imports_only, lend, rehearse, wheel_of

NAMES = [path.name for path in sorted(CHAPTERS.glob("*.ipynb"))]
WHOLE = {"01", "03", "12"}  # two with many live figures, and the one that asks most of Alice
SETUP = """
try:
    import small
except ImportError:
    REPOSITORY = ""
    %pip install "git+{REPOSITORY}"
    import small
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """What is committed, and its wheel."""
    folder = tmp_path_factory.mktemp("colab")
    source = committed(folder / "source")
    return source, wheel_of(source, folder)


@pytest.mark.parametrize("name", NAMES)
def test_chapters_run_in_colab(book, name):
    source, wheel = book
    path = source / "chapters" / name
    assert path.exists(), f"{name} is not committed"
    assert not rehearse(path, wheel, whole=name[:2] in WHOLE)


def notebook(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


def test_the_setup_cell_installs_the_wheel():
    copy = for_colab(notebook(SETUP, "x = 1"), "/a/b.whl")
    assert '%pip install "/a/b.whl"' in copy.cells[0].source and copy.cells[1].source == "x = 1"
    with pytest.raises(ValueError, match="0 cells install"):
        for_colab(notebook("x = 1"), "b.whl")


def test_only_the_imports_of_a_chapter_are_kept():
    cells = imports_only(notebook(SETUP, "import a\n\na.f()", "from b import c\nx = c", "y = 1")).cells
    assert [cell.source for cell in cells] == [SETUP, "import a\nfrom b import c"]


def test_complaints_name_what_went_wrong():
    stored = notebook("Figure()")
    stored.cells[0].outputs = [nbformat.v4.new_output("display_data", {"text/html": '<div class="hspace-live">'})]
    run = notebook("Figure()")
    run.cells[0].id = stored.cells[0].id
    before = {"numpy": "2.1.3"}
    changed, missing, dead = complaints(stored, run, before, {"numpy": "2.4"})
    assert "numpy" in changed and "did not install" in missing and "Figure()" in dead
    run.cells[0].outputs = [nbformat.v4.new_output("display_data", {WIDGET: {}})]
    assert complaints(stored, run, before, {**before, "hspace": "1"}) == []


def test_torch_is_lent_with_its_metadata(tmp_path):
    lend(tmp_path)
    assert (tmp_path / "torch" / "__init__.py").exists() and list(tmp_path.glob("torch-*.dist-info/METADATA"))
    assert not (tmp_path / "numpy").exists()
