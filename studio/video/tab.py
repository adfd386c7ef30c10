"""The Video tab: type a scene, watch it come out of the noise, take it away as a clip with its own sound."""

from __future__ import annotations

import gradio as gr

from models.contracts import Task
from models.registry.registry import Registry
from studio.page import html, model_card
from studio.page.batch import layout_batch, wire_batch
from studio.page.components import QUIET, markup
from studio.page.examples import show_examples
from studio.page.form import Form, Result, endpoint
from studio.page.panels import Panels
from studio.page.steps import layout_steps
from studio.page.tab import Tab
from studio.page.wiring import layout_settings, wire_run, wire_settings
from studio.video import sync_tab
from studio.video.actions import VideoActions
from studio.video.controls import (
    ANY,
    DEFAULT_GUIDANCE,
    DEFAULT_STEPS,
    EXAMPLES,
    FIELDS,
    LOOK_FIELDS,
    LOOKS,
    QUALITIES,
)
from studio.video.reading import list_choices, show_first_reading, show_reading

PRESS_JS = "() => { setTimeout(() => document.querySelector('#video-generate').click(), 60); }"
WELCOME = (
    "You will watch it come out of the noise, step by step: at first the model sees little more than colours, then "
    "shapes, then every frame."
)
WELCOME_FILM = """<svg viewBox="0 0 220 70" aria-hidden="true"><defs><linearGradient id="film-dusk" x2="0" y2="1">
<stop offset="0" stop-color="#127f74"/><stop offset="1" stop-color="#f7933c"/></linearGradient></defs>
<g fill="none" stroke="#2a9f90" stroke-width="2.5">
<rect x="6" y="10" width="62" height="50" rx="8" stroke-dasharray="2 6"/>
<rect x="79" y="10" width="62" height="50" rx="8" stroke-dasharray="7 4"/></g>
<g fill="#2a9f90"><circle cx="22" cy="24" r="1.6"/><circle cx="37" cy="47" r="1.6"/><circle cx="52" cy="30" r="1.6"/>
<circle cx="30" cy="36" r="1.6"/><circle cx="56" cy="50" r="1.6"/></g>
<path d="M84 52c14-10 30-10 52 0" fill="none" stroke="#2a9f90" stroke-width="2.5" stroke-dasharray="4 3"/>
<rect x="152" y="10" width="62" height="50" rx="8" fill="url(#film-dusk)"/>
<circle cx="183" cy="38" r="9" fill="#fff6ec"/>
<path d="M152 44c14-6 22 4 34 0s18-4 28 0v8a8 8 0 0 1-8 8h-46a8 8 0 0 1-8-8z" fill="#10514c"/></svg>"""
BUTTONS = {"file": "MP4", "gif": "GIF", "webp": "WebP", "sheet": "Sprite sheet", "sprites": "Cut-out GIF"}
OPTIONAL = ("sheet", "sprites")
ABOUT = (
    "Make a video clip of what the prompt says, with sound. Returns the finished MP4 file and a report. `sound` is "
    '"scene", "music" or "off"; `start_image` is the picture to begin from.'
)


def build(registry: Registry) -> None:
    """Lay out the tab in the current Blocks and wire it."""
    if registry.default(Task.SYNC) is None:
        _build_maker(registry)
        return
    with gr.Tabs():
        with gr.Tab("Make a video", id="video-make"):
            _build_maker(registry)
        with gr.Tab("Check and fix sync", id="video-sync"):
            sync_tab.build(registry)


def _build_maker(registry: Registry) -> None:
    actions, form = VideoActions(registry), Form(FIELDS, registry, "video")
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            with gr.Column(elem_classes=["card", "first"]):
                generate, stop, reading = _layout_prompt(form)
            with gr.Column(elem_classes="card"):
                quality = _layout_shape(form)
                upload, note = _layout_finer(form)
                batch = layout_batch(form, "prompt, length_s, steps")
                quality.input(lambda steps: steps, quality, form["steps"], **QUIET)
                card = markup(model_card.line(registry, form["model"].value), elem_id="video-shelf")
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            steps = layout_steps("video")
            panels = _layout_result(card)
    wire_run(form, panels, [(generate, actions.run)], stop, actions.stops, steps=steps)
    _wire_model(form, card)
    gr.on(
        [form["prompt"].change, form["model"].change],
        lambda key, prompt: show_reading(registry, key, prompt),
        [form["model"], form["prompt"]],
        reading,
        trigger_mode="always_last",
        **QUIET,
    )
    wire_settings(form, upload, note, actions.load_settings)
    wire_batch(form, batch, lambda line: {"prompt": line})
    endpoint(
        form,
        actions.run_program,
        name="video",
        about=ABOUT,
        results=(Result("file", lambda: gr.File(label="video")), Result("", lambda: gr.JSON(label="report"))),
    )


