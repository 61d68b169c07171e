"""What a direction means, and how good a picture is: measured by judges, never by the eye alone.

A judge is any function from pictures (B, C, H, W), float32, to numbers (B, F). It may carry `factors`, the F names, and
`std`, (F,), the scale on which a change of each counts as one; without them the numbers are numbered and count as they
are. By default the referee of the cat people judges.
"""

import warnings
from dataclasses import dataclass

import scipy.optimize
import torch
from tqdm import tqdm

from hspace.cats.judge import load_judge
from hspace.cats.render import render

BATCH = 32  # pictures that go through the sampler at once


@dataclass(frozen=True)
class Realism:
    """How far pictures are from what the world could draw. 0 would be perfect; smaller is better.

    pixels: (B,) root mean square difference to the drawing of the judged factors, on the [-1, 1] scale of the pictures.
    edges: (B,) relative difference in edge energy, the root mean square difference of neighbouring pixels: below 0 is
    blurred, above 0 is rough.
    """

    pixels: torch.Tensor
    edges: torch.Tensor


@torch.no_grad()
def realism(pictures, judge=None):
    """Compare pictures (B, 3, 64, 64) with the drawings of their judged factors, in float32. Returns a `Realism`.

    Raises ValueError for pictures of another shape or that are not finite.
    """
    _check_pictures(pictures)
    judge, pictures = judge or load_judge(device=pictures.device), pictures.float()
    drawn = torch.cat([render(judge(part), pictures.shape[-1]) for part in pictures.split(256)])
    pixels = (pictures - drawn).square().mean(dim=(1, 2, 3)).sqrt()
    return Realism(pixels, edge_energy(pictures) / edge_energy(drawn) - 1)


def edge_energy(pictures):
    """Root mean square difference of neighbouring pixels, across and down, of each picture: (B,)."""
    across = (pictures[..., :, 1:] - pictures[..., :, :-1]).square().mean(dim=(1, 2, 3))
    down = (pictures[..., 1:, :] - pictures[..., :-1, :]).square().mean(dim=(1, 2, 3))
    return (across + down).sqrt()


def _check_pictures(pictures):
    if pictures.ndim != 4 or pictures.shape[1] != 3:
        raise ValueError(f"pictures have shape (B, 3, S, S), got {tuple(pictures.shape)}")
    if not torch.isfinite(pictures).all():
        raise ValueError("the pictures hold NaN or infinite numbers; realism would mean nothing")


@dataclass(frozen=True)
class ChangeMatrix:
    """How the factors of the finished picture change along directions at x_t.

    values: (F, k) mean over pictures of the change of each factor per unit of length in X, in standard deviations.
    low, high: (F, k) 95 % bootstrap interval of that mean over pictures; nan for a single picture.
    each: (B, F, k) the same for every picture.  control: (B, F, r) for random unit directions, the yardstick.
    factors: the F names.  t: the timestep.  length: the step, in X, that was taken both ways.
    """

    values: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    each: torch.Tensor
    control: torch.Tensor
    factors: tuple
    t: int
    length: float

    def row(self, factor):
        """Changes of one factor, (k,). Raises ValueError for a name that is not among `factors`."""
        if factor not in self.factors:
            raise ValueError(f"no factor is called {factor!r}; there are {', '.join(map(str, self.factors))}")
        return self.values[self.factors.index(factor)]

    @property
    def clear(self):
        """(F, k) whether the interval excludes 0: the sign of the change is known."""
        return (self.low > 0) | (self.high < 0)


