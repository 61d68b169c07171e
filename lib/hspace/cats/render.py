"""Draw cat people: twelve factors in, one picture out.

Every shape is a signed distance (negative inside, in half widths of the picture); a pixel's coverage falls from 1 to 0
across one pixel at the shape's edge, which antialiases at every size. Shapes are painted back to front. All of it is
plain torch on whole batches, differentiable in the factors, and the same for the same factors on every machine.

The picture is the square [-1, 1]², x to the right and y down. The face has a coordinate system of its own, shifted and
tilted; its left half is the mirror image of its right half, so paired parts are drawn once on |x|.
"""

from types import SimpleNamespace

import torch
from torch.nn.functional import conv2d, pad

from .world import FACTORS

# Colours, RGB in 0..1. Fur and background run through their lists as the factor goes from 0 to 1.
FUR = ((0.98, 0.88, 0.72), (0.95, 0.68, 0.36), (0.80, 0.42, 0.22), (0.48, 0.28, 0.22))
SKY = (
    (1.00, 0.82, 0.74),
    (1.00, 0.93, 0.70),
    (0.76, 0.93, 0.74),
    (0.68, 0.87, 0.97),
    (0.78, 0.76, 0.96),
    (0.96, 0.76, 0.90),
)
PINK, ROSE, INK, WHITE = (0.96, 0.66, 0.66), (0.86, 0.36, 0.42), (0.17, 0.12, 0.14), (1.0, 1.0, 1.0)
CHEEK, LEAF, STEM, STRING = (0.90, 0.20, 0.22), (0.20, 0.62, 0.30), (0.10, 0.40, 0.22), (0.55, 0.50, 0.50)
ASH, THROAT, BUTTON, HOLE = (0.66, 0.67, 0.70), (0.13, 0.05, 0.08), (0.24, 0.38, 0.66), (0.93, 0.95, 0.98)


def render(factors, size=64):
    """The pictures of given cat people.

    factors: (B, 12) in the units of the world (`hspace.cats.world`); values outside its ranges are drawn as they come,
    except that opacities (puppet, fright, horse, fur, background, eye) are held in 0..1.  size: pixels a side, 32..512.
    Returns (B, 3, size, size) in [-1, 1], dtype and device of `factors`, differentiable in them.
    Raises ValueError for another shape, a number that is not finite, or a size out of range.
    """
    if factors.ndim != 2 or factors.shape[1] != len(FACTORS):
        raise ValueError(f"factors must be (B, {len(FACTORS)}), one row a cat person, not {tuple(factors.shape)}")
    if not torch.isfinite(factors).all():
        raise ValueError("factors hold NaN or infinity; a cat person needs twelve finite numbers")
    if not 32 <= size <= 512:
        raise ValueError(f"size must be between 32 and 512 pixels, not {size}")
    person = describe(factors)
    canvas = Canvas(person, size)
    paint_background(canvas, person)
    paint_strings(canvas, person)
    paint_mane(canvas, person)
    paint_ears(canvas, person)
    paint_head(canvas, person)
    paint_charm(canvas, person)
    paint_eyes(canvas, person)
    paint_muzzle(canvas, person)
    paint_mouth(canvas, person)
    paint_nose(canvas, person)
    return (canvas.picture * 2 - 1).clamp(-1, 1)


def describe(factors):
    """Factors by name, (B, 1, 1) each, with drawn sizes: affine in the factors, never clamped."""
    person = SimpleNamespace(**{name: factors[:, i, None, None] for i, name in enumerate(FACTORS)})
    for name in ("puppet", "fright", "horse", "fur", "eye", "background"):
        setattr(person, name, getattr(person, name).clamp(0, 1))
    person.wood = 1 - (1 - person.puppet) ** 2  # opacity of what makes a puppet: three quarters at 0.5
    person.coat = 1 - (1 - person.horse) ** 2  # opacity of what makes a horse
    person.dread = person.wood * (1 - (1 - person.fright) ** 2)  # opacity of what frightens
    person.colour = drain(palette(FUR, person.fur), 0.9 * person.wood * person.fright)
    person.line = person.colour * 0.42
    person.chin = 0.34 * person.horse  # how much lower the face ends
    person.mouth = 0.375 + 0.75 * person.chin  # height of the mouth
    return person


