"""The published way to the directions of a diffusion model: subspace iteration with a block of k.

The algorithm of Park, Kwon, Choi, Jo and Uh (2023), "Understanding the Latent Space of Diffusion Models through the
Lens of Riemannian Geometry", and of its code (`local_encoder_pullback_xt` in enkeejunior1/Diffusion-Pullback), written
anew: k vectors made orthonormal by QR, pushed forward, pulled back, and turned by an SVD, until no entry of V
moves by more than `atol` in a round, or 50 rounds. The rule looks at V's entries, of which a picture has thousands, so
that each is small whatever V does: it says little about singular values and less about directions.
"""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Result:
    """U (m, k), s (k,), V (n, k), the rounds taken, whether the rule stopped them, and the products they cost."""

    U: torch.Tensor
    s: torch.Tensor
    V: torch.Tensor
    rounds: int
    converged: bool
    products: int


def subspace_iteration(operator, k, *, atol=1e-3, least=10, most=50, seed=0):
    """The k largest singular triplets of an operator (m, n), as the published code finds them; 2 k products a round.

    atol, least, most: the rule's threshold, the rounds it waits, the rounds in all; the code's function has 1e-3 and 10
    by default, and the script that edits pictures runs at most 50.
    """
    m, n = operator.shape
    if not 1 <= k <= min(m, n):
        raise ValueError(f"k = {k}: an operator of shape {(m, n)} has singular values 1 to {min(m, n)}")
    start = torch.randn(n, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    V = torch.linalg.qr(start).Q.to(operator.dtype).to(getattr(operator, "device", "cpu"))
    for i in range(most):
        before, U = V, operator @ V
        V, squares, _ = torch.linalg.svd(operator.T @ U, full_matrices=False)
        converged = i > least and torch.allclose(before, V, atol=atol)
        if converged:
            break
    # The published code returns J times the V of the round before, and scales its columns afterwards.
    return Result(U / U.norm(dim=0), squares.sqrt(), V, i + 1, converged, 2 * k * (i + 1))
