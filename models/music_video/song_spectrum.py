"""What a drawing by rule follows in a song, a row for each frame of the video: bands, bass, and the wave itself.

Letters: T frames of the video, B bands, P points of a wave.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.music_video.contracts import FRAME_RATE

Floats = NDArray[np.float32]

BANDS = 64
LOWEST_HZ, HIGHEST_HZ, BASS_HZ = 40.0, 14_000.0, 150.0
WINDOW_S = 0.093
WAVE_S, WAVE_POINTS = 0.04, 160
RANGE_DB, TILT_DB = 48.0, 3.0  # what a full bar spans, and what each octave is raised by: music falls by about as much
RELEASE = 0.8  # of its height that a bar keeps from frame to frame


@dataclass(frozen=True, eq=False)
class SongSpectrum:
    """Curves of a song.

    Attributes:
        bands: float32 (T, B) in [0, 1], low to high; a bar rises at once and falls slowly.
        bass: float32 (T,) in [0, 1], of the bands under BASS_HZ.
        waves: float32 (T, P) in [-1, 1], the sound around the frame.
    """

    bands: Floats
    bass: Floats
    waves: Floats


def read_spectrum(song: Path, frames: int) -> SongSpectrum:
    """Read a sound file, a window a frame; what lies after its end is silence."""
    import soundfile

    edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1)
    levels, waves = np.zeros((frames, BANDS)), np.zeros((frames, WAVE_POINTS), np.float32)
    with soundfile.SoundFile(str(song)) as file:
        rate = file.samplerate
        length, wave_length = round(WINDOW_S * rate), round(WAVE_S * rate)
        window, bins = np.hanning(length), np.arange(length // 2 + 2) * rate / length
        for frame in range(frames):
            first = round(frame * rate / FRAME_RATE) - length // 2
            file.seek(min(max(0, first), file.frames))
            sound = file.read(length + min(0, first), dtype="float32", always_2d=True).mean(axis=1)
            before = max(0, -first)
            sound = np.pad(sound, (before, max(0, length - before - len(sound))))
            power = np.concatenate([[0.0], np.cumsum(np.abs(np.fft.rfft(sound * window)) ** 2)])[: len(bins)]
            levels[frame] = np.diff(np.interp(edges, bins[: len(power)], power)) / np.diff(edges)
            middle = sound[(length - wave_length) // 2 :][:wave_length]
            cuts = np.linspace(0, wave_length, WAVE_POINTS + 1).astype(int)[:-1]
            waves[frame] = np.add.reduceat(middle, cuts) / max(1, wave_length // WAVE_POINTS)
    tilt = TILT_DB * np.log2(edges[:-1] / LOWEST_HZ)
    decibels = 10 * np.log10(levels + 1e-12) + tilt
    top = max(float(np.percentile(decibels, 99.5)), -40.0)  # silence stays dark
    bands = np.clip(1 + (decibels - top) / RANGE_DB, 0, 1)
    for frame in range(1, frames):
        bands[frame] = np.maximum(bands[frame], RELEASE * bands[frame - 1])
    low = bands[:, edges[:-1] < BASS_HZ].mean(axis=1)
    floor, peak = np.percentile(low, (10, 99))
    bass = np.clip((low - floor) / max(float(peak - floor), 0.05), 0, 1)
    loudest = max(float(np.abs(waves).max(initial=0.0)), 1e-3)
    return SongSpectrum(bands.astype(np.float32), bass.astype(np.float32), waves / np.float32(loudest))
