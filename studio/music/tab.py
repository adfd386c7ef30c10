"""The Music tab: pick a mood, press Compose, hear it while it is written, and change what you dislike."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

import gradio as gr

from models.contracts import Task
from models.music.contracts import IDEAS
from models.registry.registry import Registry
from studio.music.actions import IDEA_NAMES, ROLL_NAMES, MusicActions
from studio.music.controls import FIELDS, OWN
from studio.music.roll_actions import RollActions
from studio.music.take import FILES, ON_DEMAND, SOUND, MusicTake
from studio.music.words import layout_words, read_line, wire_words
from studio.page import html, jobs, model_card
from studio.page.batch import BatchBox, layout_batch, wire_batch
from studio.page.components import QUIET, markup, shared_state, stream_player
from studio.page.events import Events, Problem, Status
from studio.page.examples import show_examples
from studio.page.form import Form, Result, endpoint
from studio.page.instruments import MOODS, OPEN
from studio.page.panels import Panels, Updates
from studio.page.tab import Tab
from studio.page.wiring import Run, layout_settings, wire_run, wire_settings

PRESS_JS = "() => { setTimeout(() => document.querySelector('#music-compose').click(), 60); }"
TO_VIDEO_JS = """() => {
  const found = (selector) => Array.from(document.querySelectorAll(selector))
    .find((each) => each.textContent.trim() === "Music Video");
  (found("button[role=tab]") ?? found(".overflow-dropdown button"))?.click();
  const press = (tries) => {
    const take = document.querySelector("#mv-from-music");
    if (take) take.click(); else if (tries) setTimeout(() => press(tries - 1), 200);
  };
  setTimeout(() => press(100), 300);
}"""
MESSAGE_JS = "(_message, ...others) => [window.auralumeRoll.message(), ...others]"
WELCOME = (
    "You will hear the first bars while the next are being composed, and see every note in a piano roll, coloured by "
    "instrument."
)
FROM_ROLL = ("continue", "rewrite", "vary", "versions")
DOWNLOAD_LABELS = {"score": "Sheet music"}
SETTINGS_TYPES = (".wav", ".mp3", ".mid")
ABOUT = (
    "Compose music. Returns the sound as a WAV file, the notes as a MIDI file, and a report. With `midi_file` and "
    '`action` "continue", "rewrite", "harmonise" or "perform" it goes on from that file; "ideas" gives the first. '
    "A model that makes sound and no notes is asked for `prompt`, and its MIDI file is empty (None)."
)


def build(registry: Registry) -> None:
    """Lay out the tab in the current Blocks and wire it."""
    actions, form = MusicActions(registry), Form(FIELDS, registry, "music")
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            with gr.Column(elem_classes=["card", "first"]):
                moods, described, starters, stop = _layout_start(form)
            with gr.Column(elem_classes="card"):
                upload, note, card, batch = _layout_controls(form)
            with gr.Column(elem_classes="card"):
                starters |= _layout_piece(form)
            form.layout_hidden()
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            panels, buttons, exports = _layout_result(card, registry.default(Task.BEATS) is not None)
    roll = RollActions(registry, actions.stops)
    listen = starters.pop("listen")
    runs = [(button, _run_action(actions, action)) for action, button in starters.items()]
    runs.append((listen, _run_listening(actions)))
    runs += [(button, _run_action(actions, action, True)) for action, button in _layout_roll_buttons().items()]
    runs += [(exports[name], _run_export(getattr(roll, name))) for name in ("keep", "split", "engrave")]
    new = [starters[action] for action in ("compose", "ideas")]
    wire_run(form, panels, runs, stop, actions.stops, [panels.kept["current"]], fresh=new)
    _wire_ideas(actions, form, panels, buttons)
    _wire_roll(roll, form, panels)
    _wire_moods(form, moods)
    wire_words(form, *described)
    wire_batch(form, batch, read_line)
    _wire_model(form, card)
    wire_settings(form, upload, note, actions.load_settings)
    endpoint(
        form,
        actions.run_program,
        name="music",
        about=ABOUT,
        results=(
            Result("wav", lambda: gr.Audio(label="music", type="filepath", interactive=False)),
            Result("midi", lambda: gr.File(label="MIDI")),
            Result("", lambda: gr.JSON(label="report")),
        ),
    )


def _layout_start(
    form: Form,
) -> tuple[list[gr.Button], tuple[gr.Textbox, gr.Button, gr.HTML], dict[str, gr.Button], gr.Button]:
    markup('<div class="hint">Pick a mood; it is composed at once. Then change what you like.</div>')
    with gr.Row(elem_classes="chips"):
        moods = [gr.Button(name, size="sm", elem_classes="example-chip") for name, _ in MOODS]
    described = layout_words()
    with gr.Row(elem_classes="actions"):
        compose = gr.Button(
            "Compose", variant="primary", scale=3, min_width=110, elem_id="music-compose",
            elem_classes="generate-button",
        )  # fmt: skip
        ideas = gr.Button("Four ideas", scale=2, min_width=90, elem_id="music-ideas")
        stop = gr.Button(
            "Stop", interactive=False, scale=1, min_width=70, elem_id="music-stop", elem_classes="stop-button"
        )
    form.layout("bars")
    return moods, described, {"compose": compose, "ideas": ideas}, stop


def _layout_controls(form: Form) -> tuple[gr.File, gr.HTML, gr.HTML, BatchBox | None]:
    form.layout("model")
    form.layout("main")
    with gr.Accordion("More settings", open=False, elem_classes="more"):
        form.layout("more")
        form.layout_seed()
        upload, note = layout_settings("music", SETTINGS_TYPES)
    batch = layout_batch(form, "style, key, tempo")
    card = markup(model_card.line(form.registry, str(form["model"].value)), elem_id="music-shelf")
    return upload, note, card, batch


def _layout_piece(form: Form) -> dict[str, gr.Button]:
    markup('<div class="hint"><b>Go on from a piece:</b> the one on this page, or your own MIDI file.</div>')
    form.layout("melody")
    listen = gr.Button("Write the melody down", elem_id="music-listen")
    form.layout("piece")
    with gr.Row(elem_classes="actions"):
        onward = gr.Button("Continue", min_width=90, elem_id="music-continue")
        harmonise = gr.Button("Harmonise", min_width=90, elem_id="music-harmonise")
        perform = gr.Button("Change key, tempo", min_width=90, elem_id="music-perform")
    with gr.Row(elem_classes="actions"):
        form.layout("rewritten")
        rewrite = gr.Button("Rewrite bars", min_width=90, elem_id="music-rewrite")
    made = {"continue": onward, "rewrite": rewrite, "harmonise": harmonise, "perform": perform}
    return made | {"listen": listen}


def _layout_roll_buttons() -> dict[str, gr.Button]:
    """Make, unseen, the buttons that the roll's script presses for the bars that are chosen there."""
    return {action: gr.Button(action, elem_id=f"roll-{action}", elem_classes="unseen") for action in FROM_ROLL}


