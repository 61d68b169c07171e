"""hspace.model and what it stands on (layers, pretrained), against diffusers, closed forms and finite differences."""

import contextlib
import itertools
import json
import re
import subprocess
import sys

import diffusers
import pytest
import small_models
import torch
from clip import CLIP, stand_in
from diffusers.configuration_utils import FrozenDict
from safetensors.torch import load_file, save_file

import hspace
from hspace import pretrained
from hspace.model import DiffusionModel, WeightsError

ALPHAS = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)
KINDS = ("unet", "conditional", "transformer")
LAYERS = {"unet": "mid_block", "conditional": "mid_block", "transformer": "transformer_blocks.0"}


def make(kind, size=None, **options):
    """A DiffusionModel around one of the small networks, with the conditioning it needs."""
    if kind == "conditional":
        tokens = torch.randn(1, 5, 12, generator=torch.Generator().manual_seed(4))
        options = dict(conditioning={"encoder_hidden_states": tokens}) | options
    builders = dict(
        unet=small_models.unet, conditional=small_models.conditional_unet, transformer=small_models.transformer
    )
    network = builders[kind](**({} if size is None else dict(size=size)))
    return DiffusionModel(network, ALPHAS, **(dict(prediction_type="v_prediction", layer=LAYERS[kind]) | options))


@pytest.fixture(scope="module")
def models():
    return {kind: make(kind) for kind in KINDS}


@pytest.fixture
def pixel(models):
    return models["unet"]


class Gaussian(torch.nn.Module):
    """The exact noise prediction where every coordinate of x_0 is normal, with its own mean and deviation."""

    def __init__(self, low=0.05, size=4):
        super().__init__()
        self.config = FrozenDict(sample_size=size, in_channels=3)
        self.mean = torch.nn.Parameter(
            torch.linspace(-1, 1, 3 * size**2, dtype=torch.float64).reshape(1, 3, size, size)
        )
        self.deviation = torch.nn.Parameter(torch.linspace(low, 1.5, 3 * size**2).double().flip(0).view_as(self.mean))

    def marginal(self, t):
        """Mean and deviation of x_t."""
        a = ALPHAS[t]
        return a.sqrt() * self.mean, (a * self.deviation**2 + 1 - a).sqrt()

    def forward(self, sample, timestep, return_dict=True):
        mean, deviation = self.marginal(int(timestep[0]))
        return ((1 - ALPHAS[timestep[0]]).sqrt() * (sample - mean) / deviation**2,)


# The grid


def test_the_grid_of_twenty_steps(pixel):
    assert pixel.timesteps == (999, *range(950, 0, -50))


@pytest.mark.parametrize("steps", [10, 20, 30, 50, 70, 100, 500])
def test_every_multiple_of_100_is_on_the_grid_of_tens(steps):
    grid = make("unet", steps=steps).timesteps
    assert len(grid) == len(set(grid)) == steps and list(grid) == sorted(grid, reverse=True) and grid[0] == 999
    assert set(range(100, 1000, 100)) <= set(grid)


@pytest.mark.parametrize("steps", [1, 3, 7, 999])
def test_other_grids_fall_strictly(steps):
    grid = make("unet", steps=steps).timesteps
    assert len(grid) == steps and grid[0] == 999 and all(a > b > 0 for a, b in itertools.pairwise(grid))


@pytest.mark.parametrize("steps", [0, 1000, 2.5, True, "20"])
def test_impossible_numbers_of_steps(pixel, steps):
    with pytest.raises(ValueError, match=r"steps=.* must be an int from 1 to 999"):
        pixel.denoise(pixel.noise(0), steps=steps)


@pytest.mark.parametrize(
    ("given", "near"),
    [
        (dict(start=630), "start=630 .* 650 and 600"),
        (dict(stop=975), "stop=975 .* 999 and 950"),
        (dict(stop=30), r"stop=30 .* 50 and None \(clean\)"),
        (dict(start=601, steps=50), "start=601 .* 620 and 600"),
        (dict(start=600, stop=800), "stop=800 is noisier than start=600"),
    ],
)
def test_off_the_grid_names_the_neighbours(pixel, given, near):
    with pytest.raises(ValueError, match=near):
        pixel.denoise(pixel.noise(0), **given)


def test_legs_are_the_steps_that_denoise_takes(pixel):
    assert pixel.legs(150) == [(150, 100), (100, 50), (50, None)] and pixel.legs(600, 600) == []
    assert pixel.legs(stop=900) == [(999, 950), (950, 900)] and pixel.legs(steps=2) == [(999, 500), (500, None)]
    x, seen = pixel.noise(1), []

    def see(network, args, given):
        seen.append(int(given["timestep"][0]))

    with pixel.network.register_forward_pre_hook(see, with_kwargs=True):
        pixel.denoise(x, 600, 200, steps=10)
    assert seen == [t for t, _ in pixel.legs(600, 200, steps=10)]


