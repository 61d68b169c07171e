"""The benchmark of real models' sizes, small: the same code as on a GPU."""

import math
import mmap
import sys

import pytest
import torch
from benchmarks import large, svd
from benchmarks.subspace_iteration import Result

from hspace import cli
from hspace.architectures import random_model

SMALL = dict(sample_size=16, block_out_channels=(8, 8, 16, 16), norm_num_groups=4)
CIFAR = "google/ddpm-cifar10-32"


def test_ours_and_the_published_loop_on_the_same_operator(capsys):
    rows = large.main([CIFAR], k=4, **SMALL)[CIFAR]
    assert [row.method for row in rows] == ["ours, block 4", "ours, block 8", "subspace iteration, block 4, its rule"]
    assert all(row.products > 0 and row.seconds > 0 and row.chunk > 0 for row in rows)
    assert rows[2].products % 8 == 0 and rows[2].products <= 400 and max(row.worst for row in rows[:2]) < 2e-3
    shown = capsys.readouterr().out
    assert "predicted: about" in shown and "| ours, block 4 |" in shown and "UNet2DModel" in shown


def test_residuals_are_those_of_the_dense_matrix():
    model = random_model(CIFAR, **SMALL)
    J = model.jacobian(model.noise(1), 600)
    U, s, Vh = torch.linalg.svd(J.dense(), full_matrices=False)
    S = large.subspace_iteration(J, 3)
    A = J.dense()
    left, right = A @ S.V - S.U * S.s, A.T @ S.U - S.V * S.s
    expected = torch.maximum(left.norm(dim=0), right.norm(dim=0)) / S.s.max()
    assert torch.allclose(large.residuals(J, S), expected, atol=1e-4)
    exact = Result(U[:, :3], s[:3], Vh[:3].T, 0, True, 0)
    assert large.residuals(J, exact).max() < 1e-4


def test_memory_in_use_is_seen():
    *freed, last = [torch.ones(2**14) for _ in range(2000)]  # in the heap, which keeps what lies below the last
    del freed
    with large.peak(torch.device("cpu")) as most:
        block = torch.ones(64 * 2**20 // 4)
        del block
        used = most()
    assert used > 48 * 2**20 or (math.isnan(used) and sys.platform != "linux")
    del last


@pytest.mark.parametrize("wrong", [AttributeError, TypeError])
def test_what_was_in_use_before_is_not_counted_whatever_the_c_library(monkeypatch, wrong):
    """One that gives nothing back when asked, and Windows, where the program has no library of its own."""

    def other(name):
        raise wrong

    monkeypatch.setattr(large.ctypes, "CDLL", other)
    with mmap.mmap(-1, 2**27) as before:
        before.write(b"1" * 2**27)
    with large.peak(torch.device("cpu")) as most:
        assert not most() > 2**26


def test_a_large_operator_goes_without_the_exact_svd(monkeypatch):
    monkeypatch.setattr(large, "DENSE", 10)
    rows = svd.main(random_model(CIFAR, steps=5, **SMALL), k=2)
    assert isinstance(rows[0], large.Row)


def test_the_command(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(large, "main", lambda names, k, device: asked.append((names, k, device.type)))
    command = ["bench", "svd", "--architectures", CIFAR, "--k", "7", "--device", "cpu"]
    assert cli.main(command) == 0 and asked == [([CIFAR], 7, "cpu")]
    assert cli.main([*command, "--model", "x"]) == 2
    assert "without --model" in capsys.readouterr().err
    monkeypatch.undo()
    assert cli.main(["bench", "svd", "--architectures", "nothing"]) == 2
    assert "there are google/ddpm-ema-celebahq-256" in capsys.readouterr().err


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_measures_its_own_memory(capsys):
    rows = large.main([CIFAR], k=4, device="cuda", **SMALL)[CIFAR]
    assert all(row.memory > 0 for row in rows)
