"""The Style Transfer tab: a clip or sound in, an example of style beside it, one slider."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any

import gradio as gr

from models.contracts import Task
from models.hub.formats import takes_words
from models.registry.registry import Registry
from studio.page import curves, html, jobs, model_card, shelf
from studio.page.batch import layout_batch, wire_batch
from studio.page.components import QUIET, markup
from studio.page.examples import show_examples
from studio.page.form import Form, Result, endpoint
from studio.page.panels import Panels
from studio.page.steps import layout_steps
from studio.page.style_gallery import PICTURES
from studio.page.tab import Tab
from studio.page.wiring import layout_settings, wire_run, wire_settings
from studio.style.actions import FIRST_VOICE, AudioStyleActions, VideoStyleActions
from studio.style.controls import AUDIO_FIELDS, VIDEO_FIELDS

WELCOME = "The original and the result side by side, and the statistics that were moved."
WELCOME_STYLE = """<svg viewBox="0 0 220 70" aria-hidden="true" fill="none" stroke-linecap="round" stroke-width="3">
<g stroke="#2a9f90"><rect x="20" y="12" width="66" height="46" rx="7"/><circle cx="66" cy="27" r="6"/>
<path d="M26 50l16-16 12 12 8-7 16 13M102 35h16m-6-6 6 6-6 6"/></g>
<g stroke="#f7933c"><rect x="134" y="12" width="66" height="46" rx="7"/>
<path d="M142 50q10-18 20-8t22-14M144 26q8-8 16 0t16-4M176 48q8 4 16-2"/></g></svg>"""
LINES = "A style a line, by its name"
# Named by their ids alone: they are pinned, and what they are is asked of the Hub, when somebody wants them.
SOUND_MODELS = (
    ("MusicGen Melody", "facebook/musicgen-melody"),
    ("MusicGen Melody, stereo", "facebook/musicgen-stereo-melody"),
)
ABOUT_SOUND_MODELS = (
    "These play a melody anew as you describe it; they want a GPU, and their licence (CC-BY-NC 4.0) allows no "
    "commercial use. A SpeechT5 for speech to speech, as safetensors, gives a voice another one: put it on the shelf "
    "by its id, on the Models tab."
)
ABOUT_VIDEO = (
    "Paint a clip or picture in the style of a picture of the gallery or of your own. Returns the finished MP4 or PNG "
    "file; the sound of a clip is kept."
)
ABOUT_AUDIO = (
    "Give a sound the timbre of a preset or of another sound; models that take the style in words need `words`. "
    "Returns the finished WAV file."
)
RESULTS = (
    Result("file", lambda: gr.File(label="file")),
    Result("", lambda: gr.JSON(label="report")),
)


def build(registry: Registry) -> None:
    """Lay out the tab in the current Blocks and wire it."""
    with gr.Tabs():
        if registry.default(Task.STYLE_VIDEO) is not None:
            with gr.Tab("Video and pictures", id="style-video"):
                _build_video(registry)
        if registry.default(Task.STYLE_AUDIO) is not None:
            with gr.Tab("Audio", id="style-audio"):
                _build_audio(registry)


def _build_video(registry: Registry) -> None:
    actions, form = VideoStyleActions(registry), Form(VIDEO_FIELDS, registry, "style-video")
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            with gr.Column(elem_classes=["card", "first"]):
                form.layout("content")
                make, stop = _layout_buttons("video")
            with gr.Column(elem_classes="card"):
                pictures = _layout_gallery()
                form.layout("main")
                with gr.Accordion("Mix several styles", open=False, elem_classes="more", elem_id="style-video-mix"):
                    form.layout("mix")
                with gr.Accordion("More settings", open=False, elem_classes="more"):
                    form.layout("more")
                    upload, note = layout_settings("style-video", [".mp4"])
                batch = layout_batch(form, "style, strength, brush", LINES)
                card = _layout_model(form)
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            steps = layout_steps("style-video")
            panels = _layout_video_result()
    again = [form["strength"].release]
    wire_run(form, panels, [(make, actions.run)], stop, actions.stops, again=again, steps=steps)
    _wire_gallery(form, pictures)
    _wire_card(form, card, [form["model"]])
    wire_settings(form, upload, note, actions.load_settings)
    wire_batch(form, batch, lambda line: read_style(line, form["style"].choices))
    endpoint(form, actions.run_program, name="video_style", about=ABOUT_VIDEO, results=RESULTS)


def _build_audio(registry: Registry) -> None:
    actions, form = AudioStyleActions(registry), Form(AUDIO_FIELDS, registry, "style-audio")
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            with gr.Column(elem_classes=["card", "first"]):
                form.layout("content")
                make, stop = _layout_buttons("audio")
            with gr.Column(elem_classes="card"):
                form.layout("main")
                with gr.Accordion("More settings", open=False, elem_classes="more"):
                    form.layout("more")
                    upload, note = layout_settings("style-audio", [".wav"])
                batch = layout_batch(form, "style, strength, words", LINES)
                card = _layout_model(form, str(form["style"].value or ""))
                chips = _layout_sound_models()
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            steps = layout_steps("style-audio")
            panels = _layout_audio_result(form, card)
    again = [form["strength"].release]
    wire_run(form, panels, [(make, actions.run)], stop, actions.stops, again=again, steps=steps)
    _wire_card(form, card, [form["model"], form["style"]])
    _wire_model(form)
    _wire_sound_models(form, chips, panels.status)
    wire_settings(form, upload, note, actions.load_settings)
    wire_batch(form, batch, lambda line: read_style(line, form["style"].choices))
    endpoint(form, actions.run_program, name="audio_style", about=ABOUT_AUDIO, results=RESULTS)


def read_style(line: str, choices: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return the style that a line names, by its key or by its title without the licence.

    Raises:
        ValueError: there is none; names some.
    """
    titles = {str(label).partition(" · ")[0]: key for label, key in choices}
    known = {str(key).casefold(): key for key in titles.values()} | {
        name.casefold(): key for name, key in titles.items()
    }
    if line.casefold() not in known:
        some = ", ".join([*list(titles)[:6], *(["…"] if len(titles) > 6 else [])])
        raise ValueError(f"there is no style named “{line}”; choose of {some}.")
    return {"style": known[line.casefold()], "style_file": None}


