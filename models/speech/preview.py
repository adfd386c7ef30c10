"""How a text will be read: its words as they are said, on one line, for a page or the command line."""

from __future__ import annotations

import re

from models.speech.abbreviations import LETTERS
from models.speech.normalise import Sentence, Unit, sentences
from models.speech.pronunciations import Dictionary
from models.speech.sources import iter_sources

_LETTER_OF_NAME = {name: letter.upper() for letter, name in LETTERS.items()}
_SHOWN_AS_WRITTEN = frozenset({"wi-fi", "wifi", "sci-fi", "jpeg"})
_WORD = re.compile(r"[A-Za-z'-]+")


def read_aloud(text: str, dictionary: Dictionary = (), notes: list[str] | None = None) -> str:
    """Return the words of a text as they will be said.

    Such as "It costs twelve dollars and fifty cents. [0.5 s] Buy it." Letters that are named are capitals ("F B I"),
    silences that were asked stand in brackets, words whose sound was given stand as they are written.

    Args:
        text: as typed.
        dictionary: (word, its respelling, /IPA/ or ARPAbet) of the person's own.
        notes: sentences about what was left out are added here.

    Raises:
        ValueError: the text holds nothing that can be spoken, or an entry of the dictionary cannot be read.
    """
    notes = [] if notes is None else notes
    line: list[str] = []
    spoke = False
    for source, silence_s, goes_on in iter_sources(text, dictionary, notes):
        if source is not None:
            found = [sentence for sentence in sentences(source.text, notes, source.passage.said) if sentence.units]
            spoke = spoke or bool(found)
            for index, sentence in enumerate(found):
                ends = not (goes_on and index == len(found) - 1)
                line.append(_shown(sentence, lambda unit, source=source: source.written(unit.start, unit.end), ends))
        if silence_s:
            line.append(f"[{silence_s:g} s]")
    if not spoke:
        raise ValueError(" ".join(["There is no word in the text that can be spoken; type some English.", *notes]))
    return " ".join(line)


def _shown(sentence: Sentence, written: object, ends: bool) -> str:
    words = []
    for unit in sentence.units:
        mark = next((mark for mark in reversed(unit.marks) if mark in ".?!;:,"), "")
        words.append(_unit_shown(unit, written(unit)) + mark)  # type: ignore[operator]
    shown = " ".join(words)
    return shown if not ends or shown[-1:] in ".?!;:" else shown.rstrip(",") + "."


def _unit_shown(unit: Unit, written: str) -> str:
    """Write a unit's words, its named letters as capitals."""
    if unit.sounds or written.lower() in _SHOWN_AS_WRITTEN or unit.spoken.lower() == written.lower():
        return written if unit.sounds or written.lower() in _SHOWN_AS_WRITTEN else unit.spoken
    plain = {word.lower() for word in _WORD.findall(written)}

    def letter(match: re.Match[str]) -> str:
        word, ending = (match[0][:-2], "s") if match[0].endswith("'s") else (match[0], "")
        name = _LETTER_OF_NAME.get(word)
        return name + ending if name and word not in plain else match[0]

    return _WORD.sub(letter, unit.spoken)


def main(arguments: list[str]) -> int:
    """Print notes, then on the last line the words of the text in the arguments."""
    notes: list[str] = []
    try:
        line = read_aloud(" ".join(arguments), notes=notes)
    except ValueError as error:
        print(error)
        return 1
    for note in dict.fromkeys(notes):
        print(note)
    print(line)
    return 0
