"""Judges: small networks that look at a picture and say its twelve factors.

There are two, of different architecture, seed and training. The *guide* may be used while editing; the *referee* only
scores, so that nothing is measured by what steered it. `fit` is a third opinion, without any network: it turns the
renderer's own knobs until the drawing agrees with the picture. The *sketch* is a helper of the guide's kind that has
learned from the blurred pictures that Alice expects halfway through: it may steer there, and never scores.
"""

from importlib.resources import as_file, files

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from .render import render
from .world import FACTORS, MEAN, STD

JUDGES = ("guide", "referee")
KINDS = (*JUDGES, "sketch")


class Judge(nn.Module):
    """Picture -> factors. kind: "guide" or "sketch" (pyramids of strided convolutions), "referee" (patches and residual
    blocks).

    Called with (B, 3, 64, 64) in [-1, 1]; returns (B, 12) in the units of the world, columns in the order of `FACTORS`.
    Raises ValueError for pictures of another shape.
    """

    factors = FACTORS

    def __init__(self, kind):
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"no judge is called {kind!r}; there are {', '.join(KINDS)}")
        self.kind = kind
        self.look = patches() if kind == "referee" else pyramid()
        self.register_buffer("mean", MEAN.clone())
        self.register_buffer("std", STD.clone())

    def forward(self, picture):
        if picture.shape[1:] != (3, 64, 64):
            raise ValueError(f"a judge looks at pictures (B, 3, 64, 64), not {tuple(picture.shape)}")
        return self.mean + self.std * self.look(picture)


def pyramid():
    """Convolutions that halve the picture four times, then two linear layers; 0.9 million weights."""

    def halve(a, b):
        return [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.GroupNorm(8, b), nn.SiLU()]

    eye = [nn.Conv2d(3, 32, 4, stride=2, padding=1), nn.SiLU(), *halve(32, 64), *halve(64, 96), *halve(96, 128)]
    return nn.Sequential(*eye, nn.Flatten(), nn.Linear(128 * 16, 256), nn.SiLU(), nn.Linear(256, 12))


class Block(nn.Module):
    """A residual block: each channel looks about itself (5 × 5), then the channels talk (1 × 1)."""

    def __init__(self, width):
        super().__init__()
        look = [nn.Conv2d(width, width, 5, padding=2, groups=width), nn.GroupNorm(1, width)]
        talk = [nn.Conv2d(width, 3 * width, 1), nn.GELU(), nn.Conv2d(3 * width, width, 1)]
        self.change = nn.Sequential(*look, *talk)

    def forward(self, x):
        return x + self.change(x)


def patches():
    """4 × 4 patches, residual blocks at 16 × 16 and 8 × 8, then one hidden layer; 0.9 million weights."""
    coarse = [nn.Conv2d(3, 64, 4, stride=4), Block(64), nn.Conv2d(64, 128, 2, stride=2), Block(128), Block(128)]
    return nn.Sequential(
        *coarse, nn.Conv2d(128, 32, 1), nn.Flatten(), nn.Linear(32 * 64, 192), nn.GELU(), nn.Linear(192, 12)
    )


def load_judge(kind="referee", device="cpu"):
    """One of the judges that ship with the package, frozen, float32, in eval mode.

    Raises ValueError for an unknown name, FileNotFoundError where the weights are missing and OSError where they are
    damaged.
    """
    judge, option = Judge(kind), "--sketch" if kind == "sketch" else "--judges"
    with as_file(files("hspace") / "weights" / "judges" / f"{kind}.safetensors") as path:
        if not path.exists():
            raise FileNotFoundError(
                f"{path} is missing; install the package again, or make it with `hspace train {option}`"
            )
        try:
            with safe_open(path, "pt") as stored:
                state = {name: stored.get_tensor(name).float() for name in list(stored.keys())}
            judge.load_state_dict(state)
        except (SafetensorError, RuntimeError) as error:
            raise OSError(f"{path} is damaged ({error}); install the package again") from error
    return judge.to(device).eval().requires_grad_(False)


def save_judge(judge, path):
    """Write a judge's weights as fp16 safetensors, with its kind in the metadata."""
    state = {name: tensor.half().contiguous() for name, tensor in judge.state_dict().items()}
    path.write_bytes(save(state, metadata={"kind": judge.kind}))


def fit(pictures, factors, rounds=60, rate=0.03):
    """Turn the renderer's knobs until its drawing agrees with each picture: factors without a network.

    pictures (B, 3, S, S) in [-1, 1]; factors (B, 12), where to start (a judge's opinion, or `MEAN`).  Adam on the mean
    squared difference, in standard deviations of the world.  Returns the fitted factors (B, 12).
    """
    start = ((factors - MEAN.to(factors)) / STD.to(factors)).detach().clone().requires_grad_(True)
    optimiser = torch.optim.Adam([start], lr=rate)
    with torch.enable_grad():
        for _ in range(rounds):
            drawing = render(MEAN.to(factors) + STD.to(factors) * start, pictures.shape[-1])
            optimiser.zero_grad()
            (drawing - pictures).square().sum().backward()
            optimiser.step()
    return (MEAN.to(factors) + STD.to(factors) * start).detach()
