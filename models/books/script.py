"""A book as passages: a sentence each, with its voice and the silence after it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from models.books.book import Book, Chapter, Kind, Paragraph
from models.books.dialogue import Dialogue
from models.contracts import SpeechRequest
from models.speech.normalise import sentences
from models.speech.sources import iter_sources

VERSION = 1  # of how a sentence is finished; another one speaks every sentence anew
SHORTEST_SENTENCE = 14  # characters; shorter ones are spoken with a neighbour, as voices say them badly alone
LONGEST_SENTENCE = 1_500
KEPT_SPLITS = 10_000  # paragraphs; a book is gone through again for its files, its doubts, its listeners
CLOSERS = "\"”’'»)]"
_MARKS = ",;:—–-"


@dataclass(frozen=True)
class Pauses:
    """Silences in seconds: within a sentence, and after a sentence, a paragraph, a heading, a chapter or scene."""

    comma_s: float = 0.15
    sentence_s: float = 0.4
    paragraph_s: float = 0.75
    heading_s: float = 1.2
    chapter_s: float = 2.0


@dataclass(frozen=True)
class Reading:
    """How a book is read.

    Attributes:
        model, revision: key of the model, and what its weights are.
        voice: the narrator's.
        voices: of characters, by name, and of chapters, by "Chapter 3" (its number in the list) or title.
        chapters: indices of those that are read.
        seeds: other seeds for single sentences, by their first key.
    """

    model: str = ""
    revision: str = ""
    voice: str = ""
    voices: Mapping[str, str] = field(default_factory=dict)
    chapters: tuple[int, ...] = ()
    speed: float = 1.0
    pitch_semitones: float = 0.0
    energy_db: float = 0.0
    vocoder: str = "neural"
    dictionary: tuple[tuple[str, str], ...] = ()
    seed: int = 0
    pauses: Pauses = Pauses()
    seeds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class BookPassage:
    """A sentence of a book.

    Attributes:
        chapter, paragraph: indices in the book.
        speaker: who says it, "" the narrator.
        pause_s: the silence after it.
        key: of its sound: equal keys sound equal.
        base: the key that it has with the seed of the whole book.
    """

    chapter: int
    paragraph: int
    text: str
    voice: str
    speaker: str
    pause_s: float
    seed: int
    key: str
    base: str
    is_heading: bool = False


class BookScript:
    """The passages of a book that is read in a certain way.

    Args:
        dialogue: finds who speaks; made of the book where it is None.
    """

    def __init__(self, book: Book, reading: Reading, dialogue: Dialogue | None = None) -> None:
        self.book, self.reading = book, reading
        self.dialogue = dialogue or Dialogue.of(book)
        self._voices = {name.casefold(): voice for name, voice in reading.voices.items()}

    def iter_passages(self) -> Iterator[BookPassage]:
        """Yield the passages of the chapters that are read, in order."""
        for index in sorted(set(self.reading.chapters)):
            if 0 <= index < len(self.book.chapters):
                yield from self._passages_of(index, self.book.chapters[index])

    def request(self, passage: BookPassage) -> SpeechRequest:
        """Return what the model is asked for a passage."""
        return _request(self.reading, passage.text, passage.voice, passage.seed)

    def voice_of_chapter(self, index: int) -> str:
        """Return the narrator's voice in a chapter."""
        title = self.book.chapters[index].title.casefold()
        return self._voices.get(f"chapter {index + 1}", self._voices.get(title, self.reading.voice))

    def _passages_of(self, index: int, chapter: Chapter) -> Iterator[BookPassage]:
        rows = [(at, each) for at, each in enumerate(chapter.paragraphs) if each.text]
        for number, (at, paragraph) in enumerate(rows):
            if paragraph.kind == Kind.BREAK:
                continue
            following = rows[number + 1][1] if number + 1 < len(rows) else None
            after_s = self._pause_after(paragraph, following)
            pieces = list(self._pieces(index, paragraph))
            for place, (text, voice, speaker) in enumerate(pieces):
                pause_s = after_s if place == len(pieces) - 1 else self._pause_within(text)
                yield self._make(index, at, text, voice, speaker, pause_s, paragraph.kind == Kind.HEADING)

    def _pause_after(self, paragraph: Paragraph, following: Paragraph | None) -> float:
        pauses = self.reading.pauses
        if following is None or following.kind == Kind.BREAK:
            return pauses.chapter_s
        is_heading = Kind.HEADING in (paragraph.kind, following.kind)
        return pauses.heading_s if is_heading else pauses.paragraph_s

    def _pause_within(self, text: str) -> float:
        goes_on = text.rstrip('”"’»)] ')[-1:] not in ".!?…" or text.rstrip()[-1:] in _MARKS
        return self.reading.pauses.comma_s if goes_on else self.reading.pauses.sentence_s

    def _pieces(self, index: int, paragraph: Paragraph) -> Iterator[tuple[str, str, str]]:
        """Yield sentences with voice and speaker; neighbours with the same voice are read as one."""
        narrator = self.voice_of_chapter(index)
        spans = [(paragraph.text, narrator, "")]
        if paragraph.kind == Kind.TEXT:
            spans = []
            for span in self.dialogue.split(paragraph.text):
                voice = self._voices.get(span.speaker.casefold(), narrator) if span.speaker else narrator
                if spans and spans[-1][1] == voice:
                    spans[-1] = (spans[-1][0] + span.text, voice, spans[-1][2] or span.speaker)
                else:
                    spans.append((span.text, voice, span.speaker))
        for text, voice, speaker in spans:
            for sentence in split_sentences(text):
                yield sentence, voice, speaker

    def _make(
        self, chapter: int, paragraph: int, text: str, voice: str, speaker: str, pause_s: float, is_heading: bool
    ) -> BookPassage:
        base = make_key(self.reading, text, voice, self.reading.seed)
        seed = self.reading.seeds.get(base, self.reading.seed)
        key = base if seed == self.reading.seed else make_key(self.reading, text, voice, seed)
        return BookPassage(chapter, paragraph, text, voice, speaker, pause_s, seed, key, base, is_heading)


