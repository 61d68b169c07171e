"""Edits: walks of a model's state, and steps that change one factor of the finished picture and leave the others.

A *wish* says what the judged factors shall become, {"fright": 0.0}: in the judge's own units; what is not named shall
stay as it is. The judge that an edit follows must not be the one that scores it. It sees float32 pictures, whatever the
model's dtype.
"""

import contextlib
import math
import warnings
from dataclasses import dataclass
from types import SimpleNamespace

import torch

from hspace import geometry
from hspace.cats.judge import load_judge
from hspace.jacobian import full_float32
from hspace.layers import exact
from hspace.model import HALF, one_state, unrounded
from hspace.scoring import combine

FRACTIONS = (1.0, 0.5, 0.25, 0.125)  # of a step, tried together
SPARED = 0.5  # how much the factors that a wish does not name count where it has to come true at a stroke


def walk(model, x_t, t, v, length, steps, k=50, layer=None, **options):
    """Walk from x_t along v: a projected walk, `geometry.walk` for x ↦ h(x, t).  Returns (steps + 1, C, H, W).

    x_t (1, C, H, W); v (n,): the direction, of which the part in the first k right singular vectors is followed.
    length: of the whole walk in X, the norm over pixels.  layer: whose output is h.  options: for `geometry.walk`,
    which also says how well each step was predicted.  Raises what `geometry.walk` raises, and ValueError for more than
    one state and in 16 bits.
    """
    _one(model, x_t, t)
    _fine(model)
    return geometry.walk(lambda x: model.h(x, t, layer), x_t, v, length, steps, k, **options).points[:, 0]


def shoot(model, x_t, t, V, v, length, steps, layer=None, tol=1e-3):
    """The geodesic of the sheet z ↦ h(x_t + V z, t) that leaves x_t along v.  Returns (steps + 1, C, H, W).

    x_t (1, C, H, W); V (n, k): the directions that span the sheet, such as right singular vectors at x_t; v (n,): where
    to, of which the part in the span of V is followed.  length: in H.  tol: see `geometry.shoot`.
    Raises ValueError where the sheet is not k-dimensional, for more than one state, and in 16 bits.
    """
    _one(model, x_t, t)
    _fine(model)
    sheet = geometry.sheet(lambda x: model.h(x, t, layer), x_t, V)
    inside = torch.linalg.lstsq(V, v[:, None]).solution[:, 0]
    z = geometry.shoot(sheet, torch.zeros_like(inside), inside, length, steps, tol=tol).points
    return x_t + (z @ V.T).view(-1, *x_t.shape[1:])


def _one(model, x_t, t):
    """ValueError unless x_t is a single state that the model can take."""
    model.check(x_t, t)
    one_state(x_t)


def _fine(model):
    """ValueError where the model runs in 16 bits, whose rounding hides how h bends."""
    if model.dtype in HALF:
        raise ValueError(f"{model.dtype} is too coarse to follow a curve: take the model in float32")


@dataclass(frozen=True)
class Edit:
    """An edited state, and how it came about.

    x (1, C, H, W): the state at timestep t; finish it by model.denoise(x, start=t).
    told (rounds + 1, F): factors of the finished picture before the first round and after each that found a better
        one, by the steering judge.
    wanted (F,): what they should have become.  length: the distance from the state without an edit, in X.
    evaluations: passes through the network, forward, again for a checkpoint, and backward for each factor.
    """

    x: torch.Tensor
    t: int
    told: torch.Tensor
    wanted: torch.Tensor
    length: float
    evaluations: int


@dataclass(frozen=True)
class Cloud:
    """Where a model's states at one timestep lie: mean (n,) and centred states (N, n)."""

    mean: torch.Tensor
    states: torch.Tensor

    def room(self, x, V, cap):
        """How far one may go from x along unit columns V (n, k) until `cap` standard deviations: (low, high), (k,)."""
        spread, place = (self.states @ V).std(dim=0), V.T @ (x.flatten() - self.mean)
        return (-cap * spread - place).clamp(max=0), (cap * spread - place).clamp(min=0)


@torch.no_grad()
def cloud(model, t, seeds, batch=32):
    """The `Cloud` of the states at t of many seeds, at least two. Costs a sampling down to t for each."""
    seeds = torch.tensor([*seeds])
    if len(seeds) < 2:
        raise ValueError(f"{len(seeds)} seeds have no spread: give at least 2")
    states = [model.denoise(model.noise(part.tolist()), stop=t).flatten(1) for part in seeds.split(batch)]
    states = unrounded(torch.cat(states))
    return Cloud(states.mean(dim=0), states - states.mean(dim=0))