# Sampling


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize(("t", "s", "count"), [(600, 550, 20), (950, 900, 20), (50, None, 19), (500, 400, 10)])
def test_one_step_is_that_of_diffusers(prediction, t, s, count):
    model = make("unet", prediction_type=prediction, steps=20 if count > 10 else 10)
    x = model.noise([1, 2])
    scheduler = small_models.scheduler(prediction)
    scheduler.num_inference_steps = count  # its step goes down by 1000 // count; below zero is clean
    output = model.network(x, t, return_dict=False)[0]
    torch.testing.assert_close(
        model.denoise(x, start=t, stop=s), scheduler.step(output, t, x).prev_sample, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("middle", [999, 600, 50])
def test_stopping_and_going_on_is_going_through_bit_for_bit(models, kind, middle):
    model = models[kind]
    x = model.noise([3, 4])
    assert torch.equal(model.denoise(model.denoise(x, stop=middle), start=middle), model.denoise(x))


def test_the_last_step_is_the_expected_picture(pixel):
    x = pixel.denoise(pixel.noise(5), stop=50)
    assert torch.equal(pixel.denoise(x, start=50), pixel.predict(x, 50))


def test_denoise_follows_the_probability_flow_of_a_gaussian():
    network = Gaussian()
    model = DiffusionModel(network, ALPHAS, steps=999)
    x = model.noise(1)
    mean, deviation = network.marginal(999)
    exact = network.mean + network.deviation * (x - mean) / deviation  # the flow keeps each coordinate's quantile
    coarse = (model.denoise(x, steps=20) - exact).abs().max()
    assert (model.denoise(x) - exact).abs().max() < 0.01 < coarse


def test_predict_is_tweedies_formula():
    network = Gaussian()
    model = DiffusionModel(network, ALPHAS)
    x = model.noise([1, 2]).requires_grad_()
    mean, deviation = network.marginal(600)
    (score,) = torch.autograd.grad(torch.distributions.Normal(mean, deviation).log_prob(x).sum(), x)
    expected = (x + (1 - ALPHAS[600]) * score) / ALPHAS[600].sqrt()
    torch.testing.assert_close(model.predict(x, 600), expected)


def test_inversion_of_a_gaussian_comes_back():
    model = DiffusionModel(Gaussian(low=0.5), ALPHAS)
    picture = model.network.mean + model.network.deviation * model.noise([1, 2])
    errors = [(model.denoise(model.invert(picture, iterations=n)) - picture).abs().max() for n in (1, 5, 40)]
    assert errors[0] > 0.1 > 0.05 > errors[1] > 1e-6 > errors[2]


class TwoPoints(Gaussian):
    """The exact noise prediction where every coordinate of x_0 is 1 or -1."""

    def forward(self, sample, timestep, return_dict=True):
        a = ALPHAS[timestep[0]]
        return ((sample - a.sqrt() * (a.sqrt() * sample / (1 - a)).tanh()) / (1 - a).sqrt(),)


def test_inversion_halves_moves_that_overshoot():
    model = DiffusionModel(TwoPoints(), ALPHAS)
    picture = torch.full((1, 3, 4, 4), 0.5, dtype=torch.float64)  # between the points the last step is 30 times steeper
    x = model.invert(picture, stop=50, iterations=60)
    torch.testing.assert_close(model.denoise(x, start=50), picture, rtol=0, atol=1e-3)


def test_inversion_stops_where_it_is_told():
    model = DiffusionModel(Gaussian(low=0.5), ALPHAS)
    picture = model.network.mean + 0.3
    x = model.invert(picture, stop=600, steps=50, iterations=40)
    torch.testing.assert_close(model.denoise(x, start=600, steps=50), picture)


def test_inversion_of_a_network_improves_with_iterations(pixel):
    picture = pixel.denoise(pixel.noise([6, 7]))
    errors = [(pixel.denoise(pixel.invert(picture, iterations=n)) - picture).norm() for n in (1, 5)]
    assert errors[1] < 0.5 * errors[0]


def test_noise_is_drawn_as_if_alone(pixel):
    several = pixel.noise([7, 8, 9])
    assert several.shape == (3, 3, 16, 16)
    assert torch.equal(several, torch.cat([pixel.noise(seed) for seed in (7, 8, 9)]))
    assert torch.equal(pixel.noise(7)[0], torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(7)))


def test_noise_is_the_same_whatever_torch_s_defaults(pixel):
    expected, dtype = pixel.noise([7, 8]), torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    try:
        assert torch.equal(pixel.noise([7, 8]), expected)
    finally:
        torch.set_default_dtype(dtype)
        torch.set_default_device(None)


@pytest.mark.parametrize("seed", [1.5, -1, True, [], [1, "2"], None])
def test_seeds_that_are_none(pixel, seed):
    with pytest.raises(ValueError, match="seed="):
        pixel.noise(seed)


# The bottleneck


def full_run(model, x, t, layer, replacement=None):
    """Output of the layer, and of the network, by a plain hook; with `replacement` in the place of the layer's."""
    seen = []

    def hook(module, args, output):
        seen.append(output[0] if isinstance(output, tuple) else output)
        if replacement is not None:
            return (replacement, *output[1:]) if isinstance(output, tuple) else replacement

    with dict(model.network.named_modules())[layer].register_forward_hook(hook):
        extra = {k: v.expand(len(x), *v.shape[1:]) for k, v in model.conditioning.items()}
        times = torch.full((len(x),), t)
        return seen, model.network(x, times, return_dict=False, **extra)[0][:, : x.shape[1]]


