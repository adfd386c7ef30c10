"""The library keeps what arrives whole, shows it to its owner alone, and outlives every loss of its index."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from studio.library.arrival import digest_of
from studio.library.database import MIGRATIONS, NewerIndexError
from studio.library.items import PICTURE, SIDECAR, LibraryItem
from studio.library.store import INDEX, Library, LibraryError, Search
from tests.studio.library.results import keep_tone, write_tone


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


def ids(items: list[LibraryItem]) -> list[str]:
    return [each.id for each in items]


def test_a_result_is_kept_with_all_that_is_known_of_it(library: Library, tmp_path: Path) -> None:
    made = keep_tone(library, tmp_path, 3, "A calm sea")
    (found,) = library.find("local")
    assert found == made
    assert (found.title, found.prompt, found.kind, found.recipe and found.recipe.seed) == (
        "A calm sea",
        "A calm sea",
        "speech",
        3,
    )
    assert found.length_s == pytest.approx(0.1)
    assert max(found.peaks) == pytest.approx(50, abs=1)
    assert len(found.peaks) == 96
    path = library.path("local", found.id, "tone-3.wav")
    assert path.read_bytes() == (tmp_path / "tone-3.wav").read_bytes()
    assert found.files[0].digest == digest_of(path)


def test_a_film_has_a_picture_and_a_length(library: Library, tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    from studio.video.exports import write_clip

    frames = np.full((24, 48, 64, 3), (200, 40, 40), np.uint8)
    clip = write_clip(tmp_path / "red.mp4", frames, 12)
    arrival = library.begin()
    arrival.add("file", clip)
    item = arrival.keep(LibraryItem("00000000001-0000000a", "local", "video", "Red"))
    assert item.length_s == pytest.approx(2.0)
    with Image.open(library.path("local", item.id, PICTURE)) as picture:
        assert picture.size == (64, 48)
        red, green, _ = picture.convert("RGB").getpixel((30, 20))  # type: ignore[misc]
        assert red > 150
        assert green < 80


@pytest.mark.parametrize("step", ["begun", "added", "written", "moved"])
def test_a_half_written_result_never_appears(
    step: str, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_values: object) -> None:
        raise OSError("No space left on device")

    keep_tone(library, tmp_path, 1)
    arrival = library.begin()
    if step != "begun":
        write_tone(tmp_path / "new.wav", 2)
        arrival.add("wav", tmp_path / "new.wav")
    if step == "written":
        monkeypatch.setattr("studio.library.store.write_sidecar", fail)
    if step == "moved":
        monkeypatch.setattr(Path, "rename", fail)
    if step in {"written", "moved"}:
        with pytest.raises(OSError, match="No space"):
            arrival.keep(LibraryItem("00000000001-0000000a", "local", "speech", "New"))
    monkeypatch.undo()
    for each in (library, Library(library.folder)):
        assert [item.title for item in each.find("local")] == ["Hello there"]
    arrival.drop()
    assert list((library.folder / "arriving").iterdir()) == []


def test_a_result_whose_process_died_before_the_index_was_written_appears_at_the_next_start(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_values: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(library.database, "write", die)
    with pytest.raises(KeyboardInterrupt):
        keep_tone(library, tmp_path, 5)
    assert library.find("local") == []
    assert [item.recipe and item.recipe.seed for item in Library(library.folder).find("local")] == [5]


def damage_header(path: Path) -> None:
    path.write_bytes(b"no database at all" + path.read_bytes()[18:])


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def scribble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\x5a" * (len(data) - 4096)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("harm", [Path.unlink, damage_header, cut_short, scribble, lambda path: path.write_bytes(b"")])
def test_a_lost_or_damaged_index_is_rebuilt(harm: Callable[[Path], object], tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    made = [keep_tone(library, tmp_path, seed) for seed in range(5)]
    library.change("local", made[1].id, title="Renamed", is_favourite=True, tags=["sea", "slow"])
    library.delete("local", [made[2].id])
    before = library.find("local")
    library.database.close()
    for suffix in ("-wal", "-shm"):
        (library.folder / f"{INDEX}{suffix}").unlink(missing_ok=True)
    harm(library.folder / INDEX)
    again = Library(library.folder)
    assert again.find("local") == before
    assert again.restore("local", [made[2].id]) == [made[2].id]
    assert len(again.find("local")) == 5


def test_an_index_that_is_damaged_while_the_studio_runs_is_rebuilt(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    made = [keep_tone(library, tmp_path, seed, f"Number {seed} " + "long " * 200) for seed in range(12)]
    library.database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    library.database._connection.execute("PRAGMA cache_size = 1")
    scribble(library.folder / INDEX)
    assert ids(library.find("local")) == ids(made)[::-1]
    assert list(library.folder.glob("index-damaged-*.sqlite"))


@pytest.mark.parametrize("text", [None, "", "{}", "[1]", '{"id": 3', "\0" * 100, "x" * 600_000])
def test_what_is_lost_beside_the_files_is_read_from_their_recipes(text: str | None, tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    made = keep_tone(library, tmp_path, 9, "Under the bridge")
    sidecar = library.folder / "items" / "local" / made.id / SIDECAR
    sidecar.unlink()
    if text is not None:
        sidecar.write_text(text)
    library.database.close()
    (library.folder / INDEX).unlink()
    (found,) = Library(library.folder).find("local")
    assert (found.id, found.title, found.kind, found.recipe) == (made.id, made.title, made.kind, made.recipe)
    assert found.peaks == made.peaks
    assert found.created_s == pytest.approx(made.created_s, abs=5)
    assert sidecar.stat().st_size > 100


def test_an_entry_of_another_folder_is_not_believed(library: Library, tmp_path: Path) -> None:
    mine, theirs = keep_tone(library, tmp_path, 1, owner="me"), keep_tone(library, tmp_path, 2, owner="them")
    items = library.folder / "items"
    shutil.copy(items / "them" / theirs.id / SIDECAR, items / "me" / mine.id / SIDECAR)
    library.database.close()
    (library.folder / INDEX).unlink()
    again = Library(library.folder)
    assert ids(again.find("me")) == [mine.id]
    assert ids(again.find("them")) == [theirs.id]


def test_an_index_of_a_later_version_is_left_alone(library: Library) -> None:
    library.database.close()
    with sqlite3.connect(library.folder / INDEX) as later:
        later.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    later.close()
    with pytest.raises(NewerIndexError, match="later version"):
        Library(library.folder)


def test_an_index_of_the_first_form_is_brought_up_to_date(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    made = keep_tone(Library(folder), tmp_path, 4)
    for file in folder.glob(f"{INDEX}*"):
        file.unlink()
    old = sqlite3.connect(folder / INDEX)
    old.executescript(MIGRATIONS[0])
    old.execute("PRAGMA user_version = 1")
    old.close()
    library = Library(folder)
    assert ids(library.find("local")) == [made.id]
    assert library.database.read("SELECT COUNT(*) AS count FROM jobs")[0]["count"] == 0


def test_nobody_reaches_what_belongs_to_another(library: Library, tmp_path: Path) -> None:
    mine = keep_tone(library, tmp_path, 1, owner="me")
    assert library.find("them") == []
    assert library.delete("them", [mine.id]) == []
    assert library.find_family("them", mine.id) == ([], [])
    assert library.find_source("them", tmp_path / "tone-1.wav") is None
    assert library.usage("them").count == 0
    for ask in (
        lambda: library.get("them", mine.id),
        lambda: library.path("them", mine.id, mine.files[0].name),
        lambda: library.change("them", mine.id, title="Stolen"),
    ):
        with pytest.raises(LibraryError, match="not in your library"):
            ask()
    assert library.get("me", mine.id) == mine


@pytest.mark.parametrize("name", [SIDECAR, "../index.sqlite", "secret", "/etc/passwd", ""])
def test_only_an_items_own_files_are_given(name: str, library: Library, tmp_path: Path) -> None:
    made = keep_tone(library, tmp_path)
    with pytest.raises(LibraryError, match="not in your library"):
        library.path("local", made.id, name)


def test_search_by_words_kind_star_and_page(library: Library, tmp_path: Path) -> None:
    sea = keep_tone(library, tmp_path, 1, "A calm SEA at night")
    city = keep_tone(library, tmp_path, 2, "A city, 50% asleep")
    library.change("local", city.id, is_favourite=True, tags=["Late"])
    assert ids(library.find("local", Search("night sea"))) == [sea.id]
    assert ids(library.find("local", Search("late"))) == [city.id]
    assert ids(library.find("local", Search("%"))) == [city.id]
    assert library.find("local", Search("_")) == []
    assert ids(library.find("local", Search(is_favourite=True))) == [city.id]
    assert library.find("local", Search(kinds=("music", "video"))) == []
    assert ids(library.find("local", Search(kinds=("music", "speech")))) == [city.id, sea.id]
    assert ids(library.find("local", Search(most=1))) == [city.id]
    assert ids(library.find("local", Search(before=city.id))) == [sea.id]
    assert library.count_kinds("local") == {"speech": 2}


def test_what_was_made_from_what_is_a_family(library: Library, tmp_path: Path) -> None:
    song = keep_tone(library, tmp_path, 1)
    video = keep_tone(library, tmp_path, 2, parents=(song.id,))
    styled = keep_tone(library, tmp_path, 3, parents=(video.id,))
    keep_tone(library, tmp_path, 4)
    items, edges = library.find_family("local", video.id)
    assert ids(items) == [song.id, video.id, styled.id]
    assert edges == [(song.id, video.id), (video.id, styled.id)]
    found = library.find_source("local", tmp_path / "tone-1.wav")
    assert found is not None
    assert (found[0].id, found[1].name) == (song.id, "tone-1.wav")


def test_the_oldest_without_a_star_go_first_and_of_whoever_holds_the_most(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    first = [keep_tone(library, tmp_path, seed, owner="much") for seed in range(20, 24)]
    other = keep_tone(library, tmp_path, 18, owner="little")
    library.change("much", first[0].id, is_favourite=True)
    library.delete("little", [keep_tone(library, tmp_path, 19, owner="little").id])
    library.quota_bytes = library.usage("much").total_bytes
    last = keep_tone(library, tmp_path, 10, owner="much")  # takes the room of what was deleted
    assert ids(library.find("much")) == [last.id, *ids(first[::-1])]
    assert library.usage("little").deleted == 0
    newest = keep_tone(library, tmp_path, 11, owner="much")
    assert ids(library.find("much")) == [newest.id, last.id, first[3].id, first[2].id, first[0].id]
    assert ids(library.find("little")) == [other.id]
    library.quota_bytes = 1
    alone = keep_tone(library, tmp_path, 12, owner="much")
    assert ids(library.find("much")) == [alone.id, first[0].id]
    assert list((library.folder / "arriving").iterdir()) == []


def test_a_deleted_item_can_be_had_back_until_it_is_purged(library: Library, tmp_path: Path) -> None:
    made = keep_tone(library, tmp_path)
    assert library.delete("local", [made.id, "nothing"]) == [made.id]
    assert library.find("local") == []
    assert library.restore("local", [made.id]) == [made.id]
    assert library.find("local") == [made]
    library.delete("local", [made.id])
    assert library.purge(3600) == 0
    assert library.purge(0) == 1
    assert library.restore("local", [made.id]) == []
    assert not (library.folder / "items" / "local" / made.id).exists()


def test_folders_that_never_arrived_are_cleared_after_a_while(library: Library) -> None:
    import os

    old, new = library.begin(), library.begin()
    long_ago = time.time() - 86_400
    os.utime(old.folder, (long_ago, long_ago))
    Library(library.folder)
    assert not old.folder.exists()
    assert new.folder.exists()


class LibraryMachine(RuleBasedStateMachine):
    """Whatever is done in whatever order, the library holds what a plain dictionary would."""

    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = Path(tempfile.mkdtemp())
        self.library = Library(self.folder / "library")
        self.model: dict[str, LibraryItem] = {}
        self.seed = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @rule(target=made, owner=st.sampled_from(["a", "b"]), text=st.text(max_size=40))
    def arrive(self, owner: str, text: str) -> str:
        self.seed += 1
        item = keep_tone(self.library, self.folder, self.seed, text, owner)
        self.model[item.id] = item
        return item.id

    @rule(item=made, title=st.text(max_size=300), star=st.booleans(), tags=st.lists(st.text(max_size=9), max_size=4))
    def change(self, item: str, title: str, star: bool, tags: list[str]) -> None:
        if item not in self.model:
            return
        owner = self.model[item].owner
        if title.split():
            self.model[item] = self.library.change(owner, item, title=title, is_favourite=star, tags=tags)
            assert self.model[item].title
            assert self.model[item].favourite == star
        else:
            with pytest.raises(LibraryError):
                self.library.change(owner, item, title=title)

    @rule(item=made)
    def delete(self, item: str) -> None:
        if item in self.model:
            self.library.delete(self.model[item].owner, [item])
            self.model[item] = self.library.get(self.model[item].owner, item)
            assert self.model[item].deleted_s is not None

    @rule(item=made)
    def restore(self, item: str) -> None:
        if item in self.model:
            self.library.restore(self.model[item].owner, [item])
            self.model[item] = replace(self.model[item], deleted_s=None)

    @rule(item=consumes(made))
    def purge(self, item: str) -> None:
        if item in self.model:
            self.library.delete(self.model[item].owner, [item])
            self.library.purge(0)
            self.model = {at: each for at, each in self.model.items() if each.deleted_s is None and at != item}

    @rule(is_lost=st.booleans())
    def reopen(self, is_lost: bool) -> None:
        self.library.database.close()
        if is_lost:
            for file in self.library.folder.glob(f"{INDEX}*"):
                file.unlink()
        self.library = Library(self.library.folder)

    @invariant()
    def holds_the_same(self) -> None:
        for owner in ("a", "b"):
            wanted = [each for each in self.model.values() if each.owner == owner and each.deleted_s is None]
            assert self.library.find(owner) == sorted(wanted, key=lambda each: each.id, reverse=True)
            everything = [each for each in self.model.values() if each.owner == owner]
            assert self.library.usage(owner).bytes == sum(each.bytes for each in everything)


LibraryMachine.TestCase.settings = settings(
    max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLibraryMachine = pytest.mark.slow(LibraryMachine.TestCase)
