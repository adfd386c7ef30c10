"""From any text to utterances that the speech model reads: what is said, in which symbols, and the words as written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from models.speech.normalise import SENTENCE_PAUSE_S, Unit, sentences
from models.speech.pronounce import is_unstressed, phonemize, remove_stress, sequence, spoken_tokens, stronger
from models.speech.pronunciations import Dictionary
from models.speech.sources import Readable, iter_sources
from models.speech.split import split
from models.speech.ssml import PLAIN, Prosody

__all__ = ["SpokenText", "SpokenWord", "Turn", "Utterance", "iter_utterances", "phonemize", "to_utterances", "warm_up"]

T = TypeVar("T")
MAX_SYMBOLS = 160
LEAST_MAX_SYMBOLS = 16
FRAME_SYMBOLS = 3  # BOS, EOS and a full stop where there is none
COMMA_PAUSE_S, CLAUSE_PAUSE_S, CUT_PAUSE_S = 0.12, 0.2, 0.05
LONGEST_READ_AT_ONCE = 400  # characters; the time that gruut takes grows with it
LONG_FIRST_SENTENCE = 70  # characters, about 60 symbols
_STAND_IN = "thing"  # for a word whose sound is given, as the tagger and the lexicon know it
SHORTEST_CLAUSE = 15  # characters; the model says very short utterances badly
_CONJUNCTIONS = (
    "and but or nor so yet because although though while when where which who that if unless until since before after"
    " as than whether with without from into through during between"
)
CONJUNCTIONS = frozenset(_CONJUNCTIONS.split())


@dataclass(frozen=True)
class SpokenWord:
    """A word as the person wrote it ("$12.50" is one) and where it is said: symbols[start:end] of its utterance.

    Attributes:
        marked: the word with the quotes and marks that stand at it.
    """

    text: str
    start: int
    end: int
    marked: str = ""


@dataclass(frozen=True)
class Turn:
    """A stretch of an utterance that is said in its own way: symbols[start:end]."""

    start: int
    end: int
    prosody: Prosody


@dataclass(frozen=True)
class Utterance:
    """What is spoken in one breath.

    Attributes:
        text: the part of the person's text; the texts of the words occur in it in their order.
        symbols: BOS, phonemes, word breaks and punctuation, EOS.
        words: in order; their spans do not overlap.
        pause_s: the silence after it.
        turns: stretches that are not said in the voice's own way, in order.
        lead_s: the silence that the person asked before it, at the beginning of a text.
        pause_is_asked: whether the person asked the silence after it, which is then kept at the end of a text too.
    """

    text: str
    symbols: tuple[str, ...]
    words: tuple[SpokenWord, ...]
    pause_s: float
    turns: tuple[Turn, ...] = ()
    lead_s: float = 0.0
    pause_is_asked: bool = False


@dataclass(frozen=True)
class SpokenText:
    """All utterances of a text, and plain sentences about what was left out of it."""

    utterances: tuple[Utterance, ...]
    notes: tuple[str, ...]


@dataclass
class _Said:
    """One spoken word: its phonemes, the punctuation mark after it or "", the unit that it is part of, its letters."""

    phonemes: list[str]
    mark: str
    unit: Unit
    token: str = ""


def to_utterances(text: str, max_symbols: int = MAX_SYMBOLS, dictionary: Dictionary = ()) -> SpokenText:
    """Read the whole text at once; see `iter_utterances`."""
    notes: list[str] = []
    utterances = tuple(iter_utterances(text, max_symbols, notes, dictionary))
    return SpokenText(utterances, tuple(notes))


def iter_utterances(
    text: str,
    max_symbols: int = MAX_SYMBOLS,
    notes: list[str] | None = None,
    dictionary: Dictionary = (),
    function_word_stress: bool = True,
) -> Iterator[Utterance]:
    """Utterances one at a time, each read when it is asked for, so that the first comes soon whatever the length.

    Args:
        text: any Unicode text: plain, Markdown or speech markup (SSML).
        max_symbols: no utterance has more symbols.
        notes: sentences about what was left out are added here, most of them before the first utterance.
        dictionary: (word, its respelling, /IPA/ or ARPAbet) of the person's own.
        function_word_stress: whether "and", "in", "the" are stressed, as the voice learned them.

    Raises:
        ValueError: at the first step, where the text holds nothing to speak, or the dictionary cannot be read.
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
        found = _read(source, max_symbols, notes, not spoke, goes_on, function_word_stress)
        for utterance in ask_silence(found, silence_s):
            yield utterance if spoke else replace(utterance, lead_s=lead_s)
            spoke = True
    if not spoke:
        raise ValueError(" ".join(["There is no word in the text that can be spoken; type some English.", *notes]))


def ask_silence(utterances: Iterator[Utterance], silence_s: float | None) -> Iterator[Utterance]:
    """Utterances, the last of them with the silence that the person asked after it, if any."""
    if silence_s is None:
        yield from utterances
        return
    for utterance, is_last in _with_last(utterances):
        yield replace(utterance, pause_s=silence_s, pause_is_asked=True) if is_last else utterance


def _read(
    source: Readable, max_symbols: int, notes: list[str], is_first: bool, goes_on: bool, function_word_stress: bool
) -> Iterator[Utterance]:
    """Yield the utterances of a passage."""
    for sentence, is_last in _with_last(sentences(source.text, notes, source.passage.said)):
        parts = _parts(sentence.units, is_first)
        is_first = False
        for number, units in enumerate(parts):
            said = _pronounce(units)
            if not function_word_stress:
                _unstress(said)
            is_end = number == len(parts) - 1
            pause_s = sentence.pause_s if is_end else _pause_after(units[-1].marks)
            yield from _utterances(source, said, pause_s, max_symbols, is_end and not (goes_on and is_last))


