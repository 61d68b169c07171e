"""The architectures of well-known models with random weights: to measure with, to test with, to try a command on.

The numbers are those of the network's `config.json` that each model publishes; what is left out is diffusers' default.
Nothing is downloaded, and such a network draws nothing: only its sizes, its layers and its costs are the model's own.
"""

import torch

from hspace.model import DiffusionModel

_DDPM = {
    "kind": "UNet2DModel",
    "attention_head_dim": None,
    "downsample_padding": 0,
    "flip_sin_to_cos": False,
    "freq_shift": 1,
    "layers_per_block": 2,
    "norm_eps": 1e-6,
}
_FACES = _DDPM | {
    "sample_size": 256,
    "block_out_channels": (128, 128, 256, 256, 512, 512),
    "down_block_types": ("DownBlock2D",) * 4 + ("AttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "AttnUpBlock2D") + ("UpBlock2D",) * 4,
}
_STABLE = {"kind": "UNet2DConditionModel", "sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}
ARCHITECTURES = {
    "google/ddpm-ema-celebahq-256": _FACES,
    "google/ddpm-cat-256": _FACES,
    "google/ddpm-cifar10-32": _DDPM
    | {
        "sample_size": 32,
        "block_out_channels": (128, 256, 256, 256),
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
    },
    "stable-diffusion-v1-5/stable-diffusion-v1-5": _STABLE,
    "stabilityai/stable-diffusion-2-1": _STABLE
    | {
        "sample_size": 96,
        "cross_attention_dim": 1024,
        "attention_head_dim": (5, 10, 20, 20),
        "use_linear_projection": True,
        "upcast_attention": True,
    },
    "facebook/DiT-XL-2-256": {
        "kind": "DiTTransformer2DModel",
        "sample_size": 32,
        "num_attention_heads": 16,
        "attention_head_dim": 72,
        "num_layers": 28,
        "in_channels": 4,
        "out_channels": 8,
        "num_embeds_ada_norm": 1000,
        "norm_elementwise_affine": False,
    },
}
_LINEAR = {"beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02}
_SCALED = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
TOKENS = 77  # of a prompt, in Stable Diffusion


def architecture(name):
    """The configuration of a model's network, {name: value}, from its hub id or the id's last part.

    Raises ValueError, with the names there are, for another name.
    """
    found = [key for key in ARCHITECTURES if name in (key, key.rpartition("/")[2])]
    if not found:
        raise ValueError(f"no architecture {name!r}; there are {', '.join(ARCHITECTURES)}")
    return dict(ARCHITECTURES[found[0]])


def network(name, seed=0, **changes):
    """The diffusers network of that name with random weights drawn from `seed`; float32, in eval mode.

    changes: of the configuration, such as sample_size=32 or block_out_channels=(8, 16, 16, 16) for a small one.
    """
    import diffusers

    config = architecture(name) | changes
    kind = getattr(diffusers, config.pop("kind"))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed every device
        return kind(**config).eval()


def scheduler(name):
    """The model's noise schedule and prediction type, as a diffusers `DDPMScheduler`."""
    import diffusers

    betas = _SCALED if architecture(name)["kind"] == "UNet2DConditionModel" else _LINEAR
    prediction = "v_prediction" if name.endswith("stable-diffusion-2-1") else "epsilon"
    return diffusers.DDPMScheduler(num_train_timesteps=1000, prediction_type=prediction, **betas)


def random_model(name, seed=0, steps=20, device="cpu", **changes):
    """A `DiffusionModel` of that architecture with random weights, and random tokens where it wants a prompt.

    h is read at mid_block, or in a transformer, which has none, after the block in the middle.
    device: "meta" for a model that has shapes and no numbers, which takes no memory.
    seed, changes: see `network`.  Raises ValueError for an unknown name.
    """
    noise, options = scheduler(name), {"steps": steps}
    with torch.device(device):
        body = network(name, seed, **changes)
    body = torch.nn.Module.to(body, device)  # what was made from numpy, too; that of diffusers warns of a dtype
    if body.config.get("cross_attention_dim") is not None:
        size = (1, TOKENS, body.config.cross_attention_dim)
        generator = torch.Generator("cpu").manual_seed(seed)
        tokens = torch.randn(size, generator=generator, device="cpu", dtype=torch.float32)
        options["conditioning"] = {"encoder_hidden_states": tokens}
    if hasattr(body, "transformer_blocks"):
        options["layer"] = f"transformer_blocks.{(len(body.transformer_blocks) - 1) // 2}"
    return DiffusionModel(body, noise.alphas_cumprod, noise.config.prediction_type, **options)
