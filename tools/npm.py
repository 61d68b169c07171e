"""Packages of the npm registry, of one version and one hash, kept in _build/."""

import base64
import hashlib
import os
import tarfile
import urllib.request
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "_build"
REGISTRY = "https://registry.npmjs.org"


def package(name, version, sha512, folder=BUILD):
    """The archive of a package as an open tarfile, fetched where `folder` does not hold it yet.

    sha512: the registry's own hash, in base 64.  Raises OSError where the registry does not answer, ValueError where
    the archive is another.
    """
    file = folder / f"{name}-{version}.tgz"
    if not file.exists():
        with urllib.request.urlopen(f"{REGISTRY}/{name}/-/{file.name}", timeout=60) as answer:
            data = answer.read()
        checked(data, sha512, f"what {REGISTRY} sent for {name} {version}", "try again later")
        folder.mkdir(exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}")
        part.write_bytes(data)
        part.replace(file)
    checked(file.read_bytes(), sha512, file, "remove it")
    return tarfile.open(file)


def checked(data, sha512, what, remedy):
    """Raise ValueError, with `what` it is and the remedy, where `data` is not what the registry published."""
    found = base64.b64encode(hashlib.sha512(data).digest()).decode()
    if found != sha512:
        raise ValueError(f"{what} has hash {found}, not {sha512}: {remedy}")
