"""The command line: what it does from end to end, and what it says when something is wrong."""

import io
import json
import re
import sys

import pytest
import torch
from clip import CLIP, stand_in
from PIL import Image
from small_models import autoencoder, conditional_unet, save_pixel_model, scheduler, unet

import hspace
from hspace import cli, memory
from hspace.treatment import Treatment

COMMANDS = ("check", "train", "report", "directions", "edit", "gallery", "results", "bench")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a small model and a treatment of it, made by the command."""
    home = tmp_path_factory.mktemp("cli")
    model = save_pixel_model(home / "model", unet(size=8))
    arguments = ["--model", str(model), "--seeds", "0-1,5", "--timesteps", "400,800", "--k", "3", "--device", "cpu"]
    assert cli.main(["directions", *arguments, "--steps", "5", "--out", str(home / "run")]) == 0
    return home


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert stop.value.code == 0 and all(name in shown for name in COMMANDS)


def test_directions_are_computed_and_gone_on_with(folder, capsys):
    there = Treatment(folder / "run")
    assert there.plan.seeds == (0, 1, 5) and there.plan.timesteps == (800, 400) and there.plan.k == 3
    assert there.manifest["steps"] == 5 and there.about["model"] == str(folder / "model")
    there.path(5, 400).unlink()
    assert cli.main(["directions", "--out", str(folder / "run"), "--status"]) == 0
    assert "5 of 6 units done, 1 missing" in capsys.readouterr().out
    assert cli.main(["directions", "--out", str(folder / "run"), "--device", "cpu"]) == 0
    assert "6 of 6 units done" in capsys.readouterr().out


def test_another_k_is_refused_in_one_line(folder, capsys):
    assert cli.main(["directions", "--out", str(folder / "run"), "--device", "cpu", "--k", "2"]) == 2
    assert "its k: 3, not 2; take another folder" in capsys.readouterr().err


def test_memory_is_told_before_and_fitted_on_request(folder, tmp_path, capsys, monkeypatch):
    command = ["directions", "--model", str(folder / "model"), "--seeds", "0", "--timesteps", "800", "--k", "9"]
    command += ["--device", "cpu", "--out", str(tmp_path / "run")]
    monkeypatch.setattr(memory, "predict", lambda *a, chunk=None, **o: memory.Memory(0, 0, 2**28, 0, chunk or 9))
    assert cli.main([*command, "--memory", "1"]) == 0
    assert "memory: about 0.8 GiB (" in capsys.readouterr().err  # three columns, with room for a quarter more
    assert Treatment(tmp_path / "run").plan.chunk == 3
    assert cli.main([*command, "--memory", "2"]) == 0
    assert "memory: about 1.5 GiB (" in capsys.readouterr().err  # another chunk computes the same
    monkeypatch.setattr(memory, "free", lambda device: 2**30)
    assert cli.main([*command[:-1], str(tmp_path / "other")]) == 0
    assert "but only 1.0 GiB is free: if it fails, write --memory free" in capsys.readouterr().err
    assert cli.main([*command[:-1], str(tmp_path / "third"), "--memory", "0.1"]) == 2
    assert "do not hold one column at a time" in capsys.readouterr().err


def test_memory_that_is_free_differs_between_processes(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    command = ["directions", "--model", str(folder / "model"), "--out", str(tmp_path), "--memory", "free"]
    assert cli.main(command) == 2 and "write how many GiB each may take: --memory 20" in capsys.readouterr().err


def test_a_file_that_has_no_letter_for_an_arrow_gets_another(monkeypatch):
    """As Windows writes files: `hspace edit ... > said.txt`."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", file)
    monkeypatch.setattr(hspace, "check", lambda: print("fright: 1.00 → 0.00") or True)
    assert cli.main(["check"]) == 0
    file.flush()
    assert file.buffer.getvalue().startswith(b"fright: 1.00 \\u2192 0.00")


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["results", "fifty_directions"], "full: take a smaller --k, or --device cpu"),
        (["report"], "full: write --device cpu"),
        (["gallery", "RUN"], "full: write --batch 1, or --device cpu"),
        (["edit", "RUN", "--seed", "1", "--t", "400", "--direction", "1"], "take fewer --pictures, or --device cpu"),
        (
            ["directions", "--out", "RUN"],
            "full; what is done is kept: write --chunk 1 or --memory free, or --device cpu",
        ),
    ],
)
def test_a_gpu_that_is_full_is_one_line(arguments, remedy, folder, monkeypatch, capsys):
    """Its remedies are options that the command has."""

    def full(*arguments, **options):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    monkeypatch.setattr(hspace, "load", full)
    arguments = [str(folder / "run") if word == "RUN" else word for word in arguments]
    assert cli.main(arguments) == 2
    [shown] = capsys.readouterr().err.splitlines()
    assert remedy in shown
    with pytest.raises(SystemExit):
        cli.main([arguments[0], "--help"])
    assert set(re.findall(r"--\w+", remedy)) <= set(re.findall(r"--\w+", capsys.readouterr().out))


