"""Listen to a whole song: beats, downbeats, sections and the curves that a picture follows.

The file is read once, block by block. Of its sound only the mel frames are kept, a third of the size that the samples
would have at half their rate, so that a long song takes little more memory than a short one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.audio import resample
from models.beats.detector import BeatDetector, BeatTrack, FramesRequest, check_length
from models.beats.mel import Mono, allocate_mel, fill_mel
from models.beats.network import BEAT_MEL, FRAME_RATE
from models.media.sound import is_opposite
from models.music_video.features import MusicFeatures, measure_frames

WAVE_POINTS = 2000
BLOCK = 2**18
READING_SHARE, LISTENING_SHARE = 0.2, 0.7  # of the time; the rest goes to the features


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


class MonoFile:
    """A sound file as mono float32 at `rate`, block by block; `samples` says how many there will be."""

    def __init__(self, path: Path, rate: int = BEAT_MEL.sample_rate) -> None:
        import soundfile

        self.path, self.rate = path, rate
        facts = soundfile.info(str(path))
        self.source_rate, self.source_samples = int(facts.samplerate), int(facts.frames)
        self.samples = -(-self.source_samples * rate // self.source_rate)
        self._is_opposite = self._find_opposite()

    def _find_opposite(self) -> bool:
        """Tell whether the file has two channels that are opposite in phase, which would cancel each other."""
        import soundfile

        middle = whole = 0.0
        with soundfile.SoundFile(str(self.path)) as file:
            if file.channels != 2:
                return False
            for block in file.blocks(BLOCK, dtype="float32"):
                middle += float(np.square(block.mean(axis=1)).sum(dtype=np.float64))
                whole += float(np.square(block).sum(dtype=np.float64)) / 2
        return is_opposite(middle, whole)

    def _mix(self, block: NDArray[np.float32]) -> Mono:
        """Return one channel (n,) of a block (n, channels)."""
        if self._is_opposite:
            return np.asarray((block[:, 0] - block[:, 1]) * np.float32(0.5))
        return np.asarray(block.mean(axis=1))

    def read_blocks(self) -> Iterator[Mono]:
        """Read it; where the rates do not divide each other, in one block."""
        import soundfile

        with soundfile.SoundFile(str(self.path)) as file:
            if self.source_rate % self.rate and self.rate % self.source_rate:
                whole = self._mix(file.read(dtype="float32", always_2d=True))
                yield _exactly(self.samples, resample(whole, self.source_rate, self.rate))
                return
            ratio = max(1, self.source_rate // self.rate)
            margin = 64 * ratio  # what the filter of the resampling looks at
            step = BLOCK - BLOCK % ratio
            for at in range(0, self.source_samples, step):
                first = max(0, at - margin)
                file.seek(first)
                block = self._mix(file.read(step + at - first + margin, dtype="float32", always_2d=True))
                small = resample(block, self.source_rate, self.rate)
                skip = (at - first) * self.rate // self.source_rate
                count = -(-min(step, self.source_samples - at) * self.rate // self.source_rate)
                yield _exactly(count, small[skip:])


def _exactly(count: int, samples: Mono) -> Mono:
    """Return the first `count` samples; a file that ends before it said goes on in silence."""
    return samples[:count] if len(samples) >= count else np.pad(samples, (0, count - len(samples)))


class WaveOutline:
    """The largest magnitude in `points` equal parts of a sound of so many samples, taken in block by block."""

    def __init__(self, samples: int, points: int = WAVE_POINTS) -> None:
        edges = np.linspace(0, samples, points + 1).astype(int)
        self._first, self._end = edges[:-1], np.maximum(edges[1:], edges[:-1] + 1)  # of few samples each is in many
        self._taken = 0
        self.wave = np.zeros(points, np.float32)

    def trace(self, blocks: Iterator[Mono]) -> Iterator[Mono]:
        """Pass the blocks on, and note them.

        Raises:
            ValueError: a block has values that are no numbers.
        """
        for block in blocks:
            if not np.isfinite(block).all():
                raise ValueError("The song has values that are no numbers; the file may be damaged.")
            begin, end = self._taken, self._taken + len(block)
            for part in np.flatnonzero((self._first < end) & (self._end > begin)):
                inside = block[max(0, self._first[part] - begin) : self._end[part] - begin]
                self.wave[part] = max(self.wave[part], np.abs(inside).max())
            self._taken = end
            yield block


def analyse(detector: BeatDetector, song: Path, duration_s: float) -> Generator[AnalysisChunk, None, None]:
    """Listen to a sound file; closing the iterator stops the work.

    Raises:
        ValueError: the sound is empty, too long or damaged.
    """
    file = MonoFile(song)
    if not file.samples:
        raise ValueError("The song has no sound.")
    length_s = file.samples / file.rate
    check_length(length_s)
    mel, outline = allocate_mel(file.samples), WaveOutline(file.samples)
    with closing(fill_mel(mel, outline.trace(file.read_blocks()))) as counts:
        for filled in counts:
            yield AnalysisChunk(READING_SHARE * min(duration_s, filled / FRAME_RATE), duration_s)
    activations = []
    track: BeatTrack | None = None
    with closing(detector.stream(FramesRequest(mel, length_s))) as chunks:
        for chunk in chunks:
            activations.append(chunk.activations)
            track = chunk.track
            yield AnalysisChunk(READING_SHARE * duration_s + LISTENING_SHARE * min(duration_s, chunk.done), duration_s)
    assert track is not None
    features = measure_frames(mel, length_s, track.times_s, track.downbeats_s)
    analysis = SongAnalysis(duration_s, track, np.concatenate(activations), features, outline.wave)
    yield AnalysisChunk(duration_s, duration_s, analysis)
