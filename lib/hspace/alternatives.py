"""Directions found in other ways, to compare the treatment's with: local to a mask, principal components of h, random.

What many pictures have in common is `geometry.mean_space`; what a direction becomes at another picture,
`geometry.transport`.
"""

from dataclasses import dataclass

import torch

from hspace.krylov import canonical_signs, svd
from hspace.model import one_state


@dataclass(frozen=True)
class Local:
    """Directions that change the expected picture in one place.

    V (n, k): unit columns.  kept (k,): the norm of each before it was made one, what the projection left of it.
    inside, outside (k,): ‖∂x̂₀ v‖ within the mask and elsewhere, from fresh products.
    """

    V: torch.Tensor
    kept: torch.Tensor
    inside: torch.Tensor
    outside: torch.Tensor


def local_directions(model, x_t, t, mask, k=5, null=5, *, tol=1e-3, block=4, chunk=None):
    """Directions at x_t that change the expected picture x̂₀ within a mask, and elsewhere as little as can be had.

    The first k right singular vectors of ∂x̂₀/∂x_t within the mask, without their parts along the first `null` right
    singular vectors of the rest; I − V̄ V̄ᵀ of these is nearly the projection onto the null space, since the rank is
    low. Chen et al., "Exploring Low-Dimensional Subspaces in Diffusion Models for Controllable Image Editing" (2024);
    their code takes 1 and 5. The columns are not orthogonal to each other any more.

    x_t (1, C, H, W).  mask: (H, W) or (C, H, W), of the state, true or nonzero where the picture may change.
    tol, block, chunk: as for `hspace.svd` and `Jacobian`.  Returns `Local`.
    Raises ValueError for a mask that does not fit, holds all or nothing, and where the projection leaves nothing.
    """
    model.check(x_t, t)
    one_state(x_t)
    inside = _whole_mask(mask, x_t)

    def expected(where):
        places = where.flatten().nonzero()[:, 0]
        return model.jacobian_of(lambda x: model.predict(x, t).flatten()[places], x_t, chunk)

    J_in, J_out = expected(inside), expected(~inside)
    V = svd(J_in, k, tol, block=block).V
    if null:
        away = svd(J_out, null, tol, block=block).V
        V = V - away @ (away.T @ V)
    kept = V.norm(dim=0)
    if (kept < tol).any():
        first = (kept < tol).nonzero()[0].item()
        raise ValueError(f"direction {first} lies wholly in what moves the rest: lower null = {null}, or k = {k}")
    V = V / kept
    return Local(V, kept, (J_in @ V).norm(dim=0), (J_out @ V).norm(dim=0))


@dataclass(frozen=True)
class Principal:
    """Principal components of h over the whole sampling: each is a shift for every timestep.

    directions: {t: (m, k)}; the columns of all timesteps, one above the other, are orthonormal.
    mean: {t: (m,)}.  std (k,): standard deviations along the components.  share (k,): of the whole variance.
    """

    directions: dict
    mean: dict
    std: torch.Tensor
    share: torch.Tensor

    def edit(self, c):
        """What `model.denoise` takes as `edit`: shifts h by c (k,) standard deviations along the components."""
        c = torch.as_tensor(c, dtype=self.std.dtype)
        if c.shape != self.std.shape:
            raise ValueError(f"c has shape {tuple(c.shape)}; the {len(self.std)} components want ({len(self.std)},)")
        shifts = {t: U @ (c * self.std) for t, U in self.directions.items()}
        return lambda h, t: h + shifts[t].to(h).view(1, *h.shape[1:])


@torch.no_grad()
def principal_components(model, seeds, k, batch=16):
    """PCA of h, the output of the model's layer, over samples: h of all timesteps of a sampling is one observation.

    Haas et al., "Discovering Interpretable Directions in the Semantic Latent Space of Diffusion Models" (2024). No
    derivative is taken: components say how h varies among pictures, singular directions how h answers to x at one.

    seeds: of N samples, k at most N − 1.  batch: samples at once.  Costs N samplings and N × steps × m numbers of
    memory.  Returns `Principal`, on the CPU.  Raises ValueError for too few samples.
    """
    seeds = list(seeds)
    if not 1 <= k < len(seeds):
        raise ValueError(f"k = {k} components need at least {max(k, 1) + 1} samples, not {len(seeds)}")
    seen = {t: [] for t in model.timesteps}

    def listen(h, t):
        seen[t].append(h.flatten(1).cpu())
        return h

    for first in range(0, len(seeds), batch):
        model.denoise(model.noise(seeds[first : first + batch]), edit=listen)
    h = {t: torch.cat(parts) for t, parts in seen.items()}
    mean = {t: values.mean(dim=0) for t, values in h.items()}
    centred = {t: values - mean[t] for t, values in h.items()}
    # N samples span at most N − 1 dimensions, far fewer than h has: their Gram matrix holds all.
    gram = sum(values.double() @ values.double().T for values in centred.values())
    squares, W = (part.flip(-1) for part in torch.linalg.eigh(gram))
    sizes = squares[:k].clamp_min(0).sqrt()
    if sizes[-1] <= 1e-6 * sizes[0]:
        raise ValueError(f"h varies in fewer than k = {k} directions among {len(seeds)} samples: lower k")
    directions = {t: (values.double().T @ (W[:, :k] / sizes)).float() for t, values in centred.items()}
    signs = canonical_signs(torch.cat(list(directions.values())))
    directions = {t: U * signs for t, U in directions.items()}
    std = (sizes / (len(seeds) - 1) ** 0.5).float()
    return Principal(directions, mean, std, (squares[:k] / squares.clamp_min(0).sum()).float())


def random_directions(like, k, seed=0):
    """Random orthonormal directions (n, k) for a state `like`, (1, C, H, W): the yardstick for all others.

    Uniformly distributed, drawn on the CPU from `seed`: the same on every device.  Raises ValueError for k above n.
    """
    n = like.numel()
    if not 1 <= k <= n:
        raise ValueError(f"k = {k}: a state of {n} numbers has room for 1 to {n} orthonormal directions")
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(n, k, generator=generator, dtype=torch.float64, device="cpu")
    Q, R = torch.linalg.qr(drawn)
    return (Q * R.diagonal().sign()).to(like)


def _whole_mask(mask, x_t):
    """The mask in the shape of the state, bool."""
    mask = torch.as_tensor(mask, device=x_t.device) != 0
    if tuple(mask.shape) not in (tuple(x_t.shape[1:]), tuple(x_t.shape[2:]), tuple(x_t.shape)):
        fits = f"{tuple(x_t.shape[2:])} or {tuple(x_t.shape[1:])}"
        raise ValueError(f"mask of shape {tuple(mask.shape)} for a state of shape {tuple(x_t.shape)}: needed is {fits}")
    mask = mask.expand_as(x_t)
    if mask.all() or not mask.any():
        raise ValueError("the mask holds all of the state or nothing of it: mark the part that may change")
    return mask