def test_an_error_of_the_program_is_shown_whole(monkeypatch):
    monkeypatch.setattr(hspace, "load", lambda *a, **o: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main(["results", "fifty_directions"])


def test_pictures_of_a_folder_are_treated_and_gone_on_with(folder, tmp_path, capsys):
    (tmp_path / "faces").mkdir()
    Image.new("RGB", (8, 8), "tan").save(tmp_path / "faces" / "ann & bob.png")
    Image.new("RGB", (20, 10), "teal").save(tmp_path / "faces" / "wide.jpg")
    command = ["directions", "--model", str(folder / "model"), "--timesteps", "800,400", "--k", "2", "--steps", "5"]
    out = ["--device", "cpu", "--out", str(tmp_path / "run")]
    assert cli.main([*command, *out, "--pictures", str(tmp_path / "faces")]) == 0
    assert "wide.jpg: 20×10 cropped and scaled to 8×8" in capsys.readouterr().err
    there = Treatment(tmp_path / "run")
    assert there.plan.seeds == (0, 1) and there.about["pictures"] == str(tmp_path / "faces")
    there.path(1, 400).unlink()
    assert cli.main(["directions", *out]) == 0 and "4 of 4 units done" in capsys.readouterr().out
    assert cli.main(["gallery", str(tmp_path / "run"), "--out", str(tmp_path / "g.html"), "--device", "cpu"]) == 0
    page = (tmp_path / "g.html").read_text(encoding="utf-8")
    assert "Ann &amp; bob.png, t = 800" in page and str(tmp_path) not in page and "differs by" in page
    (tmp_path / "faces" / "bad.png").write_text("no picture")
    assert cli.main(["directions", *out]) == 2
    assert "bad.png is damaged or no picture" in capsys.readouterr().err


def test_a_prompt_is_kept_and_found_again(tmp_path, capsys, monkeypatch):
    stand_in(monkeypatch)
    parts = {"unet": conditional_unet(size=8), "vae": autoencoder(), "scheduler": scheduler("epsilon")}
    for name, part in parts.items():
        part.save_pretrained(tmp_path / "sd" / name)
    index = {name: ["diffusers", type(part).__name__] for name, part in parts.items()}
    (tmp_path / "sd" / "model_index.json").write_text(json.dumps(index | CLIP))
    common = ["--model", str(tmp_path / "sd"), "--seeds", "0", "--timesteps", "800", "--k", "2", "--steps", "5"]
    command = ["directions", *common, "--device", "cpu", "--out", str(tmp_path / "run")]
    assert cli.main(command) == 2 and "write --prompt 'a photo of a cat'" in capsys.readouterr().err
    assert cli.main([*command, "--guidance", "2"]) == 2 and "write --prompt" in capsys.readouterr().err
    assert cli.main([*command, "--prompt", "a <cat>", "--guidance", "2"]) == 0
    assert Treatment(tmp_path / "run").about["prompt"] == "a <cat>"
    assert cli.main(["directions", "--device", "cpu", "--out", str(tmp_path / "run")]) == 0
    assert cli.main([*command, "--prompt", "a dog"]) == 2
    assert "another treatment: its schedule and conditioning" in capsys.readouterr().err
    assert cli.main(["gallery", str(tmp_path / "run"), "--out", str(tmp_path / "g.html"), "--device", "cpu"]) == 0
    assert "a &lt;cat&gt;" in (tmp_path / "g.html").read_text(encoding="utf-8")


def test_an_edit_walks_along_a_direction(folder, tmp_path, capsys):
    common = ["edit", str(folder / "run"), "--seed", "1", "--t", "400", "--device", "cpu", "--length", "-3"]
    for extra in ([], ["--walk"]):
        out = tmp_path / "new" / "edit.png"
        assert cli.main([*common, "--direction", "2", "--pictures", "2", "--out", str(out), *extra]) == 0
        assert Image.open(out).size == (24, 8)
    assert "3 away in x" in capsys.readouterr().out


def test_an_edit_follows_a_wish_by_any_judge(folder, tmp_path, capsys, monkeypatch):
    (tmp_path / "own_judge.py").write_text("def colours(pictures):\n    return 100 * pictures.mean(dim=(2, 3))\n")
    monkeypatch.chdir(tmp_path)
    command = ["edit", str(folder / "run"), "--seed", "1", "--t", "400", "--device", "cpu"]
    assert cli.main([*command, "--wish", "brightness=1", "--judge", "own_judge:colours"]) == 2
    assert "no factor is called 'brightness'; the judge tells 0, 1, 2" in capsys.readouterr().err
    assert cli.main([*command, "--wish", "7=1", "--judge", "own_judge:colours"]) == 2
    assert "no factor is called 7; the judge tells 0, 1, 2" in capsys.readouterr().err
    assert cli.main([*command, "--direction", "1", "--judge", "own_judge:colours"]) == 0
    before = colours(capsys.readouterr().out)[2][0]
    assert Image.open("edit.png").size == (40, 8)
    assert cli.main([*command, "--wish", f"2={before + 0.5}", "--judge", "own_judge:colours"]) == 0
    told = colours(capsys.readouterr().out)
    assert told[2] == pytest.approx((before, before + 0.5), abs=0.1) and Image.open("edit.png").size == (16, 8)
    assert [after for _, after in told[:2]] == pytest.approx([before for before, _ in told[:2]], abs=0.1)


def colours(said):
    """What a judge without names said of the first picture and the last, [(before, after)]."""
    return [(float(a), float(b)) for a, b in re.findall(r"^\d: (\S+) → (\S+)$", said, re.MULTILINE)]


@pytest.mark.parametrize(("dtype", "more"), [("float64", []), ("bfloat16", ["--tol", "0.1"])])
def test_a_treatment_in_another_dtype_is_judged_and_edited(dtype, more, folder, tmp_path, capsys, monkeypatch):
    """By a judge that knows float32 alone; only a walk is not for 16 bits."""
    source = "import torch\nrows = torch.linspace(-1, 1, 192).view(192, 1)\n"
    (tmp_path / "float_judge.py").write_text(source + "def judge(pictures):\n    return pictures.flatten(1) @ rows\n")
    monkeypatch.chdir(tmp_path)
    command = ["directions", "--model", str(folder / "model"), "--seeds", "0", "--timesteps", "400", "--k", "3"]
    assert cli.main([*command, *more, "--dtype", dtype, "--steps", "5", "--device", "cpu", "--out", "run"]) == 0
    common, judge = ["edit", "run", "--seed", "0", "--t", "400", "--device", "cpu"], ["--judge", "float_judge"]
    capsys.readouterr()
    assert cli.main([*common, "--direction", "1", *judge]) == 0
    before = colours(capsys.readouterr().out)[0][0]
    assert cli.main([*common, "--wish", f"0={before + 0.5}", *judge]) == 0
    assert abs(colours(capsys.readouterr().out)[0][1] - before - 0.5) < 0.3
    assert cli.main(["gallery", "run", "--device", "cpu", "--pictures", "2", *judge]) == 0
    assert "; 0 " in (tmp_path / "gallery.html").read_text(encoding="utf-8")
    capsys.readouterr()
    assert cli.main([*common, "--direction", "1", "--walk", "--pictures", "1"]) == (2 if more else 0)
    assert ("--walk is too fine for bfloat16" in capsys.readouterr().err) == bool(more)


def test_a_gallery_of_some(folder, tmp_path, capsys):
    out = tmp_path / "g.html"
    command = ["gallery", str(folder / "run"), "--out", str(out), "--seeds", "1", "--count", "9", "--device", "cpu"]
    assert cli.main([*command, "--pictures", "3", "--reach", "2", "--like", "0,800"]) == 0
    page = out.read_text(encoding="utf-8")
    assert page.count("<img") == 6 and "Seed 1, t = 800" in page and "Seed 0" not in page
    assert "opens in any browser" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["directions", "--model", "/nowhere/at/all"], "/nowhere/at/all"),
        (["directions", "--timesteps", "1234"], "1234"),
        (["directions", "--layer", "mid_blok"], "close to it: mid_block"),
        (["directions", "--device", "gpu"], "write cpu, cuda or cuda:1"),
        (["directions", "--device", "meta"], "--device meta: it holds shapes and no numbers; write cpu"),
        (["directions", "--revision", "v1"], "revision='v1' pins a model on the hub, but no name is given"),
        (["directions", "--status"], "holds no treatment"),
        (["directions", "--seeds", "1", "--pictures", "."], "--seeds and --pictures exclude each other"),
        (["directions", "--chunk", "1", "--memory", "1"], "--chunk and --memory exclude each other"),
        (["directions", "--model", "MODEL", "--pictures", "/nowhere/at/all"], "no folder /nowhere/at/all of pictures"),
        (["directions", "--model", "MODEL", "--prompt", "a cat"], "came without a text encoder: leave the prompt out"),
        (["directions", "--model", "MODEL", "--dtype", "bfloat16", "--k", "2"], "take the model in float32, or tol"),
        (["results", "fifty_directions", "--t", "1234", "--k", "2", "--pictures", "1"], "1234"),
        (["edit", "nowhere", "--seed", "1", "--t", "400", "--direction", "1"], "hspace directions --out nowhere"),
        (["edit", "nowhere", "--seed", "1", "--t", "400"], "write --direction 3 or --wish fright=0"),
        (["edit", "nowhere", "--seed", "1", "--t", "400", "--walk", "--wish", "nose=1"], "leave out --walk"),
        (["edit", "RUN", "--seed", "1", "--t", "400", "--direction", "4"], "write 1 to 3"),
        (["edit", "RUN", "--seed", "2", "--t", "400", "--direction", "1"], "there are seeds 0, 1, 5"),
        (["edit", "RUN", "--seed", "1", "--t", "400", "--direction", "1", "--judge", "x:y"], "module:function"),
        (["gallery", "nowhere"], "hspace directions --out nowhere"),
        (["gallery", "RUN", "--like", "7"], "write --like SEED,TIMESTEP"),
        (["gallery", "RUN", "--pictures", "1"], "write --pictures 5"),
        (["report", "--model", "/nowhere/at/all"], "/nowhere/at/all"),
    ],
)
def test_errors_are_one_line_and_name_the_value(arguments, message, folder, capsys, tmp_path):
    option = "--book" if arguments[0] == "report" else "--out"
    arguments = [{"RUN": str(folder / "run"), "MODEL": str(folder / "model")}.get(word, word) for word in arguments]
    assert cli.main([*arguments, option, str(tmp_path / "x")]) == 2
    [shown] = capsys.readouterr().err.strip().splitlines()
    assert message in shown and shown.startswith(f"hspace {arguments[0]}:")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--k", "0"], "'0' is not a whole number above 0; write 1 or more"),
        (["--k", "many"], "'many' is not a whole number above 0"),
        (["--seeds", "0..9"], "'0..9' are not seeds; write 0-9 or 3,7,12"),
        (["--seeds", "9-0"], "'9-0' counts down"),
        (["--timesteps", "900;600"], "write 900,600,300"),
        (["--memory", "lots"], "'lots' is no memory; write free, or how many GiB: 20"),
        (["--dtype", "int8"], "invalid choice: 'int8'"),
        (["--bogus"], "unrecognized arguments: --bogus"),
    ],
)
def test_bad_arguments_are_one_line_that_says_what_to_write(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["directions", "--out", "nowhere", *arguments])
    [shown] = capsys.readouterr().err.strip().splitlines()
    assert stop.value.code == 2 and message in shown


