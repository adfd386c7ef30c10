"""The left side of the Music tab: moods, controls, buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from models.music.contracts import MAX_NEW_BARS, METER_NAMES
from models.music.vocabulary import KEYS
from models.registry.registry import Registry
from studio.music.actions import TASK
from studio.page import model_card
from studio.page.components import markup
from studio.page.instruments import DRUMS, INSTRUMENTS, MOODS, STYLES
from studio.page.model_picker import model_picker

DEFAULT_SEED = 7
METERS = tuple(name for name in ("4/4", "3/4", "2/4", "6/8", "9/8", "12/8", "2/2", "3/8") if name in METER_NAMES)


@dataclass
class Controls:
    """What a person sets, in the order of the endpoint's parameters."""

    style: gr.Dropdown
    key: gr.Dropdown
    tempo: gr.Slider
    bars: gr.Slider
    meter: gr.Dropdown
    instruments: gr.Dropdown
    drums: gr.Radio
    density: gr.Slider
    register: gr.Slider
    temperature: gr.Slider
    top_p: gr.Slider
    repetition: gr.Slider
    seed: gr.Number
    first_bar: gr.Number
    last_bar: gr.Number
    probability: gr.Checkbox
    model: gr.Dropdown
    midi_file: gr.File
    prompt: gr.Textbox

    def all(self) -> list[gr.components.Component]:
        """In the order of the fields."""
        return [getattr(self, name) for name in ORDER]


ORDER = tuple(Controls.__dataclass_fields__)


@dataclass
class Buttons:
    """What can be pressed."""

    compose: gr.Button
    ideas: gr.Button
    onward: gr.Button
    rewrite: gr.Button
    harmonise: gr.Button
    perform: gr.Button
    stop: gr.Button
    moods: list[gr.Button] = field(default_factory=list)

    def actions(self) -> dict[str, gr.Button]:
        """Each with what it starts."""
        return {
            "compose": self.compose,
            "ideas": self.ideas,
            "continue": self.onward,
            "rewrite": self.rewrite,
            "harmonise": self.harmonise,
            "perform": self.perform,
        }

    def all(self) -> list[gr.Button]:
        """The six that start work, then Stop."""
        return [*self.actions().values(), self.stop]


def make(registry: Registry) -> tuple[Controls, Buttons, gr.HTML, gr.Button, gr.File, gr.HTML]:
    """Lay out the controls: them, the buttons, the shelf's line, the dice, the settings' file and its note."""
    parts: dict[str, Any] = {}
    with gr.Column(elem_classes=["card", "first"]):
        markup('<div class="hint">Pick a mood; it is composed at once. Then change what you like.</div>')
        with gr.Row(elem_classes="chips"):
            moods = [gr.Button(name, size="sm", elem_classes="example-chip") for name, _ in MOODS]
        with gr.Row(elem_classes="actions"):
            compose = gr.Button(
                "Compose",
                variant="primary",
                scale=3,
                min_width=110,
                elem_id="music-compose",
                elem_classes="generate-button",
            )
            ideas = gr.Button("Four ideas", scale=2, min_width=90, elem_id="music-ideas")
            stop = gr.Button(
                "Stop", interactive=False, scale=1, min_width=70, elem_id="music-stop", elem_classes="stop-button"
            )
        parts["bars"] = gr.Slider(
            4, MAX_NEW_BARS, 16, step=1, label="Bars", info="how many to write", elem_id="music-bars"
        )
    with gr.Column(elem_classes="card"):
        parts["model"] = model_picker(registry, TASK, "music-model")
        parts["prompt"] = gr.Textbox(
            "",
            label="Description",
            info="for models that make sound from words; left empty, the controls below are put into words",
            placeholder="A calm piano over soft strings, evening mood",
            visible=False,
            lines=2,
            elem_id="music-prompt",
        )
        _musical_controls(parts)
        with gr.Accordion("More settings", open=False, elem_classes="more"):
            dice = _sampling_controls(parts)
            settings = gr.File(
                label="Load settings from a result",
                file_types=[".wav", ".mp3", ".mid"],
                type="filepath",
                height=110,
                elem_id="music-settings",
                elem_classes="drop-settings",
            )
            settings_note = markup("", elem_id="music-settings-note")
        shelf_line = markup(model_card.line(registry, parts["model"].value), elem_id="music-shelf")
    with gr.Column(elem_classes="card"):
        markup('<div class="hint"><b>Go on from a piece:</b> the one on this page, or your own MIDI file.</div>')
        parts["midi_file"] = gr.File(
            label="MIDI file", file_types=[".mid", ".midi"], type="filepath", height=110, elem_id="music-upload"
        )
        with gr.Row(elem_classes="actions"):
            onward = gr.Button("Continue", min_width=90, elem_id="music-continue")
            harmonise = gr.Button("Harmonise", min_width=90, elem_id="music-harmonise")
            perform = gr.Button("Change key, tempo", min_width=90, elem_id="music-perform")
        with gr.Row(elem_classes="actions"):
            parts["first_bar"] = gr.Number(
                1, precision=0, label="From bar", minimum=1, min_width=80, elem_id="music-first"
            )
            parts["last_bar"] = gr.Number(4, precision=0, label="To bar", minimum=1, min_width=80, elem_id="music-last")
            rewrite = gr.Button("Rewrite bars", min_width=90, elem_id="music-rewrite")
    controls = Controls(**parts)
    buttons = Buttons(compose, ideas, onward, rewrite, harmonise, perform, stop, moods)
    return controls, buttons, shelf_line, dice, settings, settings_note


