"""The comparison of edits: what its rows say, that a run goes on, and that each method's cost is what it costs."""

import json
import math
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.stats
import torch
from benchmarks import edit, edit_page, edit_table
from benchmarks.edit_methods import ABOUT, LIKE, METHODS, K, Sitting, T, carried, combined, once, walked
from PIL import Image
from small_models import scheduler, unet

import hspace
from compare_outputs import picture_difference
from hspace import editing
from hspace.cats import world
from hspace.cats.judge import Judge, load_judge
from hspace.cats.render import render
from hspace.directions import haunted_seeds
from hspace.geometry import transport
from hspace.jacobian import Jacobian
from hspace.model import DiffusionModel

ROOT = Path(__file__).resolve().parent.parent


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
    untouched, row = edit_table.rows(noted())
    assert (untouched["method"], untouched["n"], untouched["success"][0], untouched["others"][0]) == ("", 10, 0.0, 0.0)
    wilson = scipy.stats.binomtest(8, 10).proportion_ci(method="wilson")
    assert row["success"] == [0.8, round(wilson.low, 3), round(wilson.high, 3)] == row["success by fit"]
    assert row["others"][0] == pytest.approx(0.5 / math.sqrt(11), abs=1e-4)  # the nose, of eleven factors not named
    assert row["change"]["nose"] == 0.5 and row["change"]["ear"] == 0
    half = 0.5 * world.STD[0].item()
    assert row["moved"] == {"nose": [pytest.approx(half, abs=1e-4)] * 3, "nap": [0] * 3, "luck": [0] * 3}
    assert row["times untouched"] == 1.2 and row["passes"] == 204 and (row["n"], row["failed"]) == (10, 0)


def test_a_failed_edit_is_no_success_and_in_no_median():
    made = noted(n=9, failures=0)
    made += [line(9), {"seed": 9, "task": "no fright", "method": "fifty, once", "failed": "it cannot be"}]
    untouched, row = edit_table.rows(made)
    assert untouched["n"] == row["n"] == 10 and row["failed"] == 1
    assert row["success"][0] == row["success by fit"][0] == 0.9
    assert row["passes"] == 204 and row["others"] == [edit_table.rows(made[:-2])[1]["others"][0]] * 3
    assert "| fifty, once | 10 | 1 | 90% (" in edit_page.markdown([row], "no fright")
    assert "| untouched | 10 | 0% (" in edit_page.markdown([untouched], "no fright")


def test_a_picture_of_which_nothing_can_be_told_is_in_no_row():
    made = noted(n=8)
    made += [{"seed": 9, "task": "", "method": "", "failed": "it is NaN"}, line(9, "no fright", "fifty, once")]
    assert edit_table.rows(made) == edit_table.rows(noted(n=8))
    assert edit_table.extremes(made, "no fright", "fifty, once", count=1) == ([2], [7], [0])


def test_extremes_are_of_wishes_that_came_true_and_then_of_those_that_did_not():
    made = [line(seed) for seed in range(6)]
    for seed, ear in enumerate([0.0, 0.3, 0.0, 0.1, 0.2, 0.0]):
        told = {"ear": world.MEAN[1].item() + ear, "fright": 0.9 if seed in (0, 2) else 0.1}
        made.append(line(seed, "no fright", "fifty, once", told))
    least, most, missed = edit_table.extremes(made, "no fright", "fifty, once", count=2)
    assert (least, most, missed) == ([5, 3], [4, 1], [0, 2])
    assert edit_table.extremes(made, "no fright", "fifty, once") == ([5, 3, 4, 1], [], [0, 2])


def test_a_method_that_always_fails_is_never_the_best():
    made = noted(n=6, failures=6)
    made += [{"seed": seed, "task": "no fright", "method": "fifty, again", "failed": "no"} for seed in range(6)]
    _, once, again = edit_table.rows(made)
    assert once["failed"] == 0 and again["failed"] == 6 and again["others"] == [None, None, None]
    assert edit_table.best([once, again]) == {"no fright": "fifty, once"} and edit_table.best([again]) == {}
    assert not any(edit_table.reached(again).values())
    said = edit_page.verdict({"fresh": True, "usual": None, **again})
    assert said.endswith("| **0%, missed** | **–, missed** | **–, missed** |")
    empty = "| fifty, again | 6 | 6 | 0% (0–39%) | 0% | – | – | – | – |"
    assert empty in edit_page.markdown([again], "no fright")


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0%"), (1, "100%"), (0.995, "99.5%"), (0.004, "0.4%"), (0.994, "99%"), (0.5, "50%")]
)
def test_all_and_none_are_said_of_all_and_none_only(share, said):
    assert edit_page.percent(share) == said


