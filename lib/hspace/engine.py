"""Automatic differentiation in about sixty lines: arithmetic that writes down its graph, and two ways through it.

Chapter 7 reads the functions below aloud, so their lines are short. They are made for being read; for work, torch does
the same, faster and with more blocks. Keeping a record of the operations is Wengert's idea (1964), going back through
it Linnainmaa's (1970).
"""

from collections.abc import Callable
from functools import partial
from operator import mul
from typing import NamedTuple

import torch


class Link(NamedTuple):
    """An arrow of a graph: how a result answers to one of its parents.

    Its Jacobian J is never a matrix here, but two products. push: v ↦ J v,
    for v in the parent's shape. pull: w ↦ Jᵀ w, for w in the result's.
    keeps: the tensor that both need, or None. cost: multiplications in one.
    """

    parent: "Node"
    push: Callable
    pull: Callable
    keeps: torch.Tensor | None = None
    cost: int = 0


class Node:
    """A value that remembers what it was made from.

    value: numbers in any shape, kept in float64.  name: of the operation, or of an input.  links: an arrow from every
    parent; an input has none.  depth: steps on the longest way from an input, so that parents lie less deep.

    Nodes understand + − × / ** @, exp, log, sin, tanh, sum, max, min, inverse and x[i], where numbers and tensors may
    take part as constants.  Raises ValueError where shapes do not fit.
    """

    def __init__(self, value, name="", links=()):
        self.value = plain(value)
        self.name, self.links = name, tuple(links)
        depths = [link.parent.depth + 1 for link in self.links]
        self.depth = max(depths, default=0)

    def __repr__(self):
        return f"Node({self.name!r}, shape {tuple(self.value.shape)})"

    def __add__(self, other):
        return elementwise("+", self.value + plain(other), (self, 1), (other, 1))

    def __sub__(self, other):
        return elementwise("−", self.value - plain(other), (self, 1), (other, -1))

    def __rsub__(self, other):
        return elementwise("−", plain(other) - self.value, (self, -1))

    def __neg__(self):
        return elementwise("−", -self.value, (self, -1))

    def __mul__(self, other):
        a, b = self.value, plain(other)
        return elementwise("×", a * b, (self, b), (other, a))

    def __pow__(self, k):
        x = self.value
        return elementwise(f"^{k}", x**k, (self, k * x ** (k - 1)))

    def __truediv__(self, other):
        return self * (other if isinstance(other, Node) else plain(other)) ** -1

    def __rtruediv__(self, other):
        return other * self**-1

    def __matmul__(self, other):
        return product(self, other)

    def __rmatmul__(self, other):
        return product(other, self)

    def __getitem__(self, i):
        return entry(f"[{i}]", self, i)

    __radd__, __rmul__ = __add__, __mul__

    def exp(self):
        y = self.value.exp()
        return elementwise("exp", y, (self, y))

    def log(self):
        x = self.value
        return elementwise("log", x.log(), (self, 1 / x))

    def sin(self):
        x = self.value
        return elementwise("sin", x.sin(), (self, x.cos()))

    def tanh(self):
        y = self.value.tanh()
        return elementwise("tanh", y, (self, 1 - y * y))

    def sum(self):
        return total(self)

    def max(self):
        return entry("max", self, self.value.argmax())

    def min(self):
        return entry("min", self, self.value.argmin())

    def inverse(self):
        return inverse(self)


def plain(thing):
    """The value of a node, or a constant, as a float64 tensor."""
    value = thing.value if isinstance(thing, Node) else thing
    return torch.as_tensor(value, dtype=torch.float64)


def elementwise(name, value, *parents):
    """A result whose entry i depends on entry i of each parent.

    parents: pairs (node, slope). J is diagonal, with the slopes on it, so
    J v and Jᵀ w are one product. A constant gets no arrow.
    """
    links = []
    for node, slope in parents:
        if isinstance(node, Node):
            _fits(name, value, node)
            times = partial(mul, slope)
            if isinstance(slope, int):  # 1 or -1: nothing to keep
                links.append(Link(node, times, times))
            else:
                links.append(Link(node, times, times, slope, value.numel()))
    return Node(value, name, links)


