"""The Jacobian of a function at a point, as a linear operator: multiplied with, never formed.

J v by forward mode (Jacobian-vector products), Jᵀ u by reverse mode (vector-Jacobian products), each for a chunk of
columns at a time.
"""

import contextlib
import math

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

CHUNK = 16  # columns at a time, until memory runs out


class Jacobian:
    """∂f/∂x at x, with entries J[i, j] = ∂f(x)_i / ∂x_j, f(x) and x flattened: an operator of shape (m, n).

    J @ V, J.T @ U for V (n,) or (n, k), U (m,) or (m, k);  J.T.T is J;  J.products counts the columns of both.
    J.rounding: 0, or how far the two modes were found to disagree, where the function runs in 16 bits.
    x, y: the point, in its own shape, and f(x), flat (m,).  chunk: columns at a time; halved when memory runs out.

    f: a torch function of a float32 or float64 tensor, deterministic, which leaves gradients on. Where vmap cannot take
        its derivatives, give batched=False: one column at a time.
    Raises ValueError for x, f(x) or products that are not finite, and for wrong shapes, dtypes and devices.
    """

    def __init__(self, f, x, chunk=None, batched=True):
        if not isinstance(x, torch.Tensor) or x.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"x is {_kind(x)}; needed is a float32 or float64 tensor: x.float()")
        if chunk is not None and chunk < 1:
            raise ValueError(f"chunk = {chunk} must be at least 1")
        with _exact(), torch.no_grad():
            self.f, self.x, self.chunk, self.batched = f, x.clone(), chunk or CHUNK, batched
            _finite(self.x, "x")
            y = f(self.x)
        if not isinstance(y, torch.Tensor) or y.dtype != x.dtype or y.numel() == 0:
            raise ValueError(f"f(x) is {_kind(y)}; needed is a tensor of {x.dtype} like x, with at least one entry")
        _finite(y, "f(x)")
        self.y = y.detach().flatten()
        self.shape, self.dtype, self.device = (self.y.numel(), x.numel()), x.dtype, x.device
        self.products, self.rounding, self._graph = 0, 0.0, None

    @property
    def T(self):
        """Jᵀ, which pulls back: an operator of shape (n, m)."""
        return _Transposed(self)

    def __matmul__(self, V):
        return _columns(self, V, self._push, self.x.shape)

    def dense(self):
        """The matrix itself, (m, n), from min(m, n) products: for small ones, and as a reference."""
        m, n = self.shape
        side = self if n <= m else self.T
        J = torch.empty(side.shape, dtype=self.dtype, device=self.device)
        for i in range(0, min(m, n), CHUNK):
            part = J[:, i : i + CHUNK]
            units = torch.zeros(len(J.T), part.shape[1]).to(J)
            units[i : i + CHUNK].fill_diagonal_(1)
            part.copy_(side @ units)
        return J if n <= m else J.T

    def _push(self, V):
        """J v for the rows v of V (k, *x.shape). Under vmap the primal is evaluated once for all of them."""

        def push(v):
            return torch.func.jvp(self.f, (self.x,), (v,))[1]

        with _exact(), torch.no_grad():
            return torch.func.vmap(push)(V) if self.batched else torch.stack([push(v) for v in V])

    def _pull(self, U):
        """Jᵀ u for the rows u of U (k, m), through one graph that is built at the first call and kept."""
        with _exact(), torch.enable_grad():
            if self._graph is None:
                x = self.x.clone().requires_grad_()
                self._graph = x, self.f(x).flatten()
            x, y = self._graph
            if not y.requires_grad:
                raise ValueError("f(x) has no gradient: f detaches x, runs under no_grad, or is a constant")
            if self.batched:
                return torch.autograd.grad(y, x, U, is_grads_batched=True, retain_graph=True)[0]
            return torch.stack([torch.autograd.grad(y, x, u, retain_graph=True)[0] for u in U])


