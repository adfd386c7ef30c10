"""Captions: valid SRT and VTT for any words."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from models.contracts import WordTiming
from models.speech.text import to_utterances
from studio.speech.captions import MAX_CUE_CHARACTERS, MAX_CUE_S, group_cues, to_srt, to_vtt

CLOCK = re.compile(r"(\d\d):(\d\d):(\d\d)[,.](\d\d\d) --> (\d\d):(\d\d):(\d\d)[,.](\d\d\d)")


@st.composite
def spoken(draw: st.DrawFn) -> list[WordTiming]:
    texts = draw(st.lists(st.text(min_size=0, max_size=12), max_size=60))
    words, now_s = [], 0.0
    for text in texts:
        now_s += draw(st.floats(0, 2))
        length_s = draw(st.floats(0.01, 1.5))
        words.append(WordTiming(text, now_s, now_s + length_s))
        now_s += length_s
    return words


def _times(text: str) -> list[tuple[int, int]]:
    found = []
    for match in CLOCK.finditer(text):
        h1, m1, s1, t1, h2, m2, s2, t2 = map(int, match.groups())
        found.append((((h1 * 60 + m1) * 60 + s1) * 1000 + t1, ((h2 * 60 + m2) * 60 + s2) * 1000 + t2))
    return found


@settings(max_examples=80, deadline=None)
@given(words=spoken())
def test_cues_are_ordered_and_complete(words: list[WordTiming]) -> None:
    cues = group_cues(words)
    for before, after in pairwise(cues):
        assert before.start_s < before.end_s <= after.start_s + 1e-9
    for text, separator in ((to_srt(words), ","), (to_vtt(words), ".")):
        times = _times(text)
        assert len(times) == len(cues)
        assert all(start <= end for start, end in times)
        assert times == sorted(times)
        assert separator in text or not cues
    shown = "".join("".join(cue.text.split()) for cue in cues)
    for word in words:
        if word.text.isalnum():
            assert word.text in shown


def test_a_known_text() -> None:
    words = [WordTiming("Hello,", 0.0, 0.5), WordTiming("world.", 0.6, 1.25), WordTiming("A<b & c", 3661.5, 3662.0)]
    assert to_srt(words) == (
        "1\n00:00:00,000 --> 00:00:01,250\nHello, world.\n\n2\n01:01:01,500 --> 01:01:02,000\nA<b & c\n"
    )
    assert to_vtt(words) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.250\nHello, world.\n\n01:01:01.500 --> 01:01:02.000\nA&lt;b &amp; c\n"
    )


def test_long_sentences_are_broken() -> None:
    words = [WordTiming("abcdefg", index * 0.4, index * 0.4 + 0.4) for index in range(60)]
    cues = group_cues(words)
    assert len(cues) > 3
    assert all(len(cue.text) <= MAX_CUE_CHARACTERS + 1 and cue.end_s - cue.start_s <= MAX_CUE_S + 1e-6 for cue in cues)
    assert all(cue.text.count("\n") <= 1 for cue in cues)


def test_an_arrow_cannot_end_a_cue() -> None:
    assert to_srt([WordTiming("a-->b\n\n2", 0, 1)]).count("-->") == 1
    assert to_srt([]) == ""
    assert to_vtt([]) == "WEBVTT\n"


def test_captions_keep_the_punctuation_and_end_at_sentences() -> None:
    said = to_utterances("He said: \"Well, it costs $12.50 (or less).\" It's late, isn't it? Good night…").utterances
    words = [word for utterance in said for word in utterance.words]
    timed = [WordTiming(word.text, 0.3 * at, 0.3 * at + 0.2, word.marked) for at, word in enumerate(words)]
    assert [cue.text.replace("\n", " ") for cue in group_cues(timed)] == [
        'He said: "Well, it costs $12.50 (or less)."',
        "It's late, isn't it?",
        "Good night...",
    ]