def test_seeds_are_ranges_with_both_ends():
    assert cli.seeds("0-3,7,12-12") == (0, 1, 2, 3, 7, 12) and cli.seeds("5") == (5,)


def test_each_process_of_a_launcher_has_its_own_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for rank, expected in (("0", 0), ("1", 1), ("3", 1)):
        monkeypatch.setenv("LOCAL_RANK", rank)
        assert cli.device(None) == torch.device("cuda", expected)
    assert cli.device("cuda:0") == torch.device("cuda", 0) and cli.device("cpu") == torch.device("cpu")
    with pytest.raises(ValueError, match="--device cuda:2: the last GPU that torch sees here is cuda:1"):
        cli.device("cuda:2")


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["results", "fifty_directions"], False),
        (["report"], False),
        (["edit", "RUN", "--seed", "1", "--t", "400", "--direction", "1"], False),
        (["gallery", "RUN", "--out", "PAGE"], False),
        (["train", "--sketch"], False),
        (["train", "--judges"], False),
        (["train"], True),
        (["bench", "svd"], False),
        (["bench", "edit"], True),
        (["directions", "--out", "RUN"], True),
    ],
)
def test_a_stop_says_what_is_kept_where_it_is(arguments, kept, folder, tmp_path, monkeypatch, capsys):
    from hspace.cats import train

    def stopped(*arguments, **options):
        raise KeyboardInterrupt

    for place, name in ((hspace, "load"), (train, "train_judge"), (train, "train_alice")):
        monkeypatch.setattr(place, name, stopped)
    places = {"RUN": str(folder / "run"), "PAGE": str(tmp_path / "page.html")}
    command = [places.get(word, word) for word in arguments]
    assert cli.main(command) == 130
    end = "stopped; what is done is kept\n" if kept else "stopped\n"
    assert capsys.readouterr().err == f"hspace {command[0]}: {end}"