def steer(
    model,
    x,
    t,
    wish,
    judge=None,
    *,
    V=None,
    metric=None,
    rounds=4,
    tol=0.02,
    near=None,
    cap=3.0,
    ridge=1e-3,
    known=None,
):
    """Edit the state x at t so that the finished picture's judged factors come out as wished: Gauss–Newton.

    Each round differentiates the factors through the sampler, G = ∂ factors / ∂x, by one checkpointed vector-Jacobian
    product a factor; `combine` solves for the shortest step; of its `FRACTIONS`, all tried, the best is taken, along
    the great circle that keeps ‖x‖, so that noise stays noise. A round that finds no better picture ends the edit.

    What is there or not, such as a puppet, may go only at a stroke that moves other factors, too. So where the best in
    the first of several rounds is the smallest fraction, it chooses again, and factors that the wish does not name
    count half (`SPARED`); later rounds mend them. Where they do not, and the picture ends further from what is wanted
    than it began, the edit is none: x, and one row told.

    x (1, C, H, W); t on the sampler's grid, the last timestep for x_T.  wish: {factor: value}, in the judge's units.
    judge: what steers, pictures (B, C, H, W) → (B, F); the guide by default.  V (n, k): directions to stay within, as
    unit columns; all of X by default.  metric (k,), ridge: see `combine`.  near: a `Cloud`; with it no coordinate along
    V goes beyond `cap` standard deviations.  tol: the largest error, in standard deviations, that ends the edit.
    known: (told (F,), slopes (F, n)) of x without an edit, where both are at hand; `evaluations` are then without them.
    Returns `Edit`. Raises ValueError for unknown factors, shapes that do not fit, and for `near` without V.
    """
    _one(model, x, t)
    if near is not None and V is None:
        raise ValueError("near= limits the coordinates along V: pass V as well")
    judge = judge or load_judge("guide", x.device)
    start, scale, products = x, _scale(judge, x), 0
    with counting(model) as count:
        told = [_told(model, x, t, judge)[0] if known is None else known[0]]
        wanted = goal(judge, told[0], wish)
        at_first = torch.tensor([1.0 if name in wish else SPARED for name in _names(judge, told[0])]).to(wanted)
        for i in range(rounds):
            lack = (wanted - told[-1]) / scale
            if lack.abs().max() <= tol:
                break
            if known is not None and x is start:
                G = known[1]
            else:
                J = model.jacobian(x, t, to=judge)
                G, products = slopes(J, scale), products + J.products
            step = _step(G, lack, x, ridge, V, metric, near, cap)
            ends = torch.cat([turned(x, fraction * step) for fraction in FRACTIONS])
            seen = _told(model, ends, t, judge)
            best = _choice((seen - wanted) / scale, lack, at_first if i == 0 and rounds > 1 else None)
            if best is None:
                break
            x = ends[best : best + 1]
            told.append(seen[best])
    if not ((told[-1] - wanted) / scale).norm() < ((told[0] - wanted) / scale).norm():
        x, told = start, told[:1]
    evaluations = count.passes + products * len(model.legs(t))
    return Edit(x, t, torch.stack(told), wanted, unrounded(x - start).norm().item(), evaluations)


def _choice(off, lack, weight=None):
    """The row of `off` (B, F) that misses least, its number; None where all miss by no less than `lack` (F,).

    weight (F,): how much each factor counts where that is the last row; without it all count one.
    """
    best = off.norm(dim=1).argmin().item()
    if weight is not None and best == len(off) - 1:
        off, lack = weight * off, weight * lack
        best = off.norm(dim=1).argmin().item()
    return best if off[best].norm() < lack.norm() else None


def steer_gradually(model, x, t, wish, judge, *, stop=400, most=4.0, ridge=1e-2):
    """Edit a little at every step of the sampler from t down to `stop`, and let the denoiser mend what was done.

    At each step the factors of the picture that the model expects, `predict`, are moved by one constrained step of at
    most `most` in X: the named ones further towards the wish with every step, the others to where they are without an
    edit. A few passes through the network and a product a factor at each step, none through the whole sampler.

    x (1, C, H, W) at t; t and stop on the sampler's grid.  judge: (B, C, H, W) → (B, F), one that has learned from
    pictures as blurred as the model's expectations.  wish, ridge: as for `steer`.
    Returns `Edit`, its state at `stop`; told: at each step what is expected, before it and at last after it.
    """
    _one(model, x, t)
    legs, scale, free, told, products = model.legs(t, stop), _scale(judge, x), x, [], 0
    if stop is None or not legs:
        raise ValueError(f"stop={stop} must be a timestep below t={t}, on the sampler's grid: {model.timesteps}")
    with counting(model) as count:
        for i, (here, there) in enumerate(legs, 1):
            J = model.jacobian_of(lambda x, s=here: _expected(model, x, s, judge), x)
            target = _expected(model, free, here, judge)[0]
            target = target + i / len(legs) * (goal(judge, target, wish) - target)
            step = _step(slopes(J, scale), (target - J.y) / scale, x, ridge)
            told, products = [*told, J.y], products + J.products
            x = turned(x, step * (most / step.norm()).clamp(max=1))
            x, free = model.denoise(torch.cat([x, free]), start=here, stop=there).split(1)
        told.append(_expected(model, x, stop, judge)[0])
    moved = unrounded(x - free).norm().item()
    return Edit(x, stop, torch.stack(told), target, moved, count.passes + products)


