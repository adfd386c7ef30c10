"""What is learned of a sound before it is restyled: features, their statistics over time, and pitch.

A sound of any length goes through the encoder in blocks with the frames around them that it sees, so that the result is
that of the whole. Frames more than ACTIVE_DB under the loudest are silence and do not count in the statistics.

Letters: N samples, T frames, M mel bands, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.audio import MelConfig
from models.style.audio_network import AudioStatistics, AudioStyleNetwork
from models.style.content_vocoder import compute_mel, compute_spectrum
from models.style.pitch import MEDIAN_FRAMES, count_yin_reach, find_typical_pitch, run_yin, smooth_by_median

FloatArray = NDArray[np.float32]

ACTIVE_DB = 50.0
BLOCK_FRAMES = 512
LEAST_DEVIATION = 0.05
FEATURES_KEPT_S = 300.0
"""Features of longer contents are not kept, but made again while they are needed: memory stays bounded."""


def cut_frames(samples: FloatArray, first: int, stop: int, size: int, hop: int) -> FloatArray:
    """Cut frames first..stop-1 of `size` samples, centred on multiples of hop; silence lies beyond the ends."""
    start, end = first * hop - size // 2, (stop - 1) * hop + size - size // 2
    piece = samples[max(0, start) : max(0, end)]
    before = min(max(0, -start), end - start)
    piece = np.pad(piece, (before, end - start - before - len(piece)))
    return np.lib.stride_tricks.sliding_window_view(piece, size)[::hop]


def compute_mel_frames(samples: FloatArray, first: int, stop: int, config: MelConfig) -> Tensor:
    """Return log mel (1, stop - first, M) of frames first..stop-1."""
    frames = cut_frames(samples, first, stop, config.n_fft, config.hop_length)
    return compute_mel(compute_spectrum(torch.from_numpy(np.ascontiguousarray(frames))), config)[None]


def track_pitch(samples: FloatArray, first: int, stop: int, total: int, config: MelConfig) -> NDArray[np.float32]:
    """Return F0 in Hz of frames first..stop-1 of a sound of `total` frames, 0 where there is none."""
    half = MEDIAN_FRAMES // 2
    low, high = max(0, first - half), min(total, stop + half)
    frames = cut_frames(samples, low, high, 2 * count_yin_reach(config.sample_rate), config.hop_length)
    smooth = smooth_by_median(run_yin(frames, config.sample_rate))
    return smooth[first - low : stop - low]


class RunningStatistics:
    """Weighted sums from which means and standard deviations over time come; float64."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        self.weight = 0.0
        self.sums = [torch.zeros(w, dtype=torch.float64) for w in widths]
        self.squares = [torch.zeros(w, dtype=torch.float64) for w in widths]

    def add(self, features: tuple[Tensor, ...], active: Tensor) -> None:
        """Add features (1, n, C) of each level; bool (n,) tells which frames count."""
        self.weight += float(active.sum())
        for level, values in enumerate(features):
            counted = values[0, active].double()
            self.sums[level] += counted.sum(dim=0)
            self.squares[level] += (counted**2).sum(dim=0)

    def forget(self, share: float) -> None:
        """Keep only this share of what was added."""
        self.weight *= share
        self.sums = [value * share for value in self.sums]
        self.squares = [value * share for value in self.squares]

    def compute(self) -> AudioStatistics:
        """Return the statistics of all that was added."""
        weight = max(self.weight, 1.0)
        means = [s / weight for s in self.sums]
        stds = [
            (q / weight - m**2).clamp_min(0).sqrt().clamp_min(LEAST_DEVIATION)
            for q, m in zip(self.squares, means, strict=True)
        ]
        return AudioStatistics(tuple(m.float() for m in means), tuple(d.float() for d in stds))


def find_active_frames(samples: FloatArray, frames: int, config: MelConfig) -> NDArray[np.bool_]:
    """Tell which frames (T,) are louder than ACTIVE_DB under the loudest; all of them where the sound is silent."""
    hop = config.hop_length
    padded = np.pad(samples, (hop, max(0, (frames + 1) * hop - len(samples))))[: (frames + 1) * hop]
    power = np.mean(padded.reshape(-1, hop) ** 2, axis=1)
    around = power[:-1] + power[1:]
    loudest = float(around.max(initial=0.0))
    return around >= loudest * 10 ** (-ACTIVE_DB / 10)


@dataclass
class SoundAnalysis:
    """A sound, its statistics and pitch, and its features where they are kept."""

    network: AudioStyleNetwork
    samples: FloatArray
    statistics: AudioStatistics
    pitch_hz: float
    f0: NDArray[np.float32]
    kept: list[tuple[Tensor, ...]] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """Count the frames, T."""
        return 1 + len(self.samples) // self.network.config.mel.hop_length

    def encode(self, first: int, stop: int) -> tuple[Tensor, ...]:
        """Return features (1, stop - first, C) of each level."""
        if not self.kept:
            return encode_frames(self.network, self.samples, first, stop, self.frames)
        blocks = range(first // BLOCK_FRAMES, (stop - 1) // BLOCK_FRAMES + 1)
        offset = blocks[0] * BLOCK_FRAMES
        return tuple(
            torch.cat([self.kept[b][level] for b in blocks], dim=1)[:, first - offset : stop - offset].float()
            for level in range(len(self.network.widths))
        )


def encode_frames(
    network: AudioStyleNetwork, samples: FloatArray, first: int, stop: int, frames: int
) -> tuple[Tensor, ...]:
    """Encode frames first..stop-1 as the encoder does over the whole sound of `frames` frames."""
    low, high = max(0, first - network.encoder_past), min(frames, stop + network.encoder_ahead)
    features = network.encode(compute_mel_frames(samples, low, high, network.config.mel))
    return tuple(f[:, first - low : stop - low] for f in features)


def analyse(network: AudioStyleNetwork, samples: FloatArray, keep: bool) -> Iterator[SoundAnalysis | int]:
    """Listen to a sound; yield how many frames are done, and at last the analysis.

    Args:
        keep: whether the features will be needed (content), or only their statistics (style).
    """
    config = network.config.mel
    frames = 1 + len(samples) // config.hop_length
    active = torch.from_numpy(find_active_frames(samples, frames, config))
    running = RunningStatistics(network.widths)
    kept: list[tuple[Tensor, ...]] = []
    pitches = []
    keep = keep and len(samples) <= FEATURES_KEPT_S * config.sample_rate
    for first in range(0, frames, BLOCK_FRAMES):
        stop = min(frames, first + BLOCK_FRAMES)
        features = encode_frames(network, samples, first, stop, frames)
        running.add(features, active[first:stop])
        pitches.append(track_pitch(samples, first, stop, frames, config))
        if keep:
            kept.append((features[0], *(f.half() for f in features[1:])))
        yield stop
    f0 = np.concatenate(pitches)
    yield SoundAnalysis(network, samples, running.compute(), find_typical_pitch(f0), f0, kept)


def analyse_whole(network: AudioStyleNetwork, samples: FloatArray, keep: bool = False) -> SoundAnalysis:
    """Listen to a sound as `analyse` does, without the progress."""
    *_, analysis = analyse(network, samples, keep)
    assert isinstance(analysis, SoundAnalysis)
    return analysis
