"""The piano roll as SVG: time to the right, pitch upwards, a colour for each instrument; drums in rows below.

A track is one path (a few where opacity tells the probability), so that a long piece stays light for the page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from models.music.contracts import BarSpan, TimedNote
from studio.music.hues import colour
from studio.music.roll_tools import RollTools
from studio.page.instruments import name_of

LEVELS = (0.25, 0.4, 0.55, 0.7, 0.85, 1.0)  # opacities, when they tell how sure the model was
UNITS_A_SECOND = 100
PICTURE_HEIGHT = 260
MAX_BAR_NUMBERS = 17
SENTENCE = "time runs to the right and high notes lie above; watch melody and bass move against each other"


def draw_roll(
    notes: Sequence[TimedNote],
    bars: Sequence[BarSpan],
    tracks: Sequence[tuple[int, bool]],
    sound_start_s: float = 0.0,
    show_probability: bool = False,
    growing: bool = False,
    tools: RollTools | None = None,
) -> str:
    """Draw the roll of these bars.

    Args:
        sound_start_s: where in the piece the player's sound begins, for the line that follows it.
        growing: while it is written, no line follows the sound.
        tools: stand around the roll of a finished piece.
    """
    if not bars:
        return ""
    start_s, end_s = bars[0].start_s, bars[-1].end_s
    width = max(1.0, (end_s - start_s) * UNITS_A_SECOND)
    rows = _Rows(notes, tracks)
    grid = "".join(f"M{_x(bar.start_s, start_s)} 0V{rows.count}" for bar in bars)
    paths = "".join(_paths(notes, rows, tracks, start_s, show_probability))
    head = ""
    if not growing:
        begin_s, stop_s = start_s - sound_start_s, end_s - sound_start_s
        head = f'<i class="playhead" data-start="{begin_s:.3f}" data-end="{stop_s:.3f}"></i>'
    caption = SENTENCE + ("; the fainter a note, the less the model expected it" if show_probability else "")
    data = f" data-piece='{escape(tools.data)}' data-rows='{rows.describe()}'{tools.mark}" if tools else ""
    focus = ' tabindex="0" role="application" aria-label="Notes and bars"' if tools else ""
    return (
        f'<figure class="plot roll"{data}><figcaption><b>Piano roll</b><span>{escape(caption)}</span></figcaption>'
        f'{tools.above if tools else ""}<div class="frame"><div class="axis-y">{rows.labels()}</div>'
        f'<div class="scroll"><div class="wide"><div class="ink" style="height:{PICTURE_HEIGHT}px"{focus}>'
        f'<svg class="roll-picture" role="img" '
        f'aria-label="Piano roll of {len(notes)} notes" viewBox="0 0 {width:.0f} {rows.count}" '
        f'preserveAspectRatio="none">'
        f'<path class="grid" d="{grid}"/>{paths}</svg>{head}</div>{_bar_numbers(bars)}</div></div></div>'
        f"{tools.below if tools else _legend(tracks)}</figure>"
    )


def draw_small_roll(
    notes: Sequence[TimedNote], bars: Sequence[BarSpan], tracks: Sequence[tuple[int, bool]], height: int = 84
) -> str:
    """Draw the roll of these bars alone, without words and axes."""
    start_s, end_s = bars[0].start_s, bars[-1].end_s
    rows = _Rows(notes, tracks)
    width = max(1.0, (end_s - start_s) * UNITS_A_SECOND)
    grid = "".join(f"M{_x(bar.start_s, start_s)} 0V{rows.count}" for bar in bars)
    return (
        f'<div class="plot roll small"><div class="ink" style="height:{height}px"><svg role="img" aria-label="Notes of '
        f'{len(bars)} bars" viewBox="0 0 {width:.0f} {rows.count}" preserveAspectRatio="none"><path class="grid" '
        f'd="{grid}"/>{"".join(_paths(notes, rows, tracks, start_s, False))}</svg></div></div>'
    )


class _Rows:
    """The rows of the picture, from the top."""

    def __init__(self, notes: Sequence[TimedNote], tracks: Sequence[tuple[int, bool]]) -> None:
        self.is_drum = [is_drum for _, is_drum in tracks]
        pitches = [note.pitch for note in notes if not self.is_drum[note.track]]
        self.low, self.high = (min(pitches) - 1, max(pitches) + 1) if pitches else (60, 60)
        self.melodic = self.high - self.low + 1 if pitches else 0
        drums = sorted({note.pitch for note in notes if self.is_drum[note.track]}, reverse=True)
        self.drum_row = {pitch: self.melodic + (1 if self.melodic else 0) + at for at, pitch in enumerate(drums)}
        self.count = max(12, self.melodic + len(drums) + (1 if self.melodic and drums else 0))

    def describe(self) -> str:
        """Return the number of rows, the highest pitch, and the row of each drum, for the page's script."""
        return json.dumps({"count": self.count, "high": self.high, "drums": self.drum_row})

    def of(self, note: TimedNote) -> int:
        """Return the note's row."""
        return self.drum_row[note.pitch] if self.is_drum[note.track] else self.high - note.pitch

    def labels(self) -> str:
        """Draw the Cs, and the drums, on the left."""
        marks: list[tuple[str, float]] = [
            (f"C{pitch // 12 - 1}", self.high - pitch) for pitch in range(self.low, self.high + 1) if pitch % 12 == 0
        ]
        marks = marks if self.melodic else []
        if self.drum_row:
            marks.append(("drums", sum(self.drum_row.values()) / len(self.drum_row)))
        return "".join(
            f'<span style="bottom:{100 * (1 - (row + 0.5) / self.count):.1f}%">{name}</span>' for name, row in marks
        )


def _x(time_s: float, start_s: float) -> int:
    return round((time_s - start_s) * UNITS_A_SECOND)


def _paths(
    notes: Sequence[TimedNote],
    rows: _Rows,
    tracks: Sequence[tuple[int, bool]],
    start_s: float,
    show_probability: bool,
) -> list[str]:
    shapes: dict[tuple[int, float], list[str]] = {}
    for note in notes:
        level = LEVELS[min(len(LEVELS) - 1, int(note.probability * len(LEVELS)))] if show_probability else 1.0
        left = _x(note.start_s, start_s)
        width = max(4, _x(note.end_s, start_s) - left - 2)
        if rows.is_drum[note.track]:
            width = 6
        shapes.setdefault((note.track, level), []).append(f"M{left} {rows.of(note) + 0.08:.2f}h{width}v.84h-{width}z")
    return [
        f'<path fill="{colour(track, tracks)}" fill-opacity="{level:g}" d="{"".join(shape)}"/>'
        for (track, level), shape in sorted(shapes.items())
    ]


def _bar_numbers(bars: Sequence[BarSpan]) -> str:
    """Write some bars' numbers under the picture, where the bars begin."""
    start_s, length_s = bars[0].start_s, bars[-1].end_s - bars[0].start_s
    step = -(-len(bars) // MAX_BAR_NUMBERS)
    marks = "".join(
        f'<span style="left:{100 * (bar.start_s - start_s) / length_s:.2f}%">{bar.number}</span>'
        for bar in bars[::step]
    )
    return f'<div class="axis-x bars">{marks}</div>'


def _legend(tracks: Sequence[tuple[int, bool]]) -> str:
    items = "".join(
        f'<span><i style="background:{colour(index, tracks)}"></i>{escape(name_of(*track))}</span>'
        for index, track in enumerate(tracks)
    )
    return f'<div class="legend">{items}</div>'
