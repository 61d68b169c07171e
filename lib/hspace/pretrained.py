"""Diffusers folders on disk and on the hub → the parts of a model, or an error that names the file at fault.

Code from a model's repository is never run: only classes of diffusers and transformers themselves are used, and pickled
weights are opened as diffusers opens them, with torch's `weights_only`.
"""

import json
import re
import warnings
from functools import partial
from importlib.resources import files
from pathlib import Path

import torch

SCHEDULE = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "rescale_betas_zero_snr")
AGAIN = "copy or download it again"
DECODERS = ("vae", "vqvae", "movq")  # of latents, by the pipelines' names
REMEDY = "give the network its input by model.with_conditioning({})"
# diffusers writes the parts of large weights as -00001-of-00002
WEIGHTS = r"diffusion_pytorch_model(?:\.(?P<variant>\w+))?(?:-\d+-of-\d+)?\.(?:safetensors|bin)"
CLIP = {"tokenizer": ("CLIPTokenizer", "CLIPTokenizerFast"), "text_encoder": ("CLIPTextModel",)}


class WeightsError(OSError):
    """A model's file is there but cannot be used; the message names it."""


def locate(name=None, revision=None):
    """The folder of a model: Alice's for None, `name` where that is a folder, else the hub's, fetched by diffusers.

    Raises FileNotFoundError where there is none, ValueError for a `revision` of something local.
    """
    if name is None:
        if revision is not None:
            raise ValueError(f"revision={revision!r} pins a model on the hub, but no name is given: add owner/name")
        return _alice()
    folder = Path(name).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise ValueError(f"revision={revision!r} pins a model on the hub, but {folder} is a local folder")
        return folder
    if not re.fullmatch(r"\w[\w.-]*/[\w.-]+", str(name)):
        raise FileNotFoundError(f"no folder {folder}; a model on the hub is named owner/name")
    return _fetch(str(name), revision)


def read(folder, dtype=torch.float32):
    """The parts of the model in a diffusers folder, as keyword arguments of `DiffusionModel`.

    Raises FileNotFoundError, WeightsError (both name the file), ValueError where it is not a denoiser with a noise
    schedule.
    """
    index = _json(folder / "model_index.json")
    part = next((part for part in ("unet", "transformer") if part in index), None)
    if part is None:
        raise ValueError(f"{folder / 'model_index.json'} names neither a unet nor a transformer: no denoiser to load")
    # not every diffusers leaves out the initial weights that it overwrites next
    with torch.random.fork_rng(devices=[]):
        network = _network(folder, part, index[part], dtype)
        decoder = next((part for part in DECODERS if _named(index, part)), None)
        vae = decoder and _network(folder, decoder, index[decoder], dtype)
    text = partial(encode, folder) if "text_encoder" in index else None
    return dict(network=network, vae=vae, text=text, **_schedule(folder))


def encode(folder, prompts):
    """Prompts as Stable Diffusion's network takes them: (B, L, D), float32, on the CPU.

    By the tokenizer and the CLIP encoder of the model's folder, which are read for this and not kept. A prompt that is
    too long is cut, with a UserWarning that says so.  prompts: a list of B texts.
    Raises ImportError without the package transformers, FileNotFoundError, WeightsError, ValueError for other encoders,
    and where there are two.
    """
    if _named(_json(folder / "model_index.json"), "text_encoder_2"):
        arguments = 'encoder_hidden_states=..., added_cond_kwargs={"text_embeds": ..., "time_ids": ...}'
        raise ValueError(f"{folder} has two text encoders, hspace knows one: {REMEDY.format(arguments)}")
    tokenizer, encoder = _clip(folder, "tokenizer"), _clip(folder, "text_encoder").float().eval()
    most = tokenizer.model_max_length
    tokens = tokenizer(prompts, padding="max_length", max_length=most, truncation=True, return_tensors="pt")
    length = max(len(tokenizer(prompt).input_ids) for prompt in prompts)
    if length > most:
        warnings.warn(f"a prompt of {length} tokens is cut after {most}, its end is not heard", stacklevel=3)
    mask = tokens.attention_mask if getattr(encoder.config, "use_attention_mask", False) else None
    with torch.no_grad():
        return encoder(tokens.input_ids, attention_mask=mask)[0]


