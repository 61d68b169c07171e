"""The treatment on a small random model: against dense algebra, killed, damaged, shared out, and refused."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch
from contents import ROOT
from safetensors import safe_open
from small_models import save_pixel_model, scheduler, unet

from hspace import cli
from hspace import treatment as module
from hspace.directions import keep
from hspace.editing import counting
from hspace.geometry import match, principal_cosines
from hspace.jacobian import Jacobian
from hspace.krylov import svd
from hspace.model import DiffusionModel
from hspace.treatment import DamagedError, Plan, Treatment, processes, treat

PLAN = Plan(seeds=(3, 1, 4), timesteps=(300, 900, 600), k=4, tol=1e-4)
QUIET = {"progress": False}
PLACES = [str(ROOT / "lib"), *filter(None, [os.environ.get("PYTHONPATH")])]
CHILD = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(PLACES)}
# Dies in the middle of the fourth unit: its file is written beside, and not yet renamed.
KILLED = """
import os, signal, sys
from hspace import cli, files
replace, units = os.replace, []
def dying(beside, path):
    units.extend([path] if path.suffix == ".safetensors" else [])
    if len(units) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(beside, path)
files.os.replace = dying
cli.main(sys.argv[1:])
"""


def small(seed=0, **options):
    network = unet(seed, size=8)
    return DiffusionModel(network, scheduler().alphas_cumprod, "v_prediction", **({"steps": 10} | options))


@pytest.fixture(scope="module")
def model():
    return small()


@pytest.fixture(scope="module")
def whole(model, tmp_path_factory):
    """A treatment that was left alone."""
    return treat(model, tmp_path_factory.mktemp("whole"), PLAN, about={"model": "small"}, **QUIET)


def contents(folder):
    """{name: bytes} of the manifest and all units."""
    return {
        path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.suffix in (".json", ".safetensors")
    }


def copied(whole, folder):
    for path in whole.folder.rglob("*"):
        if path.suffix in (".json", ".safetensors"):
            target = folder / path.relative_to(whole.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return Treatment(folder)


# What is computed


def test_a_unit_holds_the_singular_triplets_of_the_dense_jacobian(model, whole):
    unit = whole.read(1, 600)
    x = model.denoise(model.noise(1), stop=600)
    J = model.jacobian(x, 600).dense().double()
    s, V = torch.linalg.svdvals(J), torch.linalg.svd(J).Vh[:4].T
    assert torch.equal(unit.x, x)
    assert (unit.svd.s - s[:4]).abs().max() < 1e-4 * s[0]
    assert unit.svd.converged and unit.svd.gap == pytest.approx(1 - (s[4] / s[3]).item(), abs=1e-2)
    assert torch.linalg.svdvals(V.T @ unit.svd.V.double()).min() > 0.999


def test_the_plan_sorts_itself_and_says_what_is_in_it(whole):
    assert whole.plan.timesteps == (900, 600, 300) and whole.plan.seeds == (3, 1, 4)
    assert len(whole.plan.units) == 9 and whole.plan.layer == "mid_block"
    assert str(whole.status()) == "9 of 9 units done"


def test_a_unit_s_file_says_what_it_is(model, whole):
    with safe_open(whole.path(4, 300), "pt") as file:
        about = json.loads(file.metadata()["about"])
    assert about["seed"] == 4 and about["t"] == 300 and about["k"] == 4 and about["layer"] == "mid_block"
    assert about["model"] == model.hash and about["tol"] == 1e-4 and about["steps"] == 10 and about["chunk"] > 0
    assert whole.read(4, 300).about["products"] == whole.read(4, 300).svd.products > 0


def test_the_global_random_state_is_left_alone(model, tmp_path):
    state = torch.get_rng_state()
    treat(model, tmp_path, Plan((0,), (900,), k=2), **QUIET)
    assert torch.equal(state, torch.get_rng_state())


def test_warm_starts_change_the_way_and_not_the_space(model, whole, tmp_path):
    cold = treat(model, tmp_path, Plan(PLAN.seeds, PLAN.timesteps, 4, 1e-4, warm=False), **QUIET)
    for seed, t in whole.plan.units:
        here, there = whole.read(seed, t).svd, cold.read(seed, t).svd
        assert torch.equal(here.V, there.V) == (t == 900)
        assert torch.allclose(here.s, there.s, rtol=1e-3) and principal_cosines(here, there).min() > 0.999


def test_directions_of_two_runs_are_matched_by_their_space(model, whole):
    """As from two machines: the same space, found from another random start, its basis turned in it."""
    unit = whole.read(3, 600)
    again = svd(model.jacobian(unit.x, 600), 4, 1e-4, seed=9).V
    turn = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(1))).Q
    turned, cosines = match(again @ turn, unit.svd.V)
    assert cosines.min() > 0.9999 and torch.allclose(turned, unit.svd.V, atol=1e-2)


# Going on


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path):
    """kill -9 between writing a unit and renaming it; then the same command again, and no argument but the folder."""
    folder = save_pixel_model(tmp_path / "model", unet(size=8))
    command = ["directions", "--model", str(folder), "--seeds", "0-2", "--timesteps", "900,500", "--k", "3"]
    command += ["--device", "cpu", "--out"]
    environment = os.environ | CHILD
    killed = subprocess.run([sys.executable, "-c", KILLED, *command, str(tmp_path / "killed")], env=environment)
    assert killed.returncode == -signal.SIGKILL
    there = Treatment(tmp_path / "killed")
    assert there.status().done == ((0, 900), (0, 500), (1, 900))
    assert [path.name for path in (tmp_path / "killed" / "units").glob("*.part")] == ["seed1_t500.safetensors.part"]
    before = {unit: there.path(*unit).stat().st_mtime_ns for unit in there.status().done}

    assert cli.main(["directions", "--out", str(tmp_path / "killed"), "--device", "cpu"]) == 0
    assert cli.main([*command, str(tmp_path / "whole")]) == 0
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    assert before == {unit: there.path(*unit).stat().st_mtime_ns for unit in before}
    assert not list((tmp_path / "killed" / "units").glob("*.part"))


def test_nothing_is_computed_twice(model, whole):
    with counting(model) as count:
        treat(model, whole.folder, PLAN, **QUIET)
    assert count.passes == 1  # the plan's check


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def empty(path):
    path.write_bytes(b"")


def flipped(path):
    """One bit of a number: a valid file of another content."""
    content = bytearray(path.read_bytes())
    content[-50] ^= 1
    path.write_bytes(content)


def retold(path):
    """Valid, with other metadata under the old checksum."""
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["about"])
        tensors = {name: file.get_tensor(name) for name in list(file.keys())}
    keep(path, tensors, about | {"converged": not about["converged"]})


def foreign(path):
    """A safetensors file of somebody else."""
    keep(path, {"a": torch.ones(2)}, {"command": "another"})


@pytest.mark.parametrize("damage", [cut, empty, flipped, retold, foreign])
def test_a_damaged_unit_is_computed_again_and_said(damage, model, whole, tmp_path, capsys):
    damaged = copied(whole, tmp_path)
    damage(damaged.path(1, 600))
    assert damaged.status().damaged == ((1, 600),) and "1 damaged" in str(damaged.status())
    with pytest.raises(DamagedError, match=r"seed1_t600\.safetensors"):
        damaged.read(1, 600)
    treat(model, tmp_path, PLAN, **QUIET)
    assert "seed1_t600.safetensors is damaged" in capsys.readouterr().err
    assert contents(tmp_path) == contents(whole.folder)


def test_what_cannot_be_computed_is_left_out_and_said_in_the_end(whole, tmp_path):
    model, noise = small(), DiffusionModel.noise
    model.noise = lambda seed: noise(model, seed) * (torch.nan if seed == 1 else 1.0)
    with pytest.raises(ValueError, match=r"1 of 3 seeds were given up, all others are done; seed 1, t = 900"):
        treat(model, tmp_path, PLAN, **QUIET)
    assert Treatment(tmp_path).status().missing == ((1, 900), (1, 600), (1, 300))
    treat(small(), tmp_path, PLAN, about={"model": "small"}, **QUIET)
    units = [contents(folder) for folder in (tmp_path, whole.folder)]
    assert all(units[0][name] == units[1][name] for name in units[1] if name != "manifest.json")


def test_what_did_not_converge_is_counted(model, tmp_path):
    with pytest.warns(RuntimeWarning, match="above tol"):
        done = treat(model, tmp_path, Plan((0,), (900,), k=3, tol=1e-9), **QUIET)
    assert done.status().unconverged == ((0, 900),) and "1 not converged" in str(done.status())


def test_a_full_gpu_halves_the_chunk_and_the_run_goes_on(model, whole, tmp_path, monkeypatch):
    for name in ("_push", "_pull"):
        product = getattr(Jacobian, name)

        def small_enough(J, rows, product=product):
            if len(rows) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return product(J, rows)

        monkeypatch.setattr(Jacobian, name, small_enough)
    done = treat(model, tmp_path, PLAN, **QUIET)
    for unit in done.plan.units:
        here, there = done.read(*unit), whole.read(*unit)
        assert here.about["chunk"] == 2 < there.about["chunk"] and here.svd.converged
        assert torch.allclose(here.svd.s, there.svd.s, rtol=1e-3)


def test_guidance_makes_another_treatment(model, tmp_path):
    guided = model.with_conditioning(class_labels=None).with_guidance(2.0)
    treat(model.with_conditioning(class_labels=None), tmp_path, Plan((0,), (900,), k=1), **QUIET)
    with pytest.raises(ValueError, match="its schedule and conditioning"):
        treat(guided, tmp_path, Plan((0,), (900,), k=1), **QUIET)


def test_the_last_bits_of_a_schedule_and_of_a_prompt_make_no_other_treatment(whole):
    """They differ from one processor to the next; another schedule, and another prompt, do."""
    alphas, network = scheduler().alphas_cumprod.double(), unet(size=8)

    def model(alphas=alphas, **conditioning):
        return DiffusionModel(network, alphas, "v_prediction", steps=10, conditioning=conditioning)

    def differs(here, there):
        return module._difference(module._of_model(here), module._of_model(there))

    bits = 1 + 3e-7 * torch.randn(1000, generator=torch.Generator().manual_seed(0)).double()
    whole.check_model(model(alphas * bits))
    with pytest.raises(ValueError, match="its schedule and conditioning: signal: "):
        whole.check_model(model(scheduler(beta_end=0.0201).alphas_cumprod))
    said = torch.randn(1, 20, 50, generator=torch.Generator().manual_seed(1))
    nested = {"text": said, "ids": [torch.tensor([1024, 0])], "scale": 1.0}
    first = model(tokens=said, more=nested)
    assert differs(first, model(tokens=(said.flatten() * bits).view_as(said), more=nested)) is None
    other = said.clone()
    other[0, 10, 25] += 1
    for change in ({"text": other}, {"ids": [torch.tensor([1023, 0])]}, {"scale": 2.0}, {"text": said[:, :10]}):
        [name] = change
        assert f"conditioning.more.{name}" in differs(first, model(tokens=said, more=nested | change))
    assert "conditioning.tokens (1, 20, 50): " in differs(first, model(tokens=other, more=nested))


def test_another_chunk_goes_on_in_the_same_folder(model, whole, tmp_path):
    begun = copied(whole, tmp_path)
    begun.path(4, 300).unlink()
    done = treat(model, tmp_path, module.replace(PLAN, chunk=1), **QUIET)
    here, there = done.read(4, 300), whole.read(4, 300)
    assert str(begun.status()) == "9 of 9 units done" and done.plan.chunk == 1
    assert here.about["chunk"] == 1 < there.about["chunk"] and torch.allclose(here.svd.s, there.svd.s, rtol=1e-3)


def test_a_model_in_16_bits_is_treated_within_its_precision(tmp_path):
    model = small().to(torch.bfloat16)
    with pytest.raises(ValueError, match="in 16 bits, above tol"):
        treat(model, tmp_path / "fine", Plan((0,), (900,), k=2), **QUIET)
    done = treat(model, tmp_path / "coarse", Plan((0,), (900, 500), k=2, tol=0.1), **QUIET)
    unit = done.read(0, 500)
    assert unit.x.dtype == torch.bfloat16 and unit.svd.V.dtype == torch.float32 and unit.svd.converged


# Several processes


def test_shares_of_two_processes_make_one_whole(model, whole, tmp_path):
    about = {"model": "small"}
    treat(model, tmp_path, PLAN, about=about, rank=1, world=2, **QUIET)
    assert Treatment(tmp_path).status().done == ((1, 900), (1, 600), (1, 300))
    treat(model, tmp_path, PLAN, about=about, rank=0, world=2, **QUIET)
    assert contents(tmp_path) == contents(whole.folder)


@pytest.mark.parametrize(
    "launcher",
    [
        ["torch.distributed.run", "--nproc-per-node", "2", "--standalone"],
        ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"],
    ],
    ids=["torchrun", "accelerate"],
)
def test_two_launched_processes_equal_one(launcher, tmp_path):
    """accelerate starts torchrun where there is more than one process, whatever they run on."""
    pytest.importorskip(launcher[0].split(".")[0])
    folder = save_pixel_model(tmp_path / "model", unet(size=8))
    command = ["directions", "--model", str(folder), "--seeds", "0-3", "--timesteps", "900,500", "--k", "3"]
    command += ["--device", "cpu", "--out"]
    started = [sys.executable, "-m", *launcher, "-m", "hspace", *command, str(tmp_path / "two")]
    run = subprocess.run(started, env=os.environ | CHILD, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "process 1 of 2" in run.stderr and "process 2 of 2" in run.stderr
    assert cli.main([*command, str(tmp_path / "one")]) == 0
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (0, 1)),
        ({"RANK": "2", "WORLD_SIZE": "4"}, (2, 4)),
        ({"PMI_RANK": "1", "PMI_SIZE": "3"}, (1, 3)),
        ({"OMPI_COMM_WORLD_RANK": "5", "OMPI_COMM_WORLD_SIZE": "6"}, (5, 6)),
    ],
)
def test_launchers_are_heard(environment, expected):
    assert processes(environment) == expected


def test_one_writer_a_folder(model, whole, tmp_path):
    begun = copied(whole, tmp_path)
    begun.path(4, 300).unlink()
    for name in ("run", "seed4"):
        with module.lock_folder(tmp_path, name), pytest.raises(BlockingIOError, match="another run writes into"):
            treat(model, tmp_path, PLAN, **QUIET)
    assert begun.status().missing == ((4, 300),)
    treat(model, tmp_path, PLAN, **QUIET)
    assert contents(tmp_path) == contents(whole.folder)


# What is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 5}, "its k: 4, not 5"),
        ({"tol": 1e-3}, "its tol: 0.0001, not 0.001"),
        ({"seeds": (3, 1)}, "its seeds: 3, 1, 4, not 3, 1"),
        ({"timesteps": (900,)}, "its timesteps: 900, 600, 300, not 900"),
        ({"warm": False}, "its warm: True, not False"),
        ({"layer": "conv_in"}, "its layer: mid_block, not conv_in"),
    ],
)
def test_other_parameters_in_the_same_folder_are_refused(change, message, model, whole):
    before = contents(whole.folder)
    with pytest.raises(ValueError, match=f"holds another treatment: {message}; take another folder"):
        treat(model, whole.folder, module.replace(PLAN, **change), **QUIET)
    assert contents(whole.folder) == before


@pytest.mark.parametrize(
    ("other", "name"),
    [
        (lambda: small(seed=1), "model"),
        (lambda: small(steps=20), "steps"),
        (lambda: DiffusionModel(unet(size=8), scheduler().alphas_cumprod, "epsilon", steps=10), "schedule"),
        (lambda: small(conditioning={"class_labels": None}), "conditioning"),
    ],
)
def test_another_model_in_the_same_folder_is_refused(other, name, whole):
    before = contents(whole.folder)
    with pytest.raises(ValueError, match=f"its .*{name}.*: .*, not .*; take another folder"):
        treat(other(), whole.folder, PLAN, **QUIET)
    with pytest.raises(ValueError, match=f"treats another model: its .*{name}"):
        whole.check_model(other())
    assert contents(whole.folder) == before


def test_a_unit_of_another_treatment_is_refused(model, whole, tmp_path):
    other = treat(model, tmp_path / "other", Plan((1,), (600,), k=3), **QUIET)
    mixed = copied(whole, tmp_path / "mixed")
    mixed.path(1, 600).write_bytes(other.path(1, 600).read_bytes())
    for act in (lambda: mixed.read(1, 600), mixed.status, lambda: treat(model, mixed.folder, PLAN, **QUIET)):
        with pytest.raises(ValueError, match="belongs to another treatment"):
            act()
    assert mixed.path(1, 600).read_bytes() == other.path(1, 600).read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"timesteps": (640,)}, "640 is not on the grid"),
        ({"layer": "mid_blok"}, "no layer 'mid_blok'; close to it: mid_block"),
        ({"k": 193}, "1 to 192 directions"),
    ],
)
def test_what_the_model_cannot_do_is_refused_before_anything_is_written(change, message, model, tmp_path):
    with pytest.raises(ValueError, match=message):
        treat(model, tmp_path / "new", module.replace(PLAN, **change), **QUIET)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(seeds=(), timesteps=(600,)), "at least one seed"),
        (dict(seeds=(1.5,), timesteps=(600,)), "whole numbers"),
        (dict(seeds=(1,), timesteps=(600,), k=0), "k = 0"),
        (dict(seeds=(1,), timesteps=(600,), tol=0.0), "tol = 0.0"),
    ],
)
def test_plans_that_are_none(given, message):
    with pytest.raises(ValueError, match=message):
        Plan(**given)


def test_ranks_beyond_the_world_are_refused(model, tmp_path):
    with pytest.raises(ValueError, match="rank 2 of 2"):
        treat(model, tmp_path, PLAN, rank=2, world=2, **QUIET)


@pytest.mark.parametrize("given", [{"rank": 1}, {"world": 4}])
def test_half_a_share_is_refused(given, model, tmp_path):
    with pytest.raises(ValueError, match=r"rank = .* and world = .* belong together: give both, or neither"):
        treat(model, tmp_path, PLAN, **given, **QUIET)
    assert list(tmp_path.iterdir()) == []


def test_folders_that_hold_no_treatment(whole, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no manifest\.json.*hspace directions --out"):
        Treatment(tmp_path)
    manifest = copied(whole, tmp_path).folder / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"version": 2', '"version": 1'))
    with pytest.raises(ValueError, match=r"version 1; this hspace, .* reads .*version 2: compute it again in another"):
        Treatment(tmp_path)
    for content in ("{", "[]", json.dumps({"format": "hspace treatment", "version": 2, "seeds": [1]})):
        manifest.write_text(content)
        with pytest.raises(DamagedError, match=r"manifest\.json is damaged"):
            Treatment(tmp_path)
    with pytest.raises(ValueError, match="seed 5, t = 600 is not in"):
        whole.read(5, 600)