def _with_last(row: Iterator[T]) -> Iterator[tuple[T, bool]]:
    """Each of a row and whether it is the last one."""
    waiting = next(row, None)
    while waiting is not None:
        following = next(row, None)
        yield waiting, following is None
        waiting = following


def warm_up() -> None:
    """Load the lexicon and the taggers, about two seconds, so that the first text is read at once."""
    to_utterances("Warm up the 1st *vozzle* for CHF 5.")


def _parts(units: list[Unit], is_first: bool) -> list[list[Unit]]:
    """Cut a sentence into parts short enough to be read at once; of a long first one, the first clause alone."""
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
    """Return the spoken words of units, each with its unit; a word that cannot be said is left out."""
    line = ""
    starts = []  # of each unit in the line
    for unit in units:
        line += " " if line else ""
        starts.append(len(line))
        line += (_STAND_IN if unit.sounds else unit.spoken) + "".join(mark for mark in unit.marks if mark in ",.?!;:")
    said: list[_Said] = []
    position = index = 0
    for token, phonemes in spoken_tokens(line, near_roles=True):
        found = line.lower().find(token.lower(), position, position + len(token) + 64)
        if found >= 0:
            while index + 1 < len(units) and starts[index + 1] <= found:
                index += 1
            position = found + len(token)
        if phonemes and units[index].sounds:
            said += [_Said(list(word), "", units[index]) for word in units[index].sounds]
        elif phonemes:
            said.append(_Said(phonemes, "", units[index], token.lower()))
        elif said:
            said[-1].mark = stronger(said[-1].mark, token)
    return said


def _unstress(said: list[_Said]) -> None:
    """Take the stress from words that English does not stress within a phrase."""
    for word in said[:-1]:
        if is_unstressed(word.token, word.mark):
            word.phonemes = remove_stress(word.phonemes)


def _utterances(
    source: Readable, said: list[_Said], pause_s: float, max_symbols: int, is_sentence_end: bool
) -> Iterator[Utterance]:
    """Spoken words as utterances of at most max_symbols, parted where it disturbs least."""
    said = [piece for word in said for piece in _cut(word, max_symbols - FRAME_SYMBOLS - 2)]
    costs = [len(word.phonemes) + 2 for word in said]
    strengths = []
    for word, following in zip(said, [*said[1:], None], strict=True):
        inside = following is not None and following.unit is word.unit
        next_spoken = following.unit.spoken.lower() if following else ""
        strengths.append(-1 if inside else _strength(word.mark, next_spoken in CONJUNCTIONS))
    pieces = split(costs, strengths, max_symbols - FRAME_SYMBOLS)
    for number, (start, end) in enumerate(pieces):
        words = said[start:end]
        is_last = number == len(pieces) - 1
        after_s = pause_s if is_last else _pause_after(words[-1].mark)
        spoken = [(word.phonemes, word.mark) for word in words]
        if not words[-1].mark and not (is_last and is_sentence_end):
            spoken[-1] = (words[-1].phonemes, ",")
        symbols, spans = sequence(spoken)
        text = source.written(_opening(source.text, words[0].unit.start), words[-1].unit.stop)
        turns = find_turns(source, [word.unit for word in words], spans)
        yield Utterance(text, symbols, _spoken_words(source, words, spans), after_s, turns)


def _cut(word: _Said, limit: int) -> list[_Said]:
    """Cut a word with more phonemes than the limit into pieces; the mark stays with the last."""
    if len(word.phonemes) <= limit:
        return [word]
    starts = range(0, len(word.phonemes), limit)
    pieces = [_Said(word.phonemes[start : start + limit], "", word.unit) for start in starts]
    pieces[-1].mark = word.mark
    return pieces


def _spoken_words(source: Readable, words: list[_Said], spans: list[tuple[int, int]]) -> tuple[SpokenWord, ...]:
    """One entry for each unit, over the spans of all its spoken words."""
    merged: list[SpokenWord] = []
    last: Unit | None = None
    for word, (start, end) in zip(words, spans, strict=True):
        if word.unit is last:
            merged[-1] = replace(merged[-1], end=end)
        else:
            written = source.written(word.unit.start, word.unit.end)
            marked = source.written(_opening(source.text, word.unit.start), word.unit.stop)
            merged.append(SpokenWord(written, start, end, marked.strip()))
        last = word.unit
    return tuple(merged)


def find_turns(source: Readable, units: list[Unit], spans: list[tuple[int, int]]) -> tuple[Turn, ...]:
    """Find stretches of words that share a prosody other than the voice's own, from each word's unit and span."""
    turns: list[Turn] = []
    last = PLAIN
    for unit, (start, end) in zip(units, spans, strict=True) if source.turns else ():
        prosody = source.prosody(unit)
        if prosody != PLAIN and prosody == last:
            turns[-1] = replace(turns[-1], end=end)
        elif prosody != PLAIN:
            turns.append(Turn(start, end, prosody))
        last = prosody
    return tuple(turns)


def _opening(text: str, start: int) -> int:
    """Where the quotes and brackets that stand before a word begin."""
    while start > 0 and text[start - 1] in "\"'([{":
        start -= 1
    return start


if __name__ == "__main__":
    import sys

    from models.speech.preview import main

    sys.exit(main(sys.argv[1:]))
