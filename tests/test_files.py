"""Files and folders that are whole or not there."""

import pytest

from hspace import files
from hspace.files import write_folder


def filled(text):
    """An action that fills a folder with one file."""

    def action(folder):
        folder.mkdir()
        (folder / "a.txt").write_text(text)

    return action


def test_a_folder_is_replaced_whole(tmp_path):
    for text in ("old", "new"):
        write_folder(tmp_path / "x", filled(text))
        assert (tmp_path / "x" / "a.txt").read_text() == text and len(list(tmp_path.iterdir())) == 1


def test_a_crash_between_the_two_renames_loses_nothing(tmp_path, monkeypatch):
    """Not even where the next call fails before it has written anything."""
    replace, renames = files.os.replace, []

    def dying(source, target):
        renames.append(target)
        if len(renames) == 2:
            raise KeyboardInterrupt
        replace(source, target)

    def failing(folder):
        raise OSError("the disk is full")

    path = tmp_path / "x"
    write_folder(path, filled("good"))
    monkeypatch.setattr(files.os, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        write_folder(path, filled("never seen"))
    assert not path.exists()
    with pytest.raises(OSError, match="disk is full"):
        write_folder(path, failing)
    assert (path / "a.txt").read_text() == "good"
    write_folder(path, filled("newer"))
    assert (path / "a.txt").read_text() == "newer" and len(list(tmp_path.iterdir())) == 1
