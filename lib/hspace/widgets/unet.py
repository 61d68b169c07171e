"""UNet: a map of a network, and what goes through each of its blocks."""

import contextlib

import numpy as np
import torch
import traitlets
from PIL import Image

from hspace.figures.style import SIGNED
from hspace.files import tiled
from hspace.layers import find

from .base import LiveFigure, data_uri, index, trait

MOST = 4  # pictures at a time
CHANNELS = 4  # shown of each block
LIMIT = 240_000  # characters of all pictures together
SIDES = ((64, 32), (32, 32), (32, 16), (16, 8))  # of colour pictures and of channels, in pixels; the first that fit
TONES = 31  # of a channel: odd, so that its mean has a tone of its own
TITLES = {
    "x_t": "Noisy",
    "conv_in": "Way in",
    "down_blocks": "Down",
    "mid_block": "Bottleneck",
    "up_blocks": "Up",
    "conv_out": "Way out",
    "x̂_0": "Expected",
}
NEEDED = ("conv_in", "down_blocks", "up_blocks", "conv_out")
ANSWERS = {
    "epsilon": "the noise that it believes is in the picture",
    "v_prediction": "v, a mix of noise and picture from which both follow",
    "sample": "the picture that it expects",
}


class UNet(LiveFigure):
    """The network as a U: its blocks, its skip connections, its bottleneck, and real pictures on their way through.

    model: a `DiffusionModel` of a UNet2DModel or a network built like one.  x_t: up to 4 states (B, C, H, W).  t: an
    int, the timestep.  The network runs once. Of each block the 4 channels that vary most over the pictures are kept,
    small. `chosen` is the block that is looked at, an index into `blocks`; `picture` is one of the B pictures.
    Raises ValueError for a network without that shape, for too many pictures, and what `DiffusionModel.predict` raises.
    """

    module = "unet"

    blocks = trait(traitlets.List)  # of {name, title, side, row, shape, text, channels, size, bottleneck}
    links = trait(traitlets.List)  # of {start, end, shape}, indices into blocks: the skip connections
    pictures = trait(traitlets.List)  # one sprite a block: a row for each picture, a column for each channel
    count = trait(traitlets.Int, 1)
    t = trait(traitlets.Int, 0)
    chosen = trait(traitlets.Int, 0)
    picture = trait(traitlets.Int, 0)

    def __init__(self, model, x_t, t):
        names = _names(model.network)
        if isinstance(x_t, torch.Tensor) and x_t.dim() and len(x_t) > MOST:
            raise ValueError(f"the map shows {MOST} pictures at most, got {len(x_t)}: pass x_t[:{MOST}]")
        with torch.no_grad(), _listening(model.network, names) as outputs:
            expected = model.predict(x_t, t)
        if missing := [name for name in names if name not in outputs]:
            raise ValueError(f"the network ran without its {', '.join(missing)}: no U can be drawn")
        states = {"x_t": x_t, **{name: _first(outputs[name]) for name in names}, "x̂_0": expected}
        blocks = _blocks(model, states, int(t))
        links = _links(model.network, outputs, list(states))
        for i, block in enumerate(blocks):
            block["text"] += _heard(i, blocks, links)
        sprites, shown = _sprites(states)
        for block, (channels, size) in zip(blocks, shown, strict=True):
            block.update(channels=channels, size=size)
        middle = next(i for i, block in enumerate(blocks) if block["bottleneck"])
        super().__init__(blocks=blocks, links=links, pictures=sprites, count=len(x_t), t=int(t), chosen=middle)

    @traitlets.validate("chosen", "picture")
    def _within(self, proposal):
        name = proposal["trait"].name
        return index(name, proposal["value"], len(self.blocks) if name == "chosen" else self.count)

    def describe(self):
        first, middle = self.blocks[0], next(block for block in self.blocks if block["bottleneck"])
        count = "one picture" if self.count == 1 else f"{self.count} pictures"
        from_, to = _size(first["shape"]), _size(middle["shape"])
        return (
            f"A map of the network as a U, with {count} on the way through at t = {self.t}. On the way down "
            f"{from_} numbers become {to} at the bottleneck h; on the way up they grow back. "
            f"{len(self.links)} skip connections lead from the left arm to the right one and go round the bottleneck."
        )


def _names(network):
    """The blocks by name, in the order in which the network runs them."""
    if missing := [name for name in NEEDED if not hasattr(network, name)]:
        raise ValueError(f"{type(network).__name__} has no {', '.join(missing)}: only a U-Net can be drawn as a U")
    down = [f"down_blocks.{i}" for i in range(len(network.down_blocks))]
    up = [f"up_blocks.{i}" for i in range(len(network.up_blocks))]
    middle = ["mid_block"] if getattr(network, "mid_block", None) is not None else []
    return ["conv_in", *down, *middle, *up, "conv_out"]


@contextlib.contextmanager
def _listening(network, names):
    """The outputs of the modules by name, filled in while the network runs inside."""
    outputs = {}

    def keep(name):
        return lambda module, args, output: outputs.__setitem__(name, output)

    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(find(network, name).register_forward_hook(keep(name)))
        yield outputs


def _first(output):
    return output[0] if isinstance(output, (tuple, list)) else output


