"""The comparison of edits: what its rows say, that a run goes on, and that each method's cost is what it costs."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
import torch
from benchmarks import edit
from benchmarks.edit_methods import METHODS, Sitting, once, walked
from small_models import scheduler, unet

from hspace import editing
from hspace.cats import world
from hspace.cats.judge import Judge, load_judge
from hspace.model import DiffusionModel


def line(seed, task="", method="", factors=None, pixels=0.05, passes=100):
    told = world.average(**({"puppet": 0.8, "fright": 0.9} | (factors or {}))).tolist()
    return {
        "seed": seed,
        "task": task,
        "method": method,
        "passes": passes,
        "referee": told,
        "fit": told,
        "pixels": pixels,
        "edges": 0.1,
    }


def noted(n=10, failures=2):
    """n untouched pictures, and edits of which some fail and all move the nose by half a standard deviation."""
    nose = world.MEAN[0].item() + 0.5 * world.STD[0].item()
    made = [line(seed) for seed in range(n)]
    for seed in range(n):
        told = {"nose": nose, "fright": 0.9 if seed < failures else 0.1}
        made.append(line(seed, "no fright", "fifty, once", told, pixels=0.06, passes=200 + seed))
    return made


def test_a_row_says_what_happened():
    untouched, row = edit.rows(noted())
    assert (untouched["method"], untouched["n"], untouched["success"][0], untouched["others"][0]) == ("", 10, 0.0, 0.0)
    wilson = scipy.stats.binomtest(8, 10).proportion_ci(method="wilson")
    assert row["success"] == [0.8, round(wilson.low, 3), round(wilson.high, 3)] == row["success by fit"]
    assert row["others"][0] == pytest.approx(0.5 / math.sqrt(11), abs=1e-4)  # the nose, of eleven factors not named
    assert row["change"]["nose"] == 0.5 and row["change"]["ear"] == 0
    assert row["times untouched"] == 1.2 and row["passes"] == 204 and row["n"] == 10


def test_what_is_wished_for_does_not_count_as_other():
    made = [line(0), line(0, "nose", "fifty, once", {"nose": 1.5, "nap": 5.0, "luck": -1.0, "ear": 1.1})]
    [_, row] = edit.rows(made)
    assert row["others"][0] == pytest.approx(0.1 / world.STD[1].item() / math.sqrt(9), abs=1e-3)
    assert row["success"][0] == 1 and row["others"][1:] == [None, None]
    assert "(too few)" in edit.markdown([row], "nose")


def test_the_interval_of_a_median_holds_the_true_one_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = [low <= 0 <= high for _, low, high in (edit.middle(rng.normal(size=25)) for _ in range(400))]
    assert np.mean(held) >= 0.93


def test_targets_that_are_missed_are_printed():
    table = edit.rows(noted(n=60, failures=1))
    [(task, best, met)] = edit.verdicts(table)
    assert task == "no fright" and best["method"] == "fifty, once"
    assert met == {"success": True, "realism": False, "others": False}
    held = {"pictures": 60, "chance": 0.064, "shares": [0.5] * 12}
    page = edit.text({"rows": table, "pictured": {}, "pictures": 60, "fingerprint": "abc", "held": held})
    assert "| 91% | **1.20, missed** | **0.15, missed** |" in page


def test_pictures_are_chosen_by_a_rule_once(tmp_path):
    assert edit.chosen_seeds(tmp_path / "run", "abc", 2, lambda: [3, 5]) == [3, 5]
    assert edit.chosen_seeds(tmp_path / "run", "abc", 1, lambda: 1 / 0) == [3]
    assert edit.chosen_seeds(tmp_path / "run", "abc", 3, lambda: [3, 5, 8]) == [3, 5, 8]
    with pytest.raises(ValueError, match="edits of other weights"):
        edit.chosen_seeds(tmp_path / "run", "abd", 2, lambda: [3, 5])


def test_a_line_that_was_cut_off_is_done_again(tmp_path):
    whole = json.dumps(line(1)) + "\n"
    (tmp_path / "edits.jsonl").write_text(whole + whole[:40])
    assert edit.lines(tmp_path) == [line(1)] and edit.lines(tmp_path / "nothing") == []
    assert (tmp_path / "edits.jsonl").read_text() == whole  # so that the next line begins on a line of its own
    (tmp_path / "edits_1.jsonl").write_text(json.dumps(line(2)) + "\n" + whole[:40])
    assert edit.lines(tmp_path) == [line(1), line(2)]
    assert (tmp_path / "edits_1.jsonl").read_text().endswith(whole[:40])  # another process may just be writing it


@pytest.fixture(scope="module")
def model():
    """Four levels, so that h has 16 × 8 × 8 numbers."""
    blocks = {"down_block_types": ("DownBlock2D",) * 4, "up_block_types": ("UpBlock2D",) * 4}
    network = unet(size=64, block_out_channels=(4, 8, 8, 16), **blocks)
    return DiffusionModel(network, scheduler().alphas_cumprod, "v_prediction", steps=5)


@pytest.fixture(scope="module")
def sketch():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Judge("sketch").eval().requires_grad_(False)


@pytest.fixture(scope="module")
def near(model):
    return editing.cloud(model, 600, range(60))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_a_picture_and_pays_for_it(model, sketch, near, method):
    """A run of a method alone, on a fresh sitting, takes the passes that it reports, but for those backward."""
    guide = load_judge("guide")
    donor = Sitting(model, guide, sketch, 1, near)
    sitting = Sitting(model, guide, sketch, 2, near, donor)
    wish = {"puppet": sitting.told[world.column("puppet")].item() + 0.2}
    seen, run = [], model.network.forward
    model.network.forward = lambda x, *args, **kwargs: seen.append(len(x)) or run(x, *args, **kwargs)
    try:
        picture, passes = sitting.run(METHODS[method], wish)
    finally:
        del model.network.forward
    assert picture.shape == (1, 3, 64, 64) and torch.isfinite(picture).all()
    assert not torch.allclose(picture, sitting.picture, atol=1e-4)
    assert passes >= (sum(seen) if method != "fifty, carried over" else 1)
    again, price = sitting.run(METHODS[method], wish)
    assert torch.allclose(again, picture, atol=1e-4) and price == passes  # what was found is charged again


def test_the_share_of_a_gradient_is_that_of_its_projection(model, sketch, near):
    sitting = Sitting(model, load_judge("guide"), sketch, 2, near)
    slopes, V = sitting.slopes.double(), sitting.S.V.double()
    basis = torch.linalg.qr(V).Q
    left = slopes - slopes @ basis @ basis.T
    share = (1 - left.square().sum(dim=1) / slopes.square().sum(dim=1)).sqrt()
    assert torch.allclose(sitting.held().double(), share, atol=1e-3)


@pytest.fixture
def ready(sketch, near, monkeypatch):
    """A run whose judges, states and pictures are at hand."""
    judges = {"guide": load_judge("guide"), "referee": load_judge("referee"), "sketch": sketch}
    monkeypatch.setattr(edit, "load_judge", lambda kind, device="cpu": judges[kind])
    monkeypatch.setattr(edit, "fingerprint", lambda model: "abc")
    monkeypatch.setattr(edit, "haunted_seeds", lambda model, guide, count, **options: [2, 3])
    monkeypatch.setattr(edit, "cloud", lambda model, t, seeds: near)


FEW = {"methods": ["one random direction"], "tasks": ["no fright", "no puppet"], "pictures": 2}


def test_processes_divide_the_pictures(model, ready, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank, name in (("1", "edits_1.jsonl"), ("0", "edits.jsonl")):
        monkeypatch.setenv("RANK", rank)
        edit.main(model, tmp_path, tmp_path / "edits.json", **FEW)
        assert "This part is done" in capsys.readouterr().out and not (tmp_path / "edits.json").exists()
        found = [json.loads(text) for text in (tmp_path / name).read_text().splitlines()]
        assert [line["seed"] for line in found] == [2 + int(rank)] * 3
    noted = edit.lines(tmp_path)
    monkeypatch.delenv("RANK"), monkeypatch.delenv("WORLD_SIZE")
    monkeypatch.setattr(edit, "note", None)  # all is done
    assert edit.main(model, tmp_path, tmp_path / "edits.json", **FEW) == edit.rows(noted)
    assert json.loads((tmp_path / "edits.json").read_text())["first"] == noted[:3]


def test_a_stopped_run_goes_on(model, ready, tmp_path, monkeypatch):
    original, count = edit.note, []

    def note(folder, referee, seed, *rest, **more):
        if len(count) == 2:
            raise KeyboardInterrupt
        count.append(seed)
        return original(folder, referee, seed, *rest, **more)

    monkeypatch.setattr(edit, "note", note)
    with pytest.raises(KeyboardInterrupt):
        edit.main(model, tmp_path / "run", **FEW)
    before = edit.lines(tmp_path / "run")
    monkeypatch.setattr(edit, "note", original)
    table = edit.main(model, tmp_path / "run", tmp_path / "edits.json", tmp_path / "edits.md", **FEW)
    after = edit.lines(tmp_path / "run")
    assert len(before) == 2 and after[:2] == before
    assert sorted(map(edit.key, after)) == sorted(
        (seed, *unit)
        for seed in (2, 3)
        for unit in [("", ""), ("no fright", "one random direction"), ("no puppet", "one random direction")]
    )
    stored = json.loads((tmp_path / "edits.json").read_text())
    assert stored["rows"] == json.loads(json.dumps(table))
    assert "one random direction" in (tmp_path / "edits.md").read_text()
    assert (tmp_path / "_static" / "edits_no_fright.png").stat().st_size > 1000
    seen = []
    monkeypatch.setattr(edit, "Sitting", lambda *given: seen.append(given[3]) or Sitting(*given))
    monkeypatch.setitem(edit.TASKS, "horse", replace(edit.TASKS["horse"], chosen=lambda before: False))
    edit.run(model, tmp_path / "run", **FEW | {"tasks": ["no fright", "horse"]})
    assert seen == [2] and edit.lines(tmp_path / "run") == after  # the donor; nothing else is left to do


def test_who_takes_part():
    horse, kind = edit.named(world.average(horse=0.5)), edit.named(world.average())
    assert edit.takes_part(0, kind, "horse", walked) and not edit.takes_part(0, horse, "horse", walked)
    assert edit.takes_part(edit.FEW, horse, "no fright", once) and edit.takes_part(edit.FEW - 1, horse, "nose", once)
    assert not edit.takes_part(edit.FEW, horse, "no fright", walked)
    assert not edit.takes_part(edit.FEW, horse, "nose", once)
