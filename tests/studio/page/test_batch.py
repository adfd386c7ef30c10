"""Many prompts, or the rows of a table, become runs of their own, each with a seed of its own."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from studio.library.store import Library
from studio.music.controls import FIELDS as MUSIC
from studio.music.words import read_line
from studio.music_video.actions import NO_SONG
from studio.music_video.controls import FIELDS as MUSIC_VIDEO
from studio.music_video.tab import lend_song, read_looks
from studio.page.batch import EMPTY, MOST_LINES, read_batch
from studio.page.fields import FieldList
from studio.page.keeping import LIBRARIES
from studio.speech.controls import FIELDS as SPEECH
from studio.style import tab as style_tab
from studio.video.controls import FIELDS as VIDEO
from tests.studio.debug_style import style_registry
from tests.studio.library.results import write_tone


def say(line: str) -> dict[str, Any]:
    return {"text": line}


def test_a_line_is_a_prompt_whatever_it_holds() -> None:
    assert read_batch(SPEECH, "Hello, you.\n\n  Good bye. \n", say) == [{"text": "Hello, you."}, {"text": "Good bye."}]


def test_a_table_names_controls_by_name_or_by_label_and_an_empty_cell_changes_nothing() -> None:
    rows = read_batch(SPEECH, 'text,Speed\n"One, two.",1.5\nThree.,\n', say)
    assert rows == [{"text": "One, two.", "speed": 1.5}, {"text": "Three."}]
    table = 'style,key,instruments,tempo\npop,A minor,0 33,90\npop,,"0, 33",'
    assert read_batch(MUSIC, table, read_line) == [
        {"style": "pop", "key": "A minor", "instruments": [0, 33], "tempo": 90.0},
        {"style": "pop", "instruments": [0, 33]},
    ]
    assert read_batch(VIDEO, "prompt,steps\na red fire,4", say) == [{"prompt": "a red fire", "steps": 4}]


def test_a_table_names_no_files_of_the_server() -> None:
    rows = read_batch(MUSIC_VIDEO, "prompts,media\na red fire,/etc/hostname\n", read_looks)
    assert all("media" not in each for each in rows)


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


def press_queue(page: gr.Blocks, prefix: str, text: str, **values: Any) -> str:
    """Press "Queue them" of a form with these values of its controls and the first values of all others."""
    start = next(each for each in page.blocks.values() if getattr(each, "elem_id", "") == f"{prefix}-batch-start")
    pressed = next(each for each in page.fns.values() if (start._id, "click") in each.targets)
    row = [values.get(str(each.elem_id), getattr(each, "value", None)) for each in pressed.inputs[2:]]
    assert pressed.fn is not None
    return str(next(iter(pressed.fn(None, text, 1, *row).values())))


def test_a_batch_of_styles_is_made_of_one_sound_and_lies_in_the_library(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    sound = tmp_path / "hum.wav"
    write_tone(sound, seconds=0.5)
    with gr.Blocks() as page:
        LIBRARIES[page] = library
        style_tab.build(style_registry(tmp_path))
    assert "Sound is empty" in press_queue(page, "style-audio", "hum")
    given = {"style-audio-content": str(sound)}
    assert "no style named “sing”; choose of A hum, A hiss." in press_queue(page, "style-audio", "hum\nsing", **given)
    assert library.find("local") == []
    assert "2 are in the queue" in press_queue(page, "style-audio", "hum\nA hiss", **given)
    until = time.monotonic() + 60
    while len(library.find("local")) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    recipes = [each.recipe for each in library.find("local")]
    assert sorted(str(each.settings["style"]) for each in recipes if each is not None) == ["hiss", "hum"]


def test_the_looks_of_one_video_stand_on_one_line() -> None:
    assert read_looks("a red fire | blue waves|") == {"prompts": "a red fire\nblue waves"}
    with pytest.raises(ValueError, match=re.escape(NO_SONG)):
        lend_song(None)
