"""Lyrics with times, read from SubRip (SRT), WebVTT and LRC text, also from what people make of these by hand.

Times are found wherever a line begins with them: without milliseconds, with another arrow, without the blank line
between two captions. Lines without a time are the words of the caption before them.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.music_video.text_encoding import decode_text

MAX_CAPTIONS = 2_000
MAX_CAPTION_FILE_BYTES = 1_000_000
MAX_CAPTION_CHARACTERS = 200
MOST_WORD_TIMES, LONGEST_MARKED = 200, 4_000  # times in a line, and its characters
LAST_WORD_S = 1.0  # how long the last word of a line is shown at least
LAST_LINE_S = 5.0  # how long a line of LRC is shown that no other follows
LONGEST_LINE_S = 8.0
JOINERS = "\u200c\u200d"  # which shape the letters beside them

_TIME = r"(?:(\d{1,3})\s?:\s?)?(\d{1,3})\s?:\s?(\d{1,2})(?:\s?[.,:;]\s?(\d{1,6}))?"
_ARROWS = r"\u2190-\u21ff\u2794-\u27be\u27f0-\u27ff\u2900-\u297f\u2b00-\u2bff\u203a\u276f\uff1e"
_ARROW = (
    rf"(?:[-\u2010-\u2015\u2212=~\s]*(?:[>{_ARROWS}]|&gt;)+"
    r"|\s*[-\u2010-\u2015\u2212]+|\s*,)\s*"
)
_RANGE = re.compile(rf"\s*(?:\d{{1,5}}[\s.)]\s*)?[\[(]?{_TIME}[\])]?{_ARROW}[\[(]?{_TIME}(?![\d:])[\])]?(.*)")
_BARE_SECONDS = r"(\d{1,6}(?:[.,]\d{1,6})?)"
_SECONDS_RANGE = re.compile(rf"\s*{_BARE_SECONDS}\s*-{{0,4}}[>{_ARROWS}]\s*{_BARE_SECONDS}\s*$")
_SETTINGS = re.compile(r"(?:\s+(?:[A-Za-z][\w-]*|[XY][12]):\S+)*\s*$")
_TAG = re.compile(rf"\[\s*{_TIME}\s*\]")
_WORD_TAG = re.compile(rf"[<\[]\s*{_TIME}\s*[>\]]")
_CUE_TAG = re.compile(rf"<\s*{_TIME}\s*>")  # beside a start and an end, square brackets are words
_BARE = re.compile(rf"\s*\(?(?<![\d:]){_TIME}(?![\d:])\)?\s*[-\u2013\u2014:|]?\s*(.*)")
_LRC_OFFSET = re.compile(r"\[offset:\s*([+-]?\d{1,9})\s*\]", re.IGNORECASE)
_MARKS = re.compile(
    r"</?(?:b|i|u|s|c|br|em|strong|ruby|rt)(?:\.[\w.-]{1,100})?(?:\s[^<>=]{1,40}=[^<>]{1,200})?\s?/?>"
    r"|</?(?:v|span|font|lang|p|div)(?:[.\s][^<>]{0,200})?/?>"
    r"|<\s*\d{1,3}:\d{1,2}(?:[.:,]\d{1,3})*\s*>"
    r"|\{\\[^}]{0,100}\}|\{[a-zA-Z]:[^}]{0,100}\}",
    re.IGNORECASE,
)
_BREAKS = re.compile(r"<br\s*/?>|\\n", re.IGNORECASE)
_NOTE = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")


@dataclass(frozen=True)
class Caption:
    """A line shown from start to end, in seconds; where single words have times, when each of them is sung."""

    start_s: float
    end_s: float
    text: str
    words_s: tuple[float, ...] = ()


def read_captions(path: str | Path) -> tuple[Caption, ...]:
    """Return the captions of an SRT, VTT or LRC file.

    Raises:
        ValueError: a sentence: the file is missing, too large, no text, or holds no line with a time.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError("The captions file is gone; choose it again.")
    if path.stat().st_size > MAX_CAPTION_FILE_BYTES:
        raise ValueError("The captions file is larger than a megabyte; it cannot be lyrics.")
    try:
        text = decode_text(path.read_bytes())
    except ValueError as error:
        raise ValueError("The captions file is not text.") from error
    return parse_captions(text)


