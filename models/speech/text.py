"""From any text to utterances that the speech model reads: what is said, in which symbols, and the words as written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.speech.clean import clean
from models.speech.normalise import SENTENCE_PAUSE_S, Unit, sentences
from models.speech.pronounce import phonemize, sequence, spoken_tokens, stronger
from models.speech.split import split

__all__ = ["SpokenText", "SpokenWord", "Utterance", "iter_utterances", "phonemize", "to_utterances", "warm_up"]

MAX_SYMBOLS = 160
LEAST_MAX_SYMBOLS = 16
FRAME_SYMBOLS = 3  # BOS, EOS and a full stop where there is none
COMMA_PAUSE_S, CLAUSE_PAUSE_S, CUT_PAUSE_S = 0.12, 0.2, 0.05
LONGEST_READ_AT_ONCE = 400  # characters; the time that gruut takes grows with it
LONG_FIRST_SENTENCE = 70  # characters, about 60 symbols
SHORTEST_CLAUSE = 15  # characters; the model says very short utterances badly
_CONJUNCTIONS = (
    "and but or nor so yet because although though while when where which who that if unless until since before after"
    " as than whether with without from into through during between"
)
CONJUNCTIONS = frozenset(_CONJUNCTIONS.split())


@dataclass(frozen=True)
class SpokenWord:
    """A word as the person wrote it ("$12.50" is one) and where it is said: symbols[start:end] of its utterance."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Utterance:
    """What is spoken in one breath.

    Attributes:
        text: the part of the person's text; the texts of the words occur in it in their order.
        symbols: BOS, phonemes, word breaks and punctuation, EOS.
        words: in order; their spans do not overlap.
        pause_s: the silence after it.
    """

    text: str
    symbols: tuple[str, ...]
    words: tuple[SpokenWord, ...]
    pause_s: float


@dataclass(frozen=True)
class SpokenText:
    """All utterances of a text, and plain sentences about what was left out of it."""

    utterances: tuple[Utterance, ...]
    notes: tuple[str, ...]


@dataclass
class _Said:
    """One spoken word: its phonemes, the punctuation mark after it or "", and the unit that it is part of."""

    phonemes: list[str]
    mark: str
    unit: Unit


def to_utterances(text: str, max_symbols: int = MAX_SYMBOLS) -> SpokenText:
    """The whole text at once; see `iter_utterances`."""
    notes: list[str] = []
    utterances = tuple(iter_utterances(text, max_symbols, notes))
    return SpokenText(utterances, tuple(notes))


def iter_utterances(text: str, max_symbols: int = MAX_SYMBOLS, notes: list[str] | None = None) -> Iterator[Utterance]:
    """Utterances one at a time, each read when it is asked for, so that the first comes soon whatever the length.

    Args:
        text: any Unicode text.
        max_symbols: no utterance has more symbols.
        notes: sentences about what was left out are added here, most of them before the first utterance.

    Raises:
        ValueError: at the first step, where the text holds nothing that can be spoken.
    """
    if max_symbols < LEAST_MAX_SYMBOLS:
        raise ValueError(f"max_symbols is {max_symbols!r}; it must be at least {LEAST_MAX_SYMBOLS}.")
    notes = [] if notes is None else notes
    readable, left_out = clean(text)
    notes += left_out
    spoke = False
    for sentence in sentences(readable, notes):
        parts = _parts(sentence.units, is_first=not spoke)
        for number, units in enumerate(parts):
            said = _pronounce(units)
            pause_s = sentence.pause_s if number == len(parts) - 1 else _pause_after(units[-1].marks)
            for utterance in _utterances(readable, said, pause_s, max_symbols, number == len(parts) - 1):
                spoke = True
                yield utterance
    if not spoke:
        raise ValueError(" ".join(["There is no word in the text that can be spoken; type some English.", *left_out]))


def warm_up() -> None:
    """Load the lexicon and the taggers, about two seconds, so that the first text is read at once."""
    to_utterances("Warm up the 1st vozzle.")


def _parts(units: list[Unit], is_first: bool) -> list[list[Unit]]:
    """A sentence in parts short enough to be read at once; of a long first sentence, the first clause alone."""
    lengths = [len(unit.spoken) + 1 for unit in units]
    if is_first and sum(lengths) > LONG_FIRST_SENTENCE:
        so_far = 0
        for index, length in enumerate(lengths[:-1]):
            so_far += length
            if units[index].marks and SHORTEST_CLAUSE <= so_far <= sum(lengths) - SHORTEST_CLAUSE:
                return [units[: index + 1], *_parts(units[index + 1 :], is_first=False)]
            if so_far > LONGEST_READ_AT_ONCE // 2:
                break
    pieces = split(lengths, _unit_strengths(units), LONGEST_READ_AT_ONCE)
    return [units[start:end] for start, end in pieces]


