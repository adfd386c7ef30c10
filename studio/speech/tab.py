"""The Speech tab: type, press Generate, hear it while it is made, and see how it is made."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

import gradio as gr

from models.contracts import MAX_SEED, VOCODERS
from models.registry.registry import Registry
from studio.io.recipes import RecipeError
from studio.page import html, jobs, model_card, plots
from studio.page.components import QUIET, busy_js, markup, ready, stream_player, wire_stop
from studio.page.model_picker import model_picker
from studio.speech.actions import TASK, SpeechActions
from studio.speech.take import SpeechFiles, SpeechTake

DEFAULT_SEED = 7
WELCOME = (
    "You will hear it while it is still being made, and watch the model read: which symbol of your text it attends to "
    "at every moment."
)
EXAMPLES: tuple[tuple[str, str, dict[str, float]], ...] = (
    ("A first hello", "Hello! I was made on two processor cores, and you hear me while I am still speaking.", {}),
    ("Numbers and dates", "On March 3, 2024, Dr. Smith paid $12.50 for 4 cups of tea at 7:45.", {}),
    ("A tongue twister", "She sells sea shells by the sea shore, and the shells she sells are surely sea shells.", {}),
    ("Slow and low", "The tide goes out slowly, and the harbour falls asleep.", {"speed": 0.8, "pitch": -3.0}),
    ("Quick and high", "Come on, hurry up, the last train leaves in two minutes!", {"speed": 1.35, "pitch": 3.0}),
)
NEUTRAL = {"speed": 1.0, "pitch": 0.0, "energy": 0.0}
PRESS_JS = "() => { setTimeout(() => document.querySelector('#speech-generate').click(), 60); }"
SETTINGS_TYPES = [".wav", ".mp3", ".flac", ".mp4", ".mid"]


@dataclass
class Controls:
    """What a person sets, in the order of the endpoint's parameters."""

    text: gr.Textbox
    model: gr.Dropdown
    voice: gr.Dropdown
    speed: gr.Slider
    pitch: gr.Slider
    energy: gr.Slider
    vocoder: gr.Radio
    seed: gr.Number

    def all(self) -> list[gr.components.Component]:
        """In the order of `ORDER`."""
        return [getattr(self, name) for name in ORDER]


ORDER = ("text", "model", "voice", "speed", "pitch", "energy", "vocoder", "seed")


@dataclass
class Panels:
    """What the tab shows."""

    status: gr.HTML
    sound: gr.Audio
    words: gr.HTML
    verdict: gr.HTML
    alignment: gr.HTML
    mel: gr.HTML
    notes: gr.HTML
    shelf: gr.HTML
    wav: gr.DownloadButton
    mp3: gr.DownloadButton
    srt: gr.DownloadButton
    vtt: gr.DownloadButton
    picture: gr.Button
    downloads: gr.Row
    take: gr.State


FILES = ("wav", "mp3", "srt", "vtt")


def build(registry: Registry) -> None:
    """Lay out the tab in the current Blocks and wire it."""
    actions = SpeechActions(registry)
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            with gr.Column(elem_classes=["card", "first"]):
                text, chips, generate, stop = _prompt()
            with gr.Column(elem_classes="card"):
                controls, shelf_line, dice, upload, upload_note = _controls(registry, text)
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            panels = _result(shelf_line)
    _wire_generate(actions, controls, panels, generate, stop)
    _wire_controls(actions, controls, panels, dice, upload, upload_note)
    for chip, (_, sentence, changes) in zip(chips, EXAMPLES, strict=True):
        values = NEUTRAL | changes
        chip.click(
            lambda sentence=sentence, values=values: [sentence, *values.values()],
            outputs=[controls.text, controls.speed, controls.pitch, controls.energy],
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        ).then(None, js=PRESS_JS)
    _wire_picture(panels)
    _endpoint(actions, controls)


def _prompt() -> tuple[gr.Textbox, list[gr.Button], gr.Button, gr.Button]:
    text = gr.Textbox(
        value=EXAMPLES[0][1],
        label="What should it say?",
        placeholder="Type or paste English text: a sentence, a page, a chapter.",
        lines=4,
        max_lines=14,
        elem_id="speech-text",
        elem_classes="prompt",
    )
    with gr.Row(elem_classes="actions"):
        generate = gr.Button(
            "Generate", variant="primary", scale=3, elem_id="speech-generate", elem_classes="generate-button"
        )
        stop = gr.Button("Stop", interactive=False, scale=1, elem_id="speech-stop", elem_classes="stop-button")
    markup('<div class="hint"><kbd>Ctrl</kbd> + <kbd>Enter</kbd> generates. Or try one of these:</div>')
    with gr.Row(elem_classes="chips"):
        chips = [gr.Button(name, size="sm", elem_classes="example-chip") for name, _, _ in EXAMPLES]
    return text, chips, generate, stop


