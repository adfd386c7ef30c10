"""Who plays what: the roles of instruments, and training pieces arranged for other ensembles.

The collections know few instruments: pop songs are three piano parts, art songs a voice and a piano, drummers play
alone. For training each excerpt is given to an ensemble drawn by chance: parts get instruments that suit their role, a
bass takes the lowest notes over, a Groove drummer of the training split plays along. So the model learns what a bass,
a lead or a pad does, and what a band sounds like. `models.music.instrument_order` gives the order of the tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from models.music.score import COMMON_TIME, InstrumentTrack, Note, Piece, merge_tracks
from training.music.corpus import SIXTEENTH, round_velocity

# General MIDI programs by role, the usual ones several times.
LEADS = (0, 0, 4, 11, 24, 25, 26, 40, 52, 53, 56, 64, 65, 66, 68, 71, 73, 73, 75, 80, 81)
FILLS = (0, 4, 11, 24, 25, 26, 27, 46, 48, 48, 49, 50, 61, 73, 88, 89)
CHORDS = (0, 0, 0, 0, 0, 0, 1, 4, 4, 5, 16, 19, 24, 24, 25, 25, 26, 27, 46, 48, 49, 50, 88, 89, 90)
BASSES = (32, 33, 33, 33, 34, 35, 38, 39, 43)
SINGERS = (40, 41, 42, 52, 53, 68, 68, 71, 73, 0, 56, 60, 65)
SONG_PIANOS = (0, 0, 0, 0, 0, 0, 0, 0, 6, 24, 46, 48, 49, 19)
CHORAL_ENSEMBLES = (
    (52, 52, 52, 52),
    (53, 53, 53, 53),
    (19, 19, 19, 19),
    (48, 48, 48, 48),
    (40, 40, 41, 42),
    (73, 68, 71, 70),
    (56, 60, 57, 58),
    (65, 65, 66, 67),
    (0, 0, 0, 0),
)
BASS_TOP = 47  # a bass plays up to B2


def split_bass(track: InstrumentTrack, program: int) -> tuple[InstrumentTrack, InstrumentTrack]:
    """Split a track into it without, and with only, the lowest note of each onset that is no higher than BASS_TOP."""
    lowest: dict[int, int] = {}
    for note in track.notes:
        lowest[note.start] = min(lowest.get(note.start, 128), note.pitch)
    is_bass = [note.pitch == lowest[note.start] and note.pitch <= BASS_TOP for note in track.notes]
    above = [note for note, low in zip(track.notes, is_bass, strict=True) if not low]
    below = [note for note, low in zip(track.notes, is_bass, strict=True) if low]
    return InstrumentTrack.from_notes(track.program, False, above), InstrumentTrack.from_notes(program, False, below)


def loop_drums(drums: Piece, first_bar: int, positions: int) -> InstrumentTrack | None:
    """Repeat a drummer's 4/4 bars from `first_bar` on, on the sixteenth grid, up to `positions`.

    None where the drummer swings too much for that grid, or plays another meter.
    """
    if any(bar.meter != COMMON_TIME for bar in drums.bars):
        return None
    loop = drums.slice(first_bar, first_bar + 8)
    notes = loop.tracks[-1].notes if loop.tracks else ()
    errors = [abs((note.start + 3) % SIXTEENTH - 3) for note in notes]
    if len(errors) < 8 or np.mean(errors) > 1.2:
        return None
    on_grid = [
        replace(note, start=round(note.start / SIXTEENTH) * SIXTEENTH, velocity=round_velocity(note.velocity, 6))
        for note in notes
    ]
    repeats = -(-positions // loop.positions)
    tiled = (replace(note, start=note.start + turn * loop.positions) for turn in range(repeats) for note in on_grid)
    return InstrumentTrack.from_notes(0, True, (note for note in tiled if note.start < positions))


def _choose(random: np.random.Generator, programs: Sequence[int]) -> int:
    return programs[int(random.integers(len(programs)))]


def _set_program(track: InstrumentTrack, program: int) -> InstrumentTrack:
    return replace(track, program=program)


def _arrange_pop(piece: Piece, random: np.random.Generator, drums: InstrumentTrack | None) -> list[InstrumentTrack]:
    """Arrange melody, bridge and piano for a band; the parts may be fewer than three."""
    parts = list(piece.tracks)
    if len(parts) < 3 or random.random() < 0.12:
        return [merge_tracks(parts, 0 if random.random() < 0.8 else _choose(random, CHORDS))]
    melody, bridge, piano = parts[0], parts[1], parts[2]
    tracks = [] if random.random() < 0.08 else [_set_program(melody, _choose(random, LEADS))]
    if random.random() < 0.65:
        tracks.append(_set_program(bridge, _choose(random, FILLS)))
    piano = _set_program(piano, _choose(random, CHORDS))
    tracks += split_bass(piano, _choose(random, BASSES)) if random.random() < 0.55 else [piano]
    return [*tracks, drums] if drums else tracks


def _arrange_song(piece: Piece, random: np.random.Generator) -> list[InstrumentTrack]:
    """Arrange a voice and a piano for other instruments."""
    if len(piece.tracks) < 2 or random.random() < 0.15:
        return [merge_tracks(piece.tracks, 0)]
    piano = _set_program(piece.tracks[1], _choose(random, SONG_PIANOS))
    accompaniment = split_bass(piano, _choose(random, (42, 43, 32))) if random.random() < 0.15 else (piano,)
    return [_set_program(piece.tracks[0], _choose(random, SINGERS)), *accompaniment]


def _arrange_chorale(piece: Piece, random: np.random.Generator) -> list[InstrumentTrack]:
    if len(piece.tracks) < 4 or random.random() < 0.15:
        return [merge_tracks(piece.tracks, _choose(random, (0, 0, 19, 48)))]
    ensemble = CHORAL_ENSEMBLES[random.integers(len(CHORAL_ENSEMBLES))]
    return [_set_program(track, program) for track, program in zip(piece.tracks, ensemble, strict=True)]


def arrange(piece: Piece, collection: str, random: np.random.Generator, drums: InstrumentTrack | None = None) -> Piece:
    """Arrange an excerpt of a collection for an ensemble drawn by chance; tracks without notes are left out.

    Args:
        drums: what a drummer plays along with pop music, or None.
    """
    if collection == "pop":
        tracks = _arrange_pop(piece, random, drums)
    elif collection == "lieder":
        tracks = _arrange_song(piece, random)
    elif collection == "chorales":
        tracks = _arrange_chorale(piece, random)
    else:
        tracks = list(piece.tracks)
    sounding = tuple(track for track in tracks if track.notes)
    return Piece(piece.bars, sounding or piece.tracks)


def transpose(piece: Piece, semitones: int, tempo_steps: int, velocity_steps: int) -> Piece:
    """Move melodic tracks by semitones, all bars by rows of TEMPI, all notes by velocity bins.

    What would leave the vocabulary's range is held to it; a pitch that would is left where it is.
    """

    def moved(note: Note, is_drum: bool) -> Note:
        pitch = note.pitch if is_drum or not 0 <= note.pitch + semitones < 128 else note.pitch + semitones
        return replace(note, pitch=pitch, velocity=min(max(note.velocity + velocity_steps, 1), 31))

    bars = tuple(replace(bar, tempo=min(max(bar.tempo + tempo_steps, 0), 63)) for bar in piece.bars)
    tracks = tuple(
        InstrumentTrack.from_notes(track.program, track.is_drum, (moved(note, track.is_drum) for note in track.notes))
        for track in piece.tracks
    )
    return Piece(bars, tracks)
