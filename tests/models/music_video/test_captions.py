"""Lyrics with times: the formats, what is damaged, and the letters in the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music_video.captions import Caption, lay_over, opacity, parse_captions, read_captions, text_layer

SRT = """1
00:00:01,500 --> 00:00:03,000
<i>First line</i>
and its second

2
00:01:02,25 --> 00:01:04,000 align:start
Later
"""
LRC = """[ti:Song]
[offset:+500]
[00:03.50][00:10.00]Twice sung
[00:05]In between
[00:07.5]
[01:00.123]Last
"""


def test_srt_lines_are_joined_and_marks_left_out() -> None:
    found = parse_captions(SRT)
    assert found == (Caption(1.5, 3.0, "First line and its second"), Caption(62.25, 64.0, "Later"))


def test_webvtt_without_hours() -> None:
    assert parse_captions("WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n") == (Caption(1.0, 2.0, "Hello"),)


def test_lrc_lines_end_where_the_next_begins() -> None:
    found = parse_captions(LRC)
    assert [(each.start_s, each.text) for each in found] == [
        (3.0, "Twice sung"), (4.5, "In between"), (9.5, "Twice sung"), (pytest.approx(59.623), "Last"),
    ]  # fmt: skip
    assert found[0].end_s == 4.5 and found[1].end_s == 7.0
    assert found[2].end_s - found[2].start_s == 8.0  # a line is not shown for a minute
    assert found[3].end_s - found[3].start_s == pytest.approx(5.0)


@pytest.mark.slow
@given(st.text(max_size=300))
def test_any_text_gives_captions_or_a_sentence(text: str) -> None:
    try:
        found = parse_captions(text)
    except ValueError as error:
        assert str(error).endswith(".")
    else:
        assert all(each.end_s > each.start_s >= 0 and each.text for each in found)


def test_files_that_are_no_captions(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    with pytest.raises(ValueError, match="gone"):
        read_captions(path)
    path.write_bytes(b"\xff\xfe\x00\xd8" + b"\x00\x01\x02" * 30)
    with pytest.raises(ValueError, match=r"time|text"):
        read_captions(path)
    path.write_bytes(b"x" * 1_000_001)
    with pytest.raises(ValueError, match="megabyte"):
        read_captions(path)
    path.write_bytes("[00:01.0]Grüße".encode("latin-1"))
    assert read_captions(path)[0].text == "Grüße"


def test_letters_are_drawn_within_the_frame() -> None:
    for words in ("Hello", "A long line of lyrics that must be broken into several lines to fit", "W" * 80):
        layer = text_layer(words, 360, 40.0)
        assert layer[0].shape[1] <= 360
        frame = np.full((200, 360, 3), 90, np.uint8)
        lay_over(frame, layer, (180.0, 190.0), 1.0)
        assert frame.max() > 240 and frame.min() < 60
    untouched = np.full((200, 360, 3), 90, np.uint8)
    lay_over(untouched, text_layer("Hello", 360, 40.0), (180.0, 100.0), 0.0)
    assert (untouched == 90).all()


def test_texts_fade_at_their_ends() -> None:
    assert opacity(0.9, 1, 3) == 0 and opacity(3.0, 1, 3) == 0
    assert opacity(2.0, 1, 3) == 1
    assert 0 < opacity(1.1, 1, 3) < 1 and 0 < opacity(2.95, 1, 3) < 1
