"""Real models' sizes: ours against the published loop, where no dense Jacobian can be had to compare with.

So both are judged by residuals from fresh products, beside seconds, products and memory. `hspace bench svd
--architectures google/ddpm-ema-celebahq-256 --device cuda` takes the published configurations with random weights: a
product costs what it costs in the model; how many are needed depends on the spectrum, which is another. With `--model`
it is the model itself.
"""

import contextlib
import ctypes
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from benchmarks.subspace_iteration import subspace_iteration

from hspace import memory
from hspace.architectures import random_model
from hspace.krylov import svd

DENSE = 12_000  # rows or columns, the fewer: beyond, the exact SVD takes more than most machines have


@dataclass(frozen=True)
class Row:
    """products with J or Jᵀ; seconds; bytes in use at most, above those before; residuals, worst and median."""

    method: str
    products: int
    seconds: float
    memory: float
    worst: float
    median: float
    chunk: int


def measure(jacobian, k, blocks=(4, 8)):
    """Rows of ours for each block, and of subspace iteration with a block of k by its own rule.

    jacobian: a function without arguments that makes the `Jacobian` anew, so that no method finds the other's graph.
    """
    methods = {f"ours, block {block}": lambda J, block=block: svd(J, k, block=block) for block in blocks}
    methods[f"subspace iteration, block {k}, its rule"] = lambda J: subspace_iteration(J, k)
    return [run(name, solve, jacobian()) for name, solve in methods.items()]


def run(method, solve, J):
    """One `Row`. The residuals are measured afterwards, in products that are not counted."""
    wait(J.device)
    with peak(J.device) as most:
        started = time.perf_counter()
        S = solve(J)
        wait(J.device)
        seconds = time.perf_counter() - started
        used = most()
    products, found = J.products, residuals(J, S)
    return Row(method, products, seconds, used, found.max().item(), found.median().item(), J.chunk)


def residuals(J, S):
    """max(‖J v − s u‖, ‖Jᵀ u − s v‖) / s₁ of each triplet, (k,), from fresh products."""
    left, right = J @ S.V - S.U * S.s, J.T @ S.U - S.V * S.s
    return torch.maximum(left.norm(dim=0), right.norm(dim=0)) / S.s.max()


@contextlib.contextmanager
def peak(device):
    """Gives a function: the most bytes in use on the device since then, less those in use before; nan if unknown."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield lambda: torch.cuda.max_memory_allocated(device) - before
        return
    with contextlib.suppress(AttributeError, TypeError):  # only glibc has it, and Windows names no library None
        ctypes.CDLL(None).malloc_trim(0)  # what was freed and kept would be used again unseen
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # Linux then counts VmHWM anew
    before = _resident("VmRSS")
    yield lambda: _resident("VmHWM") - before


def _resident(name):
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(name)), math.nan)


def wait(device):
    """Let the device finish what it was told, before a clock is read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def table(rows):
    """The rows as Markdown."""
    head = "| method | products | seconds | memory, GiB | worst residual | median residual | columns at a time |"
    lines = [
        f"| {r.method} | {r.products} | {r.seconds:.1f} | {r.memory / memory.GIB:.2f} | {r.worst:.0e} | {r.median:.0e} "
        f"| {r.chunk} |"
        for r in rows
    ]
    return "\n".join([head, "|---|---|---|---|---|---|---|", *lines])


def compare(model, x, t, k, blocks=(4, 8), chunk=None):
    """The rows for a model at the state x; prints them, with what was predicted."""
    need = memory.predict(model, t, k, chunk=chunk, block=max(blocks))
    if chunk is None:
        chunk = min(memory.fit(need, memory.free(model.device) + need.weights), need.chunk)
        need = replace(need, chunk=chunk)
    rows = measure(lambda: model.jacobian(x, t, chunk=chunk), k, blocks)
    print(f"{model}\npredicted: {need}\n{table(rows)}\n")
    return rows


def main(names, k=50, t=600, seed=7, device="cpu", dtype=torch.float32, **changes):
    """Compare on each architecture with random weights, at a random state.  Returns {name: rows}.

    changes: of the configurations, to make them small.
    """
    found = {}
    for name in names:
        model = random_model(name, **changes).to(dtype).to(device)
        found[name] = compare(model, model.noise(seed), t, k)
    return found
