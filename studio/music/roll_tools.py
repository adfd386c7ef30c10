"""What stands around the roll of a finished piece: its tools, its mixing desk, and its notes for the page's script.

The script (`studio/assets/roll.js`) reads `data-piece`; a click on what has `data-roll` does what that says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import Any

from models.music.desk import MAX_DB, MAX_PAN, MIN_DB
from models.music.instrument_names import INSTRUMENTS
from studio.music.hues import colour
from studio.music.take import MusicTake
from studio.page.instruments import name_of

HINT = (
    "Drag over the bars to choose some, then have them rewritten, varied or continued. Under Notes, drag a note to "
    "move it, its right end to make it longer, and double-click to add or delete one."
)
KEYS = (
    "Keys: arrows move the chosen note, Alt with arrows chooses another, Shift with arrows chooses bars, Delete, "
    "Space, Ctrl+Z."
)


@dataclass(frozen=True)
class RollTools:
    """HTML around the roll, and the piece as JSON."""

    above: str
    below: str
    data: str
    mark: str = ""  # attributes of the figure


def make_tools(take: MusicTake, serial: int) -> RollTools:
    """Make the tools of a finished take."""
    data = json.dumps(_describe(take, serial), separators=(",", ":"))
    return RollTools(_toolbar(take), _desk(take), data, "" if take.is_streamed else " data-edited")


def _describe(take: MusicTake, serial: int) -> dict[str, Any]:
    """Return where bars begin as (position, second), the end last, and notes as (track, start, length, pitch)."""
    assert take.piece is not None
    starts = take.piece.list_bar_starts()
    times = [*(bar.start_s for bar in take.bars), take.bars[-1].end_s]
    return {
        "serial": serial,
        "bars": [[start, round(time_s, 4)] for start, time_s in zip(starts, times, strict=True)],
        "drums": [track.is_drum for track in take.piece.tracks],
        "notes": [
            [index, note.start, note.duration, note.pitch]
            for index, track in enumerate(take.piece.tracks)
            for note in track.notes
        ],
    }


def _button(does: str, label: str, title: str = "", attributes: str = "") -> str:
    named = f' title="{escape(title)}" aria-label="{escape(title)}"' if title else ""
    return f'<button type="button" data-roll="{does}"{named}{attributes}>{escape(label)}</button>'


def _toolbar(take: MusicTake) -> str:
    off = " disabled"
    groups = (
        _button("play", "▶ Play", attributes=' aria-pressed="false"')
        + _button("loop", "Loop", "Play the chosen bars again and again, also while they are rewritten",
                  ' aria-pressed="false"'),
        _button("bars", "Bars", "Drag over bars to choose them", ' aria-pressed="true"')
        + _button("notes", "Notes", "Drag, add and delete notes", ' aria-pressed="false"'),
        _button("undo", "Undo", attributes="" if take.history.past else off)
        + _button("redo", "Redo", attributes="" if take.history.future else off),
        _button("closer", "+", "Closer") + _button("farther", "−", "Farther")
        + _button("back", "◀", "Earlier bars") + _button("on", "▶", "Later bars"),
    )  # fmt: skip
    chosen = (
        '<div class="chosen-row"><span class="hint" data-chosen="bars-none">Drag over bars to choose some.</span>'
        '<span class="hint" data-chosen="note-none" hidden>Click a note to choose it, double-click to add one.</span>'
        '<div class="chosen" data-chosen="bars" hidden><b></b>'
        + _button("rewrite", "Rewrite")
        + _button("vary", "Vary")
        + _button("continue", "Continue after")
        + _button("versions", "Four versions")
        + _button("none", "✕", "Choose no bars")
        + '</div><div class="chosen" data-chosen="note" hidden><b></b>'
        + _button("delete", "Delete")
        + _button("shorter", "Shorter")
        + _button("longer", "Longer")
        + _button("none", "✕", "Choose no note")
        + "</div></div>"
    )
    joined = "".join(f'<div class="group" role="group">{group}</div>' for group in groups)
    return f'<div class="roll-tools" role="toolbar" aria-label="Piano roll">{joined}</div>{chosen}'


def _desk(take: MusicTake) -> str:
    rows = []
    for index, (program, is_drum) in enumerate(take.tracks):
        strip, name = take.desk.find_strip(index), name_of(program, is_drum)
        said = escape(name)
        toggles = "".join(
            f'<button type="button" data-desk="{does}" aria-pressed="{str(is_on).lower()}" '
            f'aria-label="{label} {said}" title="{label} {said}">{label[0]}</button>'
            for does, label, is_on in (("mute", "Mute", strip.is_muted), ("solo", "Solo", strip.is_solo))
        )
        rows.append(
            f'<div class="strip{"" if take.desk.is_heard(index) else " silent"}" data-track="{index}">'
            f'<button type="button" class="hue" data-desk="draw" aria-pressed="false" style="--hue:'
            f'{colour(index, take.tracks)}" title="Draw notes of {said}" aria-label="Draw notes of {said}"></button>'
            f"{_instrument(program, is_drum, name)}{toggles}"
            + _slider("volume", f"Volume of {said}", MIN_DB, MAX_DB, strip.volume_db)
            + _slider("pan", f"Pan of {said}", -MAX_PAN, MAX_PAN, strip.pan)
            + "</div>"
        )
    return (
        f'<div class="desk" role="group" aria-label="Mixing desk"><div class="strip titles" aria-hidden="true"><span>'
        f"Part</span><span>Volume</span><span>Pan</span></div>{''.join(rows)}</div>"
        f'<p class="hint roll-hint">{escape(HINT)} <span class="keys">{escape(KEYS)}</span></p>'
    )


def _instrument(program: int, is_drum: bool, name: str) -> str:
    if is_drum:
        return f'<span class="played">{escape(name)}</span>'
    offered = INSTRUMENTS if program in [each for _, each in INSTRUMENTS] else ((name, program), *INSTRUMENTS)
    options = "".join(
        f'<option value="{number}"{" selected" if number == program else ""}>{escape(label)}</option>'
        for label, number in offered
    )
    return f'<select class="played" data-desk="instrument" aria-label="Instrument">{options}</select>'


def _slider(does: str, label: str, low: int, high: int, value: int) -> str:
    return (
        f'<input type="range" data-desk="{does}" aria-label="{label}" title="{label}" min="{low}" max="{high}" '
        f'step="1" value="{value}">'
    )
