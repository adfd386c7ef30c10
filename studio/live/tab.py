"""The Live tab: music and pictures without end, knobs that act in the next bar, a keyboard that is answered.

The page's script (`studio/assets/live.js`) plays and draws; the knobs are components whose changes it sends on.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import gradio as gr

from models.contracts import Task
from models.registry.registry import Registry
from studio.io.recipes import read_recipe
from studio.live import endpoints, routes
from studio.live.controls import FIELDS, KNOBS, MOODS, MUSIC_FIELDS
from studio.live.sessions import board_of
from studio.page import model_card
from studio.page.components import QUIET, markup
from studio.page.drafts import keep_draft
from studio.page.examples import find_example, show_examples
from studio.page.form import Form
from studio.page.panels import Updates
from studio.page.tab import Tab

ROOT = """<div id="live-root" data-state="idle">
<div id="live-line" class="status" role="status"><span class="what">Press Start</span><span class="left"></span></div>
<div class="live-stage"><div class="live-frame"><canvas id="live-picture" width="256" height="256"
aria-label="The live picture"></canvas><span>%s</span></div><div class="live-roll"><canvas id="live-roll"
aria-label="The notes that are heard and those to come"></canvas></div></div>
<div id="live-keys" role="group" aria-label="Keyboard"></div>
<div class="live-board"><span>Play a phrase, then let go: the model goes on with it.
<i class="keys">Keys A to ; play, too.</i></span>
<div><button type="button" data-live="lower">Octave down</button>
<button type="button" data-live="higher">Octave up</button>
<button type="button" data-live="midi">MIDI keyboard</button></div></div>
<div class="live-meter">
<div><span>CPU load</span><b id="live-meter-share">–</b>
<div class="live-load"><i id="live-meter-bar"></i></div></div>
<div><span>Last chunk</span><b id="live-meter-chunk">–</b></div>
<div><span>Buffered</span><b id="live-meter-buffer">–</b></div>
<div><span>Late chunks</span><b id="live-meter-late">–</b></div>
<div><span>Recorded</span><b id="live-meter-recorded">–</b></div>
<div class="wide"><span>Pictures</span><b id="live-meter-pictures">–</b></div>
<div class="wide"><span>Quality</span><b id="live-meter-says">–</b></div></div>
<div id="live-files" aria-label="The recording"></div></div>"""
PICTURES = (
    "Pictures that move with the sound appear here. Some frames are drawn by the model; those between are interpolated."
)
NO_PICTURES = "There is no video model on the shelf, so there are no pictures yet."
ABOUT_MODEL = (
    '<div class="hint">The first draws while you watch. The others film clips ahead, which are shown in turn, and '
    "rest whenever the sound needs the machine; those of the Hub take long without a GPU.</div>"
)
QUIET_JS: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def build(registry: Registry) -> None:
    """Lay out the tab in the current Blocks and wire it."""
    form, has_pictures = Form(FIELDS, registry, "live"), registry.default(Task.VIDEO) is not None
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            with gr.Column(elem_classes=["card", "first"]):
                start, stop, moods = _layout_start()
            with gr.Column(elem_classes="card"):
                _layout_knobs(form)
            with gr.Column(elem_classes="card"):
                lead = _layout_pictures(form, has_pictures)
            with gr.Column(elem_classes="card"):
                listen = _layout_microphone(form)
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            markup(
                ROOT % (PICTURES if has_pictures else NO_PICTURES),
                elem_id="live",
                js_on_load="window.auralumeLive?.mount();",
            )
            markup(show_examples("live"), elem_id="live-examples")
    _wire_playing(form, start, stop, moods)
    _wire_pictures(form, lead, listen)
    _wire_examples(form)
    keep_draft(form)  # and no Undo: a recording takes the place of none, each is a result of the library
    endpoints.build(registry)


def _layout_start() -> tuple[gr.Button, gr.Button, list[gr.Button]]:
    markup('<div class="hint">Music without end. Turn a knob and hear it in the next bar.</div>')
    with gr.Row(elem_classes="actions"):
        start = gr.Button("Start", variant="primary", scale=3, elem_id="live-start", elem_classes="generate-button")
        stop = gr.Button("Stop", scale=1, elem_id="live-stop", elem_classes="stop-button")
    with gr.Row(elem_classes="chips"):
        moods = [gr.Button(name, size="sm", elem_classes="example-chip") for name, _ in MOODS]
    return start, stop, moods


def _layout_knobs(form: Form) -> None:
    form.layout("main")
    with gr.Accordion("More settings", open=False, elem_classes="more"):
        form.layout("more")
    spec = form.registry.default(Task.MUSIC)
    assert spec is not None, "the tab is built where there is a composer"
    markup(model_card.line(form.registry, spec.key))


def _layout_pictures(form: Form, has_pictures: bool) -> gr.Button:
    form.layout("pictures")
    form["pictures"].value, form["pictures"].interactive = has_pictures, has_pictures
    with gr.Row(elem_classes="seed-row"):
        form.layout("lead")
        lead = gr.Button("Go there", elem_id="live-lead", min_width=100)
    if not has_pictures:
        form.stand_in("model", gr.Textbox("", visible=False, elem_id="live-model"))
        return lead
    form.layout("model")
    markup(ABOUT_MODEL)
    model, registry = form["model"], form.registry
    card = markup(model_card.line(registry, str(model.value)), elem_id="live-shelf")
    model.change(lambda key: model_card.line(registry, key), model, card, **QUIET)
    return lead


def _layout_microphone(form: Form) -> gr.Button:
    form.layout("microphone")
    form["voice"].value = form["voice"].choices[-1][1]
    listen = gr.Button("Use the microphone", elem_id="live-listen")
    markup('<div class="hint">Wear headphones, so that the microphone does not hear the studio.</div>')
    return listen


def _wire_playing(form: Form, start: gr.Button, stop: gr.Button, moods: list[gr.Button]) -> None:
    knobs = [form[each.name] for each in KNOBS]
    others = [form[name] for name in ("seed", "pictures", "prompt", "program", "model")]
    start.click(None, [*knobs, *others], js="(...v) => { window.auralumeLive.start(v); }", **QUIET_JS)
    stop.click(None, js="() => { window.auralumeLive.stop(); }", **QUIET_JS)
    for knob in knobs:
        knob.change(None, knobs, js="(...v) => { window.auralumeLive.turn(v); }", **QUIET_JS)
    form["program"].change(None, form["program"], js="(v) => { window.auralumeLive.instrument(v); }", **QUIET_JS)
    for button, (_, controls) in zip(moods, MOODS, strict=True):
        values = [list(v) if isinstance(v, tuple) else v for v in asdict(controls).values()]
        button.click(None, outputs=knobs, js=f"() => {json.dumps(values)}", **QUIET_JS)


def _wire_examples(form: Form) -> None:
    """Let an example set the knobs as they were when it was played."""
    asked = gr.Textbox(visible="hidden", elem_id="live-open")
    knobs = [each.name for each in KNOBS]

    def take(asked: str) -> Updates:
        path = find_example(asked)
        recipe = read_recipe(path) if path is not None else None
        values = MUSIC_FIELDS.restore(recipe.settings, recipe.seed) if recipe is not None else {}
        found = {form[name]: value for name, value in values.items() if name in (*knobs, "seed")}
        return found or {form["seed"]: gr.skip()}

    asked.change(take, asked, [*(form[name] for name in knobs), form["seed"]], **QUIET)


def _wire_pictures(form: Form, lead: gr.Button, listen: gr.Button) -> None:
    lead.click(None, [form["prompt"], form["over"]], js="(...v) => { window.auralumeLive.lead(...v); }", **QUIET_JS)
    listen.click(
        None,
        [form[name] for name in ("voice", "strength", "pictures", "prompt", "model")],
        js="(...v) => { window.auralumeLive.listen(...v); }",
        **QUIET_JS,
    )


TAB = Tab("Live", (Task.MUSIC,), build, lambda registry: routes.routes(board_of(registry)))
