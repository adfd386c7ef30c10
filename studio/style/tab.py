"""The Style Transfer tab: a clip or sound in, an example of style beside it, one slider."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr

from models.contracts import Task
from models.registry.registry import Registry
from studio.page import curves, html, jobs, model_card
from studio.page.components import QUIET, busy_js, markup, ready, wire_stop
from studio.page.model_picker import model_picker
from studio.style.actions import AUDIO_TASK, FIRST_VOICE, VIDEO_TASK, StyleActions
from studio.style.gallery import PICTURES

WELCOME = "The original and the result side by side, and the statistics that were moved."
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
VIDEO_ORDER = ("content", "style", "style_file", "strength", "keep_colours", "size", "steadiness", "model")
AUDIO_ORDER = ("content", "style", "style_file", "strength", "move_pitch", "model", "words", "seed")


def build(registry: Registry) -> None:
    """Lay out the tab in the current Blocks and wire it."""
    actions = StyleActions(registry)
    with gr.Tabs():
        if registry.specs(VIDEO_TASK):
            with gr.Tab("Video and pictures", id="style-video"):
                _video(registry, actions)
        if registry.specs(AUDIO_TASK):
            with gr.Tab("Audio", id="style-audio"):
                _audio(registry, actions)


def _video(registry: Registry, actions: StyleActions) -> None:
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            with gr.Column(elem_classes=["card", "first"]):
                content = gr.File(label="Clip or picture", type="filepath", height=120, elem_id="style-video-content")
                make, stop = _buttons("video")
            with gr.Column(elem_classes="card"):
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
                style = gr.Dropdown(
                    [(f"{each.title} · {each.licence}", each.key) for each in PICTURES],
                    value=PICTURES[0].key,
                    label="Chosen style",
                    filterable=False,
                    elem_id="style-video-style",
                )
                own = gr.File(label="Or your own picture", type="filepath", height=130, elem_id="style-own")
                strength = gr.Slider(0, 1, 0.8, step=0.05, label="Strength", elem_id="style-video-strength")
                keep = gr.Checkbox(False, label="Keep the original's colours", elem_id="style-keep")
                with gr.Accordion("More settings", open=False, elem_classes="more"):
                    size = gr.Slider(128, 1024, 384, step=64, label="Size", info="longer side in pixels")
                    steadiness = gr.Slider(0, 0.95, 0.7, step=0.05, label="Steadiness", info="from frame to frame")
                    upload, note = _settings("video", [".mp4"])
                model, _ = _model(registry, VIDEO_TASK, "style-video-model")
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            status = markup(html.welcome("clip", WELCOME), elem_id="style-video-status")
            with gr.Row():
                original = gr.Video(label="Original", interactive=False, visible=False, elem_id="style-original")
                result = gr.Video(label="Result", interactive=False, visible=False, elem_id="style-result")
            slider = gr.ImageSlider(label="Before and after", interactive=False, visible=False, elem_id="style-slider")
            file = gr.DownloadButton("Download", interactive=False, elem_id="style-video-file")
            plot, notes = markup("", elem_id="style-video-plot"), markup("")
    shown = {"status": status, "original": original, "result": result, "slider": slider}
    shown |= {"file": file, "plot": plot, "notes": notes}
    inputs = dict(zip(VIDEO_ORDER, (content, style, own, strength, keep, size, steadiness, model), strict=True))

    def pick(event: gr.SelectData) -> list[Any]:
        return [PICTURES[int(event.index)].key, None]

    gallery.select(pick, outputs=[style, own], **QUIET)
    _wire(actions, "video", inputs, shown, make, stop)
    _wire_settings(actions, "video", inputs, upload, note)

    def video_style(
        content: str,
        style: str = PICTURES[0].key,
        style_file: str | None = None,
        strength: float = 0.8,
        keep_colours: bool = False,
        size: float = 384,
        steadiness: float = 0.7,
        model: str = "",
    ) -> Iterator[tuple[Any, Any]]:
        """Paint a clip or picture in the style of a picture of the gallery or of your own. Returns the finished MP4 or
        PNG file; the sound of a clip is kept.
        """
        values = (content, style, style_file, strength, keep_colours, size, steadiness, model)
        yield from _program(actions, "video", dict(zip(VIDEO_ORDER, values, strict=True)))

    _endpoint(video_style, "video_style", inputs)


def _audio(registry: Registry, actions: StyleActions) -> None:
    spec = registry.require_default(AUDIO_TASK)
    presets = model_card.voices(registry, spec.key)
    first = presets[0][1] if presets else ""
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            with gr.Column(elem_classes=["card", "first"]):
                content = gr.Audio(
                    sources=["upload", "microphone"], type="filepath", label="Sound", elem_id="style-audio-content"
                )
                make, stop = _buttons("audio")
            with gr.Column(elem_classes="card"):
                style = gr.Dropdown(
                    presets,
                    value=first or None,
                    label="Style",
                    allow_custom_value=True,  # the endpoint may name a voice of another model
                    elem_id="style-audio-style",
                )
                own = gr.Audio(
                    sources=["upload", "microphone"],
                    type="filepath",
                    label="Or a style sound of your own",
                    elem_id="style-audio-own",
                )
                words = gr.Textbox(
                    "",
                    label="Style in words",
                    placeholder="a string quartet in a large hall",
                    max_length=400,
                    visible=False,
                    elem_id="style-audio-words",
                )
                strength = gr.Slider(0, 1, 0.8, step=0.05, label="Strength", elem_id="style-audio-strength")
                pitch = gr.Checkbox(True, label="Move a voice's pitch too", elem_id="style-audio-pitch")
                with gr.Accordion("More settings", open=False, elem_classes="more"):
                    seed = gr.Number(0, label="Seed", precision=0, minimum=0, elem_id="style-audio-seed")
                    upload, note = _settings("audio", [".wav"])
                model, line = _model(registry, AUDIO_TASK, "style-audio-model", style)
                chips = _sound_models()
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            status = markup(html.welcome("sound", WELCOME), elem_id="style-audio-status")
            markup(curves.two_players("style-audio"), elem_id="style-audio-players")
            original = gr.File(visible="hidden", elem_id="style-audio-original")
            result = gr.File(visible="hidden", elem_id="style-audio-result")
            file = gr.DownloadButton("Download", interactive=False, elem_id="style-audio-file")
            plot, notes = markup("", elem_id="style-audio-plot"), markup("")
    shown: dict[str, Any] = {"status": status, "original": original, "result": result}
    shown |= {"file": file, "plot": plot, "notes": notes, "line": line, "voices": style}
    inputs = dict(zip(AUDIO_ORDER, (content, style, own, strength, pitch, model, words, seed), strict=True))
    model.change(partial(_fitting, registry), [model, style], [style, own, pitch, words], **QUIET)
    for chip, repository in chips:
        chip.click(
            partial(_put_on_shelf, registry, repository), None, [status, model], show_progress_on=status,
            api_visibility="private",
        )  # fmt: skip
    _wire(actions, "audio", inputs, shown, make, stop)
    _wire_settings(actions, "audio", inputs, upload, note)

    def audio_style(
        content: str,
        style: str = "",
        style_file: str | None = None,
        strength: float = 0.8,
        move_pitch: bool = True,
        model: str = "",
        words: str = "",
        seed: float = 0,
    ) -> Iterator[tuple[Any, Any]]:
        """Give a sound the timbre of a preset or of another sound; models that take the style in words need `words`.
        Returns the finished WAV file.
        """
        values = (content, style, style_file, strength, move_pitch, model, words, seed)
        yield from _program(actions, "audio", dict(zip(AUDIO_ORDER, values, strict=True)))

    _endpoint(audio_style, "audio_style", inputs)


def _sound_models() -> list[tuple[gr.Button, str]]:
    """Buttons that put a model on the shelf, with its repository."""
    markup('<div class="hint">Put on the shelf, from the Hub:</div>')
    with gr.Row(elem_classes="chips"):
        chips = [
            (gr.Button(title, size="sm", elem_classes="example-chip", elem_id=f"style-audio-get-{number}"), repository)
            for number, (title, repository) in enumerate(SOUND_MODELS)
        ]
    markup(f'<div class="hint">{ABOUT_SOUND_MODELS}</div>')
    return chips


def _put_on_shelf(registry: Registry, repository: str) -> tuple[str, Any]:
    """Put a repository on the shelf and choose it; the status, and the picker."""
    from studio.models_tab.actions import ShelfActions

    *_, made = ShelfActions(registry).add(repository, "")
    if "changed" not in made:
        return made["status"], gr.skip()
    return made["status"], gr.update(choices=model_card.choices(registry, AUDIO_TASK), value=made["changed"])


def _fitting(registry: Registry, key: str, chosen: str | None) -> tuple[Any, Any, Any, Any]:
    """What the chosen model takes as style: its presets or voices, a sound, or words."""
    from models.hub.formats import takes_words

    backend = registry.get(key).backend
    choices = model_card.voices(registry, key) or [FIRST_VOICE]
    value = chosen if chosen in [each for _, each in choices] else choices[0][1]
    in_words = takes_words(backend)
    return (
        gr.update(choices=choices, value=value, visible=not in_words, label="Voice" if backend else "Style"),
        gr.update(visible=not backend),
        gr.update(visible=not backend),
        gr.update(visible=in_words),
    )


def _model(
    registry: Registry, task: Task, elem_id: str, style: gr.Dropdown | None = None
) -> tuple[gr.Dropdown, gr.HTML]:
    """The picker and the line about the chosen model and, of the model's own styles, the chosen one."""
    picker = model_picker(registry, task, elem_id)

    def about(key: str, chosen: str = "") -> str:
        return model_card.line(registry, key, chosen or "", "Chosen sound")

    line = markup(about(str(picker.value), str(style.value or "") if style else ""), elem_id=f"{elem_id}-line")
    inputs = [picker] if style is None else [picker, style]
    gr.on([each.change for each in inputs], about, inputs, line, **QUIET)
    return picker, line


