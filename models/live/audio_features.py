"""Loudness and beats of the sound at any moment of the stream, which the pictures follow."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.beats.detector import OnlineBeatDetector
from models.beats.network import BEAT_MEL
from models.live.music_stream import BUFFER, LiveChunk
from models.live.resampling import StreamResampler

KEPT_S = 12.0
FLOOR_DB, CEILING_DB = -48.0, -12.0
BEAT_FADE_S = 0.22
BEATS_A_BAR = 4
ONSET_RATIO = 1.9  # how much louder than of late a buffer must be to count as a beat where no detector is there
ONSET_GAP_S = 0.25


@dataclass(frozen=True)
class AudioFeatures:
    """The features at a moment: energy 0 to 1.

    `beat` is 1 on a beat and fades, `downbeat` likewise on the first of a bar.
    """

    energy: float = 0.0
    beat: float = 0.0
    downbeat: float = 0.0


class FeatureTracker(Protocol):
    """The interface of what tells the features of a time."""

    def read_at(self, time_s: float) -> AudioFeatures:
        """Return what is heard at a time of the stream."""
        ...


class _FeatureHistory:
    """Energies and beats of the last KEPT_S; one thread writes, another asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._energy: deque[tuple[float, float]] = deque()  # time, energy
        self._beats: deque[tuple[float, bool]] = deque()  # time, first of a bar

    def _note_energy(self, samples: NDArray[np.float32], start_s: float, rate: int) -> list[tuple[float, float]]:
        """Take in mono sound (N,) and return (time, energy) of its buffers."""
        found = []
        for first in range(0, len(samples), BUFFER):
            part = samples[first : first + BUFFER]
            level_db = 10 * np.log10(float(np.square(part).mean()) + 1e-9)
            energy = float(np.clip((level_db - FLOOR_DB) / (CEILING_DB - FLOOR_DB), 0.0, 1.0))
            found.append((start_s + first / rate, energy))
        with self._lock:
            self._energy.extend(found)
            self._forget()
        return found

    def _note_beats(self, beats: list[tuple[float, bool]]) -> None:
        with self._lock:
            self._beats.extend(beats)
            self._forget()

    def _forget(self) -> None:
        newest = self._energy[-1][0] if self._energy else 0.0
        for kept in (self._energy, self._beats):
            while kept and kept[0][0] < newest - KEPT_S:
                kept.popleft()

    def read_at(self, time_s: float) -> AudioFeatures:
        """Return what is heard at a time of the stream."""
        with self._lock:
            near = [energy for at, energy in self._energy if time_s - 0.12 <= at <= time_s + 0.02]
            beat = downbeat = 0.0
            for at, first in self._beats:
                if at <= time_s:
                    strength = float(np.exp(-(time_s - at) / BEAT_FADE_S))
                    beat, downbeat = max(beat, strength), max(downbeat, strength * first)
        return AudioFeatures(float(np.mean(near)) if near else 0.0, beat, downbeat)


class MusicFeatureTracker(_FeatureHistory):
    """Features of a `MusicStream`: the energy is that of its sound, the beats are known from its bars."""

    def add(self, chunk: LiveChunk) -> None:
        """Take in the next chunk."""
        self._note_energy(chunk.samples.mean(axis=0), chunk.start / chunk.sample_rate, chunk.sample_rate)
        beats = []
        for mark, bar in chunk.bars:
            quarter = bar.controls.bar.positions / BEATS_A_BAR
            beats += [(mark.locate_s(beat * quarter), beat == 0) for beat in range(BEATS_A_BAR)]
        self._note_beats(beats)


class MicrophoneFeatureTracker(_FeatureHistory):
    """Features of a person's sound: beats from the online detector, else from sudden loudness."""

    def __init__(self, detector: OnlineBeatDetector | None, sample_rate: int) -> None:
        super().__init__()
        self.detector, self.sample_rate = detector, sample_rate
        self._resampler = StreamResampler(sample_rate, BEAT_MEL.sample_rate)
        self._samples = 0
        self._slow = 0.0
        self._last_onset_s = -1.0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Take in mono sound, float32 (N,)."""
        start_s = self._samples / self.sample_rate
        self._samples += len(samples)
        energies = self._note_energy(samples, start_s, self.sample_rate)
        if self.detector is not None:
            times, _ = self.detector.push(self._resampler.push(samples))
            self._note_beats([(time_s, False) for time_s in times])
        else:
            self._note_beats([(time_s, False) for time_s in self._detect_onsets(energies)])

    def _detect_onsets(self, energies: list[tuple[float, float]]) -> list[float]:
        found = []
        for time_s, energy in energies:
            if energy > 0.15 and energy > ONSET_RATIO * self._slow and time_s - self._last_onset_s > ONSET_GAP_S:
                found.append(time_s)
                self._last_onset_s = time_s
            self._slow += 0.08 * (energy - self._slow)
        return found
