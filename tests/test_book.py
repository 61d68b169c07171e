"""What the pages outside the chapters print and promise, computed again."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
from contents import ROOT

import hspace
from hspace import engine
from hspace.cats.world import MEAN, NOISE, STD, W, column

LAW, P, V, ONES = W.double().numpy(), np.array([2.0, 3.0]), np.array([0.3, 0.7]), np.ones(2)
J = np.array([[2 * P[0], 1.0], [1.0, 1.0]])


def page(name):
    return (ROOT / "book" / name).read_text(encoding="utf-8")


def h(x):
    """The bent map of chapters 4 and 5."""
    return np.array([x[0] ** 2 + x[1], x[0] + x[1]])


def degrees(v):
    return math.degrees(math.atan2(v[1], v[0]))


def text(values):
    """A vector or matrix as the pages write it: rows divided by semicolons, with a true minus."""
    entries = [", ".join(f"{round(value, 4):g}" for value in row) for row in np.atleast_2d(values)]
    return f"({'; '.join(entries)})".replace("-", "−")


def entries(M):
    """A matrix of two rows as LaTeX has it between its brackets."""
    return " \\\\ ".join(" & ".join(f"{value:g}" for value in row) for row in M)


def thousands(n):
    """A whole number in groups of three digits."""
    return f"{n:,}".replace(",", " ")


def numbers():
    """The table "Numbers that must agree" of continuity.md, {first column: second column}."""
    values, eigenvalue = np.linalg.svd(LAW)[1], np.linalg.eigvals(LAW)[0]
    squares = np.linalg.eigvalsh(LAW.T @ LAW)[::-1]
    nap, luck = LAW @ ONES
    return {
        "$W$, rows nap and luck, columns nose and ear": text(LAW),
        "the cat with nose 1 and ear 1": f"nap {nap:g}, luck {luck:g}",
        "determinant of $W$": f"{np.linalg.det(LAW):.3f}",
        "eigenvalues of $W$": f"{eigenvalue.real:.2f} ± {abs(eigenvalue.imag):.2f} i",
        "$W^\\top W$": text(LAW.T @ LAW),
        "its eigenvalues": f"{squares[0]:.2f} and {squares[1]:.2f}",
        "singular values of $W$": f"{values[0]:.2f} and {values[1]:.2f}",
        "$p$ and $h(p)$": f"{text(P)} and {text(h(P))}",
        "$v$": text(V),
        "$J$ at $p$": f"{text(J)}, determinant {np.linalg.det(J):.0f}",
        "$u = Jv$": text(J @ V),
        "gradient of $h_1$ at $p$": text(J[0]),
        "$h(p + v)$": f"{text(h(P + V))}; to first order {text(h(P) + J @ V)}",
        "$J^{-1}$ at $p$": f"{text(3 * np.linalg.inv(J))} / 3",
        "a step at 45° in $X$": f"arrives at {degrees(J @ ONES):.1f}° in $H$",
        "an arrival at 45° in $H$": f"comes from {degrees(np.linalg.solve(J, ONES)):.0f}° in $X$",
    }


@pytest.mark.parametrize(("what", "value"), numbers().items())
def test_the_numbers_of_continuity_are_right(what, value):
    assert f"| {what} | {value} |" in page("continuity.md")


def test_the_jacobian_is_that_of_the_map():
    step = 1e-6
    columns = [(h(P + step * e) - h(P - step * e)) / (2 * step) for e in np.eye(2)]
    assert np.allclose(np.stack(columns, axis=1), J, atol=1e-6)


def cosine(cat):
    """Of the angle between a cat and the row of the nap."""
    return LAW[0] @ cat / np.linalg.norm(LAW[0]) / np.linalg.norm(cat)


def early_slips():
    """What slips.md prints of the first three chapters, {what: text}."""
    picture, ease = 0.5, [(0.6, 0.8), (0.8, 0.6)]  # one pixel; roots of the shares of picture and noise at two times
    nose, ear, nap = (column(name) for name in ("nose", "ear", "nap"))
    variance, mean = STD.double() ** 2, MEAN.double()
    squared_nose = variance[nose] + mean[nose] ** 2
    through_zero = LAW[0, 0] + LAW[0, 1] * mean[ear] * mean[nose] / squared_nose
    half_units = np.array([2.0, 1.0])
    tilt = math.degrees(math.acos(cosine([0, 2.6])))
    queen = np.array([1.8, 1, 0]) - [0.4, 0, 0] + [0.6, 0, 1]
    return {
        "the state": f"$0.6 \\cdot 0.5 + 0.8 \\cdot (-1) = {ease[0][0] * picture - ease[0][1]:g}$",
        "the network's output": f"$0.6 \\cdot (-1) - 0.8 \\cdot 0.5 = {-ease[0][0] - ease[0][1] * picture:g}$",
        "the next state": f"$0.8 \\cdot 0.5 + 0.6 \\cdot (-1) = {ease[1][0] * picture - ease[1][1]:g}$",
        "noses explain": f"noses explain {LAW[0, 0] ** 2 * variance[nose] / variance[nap]:.0%}".replace("%", " %"),
        "back from a nap": f"grows by {LAW[0, 0] * variance[nose] / variance[nap]:.2f} for each unit",
        "bias": f"by 0.75 · 1 = {LAW[0, 1] * mean[ear]:g} on average",
        "slope through zero": f"{through_zero:.2f} instead of 2",
        "stacked": f"the output is {text(LAW @ ONES)}. The sum {(LAW @ ONES).sum():g}",
        "no ears": f"{LAW[0] @ ONES:g} for the cat {text([LAW[0] @ ONES / LAW[0, 0], 0])}",
        "half units": f"{text(half_units)}, and the row {text(LAW[0])} becomes {text(LAW[0] / half_units)}",
        "signs": f"{text(LAW @ ONES)} and {text(-LAW @ ONES)}",
        "onto the axis": f"$W (3, 1) = {text(LAW @ [3, 1])}$",
        "queen": f"= {text(queen)}$: a puppet horse",
        "same way": f"the cat (0.8, 0.3) points exactly the same way and has the dot product {LAW[0] @ [0.8, 0.3]:g}",
        "longer": f"The cat (0, 2.6) points {tilt:.0f}° away from it and has {LAW[0] @ [0, 2.6]:g}",
        "cosines": f"the cosines are {cosine([0.8, 0.3]):.2f} and {cosine([0, 2.6]):.2f}",
    }


def bent_slips():
    """What slips.md prints of chapters 4 and 5, {what: text}."""
    left, tall = np.array([-1.0, 3.0]), np.vstack([J, P[::-1]])
    x1, x2 = np.eye(2)
    inverse = np.linalg.inv(J)
    root = math.sqrt(np.linalg.det(tall.T @ tall))
    return {
        "h(p)": f"where $h(p) = {text(h(P))}$",
        "the same arrow": f"at $p$ it is {J[0, 0]:g} for $h_1$ and {J[1, 0]:g} for $h_2$",
        "a decrease": f"takes $h_1$ from {h(left)[0]:g} to {h(left + 0.1 * x1)[0]:.2f}",
        "angle of v": f"$v$ points at {degrees(V):.1f} degrees",
        "u": f"$u = J v = {text(J @ V)}$",
        "entries of J": entries(J),
        "red step": f"it is 2 · 2 = {2 * P[0]:g}, and 0.3 makes {J[0, 0] * 0.3:g} to first order. In truth it makes "
        f"{(h(P + 0.3 * x1) - h(P))[0]:.2f}",
        "long step": f"to first order {J[0, 0] * 2:g}, in truth {(h(P + 2 * x1) - h(P))[0]:g}",
        "flipped": f"is {J[0, 0]:g} and $\\partial x_1/\\partial h_1$ is 1/{1 / inverse[0, 0]:.0f}, not 1/{J[0, 0]:g}",
        "one image": f"both {text(x2)} and {text(x1)} to {text(h(x1))}" if (h(x1) == h(x2)).all() else "two images",
        "tall": f"the rows {text(tall[0])}, {text(tall[1])} and {text(tall[2])}",
        "area of the tall one": f"which is {root:.3f} for the one above",
        "turned over": f"the determinant is {text([2 * left[0] - 1]).strip('()')}: areas",
        "angles": f"45° in the forest is {degrees(J @ ONES):.1f}° on the map, and 45° on the map is "
        f"{degrees(inverse @ ONES):.0f}° in the forest",
    }


def test_the_bent_map_is_flat_where_the_slips_say_so():
    there = np.array([0.5, 3.0])
    for step in (1e-3, 1e-4):
        lost = h(there + step * np.array([1.0, -1.0])) - h(there)
        assert np.linalg.norm(lost) < 2 * step**2


def straight_slips():
    """What slips.md prints of chapter 6, {what: text}."""
    power = np.linalg.matrix_power([[-1, 2], [1, -1]], 8)[:, 0]  # multiplication by √2 − 1 takes (a, b) to this
    gradient, third = J[0], Fraction(1, 3)
    pulled = np.linalg.solve(J.T @ J, gradient)
    assert np.allclose(pulled, [float(third), -float(third)]) and np.allclose(np.linalg.norm(J @ pulled), 1)
    halves = gradient * [0.5, 1]
    return {
        "gradient": f"with the gradient ${text(gradient)}$",
        "straight": f"$g(1) + g(2) = {(2 + 1) + (4 + 1)}$ and $g(3) = {6 + 1}$; and $3\\,g(1) = {3 * (2 + 1)}$",
        "power": f"$(\\sqrt 2 - 1)^8 = {power[0]} - {-power[1]}\\sqrt 2$ is {(math.sqrt(2) - 1) ** 8:.4f}",
        "value": f"and $f$ of it is {power[0]}",
        "slope": f"along their sum it is {1**2 / 1:g}",
        "area": f"from 0 to 1, is {np.polyval(np.polyint([1, 0]), 1):g}",
        "infinity": f"In the ∞-norm it is $({-np.sign(gradient[0]):g}, {-np.sign(gradient[1]):g})$",
        "one": "in the 1-norm $(-1, 0)$",
        "pullback": f"it is $(-{third}, {third})$",
        "half units": f"the gradient is ${text(halves)}$",
        "back": f"in the old units, $({-halves[0] / 2:g}, {-halves[1]:g})$",
        "reads": f"reads ${text(V)}$ as {gradient @ V:g}",
        "other vector": f"it is $({third}, -{third})$",
        "columns": f"give ${text(J[:, 0])}$ and ${text(J[:, 1])}$",
    }


def chain_slips():
    """What slips.md prints of chapter 7, {what: text}: the engine's count for layers with weights of ones."""
    y = engine.Node(np.ones(1000))
    for width in (200, 50, 1):
        y = engine.product(np.ones((width, len(y.value))), y)
    costs = [link.cost for node in reversed(engine.graph(y)) for link in node.links]
    *terms, total = (thousands(n).replace(" ", "\\,") for n in (*costs, sum(costs)))
    return {"one product": f"${' + '.join(terms)} = {total}$"}


