import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.checkpoint import checkpoint

import hspace.jacobian
from hspace.jacobian import Jacobian

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")


def test_an_autocast_around_it_changes_nothing():
    f, x = network(torch.float32), torch.randn(1, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    plain = Jacobian(f, x).dense()
    with torch.autocast("cpu", torch.bfloat16):
        assert f(x).dtype == torch.bfloat16
        J = Jacobian(f, x)
        assert torch.equal(J.dense(), plain) and torch.equal(J @ torch.eye(32), plain)


def network(dtype=torch.float64, attention=True):
    """A small U-Net's ingredients: convolution, group norm, SiLU, attention. (1, 2, 4, 4) -> (1, 3, 4, 4)"""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.norm = nn.Conv2d(2, 4, 3, padding=1), nn.GroupNorm(2, 4)
            self.last = nn.Conv2d(4, 3, 3, padding=1)

        def forward(self, x):
            h = nn.functional.silu(self.norm(self.first(x)))
            if attention:
                tokens = h.flatten(2).transpose(1, 2)
                h = h + nn.functional.scaled_dot_product_attention(tokens, tokens, tokens).mT.contiguous().view_as(h)
            return self.last(h)

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Net().to(dtype)


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


X = noise(1, 2, 4, 4)


def test_products_agree_with_jacrev():
    f = network()
    J = Jacobian(f, X, chunk=5)
    exact = torch.func.jacrev(lambda x: f(x).flatten())(X).reshape(48, 32)
    assert J.shape == (48, 32) and J.T.shape == (32, 48)
    torch.testing.assert_close(J @ noise(32, 7), exact @ noise(32, 7))
    torch.testing.assert_close(J.T @ noise(48, 7), exact.T @ noise(48, 7))
    torch.testing.assert_close(J.dense(), exact)
    torch.testing.assert_close(J.T.dense(), exact.T)
    torch.testing.assert_close(J.y, f(X).detach().flatten())


def test_dense_takes_the_cheaper_side():
    J = Jacobian(lambda x: x.sum(dim=1) ** 3, X)  # (16, 32)
    torch.testing.assert_close(J.dense(), torch.func.jacrev(lambda x: (x.sum(dim=1) ** 3).flatten())(X).reshape(16, 32))
    assert J.products == 16


def test_products_agree_with_finite_differences():
    f = network()
    v, step = noise(32, seed=1), 1e-5
    difference = (f(X + step * v.view_as(X)) - f(X - step * v.view_as(X))).flatten() / (2 * step)
    torch.testing.assert_close(Jacobian(f, X) @ v, difference.detach(), rtol=1e-6, atol=1e-8)


@settings(deadline=None, max_examples=25)
@given(
    shape=st.lists(st.integers(1, 3), min_size=0, max_size=3),
    rows=st.integers(1, 6),
    k=st.integers(0, 5),
    chunk=st.integers(1, 4),
    batched=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_adjoint_and_shapes(shape, rows, k, chunk, batched, dtype):
    """⟨J v, u⟩ = ⟨v, Jᵀ u⟩ to rounding, for any shape of x and of f(x)."""
    x = noise(*shape, dtype=dtype)
    A = noise(rows, x.numel(), seed=1, dtype=dtype)
    J = Jacobian(lambda x: torch.sin(A @ x.flatten()).view(rows, 1), x, chunk=chunk, batched=batched)
    V, U = noise(x.numel(), k, seed=2, dtype=dtype), noise(rows, k, seed=3, dtype=dtype)
    JV, JU = J @ V, J.T @ U
    assert JV.shape == (rows, k) and JU.shape == (x.numel(), k) and JV.dtype == JU.dtype == dtype
    size = A.norm() * V.norm() * U.norm() + 1
    assert (U.T @ JV - JU.T @ V).abs().le(50 * torch.finfo(dtype).eps * size).all()
    assert J.products == J.T.products == 2 * k
    torch.testing.assert_close(J @ noise(x.numel(), dtype=dtype), (J @ noise(x.numel(), 1, dtype=dtype))[:, 0])


def test_adjoint_to_float32_rounding():
    J = Jacobian(network(torch.float32), X.float())
    v, u = noise(32, dtype=torch.float32), noise(48, seed=1, dtype=torch.float32)
    assert abs((J @ v) @ u - v @ (J.T @ u)) <= 1e-6 * (J @ v).norm() * u.norm()


def test_primal_is_evaluated_once_a_chunk_and_the_graph_once():
    calls = []

    def f(x):
        calls.append(1)
        return torch.sin(x)

    J = Jacobian(f, X, chunk=8)
    J @ noise(32, 32)
    assert len(calls) == 1 + 4
    J.T @ noise(32, 32)
    J.T @ noise(32, 32)
    assert len(calls) == 1 + 4 + 1


def test_counts_columns_and_transposes_back():
    J = Jacobian(network(), X, chunk=3)
    assert J.T.T is J
    J @ noise(32)
    J @ noise(32, 7)
    J.T @ noise(48, 4)
    assert J.products == 12


@pytest.mark.parametrize("batched", [True, False])
def test_checkpointed_functions(batched):
    f = network()
    J = Jacobian(lambda x: checkpoint(f, x, use_reentrant=False), X, batched=batched)
    exact = Jacobian(f, X)
    torch.testing.assert_close(J @ noise(32, 3), exact @ noise(32, 3))
    torch.testing.assert_close(J.T @ noise(48, 3), exact.T @ noise(48, 3))
    torch.testing.assert_close(J.T @ noise(48, 3), exact.T @ noise(48, 3))


def test_functions_that_vmap_cannot_take():
    def f(x):
        return x**2 if x.sum().item() < 1e9 else x

    J = Jacobian(f, X, batched=False)
    torch.testing.assert_close(J @ noise(32, 2), 2 * X.flatten()[:, None] * noise(32, 2))


PLACES = (
    torch.backends.cuda.matmul,
    torch.backends.cudnn.conv,
    torch.backends.cudnn.rnn,
    torch.backends.mkldnn.matmul,
    torch.backends.mkldnn.conv,
)


def precision():
    """torch's settings of how float32 is rounded, by their new names and by the old ones where these can be read."""
    old = []
    for read in (
        lambda: torch.backends.cudnn.allow_tf32,
        lambda: torch.backends.cuda.matmul.allow_tf32,
        torch.get_float32_matmul_precision,
    ):
        try:
            old.append(read())
        except RuntimeError:
            old.append("refused")
    return [place.fp32_precision for place in PLACES], old


def test_leaves_no_trace():
    f = network(torch.float32)
    x = X.float().requires_grad_()
    states = torch.random.get_rng_state()
    settings = precision()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        J = Jacobian(f, x)
        J @ noise(32, 2, dtype=torch.float32)
        J.T @ noise(48, 2, dtype=torch.float32)
    assert torch.equal(states, torch.random.get_rng_state())
    assert settings == precision()
    assert x.grad is None and all(p.grad is None for p in f.parameters())
    assert not (J @ noise(32, dtype=torch.float32)).requires_grad
    x = X.clone()
    Jacobian(torch.sin, x).T @ noise(32)
    assert not x.requires_grad


def test_keeps_the_point_when_x_changes():
    x = X.clone()
    J = Jacobian(torch.sin, x)
    x.zero_()
    torch.testing.assert_close(J.T @ noise(32), X.flatten().cos() * noise(32))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_works_where_gradients_are_off(mode):
    f = network()
    exact = Jacobian(f, X).dense()
    with mode():
        J = Jacobian(f, X.clone())
        V, U = torch.eye(32, dtype=X.dtype), torch.eye(48, dtype=X.dtype)
        torch.testing.assert_close(J @ V, exact)
        torch.testing.assert_close(J.T @ U, exact.T)


def old_names():
    """As by the names before torch 2.9."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True


def one_new_name():
    torch.backends.cuda.matmul.fp32_precision = "tf32"


def processor():
    torch.backends.mkldnn.matmul.fp32_precision = "bf16"


@pytest.mark.parametrize(
    "chosen", [lambda: None, lambda: torch.set_float32_matmul_precision("medium"), old_names, one_new_name, processor]
)
def test_float32_is_full_inside_and_what_was_chosen_is_put_back(chosen):
    before, seen = [place.fp32_precision for place in PLACES], []

    def f(x):
        seen.append(precision())
        return x**2

    try:
        chosen()
        wanted = precision()
        Jacobian(f, X).T @ noise(32)
        assert [places for places, _ in seen] == 2 * [["ieee"] * 5] and precision() == wanted
        if "refused" not in wanted[1]:
            assert [old for _, old in seen] == 2 * [[False, False, "highest"]]
    finally:
        for place in PLACES:  # else the old names could not be set
            place.fp32_precision = "none"
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = True
        for place, value in zip(PLACES, before, strict=True):
            place.fp32_precision = value


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA"), RuntimeError("DefaultCPUAllocator: not enough memory")]
)
@pytest.mark.parametrize("side", ["_push", "_pull"])
def test_chunk_halves_when_memory_runs_out(monkeypatch, error, side):
    J = Jacobian(network(), X, chunk=16)
    exact = J.dense()
    product, sizes = getattr(J, side), []

    def small(V):
        sizes.append(len(V))
        if len(V) > 5:
            raise error
        return product(V)

    monkeypatch.setattr(J, side, small)
    start = J.products
    operator, matrix = (J, exact) if side == "_push" else (J.T, exact.T)
    V = noise(operator.shape[1], 10)
    torch.testing.assert_close(operator @ V, matrix @ V)
    assert sizes == [10, 5, 5] and J.chunk == 5 and J.products == start + 10
    operator @ V
    assert sizes[3:] == [5, 5]  # and the smaller chunk is kept


def test_memory_that_does_not_suffice_for_one_column():
    J = Jacobian(network(), X)

    def f(x):
        raise torch.OutOfMemoryError("none left")

    J.f = f
    with pytest.raises(torch.OutOfMemoryError, match="none left"):
        J @ noise(32, 4)
    assert J.chunk == 1


def test_other_errors_of_f_are_not_swallowed():
    J = Jacobian(network(), X)
    with pytest.raises(RuntimeError):
        J.f = lambda x: x.view(7)
        J @ noise(32, 4)
    assert J.chunk == hspace.jacobian.CHUNK


@pytest.mark.parametrize(
    ("f", "x", "message"),
    [
        (torch.sin, torch.tensor([0.0, float("nan")]), "x holds NaN or inf in 1 of 2"),
        (torch.log, torch.tensor([0.0, 1.0, 0.0]), r"f\(x\) holds NaN or inf in 2 of 3"),
        (torch.sin, torch.tensor([1, 2]), "torch.int64"),
        (torch.sin, torch.tensor([1.0]).half(), "torch.float16"),
        (torch.sin, [1.0], "list"),
        (lambda x: x.tolist(), torch.ones(2), "list"),
        (lambda x: x.double(), torch.ones(2), "torch.float64"),
        (lambda x: x[:0], torch.ones(2), "at least one entry"),
    ],
)
def test_wrong_functions_and_points(f, x, message):
    with pytest.raises(ValueError, match=message):
        Jacobian(f, x)


@pytest.mark.parametrize(
    ("V", "message"),
    [
        (noise(31), r"\(31,\).*\(32,\)"),
        (noise(2, 4, 4), r"\(2, 4, 4\)"),
        (noise(32).float(), "torch.float32"),
        (noise(32).numpy(), "ndarray"),
    ],
)
def test_wrong_columns(V, message):
    with pytest.raises(ValueError, match=message):
        Jacobian(network(), X) @ V


def test_wrong_columns_of_the_transpose():
    with pytest.raises(ValueError, match=r"J.T @ V.*\(48,\)"):
        Jacobian(network(), X).T @ noise(32)


def test_products_that_are_not_finite():
    J = Jacobian(torch.sqrt, torch.tensor([0.0, 1.0]))
    with pytest.raises(ValueError, match=r"product J @ V.*not differentiable"):
        J @ torch.ones(2)
    with pytest.raises(ValueError, match=r"product J.T @ V"):
        J.T @ torch.ones(2)


def test_functions_without_gradient():
    with pytest.raises(ValueError, match="no gradient"):
        Jacobian(torch.no_grad()(torch.sin), X).T @ noise(32)


def test_wrong_chunk():
    with pytest.raises(ValueError, match="chunk = 0"):
        Jacobian(torch.sin, X, chunk=0)