def test_a_costly_method_is_compared_on_the_pictures_that_both_have():
    made = noted(n=10, failures=5)  # the first five fail
    few = [it | {"method": "fifty, projected walk"} for it in made if it["task"] and it["seed"] < 6]
    [(walk, once)] = edit_table.alike(made + few)
    assert (walk["method"], once["method"]) == ("fifty, projected walk", "fifty, once") and walk["n"] == once["n"] == 6
    assert walk["success"] == once["success"] and once["success"][0] == pytest.approx(1 / 6, abs=1e-3)
    said = edit_page.beside([[walk, once]], "no fright")
    assert said.endswith("\n| fifty, projected walk | 17% | 0.15 | fifty, once | 17% | 0.15 | 6 |")
    assert edit_page.beside([[walk, once]], "horse") == edit_page.beside([], "no fright") == ""
    every = [it | {"method": "fifty, projected walk"} for it in made if it["task"]]
    assert edit_table.alike(made + every) == edit_table.alike(made) == []
    blank = {"seed": 0, "task": "", "method": "", "failed": "it is NaN"}  # of which nothing can be told: in no row
    [(walk, _)] = edit_table.alike([blank, *made[1:], *few])
    assert walk["n"] == 5 and edit_table.alike([blank, *made[10:11], *few[:1]]) == []


def test_every_costly_method_is_like_one_that_is_not():
    assert {*LIKE} < {*METHODS} and {*LIKE.values()} < {*METHODS} - {*LIKE}


def test_what_is_wished_for_does_not_count_as_other():
    made = [line(0), line(0, "nose", "fifty, once", {"nose": 1.5, "nap": 5.0, "luck": -1.0, "ear": 1.1})]
    [_, row] = edit_table.rows(made)
    assert row["others"][0] == pytest.approx(0.1 / world.STD[1].item() / math.sqrt(9), abs=1e-3)
    assert row["success"][0] == 1 and row["others"][1:] == [None, None]
    assert "(too few)" in edit_page.markdown([row], "nose")


def test_the_interval_of_a_median_holds_the_true_one_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = [low <= 0 <= high for _, low, high in (edit_table.middle(rng.normal(size=25)) for _ in range(400))]
    assert np.mean(held) >= 0.93


def test_what_the_law_made_of_a_nose_is_said_with_its_sign():
    told = {"nose": world.MEAN[0].item() + 0.4, "nap": world.MEAN[2].item() + 0.7, "luck": world.MEAN[3].item() - 0.3}
    for task, wished in (("nose", "+0.50 | +1.00 | -0.25"), ("nose alone", "+0.50 | +0.00 | +0.00")):
        made = [line(seed) for seed in range(6)] + [line(seed, task, "fifty, once", told) for seed in range(6)]
        table = edit_page.smile(edit_table.rows(made), task)
        assert f"| *wished for* | {wished} |" in table and "| fifty, once | +0.40 | +0.70 | -0.30 |" in table
        assert "broadens the nap smile by 1.00 and takes 0.25 of luck" in table and "With 1 of nose" not in table


@pytest.mark.parametrize(("nose", "said"), [(0.4, "+1.5 and -0.5."), (0.2, "too little nose to tell.")])
def test_where_only_a_nose_was_asked_for_the_law_is_compared_with_what_came(nose, said):
    told = {"nose": world.MEAN[0] + nose, "nap": world.MEAN[2] + 0.6, "luck": world.MEAN[3] - 0.2}
    told = {name: value.item() for name, value in told.items()}
    made = [line(0), line(0, "nose alone", edit_table.USUAL, told)]
    table = edit_page.smile(edit_table.rows(made), "nose alone")
    law = "With 1 of nose the law brings +2.0 of nap smile and -0.5 of luck. "
    assert table.endswith(f"{law}Along one singular vector, though chosen for the nose alone: {said}")


