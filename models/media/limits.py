"""What an upload may be: one place for every limit that is told to people or kept by code."""

from __future__ import annotations

MAX_UPLOAD_MB = 300
MAX_UPLOAD_BYTES = MAX_UPLOAD_MB * 2**20

MAX_CLIP_S = 600.0
MAX_FRAMES = 36_000
MAX_RATE = 240
MAX_CLIP_SIDE = 4_096
MAX_CLIP_PIXELS = 4_096 * 2_304
MAX_CLIP_WORK = 40_000_000_000  # pixels of all frames: ten minutes at 1,920 x 1,080, two and a half at 3,840 x 2,160
MAX_ANIMATION_WORK = 1_000_000_000  # the same for animations that Pillow reads

MAX_PICTURE_SIDE = 16_384
MAX_PICTURE_PIXELS = 64_000_000
MAX_JPEG_PIXELS = 200_000_000  # of which no more is decoded than is needed

MAX_SOUND_S = 15 * 60.0
MAX_SOUND_CHANNELS = 16
MAX_SOUND_RATE = 768_000
MAX_SOUND_SAMPLES = 180_000_000  # of all channels, as they are held in memory
