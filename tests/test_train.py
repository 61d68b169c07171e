"""Training: what it computes, and that a killed run loses nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from diffusers import DDIMScheduler, DDPMPipeline

from hspace.cats import train, world
from hspace.cats.judge import Judge, load_judge
from hspace.cats.render import render
from hspace.cats.train import Plan
from hspace.model import DiffusionModel, load

TINY = {"sample_size": 64, "block_out_channels": (8, 8, 8, 8), "norm_num_groups": 4, "attention_head_dim": 8}


@pytest.fixture
def tiny(monkeypatch):
    """A much smaller Alice, the same in everything else."""
    monkeypatch.setattr(train, "ARCHITECTURE", train.ARCHITECTURE | TINY)
    return Plan(steps=6, batch=2, warmup=2)


def weights(folder):
    return DDPMPipeline.from_pretrained(folder / "alice").unet.state_dict()


def test_v_is_what_the_definition_says():
    plan, alphas = Plan(batch=8), train.schedule().alphas_cumprod
    noisy, t, v, weight = train.batch_of(plan, 3, alphas)
    a, b = alphas[t].sqrt().view(-1, 1, 1, 1), (1 - alphas[t]).sqrt().view(-1, 1, 1, 1)
    clean, noise = a * noisy - b * v, b * noisy + a * v
    assert clean.abs().max() <= 1 + 1e-4  # a drawing is within -1..1, so x_0 was recovered
    assert noise.std() == pytest.approx(1, abs=0.02)
    snr = (alphas[t] / (1 - alphas[t])).double()
    assert torch.allclose(weight.double(), torch.minimum(snr + 1, torch.tensor(20.0)) / (snr + 1), rtol=1e-4)


def test_timesteps_crowd_where_noise_is_low():
    """One of each equal part of [0, 1], squared."""
    alphas = train.schedule().alphas_cumprod
    drawn = torch.cat([train.batch_of(Plan(batch=8, middle=0), step, alphas)[1] for step in range(20)])
    for part in drawn.view(20, 8):
        assert ((part / 1000).sqrt() * 8).long().unique().numel() >= 7
    assert abs((drawn < 250).float().mean() - 0.5) < 0.05 and drawn.max() > 900
    even = torch.cat([train.batch_of(Plan(batch=8, crowding=1.0, middle=0), step, alphas)[1] for step in range(20)])
    assert abs((even < 250).float().mean() - 0.25) < 0.05


def test_half_of_the_timesteps_lie_in_the_middle():
    """Against scipy's quantiles of the logit-normal distribution; the other half is as it would be alone."""
    plan, alphas = Plan(batch=64, middle=0.5), train.schedule().alphas_cumprod
    drawn = torch.stack([train.batch_of(plan, step, alphas)[1] for step in range(20)]) / 1000
    low, middle = drawn.split(32, dim=1)
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert middle.quantile(share).item() == pytest.approx(
            scipy.special.expit(scipy.stats.norm.ppf(share)), abs=0.02
        )
        assert low.quantile(share).item() == pytest.approx(share**2, abs=0.03)
    assert train.timesteps_of(Plan(batch=5, middle=1), torch.Generator().manual_seed(0), 1000).shape == (5,)


def test_the_sketch_knows_what_is_decided_and_no_more():
    """Colours, horses and puppets by t = 400; less the earlier; next to nothing at 800."""
    people, model = world.sample(64, seed=5), load()
    noise = torch.randn(64, 3, 64, 64, generator=torch.Generator().manual_seed(6))

    def known(t):
        a = model.alphas_cumprod[t].item()
        looks = model.predict(a**0.5 * render(people) + (1 - a) ** 0.5 * noise, t)
        return train.r_squared(load_judge("sketch"), people, train.packed(looks))

    late, half, early = map(known, (400, 600, 800))
    assert min(late[name] for name in ("puppet", "horse", "fur", "background")) >= 0.8, late
    assert min(late.values()) >= 0.5, late
    assert max(early.values()) <= 0.3, early
    assert all(late[name] > half[name] > early[name] - 0.05 for name in world.FACTORS), (half, early)


def test_detail_is_where_the_eyes_are():
    """Opening the eyes changes pixels of more weight than most; corners hold little that could be seen."""
    found = train.detail(256)
    assert found.shape == (64, 64) and found.mean().item() == pytest.approx(1, abs=1e-5) and found.min() >= 0
    people = world.sample(64, seed=3)
    shut, wide = people.clone(), people.clone()
    shut[:, world.column("eye")], wide[:, world.column("eye")] = 0, 1
    eyes = (render(wide) - render(shut)).square().mean(dim=(0, 1))
    assert (found * eyes).sum() / eyes.sum() > 1.8 and found[0, 0] < 0.1 and found[-1, -1] < 0.1


