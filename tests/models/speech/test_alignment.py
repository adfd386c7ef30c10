"""The verdict on a sentence: it says that every word was read only where each had its time."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from models.speech.alignment import find_hurried_words, find_soundless_words, find_unread_words, judge_alignment
from models.speech.sentence_decoder import DecodingTrace
from models.speech.symbols import WORD_BREAK
from models.speech.text import Utterance, to_utterances


@pytest.fixture(scope="module")
def utterance() -> Utterance:
    (one,) = to_utterances("The boat came in with the evening tide.").utterances
    return one


def read(utterance: Utterance, steps: dict[str, float], each: float = 2.0, **known: object) -> DecodingTrace:
    """Return a decoded sentence in which each symbol got `each` steps, but those of some words others."""
    wanted = [each] * len(utterance.symbols)
    for word in utterance.words:
        for place in range(word.start, word.end):
            wanted[place] = steps.get(word.text, each)
    rows: list[np.ndarray] = []
    positions: list[int] = []
    for place, share in enumerate(wanted):
        for step in range(math.ceil(share)):
            row = np.full(len(wanted), 1e-4, np.float32)
            row[place] = min(share - step, 1.0)
            rows.append(row)
            positions.append(place)
    return DecodingTrace(alignment=rows, positions=positions, **known)  # type: ignore[arg-type]


def test_a_good_reading_says_so(utterance: Utterance) -> None:
    assert "every word was read" in judge_alignment(utterance, read(utterance, {}))


def test_a_skipped_word_is_named(utterance: Utterance) -> None:
    decoded = read(utterance, {"evening": 0.0})
    assert find_unread_words(utterance, decoded.stack_alignment()) == ["evening"]
    assert judge_alignment(utterance, decoded) == "The model may have skipped “evening”."


def test_a_skipped_stressed_vowel_is_enough(utterance: Utterance) -> None:
    decoded = read(utterance, {})
    (word,) = (word for word in utterance.words if word.text == "evening")
    stressed = next(p for p in range(word.start, word.end) if utterance.symbols[p].startswith("ˈ"))
    kept = [row for row, place in zip(decoded.alignment, decoded.positions, strict=True) if place != stressed]
    verdict = judge_alignment(utterance, replace(decoded, alignment=kept))
    assert "“evening”" in verdict and "every word" not in verdict.lower()


def test_a_swallowed_word_is_doubtful(utterance: Utterance) -> None:
    decoded = read(utterance, {"came": 0.3})
    assert find_hurried_words(utterance, decoded.stack_alignment()) == ["came"]
    verdict = judge_alignment(utterance, decoded)
    assert "swallowed “came”" in verdict and "every word" not in verdict.lower()


def test_short_function_words_are_not_doubtful(utterance: Utterance) -> None:
    assert not find_hurried_words(utterance, read(utterance, {"The": 0.3, "the": 0.4}).stack_alignment())


def test_a_word_without_sounds_is_doubtful(utterance: Utterance) -> None:
    unheard = replace(utterance, words=tuple(word for word in utterance.words if word.text != "boat"))
    assert find_soundless_words(utterance) == []
    assert find_soundless_words(unheard) == ["boat"]
    assert "“boat”" in judge_alignment(unheard, read(unheard, {}))


def test_hesitation_a_forced_end_and_a_blur_are_told(utterance: Utterance) -> None:
    boat = utterance.words[1]
    assert "hesitated near “boat”" in judge_alignment(utterance, read(utterance, {}, retries=[boat.start]))
    assert "end had to be found" in judge_alignment(utterance, read(utterance, {}, cut=True))
    blurred = read(utterance, {})
    blurred.alignment = [np.full(len(utterance.symbols), 1 / 4, np.float32) for _ in blurred.alignment]
    assert "blurred" in judge_alignment(utterance, blurred)


def test_nothing_attended_is_nothing_read(utterance: Utterance) -> None:
    assert "may have skipped" in judge_alignment(utterance, DecodingTrace())


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5-$10 (really), at bob@b.com!",
        "<speak>Hello <break time='1s'/> <sub alias='W W W'>w3</sub>, *you* & me.</speak>",
        "# A heading\n- 3½ cups of 'milk' — x² [GIF](/dʒɪf/)'s",
    ],
)
def test_every_written_word_has_its_sounds(text: str) -> None:
    for utterance in to_utterances(text).utterances:
        assert find_soundless_words(utterance) == []
        assert WORD_BREAK not in {utterance.symbols[word.start] for word in utterance.words}