def x_guidance(model, x_t, t, v, strength):
    """x_t + strength (ε̂(x_t + v) − ε̂(x_t)), (B, C, H, W): x-space guidance of Park et al. (2023), eq. 5.

    The noise that the model sees in x_t moves as it would for x_t + v, instead of x_t itself.  v (n,): a step in X.
    """
    ahead = x_t + v.view(1, *x_t.shape[1:]).to(x_t)
    return x_t + strength * (_noise(model, ahead, t) - _noise(model, x_t, t))


def _noise(model, x, t):
    """ε̂, the noise that the model sees in x at t."""
    alpha = model.alphas_cumprod[t].item()
    return (x - math.sqrt(alpha) * model.predict(x, t)) / math.sqrt(1 - alpha)


def turned(x, step):
    """x moved by `step` (n,) along the great circle that keeps its norm: as far as the step's part across x is long.

    x (1, C, H, W). Noise of n numbers has a norm near √n; a straight step would leave that shell.  Of 16 bits the turn
    is made in float32, and its end rounded.  Raises ValueError for a state that is zero.
    """
    flat, radius = unrounded(x).flatten(), unrounded(x).norm()
    step = step.to(flat)
    if radius == 0:
        raise ValueError("the state is zero: it has no shell to stay on")
    across = step - (step @ flat) / radius**2 * flat
    angle = across.norm() / radius
    if angle == 0:
        return x
    return (angle.cos() * flat + angle.sin() * radius * across / across.norm()).view_as(x).to(x)


def slopes(J, scale):
    """∂ factors / ∂x, all rows of a Jacobian J into the factors divided by `scale` (F,): (F, n), from F products."""
    return (J.T @ (torch.eye(len(J.y)).to(J.y) / scale)).T


def goal(judge, told, wish):
    """What the factors (F,) shall be: those told, but for the ones that the wish names.

    Raises ValueError for a factor that the judge does not tell.
    """
    wanted, names = told.clone(), _names(judge, told)
    for name, value in wish.items():
        if name not in names:
            raise ValueError(f"no factor is called {name!r}; the judge tells {', '.join(map(str, names))}")
        wanted[names.index(name)] = value
    return wanted


def _names(judge, told):
    """What the factors (F,) are called: by the judge, or by their numbers."""
    return tuple(getattr(judge, "factors", range(len(told))))


@full_float32()
def _step(G, lack, x, ridge, V=None, metric=None, near=None, cap=None):
    """The step in X (n,) that changes the factors by `lack` (F,), as `combine` finds it among V or all of X."""
    V = None if V is None else V.to(G)
    M = G if V is None else G @ V
    room = None if near is None else near.room(x, V, cap)
    with warnings.catch_warnings():  # a wish out of reach in this round is seen in what the judge tells after it
        warnings.simplefilter("ignore", RuntimeWarning)
        c = combine(M, lack, metric=metric, ridge=ridge, room=room)
    return c if V is None else V @ c


def _scale(judge, x):
    """What counts as one for each factor, (F,): the judge's standard deviations; 1 where it has none."""
    return getattr(judge, "std", torch.ones(())).to(unrounded(x))


@torch.no_grad()
def _told(model, x, t, judge):
    """Factors of the finished pictures, (B, F)."""
    return judge(model.picture(model.denoise(x, start=t)).float())


def _expected(model, x, t, judge):
    """Factors of the expected pictures, (B, F)."""
    picture = model.picture(model.predict(x, t))
    with exact(judge):
        return judge(picture.float())


@contextlib.contextmanager
def counting(model):
    """Counts how many states pass forward through the model's network within the context: `passes` of what it gives."""
    count = SimpleNamespace(passes=0)

    def more(network, args):
        count.passes += len(args[0])

    with model.network.register_forward_pre_hook(more):
        yield count
