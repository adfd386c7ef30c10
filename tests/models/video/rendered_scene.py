"""Scenes with events for the tests of sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.video.scenes import draw_spec, render


def scene(kind: str, frames: int = 48, seed: int = 3) -> tuple[np.ndarray, list[float]]:
    spec = replace(draw_spec(np.random.default_rng(seed), kind), camera="still", speed="normal")
    clip = render(spec, frames, 32, 24.0)
    return clip.frames, [event.time_s for event in clip.events]
