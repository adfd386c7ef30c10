"""The recipe: resumes, keeps captions and attributes true to the clip, exports what it trained."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.video.cutout import PAPER
from models.video.scene_spec import TIMES
from models.video.text_embedding import TextTable
from models.video.unet3d import UNet3DConfig
from models.weights_io import load_metadata, load_safetensors
from training.video import gpu_training
from training.video import train as recipe
from training.video.caption_augmentation import AugmentationRates, CaptionAugmenter
from training.video.clip_pool import ATTRIBUTES, ClipPool, VideoPlan, grade_motion, number_attributes
from training.video.gpu_training import ClipStore, TimedSchedule
from training.video.scenes import KINDS, draw_spec, render
from training.video.train import compute_rate, draw_contact_sheet, load_average, sample_prompts

CONFIG = UNet3DConfig.debug()
PLAN = VideoPlan(
    batch=3,
    frames=4,
    size=16,
    short_batch=5,
    short_frames=2,
    short_until=4,
    new_clips=1,
    first_clips=4,
    pool=6,
    captions=40,
)
WORDS = ["a", "red", "blue", "ocean", "fire", "left", "right"]


@pytest.fixture
def table() -> TextTable:
    """Return a few words."""
    vectors = torch.randn(len(WORDS), CONFIG.text_width, generator=torch.Generator().manual_seed(0))
    return TextTable(WORDS, vectors)


def test_training_resumes_where_it_stopped_and_exports(tmp_path: Path, table: TextTable) -> None:
    assert recipe.train(tmp_path, PLAN, CONFIG, 2, table) == 2
    assert recipe.train(tmp_path, PLAN, CONFIG, 4, table) == 4
    model, step = load_average(tmp_path / "checkpoint.pt")
    assert step == 4
    path = recipe.export(tmp_path / "checkpoint.pt", tmp_path / "weights")
    assert UNet3DConfig.from_dict(json.loads(load_metadata(path)["config"])) == CONFIG
    for name, value in load_safetensors(path).items():
        assert torch.allclose(value, model.state_dict()[name], atol=1e-3), name
    clips = list(sample_prompts(model, table, ["a red fire", "a blue ocean"], PLAN, steps=2))
    assert clips[-1].shape == (2, 3, 4, 16, 16)
    assert draw_contact_sheet(clips[-1], columns=3).shape == (32, 48, 3)


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


def test_the_learning_rate_warms_up_and_falls_at_the_end() -> None:
    plan = VideoPlan(learning_rate=1.0, warm_up=10, calm_share=0.25, last_rate=0.1)
    rates = [compute_rate(step, 100, plan) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert set(rates[10:75]) == {1.0}
    assert rates[75:] == sorted(rates[75:], reverse=True)
    assert rates[-1] == pytest.approx(0.1)


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


def test_captions_are_disturbed_but_never_by_words_that_are_held_out() -> None:
    words = ["red", "reddish", "crimson", "ocean", "sea", "table", "##s"]
    near = torch.eye(4)[[0, 0, 0, 1, 1, 2, 3]] + 0.01 * torch.arange(7)[:, None]
    table, rng = TextTable(words, near), np.random.default_rng(0)
    plan = AugmentationRates(left_out=0.2, replaced=0.4, put_in=0.2)
    loose = CaptionAugmenter(table, ["red ocean"], ["crimson sea"], plan)
    assert loose.neighbours == {0: [1]}
    rows = [loose.augment([0, 3], rng) for _ in range(300)]
    used = {number for row in rows for number in row}
    assert used == {0, 1, 3, 5}, "of the rest, two are held out and one is no word"
    assert all(rows) and any(len(row) == 1 for row in rows) and any(len(row) > 2 for row in rows)
    vectors, said = loose.embed(["red ocean", ""], 4, rng)
    assert not vectors[~said].any() and vectors[said].std() > 0.1
    plain = CaptionAugmenter(table, ["red ocean"], [], AugmentationRates(0.0, 0.0, 0.0, noise=0.0))
    assert torch.equal(plain.embed(["ocean red"], 4, rng)[0], table.embed(["ocean red"], 4)[0])


def test_every_word_may_be_known(table: TextTable) -> None:
    loose = CaptionAugmenter(table, WORDS, [], AugmentationRates(put_in=1.0, left_out=0.0))
    assert loose.augment([1, 3], np.random.default_rng(0)) == [1, 3]


def test_the_store_hands_over_what_its_processes_rendered_and_trains(tmp_path: Path, table: TextTable) -> None:
    store = ClipStore(PLAN, table, CONFIG.max_words, None, capacity=16, workers=1, device="cpu", waiting=2)
    try:
        figures = gpu_training.train(
            store, CONFIG, 4, TimedSchedule(seconds=0.5, warm_up=1, log_every=1), tmp_path, 0.9, compiled=False
        )
        while store.seen < 40:  # more than it keeps
            store.collect(wait=True)
        assert store.count == 16
        clean, condition, known = store.draw(64)
        store.plan = replace(PLAN, no_words=1.0)
        nothing = store.draw(8)[1]
    finally:
        store.close()
    assert all(not worker.is_alive() for worker in store.workers)
    assert clean.shape == (64, 3, 4, 16, 16) and -1 <= clean.min() < clean.max() <= 1
    assert (condition.attributes <= torch.tensor(CONFIG.attributes)).all() and (condition.attributes >= 0).all()
    assert not condition.words[~condition.said].any()
    assert condition.words[condition.said].std() > 0.1
    assert not nothing.said.any() and not nothing.attributes.any()
    assert set(known.sum(dim=1).tolist()) <= {0, 1, 2} and not known[:, -1].any()
    assert figures["steps"] >= 1 and figures["clips"] == 4 * figures["steps"]
    assert load_metadata(tmp_path / gpu_training.UNET_WEIGHTS)["steps"] == str(figures["steps"])


def test_the_learning_rate_on_a_gpu_follows_the_clock() -> None:
    timing = TimedSchedule(seconds=100, calm=0.5, warm_up=10)
    assert timing.compute_rate(0, 0.0) == pytest.approx(0.1)
    assert timing.compute_rate(500, 40.0) == 1
    assert timing.compute_rate(500, 75.0) == pytest.approx(0.5)
    assert timing.compute_rate(500, 101.0) == 0
