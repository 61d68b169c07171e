"""Combining directions, and edits of a small random model, against dense algebra, scipy and counted passes."""

import math

import numpy as np
import pytest
import torch
from small_models import scheduler, unet

import hspace
from hspace import editing, geometry
from hspace.editing import Cloud, cloud, counting, steer, steer_gradually, turned, x_guidance
from hspace.model import DiffusionModel
from hspace.scoring import ChangeMatrix, combine


@pytest.fixture(scope="module")
def model():
    return DiffusionModel(unet(), scheduler().alphas_cumprod, "v_prediction", steps=10)


class Sight(torch.nn.Module):
    """A judge without a world: four fixed smooth numbers of a picture."""

    factors = ("a", "b", "c", "d")

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(4)
        self.register_buffer("rows", torch.randn(4, 3 * 16 * 16, generator=generator) / 28)
        self.register_buffer("std", torch.tensor([1.0, 0.5, 2.0, 1.0]))

    def forward(self, pictures):
        return self.std * torch.tanh(pictures.flatten(1) @ self.rows.T / 4) * 4


@pytest.fixture(scope="module")
def judge():
    return Sight()


def in_dtype(dtype):
    return DiffusionModel(unet(), scheduler().alphas_cumprod, "v_prediction", steps=10).to(dtype)


@pytest.fixture(scope="module")
def x_600(model):
    return model.denoise(model.noise(5), stop=600)


def told(model, judge, x, t):
    return judge(model.denoise(x, start=t))[0].detach()


def wide(F=3, k=8, seed=0):
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.normal(size=(F, k))), torch.tensor(rng.normal(size=F))


# combine


def test_combine_is_the_pseudo_inverse():
    M, d = wide()
    assert torch.allclose(combine(M, d), torch.linalg.lstsq(M, d[:, None], driver="gelsd").solution[:, 0], atol=1e-12)


def test_a_metric_changes_what_is_short():
    M, d = wide()
    weight = torch.linspace(0.5, 3, 8, dtype=torch.float64)
    c = combine(M, d, metric=weight)
    kernel = torch.linalg.svd(M).Vh[3:].T
    assert torch.allclose(M @ c, d, atol=1e-12)
    assert (kernel.T @ (weight * c)).abs().max() < 1e-12  # orthogonal, in that metric, to all that changes nothing
    assert (weight * c**2).sum() < (weight * combine(M, d) ** 2).sum()