def change_matrix(model, x_t, t, directions, judge=None, *, length=2.0, controls=8, seed=0, progress=False):
    """Measure what directions at x_t do to the finished picture.

    x_t (B, C, H, W): the same directions are tried at each of B pictures.  directions: (n, k) or (n,), of any length.
    Every direction is walked `length` both ways, sampled to the end and judged; the difference over 2 `length` is a
    central difference of the factors, second order in `length`.  controls: random directions measured alike, drawn
    from `seed` and shared by all pictures.  progress: show a bar.
    Costs 2 B (k + controls) samplings from t. Returns a `ChangeMatrix`.
    Raises ValueError for shapes that do not fit, a zero direction, or a length that is not positive.
    """
    directions = _unit(directions.to(x_t.device), x_t[0].numel())
    if not length > 0:
        raise ValueError(f"length={length} must be positive: it is the step taken both ways")
    judge = judge or load_judge(device=x_t.device)
    generator = torch.Generator().manual_seed(seed)
    size = len(directions), controls
    random = torch.randn(size, generator=generator, dtype=torch.float64, device="cpu").to(directions)
    every = torch.cat([directions, random / random.norm(dim=0)], dim=1)
    each = torch.stack(
        [_differences(model, x, t, every, judge, length) for x in tqdm(x_t, "pictures", disable=not progress)]
    )
    each = each / getattr(judge, "std", torch.ones(each.shape[1])).to(each)[:, None]
    k = directions.shape[1]
    low, high = bootstrap(each[..., :k], seed=seed)
    names = tuple(getattr(judge, "factors", range(each.shape[1])))
    return ChangeMatrix(each[..., :k].mean(dim=0), low, high, each[..., :k], each[..., k:], names, t, length)


@torch.no_grad()
def _differences(model, x, t, directions, judge, length):
    """Central differences of the judged factors at one picture x (C, H, W) along unit directions (n, k): (F, k)."""
    steps = length * directions.T.reshape(-1, *x.shape)
    ends = torch.cat([x + steps, x - steps]).to(x)
    judged = torch.cat([judge(model.picture(model.denoise(part, start=t)).float()) for part in ends.split(BATCH)])
    ahead, behind = judged.chunk(2)
    return (ahead - behind).T / (2 * length)


def combine(M, wish, *, metric=None, ridge=0.0, room=None):
    """Coefficients that change some factors as wished and the others not at all: walk along directions @ c.

    The shortest c with M c = d, c = Λ⁻¹ Mᵀ (M Λ⁻¹ Mᵀ + λ I)⁻¹ d, the weighted pseudo-inverse.
    M: a `ChangeMatrix`, or its values (F, k).  wish: {factor: change in standard deviations}, or all changes d (F,).
    metric (k,): the diagonal Λ; None is the length in X, s² that in H, for singular directions.
    ridge: λ, in units of the mean diagonal of M Λ⁻¹ Mᵀ. Above 0, wishes that would need a very long way are met less.
    room: (low, high), each (k,), around 0: bounds of the coefficients. The best c within them is found by scipy's
        bounded least squares, with a ridge of at least 1e-6.
    Returns c (k,).  Raises ValueError for unknown factors, shapes that do not fit, and numbers that are not finite.
    Where M c reaches less than half of the way to d, a RuntimeWarning says so.
    """
    values = M.values if isinstance(M, ChangeMatrix) else M
    d = _changes(M, wish).to(values)
    weight = _check_combine(values, d, metric, ridge, room)
    inner = values.double() / weight @ values.double().T
    scale = inner.diagonal().mean().clamp_min(1e-38)  # so that M = 0, which reaches nothing, gives c = 0
    if room is None:
        damped = inner + ridge * scale * torch.eye(len(inner)).to(inner)
        c = values.double().T @ torch.linalg.pinv(damped, hermitian=True, rtol=1e-9) @ d.double() / weight
    else:
        c = _bounded(values.double(), d.double(), weight, max(ridge, 1e-6) * scale, room)
    c = c.to(values)
    left = (values @ c - d).norm()
    if left > d.norm() / 2:
        text = f"what was wished for is missed by {(left / d.norm()).item():.0%}"
        warnings.warn(f"combine: {text}: these directions do not reach it; take more", RuntimeWarning, stacklevel=2)
    return c


