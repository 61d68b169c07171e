"""What the pages outside the chapters print and promise, computed again."""

import re
from pathlib import Path

import numpy as np
import pytest

from hspace.cats.world import W

BOOK = Path(__file__).resolve().parent.parent / "book"
LAW = np.array([[2, 0.75], [-0.5, 1.5]])


def slips_numbers():
    """The figures of slips.md as it prints them, {what: text}."""
    U, s, Vt = np.linalg.svd(LAW)
    turn = np.diag([np.sign(np.linalg.det(U)), 1])  # signs of the first pair that make U and V rotations
    U, Vt = U @ turn, turn @ Vt
    eigenvalues = np.linalg.eigvalsh(LAW.T @ LAW)[::-1]
    wrong = U @ np.diag(s) @ Vt.T
    flipped = U @ np.diag([-1, 1]) @ np.diag(s) @ Vt
    return {
        "Gram matrix": "4.25 & 0.75 \\\\ 0.75 & 2.8125",
        "eigenvalues of the Gram matrix": f"{eigenvalues[0]:.2f} and {eigenvalues[1]:.2f}",
        "singular values": f"{s[0]:.2f} and\n{s[1]:.2f}",
        "square of the eigenvalue": f"{eigenvalues[0].round(2)}² = {eigenvalues[0] ** 2:.2f}",
        "U D V": f"{wrong[0, 0]:.2f} & {wrong[0, 1]:.2f} \\\\ {wrong[1, 0]:.2f} & {wrong[1, 1]:.2f}",
        "error with one sign wrong": f"2\\sigma_1 = {np.linalg.norm(flipped - LAW, 2):.2f}",
        "determinant": f"{np.linalg.det(LAW):.3f}",
        "entries of the Jacobian": f"{128 * 8 * 8 * 3 * 64 * 64:,}".replace(",", " "),
    }


@pytest.mark.parametrize(("what", "text"), slips_numbers().items())
def test_slips_prints_what_one_computes(what, text):
    assert text in (BOOK / "slips.md").read_text(encoding="utf-8"), f"{what} should read {text}"


def test_the_gram_matrix_is_the_laws():
    assert np.array_equal(LAW.T @ LAW, [[4.25, 0.75], [0.75, 2.8125]])


def test_the_law_on_the_pages_is_the_worlds():
    assert np.array_equal(W.numpy(), LAW)


def test_the_readmes_ten_lines_run_as_they_say(capsys):
    [program] = re.findall(r"```python\n(.*?)```", (BOOK.parent / "README.md").read_text(encoding="utf-8"), re.S)
    names = {}
    exec(program, names)
    assert names["J"].shape == (8192, 12288) and names["S"].V.shape == (12288, 50)
    assert names["M"].values.shape == (12, 50)
    assert names["x_T"].shape == names["x_0"].shape == (1, 3, 64, 64)
    assert capsys.readouterr().out
