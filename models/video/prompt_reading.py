"""What the video model understood of a prompt, to be told to the person: what it will draw, and which words it cannot.

A word is read when captions of the training have it, when it is part of a named thing, a colour, a number or a way of
speaking, or when its vector is near that of such a word.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from models.video import scene_words as wordings
from models.video.colour_names import find_colour
from models.video.prompt_parsing import ParsedPrompt, PromptParser
from models.video.scene_words import tidy
from models.video.text_embedding import split_words
from models.video.thing_parsing import STOP_WORDS, ThingPrompt, to_plural
from models.video.thing_words import ACTS, THING_NAMES

NEAR = 0.52  # cosine of a word with one of the captions from which it is taken as that
PEOPLE_WORDS = {word: sex for sex, both in wordings.PEOPLE.items() for words in both for word in words}
KIND_TITLES = {
    "fire": "campfire", "ink": "ink in water", "ripples": "ripples on water", "balloons": "hot-air balloons",
    "snow": "cabin in the snow", "rain": "umbrella in the rain", "sunrise": "sun over hills",
    "leaves": "falling leaves",
    "meteors": "shooting stars", "starfield": "stars", "ball": "bouncing ball", "orbit": "shapes in orbit",
    "tiles": "dancing tiles", "bubbles": "soap bubbles", "underwater": "fish under water",
}  # fmt: skip


@dataclass(frozen=True)
class PromptReading:
    """What is drawn for a prompt.

    Attributes:
        chips: what will be seen, in a few words each; none where nothing of the prompt is in the model's world.
        unread: the words that say nothing to the model.
        things: whether the model draws named things.
    """

    chips: tuple[str, ...]
    unread: tuple[str, ...] = ()
    things: bool = True

    @property
    def is_known(self) -> bool:
        """Tell whether anything of the prompt can be drawn."""
        return bool(self.chips)

    def to_sentence(self) -> str:
        """Say what cannot be drawn, "" where all can."""
        if not self.chips:
            things = f" {len(THING_NAMES)} things from airplane to zombie," if self.things else ""
            return (
                "Nothing of this is in this model's world, so the clip shows something else. It draws scenes of nature "
                f"and the sky,{things} and people who walk or cast spells. "
                "For anything else choose a model of the Hub as Model."
            )
        if not self.unread:
            return ""
        words = ", ".join(f"“{word}”" for word in self.unread)
        return f"This model cannot draw {words}. A model of the Hub may: choose one as Model."


def read_prompt(parser: PromptParser, prompt: str, things: bool) -> PromptReading:
    """Read a prompt as `PromptParser.understand` does, and say what of it is drawn."""
    parsed = parser.understand(prompt, things)[1]
    if isinstance(parsed, ThingPrompt):
        return PromptReading(list_thing_chips(parsed), parsed.unread)
    words = split_words(prompt)
    person = next((PEOPLE_WORDS[word] for word in words if word in PEOPLE_WORDS), "")
    if parsed is None and not person:
        return PromptReading((), find_unread(parser, prompt), things)
    if parsed is None:
        verbs = {text.split()[0]: move for move, both in wordings.MOVE_WORDS.items() for text in both[0]}
        move = next((verbs[word] for word in words if word in verbs and word != "is"), "")
        chips = "man" if person == "male" else "woman", *((ACT_TITLES[move],) if move else ())
        return PromptReading(chips, find_unread(parser, prompt))
    return PromptReading(list_scene_chips(parsed), find_unread(parser, prompt))


ACT_TITLES = {
    "walk": "walking", "spellcast": "casting a spell", "thrust": "thrusting", "slash": "slashing", "shoot": "shooting",
}  # fmt: skip


def list_thing_chips(parsed: ThingPrompt) -> tuple[str, ...]:
    """List what a clip of things will show, what was filled in with it."""
    name = f"two {to_plural(parsed.thing)}" if parsed.count == "two" else parsed.thing
    act = f"{ACTS[parsed.act][0]} {parsed.direction}".strip()
    speed = {"slow": "slowly", "fast": "fast"}.get(parsed.speed, "")
    camera = parsed.camera if parsed.camera != "still" else ""
    chips = (
        tidy(f"{parsed.colour} {name}") if parsed.colour else name,
        parsed.other, act, speed, parsed.place, parsed.time, camera,
    )  # fmt: skip
    return tuple(chip for chip in chips if chip)


def list_scene_chips(parsed: ParsedPrompt) -> tuple[str, ...]:
    """List what a scene will show, its natural colour with it."""
    kind = KIND_TITLES.get(parsed.kind, parsed.kind)
    colour = parsed.colour or wordings.NATURAL_COLOURS.get(parsed.kind, "")
    direction = "" if parsed.kind == "sunrise" else parsed.direction
    camera = parsed.camera if parsed.camera != "still" else ""
    speed = {"slow": "slowly", "fast": "fast"}.get(parsed.speed, "")
    return tuple(chip for chip in (kind, colour, direction, speed, parsed.time, camera) if chip)


def find_unread(parser: PromptParser, prompt: str) -> tuple[str, ...]:
    """Find the words of a prompt that say nothing to the model, in their order."""
    table, known = parser.table, sorted(parser.known)
    words = dict.fromkeys(word for word in split_words(prompt) if word.isalpha() and len(word) > 1)
    strange = [word for word in words if word not in parser.known | STOP_WORDS and not find_colour(word)]
    if not strange:
        return ()
    pieces = [table.tokenize(word) for word in known]
    vectors = torch.stack([table.vectors[each].sum(dim=0) for each in pieces])
    unit = F.normalize(vectors, dim=1)
    return tuple(
        word
        for word in strange
        if float((unit @ F.normalize(table.vectors[table.tokenize(word)].sum(dim=0), dim=0)).max()) < NEAR
    )