def _layout_buttons(half: str) -> tuple[gr.Button, gr.Button]:
    with gr.Row(elem_classes="actions"):
        make = gr.Button(
            "Restyle", variant="primary", scale=3, elem_id=f"style-{half}-make", elem_classes="generate-button"
        )
        stop = gr.Button("Stop", interactive=False, scale=1, elem_id=f"style-{half}-stop", elem_classes="stop-button")
    return make, stop


def _layout_gallery() -> gr.Gallery:
    """Lay out the pictures to choose from, and a fold that tells whose they are."""
    gallery = gr.Gallery(
        [(str(each.path), each.title) for each in PICTURES],
        label="Style",
        show_label=False,
        columns=4,
        height=220,
        allow_preview=False,
        buttons=[],
        elem_id="style-gallery",
    )
    rows = "".join(f"<div><b>{escape(each.title)}.</b> {escape(each.licence)}</div>" for each in PICTURES)
    markup(
        f'<div class="shelf"><details class="about-model"><summary>About these pictures</summary>{rows}</details></div>'
    )
    return gallery


def _layout_model(form: Form, style: str = "") -> gr.HTML:
    """Make the picker, and the card of the chosen model with the chosen one of its styles."""
    form.layout("model")
    key = str(form["model"].value)
    return markup(model_card.line(form.registry, key, style, "Chosen sound"), elem_id=f"{form.prefix}-model-line")


def _layout_sound_models() -> list[tuple[gr.Button, str]]:
    """Make buttons that put a model on the shelf, each with its repository."""
    markup('<div class="hint">Put on the shelf, from the Hub:</div>')
    with gr.Row(elem_classes="chips"):
        chips = [
            (gr.Button(title, size="sm", elem_classes="example-chip", elem_id=f"style-audio-get-{number}"), repository)
            for number, (title, repository) in enumerate(SOUND_MODELS)
        ]
    markup(f'<div class="hint">{ABOUT_SOUND_MODELS}</div>')
    return chips


