"""Ways to edit a picture so that a wish comes true: published ones and ours, each (sitting, wish) → finished picture.

All follow the guide. A wish is {factor: value}; see `hspace.editing`.
"""

from functools import cached_property, partial

import torch

import hspace
from hspace.cats import world
from hspace.editing import counting, goal, slopes, steer, steer_gradually, x_guidance
from hspace.geometry import transport
from hspace.krylov import svd
from hspace.scoring import combine

T, K = 600, 50  # where the directions are taken, and how many
LENGTHS = tuple(2.0**i for i in torch.arange(-2, 5.5, 0.5).tolist())  # tried both ways along a single direction
STRENGTHS = (0.5, 1.0, 2.0, 4.0)  # tried for an edit in h
STARTS, STOPS = 800, 400  # of the edit that does a little at every step


class shared:
    """A value that several methods use: computed once, charged to every method that asks for it.

    The function returns the value and the products with a Jacobian that it took.
    """

    def __init__(self, compute):
        self.compute, self.__doc__ = compute, compute.__doc__

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, sitting, owner=None):
        if sitting is None:
            return self
        if self.name not in sitting.found:
            with counting(sitting.model) as count:
                value, products = self.compute(sitting)
            sitting.found[self.name] = value, count.passes + products
            sitting.apart += count.passes
        sitting.used.add(self.name)
        return sitting.found[self.name][0]


class Sitting:
    """One picture, and what the methods share on it; a donor's sitting, for what is carried over from another."""

    def __init__(self, model, guide, sketch, seed, near, donor=None):
        self.model, self.guide, self.sketch, self.near, self.donor = model, guide, sketch, near, donor
        self.seed, self.x_T, self.found = seed, model.noise(seed), {}
        self.x = model.denoise(self.x_T, stop=T)
        self.picture = self.finish(self.x)
        self.told = guide(self.picture)[0]
        self.used, self.apart, self.backward = set(), 0, 0

    def run(self, method, wish):
        """The method's picture, and the passes through the network that a run of it alone would have taken."""
        self.used, self.apart, self.backward = set(), 0, 0
        with counting(self.model) as count:
            picture = method(self, wish)
        shared_cost = sum(self.found[name][1] for name in self.used)
        return picture, count.passes - self.apart + self.backward + shared_cost

    @shared
    def S(self):
        """The first K singular triplets of ∂h/∂x_t."""
        S = svd(self.model.jacobian(self.x, T), K)
        return S, S.products

    @shared
    def slopes(self):
        """∂ factors / ∂x_t through the sampler, in standard deviations, (12, n)."""
        G = self.model.jacobian(self.x, T, to=self.guide)
        return slopes(G, self.guide.std), G.products * len(self.model.legs(T))

    @property
    def V(self):
        """The K directions, (n, K)."""
        return self.S.V

    def held(self):
        """Share of each factor's gradient, by length, that lies within the K directions, (12,)."""
        return (self.slopes @ self.V).norm(dim=1) / self.slopes.norm(dim=1)

    @cached_property
    def strangers(self):
        """As many random directions, orthonormal, (n, K)."""
        draw = torch.randn(self.x.numel(), K, generator=torch.Generator().manual_seed(self.seed))
        return torch.linalg.qr(draw).Q.to(self.x)

    def lack(self, wish):
        """The wished changes in standard deviations, (12,)."""
        return (goal(self.guide, self.told, wish) - self.told) / self.guide.std

    def moved(self, v):
        return self.x + v.view_as(self.x)

    def finish(self, x, t=T, **options):
        with torch.no_grad():
            return self.model.picture(self.model.denoise(x, start=t, **options))

    def best(self, wish, pictures):
        """The one of some pictures that misses the named factors least, by the guide, (1, 3, 64, 64)."""
        named = [world.column(name) for name in wish]
        off = ((self.guide(pictures) - self.told) / self.guide.std - self.lack(wish))[:, named].norm(dim=1)
        return pictures[off.argmin()][None]


def aim(sitting, wish, V):
    """The usual way: one column of V, the one that changes the named factors most beside the others, (n,)."""
    named, lack, M = [world.column(name) for name in wish], sitting.lack(wish), sitting.slopes @ V
    return V[:, ((lack[named] @ M[named]).abs() / M.norm(dim=0)).argmax()]


def both_ways(sitting, wish, go):
    """The picture after the best of `LENGTHS`, either way; go: length → state."""
    ends = torch.cat([go(sign * length) for length in LENGTHS for sign in (1, -1)])
    return sitting.best(wish, sitting.finish(ends))


