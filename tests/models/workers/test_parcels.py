"""Requests with files go to machines that do not have them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.contracts import AudioStyleRequest, SpeechRequest
from models.errors import ModelError
from models.style.video_contracts import VideoStyleRequest
from models.workers import parcels
from models.workers.host import HostSettings, WorkerHost
from models.workers.parcels import FileShelf, SentFile, pack_files, read_pieces, unpack_files
from tests.models.music_video.debug_video import request_for
from tests.models.workers.dice_model import make_dice_spec


def send(path: Path) -> SentFile:
    digest, pieces = read_pieces(path)
    return SentFile(path.name, digest, tuple(pieces))


def carry(value: Any, shelf: FileShelf) -> Any:
    """Return a request as another machine gets it."""
    return unpack_files(pack_files(value, send), shelf.receive)


@dataclass(frozen=True)
class Errand:
    """A request with files at some depth."""

    one: Path
    several: tuple[Path, ...] = ()
    named: dict[str, tuple[int, Path]] = field(default_factory=dict)
    numbers: Any = None


def test_files_at_any_depth_arrive_with_their_bytes_and_names(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]
    for number, path in enumerate(paths):
        path.write_bytes(bytes(range(number, 100 + number)))
    numbers, shelf = np.arange(3), FileShelf(bytes)
    asked = Errand(paths[0], (paths[1], Path("relative.txt"), tmp_path / "to_write.mp4"), {"c": (1, paths[2])}, numbers)
    got = carry(asked, shelf)
    for old, new in zip(paths, (got.one, got.several[0], got.named["c"][1]), strict=True):
        assert new != old and (new.name, new.read_bytes()) == (old.name, old.read_bytes())
    assert got.several[1:] == asked.several[1:] and got.numbers is numbers  # what is not there is not sent
    assert carry(asked, shelf) == got and asked.one == paths[0]  # a file that was sent before lies where it was


def test_a_large_file_goes_in_pieces_and_the_oldest_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcels, "PIECE_BYTES", 10)
    shelf, got = FileShelf(bytes, most_bytes=60), []
    for number in range(3):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(bytes([number]) * 25)
        assert len(send(path).pieces) == 3
        got.append(carry(Errand(path), shelf).one)
    assert [each.exists() for each in got] == [False, True, True] and got[2].read_bytes() == b"\2" * 25


def test_texts_are_files_where_a_request_says_so_and_nowhere_else(tmp_path: Path) -> None:
    song, picture, shelf = tmp_path / "song.wav", tmp_path / "picture.png", FileShelf(bytes)
    song.write_bytes(b"sound")
    picture.write_bytes(b"light")
    sound = carry(AudioStyleRequest(content=str(song), preset="radio"), shelf)
    assert isinstance(sound.content, str) and Path(sound.content).read_bytes() == b"sound" != sound.content
    clip = carry(VideoStyleRequest(str(song), str(picture), others=((str(picture), 0.5),)), shelf)
    assert [Path(each).read_bytes() for each in (clip.path, clip.style, clip.others[0][0])] == [b"sound"] + 2 * [
        b"light"
    ]
    assert {clip.path, clip.style}.isdisjoint({str(song), str(picture)}) and clip.others[0][1] == 0.5
    spoken = SpeechRequest(str(song))
    assert pack_files(spoken, send) is spoken


def test_a_music_video_takes_its_song_along(tmp_path: Path) -> None:
    asked, shelf = request_for(tmp_path, 1.0), FileShelf(bytes)
    got = carry(asked, shelf)
    assert got.song != asked.song and got.song.read_bytes() == asked.song.read_bytes() and got.out == asked.out


def test_the_shelf_of_a_process_that_has_gone_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(60)
    for name in (f"{gone.pid}-left", "strange"):
        (tmp_path / f"{parcels.PREFIX}{name}").mkdir()
    mine = FileShelf(bytes)
    assert not (tmp_path / f"{parcels.PREFIX}{gone.pid}-left").exists() and len(list(tmp_path.iterdir())) == 2
    del mine


def test_a_machine_that_cannot_write_a_file_down_says_so_in_a_sentence(tmp_path: Path) -> None:
    class FullHost(WorkerHost):
        def unpack(self, request: Any) -> Any:
            raise OSError(28, "No space left on device")

    spec = make_dice_spec("full")
    host = FullHost(HostSettings(100.0, str(tmp_path / "cache"), tmp_path))
    (tmp_path / "small.bin").write_bytes(b"1")
    with pytest.raises(ModelError, match="No space left"):
        list(host.stream(spec, Errand(tmp_path / "a.wav")))
