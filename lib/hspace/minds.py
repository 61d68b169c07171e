"""Models that other people trained, before they are fetched: their layers and shapes, and the same networks untrained.

`outline` runs a known architecture on torch's meta device, where tensors have shapes and no numbers, so that it costs
neither memory nor a connection. `untrained` writes a folder that `hspace.load` opens like a downloaded one, with random
weights: to rehearse with, and as a yardstick for what an architecture does by itself. It has learned nothing and draws
nothing.
"""

import contextlib
import copy
import json
from dataclasses import dataclass
from pathlib import Path

import torch

from hspace import architectures
from hspace.files import write

#: Of the weights, as their makers say.
LICENCES = {
    "google/ddpm-cifar10-32": "Apache-2.0",
    "google/ddpm-cat-256": "Apache-2.0",
    "google/ddpm-ema-celebahq-256": "Apache-2.0",
    "stable-diffusion-v1-5/stable-diffusion-v1-5": "CreativeML OpenRAIL-M",
    "facebook/DiT-XL-2-256": "CC BY-NC 4.0",
}


@dataclass(frozen=True)
class Outline:
    """What is known of a network before its weights.

    x: shape of one state.  layers: {name: shape of its output for one state}, in the order in which they run.
    parameters: how many weights.  bottleneck: the name of the layer that h is read from by default.
    """

    x: tuple
    layers: dict
    parameters: int

    @property
    def bottleneck(self):
        """mid_block, or where there is none, as in a transformer, the block in the middle."""
        blocks = [name for name in self.layers if "." in name]
        return "mid_block" if "mid_block" in self.layers else blocks[(len(blocks) - 1) // 2]


def outline(name):
    """The `Outline` of a known model, without a download.  Raises ValueError for an unknown one."""
    return layers(architectures.random_model(name, device="meta"))


def layers(model):
    """The `Outline` of a loaded `DiffusionModel`: one run of its network, on noise."""
    with torch.no_grad(), _listening(model.network) as shapes:
        model.predict(model.noise(0), model.timesteps[0])
    parameters = sum(parameter.numel() for parameter in model.network.parameters())
    return Outline(model.shape, shapes, parameters)


def untrained(name, folder, seed=0, **changes):
    """Write a known model's architecture with random weights, drawn from `seed`, as a folder for `hspace.load`.

    changes: of the configuration, such as a smaller sample_size.  Returns the folder.
    Raises ValueError for an unknown name.
    """
    folder, network = Path(folder), architectures.network(name, seed, **changes)
    noise = architectures.scheduler(name)
    part = "unet" if "UNet" in type(network).__name__ else "transformer"
    network.save_pretrained(folder / part)
    noise.save_pretrained(folder / "scheduler")
    parts = {part: ["diffusers", type(network).__name__], "scheduler": ["diffusers", type(noise).__name__]}
    index = json.dumps({"_class_name": "DiffusionPipeline", **parts}, indent=1) + "\n"
    write(folder / "model_index.json", lambda beside: beside.write_text(index, encoding="utf-8"))
    return folder


def twin(model, seed=0):
    """The model with random weights in place of its own, drawn from `seed`: all of it but what it has learned.

    Strong directions that a twin has as well say something of the architecture, not of the pictures (the control of
    Adebayo et al., "Sanity Checks for Saliency Maps", 2018).
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed every device
        network = type(model.network).from_config(model.network.config)
    other = copy.copy(model)
    # torch's own `to`: that of diffusers warns of a dtype
    other.network = torch.nn.Module.to(network, model.device, model.dtype).requires_grad_(False).eval()
    vars(other).pop("hash", None)
    return other


@contextlib.contextmanager
def _listening(network):
    """{name: shape of one state's output} of the network's blocks, filled in while it runs inside.

    Blocks are its children; a list of them counts one by one. What speaks of time alone, a flat vector, is left out.
    """
    shapes = {}

    def keep(name):
        def hook(module, args, output):
            tensor = output[0] if isinstance(output, (tuple, list)) else output
            if isinstance(tensor, torch.Tensor) and tensor.dim() > 2:
                shapes[name] = tuple(tensor.shape[1:])

        return hook

    with contextlib.ExitStack() as stack:
        for name, child in network.named_children():
            several = isinstance(child, torch.nn.ModuleList)
            for part, module in child.named_children() if several else [("", child)]:
                stack.enter_context(module.register_forward_hook(keep(f"{name}.{part}".rstrip("."))))
        yield shapes
