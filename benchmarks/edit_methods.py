"""Ways to edit a picture so that a wish comes true: published ones and ours, each (sitting, wish) → finished picture.

All follow the guide. A wish is {factor: value}; see `hspace.editing`.
"""

import contextlib
import functools
from dataclasses import dataclass, field
from functools import cached_property, partial

import torch

import hspace
from hspace.cats import world
from hspace.editing import counting, goal, slopes, steer, steer_gradually, x_guidance
from hspace.geometry import transport
from hspace.krylov import svd
from hspace.scoring import combine

T, K = 600, 50  # where the directions are taken, and how many
CLOUD = range(100_000, 100_256)  # seeds of the states that say what is usual at T; none of them is edited
OCTAVES = tuple(sign * 2.0**i for i in range(-2, 6) for sign in (1, -1))  # lengths tried along a single direction
STRENGTHS = (0.5, 1.0, 2.0, 4.0)  # tried for an edit in h
STARTS, STOPS = 800, 400  # of the edit that does a little at every step


@dataclass
class Bill:
    """What something took: passes of its own, and the shared values that it used, which have bills of their own."""

    passes: int = 0
    used: set = field(default_factory=set)


def shared(compute):
    """A method of a `Sitting` that several methods of editing ask: found once for the same arguments, charged to each.

    The shared values that it asks itself stand on their own bills: whoever uses both pays for none of them twice.
    """

    @functools.wraps(compute)
    def ask(sitting, *args):
        name = (compute.__name__, *args)
        if name not in sitting.found:
            with sitting.charging() as bill:
                sitting.found[name] = compute(sitting, *args), bill
        value, bill = sitting.found[name]
        sitting.bill.used |= {name, *bill.used}
        return value

    return ask


class Sitting:
    """One picture, and what the methods share on it.

    near, donor: functions that return the `Cloud` of usual states and the sitting from which an edit is carried over;
    asked by the methods that need them.
    """

    def __init__(self, model, guide, sketch, seed, near, donor=None):
        self.model, self.guide, self.sketch, self.near, self.donor = model, guide, sketch, near, donor
        self.seed, self.x_T, self.found, self.bill = seed, model.noise(seed), {}, Bill()

    def run(self, method, wish):
        """The method's picture, and the passes through the network that a run of it alone would have taken."""
        with self.charging() as bill:
            picture = method(self, wish)
        return picture, bill.passes + sum(self.found[name][1].passes for name in bill.used)

    @contextlib.contextmanager
    def charging(self):
        """Open a new bill for what is done within; the one that was open before does not have it."""
        before, bill = self.bill, Bill()
        self.bill = bill
        try:
            with counting(self.model) as count:
                yield bill
        finally:
            self.bill = before
        bill.passes += count.passes
        before.passes -= count.passes  # it has counted them as well

    @property
    @shared
    def x(self):
        """The state at T, (1, C, H, W)."""
        return self.model.denoise(self.x_T, stop=T)

    @property
    @shared
    def picture(self):
        """The untouched picture, (1, 3, 64, 64)."""
        return self.finish(self.x)

    @property
    def told(self):
        """Its factors by the guide, (12,)."""
        return self.guide(self.picture)[0]

    @property
    @shared
    def S(self):
        """The first K singular triplets of ∂h/∂x_t."""
        S = svd(self.model.jacobian(self.x, T), K)
        self.bill.passes += S.products
        return S

    @property
    @shared
    def slopes(self):
        """∂ factors / ∂x_t through the sampler, in standard deviations, (12, n)."""
        return self.differentiated(self.x, T)

    @property
    @shared
    def slopes_of_noise(self):
        """∂ factors / ∂x_T, likewise."""
        return self.differentiated(self.x_T, self.model.timesteps[0])

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
        draw = torch.randn(self.x_T.numel(), K, generator=torch.Generator().manual_seed(self.seed))
        return torch.linalg.qr(draw).Q.to(self.x_T)

    @shared
    def straight(self, basis, column, lengths):
        """The pictures after steps of these lengths along a column of a basis, (L, 3, 64, 64)."""
        return self.after(lengths, getattr(self, basis)[:, column].view_as(self.x))

    @shared
    @torch.no_grad()
    def guidance(self, column):
        """The move of x-space guidance for a column of V, (1, C, H, W): its strength is a factor of it."""
        return x_guidance(self.model, self.x, T, self.V[:, column], 1.0) - self.x

    @shared
    def guided(self, column, strengths):
        """The pictures after x-space guidance of these strengths, (L, 3, 64, 64)."""
        return self.after(strengths, self.guidance(column))

    def after(self, lengths, move):
        return self.finish(torch.cat([self.x + length * move for length in lengths]))

    def lack(self, wish):
        """The wished changes in standard deviations, (12,)."""
        return (goal(self.guide, self.told, wish) - self.told) / self.guide.std

    def differentiated(self, x, t):
        J = self.model.jacobian(x, t, to=self.guide)
        G = slopes(J, self.guide.std)
        self.bill.passes += J.products * len(self.model.legs(t))
        return G

    def moved(self, v):
        return self.x + v.view_as(self.x)

    def finish(self, x, t=T, **options):
        with torch.no_grad():
            return self.model.picture(self.model.denoise(x, start=t, **options))

    def off(self, wish, pictures):
        """By how much pictures miss the named factors, by the guide, in standard deviations, (B,)."""
        named = [world.column(name) for name in wish]
        return ((self.guide(pictures) - self.told) / self.guide.std - self.lack(wish))[:, named].norm(dim=1)

    def best(self, wish, pictures):
        """The one of some pictures that misses the named factors least, (1, 3, 64, 64)."""
        return pictures[self.off(wish, pictures).argmin()][None]

    def search(self, wish, drawn):
        """The best picture at any of `OCTAVES`, or half an octave beside the best of them.

        drawn: lengths → pictures.
        """
        coarse = drawn(OCTAVES)
        length = OCTAVES[self.off(wish, coarse).argmin()]
        return self.best(wish, torch.cat([coarse, drawn((length * 2**-0.5, length * 2**0.5))]))


