"""Results that are passed on: held until they are taken, and then nothing of them is left but their digests."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from studio.commands.entry import open_library, read_options
from studio.library.items import LibraryItem, new_id
from studio.library.store import Library, LibraryError
from studio.library.transit import Transit

OWNER = "ab" * 16


def add(
    library: Library, folder: Path, text: str, parents: tuple[str, ...] = (), created_s: float = 0.0
) -> LibraryItem:
    path = folder / "words.txt"
    path.write_text(text)
    arrival = library.begin()
    arrival.add("file", path)
    created_s = created_s or time.time()
    item = LibraryItem(new_id(created_s), OWNER, "speech", text, prompt=text, parents=parents, created_s=created_s)
    return arrival.keep(item)


def test_what_was_taken_is_gone_but_known_as_a_parent(tmp_path: Path) -> None:
    library = Transit()
    item = add(library, tmp_path, "a secret")
    path = library.path(OWNER, item.id, "words.txt")
    assert library.take(OWNER, [item.id, "nobody's"]) == [item.id]
    assert library.find(OWNER) == [] and library.usage(OWNER).count == 0 and library.usage(OWNER).total_bytes == 0
    assert not path.exists()
    with pytest.raises(LibraryError):
        library.path(OWNER, item.id, "words.txt")
    found = library.find_source(OWNER, tmp_path / "words.txt")
    assert found is not None and found[0].id == item.id
    assert (found[0].title, found[0].prompt) == ("", "")
    rows = library.database.read("SELECT data, words FROM items")
    assert not any("a secret" in f"{row['data']}{row['words']}" for row in rows)
    child = add(library, tmp_path, "a child", (item.id,))
    assert library.find_family(OWNER, child.id)[1] == [(item.id, child.id)]


def test_nobody_takes_what_is_anothers(tmp_path: Path) -> None:
    library = Transit()
    item = add(library, tmp_path, "mine")
    assert library.take("cd" * 16, [item.id]) == []
    assert library.get(OWNER, item.id).title == "mine"


def test_what_nobody_comes_for_is_let_go(tmp_path: Path) -> None:
    library = Transit()
    old = add(library, tmp_path, "old", created_s=time.time() - 7200)
    assert library.find(OWNER) == []  # its own arrival let it go
    new = add(library, tmp_path, "new")
    assert [each.id for each in library.find(OWNER)] == [new.id]
    assert library.get(OWNER, old.id).title == ""


def test_its_folder_goes_with_it() -> None:
    library = Transit()
    folder = library.folder
    assert folder.is_dir()
    library.database.close()
    library.close()
    assert not folder.exists()


def test_a_space_passes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/auralume")
    assert isinstance(open_library(read_options([])), Transit)
    assert open_library(read_options(["--no-library"])) is None
    kept = open_library(read_options(["--library", str(tmp_path / "kept")]))
    assert kept is not None and not isinstance(kept, Transit)