def _unit_strengths(units: list[Unit]) -> list[int]:
    following = [unit.spoken.lower() for unit in units[1:]] + [""]
    return [_strength(unit.marks, word in CONJUNCTIONS) for unit, word in zip(units, following, strict=True)]


def _strength(marks: str, before_conjunction: bool) -> int:
    """How good a place to part a sentence lies after these marks: 3 a clause, 2 a comma, 1 a conjunction, 0 a word."""
    if any(mark in marks for mark in ".?!;:"):
        return 3
    return 2 if marks else int(before_conjunction)


def _pause_after(marks: str) -> float:
    if any(mark in marks for mark in ".?!"):
        return SENTENCE_PAUSE_S
    if any(mark in marks for mark in ";:"):
        return CLAUSE_PAUSE_S
    return COMMA_PAUSE_S if marks else CUT_PAUSE_S


def _pronounce(units: list[Unit]) -> list[_Said]:
    """The spoken words of units, each with the unit it comes from; a word that cannot be said is left out."""
    line = ""
    starts = []  # of each unit in the line
    for unit in units:
        line += " " if line else ""
        starts.append(len(line))
        line += unit.spoken + "".join(mark for mark in unit.marks if mark in ",.?!;:")
    said: list[_Said] = []
    position = index = 0
    for token, phonemes in spoken_tokens(line, near_roles=True):
        found = line.lower().find(token.lower(), position, position + len(token) + 64)
        if found >= 0:
            while index + 1 < len(units) and starts[index + 1] <= found:
                index += 1
            position = found + len(token)
        if phonemes:
            said.append(_Said(phonemes, "", units[index]))
        elif said:
            said[-1].mark = stronger(said[-1].mark, token)
    return said


def _utterances(
    text: str, said: list[_Said], pause_s: float, max_symbols: int, is_sentence_end: bool
) -> Iterator[Utterance]:
    """Spoken words as utterances of at most max_symbols, parted where it disturbs least."""
    said = [piece for word in said for piece in _cut(word, max_symbols - FRAME_SYMBOLS - 2)]
    costs = [len(word.phonemes) + 2 for word in said]
    strengths = []
    for word, following in zip(said, [*said[1:], None], strict=True):
        inside = following is not None and following.unit is word.unit
        next_word = following.unit.spoken.lower() if following else ""
        strengths.append(-1 if inside else _strength(word.mark, next_word in CONJUNCTIONS))
    pieces = split(costs, strengths, max_symbols - FRAME_SYMBOLS)
    for number, (start, end) in enumerate(pieces):
        words = said[start:end]
        is_last = number == len(pieces) - 1
        after_s = pause_s if is_last else _pause_after(words[-1].mark)
        spoken = [(word.phonemes, word.mark) for word in words]
        if not words[-1].mark and not (is_last and is_sentence_end):
            spoken[-1] = (words[-1].phonemes, ",")
        symbols, spans = sequence(spoken)
        yield Utterance(_written(text, words), symbols, _spoken_words(text, words, spans), after_s)


def _cut(word: _Said, limit: int) -> list[_Said]:
    """A word with more phonemes than the limit, in pieces; the mark stays with the last."""
    if len(word.phonemes) <= limit:
        return [word]
    starts = range(0, len(word.phonemes), limit)
    pieces = [_Said(word.phonemes[start : start + limit], "", word.unit) for start in starts]
    pieces[-1].mark = word.mark
    return pieces


def _spoken_words(text: str, words: list[_Said], spans: list[tuple[int, int]]) -> tuple[SpokenWord, ...]:
    """One entry for each unit, over the spans of all its spoken words."""
    merged: list[SpokenWord] = []
    last: Unit | None = None
    for word, (start, end) in zip(words, spans, strict=True):
        if word.unit is last:
            merged[-1] = SpokenWord(merged[-1].text, merged[-1].start, end)
        else:
            merged.append(SpokenWord(_one_line(text[word.unit.start : word.unit.end]), start, end))
        last = word.unit
    return tuple(merged)


def _written(text: str, words: list[_Said]) -> str:
    """The part of the text that holds the words, with an opening quote or bracket before them."""
    start = words[0].unit.start
    while start > 0 and text[start - 1] in "\"'([{":
        start -= 1
    return _one_line(text[start : words[-1].unit.stop])


def _one_line(text: str) -> str:
    return " ".join(text.split())
