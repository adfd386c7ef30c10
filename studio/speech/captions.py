"""Captions from word timings: SubRip (SRT) and WebVTT."""

from __future__ import annotations

import re
from collections.abc import Sequence

from models.contracts import WordTiming
from models.music_video.captions import Caption, clock, write_captions

MAX_LINE_CHARACTERS = 42  # two lines of this length is what captioning guides for broadcasters allow
MAX_CUE_CHARACTERS = 2 * MAX_LINE_CHARACTERS
MAX_CUE_S = 6.0
PAUSE_S = 0.6


def group_cues(words: Sequence[WordTiming]) -> list[Caption]:
    """Join words into cues that end at sentences, pauses, or the limits of length and time."""
    groups: list[list[WordTiming]] = []
    for word in words:
        if not word.text.strip():
            continue
        if groups and _belongs(groups[-1], word):
            groups[-1].append(word)
        else:
            groups.append([word])
    cues: list[Caption] = []
    for group in groups:
        start_s = max(group[0].start_s, cues[-1].end_s if cues else 0.0)
        end_s = max(group[-1].end_s, start_s + 0.001)
        cues.append(Caption(start_s, end_s, _break_lines([_clean(word.shown) for word in group])))
    return cues


def to_srt(words: Sequence[WordTiming]) -> str:
    """Return SubRip text; empty for no words."""
    return write_captions(group_cues(words))


def to_vtt(words: Sequence[WordTiming]) -> str:
    """Return WebVTT text, with its header even for no words."""
    blocks = ["WEBVTT\n"]
    for cue in group_cues(words):
        text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{clock(cue.start_s, '.')} --> {clock(cue.end_s, '.')}\n{text}\n")
    return "\n".join(blocks)


def _belongs(group: Sequence[WordTiming], word: WordTiming) -> bool:
    length = sum(len(each.shown) + 1 for each in group) + len(word.shown)
    ends_sentence = re.search(r"[.!?…][\"')\]”’]*$", group[-1].shown) is not None
    pauses = word.start_s - group[-1].end_s > PAUSE_S
    too_long = length > MAX_CUE_CHARACTERS or word.end_s - group[0].start_s > MAX_CUE_S
    return not (ends_sentence or pauses or too_long)


def _break_lines(words: Sequence[str]) -> str:
    """Return one line if it fits, else two of about equal length."""
    line = " ".join(words)
    if len(line) <= MAX_LINE_CHARACTERS or len(words) == 1:
        return line
    breaks = range(1, len(words))
    best = min(breaks, key=lambda at: abs(len(" ".join(words[:at])) - len(" ".join(words[at:]))))
    return " ".join(words[:best]) + "\n" + " ".join(words[best:])


def _clean(text: str) -> str:
    """Remove line breaks, control characters, and arrows, which would end a cue."""
    visible = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(visible.split()).replace("-->", "→")
