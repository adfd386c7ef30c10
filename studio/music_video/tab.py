"""The Music Video tab: a song in, its beats seen and corrected, a look typed; a video that moves on the beat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import SystemRandom
from typing import Any

import gradio as gr

from models.contracts import MAX_SEED
from models.registry.registry import Registry
from studio.io import temp_folders
from studio.music_video.actions import DEFAULT_PROMPTS, VIDEO_TASK, MusicVideoActions
from studio.music_video.controls import (
    DEFAULT_GUIDANCE,
    DEFAULT_STEPS,
    FIELDS,
    Controls,
    Corrections,
    corrections,
    make_controls,
)
from studio.music_video.song import Song, close
from studio.page import html, jobs, model_card
from studio.page.components import QUIET, busy_js, markup, ready, shared_state, wire_stop

WELCOME = "You will see every beat that was heard, and can correct them before the video is drawn."
FILES = ("file", "csv", "json", "clicks")


@dataclass
class Panels:
    """What the tab shows."""

    status: gr.HTML
    picture: gr.HTML
    video: gr.Video
    plot: gr.HTML
    player: gr.Audio
    notes: gr.HTML
    file: gr.DownloadButton
    csv: gr.DownloadButton
    json: gr.DownloadButton
    clicks: gr.DownloadButton
    downloads: gr.Row
    beats: gr.Column
    song: gr.State
    shelf: gr.HTML

    def shown(self) -> list[Any]:
        """Everything that work may change."""
        return list(vars(self).values())


def build(registry: Registry) -> None:
    """Lay out the tab in the current Blocks and wire it."""
    actions = MusicVideoActions(registry)
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            controls = make_controls(registry)
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            panels, fixes = _result(controls.shelf)
    _wire_song(actions, registry, controls, panels, fixes)
    _wire_corrections(actions, panels, fixes)
    _wire_making(actions, controls, panels)
    _wire_settings(actions, controls)
    _endpoint(actions, controls)


def _result(shelf_line: gr.HTML) -> tuple[Panels, Corrections]:
    status = markup(html.welcome("music video", WELCOME, html.WELCOME_WAVES), elem_id="mv-status")
    picture = markup("", elem_id="mv-picture")
    video = gr.Video(label="Video", show_label=False, interactive=False, visible=False, elem_id="mv-video", height=420)
    with gr.Row(elem_classes="downloads", visible=False) as downloads:
        file = gr.DownloadButton("MP4", size="md", interactive=False, elem_id="mv-file")
        table = gr.DownloadButton("Beats CSV", size="md", interactive=False, elem_id="mv-csv")
        data = gr.DownloadButton("Beats JSON", size="md", interactive=False, elem_id="mv-json")
        clicks = gr.DownloadButton("Click track", size="md", interactive=False, elem_id="mv-clicks")
    with gr.Column(visible=False, elem_id="mv-beats") as beats:
        plot = markup("", elem_id="mv-plot")
        player = gr.Audio(
            show_label=False, interactive=False, buttons=[], container=False, elem_id="mv-player",
            elem_classes="player", waveform_options=gr.WaveformOptions(show_recording_waveform=False),
        )  # fmt: skip
        fixes = corrections()
    notes = markup("", elem_id="mv-notes")
    song = gr.State(None, time_to_live=3600, delete_callback=close)
    files = (file, table, data, clicks)
    return Panels(status, picture, video, plot, player, notes, *files, downloads, beats, song, shelf_line), fixes


def _to_page(panels: Panels, update: dict[str, Any]) -> dict[Any, Any]:
    """Named values to component updates."""
    page: dict[Any, Any] = {}
    for name, value in update.items():
        if name in FILES:
            page[getattr(panels, name)] = gr.update(value=value, interactive=value is not None)
        elif name == "video":
            page[panels.video] = gr.update(value=value, visible=value is not None)
        else:
            page[getattr(panels, name)] = value
    if "song" in update:
        page[panels.beats] = page[panels.downloads] = gr.update(visible=update["song"] is not None)
    return page


def _wire_song(
    actions: MusicVideoActions, registry: Registry, controls: Controls, panels: Panels, fixes: Corrections
) -> None:
    """A song from a file, the microphone, or the Music tab: its beats are found at once."""

    def listened(source: Any, trim: tuple[float, float], old: Song | None, request: gr.Request) -> Iterator[Any]:
        if source is None:
            yield {panels.status: gr.skip()}
            return
        for update in actions.listen(str(request.session_hash), source, trim, old):
            page = _to_page(panels, update)
            if "song" in update:
                page |= {panels.file: gr.update(value=None, interactive=False), fixes.number: 0, fixes.taps: ""}
                page |= {panels.video: gr.update(value=None, visible=False), panels.notes: "", panels.picture: ""}
            yield page

    def from_file(
        file: str | None, spoken: str | None, start_s: float, end_s: float, old: Song | None, request: gr.Request
    ) -> Iterator[Any]:
        yield from listened(file or spoken, (start_s, end_s), old, request)

    def from_recording(
        spoken: str | None, start_s: float, end_s: float, old: Song | None, request: gr.Request
    ) -> Iterator[Any]:
        yield from listened(spoken, (start_s, end_s), old, request)

    def from_music(take: Any, start_s: float, end_s: float, old: Song | None, request: gr.Request) -> Iterator[Any]:
        if take is None or not take.samples_count:
            yield {panels.status: html.problem("Nothing was composed yet: press Compose on the Music tab first.")}
            return
        yield from listened(take, (start_s, end_s), old, request)

    trim = [controls.start_s, controls.end_s]
    options: dict[str, Any] = {
        "concurrency_id": jobs.CPU_QUEUE,
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    outputs = [*panels.shown(), fixes.number, fixes.taps]
    both = [controls.song, controls.recording, *trim, panels.song]
    controls.song.upload(from_file, both, outputs, **options)
    controls.again.click(from_file, both, outputs, **options)
    controls.recording.stop_recording(from_recording, [controls.recording, *trim, panels.song], outputs, **options)
    if controls.from_music is not None:
        take = shared_state("music")
        controls.from_music.click(from_music, [take, *trim, panels.song], outputs, **options)


def _wire_corrections(actions: MusicVideoActions, panels: Panels, fixes: Corrections) -> None:
    def corrector(what: str) -> Any:
        def run(song: Song | None, value: Any, clicks: bool) -> dict[Any, Any]:
            return _to_page(panels, actions.correct(song, what, value, clicks)) | {fixes.number: 0, fixes.taps: ""}

        return run

    outputs = [*panels.shown(), fixes.number, fixes.taps]
    values: dict[str, Any] = {"tap": fixes.taps, "shift": fixes.shift, "delete": fixes.number, "downbeat": fixes.number}
    for what, button in fixes.buttons.items():
        button.click(corrector(what), [panels.song, values.get(what, fixes.number), fixes.clicks], outputs, **QUIET)

    def other_sound(song: Song | None, clicks: bool) -> Any:
        return song.played(clicks) if song is not None else None

    fixes.clicks.input(other_sound, [panels.song, fixes.clicks], panels.player, **QUIET)


def _wire_making(actions: MusicVideoActions, controls: Controls, panels: Panels) -> None:
    starters = [controls.make, controls.preview]

    def runner(preview: bool) -> Any:
        def run(song: Song | None, captions: str | None, request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
            fields = dict(zip(FIELDS, values, strict=True)) | {"captions": captions}
            with temp_folders.held() as folder:
                for update in actions.make(str(request.session_hash), song, fields, preview, folder):
                    yield _to_page(panels, update)
            yield ready(starters, controls.stop)

        return run

    running: list[Any] = []
    for button, preview in ((controls.make, False), (controls.preview, True)):
        button.click(None, outputs=[*starters, controls.stop], js=busy_js(2), api_visibility="private")
        running.append(
            button.click(
                runner(preview),
                [panels.song, controls.captions, *controls.fields()],
                [*panels.shown(), *starters, controls.stop],
                concurrency_id=jobs.CPU_QUEUE,
                concurrency_limit=1,
                show_progress="hidden",
                api_visibility="private",
            )
        )
    wire_stop(actions.stops, controls.stop, panels.status, starters, running, suffix="make")
    controls.dice.click(lambda: SystemRandom().randint(0, MAX_SEED), outputs=controls.seed, **QUIET)
    if actions.registry.specs(VIDEO_TASK):
        controls.model.change(lambda key: model_card.line(actions.registry, key), controls.model, panels.shelf, **QUIET)
        controls.model.input(
            lambda key: model_card.usual(actions.registry, key, (DEFAULT_STEPS, DEFAULT_GUIDANCE)),
            controls.model,
            [controls.steps, controls.guidance],
            **QUIET,
        )


def _wire_settings(actions: MusicVideoActions, controls: Controls) -> None:
    names = tuple(name for name in FIELDS if name != "model")

    def put_back(path: str | None) -> dict[Any, Any]:
        if path is None:
            return {controls.settings_note: ""}
        try:
            values, said = actions.load_settings(path, names)
        except ValueError as error:
            return {controls.settings_note: html.problem(jobs.sentence(error))}
        page: dict[Any, Any] = {getattr(controls, name): value for name, value in values.items()}
        return page | {controls.settings_note: html.finished(said)}

    outputs = [*(getattr(controls, name) for name in names), controls.settings_note]
    controls.settings.change(put_back, controls.settings, outputs, **QUIET)


def _endpoint(actions: MusicVideoActions, controls: Controls) -> None:
    """The public endpoint `/music_video`: the finished MP4 first, then the beats."""
    with gr.Column(visible=False):
        trigger = gr.Button("Draw for a program")
        source = gr.File(label="song", type="filepath")
        captions = gr.File(label="captions", type="filepath")
        preview = gr.Checkbox(False, label="preview")
        video, beats = gr.File(label="video"), gr.JSON(label="beats")

    def music_video(
        song: str,
        prompts: str = DEFAULT_PROMPTS,
        aspect: str = "16:9",
        shorter_side: int = 720,
        reactivity: float = 1.0,
        start_s: float = 0.0,
        end_s: float = 0.0,
        title: str = "",
        artist: str = "",
        captions: str | None = None,
        preview: bool = False,
        seed: float = 7,
        steps: float = 10,
        key_clips: float = 0,
        model: str | None = None,
    ) -> Iterator[tuple[str | None, dict[str, Any] | None]]:
        """Make a music video of a song: cut and moving on its beats, with the song under it. `prompts` holds one look
        a line, for the kinds of section in their order. Returns the MP4 file and the beats with their times."""
        fields = {"prompts": prompts, "aspect": aspect, "shorter_side": shorter_side, "reactivity": reactivity}
        fields |= {"title": title, "artist": artist, "captions": captions, "preview": preview, "seed": seed}
        fields |= {"steps": steps, "key_clips": key_clips, "model": model}
        try:
            with temp_folders.held() as folder:
                for made in actions.program(song, (start_s, end_s), fields, folder):
                    yield made if made is not None else (None, None)
        except Exception as error:
            raise gr.Error(jobs.sentence(error), print_exception=False) from error

    inputs = [source, controls.prompts, controls.aspect, controls.shorter_side, controls.reactivity, controls.start_s]
    inputs += [controls.end_s, controls.title, controls.artist, captions, preview, controls.seed, controls.steps]
    trigger.click(
        music_video,
        [*inputs, controls.key_clips, controls.model],
        [video, beats],
        api_name="music_video",
        concurrency_id=jobs.CPU_QUEUE,
        show_progress="hidden",
    )
