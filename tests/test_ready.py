"""The check before the book: a good machine passes, and every broken one hears what to do."""

import re
import tomllib
from types import SimpleNamespace

import nbformat
import pytest
import torch
from contents import NOTEBOOKS, ROOT
from nbclient import NotebookClient

import hspace
from hspace import cli, ready

PAGE = ROOT / "book" / "teaching" / "check.ipynb"


def test_a_good_machine_is_ready(capsys):
    assert hspace.check() is True
    shown = capsys.readouterr().out.splitlines()
    assert [line[:3] for line in shown[:-1]] == ["ok "] * len(ready.QUESTIONS)
    assert shown[-1] == "This machine is ready."


@pytest.fixture
def broken(monkeypatch, capsys):
    """broken(): the lines marked NO that the check prints; the two dear questions are left out unless `whole`."""

    def ask(whole=False):
        dear = () if whole else ("her picture", "directions")
        monkeypatch.setattr(ready, "QUESTIONS", {k: q for k, q in ready.QUESTIONS.items() if k not in dear})
        assert hspace.check() is False
        shown = capsys.readouterr().out.splitlines()
        assert shown[-1].startswith("Not ready yet")
        return [line for line in shown if line.startswith("NO")]

    return ask


def test_an_old_python_is_named_and_nothing_else_is_asked(broken, monkeypatch):
    monkeypatch.setattr(ready.sys, "version_info", (3, 9, 1))
    monkeypatch.setattr(ready.sys, "version", "3.9.1 (main)")
    [line] = broken()
    assert "Python 3.9.1. Install Python 3.11 or newer" in line


@pytest.mark.parametrize("least", ["torch>=99.1", "nowhere-to-be-found>=1"])
def test_a_missing_or_old_package_is_named_with_its_command(broken, monkeypatch, least):
    monkeypatch.setattr(ready, "requires", lambda name: [least, "numpy>=1", 'ruff>=0.6; extra == "test"'])
    [line] = broken()
    assert f'pip install "{least}"' in line and "numpy" not in line and "ruff" not in line


def test_every_package_of_the_books_list_is_looked_at():
    """A line that the check cannot read would pass unseen."""
    listed = [line for line in ready.requires("hspace") if "extra ==" not in line]
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert sorted(listed) == sorted(asked) and all(ready.NEEDED.match(line) for line in asked)


def test_versions_are_compared_by_their_numbers():
    assert ready.numbers("2.13.0+cpu") > ready.numbers("2.9") and ready.numbers("0.10") > ready.numbers("0.9.2")


def test_little_memory_is_named(broken, monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=2**30))
    [line] = broken()
    assert "1.0 GiB free" in line and "Close other programs" in line


def test_figures_that_stay_text_are_named(broken, monkeypatch):
    monkeypatch.setattr("hspace.widgets.LinearMap._repr_mimebundle_", lambda self: ({"text/plain": ""}, {}))
    [line] = broken()
    assert "pip install --upgrade anywidget ipywidgets" in line


def test_weights_that_cannot_be_read_are_named_and_end_the_check(broken, monkeypatch):
    def missing():
        raise FileNotFoundError("no unet/config.json")

    monkeypatch.setattr(hspace, "load", missing)
    [line] = broken(whole=True)
    assert "Alice" in line and "no unet/config.json" in line and ready.ANEW in line


class Blank:
    """An Alice who draws grey, with five directions that are not hers."""

    def noise(self, seed):
        return torch.zeros(1, 3, 64, 64)

    def denoise(self, x, stop=None):
        return x

    def picture(self, x):
        return x

    def jacobian(self, x_t, t):
        return None


def test_another_picture_and_other_directions_are_told_apart(monkeypatch):
    fine, said = ready.asked(ready.picture, [Blank()])
    assert not fine and re.search(r"off by 0\.\d+ from the stored one", said)
    monkeypatch.setattr(hspace, "svd", lambda J, k: SimpleNamespace(s=torch.ones(k)))
    fine, said = ready.asked(ready.directions, [Blank()])
    assert not fine and "unlike the stored ones" in said


def test_a_slow_machine_is_told_so(monkeypatch):
    exact = hspace.directions.stored("fifty_directions").exact
    clock = iter([0.0, 61.4])
    monkeypatch.setattr(hspace, "svd", lambda J, k: SimpleNamespace(s=exact[:k]))
    monkeypatch.setattr(ready.time, "perf_counter", lambda: next(clock))
    fine, said = ready.asked(ready.directions, [Blank()])
    assert not fine and "5 in 61 s" in said and "OMP_NUM_THREADS=1" in said


def test_the_command_says_by_its_exit_code_whether_all_is_well(monkeypatch):
    monkeypatch.setattr(hspace, "check", lambda: True)
    assert cli.main(["check"]) == 0
    monkeypatch.setattr(hspace, "check", lambda: False)
    with pytest.raises(SystemExit) as stop:
        cli.main(["check"])
    assert stop.value.code == 1


def test_the_page_to_open_first_installs_as_the_chapters_do_and_stores_nothing():
    page, chapter = nbformat.read(PAGE, 4), nbformat.read(NOTEBOOKS[0], 4)
    codes = [cell for cell in page.cells if cell.cell_type == "code"]
    setup = next(cell for cell in chapter.cells if cell.cell_type == "code")
    assert setup.source.startswith(codes[0].source) and "REPOSITORY" in codes[0].source
    assert not any(cell.outputs or cell.execution_count for cell in codes), "its answers differ by machine"


def test_the_page_to_open_first_runs():
    page = nbformat.read(PAGE, 4)
    NotebookClient(page, timeout=300, resources={"metadata": {"path": str(PAGE.parent)}}).execute()
    outputs = [output for cell in page.cells if cell.cell_type == "code" for output in cell.outputs]
    assert "This machine is ready." in "".join(output.get("text", "") for output in outputs)
    assert any("hspace-live" in output.get("data", {}).get("text/html", "") for output in outputs)
