"""Pieces as sound, while they are still being written.

A note belongs to the portion in which it begins and is rendered there whole, with its release; what reaches beyond is
carried over. So no note is struck twice at a border, and the sound does not depend on the portions but for the
rounding of the room's overlap-add (under 1e-4 of full scale, after loudness control).

Letters: N samples, always of two channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.memory import allocate_pages
from models.music.mastering import Master, Room
from models.music.soundfont_renderer import SAMPLE_RATE, SoundFontRenderer

FloatArray = NDArray[np.float32]
MAX_TAIL_S = 6.0  # after the last note has been released


@dataclass(frozen=True)
class NoteEvent:
    """A note to be rendered: onset and length in seconds from the start of the sound, velocity 1 to 127.

    `gains` is what its left and right are multiplied by.
    """

    start_s: float
    length_s: float
    pitch: int
    velocity: int
    program: int
    is_drum: bool
    gains: tuple[float, float] = (1.0, 1.0)


class Mastering(Protocol):
    """What the sum of the notes goes through last."""

    def push(self, samples: FloatArray, last: bool = False) -> FloatArray:
        """Take sound (2, N) in, give what is ready; with `last`, all that remains."""
        ...


class StreamRenderer:
    """A renderer that takes notes and gives sound, portion by portion.

    Args:
        master: by default the studio's `Master`.
    """

    def __init__(self, bank: SoundFontRenderer, master: Mastering | None = None) -> None:
        self.bank, self.sample_rate = bank, bank.sample_rate
        self.rendered = 0  # samples of the dry mix that are final
        self._mix = np.zeros((2, 0), np.float32)  # from `rendered` on
        self._room = Room(self.sample_rate)
        self._master: Mastering = master or Master(self.sample_rate)

    def push(self, notes: Sequence[NoteEvent], until_s: float) -> FloatArray:
        """Take all notes that begin before `until_s`; return what is final and mastered, (2, N)."""
        for note in notes:
            self._add(note)
        return self._emit(round(until_s * self.sample_rate), last=False)

    def finish(self) -> FloatArray:
        """Let everything die away."""
        loud = np.flatnonzero(np.abs(self._mix).max(axis=0) > 1e-4) if self._mix.size else np.zeros(0, int)
        dry = int(loud[-1]) + 1 if loud.size else 0
        end = self.rendered + min(dry, round(MAX_TAIL_S * self.sample_rate)) + self._room.tail_samples // 2
        return self._emit(end, last=True)

    def _add(self, note: NoteEvent) -> None:
        held = max(1, round(note.length_s * self.sample_rate))
        sound = self.bank.render_note(note.program, note.is_drum, note.pitch, note.velocity, held)
        if note.gains != (1.0, 1.0):
            sound = sound * np.array(note.gains, np.float32)[:, None]
        first = round(note.start_s * self.sample_rate) - self.rendered
        if first < 0:  # begun in a portion that is out already: never by the callers here
            sound, first = sound[:, -first:], 0
        self._reserve(first + sound.shape[1])
        self._mix[:, first : first + sound.shape[1]] += sound

    def _reserve(self, count: int) -> None:
        """Make the mix at least `count` long, with room to spare."""
        if count > self._mix.shape[1]:
            longer = allocate_pages((2, count + SAMPLE_RATE), np.float32)
            longer[:, : self._mix.shape[1]] = self._mix
            self._mix = longer

    def _emit(self, end: int, last: bool) -> FloatArray:
        count = max(0, end - self.rendered)
        self._reserve(count)
        dry, self._mix = self._mix[:, :count], self._mix[:, count:]
        self.rendered += count
        return self._master.push(self._room.push(dry), last)
