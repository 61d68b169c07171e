import math
import warnings

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse.linalg
import torch
from benchmarks.svd import compare, cut
from hypothesis import given, settings
from hypothesis import strategies as st

from hspace.jacobian import Jacobian
from hspace.krylov import exact_svd, svd


def matrix(m, n, values, seed=0, dtype=torch.float64):
    """A dense (m, n) matrix with the singular values prescribed, the rest zero."""
    g = torch.Generator().manual_seed(seed)
    U, V = (torch.linalg.qr(torch.randn(size, len(values), generator=g, dtype=torch.float64)).Q for size in (m, n))
    return (U * torch.tensor(values, dtype=torch.float64) @ V.T).to(dtype)


def check(A, S, k, rtol=1e-8):
    """Against LAPACK: values, orthonormality, and the reported residuals against those of the dense matrix."""
    exact = torch.from_numpy(scipy.linalg.svdvals(A.double().numpy()))[:k]
    scale = exact[0].item() or 1.0
    assert S.converged and S.U.shape == (A.shape[0], k) and S.V.shape == (A.shape[1], k)
    assert (S.s.double() - exact).abs().max() <= rtol * scale
    for Q in (S.U, S.V):
        assert (Q.T @ Q - torch.eye(k).to(Q)).abs().max() <= 1e-5
    left, right = (A @ S.V - S.U * S.s).norm(dim=0), (A.T @ S.U - S.V * S.s).norm(dim=0)
    rounding = 30 * torch.finfo(A.dtype).eps
    assert (torch.maximum(left, right) / scale <= S.residuals + rounding).all()


class Counting:
    """Only what the docstring asks of an operator; it counts, and knows nothing else."""

    def __init__(self, A, counts=None):
        self.A, self.shape, self.counts = A, tuple(A.shape), [0] if counts is None else counts
        self.dtype = A.dtype

    def __matmul__(self, X):
        self.counts[0] += X.shape[1]
        return self.A @ X

    @property
    def T(self):
        return Counting(self.A.T, self.counts)