def test_the_ridge_trades_the_wish_for_a_shorter_way():
    M, d = wide(k=3)
    found = [combine(M, d, ridge=ridge) for ridge in (0, 0.01, 0.1)]
    lengths, lacks = [c.norm().item() for c in found], [(M @ c - d).norm().item() for c in found]
    assert lengths == sorted(lengths, reverse=True) and lacks == sorted(lacks) and lacks[0] < 1e-12
    inner = M @ M.T
    exact = M.T @ torch.linalg.solve(inner + 0.1 * inner.diagonal().mean() * torch.eye(3), d)
    assert torch.allclose(found[2], exact, atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ridge", [0, 0.01])
def test_no_coefficient_leaves_its_room(seed, ridge):
    """Optimal by the conditions of Karush, Kuhn and Tucker: the slope vanishes but where a bound holds it back."""
    M, d = wide(seed=seed)
    weight = torch.linspace(0.5, 3, 8, dtype=torch.float64)
    most = combine(M, d, metric=weight).abs().max() * 0.8
    c = combine(M, d, metric=weight, ridge=ridge, room=(-most.expand(8), 2 * most.expand(8)))
    assert (c >= -most - 1e-12).all() and (c <= 2 * most + 1e-12).all()
    damping = max(ridge, 1e-6) * (M / weight @ M.T).diagonal().mean()
    slope = M.T @ (M @ c - d) / damping + weight * c
    low, high = (c + most).abs() < 1e-9, (c - 2 * most).abs() < 1e-9
    inside = ~(low | high)
    assert slope[inside].abs().max() < 1e-4 and (slope[low] > -1e-4).all() and (slope[high] < 1e-4).all()


def test_a_wide_room_changes_nothing():
    M, d = wide()
    room = torch.full((8,), -100.0), torch.full((8,), 100.0)
    assert torch.allclose(combine(M, d, room=room), combine(M, d), atol=1e-5)
    room[0][3] = room[1][3] = 0  # shut: as if there were no such direction
    c, others = combine(M, d, room=room), [0, 1, 2, 4, 5, 6, 7]
    assert c[3] == 0 and torch.allclose(c[others], combine(M[:, others], d), atol=1e-5)


def test_a_wish_out_of_reach_is_said():
    M, d = wide()
    with pytest.warns(RuntimeWarning, match="missed by"):
        combine(M, d, room=(torch.full((8,), -1e-3), torch.full((8,), 1e-3)))
    blind = torch.cat([M, torch.zeros(1, 8)])
    with pytest.warns(RuntimeWarning, match="missed by 100%"):
        combine(blind, torch.tensor([0, 0, 0, 1.0]))


@pytest.mark.parametrize("room", [None, (torch.full((8,), -1.0), torch.full((8,), 1.0))])
def test_directions_that_change_nothing_are_not_taken(room):
    with pytest.warns(RuntimeWarning, match="missed by 100%"):
        assert combine(torch.zeros(3, 8), torch.ones(3), ridge=1e-3, room=room).tolist() == [0] * 8


def test_wishes_have_names():
    M, _ = wide()
    nothing = torch.zeros(0)
    named = ChangeMatrix(M, nothing, nothing, nothing, nothing, ("nose", "ear", "nap"), 600, 2.0)
    assert torch.equal(combine(named, {"ear": -2.0}), combine(M, torch.tensor([0, -2.0, 0])))
    with pytest.raises(ValueError, match="no factor is called 'tail'"):
        combine(named, {"tail": 1})
    with pytest.raises(ValueError, match="names in a ChangeMatrix only"):
        combine(M, {"ear": 1})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(wish=torch.ones(2)), r"\(3, 8\) and \(2,\)"),
        (dict(wish=torch.full((3,), torch.nan)), "NaN"),
        (dict(metric=torch.zeros(8)), "must be positive"),
        (dict(metric=torch.ones(7)), "each of the 8 directions"),
        (dict(ridge=-1.0), "ridge=-1.0"),
        (dict(room=(torch.ones(8), torch.ones(8))), "room must hold 0"),
    ],
)
def test_combine_refuses(arguments, message):
    M, d = wide()
    with pytest.raises(ValueError, match=message):
        combine(M, **({"wish": d} | arguments))


# turned


