"""Train Alice, and the judges, from nothing.

Every batch is drawn fresh from the world with the number of its step as the seed, and so is its noise: there is no
data set to store, nothing is seen twice, and a resumed run sees what an uninterrupted one would have seen.
"""

import contextlib
import ctypes
import json
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import torch
from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm

from hspace.files import contact_sheet, write, write_folder
from hspace.model import DiffusionModel
from hspace.treatment import lock_folder

from . import world
from .judge import JUDGES, Judge, save_judge
from .render import blur, render

#: Alice's network: 3.7 million weights, a bottleneck of 128 × 8 × 8.
ARCHITECTURE = {
    "sample_size": 64,
    "in_channels": 3,
    "out_channels": 3,
    "layers_per_block": 1,
    "block_out_channels": (32, 64, 96, 128),
    "norm_num_groups": 8,
    "attention_head_dim": 16,
    "down_block_types": ("DownBlock2D", "DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"),
}
#: Timesteps, from and below, that the sketch learns from: those where `editing.steer_gradually` works, 800 down to 400.
HALFWAY = (400, 801)


@dataclass
class Plan:
    """What decides a training run: equal plans see the same pictures and the same noise in the same order."""

    steps: int = 3800
    batch: int = 32
    rate: float = 8e-4
    warmup: int = 300
    decay: float = 0.999  # of the running average of the weights (EMA)
    seed: int = 0
    onward: bool = False  # from the bundled Alice instead of from nothing
    crowding: float = 2.0  # timesteps are T u^crowding with u uniform in [0, 1]: above 1 they crowd where noise is low
    limit: float = 20.0  # largest weight of an error in the picture itself; see `batch_of`
    middle: float = 0.25  # share of a batch whose timesteps crowd in the middle instead
    detail: float = 0.4  # how far a pixel's weight follows `detail`, the rest being equal for all

    def rate_at(self, step):
        """Learning rate of a step: a linear start, flat for half of the run, then linearly down to 0."""
        return self.rate * min((step + 1) / self.warmup, 1, 2 * (1 - step / self.steps))

    def average_at(self, step):
        """How much of the running average is kept at a step; less at first, so that the random start is forgotten."""
        return min(self.decay, (step + 1) / (step + 10))