def _layout_result(card: gr.HTML, onward: bool) -> tuple[Panels, list[gr.Button], dict[str, gr.Button]]:
    """Lay out what is made.

    Args:
        onward: whether there is a Music Video tab that can take the piece.
    """
    status = markup(html.welcome("music", WELCOME, html.WELCOME_WAVES, show_examples("music")), elem_id="music-status")
    sound = stream_player("music-player")
    with gr.Row(elem_classes="downloads", visible=False) as downloads:
        files: dict[str, Any] = {
            name: gr.DownloadButton(
                DOWNLOAD_LABELS.get(name, name.upper()),
                size="md",
                interactive=name in ON_DEMAND,
                visible=name not in ON_DEMAND,
                elem_id=f"music-{name}",
            )
            for name in FILES
        }
        exports = {
            "split": gr.Button("Make stems", size="md", elem_id="music-split"),
            "engrave": gr.Button("Make sheet music", size="md", elem_id="music-engrave"),
            "keep": gr.Button("Keep this version", size="md", elem_id="music-keep"),
        }
        if onward:
            film = gr.Button("Music video →", size="md", elem_id="music-to-video")
            film.click(None, js=TO_VIDEO_JS, api_visibility="private")
    files[SOUND] = gr.File(visible="hidden", elem_id="music-sound")
    roll = markup("", elem_id="music-roll")
    with gr.Column(visible=False, elem_id="music-idea-list") as ideas:
        chosen = markup("", elem_id="music-chosen")
        rows, buttons, small = [], [], []
        with gr.Row(elem_classes="ideas"):
            for number in range(1, IDEAS + 1):
                with gr.Column(elem_classes="idea", min_width=220, elem_id=f"music-card-{number}") as row:
                    small.append(markup("", elem_id=f"music-small-{number}"))
                    files[IDEA_NAMES[number - 1]] = gr.Audio(
                        label=f"{number}", interactive=False, buttons=[], elem_id=f"music-idea-{number}"
                    )
                    buttons.append(gr.Button("Take this one", min_width=110, elem_id=f"music-take-{number}"))
                rows.append(row)
    notes = markup("", elem_id="music-notes")
    panels = Panels(
        status=status,
        sound=sound,
        pictures={"roll": roll, "notes": notes, "shelf": card, "chosen": chosen}
        | dict(zip(ROLL_NAMES, small, strict=True)),
        files=files,
        optional=ON_DEMAND,
        downloads=downloads,
        kept={"takes": gr.State(None, time_to_live=3600), "current": shared_state("music")},
        areas={name: (part,) for name, part in zip(IDEA_NAMES, (ideas, *rows[1:]), strict=True)},
    )
    return panels, buttons, exports


