"""The controls of both halves of the Style Transfer tab."""

from __future__ import annotations

from models.contracts import MAX_SEED, Task
from models.registry.registry import Registry
from models.style.video_contracts import LEAST_BRUSH, MOST_BRUSH, MOST_SIZE, StyledPart
from studio.page import model_card
from studio.page.fields import REQUIRED, Choice, Field, FieldList, Flag, Model, Numeric, Option, Text, Upload
from studio.page.style_gallery import PARTS, PICTURES, STYLES


def presets_of_default(registry: Registry) -> list[Option]:
    """List the styles of the model that the audio half begins with."""
    spec = registry.default(Task.STYLE_AUDIO)
    return list(model_card.voices(registry, spec.key)) if spec is not None else []


def _declare_further_style(which: str) -> tuple[Field, Field]:
    """Declare a style that is mixed with the chosen one, and how much of it."""
    return (
        Choice(
            name=f"{which}_style",
            label=f"Mix in a {which} style",
            default="",
            choices=(("None", ""), *((each.title, each.key) for each in PICTURES)),
            about=f"a {which} picture of the gallery, mixed with the first; empty is none",
            place="mix",
            row=which,
        ),
        Numeric(
            name=f"{which}_share",
            label="How much of it",
            default=0.5,
            low=0,
            high=1,
            step=0.05,
            help="1 is as much as of the first",
            about=f"how much of the {which} style; the first counts 1",
            place="mix",
            row=which,
        ),
    )


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
            choices=STYLES,
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
        Numeric(
            name="brush",
            label="Brush size",
            default=1.0,
            low=LEAST_BRUSH,
            high=MOST_BRUSH,
            step=0.1,
            help="1 as the style has it",
        ),
        Choice(
            name="part",
            label="Paint",
            default=StyledPart.ALL.value,
            choices=PARTS,
            radio=True,
            about="what is painted; the rest stays as it is",
        ),
        Flag(name="keep_colours", label="Keep the original's colours", elem_id="style-keep"),
        *_declare_further_style("second"),
        *_declare_further_style("third"),
        Numeric(
            name="size",
            label="Size of a picture",
            default=MOST_SIZE,
            low=128,
            high=MOST_SIZE,
            step=64,
            is_whole=True,
            help="longer side in pixels, at most; none gets larger than it is",
            place="more",
        ),
        Numeric(
            name="clip_size",
            label="Size of a clip",
            default=640,
            low=128,
            high=MOST_SIZE,
            step=64,
            is_whole=True,
            help="the same for a clip; twice the size takes four times as long",
            place="more",
        ),
        Numeric(
            name="steadiness",
            label="Steadiness",
            default=0.9,
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
