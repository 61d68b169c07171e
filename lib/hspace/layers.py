"""Run a torch network exactly, stop it at a layer, edit a layer: hooks that exist only inside a context."""

import contextlib
import difflib

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from hspace.jacobian import full_float32


class _Reached(Exception):
    """Raised by the hook of `reading`: the layer has spoken, the rest of the network need not run."""


@contextlib.contextmanager
def exact(*parts):
    """Run the parts, modules and plain functions, in full float32 (no TF32) and safe for both modes of differentiation.

    No fused attention kernel has forward-mode derivatives, so attention runs by its plain formula; group norms get
    contiguous input, which their forward-mode formula needs and an attention block does not give. All is put back
    after; the backward pass of what ran inside wants the same precision, so enter it around that, too.
    Raises torch.OutOfMemoryError with a remedy where a GPU's memory runs out inside.
    """
    modules = [m for part in parts if isinstance(part, torch.nn.Module) for m in part.modules()]
    norms = [m for m in modules if isinstance(m, torch.nn.GroupNorm)]
    with contextlib.ExitStack() as stack:
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.enter_context(full_float32())
        for norm in norms:
            stack.enter_context(norm.register_forward_pre_hook(lambda norm, args: (args[0].contiguous(), *args[1:])))
        try:
            yield
        except torch.OutOfMemoryError as error:
            remedy = "pass fewer pictures at once, a smaller chunk=, or use model.to('cpu')"
            raise torch.OutOfMemoryError(f"the GPU's memory is full: {remedy}\n{error}") from error


def find(network, name):
    """The module of that name; ValueError with names close to it where there is none."""
    modules = {key: module for key, module in network.named_modules() if key}
    if name in modules:
        return modules[name]
    close = difflib.get_close_matches(str(name), modules, n=4, cutoff=0.3) or list(modules)[:4]
    raise ValueError(f"{type(network).__name__} has no layer {name!r}; close to it: {', '.join(close)}")


@contextlib.contextmanager
def reading(module):
    """Ends the `with` block as soon as the module has produced its output, which it puts into the list it gives."""
    seen = []

    def stop(module, args, output):
        seen.append(_first(output))
        raise _Reached

    with module.register_forward_hook(stop), contextlib.suppress(_Reached):
        yield seen


def editing(module, edit):
    """A context in which the module's output h, the first tensor where it has several, is edit(h) instead."""

    def replace(module, args, output):
        old = _first(output)
        new = edit(old)
        if new.shape != old.shape:
            raise ValueError(
                f"edit made {tuple(new.shape)} of an h of shape {tuple(old.shape)}: it must keep the shape"
            )
        return type(output)((new, *output[1:])) if isinstance(output, (tuple, list)) else new

    return module.register_forward_hook(replace)


def fitted(name, value, h):
    """`value` in the shape of h (B, ...): as it is, one for the whole batch (1, ...), or a flat direction (m,).

    Raises ValueError, by `name`, for another shape, dtype or device.
    """
    if value.dim() == 1 and value.numel() == h[0].numel():
        value = value.reshape(1, *h.shape[1:])
    if value.dim() != h.dim() or value.shape[1:] != h.shape[1:] or len(value) not in (1, len(h)):
        shapes = f"{tuple(h.shape)}, {(1, *h.shape[1:])} or ({h[0].numel()},)"
        raise ValueError(f"{name} has shape {tuple(value.shape)}; this layer takes {shapes}")
    if value.dtype != h.dtype or value.device != h.device:
        raise ValueError(f"{name} is {value.dtype} on {value.device}, the layer {h.dtype} on {h.device}: use {name}.to")
    return value.expand_as(h)


def _first(output):
    """The tensor that stands for a module's output: itself, or the first of several."""
    tensor = output[0] if isinstance(output, (tuple, list)) and output else output
    if not isinstance(tensor, torch.Tensor):
        raise ValueError(f"the layer's output is a {type(tensor).__name__}, not a tensor: name a layer inside it")
    return tensor