def _clip(folder, part):
    """The tokenizer or the text encoder in a model's folder."""
    library, name = _json(folder / "model_index.json").get(part) or (None, None)
    if library != "transformers" or name not in CLIP[part]:
        remedy = REMEDY.format("encoder_hidden_states=...")
        raise ValueError(f"{folder}: its {part} is {library}.{name}, hspace knows CLIP's alone: {remedy}")
    try:
        import transformers
    except ImportError as error:
        raise ImportError("a prompt needs the package transformers: pip install transformers") from error
    try:
        return getattr(transformers, name).from_pretrained(folder / part)
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        raise WeightsError(f"the {part} in {folder / part} is missing or damaged: {AGAIN}\n{error}") from error


def _alice():
    folder = Path(str(files("hspace"))) / "weights" / "alice"
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing: install hspace again, or make Alice with `hspace train`")
    return folder


def _fetch(name, revision):
    from diffusers import DiffusionPipeline

    unused = dict.fromkeys(("safety_checker", "feature_extractor", "image_encoder"))  # 1.2 GB of Stable Diffusion's
    try:
        return Path(DiffusionPipeline.download(name, revision=revision, **unused))
    except ValueError as error:  # what diffusers says of a repository with code of its own
        raise ValueError(f"{name!r} is no model for hspace, which runs no code from the hub: {error}") from error
    except OSError as error:
        at = f" at revision {revision!r}" if revision else ""
        remedy = "check the name and the connection, or give a local folder"
        raise FileNotFoundError(f"could not fetch {name!r}{at} from the hub: {remedy}\n{error}") from error


def _json(path):
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: a model's folder holds it beside its weights; {AGAIN}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WeightsError(f"{path} is damaged ({error}): {AGAIN}") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path} is damaged (a {type(content).__name__} instead of an object): {AGAIN}")
    return content


def _named(index, part):
    """Whether a model's index names the class of a part; one that is left out stands there as [null, null]."""
    return any(index.get(part) or ())


def _network(folder, part, where, dtype):
    """One network of the folder, from its subfolder or, as in the oldest models of the hub, from the top."""
    import diffusers

    library, name = where
    kind = getattr(diffusers, name, None) if library == "diffusers" else None
    if kind is None:
        raise ValueError(f"{folder}: its {part} is {library}.{name}, which is not part of this diffusers")
    home = folder / part if (folder / part).is_dir() else folder
    _json(home / "config.json")
    if not any(home.glob("*.safetensors")) and not any(home.glob("*.bin")):
        raise FileNotFoundError(f"{home / 'diffusion_pytorch_model.safetensors'} is missing: {AGAIN}")
    frugal = diffusers.utils.is_accelerate_available()
    try:
        network, found = kind.from_pretrained(
            home, variant=_variant(home), output_loading_info=True, low_cpu_mem_usage=frugal
        )
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        raise WeightsError(f"the {part} in {home} is damaged: {AGAIN}\n{error}") from error
    # diffusers would leave what it does not find at random
    if found["missing_keys"]:
        raise WeightsError(
            f"{home} lacks {len(found['missing_keys'])} weights, {found['missing_keys'][0]} first: {AGAIN}"
        )
    for key, value in network.state_dict().items():
        if not torch.isfinite(value).all():
            raise WeightsError(f"{home}: the weights {key} hold NaN or infinite numbers: {AGAIN}")
    return torch.nn.Module.to(network, dtype)


def _variant(home):
    """What diffusers must be told where a folder holds its weights only as, say, diffusion_pytorch_model.fp16.bin.

    Of several variants the first by name; None where there are weights without one.
    """
    names = [re.fullmatch(WEIGHTS, path.name) for path in home.glob("diffusion_pytorch_model*")]
    variants = {name["variant"] for name in names if name}
    return None if None in variants else min(variants, default=None)


def _schedule(folder):
    """ᾱ and the prediction type from the scheduler's configuration, whatever scheduler that is."""
    from diffusers import DDPMScheduler

    path = folder / "scheduler" / "scheduler_config.json"
    if not path.parent.is_dir():
        path = folder / "scheduler_config.json"
    config = _json(path)
    if "beta_start" not in config and config.get("trained_betas") is None:
        raise ValueError(f"{path}: {config.get('_class_name')} has no betas; hspace needs a DDPM's noise schedule")
    alphas = DDPMScheduler(**{key: config[key] for key in SCHEDULE if key in config}).alphas_cumprod
    return dict(alphas_cumprod=alphas, prediction_type=config.get("prediction_type", "epsilon"))
