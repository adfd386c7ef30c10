"""Whole books in the studio: the shelf, the work in the background, listening, routes, and the endpoint."""

from __future__ import annotations

import io
import json
import time
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from models.books.book import BookError
from models.books.script import Pauses, Reading
from models.media.program import find_ffmpeg
from models.registry.registry import Registry
from studio.app import build_studio, launch_studio
from studio.io.ffprobe import probe
from studio.io.marking import studio_marker
from studio.library.store import Library
from studio.page import jobs
from studio.page.keeping import KEPT_BY
from studio.speech import book_html
from studio.speech.book_actions import DESKS, BookDesk, build_reading, read_numbers
from studio.speech.book_controls import BOOK_FIELDS
from studio.speech.book_page import give_voice
from studio.speech.book_shelf import BookFolder, BookShelf, BookState, values_of
from studio.speech.book_worker import BookStatus, Phase
from tests.models.books.files import TALE, page, write_epub
from tests.studio.debug_speech import debug_registry, debug_spec

KEY = "speech/debug"
VALUES = BOOK_FIELDS.defaults() | {"voices": "Anna = high"}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    (tmp_path / "weights").mkdir()
    specs = (debug_spec(), debug_spec("slow", "load_slow"), debug_spec("broken", "load_corrupt"))
    return debug_registry(tmp_path / "weights", *specs)


@pytest.fixture
def desk(registry: Registry, tmp_path: Path) -> BookDesk:
    return BookDesk(registry, tmp_path / "books")


def _wait(desk: BookDesk, folder: BookFolder, until_s: float = 60.0) -> BookStatus:
    deadline_s = time.monotonic() + until_s
    while desk.worker.status(folder.id).is_running and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return desk.worker.status(folder.id)


def _keys(folder: BookFolder) -> set[str]:
    return folder.store.keys()


@pytest.mark.slow
def test_a_book_is_spoken_and_its_files_are_written(desk: BookDesk) -> None:
    folder = desk.open_text("local", TALE)
    assert folder.reading().chapters == (0, 1) and not folder.state().is_finished
    desk.start("local", folder.id, KEY, VALUES | {"formats": ["m4b", "mp3", "wav", "captions", "json"]}, [0, 1])
    assert _wait(desk, folder) == BookStatus()
    assert folder.state().is_finished and folder.reading().voice == "low"
    files = {each.suffix: each for each in folder.list_files()}
    assert set(files) == {".m4b", ".zip", ".wav", ".srt", ".vtt", ".json"}
    assert len(probe(str(files[".m4b"]), find_ffmpeg())["chapters"]) == 2
    told = json.loads(files[".json"].read_text())
    rows = [row for chapter in told["chapters"] for row in chapter["sentences"]]
    assert {row["voice"] for row in rows if row["speaker"] == "Anna"} == {"high"}
    assert all(row["start_s"] <= row["words"][0][1] < row["words"][-1][2] <= row["end_s"] + 1e-3 for row in rows)
    assert "gate" in files[".srt"].read_text() and files[".vtt"].read_text().startswith("WEBVTT")


@pytest.mark.slow
def test_a_paused_book_goes_on_in_another_studio(desk: BookDesk, registry: Registry, tmp_path: Path) -> None:
    folder = desk.open_text("local", TALE)
    desk.start("local", folder.id, "speech/slow", VALUES | {"formats": ["captions"]}, [0, 1])
    while len(_keys(folder)) < 3:
        time.sleep(0.02)
    desk.worker.pause(folder.id, wait_s=20.0)
    spoken = _keys(folder)
    assert 3 <= len(spoken) < len(list(folder.script().iter_passages())) and not folder.list_files()
    stamps = {key: folder.store.path(key).stat().st_mtime_ns for key in spoken}
    again = BookDesk(registry, tmp_path / "books")
    found = again.shelf.list("local")[0]
    state = found.state()
    assert 0 < state.done < state.total and "press Go on" in book_html.status_line("x", state, BookStatus())
    again.start("local", found.id, "speech/slow", VALUES | {"formats": ["captions"]}, [0, 1])
    assert _wait(again, found) == BookStatus()
    assert found.state().is_finished
    assert {key: found.store.path(key).stat().st_mtime_ns for key in spoken} == stamps


@pytest.mark.slow
def test_a_changed_text_speaks_its_changed_sentence_alone(desk: BookDesk) -> None:
    folder = desk.open_text("local", TALE)
    desk.start("local", folder.id, KEY, VALUES, [0, 1])
    _wait(desk, folder)
    before = _keys(folder)
    other = desk.open_text("local", TALE.replace("left.", "went home."))
    assert other.id == folder.id and other.reading().voices == {"Anna": "high"}
    desk.start("local", other.id, KEY, VALUES, [0, 1])
    _wait(desk, other)
    assert len(_keys(other) - before) == 1 and before < _keys(other)


