"""Models of the hub: their architectures, small, loaded by the same code; prompts, guidance, pickles, 16 bits."""

import json
import pickle
import subprocess
import sys

import diffusers
import pytest
import small_models
import torch
from clip import CLIP, TextModel, Tokenizer, stand_in
from safetensors.torch import load_file

import hspace
from hspace import architectures, memory, pretrained
from hspace.jacobian import Jacobian, mismatch
from hspace.krylov import svd
from hspace.model import DiffusionModel, WeightsError

FACES, CATS, CIFAR = "google/ddpm-ema-celebahq-256", "google/ddpm-cat-256", "google/ddpm-cifar10-32"
SD1, SD2 = "stable-diffusion-v1-5/stable-diffusion-v1-5", "stabilityai/stable-diffusion-2-1"
DIT = "facebook/DiT-XL-2-256"
SIX = dict(sample_size=64, block_out_channels=(4, 4, 8, 8, 8, 8), norm_num_groups=4)
FOUR = dict(sample_size=16, block_out_channels=(8, 8, 16, 16), norm_num_groups=4)
SMALL = {
    FACES: SIX,
    CATS: SIX,
    CIFAR: FOUR,
    SD1: FOUR | dict(cross_attention_dim=12, attention_head_dim=2),
    SD2: FOUR | dict(cross_attention_dim=12, attention_head_dim=(1, 1, 2, 2)),
    DIT: dict(sample_size=8, num_layers=3, num_attention_heads=2, attention_head_dim=8),
}
PARAMETERS = {FACES: 113_673_219, CIFAR: 35_746_307, SD1: 859_520_964, SD2: 865_910_724}  # as published
LAYERS = {DIT: "transformer_blocks.1"}  # where there is no mid_block


def saved(folder, name, index=None, network=None):
    """A model's folder in diffusers' layout: a small network of that kind, its schedule, for latents a decoder."""
    network = network or small_models.seeded(lambda: architectures.network(name, **SMALL[name]))
    part = "transformer" if name == DIT else "unet"
    network.save_pretrained(folder / part)
    architectures.scheduler(name).save_pretrained(folder / "scheduler")
    parts = {part: ["diffusers", type(network).__name__], "scheduler": ["diffusers", "DDPMScheduler"]}
    if name in (SD1, SD2, DIT):
        small_models.autoencoder().save_pretrained(folder / "vae")
        parts |= {"vae": ["diffusers", "AutoencoderKL"]}
    (folder / "model_index.json").write_text(json.dumps(parts | (index or {})))
    return folder


# Architectures


@pytest.mark.parametrize("name", PARAMETERS)
def test_architectures_have_the_published_number_of_weights(name):
    with torch.device("meta"):
        network = architectures.network(name)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[name]
    assert architectures.architecture(name.split("/")[1])["kind"] == type(network).__name__


def test_an_unknown_architecture_lists_those_there_are():
    with pytest.raises(ValueError, match=r"no architecture 'ddpm'; there are google/ddpm-ema-celebahq-256, "):
        architectures.network("ddpm")


@pytest.mark.parametrize("name", SMALL)
def test_each_architecture_is_loaded_and_differentiated(name, tmp_path):
    """Through the same code as the real ones, and both modes against each other and against a dense Jacobian's row."""
    model = hspace.load(saved(tmp_path, name), steps=5, layer=LAYERS.get(name))
    small = architectures.random_model(name, **SMALL[name])
    assert small.layer == model.layer
    if name in (SD1, SD2):
        model = model.with_conditioning(encoder_hidden_states=small.conditioning["encoder_hidden_states"])
    noise = architectures.scheduler(name)
    torch.testing.assert_close(model.alphas_cumprod, noise.alphas_cumprod.double())
    assert model.prediction_type == noise.config.prediction_type == ("v_prediction" if name == SD2 else "epsilon")
    x = model.noise(1)
    J = model.jacobian(x, 600)
    u = torch.linspace(-1, 1, J.shape[0])
    row = torch.autograd.functional.vjp(lambda x: model.h(x, 600).flatten(), x, u)[1].flatten()
    v = torch.linspace(1, -1, J.shape[1])
    torch.testing.assert_close(J.T @ u, row, rtol=1e-3, atol=1e-5)
    assert ((J @ v) @ u - v @ row).abs() < 1e-4 * (J @ v).norm() * u.norm()
    assert mismatch(J) < 1e-4 and torch.isfinite(model.picture(model.denoise(x))).all()


