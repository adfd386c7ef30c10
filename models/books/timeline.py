"""Where every spoken passage of a book stands in its sound, and that sound, piece by piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.books.script import BookPassage, BookScript
from models.books.sentence_store import SentenceFacts, SentenceStore
from models.contracts import WordTiming

FloatArray = NDArray[np.float32]

LEAD_S = 0.5  # of silence before the first word


@dataclass(frozen=True)
class PlacedPassage:
    """A spoken passage and where it begins, in samples of the whole book."""

    passage: BookPassage
    facts: SentenceFacts
    start: int
    end: int
    stop: int  # after the silence that follows


@dataclass(frozen=True)
class PlacedChapter:
    """A chapter and where it begins and ends, in samples of the whole book."""

    index: int
    title: str
    start: int
    end: int


@dataclass(frozen=True)
class Timeline:
    """A book's sound, laid out.

    Attributes:
        missing: how many passages are not spoken yet, and so are left out.
    """

    sample_rate: int
    passages: tuple[PlacedPassage, ...]
    chapters: tuple[PlacedChapter, ...]
    missing: int

    @property
    def duration_s(self) -> float:
        """Return how long the book lasts."""
        return self.chapters[-1].end / self.sample_rate if self.chapters else 0.0

    def of_chapter(self, index: int) -> list[PlacedPassage]:
        """Return the passages of a chapter."""
        return [each for each in self.passages if each.passage.chapter == index]

    def words(self, passages: list[PlacedPassage] | None = None) -> list[WordTiming]:
        """Return all words, timed from the beginning of the book, or of the first of the passages."""
        chosen = list(self.passages) if passages is None else passages
        begin = (chosen[0].start - self.lead) if passages and chosen else 0
        found = []
        for each in chosen:
            at_s = (each.start - begin) / self.sample_rate
            found += [replace(w, start_s=at_s + w.start_s, end_s=at_s + w.end_s) for w in each.facts.words]
        return found

    @property
    def lead(self) -> int:
        """Return the samples of silence before the first word."""
        return round(LEAD_S * self.sample_rate)


def lay_out(script: BookScript, store: SentenceStore) -> Timeline:
    """Place all passages that are spoken."""
    spoken: list[tuple[BookPassage, SentenceFacts]] = []
    missing = 0
    for passage in script.iter_passages():
        facts = store.facts(passage.key)
        if facts is None:
            missing += 1
        elif facts.samples:
            spoken.append((passage, facts))
    rates = Counter(facts.sample_rate for _, facts in spoken)
    rate = rates.most_common(1)[0][0] if rates else 22_050
    at = round(LEAD_S * rate)
    placed: list[PlacedPassage] = []
    chapters: list[PlacedChapter] = []
    for passage, facts in spoken:
        if not chapters or chapters[-1].index != passage.chapter:
            begin = chapters[-1].end if chapters else 0
            chapters.append(PlacedChapter(passage.chapter, script.book.chapters[passage.chapter].title, begin, at))
        count = facts.samples if facts.sample_rate == rate else -(-facts.samples * rate // facts.sample_rate)
        end = at + count
        stop = end + round(passage.pause_s * rate)
        placed.append(PlacedPassage(passage, facts, at, end, stop))
        at = stop
        last = chapters[-1]
        chapters[-1] = PlacedChapter(last.index, last.title, last.start, at)
    return Timeline(rate, tuple(placed), tuple(chapters), missing)


def iter_sound(timeline: Timeline, store: SentenceStore, chapter: int | None = None) -> Iterator[FloatArray]:
    """Yield the sound of the book, or of one chapter, passage by passage, silences included: float32 (n,) each.

    Raises:
        ModelError: a sentence is gone.
    """
    is_first = True
    for each in timeline.passages:
        if chapter is not None and each.passage.chapter != chapter:
            continue
        if is_first:
            yield np.zeros(timeline.lead, np.float32)
            is_first = False
        yield sound_of(each, timeline, store)


def sound_of(placed: PlacedPassage, timeline: Timeline, store: SentenceStore) -> FloatArray:
    """Return the sound of a passage with the silence after it, float32 (n,)."""
    from models.audio import resample

    samples = resample(store.sound(placed.passage.key), placed.facts.sample_rate, timeline.sample_rate)
    whole = np.zeros(placed.stop - placed.start, np.float32)
    count = min(samples.size, placed.end - placed.start)
    whole[:count] = samples[:count]
    return whole
