"""Many prompts, or the rows of a table, become runs of their own, each with a seed of its own."""

from __future__ import annotations

import re
from typing import Any

import pytest

from studio.music.controls import FIELDS as MUSIC
from studio.music.words import read_line
from studio.page.batch import EMPTY, MOST_LINES, read_batch
from studio.page.fields import FieldList
from studio.speech.controls import FIELDS as SPEECH
from studio.video.controls import FIELDS as VIDEO


def say(line: str) -> dict[str, Any]:
    return {"text": line}


def test_a_line_is_a_prompt_whatever_it_holds() -> None:
    assert read_batch(SPEECH, "Hello, you.\n\n  Good bye. \n", say) == [{"text": "Hello, you."}, {"text": "Good bye."}]


def test_a_table_names_controls_by_name_or_by_label_and_an_empty_cell_changes_nothing() -> None:
    rows = read_batch(SPEECH, 'text,Speed\n"One, two.",1.5\nThree.,\n', say)
    assert rows == [{"text": "One, two.", "speed": 1.5}, {"text": "Three."}]
    table = "style,key,instruments,tempo\npop,A minor,0 33,90"
    assert read_batch(MUSIC, table, read_line) == [
        {"style": "pop", "key": "A minor", "instruments": [0, 33], "tempo": 90.0}
    ]
    assert read_batch(VIDEO, "prompt,steps\na red fire,4", say) == [{"prompt": "a red fire", "steps": 4}]


def test_a_line_of_music_is_read_as_words() -> None:
    (values,) = read_batch(MUSIC, "sad piano, 80 bpm", read_line)
    assert values["tempo"] == 80 and values["key"] == "A minor" and values["instruments"] == [0]


@pytest.mark.parametrize(
    ("fields", "text", "said"),
    [
        (SPEECH, " \n ", EMPTY),
        (SPEECH, "text,speed", "There are 0 lines"),
        (SPEECH, "text,speed\nHello,1\nHello,90", "Line 2: Speed is '90'"),
        (SPEECH, "text\nHello,1", "Line 1: It has 2 cells"),
        (SPEECH, "a\n" * (MOST_LINES + 1), f"1 to {MOST_LINES}"),
        (MUSIC, "piano\nsad piano for my cat", "Line 2: Not understood, and so not used: “my cat”"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line_before_anything_is_queued(
    fields: FieldList, text: str, said: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        read_batch(fields, text, read_line if fields is MUSIC else say)
