"""Misspelt words of a description put right: "gitar" is a guitar, "hapy" is happy.

Only words that the description's rules know are aimed at, and only from near by; what the pronouncing lexicon of
English holds is a word of its own and stays as it is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

LEAST_LETTERS = 4
LONG_LETTERS, LEAST_LIKENESS = 7, (0.8, 0.85)  # difflib's ratio, for short and for long words: one or two slips
_WORD = re.compile(rf"(?<![\w'-])[A-Za-z]{{{LEAST_LETTERS},}}(?![\w'-])")


def correct_spelling(text: str, phrases: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Put misspelt words right.

    Args:
        phrases: what the rules know.

    Returns:
        The text, and each corrected word with what it was taken for.
    """
    known = {word for phrase in phrases for word in _WORD.findall(phrase.lower())}
    corrected: dict[str, str] = {}

    def correct(match: re.Match[str]) -> str:
        meant = _find_meant(match[0].lower(), known)
        if meant is None:
            return match[0]
        corrected[match[0]] = meant
        return meant

    return _WORD.sub(correct, text), corrected


def _find_meant(word: str, known: set[str]) -> str | None:
    """Find the known word that a misspelt one was meant to be; None where it is a word of its own, or like none."""
    if word in known:
        return None
    near, likeness = [each for each in sorted(known) if each[0] == word[0]], LEAST_LIKENESS[len(word) >= LONG_LETTERS]
    like = difflib.get_close_matches(word, near, 1, likeness)
    return like[0] if like and not _is_word(word) else None


def _is_word(word: str) -> bool:
    """Check whether English has a word, or it is the plural of one."""
    from models.speech.pronounce import in_lexicon

    return in_lexicon(word) or (word.endswith("s") and in_lexicon(word[:-1]))
