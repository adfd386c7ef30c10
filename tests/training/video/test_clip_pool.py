"""The pool of clips that the video model is trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from models.video.cutout import PAPER
from models.video.scene_spec import TIMES
from models.video.scenes import KINDS, draw_spec, render
from models.video.text_embedding import TextTable
from tests.training.video.debug_plan import CONFIG, PLAN
from training.video.clip_pool import ATTRIBUTES, ClipPool, grade_motion, number_attributes


def test_the_pool_stays_within_bounds_and_its_batches_are_sound(table: TextTable) -> None:
    pool = ClipPool(PLAN, table, CONFIG.max_words, seed=0)
    pool.add(9)
    assert len(pool.clips) == PLAN.pool
    short = 0
    for step in range(40):
        clean, condition, known = pool.draw(step // 10)
        batch, frames = (5, 2) if clean.shape[0] == 5 else (3, 4)
        short += batch == 5
        assert clean.shape == (batch, 3, frames, 16, 16)
        assert -1 <= clean.min() < clean.max() <= 1
        assert condition.attributes.shape == (batch, len(ATTRIBUTES))
        limits = torch.tensor(CONFIG.attributes)
        assert (condition.attributes >= 0).all()
        assert (condition.attributes <= limits).all()
        assert not known[:, -1].any()
    assert 5 < short < 35
    assert all(pool.draw(PLAN.short_until)[0].shape[0] == 3 for _ in range(10))


def test_characters_stand_on_paper_and_have_no_scene_attributes(table: TextTable, tmp_path: Path) -> None:
    for part in (
        "body/{}/human/light",
        "legs/pantaloons/male/red",
        "torso/clothes/longsleeve/{}/blue",
        "hair/bob/{}/tan",
    ):
        for sex in ("male", "female"):
            sheet = np.zeros((1344, 832, 4), np.uint8)
            sheet[np.arange(1344) % 64 > 32] = (200, 100, 50, 255)
            path = tmp_path / f"{part.format(sex)}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(sheet).save(path)
    pool = ClipPool(replace(PLAN, size=64, character_share=1.0), table, CONFIG.max_words, 0, tmp_path)
    for clip in pool.clips:
        assert (clip.frames[:, 0, 0] == PAPER).all()
        assert (clip.frames[:, 50, 30] == (200, 100, 50)).all()
        assert not any(clip.attributes[1:])
        assert "hair" in clip.write_caption(pool.rng)


def test_motion_and_attributes_are_those_of_the_clip() -> None:
    assert grade_motion(np.zeros((4, 8, 8, 3), np.uint8)) == 1
    assert grade_motion(np.random.default_rng(0).integers(0, 255, (4, 8, 8, 3)).astype(np.uint8)) == 3
    spec = replace(draw_spec(np.random.default_rng(1), "ball"), colour="orange", speed="fast", direction="left")
    number = 1 + list(KINDS).index("ball")
    time = 1 + TIMES.index(spec.time_of_day) if spec.time_of_day else 0
    assert number_attributes(render(spec, 4, 16))[1:] == (3, 1, 2, 1, time, number)


def test_nothing_said_means_no_attribute_either(table: TextTable) -> None:
    plan = replace(PLAN, no_words=1.0, no_attribute=0.0)
    _, condition, _ = ClipPool(plan, table, CONFIG.max_words, seed=0).draw(0)
    assert not condition.said.any()
    assert not condition.attributes.any()