@pytest.mark.parametrize(
    ("kind", "layer"),
    [
        ("unet", None),
        ("unet", "down_blocks.1"),  # gives a tuple
        ("unet", "up_blocks.0.attentions.0"),
        ("conditional", None),
        ("conditional", "up_blocks.1.attentions.0.transformer_blocks.0"),
        ("transformer", None),
        ("transformer", "transformer_blocks.1"),
    ],
)
def test_h_and_inject_agree_with_a_plain_hook(models, kind, layer):
    model, name = models[kind], layer or LAYERS[kind]
    x, y = model.noise([1, 2]), model.noise([3, 4])
    h = model.h(x, 600, layer)
    torch.testing.assert_close(h, full_run(model, x, 600, name)[0][0], rtol=1e-4, atol=1e-5)
    assert torch.equal(model.inject(x, 600, h=h, layer=layer), model.predict(x, 600))
    assert torch.equal(model.inject(x, 600, shift=torch.zeros_like(h[:1]), layer=layer), model.predict(x, 600))
    v = full_run(model, y, 600, name, replacement=h)[1]
    a, b = ALPHAS[600].sqrt().item(), (1 - ALPHAS[600]).sqrt().item()
    torch.testing.assert_close(model.inject(y, 600, h=h, layer=layer), a * y - b * v, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(model.inject(y, 600, h=h, layer=layer), model.predict(y, 600), atol=1e-3)


def test_h_stops_the_network(pixel):
    runs = []
    up, down = pixel.network.up_blocks[0], pixel.network.down_blocks[0]
    up, down = (block.register_forward_hook(lambda *_, b=block: runs.append(type(b).__name__)) for block in (up, down))
    with up, down:
        pixel.h(pixel.noise(0), 600)
    assert runs == ["DownBlock2D"]


def test_a_shift_is_a_replacement_and_may_be_flat(pixel):
    x, shift = pixel.noise([1, 2]), torch.linspace(-1, 1, 16 * 8 * 8)
    moved = pixel.inject(x, 600, h=pixel.h(x, 600) + shift.reshape(1, 16, 8, 8))
    assert torch.equal(pixel.inject(x, 600, shift=shift), moved)
    assert torch.equal(pixel.predict(x, 600, edit=lambda h, t: h + shift.reshape(h.shape[1:])), moved)


def test_denoise_applies_an_edit_in_every_step(pixel):
    x, seen = pixel.noise(1), []

    def edit(h, t):
        seen.append(t)
        return 0.5 * h

    edited = pixel.denoise(x, edit=edit)
    assert tuple(seen) == pixel.timesteps
    assert not torch.allclose(edited, pixel.denoise(x), atol=1e-3)
    assert torch.equal(pixel.denoise(x, edit=lambda h, t: h), pixel.denoise(x))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(), "exactly one of"),
        (dict(h=torch.zeros(1), shift=torch.zeros(1)), "exactly one of"),
        (dict(shift=torch.zeros(5)), r"shift has shape \(5,\); this layer takes \(2, 16, 8, 8\)"),
        (dict(h=torch.zeros(3, 16, 8, 8)), r"h has shape \(3, 16, 8, 8\)"),
        (dict(h=torch.zeros(1, 16, 8, 8).double()), "h is torch.float64"),
    ],
)
def test_inject_says_what_is_wrong(pixel, given, message):
    with pytest.raises(ValueError, match=message):
        pixel.inject(pixel.noise([1, 2]), 600, **given)


def test_an_edit_keeps_the_shape(pixel):
    with pytest.raises(ValueError, match="it must keep the shape"):
        pixel.predict(pixel.noise(1), 600, edit=lambda h, t: h[..., 0])


def test_a_wrong_layer_lists_close_ones(pixel):
    with pytest.raises(ValueError, match=r"no layer 'mid_blok'; close to it: mid_block"):
        pixel.h(pixel.noise(1), 600, layer="mid_blok")
    with pytest.raises(ValueError, match="down_blocks"):
        make("unet", layer="down_block.1")
    with pytest.raises(ValueError, match="has no layer 'mid_block'; close to it: transformer_blocks"):
        DiffusionModel(small_models.transformer(), ALPHAS).h(torch.zeros(1, 4, 8, 8), 5)


def test_a_layer_that_never_runs():
    model = make("unet")
    model.network.spare = torch.nn.Identity()
    with pytest.raises(ValueError, match="'spare' takes no part"):
        model.h(model.noise(1), 600, layer="spare")


# Derivatives


@pytest.fixture(scope="module")
def doubles():
    return {kind: make(kind).to(torch.float64) for kind in KINDS}


@pytest.mark.parametrize(
    ("kind", "layer"), [("unet", None), ("unet", "down_blocks.1"), ("conditional", None), ("transformer", None)]
)
def test_both_modes_against_finite_differences(doubles, kind, layer):
    model = doubles[kind]
    x, v, e = model.noise(1), model.noise(2), 1e-5
    h, push = torch.func.jvp(lambda x: model.h(x, 600, layer), (x,), (v,))
    secant = (model.h(x + e * v, 600, layer) - model.h(x - e * v, 600, layer)) / (2 * e)
    torch.testing.assert_close(push, secant, rtol=1e-6, atol=1e-8)
    assert push.norm() > 0.1
    u = torch.linspace(-1, 1, h.numel(), dtype=h.dtype).view_as(h)
    pull = torch.func.vjp(lambda x: model.h(x, 600, layer), x)[1](u)[0]
    torch.testing.assert_close((u * push).sum(), (pull * v).sum())
    several = torch.vmap(lambda v: torch.func.jvp(lambda x: model.h(x, 600, layer), (x,), (v,))[1])(
        torch.stack([v, -v])
    )
    torch.testing.assert_close(several, torch.stack([push, -push]))


def test_states_may_be_mapped_over(doubles):
    model = doubles["unet"]
    x = model.noise([1, 2])
    torch.testing.assert_close(torch.vmap(lambda x: model.h(x[None], 600)[0])(x), model.h(x, 600))
    torch.testing.assert_close(torch.vmap(lambda x: model.denoise(x[None], 100)[0])(x), model.denoise(x, 100))