def test_a_turn_keeps_the_norm_and_goes_as_far_as_the_step_is_long():
    generator = torch.Generator().manual_seed(0)
    x, step = (torch.randn(1, 3, 4, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    step = step - (step * x).sum() / x.norm() ** 2 * x
    end = turned(x, step.flatten())
    assert end.norm().item() == pytest.approx(x.norm().item(), rel=1e-12)
    angle = math.acos((end * x).sum() / x.norm() ** 2)
    assert angle * x.norm().item() == pytest.approx(step.norm().item(), rel=1e-12)
    assert torch.allclose(turned(x, step.flatten() + 3 * x.flatten()), end)
    assert torch.equal(turned(x, 2 * x.flatten() * 0), x)


def test_a_turn_of_16_bits_is_that_of_float32_rounded_once():
    x, step = torch.randn(2, 1, 3, 4, 4, generator=torch.Generator().manual_seed(0)).bfloat16()
    exact = turned(x.float(), step.float().flatten())
    assert torch.equal(turned(x, step.float().flatten()), exact.bfloat16())


def test_a_zero_state_cannot_turn():
    with pytest.raises(ValueError, match="the state is zero"):
        turned(torch.zeros(1, 3, 4, 4), torch.ones(48))


# walk and shoot


def test_walk_is_the_projected_walk_of_h(model, x_600):
    S = hspace.svd(model.jacobian(x_600, 600), 4)
    path = hspace.walk(model, x_600, 600, S.V[:, 1], 2.0, 2, k=4)
    same = geometry.walk(lambda x: model.h(x, 600).flatten(), x_600, S.V[:, 1], 2.0, 2, 4)
    assert path.shape == (3, 3, 16, 16) and torch.equal(path, same.points[:, 0])
    assert (path[1] - path[0]).norm().item() == pytest.approx(1.0, rel=1e-3)


def test_shoot_is_a_geodesic_of_the_sheet(model, x_600):
    S = hspace.svd(model.jacobian(x_600, 600), 4)
    path = hspace.shoot(model, x_600, 600, S.V, S.V[:, 1] + S.V[:, 2], 1.0, 8)
    away = (path - x_600).flatten(1)
    assert path.shape == (9, 3, 16, 16) and torch.equal(path[:1], x_600)
    assert (away - away @ S.V @ S.V.T).norm() < 1e-5 * away.norm()
    first = away[1] / away[1].norm()
    assert (first @ (S.V[:, 1] + S.V[:, 2]) / 2**0.5).item() == pytest.approx(1, abs=0.01)
    h = torch.cat([model.h(x[None], 600) for x in path]).flatten(1)
    assert (h[1:] - h[:-1]).norm(dim=1).sum().item() == pytest.approx(1.0, rel=1e-2)
    assert geometry.path_length(lambda x: model.h(x[None], 600).flatten(), path) == pytest.approx(1.0, rel=1e-2)


@pytest.mark.parametrize("go", [hspace.walk, hspace.shoot])
def test_one_state_at_a_time(model, go):
    x = model.denoise(model.noise([1, 2]), stop=600)
    more = {"V": torch.eye(768)[:, :2]} if go is hspace.shoot else {}
    with pytest.raises(ValueError, match="got a batch of 2"):
        go(model, x, 600, v=torch.ones(768), length=1.0, steps=1, **more)


@pytest.mark.parametrize("go", [hspace.walk, hspace.shoot])
def test_no_curve_is_followed_in_16_bits(go):
    model = in_dtype(torch.bfloat16)
    more = {"V": torch.eye(768)[:, :2]} if go is hspace.shoot else {}
    with pytest.raises(ValueError, match="bfloat16 is too coarse to follow a curve: take the model in float32"):
        go(model, model.noise(1), 999, v=torch.ones(768), length=1.0, steps=1, **more)


# What steers


def test_slopes_are_the_dense_jacobian_in_standard_deviations(model, judge, x_600):
    J = hspace.Jacobian(lambda x: judge(model.predict(x, 600)), x_600)
    dense = torch.autograd.functional.jacobian(lambda x: judge(model.predict(x, 600))[0], x_600).flatten(1)
    assert torch.allclose(editing.slopes(J, judge.std), dense / judge.std[:, None], atol=1e-5) and J.products == 4


def test_a_goal_is_what_was_told_but_for_the_wish(judge):
    was = torch.tensor([1.0, 2.0, 3.0, 4.0])
    assert editing.goal(judge, was, {"b": -1.0, "d": 0.0}).tolist() == [1, -1, 3, 0] and was[1] == 2
    assert editing.goal(lambda pictures: was, was, {2: 9.0}).tolist() == [1, 2, 9, 4]


# steer


def test_steer_reaches_the_wish_and_leaves_the_rest(model, judge, x_600):
    before = told(model, judge, x_600, 600)
    edit = steer(model, x_600, 600, {"b": before[1] + 0.2}, judge, ridge=0.0, tol=0.01)
    after = told(model, judge, edit.x, 600)
    assert ((after - edit.wanted) / judge.std).abs().max() < 0.02
    assert torch.allclose(edit.told[0], before, atol=1e-5) and torch.allclose(edit.told[-1], after, atol=1e-5)
    assert edit.wanted[1] == before[1] + 0.2 and torch.equal(edit.wanted[[0, 2, 3]], edit.told[0][[0, 2, 3]])
    assert edit.length == pytest.approx((edit.x - x_600).norm().item()) and edit.t == 600
    assert edit.x.norm().item() == pytest.approx(x_600.norm().item(), rel=1e-5)


def test_steer_starts_from_pure_noise_as_well(model, judge):
    x_T = model.noise(3)
    before = told(model, judge, x_T, 999)
    edit = steer(model, x_T, 999, {"a": before[0] - 0.3}, judge, ridge=0.0)
    errors = ((edit.told - edit.wanted) / judge.std).norm(dim=1)
    assert errors[-1] < 0.1 * errors[0] and (errors.diff() < 0).all()


def test_steer_stays_in_the_directions_it_is_given(model, judge, x_600):
    V = hspace.svd(model.jacobian(x_600, 600), 6).V
    before = told(model, judge, x_600, 600)
    edit = steer(model, x_600, 600, {"c": before[2] + 0.2}, judge, V=V, rounds=2)
    span = torch.linalg.qr(torch.cat([V, x_600.view(-1, 1)], dim=1)).Q
    away = (edit.x - x_600).flatten()
    assert away.norm() > 0.01 and (away - span @ (span.T @ away)).norm() < 1e-4 * away.norm()


def test_steer_keeps_within_the_cloud(model, judge, x_600):
    near = cloud(model, 600, range(40))
    V = hspace.svd(model.jacobian(x_600, 600), 6).V
    before = told(model, judge, x_600, 600)
    low, high = near.room(x_600, V, 0.5)
    free, held = (
        steer(model, x_600, 600, {"c": before[2] + 2}, judge, V=V, rounds=1, **limits)
        for limits in ({}, {"near": near, "cap": 0.5})
    )
    coordinates = [(edit.x - x_600).flatten() @ V for edit in (free, held)]
    inside = [((c >= low - 0.05 * (high - low)) & (c <= high + 0.05 * (high - low))).all() for c in coordinates]
    assert inside == [False, True]


@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-3), (torch.bfloat16, 0.1)])
@pytest.mark.parametrize("stay", [False, True])
def test_a_model_of_another_dtype_is_steered_alike(model, judge, dtype, near, stay):
    """The judge, which knows float32 alone, sees float32 pictures; V is of float32, and so is the cloud of 16 bits."""
    other, x = in_dtype(dtype), model.denoise(model.noise(5), stop=800)
    wish = {"b": told(model, judge, x, 800)[1] + 0.3}
    V = torch.linalg.qr(torch.randn(768, 6, generator=torch.Generator().manual_seed(2))).Q
    edits = []
    for one in (model, other):
        limits = {"V": V, "near": cloud(one, 800, range(4))} if stay else {}
        edits.append(steer(one, x.to(one.dtype), 800, wish, judge, rounds=1, **limits))
    plain, same = edits
    assert same.x.dtype == dtype and same.told.dtype == torch.float32 and len(same.told) == 2
    assert ((same.told - plain.told) / judge.std).abs().max() < near
    assert same.length == pytest.approx(plain.length, rel=near)


