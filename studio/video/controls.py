"""The left side of the Video tab: what it should show, how long, how it moves, and the finer settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from models.contracts import MAX_VIDEO_STEPS
from models.registry.registry import Registry
from studio.page import model_card
from studio.page.components import QUIET, markup
from studio.page.model_picker import model_picker
from studio.video import soundtrack
from studio.video.actions import ANY, ATTRIBUTES, DEFAULT_GUIDANCE, DEFAULT_SEED, DEFAULT_STEPS, NATIVE, SMOOTH, TASK

PRESS_JS = "() => { setTimeout(() => document.querySelector('#video-generate').click(), 60); }"
EXAMPLES: tuple[tuple[str, str], ...] = (
    ("Sea at dusk", "blue ocean waves at dusk, camera pans right"),
    ("Campfire", "an orange campfire with flames at night"),
    ("Northern lights", "a green aurora over a lake, slowly"),
    ("Fireworks", "pink fireworks over the city at night"),
    ("Bouncing ball", "a red ball bouncing to the right"),
    ("Galaxy", "a purple galaxy turning clockwise"),
    ("Balloons", "a golden hot-air balloon rising at dawn"),
    ("A woman walks", "a woman with pink hair in a blue shirt walks left"),
    ("A man casts a spell", "a man with black hair in a red shirt casts a spell towards us"),
)
# A look sets how things move; the words of the prompt stay.
LOOKS: tuple[tuple[str, dict[str, str]], ...] = (
    ("As said", {}),
    ("Calm", {"motion": "little", "speed": "slow", "camera": "still"}),
    ("Lively", {"motion": "much", "speed": "fast"}),
    ("Fly in", {"camera": "zoom in"}),
    ("Glide", {"speed": "slow", "camera": "pan right"}),
)
LOOK_FIELDS = ("motion", "speed", "camera")
SOUNDS = {soundtrack.SCENE: "Of the scene", soundtrack.MUSIC: "Music in its mood", soundtrack.OFF: "None"}
PICTURES = [".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".mp4", ".webm", ".mov"]
# Steps of the sampler, and how long two seconds of video take with them on two cores.
QUALITIES = ((6, "Draft", 1), (DEFAULT_STEPS, "Good", 2), (32, "Fine", 4))


@dataclass
class Controls:
    """What a person sets, in the order of the endpoint's parameters."""

    prompt: gr.Textbox
    negative_prompt: gr.Textbox
    length_s: gr.Slider
    loop: gr.Checkbox
    sound: gr.Radio
    motion: gr.Dropdown
    speed: gr.Dropdown
    camera: gr.Dropdown
    colour: gr.Dropdown
    size: gr.Radio
    steps: gr.Slider
    guidance: gr.Slider
    seed: gr.Number
    model: gr.Dropdown
    start_image: gr.File
    direction: gr.Dropdown

    def all(self) -> list[gr.components.Component]:
        """In the order of the fields."""
        return [getattr(self, name) for name in ORDER]


ORDER = tuple(Controls.__dataclass_fields__)


@dataclass
class Buttons:
    """What can be pressed."""

    generate: gr.Button
    stop: gr.Button
    dice: gr.Button


def make(registry: Registry) -> tuple[Controls, Buttons, gr.HTML, gr.File, gr.HTML]:
    """Lay out the controls: them, the buttons, the shelf's line, the settings' file and its note."""
    parts: dict[str, Any] = {}
    with gr.Column(elem_classes=["card", "first"]):
        generate, stop, chips = _prompt(parts)
    with gr.Column(elem_classes="card"):
        looks, quality = _shape(parts, registry)
        with gr.Accordion("More settings", open=False, elem_classes="more"):
            dice = _finer(parts, registry)
            settings = gr.File(
                label="Load settings from a result",
                file_types=[".mp4"],
                type="filepath",
                height=110,
                elem_id="video-settings",
                elem_classes="drop-settings",
            )
            note = markup("", elem_id="video-settings-note")
        shelf_line = markup(model_card.line(registry, parts["model"].value), elem_id="video-shelf")
    controls = Controls(**parts)
    for chip, (_, prompt) in zip(chips, EXAMPLES, strict=True):
        chip.click(lambda prompt=prompt: prompt, outputs=controls.prompt, **QUIET).then(None, js=PRESS_JS)
    for look, (_, changes) in zip(looks, LOOKS, strict=True):
        values = [changes.get(name, ANY) for name in LOOK_FIELDS]
        outputs = [getattr(controls, name) for name in LOOK_FIELDS]
        look.click(lambda values=values: values, outputs=outputs, **QUIET)
    quality.input(lambda steps: steps, quality, controls.steps, **QUIET)
    return controls, Buttons(generate, stop, dice), shelf_line, settings, note