def test_targets_that_are_missed_are_printed():
    table = edit_table.rows(noted(n=60, failures=1))
    [best] = edit_table.verdicts(noted(n=60, failures=1))
    assert (best["task"], best["method"], best["fresh"]) == ("no fright", "fifty, once", False)
    assert edit_table.reached(best) == {"success": True, "realism": False, "others": False}
    held = {"pictures": 60, "chance": 0.064, "shares": [0.5] * 12}
    said = {"command": edit.command(60, ["fifty, once"], None), "fingerprint": "abc", "held": held}
    page = edit_page.text({"rows": table, "best": [best], "alike": [], "pictures": 60, **said})
    assert "`hspace bench edit --pictures 60 --methods 'fifty, once'`" in page
    assert "| the 60 that chose it | 91% | **1.20, missed** | **0.15, missed** |" in page


def test_a_wish_without_targets_has_a_best_that_misses_none():
    made = [it | {"task": it["task"] and "horse"} for it in noted(n=12)]  # nobody became a horse
    [best] = edit_table.verdicts(made)
    assert (best["task"], best["method"], best["success"][0]) == ("horse", "fifty, once", 0)
    assert "missed" not in edit_page.verdict(best) and "| the 12 that chose it | 0% | 1.20 |" in edit_page.verdict(best)


def test_what_chose_a_method_does_not_judge_it():
    """The first pictures all come true, of the others none; a method tried on the first alone is judged by those."""
    made = noted(n=edit.FEW, failures=0)
    late = [it | {"seed": edit.FEW + it["seed"]} for it in noted(n=20, failures=20)]
    [best] = edit_table.verdicts(late + made)
    assert best["fresh"] and best["n"] == 20 and best["success"][0] == 0
    assert "| 20 other pictures | **0%, missed** |" in edit_page.verdict(best)
    [best] = edit_table.verdicts(made + [line(100 + i) for i in range(20)])
    assert not best["fresh"] and best["n"] == edit.FEW and best["success"][0] == 1


def test_the_best_stands_beside_the_usual_on_the_same_pictures():
    made, usual = noted(n=edit.FEW, failures=0), edit_table.USUAL
    assert usual in METHODS and edit_table.verdicts(made)[0]["usual"] is None
    made += [it | {"method": usual, "referee": made[0]["referee"]} for it in made if it["task"]]
    late = [it | {"seed": edit.FEW + it["seed"]} for it in made if it["seed"] < 20]
    [best] = edit_table.verdicts(made + late)
    assert (best["method"], best["n"]) == ("fifty, once", 20) and best["usual"]["n"] == 20
    assert "| fifty, once | 20 other pictures | **84%, missed** (0%) |" in edit_page.verdict(best)
    alone = [it for it in made if it["method"] in ("", usual)]
    assert "(" not in edit_page.verdict(edit_table.verdicts(alone)[0])


def test_what_is_still_to_be_measured_is_said():
    stored = {"rows": edit_table.rows(noted()), "pictures": 150}
    said = edit_page.unfinished(stored)
    assert "50 more pictures" in said and "all of “no puppet”, “a horse”, " in said and "“fifty, once”" not in said
    assert "for “no fright, the puppet kept”: “one random direction”, “one singular vector”, " in said
    whole = [{"task": task, "method": m} for task in edit.TASKS for m in ("", *METHODS)]
    assert edit_page.unfinished({"rows": whole, "pictures": edit.PICTURES}) == ""


def test_pictures_are_chosen_by_a_rule_once(tmp_path):
    assert edit.chosen_seeds(tmp_path / "run", "abc", 2, lambda: [3, 5]) == [3, 5]
    assert edit.chosen_seeds(tmp_path / "run", "abc", 1, lambda: 1 / 0) == [3]
    assert edit.chosen_seeds(tmp_path / "run", "abc", 3, lambda: [3, 5, 8]) == [3, 5, 8]
    with pytest.raises(ValueError, match="edits of other weights"):
        edit.chosen_seeds(tmp_path / "run", "abd", 2, lambda: [3, 5])


