"""Measures: realism, change matrices, bootstrap, KS distance, against closed forms and scipy."""

import pytest
import scipy.stats
import torch

from hspace.alternatives import random_directions
from hspace.cats import world
from hspace.cats.judge import load_judge
from hspace.cats.render import blur, render
from hspace.scoring import bootstrap, change_matrix, edge_energy, ks_distance, realism


class Linear:
    """A model whose picture is a linear map of x_t, so that every change is known in closed form."""

    def __init__(self, scale=1.0, bend=0.0):
        self.scale, self.bend, self.runs = scale, bend, 0

    def denoise(self, x, start):
        self.runs += len(x)
        return self.scale * x + self.bend * x**2

    def picture(self, x):
        return x


def corners(pictures):
    """A judge of two numbers: one pixel, and twice the sum of all."""
    return torch.stack([pictures[:, 0, 0, 0], 2 * pictures.sum(dim=(1, 2, 3))], dim=1)


@pytest.fixture(scope="module")
def real():
    return render(world.sample(96, seed=21))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_realism_of_pictures_in_another_dtype(real, dtype):
    pictures = real[:4].to(dtype)
    found, plain = realism(pictures), realism(pictures.float())
    assert torch.equal(found.pixels, plain.pixels) and torch.equal(found.edges, plain.edges)


def test_realism_of_real_pictures_is_small_and_a_blur_doubles_it(real):
    plain, soft = realism(real), realism(blur(real))
    assert plain.pixels.median() < 0.015
    assert (soft.pixels > 2 * plain.pixels).float().mean() > 0.95
    assert soft.edges.median() < -0.1 < plain.edges.median() < 0.1


def test_realism_sees_noise(real):
    rough = realism(real + 0.1 * torch.randn(real.shape, generator=torch.Generator().manual_seed(0)))
    assert rough.pixels.median() > 0.1 and rough.edges.median() > 0.1


def test_realism_of_a_perfect_drawing_is_zero(real):
    people = world.sample(96, seed=21)
    perfect = realism(real, judge=lambda pictures: people[: len(pictures)])
    assert perfect.pixels.max() < 1e-6 and perfect.edges.abs().max() < 1e-5


def test_edge_energy_of_a_step():
    half = torch.zeros(1, 3, 8, 8)
    half[..., 4:] = 1.0
    assert edge_energy(half).item() == pytest.approx((1 / 7) ** 0.5)


@pytest.mark.parametrize(
    ("pictures", "message"),
    [(torch.zeros(3, 64, 64), "3, 64, 64"), (torch.full((1, 3, 64, 64), torch.inf), "infinite")],
)
def test_realism_refuses(pictures, message):
    with pytest.raises(ValueError, match=message):
        realism(pictures)


def test_changes_of_a_linear_model_are_exact():
    x = torch.zeros(3, 1, 2, 2)
    directions = 5 * torch.eye(4)[:, :3]  # made unit length
    M = change_matrix(Linear(scale=3.0), x, 10, directions, corners, length=2.0, controls=4)
    assert torch.allclose(M.values, torch.tensor([[3.0, 0, 0], [6, 6, 6]]), atol=1e-5)
    assert M.each.shape == (3, 2, 3) and M.control.shape == (3, 2, 4) and M.factors == (0, 1)
    assert torch.allclose(M.low, M.values, atol=1e-5) and torch.allclose(M.high, M.values, atol=1e-5)
    assert M.clear.tolist() == [[True, False, False], [True, True, True]]
    assert torch.equal(M.row(1), M.values[1])


def test_a_central_difference_forgets_the_bend():
    x = torch.ones(1, 1, 2, 2)
    M = change_matrix(Linear(bend=1.0), x, 10, torch.eye(4)[:, :1], corners, length=0.5)
    assert M.values[0, 0] == pytest.approx(3.0, abs=1e-5)  # d(x + x²) = 1 + 2x, exactly
    assert M.low.isnan().all() and M.high.isnan().all()