def aim(sitting, wish, basis="V"):
    """The usual way: the column of a basis that changes the named factors most beside the others, its number."""
    named, lack, M = [world.column(name) for name in wish], sitting.lack(wish), sitting.slopes @ getattr(sitting, basis)
    return ((lack[named] @ M[named]).abs() / M.norm(dim=0)).argmax().item()


def single(sitting, wish, basis="V"):
    """Straight along one column of the sitting's `basis`."""
    return sitting.search(wish, partial(sitting.straight, basis, aim(sitting, wish, basis)))


def guided(sitting, wish):
    """x-space guidance (Park et al. 2023) along the best single direction, its strength chosen as a length is."""
    return sitting.search(wish, partial(sitting.guided, aim(sitting, wish)))


def combination(V, G, lack):
    """The combination of the columns of V that changes factors of the slopes G by `lack`, to first order, (n,)."""
    return V @ combine(G @ V, lack, ridge=1e-3)


def combined(sitting, wish, basis="V"):
    """The combination of the columns of the sitting's `basis` that fulfils the wish to first order, (n,)."""
    return combination(getattr(sitting, basis), sitting.slopes, sitting.lack(wish))


def once(sitting, wish, basis="V"):
    """Straight along the combination, as long as it is."""
    return sitting.finish(sitting.moved(combined(sitting, wish, basis)))


def carried(sitting, wish):
    """The combination that the wish would need at the donor, carried here by `transport`, as long as there.

    No factor is differentiated here.
    """
    with sitting.charging():  # found once for all pictures, and charged to none
        donor = sitting.donor()
        V, G = donor.V, donor.slopes
    v = combination(V, G, sitting.lack(wish))
    here = transport(v, donor.S, sitting.S)
    return sitting.finish(sitting.moved(here * v.norm() / here.norm()))


def walked(sitting, wish):
    """A projected walk along the combination, as long as it is, in four steps."""
    v = combined(sitting, wish)
    path = hspace.geometry.walk(lambda x: sitting.model.h(x, T), sitting.x, v, v.norm().item(), 4, K, tol=1e-2)
    sitting.bill.passes += path.products
    return sitting.finish(path.points[-1])


