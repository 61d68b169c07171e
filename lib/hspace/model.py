"""A frozen diffusion model: sample, invert, look into the bottleneck, edit there, differentiate.

Notation of Song, Meng & Ermon, "Denoising Diffusion Implicit Models" (2021), with eta = 0 throughout:
x_t = sqrt(ᾱ_t) x_0 + sqrt(1 - ᾱ_t) ε, where ᾱ is `alphas_cumprod` and t counts 0..999. The sampler is our own, from ᾱ:
diffusers' schedulers keep state, have other grids, and clip x̂_0, which breaks inversion and zeroes derivatives.
"""

import contextlib
import copy
import functools
import hashlib
import inspect
import math
import operator

import torch
from torch.utils.checkpoint import checkpoint

from hspace import pretrained
from hspace.jacobian import Jacobian, mismatch
from hspace.layers import editing, exact, find, fitted, reading
from hspace.pretrained import WeightsError

__all__ = ["DiffusionModel", "WeightsError", "load"]
PREDICTIONS = ("epsilon", "v_prediction", "sample")
HALF = (torch.bfloat16, torch.float16)
#: What a U-Net wants in added_cond_kwargs, by its addition_embed_type: Stable Diffusion XL's, Kandinsky's.
ADDED = {
    "text_time": ("text_embeds", "time_ids"),
    "text_image": ("image_embeds",),
    "image": ("image_embeds",),
}


