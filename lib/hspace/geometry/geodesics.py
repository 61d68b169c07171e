"""Geodesics: the straightest curves of an immersion f: Z → H, with the metric that it pulls back.

A curve z(t) is a geodesic where the acceleration of f(z(t)) in H is orthogonal to the tangent space, the span of J:
Jᵀ (J z̈ + f″(ż, ż)) = 0, so z̈ = −J⁺ f″(ż, ż). The second derivative is one nested Jacobian-vector product, and no
Christoffel symbol is formed (do Carmo, "Riemannian Geometry", chapter 3, for what they are).
"""

import math
import warnings
from dataclasses import dataclass
from itertools import pairwise

import torch

from hspace.geometry.maps import twice_differentiable
from hspace.geometry.metric import PullbackMetric
from hspace.jacobian import Jacobian
from hspace.krylov import ROUNDING

DENSE = 256  # coordinates up to which J is formed, and its rank checked
UNKNOWNS = 4096  # of a path between two points
ITERATIONS = 1000  # of conjugate gradients
LIMIT = 1e6  # of the damping, beyond which nothing leads down


@dataclass(frozen=True)
class Geodesic:
    """A geodesic as points at equal distances, and what is known of its error.

    points (steps + 1, *z.shape), velocities (steps + 1, n): z and ż, of speed 1: ‖J ż‖ = 1.
    length: H length, in the metric.  drift: the largest relative change of speed, zero for a true geodesic.
    converged: the drift, and what had to be solved for on the way, stayed within tolerance.
    """

    points: torch.Tensor
    velocities: torch.Tensor
    length: float
    drift: float
    converged: bool


def second_derivative(f, z, v):
    """f″(v, v), (m,): the acceleration of f(z + t v) at t = 0, by a nested Jacobian-vector product.  v: (n,)."""
    f, v = twice_differentiable(f), v.view(z.shape)
    return Jacobian(lambda z: torch.func.jvp(f, (z,), (v,))[1], z) @ v.flatten()


def shoot(f, z, v, length, steps, *, tol=1e-3):
    """The geodesic from z along v: the exponential map, by Runge and Kutta's fourth-order method.  Returns `Geodesic`.

    f: an immersion, such as a chart, a `sheet` or a `graph`, with a second derivative; z its point, any shape.
    v (n,): the direction; its length does not matter.  length: how far, in H.  steps: of equal length.
    tol: change of speed that is borne without a RuntimeWarning and converged=False. A true geodesic has none.
    Costs min(n, iterations) products and a nested one, four times a step; up to 256 coordinates J is formed, beyond
    that least squares are solved by conjugate gradients, and the rank is not checked.
    Raises ValueError where J has not rank n, for a v in its kernel, and where the speed doubles or vanishes.
    """
    if not (length > 0 and math.isfinite(length)) or steps < 1:
        raise ValueError(f"length = {length} must be positive, steps = {steps} at least 1; for the other way, pass -v")
    metric, spray = PullbackMetric(f, z), _Spray(f)
    spray.check(metric.J)
    if metric.in_kernel(v):
        text = f"v of length {v.norm():.2g} has length {metric.norm(v):.2g} in H"
        raise ValueError(f"{text}: it lies in the kernel of J, and no geodesic leaves along it; take another direction")
    path, drift = [(z, v / metric.norm(v))], 0.0
    for i in range(steps):
        path.append(_runge_kutta(spray, *path[-1], length / steps))
        drift = max(drift, abs(PullbackMetric(f, path[-1][0]).norm(path[-1][1]) - 1))
        if not drift < 1:
            raise ValueError(f"steps = {steps} are too few: in step {i + 1} the speed left 1 by {drift:.1g}; take more")
    if drift > tol:
        text = f"the speed changed by {drift:.1e}, above {tol:.1e}: raise steps"
        warnings.warn(f"shoot: {text}", RuntimeWarning, stacklevel=2)
    if not spray.settled:
        text = "conjugate gradients did not settle: take graph(f, eps) with a larger eps, or a sheet"
        warnings.warn(f"shoot: {text}", RuntimeWarning, stacklevel=2)
    points, velocities = map(torch.stack, zip(*path, strict=True))
    return Geodesic(points, velocities, length, drift, spray.settled and drift <= tol)