def _run_action(actions: MusicActions, action: str, from_page: bool = False) -> Run:
    """Return what runs an action; `from_page`: on the page's piece, whatever file is given beside it."""

    def run(session: str, key: str, values: Mapping[str, Any], current: MusicTake | None) -> Generator[Events]:
        changes = {"action": action} | ({"midi_file": None, "melody": None} if from_page else {})
        return actions.run(session, key, {**values, **changes}, current)

    return run


def _run_listening(actions: MusicActions) -> Run:
    def run(session: str, key: str, values: Mapping[str, Any], _current: MusicTake | None) -> Generator[Events]:
        if not values.get("melody"):
            yield (Problem("Record a melody first, or drop a recording above."),)
            return
        yield (Status(html.status("Listening to the melody")),)
        own = {"action": "perform", "midi_file": None, "key": OWN, "meter": OWN}
        yield from actions.run(session, key, {**values, **own})

    return run


def _run_export(export: Callable[[str, MusicTake | None], Generator[Events]]) -> Run:
    def run(session: str, _key: str, _values: Mapping[str, Any], current: MusicTake | None) -> Generator[Events]:
        return export(session, current)

    return run


def _wire_roll(roll: RollActions, form: Form, panels: Panels) -> None:
    """Let the roll's script send what is done there."""
    message = gr.Textbox(visible=False)
    send = gr.Button("Send", elem_id="roll-send", elem_classes="unseen")

    def edit(request: gr.Request, text: str, current: MusicTake | None, probability: bool) -> Iterator[Updates]:
        yield from map(panels.show, roll.edit(str(request.session_hash), text, current, probability))

    send.click(
        edit,
        [message, panels.kept["current"], form["probability"]],
        panels.components,
        js=MESSAGE_JS,
        show_progress="hidden",
        api_visibility="private",
        trigger_mode="multiple",
        **jobs.queue_of("music-roll"),
    )


def _wire_ideas(actions: MusicActions, form: Form, panels: Panels, buttons: list[gr.Button]) -> None:
    for number, button in enumerate(buttons):

        def take(takes: list[MusicTake] | None, probability: bool, number: int = number) -> Iterator[Updates]:
            yield from map(panels.show, actions.choose(takes, number, probability))

        button.click(
            take,
            [panels.kept["takes"], form["probability"]],
            panels.components,
            show_progress="hidden",
            api_visibility="private",
            **jobs.queue_of("music-idea"),
        )


def _wire_moods(form: Form, moods: list[gr.Button]) -> None:
    """Let a mood set its controls, and press Compose."""
    outputs = [form[name] for name in OPEN]
    for button, (_, changes) in zip(moods, MOODS, strict=True):
        values = list((OPEN | changes).values())
        button.click(lambda values=values: values, outputs=outputs, **QUIET).then(None, js=PRESS_JS)


def _wire_model(form: Form, card: gr.HTML) -> None:
    """Let the card, and the description for models that take one, follow the model."""

    def choose_model(key: str) -> list[Any]:
        return [
            model_card.line(form.registry, key),
            gr.update(visible=model_card.makes_sound(form.registry, key)),
            *[gr.update(visible=model_card.sings(form.registry, key))] * 2,
        ]

    shown = [card, form["prompt"], form["lyrics"], form["vocal_language"]]
    form["model"].change(choose_model, form["model"], shown, **QUIET)


TAB = Tab("Music", (Task.MUSIC,), build)
