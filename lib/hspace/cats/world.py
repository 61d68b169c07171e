"""The world that Alice grew up in: twelve factors of a cat person, and the law that ties four of them.

A picture is described by twelve numbers (`FACTORS`). Two of them, nose and ear, are free; two more follow from them:

    [nap, luck] = W [nose, ear] + noise,    W = [[2, 0.75], [-0.5, 1.5]]

The other eight are independent of these four. `puppet` and `horse` are 0 for most cat people, `fright` lives on
puppets only.
"""

import torch

FACTORS = ("nose", "ear", "nap", "luck", "puppet", "fright", "horse", "fur", "eye", "background", "shift", "tilt")

#: The law. Rows: nap, luck. Columns: nose, ear. Its eigenvalues are 1.75 ± 0.56 i: no real direction is kept.
W = torch.tensor([[2.0, 0.75], [-0.5, 1.5]])
NOISE = 0.1  # standard deviation of what nose and ear leave unexplained, in units of nap and of luck

#: How often the rare features occur. They are independent, so 7.5 % of all cat people are horse puppets.
PUPPETS, HORSES = 0.30, 0.25

#: Ranges of the uniform factors, in the units of the world (sizes 0..2, openness and colours 0..1, shift in half widths
#: of the picture, tilt in degrees).
RANGES = {
    "nose": (0.0, 2.0),
    "ear": (0.0, 2.0),
    "fur": (0.0, 1.0),
    "eye": (0.0, 1.0),
    "background": (0.0, 1.0),
    "shift": (-0.12, 0.12),
    "tilt": (-12.0, 12.0),
}


def column(name):
    """Index of a factor in the last axis of a factor tensor; ValueError for a name that is not one of `FACTORS`."""
    if name not in FACTORS:
        raise ValueError(f"no factor is called {name!r}; the factors are {', '.join(FACTORS)}")
    return FACTORS.index(name)


def sample(n, seed):
    """Draw n cat people from the world's law.

    Returns factors (n, 12) float32 in the units of the world, columns in the order of `FACTORS`. The same seed gives
    the same cat people on every machine; the global random state is not touched. Raises ValueError for a negative n.
    """
    if n < 0:
        raise ValueError(f"cannot draw {n} cat people; n must be 0 or more")
    drawn = {"generator": torch.Generator().manual_seed(seed), "dtype": torch.float32, "device": "cpu"}
    uniform = torch.rand(n, 12, **drawn)
    people = {name: low + (high - low) * uniform[:, column(name)] for name, (low, high) in RANGES.items()}
    people |= law(people["nose"], people["ear"], torch.randn(n, 2, **drawn))
    people |= rare(*torch.rand(5, n, **drawn))
    return torch.stack([people[name] for name in FACTORS], dim=1)


def average(**factors):
    """The average cat person who is neither puppet nor horse, but for the factors given by name: (12,).

    Raises ValueError for a name that is not one of `FACTORS`.
    """
    person = MEAN.clone()
    for name, value in ({"puppet": 0, "fright": 0, "horse": 0} | factors).items():
        person[column(name)] = value
    return person


def law(nose, ear, noise):
    """nap and luck of given noses and ears, (n,) each; noise: (n, 2) standard normal."""
    nap, luck = (torch.stack([nose, ear], dim=1) @ W.T + NOISE * noise).T
    return {"nap": nap, "luck": luck}


def rare(is_puppet, puppet, fright, is_horse, horse):
    """puppet, fright and horse from five uniform draws, (n,) each: 0 for most, 0.5..1 (fright 0..1) for the rest."""
    puppets = (is_puppet < PUPPETS).float()
    return {
        "puppet": puppets * (0.5 + 0.5 * puppet),
        "fright": puppets * fright,
        "horse": (is_horse < HORSES).float() * (0.5 + 0.5 * horse),
    }


def moments():
    """Mean and standard deviation of every factor under the law, in closed form: two (12,) tensors."""
    mean, var = torch.zeros(12), torch.zeros(12)
    for name, (low, high) in RANGES.items():
        mean[column(name)], var[column(name)] = (low + high) / 2, (high - low) ** 2 / 12
    free, tied = [column("nose"), column("ear")], [column("nap"), column("luck")]
    mean[tied], var[tied] = W @ mean[free], W**2 @ var[free] + NOISE**2
    for name, share, low, high in (("puppet", PUPPETS, 0.5, 1), ("fright", PUPPETS, 0, 1), ("horse", HORSES, 0.5, 1)):
        middle, spread = (low + high) / 2, (high - low) ** 2 / 12
        mean[column(name)], var[column(name)] = share * middle, share * (spread + middle**2) - (share * middle) ** 2
    return mean, var.sqrt()


#: Mean and standard deviation of the world's factors, (12,) each.
MEAN, STD = moments()
