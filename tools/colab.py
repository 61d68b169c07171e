"""Run chapters as Colab does: with its packages, from an empty folder, and installed by their own setup cell.

    python tools/colab.py          every chapter, whole
    python tools/colab.py 12 3     these

The environment lies in .venv/colab and has the versions of tools/colab.txt; torch is lent to it. The book comes as the
wheel built of what is committed, so a file that was forgotten is missing here as it would be there.
"""

import ast
import copy
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from importlib.metadata import distributions, version
from pathlib import Path

import nbformat
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from chapters import chosen

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv" / "colab"
VERSIONS = ROOT / "tools" / "colab.txt"
LENT = re.compile(r"torch|triton|(nvidia|cuda)-.*")  # too big to download twice
REPOSITORY = '"git+{REPOSITORY}"'  # what the setup cell of a chapter installs
WIDGET = "application/vnd.jupyter.widget-view+json"
INSTALLED = "from importlib.metadata import distributions as d; print({p.metadata['Name']: p.version for p in d()})"


def call(*command, **options):
    """The output of a command. RuntimeError with what it wrote where it fails."""
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if run.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{run.stdout[-2000:]}\n{run.stderr[-4000:]}")
    return run.stdout


def committed(folder):
    """Unpack what is committed into `folder` and return it; the working tree where there is no repository."""
    archive = folder.with_suffix(".tar")
    if (ROOT / ".git").exists():
        call("git", "archive", "--output", archive, "HEAD", cwd=ROOT)
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    else:
        leave = shutil.ignore_patterns(".*", "_build", "build", "__pycache__", "*.egg-info")
        shutil.copytree(ROOT, folder, ignore=leave)
    return folder


def wheel_of(source, folder):
    """Build the package in `source`; returns the path of the wheel in `folder`."""
    call(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, source)
    [wheel] = Path(folder).glob("hspace-*.whl")
    return wheel


def lend(target):
    """Link torch, and what a build of it for graphics cards brings, from this environment into `target`."""
    for distribution in distributions():
        if not LENT.fullmatch(distribution.metadata["Name"].lower()):
            continue
        for name in {file.parts[0] for file in distribution.files or [] if file.parts[0] != ".."}:
            link = target / name
            if not link.exists():
                link.symlink_to(distribution.locate_file(name))


def environment(folder=FOLDER):
    """The interpreter of an environment like Colab's, made where it is missing or of other versions."""
    python, stamp = folder / "bin" / "python", folder / "made_of.txt"
    wanted = f"{sys.version}\ntorch {version('torch')}\n{VERSIONS.read_text(encoding='utf-8')}"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    call(sys.executable, "-m", "venv", folder)
    lend(Path(call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()))
    # torch is there by now; naming it brings what it needs.
    call(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", VERSIONS, "torch")
    kernel = {"argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "Colab"}
    (folder / "kernels" / "colab").mkdir(parents=True)
    (folder / "kernels" / "colab" / "kernel.json").write_text(
        json.dumps({**kernel, "language": "python"}), encoding="utf-8"
    )
    stamp.write_text(wanted, encoding="utf-8")
    return python


def packages(python):
    """What an environment holds, {name: version}."""
    return ast.literal_eval(call(python, "-I", "-c", INSTALLED))  # -I: without what PYTHONPATH would add


def for_colab(notebook, wheel):
    """A copy without outputs whose setup cell installs `wheel` in place of the repository.

    Raises ValueError where not exactly one cell installs it.
    """
    notebook = copy.deepcopy(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    setup = [cell for cell in cells if REPOSITORY in cell.source]
    if len(setup) != 1:
        raise ValueError(f"{len(setup)} cells install {REPOSITORY}, not one: every chapter opens with the setup cell")
    setup[0].source = setup[0].source.replace(REPOSITORY, f'"{wheel}"')
    for cell in cells:
        cell.outputs, cell.execution_count = [], None
    return notebook


def imports_only(notebook):
    """A copy that has the setup cell, and all other imports of the notebook in a cell of their own."""
    notebook = copy.deepcopy(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    [setup] = [cell for cell in cells if "%pip" in cell.source]
    trees = [ast.parse(cell.source) for cell in cells if cell is not setup]
    imports = [
        ast.unparse(node) for tree in trees for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    notebook.cells = [setup, nbformat.v4.new_code_cell("\n".join(imports))]
    return notebook


def execute(notebook, folder, environment_folder=FOLDER):
    """Run the notebook, in place, in the environment's kernel, in `folder`. CellExecutionError where a cell fails."""
    kernels = KernelSpecManager(kernel_dirs=[str(environment_folder / "kernels")], ensure_native_kernel=False)
    kernel = KernelManager(kernel_name="colab", kernel_spec_manager=kernels)
    away = {"PYTHONPATH", "PIP_CONSTRAINT", "MPLBACKEND", "VIRTUAL_ENV"}  # what this machine sets and Colab does not
    settings = {key: value for key, value in os.environ.items() if key not in away}
    client = NotebookClient(notebook, timeout=600, km=kernel, resources={"metadata": {"path": str(folder)}})
    try:
        client.execute(env={**settings, "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"})
    finally:
        if kernel.has_kernel:
            kernel.shutdown_kernel(now=True)


def complaints(stored, run, before, after):
    """What a run in Colab did that it should not have, as a list of sentences.

    stored, run: the notebook as committed and as run there.  before, after: `packages` around the run.
    """
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    found = [f"installing the book also changed {name}" for name in sorted(changed - {"hspace"})]
    if "hspace" not in after:
        found.append("the setup cell did not install the book")
    cells = {cell.id: cell for cell in run.cells if cell.cell_type == "code"}
    for cell in stored.cells:
        live = any("hspace-live" in str(output.get("data", {})) for output in cell.get("outputs", []))
        if live and cell.id in cells and not any(WIDGET in o.get("data", {}) for o in cells[cell.id].outputs):
            found.append(f"a live figure is not alive there: {cell.source.splitlines()[-1]}")
    return found


def rehearse(path, wheel, whole=True):
    """Run one chapter, or only its imports, as Colab would; returns `complaints`."""
    python = environment()
    stored = nbformat.read(path, as_version=4)
    notebook = for_colab(stored, wheel)
    if not whole:
        notebook = imports_only(notebook)
    call(python, "-m", "pip", "uninstall", "--quiet", "--yes", "hspace")
    before = packages(python)
    with tempfile.TemporaryDirectory() as empty:
        shutil.copy(path, empty)
        execute(notebook, empty)
    return complaints(stored, notebook, before, packages(python))


def main(numbers):
    with tempfile.TemporaryDirectory() as folder:
        source = committed(Path(folder) / "source")
        wheel = wheel_of(source, folder)
        try:
            paths = chosen(numbers, source / "chapters")
        except ValueError as error:
            sys.exit(str(error))
        failed = 0
        for path in paths:
            start = time.monotonic()
            try:
                found = rehearse(path, wheel)
            except (CellExecutionError, RuntimeError) as error:
                found = [str(error)]
            failed += bool(found)
            print(f"{path.name}: {'; '.join(found) or 'as in Colab'} ({time.monotonic() - start:.0f} s)", flush=True)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main(sys.argv[1:])
