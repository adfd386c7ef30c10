"""What a picture can follow in a song besides its beats: sections, loudness, percussive energy, brightness.

Letters: T frames, M mel bands, n beats.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.audio import resample
from models.beats.mel import compute_whole_mel
from models.beats.network import BEAT_MEL, FRAME_RATE

Floats = NDArray[np.float64]
BLOCK_S = 10.0
MIN_SECTION_S = 6.0
KERNEL_BEATS = 16
_FLOOR_DB = -60.0


@dataclass(frozen=True)
class Section:
    """A part of a song from start to end in seconds; parts with one label sound alike ("A", "B" ...)."""

    start_s: float
    end_s: float
    label: str


@dataclass(frozen=True)
class MusicFeatures:
    """Curves at FRAME_RATE frames a second, float32 (T,), each in [0, 1] over the song.

    Attributes:
        loudness: level, from 60 dB under the loudest moment to the loudest.
        percussion: how much louder the spectrum became just now (half-wave rectified spectral flux).
        bass: the same of the bands under 150 Hz: kick drums.
        brightness: spectral centroid on the mel scale.
        sections: parts in order, without gaps.
    """

    loudness: NDArray[np.float32]
    percussion: NDArray[np.float32]
    bass: NDArray[np.float32]
    brightness: NDArray[np.float32]
    sections: tuple[Section, ...]


def _scale_to_unit(values: Floats, low_percentile: float = 0.0) -> NDArray[np.float32]:
    """Scale so that the 99th percentile is 1 and the low one 0, and clip."""
    low, high = np.percentile(values, (low_percentile, 99.0)) if len(values) else (0.0, 1.0)
    scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
    return np.clip(scaled, 0.0, 1.0).astype(np.float32)


def _compute_flux(mel: Floats) -> Floats:
    """Measure how much the bands rose since the frame before, (T,)."""
    rise = np.maximum(np.diff(mel, axis=0, prepend=mel[:1]), 0.0)
    return rise.mean(axis=1)


def average_over_beats(mel: NDArray[np.float32], beats_s: Floats) -> Floats:
    """Average the frames of each beat, (n + 1, M): before the first, between two, after the last."""
    edges = np.unique(np.clip(np.round(beats_s * FRAME_RATE).astype(int), 1, len(mel) - 1))
    return np.add.reduceat(mel, np.concatenate([[0], edges]), axis=0) / np.diff(
        np.concatenate([[0], edges, [len(mel)]])
    ).reshape(-1, 1)


def compute_cepstra(beat_mel: Floats) -> Floats:
    """Compute cepstra of each beat, standardised, (n, 12): what the self-similarity compares."""
    from scipy.fft import dct

    cepstra = dct(beat_mel, axis=1, norm="ortho")[:, :13]
    return (cepstra - cepstra.mean(axis=0)) / (cepstra.std(axis=0) + 1e-6)


def compute_novelty(rows: Floats, kernel: int = KERNEL_BEATS) -> Floats:
    """Measure how much the music after each beat (row) differs from the music before, (n,), in [0, 1].

    After Foote 2000, "Automatic audio segmentation using a measure of audio novelty": a checkerboard with Gaussian
    taper is moved along the diagonal of the matrix of cosine similarities of all pairs of beats. The board is an outer
    product of a vector s with itself, and the matrix one of the unit rows u, so that the sum over board and matrix is
    the squared length of the sum of s_a u_a: the matrix, which grows with the square of the song, is not made.
    """
    half = max(1, min(kernel, len(rows) // 2))
    places = np.arange(-half, half) + 0.5
    side = np.sign(places) * np.exp(-0.5 * (places / (0.4 * half)) ** 2)
    unit = rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9)
    padded = np.pad(unit, ((half, half), (0, 0)), mode="edge")
    sums = np.stack([side @ padded[at : at + 2 * half] for at in range(len(rows))])  # (n, 12)
    curve: Floats = np.square(sums).sum(axis=1)
    return curve / curve.max() if curve.max() > 0 else curve


def find_sections(
    mel: NDArray[np.float32], beats_s: Floats, downbeats_s: Floats, duration_s: float
) -> tuple[Section, ...]:
    """Find the parts of a song: between peaks of novelty, which are moved to the nearest downbeat.

    A part lasts at least MIN_SECTION_S; parts that sound alike share a label; a song of few beats is one section.
    """
    if len(beats_s) < 2 * KERNEL_BEATS:
        return (Section(0.0, duration_s, "A"),)
    from scipy.signal import find_peaks

    rows = compute_cepstra(average_over_beats(mel, beats_s))
    curve = compute_novelty(rows)
    starts_s = np.concatenate([[0.0], beats_s])[: len(curve)]
    peaks, facts = find_peaks(curve, height=0.15, prominence=0.1)
    edges: list[float] = []
    for peak in peaks[np.argsort(-facts["peak_heights"])]:
        time_s = float(starts_s[peak])
        if len(downbeats_s):
            time_s = float(downbeats_s[np.argmin(np.abs(downbeats_s - time_s))])
        if all(abs(time_s - other) >= MIN_SECTION_S for other in [0.0, duration_s, *edges]):
            edges.append(time_s)
    bounds = [0.0, *sorted(edges), duration_s]
    return tuple(
        Section(a, b, label)
        for a, b, label in zip(bounds[:-1], bounds[1:], _label_sections(rows, starts_s, bounds), strict=True)
    )


def _label_sections(rows: Floats, starts_s: Floats, bounds: list[float]) -> list[str]:
    """Give each section the letter of an earlier one whose mean sounds nearly the same, else a new one."""
    means: list[Floats] = []
    labels: list[str] = []
    for start, end in itertools.pairwise(bounds):
        inside = rows[(starts_s >= start) & (starts_s < end)]
        mean = inside.mean(axis=0) if len(inside) else np.zeros(rows.shape[1])
        distances = [float(np.sqrt(np.mean((mean - other) ** 2))) for other in means]
        nearest = int(np.argmin(distances)) if distances else -1
        if distances and distances[nearest] < 0.45:
            labels.append(chr(ord("A") + nearest % 26))
        else:
            means.append(mean)
            labels.append(chr(ord("A") + (len(means) - 1) % 26))
    return labels


def measure(samples: NDArray[np.float32], sample_rate: int, beats_s: Floats, downbeats_s: Floats) -> MusicFeatures:
    """Measure all features of a song, float32 (n,) or (channels, n)."""
    mono = samples if samples.ndim == 1 else samples.mean(axis=0, dtype=np.float32)
    mel = compute_whole_mel(resample(mono, sample_rate, BEAT_MEL.sample_rate))
    return measure_frames(mel, len(mono) / sample_rate, beats_s, downbeats_s)


def measure_frames(mel: NDArray[np.float32], duration_s: float, beats_s: Floats, downbeats_s: Floats) -> MusicFeatures:
    """Measure the same of a song's frames, float32 (T, M) as `mel.compute_whole_mel` makes them."""
    bass_bands = max(1, int(np.searchsorted(_compute_band_centres_hz(), 150.0)))
    power, centroid, rise, bass_rise = np.zeros((4, len(mel)))
    step = int(BLOCK_S * FRAME_RATE)
    for start in range(0, len(mel), step):  # in blocks, so that a long song takes little memory
        here = slice(start, start + step)
        first = max(0, start - 1)
        bands_power = np.exp(2.0 * mel[first : start + step].astype(np.float64))  # (t, M), with the frame before
        compressed = np.log1p(1000.0 * np.sqrt(bands_power))
        rise[here] = _compute_flux(compressed)[start - first :]
        bass_rise[here] = _compute_flux(compressed[:, :bass_bands])[start - first :]
        bands_power = bands_power[start - first :]
        power[here] = bands_power.mean(axis=1)
        centroid[here] = (bands_power * np.arange(mel.shape[1])).sum(axis=1) / (bands_power.sum(axis=1) + 1e-12)
    level_db = 10.0 * np.log10(power + 1e-12)
    loudness = np.clip((level_db - level_db.max() - _FLOOR_DB) / -_FLOOR_DB, 0.0, 1.0)
    quiet = level_db < -90.0  # digital silence has no loudest moment
    loudness[quiet] = 0.0
    centroid[quiet] = 0.0
    return MusicFeatures(
        loudness=loudness.astype(np.float32),
        percussion=_scale_to_unit(rise),
        bass=_scale_to_unit(bass_rise),
        brightness=_scale_to_unit(centroid, 1.0),
        sections=find_sections(mel, beats_s, downbeats_s, duration_s),
    )


def _compute_band_centres_hz() -> Floats:
    """Compute the centre of each mel band on Slaney's scale, (M,)."""
    knee_hz, linear_hz, log_step = 1000.0, 200.0 / 3, np.log(6.4) / 27.0

    def to_mel(hz: float) -> float:
        return hz / linear_hz if hz < knee_hz else knee_hz / linear_hz + np.log(hz / knee_hz) / log_step

    marks = np.linspace(to_mel(BEAT_MEL.f_min), to_mel(BEAT_MEL.f_max), BEAT_MEL.n_mels + 2)[1:-1]
    knee = knee_hz / linear_hz
    return np.where(marks < knee, marks * linear_hz, knee_hz * np.exp(log_step * (marks - knee)))
