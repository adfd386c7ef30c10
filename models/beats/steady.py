"""Beats of steady music that arrives now: told by an even grid once most of what was heard lies on one.

What `models.beats.slips` does for a whole song, with the past alone: a tracker that hears frame by frame slips to what
lies between the beats when a guitar there is louder, and back. Where the beats of the last HISTORY_S lie on one grid of
half beats, the half that was stronger all along is told, slips are not followed, and a missed beat is told when it is
due. Music whose tempo moves fits no grid, and its beats are passed on as they come.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.beats.decoding import DECODE_RATE, MAX_BPM, read_activation
from models.beats.slips import NEAR, STEADY, fit_grid

HISTORY_S = 45.0
LEAST_TOLD = 12  # beats before a grid is looked for
LONGEST_GAP = 2.5  # beats: where the tracker is silent for longer, nothing is due
CLEARLY = 1.08  # the other half must be stronger by so much before it is believed
SOONEST = 0.6  # of a beat, after the one before
REACH_FRAMES = 4


class SteadyBeats:
    """The filter between a tracker and what is told; times are seconds of what the tracker hears."""

    def __init__(self) -> None:
        self.length = int(HISTORY_S * DECODE_RATE)
        self.activations: NDArray[np.float64] = np.zeros(2 * self.length)
        self.kept = self.frame = 0
        self.followed: list[float] = []
        self.grid: tuple[float, float] | None = None  # seconds of a beat, time of a beat
        self.last_told = -np.inf

    def push(self, activation: float, beat_s: float | None) -> list[float]:
        """Take one frame at DECODE_RATE, and the beat that the tracker begins in it; return the beats told now."""
        self._keep(activation)
        now_s = (self.frame - 1) / DECODE_RATE
        told: list[float] = []
        if beat_s is not None:
            self.followed = [each for each in self.followed if each > now_s - HISTORY_S] + [beat_s]
            self._fit()
            soonest_s = self.last_told + (30.0 / MAX_BPM if self.grid is None else SOONEST * self.grid[0])
            if beat_s > soonest_s and (self.grid is None or abs(self._place(beat_s)) < NEAR):
                told.append(beat_s)
        if self.grid is not None and not told:
            told += self._find_due(now_s)
        if told:
            self.last_told = told[-1]
        return told

    def _keep(self, activation: float) -> None:
        if self.kept == len(self.activations):
            self.activations[: self.length] = self.activations[self.length :]
            self.kept = self.length
        self.activations[self.kept] = activation
        self.kept += 1
        self.frame += 1

    def _place(self, time_s: float) -> float:
        """Return how far a time is from the nearest beat of the grid, in beats, -0.5 to 0.5."""
        assert self.grid is not None
        place = (time_s - self.grid[1]) / self.grid[0]
        return place - round(place)

    def _find_due(self, now_s: float) -> list[float]:
        """Return the beat of the grid that the tracker should have told by now, if there is one."""
        assert self.grid is not None
        beat_s, line_s = self.grid
        due_s = line_s + np.floor((now_s - line_s) / beat_s - NEAR) * beat_s
        is_alive = now_s - self.followed[-1] < LONGEST_GAP * beat_s
        return [float(due_s)] if is_alive and due_s - self.last_told > SOONEST * beat_s else []

    def _fit(self) -> None:
        """Look for the grid that the beats lie on, and for the stronger half of its lines."""
        if len(self.followed) < LEAST_TOLD:
            return
        times = np.array(self.followed)
        beat_s, line_s, fit = fit_grid(times)
        if fit < STEADY:
            self.grid = None
            return
        first_s = (self.frame - min(self.kept, self.length)) / DECODE_RATE
        heard = self.activations[max(0, self.kept - self.length) : self.kept]
        strengths = []
        for start_s in (line_s, line_s + beat_s / 2):
            begin_s = start_s + np.ceil((times[0] - start_s) / beat_s - 0.25) * beat_s
            lines = np.arange(begin_s, times[-1] + 0.25 * beat_s, beat_s)
            strengths.append(float(read_activation(heard, DECODE_RATE, lines - first_s, REACH_FRAMES).mean()))
        if self.grid is not None:  # what is believed stays, unless the other half is clearly stronger
            believed = int(abs(((self.grid[1] - line_s) / beat_s) % 1 - 0.5) < 0.25)
            strengths[believed] *= CLEARLY
        stronger = int(strengths[1] > strengths[0])
        self.grid = beat_s, line_s + stronger * beat_s / 2
