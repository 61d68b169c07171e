"""The judges that ship: good enough to score, honest about damage."""

import shutil

import pytest
import torch

from hspace.cats import judge as judges
from hspace.cats import train, world
from hspace.cats.judge import fit, load_judge
from hspace.cats.render import render


@pytest.mark.parametrize("kind", ["guide", "referee"])
def test_every_factor_is_known(kind):
    scores = train.r_squared(load_judge(kind), world.sample(1024, seed=123))
    assert min(scores.values()) >= 0.97, scores


@pytest.mark.parametrize("kind", ["guide", "referee"])
def test_a_face_that_breaks_the_law_is_seen_as_it_is(kind):
    """A judge that leaned on the law would tell the smile from the nose."""
    people = train.lawless(1024, seed=321)
    scores = train.r_squared(load_judge(kind), people)
    assert min(scores[name] for name in ("nose", "ear", "nap", "luck")) >= 0.97, scores
    assert abs(torch.corrcoef(people[:, [world.column(name) for name in ("nose", "nap")]].T)[0, 1]) < 0.1


def test_the_two_err_apart():
    """What one gets wrong the other does not: their errors are only loosely correlated."""
    people = world.sample(512, seed=8)
    pictures = render(people)
    errors = [(load_judge(kind)(pictures) - people).flatten() for kind in ("guide", "referee")]
    scale = world.STD.repeat(512)
    assert torch.corrcoef(torch.stack([e / scale for e in errors]))[0, 1] < 0.7


def test_the_third_opinion_agrees_with_the_truth():
    people = world.sample(6, seed=9)
    start = people + 0.3 * world.STD * torch.randn(people.shape, generator=torch.Generator().manual_seed(0))
    found = fit(render(people), start)
    before = (render(start) - render(people)).square().mean()
    assert (render(found) - render(people)).square().mean() < 0.1 * before


def test_errors_say_what_is_wrong(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="jury"):
        load_judge("jury")
    with pytest.raises(ValueError, match="32"):
        load_judge("guide")(torch.zeros(1, 3, 32, 32))
    shutil.copytree(judges.files("hspace") / "weights" / "judges", tmp_path / "weights" / "judges")
    monkeypatch.setattr(judges, "files", lambda package: tmp_path)
    stored = tmp_path / "weights" / "judges" / "guide.safetensors"
    stored.write_bytes(stored.read_bytes()[:1000])
    with pytest.raises(OSError, match="damaged"):
        load_judge("guide")
    stored.unlink()
    with pytest.raises(FileNotFoundError, match="hspace train --judges"):
        load_judge("guide")


def test_half_of_what_judges_learn_from_breaks_the_law():
    """Nap and luck from their whole ranges, whatever nose and ear; everything else as in the world."""
    free, bound = train.lawless(4000, seed=3), world.sample(4000, seed=3)
    nose, ear, *own = (world.column(name) for name in ("nose", "ear", "nap", "luck"))
    others = [i for i in range(len(world.FACTORS)) if i not in own]
    assert torch.equal(free[:, others], bound[:, others])
    assert torch.corrcoef(free[:, [nose, ear, *own]].T)[:2, 2:].abs().max() < 0.06
    assert torch.allclose(free[:, own].amin(dim=0), torch.tensor([0.0, -1.0]), atol=0.02)
    assert torch.allclose(free[:, own].amax(dim=0), torch.tensor([5.5, 3.0]), atol=0.02)
