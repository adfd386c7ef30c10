"""Things that a live prompt names, laid over the frames that are shown, as `models.video.composition` does for clips.

They come and go with their prompt: while the scene is led from one to the other, the old ones fade and the new ones
appear.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from models.video.composition import Play, find_light
from models.video.prompt_reader import PromptReader
from models.video.staging import Staging, direct
from models.video.weather import darken_night

Pixels = NDArray[np.uint8]

RATE = 15.0  # of the times that paths are found for
TURN_S, GROWING_S = 120.0, 12.0  # after so long they begin again; what grows sooner


class LaidThings:
    """The things of the prompt, and while another comes those of the one before. All may be called from any thread."""

    def __init__(self, reader: PromptReader, prompt: str, seed: int = 0) -> None:
        self.reader, self.seed = reader, seed
        self._lock = threading.Lock()
        self._now: Staging | None = self._stage(prompt)
        self._before: Staging | None = None
        self._began_s = self._over_s = 0.0
        self._plays: dict[tuple[Staging, tuple[int, int]], Play] = {}

    def _stage(self, prompt: str) -> Staging | None:
        staging = self.reader.stage(prompt)
        return None if staging is None else direct(staging, "none", 0, 1)

    def lead_to(self, prompt: str, now_s: float, over_s: float) -> None:
        """Begin the way to the things of another prompt."""
        staging = self._stage(prompt)
        with self._lock:
            self._before, self._now, self._began_s, self._over_s = self._now, staging, now_s, over_s
            self._plays = {key: play for key, play in self._plays.items() if key[0] == self._before}

    def lay(self, frame: Pixels, time_s: float) -> Pixels:
        """Lay the things of a time of the stream over a frame uint8 (R, S, 3); without things it stays as it is."""
        with self._lock:
            before, now = self._before, self._now
            share = min(1.0, max(0.0, (time_s - self._began_s) / self._over_s)) if self._over_s > 0 else 1.0
        if share >= 1:
            return self._lay(frame, now, time_s)
        parts = self._lay(frame, before, time_s), self._lay(frame, now, time_s)
        mixed = parts[0] * np.float32(1 - share) + parts[1] * np.float32(share)
        return np.round(mixed).astype(np.uint8)

    def _lay(self, frame: Pixels, staging: Staging | None, time_s: float) -> Pixels:
        if staging is None or self.reader.cutouts is None:
            return frame
        grows = staging.things.act == "grow"
        length_s = GROWING_S if grows else TURN_S
        key = staging, (frame.shape[0], frame.shape[1])
        play = self._plays.get(key)
        if play is None:
            times = np.arange(round(length_s * RATE), dtype=np.float32) / np.float32(RATE)
            play = Play(staging, self.reader.cutouts, self.seed, times, length_s, key[1], loop=grows)
            self._plays[key] = play
        shown = darken_night(frame[None])[0] if staging.scene.time == "night" else frame
        small = shown[::4, ::4]
        return play.lay(shown, int(time_s % length_s * RATE), find_light(small[None], staging.setting))
