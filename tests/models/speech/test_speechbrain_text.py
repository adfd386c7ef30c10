"""Any text to the characters that SpeechBrain's Tacotron 2 reads."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.speech.speechbrain_text import SYMBOLS, encode_characters, iter_character_utterances


def test_symbol_inventory() -> None:
    assert len(SYMBOLS) == len(set(SYMBOLS)) == 148
    places = {"_": 0, "-": 1, "!": 2, "'": 3, ",": 6, ".": 7, "?": 10, " ": 11, "A": 12, "Z": 37, "a": 38, "z": 63}
    arpabet = {"@AA": 64, "@AA0": 65, "@AA1": 66, "@AA2": 67, "@AE": 68, "@B": 88, "@CH": 89, "@ER2": 99, "@ZH": 147}
    assert {symbol: SYMBOLS.index(symbol) for symbol in places} == places
    assert {symbol: SYMBOLS.index(symbol) for symbol in arpabet} == arpabet
    assert encode_characters(tuple("hi, you!")) == [45, 46, 6, 11, 62, 52, 58, 2]


def read(text: str, **options: Any) -> list[str]:
    return ["".join(utterance.symbols) for utterance in iter_character_utterances(text, **options)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Mary had a little lamb", ["mary had a little lamb."]),
        ("Mrs. Jones met Dr. Lee.", ["missus jones met doctor lee."]),
        ("It cost $12.50, really?!", ["it cost twelve dollars and fifty cents, really?"]),
        ("In 1998, 3 cafés; naïve", ["in nineteen ninety-eight, three cafes; naive."]),
        ("“Don’t go,” she said (twice).", ["don't go, she said, twice."]),
        ("One. Two!", ["one.", "two!"]),
        ("{HH AY} there", ["aitch aitch ey why, there."]),
        ("Wait…  What? Yes… or no.", ["wait.", "what?", "yes. or no."]),
    ],
)
def test_how_text_is_said(text: str, said: list[str]) -> None:
    assert read(text) == said


def test_words_as_written_over_what_is_said() -> None:
    (utterance,) = iter_character_utterances("Dr. Lee paid $12.50!")
    said = [("".join(utterance.symbols[word.start : word.end]), word.text) for word in utterance.words]
    assert said == [
        ("doctor", "Dr."),
        ("lee", "Lee"),
        ("paid", "paid"),
        ("twelve dollars and fifty cents", "$12.50"),
    ]
    assert utterance.symbols[-1] == "!"
    assert utterance.text == "Dr. Lee paid $12.50!"


def test_long_text_is_parted_at_good_places() -> None:
    clause = "the quick brown fox jumps over the lazy dog"
    said = read(f"{clause}, and {clause}; {clause} because {clause}, while {clause}.")
    assert all(len(one) <= 160 for one in said)
    assert " ".join(said).replace(",", "").replace(";", "").replace(".", "").split().count("fox") == 5
    assert [one[-1] for one in said] == [";", ",", "."]
    assert all(
        len(one) <= 16 for one in read("Supercalifragilisticexpialidocious antidisestablishment", max_symbols=16)
    )


@pytest.mark.parametrize("text", ["🎉🎉", "你好", "...", "\0\x01", "<br>", " - "])
def test_nothing_to_say(text: str) -> None:
    with pytest.raises(ValueError, match="no word"):
        read(text)


def test_what_is_left_out_is_noted() -> None:
    notes: list[str] = []
    assert read("Hello 🎉 world", notes=notes) == ["hello world."]
    assert notes == ["Left out emoji and signs: 🎉."]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_in_the_inventory(text: str) -> None:
    try:
        utterances = list(iter_character_utterances(text, max_symbols=40))
    except ValueError:
        return
    for utterance in utterances:
        assert len(encode_characters(utterance.symbols)) <= 40
        assert utterance.symbols[-1] in ",.?!;:"
        assert utterance.words
        assert all(a.end < b.start for a, b in itertools.pairwise(utterance.words))
        assert all(utterance.symbols[word.start] != " " for word in utterance.words)