def test_the_second_derivative_against_finite_differences(doubles):
    model = doubles["unet"]
    x, v, e = model.noise(1), model.noise(2), 1e-4
    first = lambda x: torch.func.jvp(lambda x: model.h(x, 600), (x,), (v,))[1]  # noqa: E731
    second = torch.func.jvp(first, (x,), (v,))[1]
    torch.testing.assert_close(second, (first(x + e * v) - first(x - e * v)) / (2 * e), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_the_jacobian_against_the_dense_one(kind):
    model = make(kind, size=8)
    x = model.noise(1)
    J = model.jacobian(x, 600)
    m = model.h(x, 600).numel()
    dense = torch.func.jacrev(lambda x: model.h(x, 600).flatten())(x).reshape(m, -1)
    assert J.shape == (m, x.numel())
    torch.testing.assert_close(J.y, model.h(x, 600).flatten())
    V, U = torch.randn(x.numel(), 3, generator=torch.Generator().manual_seed(0)), torch.eye(m)[:, ::101]
    torch.testing.assert_close(J @ V, dense @ V, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(J.T @ U, dense.T @ U, rtol=1e-3, atol=1e-4)


def judge(picture):
    """Three numbers of a picture."""
    return torch.stack([picture.mean(), (picture**2).mean().sqrt(), picture[0, 0].sum().sin()])[None]


@pytest.mark.parametrize("kind", KINDS)
def test_the_jacobian_through_the_sampler_against_finite_differences(doubles, kind):
    model = doubles[kind]
    x, v, e = model.noise(1), model.noise(2), 1e-5
    G = model.jacobian(x, t=200, to=judge)
    score = lambda x: judge(model.denoise(x, start=200))  # noqa: E731
    secant = (score(x + e * v) - score(x - e * v)).flatten() / (2 * e)
    assert G.shape == (3, x.numel())
    torch.testing.assert_close(G @ v.flatten(), secant, rtol=1e-5, atol=1e-6)  # of the judge, which sees float32
    pulled = G.T @ torch.eye(3, dtype=torch.float64)
    torch.testing.assert_close(pulled.T @ v.flatten(), secant, rtol=1e-5, atol=1e-6)
    assert (secant.abs() > 1e-3).all()


def test_sampling_is_checkpointed(pixel):
    x, held = pixel.noise(1).requires_grad_(), []

    def keep(tensor):
        held.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        pixel.predict(x, 600)
        one_run = sum(held)
        held.clear()
        pixel.denoise(x, start=600)
    assert sum(held) < one_run / 4  # twelve runs keep less than a quarter of what one has to
    direct = x
    for t in range(600, 0, -50):
        direct = pixel._step(direct, t, t - 50 or None)
    (expected,) = torch.autograd.grad(direct.square().sum(), x)
    (found,) = torch.autograd.grad(pixel.denoise(x, start=600).square().sum(), x)
    torch.testing.assert_close(found, expected)


class Strided(torch.nn.Module):
    """A judge whose group norm sees input with the channels last in memory, as after an attention block."""

    def __init__(self):
        super().__init__()
        self.norm = torch.nn.GroupNorm(2, 4)

    def forward(self, picture):
        channels = torch.cat([picture, picture[:, :1].square()], 1)
        strided = channels.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
        return self.norm(strided).sin().mean(dim=(2, 3))


def test_a_judge_may_hold_group_norms():
    model, body = make("unet").to(torch.float64), Strided().double()
    x, v, e = model.noise(1), model.noise(2), 1e-5
    secant = (body(model.denoise(x + e * v, 100)) - body(model.denoise(x - e * v, 100))).flatten().detach() / (2 * e)
    G = model.jacobian(x, t=100, to=body.float())
    torch.testing.assert_close(G @ v.flatten(), secant, rtol=1e-5, atol=1e-6)


def test_jacobian_takes_one_state_and_one_target(pixel):
    with pytest.raises(ValueError, match="one state, got a batch of 2"):
        pixel.jacobian(pixel.noise([1, 2]), 600)
    with pytest.raises(ValueError, match="exclude each other"):
        pixel.jacobian(pixel.noise(1), 600, to=judge, layer="mid_block")
    with pytest.raises(ValueError, match="650 and 600"):
        pixel.jacobian(pixel.noise(1), 630, to=judge)
    with pytest.raises(ValueError, match="close to it: mid_block"):
        pixel.jacobian(pixel.noise(1), 600, layer="middle_block")


# Nothing is left behind


def settings():
    return (
        torch.backends.cuda.flash_sdp_enabled(),
        torch.backends.cuda.mem_efficient_sdp_enabled(),
        torch.backends.cudnn.allow_tf32,
        torch.backends.cuda.matmul.allow_tf32,
        torch.get_float32_matmul_precision(),
    )


@pytest.fixture(params=[True, False])
def tf32(request):
    """The setting a user may have made, either way."""
    places = torch.backends.cudnn, torch.backends.cuda.matmul
    before = [place.allow_tf32 for place in places]
    for place in places:
        place.allow_tf32 = request.param
    yield request.param
    for place, value in zip(places, before, strict=True):
        place.allow_tf32 = value


def test_hooks_and_settings_are_put_back(pixel, tf32):
    before, state, x, inside = settings(), torch.get_rng_state(), pixel.noise(1), []
    assert before[2:4] == (tf32, tf32)
    for edit in (lambda h, t: inside.append(settings()) or h, lambda h, t: h[0]):
        with contextlib.suppress(ValueError):
            pixel.denoise(x, edit=edit)
    pixel.h(x, 600)
    assert inside[0] == (False, False, False, False, "highest")
    assert settings() == before and torch.equal(torch.get_rng_state(), state)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in pixel.network.modules())


def test_tf32_set_by_the_new_names_is_put_back(pixel):
    matmul, inside = torch.backends.cuda.matmul, []
    before = matmul.fp32_precision
    matmul.fp32_precision = "tf32"
    try:
        pixel.predict(pixel.noise(1), 600, edit=lambda h, t: inside.append(matmul.fp32_precision) or h)
        assert (inside, matmul.fp32_precision) == (["ieee"], "tf32")
    finally:
        matmul.fp32_precision = before


def test_a_full_gpu_says_what_to_do(monkeypatch):
    def full(*args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    model = make("unet")
    monkeypatch.setattr(model.network.mid_block, "forward", full)
    with pytest.raises(torch.OutOfMemoryError, match="fewer pictures at once, a smaller chunk="):
        model.denoise(model.noise(1))


# The door


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([1.0], r"a tensor of shape \(B, 3, 16, 16\), got list"),
        (torch.zeros(3, 16, 16), r"has shape \(B, 3, 16, 16\), got \(3, 16, 16\)"),
        (torch.zeros(1, 3, 16, 8), r"got \(1, 3, 16, 8\)"),
        (torch.zeros(0, 3, 16, 16), r"got \(0, 3, 16, 16\)"),
        (torch.zeros(1, 3, 16, 16).double(), "the state torch.float64 on cpu"),
        (torch.zeros(1, 3, 16, 16, device="meta"), "the state torch.float32 on meta"),
        (torch.full((1, 3, 16, 16), torch.nan), "768 numbers that are NaN or infinite"),
        (torch.zeros(1, 3, 16, 16).index_fill(3, torch.tensor([2]), torch.inf), "48 numbers that are NaN or infinite"),
    ],
)
def test_states_that_are_none(pixel, x, message):
    calls = (pixel.denoise, pixel.invert, pixel.picture, lambda x: pixel.h(x, 600), lambda x: pixel.predict(x, 600))
    for call in (*calls, lambda x: pixel.inject(x, 600, shift=torch.zeros(1)), lambda x: pixel.jacobian(x, 600)):
        with pytest.raises(ValueError, match=message):
            call(x)


