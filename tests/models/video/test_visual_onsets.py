"""Onsets found in the picture, beside the true events."""

from __future__ import annotations

import numpy as np
import pytest

from models.video.visual_onsets import find_light, find_low_points, find_period, measure_motion
from tests.models.video.rendered_scene import scene


@pytest.mark.parametrize(
    ("kind", "manner"), [("lightning", find_light), ("tiles", find_light), ("ball", find_low_points)]
)
def test_onsets_are_near_the_true_events(kind: str, manner: object) -> None:
    hits = total = 0
    for seed in range(4):
        frames, moments = scene(kind, seed=seed)
        found = [onset.time_s for onset in manner(frames, 24.0)]  # type: ignore[operator]
        inside = [moment for moment in moments if 0.15 < moment < 1.85]
        total += len(inside)
        hits += sum(any(abs(moment - other) < 0.085 for other in found) for moment in inside)
        assert len(found) <= len(moments) + 3
    assert hits >= 0.7 * total > 0


def test_nothing_happens_in_a_still_or_single_picture() -> None:
    still = np.full((24, 20, 20, 3), 90, np.uint8)
    for frames in (still, still[:1], still[:0]):
        assert find_light(frames, 24.0) == []
        assert find_low_points(frames, 24.0) == []
        assert measure_motion(frames).sum() == 0
    assert find_period(still, 24.0) == 0.0
    wave = np.abs(np.arange(48) % 12 - 6)[:, None, None, None] * np.full((1, 20, 20, 3), 30)
    assert find_period(wave.astype(np.uint8), 24.0) == pytest.approx(0.5)
