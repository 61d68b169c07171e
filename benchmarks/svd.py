"""Four ways to the largest singular triplets of one operator: ours, the published one, PROPACK's, the exact one.

`compare` runs all in turn on the same operator, `main` on a model's Jacobian (`hspace bench svd`), and
`python -m benchmarks.svd` on that of a small random network.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse.linalg
import torch
from benchmarks.subspace_iteration import subspace_iteration

from hspace.jacobian import Jacobian
from hspace.krylov import svd


@dataclass(frozen=True)
class Row:
    """products with J or Jᵀ; seconds; worst relative error of k values; smallest cosine between the spaces of `cut`."""

    method: str
    products: int
    seconds: float
    error: float
    cosine: float
    converged: bool
    k: int
    cut: int


class Counted:
    """An operator of torch columns whose products are counted, J's and Jᵀ's together."""

    def __init__(self, operator, counts=None):
        self.operator, self.counts = operator, [0] if counts is None else counts
        self.shape, self.dtype = tuple(operator.shape), operator.dtype
        self.device = torch.device(getattr(operator, "device", "cpu"))

    @property
    def T(self):
        return Counted(self.operator.T, self.counts)

    def __matmul__(self, X):
        self.counts[0] += X.shape[1]
        return self.operator @ X


def exact_svd(operator):
    """(s, V) of the dense matrix: all min(m, n) values, float64, and the right singular vectors (n, min(m, n)).

    Through the eigenvectors of the smaller Gram matrix in float64: half the digits, eight, of the values that matter
    here, and a fraction of the time of an SVD.
    """
    J = operator.dense() if hasattr(operator, "dense") else operator
    J = J.double()
    m, n = J.shape
    squares, Q = torch.linalg.eigh(J.T @ J if n <= m else J @ J.T)
    s, Q = squares.flip(0).clamp_min(0).sqrt(), Q.flip(1)
    return s, Q if n <= m else J.T @ (Q / s.clamp_min(1e-8 * s[0]))


def cut(s, k):
    """The number of directions nearest to k, but no more, behind which the relative gap is at least 1 %."""
    return next((j for j in range(k, 0, -1) if s[j - 1] - s[j : j + 1].sum() >= 0.01 * s[j - 1]), k)


def compare(operator, k, exact=None, blocks=(2, 4, 8), show=True):
    """Rows of ours for each block, subspace iteration by its own rule and by 50 rounds, PROPACK, and the exact SVD.

    exact: what `exact_svd` returned, so that it is computed once. The cosine is the smallest between the spaces of the
    first `cut(s, k)` right singular vectors, where the exact space is well defined.
    """
    m, n = operator.shape
    started = time.perf_counter()
    s, V = exact_svd(operator) if exact is None else exact
    seconds, j = time.perf_counter() - started if exact is None else float("nan"), cut(s, k)
    rows = [Row("exact, dense", min(m, n), seconds, 0.0, 1.0, True, k, j)]

    def run(method, solve):
        counted = Counted(operator)
        started = time.perf_counter()
        values, vectors, converged = solve(counted)
        seconds = time.perf_counter() - started
        error = ((values.double().cpu() - s[:k].cpu()).abs() / s[:k].cpu()).max().item()
        spaces = [torch.linalg.qr(W[:, :j].double().cpu()).Q for W in (V, vectors)]
        cosine = torch.linalg.svdvals(spaces[0].T @ spaces[1]).min().item()
        rows.append(Row(method, counted.counts[0], seconds, error, cosine, converged, k, j))

    def ours(block):
        def solve(A):
            S = svd(A, k, block=block)
            return S.s, S.V, S.converged

        return solve

    def published(atol):
        def solve(A):
            S = subspace_iteration(A, k, atol=atol)
            return S.s, S.V, S.converged

        return solve

    for block in blocks:
        run(f"ours, block {block}", ours(block))
    run(f"subspace iteration, block {k}, its rule", published(1e-3))
    run(f"subspace iteration, block {k}, 50 rounds", published(0.0))
    run("PROPACK (scipy), tol 1e-3", lambda A: propack(A, k))
    if show:
        print(table(rows))
    return rows


def propack(A, k):
    """scipy's PROPACK: Golub-Kahan, one vector at a time, restarted implicitly. Returns (s, V, converged)."""

    def times(operator):
        def product(x):
            x = torch.from_numpy(np.ascontiguousarray(x).reshape(len(x), 1)).to(A.dtype).to(A.device)
            return (operator @ x)[:, 0].cpu().numpy()

        return product

    dtype = str(A.dtype).removeprefix("torch.")
    operator = scipy.sparse.linalg.LinearOperator(A.shape, matvec=times(A), rmatvec=times(A.T), dtype=dtype)
    generator = np.random.default_rng(0)
    try:
        _, s, Vh = scipy.sparse.linalg.svds(operator, k, tol=1e-3, solver="propack", rng=generator)
    except np.linalg.LinAlgError as error:
        print(f"PROPACK gave up: {error}", file=sys.stderr)
        return torch.zeros(k), torch.eye(A.shape[1], k), False
    order = np.argsort(-s)
    return torch.from_numpy(s[order].copy()), torch.from_numpy(Vh[order].T.copy()), True


def table(rows):
    """The rows as Markdown."""

    def line(r):
        numbers = f"{r.products} | {r.seconds:.1f} | {r.error:.0e} | {r.cosine:.6f}"
        return f"| {r.method} | {numbers} | {'yes' if r.converged else 'no'} |"

    error, cosine = f"worst σ error (k = {rows[0].k})", f"smallest cosine (k = {rows[0].cut})"
    head = f"| method | products | seconds | {error} | {cosine} | converged |"
    return "\n".join([head, "|---|---|---|---|---|---|", *map(line, rows)])


def main(model, k=50, t=600, seed=7, page=None):
    """Compare on the Jacobian of a diffusion model's h at timestep t; print the table, and write it into `page`."""
    J = model.jacobian(model.denoise(model.noise(seed), stop=t), t)
    rows = compare(J, k)
    if page is not None:
        machine = f"{torch.get_num_threads()} threads, {J.device.type.upper()}, torch {torch.__version__}"
        where = f"J of shape {J.shape[0]} × {J.shape[1]} at t = {t}, seed {seed}; k = {k}; {machine}."
        Path(page).write_text(f"# Benchmarks\n\n{where}\n\n{table(rows)}\n", encoding="utf-8")
    return rows


def small_network():
    """A convolutional network with random weights, (3, 24, 24) -> (32, 6, 6), and a point."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = [torch.nn.Conv2d(3, 24, 5, 2, 2), torch.nn.SiLU(), torch.nn.Conv2d(24, 32, 5, 2, 2), torch.nn.Tanh()]
        return torch.nn.Sequential(*layers).requires_grad_(False), torch.randn(1, 3, 24, 24)


if __name__ == "__main__":
    compare(Jacobian(*small_network()), 50)
