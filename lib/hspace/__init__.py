"""Geometry inside diffusion models: the Jacobian from pictures to the bottleneck, its singular directions, walks.

Names are fetched when first used, so that `import hspace` takes no time and needs no torch.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "load": "model",
    "DiffusionModel": "model",
    "WeightsError": "model",
    "Jacobian": "jacobian",
    "svd": "krylov",
    "SVD": "krylov",
    "PullbackMetric": "geometry",
    "transport": "geometry",
    "along": "geometry",
    "sheet": "geometry",
    "graph": "geometry",
    "between": "geometry",
    "change_matrix": "scoring",
    "combine": "scoring",
    "walk": "editing",
    "shoot": "editing",
    "steer": "editing",
    "Plan": "treatment",
    "Treatment": "treatment",
    "treat": "treatment",
    "check": "ready",
}
__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'hspace' has no attribute {name!r}")
    value = getattr(import_module(f"hspace.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_HOME})
