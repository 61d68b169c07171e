"""The largest singular values and vectors of an operator that is only ever multiplied with.

Golub and Kahan (1965), "Calculating the singular values and pseudo-inverse of a matrix", in blocks (Golub, Luk and
Overton 1981) and with full reorthogonalisation; Musco and Musco (2015) say why it needs so much less than subspace
iteration. The space grows by (m + n) numbers with every two products, and nothing is restarted.
"""

import math
import warnings
from dataclasses import dataclass

import torch

from hspace.jacobian import full_float32

NEARLY = 0.04  # of the k-th value: the residual of a triplet behind it that is nearly there
ROUNDING = 100  # times eps: what is smaller, beside the largest singular value, is taken for zero


@dataclass(frozen=True)
class SVD:
    """The k largest singular triplets of an operator A (m, n), largest first: A V ≈ U diag(s), Aᵀ U ≈ V diag(s).

    U (m, k), s (k,), V (n, k): orthonormal columns; the largest entry of each column of V is positive.
    residuals (k,): bounds on max(‖A v − s u‖, ‖Aᵀ u − s v‖) / s₁ from fresh products, see `_residuals`. Some singular
        value lies within residual · s₁ of s; how far the vectors turn is the residual over the distance to the next.
    gap: (s_k − s_{k+1}) / s_k, with s_{k+1} as the space behind the k-th knows it; nan if it has none.
    converged: every residual is at most tol, and the search did not end before larger values could have shown.
    products: with A or Aᵀ, columns counted, those of the check included.

    In the place of A, U Σ Vᵀ pushes directions into the span of U and pulls them back: `push`, `coordinates`, `pull`.
    """

    U: torch.Tensor
    s: torch.Tensor
    V: torch.Tensor
    residuals: torch.Tensor
    gap: float
    converged: bool
    products: int

    @full_float32()
    def coordinates(self, v):
        """A v within the span of U, in the basis U: Σ Vᵀ v, (k,) for v (n,) and (k, j) for v (n, j)."""
        return self.s.diag() @ (self.V.T @ _rows(v, len(self.V), "v"))

    @full_float32()
    def push(self, v):
        """A v within the span of U, (m,) or (m, j): all of A v where v, (n,) or (n, j), lies in the span of V."""
        return self.U @ self.coordinates(v)

    @full_float32()
    def pull(self, c):
        """The shortest v with A v = U c: V Σ⁻¹ c, (n,) for coordinates c (k,) and (n, j) for (k, j).

        Not the adjoint, which would be Aᵀ U c = V Σ c.
        Raises ValueError where a singular value is not above its residual, or ROUNDING: it may be zero.
        """
        sure = self.s > self.s[0] * self.residuals.clamp_min(ROUNDING * torch.finfo(self.s.dtype).eps)
        if not sure.all():
            first = sure.to(torch.uint8).argmin().item()
            value = f"singular value {first + 1} of {len(sure)} is {self.s[first]:.2g}, the largest {self.s[0]:.2g}"
            raise ValueError(f"{value}: it may be zero, to divide by; take k = {first} or, where not, a smaller tol")
        return self.V @ (self.s.reciprocal().diag() @ _rows(c, len(self.s), "c"))


