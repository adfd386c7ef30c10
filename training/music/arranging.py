"""All training pieces arranged for other ensembles at once, as columns on any device.

The collections know few instruments: pop songs are three piano parts, art songs a voice and a piano, drummers play
alone. Time and again each piece is given to an ensemble drawn by chance: parts get instruments that suit their role, a
bass takes the lowest notes over, a Groove drummer of the training split plays along. So the model learns what a bass, a
lead or a pad does, and what a band sounds like. `models.music.instrument_order` gives the order of the tracks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.music.score import COMMON_TIME, MAX_TRACKS
from models.music.vocabulary import (
    DRUM_DURATION,
    DURATIONS,
    METERS,
    STYLES,
    count_positions,
    find_duration,
    fit_duration,
)
from training.music.note_table import NoteTable
from training.music.source import SIXTEENTH

# General MIDI programs by role, the usual ones several times.
LEADS = (0, 0, 4, 11, 24, 25, 26, 40, 52, 53, 56, 64, 65, 66, 68, 71, 73, 73, 75, 80, 81)
FILLS = (0, 4, 11, 24, 25, 26, 27, 40, 46, 48, 48, 49, 50, 61, 73, 88, 89)
CHORDS = (0, 0, 0, 0, 0, 0, 1, 4, 4, 5, 16, 19, 24, 24, 25, 25, 26, 27, 46, 48, 49, 50, 88, 89, 90)
BASSES = (32, 33, 33, 33, 34, 35, 38, 39, 43)
SINGERS = (40, 41, 42, 52, 53, 68, 68, 71, 73, 0, 56, 60, 65)
SONG_PIANOS = (0, 0, 0, 0, 0, 0, 0, 0, 6, 24, 46, 48, 49, 19)
FIDDLES = (0, 21, 22, 24, 25, 40, 40, 40, 68, 73, 73, 75, 77, 78, 105)
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
LEAD, FILL, ACCOMPANIMENT, BASS = range(4)
ROLES = 4
MERGED_SHARE = {"pop": 0.1, "lieder": 0.15, "chorales": 0.15}
SPLIT_SHARE = {"pop": 0.7, "lieder": 0.3}
DRUMS_SHARE = {"pop": 0.6, "lieder": 0.1, "chorales": 0.05, "folk": 0.3}
ABSENT_SHARE = (0.06, 0.4)  # of leads and fills in pop
LOOP_BARS = 8
_NO_TRACK = -1


@dataclass(frozen=True)
class Loops:
    """Eight bars each of drummers on the sixteenth grid; columns of all notes, bar after bar of loop after loop.

    Attributes:
        firsts: int64 (loops * LOOP_BARS + 1,), the first note of each bar.
        place, pitch, velocity: of each note; the place in grid positions from its bar.
    """

    firsts: Tensor
    place: Tensor
    pitch: Tensor
    velocity: Tensor

    @property
    def count(self) -> int:
        """Return how many loops there are."""
        return (len(self.firsts) - 1) // LOOP_BARS


def cut_loops(table: NoteTable, device: torch.device) -> Loops:
    """Cut the training split's drummers in 4/4 into loops; those that swing too much for sixteenths are left out."""
    bar_positions = count_positions(COMMON_TIME)
    last_notes, last_bars = np.cumsum(table.notes), np.cumsum(table.bars)
    counts: list[int] = []
    kept: list[np.ndarray] = []
    drummers = (table.collection == STYLES.index("drums")) & (table.held_out == 0)
    for piece in np.flatnonzero(drummers):
        bars, notes = int(table.bars[piece]), int(table.notes[piece])
        if (table.meter[last_bars[piece] - bars : last_bars[piece]] != COMMON_TIME).any():
            continue
        part = slice(last_notes[piece] - notes, last_notes[piece])
        columns = np.stack([table.start[part], table.pitch[part], table.velocity[part]])
        errors = np.abs((columns[0] + SIXTEENTH // 2) % SIXTEENTH - SIXTEENTH // 2)
        if notes < 8 or errors.mean() > 1.2:
            continue
        columns[0] = np.rint(columns[0] / SIXTEENTH).astype(np.int64) * SIXTEENTH
        for first in range(0, bars - LOOP_BARS + 1, LOOP_BARS):
            per_bar = [
                np.unique(columns[:, columns[0] // bar_positions == bar], axis=1)
                for bar in range(first, first + LOOP_BARS)
            ]
            if all(some.shape[1] for some in per_bar):
                counts += [some.shape[1] for some in per_bar]
                kept += per_bar
    together = np.concatenate(kept, axis=1) if kept else np.zeros((3, 0), dtype=np.int64)
    place, pitch, velocity = (torch.from_numpy(column.copy()).to(device) for column in together)
    firsts = torch.from_numpy(np.cumsum([0, *counts])).to(device)
    return Loops(firsts, place % bar_positions, pitch, velocity)


class NoteTensors:
    """A note table on a device, with what follows from it.

    Attributes:
        bar_start: of each bar, in grid positions on one line of time on which all pieces follow one another.
        note_piece, note_start: of each note its piece, and its start on that line.
    """

    def __init__(self, table: NoteTable, device: torch.device) -> None:
        def lay(column: np.ndarray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(column)).to(device)

        self.device = device
        self.collection, self.tempo, self.bars = lay(table.collection), lay(table.tempo), lay(table.bars)
        self.meter, self.distance, self.likeness = lay(table.meter), lay(table.distance), lay(table.likeness)
        lengths = np.array([count_positions(row) for row in range(len(METERS))], dtype=np.int64)[table.meter]
        ends = np.cumsum(lengths)
        self.bar_length, self.bar_start = lay(lengths), lay(ends - lengths)
        self.end = int(ends[-1])
        self.bar_piece = lay(np.repeat(np.arange(len(table.bars)), table.bars))
        self.first_bar = lay(np.cumsum(table.bars) - table.bars)
        self.note_piece = lay(np.repeat(np.arange(len(table.notes)), table.notes))
        self.part, self.pitch = lay(table.part), lay(table.pitch)
        self.duration = torch.tensor(DURATIONS, device=device)[lay(table.duration)]
        self.velocity = lay(table.velocity)
        self.note_start = lay(table.start) + self.bar_start[self.first_bar[self.note_piece]]

    @property
    def pieces(self) -> int:
        """Return how many pieces there are."""
        return len(self.bars)


@dataclass(frozen=True)
class Arrangement:
    """All notes of all pieces in the order of their tokens, and the ensembles.

    Attributes:
        track, start, pitch, duration, velocity: of each note; start on the one line of time, duration as a row of
            DURATIONS (of drums 0).
        programs: int64 (pieces, ROLES) by track, -1 where there is none.
        has_drums: bool (pieces,).
    """

    track: Tensor
    start: Tensor
    pitch: Tensor
    duration: Tensor
    velocity: Tensor
    programs: Tensor
    has_drums: Tensor


_FITTING = tuple(find_duration(fit_duration(positions)) for positions in range(DURATIONS[-1] + 1))


def _draw(programs: tuple[int, ...], count: int, random: torch.Generator, device: torch.device) -> Tensor:
    return torch.tensor(programs, device=device)[_draw_whole(len(programs), count, random, device)]


def _draw_whole(limit: int, count: int, random: torch.Generator, device: torch.device) -> Tensor:
    return torch.randint(limit, (count,), generator=random).to(device)


def _draw_flags(share: Tensor, random: torch.Generator) -> Tensor:
    return torch.rand(len(share), generator=random).to(share.device) < share


def _spread(shares: dict[str, float], collection: Tensor) -> Tensor:
    """Return each piece's share by its collection."""
    return torch.tensor([shares.get(style, 0.0) for style in STYLES], device=collection.device)[collection]


def find_bass(notes: NoteTensors, role: Tensor) -> Tensor:
    """Mark the accompaniment's lowest note of each onset that is no higher than BASS_TOP, bool (notes,)."""
    key = notes.note_start * (ROLES + MAX_TRACKS) + role
    onsets, inverse = torch.unique(key, return_inverse=True)
    lowest = torch.full((len(onsets),), 128, device=key.device).scatter_reduce_(0, inverse, notes.pitch, "amin")
    return (role == ACCOMPANIMENT) & (notes.pitch == lowest[inverse]) & (notes.pitch <= BASS_TOP)


def assign_roles(notes: NoteTensors, random: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Give each note a role, MAX_TRACKS to drums and -1 to what is left out; without `random`, as in the source.

    Returns:
        roles int64 (notes,); whether each piece's parts are one, bool (pieces,).
    """
    pop, lieder = STYLES.index("pop"), STYLES.index("lieder")
    collection = notes.collection[notes.note_piece]
    is_song = collection == lieder
    role = torch.where(is_song & (notes.part == 1), ACCOMPANIMENT, notes.part)
    if random is None:
        return role, torch.zeros(notes.pieces, dtype=torch.bool, device=notes.device)
    merged = _draw_flags(_spread(MERGED_SHARE, notes.collection), random)
    splits = _draw_flags(_spread(SPLIT_SHARE, notes.collection), random) & ~merged
    role = torch.where(splits[notes.note_piece] & find_bass(notes, role), BASS, role)
    for absent, share in zip((LEAD, FILL), ABSENT_SHARE, strict=True):
        drops = _draw_flags(torch.where(notes.collection == pop, share, 0.0), random) & ~merged
        role = torch.where(drops[notes.note_piece] & (role == absent), _NO_TRACK, role)
    is_merged = merged[notes.note_piece] & (notes.part != MAX_TRACKS)
    return torch.where(is_merged, 0, role), merged


def draw_programs(notes: NoteTensors, merged: Tensor, random: torch.Generator | None) -> Tensor:
    """Draw a program for each role of each piece, int64 (pieces, ROLES); without `random`, the usual ones."""
    count, device = notes.pieces, notes.device
    style = {name: (notes.collection == STYLES.index(name))[:, None] for name in STYLES}
    if random is None:
        programs = torch.zeros((count, ROLES), dtype=torch.int64, device=device)
        programs = torch.where(style["chorales"], 52, programs)
        return torch.where(style["lieder"] & (torch.arange(ROLES, device=device) == LEAD), 52, programs)

    def lay(*roles: tuple[int, ...]) -> Tensor:
        return torch.stack([_draw(role, count, random, device) for role in roles], dim=1)

    programs = lay(LEADS, FILLS, CHORDS, BASSES)
    programs = torch.where(style["lieder"], lay(SINGERS, FILLS, SONG_PIANOS, (42, 43, 32)), programs)
    programs = torch.where(style["folk"], lay(FIDDLES, FIDDLES, CHORDS, BASSES), programs)
    ensembles = torch.tensor(CHORAL_ENSEMBLES, device=device)[_draw_whole(len(CHORAL_ENSEMBLES), count, random, device)]
    programs = torch.where(style["chorales"], ensembles, programs)
    alone = torch.stack([_draw(CHORDS, count, random, device)] * ROLES, dim=1)
    return torch.where(merged[:, None], alone, programs)


def add_drums(notes: NoteTensors, loops: Loops, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Let drummers play along: starts, pitches and velocities of their notes, each int64 (n,)."""
    empty = torch.zeros(0, dtype=torch.int64, device=notes.device)
    if not loops.count:
        return empty, empty, empty
    plays = _draw_flags(_spread(DRUMS_SHARE, notes.collection), random)
    loop = _draw_whole(loops.count, notes.pieces, random, notes.device)
    bars = torch.nonzero(plays[notes.bar_piece]).flatten()
    piece = notes.bar_piece[bars]
    row = loop[piece] * LOOP_BARS + (bars - notes.first_bar[piece]) % LOOP_BARS
    counts = loops.firsts[row + 1] - loops.firsts[row]
    bar = bars.repeat_interleave(counts)
    before = torch.cumsum(counts, 0) - counts
    index = torch.arange(len(bar), device=notes.device) + (loops.firsts[row] - before).repeat_interleave(counts)
    fits = loops.place[index] < notes.bar_length[bar]
    bar, index = bar[fits], index[fits]
    return notes.bar_start[bar] + loops.place[index], loops.pitch[index], loops.velocity[index]


def clean_notes(track: Tensor, start: Tensor, pitch: Tensor, duration: Tensor) -> tuple[Tensor, Tensor]:
    """Make notes as `InstrumentTrack.from_notes` does: one of each onset and pitch, ended where it is struck again.

    Returns:
        which notes are kept, in the order of start, track and pitch, int64 (n,); their durations, rows of DURATIONS.
    """
    longest = DURATIONS[-1]
    by_pitch = torch.argsort(((track * 128 + pitch) * (int(start.max()) + 1) + start) * 512 + (longest - duration))
    t, s, p = track[by_pitch], start[by_pitch], pitch[by_pitch]
    same_pitch = (t[1:] == t[:-1]) & (p[1:] == p[:-1])
    true = torch.ones(1, dtype=torch.bool, device=start.device)
    kept = by_pitch[torch.cat([true, ~(same_pitch & (s[1:] == s[:-1]))])]
    t, s, p, d = track[kept], start[kept], pitch[kept], duration[kept]
    wait = torch.where((t[1:] == t[:-1]) & (p[1:] == p[:-1]), s[1:] - s[:-1], longest)
    limit = torch.cat([wait.clamp(max=longest), torch.full((1,), longest, device=start.device)])
    rows = torch.tensor(_FITTING, device=start.device)[torch.minimum(d, limit)]
    order = torch.argsort((s * (MAX_TRACKS + 1) + t) * 128 + p)
    return kept[order], rows[order]


def arrange(notes: NoteTensors, loops: Loops, random: torch.Generator | None) -> Arrangement:
    """Arrange all pieces; without `random`, with the parts and instruments of the source."""
    role, merged = assign_roles(notes, random)
    programs = draw_programs(notes, merged, random)
    sounds = torch.zeros((notes.pieces, ROLES), dtype=torch.bool, device=notes.device)
    is_melodic = (role >= 0) & (role < ROLES)
    sounds[notes.note_piece[is_melodic], role[is_melodic]] = True
    track_of = torch.cumsum(sounds, 1) - 1  # less than ROLES - 1 unless all sound
    by_track = torch.full_like(programs, -1).scatter_(
        1, torch.where(sounds, track_of, ROLES - 1), torch.where(sounds, programs, -1)
    )
    kept = role != _NO_TRACK
    track = torch.where(is_melodic, track_of[notes.note_piece, role.clamp(0, ROLES - 1)], MAX_TRACKS)[kept]
    start, pitch, velocity = notes.note_start[kept], notes.pitch[kept], notes.velocity[kept]
    duration = notes.duration[kept]
    if random is not None:
        at, struck, loud = add_drums(notes, loops, random)
        track = torch.cat([track, torch.full_like(at, MAX_TRACKS)])
        start, pitch, velocity = torch.cat([start, at]), torch.cat([pitch, struck]), torch.cat([velocity, loud])
        duration = torch.cat([duration, torch.full_like(at, DRUM_DURATION)])
    order, rows = clean_notes(track, start, pitch, duration)
    track, start = track[order], start[order]
    is_drum = track == MAX_TRACKS
    bar = torch.searchsorted(notes.bar_start, start, right=True) - 1
    has_drums = torch.zeros(notes.pieces, dtype=torch.bool, device=notes.device)
    has_drums[notes.bar_piece[bar[is_drum]]] = True
    rows = torch.where(is_drum, 0, rows)
    return Arrangement(track, start, pitch[order], rows, velocity[order], by_track, has_drums)