def test_a_stopped_gallery_says_that_its_parts_are_kept(folder, tmp_path, monkeypatch, capsys):
    def stopped(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(hspace, "load", stopped)
    (tmp_path / "page.html.parts").mkdir()
    assert cli.main(["gallery", str(folder / "run"), "--out", str(tmp_path / "page.html")]) == 130
    assert capsys.readouterr().err == "hspace gallery: stopped; what is done is kept\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--tasks", "no tail"], "'no tail' is not one of 'no fright'"), (["--methods", "luck"], "'luck' is not one of")],
)
def test_bench_edit_names_its_tasks_and_methods(arguments, message, capsys):
    assert cli.main(["bench", "edit", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("what", ["svd", "edit"])
def test_both_benchmarks_write_the_page_they_are_given(what, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(f"benchmarks.{what}.main", lambda *given, **named: seen.extend([*given, *named.values()]))
    monkeypatch.setattr("hspace.load", lambda *given, **named: None)
    assert cli.main(["bench", what, "--page", str(tmp_path / "page.md")]) == 0
    assert tmp_path / "page.md" in seen


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--judges", "--steps", "5", "--seed", "0"], "--judges has no use for --steps, --seed: these are for Alice"),
        (["--sketch", "--rate", "1e-3", "--onward"], "--sketch has no use for --rate, --onward"),
        (["--judges", "--device", "cuda"], "--device cuda: the judges train on the CPU; leave it out"),
        (["--sketch", "--device", "meta"], "--device meta: it holds shapes and no numbers"),
        (["--device", "gpu"], "write cpu, cuda or cuda:1"),
    ],
)
def test_options_that_do_not_apply_are_refused(arguments, message, tmp_path, capsys):
    assert cli.main(["train", *arguments, "--out", str(tmp_path / "x")]) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "x").exists()


