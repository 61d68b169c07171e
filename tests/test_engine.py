"""The engine of chapter 7: its products are torch's, on every block and on graphs that nobody chose."""

import ast
import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from hspace import engine
from hspace.engine import Node, cost, graph, jvp, kept, vjp

A = torch.tensor([[2.0, 0.75], [-0.5, 1.5]], dtype=torch.float64)
B = torch.tensor([[0.3, -0.2], [0.9, 0.4]], dtype=torch.float64)
X = torch.tensor([0.3, 0.7], dtype=torch.float64)

#: Functions of a (2, 2), written so that nodes and tensors both understand them.
BLOCKS = {
    "+": lambda M: M + B + 1 + M,
    "1 +": lambda M: 1 + M,
    "-": lambda M: M - B - 0.5,
    "1 -": lambda M: 1 - M,
    "neg": lambda M: -M,
    "*": lambda M: M * M * B * 3,
    "2 *": lambda M: 2 * M,
    "/": lambda M: M / (M * M + 1) / 4,
    "1 /": lambda M: 1 / M,
    "a / node": lambda M: B / M,
    "**": lambda M: M**3 + M**-2,
    "exp": lambda M: M.exp(),
    "log": lambda M: (M * M).log(),
    "sin": lambda M: M.sin(),
    "tanh": lambda M: M.tanh(),
    "@": lambda M: M @ M,
    "@ constant": lambda M: M @ B,
    "constant @": lambda M: B @ M,
    "@ vector": lambda M: M @ X,
    "sum": lambda M: M.sum() * M.sum(),
    "max": lambda M: M.max() * M.sum(),
    "min": lambda M: M.min() * M.sum(),
    "inverse": lambda M: M.inverse() @ B,
    "scalar product": lambda M: (M * B).sum(),
}


def random(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_has_torchs_value_and_torchs_products(name):
    f, node = BLOCKS[name], Node(A, "M")
    out = f(node)
    value, step = torch.func.jvp(f, (A,), (B,))
    torch.testing.assert_close(out.value, value)
    torch.testing.assert_close(jvp(out, {node: B})[out], step)
    w = random(value.shape, 0)
    torch.testing.assert_close(vjp(out, w)[node], torch.func.vjp(f, A)[1](w)[0])


@pytest.mark.parametrize("name", BLOCKS)
def test_a_blocks_step_is_that_of_finite_differences(name):
    f, node, size = BLOCKS[name], Node(A), 1e-6
    out = f(node)
    difference = (f(A + size * B) - f(A - size * B)) / (2 * size)
    torch.testing.assert_close(jvp(out, {node: B})[out], difference, rtol=1e-7, atol=1e-7)


def test_an_entry_of_a_vector_can_be_taken():
    x = Node(X, "x")
    y = x[0] ** 2 * x[1]
    torch.testing.assert_close(vjp(y)[x], torch.stack([2 * X[0] * X[1], X[0] ** 2]))
    assert jvp(y, {x: [0.0, 1.0]})[y] == pytest.approx(0.09)


def test_an_entry_of_what_lies_by_columns_can_be_taken():
    """torch lays an inverse out by columns, and entries are counted by rows."""
    M, expected = Node(A, "M"), torch.linalg.inv(A)
    for made, i in (
        (M.inverse()[1], 1),
        (M.inverse().max(), expected.argmax()),
        (M.inverse().min(), expected.argmin()),
    ):
        assert made.value == expected.flatten()[i]
        step = torch.func.jvp(lambda a, i=i: torch.linalg.inv(a).flatten()[i], (A,), (B,))[1]
        torch.testing.assert_close(jvp(made, {M: B})[made], step)
        assert (vjp(made)[M] * B).sum() == pytest.approx(float(step))


def test_where_two_entries_are_largest_the_first_is_taken():
    x = Node([1.0, 3.0, 3.0])
    assert vjp(x.max())[x].tolist() == [0, 1, 0]


def test_both_products_of_every_link_are_each_others_transpose():
    M, x = Node(A, "M"), Node(X, "x")
    bent = (M.inverse() @ x).tanh() * x + (M @ M @ x).exp()
    end = (bent.sum() - x.max() * x[0]) / (M.min() + 3)
    for node in graph(end):
        for i, link in enumerate(node.links):
            v, w = random(link.parent.value.shape, i), random(node.value.shape, i + 1)
            assert (w * link.push(v)).sum() == pytest.approx(float((link.pull(w) * v).sum()))


MAPS = [lambda a: a.sin(), lambda a: a.tanh(), lambda a: (a * 0.5).exp(), lambda a: B @ a]
JOINS = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b.tanh(), lambda a, b: a / (b * b + 1)]
STEP = st.tuples(st.integers(0, 7), st.integers(0, 99), st.integers(0, 99))