@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-3), (torch.bfloat16, 0.1)])
def test_a_model_of_another_dtype_is_steered_gradually(model, judge, dtype, near):
    other, x = in_dtype(dtype), model.denoise(model.noise(5), stop=600)
    wish = {"b": judge(model.predict(x, 600))[0, 1] + 0.3}
    plain, same = (steer_gradually(one, x.to(one.dtype), 600, wish, judge, stop=500) for one in (model, other))
    assert same.x.dtype == dtype and ((same.told - plain.told) / judge.std).abs().max() < near
    assert same.length == pytest.approx(plain.length, rel=near)


def test_the_room_of_a_cloud_is_in_standard_deviations():
    generator = torch.Generator().manual_seed(1)
    states = torch.randn(4000, 3, generator=generator) * torch.tensor([1.0, 2.0, 3.0])
    low, high = Cloud(torch.zeros(3), states).room(torch.tensor([[1.0, 0.0, -20.0]]), torch.eye(3), cap=2.0)
    assert torch.allclose(low, torch.tensor([-3.0, -4.0, 0.0]), atol=0.15)
    assert torch.allclose(high, torch.tensor([1.0, 4.0, 26.0]), atol=0.3)


def test_a_round_that_would_make_it_worse_is_not_taken(model, x_600):
    def rough(pictures):
        return torch.sin(400 * pictures.flatten(1)[:, :2])

    edit = steer(model, x_600, 600, {0: 0.9}, rough, rounds=6)
    errors = (edit.told - edit.wanted).norm(dim=1)
    assert (errors.diff() < 0).all() and torch.allclose(
        rough(model.denoise(edit.x, start=600))[0], edit.told[-1], atol=5e-3
    )


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ([0.0, 1.5], [0.0, 0.5], [[1.0, 0.0], [0.0, 1.5], [0.0, 0.5]]),  # the wish at a stroke, the other mended
        ([0.0, 1.5], [0.0, 1.6], [[1.0, 0.0]]),  # not mended: without an edit less is wrong
        ([0.0, 2.5], [0.9, 0.1], [[1.0, 0.0], [0.9, 0.0]]),  # too much from the first
        ([0.0, 0.8], [0.0, 0.7], [[1.0, 0.0], [0.0, 0.8], [0.0, 0.7]]),  # better anyway
    ],
)
def test_a_wish_that_comes_true_at_a_stroke(model, x_600, monkeypatch, first, second, kept):
    """All but the smallest fraction lead to `first`, and in the second round all to `second`."""
    told = iter([[[1.0, 0.0]], [first] * 3 + [[0.9, 0.0]], [second] * 4])
    monkeypatch.setattr(editing, "_told", lambda *given: torch.tensor(next(told)))
    edit = steer(model, x_600, 600, {0: 0.0}, lambda pictures: pictures.flatten(1)[:, :2], rounds=2)
    assert torch.equal(edit.told, torch.tensor(kept)) and (edit.length == 0) == (len(kept) == 1)


