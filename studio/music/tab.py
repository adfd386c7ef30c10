"""The Music tab: pick a mood, press Compose, hear it while it is written, and change what you dislike."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from random import SystemRandom
from typing import Any

import gradio as gr

from models.contracts import MAX_SEED
from models.music.contracts import IDEAS
from models.registry.registry import Registry
from studio.io.recipes import RecipeError
from studio.music.actions import FILES, IDEA_NAMES, MusicActions
from studio.music.controls import ORDER, Buttons, Controls, make
from studio.music.take import MusicFiles, MusicTake
from studio.page import html, jobs, model_card
from studio.page.components import QUIET, busy_js, markup, ready, shared_state, stream_player, wire_stop
from studio.page.instruments import MOODS, OPEN

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
WELCOME = (
    "You will hear the first bars while the next are being composed, and see every note in a piano roll, coloured by "
    "instrument."
)


@dataclass
class Panels:
    """What the tab shows."""

    status: gr.HTML
    sound: gr.Audio
    roll: gr.HTML
    notes: gr.HTML
    shelf: gr.HTML
    wav: gr.DownloadButton
    midi: gr.DownloadButton
    mp3: gr.DownloadButton
    downloads: gr.Row
    ideas: gr.Column
    idea_players: list[gr.Audio]
    idea_buttons: list[gr.Button]
    takes: gr.State
    current: gr.State

    def shown(self) -> list[Any]:
        """Everything that a generation may change."""
        single = [self.status, self.sound, self.roll, self.notes, self.shelf, self.wav, self.midi, self.mp3]
        return [*single, self.downloads, self.ideas, *self.idea_players, self.takes, self.current]


def build(registry: Registry) -> None:
    """Lay out the tab in the current Blocks and wire it."""
    actions = MusicActions(registry)
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            controls, buttons, shelf_line, dice, settings, settings_note = make(registry)
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            panels = _result(shelf_line, bool(registry.specs("beats")))
    _wire_actions(actions, controls, panels, buttons)
    _wire_ideas(actions, controls, panels)
    _wire_controls(actions, controls, panels, dice, settings, settings_note)
    moods = [getattr(controls, name) for name in OPEN]
    for button, (_, changes) in zip(buttons.moods, MOODS, strict=True):
        values = list((OPEN | changes).values())
        button.click(lambda values=values: values, outputs=moods, **QUIET).then(None, js=PRESS_JS)
    _endpoint(actions, controls)


def _result(shelf_line: gr.HTML, onward: bool) -> Panels:
    """onward: whether there is a Music Video tab that can take the piece."""
    status = markup(html.welcome("music", WELCOME, html.WELCOME_WAVES), elem_id="music-status")
    sound = stream_player("music-player")
    with gr.Row(elem_classes="downloads", visible=False) as downloads:
        wav = gr.DownloadButton("WAV", size="md", interactive=False, elem_id="music-wav")
        midi = gr.DownloadButton("MIDI", size="md", interactive=False, elem_id="music-midi")
        mp3 = gr.DownloadButton("MP3", size="md", interactive=False, elem_id="music-mp3")
        if onward:
            film = gr.Button("Music video →", size="md", elem_id="music-to-video")
            film.click(None, js=TO_VIDEO_JS, api_visibility="private")
    roll = markup("", elem_id="music-roll")
    with gr.Column(visible=False, elem_id="music-idea-list") as ideas:
        players, buttons = [], []
        for number in range(1, IDEAS + 1):
            with gr.Row(elem_classes="idea"):
                players.append(
                    gr.Audio(
                        label=f"Idea {number}", interactive=False, buttons=[], scale=4, elem_id=f"music-idea-{number}"
                    )
                )
                buttons.append(gr.Button("Take this one", scale=1, min_width=110, elem_id=f"music-take-{number}"))
    notes = markup("", elem_id="music-notes")
    takes, current = gr.State(None, time_to_live=3600), shared_state("music")
    return Panels(
        status, sound, roll, notes, shelf_line, wav, midi, mp3, downloads, ideas, players, buttons, takes, current
    )


def _to_page(panels: Panels, update: dict[str, Any]) -> dict[Any, Any]:
    """Named values to component updates."""
    page: dict[Any, Any] = {}
    for name, value in update.items():
        if name in IDEA_NAMES:
            page[panels.idea_players[IDEA_NAMES.index(name)]] = value
        elif name in FILES:
            page[getattr(panels, name)] = gr.update(value=value, interactive=value is not None)
        else:
            page[getattr(panels, name)] = value
    if "wav" in update:
        page[panels.downloads] = gr.update(visible=update["wav"] is not None)
    if update.get(IDEA_NAMES[0]) or update.get(FILES[0], "") is None:
        page[panels.ideas] = gr.update(visible=bool(update.get(IDEA_NAMES[0])))
    if update.get("takes"):
        page[panels.current] = update["takes"][0]
    return page


def _wire_actions(actions: MusicActions, controls: Controls, panels: Panels, buttons: Buttons) -> None:
    starters = list(buttons.actions().values())

    def runner(action: str) -> Any:
        def run(current: MusicTake | None, request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
            fields = dict(zip(ORDER, values, strict=True))
            model, upload = str(fields.pop("model")), fields.pop("midi_file")
            for update in actions.generate(str(request.session_hash), model, action, fields, upload, current):
                yield _to_page(panels, update)
            yield ready(starters, buttons.stop)

        return run

    running: list[Any] = []
    for action, button in buttons.actions().items():
        button.click(None, outputs=buttons.all(), js=busy_js(len(buttons.actions())), api_visibility="private")
        running.append(
            button.click(
                runner(action),
                [panels.current, *controls.all()],
                [*panels.shown(), *buttons.all()],
                concurrency_id=jobs.CPU_QUEUE,
                concurrency_limit=1,
                show_progress="minimal",
                show_progress_on=panels.status,
                api_visibility="private",
            )
        )

    wire_stop(actions.stops, buttons.stop, panels.status, starters, running)


def _wire_ideas(actions: MusicActions, controls: Controls, panels: Panels) -> None:
    for number, button in enumerate(panels.idea_buttons):

        def take(takes: list[MusicTake] | None, probability: bool, number: int = number) -> Iterator[dict[Any, Any]]:
            for update in actions.choose(takes, number, probability):
                yield _to_page(panels, update) | {panels.ideas: gr.update(visible=True)}

        button.click(
            take,
            [panels.takes, controls.probability],
            panels.shown(),
            concurrency_id=jobs.CPU_QUEUE,
            show_progress="hidden",
            api_visibility="private",
        )


def _wire_controls(
    actions: MusicActions, controls: Controls, panels: Panels, dice: gr.Button, settings: gr.File, note: gr.HTML
) -> None:
    dice.click(lambda: SystemRandom().randint(0, MAX_SEED), outputs=controls.seed, **QUIET)

    def choose_model(key: str) -> list[Any]:
        return [
            model_card.line(actions.registry, key),
            gr.update(visible=model_card.makes_sound(actions.registry, key)),
        ]

    controls.model.change(choose_model, controls.model, [panels.shelf, controls.prompt], **QUIET)

    def put_back(path: str | None) -> dict[Any, Any]:
        if path is None:
            return {note: ""}
        try:
            values, sentence = actions.load_settings(path)
        except (RecipeError, ValueError) as error:
            return {note: html.problem(str(error))}
        updates: dict[Any, Any] = {getattr(controls, name): value for name, value in values.items()}
        return {**updates, note: html.finished(sentence)}

    kept = [getattr(controls, name) for name in ORDER if name not in ("midi_file", "probability")]
    settings.change(put_back, settings, [*kept, note], **QUIET)


def _endpoint(actions: MusicActions, controls: Controls) -> None:
    """The public endpoint `/music`: the finished WAV first, then the MIDI file, then the report."""
    with gr.Column(visible=False):
        trigger = gr.Button("Compose for a program")
        action = gr.Textbox("compose", label="action")
        sound = gr.Audio(label="music", type="filepath", interactive=False)
        midi = gr.File(label="MIDI")
        report = gr.JSON(label="report")

    def music(
        style: str,
        key: str,
        tempo: float,
        bars: float,
        meter: str,
        instruments: list[int],
        drums: str,
        density: float,
        register: float,
        temperature: float,
        top_p: float,
        repetition: float,
        seed: float,
        first_bar: float,
        last_bar: float,
        probability: bool,
        model: str,
        midi_file: str | None,
        prompt: str,
        action: str,
    ) -> Iterator[tuple[str | None, str | None, dict[str, Any] | None]]:
        """Compose music. Returns the sound as a WAV file, the notes as a MIDI file, and a report. With `midi_file` and
        `action` "continue", "rewrite", "harmonise" or "perform" it goes on from that file; "ideas" gives the first.
        A model that makes sound and no notes is asked for `prompt`, and its MIDI file is empty (None)."""
        fields: dict[str, Any] = {"style": style, "key": key, "tempo": tempo, "bars": bars, "meter": meter}
        fields |= {"instruments": instruments, "drums": drums, "density": density, "register": register}
        fields |= {"temperature": temperature, "top_p": top_p, "repetition": repetition, "seed": seed}
        fields |= {"first_bar": first_bar, "last_bar": last_bar, "probability": probability, "prompt": prompt}
        files: MusicFiles | None = None
        try:
            with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
                for step in actions.compose(model, action, fields, midi_file, folder):
                    if step is None:
                        yield None, None, None
                    elif isinstance(step, MusicFiles):
                        files = step
                    elif files is not None:
                        yield str(files.wav), str(files.midi) if files.midi else None, step
        except Exception as error:
            raise gr.Error(jobs.sentence(error), print_exception=False) from error

    trigger.click(
        music,
        [*controls.all(), action],
        [sound, midi, report],
        api_name="music",
        concurrency_id=jobs.CPU_QUEUE,
        show_progress="hidden",
    )
