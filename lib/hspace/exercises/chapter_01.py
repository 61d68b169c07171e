"""Chapter 1: when noise wins, what goes round the bottleneck, and a step in two numbers."""

import torch

from hspace.model import load


def noise_wins():
    """1.1: the first timestep at which the factor of the noise is larger than that of the picture."""
    alphas = load().alphas_cumprod
    return int(((1 - alphas).sqrt() > alphas.sqrt()).nonzero()[0])


def round_the_bottleneck():
    """1.2: numbers on the skip connections for each number of h, from the widths and sizes of the blocks."""
    config = load().network.config
    widths, size = config.block_out_channels, config.sample_size
    sizes = [size // 2**i for i in range(len(widths))]
    kept = sum(w * s**2 for w, s in zip(widths, sizes, strict=True))
    shrunk = sum(w * s**2 for w, s in zip(widths, sizes[1:], strict=False))
    return (widths[0] * size**2 + kept + shrunk) / (widths[-1] * sizes[-1] ** 2)


def step_in_two_numbers():
    """1.3: A and B of x_s = A x_t + B x̂_0 for the step from 600 to 550, (2,)."""
    from_t, to_s = load().alphas_cumprod[[600, 550]]
    old = ((1 - to_s) / (1 - from_t)).sqrt()
    return torch.stack([old, to_s.sqrt() - old * from_t.sqrt()])


EXERCISES = {
    "1.1": (
        noise_wins,
        "Square both factors: what must alpha_bar be less than? Then which index is the first?",
    ),
    "1.2": (
        round_the_bottleneck,
        "Add up the numbers that each layer of round_it puts out for one picture, and divide by those of h.",
    ),
    "1.3": (
        step_in_two_numbers,
        "Put eps_hat into the mixture for s = 550, then collect what stands before x_t and what before x_hat.",
    ),
}