def test_one_round_alone_spares_all_factors_alike(model, x_600, monkeypatch):
    told = iter([[[1.0, 0.0]], [[0.0, 1.5]] * 3 + [[0.9, 0.0]]])
    monkeypatch.setattr(editing, "_told", lambda *given: torch.tensor(next(told)))
    edit = steer(model, x_600, 600, {0: 0.0}, lambda pictures: pictures.flatten(1)[:, :2], rounds=1)
    assert torch.equal(edit.told, torch.tensor([[1.0, 0.0], [0.9, 0.0]]))


@pytest.mark.parametrize(
    ("go", "options", "backward"),
    [
        (steer, {"rounds": 1}, 4 * 6),  # 4 factors back through the 6 steps from 600
        (steer_gradually, {"stop": 400}, 4 * 2),  # and at each of 2 steps
    ],
)
def test_passes_are_counted(model, judge, x_600, go, options, backward):
    before = told(model, judge, x_600, 600)
    seen, run = [], model.network.forward
    model.network.forward = lambda x, *args, **kwargs: seen.append(len(x)) or run(x, *args, **kwargs)
    try:
        edit = go(model, x_600, 600, {"a": before[0] + 0.1}, judge, **options)
    finally:
        del model.network.forward
    assert edit.evaluations == sum(seen) + backward


def test_what_is_known_at_the_start_is_not_found_again(model, judge, x_600):
    before = told(model, judge, x_600, 600)
    wish, G = {"a": before[0] + 0.3}, editing.slopes(model.jacobian(x_600, 600, to=judge), judge.std)
    plain = steer(model, x_600, 600, wish, judge, rounds=2, tol=1e-5)
    spared = steer(model, x_600, 600, wish, judge, rounds=2, tol=1e-5, known=(before, G))
    assert len(plain.told) == 3 and torch.equal(spared.x, plain.x) and torch.equal(spared.told, plain.told)
    # 6 steps each: the picture told; to differentiate, once, with a graph, and again at its checkpoints; 4 factors back
    assert plain.evaluations - spared.evaluations == 6 + 3 * 6 + 4 * 6


def test_counting_counts_states(model, x_600):
    with counting(model) as count:
        model.denoise(torch.cat([x_600, x_600]), start=600)
    assert count.passes == 12


def test_what_steer_refuses(model, judge, x_600):
    with pytest.raises(ValueError, match="no factor is called 'tail'; the judge tells a, b, c, d"):
        steer(model, x_600, 600, {"tail": 1}, judge)
    with pytest.raises(ValueError, match="pass V as well"):
        steer(model, x_600, 600, {"a": 1}, judge, near=Cloud(torch.zeros(768), torch.zeros(2, 768)))
    with pytest.raises(ValueError, match="not on the grid"):
        steer(model, x_600, 610, {"a": 1}, judge)
    with pytest.raises(ValueError, match="batch of 2"):
        steer(model, torch.cat([x_600, x_600]), 600, {"a": 1}, judge)
    with pytest.raises(ValueError, match="1 seeds have no spread"):
        cloud(model, 600, [3])