@pytest.mark.parametrize("name", [FACES, DIT])
def test_a_model_of_shapes_alone_has_the_layers_of_the_whole(name):
    shell, whole = (architectures.random_model(name, device=device, **SMALL[name]) for device in ("meta", "cpu"))
    assert shell.device.type == "meta" and (shell.shape, shell.layer) == (whole.shape, whole.layer)
    assert shell.jacobian(shell.noise(1), 600).shape == whole.jacobian(whole.noise(1), 600).shape
    assert memory.predict(shell, 600, 4) == memory.predict(whole, 600, 4)


def test_files_of_older_diffusers_are_the_same_model(tmp_path):
    """As on the hub: a pickle with attention under its first names, a transformer before it had its own class."""
    folder = saved(tmp_path / "cat", CIFAR)
    new, weights = hspace.load(folder).hash, folder / "unet" / "diffusion_pytorch_model.safetensors"
    first = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    values = load_file(weights)
    for now, then in first.items():
        assert any(f".{now}." in key for key in values)
        values = {key.replace(f".{now}.", f".{then}."): value for key, value in values.items()}
    weights.unlink()
    torch.save(values, weights.with_suffix(".bin"))
    assert hspace.load(folder).hash == new
    folder = saved(tmp_path / "dit", DIT)
    new = hspace.load(folder).hash
    for path in (folder / "model_index.json", folder / "transformer" / "config.json"):
        path.write_text(path.read_text(encoding="utf-8").replace("DiTTransformer2DModel", "Transformer2DModel"))
    old = hspace.load(folder, layer="transformer_blocks.2")
    assert old.hash == new and old.h(old.noise(1), 600).shape == (1, 16, 16)


def test_celebahq_s_own_size_in_memory_and_products():
    """The full architecture, 114 million random weights, at 256 × 256: one product each way, in a process of its own.

    The adjoint test at full size, what the process took at most, and what was predicted. About a minute of one core.
    """
    code = """
import json, resource
import torch
from hspace import memory
from hspace.architectures import random_model
model = random_model("google/ddpm-ema-celebahq-256")
need = memory.predict(model, 600, 1, chunk=1, block=1)
resident = lambda: next(1024 * int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmRSS"))
before = resident()
J = model.jacobian(model.noise(1), 600, chunk=1)
v = torch.nn.functional.normalize(torch.randn(J.shape[1], generator=torch.Generator().manual_seed(2)), dim=0)
u = J @ v
w = J.T @ u
most = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
gap = abs((u @ u - v @ w) / (u @ u)).item()
told = dict(shape=J.shape, products=J.products, gap=gap, most=most, used=most - before)
print(json.dumps(told | dict(predicted=need.states + need.column, weights=need.weights)))
"""
    if not sys.platform.startswith("linux"):
        pytest.skip("reads what the process took from /proc")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["shape"] == [512 * 8 * 8, 3 * 256 * 256] and told["products"] == 2 and told["gap"] < 1e-4
    assert told["weights"] == 4 * PARAMETERS[FACES] and told["most"] < 4 * 2**30
    assert 0.5 * told["predicted"] < told["used"] < 1.25 * told["predicted"], told


# Prompts and guidance


@pytest.fixture
def transformers(monkeypatch):
    stand_in(monkeypatch)


@pytest.fixture
def stable(tmp_path):
    """Stable Diffusion 1.5, small, loaded from a folder that has a text encoder."""
    return hspace.load(saved(tmp_path / "sd", SD1, CLIP), steps=5)


def tokens(*texts):
    return TextModel()(Tokenizer()(list(texts), "max_length", 9, True, "pt").input_ids)[0].detach()


def test_a_prompt_is_encoded_and_guides_as_diffusers_says(stable, transformers):
    model = stable.with_prompt("a cat", guidance=3.0, negative="dog")
    assert model.network is stable.network and stable.conditioning == {} and stable.guidance == 1
    x, t = model.noise([1, 2]), 600
    outputs = [
        stable.network(x, t, encoder_hidden_states=tokens(text).expand(2, -1, -1), return_dict=False)[0]
        for text in ("dog", "a cat")
    ]
    scheduler = architectures.scheduler(SD1)
    scheduler = diffusers.DDIMScheduler.from_config(scheduler.config, clip_sample=False, set_alpha_to_one=True)
    scheduler.num_inference_steps = 5
    expected = scheduler.step(outputs[0] + 3 * (outputs[1] - outputs[0]), t, x).prev_sample
    torch.testing.assert_close(model.denoise(x, start=600, stop=400), expected, rtol=1e-4, atol=1e-4)