def test_a_step_of_muon_turns_all_singular_values_into_about_one():
    """Against the polar factor of the gradient, from a dense SVD; biases take AdamW's first step, the sign."""
    layer = torch.nn.Conv2d(5, 7, 3).to(memory_format=torch.channels_last)
    before = {name: p.detach().clone() for name, p in layer.named_parameters()}
    optimiser = train.Optimiser(layer, rate=1e-2)
    layer.weight.grad = torch.randn(7, 5, 3, 3, generator=torch.Generator().manual_seed(0))
    layer.weight.grad = layer.weight.grad.contiguous(memory_format=torch.channels_last)
    layer.bias.grad = torch.tensor([3.0, -1.0, 2.0, -4.0, 0.5, -0.5, 1.0])
    polar = torch.linalg.svd(layer.weight.grad.permute(0, 2, 3, 1).flatten(1), full_matrices=False)
    sign = layer.bias.grad.sign()
    optimiser.step()
    moved = (before["weight"] * (1 - 1e-5) - layer.weight.detach()).permute(0, 2, 3, 1).flatten(1)
    scaled = polar.U.T @ (moved / (1e-2 * 0.2 * (5 * 3 * 3) ** 0.5)) @ polar.Vh.T
    assert (scaled.diagonal() - 1).abs().max() < 0.5  # bfloat16 Newton-Schulz, which stops early by design
    assert (scaled - scaled.diagonal().diag()).abs().max() < 0.15
    assert torch.allclose(before["bias"] * (1 - 1e-5) - layer.bias.detach(), 1e-2 * sign, rtol=1e-3)
    assert layer.weight.grad is None and layer.bias.grad is None


def test_a_sample_sheet_shows_what_diffusers_ddim_draws(tiny):
    """One step from the last timestep straight to the clean picture, by diffusers' own scheduler."""
    unet, scheduler = train.network(0), train.schedule()
    sheet = train.sample_sheet(unet, scheduler.alphas_cumprod, n=8, steps=1)
    ddim = DDIMScheduler.from_config(scheduler.config, clip_sample=False, set_alpha_to_one=True)
    ddim.timesteps, ddim.num_inference_steps = torch.tensor([999]), 1
    x = torch.cat([torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(i)) for i in range(8)])
    expected = ddim.step(unet(x, torch.tensor(999), return_dict=False)[0], 999, x).prev_sample
    shown = torch.from_numpy(np.array(sheet)).float().view(64, 8, 64, 3).permute(1, 3, 0, 2)
    assert (shown - ((expected + 1) * 127.5).clamp(0, 255)).abs().max() <= 1.01


