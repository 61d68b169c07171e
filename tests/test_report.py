"""The measures of the model card, on pictures whose answers are known."""

import numpy as np
import pytest
import scipy.stats

from hspace import report
from hspace.cats import world
from hspace.cats.world import column


@pytest.fixture(scope="module")
def people():
    return world.sample(2000, seed=1)


def test_the_law_is_fitted_as_scipy_and_numpy_do(people):
    found = report.fit_law(people)
    assert np.abs(np.array(found["W"]) - world.W.numpy()).max() < 0.02
    alone = people[:, column("nose")].numpy()
    nap = people[:, column("nap")].numpy() - 0.75 * people[:, column("ear")].numpy()
    line = scipy.stats.linregress(alone, nap)
    assert found["half width"][0][0] == pytest.approx(1.96 * line.stderr, abs=6e-4)


def test_shares_count_puppets_horses_and_both(people):
    share = report.shares(people)
    puppet, horse = people[:, column("puppet")] > 0, people[:, column("horse")] > 0
    for name, where in (("puppets", puppet), ("horses", horse), ("both", puppet & horse)):
        assert share[name] == pytest.approx(where.float().mean().item(), abs=1e-3)


def test_fright_is_compared_among_puppets(people):
    other = people.clone()
    other[people[:, column("puppet")] == 0, column("fright")] = 9.0  # where it cannot be seen
    assert report.ks(people, other, "fright") == 0
    other[:, column("fright")] += 0.2
    assert report.ks(people, other, "fright") == pytest.approx(0.2, abs=0.05)


def test_a_missed_target_is_said(people):
    good = {
        "realism": {"Alice": {"pixels": {"median": 0.04}}},
        "ks": dict.fromkeys(world.FACTORS, 0.1),
        "law": {"Alice": {"W": world.W.tolist()}},
        "inversion": {"median": 0.01},
        "judges": {"guide": dict.fromkeys(world.FACTORS, 0.99), "referee": dict.fromkeys(world.FACTORS, 0.98)},
    }
    assert all(met for *_, met in report.verdicts(good))
    bad = good | {"ks": good["ks"] | {"horse": 0.29}}
    assert [met for *_, met in report.verdicts(bad)] == [True, False, True, True, True]
    assert report.verdicts(bad)[1][2] == "0.290"