def product(left, right):
    """A matrix times a vector or a matrix: dC = dA B + A dB."""
    A, B = plain(left), plain(right)
    _multiplies(A, B)
    ways = [(left, lambda V: V @ B, lambda W: outer(W, B), B)]
    ways += [(right, lambda V: A @ V, lambda W: A.T @ W, A)]
    many = A.numel() * B[0].numel()  # multiplications
    links = [Link(*way, many) for way in ways if isinstance(way[0], Node)]
    return Node(A @ B, "@", links)


def outer(W, B):
    """W Bᵀ, for two matrices or for two vectors."""
    return W.reshape(len(W), -1) @ B.reshape(len(B), -1).T


def total(node):
    """The sum of all entries: J is a row of ones."""
    back = partial(torch.broadcast_to, size=node.value.shape)
    return Node(node.value.sum(), "sum", [Link(node, torch.sum, back)])


def entry(name, node, i):
    """The i-th entry, counted flat: J is a row of zeros with one 1."""
    unit = torch.zeros(node.value.shape).to(node.value)
    unit.view(-1)[i] = 1
    push, pull = lambda v: (v * unit).sum(), partial(mul, unit)
    place = Link(node, push, pull, torch.as_tensor(i))
    return Node(node.value.reshape(-1)[i], name, [place])


def inverse(node):
    """A⁻¹. As A A⁻¹ never changes, d(A⁻¹) = −A⁻¹ dA A⁻¹."""
    B = torch.linalg.inv(node.value)
    push, pull = lambda V: -B @ V @ B, lambda W: -B.T @ W @ B.T
    return Node(B, "inverse", [Link(node, push, pull, B, 2 * len(B) ** 3)])


def graph(output):
    """All nodes that `output` is made from, and it: parents first."""
    found, waiting = {output: None}, [output]
    while waiting:
        parents = [link.parent for link in waiting.pop().links]
        waiting += [node for node in parents if node not in found]
        found |= dict.fromkeys(parents)
    return sorted(found, key=lambda node: node.depth)


def jvp(output, steps):
    """Forward mode: small steps of some nodes, and what follows of them.

    steps: {node: v}, v in the node's shape. Returns {node: J v} for every
    node that moves, those given included.
    """
    moved = {node: _shaped(v, node) for node, v in steps.items()}
    for node in graph(output):
        for link in node.links:
            if link.parent in moved:
                part = link.push(moved[link.parent])
                moved[node] = moved.get(node, 0) + part
    return moved


def vjp(output, reading=1.0):
    """Reverse mode: one reading of the output, told to all before it.

    reading: w in the output's shape; 1 for an output of one number, which
    gives gradients. Returns {node: Jᵀ w}, the output included.
    """
    told = {output: _shaped(reading, output)}
    for node in reversed(graph(output)):
        for link in node.links:
            part = link.pull(told[node])
            told[link.parent] = told.get(link.parent, 0) + part
    return told


def cost(output):
    """How many multiplications one JVP, or one VJP, takes along all arrows of a graph."""
    return sum(link.cost for node in graph(output) for link in node.links)


def kept(output):
    """How many numbers a graph keeps for its products, each tensor counted once."""
    tensors = {id(link.keeps): link.keeps for node in graph(output) for link in node.links}
    return sum(tensor.numel() for tensor in tensors.values() if tensor is not None)


def _shaped(v, node):
    v = plain(v)
    if v.shape != node.value.shape:
        raise ValueError(f"{node} needs {tuple(node.value.shape)} numbers, got {tuple(v.shape)}")
    return v


def _fits(name, value, node):
    if node.value.shape != value.shape:
        needed, given = tuple(value.shape), tuple(node.value.shape)
        raise ValueError(f"{name} goes entry by entry: the result has shape {needed}, and {node.name!r} has {given}")


def _multiplies(A, B):
    if A.ndim != 2 or B.ndim not in (1, 2) or A.shape[1] != len(B):
        shapes = f"{tuple(A.shape)} @ {tuple(B.shape)}"
        raise ValueError(f"{shapes}: needed is a matrix, and as many rows on its right as it has columns")