def between(f, a, b, steps=16, *, path=None, tol=None, rounds=50):
    """The geodesic from a to b: the path with these ends that takes the least energy.  Returns `Geodesic`.

    Newton's method, damped, on ½ Σ ‖f(z_{i+1}) − f(z_i)‖² over the points between. Unlike shooting at b it cannot miss:
    each round brings the path down, and where it converges no path near by is shorter. Error of second order in
    1 / steps.

    f: an immersion; a, b: points.  steps: pieces, at least 2.  path (steps + 1, *a.shape): where to start, straight by
        default. A path round the other side of a hole finds the geodesic there.
    tol: the last move of any point, in lengths of the path; the root of eps by default.  rounds: of Newton steps.
        Where they do not suffice, a RuntimeWarning says so and converged is False.
    Raises ValueError where J has not rank n on the path, for equal ends, and for more than 4096 unknowns.
    """
    if rounds < 1:
        raise ValueError(f"rounds = {rounds} must be at least 1")
    chain = _Chain(f, _start(a, b, steps, path))
    chain, settled = _lowest(chain, math.sqrt(torch.finfo(a.dtype).eps) if tol is None else tol, rounds)
    chords = chain.chords.norm(dim=1)
    length = chords.sum().item()
    drift = (chords * steps / length - 1).abs().max().item()
    velocities = torch.gradient(chain.points.flatten(1), spacing=length / steps, dim=0, edge_order=2)[0]
    return Geodesic(chain.points, velocities, length, drift, settled)


class _Spray:
    """(z, w) ↦ −J⁺ f″(w, w), and whether all of them were solved for to the end."""

    def __init__(self, f):
        self.f, self.settled = f, True

    def check(self, J):
        """ValueError where f is no immersion, as far as that is affordable."""
        _check_tall(J)
        if J.shape[1] <= DENSE:
            _immersed(J)

    def __call__(self, z, w):
        J, b = Jacobian(self.f, z), second_derivative(self.f, z, w)
        if J.shape[1] <= DENSE:
            return -torch.linalg.lstsq(_immersed(J), b.double()[:, None]).solution[:, 0].to(b.dtype)
        a, settled = _least_squares(J, b)
        self.settled = self.settled and settled
        return -a


def _least_squares(J, b):
    """The a that minimises ‖J a − b‖, by conjugate gradients (CGLS: Björck, Elfving and Strakos 1998).

    Returns a (n,) and whether ‖Jᵀ r‖ came down to eps^(2/3) of its first value.
    """
    a, r = b.new_zeros(J.shape[1]), b
    p = g = J.T @ r
    first = size = g.norm()
    for _ in range(ITERATIONS):
        if size <= torch.finfo(b.dtype).eps ** (2 / 3) * first:
            return a, True
        q = J @ p
        step = (size / q.norm()) ** 2
        a, r = a + step * p, r - step * q
        g, before = J.T @ r, size
        size = g.norm()
        p = g + (size / before) ** 2 * p
    return a, False


def _runge_kutta(acceleration, z, w, dt):
    """One classical step of fourth order for z̈ = acceleration(z, ż)."""

    def slope(dz, dw):
        return w + dw, acceleration(z + dz.view(z.shape), w + dw)

    z1, w1 = slope(0 * w, 0 * w)
    z2, w2 = slope(dt / 2 * z1, dt / 2 * w1)
    z3, w3 = slope(dt / 2 * z2, dt / 2 * w2)
    z4, w4 = slope(dt * z3, dt * w3)
    return z + dt / 6 * (z1 + 2 * (z2 + z3) + z4).view(z.shape), w + dt / 6 * (w1 + 2 * (w2 + w3) + w4)


def _immersed(J):
    """J as a matrix (m, n), float64, where it has rank n."""
    _check_tall(J)
    A = J.dense().double()
    s = torch.linalg.svdvals(A)
    if not s[-1] > ROUNDING * torch.finfo(J.dtype).eps * s[0]:
        text = f"J loses rank: its singular values go from {s[0]:.2g} down to {s[-1]:.2g}, so a direction has no length"
        raise ValueError(f"{text} and geodesics end; keep away from here, take fewer directions, or graph(f, eps)")
    return A


def _check_tall(J):
    m, n = J.shape
    if m < n:
        text = f"f is no immersion: J of shape ({m}, {n}) has a kernel, and no geodesics"
        raise ValueError(f"{text}; take a sheet of at most {m} directions, graph(f, eps), or a projected walk")


