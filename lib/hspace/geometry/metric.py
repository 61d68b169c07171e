"""The pullback metric: how long, in H, a small step in X is."""

from functools import cached_property
from itertools import pairwise

import numpy as np
import torch

from hspace.geometry.maps import whitened
from hspace.jacobian import Jacobian
from hspace.krylov import ROUNDING, svd

DENSE = 4_000_000  # entries up to which a matrix is formed for rank and kernel
PROBES = 4  # random vectors that say how large J is


class PullbackMetric:
    """The metric that f pulls back from H to X at x: ⟨u, v⟩ = J u · J v, with the matrix JᵀJ, which is never formed.

    f, x: as for `Jacobian`.  whiten: W (q, m), see `whitened`; the metric is then JᵀWᵀW J.
    J: the `Jacobian` of f, or of W f. Directions are flat, (n,); lengths are floats in the units of H.
    A metric in the strict sense only where J has rank n. Elsewhere directions in the kernel of J have length zero.
    """

    def __init__(self, f, x, whiten=None):
        self.J = Jacobian(f if whiten is None else whitened(f, whiten), x)

    def push(self, v):
        """J v, (q,): the pushforward."""
        return self.J @ v

    def apply(self, v):
        """JᵀJ v, (n,)."""
        return self.J.T @ (self.J @ v)

    def inner(self, u, v):
        """J u · J v, a float."""
        Ju, Jv = (self.J @ torch.stack([u, v], 1)).double().T
        return (Ju @ Jv).item()

    def norm(self, v):
        """‖J v‖, a float: H length for a step v in X, to first order."""
        return self.push(v).double().norm().item()

    def angle(self, u, v):
        """The angle between J u and J v in radians, 0 to π, exact for small angles too (Kahan's formula).

        Raises ValueError where a direction lies in the kernel of J: nothing in H could have an angle.
        """
        a, b = self._unit(u), self._unit(v)
        return 2 * torch.atan2((a - b).norm(), (a + b).norm()).item()

    def in_kernel(self, v, tol=None):
        """Whether ‖J v‖ ≤ tol ‖J‖ ‖v‖: f does not see v.  ‖J‖: see `size`; tol: ROUNDING eps by default."""
        return self.norm(v) <= self._least(v, tol)

    @cached_property
    def size(self):
        """About ‖J‖, the root of the sum of squares of its entries: the root mean square of J v over PROBES random v.

        One alone would not do: where J has rank 1, it may by chance be nearly in the kernel.
        """
        draw = torch.randn(
            self.J.shape[1], PROBES, generator=torch.Generator().manual_seed(0), dtype=torch.float64, device="cpu"
        )
        return self.push(draw.to(self.J.dtype).to(self.J.device)).double().norm().item() / PROBES**0.5

    def rank(self, tol=None, k=None):
        """The numerical rank of J: how many singular values are above tol times the largest.

        tol: ROUNDING eps by default; through `svd` 1e-3.  k: more than the rank you expect. Then the first k triplets
            are computed; without it J is formed, which may have no more than DENSE entries.
        Raises ValueError where J is too large and k is not given, and where all k are above tol.
        """
        return self._row_space(tol, k).shape[1]

    def kernel(self, tol=None, k=None):
        """An orthonormal basis (n, n − rank) of the directions that f does not see.  tol, k: as for `rank`.

        Raises ValueError also where n² is above DENSE: `split` gives the kernel's part of a direction instead.
        """
        n = self.J.shape[1]
        if n * n > DENSE:
            raise ValueError(f"n = {n}: a basis of the kernel would hold up to {n * n} numbers; use split(v, k=...)")
        V = self._row_space(tol, k)
        return torch.linalg.qr(V, mode="complete").Q[:, V.shape[1] :]

    def split(self, v, tol=None, k=None):
        """v as a sum: the part that f sees, orthogonal to the kernel, and the kernel's part.  tol, k: as for `rank`."""
        V = self._row_space(tol, k)
        seen = V @ (V.T @ v)
        return seen, v - seen

    def _row_space(self, tol, k):
        """Right singular vectors (n, rank) of the singular values above tol."""
        if k is not None:
            return self._row_space_by_svd(1e-3 if tol is None else tol, k)
        m, n = self.J.shape
        if m * n > DENSE:
            raise ValueError(f"J has {m} × {n} entries, more than {DENSE}: pass k, more than the rank you expect")
        s, Vt = self._dense
        return Vt[s > self._tol(tol) * s[0]].T.to(self.J.dtype)

    @cached_property
    def _dense(self):
        """All singular values and right singular vectors, as rows, of J formed: kept, for rank, kernel and split."""
        return torch.linalg.svd(self.J.dense().double(), full_matrices=False)[1:]

    def _row_space_by_svd(self, tol, k):
        S = svd(self.J, k, tol=tol / 10)
        above = S.s > tol * S.s[0]
        if above.all() and k < min(self.J.shape):
            raise ValueError(f"all k = {k} singular values are above {tol:.1e} of the largest: pass a larger k")
        return S.V[:, above]

    def _tol(self, tol):
        return ROUNDING * torch.finfo(self.J.dtype).eps if tol is None else tol

    def _least(self, v, tol=None):
        """The H length up to which v counts as in the kernel."""
        return self._tol(tol) * self.size * v.norm().item()

    def _unit(self, v):
        """J v / ‖J v‖, float64."""
        Jv = self.push(v).double()
        if Jv.norm() <= self._least(v):
            text = f"a direction of length {v.norm():.2g} has length {Jv.norm():.2g} in H"
            raise ValueError(f"{text}: it lies in the kernel of J and has no angle; take its seen part, see `split`")
        return Jv / Jv.norm()


def chord_length(f, points, whiten=None):
    """Σ ‖f(x_{i+1}) − f(x_i)‖, a float: the length in H of a path (p, *x.shape), as by a ruler from point to point.

    Too short by a share that falls with the square of the points' distance.
    """
    _check_path(points)
    f = f if whiten is None else whitened(f, whiten)
    values = [Jacobian(f, x).y.double() for x in points]
    return torch.stack(values).diff(dim=0).norm(dim=1).sum().item()


def path_length(f, points, whiten=None, nodes=3):
    """∫ ‖J ẋ‖ dt, a float: the length in the metric of the path (p, *x.shape), straight in X from point to point.

    By Gauss and Legendre's rule with so many nodes a piece.
    """
    _check_path(points)
    at, weights = np.polynomial.legendre.leggauss(nodes)
    length = 0.0
    for a, b in pairwise(points):
        speeds = [PullbackMetric(f, a + (1 + s) / 2 * (b - a), whiten).norm((b - a).flatten()) for s in at]
        length += float(weights @ speeds) / 2
    return length


def _check_path(points):
    if len(points) < 2:
        raise ValueError(f"a path of {len(points)} points has no length: give at least two, stacked in (p, *x.shape)")
