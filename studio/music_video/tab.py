"""The Music Video tab: a song in, its beats seen and corrected, a look typed; a video that moves on the beat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from models.contracts import Task
from models.registry.registry import Registry
from studio.music_video.actions import MusicVideoActions
from studio.music_video.controls import (
    DEFAULT_GUIDANCE,
    DEFAULT_STEPS,
    FIELDS,
    FORMS,
    LOOKS,
    OWN_STYLE,
)
from studio.music_video.corrections import Corrections, layout_corrections
from studio.music_video.media_box import make_media_box
from studio.music_video.project_box import ProjectBox, layout_projects, wire_projects
from studio.music_video.song import Song, close
from studio.music_video.song_memory import bring_back, hold_song, lend_song
from studio.page import html, jobs, model_card
from studio.page.batch import BatchBox, layout_batch, wire_batch
from studio.page.components import QUIET, markup, shared_state
from studio.page.events import Pictures
from studio.page.examples import show_examples
from studio.page.form import Form, Result, draw_seed, endpoint, make_component
from studio.page.keeping import library_of_page, note_origin, owner_of_request
from studio.page.panels import Panels, Updates
from studio.page.steps import StepMemory, layout_steps
from studio.page.tab import Tab
from studio.page.wiring import Run, layout_settings, wire_run, wire_settings

make_component.register(make_media_box)
WELCOME = "You will see every beat that was heard, and can correct them before the video is drawn."
LINES = "Looks for one video of the song a line, those of its sections with | between them"
NOT_COMPOSED = "Nothing was composed yet: press Compose on the Music tab first."
SET_BY_PLACE = ("aspect", "shorter_side", "levelled")
BUTTONS = {"file": "MP4", "poster": "Poster", "csv": "Beats CSV", "json": "Beats JSON", "clicks": "Click track"}
ABOUT = (
    "Make a music video of a song: cut and moving on its beats, with the song under it. `prompts` holds one look a "
    "line, for the kinds of section in their order. Returns the MP4 file and the beats with their times."
)


@dataclass(frozen=True)
class SongInputs:
    """Where a song comes from, beside the file."""

    recording: gr.Audio
    again: gr.Button
    from_music: gr.Button | None


@dataclass(frozen=True)
class Makers:
    """The buttons that start and stop drawing."""

    make: gr.Button
    preview: gr.Button
    stop: gr.Button


@dataclass(frozen=True)
class Shape:
    """What stands under the song and the look: the line about the model, the boxes for settings, batches, projects."""

    card: gr.HTML
    upload: gr.File
    note: gr.HTML
    batch: BatchBox | None
    projects: ProjectBox


def build(registry: Registry) -> None:
    """Lay out the tab in the current Blocks and wire it."""
    actions, form = MusicVideoActions(registry), Form(FIELDS, registry, "mv")
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            with gr.Column(elem_classes=["card", "first"]):
                sources = _layout_song(form)
                makers = _layout_look(form)
            with gr.Column(elem_classes="card"):
                shape = _layout_shape(form)
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            steps = layout_steps("mv")
            panels, fixes = _layout_result(shape.card)
    form.make(FIELDS["storyboard"])
    form.layout_hidden()
    _wire_song(actions, form, panels, sources)
    _wire_corrections(actions, panels, fixes)
    _wire_board(actions, form, panels)
    starters: list[tuple[gr.Button, Run]] = [
        (makers.make, actions.run),
        (makers.preview, partial(actions.run, is_preview=True)),
    ]
    song = [panels.kept["song"]]
    wire_run(
        form,
        panels,
        starters,
        makers.stop,
        actions.stops,
        song,
        "make",
        prefers_inputs=True,
        steps=steps,
        source="song",
        memory=StepMemory(hold_song, bring_back),
    )
    _wire_model(form, shape.card)
    wire_projects(shape.projects, form, panels)
    wire_settings(form, shape.upload, shape.note, actions.load_settings)
    wire_batch(form, shape.batch, read_looks, "mvmake", song, lend_song)
    endpoint(
        form,
        actions.run_program,
        name="music_video",
        about=ABOUT,
        results=(Result("file", lambda: gr.File(label="video")), Result("", lambda: gr.JSON(label="beats"))),
    )


def choose_form(destination: str) -> Any:
    """Return format, size and loudness of where a video goes; nothing changes for anywhere."""
    if destination not in FORMS:
        return [gr.skip()] * len(SET_BY_PLACE)
    return [FORMS[destination][0], 1080, True]


def read_looks(line: str) -> dict[str, Any]:
    """Return the looks of a line, one for each kind of section."""
    return {"prompts": "\n".join(each.strip() for each in line.split("|") if each.strip())}


def _layout_song(form: Form) -> SongInputs:
    form.layout("song")
    from_music = None
    if form.registry.default(Task.MUSIC) is not None:
        from_music = gr.Button("Use the piece from the Music tab", size="sm", elem_id="mv-from-music")
    with gr.Accordion("Record or trim", open=False, elem_classes="more"):
        recording = gr.Audio(sources=["microphone"], type="filepath", label="Record", elem_id="mv-record", buttons=[])
        form.layout("trim")
        again = gr.Button("Listen again", size="sm", elem_id="mv-again")
    return SongInputs(recording, again, from_music)


def _layout_look(form: Form) -> Makers:
    form.make(FIELDS["media"])
    form.layout("media")
    with gr.Accordion("A style of your own, and how strongly", open=False, elem_classes="more"):
        form.layout("paint")
    form["style_file"].upload(lambda style: style or OWN_STYLE, form["style"], form["style"], **QUIET)
    form.layout("look")
    with gr.Row(elem_classes="chips"):
        for name, text in LOOKS:
            gr.Button(name, size="sm").click(lambda text=text: text, outputs=form["prompts"], **QUIET)
    with gr.Row(elem_classes="actions"):
        make = gr.Button(
            "Make the video", variant="primary", scale=3, elem_id="mv-make", elem_classes="generate-button"
        )
        stop = gr.Button("Stop", interactive=False, scale=1, elem_id="mv-stop", elem_classes="stop-button")
    preview = gr.Button("Preview the first 10 seconds", elem_id="mv-preview")
    return Makers(make, preview, stop)


def _layout_shape(form: Form) -> Shape:
    form.layout("shape")
    with gr.Accordion("Lyrics, cards, and where it goes", open=False, elem_classes="more"):
        form.layout("finish")
        gr.Button("Tap the lyrics", size="sm", elem_id="mv-tap-lyrics")
        markup('<p id="mv-tapper" role="status"><b></b> <span></span></p>')
    with gr.Accordion("More settings", open=False, elem_classes="more"):
        form.layout("more")
        form.layout_seed()
        upload, note = layout_settings("mv", (".mp4",))
    form["destination"].input(choose_form, form["destination"], [form[name] for name in SET_BY_PLACE], **QUIET)
    projects = layout_projects()
    batch = layout_batch(form, "prompts, template, aspect", LINES)
    if form.registry.default(Task.VIDEO) is not None:
        form.layout("model")
        card = markup(model_card.line(form.registry, str(form["model"].value)), elem_id="mv-shelf")
    else:
        form.stand_in("model", gr.Dropdown([], label="Video model", visible=False, elem_id="mv-model"))
        card = markup("", elem_id="mv-shelf")
    return Shape(card, upload, note, batch, projects)


def _layout_result(card: gr.HTML) -> tuple[Panels, Corrections]:
    status = markup(html.welcome("music video", WELCOME, html.WELCOME_WAVES, show_examples("mv")), elem_id="mv-status")
    picture = markup("", elem_id="mv-picture")
    video = gr.Video(label="Video", show_label=False, interactive=False, visible=False, elem_id="mv-video", height=420)
    with gr.Row(elem_classes="downloads", visible=False) as downloads:
        files: dict[str, Any] = {
            name: gr.DownloadButton(title, size="md", interactive=False, elem_id=f"mv-{name}")
            for name, title in BUTTONS.items()
        }
    with gr.Column(visible=False, elem_id="mv-beats") as beats:
        plot = markup("", elem_id="mv-plot")
        player = gr.Audio(
            show_label=False, interactive=False, buttons=[], container=False, elem_id="mv-player",
            elem_classes="player", waveform_options=gr.WaveformOptions(show_recording_waveform=False),
        )  # fmt: skip
        fixes = layout_corrections()
        board = markup("", elem_id="mv-board")
    notes = markup("", elem_id="mv-notes")
    song = gr.State(None, time_to_live=3600, delete_callback=close)
    panels = Panels(
        status=status,
        pictures={"picture": picture, "plot": plot, "notes": notes, "shelf": card, "board": board},
        files=files | {"video": video, "player": player},
        kept={"song": song, "beat": fixes.number, "taps": fixes.taps},
        areas={"song": (beats, downloads)},
    )
    return panels, fixes


def _wire_song(actions: MusicVideoActions, form: Form, panels: Panels, sources: SongInputs) -> None:
    """Find the beats of a song from a file, the microphone, or the Music tab at once."""
    library = library_of_page()

    outputs = [*panels.components, form["song"]]

    def listener(choose: Callable[..., Any], is_file: bool = False) -> Callable[..., Iterator[Updates]]:
        def listen(request: gr.Request, start_s: float, end_s: float, old: Song | None, *given: Any) -> Any:
            source = choose(*given)
            if source is None:
                yield {panels.status: gr.skip()}
                return
            box: Updates = {} if is_file else {form["song"]: None}  # it names what is loaded
            for events in actions.listen(f"{request.session_hash}listen", source, (start_s, end_s), old):
                note_origin(library, owner_of_request(request), events, source)
                yield {**box, **panels.show(events)}
                box = {}

        return listen

    def composed(take: Any, start_s: float, end_s: float, old: Song | None, request: gr.Request) -> Iterator[Updates]:
        if take is None or not take.samples_count:
            yield {panels.status: html.problem(NOT_COMPOSED)}
            return
        yield from listener(lambda: take)(request, start_s, end_s, old)

    rest = [form["start_s"], form["end_s"], panels.kept["song"]]
    options: dict[str, Any] = {
        "show_progress": "hidden",
        "api_visibility": "private",
        **jobs.queue_of("mv-song"),
    }
    of_either = listener(lambda file, spoken: file or spoken, is_file=True)
    given = [*rest, form["song"], sources.recording]
    form["song"].upload(of_either, given, outputs, **options)
    sources.again.click(of_either, given, outputs, **options)
    sources.recording.stop_recording(listener(lambda spoken: spoken), [*rest, sources.recording], outputs, **options)
    if sources.from_music is not None:
        sources.from_music.click(composed, [shared_state("music"), *rest], outputs, **options)


def _wire_corrections(actions: MusicVideoActions, panels: Panels, fixes: Corrections) -> None:
    song, library = panels.kept["song"], library_of_page()

    def corrector(what: str) -> Callable[[Song | None, Any, bool], Updates]:
        def correct(old: Song | None, value: Any, clicks: bool) -> Updates:
            events = actions.correct(old, what, value, clicks)
            note_origin(library, "", events, old)
            return {fixes.number: 0, fixes.taps: "", **panels.show(events)}

        return correct

    values: dict[str, Any] = {"tap": fixes.taps, "shift": fixes.shift, "delete": fixes.number, "downbeat": fixes.number}
    for what, button in fixes.buttons.items():
        inputs = [song, values.get(what, fixes.number), fixes.clicks]
        button.click(corrector(what), inputs, panels.components, **QUIET)

    def other_sound(song: Song | None, clicks: bool) -> Any:
        return song.played(clicks) if song is not None else None

    fixes.clicks.input(other_sound, [song, fixes.clicks], panels.files["player"], **QUIET)


def _wire_board(actions: MusicVideoActions, form: Form, panels: Panels) -> None:
    """Arrange the shots whenever there is another song, other photos and clips, or another format."""
    song, board = panels.kept["song"], panels.pictures["board"]
    anew = gr.Button("Arrange anew", visible="hidden", elem_id="mv-arrange")
    usual = gr.Button("Arrange", visible="hidden", elem_id="mv-arrange-usual")

    def arrange(song: Song | None, *row: Any, is_anew: bool = False) -> str:
        values = form.values(row)
        if is_anew:
            values |= {"storyboard": "", "seed": draw_seed()}
        events = actions.arrange(values, song)
        return next(each.html["board"] for each in events if isinstance(each, Pictures))

    inputs = [song, *form.components]
    changed = [form[name].input for name in ("media_order", "scene", "aspect", "destination")]
    gr.on([song.change, usual.click, form["media"].change, *changed], arrange, inputs, board, **QUIET)
    anew.click(partial(arrange, is_anew=True), inputs, board, **QUIET)
    form["storyboard"].change(None, js="() => { window.auralumeBoard?.sync(); }")


def _wire_model(form: Form, card: gr.HTML) -> None:
    registry, model = form.registry, form["model"]
    if registry.default(Task.VIDEO) is None:
        return
    model.change(lambda key: model_card.line(registry, key), model, card, **QUIET)
    model.input(
        lambda key: model_card.usual(registry, key, (DEFAULT_STEPS, DEFAULT_GUIDANCE)),
        model,
        [form["steps"], form["guidance"]],
        **QUIET,
    )


TAB = Tab("Music Video", (Task.BEATS,), build)
