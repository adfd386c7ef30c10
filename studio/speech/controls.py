"""The controls of the Speech tab."""

from __future__ import annotations

from models.contracts import VOCODERS, Task
from models.registry.registry import Registry
from studio.page import model_card
from studio.page.fields import Choice, FieldList, Model, Numeric, Option, Pairs, Seed, Text

EXAMPLES: tuple[tuple[str, str, dict[str, float]], ...] = (
    ("A first hello", "Hello! I was made on two processor cores, and you hear me while I am still speaking.", {}),
    ("Numbers and dates", "On March 3, 2024, Dr. Smith paid $12.50 for 4 cups of tea at 7:45.", {}),
    ("A tongue twister", "She sells sea shells by the sea shore, and the shells she sells are surely sea shells.", {}),
    ("Slow and low", "The tide goes out slowly, and the harbour falls asleep.", {"speed": 0.8, "pitch": -3.0}),
    ("Quick and high", "Come on, hurry up, the last train leaves in two minutes!", {"speed": 1.35, "pitch": 3.0}),
)


def voices_of_default(registry: Registry) -> list[Option]:
    """List the voices of the model that the tab begins with."""
    spec = registry.default(Task.SPEECH)
    return list(model_card.voices(registry, spec.key)) if spec is not None else []


def second_voices_of_default(registry: Registry) -> list[Option]:
    """List what the model that the tab begins with can mix into a voice."""
    spec = registry.default(Task.SPEECH)
    return list(model_card.second_voices(registry, spec.key)) if spec is not None else []


FIELDS = FieldList(
    (
        Text(
            name="text",
            label="What should it say?",
            default=EXAMPLES[0][1],
            about="English text to speak, up to 20,000 characters",
            place="text",
            options={
                "placeholder": "Type or paste English text: a sentence, a page, a chapter.",
                "lines": 4,
                "max_lines": 14,
                "elem_classes": "prompt",
            },
        ),
        Model(task=Task.SPEECH, place="model"),
        Choice(
            name="voice",
            label="Voice",
            offered=voices_of_default,
            is_open=True,  # a program may name a voice of another model
            place="model",
            about="key of one of the model's voices; empty is its first",
        ),
        Numeric(
            name="speed", label="Speed", default=1.0, low=0.5, high=2.0, step=0.05, help="1 is the voice's own pace"
        ),
        Numeric(
            name="pitch",
            label="Pitch",
            default=0,
            low=-6,
            high=6,
            step=0.5,
            help="in semitones, lower or higher",
            request="pitch_semitones",
        ),
        Numeric(
            name="energy",
            label="Energy",
            default=0,
            low=-10,
            high=10,
            step=0.5,
            help="in decibels, softer or louder",
            request="energy_db",
        ),
        Choice(
            name="vocoder",
            label="Vocoder",
            default=VOCODERS[0],
            choices=(("Neural", VOCODERS[0]), ("Griffin-Lim, the classic without learning", VOCODERS[1])),
            radio=True,
            help="turns the spectrogram into sound",
            place="more",
        ),
        Seed(help="the same seed gives the same sound"),
        Pairs(
            name="dictionary",
            label="Dictionary",
            help="one word a line, with how it is said: in letters, or as /IPA/",
            about="words of your own, one a line as word = how it is said, in letters or as /IPA/",
            place="words",
            options={"lines": 3, "max_lines": 12, "placeholder": "Kubernetes = /ˌkubɚˈnɛtiz/\nPyTorch = pie torch"},
        ),
        Choice(
            name="second_voice",
            label="Second voice",
            offered=second_voices_of_default,
            is_open=True,
            place="model",
            help="mixed into the first one",
            about="key of a voice that is mixed into the first one, by a model that can; empty is none",
        ),
        Numeric(
            name="blend",
            label="Blend",
            default=0.5,
            low=0.0,
            high=1.0,
            step=0.05,
            place="model",
            help="0 is the first voice alone, 1 the second",
        ),
    )
)