def metric_slips():
    """What slips.md prints of chapter 8, {what: text}."""
    a, c, u, flipped = ONES, 2 * ONES, J @ V, np.array([1.0, -1.0])
    gap, halves = a - c, np.array([2.0, 1.0]) * u
    return {
        "dot products": f"$a \\cdot a = {a @ a:g}$ and $a \\cdot c = {a @ c:g}$",
        "tied": f"${gap @ gap:g} = {a @ a:g} + {c @ c:g} - {2 * a @ c:g}$",
        "faint": f"its dot product with itself is {0.01 * a @ (0.01 * a):g}",
        "orthogonal cats": f"{text(LAW @ a)}$ and ${text(LAW @ flipped)}$, whose".replace("−", "-"),
        "no longer orthogonal": f"whose dot product is {LAW @ a @ (LAW @ flipped):g}",
        "squared length": f"For $u = {text(u)}$ it is {u @ u:.2f}, and the length is {math.hypot(*u):.3f}",
        "in halves": f"$u$ is ${text(halves)}$ and {math.hypot(*halves):.3f} long",
        "two rulers": f"is {math.hypot(*V):.3f} long by the ruler of $X$ and {math.hypot(*u):.3f} in the metric",
        "metric": f"At $p$ it is $\\begin{{pmatrix}} {entries(J.T @ J)} \\end{{pmatrix}}$",
    }


