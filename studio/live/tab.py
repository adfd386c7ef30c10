"""The Live tab: music and pictures without end, knobs that act in the next bar, a keyboard that is answered.

The page's script (`studio/assets/live.js`) plays and draws; the knobs are components whose changes it sends on.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import gradio as gr

from models.live.controls import (
    LIVE_STYLES,
    MAX_DENSITY,
    MAX_INSTRUMENTS,
    MAX_TEMPO,
    MIN_DENSITY,
    MIN_TEMPO,
    MODES,
    LiveControls,
)
from models.music.vocabulary import PITCH_CLASSES
from models.registry.registry import Registry
from studio.live import endpoints
from studio.live.sessions import MUSIC_TASK, STYLE_TASK, VIDEO_TASK
from studio.page import model_card
from studio.page.components import QUIET, markup
from studio.page.instruments import INSTRUMENTS
from studio.page.model_picker import model_picker

STYLES = tuple(zip(("Pop band", "Art song", "Chorale"), LIVE_STYLES, strict=True))
DEFAULT = LiveControls()
PROMPT = "a sunset over the sea with slow waves"
KNOBS = tuple(LiveControls.__dataclass_fields__)
MOODS: tuple[tuple[str, LiveControls], ...] = (
    ("Bright morning", LiveControls(112, "C", "major", 3.0, (73, 25, 33), True, 0.6, "pop")),
    ("Night drive", LiveControls(100, "A", "minor", 3.0, (81, 4, 38), True, 0.7, "pop")),
    ("Calm piano", LiveControls(72, "F", "major", 2.0, (0,), False, 0.35, "pop")),
    ("Melancholy strings", LiveControls(66, "D", "minor", 2.0, (40, 48, 43), False, 0.5, "lieder")),
    ("Chorale", LiveControls(80, "G", "major", 4.0, (52, 52, 52, 52), False, 0.5, "chorales")),
    ("Full tilt", LiveControls(138, "E", "minor", 5.0, (27, 4, 33), True, 1.0, "pop")),
)
ROOT = """<div id="live-root" data-state="idle">
<div id="live-line" class="status" role="status"><span class="what">Press Start</span><span class="left"></span></div>
<div class="live-stage"><div class="live-frame"><canvas id="live-picture" width="256" height="256"
aria-label="The live picture"></canvas><span>%s</span></div><div class="live-roll"><canvas id="live-roll"
aria-label="The notes that are heard and those to come"></canvas></div></div>
<div id="live-keys" role="group" aria-label="Keyboard"></div>
<div class="live-board"><span>Play a phrase, then let go: the model goes on with it. Keys A to ; play, too.</span>
<div><button type="button" data-live="lower">Octave down</button>
<button type="button" data-live="higher">Octave up</button>
<button type="button" data-live="midi">MIDI keyboard</button></div></div>
<div class="live-meter">
<div><span>Sound took, of its length</span><b id="live-meter-share">–</b>
<div class="live-load"><i id="live-meter-bar"></i></div></div>
<div><span>Last chunk</span><b id="live-meter-chunk">–</b></div>
<div><span>In hand</span><b id="live-meter-buffer">–</b></div>
<div><span>Late chunks</span><b id="live-meter-late">–</b></div>
<div><span>Recorded</span><b id="live-meter-recorded">–</b></div>
<div class="wide"><span>Pictures</span><b id="live-meter-pictures">–</b></div>
<div class="wide"><span>Quality</span><b id="live-meter-says">–</b></div></div>
<div id="live-files" aria-label="The recording"></div></div>"""
PICTURES = (
    "Pictures that move with the sound appear here. Some frames are drawn by the model; those between are interpolated."
)
NO_PICTURES = "There is no video model on the shelf, so there are no pictures yet."
QUIET_JS: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def build(registry: Registry) -> None:
    """Lay out the tab in the current Blocks and wire it."""
    sees = bool(registry.specs(VIDEO_TASK))
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            parts = _maker(registry, sees)
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            markup(
                ROOT % (PICTURES if sees else NO_PICTURES),
                elem_id="live",
                js_on_load="window.auralumeLive?.mount();",
            )
    _wire(parts)
    endpoints.build(registry)


def _maker(registry: Registry, sees: bool) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    with gr.Column(elem_classes=["card", "first"]):
        markup('<div class="hint">Music without end. Turn a knob and hear it in the next bar.</div>')
        with gr.Row(elem_classes="actions"):
            parts["start"] = gr.Button(
                "Start", variant="primary", scale=3, elem_id="live-start", elem_classes="generate-button"
            )
            parts["stop"] = gr.Button("Stop", scale=1, elem_id="live-stop", elem_classes="stop-button")
        with gr.Row(elem_classes="chips"):
            parts["moods"] = [gr.Button(name, size="sm", elem_classes="example-chip") for name, _ in MOODS]
    with gr.Column(elem_classes="card"):
        _knobs(parts)
        markup(model_card.line(registry, registry.specs(MUSIC_TASK)[0].key))
    with gr.Column(elem_classes="card"):
        parts["pictures"] = gr.Checkbox(sees, label="Pictures", interactive=sees, elem_id="live-pictures")
        parts["prompt"] = gr.Textbox(
            PROMPT, label="Picture", info="change it while it plays: one melts into the other", elem_id="live-prompt"
        )
        with gr.Row(elem_classes="seed-row"):
            parts["over"] = gr.Slider(0, 30, 8, step=1, label="Seconds to get there", elem_id="live-over")
            parts["lead"] = gr.Button("Go there", elem_id="live-lead", min_width=100)
        _picture_model(parts, registry, sees)
    with gr.Column(elem_classes="card"):
        _microphone(parts, registry)
    return parts


def _picture_model(parts: dict[str, Any], registry: Registry, sees: bool) -> None:
    """The picker of what makes the pictures, and the line about it."""
    if not sees:
        parts["model"] = gr.Textbox("", visible=False, elem_id="live-model")
        return
    picker = parts["model"] = model_picker(registry, VIDEO_TASK, "live-model", "Picture model")
    markup(
        '<div class="hint">The first draws while you watch. A model of the Hub films clips ahead, which are shown in '
        "turn; without a GPU that takes long, and rests whenever the sound needs the machine.</div>"
    )
    line = markup(model_card.line(registry, str(picker.value)), elem_id="live-shelf")
    picker.change(lambda key: model_card.line(registry, key), picker, line, **QUIET)


def _knobs(parts: dict[str, Any]) -> None:
    with gr.Row():
        parts["tonic"] = gr.Dropdown(
            list(PITCH_CLASSES), value=DEFAULT.tonic, label="Key", filterable=False, min_width=90, elem_id="live-tonic"
        )
        parts["mode"] = gr.Radio(list(MODES), value=DEFAULT.mode, label="Mode", min_width=150, elem_id="live-mode")
    parts["tempo"] = gr.Slider(
        MIN_TEMPO, MAX_TEMPO, DEFAULT.tempo, step=1, label="Tempo", info="beats a minute", elem_id="live-tempo"
    )
    parts["intensity"] = gr.Slider(0, 1, DEFAULT.intensity, step=0.05, label="Intensity", elem_id="live-intensity")
    parts["density"] = gr.Slider(
        MIN_DENSITY,
        MAX_DENSITY,
        DEFAULT.density,
        step=0.25,
        label="Density",
        info="notes a beat",
        elem_id="live-density",
    )
    parts["instruments"] = gr.Dropdown(
        list(INSTRUMENTS),
        value=list(DEFAULT.instruments),
        multiselect=True,
        max_choices=MAX_INSTRUMENTS,
        label="Band",
        elem_id="live-instruments",
    )
    with gr.Row():
        parts["drums"] = gr.Checkbox(DEFAULT.drums, label="Drummer", elem_id="live-drums")
        parts["style"] = gr.Dropdown(
            list(STYLES), value=DEFAULT.style, label="Manner", filterable=False, elem_id="live-style"
        )
    with gr.Accordion("More settings", open=False, elem_classes="more"):
        parts["seed"] = gr.Number(7, precision=0, minimum=0, label="Seed", elem_id="live-seed")
        parts["program"] = gr.Dropdown(
            list(INSTRUMENTS), value=11, label="Your keyboard sounds like", filterable=False, elem_id="live-program"
        )


def _microphone(parts: dict[str, Any], registry: Registry) -> None:
    voices: list[tuple[str, str]] = [("My own sound: pictures alone follow", "")]
    for spec in registry.specs(STYLE_TASK)[:1]:
        voices += [(voice.title, voice.key) for voice in spec.voices]
    parts["voice"] = gr.Dropdown(
        voices, value=voices[-1][1], label="Talk to it", info="what your microphone becomes", elem_id="live-voice"
    )
    parts["strength"] = gr.Slider(0, 1, 0.8, step=0.05, label="Strength", elem_id="live-strength")
    parts["listen"] = gr.Button("Use the microphone", elem_id="live-listen")
    markup('<div class="hint">Wear headphones, so that the microphone does not hear the studio.</div>')


def _wire(parts: dict[str, Any]) -> None:
    knobs = [parts[name] for name in KNOBS]
    others = [parts[name] for name in ("seed", "pictures", "prompt", "program", "model")]
    parts["start"].click(None, [*knobs, *others], js="(...v) => { window.auralumeLive.start(v); }", **QUIET_JS)
    parts["stop"].click(None, js="() => { window.auralumeLive.stop(); }", **QUIET_JS)
    for knob in knobs:
        knob.change(None, knobs, js="(...v) => { window.auralumeLive.turn(v); }", **QUIET_JS)
    parts["program"].change(None, parts["program"], js="(v) => { window.auralumeLive.instrument(v); }", **QUIET_JS)
    parts["lead"].click(
        None, [parts["prompt"], parts["over"]], js="(...v) => { window.auralumeLive.lead(...v); }", **QUIET_JS
    )
    parts["listen"].click(
        None,
        [parts[name] for name in ("voice", "strength", "pictures", "prompt", "model")],
        js="(...v) => { window.auralumeLive.listen(...v); }",
        **QUIET_JS,
    )
    for button, (_, controls) in zip(parts["moods"], MOODS, strict=True):
        values = [list(v) if isinstance(v, tuple) else v for v in asdict(controls).values()]
        button.click(None, outputs=knobs, js=f"() => {json.dumps(values)}", **QUIET_JS)