def mismatch(J, probes=5, seed=0):
    """How far J and Jᵀ are from being each other's adjoint, beside the largest singular value: about ‖E‖ / σ₁.

    The adjoint test ⟨J v, u⟩ = ⟨v, Jᵀ u⟩, for unit v near the strongest directions and Gaussian u, and the other way
    round: with u Gaussian the difference has the size of the whole error vector of J v, where one with a fixed unit u
    would average its entries away. In float32 about 1e-6, in bfloat16 1e-2.  Costs 2 probes + 4 products.
    """
    generator = torch.Generator().manual_seed(seed)

    def gaussian(size, columns):
        drawn = torch.randn(size, columns, generator=generator, dtype=torch.float32, device="cpu")
        return drawn.to(J.dtype).to(J.device)

    m, n = J.shape
    u = J @ torch.nn.functional.normalize(gaussian(n, 1), dim=0)
    v = torch.nn.functional.normalize(J.T @ u, dim=0)
    u = J @ v
    scale = u.norm()
    if not scale > 0:
        return 0.0
    U, V = gaussian(m, probes), gaussian(n, probes)
    pushed = U.T @ u - (J.T @ U).T @ v
    u = u / scale
    pulled = V.T @ (J.T @ u) - (J @ V).T @ u
    return (torch.maximum(pushed.square().mean(), pulled.square().mean()).sqrt() / scale).item()


class _Transposed:
    """Jᵀ, an operator of shape (n, m), which shares the counter of J."""

    def __init__(self, J):
        self.T, self.shape, self.dtype, self.device = J, J.shape[::-1], J.dtype, J.device

    @property
    def products(self):
        return self.T.products

    def __matmul__(self, U):
        return _columns(self.T, U, self.T._pull, self.T.y.shape, transposed=True)

    def dense(self):
        return self.T.dense().T


def _columns(J, V, product, shape, transposed=False):
    """Apply `product`, which takes (k, *shape), to the columns of V, chunk by chunk."""
    name, size = ("J.T", J.shape[0]) if transposed else ("J", J.shape[1])
    if not isinstance(V, torch.Tensor) or V.dtype != J.dtype or V.device != J.device:
        raise ValueError(f"{name} @ V with V {_kind(V)}: needed is a tensor of {J.dtype} on {J.device}; V.to(J.x)")
    if V.ndim not in (1, 2) or V.shape[0] != size:
        raise ValueError(f"{name} @ V with V of shape {tuple(V.shape)}: needed is ({size},) or ({size}, k)")
    rows = V.detach().reshape(size, -1).T.contiguous()
    done = [V.new_zeros(0, math.prod(J.shape) // size)]
    start = 0
    while start < len(rows):
        part = rows[start : start + J.chunk]
        try:
            out = product(part.reshape(len(part), *shape)).detach().reshape(len(part), -1)
        except RuntimeError as error:
            if len(part) == 1 or not _out_of_memory(error):
                raise
            out = None
        if out is None:  # not in the handler, which would keep what the failed product holds
            J.chunk = len(part) // 2
            torch.cuda.empty_cache()
            continue
        _finite(out, f"a product {name} @ V (f is not differentiable here, or V is not finite)")
        done.append(out)
        J.products += len(part)
        start += len(part)
    out = torch.cat(done).T
    return out[:, 0] if V.ndim == 1 else out


@contextlib.contextmanager
def _exact():
    """Full float32, attention that forward mode can differentiate, and no inference mode: restored afterwards."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.enter_context(full_float32())
        yield


@contextlib.contextmanager
def full_float32():
    """Inside, no float32 product is rounded to TF32 or bfloat16, on GPU or CPU, neither by torch's settings nor by an
    autocast entered around it. All is put back after.

    torch 2.9 gave the settings new names, and refuses to read an old name that a new one contradicts. So the old ones
    are set first where they can be read, and whoever reads them, inside or after, can.
    """
    matmul, cudnn, mkldnn = torch.backends.cuda.matmul, torch.backends.cudnn, torch.backends.mkldnn
    places = (matmul, cudnn.conv, cudnn.rnn, mkldnn.matmul, mkldnn.conv)
    before = [place.fp32_precision for place in places]
    try:
        old = torch.get_float32_matmul_precision(), cudnn.allow_tf32, matmul.allow_tf32
    except RuntimeError:  # somebody has used the new names
        old = None
    try:
        _set_float32(old and ("highest", False), places, ["ieee"] * len(places))
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            yield
    finally:
        _set_float32(old, places, before)


def _set_float32(old, places, new):
    if old is not None:
        torch.set_float32_matmul_precision(old[0])
        torch.backends.cudnn.allow_tf32 = old[1]
    for place, value in zip(places, new, strict=True):
        place.fp32_precision = value


def _out_of_memory(error):
    words = "out of memory", "not enough memory", "can't allocate memory"
    return isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in words)


def _finite(values, name):
    if not values.is_meta and not torch.isfinite(values).all():
        bad = (~torch.isfinite(values)).sum().item()
        raise ValueError(f"{name} holds NaN or inf in {bad} of {values.numel()} entries")


def _kind(value):
    return f"of {value.dtype} on {value.device}" if isinstance(value, torch.Tensor) else f"a {type(value).__name__}"
