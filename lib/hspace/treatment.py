"""The treatment: the strongest directions of many pictures at many timesteps, overnight, and nothing lost.

A treatment is a folder:

    manifest.json                    what is computed, and of which model: written once, never changed
    units/seed7_t600.safetensors     a unit of work: tensors x, U, s, V, residuals, gap; its parameters as metadata

Where it treats real pictures, they are numbered and their units are called picture0_t600 and so on.

What is done is read from these files and kept nowhere else. They appear whole or not at all, each with a checksum, so a
run can be killed at any moment and started again: it goes on, and ends with the files of a run that was left alone, bit
for bit where the device computes the same twice. Several processes, on one machine or on several that share the folder,
each take their part of the seeds:

    accelerate launch --multi_gpu --num_processes 8 -m hspace directions --out runs/faces ...
"""

import contextlib
import hashlib
import json
import operator
import os
import sys
import warnings
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from tqdm import tqdm

from hspace import __version__
from hspace.directions import keep
from hspace.files import write
from hspace.krylov import SVD, check_rounding, svd
from hspace.model import HALF

FORMAT, VERSION = "hspace treatment", 2
PATIENCE = 60  # seconds to wait for a process that writes the manifest
FINER = 5  # times the sampler's steps in which pictures are inverted: in fewer, x_t falls short of the noise's norm
ASTRAY = 0.2  # of the norm that x_t should have: a warning beyond
CLOSE = 1e-4  # of the largest: the last bits of a schedule differ from one processor to the next
SIGNS = 4  # products with fixed signs by which a tensor is known
# What accelerate itself looks for: torchrun's names, then those of Intel's MPI, Open MPI and MVAPICH.
RANKS = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")
WORLDS = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")


class DamagedError(OSError):
    """A unit's file is there but cannot be trusted; the message names it."""


@dataclass(frozen=True)
class Plan:
    """What a treatment computes: the k largest singular triplets of ∂h/∂x_t for each seed at each timestep.

    seeds: of x_T, from which the model's sampler leads down to x_t.  timesteps: on its grid; kept falling.
    pictures: instead, names of real pictures, which the model inverts to x_t; seeds then number them from 0.
    k, tol, block: see `hspace.svd`.  chunk: columns at a time, see `Jacobian`; a begun folder goes on with any.  layer:
    whose output is h; None is the model's own.  warm: start the search at a timestep from what was found at the one
    before, for the same seed.
    Raises ValueError for an empty plan, and for numbers that can be no one's.
    """

    seeds: tuple
    timesteps: tuple
    k: int = 50
    tol: float = 1e-3
    block: int = 4
    chunk: int | None = None
    layer: str | None = None
    warm: bool = True
    pictures: tuple | None = None

    def __post_init__(self):
        if self.pictures is not None:
            object.__setattr__(self, "pictures", tuple(self.pictures))
            if tuple(self.seeds) != tuple(range(len(self.pictures))):
                raise ValueError(f"seeds = {self.seeds} do not number the {len(self.pictures)} pictures from 0")
        seeds, timesteps = _integers("seeds", self.seeds), _integers("timesteps", self.timesteps)
        object.__setattr__(self, "seeds", tuple(dict.fromkeys(seeds)))
        object.__setattr__(self, "timesteps", tuple(sorted(set(timesteps), reverse=True)))
        if not self.seeds or not self.timesteps:
            raise ValueError("a treatment needs at least one seed and one timestep: Plan(seeds=[7], timesteps=[600])")
        if self.k < 1 or self.block < 1 or not self.tol > 0 or (self.chunk is not None and self.chunk < 1):
            given = f"k = {self.k}, block = {self.block}, chunk = {self.chunk}"
            raise ValueError(f"{given} must be at least 1, and tol = {self.tol} above 0")

    def name(self, seed):
        """What a reader knows a sample by: "seed 7", or the file name of its picture."""
        return f"seed {seed}" if self.pictures is None else self.pictures[seed].rpartition(" ")[0]

    @property
    def units(self):
        """All pairs (seed, t), in the order in which they are computed."""
        return [(seed, t) for seed in self.seeds for t in self.timesteps]


@dataclass(frozen=True)
class Unit:
    """One unit of work, read from its file.

    x (1, C, H, W): the state.  svd: the `SVD` of the Jacobian there.  about: the metadata, {name: value}.
    """

    seed: int
    t: int
    x: torch.Tensor
    svd: SVD
    about: dict