def parse_captions(text: str) -> tuple[Caption, ...]:
    """Return the captions of SRT, WebVTT or LRC text, in order of time.

    Raises:
        ValueError: no line with a time was found, or there are too many.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = _parse_ranges(lines) or _parse_starts(lines, text)
    if not found:
        raise ValueError("No line with a time was found; captions must be SRT, WebVTT or LRC.")
    if len(found) > MAX_CAPTIONS:
        raise ValueError(f"There are {len(found):,} captions; at most {MAX_CAPTIONS:,} can be shown.")
    return tuple(sorted(found, key=lambda each: each.start_s))


def write_captions(captions: Iterable[Caption], later_s: float = 0.0) -> str:
    """Return captions as SRT text, so many seconds later."""
    blocks = (
        f"{number}\n{clock(each.start_s + later_s)} --> {clock(each.end_s + later_s)}\n{each.text}\n"
        for number, each in enumerate(captions, 1)
    )
    return "\n".join(blocks)


def clock(seconds: float, separator: str = ",") -> str:
    """Return a time as captions write it, to the millisecond."""
    minutes, milliseconds = divmod(max(0, round(seconds * 1000)), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds // 1000:02d}{separator}{milliseconds % 1000:03d}"


def _clean(line: str) -> str:
    """Return the words of a line: without marks, entities as what they stand for, one space between two words."""
    plain = html.unescape(_MARKS.sub("", _BREAKS.sub(" ", line)))
    kept = (
        letter if letter.isprintable() or letter in JOINERS else "" if unicodedata.category(letter) == "Cf" else " "
        for letter in plain
    )  # fmt: skip
    return " ".join("".join(kept).split())[:MAX_CAPTION_CHARACTERS].strip()


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction or 0}")


def _parse_ranges(lines: list[str]) -> list[Caption]:
    """Read captions that have a start and an end: SRT, WebVTT and their like."""
    is_vtt = next((line for line in lines if line.strip()), "").startswith("WEBVTT")
    numbered: bool | None = None  # whether captions have numbers
    cues: list[tuple[float, float, list[str]]] = []
    before: list[str] = []  # lines since the last time
    for line in lines:
        times = _read_range(line)
        if times is None:
            before.append(line)
            continue
        start_s, end_s, behind = times
        if numbered is None:
            numbered = any(each.strip().isdigit() for each in before)
        words = _without_name(before, numbered, is_vtt)
        if cues:
            cues[-1][2].extend(words)
        cues.append((start_s, end_s, [] if _SETTINGS.match(behind) else [behind]))
        before = []
    if cues:
        cues[-1][2].extend(before)
    starts = [cue[0] for cue in cues]
    found = [
        Caption(
            start_s,
            end_s if end_s > start_s else _end_of(start_s, starts),
            _clean(_CUE_TAG.sub("", " ".join(said))),
            _time_words(" ".join(said), start_s, _CUE_TAG),
        )
        for start_s, end_s, said in ((*cue[:2], _of_cue(cue[2]) if is_vtt else cue[2]) for cue in cues)
    ]
    return [caption for caption in found if caption.text]


def _read_range(line: str) -> tuple[float, float, str] | None:
    """Return a line's start and end in seconds and what stands behind them; None where it has no times."""
    times = _RANGE.match(line)
    if times is not None:
        return _seconds(*times.group(1, 2, 3, 4)), _seconds(*times.group(5, 6, 7, 8)), times.group(9)
    bare = _SECONDS_RANGE.match(line)
    return None if bare is None else (float(bare[1].replace(",", ".")), float(bare[2].replace(",", ".")), "")


def _end_of(start_s: float, starts: list[float]) -> float:
    """Return when a caption ends whose own end cannot be: where the next begins."""
    return min((each for each in starts if each > start_s), default=start_s + LAST_LINE_S)


def _without_name(lines: list[str], numbered: bool, is_vtt: bool) -> list[str]:
    """Return the lines before a time without the caption's number or name, which is the last of them."""
    if not lines or not lines[-1].strip():
        return lines
    is_name = is_vtt and (len(lines) < 2 or not lines[-2].strip())
    return lines[:-1] if is_name or (numbered and lines[-1].strip().isdigit()) else lines


def _of_cue(lines: list[str]) -> list[str]:
    """Return the lines of a WebVTT caption, which end with the first blank one."""
    words: list[str] = []
    for line in lines:
        if not line.strip() or _NOTE.match(line):
            break
        words.append(line)
    return words


