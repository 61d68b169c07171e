"""Tiny diffusers denoisers with seeded random weights, and their folders, for tests of any module.

Every builder returns a `diffusers` network in eval mode with float32 weights drawn from a seed of its own; the global
random state is put back. Layers that diffusers starts at zero (a DiT's gates and biases) are drawn as well: a network
that ignores part of its input would let wrong derivatives pass.
"""

import diffusers
import torch

SCHEDULE = {"num_train_timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}


def seeded(build, seed=0):
    """The network that `build()` returns, its weights drawn from `seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = build().eval()
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.dim() < 2 or not parameter.any():
                    parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def unet(seed=0, size=16, **config):
    """UNet2DModel, (B, 3, size, size), with attention at the lowest level; h is (B, 16, size/2, size/2)."""
    defaults = dict(
        sample_size=size,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=8,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )
    return seeded(lambda: diffusers.UNet2DModel(**(defaults | config)), seed)


def conditional_unet(seed=0, size=16, **config):
    """UNet2DConditionModel, (B, 4, size, size), cross-attending to tokens of shape (B, L, 12)."""
    defaults = dict(
        sample_size=size,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=2,
        cross_attention_dim=12,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )
    return seeded(lambda: diffusers.UNet2DConditionModel(**(defaults | config)), seed)


def sized_unet(seed=0, size=16):
    """`conditional_unet` that is also told a vector of the text, (B, 10), and six sizes, as Stable Diffusion XL is."""
    added = dict(addition_embed_type="text_time", addition_time_embed_dim=4, projection_class_embeddings_input_dim=34)
    return conditional_unet(seed, size, **added)


def transformer(seed=0, size=8):
    """DiTTransformer2DModel, (B, 4, size, size), two blocks, classes 0..9 and 10 for none, learned variance."""
    return seeded(
        lambda: diffusers.DiTTransformer2DModel(
            sample_size=size,
            num_attention_heads=2,
            attention_head_dim=8,
            in_channels=4,
            out_channels=8,
            num_layers=2,
            num_embeds_ada_norm=10,
        ),
        seed,
    )


def reading_transformer(seed=0, size=8):
    """PixArtTransformer2DModel, (B, 4, size, size), two blocks, tokens (B, L, 12), learned variance; no classes."""
    return seeded(
        lambda: diffusers.PixArtTransformer2DModel(
            sample_size=size,
            num_attention_heads=2,
            attention_head_dim=8,
            num_layers=2,
            cross_attention_dim=16,
            caption_channels=12,
        ),
        seed,
    )


def quantiser(seed=0, **config):
    """VQModel, latents (B, 3, 8, 8), rounded to 16 vectors, to pictures (B, 3, 16, 16)."""
    defaults = dict(
        block_out_channels=(8, 8),
        norm_num_groups=4,
        latent_channels=3,
        num_vq_embeddings=16,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    )
    return seeded(lambda: diffusers.VQModel(**(defaults | config)), seed)


def autoencoder(seed=0):
    """AutoencoderKL, latents (B, 4, 8, 8) to pictures (B, 3, 16, 16)."""
    return seeded(
        lambda: diffusers.AutoencoderKL(
            block_out_channels=(8, 8),
            norm_num_groups=4,
            latent_channels=4,
            sample_size=16,
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            scaling_factor=0.5,
        ),
        seed,
    )


def scheduler(prediction_type="v_prediction", **config):
    """diffusers' DDIMScheduler, set up so that its single steps are the plain formula."""
    options = dict(prediction_type=prediction_type, clip_sample=False, set_alpha_to_one=True)
    return diffusers.DDIMScheduler(**(SCHEDULE | options | config))


def save_pixel_model(folder, network=None, prediction_type="v_prediction", dtype=torch.float16):
    """Write `network` (`unet()` by default) as a DDPMPipeline folder with weights in `dtype`; returns the folder."""
    network = unet() if network is None else network
    noise = diffusers.DDPMScheduler(prediction_type=prediction_type, **SCHEDULE)
    diffusers.DDPMPipeline(unet=network.to(dtype), scheduler=noise).save_pretrained(folder)
    return folder


def save_latent_model(folder, network=None, vae=None):
    """Write a DiTPipeline folder: transformer, vae and scheduler, float32; returns the folder."""
    parts = dict(transformer=network or transformer(), vae=vae or autoencoder(), scheduler=scheduler("epsilon"))
    diffusers.DiTPipeline(**parts).save_pretrained(folder)
    return folder
