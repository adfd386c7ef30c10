"""A piece as it is written on staves: notes on sixteenths or triplets, tied over beats and bars, in two voices a staff.

What is played is finer than what is read: onsets and ends go to the nearest sixteenth, or to the nearest third of a
quarter where that is nearer for the quarter's onsets; a gap shorter than an eighth before the next onset is closed; at
most two lengths begin together on a staff, and a third voice cuts the note that ends soonest.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from models.music.instrument_ranges import is_bass
from models.music.score import InstrumentTrack, Piece
from models.music.vocabulary import METERS, POSITIONS_PER_QUARTER

QUARTER = POSITIONS_PER_QUARTER
SIXTEENTH, THIRD, EIGHTH = QUARTER // 4, QUARTER // 3, QUARTER // 2
DOTTED_QUARTER = 3 * EIGHTH
MIDDLE_C = 60
VOICES = 2
# In positions: name, dots, whether it is one of three in the time of two.
LENGTHS: dict[int, tuple[str, int, bool]] = {
    4 * QUARTER: ("whole", 0, False),
    3 * QUARTER: ("half", 1, False),
    2 * QUARTER: ("half", 0, False),
    DOTTED_QUARTER: ("quarter", 1, False),
    QUARTER: ("quarter", 0, False),
    3 * SIXTEENTH: ("eighth", 1, False),
    2 * THIRD: ("quarter", 0, True),
    EIGHTH: ("eighth", 0, False),
    THIRD: ("eighth", 0, True),
    SIXTEENTH: ("16th", 0, False),
}


@dataclass(frozen=True)
class WrittenChord:
    """Notes that begin and end together on a staff, as far as one sign says them; a rest without any.

    Attributes:
        start, length: in grid positions, from the start of the bar.
        notes: (pitch, velocity bin), the lowest first.
        is_tied_back, is_tied_on: to the sign before, to the one after.
        tuplet: "start" or "stop" of a group of thirds, "" elsewhere.
    """

    start: int
    length: int
    notes: tuple[tuple[int, int], ...] = ()
    is_tied_back: bool = False
    is_tied_on: bool = False
    tuplet: str = ""


@dataclass(frozen=True)
class WrittenStaff:
    """One staff: for each bar its voices, those that have something to say; a bar without any is a rest."""

    bars: tuple[tuple[tuple[WrittenChord, ...], ...], ...]


@dataclass
class _Held:
    """A chord before it is cut into signs: positions from the start of the piece."""

    start: int
    end: int
    notes: list[tuple[int, int]]


def needs_two_staves(track: InstrumentTrack) -> bool:
    """Check whether a track is written for two hands."""
    return not track.is_drum and (track.program < 8 or 16 <= track.program < 21 or track.program == 46)


def find_clef(track: InstrumentTrack) -> tuple[str, int, int]:
    """Find the clef of a track on one staff: its sign, its line, and by how many octaves it is read higher."""
    if track.is_drum:
        return "percussion", 2, 0
    if is_bass(track.program):
        return "F", 4, -1
    if 24 <= track.program < 32:
        return "G", 2, -1
    mean = sum(note.pitch for note in track.notes) / max(1, len(track.notes))
    return ("F", 4, 0) if mean < MIDDLE_C - 3 else ("G", 2, 0)


def write_staves(piece: Piece, track: InstrumentTrack) -> list[WrittenStaff]:
    """Write a track on its one or two staves."""
    snapped = _snap(piece, track)
    if not needs_two_staves(track):
        return [_write_staff(piece, snapped)]
    return [
        _write_staff(piece, [each for each in snapped if (each[2] >= MIDDLE_C) == is_upper])
        for is_upper in (True, False)
    ]


def _snap(piece: Piece, track: InstrumentTrack) -> list[tuple[int, int, int, int]]:
    """Lay notes on what can be written; list (start, end, pitch, velocity bin), sorted."""
    starts = piece.list_bar_starts()
    end, onsets = starts[-1], defaultdict(list)

    def locate(position: int) -> int:
        """Return where the quarter of its bar begins that a position lies in."""
        bar = starts[bisect_right(starts, position) - 1]
        return bar + (position - bar) // QUARTER * QUARTER

    for note in track.notes:
        onsets[locate(note.start)].append(note.start - locate(note.start))
    grids = {quarter: _choose_grid(piece, starts, quarter, some) for quarter, some in onsets.items()}

    def snap(position: int) -> int:
        quarter = locate(position)
        grid = grids.get(quarter, SIXTEENTH)
        return quarter + grid * round((position - quarter) / grid)

    found: dict[tuple[int, int], tuple[int, int]] = {}
    for note in track.notes:
        start = snap(note.start)
        if start >= end:
            start = end - grids.get(locate(end - 1), SIXTEENTH)
        least = start + grids.get(locate(start), SIXTEENTH)
        stop = max(least, snap(min(end, note.start + note.duration)))
        known = found.get((start, note.pitch), (0, 0))
        found[start, note.pitch] = max(min(stop, end), known[0]), max(note.velocity, known[1])
    return sorted((start, stop, pitch, velocity) for (start, pitch), (stop, velocity) in found.items())


def _choose_grid(piece: Piece, starts: Sequence[int], quarter: int, onsets: Sequence[int]) -> int:
    """Choose sixteenths or thirds for the quarter that begins at a position, by the onsets in it."""
    bar = bisect_right(starts, quarter) - 1
    if quarter + QUARTER > starts[bar + 1] or _find_beat(piece.bars[bar].meter) != QUARTER:
        return SIXTEENTH
    straight, thirds = (sum(abs(onset - grid * round(onset / grid)) for onset in onsets) for grid in (SIXTEENTH, THIRD))
    return THIRD if thirds < straight else SIXTEENTH


def _write_staff(piece: Piece, notes: Sequence[tuple[int, int, int, int]]) -> WrittenStaff:
    voices = _find_voices(notes)
    starts = piece.list_bar_starts()
    bars = []
    for bar, start, end in zip(piece.bars, starts, starts[1:], strict=False):
        written = []
        for voice in voices:
            inside = [held for held in voice if held.start < end and held.end > start]
            if inside:
                written.append(tuple(_write_bar(inside, start, end, _find_beat(bar.meter))))
        bars.append(tuple(written))
    return WrittenStaff(tuple(bars))


def _find_voices(notes: Sequence[tuple[int, int, int, int]]) -> list[list[_Held]]:
    """Share notes out to voices in each of which one chord follows another."""
    together: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for start, end, pitch, velocity in notes:
        together[start][end].append((pitch, velocity))
    starts = sorted(together)
    voices: list[list[_Held]] = [[] for _ in range(VOICES)]
    for start, following in zip_longest(starts, starts[1:]):
        ends = sorted(together[start])
        kept = [ends[0], ends[-1]] if len(ends) > 1 else ends
        chords = {end: _Held(start, end, []) for end in kept}
        for end in ends:
            chords[end if end in chords else kept[0]].notes += together[start][end]
        busy = sorted((voice for voice in voices if voice and voice[-1].end > start), key=lambda voice: voice[-1].end)
        for voice in busy[: max(0, len(chords) - (VOICES - len(busy)))]:
            voice[-1].end = start
        free = [voice for voice in voices if not voice or voice[-1].end <= start]
        for voice, chord in zip(free, chords.values(), strict=False):
            if following is not None and 0 < following - chord.end < EIGHTH:
                chord.end = following
            chord.notes.sort()
            voice.append(chord)
    return voices


def _find_beat(meter: int) -> int:
    """Return the length of a beat: a dotted quarter in 6/8 and its like, else a quarter."""
    beats, unit = METERS[meter]
    return DOTTED_QUARTER if unit == 8 and beats > 3 and beats % 3 == 0 else QUARTER


def _write_bar(voice: Sequence[_Held], start: int, end: int, beat: int) -> list[WrittenChord]:
    """Write one voice of one bar, with its rests."""
    signs: list[WrittenChord] = []
    at = start
    for held in voice:
        first, stop = max(held.start, start), min(held.end, end)
        signs += [WrittenChord(begin, length) for begin, length in _split(at - start, first - start, beat)]
        pieces = list(_split(first - start, stop - start, beat))
        for number, (begin, length) in enumerate(pieces):
            back = number > 0 or held.start < start
            on = number < len(pieces) - 1 or held.end > end
            signs.append(WrittenChord(begin, length, tuple(held.notes), back, on))
        at = stop
    signs += [WrittenChord(begin, length) for begin, length in _split(at - start, end - start, beat)]
    return _group_thirds(signs)


def _split(start: int, end: int, beat: int) -> Iterator[tuple[int, int]]:
    """Split a stretch of a bar into (start, length) that one sign can say, so that beats can be seen."""
    while start < end:
        left, into = end - start, start % beat
        if into == 0 and left >= beat:
            length = next(each for each in LENGTHS if each <= left and each % beat == 0)
        elif into and start % EIGHTH == 0 and beat == QUARTER and left in (QUARTER, DOTTED_QUARTER, 2 * QUARTER):
            length = left  # a syncopation
        else:
            left = min(left, beat - into)
            length = next(each for each in LENGTHS if each <= left and LENGTHS[each][2] == bool(left % SIXTEENTH))
        yield start, length
        start += length


def _group_thirds(signs: list[WrittenChord]) -> list[WrittenChord]:
    """Mark where groups of thirds of a quarter begin and end."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, sign in enumerate(signs):
        if LENGTHS[sign.length][2]:
            groups[sign.start // QUARTER].append(index)
    for indices in groups.values():
        if len(indices) > 1:
            signs[indices[0]] = replace(signs[indices[0]], tuplet="start")
            signs[indices[-1]] = replace(signs[indices[-1]], tuplet="stop")
    return signs