def _layout_prompt(form: Form) -> tuple[gr.Button, gr.Button, gr.HTML]:
    form.layout("prompt")
    shown = form.registry.default(Task.VIDEO)
    reading = markup("" if shown is None else show_first_reading(form.registry, shown.key), elem_id="video-reading")
    with gr.Row(elem_classes="actions"):
        generate = gr.Button(
            "Generate", variant="primary", scale=3, elem_id="video-generate", elem_classes="generate-button"
        )
        stop = gr.Button("Stop", interactive=False, scale=1, elem_id="video-stop", elem_classes="stop-button")
    markup(f'<div class="hint">{html.GENERATE_KEYS}Try one of these:</div>{list_choices()}')
    with gr.Row(elem_classes="chips"):
        for name, prompt in EXAMPLES:
            chip = gr.Button(name, size="sm", elem_classes="example-chip")
            chip.click(lambda prompt=prompt: prompt, outputs=form["prompt"], **QUIET).then(None, js=PRESS_JS)
    return generate, stop, reading


def _layout_shape(form: Form) -> gr.Radio:
    form.layout("shape")
    with gr.Row(elem_classes="chips"):
        for name, changes in LOOKS:
            values = [changes.get(each, ANY) for each in LOOK_FIELDS]
            look = gr.Button(name, size="sm", elem_classes="example-chip")
            look.click(lambda values=values: values, outputs=[form[each] for each in LOOK_FIELDS], **QUIET)
    quality = gr.Radio(
        [(f"{name} · {seconds:g} s", steps) for steps, name, seconds in QUALITIES],
        value=DEFAULT_STEPS,
        label="Quality",
        info="{}, {} or {} steps; the seconds are what two seconds of video take on two cores".format(
            *(each[0] for each in QUALITIES)
        ),
        elem_id="video-quality",
    )
    form.layout("start")
    return quality


def _layout_finer(form: Form) -> tuple[gr.File, gr.HTML]:
    with gr.Accordion("More settings", open=False, elem_classes="more"):
        form.layout("finer")
        form.layout_seed()
        return layout_settings("video", (".mp4",))


def _layout_result(card: gr.HTML) -> Panels:
    status = markup(html.welcome("video", WELCOME, WELCOME_FILM, show_examples("video")), elem_id="video-status")
    result = gr.Video(
        show_label=False,
        container=False,
        interactive=False,
        autoplay=True,
        loop=True,
        buttons=[],
        visible=False,
        height=400,
        elem_id="video-result",
    )
    with gr.Row(elem_classes="downloads", visible=False) as downloads:
        buttons = {
            name: gr.DownloadButton(
                title,
                size="md",
                visible=name not in OPTIONAL,
                interactive=name in OPTIONAL,
                elem_id=f"video-{name}",
            )
            for name, title in BUTTONS.items()
        }
    pictures = {name: markup("", elem_id=f"video-{name}") for name in ("film", "strip", "plot", "notes")}
    return Panels(
        status=status,
        pictures=pictures | {"shelf": card},
        files={"result": result, **buttons},
        optional=OPTIONAL,
        downloads=downloads,
    )


def _wire_model(form: Form, card: gr.HTML) -> None:
    model, registry = form["model"], form.registry
    model.change(lambda key: model_card.line(registry, key), model, card, **QUIET)
    model.input(  # by a person alone: settings that are put back stay as they were
        lambda key: model_card.usual(registry, key, (DEFAULT_STEPS, DEFAULT_GUIDANCE)),
        model,
        [form["steps"], form["guidance"]],
        **QUIET,
    )


TAB = Tab("Video", (Task.VIDEO,), build)