def slips_of_rows():
    """What slips.md prints of chapter 10, {what: text}."""
    row, x, leaning = np.array([2.0, 1.0]), np.array([1, 1.5]), np.array([[2, 1], [0.5, 1]])
    shadow, gram, listening = row @ x / np.linalg.norm(row), LAW.T @ LAW, LAW @ LAW.T
    added = sum((x @ r) / (r @ r) * r for r in leaning)
    alike = gram[0, 1] / math.sqrt(gram[0, 0] * gram[1, 1])
    correlation = listening[0, 1] / math.sqrt(listening[0, 0] * listening[1, 1])
    eigenvalue = np.linalg.eigvals(LAW)[0]
    across = np.outer(row, row) @ [-1, 2] / (row @ row)
    return {
        "the shadow": f"reads {text(x)} as {row @ x:g}, and the shadow is $3.5/\\sqrt5 = {shadow:.2f}$ long",
        "the length": f"its length is $\\sqrt5 = {np.linalg.norm(row):.2f}$",
        "unit length": f"it is 1 long and is read as {np.linalg.norm(row):.2f}",
        "preimage": f"$r \\cdot r = {row @ row:g}$ it is read as 1, and is {1 / np.linalg.norm(row):.2f} long",
        "beside the axis": f"takes its first row to {text(LAW @ LAW[0])}",
        "column of the inverse": f"first column of $W^{{-1}}$, {text(np.linalg.inv(LAW)[:, 0])}",
        "leaning rows": f"on (2, 1) and (0.5, 1) add up to {text(added)}",
        "ears as noses": f"−0.5 + 1.5 = {LAW[1] @ ONES:g} for each unit of nose",
        "alike": f"have the entry {gram[0, 1]:g} and the cosine {alike:.2f}",
        "white": f"nap and luck have {correlation:.2f}",
        "responses": f"{text(J[:, 0])} and {text(J[:, 1])}, and the entry is {J[:, 0] @ J[:, 1]:g}",
        "onto nothing": f"takes (−1, 2) to {text(across + 0.0)}",
        "complex": f"its eigenvalues are {eigenvalue.real:.2f} ± {abs(eigenvalue.imag):.2f} i",
    }


