"""The clinic: a patient, a therapist, and four pictures that show how a drawing is made."""

import numpy as np
import torch

from ..style import INK, PAPER
from .brush import (
    CREAM,
    DUSK,
    GOLD,
    HIGH,
    MIST,
    PINE,
    PLUM,
    SAGE,
    SKIN,
    WIDE,
    WOOD,
    board,
    box,
    cat,
    disc,
    drawn,
    glow,
    line,
    mix,
    paste,
    pine,
    shape,
)


def clinic():
    """A room in the evening: the Patient in a chair too large for her, the Therapist behind a desk, four pictures."""
    figure, ax = board(WIDE, HIGH, CREAM)
    paint_room(ax)
    paint_window(ax, 34, 44, 108, 150)
    paint_stages(ax, 186, 66, 56)
    paint_clock(ax, 590, 74, 21)
    paint_therapist(ax)
    paint_desk(ax)
    paint_patient(ax)
    return figure


def paint_room(ax):
    """Wall, panels, floor and rug."""
    for x in range(0, WIDE, 32):
        box(ax, x, 0, 16, 214, mix(CREAM, GOLD, 0.10))
    box(ax, 0, 214, WIDE, 106, SAGE)
    box(ax, 0, 208, WIDE, 7, mix(SAGE, INK, 0.25))
    for x in range(-20, WIDE, 84):
        box(ax, x, 228, 68, 74, mix(SAGE, PAPER, 0.12), mix(SAGE, INK, 0.22), 1)
    box(ax, 0, 312, WIDE, 9, mix(SAGE, INK, 0.4))
    box(ax, 0, 321, WIDE, HIGH - 321, mix(WOOD, PAPER, 0.25))
    for x in range(-500, 1140, 46):
        line(ax, [(320 + (x - 320) * 0.62, 321), (320 + (x - 320) * 1.1, HIGH)], mix(WOOD, INK, 0.12), 0.8)
    disc(ax, 300, 368, 236, mix(PLUM, PAPER, 0.25), flat=0.13)
    disc(ax, 300, 368, 222, mix(PLUM, PAPER, 0.55), flat=0.125)
    disc(ax, 300, 368, 212, mix(PLUM, PAPER, 0.32), flat=0.12)


def paint_window(ax, x, y, wide, high):
    """The forest stands outside already."""
    box(ax, x - 8, y - 8, wide + 16, high + 16, PAPER, INK, 1.4)
    bands = [mix(DUSK, "#f3b98f", share) for share in np.linspace(0, 1, 9)]
    for k, colour in enumerate(bands):
        box(ax, x, y + high * k / 9, wide, high / 9 + 0.5, colour)
    disc(ax, x + 74, y + 38, 10, MIST)
    pane = clip_box(ax, x, y, wide, high)
    rng = np.random.default_rng(3)
    for base, colour in ((0.86, mix(PINE, "#f3b98f", 0.45)), (1.0, PINE)):
        for place in np.linspace(-0.04, 1.04, 11):
            tall = high * rng.uniform(0.26, 0.46)
            for part in pine(x + wide * place, y + high * base, tall):
                shape(ax, part, colour).set_clip_path(pane)
        box(ax, x, y + high * base - 9, wide, high * (1 - base) + 9, colour)
    line(ax, [(x + wide / 2, y), (x + wide / 2, y + high)], PAPER, 5)
    line(ax, [(x, y + high * 0.45), (x + wide, y + high * 0.45)], PAPER, 5)
    box(ax, x - 15, y + high + 6, wide + 30, 8, PAPER, INK, 1.4)


def clip_box(ax, x, y, wide, high):
    """An invisible rectangle to cut others at."""
    return box(ax, x, y, wide, high, "none")