def test_h_is_of_the_conditional_run(stable, transformers):
    x = stable.noise(1)
    guided, plain = stable.with_prompt("a cat", 7.5), stable.with_prompt("a cat", 1)
    given = stable.with_conditioning(encoder_hidden_states=tokens("a cat"))
    assert torch.equal(guided.h(x, 600), given.h(x, 600)) and torch.equal(plain.predict(x, 600), given.predict(x, 600))
    assert not torch.allclose(guided.predict(x, 600), plain.predict(x, 600), atol=1e-3)
    shift = torch.ones_like(guided.h(x, 600))
    free = stable.with_conditioning(encoder_hidden_states=tokens(""))
    moved = free.predict(x, 600) + 7.5 * (plain.inject(x, 600, shift=shift) - free.predict(x, 600))
    torch.testing.assert_close(guided.inject(x, 600, shift=shift), moved, rtol=1e-3, atol=1e-3)


def test_several_prompts_are_for_several_states(stable, transformers):
    model = stable.with_prompt(["a cat", "a dog"])
    x = model.noise([1, 2])
    torch.testing.assert_close(
        model.predict(x, 600)[1:], stable.with_prompt("a dog").predict(x[1:], 600), rtol=1e-3, atol=1e-3
    )


def test_a_prompt_that_is_too_long_is_said(stable, transformers):
    with pytest.warns(UserWarning, match="a prompt of 14 tokens is cut after 9"):
        stable.with_prompt("a large cat.")


@pytest.mark.parametrize("prompt", [None, 5, ["a cat", 3], []])
def test_prompts_that_are_none(stable, prompt):
    with pytest.raises(ValueError, match=r"prompt=.* must be a text, such as 'a photo of a cat'"):
        stable.with_prompt(prompt)


@pytest.mark.parametrize("guidance", [float("nan"), "7.5", None, True])
def test_guidance_that_is_none(stable, transformers, guidance):
    with pytest.raises(ValueError, match=r"must be a finite number: 1 for none, 7\.5 as usual"):
        stable.with_prompt("a cat", guidance)


def test_what_is_missing_for_a_prompt_is_said(stable, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"needs encoder_hidden_states: use model\.with_prompt"):
        stable.h(stable.noise(1), 600)
    with pytest.raises(ValueError, match="UNet2DModel came without a text encoder: leave the prompt out"):
        hspace.load(small_models.save_pixel_model(tmp_path / "cat")).with_prompt("a cat")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match="pip install transformers"):
        stable.with_prompt("a cat")
    other = {"tokenizer": ["transformers", "T5Tokenizer"], "text_encoder": ["my_code", "Encoder"]}
    with pytest.raises(ValueError, match=r"its tokenizer is transformers\.T5Tokenizer, hspace knows CLIP's alone"):
        hspace.load(saved(tmp_path / "other", SD1, other)).with_prompt("a cat")


def test_pictures_become_latents_and_back(stable):
    assert stable.shape == (4, 16, 16) and stable.picture_shape == (3, 32, 32)
    picture = torch.linspace(-1, 1, 3 * 1024).reshape(1, 3, 32, 32)
    mean = stable.vae.encode(picture).latent_dist.mean
    torch.testing.assert_close(stable.encode(picture), mean * stable.vae.config.scaling_factor, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"a picture has shape \(B, 3, 32, 32\), got \(1, 3, 8, 8\)"):
        stable.encode(picture[..., :8, :8])


def test_a_pixel_model_s_pictures_are_its_states():
    model = architectures.random_model(CIFAR, **SMALL[CIFAR])
    picture = model.noise(1)
    assert model.picture_shape == model.shape and torch.equal(model.encode(picture), picture)


# Nothing is run that came with the weights


