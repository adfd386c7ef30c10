"""When to send sound and pictures to the page while something is generated."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from studio.io import audio_files

FIRST_SOUND_S = 0.25  # of sound in the first piece sent to the player: short, so that it starts at once
SOUND_S = 0.5  # in each later piece, at least
SOUND_EVERY_S = 0.15  # between pieces, at least: a fast model sends longer pieces rather than more of them
VIEW_EVERY_S = 0.5


class SoundTake(Protocol):
    """A take whose sound grows."""

    sample_rate: int
    samples_count: int
    done: int
    total: int

    def sound_since(self, start: int) -> NDArray[np.float32]:
        """Return what follows sample `start`, (n,) or (channels, n)."""
        ...


def sound_tail(
    sounds: Sequence[NDArray[np.float32]], count: int, start: int, channels: tuple[int, ...] = ()
) -> NDArray[np.float32]:
    """Return what follows sample `start` of sounds (*channels, n) of `count` in all; look only at those needed."""
    pieces: list[NDArray[np.float32]] = []
    end = count
    for piece in reversed(sounds):
        if end <= start:
            break
        begin = end - piece.shape[-1]
        pieces.append(piece[..., max(0, start - begin) :])
        end = begin
    return np.concatenate(pieces[::-1], axis=-1) if pieces else np.zeros((*channels, 0), dtype=np.float32)


@dataclass
class Pace:
    """When to send sound and pictures to the page, so that sending never takes longer than making."""

    sent_samples: int = 0
    sent_s: float = -1e9
    began_s: float = field(default_factory=time.monotonic)
    viewed_s: float = -1e9

    def sound_due(self, take: SoundTake) -> bool:
        """Tell whether enough sound has gathered for the next piece."""
        least_s = SOUND_S if self.sent_samples else FIRST_SOUND_S
        gathered = take.samples_count - self.sent_samples >= least_s * max(take.sample_rate, 1)
        return gathered and time.monotonic() - self.sent_s >= SOUND_EVERY_S

    def next_sound(self, take: SoundTake) -> bytes:
        """Return the sound that was not sent yet, as a WAV file."""
        pending = take.sound_since(self.sent_samples)
        self.sent_samples, self.sent_s = take.samples_count, time.monotonic()
        return audio_files.wav_bytes(pending, take.sample_rate)

    def view_due(self, words: int = 0) -> bool:
        """Tell whether a picture is due: after half a second, later for a long text, whose page is larger."""
        now = time.monotonic()
        if now - self.viewed_s < VIEW_EVERY_S * (1 + words / 150):
            return False
        self.viewed_s = now
        return True

    def seconds_left(self, take: SoundTake) -> float | None:
        """Tell how long the rest will take at the pace so far; None while that is a guess."""
        elapsed = time.monotonic() - self.began_s
        if take.done <= 0 or elapsed < 0.7:
            return None
        return elapsed * max(0, take.total - take.done) / take.done
