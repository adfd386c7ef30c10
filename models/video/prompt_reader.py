"""What a video model reads of prompts, without the network that draws: its parser, and what is laid over its scenes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from models.video.colour_names import name_colours
from models.video.cutouts import CUTOUT_NAMES, CUTOUT_PICTURES, CutoutPack, load_cutouts
from models.video.prompt_parsing import PARSER_WEIGHTS, ParsedPrompt, PromptParser, load_prompt_parser
from models.video.prompt_reading import PromptReading, read_prompt
from models.video.spelling import mend_typos
from models.video.staging import Staging, list_laid, list_staged_parts, stage_prompt
from models.video.text_embedding import TEXT_WEIGHTS, load_text_table
from models.video.thing_parsing import ThingPrompt
from models.weights_io import parse_metadata

UNET_WEIGHTS = "video_unet3d.safetensors"
SCENE_ATTRIBUTES = 7  # of a model that knows no things
KEPT = 64  # prompts


class PromptReader:
    """A parser with the cut-outs that are laid over scenes; either may be missing."""

    def __init__(
        self, parser: PromptParser | None, cutouts: CutoutPack | None, draws_things: bool, by_rule: bool = False
    ) -> None:
        """Put the parts together.

        `draws_things` says that the model draws named things itself, `by_rule` that no model draws, but a renderer.
        """
        self.by_rule = by_rule
        self.parser, self.draws_things = parser, draws_things
        self.cutouts = None if draws_things else cutouts
        self.stage = lru_cache(maxsize=KEPT)(self._stage)
        self.mend = lru_cache(maxsize=KEPT)(self._mend)

    def _stage(self, prompt: str) -> Staging | None:
        """Put the things that a prompt names into a scene; None where the model draws all of it itself."""
        if self.parser is None or self.cutouts is None:
            return None
        return stage_prompt(self.parser, self.mend(prompt), self.cutouts.lexicon, not self.by_rule)

    def _mend(self, prompt: str) -> str:
        """Return a prompt with words put right that are typed a little wrong."""
        if self.parser is None or self.cutouts is None:
            return prompt
        return mend_typos(prompt, self.parser.table, self.cutouts.lexicon, self.parser.known)

    def understand(self, prompt: str) -> tuple[str, ParsedPrompt | ThingPrompt | None]:
        """Return what the model is told, and what was read of the prompt."""
        staging = self.stage(prompt)
        return self.understand_all(prompt) if staging is None else (staging.told, staging.scene)

    def understand_all(self, prompt: str) -> tuple[str, ParsedPrompt | ThingPrompt | None]:
        """Return the same where nothing is laid over."""
        return (prompt, None) if self.parser is None else self.parser.understand(self.mend(prompt), self.draws_things)

    def read(self, prompt: str) -> PromptReading | None:
        """Read what of a prompt will be drawn, and what will be laid over it; None without a parser."""
        if self.parser is None:
            return None
        staging = self.stage(prompt)
        if staging is None:
            reading = read_prompt(self.parser, self.mend(prompt), self.draws_things, self.count)
        else:
            reading = PromptReading(
                list_staged_parts(staging),
                staging.unread,
                self.count,
                list_laid(staging.things),
                self._list_embodied(staging.things),
            )
        named = zip(reading.parts, name_colours(reading.chips, self.mend(prompt)), strict=True)
        parts = tuple(part._replace(words=words) for part, words in named)
        return replace(reading, parts=parts, by_rule=self.by_rule)

    def _list_embodied(self, things: ThingPrompt) -> tuple[str, ...]:
        """List the things of which the pack has only the head or the bust."""
        pack = {} if self.cutouts is None else self.cutouts.things
        return tuple(name for name in (things.thing, things.other) if name in pack and pack[name].pose != "whole")

    @property
    def count(self) -> int:
        """Return how many things are laid over scenes."""
        return 0 if self.cutouts is None else len(self.cutouts.things)


@lru_cache(maxsize=2)
def load_reader(paths: frozenset[Path]) -> PromptReader:
    """Load what the model of these files, the shipped one or another of its kind, reads of prompts.

    Without a network among the files its scenes are drawn by rule (`models.video.drawn_scenes`).

    Raises:
        ModelError: a file is missing, damaged or of another version.
    """
    from models.video.unet3d import UNet3DConfig

    files = {path.name: path for path in paths}
    attributes: tuple[int, ...] = ()
    if UNET_WEIGHTS in files:
        attributes = parse_metadata(files[UNET_WEIGHTS], UNet3DConfig.from_dict, ["config"]).attributes
    parser = None
    if PARSER_WEIGHTS in files:
        parser = load_prompt_parser(files[PARSER_WEIGHTS], load_text_table(files[TEXT_WEIGHTS]))
    return PromptReader(parser, find_cutouts(files), len(attributes) > SCENE_ATTRIBUTES, UNET_WEIGHTS not in files)


def find_cutouts(files: Mapping[str, Path]) -> CutoutPack | None:
    """Load the cut-outs among a model's files, if they are there.

    Raises:
        ModelError: their list is damaged or of another version.
    """
    pictures, names = files.get(CUTOUT_PICTURES), files.get(CUTOUT_NAMES)
    return load_cutouts(pictures, names) if pictures is not None and names is not None else None