def _start(a, b, steps, path):
    if a.shape != b.shape:
        raise ValueError(f"a has shape {tuple(a.shape)} and b {tuple(b.shape)}: needed are points of the same space")
    if torch.equal(a, b):
        raise ValueError("a and b are the same point: the geodesic has no length and no direction")
    if steps < 2 or (steps - 1) * a.numel() > UNKNOWNS:
        text = f"steps = {steps} with {a.numel()} coordinates: needed are 2 or more, and at most {UNKNOWNS} unknowns"
        raise ValueError(f"{text}; in many dimensions take a sheet")
    if path is None:
        return torch.stack([a + i / steps * (b - a) for i in range(steps)] + [b])
    if path.shape != (steps + 1, *a.shape) or not (torch.equal(path[0], a) and torch.equal(path[-1], b)):
        raise ValueError(f"path of shape {tuple(path.shape)} must be {(steps + 1, *a.shape)}, from a to b")
    return path


def _lowest(chain, tol, rounds):
    """The chain brought down, and whether its last step was undamped and shorter than tol."""
    damping = 0.0
    for _ in range(rounds):
        chain, used, moved = chain.lower(damping, tol)
        if used == 0 and moved <= tol:
            return chain, True
        if used > LIMIT:
            break
        damping = used / 10 if used > 1e-3 else 0.0
    text = f"a point still moved by {moved:.1e} of the length, above {tol:.1e}, with damping {used:.0e}"
    text = f"between: {text}: raise rounds, take float64, or give a path to start from"
    warnings.warn(text, RuntimeWarning, stacklevel=3)
    return chain, False


class _Chain:
    """A path with its energy in chords, E = ½ Σ ‖r_i‖², r_i = f(z_{i+1}) − f(z_i), in float64."""

    def __init__(self, f, points):
        self.f, self.points, self.J = f, points, [Jacobian(f, z) for z in points]
        self.chords = torch.stack([J.y for J in self.J]).double().diff(dim=0)
        self.energy = self.chords.square().sum().item() / 2

    def lower(self, damping, tol):
        """One step of Newton's method. Returns a lower path, the damping it took, and how far a point moved.

        Damping adds a share of JᵀJ to the Hessian until that is positive definite and the energy does not rise. Of a
        step below tol without damping the energy would only tell the rounding.
        """
        gradient, hessian, metric = self._derivatives()
        moved = math.inf
        while damping <= LIMIT:
            factor, failed = torch.linalg.cholesky_ex(hessian + damping * metric)
            if not failed:
                step = -torch.cholesky_solve(gradient[:, None], factor)[:, 0]
                moved, path = self._size(step, metric), self._moved(step)
                if path and (path.energy <= self.energy or (damping == 0 and moved <= tol)):
                    return path, damping, moved
            damping = max(10 * damping, 1e-3)
        return self, damping, moved

    def _moved(self, step):
        points = self.points.clone()
        points[1:-1] += step.to(points.dtype).view_as(points[1:-1])
        try:
            return _Chain(self.f, points)
        except ValueError:  # f is not finite there: too far
            return None

    def _derivatives(self):
        """Gradient (u,) and Hessian (u, u) of the energy in the u unknowns, and its part ⟨J e, J e⟩, block by block."""
        dense = [_immersed(J) for J in self.J[1:-1]]
        bends = self.chords[:-1] - self.chords[1:]
        gradient = torch.cat([A.T @ bend for A, bend in zip(dense, bends, strict=True)])
        metric = torch.block_diag(*(A.T @ A for A in dense))
        curvature = (self._curvature(z, bend) for z, bend in zip(self.points[1:-1], bends, strict=True))
        hessian = 2 * metric + torch.block_diag(*curvature)
        n = self.points[0].numel()
        for i, (A, B) in enumerate(pairwise(dense)):
            here, there = slice(i * n, (i + 1) * n), slice((i + 1) * n, (i + 2) * n)
            hessian[here, there], hessian[there, here] = -A.T @ B, -B.T @ A
        return gradient, hessian, metric

    def _curvature(self, z, bend):
        """Σ_j bend_j ∂²f_j, (n, n): forward over reverse."""
        f, bend = twice_differentiable(self.f), bend.to(z.dtype)
        C = Jacobian(torch.func.grad(lambda z: bend @ f(z).flatten()), z).dense().double()
        return (C + C.T) / 2

    def _size(self, step, metric):
        """The longest move of a point, in H and in lengths of the path."""
        moves = (step * (metric @ step)).view(len(self.points) - 2, -1).sum(1).clamp_min(0).sqrt()
        return (moves.max() / self.chords.norm(dim=1).sum()).item()
