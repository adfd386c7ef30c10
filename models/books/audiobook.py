"""The sound files of a book: M4B with chapters and a cover, an MP3 file a chapter, one WAV file; all by ffmpeg.

Sound goes through a pipe, sentence by sentence, so a long book takes no memory.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.books.book import Book
from models.books.sentence_store import SentenceStore
from models.books.timeline import Timeline, iter_sound
from models.media import command
from models.media.program import MediaError

FloatArray = NDArray[np.float32]
Told = Callable[[float], None]

BIT_RATE = "64k"  # of one channel
COVER_SIDE = 1_400
MOST_COVER_PIXELS = 50_000_000
LARGEST_WAV_BYTES = 2**32 - 2**16
MADE_BY = "Auralume: read by a synthetic voice"
NOT_WRITTEN = "The file could not be written; there may be too little room on the disk."
BOUNDS = command.Bounds(memory_bytes=None, deadline_s=900.0, processor_s=1e9)
_SPECIAL = re.compile(r"([=;#\\\n])")


def write_m4b(path: Path, book: Book, timeline: Timeline, store: SentenceStore, told: Told = lambda _: None) -> Path:
    """Write the whole book as M4B (AAC) with its chapters, cover, title and author.

    Args:
        told: is called with the share that is written.

    Raises:
        MediaError: it cannot be written; ModelError: a sentence is gone.
    """
    facts, cover = path.with_suffix(".facts"), path.with_suffix(".cover.jpg")
    facts.write_text(describe_chapters(book, timeline), encoding="utf-8")
    has_cover = write_cover(cover, book.cover)
    arguments = command.samples_input(timeline.sample_rate)
    arguments += ["-f", "ffmetadata", "-i", f"file:{facts}"]
    if has_cover:
        arguments += ["-f", "jpeg_pipe", "-i", f"file:{cover}", "-map", "0:a", "-map", "2:v", "-c:v", "copy"]
        arguments += ["-disposition:v", "attached_pic"]
    else:
        arguments += ["-map", "0:a"]
    arguments += ["-map_metadata", "1", "-map_chapters", "1", "-c:a", "aac", "-b:a", BIT_RATE]
    try:
        _write(path, [*arguments, "-movflags", "+faststart", "-f", "ipod"], timeline, iter_sound(timeline, store), told)
    finally:
        facts.unlink(missing_ok=True)
        cover.unlink(missing_ok=True)
    return path


def write_mp3s(
    folder: Path, book: Book, timeline: Timeline, store: SentenceStore, told: Told = lambda _: None
) -> list[Path]:
    """Write every chapter as an MP3 file with its number, title, album and author; returns the files.

    Raises:
        MediaError, ModelError: as `write_m4b`.
    """
    files = []
    count = len(timeline.chapters)
    for number, chapter in enumerate(timeline.chapters, 1):
        path = folder / f"{number:0{len(str(count))}d} {file_name(chapter.title)}.mp3"
        tags = {"title": chapter.title, "album": book.title, "artist": book.author, "track": f"{number}/{count}"}
        tags |= {"comment": MADE_BY, "genre": "Audiobook"}
        arguments = command.samples_input(timeline.sample_rate)
        for name, value in tags.items():
            arguments += ["-metadata", f"{name}={value}"] if value else []
        arguments += ["-c:a", "libmp3lame", "-b:a", BIT_RATE, "-id3v2_version", "3", "-f", "mp3"]
        before, share = (number - 1) / count, 1 / count
        _write(
            path,
            arguments,
            timeline,
            iter_sound(timeline, store, chapter.index),
            lambda done, before=before, share=share: told(before + done * share),  # type: ignore[misc]
            chapter.end - chapter.start,
        )
        files.append(path)
    return files


def write_wav(path: Path, timeline: Timeline, store: SentenceStore, told: Told = lambda _: None) -> Path:
    """Write the whole book as one 16-bit WAV file; beyond 4 GB as RF64, which most players know too.

    Raises:
        MediaError, ModelError: as `write_m4b`.
    """
    large = ["-rf64", "always"] if timeline.duration_s * timeline.sample_rate * 2 > LARGEST_WAV_BYTES else []
    arguments = [*command.samples_input(timeline.sample_rate), "-c:a", "pcm_s16le", *large, "-f", "wav"]
    _write(path, arguments, timeline, iter_sound(timeline, store), told)
    return path


def describe_chapters(book: Book, timeline: Timeline) -> str:
    """Return title, author and chapters in the form of ffmpeg's metadata files."""
    facts = {"title": book.title, "album": book.title, "artist": book.author, "album_artist": book.author}
    facts |= {"genre": "Audiobook", "comment": MADE_BY, "language": book.language}
    lines = [";FFMETADATA1", *(f"{name}={_escape(value)}" for name, value in facts.items() if value)]
    for each in timeline.chapters:
        lines += ["[CHAPTER]", f"TIMEBASE=1/{timeline.sample_rate}", f"START={each.start}", f"END={each.end}"]
        lines.append(f"title={_escape(each.title)}")
    return "\n".join(lines) + "\n"


def write_cover(path: Path, picture: bytes) -> bool:
    """Write a cover as a JPEG of modest size; False where there is none or it is no picture."""
    if not picture:
        return False
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture), formats=("JPEG", "PNG", "GIF", "WEBP", "BMP")) as opened:
            if opened.width * opened.height > MOST_COVER_PIXELS:
                return False
            opened.thumbnail((COVER_SIDE, COVER_SIDE))
            opened.convert("RGB").save(path, "JPEG", quality=88)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
    return True


def file_name(title: str) -> str:
    """Return a title as part of a file's name, for every system."""
    plain = re.sub(r"[^\w .,'()-]+", " ", title).strip(" .")
    return re.sub(r"\s+", " ", plain)[:80].strip(" .") or "Untitled"


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text.rstrip("\\"))  # ffmpeg takes the last one for a line that goes on


def _write(
    path: Path, arguments: list[str], timeline: Timeline, sound: Iterator[FloatArray], told: Told, total: int = 0
) -> None:
    total = total or (timeline.chapters[-1].end if timeline.chapters else 0)
    if not timeline.passages:
        raise MediaError("Nothing of the book is spoken yet.")
    done = 0
    try:
        with command.PipeWriter(path, arguments, BOUNDS) as writer:
            for samples in sound:
                writer.write(np.round(samples * 32767.0).astype("<i2").tobytes())
                done += samples.size
                told(min(1.0, done / max(total, 1)))
    except MediaError as error:
        raise MediaError(NOT_WRITTEN) from error
