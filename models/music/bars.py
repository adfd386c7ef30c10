"""Bars laid over notes: by time signatures, with the tempi nearest to the exact ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from models.music.score import COMMON_TIME, MAX_BARS, Bar, Piece, TempoMap
from models.music.vocabulary import MAX_BAR_POSITIONS, METERS, POSITIONS_PER_QUARTER, count_positions, find_tempo

# The time signature of a bar cut short, by its length: in quarters if it can be, else in eighths, else in sixteenths.
_SHORT_BARS: dict[int, int] = {
    count_positions(index): index
    for unit in (16, 8, 4)
    for index, meter in enumerate(METERS)
    if meter[1] == unit and count_positions(index) < MAX_BAR_POSITIONS
}


def lay_out_bars(changes: Sequence[tuple[int, int]], last_onset: int) -> list[int]:
    """Choose the meters of the bars from 0 to the one that holds `last_onset`.

    Args:
        changes: (position, row of METERS), in order; 4/4 holds before the first.

    Raises:
        ValueError: there would be more than MAX_BARS.
    """
    meters: list[int] = []
    start, current, upcoming = 0, COMMON_TIME, 0
    while start <= last_onset:
        while upcoming < len(changes) and changes[upcoming][0] <= start:
            current = changes[upcoming][1]
            upcoming += 1
        meter = current
        if upcoming < len(changes) and changes[upcoming][0] < start + count_positions(current):
            meter = _SHORT_BARS.get(changes[upcoming][0] - start, current)
        meters.append(meter)
        start += count_positions(meter)
        if len(meters) > MAX_BARS:
            raise ValueError(f"The music is too long: it has more than {MAX_BARS:,} bars.")
    return meters


def add_tempi(meters: Sequence[int], tempo_map: TempoMap) -> tuple[Bar, ...]:
    """Give bars of these meters each the row of TEMPI nearest to its mean tempo."""
    bars, start = [], 0
    for meter in meters:
        end = start + count_positions(meter)
        seconds = max(tempo_map.to_seconds(end) - tempo_map.to_seconds(start), 1e-9)
        bars.append(Bar(meter, find_tempo((end - start) * 60.0 / POSITIONS_PER_QUARTER / seconds)))
        start = end
    return tuple(bars)


def relay_bars(piece: Piece, meter: int) -> Piece:
    """Lay the bars of a piece anew in one meter, a row of METERS, up to its last onset; notes and tempi stay.

    Raises:
        ValueError: there would be more than MAX_BARS.
    """
    timing = piece.timing
    last_onset = max((note.start for track in piece.tracks for note in track.notes), default=0)
    meters = lay_out_bars([(0, meter)], last_onset)
    return replace(piece, bars=add_tempi(meters, timing), tempo_map=timing)
