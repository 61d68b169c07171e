"""The world: its law, its shares, its closed-form moments."""

import numpy as np
import pytest
import torch

from hspace.cats import world
from hspace.cats.world import FACTORS, column


@pytest.fixture(scope="module")
def people():
    return world.sample(50_000, seed=3)


def test_the_same_seed_gives_the_same_people_and_touches_no_global_state():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert torch.equal(world.sample(7, seed=1), world.sample(7, seed=1))
    assert torch.equal(before, torch.get_rng_state())
    assert not torch.equal(world.sample(7, seed=1), world.sample(7, seed=2))


def test_the_law_is_found_back_by_least_squares(people):
    inputs = np.c_[people[:, [column("nose"), column("ear")]].numpy(), np.ones(len(people))]
    for row, name in enumerate(("nap", "luck")):
        found, *_ = np.linalg.lstsq(inputs, people[:, column(name)].numpy(), rcond=None)
        np.testing.assert_allclose(found, [*world.W[row].tolist(), 0], atol=0.01)
        left = people[:, column(name)].numpy() - inputs @ found
        assert left.std() == pytest.approx(world.NOISE, rel=0.02)


def test_the_law_has_no_real_eigenvalue():
    values = torch.linalg.eigvals(world.W)
    assert values.real == pytest.approx([1.75, 1.75])
    assert values.imag.abs() == pytest.approx([0.5590, 0.5590], abs=1e-4)


def test_moments_in_closed_form_are_those_of_the_samples(people):
    assert torch.allclose(people.mean(dim=0), world.MEAN, atol=0.02 * float(world.STD.max()))
    assert torch.allclose(people.std(dim=0) / world.STD, torch.ones(12), atol=0.02)


def test_puppets_horses_and_both_are_as_rare_as_the_design_says(people):
    puppet, fright, horse = (people[:, column(name)] for name in ("puppet", "fright", "horse"))
    assert (puppet > 0).float().mean() < 0.5 and (horse > 0).float().mean() < 0.5
    assert ((puppet > 0) & (horse > 0)).float().mean() >= 0.03
    for rare in (puppet, horse):
        assert rare[rare > 0].min() >= 0.5 and rare.max() <= 1
    assert fright[puppet == 0].abs().max() == 0 and fright[puppet > 0].max() > 0.99
    both = torch.corrcoef(torch.stack([(puppet > 0).float(), (horse > 0).float()]))[0, 1]
    assert abs(both) < 0.02


def test_luck_can_be_negative(people):
    assert people[:, column("luck")].min() < -0.5


@pytest.mark.parametrize("wrong", [lambda: world.column("tail"), lambda: world.sample(-1, seed=0)])
def test_errors_name_what_is_wrong(wrong):
    with pytest.raises(ValueError, match=r"tail|-1"):
        wrong()


def test_columns_are_in_the_order_of_the_names():
    assert [column(name) for name in FACTORS] == list(range(12))