def test_three_rows_of_length_one_give_one_and_a_half_times_any_vector():
    star = np.stack([np.cos(np.radians([60, 180, 300])), np.sin(np.radians([60, 180, 300]))])
    assert np.allclose(star @ star.T, 1.5 * np.eye(2)) and "add up to 1.5 times any vector" in page("slips.md")


def late_slips():
    """What slips.md prints of chapters 9 and 11 to 13, {what: text}."""
    U, s, Vt = np.linalg.svd(LAW)
    turn = np.diag([np.sign(np.linalg.det(U)), 1])  # signs of the first pair that make U and V rotations
    U, Vt = U @ turn, turn @ Vt
    eigenvalues = np.linalg.eigvalsh(LAW.T @ LAW)[::-1]
    wrong = U @ np.diag(s) @ Vt.T
    flipped = U @ np.diag([-1, 1]) @ np.diag(s) @ Vt
    slow = 45 - degrees(np.array([1.0, 0.999]) ** 2)
    weak, strong = np.linalg.pinv([[0.1, 1]])[:, 0]
    read, cat = np.array([1, 0.5]), np.array([2, 3])
    led = cat - np.linalg.pinv(read[None])[:, 0] * (read @ cat)
    return {
        "Gram matrix": entries(LAW.T @ LAW),
        "eigenvalues of the Gram matrix": f"{eigenvalues[0]:.2f} and {eigenvalues[1]:.2f}",
        "singular values": f"{s[0]:.2f} and {s[1]:.2f}",
        "square of the eigenvalue": f"{eigenvalues[0].round(2)}² = {eigenvalues[0] ** 2:.2f}",
        "U D V": entries(wrong.round(2)),
        "error with one sign wrong": f"2\\sigma_1 = {np.linalg.norm(flipped - LAW, 2):.2f}",
        "determinant": f"{np.linalg.det(LAW):.3f}",
        "a round between neighbours": f"by {slow:.2f}°, and has 45° to go",
        "entries of the Jacobian": thousands(128 * 8 * 8 * 3 * 64 * 64),
        "the shortest of two": f"is −{weak:.2f} of the first and −{strong:.2f} of the second",
        "the strong one alone": f"needs a step of {1 / 0.1:g}",
        "where the judge leads": f"It ends at {text(led)}. The judge is content, and the nose is {led[0]:.1f}.".replace(
            "is -", "is −"
        ),
        "off the sphere": f"$\\sqrt{{1^2 + 1^2}} = {math.hypot(1, 1):.2f}$ from its middle",
        "directions of length zero": f"at least {thousands(3 * 64 * 64 - 128 * 8 * 8)} directions have length 0",
    }


