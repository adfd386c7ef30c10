"""The files of a book, read back: chapters, cover, tags, loudness, peaks, length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import mutagen
import pytest
import soundfile

from models.books import audiobook
from models.books.book import Book
from models.books.narrator import narrate
from models.books.read import read_pasted
from models.books.script import BookScript, Reading
from models.books.sentence_store import SentenceStore
from models.books.timeline import Timeline, lay_out
from models.media import command
from models.media.program import MediaError, find_ffmpeg
from studio.io.ffprobe import answer, probe
from tests.models.books.files import TALE, picture
from tests.studio.debug_speech import DebugSpeech

TITLES = ["CHAPTER I. The Gate", "CHAPTER II. The Mill"]


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Book, Timeline, SentenceStore]]:
    book = replace(read_pasted(TALE, "Mill; = #1\\"), author="A. Writer", cover=picture())
    script = BookScript(book, Reading("m", "1", "low", {"Anna": "high"}, (0, 1)))
    store = SentenceStore(tmp_path_factory.mktemp("store"))
    list(narrate(script, store, DebugSpeech().stream))
    yield book, lay_out(script, store), store


def _measure(path: Path) -> tuple[float, float]:
    """Return integrated loudness and true peak, by ffmpeg's own meter."""
    arguments = [*command.input_of(path), "-map", "0:a", "-af", "ebur128=peak=true", "-f", "null", "-"]
    _, _, said = command.run(arguments, level=("-v", "info"))
    summary = said[said.rindex("Summary:") :]
    loudness, peak = re.search(r"I: +(-?[\d.]+) LUFS", summary), re.search(r"Peak: +(-?[\d.]+) dBFS", summary)
    assert loudness and peak
    return float(loudness[1]), float(peak[1])


def test_an_m4b_has_chapters_cover_and_tags(spoken: tuple[Book, Timeline, SentenceStore], tmp_path: Path) -> None:
    book, timeline, store = spoken
    shares: list[float] = []
    made = audiobook.write_m4b(tmp_path / "a.m4b", book, timeline, store, shares.append)
    found = probe(str(made), find_ffmpeg())
    assert [each["tags"]["title"] for each in found["chapters"]] == TITLES
    ends = [float(each["end_time"]) for each in found["chapters"]]
    rate = timeline.sample_rate
    assert ends == pytest.approx([each.end / rate for each in timeline.chapters], abs=0.01)
    assert float(found["format"]["duration"]) == pytest.approx(timeline.duration_s, abs=0.1)
    assert "CHAPTER II" in answer(found, {"-show_chapters": "", "-print_format": "json"})
    tags: Any = mutagen.File(made)
    assert tags["\xa9nam"] == ["Mill; = #1"] and tags["\xa9ART"] == ["A. Writer"]
    assert bytes(tags["covr"][0]).startswith(b"\xff\xd8\xff")
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.m4b"]
    loudness, peak = _measure(made)
    assert loudness == pytest.approx(-19.0, abs=1.0) and peak < -1.0


def test_a_book_without_a_cover_or_with_a_false_one_is_written(
    spoken: tuple[Book, Timeline, SentenceStore], tmp_path: Path
) -> None:
    book, timeline, store = spoken
    made = audiobook.write_m4b(tmp_path / "a.m4b", replace(book, cover=b"no picture"), timeline, store)
    assert len(probe(str(made), find_ffmpeg())["chapters"]) == 2 and "covr" not in (mutagen.File(made) or {})


def test_every_chapter_is_an_mp3_with_its_number(spoken: tuple[Book, Timeline, SentenceStore], tmp_path: Path) -> None:
    book, timeline, store = spoken
    files = audiobook.write_mp3s(tmp_path, book, timeline, store)
    assert [each.name for each in files] == ["1 CHAPTER I. The Gate.mp3", "2 CHAPTER II. The Mill.mp3"]
    for number, path in enumerate(files, 1):
        tags: Any = mutagen.File(path, easy=True)
        assert tags["tracknumber"] == [f"{number}/2"] and tags["album"] == [book.title]
        chapter = timeline.chapters[number - 1]
        length_s = (chapter.end - chapter.start) / timeline.sample_rate
        assert tags.info.length == pytest.approx(length_s, abs=0.6)
        assert _measure(path)[1] < -1.0


def test_one_wav_is_the_whole_book(spoken: tuple[Book, Timeline, SentenceStore], tmp_path: Path) -> None:
    _, timeline, store = spoken
    samples, rate = soundfile.read(audiobook.write_wav(tmp_path / "a.wav", timeline, store))
    assert rate == timeline.sample_rate and len(samples) == timeline.chapters[-1].end
    loudness, peak = _measure(tmp_path / "a.wav")
    assert loudness == pytest.approx(-19.0, abs=1.0) and peak < -1.5


def test_nothing_spoken_makes_no_file(spoken: tuple[Book, Timeline, SentenceStore], tmp_path: Path) -> None:
    book = spoken[0]
    store = SentenceStore(tmp_path / "empty")
    timeline = lay_out(BookScript(book, Reading(chapters=(0, 1))), store)
    assert timeline.missing > 5 and timeline.duration_s == 0.0
    with pytest.raises(MediaError):
        audiobook.write_wav(tmp_path / "a.wav", timeline, store)


@pytest.mark.parametrize(
    ("title", "name"),
    [("../../etc/passwd", "etc passwd"), ('Who? Me: "I"', "Who Me I"), ("...", "Untitled"), ("Füße", "Füße")],
)
def test_file_names_are_plain(title: str, name: str) -> None:
    assert audiobook.file_name(title) == name
