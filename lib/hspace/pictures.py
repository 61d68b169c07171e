"""Pictures from a folder, as a model takes them: found, named, checked, cropped where they do not fit."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

ENDINGS = (".png", ".jpg", ".jpeg")
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")  # 8 bits a colour or less


@dataclass(frozen=True)
class Pictures:
    """The PNG and JPEG files of a folder, by name: an ordered list of pictures that fit a model.

    paths: the files.  names: "cat.png 0123456789abcdef", a file's name and the beginning of its sha256, one each.
    shape: (C, H, W) of what `read` returns.  notes: what was done to those that had another size, one text each.
    """

    paths: tuple
    names: tuple
    shape: tuple
    notes: tuple

    def read(self, i):
        """The picture of that number, (1, C, H, W) in [-1, 1], float32."""
        return prepared(self.paths[i], self.shape)[0]


def find(folder, shape):
    """The `Pictures` of a folder for a model that takes (C, H, W) = `shape`, each opened once and looked at.

    Other files than PNG and JPEG are left alone.
    Raises FileNotFoundError where there is no folder or no picture in it; ValueError, which names them, for files that
    cannot be used, and for a model whose pictures are neither grey nor in colour.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder} of pictures")
    if shape[0] not in (1, 3):
        raise ValueError(f"pictures with {shape[0]} channels cannot be read: load the model with its vae")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())
    if not paths:
        raise FileNotFoundError(f"{folder} holds no picture: its files must end in {', '.join(ENDINGS)}")
    names, notes, bad = [], [], []
    for path in paths:
        try:
            notes.append(prepared(path, shape)[1])
            names.append(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}")
        except ValueError as error:
            bad.append(str(error))
    if bad:
        raise ValueError(f"{len(bad)} of {len(paths)} pictures cannot be used: {'; '.join(bad)}; take them away")
    return Pictures(tuple(paths), tuple(names), tuple(shape), tuple(filter(None, notes)))


def prepared(path, shape):
    """A picture file as (1, C, H, W) in [-1, 1], and what was done to make it fit, as a text or None.

    Turned as its EXIF says, laid on white where it is transparent. Of another size, it is cropped around its middle to
    the shape's proportions and scaled (Lanczos).  Raises ValueError, which names the file, for one that cannot be read.
    """
    try:
        with Image.open(path) as image:
            mode, image = image.mode, ImageOps.exif_transpose(image)
            image.load()
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path.name} is damaged or no picture ({error})") from error
    if mode not in MODES:
        raise ValueError(f"{path.name} has pixels of kind {mode!r}: save it with 8 bits a colour")
    channels, height, width = shape
    image, was = _flat(image), image.size
    note = None
    if was != (width, height):
        image = _middle(image, width / height).resize((width, height), Image.Resampling.LANCZOS)
        cropped = "" if was[0] * height == was[1] * width else "cropped and "
        note = f"{path.name}: {was[0]}×{was[1]} {cropped}scaled to {width}×{height}"
    values = torch.from_numpy(np.array(image.convert("L" if channels == 1 else "RGB"))).float() / 127.5 - 1
    return values.reshape(1, height, width, channels).permute(0, 3, 1, 2).contiguous(), note


def _middle(image, ratio):
    """The largest part around the image's middle with that ratio of width to height, in whole pixels."""
    width = min(image.width, max(1, round(image.height * ratio)))
    height = min(image.height, max(1, round(image.width / ratio)))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _flat(image):
    """The image in RGB, on white where it is transparent."""
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