def _buttons(half: str) -> tuple[gr.Button, gr.Button]:
    with gr.Row(elem_classes="actions"):
        make = gr.Button(
            "Restyle", variant="primary", scale=3, elem_id=f"style-{half}-make", elem_classes="generate-button"
        )
        stop = gr.Button("Stop", interactive=False, scale=1, elem_id=f"style-{half}-stop", elem_classes="stop-button")
    return make, stop


def _settings(half: str, kinds: list[str]) -> tuple[gr.File, gr.HTML]:
    upload = gr.File(
        label="Load settings from a result",
        file_types=kinds,
        type="filepath",
        height=110,
        elem_id=f"style-{half}-settings",
        elem_classes="drop-settings",
    )
    return upload, markup("", elem_id=f"style-{half}-settings-note")


def _wire(
    actions: StyleActions,
    half: str,
    inputs: dict[str, Any],
    shown: dict[str, Any],
    make: gr.Button,
    stop: gr.Button,
) -> None:
    """Restyle on the button, and again when the slider is let go after a first result."""
    made = gr.State(False)

    def run(request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
        fields = dict(zip(inputs, values, strict=True))
        with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
            for update in actions.generate(str(request.session_hash), half, fields, folder):
                page = {shown[name]: _shown(half, name, value) for name, value in update.items()}
                if "file" in update:
                    page[made] = True
                yield page
        yield ready([make], stop)

    def run_again(request: gr.Request, ready: bool, *values: Any) -> Iterator[dict[Any, Any]]:
        if ready:
            yield from run(request, *values)
        else:
            yield {make: gr.skip()}

    outputs = [*shown.values(), made, make, stop]
    options: dict[str, Any] = {
        "concurrency_id": jobs.CPU_QUEUE,
        "show_progress": "minimal",
        "show_progress_on": shown["status"],
        "api_visibility": "private",
    }
    make.click(None, outputs=[make, stop], js=busy_js(1), api_visibility="private")
    running = make.click(run, list(inputs.values()), outputs, concurrency_limit=1, **options)
    again = inputs["strength"].release(
        run_again, [made, *inputs.values()], outputs, trigger_mode="always_last", **options
    )
    wire_stop(actions.stops, stop, shown["status"], [make], [running, again], suffix=half)


def _shown(half: str, name: str, value: Any) -> Any:
    if name == "file":
        return gr.update(value=value, interactive=value is not None)
    if name == "voices":
        choices, used = value
        known = [key for _, key in choices]
        return gr.update(choices=choices, value=used if used in known else known[0])
    if half == "video" and name in {"original", "result", "slider"}:
        return gr.update(value=value, visible=value is not None)
    return value


def _wire_settings(actions: StyleActions, half: str, inputs: dict[str, Any], upload: gr.File, note: gr.HTML) -> None:
    names = tuple(name for name in inputs if name not in {"content", "style_file"})

    def put_back(path: str | None) -> dict[Any, Any]:
        if path is None:
            return {note: ""}
        try:
            values, said = actions.load_settings(path, half, names)
        except ValueError as error:
            return {note: html.problem(jobs.sentence(error))}
        return {inputs[name]: value for name, value in values.items()} | {note: html.finished(said)}

    upload.change(put_back, upload, [*(inputs[name] for name in names), note], **QUIET)


def _program(actions: StyleActions, half: str, fields: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """For a program: nothing while it works, then the file and a report; failures are one sentence."""
    file: str | None = None
    try:
        with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
            for update in actions.restyle(half, fields, folder):
                if "file" in update:
                    file = update["file"]
                    yield file, {"strength": fields["strength"], "style": fields["style"]}
                elif file is None:
                    yield None, None
    except Exception as error:
        raise gr.Error(jobs.sentence(error), print_exception=False) from error


def _endpoint(function: Any, name: str, inputs: dict[str, Any]) -> None:
    with gr.Column(visible=False):
        trigger = gr.Button(name)
        outputs = [gr.File(label="file"), gr.JSON(label="report")]
    trigger.click(
        function,
        list(inputs.values()),
        outputs,
        api_name=name,
        concurrency_id=jobs.CPU_QUEUE,
        show_progress="hidden",
    )