@dataclass(frozen=True)
class Status:
    """Where a treatment stands, as pairs (seed, t): done (unconverged among them), missing and damaged units."""

    done: tuple
    missing: tuple
    damaged: tuple
    unconverged: tuple

    def __str__(self):
        total = sum(map(len, (self.done, self.missing, self.damaged)))
        counts = {"missing": self.missing, "damaged": self.damaged, "not converged": self.unconverged}
        rest = [f"{len(units)} {name}" for name, units in counts.items() if units]
        return ", ".join([f"{len(self.done)} of {total} units done", *rest])


class Treatment:
    """A treatment's folder, to be read.

    manifest: as stored, {name: value}.  plan: the `Plan`.
    Raises FileNotFoundError where the folder holds none, ValueError for one of another version of this format,
    `DamagedError` where it cannot be read.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        path = self.folder / "manifest.json"
        try:
            self.manifest = json.loads(path.read_text(encoding="utf-8"))
            found = f"{self.manifest['format']!r}, version {self.manifest['version']}"
        except FileNotFoundError:
            remedy = f"make one with `hspace directions --out {self.folder}`"
            raise FileNotFoundError(f"{self.folder} holds no treatment (no manifest.json): {remedy}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedError(f"{path} is damaged ({error}): restore it, or take another folder") from error
        if found != f"{FORMAT!r}, version {VERSION}":
            reads = f"this hspace, {__version__}, reads {FORMAT!r}, version {VERSION}"
            remedy = "compute it again in another folder, or take the hspace that made it"
            raise ValueError(f"{path} is {found}; {reads}: {remedy}")
        try:
            told = {"pictures": None} | self.manifest
            self.plan = Plan(**{name: told[name] for name in Plan.__dataclass_fields__})
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedError(f"{path} is damaged ({error}): restore it, or take another folder") from error

    @property
    def about(self):
        """What was said of the treatment when it was begun, {name: text}: no part of what makes it the same."""
        return self.manifest["about"]

    def path(self, seed, t):
        """The file of a unit."""
        kind = "seed" if self.plan.pictures is None else "picture"
        return self.folder / "units" / f"{kind}{seed}_t{t}.safetensors"

    def read(self, seed, t):
        """A `Unit`.

        Raises ValueError for one that is not in the plan or belongs to another treatment, FileNotFoundError for one
        that is still missing, `DamagedError` for a file that does not agree with its checksum.
        """
        if seed not in self.plan.seeds or t not in self.plan.timesteps:
            there = f"seeds {_listed(self.plan.seeds)}, timesteps {_listed(self.plan.timesteps)}"
            raise ValueError(f"seed {seed}, t = {t} is not in {self.folder}; there are {there}")
        path = self.path(seed, t)
        tensors, about = _read(path)
        if about["treatment"] != _digest(_identity(self.manifest)) or (about["seed"], about["t"]) != (seed, t):
            raise ValueError(f"{path} belongs to another treatment: move it away, or take another folder")
        found = SVD(
            tensors["U"],
            tensors["s"],
            tensors["V"],
            tensors["residuals"],
            tensors["gap"].item(),
            about["converged"],
            about["products"],
        )
        return Unit(seed, t, tensors["x"], found, about)

    def status(self):
        """The `Status`, from the files: each is read whole and compared with its checksum."""
        sorted_out = {"done": [], "missing": [], "damaged": [], "unconverged": []}
        for unit in self.plan.units:
            try:
                about = self.read(*unit).about
            except FileNotFoundError:
                sorted_out["missing"].append(unit)
            except DamagedError:
                sorted_out["damaged"].append(unit)
            else:
                sorted_out["done"].append(unit)
                sorted_out["unconverged"] += [] if about["converged"] else [unit]
        return Status(**{name: tuple(units) for name, units in sorted_out.items()})

    def check_model(self, model):
        """ValueError unless the model is the one that was treated, with the same sampler and conditioning."""
        here = _of_model(model)
        if differs := _difference({name: self.manifest.get(name) for name in here}, here):
            raise ValueError(f"{self.folder} treats another model: its {differs}")


def treat(model, folder, plan, *, pictures=None, about=None, rank=None, world=None, progress=True):
    """Compute what is missing of a treatment, or all of it.  Returns the `Treatment`.

    folder: made where it is missing; one that holds a treatment of the same plan and model is gone on with.
    pictures: a function from a number to that picture, (1, C, H, W) in [-1, 1], where the plan names pictures.
    about: {name: text} to keep in the manifest, such as the model's name and the prompt.
    rank, world: which of how many processes this is, of which each takes every world-th seed; both are read from the
        environment by default, where `accelerate launch`, torchrun and MPI put them.  progress: show a bar.
    A damaged unit is computed again, which is said on stderr. A seed whose numbers are not finite is given up. An
    inverted picture that is far from the norm of a noisy one brings a RuntimeWarning.
    Raises ValueError for a folder with another plan or model, for a plan that the model cannot follow, and in the end
    for seeds that were given up; BlockingIOError where another run writes into the folder.
    """
    if (rank is None) != (world is None):
        raise ValueError(f"rank = {rank} and world = {world} belong together: give both, or neither")
    rank, world = processes() if rank is None else (rank, world)
    if not 0 <= rank < world:
        raise ValueError(f"rank {rank} of {world} processes: ranks count from 0 to {world - 1}")
    plan = replace(plan, layer=plan.layer or model.layer)
    if (plan.pictures is None) != (pictures is None):
        raise ValueError("a plan that names pictures and pictures= to read them belong together: give both or neither")
    check_plan(model, plan)
    parameters = {name: value for name, value in asdict(plan).items() if name != "pictures" or value is not None}
    if plan.pictures is not None:
        parameters["inversion steps"] = _finer(model)
    treatment = _begin(Path(folder), parameters | _of_model(model), about or {})
    treatment.plan = plan
    seeds, failed = plan.seeds[rank::world], []
    # Ranks beyond the first lock no folder: the launcher ends them where the first is refused.
    with contextlib.ExitStack() as stack:
        if rank == 0:
            stack.enter_context(lock_folder(treatment.folder, "run"))
        name = "units" if world == 1 else f"process {rank + 1} of {world}"
        total = len(seeds) * len(plan.timesteps)
        bar = tqdm(total=total, desc=name, unit="unit", position=rank, smoothing=0, disable=not progress)
        stack.enter_context(bar)
        for seed in seeds:
            with lock_folder(treatment.folder, f"seed{seed}"):
                failed += _chain(model, treatment, seed, bar, pictures)
    if failed:
        raise ValueError(f"{len(failed)} of {len(seeds)} seeds were given up, all others are done; {failed[0]}")
    return treatment


def processes(environment=None):
    """Which process this is and of how many, (rank, world), from the environment; (0, 1) without a launcher."""
    environment = os.environ if environment is None else environment
    rank, world = (
        next((int(environment[name]) for name in names if name in environment), default)
        for names, default in ((RANKS, 0), (WORLDS, 1))
    )
    return rank, world


def _chain(model, treatment, seed, bar, pictures=None):
    """All timesteps of one sample, downwards: each first guess, and the state of a seed, comes from the unit above.

    Returns what went wrong, [] or [text]: below a unit that cannot be computed there is nothing to start from.
    """
    plan, name, unit = treatment.plan, treatment.plan.name(seed), None
    for t in plan.timesteps:
        bar.set_postfix_str(f"{name}, t = {t}", refresh=False)
        above, unit = unit, _kept(treatment, seed, t)
        if unit is None:
            try:
                if plan.pictures is None:
                    x, more = _noisy(model, seed, t, above), {}
                else:
                    x, more = _inverted(model, pictures(seed), t)
                    more |= {"picture": plan.pictures[seed]}
                    _warn_astray(f"{name}, t = {t}", more["norm"])
                guess = above.svd.V.to(x.device) if plan.warm and above else None
                unit = _unit(model, treatment, seed, t, x, guess, more)
            except ValueError as error:
                return [f"{name}, t = {t}: {error}"]
        else:
            bar.initial = getattr(bar, "initial", 0) + 1  # what was there says nothing of the time left
        bar.update()
    return []


def _noisy(model, seed, t, above):
    """x_t of a seed, from the unit above it where there is one."""
    if above is None:
        return model.denoise(model.noise(seed), stop=t)
    return model.denoise(above.x.to(model.device, model.dtype), start=above.t, stop=t)


@torch.no_grad()
def _inverted(model, picture, t):
    """x_t of a picture, inverted from the clean end for each t by itself; and what is known of it, {name: number}.

    lost: root mean square between the picture and the one that x_t is finished to, in the units of [-1, 1].
    norm: of x_t, in relation to what the picture under fresh noise has, the square root of ᾱ ‖x_0‖² + (1 - ᾱ) n.
    """
    picture = picture.to(model.device, model.dtype)
    clean = model.encode(picture)
    x = model.invert(clean, stop=t, steps=_finer(model))
    back = model.picture(model.denoise(x, start=t))
    signal = model.alphas_cumprod[t].item()
    expected = signal * clean.float().square().sum() + (1 - signal) * clean.numel()
    lost = (back - picture).float().square().mean().sqrt().item()
    return x, {"lost": round(lost, 6), "norm": round((x.float().norm() / expected.sqrt()).item(), 6)}


def _finer(model):
    """Steps of an inversion, a multiple of the sampler's, so that its grid is part of theirs: `FINER` times as many.

    Fewer where the schedule has no room for that.
    """
    return model.steps * min(FINER, (len(model.alphas_cumprod) - 1) // model.steps)


def _warn_astray(name, norm):
    if abs(norm - 1) > ASTRAY:
        said = f"{name}: the inverted state has {100 * norm:.0f} % of the norm of a noisy picture"
        remedy = "its directions are not those of what the model draws: take more --steps, or pictures of its own kind"
        warnings.warn(f"{said}: {remedy}", RuntimeWarning, stacklevel=4)


def _kept(treatment, seed, t):
    """The unit where its file is good, else None; that it is damaged is said."""
    try:
        return treatment.read(seed, t)
    except FileNotFoundError:
        return None
    except DamagedError as error:
        tqdm.write(f"{error}: it is computed again", file=sys.stderr)
        return None


def _unit(model, treatment, seed, t, x, guess, more):
    """Compute one unit and write its file; `more` is to be said of it."""
    plan = treatment.plan
    J = model.jacobian(x, t, layer=plan.layer, chunk=plan.chunk)
    S = svd(J, plan.k, plan.tol, block=plan.block, V0=guess)
    tensors = {name: getattr(S, name) for name in ("U", "s", "V", "residuals")}
    tensors |= {"x": x, "gap": torch.tensor(S.gap, dtype=torch.float64)}
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    identity = _identity(treatment.manifest)
    shared = ("seeds", "timesteps", "pictures")
    parameters = {name: value for name, value in identity.items() if name not in shared}
    about = parameters | {"treatment": _digest(identity), "seed": seed, "t": t}
    # The chunk may have been halved where memory ran out.
    about |= {"chunk": J.chunk, "products": S.products, "converged": S.converged} | more
    keep(treatment.path(seed, t), tensors, about | {"checksum": _checksum(tensors, about)})
    return Unit(seed, t, x, S, about)


def _read(path):
    """The tensors and the metadata of a unit's file. FileNotFoundError, or `DamagedError`."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: `hspace directions` with the same arguments computes it")
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in list(file.keys())}
            about = json.loads(file.metadata()["about"])
        good = about.pop("checksum") == _checksum(tensors, about)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(f"{path} is damaged ({error})") from error
    if not good:
        raise DamagedError(f"{path} is damaged (its checksum differs)")
    return tensors, about