def test_processes_that_start_together_look_for_pictures_once(tmp_path):
    calls = []

    def find():
        calls.append("looked")
        time.sleep(0.2)
        return [3, 5]

    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda _: edit.chosen_seeds(tmp_path, "abc", 2, find), range(2))
        assert [*found] == [[3, 5], [3, 5]] and calls == ["looked"]


def test_a_line_that_was_cut_off_is_done_again(tmp_path):
    path, whole = tmp_path / "edits.jsonl", json.dumps(line(1)) + "\n"
    edit.mend(path)
    assert not path.exists() and edit.lines(tmp_path) == []
    path.write_text(whole + whole[:40])
    (tmp_path / "edits_1.jsonl").write_text(json.dumps(line(2)) + "\n" + whole[:40])
    assert edit.lines(tmp_path) == [line(1), line(2)]
    edit.mend(path)
    assert path.read_text() == whole  # so that the next line begins on a line of its own
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


@pytest.fixture(scope="module")
def sit(model, sketch, near):
    """seed, donor=None → a fresh sitting."""
    guide = load_judge("guide")
    return lambda seed, donor=None: Sitting(model, guide, sketch, seed, lambda: near, lambda: donor)


@pytest.fixture(scope="module")
def donor(sit):
    donor = sit(1)
    donor.held()  # its directions and slopes
    return donor


@pytest.fixture(scope="module")
def worn(sit, donor):
    """A sitting that all methods are tried on, one after the other."""
    worn = sit(2, donor)
    worn.held()
    return worn


@pytest.fixture
def spent(model, monkeypatch):
    """What is really spent: states forward, and each column of a product as often as its function runs the network."""
    count, run, begin = SimpleNamespace(passes=0), model.network.forward, Jacobian.__init__

    def forward(x, *args, **kwargs):
        count.passes += len(x)
        return run(x, *args, **kwargs)

    def start(J, *args, **kwargs):
        before = count.passes
        begin(J, *args, **kwargs)  # runs the function once
        J.price = count.passes - before

    def counted(product):
        def more(J, columns):
            count.passes += J.price * len(columns)
            return product(J, columns)

        return more

    monkeypatch.setattr(Jacobian, "__init__", start)
    for name in ("_push", "_pull"):
        monkeypatch.setattr(Jacobian, name, counted(getattr(Jacobian, name)))
    model.network.forward = forward
    yield count
    del model.network.forward


@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_a_picture_and_pays_for_it(sit, donor, worn, spent, method):
    """What a method reports is what it spends on a fresh sitting, also where others have found a part of it before."""
    wish = {"puppet": worn.told[world.column("puppet")].item() + 0.2}
    sitting, spent.passes = sit(2, donor), 0
    picture, passes = sitting.run(METHODS[method], wish)
    assert passes == spent.passes
    assert picture.shape == (1, 3, 64, 64) and torch.isfinite(picture).all()
    assert not torch.allclose(picture, worn.picture, atol=1e-4)
    again, price = worn.run(METHODS[method], wish)
    assert torch.allclose(again, picture, atol=1e-4) and price == passes  # what was found is charged again
    if method != "fifty, projected walk":  # which takes long
        assert worn.run(METHODS[method], wish)[1] == passes


def test_what_is_found_once_for_all_pictures_is_charged_to_none(sit, worn):
    wish = {"puppet": worn.told[world.column("puppet")].item() + 0.2}
    assert sit(2, sit(1)).run(carried, wish)[1] == worn.run(carried, wish)[1]


def test_a_method_that_fails_leaves_the_bill_in_order(sit, donor):
    def breaks(sitting, wish):
        sitting.finish(sitting.x)
        raise ValueError("it cannot be")

    sitting = sit(2, donor)
    with pytest.raises(ValueError, match="it cannot be"):
        sitting.run(breaks, {})
    assert sitting.run(lambda sitting, wish: sitting.picture, {})[1] == 5  # the steps of a sampling


def test_the_strength_of_guidance_is_a_factor(model, worn):
    strengths = (0.25, -0.25, 8.0, -32.0)
    pictures = worn.guided(3, strengths)
    for picture, strength in zip(pictures, strengths, strict=True):
        x = editing.x_guidance(model, worn.x, 600, worn.V[:, 3], strength)
        assert torch.allclose(picture[None], worn.finish(x), atol=1e-3)
    assert (pictures[0] - pictures[2]).abs().max() > 0.1


