"""The Speech tab: type, press Generate, hear it while it is made, and see how it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.routing import Route

from models.contracts import Task
from models.registry.registry import Registry
from studio.io import temp_folders
from studio.page import html, jobs, model_card, plots
from studio.page.batch import layout_batch, wire_batch
from studio.page.components import QUIET, markup, stream_player
from studio.page.examples import show_examples
from studio.page.form import Form, Result, endpoint
from studio.page.panels import Panels, Updates
from studio.page.steps import layout_steps
from studio.page.tab import Tab
from studio.page.wiring import layout_settings, wire_run, wire_settings
from studio.speech import book_routes, openai_route
from studio.speech.actions import SpeechActions, preview_words
from studio.speech.book_page import build_books
from studio.speech.controls import EXAMPLES, FIELDS
from studio.speech.take import FILES, SpeechTake

WELCOME = (
    "You will hear it while it is still being made, and watch the model read: which symbol of your text it attends to "
    "at every moment."
)
SHORT_CHARACTERS = 400  # half a minute of speech
NEUTRAL = {"speed": 1.0, "pitch": 0.0, "energy": 0.0}
PRESS_JS = "() => { setTimeout(() => document.querySelector('#speech-generate').click(), 60); }"
SETTINGS_TYPES = (".wav", ".mp3", ".flac", ".mp4", ".mid")
PICTURES = ("words", "verdict", "alignment", "mel", "notes", "shelf")
ABOUT = (
    "Speak English text. Returns the sound as a WAV file, captions as an SRT file, and a report with the word timings, "
    "the verdict on the alignment, notes, model, revision and seed."
)


def build(registry: Registry) -> None:
    """Lay out the tab in the current Blocks and wire it."""
    actions, form = SpeechActions(registry), Form(FIELDS, registry, "speech")
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            with gr.Column(elem_classes=["card", "first"]):
                generate, stop, chips = _layout_text(form)
            with gr.Column(elem_classes="card"):
                card, upload, note = _layout_controls(form)
                batch = layout_batch(form, "text, voice, speed")
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            steps = layout_steps("speech")
            panels = _layout_result(form, card)
    _wire_model(form, card)
    wire_run(form, panels, [(generate, actions.run)], stop, actions.stops, is_quick=is_short, steps=steps)
    _wire_examples(form, chips)
    wire_settings(form, upload, note, actions.load_settings)
    wire_batch(form, batch, lambda line: {"text": line})
    endpoint(
        form,
        actions.run_program,
        name="speech",
        about=ABOUT,
        results=(
            Result("wav", lambda: gr.Audio(label="speech", type="filepath", interactive=False)),
            Result("srt", lambda: gr.File(label="captions (SRT)")),
            Result("", lambda: gr.JSON(label="report")),
        ),
    )
    build_books(registry)


def is_short(values: Mapping[str, Any]) -> bool:
    """Tell whether a text is spoken in a moment."""
    return len(str(values.get("text") or "")) <= SHORT_CHARACTERS


def _layout_text(form: Form) -> tuple[gr.Button, gr.Button, list[gr.Button]]:
    form.layout("text")
    with gr.Row(elem_classes="actions"):
        generate = gr.Button(
            "Generate", variant="primary", scale=3, elem_id="speech-generate", elem_classes="generate-button"
        )
        stop = gr.Button("Stop", interactive=False, scale=1, elem_id="speech-stop", elem_classes="stop-button")
    markup(f'<div class="hint">{html.GENERATE_KEYS}Try one of these:</div>')
    with gr.Row(elem_classes="chips"):
        chips = [gr.Button(name, size="sm", elem_classes="example-chip") for name, _, _ in EXAMPLES]
    return generate, stop, chips


def _layout_controls(form: Form) -> tuple[gr.HTML, gr.File, gr.HTML]:
    form.layout("model")
    key, voice = str(form["model"].value), str(form["voice"].value or "")
    form["voice"].visible = len(form["voice"].choices) > 1
    form["second_voice"].visible = len(form["second_voice"].choices) > 1
    form["blend"].visible = False
    card = markup(model_card.line(form.registry, key, voice), elem_id="speech-shelf")
    form.layout("main")
    with gr.Accordion("Dictionary", open=False, elem_classes="more"):
        form.layout("words")
    with gr.Accordion("How it will be read", open=False, elem_classes="more") as reading:
        preview = markup("", elem_id="speech-preview")
    _wire_preview(form, reading, preview)
    with gr.Accordion("More settings", open=False, elem_classes="more"):
        form.layout("more")
        form.layout_seed()
        upload, note = layout_settings("speech", SETTINGS_TYPES)
    return card, upload, note


def _layout_result(form: Form, card: gr.HTML) -> Panels:
    status = markup(
        html.welcome("speech", WELCOME, html.WELCOME_WAVES, show_examples("speech")), elem_id="speech-status"
    )
    sound = stream_player("speech-player")
    pictures = {"words": markup("", elem_id="speech-words")}
    with gr.Row(elem_classes="downloads", visible=False) as downloads:
        files = {
            name: gr.DownloadButton(name.upper(), size="md", interactive=False, elem_id=f"speech-{name}")
            for name in FILES
        }
        plot = gr.Button("Plots", size="md", elem_id="speech-picture")
    pictures |= {name: markup("", elem_id=f"speech-{name}") for name in PICTURES[1:-1]}
    take = gr.State(None, time_to_live=3600)
    _wire_plots(plot, take)
    return Panels(
        status=status,
        sound=sound,
        sound_file="wav",
        pictures=pictures | {"shelf": card},
        files=files,
        downloads=downloads,
        kept={"take": take},
        controls={"voice": form["voice"]},
    )


def _wire_examples(form: Form, chips: list[gr.Button]) -> None:
    for chip, (_, sentence, changes) in zip(chips, EXAMPLES, strict=True):
        values = {"text": sentence} | NEUTRAL | changes
        chip.click(lambda values=values: list(values.values()), outputs=[form[name] for name in values], **QUIET).then(
            None, js=PRESS_JS
        )


def _wire_model(form: Form, card: gr.HTML) -> None:
    """Let voices and the card follow the model, also where settings are put back."""
    registry = form.registry

    def choose_model(key: str, voice: str, second: str) -> list[Any]:
        voices, others = model_card.voices(registry, key), model_card.second_voices(registry, key)
        known = [each for _, each in voices]
        chosen = voice if voice in known else (known[0] if known else "")
        mixed = second if second in [each for _, each in others] else ""
        return [
            gr.update(choices=voices, value=chosen, visible=len(voices) > 1),
            gr.update(choices=others, value=mixed, visible=bool(others)),
            gr.update(visible=bool(mixed)),
            model_card.line(registry, key, chosen),
        ]

    model, voice, second, blend = (form[name] for name in ("model", "voice", "second_voice", "blend"))
    model.input(choose_model, [model, voice, second], [voice, second, blend, card], **QUIET)
    second.input(lambda chosen: gr.update(visible=bool(chosen)), second, blend, **QUIET)
    voice.input(lambda key, chosen: model_card.line(registry, key, chosen), [model, voice], card, **QUIET)

    def follow(values: dict[str, Any]) -> Updates:
        if "model" not in values:
            return {}
        shown = choose_model(values["model"], values["voice"], values.get("second_voice", ""))
        return dict(zip((voice, second, blend, card), shown, strict=True))

    form.follow_with(follow, [card])


def _wire_preview(form: Form, reading: gr.Accordion, preview: gr.HTML) -> None:
    """Show the words as they will be said, when the part is opened and when text or dictionary were edited."""

    def show(text: str, dictionary: Any) -> str:
        return preview_words(text, dictionary)

    inputs = [form["text"], form["dictionary"]]
    for event in (reading.expand, form["text"].blur, form["dictionary"].blur):
        event(show, inputs, preview, **QUIET)


def _wire_plots(button: gr.Button, take: gr.State) -> None:
    """Draw the plots as a file when someone asks for it: that takes a second."""
    file = gr.DownloadButton("Plots file", visible="hidden", elem_id="speech-picture-file")

    def draw(made: SpeechTake | None) -> Iterator[str | None]:
        if made is None:
            yield None
            return
        with temp_folders.held() as folder:
            path = Path(folder) / "auralume-plots.png"
            pictures = [(panel.weights, panel.symbols) for panel in made.panels]
            title = " ".join(word.shown for word in made.words)
            yield str(plots.save_speech_figure(path, pictures, made.mel(), made.duration_s, title))

    button.click(
        draw, take, file, show_progress="hidden", api_visibility="private", **jobs.queue_of("speech-plots")
    ).then(None, js="() => document.querySelector('#speech-picture-file')?.click()")


def routes(registry: Registry) -> list[Route]:
    """Return the tab's HTTP routes."""
    return [*openai_route.routes(registry), *book_routes.routes(registry)]


TAB = Tab("Speech", (Task.SPEECH,), build, routes)