def network(seed):
    """Alice's U-Net with the random weights of a seed; the global random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return UNet2DModel(**ARCHITECTURE)


def schedule():
    """Her noise: the linear schedule of Ho et al. (2020), predicted as v (Salimans & Ho, 2022)."""
    return DDPMScheduler(prediction_type="v_prediction", clip_sample=False)


def batch_of(plan, step, alphas):
    """Noisy pictures, timesteps and v targets of one step, with the loss weight of each picture.

    Weight: min(SNR + 1, limit) / (SNR + 1) on the error in v, which is min(SNR + 1, limit) on that of the picture
    (min-SNR of Hang et al., 2023, shifted by one).
    """
    generator = torch.Generator().manual_seed(plan.seed * 1_000_003 + step)
    pictures = render(world.sample(plan.batch, seed=plan.seed * 1_000_003 + step + 1_000_000_000))
    noise = torch.randn(pictures.shape, generator=generator)
    t = timesteps_of(plan, generator, len(alphas))
    a = alphas[t].view(-1, 1, 1, 1)
    snr = alphas[t] / (1 - alphas[t])
    noisy, v = a.sqrt() * pictures + (1 - a).sqrt() * noise, a.sqrt() * noise - (1 - a).sqrt() * pictures
    return noisy, t, v, (snr + 1).clamp(max=plan.limit) / (snr + 1)


def timesteps_of(plan, generator, total):
    """Timesteps of a batch, out of `total`, (batch,): first those that crowd where noise is low, then the middle ones.

    The former are T u^crowding: with 2, half of them lie below T / 4, where outlines become sharp; drawn uniformly they
    would mostly be spent on noise in which nothing is left to see. The latter are logit-normal (Esser et al., 2024):
    half of them lie between T / 3 and 2 T / 3, where it is decided how wide an eye is open.
    The u of both are spread evenly over [0, 1] (a random start, then equal distances), which lowers the variance of the
    gradient.
    """

    def even(n):
        return (torch.rand((), generator=generator) + torch.arange(n) / max(n, 1)) % 1

    middle = round(plan.middle * plan.batch)
    u = torch.cat([even(plan.batch - middle) ** plan.crowding, torch.special.ndtri(even(middle)).sigmoid()])
    return (u * total).long().clamp(max=total - 1)


def detail(pictures=1024, spread=5):
    """Where the world has detail, (64, 64) with mean 1: what neighbouring pixels differ by, over a square of `spread`.

    Most of it is in the eyes and the mouth, which are few pixels, and none in the corners. As weights of pixels they
    leave the best guess what it is, the mean of what is possible, and say where it is worth the most effort.
    """
    looks = torch.cat([render(part) for part in world.sample(pictures, seed=13).split(256)])
    across, down = looks.diff(dim=3)[:, :, :-1], looks.diff(dim=2)[..., :-1]
    found = (across.square() + down.square()).mean(dim=(0, 1)).sqrt()
    whole = torch.nn.functional.pad(found[None, None], (0, 1, 0, 1), mode="replicate")
    smooth = torch.nn.functional.avg_pool2d(whole, spread, 1, spread // 2, count_include_pad=False)[0, 0]
    return smooth / smooth.mean()


def train_alice(folder, plan=None, device=None, minutes_between_saves=4.0):
    """Train Alice into `folder`, or go on where an earlier run in the same folder stopped.

    Writes, each beside and then renamed: `state.pt` (everything needed to go on), `alice/` (the averaged weights as a
    diffusers pipeline, fp16), `curve.json` (plan and loss of every step) and `samples.png`, every few minutes and at
    the end. Ctrl-C ends the step, saves and stops; a second one stops at once, and what was saved last is kept.
    Returns the folder of the pipeline.
    With `plan.onward` the bundled Alice is trained further, and the curve begins with the one she has.
    Raises ValueError where the folder holds a run with another plan; `steps` alone may change, as long as the learning
    rate of no step already made would; BlockingIOError where another run writes into the folder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    plan = plan or Plan()
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    keep_memory()
    with lock_folder(folder, "training"):
        run = Run(plan, device, folder)
        run.resume()
        run.go(minutes_between_saves)
    if run.step < plan.steps:
        print(f"Stopped at step {run.step} of {plan.steps}; the same command goes on from here.", file=sys.stderr)
    return folder / "alice"


@contextlib.contextmanager
def until_ctrl_c():
    """Within the context the first Ctrl-C only sets `asked` of what it gives; a second one interrupts as usual.

    Nothing changes where there is none to wait for: in a thread, and in a process that ignores it.
    """
    stop, before = SimpleNamespace(asked=False), signal.getsignal(signal.SIGINT)
    handled = callable(before) and threading.current_thread() is threading.main_thread()

    def ask(number, frame):
        stop.asked = True
        signal.signal(signal.SIGINT, before)

    if handled:
        signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        if handled:
            signal.signal(signal.SIGINT, before)