def _checksum(tensors, about):
    """sha256, hex, over the metadata and names, shapes, dtypes and bytes of the tensors."""
    digest = hashlib.sha256(_json(about))
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
        digest.update(value.flatten().view(torch.uint8).numpy().tobytes())  # numpy knows no bfloat16
    return digest.hexdigest()


def _identity(manifest):
    """What makes two treatments the same: all of a manifest but what changes no result."""
    free = {"about", "hspace", "chunk"}
    return {key: value for key, value in manifest.items() if key not in free}


def _of_model(model):
    """What identifies a model with its sampler and conditioning, {name: value}, as a manifest holds it.

    Of the schedule, the square root of ᾱ on the sampler's grid; of the conditioning, see `_told`.
    """
    conditioning = dict(model.conditioning)
    if model.guidance != 1:
        conditioning |= {"guidance": model.guidance, "free": model.unconditional}
    signal = _short(model.alphas_cumprod[list(model.timesteps)].sqrt())
    schedule = {"prediction type": model.prediction_type, "signal": signal}
    return {
        "model": model.hash,
        "steps": model.steps,
        "dtype": str(model.dtype).removeprefix("torch."),
        "schedule and conditioning": schedule | _told("conditioning", conditioning),
    }


def _told(name, value):
    """What tells a model's conditioning apart, {name: numbers or text}: of dicts and lists, each entry by itself."""
    if isinstance(value, dict):
        return {key: told for part in value for key, told in _told(f"{name}.{part}", value[part]).items()}
    if isinstance(value, (list, tuple)):
        return _told(name, dict(enumerate(value)))
    if isinstance(value, torch.Tensor):
        return {f"{name} {tuple(value.shape)}": _sketch(value.detach().cpu())}
    return {name: repr(value)}