class DiffusionModel:
    """A diffusers denoiser with its noise schedule.

    network: a diffusers denoiser (UNet2DModel, UNet2DConditionModel, DiTTransformer2DModel, ...); frozen, set to eval.
    alphas_cumprod: ᾱ_t, (T,), falling; T = 1000 for nearly every model.  prediction_type: what the network outputs,
    "epsilon", "v_prediction" or "sample".  steps: the sampler's grid.  layer: the module whose output is h, by its name
    in `network.named_modules()`; "mid_block" by default.  vae: decodes latents, for `picture`.  conditioning: further
    arguments of the network, tensors and dicts of tensors, batch 1 or B, such as {"encoder_hidden_states": (1, L, D)}.
    text: a function from B prompts to (B, L, D), for `with_prompt`.

    States are (B, C, H, W) in the model's dtype, on its device; t is an int 0..T-1. Nothing here touches the global
    random state. Every run is in full float32 (no TF32) with the plain attention formula, the one attention kernel with
    forward-mode derivatives, so that values and derivatives belong to the same function. A model is for one thread at a
    time: its hooks, and the settings of precision, are the network's and the process's own.
    Raises ValueError for what cannot be used, naming it.
    """

    def __init__(
        self,
        network,
        alphas_cumprod,
        prediction_type="epsilon",
        *,
        steps=20,
        layer=None,
        vae=None,
        conditioning=None,
        text=None,
    ):
        if prediction_type not in PREDICTIONS:
            raise ValueError(f"prediction_type={prediction_type!r} is not one of {', '.join(PREDICTIONS)}")
        self.alphas_cumprod = torch.as_tensor(alphas_cumprod, dtype=torch.float64, device="cpu")
        _check_schedule(self.alphas_cumprod, prediction_type)
        _check_channels(network)
        self.network = network.requires_grad_(False).eval()
        self.vae = vae and vae.requires_grad_(False).eval()
        self.prediction_type = prediction_type
        self.steps = steps
        self.layer = "mid_block" if layer is None else layer
        self.conditioning = _no_class(network) if conditioning is None else conditioning
        self.text, self.guidance, self.unconditional = text, 1.0, {}
        self._grid(steps)
        if layer is not None:
            self._module(layer)

    # What it is

    @property
    def device(self):
        return next(self.network.parameters()).device

    @property
    def dtype(self):
        return next(self.network.parameters()).dtype

    @property
    def shape(self):
        """(C, H, W) of one state."""
        size = self.network.config.sample_size
        if size is None:
            raise ValueError(f"the configuration of this {type(self.network).__name__} has no sample_size: set it")
        return (self.network.config.in_channels, *((size, size) if isinstance(size, int) else size))

    @property
    def timesteps(self):
        """The grid of the sampler, falling; after its last entry comes the clean picture.

        The i-th of `steps` points, counted from clean, is i T / steps rounded down, and the last is T - 1: 999, 950,
        900, ... 50 for 20 steps. Where 10 divides steps, every multiple of 100 is on it.
        """
        return self._grid(self.steps)

    @functools.cached_property
    def hash(self):
        """sha256, hex, over names, shapes and float32 values of the weights: one for fp16 files and float32 copies."""
        digest = hashlib.sha256()
        for name, value in sorted(self.network.state_dict().items()):
            digest.update(f"{name} {tuple(value.shape)}\n".encode())
            digest.update(value.detach().float().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def __repr__(self):
        size = sum(parameter.numel() for parameter in self.network.parameters()) / 1e6
        return (
            f"DiffusionModel({type(self.network).__name__}, {'×'.join(map(str, self.shape))}, {size:.2f} M weights, "
            f"{self.prediction_type}, h at {self.layer!r}, {self.steps} steps, {self.dtype}, {self.device})"
        )

    def to(self, device_or_dtype):
        """Move to a device, or change the dtype, in place; returns the model."""
        if isinstance(device_or_dtype, torch.dtype):
            self.hash  # noqa: B018  the identity of the weights, before any rounding
        for part in filter(None, (self.network, self.vae)):
            part.to(device_or_dtype)
        return self

    def with_conditioning(self, **conditioning):
        """The same network with other conditioning, as a new model that shares the weights."""
        other = copy.copy(self)
        other.conditioning = conditioning
        return other

    def with_guidance(self, guidance, **unconditional):
        """The same network under classifier-free guidance, as a new model that shares the weights.

        The sampler follows free + guidance (output − free), where `free` is the network's output under the
        conditioning `unconditional`: eq. 6 of Ho and Salimans, "Classifier-Free Diffusion Guidance" (2022), written as
        diffusers does, so that 1 is no guidance. Costs a second run of the network each time. h and its edits belong to
        the conditional run alone.  Raises ValueError where guidance is not a finite number.
        """
        if isinstance(guidance, bool) or not isinstance(guidance, (int, float)) or not math.isfinite(guidance):
            raise ValueError(f"guidance={guidance!r} must be a finite number: 1 for none, 7.5 as usual")
        other = copy.copy(self)
        other.guidance, other.unconditional = float(guidance), unconditional
        return other

    def with_prompt(self, prompt, guidance=7.5, negative=""):
        """The model that draws what the prompt says, as a new model that shares the weights.

        prompt: a text, or one for each state of the batch.  guidance: see `with_guidance`.  negative: what to keep away
        from. The text encoder is read for this and not kept.
        Raises ValueError for a model without one, ImportError without the package transformers.
        """
        if self.text is None:
            raise ValueError(f"this {type(self.network).__name__} came without a text encoder: leave the prompt out")
        prompts = [prompt] if isinstance(prompt, str) else prompt if isinstance(prompt, (list, tuple)) else []
        if not prompts or not all(isinstance(text, str) for text in [*prompts, negative]):
            raise ValueError(f"prompt={prompt!r} must be a text, such as 'a photo of a cat', or a list of texts")
        with torch.inference_mode(False):  # whose tensors no derivative could be taken with
            tokens = self.text([negative, *prompts])
        model = self.with_conditioning(**(self.conditioning | {"encoder_hidden_states": tokens[1:]}))
        return model.with_guidance(guidance, **(self.conditioning | {"encoder_hidden_states": tokens[:1]}))

    # Sampling

    def noise(self, seed):
        """Standard normal x_T, (1, C, H, W) for an int, (B, C, H, W) for B seeds, each as if drawn alone.

        Drawn on the CPU, each from a generator of its own: the same on every device.
        """
        seeds = [_integer("seed", s, 0, 2**63 - 1) for s in (seed if hasattr(seed, "__iter__") else [seed])]
        if not seeds:
            raise ValueError("seed=[] holds no seed: give one int or several")
        generators = [torch.Generator("cpu").manual_seed(s) for s in seeds]
        draws = [torch.randn(self.shape, generator=g, device="cpu", dtype=torch.float32) for g in generators]
        return torch.stack(draws).to(self.device, self.dtype)

    def denoise(self, x, start=None, stop=None, steps=None, edit=None, asymmetric=False):
        """DDIM from x at `start` (the last timestep) down to `stop` (None: the clean x_0). Returns (B, C, H, W).

        Start and stop lie on the grid of `steps` (the model's own by default), so that stopping and going on equals
        going through, bit for bit. edit: a function (h, t) → h applied at `layer` in every step. asymmetric: in the
        expected picture only, not in the noise, for one more run a step; the two would cancel out otherwise (Kwon et
        al., "Diffusion Models Already Have a Semantic Latent Space", 2023). Where x requires a gradient each step is
        checkpointed: memory for one step, at the price of one more run of each.
        """
        self._check(x)
        for t, s in self.legs(start, stop, steps):
            # functorch's transforms forbid checkpoints, and forward mode keeps nothing that could be saved
            if x.requires_grad and torch.is_grad_enabled() and torch.func.debug_unwrap(x) is x:
                x = checkpoint(self._step, x, t, s, edit, asymmetric, use_reentrant=False, preserve_rng_state=False)
            else:
                x = self._step(x, t, s, edit, asymmetric)
        return x

    def invert(self, x_0, stop=None, steps=None, iterations=5):
        """The x at `stop` (the last timestep) from which `denoise` leads to x_0: DDIM inversion. Returns (B, C, H, W).

        Each step of `denoise` is solved for its start by the fixed point of Pan et al., "Effective Real Image Editing
        with Accelerated Iterative Diffusion Inversion" (2023), without the acceleration, halving a move that made
        things worse. iterations=1 is the usual inversion, which asks the network at the end of the step instead of its
        start. It stays an approximation: what the model would never draw, it cannot have started from.
        Costs `iterations` runs of the network a step.
        """
        self._check(x_0)
        _integer("iterations", iterations, 1)
        for t, s in reversed(self.legs(steps=steps)[self._begin(stop, steps) :]):
            x_0 = self._unstep(x_0, t, s, iterations)
        return x_0

    def predict(self, x_t, t, edit=None):
        """The picture x̂_0 = E[x_0 | x_t] that the model expects (Tweedie). Returns (B, C, H, W).

        edit: a function (h, t) → h applied at `layer`.
        """
        self._check(x_t)
        return self._split(x_t, self._time(t), edit)[0]

    def picture(self, x_0):
        """Pictures in [-1, 1]: x_0 itself, or decoded where the model works on latents.

        A VQModel rounds latents to its codebook, which derivatives pass as if it were not there; that of Kandinsky, of
        the norm_type "spatial", decodes them as they are.
        """
        self._check(x_0)
        if self.vae is None:
            return x_0
        latents = x_0 / _scaling(self.vae)
        with exact(self.vae):
            if not _is_vq(self.vae):
                return self.vae.decode(latents, return_dict=False)[0]
            latents = latents if _is_movq(self.vae) else _rounded(self.vae, latents)
            return self.vae.decode(latents, force_not_quantize=True, return_dict=False)[0]

    @property
    def picture_shape(self):
        """(C, H, W) of one picture."""
        if self.vae is None:
            return self.shape
        zoom = 2 ** (len(self.vae.config.block_out_channels) - 1)
        return (self.vae.config.out_channels, *(zoom * side for side in self.shape[1:]))

    def encode(self, picture):
        """The clean state x_0 of pictures, (B, C, H, W), which `picture` decodes: themselves, or their latents.

        Where the encoder gives a distribution, its mode; of a VQModel what it has before the rounding.

        picture: (B, *picture_shape) in [-1, 1].  Raises ValueError for another shape.
        """
        if picture.dim() != 4 or tuple(picture.shape[1:]) != self.picture_shape:
            raise ValueError(f"a picture has shape (B, {str(self.picture_shape)[1:]}, got {tuple(picture.shape)}")
        if self.vae is None:
            return picture
        with exact(self.vae), torch.no_grad():
            latents = self.vae.encode(picture, return_dict=False)[0]
            return (latents if isinstance(latents, torch.Tensor) else latents.mode()) * _scaling(self.vae)

    # The bottleneck

    def h(self, x_t, t, layer=None):
        """The output of the module named `layer`, the first tensor where it has several; the network stops there.

        x_t: (B, C, H, W).  Returns (B, ...) in the layer's own shape.
        """
        self._check(x_t)
        with reading(self._module(layer)) as seen:
            self._run(x_t, self._time(t))
        if not seen:
            raise ValueError(f"layer={layer or self.layer!r} takes no part when the network runs: name another")
        return seen[0]

    def inject(self, x_t, t, h=None, shift=None, layer=None):
        """`predict` with the layer's output replaced by `h`, or moved by `shift`. Returns x̂_0, (B, C, H, W).

        h, shift: (B, ...) as from `h`, (1, ...) for the whole batch, or one flat direction (m,) such as 3 * S.U[:, 0].
        To edit a whole sampling, give `denoise` an `edit`: alice.denoise(x, edit=lambda h, t: h + shift).
        """
        if (h is None) == (shift is None):
            raise ValueError("inject wants exactly one of h= (a replacement) and shift= (something to add)")
        self._check(x_t)

        def edit(old, t):
            return fitted("h", h, old) if shift is None else old + fitted("shift", shift, old)

        return self._split(x_t, self._time(t), edit, layer)[0]

    def jacobian(self, x_t, t, to=None, layer=None, chunk=None, steps=None):
        """The Jacobian at x_t, (1, C, H, W), as a linear operator from X, n = C H W.

        Into H, the layer's output, m numbers; or, with `to`, a function from float32 pictures (1, ...) to numbers such
        as a judge, into the numbers of the picture that sampling from x_t in `steps` finishes (checkpointed).
        chunk: directions at a time.  Returns a `Jacobian`; in float32 also where the model is in 16 bits, which it runs
        in: its `rounding` says how far J and Jᵀ then disagree, see `jacobian.mismatch`, and `svd` refuses a tol below.
        """
        self.check(x_t, t)
        one_state(x_t)
        if to is None:
            self._module(layer)
            return self.jacobian_of(lambda x: self.h(x, t, layer), x_t, chunk)
        if layer is not None:
            raise ValueError(f"layer={layer!r} and to= exclude each other: `to` looks at the finished picture")
        self.legs(t, steps=steps)

        def score(x):
            picture = self.picture(self.denoise(x, start=t, steps=steps))
            with exact(to):
                return to(picture.float())

        return self.jacobian_of(score, x_t, chunk)

    def jacobian_of(self, f, x_t, chunk=None):
        """The `Jacobian` at x_t of any function f of a state, its numbers in the model's dtype or in float32.

        In float32, or float64 where the model is; of 16 bits seen from float32, and measured.
        """
        if self.dtype == torch.float32:
            return Jacobian(f, x_t, chunk=chunk)
        fine = unrounded(x_t)
        J = Jacobian(lambda x: f(x.to(self.dtype)).to(fine.dtype), fine, chunk=chunk)
        J.rounding = mismatch(J) if self.dtype in HALF and not x_t.is_meta else 0.0
        return J

    # One step

    def _run(self, x, t, conditioning=None):
        """The network's raw output, (B, C, H, W). The one place where it is called."""
        with exact(self.network):
            times = torch.full((len(x),), t, device=x.device)
            output = self.network(x, timestep=times, return_dict=False, **self._conditions(x, conditioning))[0]
        # a network that also learns its variance has that in the later channels; DDIM at eta = 0 has no use for it
        return output[:, : self.shape[0]]

    def _split(self, x, t, edit=None, layer=None):
        """x_t taken apart: (x̂_0, ε̂), each (B, C, H, W), such that x_t = sqrt(ᾱ) x̂_0 + sqrt(1-ᾱ) ε̂."""
        with editing(self._module(layer), lambda h: edit(h, t)) if edit else contextlib.nullcontext():
            output = self._run(x, t)
        if self.guidance != 1:
            free = self._run(x, t, self.unconditional)
            output = free + self.guidance * (output - free)
        a, b = self._scales(t)
        if self.prediction_type == "epsilon":
            return (x - b * output) / a, output
        if self.prediction_type == "v_prediction":
            return a * x - b * output, b * x + a * output
        return output, (x - a * output) / b

    def _step(self, x, t, s, edit=None, asymmetric=False):
        """One DDIM step from t down to s (None: clean); Song et al. 2021, eq. 12 with sigma = 0."""
        x_0, eps = self._split(x, t, edit)
        if asymmetric:
            eps = self._split(x, t)[1]
        a, b = self._scales(s)
        return a * x_0 + b * eps

    def _unstep(self, x_s, t, s, iterations):
        """The x_t with _step(x_t, t, s) = x_s, by x ← x + sqrt(ᾱ_t/ᾱ_s) (x_s - step(x)), a line search per picture."""
        ratio = self._scales(t)[0] / self._scales(s)[0]
        x = best = x_s
        move, least = torch.zeros_like(x_s), math.inf
        for _ in range(iterations):
            gap = ratio * (x_s - self._step(x, t, s))
            size = gap.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)
            better = size < least
            best, move = torch.where(better, x, best), torch.where(better, gap, move / 2)
            least = torch.where(better, size, least)
            x = best + move
        return x

    def _scales(self, t):
        """(sqrt(ᾱ_t), sqrt(1 - ᾱ_t)) as floats; (1, 0) for the clean picture."""
        alpha = 1.0 if t is None else self.alphas_cumprod[t].item()
        return math.sqrt(alpha), math.sqrt(1 - alpha)

    # The grid

    def _grid(self, steps):
        total = len(self.alphas_cumprod)
        steps = _integer("steps", steps, 1, total - 1)
        return (total - 1, *(i * total // steps for i in range(steps - 1, 0, -1)))

    def _begin(self, t, steps, name="stop"):
        """Position of t on the grid of `steps`, 0 for None."""
        grid = self._grid(self.steps if steps is None else steps)
        if t is None:
            return 0
        t = self._time(t, name)
        if t in grid:
            return grid.index(t)
        above, below = min(g for g in grid if g > t), max((g for g in grid if g < t), default="None (clean)")
        raise ValueError(f"{name}={t} is not on the grid of {len(grid)} steps: its neighbours are {above} and {below}")

    def legs(self, start=None, stop=None, steps=None):
        """The steps that `denoise` takes with these arguments, a list of pairs (from, to); the clean picture is None.

        Each is one pass through the network. Raises ValueError for what is not on the grid, and for a stop above start.
        """
        points = [*self._grid(self.steps if steps is None else steps), None]
        first = self._begin(start, steps, "start")
        last = len(points) - 1 if stop is None else self._begin(stop, steps)
        if last < first:
            raise ValueError(f"stop={stop} is noisier than start={points[first]}: denoise goes down; `invert` goes up")
        return list(zip(points[first:last], points[first + 1 : last + 1], strict=True))

    # The door

    def check(self, x_t, t):
        """ValueError unless x_t (B, C, H, W) is a state that the network can take, and t a timestep."""
        self._check(x_t)
        self._time(t)

    def _time(self, t, name="t"):
        return _integer(name, t, 0, len(self.alphas_cumprod) - 1)

    def _check(self, x):
        """ValueError unless x is a state that the network can take."""
        want = f"(B, {', '.join(map(str, self.shape))})"
        if not isinstance(x, torch.Tensor):
            raise ValueError(f"a state is a tensor of shape {want}, got {type(x).__name__}")
        if x.dim() != 4 or tuple(x.shape[1:]) != self.shape or not len(x):
            raise ValueError(f"a state has shape {want}, got {tuple(x.shape)}")
        if x.dtype != self.dtype or x.device != self.device:
            raise ValueError(f"the model is {self.dtype} on {self.device}, the state {x.dtype} on {x.device}: use x.to")
        plain = torch.func.debug_unwrap(x, recurse=True)  # a transform's tensors cannot be asked
        if not plain.is_meta and not torch.isfinite(plain).all():
            raise ValueError(f"the state holds {(~torch.isfinite(plain)).sum()} numbers that are NaN or infinite")

    def _module(self, layer):
        return find(self.network, self.layer if layer is None else layer)

    def _conditions(self, x, conditioning=None):
        """The conditioning, the model's own by default, on x's device, in its dtype, for its batch."""
        conditioning = self.conditioning if conditioning is None else conditioning
        if missing := [name for name in _needed(self.network) if name not in conditioning]:
            said = self.text is not None and missing == ["encoder_hidden_states"]
            way = "with_prompt('a photo of a cat')" if said else f"with_conditioning({_written(self.network, missing)})"
            raise ValueError(f"this network needs {', '.join(missing)}: use model.{way}")
        there = conditioning.get("added_cond_kwargs") or {}
        if missing := [name for name in _added(self.network) if name not in there]:
            way = f"with_conditioning({_written(self.network, ['added_cond_kwargs'])})"
            raise ValueError(f"added_cond_kwargs has no {', '.join(missing)}: use model.{way}")
        return {name: _spread(name, value, x) for name, value in conditioning.items()}


def one_state(x_t):
    """ValueError where x_t (B, C, H, W) is not one state but a batch of several."""
    if len(x_t) != 1:
        raise ValueError(f"needed is one state, got a batch of {len(x_t)}: pass x_t[i : i + 1]")


def unrounded(x):
    """A tensor in float32 where it has 16 bits, else as it is: what is added up in 16 bits is rounded each time."""
    return x.float() if x.dtype in HALF else x


def _spread(name, value, x):
    """A conditioning tensor, or a dict of them, on x's device and for its batch; floats in x's dtype."""
    if isinstance(value, dict):
        return {key: _spread(f"{name}[{key!r}]", part, x) for key, part in value.items()}
    if not isinstance(value, torch.Tensor):
        return value
    value = value.to(x.device, x.dtype if value.is_floating_point() else None)
    if not value.dim():
        return value
    if len(value) not in (1, len(x)):
        raise ValueError(
            f"conditioning {name} has a batch of {len(value)}, the state one of {len(x)}: give 1 or as many"
        )
    return value.expand(len(x), *value.shape[1:])


def _parameters(network):
    """What a network's `forward` takes beside the state and the timestep, {name: inspect.Parameter}."""
    _, *others = inspect.signature(network.forward).parameters.values()
    return {p.name: p for p in others if p.name != "timestep" and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}


def _needed(network):
    """Names of the conditioning that a network cannot run without."""
    parameters = _parameters(network)
    needed = [p.name for p in parameters.values() if p.default is p.empty]
    # a transformer that reads words would hear itself instead
    hears = "encoder_hidden_states" in parameters and network.config.get("cross_attention_dim") is not None
    needed += ["encoder_hidden_states"] if hears else []
    return list(dict.fromkeys(needed + (["added_cond_kwargs"] if _added(network) else [])))


def _added(network):
    """The names that a network wants in added_cond_kwargs."""
    if getattr(network, "use_additional_conditions", False):  # PixArt's, for pictures of 1024 pixels
        return ("resolution", "aspect_ratio")
    return ADDED.get(network.config.get("addition_embed_type"), ())


def _written(network, names):
    """Conditioning as it is to be typed."""
    added = "{" + ", ".join(f'"{name}": ...' for name in _added(network)) + "}"
    return ", ".join(f"{name}={added if name == 'added_cond_kwargs' else '...'}" for name in names)


def _no_class(network):
    """Conditioning of a transformer trained with classifier-free guidance: its class for "none"."""
    classes = network.config.get("num_embeds_ada_norm")
    if classes is None or "class_labels" not in _parameters(network):
        return {}
    return {"class_labels": torch.tensor([classes])}


def _is_vq(vae):
    return "num_vq_embeddings" in vae.config


def _rounded(vae, latents):
    """Latents at the entries of a VQModel's codebook; derivatives are those of the latents before.

    diffusers' own `decode` does the same, by a formula that has no forward mode.
    """
    return latents + (vae.quantize(latents.detach())[0] - latents).detach()


def _is_movq(vae):
    """Whether a decoder is Kandinsky's, whose pipelines neither scale latents nor round them."""
    return vae.config.get("norm_type") == "spatial"


def _scaling(vae):
    """What a decoder's latents are multiplied by, for the network.

    A VQModel has 1 where its configuration says nothing: diffusers' default is Stable Diffusion's, with which
    ldm-celebahq-256 draws weird pictures (huggingface/diffusers, issue 6725).
    """
    silent = _is_vq(vae) and "scaling_factor" in vae.config.get("_use_default_values", ())
    return 1.0 if silent or _is_movq(vae) else vae.config.scaling_factor


def _check_channels(network):
    takes, gives = network.config.get("in_channels"), network.config.get("out_channels")
    if takes and gives and gives < takes:
        kind = f"this {type(network).__name__} takes {takes} channels and gives {gives}"
        raise ValueError(f"{kind}: one that sees more than the noisy state (to inpaint, to enlarge) is none for hspace")


def _check_schedule(alphas, prediction_type):
    falling = alphas.dim() == 1 and len(alphas) > 1 and bool((alphas.diff() < 0).all())
    if not falling or alphas[0] >= 1 or alphas[-1] < 0:
        raise ValueError("alphas_cumprod must be one row of falling numbers between 0 and 1")
    if prediction_type == "epsilon" and alphas[-1] == 0:
        raise ValueError("alphas_cumprod ends in 0 (no signal is left): with epsilon-prediction no picture follows")


def _integer(name, value, low, high=None):
    """`value` as an int in [low, high], or a ValueError that says so."""
    wanted = f"an int from {low} to {high}" if high is not None else f"an int, at least {low}"
    try:
        number = operator.index(value)
    except (TypeError, ValueError):
        number = None
    if number is None or isinstance(value, bool) or number < low or (high is not None and number > high):
        raise ValueError(f"{name}={value!r} must be {wanted}")
    return number


def load(name=None, *, device=None, dtype=torch.float32, revision=None, steps=20, layer=None):
    """A frozen model in eval mode: Alice by default, or from a local folder, or from the hub.

    name: None for the weights that come with the package; a folder in the diffusers layout (model_index.json beside
    unet/ or transformer/, scheduler/ and perhaps vae/, vqvae/ or movq/); or a hub id such as
    "google/ddpm-ema-celebahq-256", fetched by diffusers at `revision`. Code from a model's repository is never run. A
    model that draws from words wants `with_prompt` next.  device: the CPU by default.
    dtype: of the weights in memory, whatever the file has.  steps, layer: as in `DiffusionModel`.
    Raises FileNotFoundError for what is missing, WeightsError for what is damaged, both naming the file; ValueError for
    models of another kind.
    """
    with torch.inference_mode(False):  # no derivative could be taken with weights that are made inside
        parts = pretrained.read(pretrained.locate(name, revision), dtype)
        model = DiffusionModel(**parts, steps=steps, layer=layer)
        return model if device is None else model.to(device)