def _controls(registry: Registry, text: gr.Textbox) -> tuple[Controls, gr.HTML, gr.Button, gr.File, gr.HTML]:
    model = model_picker(registry, TASK, "speech-model")
    first = str(model.value)
    voices = model_card.voices(registry, first)
    first_voice = voices[0][1] if voices else ""
    voice = gr.Dropdown(
        voices,
        value=first_voice,
        label="Voice",
        allow_custom_value=True,  # the endpoint may name a voice of another model
        visible=len(voices) > 1,
        elem_id="speech-voice",
    )
    shelf_line = markup(model_card.line(registry, first, first_voice), elem_id="speech-shelf")
    speed = gr.Slider(0.5, 2.0, 1.0, step=0.05, label="Speed", info="1 is the voice's own pace", elem_id="speech-speed")
    pitch = gr.Slider(-6, 6, 0, step=0.5, label="Pitch", info="in semitones, lower or higher", elem_id="speech-pitch")
    energy = gr.Slider(
        -10, 10, 0, step=0.5, label="Energy", info="in decibels, softer or louder", elem_id="speech-energy"
    )
    with gr.Accordion("More settings", open=False, elem_classes="more"):
        vocoder = gr.Radio(
            [("Neural", VOCODERS[0]), ("Griffin-Lim, the classic without learning", VOCODERS[1])],
            value=VOCODERS[0],
            label="Vocoder",
            info="turns the spectrogram into sound",
            elem_id="speech-vocoder",
        )
        with gr.Row(elem_classes="seed-row"):
            seed = gr.Number(
                DEFAULT_SEED,
                precision=0,
                label="Seed",
                info="the same seed gives the same sound",
                elem_id="speech-seed",
            )
            dice = gr.Button("🎲", elem_classes="dice", elem_id="speech-dice")
        upload = gr.File(
            label="Load settings from a result",
            file_types=SETTINGS_TYPES,
            type="filepath",
            height=110,
            elem_id="speech-settings",
            elem_classes="drop-settings",
        )
        upload_note = markup("", elem_id="speech-settings-note")
    controls = Controls(text, model, voice, speed, pitch, energy, vocoder, seed)
    return controls, shelf_line, dice, upload, upload_note


def _result(shelf_line: gr.HTML) -> Panels:
    status = markup(html.welcome("speech", WELCOME, html.WELCOME_WAVES), elem_id="speech-status")
    sound = stream_player("speech-player")
    words = markup("", elem_id="speech-words")
    with gr.Row(elem_classes="downloads", visible=False) as downloads:
        wav = gr.DownloadButton("WAV", size="md", interactive=False, elem_id="speech-wav")
        mp3 = gr.DownloadButton("MP3", size="md", interactive=False, elem_id="speech-mp3")
        srt = gr.DownloadButton("SRT", size="md", interactive=False, elem_id="speech-srt")
        vtt = gr.DownloadButton("VTT", size="md", interactive=False, elem_id="speech-vtt")
        picture = gr.Button("Plots", size="md", interactive=False, elem_id="speech-picture")
    verdict = markup("", elem_id="speech-verdict")
    alignment = markup("", elem_id="speech-alignment")
    mel = markup("", elem_id="speech-mel")
    notes = markup("", elem_id="speech-notes")
    take = gr.State(None, time_to_live=3600)
    return Panels(
        status, sound, words, verdict, alignment, mel, notes, shelf_line, wav, mp3, srt, vtt, picture, downloads, take
    )