def injected(sitting, wish):
    """The combination's image in H, added there at every step, in the expected picture only (Kwon et al. 2023)."""
    shift = sitting.S.push(combined(sitting, wish))

    def drawn(strength):
        move = strength * shift
        return sitting.finish(sitting.x, edit=lambda h, t: h + move.view_as(h), asymmetric=True)

    return sitting.best(wish, torch.cat([drawn(strength) for strength in STRENGTHS]))


def again(sitting, wish, **options):
    """The fifty, solved again up to four times, no coordinate beyond three standard deviations."""
    with sitting.charging():  # the states that say what is usual are sampled once for all pictures, too
        near = sitting.near()
    return from_here(sitting, wish, V=sitting.V, near=near, **options)


def again_in_h(sitting, wish):
    """The same, the step shortest in H."""
    return again(sitting, wish, metric=(sitting.S.s / sitting.S.s[0]).square())


def all_of_x(sitting, wish):
    """Up to four steps in all of X."""
    return from_here(sitting, wish)


def from_here(sitting, wish, **options):
    """Steered from the sitting's state; what the methods share is its first round."""
    known = sitting.told, sitting.slopes
    return edited(sitting, steer, sitting.x, T, wish, sitting.guide, known=known, **options)


def all_of_noise(sitting, wish):
    """The same, from pure noise."""
    known = sitting.told, sitting.slopes_of_noise
    return edited(sitting, steer, sitting.x_T, sitting.model.timesteps[0], wish, sitting.guide, known=known)


def gradually(sitting, wish):
    """A little at every step from 800 to 400, steered by the sketch."""
    x = sitting.model.denoise(sitting.x_T, stop=STARTS)
    return edited(sitting, steer_gradually, x, STARTS, wish, sitting.sketch, stop=STOPS)


def edited(sitting, edit, x, t, wish, judge, **options):
    """The picture after an edit of the library, whose passes backward are charged as well."""
    with counting(sitting.model) as count:
        found = edit(sitting.model, x, t, wish, judge, **options)
    sitting.bill.passes += found.evaluations - count.passes
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

#: The same, in words.
ABOUT = {
    "one random direction": "straight along the one of fifty random directions that changes what is named most, beside "
    "the rest; of many lengths the one whose picture comes nearest",
    "one singular vector": "the same along one of the fifty strongest right singular vectors of ∂h/∂x",
    "x-space guidance": "not along that vector itself, but along the change that it makes in the noise that the model "
    "sees (Park et al. 2023)",
    "fifty random directions": "the combination of fifty random directions that fulfils the wish to first order",
    "fifty, once": "the combination of the fifty singular vectors that fulfils the wish to first order",
    "fifty, injected in h": "what that combination does to the bottleneck, added there at every step, in the expected "
    f"picture alone (Kwon et al. 2023); the best of {len(STRENGTHS)} strengths",
    "fifty, carried over": "the combination that the wish would need at the first picture, carried here by "
    "`transport`; no factor is differentiated at this picture",
    "fifty, projected walk": "the combination in four steps, carried into the space of the place's own fifty at each",
    "fifty, again": "the combination solved again up to four times, no coordinate beyond what is usual, by "
    "`hspace.steer`, as in chapter 13",
    "fifty, again, short in H": "the same, with the step that is shortest in the bottleneck instead of in the picture",
    "all of x, t = 600": "solved again up to four times, with every direction of the picture at hand",
    "all of x, t = 999": "the same, from pure noise",
    "a little at every step": f"small steps from t = {STARTS} to t = {STOPS}, steered by what the sketch sees in the "
    "picture that Alice expects: `hspace.editing.steer_gradually`",
}

#: Methods that take above a thousand passes, each with the one from which it differs in one thing. ("fifty, again" does
#: so as well; it is the one to beat.)
LIKE = {
    "fifty, projected walk": "fifty, once",
    "fifty, again, short in H": "fifty, again",
    "all of x, t = 999": "all of x, t = 600",
}
COSTLY = {METHODS[name] for name in LIKE}