@pytest.mark.parametrize("t", [-1, 1000, 3.0, "600", None, True, torch.tensor([1, 2])])
def test_times_that_are_none(pixel, t):
    x = pixel.noise(1)
    for call in (pixel.h, pixel.predict, pixel.jacobian, lambda x, t: pixel.inject(x, t, shift=torch.zeros(1024))):
        with pytest.raises(ValueError, match=r"t=.* must be an int from 0 to 999"):
            call(x, t)


def test_a_schedule_and_a_prediction_that_cannot_be():
    network = small_models.unet()
    with pytest.raises(ValueError, match="'flow' is not one of epsilon, v_prediction, sample"):
        DiffusionModel(network, ALPHAS, "flow")
    for alphas in (ALPHAS.flip(0), ALPHAS[None], ALPHAS - 0.5, [1.0]):
        with pytest.raises(ValueError, match="falling numbers between 0 and 1"):
            DiffusionModel(network, alphas)
    ends = torch.cat([ALPHAS[:-1], torch.zeros(1)])
    with pytest.raises(ValueError, match="ends in 0"):
        DiffusionModel(network, ends, "epsilon")
    assert torch.isfinite(DiffusionModel(network, ends, "v_prediction").denoise(torch.ones(1, 3, 16, 16))).all()


def test_conditioning_is_asked_for_and_fitted(models):
    bare = make("conditional", conditioning={})
    x = bare.noise([1, 2])
    with pytest.raises(ValueError, match=r"needs encoder_hidden_states: use model\.with_conditioning"):
        bare.h(x, 600)
    tokens = models["conditional"].conditioning["encoder_hidden_states"]
    with pytest.raises(ValueError, match="a batch of 3, the state one of 2"):
        bare.with_conditioning(encoder_hidden_states=tokens.repeat(3, 1, 1)).h(x, 600)
    two = torch.cat([tokens, -tokens])
    model = bare.with_conditioning(encoder_hidden_states=two)
    assert model.network is bare.network and bare.conditioning == {}
    alone = [bare.with_conditioning(encoder_hidden_states=c[None]).h(p[None], 600) for c, p in zip(two, x, strict=True)]
    torch.testing.assert_close(model.h(x, 600), torch.cat(alone), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(alone[1], bare.with_conditioning(encoder_hidden_states=tokens).h(x[1:], 600), atol=1e-3)


ADDED = {"text_embeds": torch.linspace(-1, 1, 10)[None], "time_ids": torch.tensor([[16, 16, 0, 0, 16, 16]])}


def test_conditioning_in_a_dict_is_fitted_too():
    """As Stable Diffusion XL's; against the network called with all of it written out."""
    network, tokens = small_models.sized_unet(), torch.ones(1, 5, 12)
    bare = DiffusionModel(network, ALPHAS, "v_prediction")
    model = bare.with_conditioning(encoder_hidden_states=tokens, added_cond_kwargs=ADDED)
    x, a = model.noise([1, 2]), ALPHAS[600]
    whole = {name: value.repeat(2, 1) for name, value in ADDED.items()}
    v = network(x, 600, tokens.repeat(2, 1, 1), added_cond_kwargs=whole, return_dict=False)[0]
    expected = (a.sqrt() * x - (1 - a).sqrt() * v).float()
    torch.testing.assert_close(model.predict(x, 600), expected, rtol=1e-4, atol=1e-5)
    other = {"text_embeds": -ADDED["text_embeds"]}
    other = bare.with_conditioning(encoder_hidden_states=tokens, added_cond_kwargs=ADDED | other)
    assert not torch.allclose(model.h(x, 600), other.h(x, 600), atol=1e-4), "the vector of the text is not heard"
    x = x[:1].double()
    assert model.to(torch.float64).jacobian(x, 600).dtype == torch.float64 == model.predict(x, 600).dtype
    three = {name: value.repeat(3, 1) for name, value in ADDED.items()}
    with pytest.raises(ValueError, match=r"added_cond_kwargs\['text_embeds'\] has a batch of 3, the state one of 1"):
        bare.with_conditioning(encoder_hidden_states=tokens, added_cond_kwargs=three).h(x, 600)


TOKENS = {"encoder_hidden_states": torch.ones(1, 5, 12)}


@pytest.mark.parametrize(
    ("given", "lacks", "written"),
    [
        ({}, "needs encoder_hidden_states, added_cond_kwargs", "encoder_hidden_states=..., "),
        (TOKENS, "needs added_cond_kwargs", ""),
        (TOKENS | {"added_cond_kwargs": None}, "added_cond_kwargs has no text_embeds, time_ids", ""),
        (TOKENS | {"added_cond_kwargs": {"text_embeds": ADDED["text_embeds"]}}, "has no time_ids", ""),
    ],
)
def test_sizes_that_are_missing_are_asked_for(given, lacks, written):
    """Also where there is a text encoder: it does not make them."""
    model = DiffusionModel(small_models.sized_unet(), ALPHAS, text=lambda prompts: None).with_conditioning(**given)
    written += 'added_cond_kwargs={"text_embeds": ..., "time_ids": ...}'
    with pytest.raises(ValueError, match=re.escape(f"{lacks}: use model.with_conditioning({written})")):
        model.h(model.noise(1), 600)


def test_a_transformer_that_reads_has_another_order_of_arguments():
    """PixArt's; against the network called with names, and without classes though it counts embeddings."""
    network, tokens = small_models.reading_transformer(), torch.ones(1, 5, 12)
    bare = DiffusionModel(network, ALPHAS, "v_prediction", layer="transformer_blocks.0")
    assert bare.conditioning == {} and network.config.num_embeds_ada_norm == 1000
    model, x, a = bare.with_conditioning(encoder_hidden_states=tokens), bare.noise([1, 2]), ALPHAS[600]
    with pytest.raises(ValueError, match=r"needs encoder_hidden_states: use model\.with_conditioning"):
        bare.h(x, 600)
    times, several = torch.full((2,), 600), tokens.repeat(2, 1, 1)
    v = network(x, timestep=times, encoder_hidden_states=several, return_dict=False)[0][:, :4]
    expected = (a.sqrt() * x - (1 - a).sqrt() * v).float()
    torch.testing.assert_close(model.predict(x, 600), expected, rtol=1e-4, atol=1e-5)
    J = model.jacobian(x[:1], 600)
    u, v = torch.linspace(-1, 1, J.shape[0]), torch.linspace(1, -1, J.shape[1])
    torch.testing.assert_close((J @ v) @ u, (J.T @ u) @ v, rtol=1e-3, atol=1e-5)


def test_pixart_for_large_pictures_is_told_their_shape():
    network = small_models.reading_transformer()
    network.use_additional_conditions = True
    model = DiffusionModel(network, ALPHAS, layer="transformer_blocks.0")
    with pytest.raises(ValueError, match=r'added_cond_kwargs=\{"resolution": \.\.\., "aspect_ratio": \.\.\.\}'):
        model.h(model.noise(1), 600)


def test_a_network_that_sees_more_than_the_state_is_refused():
    """To inpaint: the picture and the mask come with the state."""
    with pytest.raises(ValueError, match="this UNet2DConditionModel takes 9 channels and gives 4: one that sees more"):
        DiffusionModel(small_models.conditional_unet(in_channels=9, out_channels=4), ALPHAS)


# Files


@pytest.fixture
def folder(tmp_path):
    return small_models.save_pixel_model(tmp_path / "cat")


def test_load_gives_a_frozen_float32_model_from_half_precision_files(folder):
    state = torch.get_rng_state()
    model = hspace.load(folder)
    assert torch.equal(torch.get_rng_state(), state)
    stored = load_file(folder / "unet" / "diffusion_pytorch_model.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.float16}
    assert all(torch.equal(stored[name].float(), value) for name, value in model.network.state_dict().items())
    assert model.dtype == torch.float32 and not model.network.training and model.prediction_type == "v_prediction"
    assert not any(parameter.requires_grad for parameter in model.network.parameters())
    torch.testing.assert_close(model.alphas_cumprod, ALPHAS, rtol=1e-5, atol=0)
    assert hspace.load(str(folder), dtype=torch.bfloat16).dtype == torch.bfloat16
    assert hspace.load(folder, steps=50, layer="down_blocks.0").timesteps[1:3] == (980, 960)
    assert "UNet2DModel, 3×16×16, 0.05 M weights, v_prediction" in repr(model)


def test_load_and_diffusers_give_the_same_network(folder):
    pipe = diffusers.DDPMPipeline.from_pretrained(folder)
    model = hspace.load(folder)
    x = model.noise(1)
    v = pipe.unet.float()(x, 600, return_dict=False)[0]
    expected = pipe.scheduler.alphas_cumprod[600].sqrt() * x - (1 - pipe.scheduler.alphas_cumprod[600]).sqrt() * v
    torch.testing.assert_close(model.predict(x, 600), expected, rtol=1e-4, atol=1e-5)


def test_the_hash_is_of_the_values(folder):
    model = hspace.load(folder)
    same = DiffusionModel(small_models.unet().half().float(), ALPHAS)
    assert model.hash == same.hash == hspace.load(folder).to(torch.float64).hash and len(model.hash) == 64
    assert hspace.load(folder).to(torch.bfloat16).hash == model.hash
    other = hspace.load(folder)
    other.network.conv_in.bias.data[0] += 1e-3
    assert other.hash != model.hash != DiffusionModel(small_models.unet(seed=1), ALPHAS).hash


def test_a_latent_model_decodes_and_needs_no_class(tmp_path):
    model = hspace.load(small_models.save_latent_model(tmp_path / "dit"), layer="transformer_blocks.1")
    x = model.noise([1, 2])
    assert model.shape == (4, 8, 8) and model.conditioning["class_labels"].tolist() == [10]
    vae = diffusers.AutoencoderKL.from_pretrained(tmp_path / "dit" / "vae")
    torch.testing.assert_close(model.picture(x), vae.decode(x / 0.5).sample, rtol=1e-4, atol=1e-5)
    assert model.jacobian(x[:1], 100, to=judge).shape == (3, 256)


def with_decoder(folder, key, decoder):
    """The folder of a small model of latents (3, 8, 8), its decoder under another name than vae."""
    small_models.save_pixel_model(folder, small_models.unet(size=8))
    decoder.save_pretrained(folder / key)
    rewrite(folder / "model_index.json", **{key: ["diffusers", type(decoder).__name__]})
    return folder


@pytest.mark.parametrize("written", [True, False])
def test_latents_that_are_rounded_to_a_codebook_are_decoded(tmp_path, written):
    """As of ldm-celebahq-256, whose configuration gives no factor; against diffusers' own decoder."""
    vqvae = small_models.quantiser(**({"scaling_factor": 0.5} if written else {}))
    folder, factor = with_decoder(tmp_path / "ldm", "vqvae", vqvae), 0.5 if written else 1.0
    if not written:
        path = folder / "vqvae" / "config.json"
        config = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({name: value for name, value in config.items() if name != "scaling_factor"}))
    model = hspace.load(folder)
    x = model.noise([1, 2])
    assert model.shape == (3, 8, 8) and model.picture_shape == (3, 16, 16)
    picture = vqvae.decode(x / factor).sample
    torch.testing.assert_close(model.picture(x), picture, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.encode(picture), vqvae.encode(picture).latents * factor, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(picture, vqvae.decode(x / factor, force_not_quantize=True).sample, atol=1e-3)
    G = model.jacobian(x[:1], 100, to=judge)
    pulled = torch.autograd.functional.jacobian(lambda x: judge(vqvae.decode(model.denoise(x, 100) / factor)[0]), x[:1])
    torch.testing.assert_close(G.T @ torch.eye(3), pulled.reshape(3, -1).T, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(G @ torch.eye(192)[:, ::50], pulled.reshape(3, -1)[:, ::50], rtol=1e-3, atol=1e-5)


def test_kandinsky_s_decoder_takes_latents_as_they_are(tmp_path):
    movq = small_models.quantiser(norm_type="spatial", block_out_channels=(32, 32))
    model = hspace.load(with_decoder(tmp_path / "kandinsky", "movq", movq))
    x = model.noise(1)
    torch.testing.assert_close(model.picture(x), movq.decode(x, force_not_quantize=True).sample, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.encode(model.picture(x)), movq.encode(model.picture(x)).latents)


def test_a_part_that_was_left_out_is_not_looked_for(folder):
    rewrite(folder / "model_index.json", vae=[None, None])
    assert hspace.load(folder).vae is None


@pytest.mark.parametrize(("end", "save"), [("safetensors", save_file), ("bin", torch.save)])
def test_weights_that_are_there_as_a_variant_alone(folder, end, save):
    """Of two variants the first by name; the usual file comes before any."""
    usual, expected = folder / "unet" / "diffusion_pytorch_model.safetensors", hspace.load(folder).hash
    values = load_file(usual)
    others = {name: value + 1 for name, value in values.items()}
    for variant in ("fp16", "non_ema"):
        save(others, usual.with_name(f"diffusion_pytorch_model.{variant}.{end}"))
    assert hspace.load(folder).hash == expected
    usual.unlink()
    save(values, usual.with_name(f"diffusion_pytorch_model.fp16.{end}"))
    assert hspace.load(folder).hash == expected


def test_two_text_encoders_are_refused_and_one_that_was_left_out_is_none(folder, monkeypatch):
    stand_in(monkeypatch)
    rewrite(folder / "model_index.json", **CLIP, text_encoder_2=[None, None])
    assert hspace.load(folder).with_prompt("a cat").conditioning["encoder_hidden_states"].shape == (1, 9, 12)
    rewrite(folder / "model_index.json", text_encoder_2=["transformers", "CLIPTextModelWithProjection"])
    remedy = (
        r'with_conditioning\(encoder_hidden_states=\.\.\., added_cond_kwargs=\{"text_embeds": ..., "time_ids": ...\}'
    )
    with pytest.raises(ValueError, match=f"cat has two text encoders, hspace knows one: .*{remedy}"):
        hspace.load(folder).with_prompt("a cat")


def test_a_model_may_be_loaded_in_inference_mode(folder, monkeypatch):
    stand_in(monkeypatch)
    rewrite(folder / "model_index.json", **CLIP)
    with torch.inference_mode():
        model = hspace.load(folder, device="cpu").to(torch.float32)
        prompted = model.with_prompt("a cat")
    assert not prompted.conditioning["encoder_hidden_states"].is_inference()
    J = model.jacobian(model.noise(1), 600)
    assert (J.T @ torch.ones(J.shape[0])).norm() > 0


def test_the_oldest_layout_has_everything_at_the_top(folder):
    for part in ("unet", "scheduler"):
        for path in (folder / part).iterdir():
            path.rename(folder / path.name)
        (folder / part).rmdir()
    assert hspace.load(folder).hash == DiffusionModel(small_models.unet().half().float(), ALPHAS).hash


def test_pickled_weights_are_read_as_diffusers_reads_them(folder):
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    before = hspace.load(folder).hash
    weights.unlink()
    assert hspace.load(folder).hash == before


def spoil(path, how):
    """Damage one file of a model's folder."""
    if how == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif how == "empty":
        path.write_bytes(b"")
    else:
        values = load_file(path)
        if how == "incomplete":
            values.pop("conv_in.bias")
        elif how == "nan":
            values["conv_in.bias"][0] = torch.nan
        else:
            values["conv_in.bias"] = values["conv_in.bias"][:2].clone()
        save_file(values, path, metadata={"format": "pt"})


@pytest.mark.parametrize("how", ["truncated", "empty", "incomplete", "nan", "misshapen"])
def test_damaged_weights_are_named(folder, how):
    spoil(folder / "unet" / "diffusion_pytorch_model.safetensors", how)
    with pytest.raises(WeightsError, match=r"cat.unet(.|\n)*again") as caught:
        hspace.load(folder)
    assert isinstance(caught.value, OSError)


@pytest.mark.parametrize("name", ["model_index.json", "unet/config.json", "scheduler/scheduler_config.json"])
def test_damaged_and_missing_configurations_are_named(folder, name):
    path = folder / name
    for text in ("{", "[]", "\0"):
        path.write_text(text)
        with pytest.raises(WeightsError, match=f"{path.name} is damaged"):
            hspace.load(folder)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f"{path.name} is missing"):
        hspace.load(folder)


def test_missing_weights_and_folders_are_named(folder):
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"unet.diffusion_pytorch_model\.safetensors is missing"):
        hspace.load(folder)
    for name in (folder / "elsewhere", "./nowhere", "nowhere", "~/no/where"):
        with pytest.raises(FileNotFoundError, match=r"no folder .*where"):
            hspace.load(name)


def test_without_a_name_the_package_s_own_weights_are_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "files", lambda package: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"weights.alice is missing: .* `hspace train`"):
        hspace.load()
    small_models.save_pixel_model(tmp_path / "weights" / "alice", small_models.unet(seed=3))
    assert hspace.load().hash == DiffusionModel(small_models.unet(seed=3).half().float(), ALPHAS).hash


