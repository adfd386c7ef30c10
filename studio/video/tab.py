"""The Video tab: type a scene, watch it come out of the noise, take it away as a clip with its own sound."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from random import SystemRandom
from typing import Any

import gradio as gr

from models.contracts import MAX_SEED
from models.registry.registry import Registry
from studio.page import html, jobs, model_card
from studio.page.components import QUIET, busy_js, markup, ready, wire_stop
from studio.video import sync_tab
from studio.video.actions import DEFAULT_GUIDANCE, DEFAULT_STEPS, FILES, VideoActions
from studio.video.controls import ORDER, Buttons, Controls, make

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


@dataclass
class Panels:
    """What the tab shows."""

    status: gr.HTML
    result: gr.Video
    film: gr.HTML
    strip: gr.HTML
    plot: gr.HTML
    notes: gr.HTML
    shelf: gr.HTML
    file: gr.DownloadButton
    gif: gr.DownloadButton
    webp: gr.DownloadButton
    sheet: gr.DownloadButton
    sprites: gr.DownloadButton
    downloads: gr.Row

    def all(self) -> list[Any]:
        """Everything that a generation may change."""
        return [getattr(self, name) for name in Panels.__dataclass_fields__]


def build(registry: Registry) -> None:
    """Lay out the tab in the current Blocks and wire it."""
    if not registry.specs(sync_tab.TASK):
        _make_a_video(registry)
        return
    with gr.Tabs():
        with gr.Tab("Make a video", id="video-make"):
            _make_a_video(registry)
        with gr.Tab("Check and fix sync", id="video-sync"):
            sync_tab.build(registry)


def _make_a_video(registry: Registry) -> None:
    actions = VideoActions(registry)
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            controls, buttons, shelf_line, settings, note = make(registry)
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            panels = _result(shelf_line)
    _wire_generate(actions, controls, panels, buttons)
    _wire_controls(actions, controls, panels, buttons, settings, note)
    _endpoint(actions, controls)


def _result(shelf_line: gr.HTML) -> Panels:
    status = markup(html.welcome("video", WELCOME, WELCOME_FILM), elem_id="video-status")
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
        file = gr.DownloadButton("MP4", size="md", interactive=False, elem_id="video-file")
        gif = gr.DownloadButton("GIF", size="md", interactive=False, elem_id="video-gif")
        webp = gr.DownloadButton("WebP", size="md", interactive=False, elem_id="video-webp")
        sheet = gr.DownloadButton("Sprite sheet", size="md", visible=False, elem_id="video-sheet")
        sprites = gr.DownloadButton("Cut-out GIF", size="md", visible=False, elem_id="video-sprites")
    film, strip = markup("", elem_id="video-film"), markup("", elem_id="video-strip")
    plot, notes = markup("", elem_id="video-plot"), markup("", elem_id="video-notes")
    return Panels(status, result, film, strip, plot, notes, shelf_line, file, gif, webp, sheet, sprites, downloads)


def _to_page(panels: Panels, update: dict[str, Any]) -> dict[Any, Any]:
    """Named values to component updates."""
    page: dict[Any, Any] = {}
    for name, value in update.items():
        if name == "report":
            continue
        if name in {"sheet", "sprites"}:
            page[getattr(panels, name)] = gr.update(value=value, visible=value is not None)
        elif name in FILES:
            page[getattr(panels, name)] = gr.update(value=value, interactive=value is not None)
        elif name == "result":
            page[panels.result] = gr.update(value=value, visible=value is not None)
        else:
            page[getattr(panels, name)] = value
    if "file" in update:
        page[panels.downloads] = gr.update(visible=update["file"] is not None)
    return page


def _wire_generate(actions: VideoActions, controls: Controls, panels: Panels, buttons: Buttons) -> None:
    def run(request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
        fields = dict(zip(ORDER, values, strict=True))
        model = str(fields.pop("model"))
        with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
            for update in actions.generate(str(request.session_hash), model, fields, folder):
                yield _to_page(panels, update)
        yield ready([buttons.generate], buttons.stop)

    buttons.generate.click(None, outputs=[buttons.generate, buttons.stop], js=busy_js(1), api_visibility="private")
    running = buttons.generate.click(
        run,
        controls.all(),
        [*panels.all(), buttons.generate, buttons.stop],
        concurrency_id=jobs.CPU_QUEUE,
        concurrency_limit=1,
        show_progress="minimal",
        show_progress_on=panels.status,
        api_visibility="private",
    )
    wire_stop(actions.stops, buttons.stop, panels.status, [buttons.generate], [running])


def _wire_controls(
    actions: VideoActions, controls: Controls, panels: Panels, buttons: Buttons, settings: gr.File, note: gr.HTML
) -> None:
    buttons.dice.click(lambda: SystemRandom().randint(0, MAX_SEED), outputs=controls.seed, **QUIET)
    controls.model.change(lambda key: model_card.line(actions.registry, key), controls.model, panels.shelf, **QUIET)
    controls.model.input(  # by a person alone: settings that are put back stay as they were
        lambda key: model_card.usual(actions.registry, key, (DEFAULT_STEPS, DEFAULT_GUIDANCE)),
        controls.model,
        [controls.steps, controls.guidance],
        **QUIET,
    )

    def put_back(path: str | None) -> dict[Any, Any]:
        if path is None:
            return {note: ""}
        try:
            values, said = actions.load_settings(path)
        except ValueError as error:
            return {note: html.problem(jobs.sentence(error))}
        return {getattr(controls, name): value for name, value in values.items()} | {note: html.finished(said)}

    kept = [getattr(controls, name) for name in ORDER if name != "start_image"]
    settings.change(put_back, settings, [*kept, note], **QUIET)


def _endpoint(actions: VideoActions, controls: Controls) -> None:
    """The public endpoint `/video`: the finished MP4 first, then the report."""
    with gr.Column(visible=False):
        trigger = gr.Button("Make a video for a program")
        clip, report = gr.File(label="video"), gr.JSON(label="report")

    def video(
        prompt: str,
        negative_prompt: str,
        length_s: float,
        loop: bool,
        sound: str,
        motion: str,
        speed: str,
        camera: str,
        colour: str,
        size: str,
        steps: float,
        guidance: float,
        seed: float,
        model: str,
        start_image: str | None = None,
        direction: str = "any",
    ) -> Iterator[tuple[str | None, dict[str, Any] | None]]:
        """Make a video clip of what the prompt says, with sound. Returns the finished MP4 file and a report. `sound` is
        "scene", "music" or "off"; `start_image` is the picture to begin from."""
        fields: dict[str, Any] = {"prompt": prompt, "negative_prompt": negative_prompt, "length_s": length_s}
        fields |= {"loop": loop, "sound": sound, "start_image": start_image, "motion": motion, "speed": speed}
        fields |= {"camera": camera, "colour": colour, "size": size, "steps": steps, "guidance": guidance}
        fields |= {"direction": direction}
        try:
            with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
                for update in actions.make(model, fields | {"seed": seed}, folder):
                    if "file" in update:
                        yield update["file"], update["report"]
                        return
                    yield None, None
        except Exception as error:
            raise gr.Error(jobs.sentence(error), print_exception=False) from error

    trigger.click(
        video,
        controls.all(),
        [clip, report],
        api_name="video",
        concurrency_id=jobs.CPU_QUEUE,
        show_progress="hidden",
    )
