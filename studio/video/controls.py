"""The controls of the Video tab."""

from __future__ import annotations

from typing import Any

from models.contracts import MAX_VIDEO_STEPS, Task
from models.registry.registry import Registry
from models.video.scene_spec import CAMERAS, COLOURS, DIRECTIONS, SPEEDS
from studio.page.fields import REQUIRED, Choice, FieldList, Flag, Model, Numeric, Option, Seed, Text, Upload
from studio.video import soundtrack

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("Sea at dusk", "blue ocean waves at dusk, camera pans right"),
    ("Campfire", "an orange campfire with flames at night"),
    ("Northern lights", "a green aurora over a lake, slowly"),
    ("Fireworks", "pink fireworks over the city at night"),
    ("Bouncing ball", "a red ball bouncing to the right"),
    ("Galaxy", "a purple galaxy turning clockwise"),
    ("Balloons", "a golden hot-air balloon rising at dawn"),
    ("A woman walks", "a woman with pink hair in a blue shirt walks left"),
    ("A cat on the beach", "a cat walking on the beach at sunset"),
    ("An astronaut on a horse", "an astronaut riding a horse"),
    ("A man casts a spell", "a man with black hair in a red shirt casts a spell towards us"),
)
ANY = "any"
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "motion": (ANY, "little", "some", "much"),
    "speed": (ANY, *SPEEDS),
    "camera": (ANY, *CAMERAS),
    "colour": (ANY, *COLOURS),
    "direction": (ANY, *DIRECTIONS[1:]),
}
# A look sets how things move; the words of the prompt stay.
LOOKS: tuple[tuple[str, dict[str, str]], ...] = (
    ("From my description", {}),
    ("Calm", {"motion": "little", "speed": "slow", "camera": "still"}),
    ("Lively", {"motion": "much", "speed": "fast"}),
    ("Fly in", {"camera": "zoom in"}),
    ("Glide", {"speed": "slow", "camera": "pan right"}),
)
LOOK_FIELDS = ("motion", "speed", "camera")
SOUNDS = {soundtrack.SCENE: "Scene sounds", soundtrack.MUSIC: "Matching music", soundtrack.OFF: "None"}
PICTURE_TYPES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".heic", ".heif", ".avif", ".mp4", ".webm", ".mov")
SMOOTH, NATIVE = "256", "64"
SIDES = {SMOOTH: 256, "512": 512, "720": 720}  # pixels of the shorter side
SHAPES = (("As the model draws it", ""), ("Square 1:1", "1:1"), ("Wide 16:9", "16:9"), ("Tall 9:16", "9:16"))
DEFAULT_STEPS, DEFAULT_GUIDANCE = 16, 1.5
# Steps of the sampler, and how long two seconds of video take with them on two cores.
QUALITIES = ((6, "Draft", 1), (DEFAULT_STEPS, "Good", 2), (32, "Fine", 4))
LONGEST_S = 20


def offered_sounds(registry: Registry) -> list[Option]:
    """List the sounds for which the registry has what they need."""
    return [(SOUNDS[kind], kind) for kind in soundtrack.offered(registry)]


def _attribute(name: str, label: str, rank: int, row: str) -> Choice:
    names: dict[Any, str] = {ANY: "From my description", "in": "Forward", "out": "Backward"}
    choices = tuple((names.get(value, value.capitalize()), value) for value in ATTRIBUTES[name])
    return Choice(
        name=name, label=label, default=ANY, choices=choices, place="shape", rank=rank, row=row,
        options={"min_width": 180},
    )  # fmt: skip


FIELDS = FieldList(
    (
        Text(
            name="prompt",
            label="What should it show?",
            default=EXAMPLES[0][1],
            about="what the clip should show, up to 2,000 characters",
            place="prompt",
            options={
                "placeholder": "A scene and its time of day; a thing in it, its colour, what it does; or a person.",
                "lines": 2,
                "max_lines": 6,
                "elem_classes": "prompt",
            },
        ),
        Text(
            name="negative_prompt",
            label="Words to avoid",
            place="finer",
            rank=1,
            elem_id="video-negative",
            options={"placeholder": "for example: night, red", "lines": 1},
        ),
        Numeric(
            name="length_s",
            label="Length",
            default=2,
            low=0.5,
            high=LONGEST_S,
            step=0.5,
            help="in seconds; the clip grows while you watch",
            place="shape",
            elem_id="video-length",
        ),
        Flag(name="loop", label="Loop seamlessly", place="shape"),
        Choice(
            name="sound",
            label="Sound",
            default=soundtrack.SCENE,
            choices=tuple((title, kind) for kind, title in SOUNDS.items()),
            offered=offered_sounds,
            radio=True,
            place="shape",
        ),
        Choice(
            name="aspect",
            label="Shape",
            choices=SHAPES,
            about="width to height; empty for as the model draws it. Models with a shape of their own are cut",
            place="shape",
            rank=-1,
            row="format",
        ),
        _attribute("motion", "Motion", 1, "movement"),
        _attribute("speed", "Speed", 1, "movement"),
        _attribute("camera", "Camera", 3, "look"),
        _attribute("colour", "Colour", 4, "colour"),
        Choice(
            name="size",
            label="Size",
            default=SMOOTH,
            choices=(*((f"{side} pixels", name) for name, side in SIDES.items()), ("As the model drew it", NATIVE)),
            help="of the shorter side, 24 frames a second; Drawn scenes are sharp at each, others are enlarged",
            place="shape",
            rank=-1,
            row="format",
        ),
        Numeric(
            name="steps",
            label="Steps",
            default=DEFAULT_STEPS,
            low=1,
            high=MAX_VIDEO_STEPS,
            step=1,
            is_whole=True,
            help="of the sampler, from noise to picture",
            place="finer",
            rank=3,
        ),
        Numeric(
            name="guidance",
            label="Guidance",
            default=DEFAULT_GUIDANCE,
            low=0,
            high=12,
            step=0.25,
            help="how strictly it follows the words; 1 is none",
            place="finer",
            rank=2,
        ),
        Seed(help="the same seed gives the same clip"),
        Model(
            task=Task.VIDEO,
            help="Auralume video draws out of noise, step by step, and softly; Drawn scenes are sharp, by rule",
            place="shape",
            rank=-2,
        ),
        Upload(
            name="start_image",
            label="First picture",
            about="picture or clip whose middle square the clip begins with",
            file_types=PICTURE_TYPES,
            place="start",
            elem_id="video-image",
            options={"elem_classes": "drop-settings"},
        ),
        _attribute("direction", "Direction", 2, "look"),
    )
)
SYNC_FIELDS = FieldList(
    (
        Upload(
            name="clip",
            label="Clip with sound",
            default=REQUIRED,
            place="clip",
            takes=("film",),
            options={"height": 120},
        ),
        Flag(name="fix", label="Move the sound where it is out of time", default=True, place="clip"),
    )
)