@pytest.fixture
def terminal():
    """Ctrl-C interrupts, as in a terminal; a process in the background may have been told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(at, times=1):
    """A step of the optimiser, the `at`-th of which is followed by Ctrl-C."""
    step, seen = train.Optimiser.step, []

    def interrupt(optimiser):
        step(optimiser)
        seen.append(optimiser)
        for _ in range(times if len(seen) == at else 0):
            signal.raise_signal(signal.SIGINT)

    return interrupt


def test_a_stopped_run_goes_on_to_the_same_weights(tiny, terminal, tmp_path, monkeypatch):
    """Ctrl-C comes in the middle of the third step: the weights have moved, their running average has not."""
    train.train_alice(tmp_path / "whole", tiny, "cpu")
    with monkeypatch.context() as patch:
        patch.setattr(train.Optimiser, "step", interrupted(at=3))
        train.train_alice(tmp_path / "halved", tiny, "cpu")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert len(json.loads((tmp_path / "halved" / "curve.json").read_text())["loss"]) == 3
    train.train_alice(tmp_path / "halved", tiny, "cpu")
    whole, halved = weights(tmp_path / "whole"), weights(tmp_path / "halved")
    assert all(torch.equal(whole[name], halved[name]) for name in whole)
    curves = [json.loads((tmp_path / name / "curve.json").read_text()) for name in ("whole", "halved")]
    assert curves[0] == curves[1] and len(curves[0]["loss"]) == 6


def test_a_second_ctrl_c_stops_at_once_and_keeps_what_was_saved(tiny, terminal, tmp_path, monkeypatch):
    train.train_alice(tmp_path, Plan(steps=4, batch=2, warmup=2), "cpu")
    state = (tmp_path / "state.pt").read_bytes()
    monkeypatch.setattr(Plan, "rate_at", lambda plan, step: 1e-3)
    monkeypatch.setattr(train.Optimiser, "step", interrupted(at=1, times=2))
    with pytest.raises(KeyboardInterrupt):
        train.train_alice(tmp_path, tiny, "cpu")
    assert (tmp_path / "state.pt").read_bytes() == state
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_is_left_alone_in_a_thread_and_where_it_is_ignored(monkeypatch):
    set_here = []
    monkeypatch.setattr(signal, "signal", lambda *given: set_here.append(given))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: train.until_ctrl_c().__enter__()).result()
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN)
    with train.until_ctrl_c() as stop:
        assert not stop.asked
    assert set_here == []


def test_a_pipeline_that_fails_half_written_leaves_the_old_one(tiny, tmp_path, monkeypatch):
    run = train.Run(tiny, torch.device("cpu"), tmp_path)
    run.save()
    before, save = weights(tmp_path), DDPMPipeline.save_pretrained

    def full(pipeline, folder, **options):
        save(pipeline, folder, **options)
        next(folder.rglob("*.safetensors")).write_bytes(b"half")
        raise OSError("no space left on device")

    run.advance()
    with monkeypatch.context() as patch, pytest.raises(OSError, match="no space left"):
        patch.setattr(DDPMPipeline, "save_pretrained", full)
        run.save()
    kept = weights(tmp_path)
    assert all(torch.equal(before[name], kept[name]) for name in before)
    run.save()
    assert any(not torch.equal(before[name], value) for name, value in weights(tmp_path).items())
    assert {path.name for path in tmp_path.iterdir()} == {"state.pt", "curve.json", "alice", "samples.png"}


def test_random_weights_seed_no_gpu(tiny, monkeypatch):
    def seeded(seed):
        raise AssertionError("the generators of the GPUs are seeded as well")

    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded)
    train.network(0)
    train.seeded_judge("guide", 0)


def test_two_runs_into_one_folder_do_not_mix(tiny, tmp_path):
    with train.lock_folder(tmp_path, "training"), pytest.raises(BlockingIOError, match="another run writes into"):
        train.train_alice(tmp_path, tiny, "cpu")
    assert [path.name for path in tmp_path.iterdir()] == [".locks"]


def test_bf16_is_asked_for_where_there_is_someone_to_ask(monkeypatch):
    """MKLDNN is not built everywhere, and an old GPU emulates what it has not."""
    asked = []
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **given: asked.append(given))
    train.has_bf16(torch.device("cuda"))
    assert asked == [{"including_emulation": False}]
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert train.has_bf16(torch.device("cpu")) is False


def test_training_lowers_the_loss(tiny, tmp_path):
    train.train_alice(tmp_path, Plan(steps=30, batch=4, warmup=5, rate=3e-3), "cpu")
    loss = json.loads((tmp_path / "curve.json").read_text())["loss"]
    assert sum(loss[-5:]) < 0.8 * sum(loss[:5])


def test_another_plan_in_the_same_folder_is_refused(tiny, tmp_path):
    train.train_alice(tmp_path, tiny, "cpu")
    with pytest.raises(ValueError, match="choose another folder"):
        train.train_alice(tmp_path, Plan(steps=6, batch=4, warmup=2), "cpu")


def test_more_steps_are_taken_while_the_rate_is_still_flat():
    short, long = Plan(steps=4000), Plan(steps=6000)
    assert all(short.rate_at(s) == long.rate_at(s) for s in range(2001))
    assert short.rate_at(2100) < long.rate_at(2100)
    assert short.rate_at(0) < short.rate_at(299) == short.rate and short.rate_at(3999) < 0.01 * short.rate


def test_a_run_survives_kill_9(tmp_path):
    """The process is killed without warning; the files it had written are whole, and it goes on from them."""
    program = (
        "from hspace.cats import train; "
        f"train.ARCHITECTURE |= {TINY!r}; "
        f"train.train_alice({str(tmp_path)!r}, train.Plan(steps=100_000, batch=1), 'cpu', minutes_between_saves=0.001)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    state = tmp_path / "state.pt"
    deadline = time.monotonic() + 90
    while not state.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = torch.load(state, weights_only=True)["step"]
    assert before > 0
    other_plan = program.replace("batch=1", "batch=2")
    refused = subprocess.run([sys.executable, "-c", other_plan], capture_output=True, text=True)
    assert refused.returncode != 0 and "choose another folder" in refused.stderr
    stop_soon = program.replace(
        "train.train_alice", f"train.Run.advance = stop(train.Run.advance, {before + 1}); train.train_alice"
    )
    lines = [
        "from signal import SIGINT, default_int_handler, raise_signal, signal",
        "signal(SIGINT, default_int_handler)",
        "def stop(f, n):",
        " def g(run):",
        "  if run.step == n:",
        "   raise_signal(SIGINT)",
        "  f(run)",
        " return g",
    ]
    helper = "\n".join([*lines, ""])
    subprocess.run([sys.executable, "-c", helper + stop_soon.replace("0.001", "10")], check=True, capture_output=True)
    assert torch.load(state, weights_only=True)["step"] == before + 2


def test_a_loss_that_is_not_finite_stops_the_run(tiny, tmp_path, monkeypatch):
    def broken(plan, step, alphas):
        noisy, t, v, weight = original(plan, step, alphas)
        return noisy, t, v * torch.nan, weight

    original = train.batch_of
    monkeypatch.setattr(train, "batch_of", broken)
    with pytest.raises(FloatingPointError, match="step 0"):
        train.train_alice(tmp_path, tiny, "cpu")


def test_judges_learn_and_differ(tmp_path):
    scores = train.train_judge("guide", tmp_path, pictures=256, steps=40, batch=32)
    assert scores["horse"] > 0.2 and set(scores) == set(train.world.FACTORS)
    sizes = [sum(p.numel() for p in Judge(kind).parameters()) for kind in ("guide", "referee")]
    assert sizes[0] != sizes[1]


@pytest.fixture
def little_alice(tiny):
    """Untrained, and much smaller."""
    return DiffusionModel(train.network(0), train.schedule().alphas_cumprod, "v_prediction")


def test_expected_pictures_are_those_of_noisy_drawings(little_alice, monkeypatch):
    """At the first of 1000 timesteps nothing is hidden, and v-prediction gives the drawing back."""
    people = train.half_lawless(65, seed=3)
    looks = train.expected(little_alice, people, seed=3)
    assert people.shape == (65, 12) and looks.shape == (65, 3, 64, 64) and looks.dtype == torch.int8
    assert torch.equal(looks, train.expected(little_alice, people, seed=3))
    assert not torch.equal(looks, train.expected(little_alice, people, seed=4))
    monkeypatch.setattr(train, "HALFWAY", (0, 1))
    clear = train.expected(little_alice, people[:8], seed=3).float() / 127
    assert (clear - render(people[:8])).square().mean().sqrt() < 0.05


def test_the_sketch_learns_from_what_is_expected(little_alice, tmp_path, monkeypatch):
    seen, looks, predict, expected = [], {}, little_alice.predict, train.expected
    monkeypatch.setattr(little_alice, "predict", lambda x, t: seen.append(t) or predict(x, t))

    def expected_once(model, people, seed):
        if seed not in looks:
            looks[seed] = expected(model, people, seed)
        return looks[seed]

    monkeypatch.setattr(train, "expected", expected_once)
    monkeypatch.setattr("hspace.cats.judge.files", lambda package: tmp_path)
    folder = tmp_path / "weights" / "judges"
    scores = train.train_sketch(little_alice, folder, pictures=64, steps=3, batch=8)
    first = load_judge("sketch").state_dict()
    assert set(scores) == set(train.world.FACTORS) and [len(look) for look in looks.values()] == [64, 1024]
    assert len(seen) == 17 and min(seen) >= 400 and max(seen) <= 800 and len(set(seen)) > 8
    assert scores == train.train_sketch(little_alice, folder, pictures=64, steps=3, batch=8)
    again = load_judge("sketch").state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_alice_can_be_trained_further(tmp_path):
    """From the weights that ship, on pictures she has not seen, with her curve going on."""
    with pytest.raises(ValueError, match="seed 0 drew the pictures"):
        train.train_alice(tmp_path, Plan(steps=1, batch=1, onward=True), "cpu")
    train.train_alice(tmp_path, Plan(steps=1, batch=2, warmup=1, rate=1e-9, seed=99, onward=True), "cpu")
    before, after = train.bundled_curve(), json.loads((tmp_path / "curve.json").read_text())
    assert after["loss"][:-1] == before["loss"] and after["earlier"]["plan"] == before["plan"]
    assert after["loss"][-1] < 5 * sum(before["loss"][-100:]) / 100  # an untrained network starts far above
    bundled = DDPMPipeline.from_pretrained(train.bundled("weights") / "alice").unet.state_dict()
    moved = weights(tmp_path)
    assert all(torch.allclose(bundled[name], moved[name], atol=1e-3) for name in bundled)