@pytest.mark.parametrize("best", [2.0, -11.0, 3.0])
def test_a_search_ends_within_half_an_octave(worn, monkeypatch, best):
    """Pictures that hold nothing but the length they were drawn at, which shall be `best`."""
    monkeypatch.setattr(worn, "off", lambda wish, pictures: (pictures.flatten(1)[:, 0] - best).abs())
    tried = []

    def drawn(lengths):
        tried.extend(lengths)
        return torch.tensor(lengths, dtype=torch.float64)[:, None, None, None].expand(-1, 3, 2, 2)

    found = worn.search({}, drawn).flatten()[0].item()
    assert found == min(tried, key=lambda length: abs(length - best)) and len(tried) == 18
    assert abs(np.log2(found / best)) <= 0.25


def test_what_is_carried_over_is_the_wish_for_this_picture(worn, donor):
    """A nose that shall grow by a half grows by a half, however large the donor's is."""
    nose = world.column("nose")
    there, here = ({"nose": sitting.told[nose].item() + 0.5} for sitting in (donor, worn))
    assert abs(there["nose"] - here["nose"]) > 1e-3
    v = combined(donor, there)
    moved = transport(v, donor.S, worn.S)
    expected = worn.finish(worn.moved(moved * v.norm() / moved.norm()))
    assert torch.allclose(worn.run(carried, here)[0], expected, atol=1e-4)


def test_the_share_of_a_gradient_is_that_of_its_projection(worn):
    slopes, V = worn.slopes.double(), worn.S.V.double()
    basis = torch.linalg.qr(V).Q
    left = slopes - slopes @ basis @ basis.T
    share = (1 - left.square().sum(dim=1) / slopes.square().sum(dim=1)).sqrt()
    assert torch.allclose(worn.held().double(), share, atol=1e-3)


@pytest.fixture
def ready(sketch, near, monkeypatch):
    """A run whose judges, states and pictures are at hand."""
    judges = {"guide": load_judge("guide"), "referee": load_judge("referee"), "sketch": sketch}
    monkeypatch.setattr(edit, "load_judge", lambda kind, device="cpu": judges[kind])
    monkeypatch.setattr(edit, "fingerprint", lambda model: "abc")
    monkeypatch.setattr(edit, "haunted_seeds", lambda model, guide, count, **options: [2, 3])
    monkeypatch.setattr(edit, "cloud", lambda model, t, seeds: near)


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


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
    with editing.counting(model) as count:
        assert edit.main(model, tmp_path, tmp_path / "edits.json", **FEW) == edit_table.rows(noted)
    assert count.passes == 0  # all is done
    stored = json.loads((tmp_path / "edits.json").read_text())
    assert stored["pictures"] == 2 and stored["rows"] == json.loads(json.dumps(edit_table.rows(noted)))
    assert edit.main(model, tmp_path, **FEW | {"pictures": 1}) == edit_table.rows(noted[:3])


def test_two_runs_do_not_share_a_folder(model, ready, tmp_path, monkeypatch):
    """A table that is asked for too early leaves the line alone that another process is writing."""
    (tmp_path / "edits_1.jsonl").write_text("half a li")
    monkeypatch.setenv("WORLD_SIZE", "2"), monkeypatch.setenv("RANK", "1")
    with edit.writing(tmp_path):
        monkeypatch.delenv("RANK"), monkeypatch.delenv("WORLD_SIZE")
        with pytest.raises(BlockingIOError, match="another run writes into"):
            edit.main(model, tmp_path, **FEW)
    assert (tmp_path / "edits_1.jsonl").read_text() == "half a li"


