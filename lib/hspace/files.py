"""Files and folders that are whole or not there, and pictures as one image."""

import contextlib
import os
import shutil
from pathlib import Path

from PIL import Image


def write(path, action):
    """Let `action` write a file beside `path`, then rename it: whoever reads `path` finds the old or the new, whole.

    Both are synced to the disk, so that this holds after a power cut, too.
    """
    beside = path.with_name(path.name + ".part")
    action(beside)
    _sync(beside)
    os.replace(beside, path)
    with contextlib.suppress(PermissionError):  # Windows opens no folders
        _sync(path.parent, os.O_RDONLY)


def write_folder(path, action):
    """Let `action` fill a folder beside `path`, then rename it: whoever reads `path` never finds half of one.

    The folder that was there is moved away just before, and deleted after: between the two there is none. Where a crash
    left it so, the next call first puts it back.
    """
    beside, before = (path.with_name(path.name + end) for end in (".part", ".old"))
    if before.exists() and not path.exists():
        os.replace(before, path)
    for left in (beside, before):
        shutil.rmtree(left, ignore_errors=True)
    action(beside)
    for file in filter(Path.is_file, beside.rglob("*")):
        _sync(file)
    if path.exists():
        os.replace(path, before)
    os.replace(beside, path)
    with contextlib.suppress(PermissionError):
        _sync(path.parent, os.O_RDONLY)
    shutil.rmtree(before, ignore_errors=True)


def _sync(path, flags=os.O_RDWR):
    file = os.open(path, flags)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def contact_sheet(pictures):
    """Pictures (rows, columns, 3, S, S) in [-1, 1], clamped, as one image, 8 bits a colour."""
    return Image.fromarray(((tiled(pictures).clamp(-1, 1) + 1) * 127.5).round().byte().cpu().numpy())


def tiled(pictures):
    """Pictures (rows, columns, C, H, W) edge to edge: (rows H, columns W, C)."""
    return pictures.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
