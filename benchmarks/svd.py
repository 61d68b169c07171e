"""Four ways to the largest singular triplets of one operator: ours, the published one, PROPACK's, the exact one.

`compare` runs all in turn on the same operator, `main` on a model's Jacobian (`hspace bench svd`), and
`python -m benchmarks.svd` on that of a small random network.
"""

import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse.linalg
import torch
from benchmarks import large
from benchmarks.subspace_iteration import subspace_iteration

from hspace.files import write
from hspace.jacobian import Jacobian
from hspace.krylov import exact_svd, svd


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
    s, V = exact_svd(operator, k) if exact is None else exact
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
    """The rows as Markdown; the seconds also as a ratio to ours with block 4, which is the default."""
    ours = next((r.seconds for r in rows if r.method == "ours, block 4"), float("nan"))

    def line(r):
        numbers = f"{r.products} | {r.seconds:.1f} | {r.seconds / ours:.1f} | {r.error:.0e} | {r.cosine:.6f}"
        return f"| {r.method} | {numbers} | {'yes' if r.converged else 'no'} |"

    error, cosine = f"worst σ error (k = {rows[0].k})", f"smallest cosine (k = {rows[0].cut})"
    head = f"| method | products | seconds | times ours | {error} | {cosine} | converged |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *map(line, rows)])


def machine(device):
    """What the figures were measured on, in words."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"


PAGE = """# Benchmarks

<!-- Written by `hspace bench svd --page book/benchmarks.md`. Do not edit. -->

How many products with the Jacobian and its transpose does it take to find Alice's {k} strongest directions, and how
right are they? All rows were measured in one run, one after the other, on the same operator: {m} × {n}
at t = {t}, seed {seed}.

{table}

*Products* are Jacobian-vector and vector-Jacobian products together, those of the final check included. *Times ours*
compares the seconds with our default, a block of four. The *σ error* is the largest relative error of the {k} values,
the *cosine* that of the largest angle to the exact space of the first {cut} directions, behind which the spectrum has a
step of at least 1 %. *Subspace iteration* is the algorithm of the published pullback code, with a block of {k}: once
until its own rule stops it, once for all of its 50 rounds.

Machine: {machine}. To measure again: `hspace bench svd`, in a checkout of the repository.
"""


def main(model, k=50, t=600, seed=7, page=None):
    """Compare on the Jacobian of a diffusion model's h at timestep t; print the table, and write it into `page`.

    Where it is too large for the exact SVD, without that and without a page: see `benchmarks.large`.
    """
    x = model.denoise(model.noise(seed), stop=t)
    J = model.jacobian(x, t)
    if min(J.shape) > large.DENSE:
        return large.compare(model, x, t, k)
    rows = compare(J, k)
    if page is not None:
        told = {"k": k, "t": t, "seed": seed, "m": J.shape[0], "n": J.shape[1], "cut": rows[0].cut}
        text = PAGE.format(table=table(rows), machine=machine(J.device), **told)
        write(Path(page), lambda beside: beside.write_text(text, encoding="utf-8"))
    return rows


def small_network():
    """A convolutional network with random weights, (3, 24, 24) -> (32, 6, 6), and a point."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = [torch.nn.Conv2d(3, 24, 5, 2, 2), torch.nn.SiLU(), torch.nn.Conv2d(24, 32, 5, 2, 2), torch.nn.Tanh()]
        return torch.nn.Sequential(*layers).requires_grad_(False), torch.randn(1, 3, 24, 24)


if __name__ == "__main__":
    compare(Jacobian(*small_network()), 50)
