"""Reads a description of music in plain English: what of it the composer can be told, and what it cannot.

A written rule for each kind of thing that can be set; no word is guessed at. What no rule takes is returned, so that a
page can say so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from models.music.contracts import MAX_ASKED_TRACKS, MAX_NEW_BARS, MAX_TEMPO, METER_NAMES, MIN_TEMPO, NEW_TEMPO
from models.music.description_spelling import correct_spelling
from models.music.description_words import (
    DENSITY_WORDS,
    DRUM_WORDS,
    DRUMS_ALONE_WORDS,
    FILLERS,
    GENRES,
    INSTRUMENT_WORDS,
    METER_WORDS,
    MOOD_WORDS,
    NEAREST_WORDS,
    REGISTER_WORDS,
    SUNG_WORDS,
    TEMPO_WORDS,
    TONICS,
)
from models.music.instrument_names import name_program
from models.music.instrument_order import sort_by_role

MAX_CHARACTERS = 2_000
MIN_BARS = 4
SLIDER_TEMPO = 200  # the fastest that a control offers
SHARPS = {"C": "Db", "D": "Eb", "F": "Gb", "G": "Ab", "A": "Bb", "E": "F", "B": "C"}
FLATS = {"C": "B", "F": "E"}
NOBODY_SINGS = (
    "nobody sings here, as notes are written for instruments; a model that sings can be added in the Models tab."
)
NO_COMPARISONS = "a manner cannot be asked for by a name or a comparison; name a mood, instruments or a tempo instead."
NUMBERS = {"four": 4, "eight": 8, "twelve": 12, "sixteen": 16, "twenty": 20, "thirty-two": 32}

_NO = r"(?:no|without|not|minus|never|isn't|free of|lacking)"
_ACCIDENTAL = r"(?:\s*(#|♯|b\b|♭|b(?=[\s-])|[\s-]?sharp|[\s-]?flat))?"
_KEY = re.compile(rf"\b(?:in\s+)?(?:the\s+)?(?:key\s+of\s+)?([A-Ga-g]){_ACCIDENTAL}[\s-]*(major|minor|maj|min)\b(?!\w)")
_LONE_KEY = re.compile(rf"\b(?:[Ii]n|[Kk]ey\s+of)\s+([A-G]){_ACCIDENTAL}(?![\w#♯♭])")
_MODE = re.compile(r"\b(?:in\s+)?(?:a\s+)?(major|minor)\s+(?:key|mode|tonality|harmony|scale)\b|\bin\s+(major|minor)\b")
_TEMPO = re.compile(
    r"\b(?:at\s+|around\s+|about\s+)?(\d{1,4}(?:\.\d+)?)(?:\s*(?:-|–|to)\s*(\d{1,4}))?\s*"
    r"(?:bpm|b\.p\.m\.|beats?\s+(?:per|a|/)\s*min(?:ute)?|quarters?\s+(?:per|a)\s+minute)(?!\w)",
    re.IGNORECASE,
)
_BARE_TEMPO = re.compile(
    r"(?:\btempo\s*(?:of|is|:|=)?\s*|♩\s*=\s*|\bat\s+)(\d{2,3})()(?!\s*(?:bars?|s\b|sec|min|/|%|\d))", re.IGNORECASE
)
_METER = re.compile(r"\b(?:in\s+)?(\d{1,2})\s*/\s*(\d{1,2})(?:[\s-]*time)?\b")
_BARS = re.compile(rf"\b(\d{{1,4}}|{'|'.join(NUMBERS)})[\s-]*(?:bars?|measures?)\b", re.IGNORECASE)
_LENGTH = re.compile(
    r"\b(?:(?<=for )|(?!(?:19)?[5-9]0s\b(?!\s+(?:of|long)\b)))"  # "80s" alone is a decade
    r"(\d{1,4}(?:\.\d+)?|half\s+a|a|one|two)[\s-]*(seconds?|secs?|s|minutes?|mins?)\b(?!\s*(?:key|third))",
    re.IGNORECASE,
)
_LONE_TEMPO = re.compile(r"(?<![\w./#-])([4-9]\d|1\d\d|200)(?=\s*(?:$|[,.;!]))")
_WORD = re.compile(r"[^\W_]+(?:['’&-][^\W_]+)*")
_COMPARED = re.compile(
    r"\b(?:like|(?:style|manner|vein|spirit)\s+of|similar\s+to|reminiscent\s+of|inspired\s+by|à\s+la)"
    r"\s+(?:(?:the|a|an|something|music|by|from|of)\s+)*$",
    re.IGNORECASE,
)


@dataclass
class MusicDescription:
    """What was read.

    Attributes:
        settings: values by the names of the Music tab's controls, those alone that were named or follow from a word.
        sources: by the same names, the words that each came from.
        unknown: words that no rule takes, as they were written.
        impossible: words for what no composer of notes can do, as they were written; `notes` say why.
        notes: sentences about what was named and cannot be had as it was said.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    impossible: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_description(text: str) -> MusicDescription:
    """Read a description such as "a sad lo-fi beat with piano and soft drums, 80 bpm".

    What is said outright (a tempo, a key, instruments) comes before what a genre brings, and that before a mood.

    Raises:
        ValueError: it is longer than MAX_CHARACTERS.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"The description has {len(text):,} characters; at most {MAX_CHARACTERS:,} can be read.")
    return _DescriptionReader(text).read()


@lru_cache(maxsize=1)
def _phrases() -> tuple[tuple[str, str, Any], ...]:
    """List every phrase with its kind and value, the longest first."""
    tables: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("instruments", INSTRUMENT_WORDS),
        ("nearest", NEAREST_WORDS),
        ("sung", {SUNG_WORDS: ()}),
        ("drums", {DRUM_WORDS: "yes"}),
        ("alone", {DRUMS_ALONE_WORDS: "yes"}),
        ("genre", GENRES),
        ("mood", MOOD_WORDS),
        ("tempo", TEMPO_WORDS),
        ("density", DENSITY_WORDS),
        ("register", REGISTER_WORDS),
        ("meter", METER_WORDS),
    )
    found = [
        (phrase, kind, value) for kind, table in tables for words, value in table.items() for phrase in words.split("|")
    ]
    return tuple(sorted(found, key=lambda each: -len(each[0])))


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    """Return what finds the phrases, the longest at each place, perhaps in the plural or after a "no"."""
    listed = "|".join(re.escape(phrase) for phrase, _, _ in _phrases())
    return re.compile(
        rf"(?<![\w-])(?:({_NO})\s+(?:any\s+|the\s+|a\s+|too\s+much\s+)?)?({listed})(?:e?s)?(?![\w-])", re.IGNORECASE
    )


class _DescriptionReader:
    """Reads one text; what a rule has taken is blanked out, so that no other takes it again."""

    def __init__(self, text: str) -> None:
        phrases = (phrase for phrase, *_ in _phrases())
        self.text, corrected = correct_spelling(text.replace("’", "'"), (*phrases, *FILLERS))
        self.written = self.text
        self.settings: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.notes = [f"“{slip}” is read as “{meant}”." for slip, meant in corrected.items() if meant not in FILLERS]
        self.later: list[tuple[int, str, dict[str, Any]]] = []  # what genres (0) and moods (1) bring
        self.programs: list[int] = []
        self.named: list[str] = []  # the words that name them
        self.unwanted: set[int] = set()
        self.unknown: list[tuple[int, str]] = []
        self.sung: list[str] = []
        self.seconds = 0.0

    def read(self) -> MusicDescription:
        for match in self._take(_MODE):
            mode = match[1] or match[2]
            self.later.append((-1, match[0].strip(), {"mode": mode}))
        for rule in (_KEY, _LONE_KEY):
            for match in self._take(rule):
                self._set(
                    "key", _spell(match[1], match[2] or "", (match.group(3) if rule is _KEY else "major")), match[0]
                )
        for rule in (_TEMPO, _BARE_TEMPO):
            for match in self._take(rule):
                self._set_tempo(float(match[1]), float(match[2] or match[1]), match[0])
        for match in self._take(_METER):
            self._set_meter(f"{int(match[1])}/{int(match[2])}", match[0])
        for match in self._take(_BARS):
            self._set_bars(NUMBERS.get(match[1].lower()) or int(match[1]), match[0])
        if "tempo" not in self.settings:
            for match in self._take(_LONE_TEMPO):
                self._set_tempo(float(match[1]), float(match[1]), match[0])
        for match in self._take(_LENGTH):
            amount = {"half a": 0.5, "a": 1.0, "one": 1.0, "two": 2.0}.get(" ".join(match[1].lower().split()))
            seconds = (amount if amount is not None else float(match[1])) * (60 if match[2][0] in "mM" else 1)
            self.seconds, self.sources["bars"] = seconds, match[0].strip()
        self._read_phrases()
        self._settle()
        if self.sung:
            said = " and ".join(f"“{each}”" for each in dict.fromkeys(self.sung))
            self.notes.append(f"{said}: {NOBODY_SINGS}")
        return MusicDescription(self.settings, self.sources, self._rest(), tuple(self.sung), tuple(self.notes))

    def _take(self, rule: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Yield the matches of a rule, each blanked out of the text."""
        found = list(rule.finditer(self.text))
        for match in found:
            self.text = self.text[: match.start()] + "\0" * (match.end() - match.start()) + self.text[match.end() :]
        yield from found

    def _set(self, name: str, value: Any, words: str) -> None:
        words = " ".join(words.split())
        if name in self.settings and self.settings[name] != value:
            self.notes.append(f"There is more than one {name}: “{self.sources[name]}” holds, “{words}” does not.")
        elif name not in self.settings:
            self.settings[name], self.sources[name] = value, words

    def _set_tempo(self, low: float, high: float, words: str) -> None:
        tempo = round((low + high) / 2)
        most = min(SLIDER_TEMPO, int(MAX_TEMPO))
        if not MIN_TEMPO <= tempo <= most:
            self.notes.append(f"“{words.strip()}” cannot be played: the tempo can be {MIN_TEMPO:g} to {most} a minute.")
            return
        self._set("tempo", tempo, words)

    def _set_meter(self, meter: str, words: str) -> None:
        if meter in METER_NAMES:
            self._set("meter", meter, words)
        else:
            self.notes.append(f"“{words.strip()}” is no time signature that can be written.")

    def _set_bars(self, bars: int, words: str) -> None:
        fitting = max(MIN_BARS, min(bars, MAX_NEW_BARS))
        if fitting != bars:
            self.notes.append(f"{bars:,} bars cannot be written at once: {MIN_BARS} to {MAX_NEW_BARS} can.")
        self._set("bars", fitting, words)

    def _read_phrases(self) -> None:
        known = {phrase: (kind, value) for phrase, kind, value in reversed(_phrases())}
        rules: dict[str, Callable[[str, Any], None]] = {
            "instruments": self._add_instruments,
            "nearest": self._add_nearest,
            "sung": lambda words, _value: self.sung.append(words),
            "drums": lambda words, value: self._set("drums", value, words),
            "alone": self._set_alone,
            "genre": lambda words, value: self.later.append((0, words, value)),
            "mood": lambda words, value: self.later.append((1, words, value)),
        }
        for match in self._take(_pattern()):
            words = match[2]
            kind, value = known[words.lower()]
            if match[1] and kind == "instruments":
                self.unwanted.update(value)
                self.sources["instruments"] = self.sources.get("instruments") or match[0]
            elif match[1] and kind == "nearest":
                self.unwanted.add(value)
            elif match[1] and kind == "sung":
                continue
            elif match[1] and kind == "drums":
                self._set("drums", "no", match[0])
            elif match[1]:
                self.unknown.append((match.start(), " ".join(match[0].split())))
            elif kind in rules:
                rules[kind](words, value)
            else:
                self._set(kind, value, words)
        for match in self._take(re.compile(r"\bdrumless\b", re.IGNORECASE)):
            self._set("drums", "no", match[0])
        if self.programs:
            self.settings["instruments"], self.sources["instruments"] = self.programs, ", ".join(self.named)

    def _add_instruments(self, words: str, programs: tuple[int, ...]) -> None:
        if words.lower() not in (each.lower() for each in self.named):
            self.named.append(words)
            self.programs += programs

    def _add_nearest(self, words: str, program: int) -> None:
        self.notes.append(f"There is no {words.lower()} here; the {name_program(program)} plays in its place.")
        self._add_instruments(words, (program,))

    def _set_alone(self, words: str, _value: Any) -> None:
        for name, value in (("style", "drums"), ("drums", "yes"), ("instruments", [])):
            self._set(name, value, words)

    def _settle(self) -> None:
        """Let genres and moods fill what was not said outright; then find the key, the instruments and the length."""
        mode, words = "", ""
        heeded: list[dict[str, Any]] = []
        for rank, source, values in sorted(self.later, key=lambda each: each[0]):
            before = {**self.settings, "mode": mode}
            for name, value in values.items():
                if name == "mode" and "key" not in self.settings:
                    mode, words = (mode, words) if mode else (value, source)
                elif name != "mode" and name not in self.settings:
                    self.settings[name] = list(value) if isinstance(value, tuple) else value
                    self.sources[name] = source
            if rank >= 0 and values not in heeded and before == {**self.settings, "mode": mode}:
                self.notes.append(f"“{source}” changes nothing: the other words say more exactly what to play.")
            heeded.append(values)
        if mode and "key" not in self.settings and self.settings.get("style") != "drums":
            self.settings["key"], self.sources["key"] = TONICS[mode], words
        if "instruments" in self.settings:
            asked = [each for each in self.settings["instruments"] if each not in self.unwanted]
            if len(asked) > MAX_ASKED_TRACKS:
                self.notes.append(f"At most {MAX_ASKED_TRACKS} instruments can play; the first of them do.")
            self.settings["instruments"] = list(sort_by_role(asked[:MAX_ASKED_TRACKS]))
        elif self.unwanted:
            self.notes.append("Which instruments play is left to the model: one alone cannot be forbidden.")
            self.sources.pop("instruments", None)
        if self.seconds and "bars" not in self.settings:
            bar_s = measure_bar_s(self.settings.get("meter", "4/4"), self.settings.get("tempo", NEW_TEMPO))
            words = self.sources.pop("bars")
            self._set_bars(max(1, round(self.seconds / bar_s)), words)

    def _rest(self) -> tuple[str, ...]:
        """Return runs of words that nobody took, each as it was written."""
        runs: list[tuple[int, str]] = list(self.unknown)
        last_end = -1
        for match in _WORD.finditer(self.text):
            if match[0].lower() in FILLERS:
                continue
            between = self.text[last_end : match.start()] if last_end >= 0 else ""
            is_next = last_end >= 0 and runs and not re.search(r"[\0,.;:!?]", between) and runs[-1][0] >= 0
            if is_next and all(each.lower() in FILLERS for each in _WORD.findall(between)):
                at, said = runs[-1]
                runs[-1] = at, f"{said}{between}{match[0]}"
            else:
                runs.append((match.start(), match[0]))
            last_end = match.end()
        runs = [(at, " ".join(said.split())) for at, said in sorted(runs)]
        for said in dict.fromkeys(said for at, said in runs if _COMPARED.search(self.written[:at])):
            self.notes.append(f"“{said}”: {NO_COMPARISONS}")
        return tuple(dict.fromkeys(said for _, said in runs))


def measure_bar_s(meter: str, tempo: float) -> float:
    """Measure a bar in seconds: of a time signature such as "6/8", at quarters a minute."""
    beats, unit = (int(each) for each in meter.split("/"))
    return beats * 4 / unit * 60 / tempo


def _spell(letter: str, accidental: str, mode: str) -> str:
    """Return a key as the composer's list spells it."""
    tonic, sign = letter.upper(), accidental.strip(" -").lower()
    if sign in {"#", "♯", "sharp"}:
        tonic = SHARPS[tonic]
    elif sign in {"b", "♭", "flat"}:
        tonic = FLATS.get(tonic, f"{tonic}b")
    return f"{tonic} {'minor' if mode.lower().startswith('min') else 'major'}"
