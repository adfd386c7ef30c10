"""The files of a spoken book: sound by `models.books.audiobook`, captions, and the text with its times."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from models.books import audiobook
from models.books.book import Book
from models.books.script import Reading
from models.books.sentence_store import SentenceStore
from models.books.timeline import Timeline
from studio.io.marking import studio_marker
from studio.io.recipes import MAX_TEXT_CHARACTERS, Recipe, write_recipe
from studio.speech import captions
from studio.speech.book_shelf import values_of

KIND = "book"  # in recipes, and in the library
FORMATS = (
    ("M4B, an audiobook with chapters", "m4b"),
    ("MP3, a file a chapter", "mp3"),
    ("WAV, one file", "wav"),
    ("Captions (SRT and VTT)", "captions"),
    ("Text with times (JSON)", "json"),
)
USUAL_FORMATS = ("m4b", "captions", "json")


def write_files(
    folder: Path,
    book: Book,
    timeline: Timeline,
    store: SentenceStore,
    formats: tuple[str, ...],
    told: audiobook.Told,
    recipe: Recipe,
) -> dict[str, Path]:
    """Write the files of a book; returns them by format, captions as "srt" and "vtt". All appear once all are written.

    Sound files hold the recipe and are marked as generated.

    Raises:
        MediaError: one cannot be written; ModelError: a sentence is gone.
    """
    stem = audiobook.file_name(book.title)
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Path] = {}
    with TemporaryDirectory(dir=folder, prefix=".part-") as held:
        part = Path(held)
        wanted = [each for _, each in FORMATS if each in formats]
        for number, name in enumerate(wanted):
            share = _share_of(told, number, len(wanted))
            if name == "m4b":
                made[name] = audiobook.write_m4b(part / f"{stem}.m4b", book, timeline, store, share)
            elif name == "mp3":
                made[name] = _write_mp3s(part, stem, book, timeline, store, share, recipe)
            elif name == "wav":
                made[name] = audiobook.write_wav(part / f"{stem}.wav", timeline, store, share)
            elif name == "json":
                made[name] = part / f"{stem}.json"
                made[name].write_text(json.dumps(describe_timing(book, timeline), ensure_ascii=False), encoding="utf-8")
            else:
                words = timeline.words()
                made |= {"srt": part / f"{stem}.srt", "vtt": part / f"{stem}.vtt"}
                made["srt"].write_text(captions.to_srt(words), encoding="utf-8")
                made["vtt"].write_text(captions.to_vtt(words), encoding="utf-8")
            if name in {"m4b", "wav"}:
                _mark(made[name], recipe)
        return {name: path.replace(folder / path.name) for name, path in made.items()}


def describe_timing(book: Book, timeline: Timeline) -> dict[str, Any]:
    """Return the text with its times in seconds, as read-along players take it."""
    rate = timeline.sample_rate
    chapters = []
    for chapter in timeline.chapters:
        rows = []
        for each in timeline.of_chapter(chapter.index):
            at_s = each.start / rate
            words = [[w.text, round(at_s + w.start_s, 3), round(at_s + w.end_s, 3)] for w in each.facts.words]
            row = {"text": each.passage.text, "paragraph": each.passage.paragraph, "voice": each.passage.voice}
            row |= {"speaker": each.passage.speaker, "start_s": round(at_s, 3), "end_s": round(each.end / rate, 3)}
            rows.append(row | {"words": words})
        times = {"start_s": round(chapter.start / rate, 3), "end_s": round(chapter.end / rate, 3)}
        chapters.append({"title": chapter.title, **times, "sentences": rows})
    facts = {"title": book.title, "author": book.author, "language": book.language}
    return {**facts, "duration_s": round(timeline.duration_s, 3), "missing": timeline.missing, "chapters": chapters}


def recipe_of(book: Book, reading: Reading) -> Recipe:
    """Return how a book was read, without what is too long to be noted."""
    chapters = ", ".join(str(each + 1) for each in reading.chapters)
    said = {"title": book.title, "author": book.author, "chapters": chapters, **values_of(reading)}
    kept = {name: value for name, value in said.items() if value != "" and len(str(value)) <= MAX_TEXT_CHARACTERS}
    kept.pop("seed", None)
    return Recipe(KIND, reading.model, reading.revision, reading.seed, kept)


def _mark(path: Path, recipe: Recipe) -> None:
    """Put the recipe into a sound file, and say that it was generated."""
    write_recipe(path, recipe)
    studio_marker().mark(path, recipe)


def _write_mp3s(
    part: Path,
    stem: str,
    book: Book,
    timeline: Timeline,
    store: SentenceStore,
    told: audiobook.Told,
    recipe: Recipe,
) -> Path:
    """Write the chapters' files as one ZIP file."""
    inner = part / "mp3"
    inner.mkdir()
    files = audiobook.write_mp3s(inner, book, timeline, store, told)
    for each in files:
        _mark(each, recipe)
    path = part / f"{stem} (MP3).zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
        for each in files:
            packed.write(each, f"{stem}/{each.name}")
    shutil.rmtree(inner, ignore_errors=True)
    return path


def _share_of(told: audiobook.Told, number: int, count: int) -> Callable[[float], None]:
    return lambda done: told((number + done) / count)
