"""The tools behind `make chapters`, `make lock` and `make stamp`, and the comparison as nbval runs it."""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

import npm
from chapters import chosen, keep_figures, main, normalise, refresh
from lock import locked
from stamp import checked, replace_line, stamp

ROOT = Path(__file__).resolve().parent.parent
FIGURE = """
import matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(2, 2))
axes.plot([0, {height}], lw=8)
axes.set_ylim(0, 3)
plt.show()
"""


def code(source, **metadata):
    return nbformat.v4.new_code_cell(source, metadata=metadata)


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    """A notebook that `make chapters` has run: text, a figure, a widget's random ids."""
    path = tmp_path_factory.mktemp("chapters") / "07_small.ipynb"
    widget = 'display({"application/vnd.jupyter.widget-view+json": {}, "text/plain": "a widget"}, raw=True)'
    cells = [
        nbformat.v4.new_markdown_cell("# Small"),
        code("print('σ =', 1.234)\nprint('k =', 5)", tags=["keep"], execution={"iopub.status.busy": "now"}),
        code(FIGURE.format(height=1)),
        code("from IPython.display import display\n" + widget),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"widgets": {"state": {}}}), path)
    refresh(path)
    return path


def nbval(folder, old="", new="", count=None):
    """Run the notebook in `folder` under our conftest, with `old` made `new` in its sources; the finished process."""
    (folder / "tools").mkdir()
    for file in ("conftest.py", "tools/compare_outputs.py"):
        shutil.copy(ROOT / file, folder / file)
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = tools\n")
    [path] = folder.glob("*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.source = cell.source.replace(old, new)
        cell.execution_count = count or cell.execution_count
    nbformat.write(notebook, path)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env", path.name]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture
def copy(chapter, tmp_path):
    shutil.copy(chapter, tmp_path)
    return tmp_path


def test_a_chapter_that_ran_is_in_normal_form(chapter):
    notebook = nbformat.read(chapter, as_version=4)
    assert "widgets" not in notebook.metadata and set(notebook.metadata) == {"kernelspec", "language_info"}
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == [1, 2, 3]
    assert notebook.cells[1].metadata == {"tags": ["keep"]}
    assert [output.text for output in notebook.cells[1].outputs] == ["σ = 1.234\nk = 5\n"]
    assert set(notebook.cells[3].outputs[0].data) == {"text/plain"}


def test_running_again_changes_nothing(chapter):
    before = chapter.read_bytes()
    assert refresh(chapter) == "07_small.ipynb: 1 figures, 1 of them as stored"
    assert chapter.read_bytes() == before


def test_a_stored_figure_is_replaced_only_where_the_new_one_differs(chapter):
    stored = nbformat.read(chapter, as_version=4)
    old, new = nbformat.from_dict(stored), nbformat.read(chapter, as_version=4)
    assert keep_figures(new, old) == 1
    new.cells[2].outputs[0].data["image/png"] = black = (
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
    )
    assert keep_figures(new, old) == 0
    assert new.cells[2].outputs[0].data["image/png"] == black


def test_an_empty_code_cell_is_refused():
    with pytest.raises(ValueError, match="empty code cell"):
        normalise(nbformat.v4.new_notebook(cells=[code(" ")]))


def test_a_failing_chapter_is_left_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "01_broken.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[code("1 / 0")]), path)
    before = path.read_bytes()
    monkeypatch.setattr("chapters.CHAPTERS", tmp_path)
    monkeypatch.setattr("chapters.chosen", lambda numbers: chosen(numbers, tmp_path))
    with pytest.raises(SystemExit, match="ZeroDivisionError"):
        main([])
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == [path.name]


def test_chapters_are_chosen_by_number(tmp_path):
    for name in ("01_a.ipynb", "12_b.ipynb", "notes.ipynb"):
        (tmp_path / name).touch()
    assert [path.name for path in chosen([], tmp_path)] == ["01_a.ipynb", "12_b.ipynb"]
    assert [path.name for path in chosen(["1"], tmp_path)] == ["01_a.ipynb"]
    with pytest.raises(ValueError, match="no chapter 3"):
        chosen(["3"], tmp_path)
    with pytest.raises(ValueError, match="no chapter at all"):
        chosen([], tmp_path / "empty")


def test_nbval_passes_an_unchanged_chapter(copy):
    run = nbval(copy)
    assert run.returncode == 0, run.stdout
    assert "3 passed" in run.stdout


def test_nbval_fails_a_changed_figure_and_shows_where_to_look(copy):
    run = nbval(copy, "[0, 1]", "[0, 1.1]")
    assert "1 failed, 2 passed" in run.stdout and "the pixels differ by" in run.stdout
    assert {file.name for file in (copy / "_build/differences").iterdir()} == {
        f"07_small_cell1_0_{kind}.png" for kind in ("stored", "now", "difference")
    }


def test_nbval_fails_a_changed_number(copy):
    assert "1 failed, 2 passed" in nbval(copy, "1.234", "1.236").stdout


def test_nbval_passes_a_number_within_its_last_digit(copy):
    assert "3 passed" in nbval(copy, "1.234", "1.235").stdout


def test_nbval_refuses_counts_that_do_not_run_from_one(copy):
    run = nbval(copy, count=2)
    assert "1 passed, 2 errors" in run.stdout and "run `make chapters`" in run.stdout


def test_lock_leaves_out_what_other_machines_do_not_have():
    versions = [("Torch", "2.13.0+cpu"), ("ruamel.yaml", "1"), ("nvidia-nccl-cu12", "2"), ("pip", "23")]
    assert locked(versions) == ["ruamel-yaml==1", "torch==2.13.0"]


def test_an_archive_that_is_another_is_refused_and_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *args, **options: io.BytesIO(b"another"))
    with pytest.raises(ValueError, match=r"npmjs\.org sent for a 1 has hash .*: try again later"):
        npm.package("a", "1", "its hash", tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a-1.tgz").write_bytes(b"another")
    with pytest.raises(ValueError, match=r"a-1\.tgz has hash .*: remove it"):
        npm.package("a", "1", "its hash", tmp_path)


@pytest.fixture
def project(tmp_path):
    """The files that `make stamp` writes to, and a chapter with a setup cell."""
    for name in ("_config.yml", "README.md", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "chapters").mkdir()
    setup = 'try:\n    import hspace\nexcept ImportError:\n    REPOSITORY = ""'
    nbformat.write(nbformat.v4.new_notebook(cells=[code(setup)]), tmp_path / "chapters" / "01_a.ipynb")
    return tmp_path


def test_stamp_writes_the_address_everywhere(project):
    address = "https://github.com/somebody/book"
    stamp("https://github.com/somebody/earlier/", project)
    stamp(f"{address}.git", project)
    assert yaml.safe_load((project / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"] == address
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert readme.count("colab.research.google.com/github/somebody/book/blob/main/chapters/01_noise") == 1
    assert yaml.safe_load((project / "CITATION.cff").read_text(encoding="utf-8"))["repository-code"] == address
    cell = nbformat.read(project / "chapters" / "01_a.ipynb", as_version=4).cells[0]
    assert cell.source.endswith(f'    REPOSITORY = "{address}"')
    assert not [path for path in project.rglob("*.*") if "somebody/earlier" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("address", ["", "https://example.org/a/b", "https://github.com/a", "https://github.com/a/b/c"])
def test_stamp_refuses_what_is_no_repository(address):
    with pytest.raises(ValueError, match="make stamp REPOSITORY="):
        checked(address)


@pytest.mark.parametrize("text", ["", "url: a\nurl: b\n"])
def test_stamp_writes_nothing_where_not_exactly_one_line_fits(tmp_path, text):
    path = tmp_path / "_config.yml"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"_config.yml has {text.count('url')} lines like"):
        replace_line(path, r"^url: .*$", "url: c")
    assert path.read_text(encoding="utf-8") == text
