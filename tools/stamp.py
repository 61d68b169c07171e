"""Write the repository's public address into _config.yml and into what needs it; `make stamp` calls it.

    python tools/stamp.py https://github.com/owner/name

_config.yml holds the address; from there the site takes its Colab and repository buttons (book/_ext/hspace_site.py).
Three more places cannot read it and are stamped: the README's Colab badge, CITATION.cff, and in each notebook the line
`REPOSITORY = "..."` of the setup cell. Stamping again with another address replaces the first one.
"""

import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+")
SETUP = re.compile(r'^(\s*REPOSITORY = )"[^"]*"', re.M)
FIRST = "chapters/01_noise.ipynb"  # the chapter that the README's badge opens


def checked(address):
    """The address without a trailing slash or ".git". Raises ValueError where it is not a GitHub repository's."""
    address = address.strip().rstrip("/").removesuffix(".git")
    if not ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is no repository: make stamp REPOSITORY=https://github.com/owner/name")
    return address


def badge(address):
    owner_name = address.removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{owner_name}/blob/main/{FIRST}"
    return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab})"


def replace_line(path, pattern, line):
    """Replace the one line that matches. Raises ValueError where none or several do."""
    text, found = re.subn(pattern, lambda _: line, path.read_text(encoding="utf-8"), flags=re.M)
    if found != 1:
        raise ValueError(f"{path.name} has {found} lines like {pattern!r}, not one")
    path.write_text(text, encoding="utf-8")


def stamp(address, root=ROOT):
    """Stamp every place under `root`; returns the address as written."""
    address = checked(address)
    replace_line(root / "_config.yml", r"^  url: .*$", f'  url: "{address}"')
    replace_line(root / "README.md", r"^<!-- colab -->.*$", f"<!-- colab --> {badge(address)}")
    replace_line(root / "CITATION.cff", r"^(# )?repository-code:.*$", f'repository-code: "{address}"')
    for path in sorted([*(root / "chapters").glob("*.ipynb"), *(root / "book").rglob("*.ipynb")]):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.source = SETUP.sub(rf'\1"{address}"', cell.source)
        path.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8")
    return address


if __name__ == "__main__":
    try:
        print(f"The book's address is now {stamp(sys.argv[1] if len(sys.argv) > 1 else '')}")
    except ValueError as error:
        sys.exit(str(error))