def _wire_generate(
    actions: SpeechActions, controls: Controls, panels: Panels, generate: gr.Button, stop: gr.Button
) -> None:
    shown = [getattr(panels, name) for name in Panels.__dataclass_fields__]

    def run(request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
        fields = dict(zip(ORDER, values, strict=True))
        model = str(fields.pop("model"))
        fields["voice"] = actions.voice_shown(model, fields["voice"])
        for update in actions.generate(str(request.session_hash), model, fields):
            voices = update.pop("voices", None)
            page = _to_page(panels, update)
            if voices is not None:
                page[controls.voice] = _voice_update(voices, fields["voice"])
            yield page
        yield ready([generate], stop)

    generate.click(None, outputs=[generate, stop], js=busy_js(1), api_visibility="private")
    running = generate.click(
        run,
        controls.all(),
        [*shown, controls.voice, generate, stop],
        concurrency_id=jobs.CPU_QUEUE,
        concurrency_limit=1,
        show_progress="minimal",
        show_progress_on=panels.status,
        api_visibility="private",
    )
    wire_stop(actions.stops, stop, panels.status, [generate], [running])


def _voice_update(voices: list[tuple[str, str]], voice: str | None) -> Any:
    """The voices that a model turned out to have when it was loaded."""
    known = [key for _, key in voices]
    return gr.update(choices=voices, value=voice if voice in known else known[0], visible=len(voices) > 1)


def _to_page(panels: Panels, update: dict[str, Any]) -> dict[Any, Any]:
    """Named values to component updates."""
    page: dict[Any, Any] = {getattr(panels, name): value for name, value in update.items() if name not in FILES}
    for name in FILES:
        if name in update:
            path = update[name]
            page[getattr(panels, name)] = gr.update(value=path, interactive=path is not None)
    if "wav" in update:
        has_files = update["wav"] is not None
        page[panels.downloads] = gr.update(visible=has_files)
        page[panels.picture] = gr.update(interactive=has_files)
    return page


def _wire_controls(
    actions: SpeechActions, controls: Controls, panels: Panels, dice: gr.Button, upload: gr.File, upload_note: gr.HTML
) -> None:
    registry = actions.registry
    dice.click(lambda: SystemRandom().randint(0, MAX_SEED), outputs=controls.seed, **QUIET)

    def choose_model(key: str, voice: str) -> list[Any]:
        voices = model_card.voices(registry, key)
        known = [each for _, each in voices]
        chosen = voice if voice in known else (known[0] if known else "")
        return [
            gr.update(choices=voices, value=chosen, visible=len(voices) > 1),
            model_card.line(registry, key, chosen),
        ]

    controls.model.input(choose_model, [controls.model, controls.voice], [controls.voice, panels.shelf], **QUIET)
    controls.voice.input(
        lambda key, voice: model_card.line(registry, key, voice),
        [controls.model, controls.voice],
        panels.shelf,
        **QUIET,
    )

    def put_back(path: str | None) -> dict[Any, Any]:
        if path is None:
            return {upload_note: ""}
        try:
            values, sentence = actions.load_settings(path)
        except (RecipeError, ValueError) as error:
            return {upload_note: html.problem(str(error))}
        updates: dict[Any, Any] = {getattr(controls, name): value for name, value in values.items()}
        if "model" in values:
            voice_update, line = choose_model(values["model"], values["voice"])
            updates |= {controls.voice: voice_update, panels.shelf: line}
        return {**updates, upload_note: html.finished(sentence)}

    upload.change(put_back, upload, [*controls.all(), panels.shelf, upload_note], **QUIET)


def _wire_picture(panels: Panels) -> None:
    """A figure takes a second to draw, so it is drawn when someone asks for it."""
    file = gr.DownloadButton("Plots file", visible="hidden", elem_id="speech-picture-file")

    def draw(take: SpeechTake | None) -> Iterator[str | None]:
        if take is None:
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
            path = Path(folder) / "auralume-plots.png"
            pictures = [(panel.weights, panel.symbols) for panel in take.panels]
            title = " ".join(word.text for word in take.words)
            yield str(plots.save_speech_figure(path, pictures, take.mel(), take.duration_s, title))

    panels.picture.click(
        draw, panels.take, file, concurrency_id=jobs.CPU_QUEUE, show_progress="hidden", api_visibility="private"
    ).then(None, js="() => document.querySelector('#speech-picture-file')?.click()")


def _endpoint(actions: SpeechActions, controls: Controls) -> None:
    """The public endpoint `/speech`: the finished WAV first, then the report."""
    with gr.Column(visible=False):
        trigger = gr.Button("Speak")
        audio = gr.Audio(label="speech", type="filepath", interactive=False)
        captions = gr.File(label="captions (SRT)")
        report = gr.JSON(label="report")

    def speech(
        text: str,
        model: str,
        voice: str,
        speed: float,
        pitch: float,
        energy: float,
        vocoder: str,
        seed: float,
    ) -> Iterator[tuple[str | None, str | None, dict[str, Any] | None]]:
        """Speak English text. Returns the sound as a WAV file, captions as an SRT file, and a report with the word
        timings, the verdict on the alignment, notes, model, revision and seed."""
        fields = {"text": text, "voice": voice, "speed": speed, "pitch": pitch}
        fields |= {"energy": energy, "vocoder": vocoder, "seed": seed}
        files: SpeechFiles | None = None
        try:
            with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
                for step in actions.speak(model, fields, folder):
                    if step is None:
                        yield None, None, None
                    elif isinstance(step, SpeechFiles):
                        files = step
                    elif files is not None:
                        yield str(files.wav), str(files.srt), step
        except Exception as error:
            raise gr.Error(jobs.sentence(error), print_exception=False) from error

    trigger.click(
        speech,
        controls.all(),
        [audio, captions, report],
        api_name="speech",
        concurrency_id=jobs.CPU_QUEUE,
        show_progress="hidden",
    )