def test_a_doubtful_sentence_is_spoken_anew_with_another_seed(desk: BookDesk) -> None:
    folder = desk.open_text("local", TALE)
    desk.start("local", folder.id, KEY, VALUES | {"formats": ["captions"]}, [0, 1])
    _wait(desk, folder)
    passage = next(iter(folder.script().iter_passages()))
    folder.write_state(replace(folder.state(), doubtful=((passage.base, passage.key, passage.text, "Doubtful."),)))
    desk.speak_anew("local", folder.id, passage.base)
    _wait(desk, folder)
    now = next(iter(folder.script().iter_passages()))
    assert now.base == passage.base and now.key != passage.key and now.key in folder.store
    assert folder.state().doubtful == () and folder.list_files()
    spoken = _keys(folder)
    for expected, is_undone in ((passage.key, True), (now.key, False)):  # Undo, then Redo
        desk.undo("local", folder.id)
        _wait(desk, folder)
        assert next(iter(folder.script().iter_passages())).key == expected and _keys(folder) == spoken
        before = folder.find_before()
        assert before is not None and before[1] is is_undone and folder.list_files()


def test_a_model_that_cannot_be_loaded_is_told_and_the_next_book_has_its_turn(desk: BookDesk) -> None:
    one, two = desk.open_text("local", TALE), desk.open_text("local", "Another book. It rained.")
    desk.start("local", one.id, "speech/broken", VALUES, [0])
    desk.start("local", two.id, KEY, VALUES | {"formats": ["captions"]}, [0])
    assert "damaged" in _wait(desk, one).problem
    assert _wait(desk, two) == BookStatus() and two.state().is_finished


def test_listening_follows_what_is_spoken(desk: BookDesk) -> None:
    folder = desk.open_text("local", TALE)
    with pytest.raises(BookError, match="Press Start"):
        next(desk.listen("local", folder.id, 0))
    desk.start("local", folder.id, KEY, VALUES | {"formats": ["captions"]}, [0, 1])
    pieces = list(desk.listen("local", folder.id, 1))
    assert len(pieces) == len([each for each in folder.script().iter_passages() if each.chapter == 1])
    with wave.open(io.BytesIO(pieces[0])) as sound:
        assert sound.getframerate() == 22_050 and sound.getnframes() > 22_050
    _wait(desk, folder)


def test_everybody_has_a_shelf_of_their_own(desk: BookDesk) -> None:
    folder = desk.open_text("anna", TALE)
    assert [each.id for each in desk.shelf.list("anna")] == [folder.id] and desk.shelf.list("tom") == []
    for owner, book_id in (("tom", folder.id), ("anna", "../" + folder.id), ("programs", folder.id), ("anna", "")):
        with pytest.raises(BookError, match="not on your shelf"):
            desk.shelf.get(owner, book_id)
    desk.delete("anna", folder.id)
    assert desk.shelf.list("anna") == [] and not folder.path.exists()
    for owner, book_id in (("tom", folder.id), ("anna", "../" + folder.id), ("anna", "")):
        with pytest.raises(BookError, match="not on your shelf"):
            desk.shelf.restore(owner, book_id)
    assert desk.shelf.restore("anna", folder.id).read() == folder.read()
    assert [each.id for each in desk.shelf.list("anna")] == [folder.id]
    desk.delete("anna", folder.id)
    other = desk.open_text("anna", TALE)
    with pytest.raises(BookError, match="again already"):
        desk.shelf.restore("anna", folder.id)
    desk.delete("anna", other.id)
    with pytest.raises(BookError, match="not on your shelf"):  # the last one alone is remembered
        desk.shelf.restore("anna", folder.id)


def test_a_full_shelf_and_a_full_disk_are_told(desk: BookDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.speech import book_shelf

    monkeypatch.setattr(book_shelf, "MOST_BOOKS", 1)
    folder = desk.open_text("local", TALE)
    with pytest.raises(BookError, match="delete one"):
        desk.open_text("local", "Another book. It rained.")
    monkeypatch.setattr(book_shelf, "LEAST_FREE_BYTES", 2**62)
    with pytest.raises(BookError, match="room on the disk"):
        desk.start("local", folder.id, KEY, VALUES, [0])


def test_without_a_library_books_go_with_the_process() -> None:
    shelf = BookShelf(None)
    assert shelf.list("local") == []


def test_a_reading_survives_the_disk_and_the_form(desk: BookDesk, registry: Registry) -> None:
    values = VALUES | {"dictionary": "Kubernetes = koo ber", "speed": 1.2, "pause_comma": 0.2, "voice": "high"}
    reading = build_reading(registry, KEY, values, (1,))
    assert reading.pauses == Pauses(comma_s=0.2) and reading.voices == {"Anna": "high"} and reading.revision
    folder = desk.open_text("local", TALE)
    folder.write_reading(replace(reading, seeds={"a" * 40: 5}))
    assert BookFolder(folder.path).reading() == replace(reading, seeds={"a" * 40: 5})
    again = build_reading(registry, KEY, values | values_of(reading), (1,))
    assert again == reading


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"voices": "Anna = nobody"}, "Other voices"), ({"speed": 9}, "Speed"), ({"pause_comma": -1}, "After a comma")],
)
def test_wrong_values_are_told(registry: Registry, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build_reading(registry, KEY, VALUES | changes, (0,))


def test_chapters_are_named_by_number() -> None:
    assert (
        read_numbers("1-3, 5", 9) == (0, 1, 2, 4) and read_numbers(" 2 – 2 ", 2) == (1,) and read_numbers("", 2) == ()
    )
    for wrong in ("0", "4-2", "x", "1-99999", "3;4"):
        with pytest.raises(ValueError, match="Chapters"):
            read_numbers(wrong, 9)


def test_a_voice_is_given_in_the_place_of_another() -> None:
    assert give_voice("Anna", "low", "Anna = high\nTom = low") == "Anna = low\nTom = low"
    assert give_voice(None, "low", "Tom = low") == "Tom = low"


def test_the_page_escapes_a_books_words(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    (tmp_path / "a&b.m4b").write_bytes(b"1")
    parts = [
        book_html.status_line(evil, BookState(evil, 1, 2), BookStatus()),
        book_html.status_line("x", BookState(), BookStatus(Phase.SPEAKING, 0.5, 4_000.0, evil)),
        book_html.doubt_list("0" * 32, [("b", "k", evil, evil)]),
        book_html.file_links("0" * 32, [tmp_path / "a&b.m4b"]),
    ]
    assert "<img" not in "".join(parts)
    assert "1 h 6 min left" in parts[1] and "a%26b.m4b" in parts[3]


def test_unforeseen_failures_are_plain_sentences() -> None:
    assert jobs.sentence(BookError("x is wrong.")) == "X is wrong."
    assert Reading().chapters == ()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, BookDesk]]:
    folder = tmp_path_factory.mktemp("served")
    registry = debug_registry(folder)
    studio = build_studio(registry, Library(folder / "library"))
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield str(studio.local_url), DESKS[registry]
    studio.close()


