"""Projected walks: follow a direction from picture to picture, looking anew at every step."""

import math
import warnings
from dataclasses import dataclass

import torch

from hspace.geometry.tangents import transport
from hspace.jacobian import Jacobian
from hspace.krylov import svd


@dataclass(frozen=True)
class Walk:
    """Where a projected walk went, and what is known of its steps.

    points (steps + 1, *x.shape): the start and the end of every step.
    directions (steps, n): the unit direction in X at the start of every step.
    residuals (steps, k): of the singular triplets, see `SVD`; the largest where a step was taken in several.
    mismatch (steps,): ‖found − predicted‖ / ‖predicted‖ for the change of h, the largest of a step.
    substeps (steps,): in how many shorter steps each was taken. 1 where it was not too long.
    kept: share of the length of v that lies in the k directions at the start, 0 to 1.
    converged: all triplets were settled and all mismatches small.  products: with J or Jᵀ, columns counted.
    """

    points: torch.Tensor
    directions: torch.Tensor
    residuals: torch.Tensor
    mismatch: torch.Tensor
    substeps: torch.Tensor
    kept: float
    converged: bool
    products: int


def walk(f, x, v, length, steps, k, *, trust=0.5, halvings=5, **options):
    """Walk from x along v in `steps` steps of equal X length: a projected walk.  Returns `Walk`.

    At every point the k-dimensional tangent space is computed anew, the direction is carried into it by `transport`,
    and a straight step in X is taken. The literature calls this geodesic shooting. It is one, at first order, where f
    is an immersion and k = n; where J has more columns than rows no geodesics exist, and it is none.

    f, x: as for `Jacobian`.  v (n,): the direction; only its part in the first k directions at x is followed.
    length: of the whole walk in X, the norm over pixels.  k: directions that are kept, at most the rank of J.
    trust: a step is too long where the change of h, found, differs from J's prediction by more than this share. It is
        then taken in shorter steps, down to 2^-halvings of it, which a RuntimeWarning says and `substeps` counts.
    options: for `svd`, such as tol=1e-2 or block=8. Every SVD starts from the one before.
    Raises ValueError for a v outside the first k directions (in the kernel of J, say), for k above the rank, and where
    two tangent spaces have nothing in common.
    """
    _check(length, steps, trust, halvings)
    walker = _Walker(f, x, v, k, trust, options)
    kept = min(1.0, (walker.v.norm() / v.norm()).item())
    legs = [walker.leg(length / steps, least=2.0**-halvings * length / steps) for _ in range(steps)]
    points, directions, residuals, mismatch, substeps = zip(*legs, strict=True)
    mismatch, substeps = torch.tensor(mismatch), torch.tensor(substeps)
    _say(mismatch, substeps, trust)
    converged = all(S.converged for S in walker.seen) and bool((mismatch <= trust).all())
    products = sum(S.products for S in walker.seen)
    columns = torch.stack([x, *points]), torch.stack(directions), torch.stack(residuals)
    return Walk(*columns, mismatch, substeps, kept, converged, products)


class _Walker:
    """Where a walk is: J there, the SVDs S seen so far, the last at the point `at`, and the direction v in X there."""

    def __init__(self, f, x, v, k, trust, options):
        self.f, self.k, self.trust, self.options = f, k, trust, options
        self.J = self.at = Jacobian(f, x)
        self.seen = [svd(self.J, k, **options)]
        self.v = transport(v, self.seen[0], self.seen[0])  # the part of v in the tangent space

    def leg(self, length, least):
        """Go so far in X, in steps of `least` or more. Returns the end, direction, residuals, mismatch and substeps."""
        left, first, steps, direction = length, len(self.seen) - (self.at is self.J), [], None
        while left > 0:
            self.look()
            direction = self.v / self.v.norm() if direction is None else direction
            step, J, off = self.longest(left, min(least, left))
            self.J, left = J, left - step
            steps.append(off)
        residuals = torch.stack([S.residuals for S in self.seen[first:]]).amax(0)
        return J.x, direction, residuals, max(steps), len(steps)

    def look(self):
        """The SVD where the last step has led, and the direction carried there."""
        if self.at is not self.J:
            before, self.at = self.seen[-1], self.J
            self.seen.append(svd(self.J, self.k, **{"V0": before.V, **self.options}))
            self.v = transport(self.v, before, self.seen[-1])
            self.v = self.v / self.v.norm()

    def longest(self, step, least):
        """The longest of step, step / 2, ... to be trusted, `least` if none is; J at its end, and its mismatch."""
        while True:
            J, off = self.ahead(step, may_fail=step > least)
            if off <= self.trust or step <= least:
                return step, J, off
            step = max(step / 2, least)

    def ahead(self, step, may_fail):
        """J at the end of a step, and ‖found − predicted‖ / ‖predicted‖ for the change of h."""
        move = step / self.v.norm() * self.v
        try:
            J = Jacobian(self.f, self.J.x + move.view(self.J.x.shape))
        except ValueError:  # h is not finite there
            if not may_fail:
                raise
            return None, math.inf
        predicted = self.seen[-1].push(move)
        return J, ((J.y - self.J.y - predicted).norm() / predicted.norm()).item()


def _say(mismatch, substeps, trust):
    if (mismatch > trust).any():
        i = mismatch.argmax().item()
        text = f"h changes by {mismatch[i]:.0%} otherwise than J predicts in the shortest steps allowed: raise steps"
        warnings.warn(f"walk: in step {i + 1}, {text} or halvings, or take a smaller k", RuntimeWarning, stacklevel=3)
    elif (substeps > 1).any():
        split = (substeps > 1).sum().item()
        text = f"{split} of {len(substeps)} steps were too long for J's prediction and taken in up to {substeps.max()}"
        warnings.warn(f"walk: {text} shorter ones; raise steps to choose the points", RuntimeWarning, stacklevel=3)


def _check(length, steps, trust, halvings):
    if not (length > 0 and math.isfinite(length)):
        raise ValueError(f"length = {length} must be positive and finite: to go the other way, pass -v")
    if steps < 1 or halvings < 0 or not trust > 0:
        raise ValueError(f"steps = {steps} and trust = {trust} must be positive, halvings = {halvings} not negative")
