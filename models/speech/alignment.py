"""What an alignment tells: when each word is heard, and whether every word was read.

Letters: S decoder steps, L symbols.
"""

from __future__ import annotations

import numpy as np

from models.contracts import WordTiming
from models.speech.sentence_decoder import DecodingTrace
from models.speech.symbols import BETWEEN_WORDS
from models.speech.text import SpokenWord, Utterance

UNREAD_MASS = 0.12
"""A symbol that got less attention than this, in steps over the whole sentence, was passed over."""
HURRIED_SHARE = 0.25
"""A word whose sounds got less than this share of the median word's time was swallowed."""
HURRIED_SHARE_UNSTRESSED = 0.1  # of a word without stress, such as "the", which voices hurry over
LEAST_WORDS = 3  # fewer have no median to speak of


def time_words(
    words: tuple[SpokenWord, ...], positions: list[int], step_s: float, starts_at_s: float, ended: bool
) -> tuple[WordTiming, ...]:
    """Return when the words are heard that are over by now.

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
        timings.append(WordTiming(word.text, starts_at_s + first * step_s, starts_at_s + end * step_s, word.marked))
    return tuple(timings)


def find_unread_words(utterance: Utterance, alignment: np.ndarray) -> list[str]:
    """Find words that may not be heard; alignment (S, L).

    At least half of a word's sounds, or a stressed vowel of it, got next to no attention.
    """
    mass = alignment.sum(axis=0)

    def is_unread(word: SpokenWord) -> bool:
        places = _find_sounds(utterance, word)
        unread = [place for place in places if mass[place] < UNREAD_MASS]
        stressed = [place for place in unread if utterance.symbols[place].startswith("ˈ")]
        return bool(places) and (len(unread) >= len(places) / 2 or bool(stressed))

    return [word.text for word in utterance.words if is_unread(word)]


def find_hurried_words(utterance: Utterance, alignment: np.ndarray) -> list[str]:
    """Find words that had hardly any time, next to the others of their utterance; alignment (S, L)."""
    mass = alignment.sum(axis=0)
    spoken = [(word, places) for word in utterance.words if (places := _find_sounds(utterance, word))]
    if len(spoken) < LEAST_WORDS:
        return []
    per_sound = [float(mass[places].mean()) for _, places in spoken]
    median = float(np.median(per_sound))
    hurried = []
    for (word, places), time in zip(spoken, per_sound, strict=True):
        is_stressed = any(utterance.symbols[place].startswith("ˈ") for place in places)
        if time < median * (HURRIED_SHARE if is_stressed else HURRIED_SHARE_UNSTRESSED):
            hurried.append(word.text)
    return hurried


def find_soundless_words(utterance: Utterance) -> list[str]:
    """Find words of the text for which the reader found no sound, so that the model never saw them."""
    missing, position = [], 0
    for word in [*utterance.words, None]:
        found = utterance.text.find(word.text, position) if word else len(utterance.text)
        between = utterance.text[position : max(found, position)]
        missing += [piece for piece in between.split() if any(char.isalnum() for char in piece)]
        position = max(found, position) + len(word.text) if word else position
    return missing


def judge_alignment(utterance: Utterance, trace: DecodingTrace) -> str:
    """Say in one sentence how the sentence was read: what is doubtful first, else that nothing is."""
    alignment = trace.stack_alignment()
    unread = find_unread_words(utterance, alignment) if alignment.size else [w.text for w in utterance.words]
    unread = [*find_soundless_words(utterance), *unread]
    if unread:
        return f"The model may have skipped {name_words(unread)}."
    hurried = find_hurried_words(utterance, alignment)
    if hurried:
        return f"The model may have swallowed {name_words(hurried)}: hardly any time was given to it."
    if trace.retries:
        near = [w.text for w in utterance.words if any(w.start <= place <= w.end for place in trace.retries)]
        return f"The model hesitated near {name_words(near)}." if near else "The model hesitated at a pause."
    if trace.cut:
        return "Every word was read; the end had to be found by the attention, not by the stop token."
    if float(alignment.max(axis=1).mean()) < 0.4:
        return "A blurred diagonal: every word was read, perhaps not clearly."
    return "A clear diagonal: every word was read and had its time."


def _find_sounds(utterance: Utterance, word: SpokenWord) -> list[int]:
    """Return the places of a word's sounds among the symbols."""
    return [place for place in range(word.start, word.end) if utterance.symbols[place] not in BETWEEN_WORDS]


def name_words(words: list[str]) -> str:
    """Name the first three of some words, and how many more there are."""
    distinct = list(dict.fromkeys(words))
    more = f" and {len(distinct) - 3} more" if len(distinct) > 3 else ""
    return ", ".join(f"“{word}”" for word in distinct[:3]) + more
