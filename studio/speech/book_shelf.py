"""The books of the people who use the studio: a folder each, which outlives page and server.

books/OWNER/ID/book.json      the text, by chapters
                cover         its picture
                reading.json  how it is read
                before.json   how it was read before, for Undo
                state.json    how far it is
                sentences/    what is spoken
                files/        what can be downloaded
books/OWNER/ID.deleted/       the book that was deleted last, for Undo
books/programs/HASH/          sentences that were spoken for programs
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from models.books.book import Book, BookError, Kind
from models.books.script import BookScript, Pauses, Reading
from models.books.sentence_store import SentenceStore
from studio.io import temp_folders
from studio.library.items import is_owner

BOOK, READING, BEFORE, STATE, COVER = "book.json", "reading.json", "before.json", "state.json", "cover"
DELETED = ".deleted"
SENTENCES, FILES, PROGRAMS = "sentences", "files", "programs"
BOOK_ID = re.compile(r"[0-9a-f]{32}")
MOST_BOOKS = 50
LEAST_FREE_BYTES = 2 * 2**30
KEPT_FOR_PROGRAMS_S = KEPT_DELETED_S = 7 * 86_400.0
GONE = "This book is not on your shelf any more."


@dataclass(frozen=True)
class BookState:
    """How far a book is.

    Attributes:
        done, total: characters.
        doubtful: sentences that may not have come out well: first key, key, text and why.
        wants: names of the files that are to be made.
        item: id of the book in the library, or "".
    """

    title: str = ""
    done: int = 0
    total: int = 0
    doubtful: tuple[tuple[str, str, str, str], ...] = ()
    wants: tuple[str, ...] = ()
    changed_s: float = 0.0
    item: str = ""

    @property
    def is_finished(self) -> bool:
        """Tell whether every sentence is spoken."""
        return 0 < self.total <= self.done


@dataclass
class BookFolder:
    """One book on disk."""

    path: Path
    _book: Book | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """Return the book's name in addresses."""
        return self.path.name

    @property
    def owner(self) -> str:
        """Return whose it is."""
        return self.path.parent.name

    @property
    def store(self) -> SentenceStore:
        """Return what is spoken."""
        return SentenceStore(self.path / SENTENCES)

    @property
    def files(self) -> Path:
        """Return the folder of what can be downloaded."""
        return self.path / FILES

    def read(self) -> Book:
        """Return the text.

        Raises:
            BookError: it is gone.
        """
        if self._book is None:
            try:
                values = json.loads((self.path / BOOK).read_text(encoding="utf-8"))
                cover = self.path / COVER
                self._book = Book.from_dict(values, cover.read_bytes() if cover.is_file() else b"")
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise BookError(GONE) from error
        return self._book

    def write(self, book: Book) -> None:
        """Keep a text, in the place of the one before."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / COVER).unlink(missing_ok=True)
        if book.cover:
            (self.path / COVER).write_bytes(book.cover)
        write_json(self.path / BOOK, book.to_dict())
        self._book = book

    def reading(self) -> Reading:
        """Return how it is read; at first, all that is neither front nor back matter."""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            return reading_from(json.loads((self.path / READING).read_text(encoding="utf-8")))
        return Reading(chapters=usual_chapters(self.read()))

    def write_reading(self, reading: Reading) -> None:
        """Keep how it is read."""
        write_json(self.path / READING, asdict(reading))

    def change_reading(self, reading: Reading) -> None:
        """Keep how it is read from now on; how it was read before can be had back, with every sentence."""
        present = self.reading()
        if present.model and present != reading:
            write_json(self.path / BEFORE, {"reading": asdict(present), "is_undone": False})
        self.write_reading(reading)

    def find_before(self) -> tuple[Reading, bool] | None:
        """Return how it was read before, and whether that is what Undo took back; None where there is nothing."""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            values = json.loads((self.path / BEFORE).read_text(encoding="utf-8"))
            return reading_from(values["reading"]), bool(values["is_undone"])
        return None

    def swap_reading(self) -> None:
        """Read it as before; what it is now can be had back in turn.

        Raises:
            BookError: it was not read otherwise.
        """
        found = self.find_before()
        if found is None:
            raise BookError("There is nothing to undo.")
        reading, is_undone = found
        write_json(self.path / BEFORE, {"reading": asdict(self.reading()), "is_undone": not is_undone})
        self.write_reading(reading)

    def script(self) -> BookScript:
        """Return what is to be spoken."""
        return BookScript(self.read(), self.reading())

    def state(self) -> BookState:
        """Return how far it is."""
        try:
            values = json.loads((self.path / STATE).read_text(encoding="utf-8"))
            rows = tuple(tuple(map(str, row)) for row in values.pop("doubtful"))
            return BookState(**values | {"doubtful": rows, "wants": tuple(values["wants"])})
        except (OSError, ValueError, TypeError, KeyError):
            return BookState()

    def write_state(self, state: BookState) -> None:
        """Keep how far it is."""
        write_json(self.path / STATE, asdict(replace(state, changed_s=time.time())))

    def list_files(self) -> list[Path]:
        """Return what can be downloaded."""
        return sorted(each for each in self.files.glob("*") if each.is_file()) if self.files.is_dir() else []


class BookShelf:
    """The books of everybody.

    Args:
        folder: made when the first book comes; None is a folder that goes with this process.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Return the folder of all books."""
        if self._folder is None:
            self._folder = temp_folders.hold()
        return self._folder

    def open(self, owner: str, book: Book) -> BookFolder:
        """Put a book on an owner's shelf; one of the same title and author gets the new text and keeps what is spoken.

        Raises:
            BookError: the shelf or the disk is full.
        """
        _check_owner(owner)
        self._clear_deleted(owner, KEPT_DELETED_S)
        for known in self.list(owner):
            held = known.read()
            if (held.title, held.author) == (book.title, book.author):
                reading = known.reading()
                is_same = [each.title for each in held.chapters] == [each.title for each in book.chapters]
                known.write(book)
                known.write_reading(reading if is_same else replace(reading, chapters=usual_chapters(book)))
                known.write_state(BookState(book.title))
                return known
        if len(self.list(owner)) >= MOST_BOOKS:
            raise BookError(f"There are {MOST_BOOKS} books on your shelf; delete one to open another.")
        self.check_room()
        folder = BookFolder(self.folder / owner / secrets.token_hex(16))
        try:
            folder.write(book)
        except OSError as error:
            raise BookError("The book could not be kept; there may be too little room on the disk.") from error
        folder.write_state(BookState(book.title))
        return folder

    def get(self, owner: str, book_id: str) -> BookFolder:
        """Return a book of an owner.

        Raises:
            BookError: there is none.
        """
        _check_owner(owner)
        if not BOOK_ID.fullmatch(book_id or "") or not (self.folder / owner / book_id / BOOK).is_file():
            raise BookError(GONE)
        return BookFolder(self.folder / owner / book_id)

    def list(self, owner: str) -> list[BookFolder]:
        """Return an owner's books, the one that was worked on last first."""
        if self._folder is None or not (self.folder / owner).is_dir():
            return []
        folders = [each for each in (self.folder / owner).iterdir() if BOOK_ID.fullmatch(each.name)]
        found = [BookFolder(each) for each in folders if (each / BOOK).is_file()]
        return sorted(found, key=lambda each: -each.state().changed_s)

    def delete(self, owner: str, book_id: str) -> None:
        """Put a book away with all that was spoken; it can be had back until another is deleted, or for a week.

        Raises:
            BookError: there is none.
        """
        path = self.get(owner, book_id).path
        self._clear_deleted(owner)
        path = path.rename(path.with_name(f"{book_id}{DELETED}"))
        path.touch()

    def restore(self, owner: str, book_id: str) -> BookFolder:
        """Put the book that was deleted last back on the shelf.

        Raises:
            BookError: it is gone, or another of its title has been opened since.
        """
        _check_owner(owner)
        away = self.folder / owner / f"{book_id}{DELETED}"
        if not BOOK_ID.fullmatch(book_id or "") or not away.is_dir():
            raise BookError(GONE)
        title = BookFolder(away).state().title
        if title in [each.state().title for each in self.list(owner)]:
            raise BookError(f"“{title}” is on your shelf again already.")
        return BookFolder(away.rename(away.with_name(book_id)))

    def _clear_deleted(self, owner: str, older_than_s: float = 0.0) -> None:
        """Remove for good what was deleted so long ago."""
        for each in (self.folder / owner).glob(f"*{DELETED}"):
            with contextlib.suppress(OSError):
                if time.time() - each.stat().st_mtime >= older_than_s:
                    shutil.rmtree(each, ignore_errors=True)

    def store_for_programs(self, book: Book) -> SentenceStore:
        """Return where a program's book is spoken: the same text goes on where it was left."""
        folder = self.folder / PROGRAMS
        name = hashlib.sha256(json.dumps([book.title, book.author], ensure_ascii=False).encode()).hexdigest()[:32]
        folder.mkdir(parents=True, exist_ok=True)
        for each in folder.iterdir():
            with contextlib.suppress(OSError):
                if each.name != name and time.time() - each.stat().st_mtime > KEPT_FOR_PROGRAMS_S:
                    shutil.rmtree(each, ignore_errors=True)
        store = SentenceStore(folder / name)
        store.folder.touch()
        return store

    def check_room(self) -> None:
        """Raise BookError where the disk is nearly full."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.folder).free < LEAST_FREE_BYTES:
            raise BookError("There is too little room on the disk for a book; free 2 GB.")


def usual_chapters(book: Book) -> tuple[int, ...]:
    """Return the chapters that are read at first: all but front and back matter, or all where there is nothing else."""
    found = tuple(at for at, each in enumerate(book.chapters) if not each.is_matter and each.words)
    return found or tuple(range(len(book.chapters)))


def count_characters(script: BookScript) -> int:
    """Estimate the characters of the chapters that are read, at once: the sum over paragraphs."""
    chapters = [script.book.chapters[at] for at in script.reading.chapters if at < len(script.book.chapters)]
    return sum(len(each.text) for chapter in chapters for each in chapter.paragraphs if each.kind != Kind.BREAK)


def reading_from(values: Mapping[str, Any]) -> Reading:
    """Return a reading from the plain values of one.

    Raises:
        KeyError, TypeError, ValueError: they are of another form.
    """
    given = dict(values)
    given["pauses"] = Pauses(**given["pauses"])
    given["chapters"] = tuple(int(each) for each in given["chapters"])
    given["dictionary"] = tuple((str(word), str(said)) for word, said in given["dictionary"])
    return Reading(**given)


def values_of(reading: Reading) -> dict[str, Any]:
    """Return the form's values of a reading, without its model."""
    pauses = reading.pauses
    return {
        "voice": reading.voice,
        "voices": "\n".join(f"{who} = {voice}" for who, voice in reading.voices.items()),
        "speed": reading.speed,
        "pitch": reading.pitch_semitones,
        "energy": reading.energy_db,
        "dictionary": "\n".join(" = ".join(pair) for pair in reading.dictionary),
        "seed": reading.seed,
        "pause_comma": pauses.comma_s,
        "pause_sentence": pauses.sentence_s,
        "pause_paragraph": pauses.paragraph_s,
        "pause_heading": pauses.heading_s,
        "pause_chapter": pauses.chapter_s,
    }


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a file at once: it is never half there."""
    part = path.with_name(f"{path.name}-{secrets.token_hex(4)}")
    try:
        part.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _check_owner(owner: str) -> None:
    if not is_owner(owner) or owner == PROGRAMS:
        raise BookError(GONE)