SPECTRA = {
    "gaps": (40, 60, [2.0**-i for i in range(20)], 5),
    "slow decay": (80, 60, [20 * i**-0.27 for i in range(1, 61)], 10),
    "pairs": (50, 40, [10 - i // 2 for i in range(18)], 7),
    "tight cluster": (50, 60, [9.0, 8.0 + 1e-7, 8.0, 8.0 - 1e-7, *(5 - 0.1 * i for i in range(30))], 5),
    "repeated ten times": (80, 120, [10.0] * 10 + [5 - 0.05 * i for i in range(60)], 15),
    "repeated, no gap behind": (80, 120, [10.0] * 10 + [9.9 - 0.05 * i for i in range(60)], 12),
    "repeated across k": (80, 120, [20.0, 15.0] + [10.0] * 7 + [5 - 0.05 * i for i in range(60)], 6),
    "identity": (30, 30, [1.0] * 30, 7),
    "rank below k": (30, 40, [3.0, 2.0, 1.0], 10),
    "zero": (10, 12, [0.0], 4),
    "zero, full": (10, 12, [0.0], 10),
    "full rank, wide": (20, 33, [20.0 - i for i in range(20)], 20),
    "full rank, tall": (33, 20, [20.0 - i for i in range(20)], 20),
    "one row": (1, 50, [3.0], 1),
    "one column": (50, 1, [3.0], 1),
    "one number": (1, 1, [2.0], 1),
    "1e-9 beside 2": (3, 2, [2.0, 1e-9], 2),
}


@pytest.mark.parametrize("block", [2, 4, 8])
@pytest.mark.parametrize("name", SPECTRA)
def test_prescribed_spectra(name, block):
    m, n, values, k = SPECTRA[name]
    for seed in range(3):
        A = matrix(m, n, values, seed)
        check(A, svd(A, k, tol=1e-7, block=block, seed=seed), k)
        check(A.float(), svd(A.float(), k, tol=1e-4, block=block, seed=seed), k, rtol=1e-5)


def test_repeated_value_in_a_large_space():
    """Six copies among 500 values, with blocks that hold two: nothing runs out, so the copies must be looked for."""
    A = matrix(600, 800, [10.0] * 6 + [6 * 0.99**i for i in range(494)])
    S = svd(A, 10, block=2)
    check(A, S, 10, rtol=1e-5)
    assert S.products < 400


@settings(deadline=None, max_examples=40)
@given(
    m=st.integers(1, 25),
    n=st.integers(1, 25),
    share=st.floats(0, 1),
    block=st.integers(1, 9),
    seed=st.integers(0, 99),
    probes=st.sampled_from([1, 5, None]),
)
def test_any_shape(m, n, share, block, seed, probes):
    k = 1 + int(share * (min(m, n) - 1))
    A = torch.randn(m, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    check(A, svd(A, k, tol=1e-8, block=block, seed=seed, probes=probes), k)


def test_agrees_with_propack():
    A = matrix(150, 200, [10 * 0.97**i for i in range(150)])
    operator = scipy.sparse.linalg.aslinearoperator(A.numpy())
    U, s, Vh = scipy.sparse.linalg.svds(operator, 8, solver="propack", rng=np.random.default_rng(0))
    S = svd(A, 8, tol=1e-9)
    assert np.allclose(S.s.numpy(), np.sort(s)[::-1], rtol=1e-10)
    assert scipy.linalg.svdvals(S.V.T.numpy() @ Vh.T).min() > 1 - 1e-8
    assert scipy.linalg.svdvals(S.U.T.numpy() @ U).min() > 1 - 1e-8


def test_of_a_jacobian():
    A = matrix(40, 60, [2.0**-i for i in range(30)], dtype=torch.float32)
    x = 0.1 * torch.ones(3, 4, 5)
    J = Jacobian(lambda x: torch.sin(A @ x.flatten()).view(5, 8), x)
    S = svd(J, 4)
    assert S.products == J.products
    check(J.dense(), S, 4, rtol=1e-4)


def alice_like(m=700, n=1000):
    """Alice's kind of spectrum: 22 … 7.7 over fifty values, neighbours 1 % apart, and a long tail."""
    return torch.tensor([22 * i**-0.27 for i in range(1, m + 1)])


class Diagonal:
    """diag(values) as a wide matrix; a random start makes it as hard as any other of these values."""

    def __init__(self, values, shape):
        self.values, self.shape, self.dtype = values, shape, values.dtype

    def __matmul__(self, X):
        Y = X.new_zeros(self.shape[0], X.shape[1])
        Y[: len(self.values)] = self.values[:, None] * X[: len(self.values)]
        return Y

    @property
    def T(self):
        return Diagonal(self.values, self.shape[::-1])


@pytest.mark.parametrize(("block", "most"), [(2, 320), (4, 370), (8, 400)])
def test_products_on_a_spectrum_like_alices(block, most):
    values = alice_like()
    S = svd(Diagonal(values, (700, 1000)), 50, block=block)
    assert S.converged and S.products <= most
    assert ((S.s - values[:50]) / values[:50]).abs().max() <= 1e-4
    assert torch.linalg.svdvals(S.V[:50, :40].double()).min() >= 0.9999  # the first 40 lie within the exact 50


def test_counts_what_it_multiplies():
    A = Counting(matrix(60, 50, [10 * 0.9**i for i in range(50)]))
    S = svd(A, 10)
    assert S.products == A.counts[0]
    assert svd(A, 10, probes=None).products == A.counts[0] - S.products == S.products - 10 + 20


def test_residuals_one_by_one_and_by_probes():
    A = matrix(100, 120, [10 * 0.95**i for i in range(100)])
    one, probes = svd(A, 10, probes=None), svd(A, 10)
    exact = torch.maximum((A @ one.V - one.U * one.s).norm(dim=0), (A.T @ one.U - one.V * one.s).norm(dim=0)) / 10
    torch.testing.assert_close(one.residuals, exact, rtol=1e-4, atol=1e-12)
    torch.testing.assert_close(probes.residuals, exact, rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("probes", [5, None])
def test_residuals_catch_an_operator_that_changes(probes):
    A = matrix(60, 50, [10 * 0.9**i for i in range(50)])

    class Drifting(Counting):
        def __matmul__(self, X):
            return super().__matmul__(X) * (1 if self.counts[0] < 30 else 1.02)

    with pytest.warns(RuntimeWarning, match="residuals up to"):
        assert not svd(Drifting(A), 10, probes=probes).converged


def test_residuals_catch_a_transpose_that_is_none():
    A = matrix(50, 50, [10 * 0.9**i for i in range(50)])

    class Wrong(Counting):
        T = property(lambda self: Counting(self.A.T + 0.05 * torch.eye(50, dtype=self.dtype), self.counts))

    with pytest.warns(RuntimeWarning):
        S = svd(Wrong(A), 5)
    assert not S.converged and S.residuals.max() > 1e-3


def test_gap():
    A = matrix(60, 50, [8.0, 6.0, 5.0, 3.0] + [2 * 0.9**i for i in range(40)])
    gaps = [svd(A, k, tol=1e-6).gap for k in (1, 2, 3)]
    assert gaps == pytest.approx([0.25, 1 / 6, 0.4], rel=1e-6)
    assert svd(matrix(5, 6, [3.0, 2.0, 1.0, 1.0, 1.0]), 5).gap == 1.0
    assert svd(matrix(30, 40, [3.0, 2.0]), 4).gap == 0.0


def test_signs_are_canonical():
    A = matrix(40, 30, [2.0**-i for i in range(20)])
    S = svd(A, 6, tol=1e-9)
    largest = S.V.abs().argmax(dim=0)
    assert (S.V.gather(0, largest[None]) > 0).all()
    other = svd(A, 6, tol=1e-9, block=3, seed=5)
    torch.testing.assert_close(other.V, S.V, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(other.U, S.U, rtol=1e-6, atol=1e-6)


def test_signs_where_two_entries_tie():
    v = torch.tensor([0.1, -1.0, 1.0, 0.1], dtype=torch.float64)
    vectors = [
        svd(torch.outer(torch.ones(3).double(), v + nudge * torch.eye(4)[1]), 1, seed=seed).V
        for seed, nudge in enumerate((0.0, 1e-6, -1e-6))
    ]
    assert all(V[1] > 0 for V in vectors)


def test_seed_decides_all():
    A = matrix(60, 50, [10 * 0.9**i for i in range(50)])
    state, first = torch.random.get_rng_state(), svd(A, 5, seed=3)
    torch.rand(7)
    again, other = svd(A, 5, seed=3), svd(A, 5, seed=4)
    assert torch.equal(first.V, again.V) and torch.equal(first.residuals, again.residuals)
    assert not torch.equal(first.V, other.V)
    torch.random.set_rng_state(state)
    svd(A, 5, V0=first.V)
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize(("change", "share"), [(0.0, 0.9), (0.01, 0.95), (0.05, 0.95)])
def test_warm_start_saves_products(change, share):
    A = matrix(200, 300, [22 * i**-0.27 for i in range(1, 201)])
    other = torch.randn(200, 300, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    B = A + change * 22 * other / torch.linalg.matrix_norm(other, 2)
    cold, warm = svd(B, 30), svd(B, 30, V0=svd(A, 30).V)
    check(B, warm, 30, rtol=1e-4)
    assert warm.products < share * cold.products


@pytest.mark.parametrize("lacking", [(48, 49), (44, 49), (0, 30)])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_warm_start_that_lacks_a_few(lacking, noise):
    """Guesses of another place, where values have crossed at the k-th: the ones that are lacking must be found."""
    A = matrix(600, 700, [22 * i**-0.27 for i in range(1, 601)])
    Vh = torch.linalg.svd(A, full_matrices=False).Vh
    draw = torch.randn(700, 50, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    V0 = Vh[[i for i in range(52) if i not in lacking]].T + noise * draw / 700**0.5
    check(A, svd(A, 50, V0=V0), 50, rtol=1e-4)


def test_a_budget_that_ends_the_search_for_repeated_values_says_so():
    """Nine equal values: within the budget all residuals are small, and some of the six asked for may be missing."""
    A = matrix(60, 50, [3.0] * 9 + [1.0 * 0.9**i for i in range(41)])
    free = svd(A, 6)
    assert free.converged and free.s.min() == pytest.approx(3)
    short = 0
    for budget in range(24, free.products):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            S = svd(A, 6, budget=budget)
        assert S.converged == (not said) and (not S.converged or S.s.min() == pytest.approx(3))
        short += any("a value may be missing" in str(one.message) for one in said)
    assert short


def test_what_torch_is_set_to_changes_nothing():
    """TF32 or bfloat16 allowed, an autocast around, another default dtype: the same triplets to the bit."""
    A = matrix(60, 80, [10 * 0.9**i for i in range(60)], dtype=torch.float32)
    plain, settings = svd(A, 5), torch.backends.mkldnn.matmul
    before = settings.fp32_precision
    try:
        settings.fp32_precision = "bf16"
        torch.set_default_dtype(torch.float64)
        with torch.autocast("cpu", torch.bfloat16):
            assert (A @ A.T).dtype == torch.bfloat16
            loose = svd(A, 5)
            pushed = loose.push(loose.V[:, 0])
    finally:
        settings.fp32_precision = before
        torch.set_default_dtype(torch.float32)
    assert torch.equal(loose.V, plain.V) and torch.equal(loose.s, plain.s) and pushed.dtype == torch.float32


@pytest.mark.parametrize("columns", [slice(3, 8), slice(3, 4), slice(0, 2)])
def test_warm_start_that_misleads(columns):
    """Exact singular vectors, but not the largest: an invariant space, in which every residual is small."""
    A = matrix(100, 120, [10 * 0.9**i for i in range(100)])
    V0 = torch.linalg.svd(A).Vh[columns].T
    check(A, svd(A, 5, V0=V0), 5, rtol=1e-5)
    check(A, svd(A, 1, V0=V0), 1, rtol=1e-5)
    check(A, svd(A, 1, tol=0.05, V0=V0), 1, rtol=0.01)


def test_warm_start_with_nothing_in_it():
    A = matrix(40, 50, [10 * 0.9**i for i in range(40)])
    check(A, svd(A, 5, V0=torch.zeros(50, 3)), 5, rtol=1e-5)
    check(A, svd(A, 5, V0=torch.ones(50, 60)), 5, rtol=1e-5)


@pytest.mark.parametrize("V0", [torch.ones(50), torch.ones(40, 2), torch.full((50, 2), math.nan)])
def test_wrong_warm_start(V0):
    with pytest.raises(ValueError, match=r"V0 of shape .*\(50, j\)"):
        svd(torch.ones(40, 50), 2, V0=V0)


@pytest.mark.parametrize("budget", [30, 41, 80])
def test_budget_is_kept(budget):
    A = Counting(matrix(200, 300, [22 * i**-0.27 for i in range(1, 201)]))
    with pytest.warns(RuntimeWarning, match="raise budget"):
        S = svd(A, 10, budget=budget)
    assert A.counts[0] == S.products <= budget and S.products > budget - 10
    assert not S.converged and S.residuals.max() > 1e-3 and torch.isfinite(S.residuals).all()
    check(A.A, S.__class__(**{**vars(S), "converged": True}), 10, rtol=1)  # orthonormal, and the residuals true


def test_budget_that_suffices():
    A = matrix(60, 50, [10 * 0.9**i for i in range(50)])
    free = svd(A, 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert svd(A, 5, budget=free.products).products == free.products


def test_tolerance_below_rounding_is_admitted():
    A = matrix(60, 50, [10 * 0.9**i for i in range(50)], dtype=torch.float32)
    with pytest.warns(RuntimeWarning, match="float64"):
        S = svd(A, 5, tol=1e-9)
    assert not S.converged and S.residuals.max() < 1e-5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k = 0.*1 to 4"),
        ({"k": 5}, r"k = 5: an operator of shape \(4, 6\)"),
        ({"k": 2, "tol": 0}, "tol = 0 positive"),
        ({"k": 2, "tol": math.nan}, "tol = nan"),
        ({"k": 2, "block": 0}, "block = 0"),
        ({"k": 2, "probes": 0}, "probes = 0"),
        ({"k": 2, "budget": 7}, "budget = 7: .* at least 8"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        svd(torch.ones(4, 6), **arguments)


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (torch.ones(3), r"shape \(3,\)"),
        (torch.ones(3, 0), r"shape \(3, 0\)"),
        (torch.ones(3, 3, dtype=torch.int64), "torch.int64"),
        (np.ones((3, 3)), "dtype float64"),
        (7, r"shape \(\)"),
        (torch.full((3, 3), math.nan), "NaN or inf"),
        (torch.full((3, 3), math.inf), "NaN or inf"),
    ],
)
def test_wrong_operators(operator, message):
    with pytest.raises(ValueError, match=message):
        svd(operator, 1)


def test_benchmark_measures_all_on_the_same_operator(capsys):
    A = matrix(60, 80, [10 * 0.9**i for i in range(60)])
    rows = {row.method: row for row in compare(A, 5, blocks=(2,))}
    ours, rule = rows["ours, block 2"], rows["subspace iteration, block 5, its rule"]
    assert ours.products == svd(A, 5, block=2).products and rule.products % 10 == 0
    assert all(row.error < 1e-3 and row.cosine > 0.999 for row in rows.values())
    assert "| ours, block 2 |" in capsys.readouterr().out
    assert cut(torch.tensor([4.0, 3.0, 2.999, 2.998, 1.0]), 3) == 1 and cut(torch.tensor([4.0, 3.0]), 2) == 2


@pytest.mark.parametrize("shape", [(6, 9), (9, 6)])
def test_the_exact_svd_is_lapack_s(shape):
    A = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    for operator in (A, Jacobian(lambda x: A @ x, torch.zeros(shape[1]))):
        s, V = exact_svd(operator, 3)
        assert torch.allclose(s, torch.linalg.svdvals(A.double()), rtol=1e-6)
        assert torch.allclose((torch.linalg.svd(A.double()).Vh[:3] @ V).abs(), torch.eye(3).double(), atol=1e-6)


@settings(deadline=None, max_examples=25)
@given(m=st.integers(1, 9), n=st.integers(1, 9), share=st.floats(0, 1), seed=st.integers(0, 99))
def test_pushes_and_pulls(m, n, share, seed):
    g = torch.Generator().manual_seed(seed)
    A, v = torch.randn(m, n, generator=g, dtype=torch.float64), torch.randn(n, 2, generator=g, dtype=torch.float64)
    k = 1 + int(share * (min(m, n) - 1))
    S = svd(A, k, tol=1e-9)
    assert torch.allclose(S.push(v), S.U @ S.U.T @ A @ v, atol=1e-6)
    assert torch.allclose(S.coordinates(v), S.U.T @ A @ v, atol=1e-6)
    assert torch.allclose(S.pull(S.coordinates(v)), S.V @ S.V.T @ v, atol=1e-6)
    assert torch.allclose(S.push(v)[:, 0], S.push(v[:, 0])) and S.pull(S.s).shape == (n,)
    whole = svd(A, min(m, n), tol=1e-9)
    assert torch.allclose(whole.pull(whole.U.T @ (A @ v)), torch.linalg.pinv(A) @ (A @ v), atol=1e-6)


def test_nothing_is_pulled_through_a_zero():
    with pytest.raises(ValueError, match=r"singular value 4 of 5 is .* take k = 3"):
        svd(matrix(30, 40, [3.0, 2.0, 1.0]), 5).pull(torch.ones(5, dtype=torch.float64))
    S = svd(matrix(30, 40, [3.0, 2.0, 1.0]), 2)
    with pytest.raises(ValueError, match=r"c of shape \(3,\): needed is \(2,\) or \(2, j\)"):
        S.pull(torch.ones(3, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"v of shape \(1, 5, 8\)"):
        S.push(torch.ones(1, 5, 8, dtype=torch.float64))
