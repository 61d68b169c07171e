"""How much memory a search for directions takes, told before it starts.

The model is run on torch's `meta` device, on tensors that have a shape and no content, by the same code as later; what
is alive at a time is added up. This takes seconds and no memory. What a device's libraries need beside that, workspaces
of convolutions and gaps between blocks, is not seen: `MARGIN` leaves room for it.

    need = memory.predict(model, t=600, k=50)
    J = model.jacobian(x_t, t=600, chunk=memory.fit(need, memory.free(model.device) + need.weights))
"""

import copy
import itertools
import weakref
from dataclasses import dataclass

import psutil
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from hspace.jacobian import CHUNK

MARGIN = 1.25  # of memory, for what cannot be predicted
DEPTH = 3  # columns of the search's space on each side, for each direction that is looked for
MOST = 64  # columns at a time, beyond which no device known to us gets faster
GIB = 2**30


@dataclass(frozen=True)
class Memory:
    """A prediction, in bytes.

    weights: of network and decoder.  states: what is alive whatever the chunk, such as the graph of reverse mode.
    column: what each column at a time adds.  search: the space of `svd`.  chunk: columns at a time.
    """

    weights: int
    states: int
    column: int
    search: int
    chunk: int

    @property
    def total(self):
        return self.weights + self.states + self.column * self.chunk + self.search

    def __str__(self):
        parts = {
            "weights": self.weights,
            "states and graph": self.states,
            f"{self.chunk} columns at a time": self.column * self.chunk,
            "search": self.search,
        }
        return f"about {size(self.total)} (" + ", ".join(f"{name} {size(part)}" for name, part in parts.items()) + ")"


@torch.no_grad()
def predict(model, t, k=50, *, layer=None, chunk=None, block=4):
    """The `Memory` that `svd(model.jacobian(x_t, t, layer, chunk), k, block=block)` and the way to x_t take at most.

    Whatever the device; nothing of the model is copied. `chunk` is what the search uses of it: no more columns than k
    or block are ever multiplied at once.  Raises ValueError for an unknown layer or timestep.
    """
    hollow = _hollow(model)
    x = torch.empty(1, *model.shape, dtype=model.dtype, device="meta")
    one, two = (_peak(hollow, x, t, layer, columns) for columns in (1, 2))
    sampling = _alive(lambda: hollow.picture(hollow.predict(x, t)))
    J = hollow.jacobian(x, t, layer=layer)
    (m, n), bytes_each = J.shape, J.dtype.itemsize
    # U and V grow by a block at a time, for which torch makes a copy of the one that grows; in the end come the k.
    depth = min(DEPTH * k, m, n)
    search = bytes_each * ((m + n) * (depth + k) + max(m, n) * depth)
    column = max(two - one, bytes_each * (m + n))
    weights = sum(tensor.nbytes for part in filter(None, (model.network, model.vae)) for tensor in _tensors(part))
    used = min(chunk or CHUNK, max(k, block))
    return Memory(weights, max(one - column, sampling - column, 0), column, search, used)


def fit(memory, available, most=MOST):
    """The largest chunk, up to `most`, with which the prediction, times `MARGIN`, stays within `available` bytes.

    Raises ValueError, which says how much is needed, where one column does not fit.
    """
    fixed = memory.total - memory.column * memory.chunk
    chunk = int((available / MARGIN - fixed) // memory.column)
    if chunk < 1:
        least = MARGIN * (fixed + memory.column)
        raise ValueError(f"{size(available)} of memory do not hold one column at a time, which takes {size(least)}")
    return min(chunk, most)


def free(device):
    """Bytes that are free on a device, or in the system's memory."""
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


class Live(TorchDispatchMode):
    """Adds up the bytes of all tensors that are made inside it and still alive: `now`, and their most, `peak`."""

    def __init__(self):
        super().__init__()
        self.sizes, self.now, self.peak = {}, 0, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for value in tree_iter(out):
            if isinstance(value, torch.Tensor):
                self._see(value.untyped_storage())
        return out

    def _see(self, storage):
        key = storage._cdata
        if key not in self.sizes:
            self.sizes[key] = storage.nbytes()
            weakref.finalize(storage, self._gone, key)
            self.now += self.sizes[key]
            self.peak = max(self.peak, self.now)

    def _gone(self, key):
        self.now -= self.sizes.pop(key)


def _alive(action):
    with Live() as live:
        action()
    return live.peak


def _peak(hollow, x, t, layer, columns):
    """Bytes alive at most in the products with J and Jᵀ of that many columns, by one `Jacobian` as in a search."""

    def products():
        J = hollow.jacobian(x, t, layer=layer, chunk=columns)
        m, n = J.shape
        J.T @ torch.empty(m, columns, dtype=J.dtype, device="meta")  # makes the graph, which stays
        J @ torch.empty(n, columns, dtype=J.dtype, device="meta")

    return _alive(products)


def _hollow(model):
    """The model with networks that have the shapes of its weights and not their content."""
    parts = [part for part in (model.network, model.vae) if part is not None]
    memo = {
        id(tensor): torch.nn.Parameter(torch.empty_like(tensor, device="meta"), requires_grad=False)
        for part in parts
        for tensor in _tensors(part)
    }
    hollow = copy.copy(model)
    hollow.network, hollow.vae = (part and copy.deepcopy(part, memo) for part in (model.network, model.vae))
    return hollow


def _tensors(module):
    return itertools.chain(module.parameters(), module.buffers())


def size(count):
    """Bytes in words, such as 3.2 GiB."""
    return f"{count / GIB:.1f} GiB" if count >= GIB / 10 else f"{count / 2**20:.1f} MiB"
