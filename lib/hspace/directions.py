"""The top directions of one picture, strips along them, and the stored result that chapter 12 is made of."""

import hashlib
import io
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save
from torch.nn.functional import normalize
from tqdm import tqdm

from hspace.cats import world
from hspace.cats.judge import JUDGES, load_judge
from hspace.cats.render import render
from hspace.files import contact_sheet, write
from hspace.krylov import canonical_signs, exact_svd, svd
from hspace.model import one_state
from hspace.scoring import BATCH, change_matrix

TIMESTEPS = (900, 800, 700, 600, 500, 400, 300, 200, 100)
LENGTHS = (-12.0, -8.0, -4.0, 0.0, 4.0, 8.0, 12.0)


@torch.no_grad()
def strips(model, x_t, t, directions, lengths=LENGTHS, batch=BATCH):
    """Walk straight along each direction and finish the pictures.

    x_t (1, C, H, W); directions (n, k), unit columns, of any dtype and device; lengths: steps in X; batch: pictures at
    once.
    Returns (k, len(lengths), C, H, W).
    Raises ValueError for a batch or for directions of another length.
    """
    one_state(x_t)
    if directions.ndim != 2 or directions.shape[0] != x_t.numel():
        raise ValueError(f"directions have shape {tuple(directions.shape)}; ({x_t.numel()}, k) is needed")
    ways = torch.einsum("f,nk->kfn", torch.tensor(lengths).to(x_t), directions.to(x_t))
    ends = x_t + ways.reshape(-1, *x_t.shape[1:])
    drawn = torch.cat([model.picture(model.denoise(part, start=t)) for part in ends.split(batch)])
    return drawn.view(directions.shape[1], len(lengths), *drawn.shape[1:])


@torch.no_grad()
def haunted_seeds(model, judge, count=1, limit=200, progress=False):
    """The smallest `count` seeds whose pictures are frightening puppets, a list: puppet and fright judged above 0.5.

    progress: show a bar.  Raises ValueError where the first `limit` seeds do not hold as many.
    """
    found, columns = [], [world.column("puppet"), world.column("fright")]
    with tqdm(total=count, desc="looking for frightening puppets", disable=not progress) as bar:
        for first in range(0, limit, BATCH):
            seeds = range(first, min(first + BATCH, limit))
            judged = judge(model.picture(model.denoise(model.noise(seeds))).float())[:, columns]
            found += [seed for seed, told in zip(seeds, judged, strict=True) if (told > 0.5).all()]
            bar.update(min(len(found), count) - bar.n)
            if len(found) >= count:
                return found[:count]
    raise ValueError(
        f"{len(found)} of the first {limit} seeds are frightening puppets, fewer than {count}; raise limit"
    )


