"""The repository's files agree with each other, and the chapters keep the book's rules."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile

import nbformat
import pytest
import yaml
from contents import NOTEBOOKS, ROOT, address, toc
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import hspace
from colab import VERSIONS, committed, wheel_of

MAX_LINES = 12
MYST = re.compile(r"^\s*(:{3,}|`{3,})\s*\{|\{[a-z:]+\}`", re.M)
CALLS = r"(plot|scatter|quiver|imshow|annotate|bar|hist|contour)\w*\("
PLOTTING = re.compile(r"^\s*(fig(ure)?|ax(es|s)?|plt)\d*(\.\w+|\[[^]]*\])*\." + CALLS, re.M)
FENCED = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
COLAB = "colab.research.google.com"


def requirements(name):
    """The requirements in a file, {canonical name: Requirement}, includes not followed."""
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    found = [Requirement(line) for line in lines if line and not line.startswith("-r ")]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def pin(requirement):
    """The version of an exact pin; an assertion error for anything looser."""
    [specifier] = requirement.specifier
    assert specifier.operator == "==" and "*" not in specifier.version, f"{requirement} is not an exact pin"
    return specifier.version


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def loose():
    """What pyproject.toml asks for, {canonical name: Requirement}, except the heavy optional parts."""
    lines = project()["dependencies"] + project()["optional-dependencies"]["test"]
    return {canonicalize_name(requirement.name): requirement for requirement in map(Requirement, lines)}


@pytest.fixture(scope="module")
def pins():
    return {**requirements("requirements-site.txt"), **requirements("requirements.txt")}


def test_requirements_and_constraints_agree(pins):
    constraints = requirements("constraints.txt")
    assert {name: pin(requirement) for name, requirement in pins.items()} == {
        name: pin(constraints[name]) for name in pins if name in constraints
    }, "run `make lock`"
    assert all(pin(requirement) for requirement in constraints.values())


def test_requirements_include_the_site_and_the_site_has_no_torch(pins):
    assert "-r requirements-site.txt" in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert "torch" in pins and "torch" not in requirements("requirements-site.txt")


def test_every_loose_range_holds_the_pinned_version(pins):
    for name, requirement in loose().items():
        assert name in pins, f"{name} is in pyproject.toml and not in requirements.txt"
        assert requirement.specifier.contains(pin(pins[name])), f"{requirement} excludes the pinned {pin(pins[name])}"


def test_ranges_leave_colab_its_own_packages():
    colab = requirements(VERSIONS)
    assert {"numpy", "matplotlib", "ipywidgets", "anywidget"} <= set(colab)
    for name, requirement in loose().items():
        assert {s.operator for s in requirement.specifier} <= {">="}, f"{requirement} has an upper pin"
        assert name not in colab or requirement.specifier.contains(pin(colab[name])), f"Colab has {colab[name]}"


def test_versions_of_package_and_citation_agree():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    assert project()["dynamic"] == ["version"] and cited == hspace.__version__


def test_there_are_chapters_and_each_is_in_the_toc_and_back():
    listed = [entry for entry in toc() if entry.startswith("chapters/")]
    assert listed, "no chapter in _toc.yml"
    assert listed == [path.relative_to(ROOT).with_suffix("").as_posix() for path in NOTEBOOKS]
    assert all(re.fullmatch(r"\d\d_[a-z_]+", path.stem) for path in NOTEBOOKS)


def test_every_page_of_the_toc_exists_and_every_page_is_listed():
    files = [path for kind in ("*.md", "*.ipynb") for path in (ROOT / "book").rglob(kind)]
    pages = {path.relative_to(ROOT).with_suffix("").as_posix() for path in files}
    assert pages - {"book/continuity"} == {entry for entry in toc() if entry.startswith("book/")}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook):
    return [(i, cell) for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]


def test_chapters_are_valid_and_in_normal_form(notebook):
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}, "run `make chapters`"
    assert [cell.execution_count for _, cell in code_cells(notebook)] == list(range(1, len(code_cells(notebook)) + 1))
    outputs = [output for _, cell in code_cells(notebook) for output in cell.outputs]
    assert not [kind for output in outputs for kind in output.get("data", {}) if "widget" in kind], "widget state"


def test_chapters_open_with_one_title(notebook):
    titles = [cell.source for cell in notebook.cells if cell.cell_type == "markdown" and re.match(r"# ", cell.source)]
    assert len(titles) == 1 and notebook.cells[0].source.startswith("# ")


def test_chapters_are_portable_markdown(notebook):
    for i, cell in enumerate(notebook.cells):
        found = cell.cell_type == "markdown" and MYST.search(cell.source)
        assert not found, f"cell {i} has MyST syntax, raw text in Colab: {found[0]!r}"


def test_code_cells_are_short_and_do_not_plot(notebook):
    for i, cell in code_cells(notebook):
        lines = cell.source.count("\n") + 1
        assert lines <= MAX_LINES, f"cell {i} has {lines} lines (at most {MAX_LINES})"
        assert not PLOTTING.search(cell.source), f"cell {i} plots; figures come from hspace.figures"


def test_code_lines_fit_the_page(notebook):
    """Those of folded solutions, too, which no formatter sees."""
    most = tomllib.loads((ROOT / "chapters" / "ruff.toml").read_text(encoding="utf-8"))["line-length"]
    written = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    code = [cell.source for _, cell in code_cells(notebook)] + FENCED.findall("\n".join(written))
    assert most <= 78 and [line for line in "\n".join(code).splitlines() if len(line) > most] == []


def test_figures_have_alternative_text(notebook):
    for i, cell in code_cells(notebook):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt.split()) >= 4, f"cell {i}: metadata mystnb.image.alt must say what the figure shows: {alt!r}"


def test_chapters_begin_by_installing_the_library_where_it_is_missing(notebook):
    """The same lines in all of them, in a folded cell before any other code, and below them at most imports."""
    setup, *others = [cell for _, cell in code_cells(notebook)]
    install = code_cells(nbformat.read(NOTEBOOKS[0], as_version=4))[0][1].source
    assert setup.source.startswith(install) and install.startswith("try:\n    import hspace")
    below = ast.parse(setup.source.removeprefix(install)).body
    assert all(isinstance(line, ast.Import | ast.ImportFrom) for line in below)
    assert not any("%pip" in cell.source for cell in others)


def test_chapters_fold_their_setup_and_nothing_else_away(notebook):
    tags = [cell.metadata.get("tags", []) for _, cell in code_cells(notebook)]
    assert tags[0] == ["hide-cell"] and not any("hide-cell" in others for others in tags[1:])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_chapters_are_small_enough_to_open_anywhere(path):
    assert path.stat().st_size < 3_000_000, f"{path.name}: fewer or smaller pictures"


def test_stored_outputs_have_no_unexpected_errors(notebook):
    for i, cell in code_cells(notebook):
        errors = [output.ename for output in cell.outputs if output.output_type == "error"]
        assert not errors or "raises-exception" in cell.metadata.get("tags", []), f"cell {i} stores {errors}"


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (MYST, "```{note}\nhello\n```", True),
        (MYST, ":::{figure} x.png", True),
        (MYST, "see {ref}`here`", True),
        (MYST, "```python\nx = {1}\n```", False),
        (MYST, "the set {a}, and `code`", False),
        (PLOTTING, "ax.plot(x)", True),
        (PLOTTING, "axes[0, 1].imshow(x)", True),
        (PLOTTING, "plt.hist(x)", True),
        (PLOTTING, "figures.plot_spectrum(s)", False),
        (PLOTTING, "plt.show()", False),
    ],
)
def test_the_rules_find_what_they_forbid(pattern, text, found):
    assert bool(pattern.search(text)) is found


#: How Playwright reads a page at once, without waiting for what is still to be drawn.
READS = {"count", "evaluate", "get_attribute", "bounding_box", "inner_html", "inner_text", "text_content",
         "input_value", "is_visible", "is_hidden", "is_enabled", "is_disabled", "is_checked"}  # fmt: skip


def hasty(source):
    """Lines of a test that read a page at once, neither through `rested` nor by Playwright's `expect`."""
    tree = ast.parse(source)
    acts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # what they return is not used
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    reads = [call for call in calls if call.func.attr in READS and id(call) not in acts]
    reads = [call for call in reads if call.func.attr != "count" or not call.args]  # a list's own count takes one
    sleeps = [call for call in calls if call.func.attr == "wait_for_timeout"]
    return [ast.unparse(call) for call in [*reads, *sleeps] if "rested(" not in ast.unparse(call.func)]