@pytest.mark.slow
def test_files_and_sentences_have_addresses(served: tuple[str, BookDesk]) -> None:
    address, desk = served
    folder = desk.open_text("local", TALE)
    desk.start("local", folder.id, KEY, VALUES | {"formats": ["json"]}, [0])
    _wait(desk, folder)
    (item,) = KEPT_BY[desk.registry].find("local")  # a finished book lies in the library, too
    assert (item.kind, item.title, [each.role for each in item.files]) == ("book", folder.read().title, ["json"])
    desk.make_files("local", folder.id, ["captions"])
    _wait(desk, folder)
    (again,) = KEPT_BY[desk.registry].find("local")  # in the place of what it was before
    assert again.id != item.id and again.id == folder.state().item
    desk.make_files("local", folder.id, ["json"])
    _wait(desk, folder)
    name = folder.list_files()[0].name
    key = sorted(_keys(folder))[0]
    with httpx.Client(base_url=address, trust_env=False) as client:
        found = client.get(f"books/{folder.id}/files/{name}")
        assert found.status_code == 200 and "attachment" in found.headers["content-disposition"]
        sentence = client.get(f"books/{folder.id}/sentences/{key}.flac", headers={"Range": "bytes=0-3"})
        assert sentence.status_code == 206 and sentence.content == b"fLaC"
        for path in (f"files/{name}x", "files/..%2Fbook.json", f"sentences/{'0' * 40}.flac", "sentences/x.flac"):
            assert client.get(f"books/{folder.id}/{path}").status_code == 404
        assert client.get(f"books/{'0' * 32}/files/{name}").status_code == 404


@pytest.mark.slow
def test_a_program_gets_the_book_and_goes_on_after_a_break(served: tuple[str, BookDesk], tmp_path: Path) -> None:
    address, desk = served
    pages = {"a.xhtml": page("<h1>One</h1><p>It rained.</p>"), "b.xhtml": page("<h1>Two</h1><p>It shone.</p>")}
    epub = write_epub(tmp_path / "a.epub", pages)
    client = Client(address, verbose=False, download_files=str(tmp_path))
    sound, srt, timing, report = client.predict(file=handle_file(epub), voice="high", chapters="2", api_name="/book")
    chapters = probe(sound, find_ffmpeg())["chapters"]
    assert [each["tags"]["title"] for each in chapters] == ["Two"]
    assert report["title"] == "A Book" and report["chapters"][0]["number"] == 2 and report["doubtful"] == []
    assert "shone" in Path(srt).read_text() and json.loads(Path(timing).read_text())["chapters"][0]["title"] == "Two"
    found = studio_marker().read(Path(sound))
    assert found.state == "Valid" and found.recipe is not None and found.recipe.settings["chapters"] == "2"
    item = KEPT_BY[desk.registry].find("local")[0]
    assert item.title == "A Book" and {each.role for each in item.files} == {"sound", "srt", "json"}
    kept = {path: path.stat().st_mtime_ns for path in (desk.shelf.folder / "programs").rglob("*.flac")}
    client.predict(file=handle_file(epub), voice="high", api_name="/book")
    now = {path: path.stat().st_mtime_ns for path in (desk.shelf.folder / "programs").rglob("*.flac")}
    assert len(kept) == 2 and len(now) == 4 and kept.items() <= now.items()
    with pytest.raises(AppError, match="no text"):
        client.predict(text="", api_name="/book")