def fingerprint(model):
    """One hash over Alice, both judges and the renderer, that every stored result carries: 16 hex digits.

    The renderer enters by its drawing of three fixed cat people in double precision, rounded to three decimals, where
    every machine agrees.
    """
    digest = hashlib.sha256(model.hash.encode())
    for kind in JUDGES:
        for name, value in sorted(load_judge(kind).state_dict().items()):
            digest.update(name.encode() + value.half().numpy().tobytes())
    digest.update((render(world.sample(3, seed=0).double()) * 1000).round().short().numpy().tobytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Result:
    """A stored result: named tensors, and the command, parameters and fingerprint that made them."""

    tensors: dict
    about: dict

    def pictures(self, name):
        """Pictures stored as one PNG sheet: (rows, columns, 3, 64, 64) in [-1, 1]."""
        sheet = torch.from_numpy(np.array(Image.open(io.BytesIO(self.tensors[name].numpy().tobytes()))))
        cells = sheet.unflatten(0, (-1, 64)).unflatten(2, (-1, 64))
        return cells.permute(0, 2, 4, 1, 3).float() / 127.5 - 1

    def __getattr__(self, name):
        if name == "tensors" or name.startswith("__"):  # copy and pickle ask before there are any tensors
            raise AttributeError(name)
        try:
            return self.tensors[name]
        except KeyError:
            raise AttributeError(f"the result holds {', '.join(self.tensors)}, no {name}") from None


def stored(name):
    """A result that ships with the package, such as stored("fifty_directions"). Returns a `Result`.

    Raises FileNotFoundError, with the names there are, for one that does not exist.
    """
    path = Path(str(files("hspace"))) / "results" / f"{name}.safetensors"
    if not path.is_file():
        there = sorted(other.stem for other in path.parent.glob("*.safetensors"))
        raise FileNotFoundError(f"no stored result {name!r}; there are {', '.join(there) or 'none'}")
    with safe_open(path, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in list(file.keys())}
        about = json.loads(file.metadata()["about"])
    return Result(tensors, about)


def keep(path, tensors, about):
    """Write a result: beside the path, then renamed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = save({key: value.contiguous() for key, value in tensors.items()}, metadata={"about": json.dumps(about)})
    write(path, lambda beside: beside.write_bytes(content))


def packed(pictures):
    """Pictures (rows, columns, 3, 64, 64) in [-1, 1] as the bytes of one PNG sheet, 8 bits a colour: (bytes,) uint8."""
    file = io.BytesIO()
    contact_sheet(pictures).save(file, format="png", optimize=True)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


def fifty_directions(model, path, *, k=50, t=600, pictures=12, progress=True):
    """Make what chapter 12 shows, from the first frightening puppet among Alice's seeds, and store it at `path`.

    Spectra at every timestep of `TIMESTEPS`; at t the exact spectrum and the first k exact directions, strips along
    these, and their change matrix over `pictures` pictures (seeds 0, 1, 2, ...), judged by the referee. About ten
    minutes for Alice on two cores.
    Raises ValueError for a t that is not on the model's grid. Returns what is known about the result.
    """
    if t not in model.timesteps:
        raise ValueError(f"t={t} is not on the grid of {len(model.timesteps)} steps: {model.timesteps}")
    stages = tqdm(["spectra over time", "exact spectrum", "strips", "changes"], disable=not progress, unit="stage")
    advance = iter(stages)

    stages.set_description(next(advance))
    [seed] = haunted_seeds(model, load_judge("guide", model.device))
    x_T = model.noise(seed)
    found = [svd(model.jacobian(model.denoise(x_T, stop=s), s), k) for s in TIMESTEPS]
    spectra, residuals = torch.stack([S.s for S in found]), torch.stack([S.residuals for S in found])
    tensors = {"spectra": spectra, "residuals": residuals}

    stages.set_description(next(advance))
    x_t = model.denoise(x_T, stop=t)
    values, vectors = exact_svd(model.jacobian(x_t, t), k)
    # The directions travel as fp16; all that follows is measured along what is stored.
    tensors |= {"exact": values.float(), "V": (vectors * canonical_signs(vectors)).half()}
    V = normalize(tensors["V"].float(), dim=0)

    stages.set_description(next(advance))
    tensors["strips"] = packed(strips(model, x_t, t, V))

    stages.set_description(next(advance))
    many = model.denoise(model.noise(list(range(pictures))), stop=t)
    M = change_matrix(model, many, t, V, load_judge("referee", model.device), progress=progress)
    tensors |= {"each": M.each.half(), "control": M.control.half()}
    stages.close()

    about = {
        "command": f"hspace results fifty_directions --k {k} --t {t} --pictures {pictures}",
        "fingerprint": fingerprint(model),
        "seed": seed,
        "t": t,
        "timesteps": TIMESTEPS,
        "lengths": LENGTHS,
        "length": M.length,
        "factors": M.factors,
        "products": dict(zip(TIMESTEPS, [S.products for S in found], strict=True)),
    }
    keep(path, tensors, about)
    return about
