"""The folder for a USB stick: which wheels a platform needs, and how the folder starts."""

import ast
import json
import subprocess
import sys
import urllib.request
import zipfile

import pytest
from contents import ROOT

import bundle
import start
from bundle import PLATFORMS, collect

#: What a small world of wheels needs: {name: lines of Requires-Dist}.
WORLD = {
    "jupyter": ['pywinpty; os_name == "nt"', 'pexpect; sys_platform != "win32"', "schema[formats]>=4"],
    "schema": ["attrs", 'rfc-check>=1; extra == "formats"', 'webbed; extra == "web"'],
    "attrs": ['old-help; python_version < "3.10"', 'appnope; platform_system == "Darwin"'],
    "pywinpty": [],
    "pexpect": ["attrs"],
    "rfc_check": [],
    "appnope": [],
}


def put(folder, name):
    """A wheel of WORLD, with the list of another package inside, as some bring one along."""
    lines = "".join(f"Requires-Dist: {line}\n" for line in WORLD[name])
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(
            f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{lines}"
        )
        archive.writestr("x/_vendor/y-2.dist-info/METADATA", "Metadata-Version: 2.1\nName: y\nRequires-Dist: nothing\n")


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("windows", {"pywinpty"}),
        ("macos", {"pexpect", "appnope"}),
        ("linux", {"pexpect"}),
    ],
)
def test_a_platforms_own_packages_come_and_those_of_others_do_not(tmp_path, platform, expected):
    """pip would judge by the machine that it runs on."""
    asked = []

    def fetch(requirements, folder, *rest):
        asked.extend(requirements)
        for name in requirements:
            put(folder, name.split(">")[0].replace("-", "_"))

    found = collect(["jupyter"], tmp_path, PLATFORMS[platform], "3.11", fetch)
    assert set(found) == {"jupyter", "schema", "attrs", "rfc-check", *expected}
    assert sorted(set(asked)) == sorted(asked), "a wheel was fetched twice"


def test_what_pip_cannot_find_is_said(tmp_path):
    with pytest.raises(RuntimeError, match=r"no wheels for win_amd64, Python 3\.11:(.|\n)*hspace-nowhere"):
        bundle.download(["hspace-nowhere==1"], tmp_path, PLATFORMS["windows"], "3.11", "--no-index")


def test_another_platform_is_refused(capsys):
    with pytest.raises(SystemExit):
        bundle.main(["beos"])
    assert "invalid choice: 'beos'" in capsys.readouterr().err


def test_the_oldest_release_that_all_wheels_agree_to(tmp_path):
    paths = [tmp_path / f"{name}-1-py3-none-any.whl" for name in "abc"]
    for path, line in zip(paths, ("Requires-Python: >=3.9\n", "Requires-Python: >=3.11.5,!=3.11.6\n", ""), strict=True):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{path.name[0]}-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: a\n{line}")
    assert bundle.oldest(paths, "3.11") == "3.11.5" and bundle.oldest(paths, "3.12") == "3.12.0"


@pytest.fixture
def stick(tmp_path, monkeypatch):
    """The folder as it lies on a stick, with a site of one page and no wheels."""
    site = tmp_path / "_build" / "html"
    (site / "live").mkdir(parents=True)
    (site / "index.html").write_text("<h1>A Map of Alice</h1>", encoding="utf-8")
    (site / "live" / "a.mjs").write_text("export default 1", encoding="utf-8")
    monkeypatch.setattr(bundle, "BUILD", tmp_path / "_build")
    (tmp_path / "stick" / "wheels").mkdir(parents=True)
    bundle.fill(["windows", "macos"], ["3.12.0"], tmp_path / "stick")
    return tmp_path / "stick"


def test_the_folder_holds_site_notebooks_and_three_lines_that_start_it(stick):
    assert {path.name for path in stick.iterdir()} == {
        "site", "notebooks", "wheels", "start.py", "about.json", "README.txt"
    }  # fmt: skip
    assert {path.name for path in (stick / "notebooks").iterdir()} == {
        "check.ipynb",
        *(path.name for path in (ROOT / "chapters").glob("*.ipynb")),
    }
    lines = (stick / "README.txt").read_text(encoding="utf-8").splitlines()
    assert [line.split(":")[0] for line in lines if "start.py" in line] == ["Windows", "macOS", "Linux"]
    machines = f"for Windows (64 bits) and macOS {start.MACOS} or later on Apple silicon, and for Python 3.12.0"
    assert any(machines in line for line in lines)


def test_a_machine_that_the_wheels_do_not_fit_is_told_why():
    about = {"platforms": ["windows", "macos"], "pythons": ["3.11.5", "3.12.0"]}
    assert start.unfit(about, "win32", (3, 12, 1), "amd64") == ""
    assert start.unfit(about, "darwin", (3, 11, 9), "arm64", f"{start.MACOS}.0") == ""
    assert start.unfit(about, "darwin", (3, 11, 9), "arm64", "13.6.1").endswith(
        f"macOS {start.MACOS} or later, and this is macOS 13.6.1"
    )
    assert "made for windows and macos, and this is linux" in start.unfit(about, "linux", (3, 12, 1), "x86_64")
    for old in ((3, 11, 2), (3, 10, 14)):
        assert "want Python 3.11.5, 3.12.0 or a later release" in start.unfit(about, "win32", old, "amd64")
    assert "and this is 3.13.1" in start.unfit(about, "win32", (3, 13, 1), "amd64")
    assert "for arm64, and this Python is for x86_64" in start.unfit(about, "darwin", (3, 12, 1), "x86_64")
    fetched = {name: platform.markers["platform_machine"].lower() for name, platform in PLATFORMS.items()}
    assert fetched == start.PROCESSORS and start.processor() in ("x86_64", "aarch64", "arm64", "amd64")


def test_the_site_starts_with_any_python_and_its_modules_are_modules(stick):
    run = subprocess.Popen(
        [sys.executable, "start.py", "site"],
        cwd=stick,
        env={"BROWSER": "true", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = run.stdout.readline().split()[2]
        assert urllib.request.urlopen(address).read() == b"<h1>A Map of Alice</h1>"
        with urllib.request.urlopen(f"{address}live/a.mjs") as answer:
            assert answer.headers["Content-Type"] == "text/javascript"
    finally:
        run.terminate()
        run.wait()


def test_work_in_the_notebooks_stays(stick, tmp_path, monkeypatch):
    monkeypatch.setattr(start, "HERE", stick)
    monkeypatch.setattr(start, "HOME", tmp_path / "home")
    for path in (stick / "notebooks").iterdir():
        path.chmod(0o444)  # as on a stick that cannot be written to
    start.copy_notebooks()
    mine = tmp_path / "home" / "notebooks" / "01_noise.ipynb"
    assert mine.stat().st_mode & 0o200 and not list(mine.parent.glob("*.part"))
    mine.write_text(json.dumps({"mine": 1}), encoding="utf-8")
    start.copy_notebooks()
    assert json.loads(mine.read_text(encoding="utf-8")) == {"mine": 1}
    assert (mine.parent / "check.ipynb").read_bytes() == (stick / "notebooks" / "check.ipynb").read_bytes()


def test_start_needs_nothing_but_python():
    tree = ast.parse((ROOT / "tools" / "start.py").read_text(encoding="utf-8"), feature_version=(3, 9))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert len(modules) > 8 and {name.split(".")[0] for name in modules} <= sys.stdlib_module_names
    with pytest.raises(SystemExit, match="knows one word, site; not lab"):
        start.main(["lab"])
