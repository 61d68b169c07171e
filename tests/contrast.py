"""How well two colours can be told apart, as the Web Content Accessibility Guidelines measure it."""

import numpy as np
from matplotlib.colors import to_rgb


def luminance(colour):
    """The relative luminance of a colour that matplotlib knows, 0 (black) to 1 (white)."""
    coded = np.array(to_rgb(colour))
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


def contrast(a, b):
    """The ratio of two colours' luminances, 1 (none) to 21 (black on white)."""
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)
