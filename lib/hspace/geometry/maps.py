"""Maps made of a map f: X → H. Whatever takes a function f takes these as well."""

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode


def whitened(f, W):
    """x ↦ W f(x), (q,): lengths and angles in H are then those of WᵀW.

    W (q, m): a tensor, or whatever has @ for the flattened f(x) and is differentiable. With W the inverse root of the
    covariance of h over many pictures, every direction of H counts in units of how much h varies along it.
    """
    return lambda x: W @ f(x).flatten()


def sheet(f, x, V):
    """z ↦ f(x + V z), for z (k,): the k-dimensional sheet in H through f(x). An immersion where f's J V has rank k.

    x: the point, in f's own shape, with n entries.  V (n, k): directions, such as right singular vectors at x.
    Raises ValueError where V does not have n rows.
    """
    if V.ndim != 2 or len(V) != x.numel():
        raise ValueError(f"V of shape {tuple(V.shape)}: through x of {x.numel()} entries needed is ({x.numel()}, k)")
    return lambda z: f(x + (V @ z).view(x.shape))


def graph(f, eps):
    """x ↦ (f(x), eps x), (m + n,): the graph of f over X scaled by eps, whose metric is JᵀJ + eps² I.

    An immersion for every f. eps: H length per X length; at least a twentieth of the largest singular value keeps
    geodesics in many dimensions affordable.  Raises ValueError for an eps that is not positive.
    """
    if not eps > 0:
        raise ValueError(f"eps = {eps} must be positive: with 0, directions in the kernel of J have no length")
    return lambda x: torch.cat([f(x).flatten(), eps * x.flatten()])


def twice_differentiable(f):
    """f itself, with SiLU and Mish written out: torch has no forward mode for the derivative of its fused kernels."""

    def run(x):
        with _WrittenOut():
            return f(x)

    return run


class _WrittenOut(TorchFunctionMode):
    """Within this context, on this thread: F.silu and F.mish as formulas. The values agree to rounding."""

    FORMULAS = {F.silu: lambda x: x * x.sigmoid(), F.mish: lambda x: x * F.softplus(x).tanh()}  # noqa: RUF012

    def __torch_function__(self, function, types, args=(), kwargs=None):
        formula = self.FORMULAS.get(function)
        return formula(args[0]) if formula else function(*args, **(kwargs or {}))
