"""Training data of the video model: rendered clips, their captions, and which of their frames are given.

Letters: B batch, F frames, R x S pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.video.cutout import PAPER
from models.video.scene_spec import CAMERAS, COLOURS, DIRECTIONS, SPEEDS, TIMES, SceneSpec
from models.video.scene_words import KIND_NAMES
from models.video.scenes import SceneClip, draw_spec, render, write_caption
from models.video.text_embedding import TextTable
from models.video.thing_parsing import ThingPrompt
from models.video.thing_words import THING_ATTRIBUTES
from models.video.unet3d import Condition
from training.video.caption_augmentation import AugmentationRates, CaptionAugmenter
from training.video.characters import (
    CharacterSpec,
    draw_character,
    lay_on_background,
    render_character,
    write_character_caption,
)
from training.video.photos import PhotoSpec, render_photo
from training.video.things import draw_thing_prompt, render_thing

ATTRIBUTES = ("motion", "speed", "camera", "colour", "direction", "time", "kind", *THING_ATTRIBUTES)
NO_THINGS = (0,) * len(THING_ATTRIBUTES)
MOTION_LIMITS = (3.0, 8.0)  # mean change from frame to frame, of 255, that parts little, some and much motion


@dataclass(frozen=True)
class VideoPlan:
    """Numbers of the recipe.

    Attributes:
        character_share, thing_share, photo_share: of the clips, where their folders are given.
        no_words, no_attribute, no_thing: shares of captions, and of attributes of either sort, that are left out.
        strange_words: share of the captions of moves over photographs that speak of something else.
    """

    batch: int = 12
    frames: int = 16
    size: int = 64
    short_batch: int = 40
    short_frames: int = 4
    short_share: float = 0.9
    short_until: int = 2000
    character_share: float = 0.12
    thing_share: float = 0.5
    photo_share: float = 0.1
    strange_words: float = 0.5
    new_clips: int = 3
    first_clips: int = 120
    pool: int = 5000
    learning_rate: float = 1.5e-3
    warm_up: int = 100
    weight_decay: float = 0.01
    average: float = 0.998
    captions: int = 20_000  # in which the words of captions are looked up
    no_words: float = 0.12
    no_attribute: float = 0.5
    no_thing: float = 0.1
    given_frames: float = 0.12
    calm_share: float = 0.25
    last_rate: float = 0.05
    save_every_s: float = 150.0
    seed: int = 1


def grade_motion(frames: np.ndarray) -> int:
    """Grade the motion of frames uint8 (F, R, S, 3): 1 little, 2 some, 3 much."""
    change = float(np.abs(np.diff(frames.astype(np.float32), axis=0)).mean()) if len(frames) > 1 else 0.0
    return 1 + sum(change > limit for limit in MOTION_LIMITS)


def number_attributes(clip: SceneClip) -> tuple[int, ...]:
    """Return the numbers of the clip's attributes, from 1, in the order of ATTRIBUTES."""
    spec = clip.spec
    return (
        grade_motion(clip.frames),
        1 + list(SPEEDS).index(spec.speed),
        1 + CAMERAS.index(spec.camera),
        1 + list(COLOURS).index(spec.colour),
        DIRECTIONS.index(spec.direction),  # the first one is "none"
        1 + TIMES.index(spec.time_of_day) if spec.time_of_day else 0,
        1 + KIND_NAMES.index(spec.kind),
    )


@dataclass(frozen=True)
class PooledClip:
    """Frames uint8 (F, R, S, 3), what they show, and the numbers of their attributes, 0 where it has none."""

    frames: np.ndarray
    spec: SceneSpec | CharacterSpec | ThingPrompt | PhotoSpec
    attributes: tuple[int, ...]
    strange_words: float = 0.0

    def write_caption(self, rng: np.random.Generator) -> str:
        """Word what a person might type for it."""
        if isinstance(self.spec, SceneSpec):
            return write_caption(self.spec, rng)
        if isinstance(self.spec, ThingPrompt):
            return self.spec.to_caption()
        if isinstance(self.spec, PhotoSpec):
            strange = rng.random() < self.strange_words
            return write_caption(draw_spec(rng), rng) if strange else self.spec.write_caption(rng)
        return write_character_caption(self.spec, rng)


