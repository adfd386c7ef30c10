"""What a run leaves for the library: its files whole, what they were made from, and nothing that was only given."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from studio.library.store import Library
from studio.page.events import Files, Kept, Status
from studio.page.keeping import ORIGINS, Keeping, note_origin
from tests.studio.library.results import keep_tone, write_tone


@dataclass
class Piece:
    """What a page remembers of a result."""

    name: str


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


def begin(library: Library, **more: object) -> Keeping:
    return Keeping(library, "local", "sync", frozenset({"wav", "srt", "file"}), **more)  # type: ignore[arg-type]


def test_files_of_one_run_are_one_item_and_outlive_their_folder(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    write_tone(folder / "hello.wav", 5, "Hello")
    (folder / "hello.srt").write_text("1")
    (folder / "seen.png").write_bytes(b"shown, but not offered")
    keeping = begin(library)
    keeping.add((Status(""), Files({"wav": None, "srt": None})))
    keeping.add((Files({"wav": folder / "hello.wav", "player": folder / "hello.wav"}),))
    keeping.add((Files({"srt": folder / "hello.srt", "picture": folder / "seen.png"}),))
    shutil.rmtree(folder)
    assert library.find("local") == []
    (item,) = keeping.finish()
    assert library.find("local") == [item]
    assert sorted(each.name for each in item.files) == ["hello.srt", "hello.wav"]
    assert (item.kind, item.title) == ("speech", "Hello")
    assert keeping.finish() == []


def test_several_results_of_one_run_are_items_of_their_own(library: Library, tmp_path: Path) -> None:
    names = ("idea-1", "idea-2")
    for seed, name in enumerate(names):
        write_tone(tmp_path / f"{name}.wav", seed, f"The {name}")
    keeping = begin(library)
    keeping.add((Files({name: tmp_path / f"{name}.wav" for name in names}),))
    assert [item.title for item in keeping.finish()] == ["The idea-1", "The idea-2"]


def test_what_was_given_is_a_parent_and_no_result(library: Library, tmp_path: Path) -> None:
    parent = keep_tone(library, tmp_path, 3)
    given = tmp_path / "upload.wav"
    shutil.copy(library.path("local", parent.id, "tone-3.wav"), given)
    write_tone(tmp_path / "new.wav", 4, "New")
    keeping = begin(library, uploads={"content": str(given)})
    keeping.add((Files({"original": given, "file": tmp_path / "new.wav"}),))
    (item,) = keeping.finish()
    assert [each.name for each in item.files] == ["new.wav"]
    assert item.parents == (parent.id,)
    assert item.inputs == {"content": (parent.id, "tone-3.wav")}


def test_a_result_without_a_recipe_is_called_after_its_file(library: Library, tmp_path: Path) -> None:
    (tmp_path / "my-clip-in-sync.mp4").write_bytes(b"no real film")
    keeping = begin(library)
    keeping.add((Files({"file": tmp_path / "my-clip-in-sync.mp4"}),))
    (item,) = keeping.finish()
    assert (item.kind, item.title, item.recipe) == ("sync", "My clip in sync", None)


def test_objects_of_the_page_carry_where_they_came_from(library: Library, tmp_path: Path) -> None:
    piece, song, corrected = Piece("piece"), Piece("song"), Piece("song")
    first = begin(library)
    write_tone(tmp_path / "a.wav", 1)
    first.add((Files({"wav": tmp_path / "a.wav"}), Kept({"current": piece, "made": True})))
    (made,) = first.finish()
    assert ORIGINS.find(piece) == (made.id,)
    note_origin(library, "local", (Kept({"song": song}),), piece)
    note_origin(library, "local", (Kept({"song": corrected, "beat": 0}),), song)
    second = begin(library, things=(corrected, None, 3))
    write_tone(tmp_path / "b.wav", 2)
    second.add((Files({"wav": tmp_path / "b.wav"}),))
    assert second.finish()[0].parents == (made.id,)
    assert ORIGINS.find(Piece("piece")) == ()
    note_origin(library, "local", (Kept({"song": song}),), str(tmp_path / "b.wav"))
    assert len(ORIGINS.find(song)) == 1


def test_a_full_disk_is_told_and_ends_nothing(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_values: object) -> None:
        raise OSError(28, "No space left on device")

    write_tone(tmp_path / "a.wav", 1)
    monkeypatch.setattr("os.fsync", fail)
    keeping = begin(library)
    keeping.add((Files({"wav": tmp_path / "a.wav"}),))
    assert keeping.finish() == []
    assert keeping.problem == "This result could not be kept in the library: No space left on device."
    assert library.find("local") == []
    assert list((library.folder / "arriving").iterdir()) == []
