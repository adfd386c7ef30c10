"""Parsing of prompts: the scene of the world, its colour, direction, time of day, speed and camera.

The video model learned from few wordings. A small network over the words' vectors (`models.video.text_embedding`) reads
any wording, and a prompt with words that no training caption has is put into the model's own words before it is drawn
(as Betker et al. 2023, "Improving Image Generation with Better Captions", section 3, do with a language model). Prompts
in known words, prompts about characters, and prompts that are about no scene are left as they are. Colours by name are
looked up (`models.video.colour_names`). What was read also becomes the model's attributes. Prompts about named things
are read by `models.video.thing_parsing`, for models that can draw them.

Letters: B batch, L words, E width of a word, C channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.video import scene_words as wordings
from models.video.colour_names import find_colour
from models.video.scene_names import ALOFT, TIMELAPSE, SceneName, find_kind_name, find_scene_name, is_name_alone
from models.video.scene_spec import CAMERAS, COLOURS, DIRECTIONS, SPEEDS, TIMES
from models.video.scene_words import KIND_NAMES, tidy
from models.video.text_embedding import TextTable, split_words
from models.video.thing_parsing import ThingPrompt, parse_things
from models.video.thing_tables import TIME_WORDS
from models.weights_io import load_network

PARSER_WEIGHTS = "video_reader.safetensors"
MAX_WORDS = 40
SURE, SAID = 0.3, 0.55  # chances from which a scene is taken as meant, and one of UNSURE as said
UNSURE = ("speed", "time", "camera")
# What can be read; the first value stands for "not said" (a scene: for none of the world).
FIELDS: dict[str, tuple[str, ...]] = {
    "kind": ("", *KIND_NAMES),
    "colour": ("", *COLOURS),
    "direction": ("", *(name for name in DIRECTIONS if name != "none")),
    "speed": ("", *(name for name in SPEEDS if name != "normal")),
    "time": ("", *TIMES),
    "camera": ("", *CAMERAS),
}


@dataclass(frozen=True)
class ParsedPrompt:
    """The attributes that a prompt names, "" where it names none; `sure` is the chance of the kind of scene, 0 to 1."""

    kind: str
    colour: str
    direction: str
    speed: str
    time: str
    camera: str
    sure: float = 1.0

    def to_caption(self) -> str:
        """Word it as the first wording of the training captions does."""
        sun = self.kind == "sunrise" and self.direction in wordings.SUN_SUBJECTS
        subject = (wordings.SUN_SUBJECTS[self.direction] if sun else wordings.SUBJECTS[self.kind])[0][0]
        parts = [subject.replace("{c}", wordings.COLOUR_WORDS[self.colour][0][0] if self.colour else "")]
        for words, value in (
            (wordings.DIRECTION_WORDS, self.direction if self.kind != "sunrise" else ""),
            (wordings.SPEED_WORDS, self.speed),
            (wordings.TIME_WORDS, self.time),
        ):
            if value:
                parts.append(words[value][0][0])
        if self.camera not in {"", "still"}:
            parts.append(f", {wordings.CAMERA_WORDS[self.camera][0][0]}")
        return tidy(" ".join(parts))

    def number_attributes(self) -> tuple[int, ...]:
        """Return the numbers of speed, camera, colour, direction, time and kind, 0 where the prompt does not say.

        A scene with a colour of its own has that one where none is said.
        """
        values: tuple[tuple[Iterable[str], str], ...] = (
            (SPEEDS, self.speed),
            (CAMERAS, self.camera),
            (COLOURS, self.colour or wordings.NATURAL_COLOURS.get(self.kind, "")),
            ((name for name in DIRECTIONS if name != "none"), self.direction),
            (TIMES, self.time),
            (KIND_NAMES, self.kind),
        )
        return tuple(1 + list(names).index(value) if value else 0 for names, value in values)


class PromptParserNetwork(nn.Module):
    """Convolutions over words, the greatest value of each channel, then one answer a field."""

    def __init__(self, text_width: int = 160, channels: int = 160) -> None:
        super().__init__()
        self.text_width, self.channels = text_width, channels
        self.near = nn.Conv1d(text_width, channels, 3, padding=1)
        self.alone = nn.Conv1d(text_width, channels, 1)
        self.mix = nn.Linear(2 * channels, channels)
        self.heads = nn.ModuleDict({name: nn.Linear(3 * channels, len(values)) for name, values in FIELDS.items()})

    def forward(self, words: Tensor, said: Tensor) -> dict[str, Tensor]:
        """Map words (B, L, E), said bool (B, L), to the logits of each field (B, values)."""
        x = (words * said[..., None]).transpose(1, 2)
        found = torch.cat([F.relu(self.near(x)), F.relu(self.alone(x))], dim=1) * said[:, None]
        pooled = found.amax(dim=2)  # (B, 2 C)
        both = torch.cat([pooled, F.relu(self.mix(pooled))], dim=1)
        return {name: head(both) for name, head in self.heads.items()}


class PromptParser:
    """The network with its text table."""

    def __init__(self, network: PromptParserNetwork, table: TextTable) -> None:
        self.network, self.table = network.eval().requires_grad_(False), table

    def parse(self, prompt: str) -> ParsedPrompt:
        """Parse a prompt."""
        with torch.inference_mode():
            logits = self.network(*self.table.embed([prompt], MAX_WORDS))
        values, chances = {}, {}
        for name, found in logits.items():
            chance, number = found[0].softmax(dim=0).max(dim=0)
            chances[name] = float(chance)
            values[name] = FIELDS[name][int(number)] if name not in UNSURE or chance >= SAID else ""
        values["colour"] = find_colour(prompt) or values["colour"]
        return ParsedPrompt(**values, sure=chances["kind"])

    def parse_named(self, prompt: str) -> ParsedPrompt:
        """Parse a prompt; a scene by its very name is asked for, however unsure the network is of it."""
        parsed, words = self.parse(prompt), split_words(prompt)
        if parsed.kind and parsed.sure >= SURE and not is_name_alone(words):
            return _fill_by_words(parsed, words)
        kind = find_kind_name(words)
        named = find_scene_name(words) or (SceneName(kind) if kind else None)
        if named is None:
            return parsed
        said = next((time for word in words for time, own in TIME_WORDS.items() if word in own), "")
        return _fill_by_words(
            replace(
                parsed, kind=named.kind, sure=SURE, time=parsed.time or said or named.time,
                direction=parsed.direction or named.direction, colour=parsed.colour or named.colour,
            ),
            words,
        )  # fmt: skip

    def understand(self, prompt: str, things: bool = False) -> tuple[str, ParsedPrompt | ThingPrompt | None]:
        """Return what the video model is to be told, and what was read where its world is surely asked for.

        The text is the prompt itself, or the same in the model's own words where it has words that the model never met.

        Args:
            things: whether the model draws named things. They go before scenes, unless all words, theirs too, are words
                of the scenes ("birds flying left at dusk").
        """
        parsed = self.parse_named(prompt)
        words = [word for word in split_words(prompt) if word.isalpha()]
        met = all(word in self.known for word in words)
        is_scene = bool(parsed.kind) and parsed.sure >= SURE
        shown = parse_things(prompt) if things else None
        if shown is not None and not (met and is_scene):
            return shown.to_caption(), shown
        if not is_scene:
            return prompt, None
        return (prompt if met else parsed.to_caption()), parsed

    @cached_property
    def known(self) -> frozenset[str]:
        """Return all words of training captions."""
        return list_known_words()


def _fill_by_words(parsed: ParsedPrompt, words: list[str]) -> ParsedPrompt:
    """Let a time-lapse be fast, and a camera in the air move."""
    fast = not parsed.speed and not TIMELAPSE.isdisjoint(words)
    flies = not parsed.camera and not ALOFT.isdisjoint(words)
    return replace(parsed, speed="fast" if fast else parsed.speed, camera="zoom in" if flies else parsed.camera)


@lru_cache(maxsize=2)
def list_known_words(held_out: bool = False) -> frozenset[str]:
    """List the words of the training captions, or those of the held-out ones."""
    lists = [
        wordings.SUBJECTS, wordings.SUN_SUBJECTS, wordings.COLOUR_WORDS, wordings.DIRECTION_WORDS, wordings.TIME_WORDS,
        wordings.SPEED_WORDS, wordings.CAMERA_WORDS, wordings.MOVE_WORDS, wordings.FACING, wordings.PEOPLE,
    ]  # fmt: skip
    texts = [text for each in lists for both in each.values() for text in both[int(held_out)]]
    texts += [*wordings.OPENINGS[int(held_out)], "a an the with in and hair shirt trousers"]
    return frozenset(word for text in texts for word in split_words(text.replace("{c}", "")))


def load_prompt_parser(path: Path, table: TextTable) -> PromptParser:
    """Load the shipped network.

    Raises:
        ModelError: the file is missing, damaged or of another version.
    """
    network = load_network(
        path, lambda sizes: PromptParserNetwork(sizes["text_width"], sizes["channels"]), "the prompt parser"
    )
    return PromptParser(network, table)
