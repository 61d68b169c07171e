"""CatPerson: a cat person drawn in the browser from its twelve factors, each on a slider."""

import math

import numpy as np
import traitlets

from hspace.cats import world
from hspace.cats.world import FACTORS

from .base import LiveFigure, numbers, rounded, trait

#: What a reader sees of each factor, and the slider's ends and step, in the units of the world. Nap and luck reach as
#: far as the law takes them, with room for its noise.
SLIDERS = {
    "nose": ("how large", 0.0, 2.0, 0.05),
    "ear": ("how tall", 0.0, 2.0, 0.05),
    "nap": ("the smile", -0.5, 6.0, 0.05),
    "luck": ("the clover", -1.5, 3.5, 0.05),
    "puppet": ("strings, buttons", 0.0, 1.0, 0.05),
    "fright": ("on puppets only", 0.0, 1.0, 0.05),
    "horse": ("a long face", 0.0, 1.0, 0.05),
    "fur": ("its colour", 0.0, 1.0, 0.05),
    "eye": ("how open", 0.0, 1.0, 0.05),
    "background": ("the wall", 0.0, 1.0, 0.05),
    "shift": ("left or right", -0.12, 0.12, 0.01),
    "tilt": ("in degrees", -12.0, 12.0, 0.5),
}


class CatPerson(LiveFigure):
    """A cat person with a slider for each of `controls`, redrawn at once where a slider moves.

    factors: a dict of some factors by name, or all twelve in the order of `hspace.cats.world.FACTORS`, in the units of
    the world; what a dict leaves out is that of the average cat person who is neither puppet nor horse.
    locked: nap and luck follow from nose and ear by the world's law W, without its noise; lockable: the reader may
    switch that.  The attributes `factors` (a dict of twelve numbers) and `locked` can be read and set afterwards.
    Raises ValueError for names that are not factors, numbers that are not finite, a control given twice, and for nap
    or luck given by name where the law is to decide them.
    """

    module = "cat_person"

    factors = trait(traitlets.Dict)
    controls = trait(traitlets.List)
    locked = trait(traitlets.Bool, False)
    lockable = trait(traitlets.Bool, True)
    sliders = trait(traitlets.List)
    law = trait(traitlets.List)

    def __init__(self, factors=None, *, controls=FACTORS[:7], locked=False, lockable=True):
        factors = {} if factors is None else factors
        tied = [name for name in ("nap", "luck") if isinstance(factors, dict) and name in factors]
        if locked and tied:
            raise ValueError(f"locked=True lets the law decide {' and '.join(tied)}: leave that out, or locked=False")
        person, controls = _person(factors), _controls(controls)
        super().__init__(
            factors=follow(person) if locked else person,
            controls=controls,
            locked=bool(locked),
            lockable=bool(lockable),
            sliders=[_slider(name, person[name]) for name in controls],
            law=[[round(w, 6) for w in row] for row in world.W.tolist()],
        )

    @traitlets.validate("factors")
    def _complete(self, proposal):
        person = _person(proposal["value"])
        return follow(person) if self.locked else person

    @traitlets.observe("locked")
    def _lock(self, change):
        if change["new"]:
            self.factors = follow(self.factors)

    def describe(self):
        said = ", ".join(f"{name} {rounded(self.factors[name])}" for name in self.controls)
        first = f"A cat person drawn from twelve numbers, here with {said}; a slider for each redraws it at once."
        if self.locked:
            return f"{first} The law holds: {_equations(self.factors)}. Pull the nose, and the smile follows."
        free = "Nap and luck can be set freely here; under the law they would follow from nose and ear."
        return f"{first} {free}" if {"nap", "luck"} & set(self.controls) else first


def follow(person):
    """The cat person, a dict of its twelve factors, with nap and luck as the law makes them from its nose and ear."""
    nap, luck = (world.W.double() @ world.W.new_tensor([person["nose"], person["ear"]]).double()).tolist()
    return person | {"nap": round(nap, 6), "luck": round(luck, 6)}


def _person(factors):
    """All twelve factors by name from a dict of some or a row of all."""
    if isinstance(factors, dict):
        for name in factors:
            world.column(name)
        average = dict(zip(FACTORS, world.average().tolist(), strict=True))
        factors = [(average | factors)[name] for name in FACTORS]
    values = numbers("factors", factors, (len(FACTORS),))
    return {name: round(value, 6) for name, value in zip(FACTORS, values, strict=True)}


def _controls(names):
    """The names as a list; ValueError for one that is no factor or comes twice."""
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        world.column(name)
    if len(set(names)) < len(names):
        raise ValueError(f"controls={names} names a factor twice: once is enough")
    return names


def _slider(name, value):
    """A slider's ends, widened by whole steps to where the value stands."""
    hint, low, high, step = SLIDERS[name]
    low -= step * max(0, math.ceil(np.round((low - value) / step, 6)))
    high += step * max(0, math.ceil(np.round((value - high) / step, 6)))
    return {"name": name, "hint": hint, "low": round(low, 6), "high": round(high, 6), "step": step}


def _equations(person):
    """The two lines of the law with the person's numbers."""
    nose, ear = rounded(person["nose"]), rounded(person["ear"])
    return " and ".join(
        f"{name} = {rounded(a)} · {nose} + {rounded(b)} · {ear} = {rounded(person[name])}"
        for name, (a, b) in zip(("nap", "luck"), world.W.tolist(), strict=True)
    )
