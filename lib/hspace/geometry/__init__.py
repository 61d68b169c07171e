"""Geometry of a smooth map f: X → H, given as a torch function: the same for a sphere's chart and for a network.

    metric      lengths, angles, rank and kernel of the metric JᵀJ that f pulls back from H
    tangents    the k-dimensional tangent spaces at points: transport between them, matching, their mean
    walks       projected walks: follow a direction through tangent spaces that are computed anew at every step
    geodesics   straightest lines, from a point and a direction or between two points
    maps        maps made of maps: whitened, sheet, graph

J has more columns than rows where a network is looked at, so JᵀJ is only positive semidefinite there: whole families of
directions have length zero, and there are no geodesics. There are on the sheet z ↦ f(x + V z) and for the graph metric.
"""

from hspace.geometry.geodesics import Geodesic, between, second_derivative, shoot
from hspace.geometry.maps import graph, sheet, whitened
from hspace.geometry.metric import PullbackMetric, chord_length, path_length
from hspace.geometry.tangents import along, match, mean_space, polar, principal_cosines, transport
from hspace.geometry.walks import Walk, walk

__all__ = [
    "Geodesic",
    "PullbackMetric",
    "Walk",
    "along",
    "between",
    "chord_length",
    "graph",
    "match",
    "mean_space",
    "path_length",
    "polar",
    "principal_cosines",
    "second_derivative",
    "sheet",
    "shoot",
    "transport",
    "walk",
    "whitened",
]
