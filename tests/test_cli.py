"""The command line: what it says when something is wrong, and that its help names every command."""

import pytest
import torch

from hspace import cli


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert stop.value.code == 0 and all(name in shown for name in ("train", "report", "directions", "bench"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["directions", "--model", "/nowhere/at/all"], "/nowhere/at/all"),
        (["directions", "--t", "1234", "--k", "2", "--pictures", "1"], "1234"),
        (["report", "--model", "/nowhere/at/all"], "/nowhere/at/all"),
    ],
)
def test_errors_are_one_line_and_name_the_value(arguments, message, capsys, tmp_path):
    extra = ["--out", str(tmp_path / "x.safetensors")] if arguments[0] == "directions" else ["--book", str(tmp_path)]
    assert cli.main([*arguments, *extra]) == 2
    shown = capsys.readouterr().err.strip().splitlines()[-1]
    assert message in shown and shown.startswith(f"hspace {arguments[0]}:")
    assert list(tmp_path.iterdir()) == []


def test_counts_must_be_positive(capsys):
    with pytest.raises(SystemExit):
        cli.main(["directions", "--k", "0"])
    assert "above 0" in capsys.readouterr().err


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
