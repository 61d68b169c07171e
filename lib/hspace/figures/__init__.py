"""Every static figure of the book: functions that take arrays and return a matplotlib Figure, grouped by theme."""

from .matrix import change_bars, change_heatmap
from .pictures import compare, gallery, sheet, strips
from .spectrum import agreement, cosines, spectra
from .style import BLUE, RED, Figure
from .training import histograms, law, loss_curve

__all__ = [
    "BLUE",
    "RED",
    "Figure",
    "agreement",
    "change_bars",
    "change_heatmap",
    "compare",
    "cosines",
    "gallery",
    "histograms",
    "law",
    "loss_curve",
    "sheet",
    "spectra",
    "strips",
]