def rewrite(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes))


def test_models_of_another_kind(folder):
    with pytest.raises(ValueError, match="revision='v1' pins a model on the hub"):
        hspace.load(folder, revision="v1")
    with pytest.raises(ValueError, match="revision='v1' pins a model on the hub, but no name is given: add owner/name"):
        hspace.load(revision="v1")
    rewrite(folder / "model_index.json", unet=["my_code", "UNet"])
    with pytest.raises(ValueError, match=r"its unet is my_code\.UNet, which is not part of this diffusers"):
        hspace.load(folder)
    (folder / "model_index.json").write_text(json.dumps({"prior": ["diffusers", "PriorTransformer"]}))
    with pytest.raises(ValueError, match="neither a unet nor a transformer"):
        hspace.load(folder)


def test_a_flow_model_has_no_noise_schedule(folder):
    diffusers.FlowMatchEulerDiscreteScheduler().save_pretrained(folder / "scheduler")
    with pytest.raises(ValueError, match="FlowMatchEulerDiscreteScheduler has no betas"):
        hspace.load(folder)


def test_other_schedules_are_those_of_diffusers(folder):
    options = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", rescale_betas_zero_snr=True)
    scheduler = diffusers.DDIMScheduler(prediction_type="v_prediction", **options)
    scheduler.save_pretrained(folder / "scheduler")
    model = hspace.load(folder)
    torch.testing.assert_close(model.alphas_cumprod, scheduler.alphas_cumprod.double())
    assert torch.isfinite(model.denoise(model.noise(1))).all()


def test_a_hub_id_is_fetched_by_diffusers_and_never_runs_code(folder, monkeypatch):
    asked = []

    def download(name, **options):
        asked.append((name, options))
        if name == "owner/missing":
            raise OSError("404")
        return str(folder)

    monkeypatch.setattr(diffusers.DiffusionPipeline, "download", download)
    assert hspace.load("owner/cat-16", revision="main").shape == (3, 16, 16)
    assert asked[0][0] == "owner/cat-16" and asked[0][1].pop("revision") == "main"
    assert set(asked[0][1].values()) == {None}  # parts that are not wanted, and no word of trust_remote_code
    with pytest.raises(FileNotFoundError, match=r"could not fetch 'owner/missing' .*local folder(.|\n)*404"):
        hspace.load("owner/missing")


# The package


def test_importing_is_light_and_names_come_when_asked_for():
    code = "import sys, hspace; assert 'torch' not in sys.modules; print(hspace.__version__, 'load' in dir(hspace))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.1.0", "True"]
    assert hspace.DiffusionModel is DiffusionModel and hspace.WeightsError is WeightsError
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        hspace.lode  # noqa: B018
