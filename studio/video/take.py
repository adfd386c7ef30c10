"""A clip as it arrives: collects the chunks of a generation; knows no page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.video.scene_spec import FRAMES_PER_SECOND
from studio.page import film

Pixels = NDArray[np.uint8]


@dataclass
class ClipTake:
    """A clip as it arrives."""

    pieces: list[Pixels] = field(default_factory=list)
    shown: list[Pixels] = field(default_factory=list)
    middles: list[Pixels] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)
    preview: Pixels | None = None
    rate: float = FRAMES_PER_SECOND
    done: int = 0
    total: int = 1
    step: int = 0
    steps: int = 1
    last: bool = False
    notes: tuple[str, ...] = ()
    sound: NDArray[np.float32] | None = None
    sound_rate: int = 0

    def add(self, chunk: Any) -> None:
        """Take in the next chunk; steps are watched on the first stretch, where there are several."""
        first = not self.pieces and chunk.steps > 1
        if first and len(chunk.preview) and chunk.done != self.done:
            if self.preview is not None and self.preview.shape == chunk.preview.shape:
                self.changes.append(film.change(self.preview, chunk.preview))
            self.middles.append(chunk.preview[len(chunk.preview) // 2])
        self.preview = chunk.preview
        if len(chunk.frames):
            self.pieces.append(chunk.frames)
            self.shown.append(film.shrink(chunk.frames, film.MOVING_SIDE))
        self.rate, self.done, self.total, self.last = chunk.frames_per_second, chunk.done, chunk.total, chunk.last
        self.step, self.steps, self.notes = chunk.step, chunk.steps, chunk.notes
        if chunk.sound is not None:
            self.sound, self.sound_rate = chunk.sound, chunk.sound_rate

    def take_frames(self) -> Pixels:
        """Return all finished frames and let go of their pieces one by one, so that no frame is held twice."""
        count = sum(len(piece) for piece in self.pieces)
        frames, at = np.empty((count, *self.pieces[0].shape[1:]), np.uint8), 0
        while self.pieces:
            piece = self.pieces.pop(0)
            frames[at : at + len(piece)] = piece
            at += len(piece)
        return frames

    def so_far(self) -> Pixels:
        """Return finished frames, then the preview of those in work, all as small as a preview shows them."""
        previews = [] if self.preview is None or self.last else [film.shrink(self.preview, film.MOVING_SIDE)]
        parts = [each for each in (*self.shown, *previews) if len(each)]
        return np.concatenate(parts) if parts else np.zeros((0, 1, 1, 3), np.uint8)
