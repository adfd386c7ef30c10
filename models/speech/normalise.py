"""Written text to sentences of units: what the person wrote beside how it is said, and the marks that follow."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from models.speech.abbreviations import ends_sentence
from models.speech.clean import FIRST_SAID, ITEM_END, LAST_SAID, clean, fold, shortened
from models.speech.pronunciations import Said, Sounds, make_possessive
from models.speech.say_rules import LATIN, LETTER_RULES, OTHER_RULES
from models.speech.say_words import say_mixed, say_word

log = logging.getLogger(__name__)

SENTENCE_PAUSE_S, PARAGRAPH_PAUSE_S = 0.35, 0.6
LONGEST_WORD = 45  # letters; the longest word in English dictionaries has 45
CUT_WORD_LETTERS = 20
HARD_WRAP_CHARACTERS = 60  # a line this long was broken by its width and not by its writer


@dataclass
class Unit:
    """A piece of the text that is said as a whole, text[start:end], and the punctuation after it, up to `stop`.

    Its `sounds`, where there are any, are said in the place of `spoken`.
    """

    start: int
    end: int
    spoken: str
    marks: str = ""
    stop: int = 0
    sounds: Sounds = ()

    def __post_init__(self) -> None:
        self.stop = self.stop or self.end


@dataclass
class Sentence:
    """Units up to a full stop, a paragraph's end or a list item's, and the silence that follows."""

    units: list[Unit]
    pause_s: float


_WORD = re.compile(rf"[{LATIN}]+(?:['-][{LATIN}]+){{0,30}}")
_MIXED = re.compile(rf"[{LATIN}\d]+(?:[-'_][{LATIN}\d]+){{0,30}}")
_RUN = re.compile(rf"[{LATIN}\d]+")
_NEXT_CAPITALS = re.compile(r"\W{1,3}([A-Z]{2,})\b")
_POSSESSIVE = re.compile(r"'s(?!\w)")
_BLANK = re.compile(r"\s+")
_CLOSERS = re.compile(r"[\"')\]}*_]*")


def put_in_words(text: str) -> str:
    """Any text in words, as it is said, without its punctuation."""
    units = (unit for sentence in sentences(clean(text)[0], []) for unit in sentence.units)
    return " ".join(unit.spoken for unit in units)


def sentences(text: str, notes: list[str], said: Sequence[Said] = ()) -> Iterator[Sentence]:
    """Yield the sentences of cleaned text; what had to be cut or left out is added to the notes.

    Args:
        text: in it, the character FIRST_SAID + n stands for `said[n]`.
        notes: for the person.
        said: words whose sound was given.
    """
    units: list[Unit] = []
    position = line_start = 0
    while position < len(text):
        blank = _BLANK.match(text, position)
        if blank:
            pause_s = _pause_of_break(text, blank, line_start)
            position = blank.end()
            line_start = position if "\n" in blank[0] else line_start
            if pause_s and units:
                yield Sentence(units, pause_s)
                units = []
            continue
        if FIRST_SAID <= ord(text[position]) <= LAST_SAID:
            word = said[ord(text[position]) - FIRST_SAID]
            end = position + (3 if _POSSESSIVE.match(text, position + 1) else 1)
            units += _said_unit(position, end, word if end == position + 1 else make_possessive(word))
            position = end
            continue
        found, end, is_end = _next_units(text, position, units, notes)
        units += found
        position = max(end, position + 1)
        if not found:
            is_end = _take_mark(text, position - 1, units)
        if is_end and units:
            closed = _CLOSERS.match(text, position)
            position = units[-1].stop = closed.end() if closed else position
            is_paragraph = re.match(r"[^\S\n]*\n[^\S\n]*(?:\n|$)", text[position : position + 80])
            yield Sentence(units, PARAGRAPH_PAUSE_S if is_paragraph else SENTENCE_PAUSE_S)
            units = []
    if units:
        yield Sentence(units, SENTENCE_PAUSE_S)


def _pause_of_break(text: str, blank: re.Match[str], line_start: int) -> float:
    """Return the silence for a blank that ends a sentence without a full stop, else 0."""
    breaks = blank[0].count("\n")
    if ITEM_END in blank[0] and breaks < 2:
        return SENTENCE_PAUSE_S
    if breaks > 1:
        return PARAGRAPH_PAUSE_S
    following = text[blank.end() : blank.end() + 1]
    short_line = blank.start() - line_start < HARD_WRAP_CHARACTERS
    return SENTENCE_PAUSE_S if breaks and short_line and not following.islower() else 0.0


def _next_units(text: str, position: int, units: list[Unit], notes: list[str]) -> tuple[list[Unit], int, bool]:
    """Return the unit at a position (several for a cut word, or none), its end, and whether it ends the sentence."""
    run = _RUN.match(text, position)
    if run and len(run[0]) > LONGEST_WORD:
        notes.append(f'Cut a "word" of {len(run[0])} characters ({shortened(run[0])}) into pieces to speak it.')
        return _cut(text, position, run.end()), run.end(), False
    for pattern, say in LETTER_RULES if text[position].isalpha() else OTHER_RULES:
        match = pattern.match(text, position)
        said = _said(say, match) if match else ""
        if match and said:
            return [Unit(position, match.end(), said)], match.end(), ends_sentence(match)
    mixed = _MIXED.match(text, position) if run else None
    if not mixed or not run:
        return [], position, False
    if len(mixed[0]) > LONGEST_WORD:  # a chain of words with hyphens is read one by one
        mixed = run
    word = _WORD.match(text, position, mixed.end())
    if not word or word.end() < mixed.end():
        return _unit(position, mixed.end(), _said(say_mixed, mixed[0]) or fold(mixed[0])), mixed.end(), False
    before = text[units[-1].start : units[-1].end] if units and not units[-1].marks else ""
    after = _NEXT_CAPITALS.match(text, word.end())
    shouted = after is not None or (len(before) > 1 and before.isupper())
    end = word.end()
    if text[end : end + 1] == "'" and word[0].endswith("s"):
        end += 0 if text.count("'", max(0, position - 40), position) % 2 else 1  # the students' books
    return _unit(position, end, _said(say_word, word[0], shouted)), end, False


def _said_unit(start: int, end: int, said: Said) -> list[Unit]:
    """Make the unit of a word whose sound was given."""
    spoken = said.spoken if said.sounds or said.is_final else put_in_words(said.spoken)
    return [Unit(start, end, spoken, sounds=said.sounds)] if spoken else []


def _unit(start: int, end: int, spoken: str) -> list[Unit]:
    return [Unit(start, end, spoken)] if spoken else []


def _cut(text: str, start: int, end: int) -> list[Unit]:
    """Cut an endless word into pieces that can be said."""
    bounds = [*range(start, end, CUT_WORD_LETTERS), end]
    units = []
    for first, last in itertools.pairwise(bounds):
        piece = text[first:last]
        said = say_word(piece) if piece.isalpha() and not piece.isupper() else say_mixed(piece)
        units += _unit(first, last, said)
    return units


def _take_mark(text: str, index: int, units: list[Unit]) -> bool:
    """Add the mark at an index to the unit before it; whether it ends the sentence."""
    char = text[index]
    if not units:
        return False
    is_dash = char == "-" and (text[index + 1 : index + 2] == "-" or text[index - 1 : index + 2] == " - ")
    mark = "," if is_dash or char in "—–()[]{}|" else char
    if mark not in ",.?!;:":
        return False
    last = units[-1]
    if char not in "([{" or not last.marks:
        last.marks += mark if len(last.marks) < 8 else ""
    last.stop = index + 1 if char not in "([{—–-|" else last.stop
    if char not in ".?!" or text[index + 1 : index + 2] in {".", "?", "!"}:
        return False
    closed = _CLOSERS.match(text, index + 1)
    assert closed is not None
    following = text[closed.end() : closed.end() + 1]
    if following and not following.isspace():
        return following.isupper() and text[index - 1].islower()
    next_word = text[closed.end() : closed.end() + 20].lstrip()[:1]
    goes_on = closed[0] or last.marks.endswith("..")
    return not (goes_on and next_word.islower())


def _said(say: Callable[..., str | None], *what: object) -> str:
    """Return what a rule says, or "" where it says nothing or fails: the next one then has its turn."""
    try:
        return say(*what) or ""
    except Exception:  # whatever a person typed, the rest of it is read
        log.exception("A rule of the speech front end failed; the next one reads the text.")
        return ""