class Evil:
    """Unpickled, it writes a file."""

    def __init__(self, flag):
        self.flag = flag

    def __reduce__(self):
        return (open, (str(self.flag), "w"))


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path):
    folder, flag = saved(tmp_path / "cat", CIFAR), tmp_path / "run"
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    values = load_file(weights)
    weights.unlink()
    torch.save(values | {"conv_in.bias": Evil(flag)}, weights.with_suffix(".bin"))
    with pytest.raises(WeightsError, match=r"the unet in .*cat.unet is damaged"):
        hspace.load(folder)
    assert not flag.exists()
    pickle.loads(pickle.dumps(Evil(flag))).close()  # which would have run
    assert flag.exists()


def test_python_files_beside_the_weights_are_not_run(tmp_path):
    flag = tmp_path / "run"
    index = {"unet": ["my_unet", "UNet"], "_class_name": ["my_pipeline", "Pipeline"]}
    folder = saved(tmp_path / "cat", CIFAR, index)
    for path in (folder / "my_pipeline.py", folder / "unet" / "my_unet.py"):
        path.write_text(f"open({str(flag)!r}, 'w')\nclass UNet: pass\nclass Pipeline: pass\n")
    with pytest.raises(ValueError, match=r"its unet is my_unet\.UNet, which is not part of this diffusers"):
        hspace.load(folder)
    assert not flag.exists()
    (folder / "model_index.json").write_text(json.dumps(index | {"unet": ["diffusers", "UNet2DModel"]}))
    assert hspace.load(folder).shape == (3, 16, 16) and not flag.exists()


def test_a_hub_model_with_code_of_its_own_is_refused(monkeypatch):
    asked = []

    def download(name, **options):
        asked.append(options)
        raise ValueError("The repository contains custom code; pass `trust_remote_code=True`")

    monkeypatch.setattr(diffusers.DiffusionPipeline, "download", download)
    with pytest.raises(ValueError, match="'owner/code' is no model for hspace, which runs no code from the hub"):
        hspace.load("owner/code", revision="0123abc")
    assert asked[0]["revision"] == "0123abc" and "trust_remote_code" not in asked[0]
    assert pretrained.CLIP["text_encoder"] == ("CLIPTextModel",)


# 16 bits


def half(dtype=torch.bfloat16):
    network = small_models.unet(size=8)
    return DiffusionModel(network, small_models.scheduler().alphas_cumprod, "v_prediction").to(dtype)


def test_the_mismatch_is_the_size_of_the_error():
    generator = torch.Generator().manual_seed(0)
    A, E = torch.randn(60, 80, generator=generator), torch.randn(60, 80, generator=generator)
    A = A + 10 * torch.outer(A[:, 0], A[0])

    class Wrong:
        """A with a transpose that is not its own."""

        shape, dtype, device = A.shape, A.dtype, A.device

        def __matmul__(self, X):
            return A @ X

        @property
        def T(self):
            return (A + 1e-2 * E).T

    exact = Jacobian(lambda x: A @ x, torch.zeros(80))
    assert mismatch(exact, probes=5) < 1e-5 and exact.products == 2 * 5 + 4
    expected = 1e-2 * torch.linalg.matrix_norm(E, 2) / torch.linalg.matrix_norm(A, 2)
    assert 0.1 * expected < mismatch(Wrong()) < 10 * expected
    assert mismatch(Jacobian(lambda x: 0 * x, torch.zeros(3))) == 0


def test_bfloat16_is_measured_and_refused_below_what_it_can():
    model = half()
    J = model.jacobian(model.noise(1), 600)
    assert J.dtype == torch.float32 and 1e-3 < J.rounding < 0.1
    with pytest.raises(ValueError, match=r"disagree by .* in 16 bits, above tol = 1.0e-03: take the model in float32"):
        svd(J, 3)
    full = half().to(torch.float32)
    there = full.jacobian(model.noise(1).float(), 600)
    assert there.rounding == 0 and svd(there, 3).converged


def test_bfloat16_finds_what_float32_finds_where_it_is_allowed():
    model = half()
    x = model.noise(1)
    S = svd(model.jacobian(x, 600), 3, tol=0.1, budget=200)
    full = half().to(torch.float32)
    exact = torch.linalg.svdvals(full.jacobian(x.float(), 600).dense())[:3]
    assert S.converged and ((S.s - exact).abs() < 0.1 * exact[0]).all()