def _prompt(parts: dict[str, Any]) -> tuple[gr.Button, gr.Button, list[gr.Button]]:
    parts["prompt"] = gr.Textbox(
        value=EXAMPLES[0][1],
        label="What should it show?",
        placeholder="A scene, its colour, where it moves, the time of day; or a person and what they do.",
        lines=2,
        max_lines=6,
        elem_id="video-prompt",
        elem_classes="prompt",
    )
    with gr.Row(elem_classes="actions"):
        generate = gr.Button(
            "Generate", variant="primary", scale=3, elem_id="video-generate", elem_classes="generate-button"
        )
        stop = gr.Button("Stop", interactive=False, scale=1, elem_id="video-stop", elem_classes="stop-button")
    markup('<div class="hint"><kbd>Ctrl</kbd> + <kbd>Enter</kbd> generates. Or try one of these:</div>')
    with gr.Row(elem_classes="chips"):
        chips = [gr.Button(name, size="sm", elem_classes="example-chip") for name, _ in EXAMPLES]
    return generate, stop, chips


def _shape(parts: dict[str, Any], registry: Registry) -> tuple[list[gr.Button], gr.Radio]:
    parts["length_s"] = gr.Slider(
        1, 20, 2, step=0.5, label="Length", info="in seconds; the clip grows while you watch", elem_id="video-length"
    )
    parts["loop"] = gr.Checkbox(False, label="Without a seam: the end flows into the beginning", elem_id="video-loop")
    sounds = [(SOUNDS[kind], kind) for kind in soundtrack.offered(registry)]
    parts["sound"] = gr.Radio(sounds, value=soundtrack.SCENE, label="Sound", elem_id="video-sound")
    with gr.Row():
        for name, label in (("motion", "Motion"), ("speed", "Speed")):
            parts[name] = _attribute(name, label)
    with gr.Row():
        for name, label in (("direction", "Direction"), ("camera", "Camera"), ("colour", "Colour")):
            parts[name] = _attribute(name, label)
    with gr.Row(elem_classes="chips"):
        looks = [gr.Button(name, size="sm", elem_classes="example-chip") for name, _ in LOOKS]
    quality = gr.Radio(
        [(f"{name} · {seconds:g} s", steps) for steps, name, seconds in QUALITIES],
        value=DEFAULT_STEPS,
        label="Quality",
        info="{}, {} or {} steps; the seconds are what two seconds of video take on two cores".format(
            *(each[0] for each in QUALITIES)
        ),
        elem_id="video-quality",
    )
    parts["start_image"] = gr.File(
        label="First picture",
        file_types=PICTURES,
        type="filepath",
        height=110,
        elem_id="video-image",
        elem_classes="drop-settings",
    )
    return looks, quality


def _attribute(name: str, label: str) -> gr.Dropdown:
    names = {ANY: "As said", "in": "Forward", "out": "Backward"}
    values = [(names.get(value, value.capitalize()), value) for value in ATTRIBUTES[name]]
    return gr.Dropdown(values, value=ANY, label=label, filterable=False, min_width=120, elem_id=f"video-{name}")


def _finer(parts: dict[str, Any], registry: Registry) -> gr.Button:
    parts["model"] = model_picker(registry, TASK, "video-model")
    parts["negative_prompt"] = gr.Textbox(
        "", label="Words to avoid", placeholder="for example: night, red", lines=1, elem_id="video-negative"
    )
    parts["guidance"] = gr.Slider(
        0, 12, DEFAULT_GUIDANCE, step=0.25, label="Guidance", info="how strictly it follows the words; 1 is none",
        elem_id="video-guidance",
    )  # fmt: skip
    parts["steps"] = gr.Slider(
        1, MAX_VIDEO_STEPS, DEFAULT_STEPS, step=1, label="Steps", info="of the sampler, from noise to picture",
        elem_id="video-steps",
    )  # fmt: skip
    parts["size"] = gr.Radio(
        [("256 × 256, 24 frames a second", SMOOTH), ("64 × 64, as the model drew it", NATIVE)],
        value=SMOOTH,
        label="Size",
        elem_id="video-size",
    )
    with gr.Row(elem_classes="seed-row"):
        parts["seed"] = gr.Number(
            DEFAULT_SEED, precision=0, label="Seed", info="the same seed gives the same clip", elem_id="video-seed"
        )
        return gr.Button("🎲", elem_classes="dice", elem_id="video-dice")