def _sketch(values):
    """A tensor of floats in a few numbers: its norm and its products with fixed signs; of whole numbers, a hash."""
    if not values.is_floating_point():
        return _digest(values.tolist())[:16]
    values = values.double().flatten()
    signs = torch.randint(0, 2, (SIGNS, len(values)), generator=torch.Generator().manual_seed(0))
    return _short(torch.cat([values.norm()[None], (2 * signs - 1).double() @ values]))


def _short(values):
    """Floats to six digits, a list."""
    return [float(f"{value:.6g}") for value in values.tolist()]


def _difference(there, here):
    """The first entry in which two manifests differ, as a text, or None."""
    for name in {**here, **there}:
        one, other = there.get(name), here.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            if inner := _difference(one, other):
                return f"{name}: {inner}"
        elif not _agree(one, other):
            return f"{name}: {_listed(one)}, not {_listed(other)}"
    return None


def _agree(one, other):
    """Whether two entries are equal; lists of floats, up to `CLOSE` of the largest."""
    lists = isinstance(one, list) and isinstance(other, list) and len(one) == len(other)
    if not lists or not all(isinstance(value, float) for value in one + other):
        return one == other
    most = max(map(abs, one + other), default=0.0)
    return all(abs(a - b) <= CLOSE * most for a, b in zip(one, other, strict=True))