def single(sitting, wish, basis="V"):
    """Straight along one column of the sitting's `basis`."""
    v = aim(sitting, wish, getattr(sitting, basis))
    return both_ways(sitting, wish, lambda length: sitting.moved(length * v))


@torch.no_grad()
def guided(sitting, wish):
    """x-space guidance (Park et al. 2023) along the best single direction, its strength chosen as a length is."""
    v = aim(sitting, wish, sitting.V)
    return both_ways(sitting, wish, lambda strength: x_guidance(sitting.model, sitting.x, T, v, strength))


def combined(sitting, wish, basis="V"):
    """The combination of the columns of the sitting's `basis` that fulfils the wish to first order, (n,)."""
    V = getattr(sitting, basis)
    return V @ combine(sitting.slopes @ V, sitting.lack(wish), ridge=1e-3)


def once(sitting, wish, basis="V"):
    """Straight along the combination, as long as it is."""
    return sitting.finish(sitting.moved(combined(sitting, wish, basis)))


def carried(sitting, wish):
    """The donor's combination, carried here by projection transport, as long as it was: no factor is differentiated."""
    before, v = sitting.donor.apart, combined(sitting.donor, wish)
    sitting.apart += sitting.donor.apart - before  # found once for all pictures, and charged to none
    here = transport(v, sitting.donor.S, sitting.S)
    return sitting.finish(sitting.moved(here * v.norm() / here.norm()))


def walked(sitting, wish):
    """A projected walk along the combination, as long as it is, in four steps."""
    v = combined(sitting, wish)
    path = hspace.geometry.walk(lambda x: sitting.model.h(x, T), sitting.x, v, v.norm().item(), 4, K, tol=1e-2)
    sitting.backward += path.products
    return sitting.finish(path.points[-1])


def injected(sitting, wish):
    """The combination's image in H, added there at every step, in the expected picture only (Kwon et al. 2023)."""
    shift = sitting.S.push(combined(sitting, wish))

    def drawn(strength):
        move = strength * shift
        return sitting.finish(sitting.x, edit=lambda h, t: h + move.view_as(h), asymmetric=True)

    return sitting.best(wish, torch.cat([drawn(strength) for strength in STRENGTHS]))


def again(sitting, wish):
    """The fifty, solved again up to four times, no coordinate beyond three standard deviations."""
    return edited(sitting, steer, sitting.x, T, wish, sitting.guide, V=sitting.V, near=sitting.near)


def again_in_h(sitting, wish):
    """The same, the step shortest in H."""
    metric = (sitting.S.s / sitting.S.s[0]).square()
    return edited(sitting, steer, sitting.x, T, wish, sitting.guide, V=sitting.V, near=sitting.near, metric=metric)


def all_of_x(sitting, wish):
    """Up to four steps in all of X."""
    return edited(sitting, steer, sitting.x, T, wish, sitting.guide)


def all_of_noise(sitting, wish):
    """The same, from pure noise."""
    return edited(sitting, steer, sitting.x_T, sitting.model.timesteps[0], wish, sitting.guide)


def gradually(sitting, wish):
    """A little at every step from 800 to 400, steered by the sketch."""
    x = sitting.model.denoise(sitting.x_T, stop=STARTS)
    return edited(sitting, steer_gradually, x, STARTS, wish, sitting.sketch, stop=STOPS)


def edited(sitting, edit, x, t, wish, judge, **options):
    """The picture after an edit of the library, whose passes backward are charged as well."""
    with counting(sitting.model) as count:
        found = edit(sitting.model, x, t, wish, judge, **options)
    sitting.backward += found.evaluations - count.passes
    return sitting.finish(found.x, found.t)


#: Names of the rows → methods, in the order of the table.
METHODS = {
    "one random direction": partial(single, basis="strangers"),
    "one singular vector": single,
    "x-space guidance": guided,
    "fifty random directions": partial(once, basis="strangers"),
    "fifty, once": once,
    "fifty, injected in h": injected,
    "fifty, carried over": carried,
    "fifty, projected walk": walked,
    "fifty, again": again,
    "fifty, again, short in H": again_in_h,
    "all of x, t = 600": all_of_x,
    "all of x, t = 999": all_of_noise,
    "a little at every step": gradually,
}
COSTLY = {walked, all_of_noise}  # more than a thousand passes a picture
