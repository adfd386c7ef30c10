"""Tags of speech markup (SSML 1.1, W3C 2010), read as far as they make sense: damaged markup loses its marks only."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

MAX_BREAK_S = 60.0
_NAMES = (
    "speak|voice|lang|audio|mark|break|emphasis|prosody|say-as|sub|phoneme|lexicon|lookup|metadata|meta|token|w|desc"
    "|amazon:[\\w-]+|google:[\\w-]+|mstts:[\\w-]+"
)
_VALUE = r"\"[^\"<>]{0,300}\"|'[^'<>]{0,300}'|“[^”<>]{0,300}[”“\"]|[^\s\"'“<>=]{1,300}"
_ATTRIBUTE = re.compile(rf"([\w:-]{{1,40}})\s*=\s*({_VALUE})")
_ENDED = r"<(?P<close>/?)\s*(?P<name>{names})(?P<rest>(?=[\s/>])[^<>]{{0,2000}})?>"
_NEVER_ENDED = rf"<(?P<close2>/?)(?P<name2>{_NAMES})\b(?P<rest2>(?:\s+[\w:-]{{1,40}}\s*=\s*(?:{_VALUE}))*)\s*/?"
_SSML_TAG = re.compile(_ENDED.format(names=_NAMES), re.I)
_ANY_TAG = re.compile(rf"{_ENDED.format(names=r'[A-Za-z][a-zA-Z0-9_:-]{0,40}')}|{_NEVER_ENDED}", re.I)
_IS_DOCUMENT = re.compile(r"<\s*speak\b", re.I)
_HIDDEN = re.compile(r"<!--.*?(?:-->|$)|<\?[^<>]*>|<!DOCTYPE[^<>]*>|<!\[CDATA\[|\]\]>", re.S)
_CUT_TAG = re.compile(r"</?[A-Za-z][^<>]*$")

BREAK_STRENGTHS = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.2}
_RATES = {"x-slow": 0.6, "slow": 0.8, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.6}
_PITCHES = {"x-low": -4.0, "low": -2.0, "medium": 0.0, "default": 0.0, "high": 2.0, "x-high": 4.0}
_VOLUMES = {
    **{"silent": -10.0, "x-soft": -8.0, "soft": -4.0, "medium": 0.0, "default": 0.0, "loud": 4.0, "x-loud": 8.0},
}
_EMPHASES = {
    "strong": (0.85, 1.5, 3.0),
    "moderate": (0.92, 1.0, 2.0),
    "none": (1.0, 0.0, 0.0),
    "reduced": (1.1, -1.0, -3.0),
}


@dataclass(frozen=True)
class Prosody:
    """How a stretch of text is said, beside the voice's own way.

    Attributes:
        rate: times as fast.
        pitch_semitones: higher.
        volume_db: louder.
    """

    rate: float = 1.0
    pitch_semitones: float = 0.0
    volume_db: float = 0.0

    def within(self, outer: Prosody) -> Prosody:
        """Return the prosody inside of another stretch."""
        return Prosody(
            self.rate * outer.rate, self.pitch_semitones + outer.pitch_semitones, self.volume_db + outer.volume_db
        )


PLAIN = Prosody()


@dataclass(frozen=True)
class Tag:
    """A tag: its name in small letters, its attributes, whether it closes and whether it closes itself."""

    name: str
    attributes: dict[str, str]
    closes: bool = False
    is_empty: bool = False


def is_document(text: str) -> bool:
    """Whether a text is a document of speech markup, in which any tag is markup."""
    return bool(_IS_DOCUMENT.search(text))


def iter_tags(text: str) -> Iterator[str | Tag]:
    """Text and tags in order. Outside of a document only the tags of speech markup are taken out."""
    is_ssml = is_document(text)
    if is_ssml:
        text = _CUT_TAG.sub("", _HIDDEN.sub("", text))
    pattern = _ANY_TAG if is_ssml else _SSML_TAG
    position = 0
    for match in pattern.finditer(text):
        if match.start() > position:
            yield text[position : match.start()]
        position = match.end()
        found = match.groupdict()
        rest = found["rest"] or found.get("rest2") or ""
        attributes = {name.lower(): _unquoted(value) for name, value in _ATTRIBUTE.findall(rest)}
        name = found["name"] or found["name2"]
        closes = bool(found["close"] or found.get("close2"))
        yield Tag(name.lower(), attributes, closes, is_empty=match[0].rstrip("> ").endswith("/"))
    if position < len(text):
        yield text[position:]


def read_break_s(tag: Tag) -> float:
    """Return the seconds of silence that <break> asks."""
    asked = tag.attributes.get("time", "")
    found = re.search(r"(\d+(?:[.,]\d+)?|[.,]\d+)\s*(ms|msec|milli\w*|s|sec\w*)?", asked, re.I)
    if not found:
        return BREAK_STRENGTHS.get(tag.attributes.get("strength", "medium").lower(), BREAK_STRENGTHS["medium"])
    number = float(found[1].replace(",", "."))
    unit = (found[2] or ("ms" if number >= 50 else "s")).lower()
    return min(number / 1000 if unit.startswith("m") else number, MAX_BREAK_S)


def read_prosody(tag: Tag, notes: list[str]) -> Prosody:
    """Read what <prosody> or <emphasis> asks; a value that cannot be read is noted and left out."""
    if tag.name == "emphasis":
        return Prosody(*_EMPHASES.get(tag.attributes.get("level", "moderate").lower(), _EMPHASES["moderate"]))
    prosody = PLAIN
    readers = (("rate", "rate", _rate), ("pitch", "pitch_semitones", _semitones), ("volume", "volume_db", _decibels))
    for attribute, field, read in readers:
        asked = tag.attributes.get(attribute, "").strip().lower()
        value = read(asked) if asked else None
        if value is not None and math.isfinite(value):
            prosody = replace(prosody, **{field: value})
        elif asked:
            notes.append(f"The {attribute} “{asked[:20]}” of <prosody> was left out; it can be {_EXAMPLES[attribute]}.")
    return prosody


_EXAMPLES = {
    "rate": "slow, fast or a percentage such as 90%",
    "pitch": "low, high, semitones such as +2st or a percentage such as +10%",
    "volume": "soft, loud or decibels such as +3dB",
}


def _rate(asked: str) -> float | None:
    if asked in _RATES:
        return _RATES[asked]
    value = _percent(asked)
    if value is None and re.fullmatch(r"\d*\.?\d+", asked):
        value = float(asked) / (100 if float(asked) > 10 else 1)
    return min(max(value, 0.25), 4.0) if value else None


def _semitones(asked: str) -> float | None:
    if asked in _PITCHES:
        return _PITCHES[asked]
    semitones = re.fullmatch(r"([+-]?\d+(?:\.\d+)?)\s*(?:st|semitones?)", asked)
    if semitones:
        return float(semitones[1])
    ratio = _percent(asked)
    return 12 * math.log2(ratio) if ratio else None


def _decibels(asked: str) -> float | None:
    if asked in _VOLUMES:
        return _VOLUMES[asked]
    decibels = re.fullmatch(r"([+-]?\d+(?:\.\d+)?)\s*db", asked)
    if decibels:
        return float(decibels[1])
    ratio = _percent(asked)
    if ratio is None and re.fullmatch(r"\d{1,3}(?:\.\d+)?", asked):
        ratio = float(asked) / 100
    return 20 * math.log10(ratio) if ratio else (_VOLUMES["silent"] if ratio == 0 else None)


def _percent(asked: str) -> float | None:
    """Read a ratio: "+20%", "-20%" or "120%"."""
    found = re.fullmatch(r"([+-]?)(\d+(?:\.\d+)?)\s*%", asked)
    if not found:
        return None
    share = float(found[2]) / 100
    return max(0.0, 1 + share if found[1] == "+" else 1 - share if found[1] == "-" else share)


def _unquoted(value: str) -> str:
    return html.unescape(value[1:-1] if value[:1] in {'"', "'", "“"} else value.rstrip("/"))
