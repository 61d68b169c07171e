"""Directions found in other ways, and the comparison of spaces, against dense algebra and torch's own PCA."""

import pytest
import torch
from small_models import scheduler, unet

from hspace.alternatives import local_directions, principal_components, random_directions
from hspace.geometry import match, mean_space
from hspace.model import DiffusionModel


@pytest.fixture(scope="module")
def model():
    return DiffusionModel(unet(size=8), scheduler().alphas_cumprod, "v_prediction", steps=5)


@pytest.fixture(scope="module")
def x_600(model):
    return model.denoise(model.noise(2), stop=600)


def orthonormal(n, k, seed=0):
    return torch.linalg.qr(torch.randn(n, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)).Q


def test_local_directions_are_those_of_the_dense_jacobian(model, x_600):
    mask = torch.zeros(8, 8)
    mask[2:5, 3:7] = 1
    found = local_directions(model, x_600, 600, mask, k=3, null=6, tol=1e-5)
    dense = torch.func.jacrev(lambda x: model.predict(x, 600).flatten())(x_600).reshape(192, 192).double()
    inside = (mask != 0).expand(3, 8, 8).flatten()
    V = torch.linalg.svd(dense[inside]).Vh[:3].T
    away = torch.linalg.svd(dense[~inside]).Vh[:6].T
    W = V - away @ (away.T @ V)
    assert torch.allclose(found.kept.double(), W.norm(dim=0), atol=1e-3)
    cosines = (found.V.double() * W).sum(dim=0) / W.norm(dim=0)
    assert cosines.abs().min() > 0.999
    assert torch.allclose(found.inside.double(), (dense[inside] @ found.V.double()).norm(dim=0), rtol=1e-3)
    assert torch.allclose(found.outside.double(), (dense[~inside] @ found.V.double()).norm(dim=0), rtol=1e-3)


@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-3), (torch.bfloat16, 0.05)])
def test_local_directions_of_a_model_of_another_dtype(model, x_600, dtype, near):
    mask = torch.zeros(8, 8)
    mask[2:5, 3:7] = 1
    other = DiffusionModel(unet(size=8), scheduler().alphas_cumprod, "v_prediction", steps=5).to(dtype)
    found, plain = (local_directions(m, x_600.to(m.dtype), 600, mask, k=3, tol=near) for m in (other, model))
    assert torch.allclose(found.inside, plain.inside.to(found.inside), rtol=near)


def test_the_null_space_calms_the_rest(model, x_600):
    mask = torch.zeros(3, 8, 8)
    mask[:, :4] = 1
    plain = local_directions(model, x_600, 600, mask, k=2, null=0)
    calm = local_directions(model, x_600, 600, mask, k=2, null=40)
    assert torch.allclose(plain.kept, torch.ones(2)) and (calm.kept < 1).all()
    assert ((calm.inside / calm.outside) > 1.5 * (plain.inside / plain.outside)).all()


@pytest.mark.parametrize(
    ("mask", "message"),
    [(torch.ones(8, 8), "all of the state or nothing"), (torch.zeros(8, 8), "nothing"), (torch.ones(5, 8), "5, 8")],
)
def test_masks_that_do_not_fit(mask, message, model, x_600):
    with pytest.raises(ValueError, match=message):
        local_directions(model, x_600, 600, mask)


def test_principal_components_are_those_of_all_timesteps_together(model):
    found = principal_components(model, range(9), k=3, batch=4)
    x, parts = model.noise(range(9)), []
    for i, t in enumerate(model.timesteps):
        parts.append(model.h(x, t).flatten(1))
        x = model.denoise(x, start=t, stop=(*model.timesteps, None)[i + 1])
    h = torch.cat(parts, dim=1).double()
    _, s, V = torch.linalg.svd(h - h.mean(dim=0), full_matrices=False)
    ours = torch.cat([found.directions[t] for t in model.timesteps]).double()
    assert torch.allclose((ours * V[:3].T).sum(dim=0).abs(), torch.ones(3).double(), atol=1e-3)
    assert torch.allclose(found.std.double(), s[:3] / 8**0.5, rtol=1e-4)
    assert torch.allclose(found.share.double(), s[:3] ** 2 / (s**2).sum(), rtol=1e-4)