def _blocks(model, states, t):
    """What the map says of each block: name, title, place, shape and text."""
    names, shapes = list(states), [list(state.shape[1:]) for state in states.values()]
    h = _bottleneck(model, names)
    blocks, last = [], len(names) - 1
    for i, (name, shape) in enumerate(zip(names, shapes, strict=True)):
        side = "middle" if 2 * i == last else "left" if 2 * i < last else "right"
        text = _text(name, shapes[i - 1], shape, find(model.network, name) if 0 < i < last else None)
        if name == "x_t":
            left = model.alphas_cumprod[t].item()
            text += f" At t = {t} it is {left**0.5:.2f} of picture and {(1 - left) ** 0.5:.2f} of noise."
        if name == "conv_out":
            text += f" That is the network's answer: {ANSWERS[model.prediction_type]}."
        place = {"side": side, "row": min(i, last - i)}
        blocks.append(
            {"name": name, "title": _title(name), **place, "shape": shape, "text": text, "bottleneck": name == h}
        )
    return blocks


def _bottleneck(model, names):
    """The block whose output, or a part of whose output, is the model's h; the deepest one where that is none."""
    named = [name for name in names if f"{model.layer}.".startswith(f"{name}.")]
    deepest = "mid_block" if "mid_block" in names else names[(len(names) - 1) // 2]
    return named[0] if named else deepest


def _title(name):
    kind, _, number = name.partition(".")
    return f"{TITLES[kind]} {int(number) + 1}" if number else TITLES[kind]


def _text(name, before, after, module):
    """What a block does to the shape, in a sentence or two."""
    if name == "x_t":
        return "What goes in: a picture under its noise."
    if name == "x̂_0":
        return "What comes of the answer: the picture that the network expects once all the noise is gone."
    said = f"{_channels(before[0], after[0])} {_resolution(before[1:], after[1:])}"
    if any(part is not None for part in getattr(module, "attentions", None) or []):
        said += " Its attention lets each place look at all the others."
    return said


def _channels(before, after):
    if before == after:
        return f"Keeps {after} channels."
    return f"Turns {before} channels into {after}."


def _resolution(before, after):
    if before == after:
        return "Height and width stay."
    for factor, does in ((0.5, "Halves"), (2, "Doubles")):
        if [size * factor for size in before] == after:
            return f"{does} height and width."
    return f"Takes {_size(before)} places to {_size(after)}."


def _links(network, outputs, names):
    """The skip connections as `UNet2DModel.forward` makes them: the way up takes what the way down left, last first."""
    left = [("conv_in", _first(outputs["conv_in"]))]
    for i in range(len(network.down_blocks)):
        left += [(f"down_blocks.{i}", state) for state in outputs[f"down_blocks.{i}"][1]]
    links = []
    for i, block in enumerate(network.up_blocks):
        for _ in block.resnets:
            name, state = left.pop()
            start, end = names.index(name), names.index(f"up_blocks.{i}")
            links.append({"start": start, "end": end, "shape": list(state.shape[1:])})
    return links


def _heard(here, blocks, links):
    """The sentence about the skip connections of the block at `here`; for the bottleneck, that they go round it."""
    if blocks[here]["bottleneck"]:
        return " Its output is h. What it does not keep can still go round it, by the skip connections."
    comes = list(dict.fromkeys(blocks[link["start"]]["title"] for link in links if link["end"] == here))
    goes = list(dict.fromkeys(blocks[link["end"]]["title"] for link in links if link["start"] == here))
    said = f" Skip connections bring it what {' and '.join(comes)} found on the way down." if comes else ""
    return f"{said} By skip connections it also speaks to {' and '.join(goes)}." if goes else said


def _size(shape):
    return " × ".join(map(str, shape))


# Pictures


def _sprites(states):
    """A PNG for each state, and (channels, [width, height] of a cell) for each: as large as `LIMIT` allows."""
    for colour, grey in SIDES:
        made = [_sprite(name, state.detach().float().cpu(), colour, grey) for name, state in states.items()]
        sprites, shown = zip(*made, strict=True)
        if sum(map(len, sprites)) <= LIMIT:
            break
    return list(sprites), list(shown)


def _sprite(name, state, colour, grey):
    """A state (B, C, H, W) as a PNG and what it shows: in colours for a picture, else its strongest channels."""
    if name in ("x_t", "x̂_0") and state.shape[1] == 3:
        small = _shrink(state.clamp(-1, 1), colour)
        steps = ((small + 1) * 15.5).round() * (255 / 31)  # 5 bits a colour: noise is what a PNG cannot pack
        sheet = Image.fromarray(tiled(steps.round().byte()[:, None]).numpy())
        return data_uri(sheet, "png", optimize=True), ([], [small.shape[3], small.shape[2]])
    channels = state.std(dim=(0, 2, 3), correction=0).argsort(descending=True, stable=True)[:CHANNELS]
    small = _centred(_shrink(state[:, channels], grey))
    tones = ((small + 1) * (TONES - 1) / 2).round().byte()
    sheet = Image.fromarray(tiled(tones[:, :, None])[..., 0].numpy())
    sheet.putpalette((SIGNED(np.linspace(0, 1, TONES))[:, :3] * 255).round().astype(np.uint8).tobytes())
    return data_uri(sheet, "png", optimize=True), (channels.tolist(), [small.shape[3], small.shape[2]])


def _centred(state):
    """Each channel (B, k, H, W) less its mean over all pictures, in units of 2.5 standard deviations, within ±1."""
    mean = state.mean(dim=(0, 2, 3), keepdim=True)
    spread = state.std(dim=(0, 2, 3), correction=0, keepdim=True)
    return ((state - mean) / (2.5 * spread).clamp(min=1e-8)).clamp(-1, 1)


def _shrink(state, side):
    """(B, k, H, W) averaged down so that no side is above `side`; smaller ones stay as they are."""
    factor = side / max(state.shape[2:])
    if factor >= 1:
        return state
    size = [max(1, round(n * factor)) for n in state.shape[2:]]
    return torch.nn.functional.adaptive_avg_pool2d(state, size)
