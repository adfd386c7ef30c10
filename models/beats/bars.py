"""The bars of a song: a small network over its beats tells which of them begin a bar.

After Durand, Bello, David and Richard 2017, "Robust downbeat tracking using an ensemble of convolutional networks"
(harmony, bass and onsets are described apart, beat by beat) and Krebs, Böck, Dorfer and Widmer 2016, "Downbeat tracking
using beat-synchronous features and recurrent neural networks". Chords and basses change where bars begin, in rendered
songs as in recordings; so what is described is how unlike the beats after each beat are to those before it, beside
onsets and levels in a few bands, and each feature is measured against the rest of the song. Few features and few
weights carry over to sound that was never heard; a recurrent network over whole spectra did not.

Letters: B batch, N beats, F features, T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.beats.decoding import BAR_LENGTHS, decode_bars, read_activation, to_log_odds
from models.beats.network import FRAME_RATE
from models.weights_io import load_network

ONSET_BANDS = ((0, 4), (4, 12), (12, 35), (35, 60), (60, 80))  # of the mel bands: bass, drums and chords, cymbals
LEVEL_BANDS = ((0, 4), (4, 12), (12, 40), (60, 80))
CHORD_BANDS, BASS_BANDS = (2, 50), (0, 9)
SPANS = (1, 2, 4)  # beats before and after, that are compared
FEATURES = 2 * len(ONSET_BANDS) + 2 * len(SPANS) + len(LEVEL_BANDS)
REACH_FRAMES = 3  # how far from a beat its onset may be
ACTIVATION_SHARE = 0.3  # of the log odds, beside those of the bars

Floats = NDArray[np.float64]


def average_beats(mel: NDArray[np.float32], times_s: Floats) -> Floats:
    """Average the frames (T, M) of each beat, to the next one: (N, M)."""
    ends = np.append(times_s, 2 * times_s[-1] - times_s[-2]) * FRAME_RATE
    edges = np.maximum.accumulate(np.clip(np.round(ends), 0, len(mel) - 1).astype(np.int64))
    sums = np.add.reduceat(mel[: edges[-1] + 1], edges[:-1], axis=0, dtype=np.float64)
    counts = np.maximum(1, np.diff(edges))
    counts[-1] = edges[-1] + 1 - edges[-2]
    return np.asarray(sums / counts[:, None])


def measure_onsets(mel: NDArray[np.float32], times_s: Floats, bands: tuple[int, int]) -> Floats:
    """Measure the strongest rise of some bands near each time, (N,)."""
    some = mel[:, slice(*bands)]
    rises = np.maximum(np.diff(some, axis=0, prepend=some[:1]), 0.0).mean(axis=1)
    return read_activation(rises, FRAME_RATE, times_s, REACH_FRAMES)


def measure_change(rows: Floats, span: int) -> Floats:
    """Measure how unlike the `span` beats from each on are to as many before it, in [0, 2], (N,), rows (N, C)."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows / (lengths + 1e-6), axis=0)])
    at, count = np.arange(len(rows)), len(rows)
    after = sums[np.minimum(at + span, count)] - sums[at]
    before = sums[at] - sums[np.maximum(at - span, 0)]
    norms = np.linalg.norm(after, axis=1) * np.linalg.norm(before, axis=1)
    change = 1.0 - (after * before).sum(axis=1) / (norms + 1e-9)
    change[0] = change[1:].mean()  # nothing is before the first
    return np.asarray(change)


def describe_beats(mel: NDArray[np.float32], times_s: Floats) -> NDArray[np.float32]:
    """Describe what sounds at each beat and what changes there, float32 (N, F).

    Each feature has mean 0 and deviation 1 over the song, so that its loudness and mixing do not matter.

    Args:
        mel: (T, M), of the whole song.
        times_s: (N,), rising, at least two.
    """
    means = average_beats(mel, times_s)
    whitened = (means - means.mean(axis=0)) / (means.std(axis=0) + 0.3)
    whitened -= whitened.mean(axis=1, keepdims=True)
    between_s = times_s + np.append(np.diff(times_s), times_s[-1] - times_s[-2]) / 2
    told = [measure_onsets(mel, at, bands) for bands in ONSET_BANDS for at in (times_s, between_s)]
    told += [measure_change(whitened[:, slice(*bands)], span) for bands in (CHORD_BANDS, BASS_BANDS) for span in SPANS]
    told += [means[:, slice(*bands)].mean(axis=1) for bands in LEVEL_BANDS]
    columns = np.stack(told, axis=1)
    columns -= columns.mean(axis=0)
    return np.asarray(columns / (columns.std(axis=0) + 1e-3), np.float32)


@dataclass(frozen=True)
class BarNetworkConfig:
    """Sizes of the network: `hidden` units for each beat, which see so many beats to either side."""

    features: int = FEATURES
    hidden: int = 32
    reach: int = 4
    dropout: float = 0.15

    def to_dict(self) -> dict[str, object]:
        """Return plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> BarNetworkConfig:
        """Invert `to_dict`; TypeError names an unknown field."""
        return cls(**values)


class BarNetwork(nn.Module):
    """Descriptions of beats to the log odds that each begins a bar."""

    def __init__(self, config: BarNetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.look = nn.Conv1d(config.features, config.hidden, 2 * config.reach + 1, padding=config.reach)
        self.dropout = nn.Dropout(config.dropout)
        self.out = nn.Linear(config.hidden, 1)

    def forward(self, described: Tensor) -> Tensor:
        """Map (B, N, F), of `describe_beats`, to log odds (B, N)."""
        seen = torch.relu(self.look(self.dropout(described).transpose(1, 2))).transpose(1, 2)
        return self.out(self.dropout(seen))[:, :, 0]  # type: ignore[no-any-return]


class BarReader:
    """The reader of a song's bars from its mel frames, beats and downbeat activations."""

    def __init__(self, network: BarNetwork) -> None:
        self.network = network.eval()

    @torch.inference_mode()
    def judge(self, mel: NDArray[np.float32], times_s: Floats) -> Floats:
        """Return the log odds (N,) that each beat begins a bar."""
        odds = self.network(torch.from_numpy(describe_beats(mel, times_s))[None])[0]
        return np.asarray(odds.double().numpy())

    def read(
        self,
        mel: NDArray[np.float32],
        times_s: Floats,
        downbeat: Floats,
        bar_lengths: tuple[int, ...] = BAR_LENGTHS,
    ) -> NDArray[np.int64]:
        """Find the place in its bar of each beat, int (N,); 1 is a downbeat.

        Args:
            mel: (T, M), of the whole song.
            times_s: (N,), rising.
            downbeat: (N,), how much each beat looks like a downbeat to the beat network, in [0, 1].
            bar_lengths: how many beats a bar may have.
        """
        if len(times_s) < 2:
            return decode_bars(downbeat, bar_lengths)
        heard = to_log_odds(downbeat)
        odds = self.judge(mel, times_s) + ACTIVATION_SHARE * (heard - heard.mean())
        return decode_bars(1 / (1 + np.exp(-odds)), bar_lengths)


def load_bar_reader(path: Path) -> BarReader:
    """Load the reader of bars from its weight file.

    Raises:
        ModelError: the file is damaged or belongs to another version.
    """
    return BarReader(load_network(path, lambda values: BarNetwork(BarNetworkConfig.from_dict(values)), "the bars"))