class Canvas:
    """A batch of pictures (B, 3, size, size) in 0..1 and the face's own coordinates x, y (B, size, size)."""

    def __init__(self, person, size):
        centre = (torch.arange(size, dtype=person.nose.dtype, device=person.nose.device) + 0.5) * (2 / size) - 1
        self.row, self.pixel = centre[None, :, None], 2 / size
        x, y = centre[None, None, :] - person.shift, self.row - 0.06 + 0.16 * person.horse
        angle = torch.deg2rad(person.tilt)
        self.x = angle.cos() * x + angle.sin() * y
        self.y = angle.cos() * y - angle.sin() * x
        self.picture = None

    def paint(self, distance, colour, opacity=1.0):
        """Cover the shape `distance` < 0 with a colour: a triple or (B, 3, 1, 1)."""
        cover = ((0.5 - distance / self.pixel).clamp(0, 1) * opacity)[:, None]
        colour = paint_of(colour, cover) if isinstance(colour, tuple) else colour
        self.picture = self.picture + cover * (colour - self.picture)

    def pair(self, x):
        """Coordinates mirrored about the face's middle and centred at ±x."""
        return self.x.abs() - x


def palette(colours, where):
    """Colour at `where` (B, 1, 1) in 0..1 along a list of colours, linear between neighbours: (B, 3, 1, 1)."""
    table = torch.tensor(colours, dtype=where.dtype, device=where.device)
    place = where * (len(colours) - 1)
    steps = torch.arange(len(colours), dtype=where.dtype, device=where.device)
    weights = (1 - (place - steps).abs()).clamp(min=0)  # (B, 1, colours)
    return (weights @ table).transpose(1, 2)[..., None]


def paint_of(colour, like):
    """A triple as a colour (1, 3, 1, 1) of the dtype and device of `like`."""
    return torch.tensor(colour, dtype=like.dtype, device=like.device)[None, :, None, None]


def drain(colour, amount):
    """Take the colour out of a colour: towards its own grey, a little ashen. amount (B, 1, 1) in 0..1."""
    grey = colour.mean(dim=1, keepdim=True)
    return colour + amount[:, None] * (0.6 * grey + 0.4 * paint_of(ASH, colour) - colour)


def ellipse(x, y, a, b):
    """First-order signed distance to an ellipse with half axes a, b about the origin."""
    level = torch.sqrt((x / a) ** 2 + (y / b) ** 2 + 1e-9)
    slope = torch.sqrt((x / a**2) ** 2 + (y / b**2) ** 2 + 1e-9)
    return level * (level - 1) / slope


