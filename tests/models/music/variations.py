"""Pieces moved to another key, tempo and loudness."""

from __future__ import annotations

from dataclasses import replace

from models.music.score import InstrumentTrack, Note, Piece


def transpose(piece: Piece, semitones: int, tempo_steps: int, velocity_steps: int) -> Piece:
    """Move melodic tracks by semitones, all bars by rows of TEMPI, all notes by velocity bins.

    What would leave the vocabulary's range is held to it; a pitch that would is left where it is.
    """

    def move(note: Note, is_drum: bool) -> Note:
        pitch = note.pitch if is_drum or not 0 <= note.pitch + semitones < 128 else note.pitch + semitones
        return replace(note, pitch=pitch, velocity=min(max(note.velocity + velocity_steps, 1), 31))

    bars = tuple(replace(bar, tempo=min(max(bar.tempo + tempo_steps, 0), 63)) for bar in piece.bars)
    tracks = tuple(
        InstrumentTrack.from_notes(track.program, track.is_drum, (move(note, track.is_drum) for note in track.notes))
        for track in piece.tracks
    )
    return Piece(bars, tracks)