def _musical_controls(parts: dict[str, Any]) -> None:
    keys = [("As the model likes", ""), *((key, key) for key in KEYS[:-1])]
    with gr.Row():
        parts["style"] = gr.Dropdown(list(STYLES), value="pop", label="Style", filterable=False, elem_id="music-style")
        parts["key"] = gr.Dropdown(keys, value="C major", label="Key", elem_id="music-key")
    parts["tempo"] = gr.Slider(
        40, 200, 100, step=1, label="Tempo", info="quarter notes a minute", elem_id="music-tempo"
    )
    parts["instruments"] = gr.Dropdown(
        list(INSTRUMENTS),
        value=[0, 33],
        multiselect=True,
        max_choices=8,
        label="Instruments",
        info="none chosen: the model decides",
        elem_id="music-instruments",
    )
    parts["drums"] = gr.Radio(list(DRUMS), value="yes", label="Drums", elem_id="music-drums")
    parts["density"] = gr.Slider(
        0,
        16,
        0,
        step=0.25,
        label="Density",
        info="notes in a quarter, all together; 0 leaves it open",
        elem_id="music-density",
    )


def _sampling_controls(parts: dict[str, Any]) -> gr.Button:
    meters = [("As the model likes", ""), *((meter, meter) for meter in METERS)]
    parts["meter"] = gr.Dropdown(meters, value="4/4", label="Time signature", filterable=False, elem_id="music-meter")
    parts["register"] = gr.Slider(
        0, 84, 0, step=1, label="Register", info="mean pitch from 36 to 84, 60 is middle C; 0 leaves it open"
    )
    parts["temperature"] = gr.Slider(
        0.0, 2.0, 1.0, step=0.05, label="Temperature", info="lower keeps to the likely, higher is bolder"
    )
    parts["top_p"] = gr.Slider(
        0.05, 1.0, 0.96, step=0.01, label="Top-p", info="the share of likely notes to choose from"
    )
    parts["repetition"] = gr.Slider(0.0, 3.0, 0.0, step=0.1, label="Avoid repetition", info="0 does not")
    parts["probability"] = gr.Checkbox(
        False, label="Show how sure the model was, as opacity", elem_id="music-probability"
    )
    with gr.Row(elem_classes="seed-row"):
        parts["seed"] = gr.Number(
            DEFAULT_SEED, precision=0, label="Seed", info="the same seed gives the same music", elem_id="music-seed"
        )
        return gr.Button("🎲", elem_classes="dice", elem_id="music-dice")
