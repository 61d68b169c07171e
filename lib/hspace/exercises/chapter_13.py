"""Chapter 13: solving for a wish, the shortest of many answers in X and in H, who may score, an edit of one's own."""

import torch

from hspace.cats.judge import load_judge
from hspace.directions import stored
from hspace.model import load

TWO = torch.tensor([[-1.0, -1.0], [2.0, -1.0]])  # rows: fright, nose
THREE = torch.tensor([[-1.0, -1.0, -2.0], [2.0, -1.0, 0.0]])
LENGTHS = torch.tensor([4.0, 2.0, 1.0])  # in H, of the three directions
WISH = torch.tensor([-3.0, 0.0])
LEAST = 0.25  # standard deviations by which one factor must have moved


def both_together():
    """13.1: how much of each of two directions takes 3 off the fright and leaves the nose, (2,)."""
    return torch.linalg.solve(TWO, WISH)


def shortest_in_x():
    """13.2: the shortest of all ways to do the same with three directions, (3,)."""
    return THREE.T @ torch.linalg.solve(THREE @ THREE.T, WISH)


def shortest_in_h():
    """13.3: the way whose step in H is shortest, where direction i is `LENGTHS[i]` long there, (3,)."""
    unlike = THREE / LENGTHS**2
    return unlike.T @ torch.linalg.solve(THREE @ unlike.T, WISH)


def answers_left():
    """13.4: of referee, renderer, realism and chance, those that took no part when the referee steered."""
    return len({"referee", "renderer", "realism", "chance"} - {"referee"})


@torch.no_grad()
def one_factor_alone(answer, t=600):
    """13.5: what an edited state (1, 3, 64, 64) of the stored picture at t lacks, by the referee; "" if nothing.

    One factor must have moved by `LEAST` standard deviations, and further than the other eleven together.
    """
    alice, referee = load(), load_judge("referee")
    x_t = alice.denoise(alice.noise(stored("fifty_directions").about["seed"]), stop=t)
    alice.check(answer, t)
    if answer.shape != x_t.shape:
        raise ValueError(f"one state of shape {tuple(x_t.shape)} is wanted, not {tuple(answer.shape)}")
    before, after = referee(alice.denoise(torch.cat([x_t, answer]), start=t))
    moved = (after - before) / referee.std
    most = moved.abs().argmax().item()
    rest = (moved.square().sum() - moved[most] ** 2).sqrt().item()
    told = f"The referee sees {referee.factors[most]} moved by {moved[most]:+.2f} standard deviations"
    if moved[most].abs() < LEAST:
        return f"{told}, and {LEAST} are wanted."
    return "" if moved[most].abs() > rest else f"{told}, and the other eleven by {rest:.2f} together."


EXERCISES = {
    "13.1": (both_together, "Two equations, one for the fright and one for the nose: solve them as in chapter 5."),
    "13.2": (shortest_in_x, "Of many solutions torch.linalg.pinv takes the shortest. It uses all three."),
    "13.3": (shortest_in_h, "Write c = b / σ: then b is as long as the step in H. Solve for the shortest b first."),
    "13.4": (answers_left, "Cross out whoever was followed, and count."),
}
OPEN = {"13.5": (one_factor_alone, "Ask for a nearer value, or give `steer` more rounds.")}