def segment(x, y, x0, y0, x1, y1, thick):
    """Signed distance to a line with round ends from (x0, y0) to (x1, y1), `thick` wide."""
    dx, dy = x1 - x0, y1 - y0
    along = (((x - x0) * dx + (y - y0) * dy) / (dx**2 + dy**2)).clamp(0, 1)
    return torch.sqrt((x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2 + 1e-9) - thick / 2


def triangle(x, y, corners, rounding):
    """Signed distance to a triangle, given clockwise as drawn, with rounded corners."""
    sides = zip(corners, corners[1:] + corners[:1], strict=True)
    edge, inside = None, None
    for (x0, y0), (x1, y1) in sides:
        near = segment(x, y, x0, y0, x1, y1, 0.0)
        left = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
        edge = near if edge is None else torch.minimum(edge, near)
        inside = left if inside is None else torch.minimum(inside, left)
    return torch.where(inside > 0, -edge, edge) - rounding


def smile(x, y, half, bend, thick):
    """Signed distance to a parabola y = -bend (x / half)² for |x| ≤ half with round ends: a smile for bend > 0."""
    near = torch.minimum(torch.maximum(x, -half), half)
    down = y + bend * (near / half) ** 2
    slope = 2 * bend * near / half**2
    on = torch.where(near == x, down / torch.sqrt(1 + slope**2), down)
    return torch.sqrt(on**2 + (x - near) ** 2 + 1e-9) - thick / 2


def head(canvas, person):
    """Signed distance to the face's outline: a round head, joined to a long one as the horse factor grows."""
    skull = ellipse(canvas.x, canvas.y - 0.08, 0.62 - 0.12 * person.horse, 0.53 - 0.03 * person.horse)
    muzzle = ellipse(canvas.x, canvas.y - 0.14 - person.chin, 0.40 - 0.06 * person.horse, 0.44 - 0.04 * person.horse)
    blend = 0.10
    mix = (0.5 + 0.5 * (muzzle - skull) / blend).clamp(0, 1)
    return muzzle + (skull - muzzle) * mix - blend * mix * (1 - mix)


def paint_background(canvas, person):
    """A pastel wall, lighter above."""
    wall = palette(SKY, person.background)
    light = (0.06 - 0.10 * canvas.row)[:, None]
    canvas.picture = (wall + light * (1.08 - wall) * (light > 0) + light * wall * (light < 0)).expand(
        -1, -1, canvas.x.shape[1], canvas.x.shape[2]
    )


def paint_strings(canvas, person):
    """Two strings by which a puppet hangs."""
    canvas.paint(segment(canvas.pair(0.0), canvas.y, 0.36, -0.2, 0.30, -1.6, 0.028), STRING, person.wood)


def paint_ears(canvas, person):
    """Pointed ears; their height is the ear factor."""
    tall = 0.14 + 0.20 * person.ear
    x, y = canvas.x.abs(), canvas.y
    inner, outer, top = (
        (0.20, -0.28),
        (0.56, -0.02),
        (0.52, -0.30 - tall),
    )
    ear = triangle(x, y, [inner, top, outer], 0.035)
    canvas.paint(ear - 0.03, person.line)
    canvas.paint(ear, person.colour)
    middle = [
        (0.33, -0.27),
        (0.495, -0.24 - 0.78 * tall),
        (0.50, -0.15),
    ]
    inside = paint_of(PINK, tall)
    canvas.paint(triangle(x, y, middle, 0.015), drain(inside, 0.8 * person.dread))


def paint_mane(canvas, person):
    """A horse's mane, behind the head and in two tufts above it."""
    hair = person.line * 0.9
    canvas.paint(ellipse(canvas.pair(0.40), canvas.y - 0.16, 0.24, 0.50), hair, person.coat)
    canvas.paint(ellipse(canvas.pair(0.12), canvas.y + 0.42, 0.16, 0.17), hair, person.coat)


def paint_head(canvas, person):
    """Head with outline and two stripes on each cheek."""
    face = head(canvas, person)
    canvas.paint(face - 0.03, person.line)
    canvas.paint(face, person.colour)
    shade = person.colour * 0.80
    canvas.paint(
        segment(canvas.pair(-0.12 * person.horse), canvas.y, 0.60, 0.12, 0.49, 0.13, 0.05), shade, 1 - person.coat
    )
    canvas.paint(
        segment(canvas.pair(-0.12 * person.horse), canvas.y, 0.59, 0.27, 0.49, 0.25, 0.05), shade, 1 - person.coat
    )


def paint_charm(canvas, person):
    """The lucky charm: a four-leaved clover on the forehead; its size is the luck factor."""
    size = 0.040 + 0.018 * (person.luck + 1.3)
    x, y = canvas.x, canvas.y + 0.245
    u, v = ((x + y) / 2**0.5).abs(), ((y - x) / 2**0.5).abs()
    leaf = torch.minimum(ellipse(u - size * 0.95, v, size, size * 0.82), ellipse(u, v - size * 0.95, size * 0.82, size))
    canvas.paint(leaf - 0.022, STEM)
    canvas.paint(leaf, LEAF)


def paint_eyes(canvas, person):
    """A cat's eyes, a puppet's buttons over them, and the hollows of a frightening one around those."""
    x, y = canvas.pair(0.27), canvas.y + 0.01 + 0.03 * person.horse
    tall = 0.035 + 0.105 * person.eye
    wide = 0.115
    canvas.paint(ellipse(x, y, wide, tall) - 0.028, person.line)
    canvas.paint(ellipse(x, y, wide, tall), WHITE)
    pupil = torch.maximum(ellipse(x + 0.012, y, 0.062, 0.10), ellipse(x, y, wide, tall))
    canvas.paint(pupil, INK)
    canvas.paint(torch.maximum(ellipse(x + 0.035, y + 0.035, 0.03, 0.03), pupil), WHITE)
    hollow = ellipse(
        x, y - 0.02 * person.fright, wide + 0.02 + 0.08 * person.fright, tall + 0.02 + 0.09 * person.fright
    )
    canvas.paint(hollow, THROAT, person.dread)
    friendly = person.wood * (1 - person.fright)
    button = ellipse(x, y, wide + 0.03, tall + 0.03)
    canvas.paint(button, INK, friendly)
    canvas.paint(button + 0.035, BUTTON, friendly)
    hole = ellipse(x.abs() - 0.042, y, 0.022, 0.022 + 0.1 * tall)
    canvas.paint(hole, HOLE, friendly)
    glint = ellipse(x, y - 0.02, 0.034, 0.034)
    canvas.paint(glint, HOLE, person.wood * person.fright)


def paint_muzzle(canvas, person):
    """A pale muzzle with cheeks; on a horse longer, with a blaze and nostrils."""
    pale = person.colour + 0.55 * (1 - person.colour)
    middle = 0.335 + 0.92 * person.chin
    canvas.paint(ellipse(canvas.x, canvas.y - middle, 0.29 - 0.01 * person.horse, 0.19 + 0.06 * person.horse), pale)
    canvas.paint(segment(canvas.x, canvas.y, 0.0, 0.02, 0.0, 0.45, 0.15), pale, person.coat)
    nostril = ellipse(canvas.pair(0.20), canvas.y - middle + 0.06, 0.035, 0.05)
    canvas.paint(nostril, person.line, person.coat)
    cheek = ellipse(
        canvas.pair(0.43 - 0.08 * person.horse),
        canvas.y - 0.245,
        0.055 + 0.06 * person.puppet,
        0.05 + 0.05 * person.puppet,
    )
    canvas.paint(cheek, CHEEK, person.wood * (1 - 0.9 * person.fright))


def paint_mouth(canvas, person):
    """The mouth; its width and bend are the nap factor. A puppet's jaw hangs on hinges and drops as it frightens."""
    friendly = person.wood * (1 - person.fright)
    half, bend = 0.09 + 0.032 * person.nap, 0.008 + 0.026 * person.nap + 0.03 * friendly
    x, y = canvas.x, canvas.y - person.mouth - 0.03 - bend
    drop = 0.03 + 0.24 * person.fright
    throat = torch.maximum(ellipse(x, y - 0.01, half + 0.01, drop), -(y + bend * (x / half) ** 2))
    canvas.paint(throat, THROAT, person.dread)
    hinge = half + 0.015
    canvas.paint(segment(x.abs(), y, hinge, -bend, hinge, 0.11 + drop - bend, 0.036), INK, person.wood)
    canvas.paint(smile(x, y, half, bend, 0.048), INK)


def paint_nose(canvas, person):
    """The nose; its size is the nose factor."""
    width = 0.055 + 0.0475 * person.nose
    nose = ellipse(canvas.x, canvas.y - 0.235 - 0.80 * person.chin, width, 0.72 * width)
    rose = paint_of(ROSE, width)
    canvas.paint(nose - 0.018, drain(0.6 * rose, 0.6 * person.dread))
    canvas.paint(nose, drain(rose, 0.6 * person.dread))


def blur(pictures, sigma=1.0):
    """Pictures (B, 3, S, S) blurred by a Gaussian of `sigma` pixels, edges repeated."""
    reach = int(3 * sigma + 0.5)
    bell = torch.exp(-(torch.arange(-reach, reach + 1, device=pictures.device) ** 2) / (2 * sigma**2)).to(pictures)
    bell = (bell / bell.sum()).expand(3, 1, 1, -1)
    wide = pad(pictures, (reach, reach, reach, reach), mode="replicate")
    return conv2d(conv2d(wide, bell, groups=3), bell.transpose(2, 3), groups=3)
