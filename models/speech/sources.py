"""A typed text as passages that can be read: cleaned, with the turns of their prosody, and the silences asked for."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass

from models.speech.clean import FIRST_SAID, clean
from models.speech.markup import Passage, to_passages
from models.speech.normalise import Unit
from models.speech.pronunciations import Dictionary
from models.speech.ssml import PLAIN, Prosody

_STANDS_FOR_WORDS = "&%+=@#$£€¥₹¢°<>*/^~"


@dataclass(frozen=True)
class Readable:
    """The readable text of a passage, and the places at which its prosody turns."""

    passage: Passage
    text: str
    turns: list[tuple[int, Prosody]]

    def prosody(self, unit: Unit) -> Prosody:
        """Return how a unit is said."""
        index = bisect.bisect_right(self.turns, unit.start, key=lambda turn: turn[0])
        return self.turns[index - 1][1] if index else PLAIN

    def written(self, start: int, end: int) -> str:
        """Return a part of the text as the person wrote it, on one line."""
        return " ".join(self.passage.written(self.text[start:end]).split())


def iter_sources(
    text: str, dictionary: Dictionary, notes: list[str]
) -> Iterator[tuple[Readable | None, float | None, bool]]:
    """Yield readable text, the silence asked after it or None, and whether its sentence goes on, passage by passage.

    The first source is None where a silence was asked before any word.
    """
    waiting: tuple[Readable, bool] | None = None
    silence_s: float | None = None
    for passage in to_passages(text, dictionary, notes):
        if passage.silence_s is not None:
            silence_s = (silence_s or 0.0) + passage.silence_s
        cleaned, left_out = clean(passage.text)
        readable, turns = passage.split_turns(cleaned)
        notes += [note for note in left_out if note not in notes]
        if not any(char.isalnum() or char in _STANDS_FOR_WORDS or ord(char) >= FIRST_SAID for char in readable):
            continue
        if waiting is not None:
            yield waiting[0], silence_s, waiting[1]
        elif silence_s is not None:
            yield None, silence_s, False
        waiting, silence_s = (Readable(passage, readable, turns), passage.goes_on), None
    if waiting is not None:
        yield waiting[0], silence_s, waiting[1]
