"""Every static figure of the book: functions that take arrays and return a matplotlib Figure, grouped by theme."""

from .bent import angles, bent, densities, secants
from .chains import chain, counts, graph
from .descent import balls, remainder
from .drawing import schedule
from .eigen import best_row, crowded, grams, how_many, relations, row_map, shadows, turns
from .forest import forest
from .geometry import globe, orders, overshoot, paths
from .linear import dot_products, fitted, linear_map, network, number_lines, rays, witnesses
from .matrix import change_bars, change_heatmap, changes
from .metric import distances, intervals, likeness, overlaps, pulled_back, roundness, rulers
from .minds import burdens, falls, kinds
from .pictures import compare, gallery, sheet, strips, table
from .scenes import scene
from .spectrum import agreement, spectra
from .style import BLUE, RED, Figure
from .svd import convergence, filters, right_angles, stages, turning
from .training import histograms, law, loss_curve

__all__ = [
    "BLUE",
    "RED",
    "Figure",
    "agreement",
    "angles",
    "balls",
    "bent",
    "best_row",
    "burdens",
    "chain",
    "change_bars",
    "change_heatmap",
    "changes",
    "compare",
    "convergence",
    "counts",
    "crowded",
    "densities",
    "distances",
    "dot_products",
    "falls",
    "filters",
    "fitted",
    "forest",
    "gallery",
    "globe",
    "grams",
    "graph",
    "histograms",
    "how_many",
    "intervals",
    "kinds",
    "law",
    "likeness",
    "linear_map",
    "loss_curve",
    "network",
    "number_lines",
    "orders",
    "overlaps",
    "overshoot",
    "paths",
    "pulled_back",
    "rays",
    "relations",
    "remainder",
    "right_angles",
    "roundness",
    "row_map",
    "rulers",
    "scene",
    "schedule",
    "secants",
    "shadows",
    "sheet",
    "spectra",
    "stages",
    "strips",
    "table",
    "turning",
    "turns",
    "witnesses",
]