class ClipPool:
    """Rendered clips to draw from; new ones replace the oldest."""

    def __init__(
        self, plan: VideoPlan, table: TextTable, max_words: int, seed: int, characters: Path | None = None,
        things: Path | None = None, photos: Path | None = None,
    ) -> None:  # fmt: skip
        """Take folders: sheets of characters, cut-outs of things, photographs; None leaves them out."""
        self.plan, self.table, self.max_words, self.characters = plan, table, max_words, characters
        self.things, self.photos = things, photos
        self.rng = np.random.default_rng(seed)
        self.wording = CaptionAugmenter(
            table, self._draw_captions(False), self._draw_captions(True), AugmentationRates()
        )
        self.clips: list[PooledClip] = []
        self.oldest = 0
        self.add(plan.first_clips)

    def add(self, count: int) -> None:
        """Render so many."""
        for _ in range(count):
            clip = self.render()
            if len(self.clips) < self.plan.pool:
                self.clips.append(clip)
            else:
                self.clips[self.oldest] = clip
                self.oldest = (self.oldest + 1) % self.plan.pool

    def render(self) -> PooledClip:
        """Render one clip: a character, things, a move over a photograph, or a scene."""
        plan = self.plan
        if self.characters is not None and self.rng.random() < plan.character_share:
            spec = draw_character(self.characters, self.rng)
            frames = lay_on_background(render_character(spec, self.characters, plan.frames), PAPER)
            times = max(1, plan.size // frames.shape[1])  # its pixels become hard squares
            frames = frames.repeat(times, axis=1).repeat(times, axis=2)
            return PooledClip(frames, spec, (grade_motion(frames), *[0] * (len(ATTRIBUTES) - 1)))
        if self.things is not None and self.rng.random() < plan.thing_share:
            shown = draw_thing_prompt(self.rng)
            frames = render_thing(shown, self.things, int(self.rng.integers(2**31)), plan.frames, plan.size).frames
            return PooledClip(frames, shown, (grade_motion(frames), *shown.number_attributes()))
        if self.photos is not None and self.rng.random() < plan.photo_share:
            frames, photo = render_photo(self.photos, self.rng, plan.frames, plan.size)
            numbers = (grade_motion(frames), 0, 1 + CAMERAS.index(photo.camera), *[0] * (len(ATTRIBUTES) - 3))
            return PooledClip(frames, photo, numbers, plan.strange_words)
        clip = render(draw_spec(self.rng), plan.frames, plan.size)
        return PooledClip(clip.frames, clip.spec, (*number_attributes(clip), *NO_THINGS))

    def _draw_captions(self, held_out: bool) -> list[str]:
        """Draw captions without pictures."""
        rng, count = np.random.default_rng(0), self.plan.captions
        texts = [write_caption(draw_spec(rng), rng, held_out) for _ in range(count)]
        if self.characters is not None:
            specs = [draw_character(self.characters, rng) for _ in range(count // 20)]
            texts += [write_character_caption(spec, rng, held_out) for spec in specs for _ in range(4)]
        if self.things is not None and not held_out:
            texts += [draw_thing_prompt(rng).to_caption() for _ in range(count // 4)]
        return texts

    def draw(self, step: int) -> tuple[Tensor, Condition, Tensor]:
        """Draw a batch: clips (B, 3, F, R, S) in [-1, 1], what is said of them, which frames are given (B, F)."""
        plan, rng = self.plan, self.rng
        short = rng.random() < plan.short_share * max(0.0, 1 - step / max(1, plan.short_until))
        batch, frames = (plan.short_batch, plan.short_frames) if short else (plan.batch, plan.frames)
        chosen = [self.clips[int(i)] for i in rng.integers(len(self.clips), size=batch)]
        starts = rng.integers(plan.frames - frames + 1, size=batch)
        pieces = [clip.frames[start : start + frames] for clip, start in zip(chosen, starts, strict=True)]
        pixels = torch.from_numpy(np.stack(pieces)).permute(0, 4, 1, 2, 3)
        texts = ["" if rng.random() < plan.no_words else clip.write_caption(rng) for clip in chosen]
        words, said = self.wording.embed(texts, self.max_words, rng)
        kept = (rng.random((batch, len(ATTRIBUTES))) > plan.no_attribute) & np.array([[bool(t)] for t in texts])
        attributes = torch.from_numpy(np.array([clip.attributes for clip in chosen]) * kept)
        known = torch.zeros(batch, frames, dtype=torch.bool)
        for row in np.flatnonzero(rng.random(batch) < plan.given_frames):
            known[row, : int(rng.choice([n for n in (1, 2, 4, 8) if n < frames]))] = True
        return pixels.float() / 127.5 - 1, Condition(words, said, attributes), known
