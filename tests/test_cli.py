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


def test_train_runs_from_the_command_line(tmp_path, monkeypatch, capsys):
    from hspace.cats import train

    tiny = {"block_out_channels": (8, 8, 8, 8), "norm_num_groups": 4, "attention_head_dim": 8}
    monkeypatch.setattr(train, "ARCHITECTURE", train.ARCHITECTURE | tiny)
    state = torch.get_rng_state()
    assert cli.main(["train", "--out", str(tmp_path), "--steps", "2", "--device", "cpu"]) == 0
    assert (tmp_path / "alice" / "model_index.json").is_file() and (tmp_path / "samples.png").is_file()
    assert torch.equal(state, torch.get_rng_state())
