"""Speaks books in the background of the page, one after another; what is spoken is on disk whatever happens."""

from __future__ import annotations

import contextlib
import queue
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from models.books.narrator import find_doubtful, is_doubted, narrate
from models.books.timeline import lay_out
from models.contracts import SpeechChunk, SpeechRequest
from models.registry.registry import Registry
from studio.library.store import LibraryError
from studio.page import jobs, model_card
from studio.page.events import Files
from studio.page.keeping import KEPT_BY, Keeping
from studio.speech.book_files import KIND, recipe_of, write_files
from studio.speech.book_shelf import BookFolder, BookShelf, BookState, count_characters

KEPT_EVERY_S = 5.0  # between two writings of how far it is


class Phase(StrEnum):
    """What is done for a book just now."""

    IDLE = "idle"
    WAITING = "waiting"
    LOADING = "loading"
    SPEAKING = "speaking"
    WRITING = "writing"


@dataclass(frozen=True)
class BookStatus:
    """What the page shows of a book.

    Attributes:
        share: of the work of this phase, in [0, 1].
        left_s: time left, or None where it is not known.
        said: the sentence that was spoken last.
        problem: why it stopped, or "".
    """

    phase: Phase = Phase.IDLE
    share: float = 0.0
    left_s: float | None = None
    said: str = ""
    problem: str = ""

    @property
    def is_running(self) -> bool:
        """Tell whether something is done for the book."""
        return self.phase != Phase.IDLE


class _BookJob:
    """One book in work."""

    def __init__(self, folder: BookFolder, formats: tuple[str, ...], only_files: bool) -> None:
        self.folder, self.formats, self.only_files = folder, formats, only_files
        self.stop = threading.Event()
        self.status = BookStatus(Phase.WAITING)


class BookWorker:
    """The queue of the books of everybody, and the thread that works through it."""

    def __init__(self, registry: Registry, shelf: BookShelf) -> None:
        self.registry, self.shelf = registry, shelf
        self._jobs: dict[str, _BookJob] = {}
        self._last: dict[str, BookStatus] = {}  # how the work before ended
        self._queue: queue.Queue[_BookJob] = queue.Queue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, folder: BookFolder, formats: tuple[str, ...], only_files: bool = False) -> None:
        """Put a book into the queue: its missing sentences are spoken, then its files are written.

        Args:
            only_files: write the files of what is spoken already.

        Raises:
            BookError: the disk is nearly full.
        """
        self.shelf.check_room()
        with self._lock:
            if folder.id in self._jobs:
                return
            job = self._jobs[folder.id] = _BookJob(folder, formats, only_files)
            self._last.pop(folder.id, None)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="auralume-books", daemon=True)
                self._thread.start()
        self._queue.put(job)

    def pause(self, book_id: str, wait_s: float = 0.0) -> None:
        """Ask a book's work to end; what is spoken stays. `wait_s`: how long to wait until it has."""
        with self._lock:
            job = self._jobs.get(book_id)
        if job is not None:
            job.stop.set()
        until = time.monotonic() + wait_s
        while book_id in self._jobs and time.monotonic() < until:
            time.sleep(0.02)

    def status(self, book_id: str) -> BookStatus:
        """Return what is done for a book."""
        with self._lock:
            job = self._jobs.get(book_id)
            return job.status if job is not None else self._last.get(book_id, BookStatus())

    def _work(self) -> None:
        while True:
            job = self._queue.get()
            ended = BookStatus()
            try:
                if not job.stop.is_set():
                    self._run(job)
            except jobs.Stopped:
                pass
            except Exception as error:  # told on the page; the next book has its turn
                ended = BookStatus(problem=jobs.sentence(error))
            with self._lock:
                self._jobs.pop(job.folder.id, None)
                self._last[job.folder.id] = ended

    def _run(self, job: _BookJob) -> None:
        state = job.folder.state()
        if not job.only_files:
            shutil.rmtree(job.folder.files, ignore_errors=True)
            state = self._speak(job)
            if job.stop.is_set() or not state.is_finished:
                return
        job.status = BookStatus(Phase.WRITING)
        script, store = job.folder.script(), job.folder.store
        timeline = lay_out(script, store)

        def told(share: float) -> None:
            if job.stop.is_set():
                raise jobs.Stopped
            job.status = BookStatus(Phase.WRITING, share)

        recipe = recipe_of(script.book, script.reading)
        made = write_files(job.folder.files, script.book, timeline, store, job.formats, told, recipe)
        if state.is_finished:
            self._keep(job.folder, state, made)

    def _keep(self, folder: BookFolder, state: BookState, made: dict[str, Path]) -> None:
        """Take a finished book into its owner's library, in the place of what it was before, unless that has a star."""
        library = KEPT_BY.get(self.registry)
        if library is None:
            return
        keeping = Keeping(library, folder.owner, KIND, frozenset(made))
        keeping.add((Files(dict(made)),))
        items = keeping.finish()
        if not items:
            return
        with contextlib.suppress(LibraryError):
            if state.item and not library.get(folder.owner, state.item).favourite:
                library.delete(folder.owner, [state.item])
        folder.write_state(replace(state, item=items[0].id))

    def _speak(self, job: _BookJob) -> BookState:
        """Speak what is missing; return how far it is then."""
        folder, reading = job.folder, job.folder.reading()
        job.status = BookStatus(Phase.LOADING)
        model = self.registry.load(reading.model)
        known = tuple(each.key for each in self.registry.voices(reading.model))
        voice = reading.voice if reading.voice in known or not known else known[0]
        reading = replace(reading, voice=voice, revision=model_card.revision_of(self.registry, reading.model))
        folder.write_reading(reading)
        script, store = folder.script(), folder.store
        total = max(1, count_characters(script))
        state = replace(folder.state(), title=script.book.title, done=0, total=total, doubtful=(), wants=job.formats)
        folder.write_state(state)
        kept_s = time.monotonic()

        def speak(request: SpeechRequest) -> Iterator[SpeechChunk]:
            chunks: Iterator[SpeechChunk] = model.stream(request)
            return chunks

        for step in narrate(script, store, speak, job.stop.is_set, self.registry.home.places):
            state = replace(state, done=min(step.done, total - 1))
            if is_doubted(step.facts.verdict):
                row = (step.passage.base, step.passage.key, step.passage.text, step.facts.verdict)
                state = replace(state, doubtful=(*state.doubtful, row))
            share = min(1.0, step.done / total)
            job.status = BookStatus(Phase.SPEAKING, share, step.seconds_left(max(total, step.done)), step.passage.text)
            if time.monotonic() - kept_s > KEPT_EVERY_S:
                kept_s = time.monotonic()
                folder.write_state(state)
        if not job.stop.is_set():
            found = [(e.passage.base, e.passage.key, e.passage.text, e.why) for e in find_doubtful(script, store)]
            state = replace(state, done=total, doubtful=tuple(found))
        folder.write_state(state)
        return state
