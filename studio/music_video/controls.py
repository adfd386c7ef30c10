"""The left side of the Music Video tab, and the row of corrections under its beat plot."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from models.registry.registry import Registry
from studio.music_video.actions import DEFAULT_PROMPTS, STRENGTHS, VIDEO_TASK
from studio.page import model_card
from studio.page.components import markup
from studio.page.model_picker import model_picker

# Kept apart from `models.music_video.contracts`, which is heavy to import; a test holds them together.
ASPECTS = ("16:9", "9:16", "1:1")
SIDES = ((480, "480p"), (720, "720p"), (1080, "1080p"))
DEFAULT_LOOK = {"cuts": 0.5, "zoom": 0.6, "pan": 0.5, "rotate": 0.4, "flash": 0.4, "colour": 0.4, "motion": 0.8}
LOOKS = (
    ("Sea", "a lighthouse at dusk by the sea\nblue waves by day\na red sunrise over the sea"),
    ("Hills", "a red sunrise over mountains\nclouds over green hills at noon\na waterfall in a forest"),
    ("Night", "a campfire at night\nteal spirals turning\norange fireworks in the night sky"),
    ("Weather", "rain falling at dusk\nlightning in a storm\nsnow falling at night"),
)
TRIM_INFO = "seconds"
DEFAULT_SEED, DEFAULT_STEPS, DEFAULT_GUIDANCE = 7, 10, 1.5


@dataclass
class Controls:
    """What a person sets and presses."""

    song: gr.File
    recording: gr.Audio
    from_music: gr.Button | None
    again: gr.Button
    start_s: gr.Number
    end_s: gr.Number
    prompts: gr.Textbox
    make: gr.Button
    preview: gr.Button
    stop: gr.Button
    aspect: gr.Radio
    reactivity: gr.Slider
    title: gr.Textbox
    artist: gr.Textbox
    captions: gr.File
    shorter_side: gr.Dropdown
    strengths: dict[str, gr.Slider]
    negative_prompt: gr.Textbox
    steps: gr.Slider
    guidance: gr.Slider
    key_clips: gr.Slider
    seed: gr.Number
    dice: gr.Button
    model: gr.Dropdown
    shelf: gr.HTML
    settings: gr.File
    settings_note: gr.HTML

    def __getattr__(self, name: str) -> gr.Slider:
        """The strengths by name."""
        if name in STRENGTHS and "strengths" in self.__dict__:
            return self.__dict__["strengths"][name]
        raise AttributeError(name)

    def fields(self) -> list[gr.components.Component]:
        """In the order of FIELDS."""
        return [getattr(self, name) for name in FIELDS]


FIELDS = (
    "prompts", "aspect", "reactivity", "title", "artist", "shorter_side", *STRENGTHS, "negative_prompt", "steps",
    "guidance", "key_clips", "seed", "model",
)  # fmt: skip


def make_controls(registry: Registry) -> Controls:
    """Lay out the left side in the current column."""
    with gr.Column(elem_classes=["card", "first"]):
        song = gr.File(label="Song, or a video with sound", type="filepath", height=110, elem_id="mv-song")
        from_music = None
        if registry.specs("music"):
            from_music = gr.Button("Use the piece from the Music tab", size="sm", elem_id="mv-from-music")
        with gr.Accordion("Record or trim", open=False, elem_classes="more"):
            recording = gr.Audio(
                sources=["microphone"], type="filepath", label="Record", elem_id="mv-record", buttons=[]
            )
            with gr.Row():
                start_s = gr.Number(0, label="Start", info=TRIM_INFO, minimum=0, min_width=90, elem_id="mv-start")
                end_s = gr.Number(0, label="End", info="0 is the song's", minimum=0, min_width=90, elem_id="mv-end")
            again = gr.Button("Listen again", size="sm", elem_id="mv-again")
        prompts = gr.Textbox(
            DEFAULT_PROMPTS,
            label="Look",
            info="one for the whole song, or one a line for each kind of section: A, B, C …",
            lines=3,
            max_lines=8,
            elem_id="mv-prompts",
        )
        with gr.Row(elem_classes="chips"):
            for name, text in LOOKS:
                gr.Button(name, size="sm").click(
                    lambda text=text: text,
                    outputs=prompts,
                    queue=False,
                    show_progress="hidden",
                    api_visibility="private",
                )
        with gr.Row(elem_classes="actions"):
            make = gr.Button(
                "Make the video", variant="primary", scale=3, elem_id="mv-make", elem_classes="generate-button"
            )
            stop = gr.Button("Stop", interactive=False, scale=1, elem_id="mv-stop", elem_classes="stop-button")
        preview = gr.Button("Preview the first 10 seconds", elem_id="mv-preview")
    with gr.Column(elem_classes="card"):
        aspect = gr.Radio(list(ASPECTS), value="16:9", label="Format", elem_id="mv-aspect")
        reactivity = gr.Slider(
            0,
            2,
            1,
            step=0.05,
            label="Reactivity",
            info="how strongly the picture follows the beat",
            elem_id="mv-reactivity",
        )
        with gr.Row():
            title = gr.Textbox("", label="Title", max_length=120, min_width=120, elem_id="mv-title")
            artist = gr.Textbox("", label="Artist", max_length=120, min_width=120, elem_id="mv-artist")
        captions = gr.File(
            label="Lyrics with times (SRT or LRC)", file_types=[".srt", ".lrc", ".vtt", ".txt"], type="filepath",
            height=100, elem_id="mv-captions",
        )  # fmt: skip
        with gr.Accordion("More settings", open=False, elem_classes="more"):
            shorter_side = gr.Dropdown(
                [(name, side) for side, name in SIDES], value=720, label="Size", filterable=False, elem_id="mv-size"
            )
            strengths = {
                name: gr.Slider(0, 1, DEFAULT_LOOK[name], step=0.05, label=name.capitalize(), elem_id=f"mv-{name}")
                for name in STRENGTHS
            }
            negative = gr.Textbox("", label="Keep away from", elem_id="mv-negative")
            steps = gr.Slider(
                4, 64, DEFAULT_STEPS, step=1, label="Steps", info="of the video model", elem_id="mv-steps"
            )
            guidance = gr.Slider(1, 10, DEFAULT_GUIDANCE, step=0.5, label="Guidance", elem_id="mv-guidance")
            clips = gr.Slider(0, 40, 0, step=1, label="Key clips", info="0: by the song's length", elem_id="mv-clips")
            with gr.Row(elem_classes="seed-row"):
                seed = gr.Number(DEFAULT_SEED, label="Seed", precision=0, minimum=0, elem_id="mv-seed")
                dice = gr.Button("⚄", elem_classes="dice")
            settings = gr.File(
                label="Load settings from a result", file_types=[".mp4"], type="filepath", height=110,
                elem_id="mv-settings", elem_classes="drop-settings",
            )  # fmt: skip
            note = markup("", elem_id="mv-settings-note")
        model = _model(registry)
        shelf_line = markup(model_card.line(registry, str(model.value)) if model.value else "", elem_id="mv-shelf")
    return Controls(
        song, recording, from_music, again, start_s, end_s, prompts, make, preview, stop, aspect, reactivity, title,
        artist, captions, shorter_side, strengths, negative, steps, guidance, clips, seed, dice, model, shelf_line,
        settings, note,
    )  # fmt: skip


def _model(registry: Registry) -> gr.Dropdown:
    """The picker of the video model; an empty one where the shelf has none."""
    if registry.specs(VIDEO_TASK):
        return model_picker(registry, VIDEO_TASK, "mv-model", "Video model")
    return gr.Dropdown([], label="Video model", visible=False, elem_id="mv-model")


@dataclass
class Corrections:
    """The row under the plot."""

    number: gr.Number
    shift: gr.Number
    taps: gr.Textbox
    clicks: gr.Checkbox
    buttons: dict[str, gr.Button]


def corrections() -> Corrections:
    """Lay out the corrections in the current column."""
    clicks = gr.Checkbox(True, label="Hear a click on every beat", elem_id="mv-hear-clicks")
    with gr.Row(elem_classes=["fixes"]):
        half = gr.Button("Half", size="sm", elem_id="mv-half")
        double = gr.Button("Double", size="sm", elem_id="mv-double")
        delete = gr.Button("Delete the chosen beat", size="sm", elem_id="mv-delete")
        downbeat = gr.Button("The chosen beat is a one", size="sm", elem_id="mv-downbeat")
        undo = gr.Button("Undo", size="sm", elem_id="mv-undo")
    with gr.Row(elem_classes=["fixes", "values"]):
        number = gr.Number(0, label="Chosen beat", precision=0, minimum=0, min_width=90, elem_id="mv-beat")
        shift = gr.Number(20, label="Shift by", info="", precision=0, min_width=90, elem_id="mv-shift-by")
        move = gr.Button("Shift (ms)", size="sm", elem_id="mv-shift")
        tap = gr.Button("Tap", size="sm", elem_id="mv-tap")
        use = gr.Button("Use the taps", size="sm", elem_id="mv-use-taps")
    taps = gr.Textbox("", label="Taps", show_label=False, elem_id="mv-taps", elem_classes="unseen")
    tap.click(None, js="() => { window.auralumeTap?.(); }")
    buttons = {"half": half, "double": double, "delete": delete, "downbeat": downbeat, "undo": undo, "shift": move}
    return Corrections(number, shift, taps, clicks, buttons | {"tap": use})