def test_an_edit_that_fails_stops_no_run(model, ready, tmp_path, monkeypatch):
    def refuses(sitting, wish):
        raise ValueError("it cannot be")

    tried = {"refuses": refuses, "blank": lambda sitting, wish: sitting.picture / 0, "keeps": lambda s, wish: s.picture}
    for module in (edit, edit_table, edit_page):
        monkeypatch.setattr(module, "METHODS", tried)
    monkeypatch.setattr(edit_page, "ABOUT", dict.fromkeys(tried, "does"))
    only = {"pictures": 1, "tasks": ["no fright"]}
    table = edit.main(model, tmp_path, page=tmp_path / "edits.md", **only)
    noted = edit.lines(tmp_path)
    said = [line.get("failed") for line in noted]
    assert said[:2] == [None, "it cannot be"] and "NaN or infinite" in said[2] and said[3] is None
    assert [(r["n"], r["failed"]) for r in table] == [(1, 0), (1, 1), (1, 1), (1, 0)]
    assert edit.main(model, tmp_path, **only) == table and edit.lines(tmp_path) == noted  # they are not tried again
    assert "| refuses | 1 | 1 |" in (tmp_path / "edits.md").read_text()
    edit.main(model, tmp_path / "none", page=tmp_path / "none" / "none.md", methods=["refuses"], **only)
    said = (tmp_path / "none" / "none.md").read_text()  # nothing to draw but the pictures before
    assert "| refuses | 1 | 1 |" in said and re.findall(r"_static/(.+)\.png", said) == ["edits_no_fright_side_by_side"]


def test_pictures_are_judged_together_as_each_by_itself():
    referee, pictures = load_judge("referee"), render(world.sample(2, seed=0), 64)
    together, alone = edit.scores(pictures, referee), [edit.scores(picture[None], referee)[0] for picture in pictures]
    for one, other in zip(together, alone, strict=True):
        assert one.keys() == other.keys()
        assert all(np.allclose(one[name], other[name], atol=1e-3) for name in one)
    assert not np.allclose(together[0]["fit"], together[1]["fit"], atol=1e-2)
    odd = edit.scores(torch.cat([pictures[:1], 1e30 * pictures[:1]]), referee)
    assert odd[0] == alone[0] and [*odd[1]] == ["failed"]


def test_a_stopped_run_goes_on(model, ready, tmp_path, monkeypatch):
    original, count = edit.note, []

    def note(*given):
        if len(count) == 2:
            raise KeyboardInterrupt
        count.append(given)
        return original(*given)

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
    names = [f"edits_no_{what}_{kind}.png" for what in ("fright", "puppet") for kind in ("extremes", "side_by_side")]
    before = [pixels(tmp_path / "_static" / name) for name in names]
    for path in (tmp_path / "run").rglob("*.png"):
        path.unlink()  # in another checkout there are the lines alone
    edit.main(model, tmp_path / "run", page=tmp_path / "edits.md", **FEW)
    again = [pixels(tmp_path / "_static" / name) for name in names]
    assert all(np.abs(a - b).max() <= 8 for a, b in zip(again, before, strict=True))
    assert edit.lines(tmp_path / "run") == after
    monkeypatch.setitem(edit.TASKS, "horse", replace(edit.TASKS["horse"], chosen=lambda before: False))
    monkeypatch.setattr(edit, "note", None)  # nothing is left to do
    assert edit.run(model, tmp_path / "run", **FEW | {"tasks": ["no fright", "horse"]}) == [2, 3]
    assert edit.lines(tmp_path / "run") == after


def test_main_tasks_come_first_and_costly_methods_last():
    done = [*edit.stages(edit.TASKS, METHODS)]
    assert [len(some) * len(ways) for some, ways in done] == [20, 6, 30, 9]
    assert "no fright" in done[0][0] and "fifty, again" in done[0][1] and "horse" in done[3][0]
    assert [*edit.stages(["horse"], ["fifty, once"])] == [(["horse"], ["fifty, once"])]


def test_every_method_is_explained():
    assert [*ABOUT] == [*METHODS]


def test_methods_are_called_what_they_do():
    """Their names, which the lines of a run bear, are words; the numbers that they say are the constants'."""
    assert K == 50 and f"all of x, t = {T}" in METHODS and f"all of x, t = {hspace.load().timesteps[0]}" in METHODS


def test_who_takes_part():
    horse, kind = edit.named(world.average(horse=0.5)), edit.named(world.average())
    assert edit.takes_part(0, kind, "horse", walked) and not edit.takes_part(0, horse, "horse", walked)
    assert edit.takes_part(edit.FEW, horse, "no fright", once) and edit.takes_part(edit.FEW - 1, horse, "nose", once)
    assert not edit.takes_part(edit.FEW, horse, "no fright", walked)
    assert not edit.takes_part(edit.FEW, horse, "nose", once)
    assert edit.takes_part(1, kind, "nose", carried) and not edit.takes_part(0, kind, "nose", carried)


