"""One folder for a USB stick, for a room without internet; `make bundle PLATFORM=windows` calls it.

    python tools/bundle.py windows macos --python 3.11 3.12

It holds the site and what else is built (the PDF, the slides), the notebooks, the wheels of the library and of Jupyter
for the platforms and versions of Python that are named, and start.py, which needs nothing but Python. Versions are
those of constraints.txt; what only another platform needs is found by reading each wheel's own list for that platform.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from colab import committed, wheel_of
from start import MACOS

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
OUT = BUILD / "bundle"
ROOTS = ("hspace", "jupyterlab")
PROCESSOR_TORCH = "https://download.pytorch.org/whl/cpu"  # on Linux the usual torch is for graphics cards
OWN = re.compile(r"[^/]+\.dist-info/METADATA")  # a wheel may hold others, of what it brings along
LATEST = ".99"  # some packages want a late release of a Python: whoever installs has one
README = """A Map of Alice, without internet. In a terminal, in this folder:

Windows:  py start.py
macOS:    python3 start.py
Linux:    python3 start.py

It is made for {platforms}, and for Python {pythons} or later releases of these.
With the word "site" behind it, only the website is opened, and any Python from 3.9 on will do.
"""


@dataclass(frozen=True)
class Platform:
    """Who it is for, what pip calls its wheels, and what the markers of requirements say there."""

    title: str
    tags: tuple
    markers: dict


PLATFORMS = {
    "linux": Platform(
        "Linux (x86_64)",
        (*(f"manylinux_2_{minor}_x86_64" for minor in range(35, 4, -1)), "manylinux2014_x86_64", "manylinux1_x86_64"),
        {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    ),
    "macos": Platform(
        f"macOS {MACOS} or later on Apple silicon",
        (f"macosx_{MACOS}_0_arm64",),
        {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    ),
    "windows": Platform(
        "Windows (64 bits)",
        ("win_amd64",),
        {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
    ),
}


def download(requirements, folder, platform, python, *options):
    """Have pip fetch one wheel for each requirement into `folder`. RuntimeError with what pip says where it cannot."""
    where = [option for tag in platform.tags for option in ("--platform", tag)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--dest", folder, "--implementation", "cp", "--python-version", python + LATEST, *where, *options]
    run = subprocess.run(list(map(str, [*command, *requirements])), capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"pip found no wheels for {platform.tags[0]}, Python {python}:\n{run.stderr[-2000:]}")


def wheels(folder):
    """{name: path} of the wheels in a folder that holds one of each name."""
    return {parse_wheel_filename(path.name)[0]: path for path in folder.glob("*.whl")}


def metadata(wheel):
    """What a wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if OWN.fullmatch(name)]
        return BytesParser().parsebytes(archive.read(name))


def oldest(paths, python):
    """The first release of a Python, such as "3.11.5" of "3.11", that all the wheels agree to."""
    wanted = [SpecifierSet(metadata(path)["Requires-Python"] or "") for path in paths]
    return next(v for v in (f"{python}.{patch}" for patch in range(100)) if all(s.contains(v) for s in wanted))


def needs(wheel, extras, markers):
    """The requirements of a wheel, with these extras, where these markers hold."""
    found = map(Requirement, metadata(wheel).get_all("Requires-Dist") or [])
    return [r for r in found if not r.marker or any(r.marker.evaluate({**markers, "extra": e}) for e in ("", *extras))]


def collect(roots, folder, platform, python, fetch=download):
    """Fetch wheels into `folder` until each has all that it needs; returns {name: path}.

    Wheels that lie there already are not fetched.  fetch: what fetches, called as `download`.
    """
    markers = {
        **platform.markers,
        "python_version": python,
        "python_full_version": python + LATEST,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    wanted, settled = [Requirement(root) for root in roots], {}
    while wanted:
        there = wheels(folder)
        if missing := {r.name: f"{r.name}{r.specifier}" for r in wanted if canonicalize_name(r.name) not in there}:
            fetch(sorted(missing.values()), folder, platform, python, "--constraint", ROOT / "constraints.txt")
            there = wheels(folder)
        following = []
        for requirement in wanted:
            name = canonicalize_name(requirement.name)
            known = settled.setdefault(name, set())
            if name in known and requirement.extras <= known:
                continue
            known |= {name, *requirement.extras}
            following += needs(there[name], requirement.extras, markers)
        wanted = following
    return wheels(folder)


def gather(platforms, pythons, out):
    """All wheels of all targets into out/wheels; returns the oldest release of each Python that they agree to."""
    (out / "wheels").mkdir(parents=True)
    releases = set()
    with tempfile.TemporaryDirectory() as beside:
        own = wheel_of(committed(Path(beside) / "source"), beside)
        for platform in platforms:
            for python in pythons:
                folder = Path(beside) / f"{platform}-{python}"
                folder.mkdir()
                shutil.copy(own, folder)
                if platform == "linux":
                    torch = ["torch", "--constraint", ROOT / "constraints.txt"]
                    index = ["--extra-index-url", PROCESSOR_TORCH, "--retries", "1"]
                    download(torch, folder, PLATFORMS[platform], python, *index)
                found = collect(ROOTS, folder, PLATFORMS[platform], python)
                releases.add(oldest(found.values(), python))
                for path in found.values():
                    shutil.move(path, out / "wheels" / path.name)
                print(f"{platform}, Python {python}: {len(found)} wheels", flush=True)
    return sorted(releases, key=Version)


def fill(platforms, pythons, out):
    """Everything but the wheels.  pythons: the oldest release of each, such as 3.11.5."""
    shutil.copytree(BUILD / "html", out / "site")
    if (BUILD / "slides").exists():
        shutil.copytree(BUILD / "slides", out / "site" / "slides")
    (out / "notebooks").mkdir()
    for path in [ROOT / "book" / "teaching" / "check.ipynb", *(ROOT / "chapters").glob("*.ipynb")]:
        shutil.copy(path, out / "notebooks")
    shutil.copy(ROOT / "tools" / "start.py", out)
    about = {"platforms": platforms, "pythons": pythons}
    (out / "about.json").write_text(json.dumps(about), encoding="utf-8")
    text = README.format(
        platforms=" and ".join(PLATFORMS[name].title for name in platforms), pythons=", ".join(pythons)
    )
    (out / "README.txt").write_text(text, encoding="utf-8")


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="bundle", description="One folder for a USB stick.")
    parser.add_argument("platforms", nargs="+", choices=PLATFORMS, metavar="PLATFORM", help=", ".join(PLATFORMS))
    here = "{}.{}".format(*sys.version_info)
    parser.add_argument("--python", nargs="+", default=[here], help="versions, such as 3.11 3.12 (default: this one)")
    options = parser.parse_args(arguments)
    if not (BUILD / "html" / "index.html").exists():
        sys.exit("no site in _build/html: run `make book` first")
    part = OUT.with_name("bundle.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        pythons = gather(options.platforms, options.python, part)
    except RuntimeError as error:
        sys.exit(str(error))
    fill(options.platforms, pythons, part)
    shutil.rmtree(OUT, ignore_errors=True)
    part.rename(OUT)
    print(f"{OUT}: {size(OUT) / 1e6:.0f} MB; copy the folder onto a stick, README.txt says how to start it")


if __name__ == "__main__":
    main()
