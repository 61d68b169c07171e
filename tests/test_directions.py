"""Strips, haunted seeds, stored results and their fingerprint."""

import copy
import pickle

import pytest
import torch

import hspace
from hspace import directions
from hspace.cats import world
from hspace.cats.judge import load_judge
from hspace.directions import fingerprint, haunted_seeds, keep, packed, stored, strips


class Plain:
    """A model that finishes nothing: its picture is x_t."""

    hash = "plain"

    def denoise(self, x, start=None, stop=None):
        return x

    def picture(self, x):
        return x

    def noise(self, seeds):
        return torch.tensor(seeds, dtype=torch.float32).view(-1, 1, 1, 1)


def test_strips_walk_straight():
    x = torch.ones(1, 1, 2, 2)
    walked = strips(Plain(), x, 5, torch.eye(4)[:, 1:3], lengths=(-2.0, 0.0, 2.0))
    assert walked.shape == (2, 3, 1, 2, 2)
    assert walked[0, :, 0, 0, 1].tolist() == [-1, 1, 3] and walked[1, :, 0, 1, 0].tolist() == [-1, 1, 3]
    assert (walked[:, 1] == 1).all()


@pytest.mark.parametrize(("x", "V"), [(torch.ones(2, 1, 2, 2), torch.eye(4)), (torch.ones(1, 1, 2, 2), torch.eye(3))])
def test_strips_refuse(x, V):
    with pytest.raises(ValueError, match=r"batch of 2|3, 3"):
        strips(Plain(), x, 5, V)


def test_strips_take_directions_of_any_dtype():
    walked = strips(Plain(), torch.ones(1, 1, 2, 2).bfloat16(), 5, torch.eye(4).double()[:, :1], lengths=(0.0, 2.0))
    assert walked.dtype == torch.bfloat16 and walked[0, 1].flatten().tolist() == [3, 1, 1, 1]


def test_haunted_seeds_are_the_first_ones():
    def judge(pictures):
        told = torch.zeros(len(pictures), 12)
        seed = pictures.flatten()
        told[:, world.column("puppet")] = (seed >= 30).float()
        told[:, world.column("fright")] = (seed % 7 == 5).float()
        return told

    assert haunted_seeds(Plain(), judge) == [33] and haunted_seeds(Plain(), judge, 6) == [33, 40, 47, 54, 61, 68]
    with pytest.raises(ValueError, match="0 of the first 20 seeds"):
        haunted_seeds(Plain(), judge, limit=20)
    with pytest.raises(ValueError, match="2 of the first 41 seeds are frightening puppets, fewer than 3"):
        haunted_seeds(Plain(), judge, 3, limit=41)


def test_haunted_seeds_of_a_model_in_16_bits_are_judged_in_float32():
    seen = []

    class Half(Plain):
        def picture(self, x):
            return super().picture(x).bfloat16()

    def judge(pictures):
        seen.append(pictures.dtype)
        return torch.ones(len(pictures), 12)

    assert haunted_seeds(Half(), judge, 2) == [0, 1] and {*seen} == {torch.float32}


def test_results_are_kept_and_found(tmp_path, monkeypatch):
    monkeypatch.setattr(directions, "files", lambda package: tmp_path)
    keep(tmp_path / "results" / "small.safetensors", {"s": torch.arange(3.0)}, {"command": "hspace test"})
    small = stored("small")
    assert small.s.tolist() == [0, 1, 2] and small.about == {"command": "hspace test"}
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["small.safetensors"]
    with pytest.raises(AttributeError, match="holds s, no V"):
        _ = small.V
    with pytest.raises(FileNotFoundError, match="there are small"):
        stored("large")
    for twin in (copy.copy(small), copy.deepcopy(small), pickle.loads(pickle.dumps(small))):
        assert twin.s.tolist() == [0, 1, 2] and twin.about == small.about


def test_pictures_are_packed_without_loss_beyond_eight_bits(tmp_path, monkeypatch):
    pictures = torch.rand(2, 3, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    monkeypatch.setattr(directions, "files", lambda package: tmp_path)
    keep(tmp_path / "results" / "p.safetensors", {"strips": packed(pictures)}, {})
    assert (stored("p").pictures("strips") - pictures).abs().max() <= 0.51 / 127.5


@pytest.fixture(scope="module")
def alice():
    return hspace.load()


@pytest.fixture(scope="module")
def clinic():
    return stored("fifty_directions")


def test_stored_directions_are_alice_s(alice, clinic):
    assert clinic.about["fingerprint"] == fingerprint(alice)
    assert [clinic.about["seed"]] == haunted_seeds(alice, load_judge("guide"))


def test_a_stored_column_of_the_change_matrix_is_measured_again(alice, clinic):
    """Another one than the chapter measures: the last direction, at the last picture."""
    t, V = clinic.about["t"], torch.nn.functional.normalize(clinic.V.float(), dim=0)
    x = alice.denoise(alice.noise(len(clinic.each) - 1), stop=t)
    M = hspace.change_matrix(alice, x, t, V[:, -1:], controls=1, length=clinic.about["length"])
    assert torch.allclose(M.each[0, :, 0], clinic.each[-1, :, -1].float(), atol=0.02)


def test_a_stored_strip_is_walked_again(alice, clinic):
    t, V = clinic.about["t"], torch.nn.functional.normalize(clinic.V.float(), dim=0)
    x = alice.denoise(alice.noise(clinic.about["seed"]), stop=t)
    again = strips(alice, x, t, V[:, 20:21], lengths=clinic.about["lengths"])[0].clamp(-1, 1)
    assert (again - clinic.pictures("strips")[20]).square().mean().sqrt() < 0.01


def test_a_stored_spectrum_is_computed_again(alice, clinic):
    """Not the chapter's t: the noisiest."""
    t = clinic.about["timesteps"][0]
    x = alice.denoise(alice.noise(clinic.about["seed"]), stop=t)
    again = hspace.svd(alice.jacobian(x, t), k=5)
    assert torch.allclose(again.s, clinic.spectra[0, :5], rtol=1e-3)


def test_the_exact_spectrum_has_the_size_of_the_jacobian(alice, clinic):
    """Σ σ² = ‖J‖², estimated from products with random vectors (Hutchinson)."""
    t = clinic.about["t"]
    J = alice.jacobian(alice.denoise(alice.noise(clinic.about["seed"]), stop=t), t)
    z = torch.randn(J.shape[1], 24, generator=torch.Generator().manual_seed(0))
    assert len(clinic.exact) == min(J.shape)
    assert clinic.exact.square().sum().item() == pytest.approx((J @ z).square().sum().item() / 24, rel=0.05)


def test_a_t_off_the_grid_is_refused_before_any_work(alice, tmp_path):
    with pytest.raises(ValueError, match="t=610 is not on the grid"):
        directions.fifty_directions(alice, tmp_path / "x.safetensors", t=610)
    assert list(tmp_path.iterdir()) == []
