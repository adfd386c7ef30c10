"""Judges of looks: sharpness, and the named things."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from benchmarks.video_detail import measure_psnr, measure_sharpness
from benchmarks.video_things import SIZE, ThingJudge, draw_prompt, judge_clip, spoil
from models.video.thing_words import PLACE_NAMES, THING_NAMES


def test_blurred_frames_are_less_sharp_and_farther_from_the_truth() -> None:
    sharp = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    soft, softer = (np.stack([cv2.GaussianBlur(each, (0, 0), sigma) for each in sharp]) for sigma in (0.6, 2.0))
    assert measure_sharpness(sharp) > 2 * measure_sharpness(soft) > 2 * measure_sharpness(softer)
    assert measure_psnr(sharp, sharp) > 100 > measure_psnr(sharp, soft) > measure_psnr(sharp, softer)


def test_the_judge_names_one_thing_and_one_place() -> None:
    torch.manual_seed(0)
    judge = ThingJudge(8).eval()
    frames = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3)).astype(np.uint8)
    thing, place = judge_clip(judge, frames)
    assert thing in THING_NAMES and place in PLACE_NAMES
    with torch.no_grad():
        judge.things.weight.zero_()
        judge.things.bias.zero_()
        judge.things.bias[5] = 1.0
    assert judge_clip(judge, frames)[0] == THING_NAMES[5]


def test_judged_prompts_show_one_kind_of_thing_and_spoilt_frames_stay_near() -> None:
    rng = np.random.default_rng(0)
    assert not any(draw_prompt(rng).other for _ in range(100))
    frames = torch.rand(2, 3, 8, 8)
    spoilt = spoil(frames, torch.Generator().manual_seed(0))
    assert spoilt.shape == frames.shape and 0 < (spoilt - frames).abs().mean() < 0.3