# The run whose table is on the page

STORED = ROOT / "lib/hspace/results/edits.json"


@pytest.fixture(scope="module")
def stored():
    return json.loads(STORED.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def published(stored):
    """The lines behind the page."""
    seeds = json.loads((edit.FOLDER / "seeds.json").read_text(encoding="utf-8"))["seeds"][: stored["pictures"]]
    return [line for line in edit.lines(edit.FOLDER) if line["seed"] in {*seeds}]


def test_the_page_says_what_the_lines_say(stored, published):
    assert stored["rows"] == json.loads(json.dumps(edit_table.rows(published)))
    assert (ROOT / "book/edits.md").read_text(encoding="utf-8") == edit_page.text(stored)
    assert stored["best"] == json.loads(json.dumps(edit_table.verdicts(published)))
    assert stored["alike"] == json.loads(json.dumps(edit_table.alike(published)))
    for name in re.findall(r"_static/(edits_\w+.png)", edit_page.text(stored)):
        assert Image.open(ROOT / "book/_static" / name).width > 600
    best = edit_page.bests(stored)
    for task in {row["task"] for row in stored["rows"]}:
        kept = (ROOT / "book/_static" / edit_page.png(task, "methods")).read_bytes()
        assert picture_difference(kept, edit_page.forest(stored["rows"], task, best[task]).png()) is None
        kept = (ROOT / "book/_static" / edit_page.png(task, "changes")).read_bytes()
        assert picture_difference(kept, edit_page.heatmap(stored["rows"], task, best[task]).png()) is None


def test_no_wish_came_true_more_often_by_the_walk_than_straight(published):
    """Chapter 9 says so, of the pictures that both have."""
    walked = {line["seed"] for line in published if line["method"] == "fifty, projected walk"}
    table = edit_table.by_method(line for line in published if line["seed"] in walked)
    for task in edit.TASKS:
        walk, straight = (table[task, method] for method in ("fifty, projected walk", "fifty, once"))
        assert walk["n"] == straight["n"] >= 50 and walk["success"][0] <= straight["success"][0]


def test_every_row_of_the_page_has_all_its_pictures(stored, published):
    """Those that the rule gives it: nobody is left out."""
    seeds = json.loads((edit.FOLDER / "seeds.json").read_text(encoding="utf-8"))["seeds"]
    untouched = {line["seed"]: edit.named(line["guide"]) for line in published if not line["task"]}
    before = [untouched[seed] for seed in seeds[: stored["pictures"]]]
    for row in stored["rows"]:
        if row["method"]:
            method = METHODS[row["method"]]
            assert row["n"] == sum(edit.takes_part(i, f, row["task"], method) for i, f in enumerate(before))


def test_the_page_is_about_this_alice(stored):
    alice = hspace.load()
    seeds = json.loads((edit.FOLDER / "seeds.json").read_text(encoding="utf-8"))
    assert stored["fingerprint"] == seeds["fingerprint"] == edit.signature(alice, load_judge("sketch"))
    assert haunted_seeds(alice, load_judge("guide"), 2) == seeds["seeds"][:2]


@pytest.mark.parametrize(
    ("seed", "task", "method"),
    [
        (15, "no fright", "fifty, once"),
        (15, "no fright", "a little at every step"),
        (126, "no puppet", "all of x, t = 600"),  # it goes at a stroke
    ],
)
def test_an_edit_of_the_page_can_be_had_again(published, seed, task, method):
    alice, (guide, referee, sketch) = hspace.load(), map(load_judge, ("guide", "referee", "sketch"))
    by = {edit.key(line): line for line in published}
    wish = edit.TASKS[task].wish(edit.named(by[seed, "", ""]["guide"]))
    picture, passes = edit.sittings(alice, guide, sketch, seed)(seed).run(METHODS[method], wish)
    [found], line = edit.scores(picture, referee), by[seed, task, method]
    assert passes == line["passes"] and found["pixels"] == pytest.approx(line["pixels"], abs=2e-3)
    assert np.allclose(found["referee"], line["referee"], atol=0.02)
