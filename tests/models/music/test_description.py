"""A description in words sets what the composer can be told, and what no rule takes is said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.music.contracts import MusicRequest
from models.music.description import MAX_CHARACTERS, read_description
from models.music.description_words import GENRES, INSTRUMENT_WORDS, MOOD_WORDS, NEAREST_WORDS

WORDINGS: tuple[tuple[str, dict[str, Any], tuple[str, ...]], ...] = (
    (
        "a sad lo-fi beat with piano and soft drums, 80 bpm",
        {"key": "A minor", "style": "pop", "instruments": [0], "drums": "yes", "tempo": 80, "density": 4.0},
        (),
    ),
    ("Lofi, sad", {"key": "A minor", "style": "pop", "instruments": [4, 33], "tempo": 78}, ()),
    ("80bpm", {"tempo": 80}, ()),
    ("at 80 beats per minute", {"tempo": 80}, ()),
    ("tempo: 96", {"tempo": 96}, ()),
    ("♩ = 60", {"tempo": 60}, ()),
    ("120-130 BPM", {"tempo": 125}, ()),
    ("very slow", {"tempo": 52}, ()),
    ("not too fast", {"tempo": 100}, ()),
    ("Presto!", {"tempo": 172}, ()),
    ("in A minor", {"key": "A minor"}, ()),
    ("a piece in a minor key", {"key": "A minor"}, ()),
    ("something in major", {"key": "C major"}, ()),
    ("F# minor", {"key": "Gb minor"}, ()),
    ("key of B flat major", {"key": "Bb major"}, ()),
    ("e-flat minor", {"key": "Eb minor"}, ()),
    ("C sharp minor", {"key": "Db minor"}, ()),
    ("in G, with flute", {"key": "G major", "instruments": [73]}, ()),
    ("piano and violin", {"instruments": [40, 0]}, ()),
    ("Pianos, violins and a double bass", {"instruments": [40, 0, 43]}, ()),
    ("piano, piano and more piano", {"instruments": [0]}, ()),
    ("upright bass and jazz guitar", {"instruments": [26, 32]}, ()),
    ("string quartet", {"instruments": [40, 40, 41, 42]}, ()),
    ("church organ", {"instruments": [19]}, ()),
    ("jazz without drums", {"drums": "no", "instruments": [65, 0, 32]}, ()),
    ("jazz with no saxophone", {"instruments": [0, 32]}, ()),
    ("drumless ambient", {"drums": "no", "density": 1.5}, ()),
    ("drum loop, 8 bars", {"style": "drums", "drums": "yes", "instruments": [], "bars": 8}, ()),
    ("happy waltz", {"key": "C major", "meter": "3/4", "tempo": 150}, ()),
    ("6/8 time", {"meter": "6/8"}, ()),
    ("three-four", {"meter": "3/4"}, ()),
    ("sixteen bars", {"bars": 16}, ()),
    ("30 seconds of piano at 120 bpm", {"bars": 15, "tempo": 120, "instruments": [0]}, ()),
    ("a minute of waltz, 180 bpm", {"meter": "3/4", "bars": 60}, ()),
    ("a sparse high melody", {"density": 2.0, "register": 74}, ()),
    ("dark, deep", {"key": "A minor", "register": 48}, ()),
    ("epic orchestral music", {"style": "lieder", "drums": "no", "density": 7.0}, ()),
    ("a hymn", {"style": "chorales", "instruments": [52, 52, 52, 52], "drums": "no"}, ()),
    ("EDM with a synth lead", {"tempo": 126, "instruments": [81], "drums": "yes"}, ()),
    ("a song about my cat", {}, ("my cat",)),
    ("dark trap beat 140", {"tempo": 140, "instruments": [81, 38], "drums": "yes", "key": "A minor"}, ()),
    ("drum and bass 174", {"tempo": 174, "instruments": [81, 89, 38], "drums": "yes"}, ()),
    ("80s synth", {"tempo": 104, "instruments": [81], "drums": "yes"}, ()),
    ("80s of piano", {"bars": 33, "instruments": [0]}, ()),
    ("jazz trio", {"instruments": [0, 32], "drums": "yes"}, ()),
    ("something happy for a birthday", {"key": "C major", "tempo": 122}, ()),
    ("slow sad piano with strings like in a film", {"key": "A minor", "tempo": 66, "instruments": [0, 48]}, ()),
    ("hapy upbeat song with gitar and drms", {"key": "C major", "instruments": [25], "drums": "yes"}, ()),
    ("mellow saxaphone, pianno", {"instruments": [65, 0]}, ()),
    ("pirate shanty", {"meter": "6/8", "instruments": [40, 16, 32]}, ()),
    ("808 and trap", {"instruments": [38], "tempo": 140}, ()),
    ("ukulele beach song", {"instruments": [24], "key": "C major"}, ()),
    ("rock without banjo", {"instruments": [27, 33]}, ()),
    ("no vocals, just piano", {"instruments": [0]}, ()),
    ("piano like Chopin, with kazoo", {"instruments": [0]}, ("Chopin", "kazoo")),
    ("not sad", {}, ("not sad",)),
    ("eine traurige Melodie", {}, ("eine traurige Melodie",)),
    ("", {}, ()),
    ("a piece of music, please", {}, ()),
)


@pytest.mark.parametrize(("text", "wanted", "unknown"), WORDINGS, ids=[text for text, _, _ in WORDINGS])
def test_a_wording_sets_what_it_says_and_the_rest_is_told(
    text: str, wanted: dict[str, Any], unknown: tuple[str, ...]
) -> None:
    found = read_description(text)
    assert wanted.items() <= found.settings.items()
    assert found.unknown == unknown
    assert set(found.sources) == set(found.settings)
    if not wanted:
        assert found.settings == {}


@pytest.mark.parametrize(
    "table",
    [INSTRUMENT_WORDS, NEAREST_WORDS, GENRES, MOOD_WORDS],
    ids=["instruments", "nearest", "genres", "moods"],
)
def test_every_listed_phrase_is_read_whole(table: dict[str, Any]) -> None:
    for phrase in (phrase for words in table for phrase in words.split("|")):
        found = read_description(f"music, {phrase}, please")
        assert found.settings, phrase
        assert found.unknown == (), phrase


def test_what_is_said_outright_comes_before_genre_and_mood() -> None:
    found = read_description("sad techno in D major with harp at 90 bpm")
    assert (found.settings["key"], found.settings["tempo"], found.settings["instruments"]) == ("D major", 90, [46])
    assert any("“sad”" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("techno at 900 bpm", "900 bpm"),
        ("in 7/13", "7/13"),
        ("1000 bars", "1,000"),
        ("80 bpm and 90 bpm", "90 bpm"),
        ("no piano", "forbidden"),
        ("a song with ukulele", "There is no ukulele here; the nylon guitar plays in its place."),
        ("pop with vocals", "“vocals”: nobody sings"),
        ("piano in the style of Ludovico Einaudi", "“Ludovico Einaudi”: a manner cannot be asked for"),
        ("gitar", "“gitar” is read as “guitar”."),
        ("piano violin viola cello harp oboe flute trumpet organ", "At most 8"),
    ],
)
def test_what_cannot_be_had_is_told(text: str, said: str) -> None:
    assert any(said in note for note in read_description(text).notes)


def test_what_nobody_can_do_is_refused_and_words_alike_are_not() -> None:
    assert read_description("a song with vocals").impossible == ("vocals",)
    assert read_description("pop without vocals").impossible == ()
    assert read_description("relaxing music to study to").notes == ()  # two words for one thing


@pytest.mark.parametrize(
    "text", ["angel", "the beast of the sea", "a story about a horse", "mellow yellow", "pianists"]
)
def test_words_of_their_own_are_no_slips(text: str) -> None:
    assert not any("is read as" in note for note in read_description(text).notes)


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="can be read"):
        read_description("a" * (MAX_CHARACTERS + 1))


_WORDS = st.sampled_from(
    [*(phrase for table in (INSTRUMENT_WORDS, GENRES, MOOD_WORDS) for words in table for phrase in words.split("|")),
     "no", "without", "in", "A", "minor", "F#", "major", "80", "bpm", "3/4", "bars", "12", "minutes", ",", "cat", "-"]
)  # fmt: skip


@given(st.one_of(st.lists(_WORDS, max_size=12).map(" ".join), st.text(max_size=200)))
@settings(max_examples=60, deadline=None)
def test_whatever_is_written_can_be_asked_of_the_composer(text: str) -> None:
    found = read_description(text)
    asked = dict(found.settings)
    programs, drums = tuple(asked.pop("instruments", ())), {"yes": True, "no": False}.get(asked.pop("drums", ""))
    MusicRequest(programs=programs, drums=drums, **asked)
    assert found.settings.get("tempo", 100) <= 200