def tangle(steps, first):
    """A graph from choices: each step takes one or two of the values so far, and the last two are joined."""
    made = list(first)
    for kind, i, j in steps:
        a, b = made[i % len(made)], made[j % len(made)]
        made.append(MAPS[kind](a) if kind < 4 else JOINS[kind - 4](a, b))
    return made[-1] + made[len(made) // 2]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(STEP, min_size=1, max_size=12))
def test_any_graph_agrees_with_torch_both_ways(steps):
    x, y = Node(X, "x"), Node([-0.4, 0.2], "y")
    out = tangle(steps, [x, y])

    def f(a, b):
        return tangle(steps, [a, b])

    point, move, w = (x.value, y.value), (random(2, 1), random(2, 2)), random(2, 3)
    value, step = torch.func.jvp(f, point, move)
    torch.testing.assert_close(out.value, value)
    moved = jvp(out, dict(zip((x, y), move, strict=True)))
    torch.testing.assert_close(moved[out], step)
    told = vjp(out, w)
    assert set(told) == set(graph(out))
    for node, expected in zip((x, y), torch.func.vjp(f, *point)[1](w), strict=True):
        torch.testing.assert_close(told.get(node, torch.zeros(2, dtype=torch.float64)), expected)


def test_parents_come_before_those_they_made_and_each_node_once():
    x = Node(0.3)
    z = x
    for _ in range(300):  # deeper than recursion goes, with more paths than could be walked
        z = z.sin() * 0.6 + z * 0.4
    nodes = graph(z)
    assert len(nodes) == len(set(nodes)) == 1 + 4 * 300
    place = {node: i for i, node in enumerate(nodes)}
    assert all(place[link.parent] < place[node] for node in nodes for link in node.links)
    t = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    out = t
    for _ in range(300):
        out = out.sin() * 0.6 + out * 0.4
    assert vjp(z)[x] == pytest.approx(torch.autograd.grad(out, t)[0].item())


def test_a_graph_is_listed_in_the_same_order_every_time():
    def names():
        a, b = Node(1.0, "a"), Node(2.0, "b")
        return [node.name for node in graph((a * b).sin() + (a + b).exp() * a)]

    assert all(names() == names() for _ in range(5))


def test_steps_of_several_inputs_add_up_and_others_stand_still():
    x, y = Node(X), Node([1.0, 2.0])
    out = x * y
    both = jvp(out, {x: [1.0, 0.0], y: [0.0, 1.0]})
    assert both[out].tolist() == pytest.approx([1.0, 0.7])
    one = jvp(out, {x: [1.0, 0.0]})
    assert y not in one and one[out].tolist() == [1.0, 0.0]


def test_a_network_gives_torchs_gradients_for_all_weights():
    sizes = [(5, 3), (4, 5), (1, 4)]
    values = [random(size, i) for i, size in enumerate(sizes)]
    inputs = random((3, 10), 9)

    def loss(matrices):
        out = inputs
        for matrix in matrices:
            out = (matrix @ out).tanh()
        return (out**2).sum()

    nodes = [Node(value) for value in values]
    told = vjp(loss(nodes))
    weights = [value.clone().requires_grad_() for value in values]
    for node, expected in zip(nodes, torch.autograd.grad(loss(weights), weights), strict=True):
        torch.testing.assert_close(told[node], expected)


def test_the_count_of_multiplications_is_torchs():
    sizes = [(7, 5), (6, 7), (2, 6)]
    x, matrices = random((5, 1), 0), [random(size, i) for i, size in enumerate(sizes)]
    out = Node(x)
    for matrix in matrices:
        out = matrix @ out
    point = x.clone().requires_grad_()
    theirs = point
    for matrix in matrices:
        theirs = matrix @ theirs
    with FlopCounterMode(display=False) as counter:
        torch.autograd.grad(theirs, point, torch.ones_like(theirs))
    assert 2 * cost(out) == counter.get_total_flops() == 2 * sum(m * n for m, n in sizes)


def test_what_is_kept_is_counted_once():
    x = Node(X)
    assert kept(x + x) == 0 and cost(x - 1) == 0
    assert kept(x.tanh()) == 2 and cost(x.tanh()) == 2
    assert kept(x * x) == 2 and cost(x * x) == 4  # one tensor, two products
    M = Node(A)
    assert kept(M @ x) == 4 + 2 and cost(M @ x) == 4 + 4
    assert kept(x.max()) == kept(x[1]) == 1 and cost(x.min()) == 0  # which entry it was
    assert kept(A @ x) == 4 and cost(M.inverse()) == 2 * 2**3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Node([1.0, 2.0]) + Node([1.0, 2.0, 3.0]), "size of tensor"),
        (lambda: Node([1.0], "x") * torch.ones(2), r"result has shape \(2,\), and 'x' has \(1,\)"),
        (lambda: Node(A) @ Node([1.0, 2.0, 3.0]), r"\(2, 2\) @ \(3,\)"),
        (lambda: Node(X) @ Node(X), "needed is a matrix"),
        (lambda: vjp(Node(X).tanh()), r"Node\('tanh', shape \(2,\)\) needs \(2,\) numbers, got \(\)"),
        (lambda: jvp(*(lambda x: (x.sum(), {x: [1.0]}))(Node(X, "x"))), r"Node\('x', shape \(2,\)\) needs \(2,\)"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, said):
    with pytest.raises((ValueError, RuntimeError), match=said):
        wrong()


def test_numbers_and_lists_become_nodes_of_double_precision():
    assert Node(3).value.dtype == Node(torch.ones(2, dtype=torch.float32)).value.dtype == torch.float64
    assert repr(Node([1, 2], "x")) == "Node('x', shape (2,))"


def test_the_engine_is_about_sixty_lines():
    """Blocks, order and both modes, without docstrings: what the chapter reads aloud."""
    proper = ["Link", "elementwise", "product", "outer", "total", "entry", "inverse", "graph", "jvp", "vjp"]
    lines = 0
    for name in proper:
        (definition,) = ast.parse(inspect.getsource(getattr(engine, name))).body
        definition.body = definition.body[1:]  # the docstring
        lines += len(ast.unparse(definition).strip().splitlines())
    assert 50 <= lines <= 75
    shown = "".join(inspect.getsource(getattr(engine, name)) for name in proper)
    assert max(len(line) for line in shown.splitlines()) <= 78  # what the website shows