def test_a_principal_component_edits_the_sampling(model):
    found, x = principal_components(model, range(5), k=2), model.noise(7)
    seen = {}

    def watched(h, t):
        seen[t] = edit(h, t) - h
        return edit(h, t)

    edit = found.edit([0.0, 2.0])
    assert not torch.allclose(model.denoise(x, edit=watched), model.denoise(x))
    t = model.timesteps[2]
    assert torch.allclose(seen[t].flatten(), 2 * found.std[1] * found.directions[t][:, 1], atol=1e-4)
    with pytest.raises(ValueError, match="2 components"):
        found.edit([1.0])
    with pytest.raises(ValueError, match="at least 6 samples, not 5"):
        principal_components(model, range(5), k=5)


def test_random_directions_are_orthonormal_and_nobody_else_s(x_600):
    state = torch.get_rng_state()
    V = random_directions(x_600, 7, seed=3)
    assert torch.equal(V, random_directions(x_600, 7, seed=3)) and torch.equal(state, torch.get_rng_state())
    assert not torch.allclose(V, random_directions(x_600, 7, seed=4))
    assert torch.allclose(V.T @ V, torch.eye(7), atol=1e-5)
    with pytest.raises(ValueError, match="k = 193"):
        random_directions(x_600, 193)


def test_matching_undoes_a_turn_within_the_space():
    V, turn = orthonormal(30, 4), orthonormal(4, 4, seed=1)
    turned, cosines = match(V @ turn, V)
    assert torch.allclose(turned, V, atol=1e-12) and torch.allclose(cosines, torch.ones(4).double())
    turned, cosines = match(V @ turn, V[:, 1:3])
    assert torch.allclose(turned, V[:, 1:3], atol=1e-12)


def test_of_all_turns_the_match_is_nearest():
    V, like = orthonormal(12, 3), orthonormal(12, 3, seed=1)
    turned, cosines = match(V, like)
    best = (turned - like).norm()
    assert all((V @ orthonormal(3, 3, seed=s) - like).norm() >= best for s in range(20))
    assert torch.allclose(turned.T @ turned, torch.eye(3).double(), atol=1e-12)
    assert torch.allclose(cosines, (turned * like).sum(dim=0))


def test_matching_says_where_nothing_is_shared():
    E = torch.eye(6, dtype=torch.float64)
    _, cosines = match(E[:, :2], E[:, [0, 4]])
    assert cosines.tolist() == pytest.approx([1, 0])
    with pytest.raises(ValueError, match=r"\(6, 2\) and \(6, 3\)"):
        match(E[:, :2], E[:, :3])


def test_the_mean_of_spaces_holds_what_they_share():
    """Three planes around a common line: the line first, in full; then the direction most of them lean to."""
    E = torch.eye(5, dtype=torch.float64)
    planes = [E[:, [0, 1]], E[:, [1, 0]] * -1, E[:, [0, 2]]]
    Q, shares = mean_space(planes, 3)
    assert torch.allclose(Q, E[:, :3], atol=1e-12)
    assert shares.tolist() == pytest.approx([1, 2 / 3, 1 / 3])
    with pytest.raises(ValueError, match="k = 7 of 3 bases"):
        mean_space(planes, 7)


def test_the_mean_of_spaces_is_nearest_to_them():
    bases = [orthonormal(10, 3, seed=s) for s in range(4)]
    Q, shares = mean_space(bases, 3)

    def nearness(P):
        return sum((P.T @ basis).square().sum() for basis in bases) / 4

    assert nearness(Q).item() == pytest.approx(shares.sum().item())
    assert all(nearness(orthonormal(10, 3, seed=s)) <= nearness(Q) for s in range(10, 30))