def paint_stages(ax, x, y, size):
    """Four framed pictures of one cat person: √ᾱ of it and √(1 - ᾱ) of noise, with √ᾱ = 0, 0.45, 0.85 and 1."""
    clean = drawn(cat(nose=1.0, ear=1.1, nap=2.6, luck=1.2, fur=0.38, eye=0.9, background=0.55), 64)[0] * 2 - 1
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(1)).numpy()
    for k, signal in enumerate((0.0, 0.45, 0.85, 1.0)):
        left = x + k * (size + 14)
        picture = signal * clean + np.sqrt(1 - signal**2) * noise
        box(ax, left - 4 + 2.5, y - 4 + 3.5, size + 8, size + 8, INK, alpha=0.18)
        box(ax, left - 4, y - 4, size + 8, size + 8, WOOD, INK, 1.3)
        paste(ax, (picture.clip(-1, 1) + 1) / 2, left, y, size, size, "nearest")


def paint_clock(ax, x, y, size):
    """Ten minutes are left."""
    disc(ax, x, y, size, PAPER, INK, 2)
    for hour in range(12):
        turn = np.pi * hour / 6
        outer, inner = size - 3.5, size - (7 if hour % 3 == 0 else 5.5)
        line(ax, [(x + r * np.sin(turn), y - r * np.cos(turn)) for r in (inner, outer)], INK, 1)
    line(ax, [(x, y), (x + 9 * np.sin(2.9), y - 9 * np.cos(2.9))], INK, 2)
    line(ax, [(x, y), (x + 14 * np.sin(5.236), y - 14 * np.cos(5.236))], INK, 1.4)


def paint_therapist(ax):
    """Seen against the lamp: a white coat, round glasses with light in them, and nothing that one could read."""
    coat, shade = "#f7f3ea", "#cfc9bd"
    shape(ax, "516,152 572,140 588,200 590,300 520,300", mix(PLUM, INK, 0.3), INK, 1.3, soft=True)
    shape(ax, "489,196 513,176 546,180 562,215 566,300 474,300 478,232", coat, INK, 1.5, soft=True)
    shape(ax, "512,184 506,214 500,250 494,222 500,192", shade, soft=True)
    shape(ax, "503,186 507,194 502,232 498,196", PINE)
    shape(ax, "546,200 560,238 520,262 470,262 470,251 512,246 532,226", coat, INK, 1.4, soft=True)
    disc(ax, 467, 256, 7.5, SKIN, INK, 1.2)
    line(ax, "461,261 452,240", INK, 2.4)
    box(ax, 508, 160, 17, 26, mix(SKIN, INK, 0.18))
    shape(
        ax, "491,138 496,114 518,106 537,118 538,142 528,164 506,173 494,166 490,152 485,148", SKIN, INK, 1.5, soft=True
    )
    shape(ax, "492,124 500,102 524,95 547,112 548,144 536,162 530,140 525,122 508,120", "#8b8a88", INK, 1.4, soft=True)
    disc(ax, 528, 141, 5, SKIN, INK, 1.1, flat=1.3)
    line(ax, "509,136 527,135", INK, 1.5)
    disc(ax, 500, 137, 9.5, "#fdf3d0", INK, 1.8)
    line(ax, "496,161 505,160", INK, 1.4)


def paint_desk(ax):
    """A desk with a lamp, a file and an hourglass, which is wide, narrow and wide again like her network."""
    desk, edge = WOOD, mix(WOOD, INK, 0.6)
    box(ax, 400, 278, 208, 12, mix(desk, PAPER, 0.15), edge, 1.4)
    box(ax, 412, 290, 184, 66, desk, edge, 1.4)
    box(ax, 424, 300, 72, 46, mix(desk, INK, 0.12), edge, 1)
    box(ax, 512, 300, 72, 46, mix(desk, INK, 0.12), edge, 1)
    disc(ax, 460, 323, 3.2, GOLD, edge, 1)
    disc(ax, 548, 323, 3.2, GOLD, edge, 1)
    shape(ax, "452,276 508,276 504,269 456,270", PAPER, INK, 1.1)
    shape(ax, "424,214 404,276 478,276 446,214", "#fbe6a6", alpha=0.45)
    glow(ax, 435, 216, 44, "#fbe6a6", 5, 0.10)
    line(ax, "411,277 411,222 428,202", INK, 3)
    shape(ax, "424,196 440,192 456,214 418,222", PINE, INK, 1.4)
    box(ax, 402, 273, 20, 5, PINE, INK, 1.2)
    x, top, low = 584, 236, 278
    glass = [(x - 11, top + 4), (x + 11, top + 4), (x + 2, 257), (x + 11, low - 4), (x - 11, low - 4), (x - 2, 257)]
    shape(ax, glass, "#e9f0ee", INK, 1.2)
    shape(ax, [(x - 7, 246), (x + 7, 246), (x + 1, 257), (x - 1, 257)], GOLD)
    shape(ax, [(x - 9, low - 4), (x + 9, low - 4), (x, 264)], GOLD)
    line(ax, [(x, 257), (x, 266)], GOLD, 1)
    for y in (top, low - 5):
        box(ax, x - 14, y, 28, 5, WOOD, edge, 1.1)


