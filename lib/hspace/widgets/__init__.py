"""Figures to touch: `from hspace import widgets`, then `widgets.LinearMap([[2.0]])` as the last line of a cell.

Each is one Python class and one ES module, which runs in Jupyter, in Colab and, with its state stored in the notebook,
on the website without a kernel.
"""

from .ball import Ball
from .base import LiveFigure
from .cat_person import CatPerson
from .graph import Graph
from .image_strip import ImageStrip
from .kept_directions import KeptDirections
from .linear_map import LinearMap
from .mad_lib import MadLib, describe_it
from .pullback import Pullback
from .rotate_scale_rotate import RotateScaleRotate
from .sphere_walk import SphereWalk
from .stepper import Stepper
from .tangent import Tangent
from .unet import UNet

__all__ = [
    "Ball",
    "CatPerson",
    "Graph",
    "ImageStrip",
    "KeptDirections",
    "LinearMap",
    "LiveFigure",
    "MadLib",
    "Pullback",
    "RotateScaleRotate",
    "SphereWalk",
    "Stepper",
    "Tangent",
    "UNet",
    "describe_it",
]
