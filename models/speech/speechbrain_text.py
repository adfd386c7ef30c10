"""Any text to utterances of characters, as SpeechBrain's Tacotron 2 was trained to read them.

The model reads small letters, punctuation and blanks by their places in an inventory of 148 symbols, which goes back to
Keith Ito's Tacotron. What is not said as it is written (numbers, dates, abbreviations, addresses) is put into words by
the front end of our own model, which does all that the original's English cleaner does and more.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, replace

from models.speech.clean import fold
from models.speech.normalise import SENTENCE_PAUSE_S, Unit, sentences
from models.speech.pronounce import stronger
from models.speech.pronunciations import Dictionary
from models.speech.sources import Readable, iter_sources
from models.speech.split import split
from models.speech.symbols import WORD_BREAK
from models.speech.text import (
    CLAUSE_PAUSE_S,
    COMMA_PAUSE_S,
    CONJUNCTIONS,
    CUT_PAUSE_S,
    LEAST_MAX_SYMBOLS,
    MAX_SYMBOLS,
    SpokenWord,
    Utterance,
    ask_silence,
    find_turns,
)

_VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
_CONSONANTS = (
    *("B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N"),
    *("NG", "P", "R", "S", "SH", "T", "TH", "V", "W", "Y", "Z", "ZH"),
)
_ARPABET = sorted([*_CONSONANTS, *(vowel + stress for vowel in _VOWELS for stress in ("", "0", "1", "2"))])

SYMBOLS: tuple[str, ...] = (
    "_",  # padding
    "-",
    *"!'(),.:;? ",
    *string.ascii_uppercase,
    *string.ascii_lowercase,
    *(f"@{phoneme}" for phoneme in _ARPABET),
)
"""In the order of the rows of the checkpoint's embedding."""
SYMBOL_IDS: dict[str, int] = {symbol: index for index, symbol in enumerate(SYMBOLS)}

_TOKEN = re.compile(r"([a-z'-]*[a-z][a-z'-]*)|([,.?!;:])")


def encode_characters(symbols: tuple[str, ...]) -> list[int]:
    """Turn characters into ids; KeyError names one that is not in the inventory."""
    return [SYMBOL_IDS[symbol] for symbol in symbols]


@dataclass
class _Word:
    """One word in small letters, the punctuation mark after it or "", and the unit that it is part of."""

    letters: str
    mark: str
    unit: Unit


def iter_character_utterances(
    text: str, max_symbols: int = MAX_SYMBOLS, notes: list[str] | None = None, dictionary: Dictionary = ()
) -> Iterator[Utterance]:
    """Yield utterances one at a time; their symbols are characters, the last of them punctuation.

    Args:
        text: any Unicode text; characters that are not in the inventory are written otherwise or left out.
        max_symbols: no utterance has more characters; the model was trained on clips of at most ten seconds.
        notes: sentences about what was left out are added here, most of them before the first utterance.
        dictionary: words of the person's own; IPA and ARPAbet are written in letters.

    Raises:
        ValueError: at the first step, where the text holds nothing that can be spoken.
    """
    if max_symbols < LEAST_MAX_SYMBOLS:
        raise ValueError(f"max_symbols is {max_symbols!r}; it must be at least {LEAST_MAX_SYMBOLS}.")
    notes = [] if notes is None else notes
    spoke = False
    lead_s = 0.0
    for source, silence_s, goes_on in iter_sources(text, dictionary, notes):
        if source is None:
            lead_s = silence_s or 0.0
            continue
        for utterance in ask_silence(_read_passage(source, max_symbols, notes, goes_on), silence_s):
            yield utterance if spoke else replace(utterance, lead_s=lead_s)
            spoke = True
    if not spoke:
        raise ValueError(" ".join(["There is no word in the text that can be spoken; type some English.", *notes]))


def _read_passage(source: Readable, max_symbols: int, notes: list[str], goes_on: bool) -> Iterator[Utterance]:
    """Yield the utterances of a passage."""
    for sentence in sentences(source.text, notes, source.passage.said):
        words = _spell_words(sentence.units, longest=max_symbols - 2)
        pieces = split([len(word.letters) + 2 for word in words], _rate_breaks(words), max_symbols)
        for start, end in pieces:
            is_end = end == len(words)
            pause_s = sentence.pause_s if is_end else _find_pause_after(words[end - 1].mark)
            closing = "." if is_end and not goes_on else ","
            yield _build_utterance(source, words[start:end], pause_s, closing)


def _spell_words(units: list[Unit], longest: int) -> list[_Word]:
    """Return the words of units as they are said; one with more letters than `longest` comes in pieces."""
    words: list[_Word] = []
    for unit in units:
        for letters, mark in _TOKEN.findall(fold(unit.spoken).lower()):
            words += [_Word(letters[at : at + longest], "", unit) for at in range(0, len(letters), longest)]
            if mark and words:
                words[-1].mark = stronger(words[-1].mark, mark)
        if words:
            words[-1].mark = stronger(words[-1].mark, unit.marks)
    return words


def _rate_breaks(words: list[_Word]) -> list[int]:
    """Rate the place after each word for parting: 3 a clause, 2 a comma, 1 a conjunction, 0 a word, -1 a part."""
    strengths = []
    for word, following in zip(words, [*words[1:], None], strict=True):
        if following is not None and following.unit is word.unit:
            strengths.append(-1)
        elif word.mark:
            strengths.append(2 if word.mark == "," else 3)
        else:
            strengths.append(int(following is not None and following.letters in CONJUNCTIONS))
    return strengths


def _find_pause_after(mark: str) -> float:
    if mark in {".", "?", "!"}:
        return SENTENCE_PAUSE_S
    return {"": CUT_PAUSE_S, ",": COMMA_PAUSE_S}.get(mark, CLAUSE_PAUSE_S)


def _build_utterance(source: Readable, words: list[_Word], pause_s: float, closing: str) -> Utterance:
    """Join words to one utterance, ended with the mark `closing` where it has none."""
    symbols: list[str] = []
    spoken: list[SpokenWord] = []
    spans: list[tuple[int, int]] = []  # of each word
    last: Unit | None = None
    for word in words:
        symbols += [WORD_BREAK] if symbols else []
        start = spoken.pop().start if word.unit is last else len(symbols)
        symbols += word.letters
        spoken.append(SpokenWord(source.written(word.unit.start, word.unit.end), start, len(symbols)))
        spans.append((start, len(symbols)))
        symbols += word.mark
        last = word.unit
    symbols += "" if words[-1].mark else closing
    text = source.written(words[0].unit.start, words[-1].unit.stop)
    turns = find_turns(source, [word.unit for word in words], spans)
    return Utterance(text, tuple(symbols), tuple(spoken), pause_s, turns)
