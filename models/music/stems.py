"""Stems: each part of a piece as a sound of its own, such that all of them together are the piece.

The loudness control and the limiter work on the whole; what they multiply it by, moment by moment, is noted, and every
part is multiplied by the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.music.desk import MixingDesk
from models.music.mastering import Master
from models.music.piece_builder import PieceBuilder
from models.music.playback import PiecePlayer
from models.music.rendering import Mastering, StreamRenderer
from models.music.score import Piece
from models.music.soundfont_renderer import SoundFontRenderer

FloatArray = NDArray[np.float32]


class GainTape:
    """A master that multiplies by what another one did; 0 beyond its end."""

    def __init__(self, gains: FloatArray) -> None:
        self.gains, self._at = gains, 0

    def push(self, samples: FloatArray, last: bool = False) -> FloatArray:
        """Multiply the next samples."""
        count = samples.shape[1]
        gains = self.gains[self._at : self._at + count]
        self._at += count
        return samples * np.pad(gains, (0, count - len(gains)))


class StemRenderer:
    """A renderer of the parts of a piece, as the mixing desk lets them be heard.

    Args:
        pace: how many times as fast as the piece says it is played.
    """

    def __init__(
        self, bank: SoundFontRenderer, piece: Piece, pace: float = 1.0, desk: MixingDesk | None = None
    ) -> None:
        self.bank, self.piece, self.pace = bank, piece, pace
        self.desk = desk or MixingDesk()

    def list_tracks(self) -> list[int]:
        """List the tracks that are heard and have notes."""
        return [index for index, track in enumerate(self.piece.tracks) if track.notes and self.desk.is_heard(index)]

    def stream(self) -> Iterator[tuple[int, FloatArray]]:
        """Yield each of `list_tracks` with its sound, float32 (2, N), N that of the whole piece."""
        master = Master(self.bank.sample_rate, keeps_gains=True)
        count = self._render(self.list_tracks(), master).shape[1]
        gains = np.concatenate(master.gains or [np.zeros(0, np.float32)])
        for track in self.list_tracks():
            sound = self._render([track], GainTape(gains))[:, :count]
            yield track, np.pad(sound, ((0, 0), (0, count - sound.shape[1])))

    def _render(self, tracks: list[int], master: Mastering) -> FloatArray:
        """Render some tracks together, float32 (2, N)."""
        builder = PieceBuilder.from_piece(self.piece, self.pace)
        player = PiecePlayer(builder, StreamRenderer(self.bank, master), desk=self.desk)
        sounds = []
        for index in range(len(builder.bars)):
            notes = [note for note in builder.time_notes(index) if note.track in tracks]
            sounds.append(player.renderer.push(player.mix_events(notes, 0.0), builder.locate_bar(index).end_s))
        return np.concatenate([*sounds, player.renderer.finish()], axis=1)
