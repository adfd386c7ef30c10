"""Speaks a book, passage by passage, to disk; what is there already is not spoken again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.books.levelling import finish_sentence
from models.books.script import BookPassage, BookScript
from models.books.sentence_store import SentenceFacts, SentenceStore
from models.contracts import SpeechChunk, SpeechRequest, WordTiming
from models.workers.order import work_in_order

FloatArray = NDArray[np.float32]
Speak = Callable[[SpeechRequest], Iterator[SpeechChunk]]

CLEAR = ("A clear diagonal", "Every word was read;")
NOTHING_SAID = "Nothing of this could be spoken."
LEAST_JUDGED_CHARACTERS = 20
ODD_PACE = 2.0  # times the median pace of the book, or a half of it
SILENT_RATE = 22_050  # of a sentence of which nothing could be spoken


@dataclass(frozen=True)
class NarrationStep:
    """One passage is there.

    Attributes:
        done: characters of all passages so far; spoken: of those that were spoken just now, in `took_s` seconds.
    """

    passage: BookPassage
    facts: SentenceFacts
    is_new: bool
    done: int
    spoken: int
    took_s: float

    def seconds_left(self, total: int) -> float | None:
        """Return how long the rest of `total` characters takes; None before anything was spoken."""
        return (total - self.done) * self.took_s / self.spoken if self.spoken else None


def narrate(
    script: BookScript,
    store: SentenceStore,
    speak: Speak,
    should_stop: Callable[[], bool] = lambda: False,
    places: int = 1,
) -> Iterator[NarrationStep]:
    """Yield each passage of a script once it is on disk; a stop leaves out the sentences that are being spoken.

    Args:
        places: how many sentences are spoken side by side; the steps come in the order of the book all the same.

    Raises:
        ModelError: the model cannot go on, or the disk is full; what is spoken stays.
    """
    done = spoken = 0
    took_s = 0.0
    ended = threading.Event()

    def is_unwanted() -> bool:
        return ended.is_set() or should_stop()

    def have(passage: BookPassage) -> tuple[BookPassage, SentenceFacts | None, bool, float]:
        began_s = time.monotonic()
        facts = None if is_unwanted() else store.facts(passage.key)
        is_new = facts is None and not is_unwanted()
        if is_new:
            facts = speak_passage(script.request(passage), passage.key, store, speak, is_unwanted)
        return passage, facts, is_new, time.monotonic() - began_s

    with closing(work_in_order(script.iter_passages(), have, places, ended.set)) as steps:
        for passage, facts, is_new, passage_s in steps:
            if facts is None:
                return
            took_s += passage_s / places if is_new else 0.0
            spoken += len(passage.text) if is_new else 0
            done += len(passage.text)
            yield NarrationStep(passage, facts, is_new, done, spoken, took_s)


def speak_passage(
    request: SpeechRequest, key: str, store: SentenceStore, speak: Speak, should_stop: Callable[[], bool]
) -> SentenceFacts | None:
    """Speak one sentence into the store; None where it was stopped.

    Raises:
        ModelError: as `narrate`.
    """
    pieces: list[FloatArray] = []
    words: tuple[WordTiming, ...] = ()
    notes: tuple[str, ...] = ()
    verdicts: list[str] = []
    sample_rate = SILENT_RATE
    chunks: Any = speak(request)
    try:
        with closing(chunks):
            for chunk in chunks:
                if should_stop():
                    return None
                pieces.append(chunk.samples)
                words, notes, sample_rate = chunk.words, chunk.notes, chunk.sample_rate
                verdicts += [chunk.verdict] if chunk.verdict else []
    except ValueError as error:  # a sentence without a word, such as one in another script; the book goes on
        verdicts, notes = [NOTHING_SAID], (str(error),)
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    finished, cut_s = finish_sentence(samples, sample_rate)
    length_s = finished.size / sample_rate
    timed = tuple(_shift(each, cut_s, length_s) for each in words)
    verdict = next((each for each in verdicts if is_doubted(each)), verdicts[0] if verdicts else "")
    verdict = verdict if finished.size else NOTHING_SAID
    facts = SentenceFacts(finished.size, sample_rate, timed, verdict, notes)
    store.save(key, finished, facts)
    return facts


def is_doubted(verdict: str) -> bool:
    """Tell whether a model's verdict about its alignment names a doubt."""
    return bool(verdict) and not verdict.startswith(CLEAR)


@dataclass(frozen=True)
class DoubtfulPassage:
    """A passage that may not have come out well, and why."""

    passage: BookPassage
    why: str


def find_doubtful(script: BookScript, store: SentenceStore) -> list[DoubtfulPassage]:
    """List the spoken passages that may not have come out well: by the model's verdict, or by an odd pace."""
    spoken = [(each, facts) for each in script.iter_passages() if (facts := store.facts(each.key)) is not None]
    paces = [facts.duration_s / len(each.text) for each, facts in spoken if len(each.text) >= LEAST_JUDGED_CHARACTERS]
    median = float(np.median(paces)) if paces else 0.0
    found: dict[str, DoubtfulPassage] = {}
    for passage, facts in spoken:
        why = facts.verdict if is_doubted(facts.verdict) else ""
        if not why and len(passage.text) >= LEAST_JUDGED_CHARACTERS and median:
            pace = facts.duration_s / len(passage.text) / median
            if pace > ODD_PACE:
                why = "It is much slower than the rest; something may be said twice."
            elif pace < 1 / ODD_PACE:
                why = "It is much faster than the rest; something may be left out."
        if why:
            found.setdefault(passage.key, DoubtfulPassage(passage, why))
    return list(found.values())


def _shift(word: WordTiming, cut_s: float, length_s: float) -> WordTiming:
    """Return a word's times in a sound whose first seconds were cut off."""
    start_s, end_s = (min(max(0.0, round(at_s - cut_s, 4)), length_s) for at_s in (word.start_s, word.end_s))
    return replace(word, start_s=start_s, end_s=end_s)