class Run:
    """One training run: network, running average, optimiser and loss curve."""

    def __init__(self, plan, device, folder):
        self.plan, self.device, self.folder = plan, device, folder
        self.network = network(plan.seed).to(device, memory_format=torch.channels_last).train()
        self.average = network(plan.seed).to(device).eval()
        self.optimiser = Optimiser(self.network, plan.rate)
        self.scheduler = schedule()
        self.alphas = self.scheduler.alphas_cumprod
        self.pixels = (1 - plan.detail + plan.detail * detail()).to(device)
        self.half = has_bf16(device)
        self.step, self.losses, self.earlier = 0, [], None
        if plan.onward:
            self.begin_with_bundled()

    def begin_with_bundled(self):
        """Start from the weights that ship, and remember how they came about."""
        self.earlier = bundled_curve()
        if self.plan.seed in seeds_of(self.earlier):
            raise ValueError(
                f"seed {self.plan.seed} drew the pictures that Alice has seen already; choose another --seed"
            )
        weights = UNet2DModel.from_pretrained(bundled("weights") / "alice" / "unet").state_dict()
        for part in (self.network, self.average):
            part.load_state_dict(weights)

    def go(self, minutes_between_saves):
        """Take the steps that are left, up to the end or to the first Ctrl-C, and save now and then and after."""
        total, saved = self.plan.steps, time.monotonic()
        bar = tqdm(total=total, initial=self.step, desc="Alice", unit="step", smoothing=0.02, mininterval=5)
        with until_ctrl_c() as stop:
            while self.step < total and not stop.asked:
                self.advance()
                bar.set_postfix(loss=f"{sum(self.losses[-100:]) / len(self.losses[-100:]):.4f}", refresh=False)
                bar.update()
                if time.monotonic() - saved > 60 * minutes_between_saves:
                    self.save()
                    saved = time.monotonic()
            self.save()
        bar.close()

    def advance(self):
        """One step of the optimiser, then one of the running average."""
        noisy, t, v, weight = (part.to(self.device) for part in batch_of(self.plan, self.step, self.alphas))
        self.optimiser.rate(self.plan.rate_at(self.step))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half), sdpa_kernel(SDPBackend.MATH):
            guess = self.network(noisy.contiguous(memory_format=torch.channels_last), t, return_dict=False)[0]
        loss = (weight * (self.pixels * (guess.float() - v).square()).mean(dim=(1, 2, 3))).mean()
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss.item()} at step {self.step}; lower --rate and start again")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        keep = self.plan.average_at(self.step)
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1 - keep)
        self.losses.append(round(loss.item(), 5))
        self.step += 1

    def save(self):
        """Everything needed to go on, the pipeline, the curve and a sheet of samples."""
        state = {"network": self.network, "average": self.average, "optimiser": self.optimiser}
        whole = {name: part.state_dict() for name, part in state.items()}
        whole |= {"step": self.step, "losses": self.losses, "plan": asdict(self.plan)}
        write(self.folder / "state.pt", lambda path: torch.save(whole, path))
        curve = {"plan": asdict(self.plan), "device": self.device.type, "bf16": self.half, "loss": self.losses}
        if self.earlier:
            curve |= {"loss": self.earlier["loss"] + self.losses, "earlier": self.earlier | {"loss": None}}
        write(self.folder / "curve.json", lambda path: path.write_text(json.dumps(curve)))
        pipeline = DDPMPipeline(unet=network(self.plan.seed), scheduler=self.scheduler)
        pipeline.unet.load_state_dict(self.average.state_dict())
        pipeline.unet.half()
        write_folder(self.folder / "alice", lambda folder: keep_pipeline(pipeline, folder))
        sheet = sample_sheet(self.average, self.alphas)
        write(self.folder / "samples.png", lambda path: sheet.save(path, format="png"))

    def resume(self):
        """Go on from `state.pt` where there is one."""
        path = self.folder / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        before = Plan(**state["plan"])
        same = {**asdict(before), "steps": 0} == {**asdict(self.plan), "steps": 0}
        step = state["step"]
        if not same or any(before.rate_at(s) != self.plan.rate_at(s) for s in range(step)):
            raise ValueError(
                f"{self.folder} holds a run with the plan {before}, not {self.plan}; choose another folder"
            )
        for name in ("network", "average", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.step, self.losses = step, state["losses"]


def keep_pipeline(pipeline, folder):
    """Write a pipeline into a folder, readable by all: safetensors keeps its files to their owner."""
    pipeline.save_pretrained(folder, safe_serialization=True)
    for file in folder.rglob("*.safetensors"):
        file.chmod(0o644)


class Optimiser:
    """Muon for the matrices and convolutions, AdamW for the rest: biases, gains and shifts.

    Muon (Jordan et al., 2024) sets all singular values of a step to about 1; a convolution counts as the matrix that
    maps a patch to a pixel. Its steps are scaled to the size of AdamW's, so that both take the same rate.
    """

    def __init__(self, network, rate):
        self.kernels = [p for p in network.parameters() if p.ndim >= 2]
        self.matrices = [_as_matrix(p.data) for p in self.kernels]
        rest = [p for p in network.parameters() if p.ndim < 2]
        self.parts = {
            "muon": torch.optim.Muon(self.matrices, rate, weight_decay=1e-3, adjust_lr_fn="match_rms_adamw"),
            "adamw": torch.optim.AdamW(rest, rate, weight_decay=1e-3, fused=True),
        }

    def rate(self, rate):
        """Set the learning rate of the next step."""
        for part in self.parts.values():
            for group in part.param_groups:
                group["lr"] = rate

    def step(self):
        """Take a step along the gradients of the network, and forget them."""
        for kernel, matrix in zip(self.kernels, self.matrices, strict=True):
            matrix.grad = _as_matrix(kernel.grad)
        for part in self.parts.values():
            part.step()
            part.zero_grad()
        for kernel in self.kernels:
            kernel.grad = None

    def state_dict(self):
        return {name: part.state_dict() for name, part in self.parts.items()}

    def load_state_dict(self, state):
        for name, part in self.parts.items():
            part.load_state_dict(state[name])


def _as_matrix(kernel):
    """A kernel (out, in, height, width) in channels-last memory as a view (out, height · width · in)."""
    return kernel.permute(0, 2, 3, 1).flatten(1) if kernel.ndim == 4 else kernel


def bundled(folder):
    """A folder of the package's data."""
    return Path(str(files("hspace"))) / folder


def bundled_curve():
    """The loss curve of the run, or runs, that made the bundled Alice, with its plan."""
    return json.loads((bundled("results") / "training.json").read_text())


def seeds_of(curve):
    """The seeds of a run and of those it began with."""
    return {curve["plan"]["seed"]} | (seeds_of(curve["earlier"]) if curve.get("earlier") else set())


@torch.no_grad()
def sample_sheet(unet, alphas, n=24, steps=25):
    """An image of n DDIM samples, eight to a row, from the noise of seeds 0 to n - 1: what training has come to."""
    model = DiffusionModel(unet, alphas, "v_prediction", steps=steps)
    return contact_sheet(model.denoise(model.noise(range(n))).unflatten(0, (-1, 8)))


def has_bf16(device):
    """Whether the device multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def keep_memory():
    """Have glibc keep freed memory: handing each activation back to the system costs a third of a step's time."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(-3, 2**31 - 1)  # M_MMAP_THRESHOLD
        mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
        mallopt(-2, 2**28)  # M_TOP_PAD


def train_judge(kind, folder, pictures=128_000, steps=12_000, batch=64, rate=2e-3):
    """Train one of the two judges on pictures of its own seed and write `<kind>.safetensors` into `folder`.

    Half of the pictures break the law (`lawless`): a judge that knows it would see its outcome where it is not.
    Both see light noise (standard deviation up to 0.1); the referee also sees blur and changes of brightness, so that
    the two do not err alike. Returns the R² of every factor on 2048 held-out pictures, a dict (fright: on puppets).
    """
    seed = 11 + JUDGES.index(kind)
    people = half_lawless(pictures, seed)
    looks = torch.cat([packed(render(part)) for part in people.split(256)])
    judge = learn(kind, seed, people, looks, steps, batch, rate)
    save(judge, folder)
    return r_squared(judge)


def train_sketch(model, folder, pictures=16_000, steps=2000, batch=64, rate=2e-3):
    """Train the judge of expected pictures, and write sketch.safetensors into `folder`.

    It sees what `model` expects, x̂_0, of pictures under the noise of all timesteps in `HALFWAY`, and learns their
    factors: as far as they are not decided yet, their mean. Returns the R² of each factor on 1024 others, a dict.
    """
    seed = 11 + len(JUDGES)
    people = half_lawless(pictures, seed)
    judge = learn("sketch", seed, people, expected(model, people, seed), steps, batch, rate)
    save(judge, folder)
    others = world.sample(1024, seed=7)
    return r_squared(judge, others, expected(model, others, seed=7))


@torch.no_grad()
def expected(model, people, seed):
    """What the model expects of drawn people (n, 12) under noise, `packed`: (n, 3, 64, 64), a timestep for every 64."""
    generator, looks = torch.Generator().manual_seed(seed), []
    for part in tqdm(people.split(64), desc="expected pictures"):
        t = int(torch.randint(*HALFWAY, (1,), generator=generator))
        a, noise = model.alphas_cumprod[t].item(), torch.randn(len(part), 3, 64, 64, generator=generator)
        x_t = a**0.5 * render(part) + (1 - a) ** 0.5 * noise
        looks.append(packed(model.predict(x_t.to(model.device), t).cpu()))
    return torch.cat(looks)


def packed(pictures):
    """Pictures in [-1, 1], clipped, in 8 bits."""
    return (pictures.clamp(-1, 1) * 127).round().to(torch.int8)


def learn(kind, seed, people, looks, steps, batch, rate):
    """A judge trained on pictures `looks` (n, 3, 64, 64), as `packed`, of people (n, 12)."""
    judge = seeded_judge(kind, seed).to(memory_format=torch.channels_last)
    half = has_bf16(torch.device("cpu"))
    optimiser = torch.optim.AdamW(judge.parameters(), rate, weight_decay=1e-2)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    generator = torch.Generator().manual_seed(seed)
    bar = tqdm(range(steps), desc=f"judge: {kind}", unit="step", mininterval=2)
    for step in bar:
        chosen = torch.randint(len(people), (batch,), generator=generator)
        seen = disturb(looks[chosen].float() / 127, kind, generator).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            guess = judge.look(seen)
        loss = (guess.float() - (people[chosen] - world.MEAN) / world.STD).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rates.step()
        if step % 50 == 0:
            bar.set_postfix(loss=f"{loss.item():.4f}", refresh=False)
    return judge.eval()


def save(judge, folder):
    """Write a judge's weights into a folder, which is made if need be."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / f"{judge.kind}.safetensors", lambda path: save_judge(judge, path))


def half_lawless(n, seed):
    """People (n, 12) to learn from: half of them as in the world, half `lawless`."""
    return torch.cat([world.sample(n - n // 2, seed=seed), lawless(n // 2, seed=seed + 100)])


def lawless(n, seed):
    """People (n, 12) like those of the world, but for nap and luck: from their whole ranges, whatever the nose."""
    people, generator = world.sample(n, seed), torch.Generator().manual_seed(seed + 1)
    corners = torch.cartesian_prod(*(torch.tensor(world.RANGES[name]) for name in ("nose", "ear"))) @ world.W.T
    low, high = corners.amin(dim=0), corners.amax(dim=0)
    people[:, [world.column("nap"), world.column("luck")]] = low + (high - low) * torch.rand(n, 2, generator=generator)
    return people


def seeded_judge(kind, seed):
    """A judge with the random weights of a seed; the global random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return Judge(kind)


def disturb(pictures, kind, generator):
    """Pictures as a judge sees them in training: with noise, for the referee also blurred and brighter or darker."""
    n = len(pictures)
    level = 0.1 * torch.rand(n, 1, 1, 1, generator=generator)
    if kind == "referee":
        some = (torch.rand(n, 1, 1, 1, generator=generator) < 0.3).float() * 0.6
        pictures = pictures + some * (blur(pictures) - pictures)
        pictures = pictures + 0.04 * torch.randn(n, 1, 1, 1, generator=generator)
    return pictures + level * torch.randn(pictures.shape, generator=generator)


@torch.no_grad()
def r_squared(judge, people=None, looks=None):
    """R² of each factor, by name, on 2048 held-out pictures; fright on puppets only, where it can be seen.

    people (n, 12), looks (n, 3, 64, 64), `packed`: others to be judged.
    """
    people = world.sample(2048, seed=7) if people is None else people
    looks = torch.cat([render(part) for part in people.split(256)]) if looks is None else looks.float() / 127
    guess, scores = torch.cat([judge(part) for part in looks.split(256)]), {}
    for i, name in enumerate(world.FACTORS):
        seen = people[:, world.column("puppet")] > 0 if name == "fright" else torch.ones(len(people), dtype=torch.bool)
        truth, said = people[seen, i], guess[seen, i]
        scores[name] = 1 - ((truth - said).square().sum() / (truth - truth.mean()).square().sum()).item()
    return scores
