"""Files that are whole or not there, and pictures as one image."""

import os

from PIL import Image


def write(path, action):
    """Let `action` write a file beside `path`, then rename it: whoever reads `path` finds the old or the new, whole."""
    beside = path.with_name(path.name + ".part")
    action(beside)
    os.replace(beside, path)


def contact_sheet(pictures):
    """Pictures (rows, columns, 3, S, S) in [-1, 1], clamped, as one image, 8 bits a colour."""
    return Image.fromarray(((tiled(pictures).clamp(-1, 1) + 1) * 127.5).round().byte().cpu().numpy())


def tiled(pictures):
    """Pictures (rows, columns, C, H, W) edge to edge: (rows H, columns W, C)."""
    return pictures.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