def paint_chair(ax):
    """A chair, too large for whoever sits in it."""
    chair, dark = mix(DUSK, PAPER, 0.12), mix(DUSK, INK, 0.55)
    disc(ax, 196, 357, 78, INK, alpha=0.22, flat=0.1)
    for x in (146, 238):
        shape(ax, [(x - 5, 340), (x + 6, 340), (x + 4, 357), (x - 2, 357)], WOOD, INK, 1.2)
    shape(ax, "132,196 146,182 164,190 172,246 172,318 150,326 134,290", chair, dark, 1.6, soft=True)
    box(ax, 138, 292, 112, 50, chair, dark, 1.6)
    shape(ax, "164,280 206,276 248,281 250,298 164,298", mix(chair, PAPER, 0.2), dark, 1.4, soft=True)


def paint_patient(ax):
    """Her feet do not reach the floor, and a few of the colours she draws with are still about her."""
    paint_chair(ax)
    dress, hair, stocking = "#d9905f", "#4a2f2a", "#f4ead9"
    for x in (0, 9):
        line(ax, [(240 + x, 284), (252 + x, 290), (252 + x, 324)], INK, 9.6)
        line(ax, [(240 + x, 284), (252 + x, 290), (252 + x, 324)], stocking, 7.6)
        shape(ax, [(247 + x, 323), (257 + x, 323), (267 + x, 330), (266 + x, 334), (247 + x, 334)], INK, soft=False)
    shape(ax, "186,228 204,226 212,248 226,270 252,280 250,295 210,296 178,292 176,256", dress, INK, 1.5, soft=True)
    line(ax, "199,238 207,262 228,272", INK, 10)
    line(ax, "199,238 207,262 228,272", mix(dress, PAPER, 0.18), 8)
    disc(ax, 232, 272, 5.2, SKIN, INK, 1.2)
    shape(ax, "184,230 197,236 210,229 204,222 190,222", PAPER, INK, 1.2, soft=True)
    shape(ax, "186,190 202,182 217,192 220,205 224,211 218,214 212,224 198,227 184,216", SKIN, INK, 1.4, soft=True)
    shape(
        ax, "172,196 184,176 206,173 221,186 220,194 204,194 199,208 196,226 180,229 170,216", hair, INK, 1.3, soft=True
    )
    shape(ax, "186,176 174,166 172,180", GOLD, INK, 1.1)
    shape(ax, "188,175 200,164 201,178", GOLD, INK, 1.1)
    disc(ax, 187, 176, 3.4, GOLD, INK, 1.1)
    line(ax, "210,203 213,205 217,203", INK, 1.4, soft=True)
    line(ax, "212,216 216,217", INK, 1.2)
    disc(ax, 207, 211, 3.4, "#e79c86", alpha=0.75)
    rng = np.random.default_rng(8)
    for k, colour in enumerate(rng.permutation(["#c2487a", "#2f8f83", GOLD, "#6a62b0", "#4aa05a", "#d9703f"] * 3)):
        x, y = 194 + 0.9 * k + rng.uniform(-16, 16), 164 - 1.9 * k + rng.uniform(-5, 5)
        side = 6.2 - 0.22 * k
        box(ax, x, y, side, side, colour)
