"""Listen to a whole song: beats, downbeats, sections and the curves that a picture follows."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.audio import resample
from models.music_video.beat_network import BEAT_MEL
from models.music_video.beats import BeatDetector, BeatRequest, BeatTrack
from models.music_video.features import MusicFeatures, measure

WAVE_POINTS = 2000
BLOCK = 2**18
LISTENING_SHARE = 0.8  # of the time; the rest goes to the features


@dataclass(frozen=True, eq=False)
class SongAnalysis:
    """What was heard in a song.

    Attributes:
        activations: float32 (frames, 2) of beat and downbeat, at `beat_network.FRAME_RATE`.
        wave: float32 (WAVE_POINTS,), the largest level in equal parts of the song.
    """

    duration_s: float
    track: BeatTrack
    activations: NDArray[np.float32]
    features: MusicFeatures
    wave: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AnalysisChunk:
    """How far the listening is; the last chunk carries the analysis."""

    done: float
    total: float
    analysis: SongAnalysis | None = None


def read_mono(path: Path, rate: int = BEAT_MEL.sample_rate) -> NDArray[np.float32]:
    """A sound file as mono float32 at `rate`, read block by block so that a long song takes little memory."""
    import soundfile

    with soundfile.SoundFile(str(path)) as file:
        if file.samplerate % rate == 0 or rate % file.samplerate == 0:
            margin = 64 * max(1, file.samplerate // rate)  # what the filter of the resampling looks at
            step = BLOCK - BLOCK % max(1, file.samplerate // rate)
            mono = np.zeros(-(-file.frames * rate // file.samplerate), dtype=np.float32)
            for at in range(0, file.frames, step):
                first = max(0, at - margin)
                file.seek(first)
                block = file.read(step + at - first + margin, dtype="float32", always_2d=True).mean(axis=1)
                small = resample(block, file.samplerate, rate)
                skip = (at - first) * rate // file.samplerate
                count = -(-min(step, file.frames - at) * rate // file.samplerate)
                begin = at * rate // file.samplerate
                mono[begin : begin + count] = small[skip : skip + count]
            return mono
        whole = file.read(dtype="float32", always_2d=True).mean(axis=1)
        return resample(whole, file.samplerate, rate)


def wave_of(mono: NDArray[np.float32], points: int = WAVE_POINTS) -> NDArray[np.float32]:
    """The largest magnitude in `points` equal parts, float32 (points,)."""
    edges = np.linspace(0, len(mono), points, endpoint=False).astype(int)
    return np.maximum.reduceat(np.abs(mono), edges).astype(np.float32) if len(mono) else np.zeros(points, np.float32)


def analyse(detector: BeatDetector, song: Path, duration_s: float) -> Generator[AnalysisChunk, None, None]:
    """Listen to a sound file; closing the iterator stops the work.

    Raises:
        ValueError: the sound is empty or too long.
    """
    mono = read_mono(song)
    activations = []
    track: BeatTrack | None = None
    with closing(detector.stream(BeatRequest(mono, BEAT_MEL.sample_rate))) as chunks:
        for chunk in chunks:
            activations.append(chunk.activations)
            track = chunk.track
            yield AnalysisChunk(LISTENING_SHARE * chunk.done, duration_s)
    assert track is not None
    features = measure(mono, BEAT_MEL.sample_rate, track.times_s, track.downbeats_s)
    analysis = SongAnalysis(duration_s, track, np.concatenate(activations), features, wave_of(mono))
    yield AnalysisChunk(duration_s, duration_s, analysis)