# A little at every step


def test_steer_gradually_moves_what_is_expected(model, judge):
    x = model.denoise(model.noise(5), stop=800)
    free = model.denoise(x, start=800, stop=400)
    was = judge(model.predict(free, 400))[0].detach()
    edit = steer_gradually(model, x, 800, {"b": was[1] + 0.3}, judge, most=math.inf, ridge=0.0)
    now = judge(model.predict(edit.x, 400))[0].detach()
    assert edit.t == 400 and edit.told.shape == (5, 4) and torch.allclose(edit.told[-1], now)
    assert (now[1] - was[1]).item() == pytest.approx(0.3, abs=0.12)
    assert ((now - was) / judge.std)[[0, 2, 3]].abs().max() < 0.3
    short = steer_gradually(model, x, 800, {"b": was[1] + 0.3}, judge, most=1e-3)
    assert short.length < 0.1 * edit.length


@pytest.mark.parametrize("fulfilled", [False, True])
def test_nothing_to_wish_for_is_no_edit(model, judge, fulfilled):
    x = model.denoise(model.noise(5), stop=600)
    wish = {"b": judge(model.predict(x, 600))[0, 1].item()} if fulfilled else {}
    edit = steer_gradually(model, x, 600, wish, judge, stop=500)
    assert edit.length < 1e-4 and torch.allclose(edit.x, model.denoise(x, start=600, stop=500), atol=1e-5)
    assert torch.isfinite(edit.told).all() and len(edit.told) == 2


def test_steer_gradually_wants_two_points_of_the_grid(model, judge):
    x = model.denoise(model.noise(5), stop=800)
    refused = {800: "below t=800", None: "below t=800", 410: "stop=410 is not on the grid", 900: "900 is noisier than"}
    for stop, message in refused.items():
        with pytest.raises(ValueError, match=message):
            steer_gradually(model, x, 800, {"b": 1}, judge, stop=stop)


# What others do


def test_x_guidance_moves_by_the_change_of_the_noise(model, x_600):
    v = torch.randn(768, generator=torch.Generator().manual_seed(0))
    assert torch.equal(x_guidance(model, x_600, 600, 0 * v, 5.0), x_600)
    small = x_guidance(model, x_600, 600, 1e-2 * v, 100.0) - x_600
    _, slope = torch.func.jvp(lambda x: editing._noise(model, x, 600), (x_600,), (v.view_as(x_600),))
    assert (small - slope).norm() < 0.02 * slope.norm()


@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-3), (torch.bfloat16, 0.1)])
def test_x_guidance_of_a_model_of_another_dtype(model, x_600, dtype, near):
    v = torch.randn(768, generator=torch.Generator().manual_seed(0))
    plain = x_guidance(model, x_600, 600, v, 5.0)
    other = x_guidance(in_dtype(dtype), x_600.to(dtype), 600, v, 5.0)
    assert other.dtype == dtype and (other - plain).norm() < near * (plain - x_600).norm()


def test_an_asymmetric_edit_leaves_the_noise(model, x_600):
    shift = 3 * torch.randn(model.h(x_600, 600).shape, generator=torch.Generator().manual_seed(0))

    def edit(h, t):
        return h + shift

    half = model.denoise(x_600, start=600, stop=500, edit=edit, asymmetric=True)
    a, b = (model.alphas_cumprod[500].item() ** 0.5, (1 - model.alphas_cumprod[500].item()) ** 0.5)
    by_hand = a * model.inject(x_600, 600, shift=shift) + b * editing._noise(model, x_600, 600)
    assert torch.allclose(half, by_hand, atol=1e-5)
    assert not torch.allclose(half, model.denoise(x_600, start=600, stop=500, edit=edit), atol=1e-3)
    same = model.denoise(x_600, start=600, edit=lambda h, t: h, asymmetric=True)
    assert torch.equal(same, model.denoise(x_600, start=600))