def test_changes_count_in_the_judge_s_standard_deviations():
    judge = load_judge("guide")
    assert judge.std.tolist() == pytest.approx(world.STD.half().tolist())
    x = render(world.sample(1, seed=4))
    v = torch.randn(x.numel(), 1, generator=torch.Generator().manual_seed(1))
    M = change_matrix(Linear(), x, 10, v, judge, length=0.5, controls=1)
    v = 0.5 * (v / v.norm()).view(x.shape)
    expected = (judge(x + v) - judge(x - v))[0] / judge.std
    assert torch.allclose(M.values[:, 0], expected, atol=1e-4) and M.factors == world.FACTORS


@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-3), (torch.bfloat16, 0.1)])
def test_a_judge_sees_float32_whatever_the_model_draws_in(dtype, near):
    x = render(world.sample(1, seed=4))
    v = torch.randn(x.numel(), 1, generator=torch.Generator().manual_seed(1))
    plain, other = (
        change_matrix(Linear(), x.to(kind), 10, v.to(kind), load_judge("guide"), length=8.0, controls=1).values
        for kind in (torch.float32, dtype)
    )
    assert other.dtype == torch.float32 and (other - plain).abs().max() < near * plain.abs().max()


def test_directions_of_a_model_in_16_bits_are_those_of_its_jacobian_in_32():
    """They stay unit vectors of float32; only where a step ends is rounded."""

    class Half(Linear):
        def denoise(self, x, start):
            assert x.dtype == torch.bfloat16
            return super().denoise(x, start)

    directions = torch.eye(48)[:, :2]
    x_t = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    plain = change_matrix(Linear(), x_t, 600, directions, corners, controls=1).values
    found = change_matrix(Half(), x_t.bfloat16(), 600, directions, corners, controls=1).values
    assert found.dtype == torch.float32 and torch.allclose(found, plain, atol=0.05)


def test_draws_do_not_follow_the_default_dtype():
    each = torch.randn(6, 2, 3, generator=torch.Generator().manual_seed(0))
    people, (low, high), directions = world.sample(3, seed=4), bootstrap(each), random_directions(each, 2)
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.equal(world.sample(3, seed=4), people) and torch.equal(random_directions(each, 2), directions)
        assert torch.equal(bootstrap(each)[0], low) and torch.equal(bootstrap(each)[1], high)
    finally:
        torch.set_default_dtype(torch.float32)


def test_controls_are_the_same_for_a_seed_and_do_not_touch_the_global_state():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    x, V = torch.zeros(1, 1, 2, 2), torch.eye(4)[:, :1]
    one, two, other = (change_matrix(Linear(), x, 1, V, corners, seed=seed).control for seed in (1, 1, 2))
    assert torch.equal(one, two) and not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("directions", "length", "message"),
    [
        (torch.ones(3, 2), 1.0, "3, 2"),
        (torch.zeros(4, 1), 1.0, "direction 0 is zero"),
        (torch.full((4,), torch.nan), 1.0, "NaN"),
        (torch.ones(4), 0.0, "length=0"),
    ],
)
def test_change_matrix_refuses(directions, length, message):
    with pytest.raises(ValueError, match=message):
        change_matrix(Linear(), torch.zeros(1, 1, 2, 2), 1, directions, corners, length=length)


def test_unknown_factor():
    M = change_matrix(Linear(), torch.zeros(1, 1, 2, 2), 1, torch.eye(4), corners)
    with pytest.raises(ValueError, match="'tail'"):
        M.row("tail")


def test_bootstrap_agrees_with_scipy():
    each = torch.randn(40, 3, generator=torch.Generator().manual_seed(2)).double() ** 2
    low, high = bootstrap(each, draws=4000)
    for i in range(3):
        expected = scipy.stats.bootstrap(
            (each[:, i].numpy(),), lambda x, axis: x.mean(axis), method="percentile", rng=0
        )
        assert low[i] == pytest.approx(expected.confidence_interval.low, abs=0.05)
        assert high[i] == pytest.approx(expected.confidence_interval.high, abs=0.05)


def test_ks_distance_agrees_with_scipy():
    generator = torch.Generator().manual_seed(3)
    a, b = torch.randn(100, generator=generator), torch.randn(80, generator=generator).round() + 0.3
    assert ks_distance(a, b) == pytest.approx(scipy.stats.ks_2samp(a.numpy(), b.numpy()).statistic)
