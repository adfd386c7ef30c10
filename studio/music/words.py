"""A description in words sets the controls of the Music tab: everything that is read is shown, and the rest is said."""

from __future__ import annotations

from typing import Any

import gradio as gr

from models.music.description import MusicDescription, read_description
from studio.music.controls import FIELDS
from studio.page import html, jobs
from studio.page.components import QUIET, markup
from studio.page.form import Form
from studio.page.instruments import DRUMS, OPEN, STYLES, name_of
from studio.page.panels import Updates

EXAMPLE = "a sad lo-fi beat with piano and soft drums, 80 bpm"
NOTHING = "Nothing in these words can be set; name a mood, a style, instruments, a tempo, a key or a length."
SET_BY_WORDS = (*OPEN, "bars")


def layout_words() -> tuple[gr.Textbox, gr.Button, gr.HTML]:
    """Make the box for a description, the button that reads it, and the lines that say what was read."""
    with gr.Row(elem_classes="words-row"):
        words = gr.Textbox(
            label="Or say it in words",
            placeholder=EXAMPLE,
            max_length=500,
            scale=5,
            min_width=160,
            elem_id="music-words",
        )
        read = gr.Button("Set the controls", scale=2, min_width=130, elem_id="music-read-words")
    return words, read, markup("", elem_id="music-words-note")


def wire_words(form: Form, words: gr.Textbox, read: gr.Button, note: gr.HTML) -> None:
    """Let the button, and Enter in the box, set the controls; composing is a press of its own, after a look at them."""

    def set_controls(text: str) -> Updates:
        try:
            values, said = read_words(text)
        except ValueError as error:
            return {note: html.problem(jobs.sentence(error))}
        return {**{form[name]: value for name, value in values.items()}, note: said}

    outputs = [*(form[name] for name in SET_BY_WORDS), note]
    for listen in (read.click, words.submit):
        listen(set_controls, words, outputs, **QUIET)


def read_words(text: str) -> tuple[dict[str, Any], str]:
    """Return the controls that a description sets, and as HTML what was read in it and what was not.

    A description is of a whole piece: what it leaves open is left to the model.

    Raises:
        ValueError: nothing in it can be set, or it is too long.
    """
    found = read_description(text)
    if not found.settings:
        raise ValueError(" ".join([NOTHING, *found.notes]))
    rows = [(FIELDS[name].label, _written(name, value), found.sources[name]) for name, value in found.settings.items()]
    return OPEN | found.settings, html.understood(rows) + html.notes(_remarks(found))


def read_line(text: str) -> dict[str, Any]:
    """Return the controls that a description sets; raises ValueError where a part of it is not understood."""
    found = read_description(text)
    if not found.settings or found.unknown or found.impossible:
        raise ValueError(" ".join([*_remarks(found), *([] if found.settings else [NOTHING])]))
    return OPEN | found.settings


def _remarks(found: MusicDescription) -> list[str]:
    unknown = ", ".join(f"“{each}”" for each in found.unknown)
    said = [f"Not understood, and so not used: {unknown}."] if unknown else []
    return [*said, *found.notes]


def _written(name: str, value: Any) -> str:
    """Return a value as the control shows it."""
    if name == "instruments":
        return ", ".join(name_of(each) for each in value) or "none"
    choices = {"style": STYLES, "drums": DRUMS}.get(name, ())
    shown = next(
        (label for label, each in choices if each == value), f"{value:g}" if isinstance(value, float) else value
    )
    return f"{shown} a minute" if name == "tempo" else str(shown)
