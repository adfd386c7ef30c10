"""Lyrics with times: the formats, what people make of them by hand, and what is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music_video.captions import Caption, parse_captions, read_captions

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


def cue(start: int, end: int, words: str, number: str = "1", arrow: str = " --> ") -> str:
    """One caption of SRT, a blank line behind it."""
    return f"{number}\n00:00:0{start},000{arrow}00:00:0{end},000\n{words}\n\n"


ONE: list[tuple[float, float, str]] = [(1, 2, "A")]
TOLD: dict[str, tuple[str, list[tuple[float, float, str]]]] = {
    "no blank lines": (
        (cue(1, 2, "One") + cue(3, 4, "Two", "2") + cue(5, 6, "3", "3")).replace("\n\n", "\n"),
        [(1, 2, "One"), (3, 4, "Two"), (5, 6, "3")],
    ),
    "blank lines inside": (
        cue(1, 2, "\nOne after blank") + cue(3, 4, "Two\n\nsecond line of two", "2"),
        [(1, 2, "One after blank"), (3, 4, "Two second line of two")],
    ),
    "numbers that are sung": (cue(1, 2, "99") + cue(3, 4, "100", "2"), [(1, 2, "99"), (3, 4, "100")]),
    "no numbers": (
        "00:00:01,000 --> 00:00:02,000\n7\n00:00:03,000 --> 00:00:04,000\n8\n",
        [(1, 2, "7"), (3, 4, "8")],
    ),
    "no milliseconds": ("1\n00:00:01 --> 00:00:02\nA\n", ONE),
    "no hours": ("1\n0:01 --> 0:02\nA\n", ONE),
    "dots and spaces": ("1\n 00 : 00 : 01 . 5  -->  00:00:02.250 \nA\n", [(1.5, 2.25, "A")]),
    "en dashes": (cue(1, 2, "A", arrow=" \u2013\u2013> "), ONE),
    "one sign": (cue(1, 2, "A", arrow=" \u2192 "), ONE),
    "short arrow": (cue(1, 2, "A", arrow=" -> "), ONE),
    "arrow of a page": (cue(1, 2, "A", arrow=" --&gt; "), ONE),
    "dash": (cue(1, 2, "A", arrow=" - "), ONE),
    "comma": ("0:00:01.000,0:00:02.000\nA\n", ONE),
    "words behind the times": ("1 00:00:01,000 --> 00:00:02,000 A b\n", [(1, 2, "A b")]),
    "places": ("00:01.000 --> 00:02.000 align:start position:10%\nA\n", ONE),
    "old places": ("00:00:01,000 --> 00:00:02,000 X1:10 X2:20 Y1:3 Y2:4\nA\n", ONE),
    "an end before the start": (cue(2, 1, "A") + cue(4, 5, "B", "2"), [(2, 4, "A"), (4, 5, "B")]),
    "old line ends": ((cue(1, 2, "A") + cue(3, 4, "B", "2")).replace("\n", "\r"), [(1, 2, "A"), (3, 4, "B")]),
    "entities": (
        cue(1, 2, '<font color="#fff">Tom &amp; Jerry</font> {\\an8}up &#39;n&nbsp;down'),
        [(1, 2, "Tom & Jerry up 'n down")],
    ),
    "signs": (cue(1, 2, "I <3 you and 5 > 4 but <b>x</b> < y"), [(1, 2, "I <3 you and 5 > 4 but x < y")]),
    "breaks": (cue(1, 2, "A<br/>b\\Nc"), [(1, 2, "A b c")]),
    "voices": (
        "WEBVTT\n\nintro\n00:01.000 --> 00:02.000\n<v Ann>Hi <00:01.500><c.loud>there</c>\n\nNOTE this\nis none\n",
        [(1, 2, "Hi there")],
    ),
    "styles": ("WEBVTT\n\nSTYLE\n::cue { color: red }\n\n1\n00:01.000 --> 00:02.000\nA\n\nB\n", ONE),
    "an arrow that is sung": (
        "[00:01.00]left --> right\n[00:03.00]b\n",
        [(1, 3, "left --> right"), (3, 8, "b")],
    ),
    "hours": ("[01:00:01.00]Hour line\n[00:00:02.00]two\n", [(2, 10, "two"), (3601, 3606, "Hour line")]),
    "hundredths behind a colon": ("[00:01:50]A\n", [(1.5, 6.5, "A")]),
    "times of words": (
        "[00:01.00]Hel[00:01.50]lo [00:02.00]world\n[00:04.00]<00:04.00>a <00:04.50>b\n",
        [(1, 4, "Hello world"), (4, 9, "a b")],
    ),
    "times of words and an end": ("[00:01.00]Hello [00:02.00]world[00:03.00]\n", [(1, 3, "Hello world")]),
    "spaces, commas, short times": (
        "[ 00:01.00 ] Space\n[00:02,50]comma\n[0:3]short\n",
        [(1, 2.5, "Space"), (2.5, 3, "comma"), (3, 8, "short")],
    ),
    "two times with a space": ("[00:01.00] [00:05.00] A\n", [(1, 5, "A"), (5, 10, "A")]),
    "bare times": ("0:01 One\n0:03.5 - Two\n(0:05) Three\n", [(1, 3.5, "One"), (3.5, 5, "Two"), (5, 10, "Three")]),
}


@pytest.mark.parametrize("kind", TOLD)
def test_what_people_write_is_read(kind: str) -> None:
    text, wanted = TOLD[kind]
    found = [(each.start_s, each.end_s, each.text) for each in parse_captions(text)]
    assert [each[2] for each in found] == [each[2] for each in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one[:2] == pytest.approx(other[:2])


def test_joined_letters_stay_joined() -> None:
    family = "\U0001f468\u200d\U0001f469"
    assert parse_captions(f"[00:01.0]{family} \u202bx\u202c\u00ady")[0].text == f"{family} xy"


@given(
    st.integers(0, 99 * 3600), st.integers(1, 3600), st.sampled_from([",", ".", ":"]), st.text("ab <>&-'", min_size=1)
)
def test_srt_that_is_written_is_read(start_s: int, length_s: int, point: str, words: str) -> None:
    def stamp(seconds: int) -> str:
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}250"

    text = f"1\n{stamp(start_s)} --> {stamp(start_s + length_s)}\nx {words} x\n"
    (found,) = parse_captions(text)
    assert (found.start_s, found.end_s) == (start_s + 0.25, start_s + length_s + 0.25)
    assert found.text[0] == found.text[-1] == "x"


def test_a_long_line_that_is_hard_to_match_takes_no_time() -> None:
    hard = "00:00:01,000 --> 00:00:02,000" + " a:b" * 3000 + " !\n" + "[" + "1:" * 5000 + "\n" + "- " * 20_000
    assert parse_captions(hard)[0].start_s == 1


ENCODED = {
    "cp1252": "Don’t stop — café",
    "latin-1": "Grüße",
    "cp1251": "Привет мир",
    "koi8_r": "Я помню чудное мгновенье",
    "cp1250": "Příliš žluťoučký kůň pěl",
    "iso8859_2": "Zażółć gęślą jaźń, miłość",
    "cp1253": "Σ’ αγαπώ πολύ, καλημέρα",
    "cp1255": "שלום עולם",
    "cp1256": "مرحبا بالعالم",
    "cp874": "สวัสดีชาวโลก ฉันรักเธอ",
    "shift_jis": "こんにちは世界",
    "euc_jp": "こんにちは世界",
    "iso2022_jp": "こんにちは",
    "gbk": "你好世界 再见",
    "big5": "月亮代表我的心 你問我愛你",
    "cp949": "사랑해요 보고 싶어요",
    "utf-16": "Hello мир",
    "utf-16-le": "Hello there",
    "utf-16-be": "Hello there",
    "utf-8-sig": "こん",
}


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("form", ["1\n00:00:01,000 --> 00:00:02,500\n{}\n", "[00:01.00]{}\n"])
def test_old_encodings_are_told(encoding: str, form: str, tmp_path: Path) -> None:
    (tmp_path / "old.lrc").write_bytes(form.format(ENCODED[encoding]).encode(encoding))
    assert read_captions(tmp_path / "old.lrc")[0].text == ENCODED[encoding]


def test_one_bad_byte_spoils_no_unicode(tmp_path: Path) -> None:
    words = "über den Dächern übt öfter ältere süße Äpfel"
    (tmp_path / "a.lrc").write_bytes(f"[00:01.0]{words}".encode() + b"\xff\n")
    assert words in read_captions(tmp_path / "a.lrc")[0].text


@pytest.mark.parametrize(
    ("text", "captions"),
    [
        ("00:01 \u27f6 00:02,5\nLong arrow", [(1.0, 2.5, "Long arrow")]),
        ("00:01 \u21e8 00:02\nOpen arrow", [(1.0, 2.0, "Open arrow")]),
        ("1\n1.5 --> 2,5\nSeconds", [(1.5, 2.5, "Seconds")]),
        ("00:01 --> 00:02\n5 > 4 and a<b and c>d", [(1.0, 2.0, "5 > 4 and a<b and c>d")]),
        ('00:01 --> 00:02\n<i class="x">A</i> <b>b</b> <c.red>c</c> <v Bob>d', [(1.0, 2.0, "A b c d")]),
        ("1\r00:01 --> 00:02\rOne\r\r2\r00:03 --> 00:04\rTwo", [(1.0, 2.0, "One"), (3.0, 4.0, "Two")]),
        ("0:00:01.0,0:00:02.0\nYouTube's", [(1.0, 2.0, "YouTube's")]),
    ],
)
def test_other_hands_write_captions_otherwise(text: str, captions: list[tuple[float, float, str]]) -> None:
    found = parse_captions(text)
    assert [(each.start_s, each.end_s, each.text) for each in found] == captions


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[00:12.00] <00:12.00> When <00:12.50> the <00:13.25> night <00:14.00>", (12.0, 14.0, (12.0, 12.5, 13.25))),
        ("[00:12.00]When [00:12.50]the [00:13.25]night[00:14.00]", (12.0, 14.0, (12.0, 12.5, 13.25))),
        ("<00:12.00>When <00:12.50>the <00:13.25>night", (12.0, 17.0, (12.0, 12.5, 13.25))),
        ("[00:12.00]When <00:12.40>the <00:12.80>ni<00:13.1>ght", (12.0, 17.0, (12.0, 12.4, 12.8))),
        ("[00:12.00]When the <00:14.00>night", (12.0, 17.0, (12.0, 13.0, 14.0))),
        ("[00:12.00]<00:12.50>When <00:12.10>the <00:13.00>night", (12.0, 17.0, (12.5, 12.5, 13.0))),
        ("[00:12.00]When the night", (12.0, 17.0, ())),
        ("[00:12.00]<00:12.00>When the night<00:14.00>", (12.0, 14.0, ())),
        ("00:12.0 --> 00:14.0\n<00:00:12.200>When <00:12.500>the <00:13.250>night", (12.0, 14.0, (12.2, 12.5, 13.25))),
    ],
)  # fmt: skip
def test_words_have_times_of_their_own(line: str, expected: tuple[float, float, tuple[float, ...]]) -> None:
    (found,) = parse_captions(line)
    assert found.text == "When the night"
    assert (found.start_s, found.end_s, found.words_s) == (*expected[:2], pytest.approx(expected[2]))


def test_a_clock_in_square_brackets_is_a_word_of_a_caption_with_an_end() -> None:
    (found,) = parse_captions("00:12.0 --> 00:14.0\nMeet <00:12.5>me at [12:30] <00:13>again")
    assert found.text == "Meet me at [12:30] again"
    assert found.words_s == pytest.approx((12.0, 12.5, 12 + 2 / 3, 12 + 5 / 6, 13.0))
    (plain,) = parse_captions("00:12.0 --> 00:14.0\nMeet me at [12:30] again")
    assert plain.words_s == ()


def test_words_of_a_line_that_is_sung_twice_and_earlier_move_with_it() -> None:
    found = parse_captions("[offset:1000]\n[00:10.00][01:10.00]One <00:11.00>two\n[00:20]Later")
    assert [each.words_s for each in found] == [(9.0, 10.0), (), (69.0, 70.0)]
    assert parse_captions("[00:10]" + " ".join(f"<00:{at}>w" for at in range(10, 22)))[0].end_s == 22.0
    assert parse_captions("[00:01]" + "<00:01>w " * 300)[0].words_s == ()


@given(
    st.lists(
        st.tuples(st.text("abc&", min_size=1, max_size=5), st.booleans(), st.integers(0, 99)), min_size=1, max_size=9
    )
)
def test_there_are_as_many_times_as_words(words: list[tuple[str, bool, int]]) -> None:
    line = " ".join(f"<00:{at}>{word}" if timed else word for word, timed, at in words)
    (found,) = parse_captions(f"[00:00.00]{line}")
    times = found.words_s
    assert len(times) in {0, len(found.text.split())}
    assert list(times) == sorted(times) and all(each >= found.start_s for each in times)
