"""What a page and a program do with whole books, without the page: checked values in, plain values and events out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from models.books.book import Book, BookError
from models.books.narrator import find_doubtful, narrate
from models.books.read import read_book, read_pasted
from models.books.script import BookScript, Pauses, Reading
from models.books.timeline import LEAD_S, lay_out
from models.contracts import SpeechRequest, Task
from models.registry.registry import Registry
from studio.io.audio_files import wav_bytes
from studio.page import html, jobs, model_card
from studio.page.events import Events, Files, Report, Status
from studio.page.form import draw_seed
from studio.speech.book_controls import BOOK_FIELDS
from studio.speech.book_files import recipe_of, write_files
from studio.speech.book_shelf import BookFolder, BookShelf, count_characters, usual_chapters
from studio.speech.book_worker import BookWorker

AHEAD_S = 25.0  # of what is heard, that is sent
POLL_S = 0.25
NO_BOOK = "Open a book first."
NOTHING_CHOSEN = "No chapter is chosen; tick at least one."


class BookDesk:
    """The books of a studio: the shelf they stand on, and the worker that speaks them."""

    def __init__(self, registry: Registry, folder: Path | None) -> None:
        self.registry, self.shelf = registry, BookShelf(folder)
        self.worker = BookWorker(registry, self.shelf)

    # Opening

    def open_file(self, owner: str, path: str, name: str = "") -> BookFolder:
        """Put a file's book on a person's shelf.

        Raises:
            BookError: it cannot be read or kept.
        """
        return self._open(owner, read_book(path, name))

    def open_text(self, owner: str, text: str) -> BookFolder:
        """Put a pasted book on a person's shelf.

        Raises:
            BookError: it cannot be read or kept.
        """
        return self._open(owner, read_pasted(text))

    def _open(self, owner: str, book: Book) -> BookFolder:
        for known in self.shelf.list(owner):
            if known.state().title == book.title:
                self.worker.pause(known.id, wait_s=10.0)
        return self.shelf.open(owner, book)

    # Speaking

    def start(self, owner: str, book_id: str, key: str, values: Mapping[str, Any], chapters: list[int]) -> None:
        """Speak what is missing of a book, read as the values say, in the background.

        Raises:
            ValueError: a value is wrong, or the disk is nearly full.
        """
        folder = self.shelf.get(owner, book_id)
        if not chapters:
            raise BookError(NOTHING_CHOSEN)
        self.worker.pause(book_id, wait_s=10.0)
        reading = build_reading(self.registry, key, values, tuple(sorted(chapters)))
        folder.change_reading(replace(reading, seeds=folder.reading().seeds))
        self.worker.start(folder, tuple(BOOK_FIELDS["formats"].read(values["formats"])))

    def speak_anew(self, owner: str, book_id: str, base: str) -> None:
        """Speak one sentence with another seed, then make the files again.

        Raises:
            BookError: there is no such book.
        """
        folder = self.shelf.get(owner, book_id)
        self.worker.pause(book_id, wait_s=10.0)
        reading = folder.reading()
        folder.change_reading(replace(reading, seeds={**reading.seeds, base: draw_seed()}))
        state = folder.state()
        folder.write_state(replace(state, doubtful=tuple(row for row in state.doubtful if row[0] != base)))
        self.worker.start(folder, state.wants)

    def undo(self, owner: str, book_id: str) -> None:
        """Read a book as before its last change, or again as after it, then make the files again.

        What was spoken either way is on disk, so nothing is spoken anew.

        Raises:
            BookError: there is no such book, or nothing to undo.
        """
        folder = self.shelf.get(owner, book_id)
        self.worker.pause(book_id, wait_s=10.0)
        folder.swap_reading()
        self.worker.start(folder, folder.state().wants)

    def make_files(self, owner: str, book_id: str, formats: list[str]) -> None:
        """Write the files of what is spoken so far.

        Raises:
            BookError: there is no such book, or the disk is nearly full.
        """
        self.worker.start(self.shelf.get(owner, book_id), tuple(formats), only_files=True)

    def delete(self, owner: str, book_id: str) -> None:
        """Take a book from a person's shelf; `restore` of the shelf brings it back.

        Raises:
            BookError: there is none.
        """
        self.shelf.get(owner, book_id)
        self.worker.pause(book_id, wait_s=10.0)
        self.shelf.delete(owner, book_id)

    # Listening

    def listen(self, owner: str, book_id: str, chapter: int) -> Generator[bytes]:
        """Yield the sound from a chapter on as WAV files, not far ahead of what is heard, as it is spoken.

        Raises:
            BookError: there is no such book, or nothing of it is spoken there.
        """
        folder = self.shelf.get(owner, book_id)
        script, store = folder.script(), folder.store
        began_s, sent_s = time.monotonic(), 0.0
        is_first = True
        for passage in script.iter_passages():
            if passage.chapter < chapter:
                continue
            while passage.key not in store and self.worker.status(book_id).is_running:
                time.sleep(POLL_S)
            facts = store.facts(passage.key)
            if facts is None:
                if is_first:
                    raise BookError("Nothing of this chapter is spoken yet. Press Start.")
                return
            while sent_s - (time.monotonic() - began_s) > AHEAD_S:
                time.sleep(POLL_S)
            if not facts.samples:
                continue
            silence = np.zeros(round((passage.pause_s + (LEAD_S if is_first else 0)) * facts.sample_rate), np.float32)
            sound = np.concatenate([store.sound(passage.key), silence])
            is_first = False
            sent_s += sound.size / facts.sample_rate
            yield wav_bytes(sound, facts.sample_rate)

    # Programs

    def run_program(self, key: str, values: Mapping[str, Any], folder: str) -> Generator[Events]:
        """Speak a book for a program; the last events are the files and the report. Raises failures.

        The same book goes on where a call before it was broken off.
        """
        self.shelf.check_room()
        title = str(values["title"]).strip()
        if values["file"]:
            book = read_book(values["file"])
            book = replace(book, title=title) if title else book
        else:
            book = read_pasted(str(values["text"]), title)
        chosen = read_numbers(str(values["chapters"]), len(book.chapters)) or usual_chapters(book)
        key = key or self.registry.require_default(Task.SPEECH).key
        reading = build_reading(self.registry, key, values, chosen)
        formats = tuple(BOOK_FIELDS["formats"].read(values["formats"])) or ("m4b",)

        def work(_key: str, model: Any, asked: Reading, should_stop: Callable[[], bool]) -> Generator[Events]:
            script = BookScript(book, asked)
            store, total = self.shelf.store_for_programs(book), max(1, count_characters(BookScript(book, asked)))

            def speak(request: SpeechRequest) -> Any:
                return model.stream(request)

            for step in narrate(script, store, speak, should_stop, self.registry.home.places):
                yield (Status(html.status("Speaking", step.done / total)),)
            timeline = lay_out(script, store)
            recipe = recipe_of(book, asked)
            files = write_files(Path(folder), book, timeline, store, formats, lambda _share: None, recipe)
            doubts = [{"text": each.passage.text, "why": each.why} for each in find_doubtful(script, store)]
            titles = [
                {"number": each.index + 1, "title": each.title, "start_s": round(each.start / timeline.sample_rate, 3)}
                for each in timeline.chapters
            ]
            report = {"title": book.title, "author": book.author, "duration_s": round(timeline.duration_s, 3)}
            report |= {"chapters": titles, "doubtful": doubts, "model": key, "revision": asked.revision}
            sound = next((files[each] for each in ("m4b", "mp3", "wav") if each in files), None)
            yield (Files({"sound": sound, "srt": files.get("srt"), "json": files.get("json")}), Report(report))

        yield from jobs.run_with_model(self.registry, key, reading, work)


DESKS: WeakKeyDictionary[Registry, BookDesk] = WeakKeyDictionary()


def build_reading(registry: Registry, key: str, values: Mapping[str, Any], chapters: tuple[int, ...]) -> Reading:
    """Return how a form's values say that a book is read.

    Raises:
        ValueError: names the control and what it takes.
    """
    checked = BOOK_FIELDS.read(values)
    names = ("comma", "sentence", "paragraph", "heading", "chapter")
    pauses = Pauses(*(float(checked[f"pause_{name}"]) for name in names))
    known = [each.key for each in registry.voices(key)]
    voice = str(checked["voice"] or "")
    voice = voice if voice in known or not known else known[0]
    voices = dict(checked["voices"])
    wrong = next((each for each in voices.values() if known and each not in known), None)
    if wrong is not None:
        raise ValueError(f"Other voices names {wrong!r}; this model has {', '.join(known)}.")
    reading = Reading(
        model=key,
        revision=model_card.revision_of(registry, key),
        voice=voice,
        voices=voices,
        chapters=chapters,
        speed=float(checked["speed"]),
        pitch_semitones=float(checked["pitch"]),
        energy_db=float(checked["energy"]),
        dictionary=checked["dictionary"],
        seed=int(checked["seed"]),
        pauses=pauses,
    )
    SpeechRequest("word", voice, reading.seed, dictionary=reading.dictionary)  # checks the dictionary
    return reading


def read_numbers(text: str, most: int) -> tuple[int, ...]:
    """Return the indices of chapters that are named as "1-3, 5".

    Raises:
        ValueError: something else stands there, or a chapter that there is not.
    """
    found: set[int] = set()
    for part in filter(None, re.split(r"[,\s]+", re.sub(r"\s*[-–]\s*", "-", text.strip()))):
        pair = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", part)
        first, last = (int(pair[1]), int(pair[2] or pair[1])) if pair else (0, 0)
        if not 1 <= first <= last <= most:
            raise ValueError(f"Chapters is {text!r}; it must be numbers from 1 to {most}, such as 1-3, 5.")
        found |= set(range(first - 1, last))
    return tuple(sorted(found))