def test_the_sketch_is_trained_on_the_gpu_where_there_is_one(tmp_path, monkeypatch):
    from hspace.cats import train

    devices = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(hspace, "load", lambda device: devices.append(device))
    monkeypatch.setattr(train, "train_sketch", lambda model, folder: {"ear": 0.25})
    assert cli.main(["train", "--sketch", "--out", str(tmp_path)]) == 0
    assert cli.main(["train", "--sketch", "--out", str(tmp_path), "--device", "cpu"]) == 0
    assert devices == [torch.device("cuda", 0), torch.device("cpu")]


def test_the_sketch_and_the_judges_are_trained_one_at_a_time(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--judges", "--sketch"])
    assert "not allowed with" in capsys.readouterr().err


def test_judges_and_sketch_are_trained_from_the_command_line(tmp_path, monkeypatch, capsys):
    from hspace.cats import train

    monkeypatch.setattr(train, "train_judge", lambda kind, folder: {"nose": 0.5})
    monkeypatch.setattr(train, "train_sketch", lambda model, folder: {"ear": 0.25})
    assert cli.main(["train", "--judges", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "guide: R² nose 0.500\nreferee: R² nose 0.500\n"
    assert cli.main(["train", "--sketch", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "sketch: R² ear 0.250\n"


def test_train_runs_from_the_command_line(tmp_path, monkeypatch, capsys):
    from hspace.cats import train

    tiny = {"block_out_channels": (8, 8, 8, 8), "norm_num_groups": 4, "attention_head_dim": 8}
    monkeypatch.setattr(train, "ARCHITECTURE", train.ARCHITECTURE | tiny)
    state = torch.get_rng_state()
    assert cli.main(["train", "--out", str(tmp_path), "--steps", "2", "--device", "cpu"]) == 0
    assert (tmp_path / "alice" / "model_index.json").is_file() and (tmp_path / "samples.png").is_file()
    assert torch.equal(state, torch.get_rng_state())


def test_a_benchmark_names_the_package_that_it_misses(tmp_path, monkeypatch, capsys):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "svd.py").write_text("import no_such_package")
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "benchmarks"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert cli.main(["bench", "svd"]) == 2
    assert "no_such_package" in capsys.readouterr().err
