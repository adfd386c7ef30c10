"""Who speaks, sentence by sentence, and what the sound of a sentence depends on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.books.dialogue import NARRATOR, SOMEBODY, Dialogue
from models.books.read import read_pasted
from models.books.script import LONGEST_SENTENCE, BookPassage, BookScript, Pauses, Reading, split_sentences
from tests.models.books.files import TALE

BOOK = read_pasted(TALE)
READING = Reading("speech/debug", "1", "low", {"Anna": "high"}, (0, 1))


def _passages(reading: Reading = READING) -> list[BookPassage]:
    return list(BookScript(BOOK, reading).iter_passages())


@pytest.mark.parametrize(
    ("text", "speakers"),
    [
        ('"Come in," said Anna. "It is cold."', ["Anna", NARRATOR, "Anna"]),
        ("Mr. Brown whispered, “Not now!”", [NARRATOR, "Mr. Brown"]),
        ("“Off with her head!” the Queen shouted.", ["The Queen", NARRATOR]),
        ("“I see,” he said.", [SOMEBODY, NARRATOR]),
        ('MILLER: "Who is there?"', ["Miller"]),
        ("Anna: “It is me.”", ["Anna"]),
        ('The so-called "silent" mill was loud.', [NARRATOR]),
        ("“And I never came back", [SOMEBODY]),
        ("Note: this is not said by anybody.", [NARRATOR]),
        ("Nobody said a word.", [NARRATOR]),
    ],
)
def test_who_speaks(text: str, speakers: list[str]) -> None:
    assert [each.speaker for each in Dialogue().split(text)] == speakers


def test_the_lines_of_a_play_belong_to_their_names() -> None:
    lines = "\n\n".join(["HAMLET. To be or not.", "GHOST. Mark me!", "NOTE: it is dark."] + ["HAMLET. I will."] * 3)
    book = read_pasted("Act I\n\n" + lines)
    found = Dialogue.of(book)
    assert [each.name for each in found.list_cast(book)] == ["Hamlet"]
    assert [each.text for each in found.split("HAMLET. To be or not.")] == ["To be or not."]
    assert [each.text for each in found.split("NOTE: it is dark.")] == ["NOTE: it is dark."]


def test_single_quotes_are_speech_in_a_book_that_has_no_others() -> None:
    book = read_pasted("‘It’s cold,’ said Tom.\n\n‘Yes,’ said Anna.\n\n‘Then don’t stay!’ said Tom.")
    assert [(each.name, each.lines) for each in Dialogue.of(book).list_cast(book)] == [("Tom", 2), ("Anna", 1)]


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet='abAB "“”‘’.,:!', max_size=120))
def test_spans_are_the_paragraph(text: str) -> None:
    spans = Dialogue().split(text)
    said = "".join(each.text for each in spans)
    assert len(spans) == 1 or [c for c in said if c.isalnum()] == [c for c in text if c.isalnum()]


def test_characters_and_chapters_have_their_voices() -> None:
    rows = [(each.voice, each.speaker, each.text) for each in _passages()]
    assert ("high", "Anna", '"Come in,"') in rows and ("low", "Miller", '"Who is there at this hour?"') in rows
    other = _passages(replace(READING, voices={"chapter 2": "high"}))
    assert {each.voice for each in other if each.chapter == 1} == {"high"}
    assert {each.voice for each in other if each.chapter == 0} == {"low"}


def test_a_paragraph_of_one_voice_is_not_cut_at_its_quotes() -> None:
    texts = [each.text for each in _passages(replace(READING, voices={}))]
    assert '"Come in," said Anna, "and be quick about it!"' in texts
    assert "Dr. Brown paid $12.50 at 7:45 and left." in texts


def test_silences_follow_what_was_said() -> None:
    pauses = Pauses(0.1, 0.3, 0.7, 1.1, 2.5)
    rows = {each.text: each.pause_s for each in _passages(replace(READING, pauses=pauses))}
    assert rows["CHAPTER I. The Gate"] == 1.1
    assert rows["Anna came to the gate in the early morning, and it was shut."] == 0.3
    assert rows["asked Anna. The dog in the yard barked twice."] == 0.7
    assert rows['"Who is there at this hour?"'] == 2.5  # a gap between scenes, and the end of the chapter
    assert rows['"Come in,"'] == 0.1
    assert rows["Dr. Brown paid $12.50 at 7:45 and left."] == 2.5


def test_a_sound_depends_on_its_own_text_and_settings_alone() -> None:
    before = {each.text: each.key for each in _passages()}
    changed = replace(BOOK, chapters=read_pasted(TALE.replace("barked twice", "barked three times")).chapters)
    after = {each.text: each.key for each in BookScript(changed, READING).iter_passages()}
    assert len(set(after.values()) - set(before.values())) == 1
    for other in (
        replace(READING, speed=1.1),
        replace(READING, revision="2"),
        replace(READING, model="speech/other"),
        replace(READING, seed=1),
    ):
        assert not set(before.values()) & {each.key for each in _passages(other)}
    own = _passages(replace(READING, dictionary=(("miller", "mill er"), ("yard", "yahrd"))))
    assert len({each.key for each in own} - set(before.values())) == 1
    assert {each.key for each in _passages(replace(READING, pauses=Pauses(sentence_s=1)))} == set(before.values())


def test_another_seed_is_for_one_sentence() -> None:
    first = _passages()[1]
    again = _passages(replace(READING, seeds={first.base: 99}))
    assert [each.seed for each in again].count(99) == 1
    assert again[1].key != first.key and again[1].base == first.base
    assert BookScript(BOOK, READING).request(again[1]).seed == 99


def test_short_sentences_stay_with_a_neighbour() -> None:
    assert split_sentences("Yes. It was late, and nobody came. Good.") == ("Yes. It was late, and nobody came. Good.",)
    assert split_sentences("No!") == ("No!",)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="abc .,!?\"'\n;:-12Mr", max_size=300))
def test_sentences_keep_every_word(text: str) -> None:
    said = "".join(split_sentences(" ".join(text.split())))
    letters = [c for c in text if c.isalpha()]
    assert not letters or not said or len([c for c in said if c.isalpha()]) <= len(letters)


def test_an_endless_sentence_is_cut() -> None:
    parts = split_sentences("one two three four, " * 400 + "end.")
    assert max(map(len, parts)) <= LONGEST_SENTENCE and " ".join(parts).count("three") == 400