def check_plan(model, plan):
    """ValueError where the model has not these timesteps, this layer, k directions, or the precision.

    Costs one run to the layer, and a few products more in 16 bits.
    """
    for t in plan.timesteps:
        model.legs(t)
    x = model.noise(0)
    most = min(model.h(x, plan.timesteps[0], plan.layer).numel(), x.numel())
    if not 1 <= plan.k <= most:
        raise ValueError(f"k = {plan.k}: from {x.numel()} numbers of x to this h there are 1 to {most} directions")
    if model.dtype in HALF:
        check_rounding(model.jacobian(x, plan.timesteps[0], layer=plan.layer, chunk=plan.chunk), plan.tol)


def _begin(folder, parameters, about):
    """The `Treatment` in the folder, new or the same as before."""
    path = folder / "manifest.json"
    said = {"about": about, "hspace": __version__}
    content = json.dumps({"format": FORMAT, "version": VERSION} | parameters | said, indent=1) + "\n"
    (folder / "units").mkdir(parents=True, exist_ok=True)
    with lock_folder(folder, "manifest", PATIENCE):
        if not path.exists():
            write(path, lambda beside: beside.write_text(content, encoding="utf-8"))
    treatment = Treatment(folder)
    if differs := _difference(_identity(treatment.manifest), _identity(json.loads(content))):
        raise ValueError(f"{folder} holds another treatment: its {differs}; take another folder")
    return treatment


@contextlib.contextmanager
def lock_folder(folder, name, patience=0):
    """Hold a lock of the folder; the system frees it where a process dies. BlockingIOError where another holds it."""
    (folder / ".locks").mkdir(exist_ok=True)
    lock = FileLock(folder / ".locks" / f"{name}.lock")
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        remedy = "wait for it to end, or take another folder"
        raise BlockingIOError(f"another run writes into {folder} ({name}): {remedy}") from None
    try:
        yield
    finally:
        lock.release()


def _json(value):
    return json.dumps(value, sort_keys=True).encode()


def _digest(identity):
    return hashlib.sha256(_json(identity)).hexdigest()


def _integers(name, values):
    try:
        return [operator.index(value) for value in values]
    except TypeError:
        raise ValueError(f"{name}={values!r} must be whole numbers, such as {name}=[1, 2]") from None


def _listed(value, most=8):
    """A value for a message; of many, the first few."""
    if not isinstance(value, (list, tuple)):
        return value
    return ", ".join(map(str, value[:most])) + (f", … ({len(value)})" if len(value) > most else "")