@full_float32()
def svd(operator, k, tol=1e-3, *, block=4, V0=None, budget=None, seed=0, probes=5):
    """The k largest singular values and vectors of `operator`, from products alone.  Returns `SVD`.

    operator: a `Jacobian`, a dense tensor, or whatever has shape (m, n), @ and .T for torch tensors of columns.
    tol: bound on the residuals, in units of the largest singular value.
    block: columns multiplied at once. 2 needs the fewest products; 8 needs a quarter more and is the faster where a
        batch is cheap. 1 may miss one of two values that nearly agree.
    V0: (n, j) guesses at right singular vectors, such as those of a picture near by: where values fall slowly, they
        save products.
    budget: products allowed. Where they run out, `converged` is False and a RuntimeWarning says so.
    seed: of the random start, drawn on the CPU so that all devices have the same. No global random state is touched.
    probes: products a side that check the residuals; None checks each vector by itself, in 2 k products.
    Raises ValueError for what cannot be done, for products that are not finite, and for an operator whose `rounding`,
    as of a `Jacobian` in 16 bits, is above tol.
    """
    A = _Counted(operator, budget)
    if not 1 <= k <= min(A.shape):
        raise ValueError(f"k = {k}: an operator of shape {A.shape} has singular values 1 to {min(A.shape)}")
    if block < 1 or not tol > 0 or (probes is not None and probes < 1):
        raise ValueError(f"block = {block} and probes = {probes} must be at least 1, tol = {tol} positive")
    check_rounding(operator, tol)
    probes = probes if probes and probes < k else None
    check = 2 * (probes or k)
    if budget is not None and budget < 2 * k + check:
        raise ValueError(f"budget = {budget}: {k} triplets and their check need at least {2 * k + check} products")

    space = _Space(A, seed, reserve=check)
    space.expand(space.random(block) if V0 is None else space.guess(V0, block))
    # A guess may hold singular vectors, but the wrong ones. So the space must be deep enough to show the others, and a
    # few triplets behind the k-th must nearly be there: one that the guess lacked comes before them.
    least, few = (k, k) if V0 is None else (max(k, block * space.depth), min(k + block, *A.shape))
    near = 0.9 * tol  # a tenth is left for rounding
    done = False
    while (goal := space.unfinished(k, least, few, near)) or space.copies(k) >= space.fresh:
        if not space.room():
            break
        space.expand(space.next(*(goal or (k, near)), block))
        if not goal:
            # The Krylov space of b random vectors holds at most b copies of a repeated value: there may be more.
            space.follow(space.random(max(1, block // 2)))
    else:
        done = True
    return _triplets(space, k, tol, probes, done or space.V.shape[1] == A.shape[1])


def check_rounding(operator, tol):
    """ValueError where the operator's two products are known to disagree by more than tol, see `jacobian.mismatch`."""
    if (rounding := getattr(operator, "rounding", 0.0)) > tol:
        remedy = f"take the model in float32, or tol = {2 * rounding:.1g}"
        raise ValueError(f"J and its transpose disagree by {rounding:.1e} in 16 bits, above tol = {tol:.1e}: {remedy}")


def exact_svd(operator, k):
    """All singular values of a dense matrix or of an operator with `dense()`, and its first k right singular vectors.

    Returns s (min(m, n),) and V (n, k), float64. Through the eigenvectors of the smaller Gram matrix: half the digits
    of float64, eight, for the values that matter here, in a fraction of the time of an SVD. Of Alice minutes and 3 GB.
    """
    J = operator.dense() if hasattr(operator, "dense") else operator
    m, n = J.shape
    J = J.double()
    squares, Q = torch.linalg.eigh(J.T @ J if n <= m else J @ J.T)
    s, Q = squares.flip(0).clamp_min(0).sqrt(), Q.flip(1)[:, :k]
    return s, Q if n <= m else J.T @ (Q / s[:k].clamp_min(1e-8 * s[0]))


class _Counted:
    """An operator whose products are counted, and finite."""

    def __init__(self, operator, budget):
        self.operator, self.budget, self.products = operator, budget, 0
        self.shape = tuple(getattr(operator, "shape", ()))
        self.dtype = getattr(operator, "dtype", torch.float32)
        self.device = torch.device(getattr(operator, "device", "cpu"))
        if len(self.shape) != 2 or min(self.shape) < 1:
            raise ValueError(f"operator of shape {self.shape}: needed is (m, n), with at least one row and one column")
        if self.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"operator of dtype {self.dtype}: needed is torch.float32 or torch.float64")

    def times(self, X, adjoint=False):
        self.products += X.shape[1]
        if X.shape[1] == 0:
            return X.new_zeros(self.shape[adjoint], 0)
        Y = (self.operator.T if adjoint else self.operator) @ X
        if not torch.isfinite(Y).all():
            raise ValueError(f"a product with the operator of shape {self.shape} holds NaN or inf")
        return Y


class _Space:
    """A V = U B and Aᵀ U = V Bᵀ + F C, with U and [V F] orthonormal: all that the products so far say of A.

    V (n, d) and U (m, r) span the space, F (n, f) the directions that Aᵀ U leads to and V does not hold yet; B (r, d)
    and C (f, r) are float64 on the CPU. From a random block it is block Golub-Kahan, and f is the block.
    """

    def __init__(self, A, seed, reserve):
        (m, n), self.A, self.reserve, self.fresh, self.largest = A.shape, A, reserve, 0, 0.0
        self.V, self.F, self.U = (torch.zeros(size, 0, dtype=A.dtype, device=A.device) for size in (n, n, m))
        self.B = self.C = torch.zeros(0, 0, dtype=torch.float64, device="cpu")
        self.generator = torch.Generator().manual_seed(seed)
        self.depth = math.ceil(math.log(n))

    def room(self):
        """Columns that V may still grow by: within n and within the budget."""
        (n, d), A = self.V.shape, self.A
        return n - d if A.budget is None else min(n - d, (A.budget - A.products - self.reserve) // 2)

    def gaussian(self, rows, columns):
        return _like(self.V, _drawn(rows, columns, self.generator))

    def random(self, block):
        """Fresh directions (n, block), orthogonal to V and F; where these are all there is, some of F."""
        block = min(block, self.room())
        self.fresh += block
        _, X, _ = _split(self.gaussian(len(self.V), block), torch.cat([self.V, self.F], 1))
        return X if X.shape[1] else self.take(_shifted(self.F.shape[1], 0), block)

    def guess(self, V0, block):
        """Random combinations of the guesses, with 1 % of random directions so that nothing is left out.

        To multiply all guesses would cost more: theirs is no Krylov space, and each error is to be mended by itself.
        """
        if V0.ndim != 2 or len(V0) != len(self.V) or not V0.isfinite().all():
            raise ValueError(f"V0 of shape {tuple(V0.shape)}: needed is ({len(self.V)}, j), finite, one guess a column")
        X = self.random(block)
        _, V0, _ = _split(_like(X, V0), X[:, :0])
        return V0 @ self.gaussian(V0.shape[1], X.shape[1]) / math.sqrt(V0.shape[1] or 1) + 0.01 * X

    def take(self, Z, block):
        """Turn F by Z and take its first columns out."""
        block = min(block, self.room())
        F, C = self.F @ _like(self.F, Z), Z.T @ self.C
        self.F, self.C = F[:, block:], C[block:]
        return F[:, :block]

    def expand(self, X):
        """Take X (n, b), orthogonal to F, into V; multiply, and keep what the two products add."""
        _, X, _ = _split(X, self.V)
        H, Q, R = _split(self.A.times(X), self.U, self.largest)
        self.B, self.V, self.U = _bordered(self.B, H, R), torch.cat([self.V, X], 1), torch.cat([self.U, Q], 1)
        self.P, self.s, self.Qt = torch.linalg.svd(self.B)
        self.largest = max([self.largest, *self.s.tolist()])
        H, Y, R = _split(self.A.times(Q, adjoint=True), torch.cat([self.V, self.F], 1), self.largest)
        self.C, self.F = _bordered(self.C, H[self.V.shape[1] :], R), torch.cat([self.F, Y], 1)

    def estimates(self, k):
        """‖Aᵀ u − s v‖ of the first k Ritz triplets, which is ‖C p‖; ‖A v − s u‖ is zero by construction."""
        return (self.C @ self.P[:, :k]).norm(dim=0)

    def settled(self, k, least, tol):
        """Whether k triplets are done, and Uᵀ A [V F] = [B Cᵀ], which knows more of A than B, has no other values."""
        if self.V.shape[1] < least or (self.estimates(k) > tol * self.largest).any():
            return False
        more = torch.linalg.svdvals(torch.cat([self.B, self.C.T], 1))[:k] - self.s[:k]
        return not (more > tol * self.largest).any()

    def unfinished(self, k, least, few, tol):
        """How many triplets are to be worked at, and to which tolerance; None where the first k and `few` are done."""
        if not self.settled(k, least, tol):
            return k, tol
        smallest = self.s[k - 1].item() if len(self.s) >= k else 0.0
        loose = max(tol, NEARLY * smallest / (self.largest or 1.0))
        return None if self.settled(few, few, loose) else (few, loose)

    def next(self, k, tol, block):
        """The directions that the unfinished Ritz triplets miss most; fresh ones if none is known."""
        if self.F.shape[1] == 0:
            return self.random(block)
        unfinished = self.estimates(k) > tol * self.largest
        missed = self.C @ (self.P[:, :k][:, unfinished] if unfinished.any() else self.P)
        return self.take(torch.linalg.eigh(missed @ missed.T)[1].flip(1), block)

    def copies(self, k):
        """How often one of the first k values may be repeated, as far as the estimates can tell."""
        s, e = _padded(self.s[:k], k), _padded(self.estimates(k), k)
        near = s[:, None] - s <= e[:, None] + e + ROUNDING * torch.finfo(self.A.dtype).eps * self.largest
        return int(near.triu().sum(1).max())

    def follow(self, X):
        """Krylov steps from X alone: about log n show a large value X has a part in (Kuczyński, Woźniakowski 1992)."""
        for _ in range(self.depth):
            f = self.F.shape[1]
            self.expand(X)
            new = self.F.shape[1] - f
            X = self.take(_shifted(f + new, new), new)
        self.expand(X)


def _triplets(space, k, tol, probes, done):
    """The first k Ritz triplets of the space, with signs, residuals and gap.

    done: whether the search ended by itself, and no value can be missing among them.
    """
    A, P, s, d = space.A, space.P[:, :k], _like(space.V, _padded(space.s[:k], k)), space.V.shape[1]
    V = space.V @ _like(space.V, space.Qt[:k].T)
    U = space.U @ _like(space.U, P)
    U = torch.cat([U, _split(space.gaussian(len(U), k - U.shape[1]), U)[1]], 1)  # for zero singular values, any
    expected = space.F @ _like(space.F, torch.cat([space.C @ P, P.new_zeros(len(space.C), k - P.shape[1])], 1))
    signs = canonical_signs(V)
    U, V, expected = U * signs, V * signs, expected * signs

    scale = space.largest or 1.0  # residuals of the zero operator are absolute
    residuals = _residuals(space, U, s, V, expected, probes) / scale
    affordable = A.budget is None or A.products + 2 * k <= A.budget
    if probes and affordable and residuals.max() > tol >= expected.norm(dim=0).max() / scale:
        residuals = _residuals(space, U, s, V, expected, None) / scale  # the bound was too coarse for this tol
    small = bool((residuals <= tol).all())
    if not small:
        reached = f"svd: residuals up to {residuals.max():.1e}, above tol = {tol:.1e}, after {A.products} products"
        warnings.warn(f"{reached}: raise budget or tol, or take float64", RuntimeWarning, stacklevel=4)
    elif not done:
        ended = f"svd: a value may be missing, such as a repeated one, after a budget of {A.budget} products"
        warnings.warn(f"{ended}: raise budget", RuntimeWarning, stacklevel=4)
    behind = _padded(space.s, d)[k].item() if d > k else 0.0 if k == min(A.shape) else math.nan
    gap = 1 - behind / space.s[k - 1].item() if s[-1] > 0 else 0.0
    return SVD(U, s, V, residuals, gap, small and done, A.products)


def _residuals(space, U, s, V, expected, probes):
    """max(‖A v − s u‖, ‖Aᵀ u − s v‖) of each triplet, (k,), from fresh products.

    probes None: by one product for each u and v. Else the space's own word, that A V − U S is zero and Aᵀ U − V S is
    `expected`, is checked with fresh products of V G and U G, G Gaussian (k, probes): where it is wrong by R, every
    column of R is at most 10 √(2/π) max ‖R g‖, but for a probability of 10^-probes (Halko, Martinsson and Tropp 2011,
    eq. 4.3), and this is added. So ten products certify fifty triplets.
    """
    k = len(s)
    G = torch.eye(k).to(U) if probes is None else space.gaussian(k, probes)
    left = space.A.times(V @ G) - U @ (s[:, None] * G)
    right = space.A.times(U @ G, adjoint=True) - V @ (s[:, None] * G)
    if probes is None:
        return torch.maximum(left.norm(dim=0), right.norm(dim=0))
    wrong = max(left.norm(dim=0).max(), (right - expected @ G).norm(dim=0).max())
    return expected.norm(dim=0) + 10 * math.sqrt(2 / math.pi) * wrong


def canonical_signs(V):
    """±1 that make the largest entry of each column positive; of entries that rounding could swap, the first counts."""
    first = (V.abs() >= 0.999 * V.abs().amax(dim=0)).to(torch.uint8).argmax(dim=0)
    return torch.where(V.gather(0, first[None])[0] < 0, -1.0, 1.0).to(V)


def _split(Y, Q, scale=0.0):
    """Y = Q H + X R, X orthonormal and orthogonal to Q, without directions that are rounding of scale, or of Y.

    Gram-Schmidt twice is enough (Kahan, in Parlett 1980); once more for the directions that came out short.
    Returns H (float64, CPU), X, R (float64, CPU).
    """
    H = Q.T @ Y
    scale = max([scale, *Y.norm(dim=0).tolist()])
    Y = Y - Q @ H
    again = Q.T @ Y
    Y = Y - Q @ again
    X, size, _ = torch.linalg.svd(Y, full_matrices=False)
    X = X[:, size > 30 * torch.finfo(Y.dtype).eps * scale]
    X = torch.linalg.qr(X - Q @ (Q.T @ X)).Q
    return (H + again).cpu().double(), X, (X.T @ Y).cpu().double()


def _drawn(rows, columns, generator):
    """Gaussian numbers (rows, columns), float64, on the CPU whatever torch's default device is."""
    return torch.randn(rows, columns, generator=generator, dtype=torch.float64, device="cpu")


def _shifted(size, by):
    """The identity (size, size) with its columns moved on, float64, on the CPU."""
    return torch.eye(size, dtype=torch.float64, device="cpu").roll(by, 1)


def _bordered(M, H, R):
    """[[M, H], [0, R]]"""
    return torch.cat([torch.cat([M, H], 1), torch.cat([R.new_zeros(len(R), M.shape[1]), R], 1)])


def _rows(X, size, name):
    if X.ndim not in (1, 2) or len(X) != size:
        raise ValueError(f"{name} of shape {tuple(X.shape)}: needed is ({size},) or ({size}, j)")
    return X


def _padded(s, k):
    return torch.cat([s, s.new_zeros(k - len(s))])


def _like(Y, X):
    return X.to(Y.dtype).to(Y.device)
