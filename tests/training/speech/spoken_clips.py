"""Clips as a teacher would say them, made of tones: fast, without a teacher."""

import numpy as np

from models.speech.hibari_synthesis import HOP, RATE, count_cycles
from models.speech.symbols import SYMBOLS
from training.speech.teacher_corpus import SpokenClip


def make_clip(seed: int, voice: int = 0, symbols: int = 12) -> SpokenClip:
    """Make a clip whose tone has a pitch of its own in each symbol."""
    random = np.random.default_rng(seed)
    ids = np.array([1, *random.integers(10, len(SYMBOLS), symbols), 5, 2])
    durations = random.integers(1, 6, len(ids)) * 2
    f0 = np.repeat(random.uniform(110, 220, len(ids)), durations).astype(np.float32)
    f0[: durations[0]] = 0.0
    hz, cycles = count_cycles(f0)
    samples = (0.2 * np.cos(2 * np.pi * cycles) + 0.1 * np.cos(6 * np.pi * cycles)) * (hz > 60)
    noise = 0.002 * random.standard_normal(len(samples))
    level = (samples + noise).astype(np.float32)
    return SpokenClip(ids, level, durations, f0, cycles[::HOP].astype(np.float32), voice)


def make_clips(count: int = 24, voices: int = 4) -> list[SpokenClip]:
    """Make clips of several voices, the first of which has most."""
    return [make_clip(seed, voice=seed % voices if seed % 3 == 0 else 0) for seed in range(count)]


__all__ = ["HOP", "RATE", "make_clip", "make_clips"]
