"""The controls of both halves of the Style Transfer tab."""

from __future__ import annotations

from models.contracts import MAX_SEED, Task
from models.registry.registry import Registry
from studio.page import model_card
from studio.page.fields import REQUIRED, Choice, FieldList, Flag, Model, Numeric, Option, Text, Upload
from studio.style.gallery import PICTURES


def presets_of_default(registry: Registry) -> list[Option]:
    """List the styles of the model that the audio half begins with."""
    spec = registry.default(Task.STYLE_AUDIO)
    return list(model_card.voices(registry, spec.key)) if spec is not None else []


VIDEO_FIELDS = FieldList(
    (
        Upload(
            name="content",
            label="Clip or picture",
            takes=("film", "picture"),
            default=REQUIRED,
            about="the clip or picture to paint anew",
            place="content",
            options={"height": 120},
        ),
        Choice(
            name="style",
            label="Chosen style",
            default=PICTURES[0].key,
            choices=tuple((f"{each.title} · {each.licence}", each.key) for each in PICTURES),
            about="a picture of the gallery",
        ),
        Upload(
            name="style_file",
            label="Or your own picture",
            takes=("picture",),
            about="a picture of your own, instead of `style`",
            elem_id="style-own",
            options={"height": 130},
        ),
        Numeric(name="strength", label="Strength", default=0.8, low=0, high=1, step=0.05),
        Flag(name="keep_colours", label="Keep the original's colours", elem_id="style-keep"),
        Numeric(
            name="size",
            label="Size",
            default=384,
            low=128,
            high=1024,
            step=64,
            is_whole=True,
            help="longer side in pixels",
            place="more",
        ),
        Numeric(
            name="steadiness",
            label="Steadiness",
            default=0.7,
            low=0,
            high=0.95,
            step=0.05,
            help="from frame to frame",
            place="more",
        ),
        Model(task=Task.STYLE_VIDEO, place="model"),
    )
)
AUDIO_FIELDS = FieldList(
    (
        Upload(
            name="content",
            label="Sound",
            default=REQUIRED,
            about="the sound to restyle",
            place="content",
            media="audio",
        ),
        Choice(
            name="style",
            label="Style",
            offered=presets_of_default,
            is_open=True,  # a program may name a voice of another model
            about="key of one of the model's styles or voices; empty is its first",
        ),
        Upload(
            name="style_file",
            label="Or a style sound of your own",
            about="a sound of your own, instead of `style`",
            media="audio",
            elem_id="style-audio-own",
        ),
        Numeric(name="strength", label="Strength", default=0.8, low=0, high=1, step=0.05, rank=1),
        Flag(name="move_pitch", label="Move a voice's pitch too", default=True, rank=1, elem_id="style-audio-pitch"),
        Model(task=Task.STYLE_AUDIO, place="model"),
        Text(
            name="words",
            label="Style in words",
            about="what the sound should become, for models that take the style in words",
            options={"placeholder": "a string quartet in a large hall", "max_length": 400, "visible": False},
        ),
        Numeric(name="seed", label="Seed", default=0, low=0, high=MAX_SEED, slider=False, is_whole=True, place="more"),
    )
)
