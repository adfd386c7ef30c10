"""What is said in words is set and shown in the Music tab, and what was not understood is told."""

from __future__ import annotations

import pytest

from models.music.description_words import GENRES, INSTRUMENT_WORDS, MOOD_WORDS, TEMPO_WORDS
from studio.music.controls import FIELDS
from studio.music.words import EXAMPLE, NOTHING, SET_BY_WORDS, read_words


def test_the_example_sets_its_controls_and_shows_each() -> None:
    values, said = read_words(EXAMPLE)
    assert values["tempo"] == 80 and values["drums"] == "yes" and values["instruments"] == [0]
    assert (values["style"], values["key"], values["meter"]) == ("pop", "A minor", "")
    for words in ("<b>Tempo</b> 80 a minute", "<b>Key</b> A minor", "“sad”", "Grand piano", "Pop song", "With drums"):
        assert words in said
    assert "Not understood" not in said


def test_what_is_not_understood_is_told_and_written_safely() -> None:
    values, said = read_words("piano for <my> cat at 300 bpm")
    assert values["instruments"] == [0]
    assert "Not understood, and so not used: “my&gt; cat”." in said
    assert "300 bpm" in said and "my>" not in said


def test_words_that_set_nothing_change_nothing() -> None:
    with pytest.raises(ValueError, match="^" + NOTHING[:30]):
        read_words("my cat")


def test_the_controls_take_whatever_words_can_set() -> None:
    for table in (INSTRUMENT_WORDS, GENRES, MOOD_WORDS, TEMPO_WORDS):
        for words in table:
            values, _said = read_words(words.split("|")[0])
            assert set(values) <= set(SET_BY_WORDS)
            for name, value in values.items():
                FIELDS[name].read(value)
