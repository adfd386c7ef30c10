"""A debug network, a short plan and a few words for the tests of the video recipes."""

from __future__ import annotations

from models.video.unet3d import UNet3DConfig
from training.video.clip_pool import VideoPlan

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
