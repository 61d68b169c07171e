"""Chapter 9: a right angle brought home, two ways along a sphere, a paper cone, a straight line in bent coordinates."""

import math

import torch

from hspace.geometry import shoot


def colatitude_of_a_right_angle():
    """9.1: the colatitude, in degrees, whose circle turns an arrow by 90 degrees."""
    return math.degrees(math.acos(1 - 90 / 360))


def two_ways():
    """9.2: from longitude 0 to 90 degrees at colatitude 60: length along the latitude, and of the geodesic, (2,)."""
    theta, phi = math.radians(60), math.radians(90)
    cosine = math.cos(theta) ** 2 + math.sin(theta) ** 2 * math.cos(phi)
    return [math.sin(theta) * phi, math.acos(cosine)]


def paper_cone():
    """9.3: by how many degrees an arrow turns once round the tip of a cone made of three quarters of a disc."""
    return 360 * (1 - 3 / 4)


def straight_in_bent_coordinates():
    """9.4: where the geodesic of h = (x1² + x2, x1 + x2) from (2, 3) along (0.3, 0.7) of length ‖(1.9, 1)‖ ends."""

    def bent(x):
        return torch.stack([x[0] ** 2 + x[1], x[0] + x[1]])

    start, step = torch.tensor([2.0, 3.0], dtype=torch.float64), torch.tensor([0.3, 0.7], dtype=torch.float64)
    return shoot(bent, start, step, math.hypot(1.9, 1), steps=16).points[-1]


def share_in_fifty():
    """9.5: root of the mean squared length that a random direction of X has within fifty orthonormal ones."""
    return math.sqrt(50 / (3 * 64 * 64))


EXERCISES = {
    "9.1": (colatitude_of_a_right_angle, "Solve 360 (1 - cos θ) = 90 for θ, and give it in degrees."),
    "9.2": (
        two_ways,
        "The latitude is a circle of radius sin θ. The geodesic is as long as the angle between the two points, whose "
        "cosine is their dot product.",
    ),
    "9.3": (paper_cone, "Unroll the cone: on flat paper the arrow does not turn. By how much do the two edges differ?"),
    "9.4": (
        straight_in_bent_coordinates,
        "The map can be undone near p, so its geodesics are straight in H: which x has h(x) = (7, 5) + (1.9, 1)?",
    ),
    "9.5": (
        share_in_fifty,
        "The squares of all 12288 coordinates add up to 1, and none is preferred: how much do fifty hold on average? "
        "Then take the root.",
    ),
}