def _bounded(M, d, weight, damping, room):
    """The c within `room` that minimises ‖M c − d‖² / damping + cᵀ Λ c; bounded least squares (Stark & Parker 1995)."""
    low, high = (bound.double().cpu() for bound in room)
    free = low < high
    rows = torch.cat([M / damping.sqrt(), weight.sqrt().diag()])[:, free.to(M.device)].cpu()
    goal = torch.cat([d / damping.sqrt(), torch.zeros_like(weight)]).cpu()
    found = scipy.optimize.lsq_linear(rows.numpy(), goal.numpy(), (low[free].numpy(), high[free].numpy()), "bvls")
    c = torch.zeros_like(low)
    c[free] = torch.from_numpy(found.x)
    return c.to(M)


def _changes(M, wish):
    """A wish as changes of all factors, (F,)."""
    if not isinstance(wish, dict):
        return torch.as_tensor(wish)
    if not isinstance(M, ChangeMatrix):
        raise ValueError("factors have names in a ChangeMatrix only: give all changes as a tensor (F,)")
    d = torch.zeros(len(M.factors), dtype=torch.float64)
    for name, change in wish.items():
        M.row(name)
        d[M.factors.index(name)] = change
    return d


def _check_combine(values, d, metric, ridge, room):
    """The diagonal Λ, (k,) float64; ValueError for what cannot be solved."""
    if values.ndim != 2 or d.shape != values.shape[:1]:
        shapes = f"{tuple(values.shape)} and {tuple(d.shape)}"
        raise ValueError(f"M and the wished changes have shapes {shapes}: needed are (F, k) and (F,)")
    k = values.shape[1]
    weight = torch.ones(k).to(values) if metric is None else metric
    if weight.shape != (k,) or (room is not None and any(bound.shape != (k,) for bound in room)):
        raise ValueError(f"metric and room hold one number for each of the {k} directions")
    if not (torch.isfinite(values).all() and torch.isfinite(d).all()):
        raise ValueError("M or the wished changes hold NaN or infinite numbers")
    if not (weight > 0).all() or not ridge >= 0:
        raise ValueError(f"metric, smallest {weight.min().item():.2g}, must be positive and ridge={ridge} at least 0")
    if room is not None and not ((room[0] <= 0) & (room[1] >= 0)).all():
        raise ValueError("room must hold 0: low at most 0, high at least 0")
    return weight.double().to(values.device)


def bootstrap(each, draws=1000, level=0.95, seed=0):
    """Interval of the mean over the first axis, by drawing pictures with replacement (Efron & Tibshirani, 1993).

    each: (B, ...).  Returns (low, high), each of shape (...); nan where B = 1.
    """
    if len(each) < 2:
        return torch.full_like(each[0], torch.nan), torch.full_like(each[0], torch.nan)
    once = torch.ones(draws, len(each), dtype=torch.float32, device="cpu")
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.multinomial(once, len(each), replacement=True, generator=generator)
    counts = torch.zeros_like(once).scatter_add_(1, drawn, once).to(each)
    means = (counts @ each.flatten(1) / len(each)).view(draws, *each.shape[1:])
    edges = torch.tensor([(1 - level) / 2, (1 + level) / 2]).to(each)
    low, high = torch.quantile(means, edges, dim=0)
    return low, high


def _unit(directions, n):
    """Directions as unit columns (n, k)."""
    if directions.ndim == 1:
        directions = directions[:, None]
    if directions.ndim != 2 or directions.shape[0] != n:
        raise ValueError(f"directions have shape {tuple(directions.shape)}; columns of length {n} are needed: ({n}, k)")
    if not torch.isfinite(directions).all():
        raise ValueError("the directions hold NaN or infinite numbers")
    size = directions.norm(dim=0)
    if (size == 0).any():
        raise ValueError(f"direction {size.eq(0).nonzero()[0].item()} is zero; it leads nowhere")
    return directions / size


def ks_distance(a, b):
    """Kolmogorov-Smirnov distance of samples (n,) and (m,): the largest difference of their shares below a value."""
    both = torch.cat([a, b]).sort().values
    share = [torch.searchsorted(part.sort().values, both, right=True) / len(part) for part in (a, b)]
    return (share[0] - share[1]).abs().max().item()
