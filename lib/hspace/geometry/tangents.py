"""Transport: the same direction at another point.

The k-dimensional tangent space at a point is the span of U in H, U Σ Vᵀ the first k singular triplets of the Jacobian
there. Two such spaces are compared through U'ᵀU, whose singular values are the cosines of the angles between them
(Björck and Golub 1973).
"""

from itertools import pairwise

import torch

from hspace.jacobian import full_float32
from hspace.krylov import ROUNDING, canonical_signs


@full_float32()
def transport(v, here, there):
    """Carry a direction from one point's tangent space to another's.

    Expresses u = J v in the k-dimensional tangent space at `here`, turns it by the polar factor of U'ᵀU (the rotation
    that fits the two spaces best, so lengths and angles in H are kept), and pulls it back with V' Σ'⁻¹. Along a path of
    small steps, `along`, this converges to parallel transport at second order. Between two pictures there is no path:
    the same function is then only the best fit of the two spaces; `principal_cosines` tells how good a one.

    v: (n,) in X, or (n, j) for several; its part outside the span of V is not carried.
    here, there: SVDs of the Jacobian at the two points, of the same k.  Returns (n,) or (n, j).
    Raises ValueError where v lies outside the span of V, where some of u is orthogonal to all of the space at `there`
    (nothing to turn it into), and where a singular value there may be zero.
    """
    u = here.coordinates(v)
    _check_seen(v, u, here)
    turn = polar(there.U.T @ here.U)
    _check_carried(u, u - turn.T @ (turn @ u))
    return there.pull(turn @ u)


def along(v, path):
    """Carry v (n,) or (n, j), a direction at the first point of a path, to all the others.

    path: SVDs of the Jacobian at p points, close together.  Returns (p, n) or (p, n, j), first v itself.
    Second order: half the distance between the points leaves a quarter of the error of parallel transport.
    """
    carried = [v]
    for here, there in pairwise(path):
        carried.append(transport(carried[-1], here, there))
    return torch.stack(carried)


@full_float32()
def principal_cosines(here, there):
    """Cosines of the k angles between two tangent spaces, largest first: all 1 for equal spaces, 0 for orthogonal."""
    return torch.linalg.svdvals(there.U.T @ here.U).clamp(max=1)


@full_float32()
def match(basis, like):
    """Turn a basis within its own span until its columns lie as near as they can to those of another.

    Singular vectors of neighbouring values turn from picture to picture and from machine to machine, while the space
    they span stays: compare the spaces, never two columns for their index. The turn is the polar factor of basisᵀ like,
    which solves the orthogonal Procrustes problem (Schönemann 1966).

    basis (n, k), like (n, j), j ≤ k: orthonormal columns, such as V or U of two `SVD`s.  Returns the turned basis
    (n, j) and the cosine of each of its columns with its partner, (j,): 0 where the span holds nothing of it.
    Raises ValueError for shapes that do not fit.
    """
    if basis.ndim != 2 or like.ndim != 2 or len(basis) != len(like) or like.shape[1] > basis.shape[1]:
        shapes = f"{tuple(basis.shape)} and {tuple(like.shape)}"
        raise ValueError(f"bases of shapes {shapes}: needed are (n, k) and (n, j), j at most k")
    turned = basis @ polar(basis.T @ like)
    return turned, (turned * like).sum(dim=0)


def mean_space(bases, k):
    """The k-dimensional space nearest to several: of all, the one with the largest mean squared cosines to them.

    The extrinsic mean on the Grassmannian (chordal distance), from the singular vectors of all bases side by side. Of
    the V of many pictures it gives directions that these have in common; of their U, common directions in H, which
    `S.pull(S.U.T @ Q)` pulls back to the picture with the SVD S.

    bases: several (n, k_i), orthonormal columns.  Returns Q (n, k), orthonormal, and shares (k,), falling: how much of
    each column lies in the given spaces on average, 1 where it lies in all of them.
    Raises ValueError where the bases have fewer than k columns together, or no common length.
    """
    bases = list(bases)
    if len({len(basis) for basis in bases}) != 1 or k > sum(basis.shape[1] for basis in bases) or k < 1:
        shapes = ", ".join(str(tuple(basis.shape)) for basis in bases[:4])
        raise ValueError(f"k = {k} of {len(bases)} bases ({shapes}): needed are (n, k_i) with k columns together")
    together = torch.cat(bases, dim=1).double()
    # Through the smaller Gram matrix: n may be a hundred times the number of columns.
    squares, Z = torch.linalg.eigh(together.T @ together)
    Q = torch.linalg.qr(together @ Z.flip(1)[:, :k]).Q
    return (Q * canonical_signs(Q)).to(bases[0]), (squares.flip(0)[:k] / len(bases)).to(bases[0])


def polar(M):
    """The orthogonal factor Q of M = Q P, P symmetric: the orthogonal matrix nearest to M (k', k).  Returns (k', k).

    Where singular values of M are zero, to rounding, any turn would do; Q takes those directions to zero instead.
    """
    W, cosines, Zt = torch.linalg.svd(M.double(), full_matrices=False)
    met = cosines > ROUNDING * torch.finfo(M.dtype).eps
    return (W[:, met] @ Zt[met]).to(M.dtype)


def _check_seen(v, u, here):
    """v and its coordinates u, column by column."""
    small = u.norm(dim=0) <= ROUNDING * torch.finfo(u.dtype).eps * here.s[0] * v.norm(dim=0)
    if small.any():
        text = f"a direction of length {v.norm(dim=0)[small].max():.2g} has none in the first {len(here.s)} dimensions"
        raise ValueError(f"{text}: it lies in the kernel of J or beyond; raise k, or take a combination of V's columns")


def _check_carried(u, lost):
    share = (lost.norm(dim=0) / u.norm(dim=0)).max().item()
    if share > ROUNDING * torch.finfo(u.dtype).eps:
        text = f"{share:.2g} of the direction is orthogonal to the whole tangent space at the other point"
        raise ValueError(f"{text}: nothing to turn it into; take points closer together, or a larger k at both")