@pytest.mark.parametrize("path", sorted(ROOT.glob("tests/test_widgets_*.py")), ids=lambda path: path.stem)
def test_a_figure_is_read_when_it_has_drawn(path):
    assert hasty(path.read_text(encoding="utf-8")) == []


def test_a_hasty_look_is_noticed():
    assert hasty('page.evaluate("go()")\nassert rested(page.locator("i")).count() == [1].count(1)') == []
    assert len(hasty('n = page.locator("i").count()\npage.wait_for_timeout(9)\nassert page.evaluate("n") == n')) == 3


def test_the_address_stands_everywhere_or_nowhere():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    if address():
        assert address().removeprefix("https://github.com/") in readme and COLAB in readme
        assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["repository-code"] == address()
    else:
        assert COLAB not in readme and not any(COLAB in path.read_text(encoding="utf-8") for path in NOTEBOOKS)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The committed package and the wheel built of it: (folder with the sources, path of the wheel)."""
    folder = tmp_path_factory.mktemp("wheel")
    source = committed(folder / "source")
    return source, wheel_of(source, folder)


def test_the_wheel_holds_every_committed_file_of_the_package(wheel):
    source, path = wheel
    package = [path for path in (source / "lib/hspace").rglob("*") if path.is_file()]
    files = {file.relative_to(source / "lib").as_posix() for file in package}
    assert files, "lib/hspace is not committed"
    assert not files - set(zipfile.ZipFile(path).namelist()), "see [tool.setuptools.package-data] in pyproject.toml"


def test_the_wheel_works_away_from_the_checkout(wheel, tmp_path):
    source, path = wheel
    if not (source / "lib/hspace/weights/alice").exists():
        pytest.fail("lib/hspace/weights/alice is not committed: nothing to load")
    zipfile.ZipFile(path).extractall(tmp_path / "installed")
    program = "import hspace; print(hspace.__file__); alice = hspace.load(); print(alice.noise(seed=7).shape)"
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "installed"), "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert str(tmp_path / "installed") in run.stdout and "1, 3, 64, 64" in run.stdout