def _layout_video_result() -> Panels:
    status = markup(
        html.welcome("clip", WELCOME, WELCOME_STYLE, show_examples("style-video")), elem_id="style-video-status"
    )
    with gr.Row():
        original = gr.Video(label="Original", interactive=False, visible=False, elem_id="style-original")
        result = gr.Video(label="Result", interactive=False, visible=False, elem_id="style-result")
    slider = gr.ImageSlider(label="Before and after", interactive=False, visible=False, elem_id="style-slider")
    file = gr.DownloadButton("Download", interactive=False, elem_id="style-video-file")
    return Panels(
        status=status,
        compared=slider,
        pictures={"plot": markup("", elem_id="style-video-plot"), "notes": markup("")},
        files={"original": original, "result": result, "file": file},
        kept={"made": gr.State(False)},
    )


def _layout_audio_result(form: Form, card: gr.HTML) -> Panels:
    status = markup(
        html.welcome("sound", WELCOME, html.WELCOME_WAVES, show_examples("style-audio")), elem_id="style-audio-status"
    )
    markup(curves.two_players("style-audio"), elem_id="style-audio-players")
    original = gr.File(visible="hidden", elem_id="style-audio-original")
    result = gr.File(visible="hidden", elem_id="style-audio-result")
    file = gr.DownloadButton("Download", interactive=False, elem_id="style-audio-file")
    return Panels(
        status=status,
        pictures={"plot": markup("", elem_id="style-audio-plot"), "notes": markup(""), "card": card},
        files={"original": original, "result": result, "file": file},
        kept={"made": gr.State(False)},
        controls={"style": form["style"]},
    )


def _wire_gallery(form: Form, pictures: gr.Gallery) -> None:
    """Let a click on a picture choose it, in the place of a picture of one's own."""

    def pick(event: gr.SelectData) -> list[Any]:
        return [PICTURES[int(event.index)].key, None]

    pictures.select(pick, outputs=[form["style"], form["style_file"]], **QUIET)


def _wire_card(form: Form, card: gr.HTML, inputs: list[gr.Dropdown]) -> None:
    """Let the card follow the model and, where it has some, its chosen style."""

    def describe(key: str, chosen: str | None = "") -> str:
        return model_card.line(form.registry, key, chosen or "", "Chosen sound")

    gr.on([each.change for each in inputs], describe, inputs, card, **QUIET)


def _wire_model(form: Form) -> None:
    """Let the controls of the style follow the model: its presets or voices, a sound, or words."""
    registry = form.registry

    def choose_model(key: str, chosen: str | None) -> list[Any]:
        spec = registry.get(key)
        choices = model_card.voices(registry, key) or [FIRST_VOICE]
        value = chosen if chosen in [each for _, each in choices] else choices[0][1]
        in_words = takes_words(spec.backend)
        label = "Style" if spec.is_native else "Voice"
        return [
            gr.update(choices=choices, value=value, visible=not in_words, label=label),
            gr.update(visible=spec.is_native),
            gr.update(visible=spec.is_native),
            gr.update(visible=in_words),
        ]

    outputs = [form[name] for name in ("style", "style_file", "move_pitch", "words")]
    form["model"].change(choose_model, [form["model"], form["style"]], outputs, **QUIET)


def _wire_sound_models(form: Form, chips: list[tuple[gr.Button, str]], status: gr.HTML) -> None:
    """Let a button put its repository on the shelf, and choose it."""

    def put_on_shelf(repository: str) -> tuple[str, Any]:
        try:
            spec = shelf.put_on_shelf(form.registry, repository)
        except Exception as error:
            return html.problem(jobs.sentence(error)), gr.skip()
        choices = model_card.choices(form.registry, Task.STYLE_AUDIO)
        return shelf.status_of_new(form.registry, spec), gr.update(choices=choices, value=spec.key)

    for chip, repository in chips:
        chip.click(
            partial(put_on_shelf, repository),
            None,
            [status, form["model"]],
            show_progress_on=status,
            api_visibility="private",
        )


TAB = Tab("Style Transfer", (Task.STYLE_VIDEO, Task.STYLE_AUDIO), build)
