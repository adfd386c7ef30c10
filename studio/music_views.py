"""The piano roll and the cards of the Music tab as HTML, from plain values.

The roll is one SVG: for each instrument and each of a few degrees of probability one path, whose pieces are the notes.
So a long piece costs a few hundred bytes a bar and no element for each note.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from models.music.contracts import BarLine, HeardNote
from studio.music_presets import track_name

COLOURS = ("#4dbcab", "#ffb066", "#7ea6ff", "#f28bb0", "#c6e06b", "#b79cff", "#ff8a65", "#6fd3f2")
DRUM_COLOUR = "#aab6c6"
DEGREES = 6
LEAST_PITCHES = 30
BAR_PX = 46
MAX_INNER_PX = 24_000
UNITS_A_SECOND = 100


def welcome() -> str:
    """What stands where the result will be."""
    bars = "".join(
        f'<rect x="{8 + 21 * at}" y="{y}" width="{width}" height="7" rx="2" fill="{colour}"/>'
        for at, (y, width, colour) in enumerate(
            [
                (44, 17, "#2a9f90"),
                (36, 17, "#2a9f90"),
                (28, 38, "#2a9f90"),
                (52, 17, "#f7933c"),
                (36, 17, "#2a9f90"),
                (20, 17, "#2a9f90"),
                (12, 38, "#2a9f90"),
                (52, 17, "#f7933c"),
                (28, 17, "#2a9f90"),
            ]
        )
    )
    return (
        f'<div class="welcome"><svg viewBox="0 0 220 70" aria-hidden="true">{bars}</svg>'
        "<b>Your music will appear here</b><span>Pick a mood or press Compose. You hear the first bar while the next "
        "is being written, and watch the notes appear on the piano roll.</span></div>"
    )


def colour_of(index: int, is_drum: bool) -> str:
    """The colour of a track."""
    return DRUM_COLOUR if is_drum else COLOURS[index % len(COLOURS)]


def legend(tracks: Sequence[tuple[int, bool]]) -> str:
    """Which colour is which instrument."""
    items = "".join(
        f'<span><i style="background:{colour_of(index, is_drum)}"></i>{escape(track_name(program, is_drum))}</span>'
        for index, (program, is_drum) in enumerate(tracks)
    )
    return f'<div class="legend">{items}</div>' if items else ""


def _pitch_range(notes: Sequence[HeardNote]) -> tuple[int, int]:
    """Lowest pitch and how many rows, at least LEAST_PITCHES."""
    low = min((note.pitch for note in notes), default=48)
    high = max((note.pitch for note in notes), default=84)
    spare = max(0, LEAST_PITCHES - (high - low + 1))
    low = max(0, low - 1 - spare // 2)
    return low, min(128 - low, max(LEAST_PITCHES, high + 2 - low))


def _paths(
    notes: Sequence[HeardNote], tracks: Sequence[tuple[int, bool]], low: int, rows: int, least_units: int
) -> str:
    """The notes as paths by track and degree of probability."""
    pieces: dict[tuple[int, int], list[str]] = {}
    for note in notes:
        degree = min(DEGREES - 1, int(note.probability * DEGREES))
        x = round(note.start_s * UNITS_A_SECOND)
        width = max(least_units, round((note.end_s - note.start_s) * UNITS_A_SECOND) - least_units // 3)
        y = rows - 1 - (note.pitch - low)
        pieces.setdefault((note.track, degree), []).append(f"M{x} {10 * y + 1}h{width}v8h-{width}z")
    return "".join(
        f'<path class="p{degree}" fill="{colour_of(track, tracks[track][1])}" d="{"".join(parts)}"/>'
        for (track, degree), parts in sorted(pieces.items())
    )


def roll(
    notes: Sequence[HeardNote],
    bars: Sequence[BarLine],
    tracks: Sequence[tuple[int, bool]],
    expected_bars: int = 0,
    new_bars: tuple[int, int] | None = None,
    sound_start_s: float = 0.0,
    growing: bool = False,
) -> str:
    """The piano roll.

    Args:
        expected_bars: how many there will be; the rest of the width is kept free.
        new_bars: first and last number of the bars that were written just now, where others were there before.
        sound_start_s: where in the piece the sound begins, for the playhead.
        growing: whether more is to come.
    """
    if not bars:
        return ""
    end_s = max(bar.end_s for bar in bars)
    count = max(len(bars), expected_bars)
    width_s = max(end_s * count / len(bars), 1e-3)
    low, rows = _pitch_range(notes)
    inner_px = min(BAR_PX * count, MAX_INNER_PX)
    least_units = max(2, round(3 * width_s * UNITS_A_SECOND / max(inner_px, 600)))
    width = max(1, round(width_s * UNITS_A_SECOND))
    height = 10 * rows
    stripes = "".join(
        f'<rect class="black" x="0" y="{10 * (rows - 1 - row)}" width="{width}" height="10"/>'
        for row in range(rows)
        if (low + row) % 12 in (1, 3, 6, 8, 10)
    )
    fresh = ""
    if new_bars is not None:
        first = min((bar.start_s for bar in bars if bar.number >= new_bars[0]), default=end_s)
        last = max((bar.end_s for bar in bars if bar.number <= new_bars[1]), default=first)
        fresh = (
            f'<rect class="fresh" x="{round(first * UNITS_A_SECOND)}" y="0" '
            f'width="{max(0, round((last - first) * UNITS_A_SECOND))}" height="{height}"/>'
        )
    lines = "".join(f"M{round(bar.start_s * UNITS_A_SECOND)} 0v{height}" for bar in bars)
    every = 1 if count <= 520 else 4
    numbers = "".join(
        f'<span style="left:{100 * bar.start_s / width_s:.2f}%">{bar.number}</span>'
        for bar in bars
        if (bar.number - 1) % every == 0
    )
    octaves = "".join(
        f'<span style="bottom:{100 * (pitch - low + 0.5) / rows:.1f}%">C{pitch // 12 - 1}</span>'
        for pitch in range(low, low + rows)
        if pitch % 12 == 0
    )
    return (
        '<figure class="plot roll-plot"><figcaption><b>Piano roll</b><span>high notes above, low ones below; each '
        "colour is an instrument, the numbers count the bars</span></figcaption>"
        f'<div class="frame"><div class="axis-y">{octaves}</div>'
        f'<div class="roll-scroll"><div class="roll" style="min-width:{inner_px}px" data-notes="{len(notes)}" '
        f'data-bars="{len(bars)}" data-growing="{int(growing)}" data-end="{end_s:.3f}">'
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="Piano roll of {len(bars)} bars with {len(notes)} notes">{stripes}{fresh}'
        f'<path class="lines" d="{lines}"/>{_paths(notes, tracks, low, rows, least_units)}</svg>'
        f'<i class="music-playhead" data-from="{sound_start_s:.3f}" data-width="{width_s:.3f}"></i>'
        f'<div class="numbers">{numbers}</div></div></div></div>{legend(tracks)}</figure>'
    )


def small_roll(
    notes: Sequence[HeardNote], bars: Sequence[BarLine], tracks: Sequence[tuple[int, bool]], count: int
) -> str:
    """A roll without axes, for a card."""
    if not bars:
        return '<div class="small-roll"></div>'
    width_s = max(bar.end_s for bar in bars) * max(count, len(bars)) / len(bars)
    low, rows = _pitch_range(notes)
    width = max(1, round(width_s * UNITS_A_SECOND))
    least = max(2, round(2 * width / 260))
    return (
        f'<div class="small-roll" data-notes="{len(notes)}"><svg viewBox="0 0 {width} {10 * rows}" '
        f'preserveAspectRatio="none" aria-hidden="true">{_paths(notes, tracks, low, rows, least)}</svg></div>'
    )


def idea_card(number: int, facts: str, picture: str) -> str:
    """The head of an idea's card."""
    return f'<div class="idea-head"><b>Idea {number}</b><span>{escape(facts)}</span></div>{picture}'


def what_to_see(tracks: Sequence[tuple[int, bool]], new_bars: tuple[int, int] | None, shown: str) -> str:
    """A plain sentence about the picture."""
    names = list(dict.fromkeys(track_name(program, is_drum) for program, is_drum in tracks))
    who = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    where = f" The lighter stretch, bars {new_bars[0]} to {new_bars[1]}, is new." if new_bars else ""
    text = (
        f"You see {who}: where blocks stand above each other, a chord sounds; rows that rise or fall are tunes.{where}"
    )
    return f'<div class="verdict">{escape(text)} {escape(shown)}</div>' if names else ""