@dataclass(frozen=True)
class _StartedLine:
    """A line with its start, and its end and the times of its words where they are told."""

    start_s: float
    end_s: float | None
    words: str
    words_s: tuple[float, ...] = ()

    def move(self, by_s: float) -> _StartedLine:
        """Return it so many seconds later; nothing begins before the song."""
        end_s = None if self.end_s is None else max(0.0, self.end_s + by_s)
        words_s = tuple(max(0.0, each + by_s) for each in self.words_s)
        return _StartedLine(max(0.0, self.start_s + by_s), end_s, self.words, words_s)


def _parse_starts(lines: list[str], text: str) -> list[Caption]:
    """Read lines that have a start alone: LRC, and lines that begin with a bare time."""
    offset = _LRC_OFFSET.search(text)
    earlier_s = int(offset.group(1)) / 1000 if offset else 0.0  # a positive offset shows the lines earlier
    tagged = [found for line in lines for found in _read_tagged(line)]
    told = tagged or [found for line in lines for found in _read_bare(line)]
    starts = sorted((each.move(-earlier_s) for each in told), key=lambda each: each.start_s)
    captions = []
    for number, line in enumerate(starts):
        start_s, last_word_s = line.start_s, line.words_s[-1] + LAST_WORD_S if line.words_s else 0.0
        after_s = starts[number + 1].start_s if number + 1 < len(starts) else max(start_s + LAST_LINE_S, last_word_s)
        last_s = min(after_s, max(start_s + LONGEST_LINE_S, last_word_s), *([] if line.end_s is None else [line.end_s]))
        if line.words and last_s > start_s:
            captions.append(Caption(start_s, last_s, line.words, line.words_s))
    return captions


def _read_tagged(line: str) -> list[_StartedLine]:
    """Read a line of LRC, as often as it is sung.

    Times at its beginning say when; those inside, in square or angle brackets, are of single words, and one behind them
    is its end.
    """
    starts: list[float] = []
    at = len(line) - len(line.lstrip())
    while tag := _TAG.match(line, at):
        starts.append(_tag_seconds(tag))
        at = tag.end() + len(line[tag.end() :]) - len(line[tag.end() :].lstrip())
    rest = line[at:]
    if not starts and (word := _WORD_TAG.match(rest)):
        starts.append(_tag_seconds(word))
    if not starts:
        return []
    inside = list(_WORD_TAG.finditer(rest))
    ends = bool(inside) and not rest[inside[-1].end() :].strip() and len(starts) == 1
    end_s = _tag_seconds(inside[-1]) if ends else None
    first = _StartedLine(starts[0], end_s, _clean(_WORD_TAG.sub("", rest)), _time_words(rest, starts[0]))
    return [first.move(start_s - starts[0]) for start_s in starts]


def _time_words(marked: str, start_s: float, tagged: re.Pattern[str] = _WORD_TAG) -> tuple[float, ...]:
    """Return when each word of a line is sung that has times inside, as `tagged`, in seconds; () where it has none.

    A word without a time is sung between its neighbours'; times within a word, of its syllables, are left out.
    """
    tags = list(tagged.finditer(marked))
    if not 1 <= len(tags) <= MOST_WORD_TIMES or len(marked) > LONGEST_MARKED:
        return ()
    count = len(_clean(tagged.sub("", marked)).split())
    times = {0: start_s}
    for tag in tags:
        before = tagged.sub("", marked[: tag.start()])
        after = tagged.sub("", marked[tag.end() :])
        is_within = before[-1:].strip() and after[:1].strip()
        number = len(_clean(before).split())
        if not is_within and number < count:
            times[number] = max(start_s, _tag_seconds(tag))
    if set(times) == {0}:
        return ()
    known = sorted(times)
    found = np.interp(np.arange(count), known, np.maximum.accumulate([times[each] for each in known]))
    return tuple(float(each) for each in found)


def _tag_seconds(tag: re.Match[str]) -> float:
    first, second, third, fraction = tag.groups()
    if first is not None and fraction is None:  # minutes, seconds and hundredths, all behind colons
        return _seconds(None, first, second, third)
    return _seconds(first, second, third, fraction)


def _read_bare(line: str) -> list[_StartedLine]:
    time = _BARE.match(line)
    return [_StartedLine(_seconds(*time.group(1, 2, 3, 4)), None, _clean(time.group(5)))] if time else []
