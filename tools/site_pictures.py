"""Draw the site's icon and its social card with the library's own renderer.

    python tools/site_pictures.py

Writes favicon.png (64 dots a side), touch.png (180) and social.png (1200 × 630) into book/_static. The site's head
names them (book/_ext/hspace_head.py).
"""

from pathlib import Path

import torch
from PIL import Image, ImageDraw

from hspace.cats.render import render
from hspace.cats.world import FACTORS, column, law, sample
from hspace.figures.style import INK, LINE, MUTED, SHARP, Figure, in_style, page

STATIC = Path(__file__).resolve().parent.parent / "book" / "_static"
ICON = {"nose": 1.1, "ear": 1.0, "fur": 0.38, "eye": 0.85, "background": 0.62}
FACES, SEED = (3, 4), 5  # rows and columns of the card
TITLE, SUBTITLE = "A Map of Alice", "Geometry inside a diffusion model,\ntold as a therapy session"


def person(**given):
    """One cat person by its factors, those of the law computed and the others 0: (1, 12)."""
    values = dict.fromkeys(FACTORS, 0.0) | given
    tied = law(torch.tensor([values["nose"]]), torch.tensor([values["ear"]]), torch.zeros(1, 2))
    return torch.tensor([[float(tied.get(name, values[name])) for name in FACTORS]])


def picture(factors, size):
    """A cat person's face as an image of size × size dots, drawn larger, cut to the face and brought down."""
    drawn = ((render(factors, 512)[0].permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()
    return Image.fromarray(drawn).crop((56, 62, 456, 462)).resize((size, size), Image.Resampling.LANCZOS)


def icon(size):
    """The face on a tile with round corners."""
    face, corners = picture(person(**ICON), size), Image.new("L", (4 * size, 4 * size))
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, 4 * size - 1, 4 * size - 1), radius=0.88 * size, fill=255)
    face.putalpha(corners.resize((size, size), Image.Resampling.LANCZOS))
    return face


def faces():
    """Cat people for the card; the one in the corner is a puppet."""
    people = sample(FACES[0] * FACES[1], seed=SEED)
    for name in ("puppet", "fright", "horse"):
        people[:, column(name)] = 0.0
    people[-1, column("puppet")], people[-1, column("fright")] = 1.0, 0.55
    return render(people, 160).permute(0, 2, 3, 1).add(1).div(2).numpy()


@in_style
def card() -> Figure:
    """The social card: the title on the book's paper, and twelve faces."""
    figure = page(height=630 / SHARP, width=1200 / SHARP, layout=None, colours=None)
    figure.text(0.055, 0.60, TITLE, fontsize=22, fontweight="bold", family="DejaVu Serif", color=INK, va="center")
    figure.text(0.055, 0.42, SUBTITLE, fontsize=10.5, color=MUTED, va="center", linespacing=1.6)
    for i, face in enumerate(faces()):
        row, place = divmod(i, FACES[1])
        axes = figure.add_axes((0.532 + 0.111 * place, 0.665 - 0.215 * row - 0.02, 0.105, 0.2))
        axes.imshow(face)
        axes.set_xticks([], [])
        axes.set_yticks([], [])
        for spine in axes.spines.values():
            spine.set(visible=True, color=LINE)
    return figure


def main():
    icon(64).save(STATIC / "favicon.png", optimize=True)
    icon(180).quantize(256).save(STATIC / "touch.png", optimize=True)
    (STATIC / "social.png").write_bytes(card().png())


if __name__ == "__main__":
    main()
