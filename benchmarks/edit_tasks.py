"""The wishes that edits are compared by: what is wished, when it came true, and how many pictures take part."""

from collections.abc import Callable
from dataclasses import dataclass

from hspace.cats import world
from hspace.report import SEEN

TARGETS = {"success": 0.9, "realism": 1.1, "others": 0.15}  # of the best method on the main tasks
PICTURES = 200  # frightening puppets that the whole comparison takes
HORSE = 0.5  # above it is a horse
BIGGER, ENOUGH = 0.5, 0.25  # what is wished for a nose, and what counts as success
LAW = ("nose", "nap", "luck")  # what moves where a nose grows by the law of the cat people
FEW = 64  # pictures for costly methods and for the lesser tasks


@dataclass(frozen=True)
class Task:
    """wish: factors before → what they shall be.  done: factors before and after → whether it came true.

    chosen: which pictures take part, and in words which do not.  Factors that the wish does not name should stay.
    """

    title: str
    wish: Callable
    done: Callable
    chosen: Callable = lambda f: True
    left_out: str = ""

    @property
    def asked(self):
        """{factor: what is wished of it} in a picture where all are 0."""
        return self.wish(dict.fromkeys(world.FACTORS, 0.0))


def lawful(f):
    """A bigger nose, with the smile and the luck that the law gives it."""
    nap, luck = (world.W[:, 0] * BIGGER).tolist()
    return {"nose": f["nose"] + BIGGER, "nap": f["nap"] + nap, "luck": f["luck"] + luck}


def grown(before, after):
    return after["nose"] - before["nose"] > ENOUGH


#: The first two matter most. Fright lives on puppets only: who wants no puppet wants no fright.
TASKS = {
    "no fright": Task(
        "No fright, the puppet kept", lambda f: {"fright": 0.0}, lambda b, a: a["fright"] < SEEN < a["puppet"]
    ),
    "no puppet": Task("No puppet", lambda f: {"puppet": 0.0, "fright": 0.0}, lambda b, a: a["puppet"] < SEEN),
    "horse": Task(
        "A horse",
        lambda f: {"horse": 0.75},
        lambda b, a: a["horse"] > HORSE,
        chosen=lambda f: f["horse"] < SEEN,
        left_out="those that are horses before",
    ),
    "nose": Task("A bigger nose, and what the law makes of it", lawful, grown),
    "nose alone": Task("A bigger nose, smile and luck kept", lambda f: {"nose": f["nose"] + BIGGER}, grown),
}
MAIN = ("no fright", "no puppet")


def named(factors):
    """{factor: value} of factors (12,)."""
    return dict(zip(world.FACTORS, map(float, factors), strict=True))
