"""Folders of songs: those of a killed process are cleared at the next start, those in use never."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from studio.io import temp_folders

HOLDER = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from studio.io import temp_folders as held_folders
print(held_folders.hold(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_living_process_keeps_its_folder_and_a_killed_one_does_not(room: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(room)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        (theirs / "song.wav").write_bytes(b"sound")
        assert temp_folders.clear_abandoned() == [] and (theirs / "song.wav").exists()
        other.kill()
        other.wait()
        assert theirs.exists()
        assert temp_folders.clear_abandoned() == [theirs] and not theirs.exists()


def test_own_folders_stay_until_they_are_released(room: Path) -> None:
    mine = temp_folders.hold()
    assert temp_folders.clear_abandoned() == [] and mine.is_dir()
    temp_folders.release(mine)
    temp_folders.release(mine)
    assert list(room.iterdir()) == []
    with temp_folders.held() as folder:
        assert temp_folders.clear_abandoned() == [] and Path(folder).is_dir()
    assert list(room.iterdir()) == []


def test_folders_of_others_stay(room: Path) -> None:
    for name in ("auralume-song-unlocked", "something-else"):
        (room / name).mkdir()
    (room / "something-else" / temp_folders.LOCK).touch()
    assert temp_folders.clear_abandoned() == [] and len(list(room.iterdir())) == 2
    temp_folders.release(room / "something-else")
    assert (room / "something-else").exists()


def test_where_nothing_can_be_locked_a_folder_is_had_all_the_same(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temp_folders, "try_lock", lambda file: False)
    folder = temp_folders.hold()
    assert list(room.iterdir()) == [folder] and list(folder.iterdir()) == []
    temp_folders.release(folder)
    assert list(room.iterdir()) == []
