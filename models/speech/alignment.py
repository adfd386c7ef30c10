"""What an alignment tells: when each word is heard, and whether every word was read.

Letters: S decoder steps, L symbols.
"""

from __future__ import annotations

import numpy as np

from models.contracts import WordTiming
from models.speech.sentence_decoder import DecodingTrace
from models.speech.symbols import PUNCTUATION, WORD_BREAK
from models.speech.text import SpokenWord, Utterance

UNREAD_MASS = 0.12
"""A symbol that got less attention than this, in steps over the whole sentence, was passed over."""


def time_words(
    words: tuple[SpokenWord, ...], positions: list[int], step_s: float, starts_at_s: float, ended: bool
) -> tuple[WordTiming, ...]:
    """When the words are heard that are over by now.

    Args:
        positions: the symbol read at each step (S,), never decreasing.
        step_s: seconds a step lasts.
        starts_at_s: where the utterance begins in the whole sound.
        ended: whether the utterance is complete, so that its last word is over too.
    """
    path = np.asarray(positions)
    timings = []
    for word in words:
        first, end = (int(np.searchsorted(path, place)) for place in (word.start, word.end))
        if end >= len(path) and not ended:
            break
        timings.append(WordTiming(word.text, starts_at_s + first * step_s, starts_at_s + end * step_s))
    return tuple(timings)


def find_unread_words(utterance: Utterance, alignment: np.ndarray) -> list[str]:
    """Words of which at least half the sounds got next to no attention; alignment (S, L)."""
    mass = alignment.sum(axis=0)

    def is_unread(word: SpokenWord) -> bool:
        sounds = [
            mass[place]
            for place in range(word.start, word.end)
            if utterance.symbols[place] not in (WORD_BREAK, *PUNCTUATION)
        ]
        return bool(sounds) and float(np.mean(np.array(sounds) < UNREAD_MASS)) >= 0.5

    return [word.text for word in utterance.words if is_unread(word)]


def judge_alignment(utterance: Utterance, trace: DecodingTrace) -> str:
    """A plain sentence about how the sentence was read."""
    alignment = trace.alignment_array()
    unread = find_unread_words(utterance, alignment) if alignment.size else [w.text for w in utterance.words]
    if unread:
        return f"The model may have skipped {_quote(unread)}."
    if trace.retries:
        near = [w.text for w in utterance.words if any(w.start <= place <= w.end for place in trace.retries)]
        return f"The model hesitated near {_quote(near)}." if near else "The model hesitated at a pause."
    if trace.cut:
        return "Every word was spoken; the end had to be found by the attention, not by the stop token."
    if float(alignment.max(axis=1).mean()) < 0.4:
        return "A blurred diagonal: every word was read, perhaps not clearly."
    return "A clear diagonal: every word was spoken."


def _quote(words: list[str]) -> str:
    distinct = list(dict.fromkeys(words))
    more = f" and {len(distinct) - 3} more" if len(distinct) > 3 else ""
    return ", ".join(f"“{word}”" for word in distinct[:3]) + more
