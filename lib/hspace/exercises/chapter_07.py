"""Chapter 7: a chain at another point, three paths, a block, an order of products, a spacing of checkpoints."""

import math

import torch


def chain_at_another_point():
    """7.1: Jacobian of (y1 y2, y2²) after (x1² + x2, x1 + x2) at (1, 2), (2, 2), by hand."""
    return torch.tensor([[3.0, 3.0], [0.0, 6.0]]) @ torch.tensor([[2.0, 1.0], [1.0, 1.0]])


def three_paths():
    """7.2: derivative of x tanh x + x at 0.5."""
    a = math.tanh(0.5)
    return torch.tensor(a + 0.5 * (1 - a * a) + 1)


def squares_of_sigmoids():
    """7.3: gradient of the sum of squared sigmoids at (-1, 0, 2), (3,)."""
    a = torch.tensor([-1.0, 0.0, 2.0]).sigmoid()
    return 2 * a * a * (1 - a)


def both_orders():
    """7.4: multiplications in (1000 × 200)(200 × 200)(200 × 3) from the right, and from the left, (2,)."""
    return torch.tensor([200 * 200 * 3 + 1000 * 200 * 3, 1000 * 200 * 200 + 1000 * 200 * 3])


def spacing():
    """7.5: of 400 layers, the stretch for which the fewest states are kept at once."""
    return round(400**0.5)


EXERCISES = {
    "7.1": (
        chain_at_another_point,
        "Where does h take (1, 2)? The Jacobian of g is wanted there, and it stands on the left.",
    ),
    "7.2": (
        three_paths,
        "Two paths go through the product, one of them by way of tanh; one goes through the plus.",
    ),
    "7.3": (
        squares_of_sigmoids,
        "Find the slope of the sigmoid by hand: it can be told from the output alone. The rest is vjp's.",
    ),
    "7.4": (both_orders, "(r × s)(s × t) takes r s t multiplications; each order needs two products."),
    "7.5": (spacing, "For stretches of k there are 400/k - 1 starts in store and k states: where is the sum least?"),
}