SLIPS = (early_slips, bent_slips, straight_slips, chain_slips, metric_slips, slips_of_rows, late_slips)


@pytest.mark.parametrize(
    ("what", "value"),
    [slip for slips in SLIPS for slip in slips().items()],
)
def test_the_slips_print_what_one_computes(what, value):
    assert value in " ".join(page("slips.md").split()), f"{what} should read {value}"


def test_the_steepest_change_of_weights_has_equal_singular_values():
    """Chapter 6's last ball: no change whose largest singular value is 1 descends more than one that has no other."""
    rng = np.random.default_rng(0)
    gradient, others = rng.normal(size=(3, 4)), rng.normal(size=(500, 3, 4))
    U, s, Vt = np.linalg.svd(gradient, full_matrices=False)
    others /= np.linalg.norm(others, 2, axis=(1, 2))[:, None, None]
    assert np.allclose(np.linalg.svd(-U @ Vt)[1], 1) and np.vdot(-U @ Vt, gradient) == pytest.approx(-s.sum())
    assert (np.tensordot(others, gradient) > -s.sum()).all()


def test_the_law_explains_the_variance_that_the_slips_speak_of():
    nose, ear, nap = (STD.double()[column(name)] ** 2 for name in ("nose", "ear", "nap"))
    assert nap.item() == pytest.approx(4 * nose.item() + 0.75**2 * ear.item() + NOISE**2, rel=1e-6)


def test_sizes_of_her_layers_are_as_the_slips_say():
    config = hspace.load().network.config
    channels, side, depth = config.block_out_channels, config.sample_size, len(config.block_out_channels) - 1
    picture, bottleneck = 3 * side**2, channels[-1] * (side >> depth) ** 2
    put_out = [channels[i] * (side >> (i + 1)) ** 2 for i in range(depth)]  # by the blocks on the way down
    sizes = [picture, channels[0] * side**2, *put_out, bottleneck]
    written = " ".join(page("slips.md").split())
    assert all(thousands(size) in written for size in sizes)
    assert "$h$ has two thirds of the picture's count" in written and 3 * bottleneck == 2 * picture


def test_the_readmes_ten_lines_run_as_they_say(capsys):
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    names = {}
    exec(program, names)
    assert names["J"].shape == (8192, 12288) and names["S"].V.shape == (12288, 50)
    assert names["M"].values.shape == (12, 50)
    assert names["x_T"].shape == names["x_0"].shape == (1, 3, 64, 64)
    assert capsys.readouterr().out