def make_key(reading: Reading, text: str, voice: str, seed: int) -> str:
    """Return the name of a sentence's sound: a hash of all that the sound depends on."""
    plain = text.casefold()
    words = [entry for entry in reading.dictionary if entry[0].casefold() in plain]
    settings = [reading.speed, reading.pitch_semitones, reading.energy_db, reading.vocoder, words]
    parts = [VERSION, reading.model, reading.revision, voice, text, settings, seed]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:40]


def _request(reading: Reading, text: str, voice: str, seed: int) -> SpeechRequest:
    return SpeechRequest(
        text,
        voice,
        seed,
        reading.speed,
        reading.pitch_semitones,
        reading.energy_db,
        reading.vocoder,
        reading.dictionary,
    )


@lru_cache(maxsize=KEPT_SPLITS)
def split_sentences(text: str) -> tuple[str, ...]:
    """Cut a paragraph into sentences as the front end of the voices does; very short ones stay with a neighbour."""
    found: list[str] = []
    for source, _, _ in iter_sources(text, (), []):
        if source is None:
            continue
        start = 0
        for sentence in sentences(source.text, [], source.passage.said):
            stop = sentence.units[-1].stop
            piece = source.written(start, stop)
            start = stop
            if piece:
                found.append(piece)
        rest = source.written(start, len(source.text))
        if found and rest and all(mark in CLOSERS for mark in rest):
            found[-1] += rest
    return tuple(part for piece in _join_short(found) for part in _cut_long(piece))


def _join_short(pieces: list[str]) -> list[str]:
    joined: list[str] = []
    for piece in pieces:
        is_short = len(piece) < SHORTEST_SENTENCE or (bool(joined) and len(joined[-1]) < SHORTEST_SENTENCE)
        if joined and is_short:
            joined[-1] = f"{joined[-1]} {piece}"
        else:
            joined.append(piece)
    return joined


def _cut_long(piece: str) -> Iterator[str]:
    while len(piece) > LONGEST_SENTENCE:
        at = max(piece.rfind(", ", 0, LONGEST_SENTENCE) + 1, 0) or piece.rfind(" ", 0, LONGEST_SENTENCE)
        at = at if at > 0 else LONGEST_SENTENCE
        yield piece[:at].strip()
        piece = piece[at:].strip()
    if piece:
        yield piece
