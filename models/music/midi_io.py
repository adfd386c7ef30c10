"""MIDI files to pieces on the grid, and back.

What `quantise` keeps, and how exactly (the vocabulary has the tables):

- onset: to the nearest 1/24 of a quarter; duration: likewise up to a quarter, then to the nearest of DURATIONS;
- velocity: to within 2; program, pitch: exactly; drums: one track, their durations are not kept;
- tempo: exactly, in the piece's tempo map; a bar's token says its mean to within 1.8 % between 30 and 266 quarters a
  minute, held to these limits beyond;
- time signature: n/2, n/4, n/8, n/16 of at most eight quarters; others as one of equal length, else as 4/4. A bar cut
  short by a change of signature gets a signature of its own if it is a whole number of sixteenths, else it is kept
  whole and the change comes with the next bar;
- the sustain pedal lengthens notes; bars after the last onset, pitch bends, other controllers, lyrics and names are
  dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import mido

from models.music.bars import add_tempi, lay_out_bars
from models.music.desk import MAX_PAN, MixingDesk
from models.music.midi_song import MidiSong, read_midi
from models.music.score import MAX_BARS, InstrumentTrack, Note, Piece, TempoMap
from models.music.vocabulary import (
    DURATIONS,
    MAX_BAR_POSITIONS,
    MAX_TRACKS,
    METERS,
    POSITIONS_PER_QUARTER,
    TEMPI,
    VELOCITY_STEP,
    find_meter,
    find_tempo,
    to_velocity,
)

TICKS_PER_QUARTER = 480
TICKS_PER_POSITION = TICKS_PER_QUARTER // POSITIONS_PER_QUARTER
MAX_QUARTERS = MAX_BARS * MAX_BAR_POSITIONS // POSITIONS_PER_QUARTER
_DRUM_CHANNEL = 9
_TEMPO_SLACK = 0.03  # a tempo farther than this from the vocabulary's nearest is told


class _Grid:
    """Ticks to grid positions."""

    def __init__(self, ticks_per_quarter: float) -> None:
        self.exact = Fraction(POSITIONS_PER_QUARTER) / Fraction(ticks_per_quarter).limit_denominator(10**6)

    def find_position(self, ticks: int) -> int:
        """Find the grid position nearest to a tick, the later of two as near.

        Raises:
            ValueError: it is later than a piece can be long.
        """
        exact = ticks * self.exact
        if exact > MAX_QUARTERS * POSITIONS_PER_QUARTER:
            quarters = float(exact / POSITIONS_PER_QUARTER)
            raise ValueError(
                f"The music is too long: {quarters:,.0f} quarters. At most {MAX_QUARTERS:,} can be read, "
                f"{MAX_QUARTERS / 120:.0f} minutes at 120 beats a minute."
            )
        return int((2 * exact + 1) // 2)


def read_piece(path: str | Path) -> Piece:
    """Read a MIDI file as a piece, with remarks about what was mended and changed.

    Raises:
        ValueError: a sentence about what is wrong: unreadable, too large, not MIDI, without notes, too long.
    """
    return quantise(read_midi(path))


def _merge_tracks(tracks: list[tuple[int, list[Note]]]) -> list[tuple[int, list[Note]]]:
    """Join tracks (program, notes) to at most MAX_TRACKS: if need be one a program, then one a General MIDI family."""
    for programs_together in (1, 8):
        if len(tracks) <= MAX_TRACKS:
            break
        merged: dict[int, tuple[int, list[Note]]] = {}
        for program, notes in tracks:
            merged.setdefault(program // programs_together, (program, []))[1].extend(notes)
        tracks = list(merged.values())
    return tracks


def quantise(song: MidiSong, meter: tuple[int, int] | None = None) -> Piece:
    """Lay a song on the grid; the module's docstring says what is kept.

    Args:
        meter: the time signature to use instead of the song's own, where those are known to be wrong.

    Returns:
        The piece with the song's exact tempi and its remarks, and remarks about what the grid changed.

    Raises:
        ValueError: no notes, or more than MAX_BARS bars.
    """
    grid = _Grid(song.ticks_per_quarter)
    longest = round(song.ticks_per_quarter * DURATIONS[-1] / POSITIONS_PER_QUARTER) + 1
    melodic: list[tuple[int, list[Note]]] = []
    drums: list[Note] = []
    for instrument in song.instruments:
        notes = [
            Note(
                grid.find_position(note.start),
                note.pitch,
                grid.find_position(min(note.end - note.start, longest)),
                note.velocity // VELOCITY_STEP,
            )
            for note in instrument.notes
        ]
        if instrument.is_drum:
            drums += notes
        elif notes:
            melodic.append((instrument.program, notes))
    tracks = [InstrumentTrack.from_notes(program, False, notes) for program, notes in _merge_tracks(melodic)]
    tracks += [InstrumentTrack.from_notes(0, True, drums)] if drums else []
    if not tracks:
        raise ValueError("The music holds no notes.")
    signatures = ((0, *meter),) if meter else song.meters
    changes = [(grid.find_position(tick), find_meter(n, d)) for tick, n, d in signatures]
    meters = lay_out_bars(changes, max(track.notes[-1].start for track in tracks))
    tempi = {float(tick * grid.exact): tempo for tick, tempo in song.tempi}
    tempo_map = TempoMap(tuple(tempi), tuple(tempi.values()))
    remarks = [*song.remarks, *_describe_changes(song, signatures)]
    if len(melodic) > MAX_TRACKS:
        remarks.append(f"The {len(melodic)} tracks were joined to {len(tracks) - bool(drums)} by their instruments.")
    return Piece(add_tempi(meters, tempo_map), tuple(tracks), tempo_map, tuple(remarks))


def _describe_changes(song: MidiSong, signatures: Iterable[tuple[int, int, int]]) -> list[str]:
    """Say which time signatures and tempi the vocabulary lacks."""
    remarks = []
    for numerator, denominator in dict.fromkeys((n, d) for _, n, d in signatures):
        written = METERS[find_meter(numerator, denominator)]
        if written != (numerator, denominator):
            remarks.append(f"The time signature {numerator}/{denominator} was written as {written[0]}/{written[1]}.")
    far = [tempo for _, tempo in song.tempi if abs(TEMPI[find_tempo(tempo)] / tempo - 1) > _TEMPO_SLACK]
    if far:
        named = " and ".join(f"{tempo:.4g}" for tempo in dict.fromkeys((min(far), max(far))))
        remarks.append(
            f"The tempo of {named} beats a minute is kept; the composer itself writes at {TEMPI[0]:.0f} "
            f"to {TEMPI[-1]:.0f}."
        )
    return remarks


def _make_timing_messages(tempi: Iterable[tuple[int, float]], meters: Iterable[tuple[int, int, int]]) -> list:
    """Make one track, in delta ticks, of tempi (tick, quarters a minute) and time signatures (tick, n, d)."""
    timed = [
        (tick, mido.MetaMessage("set_tempo", tempo=min(max(round(6e7 / tempo), 1), 0xFFFFFF))) for tick, tempo in tempi
    ]
    timed += [(tick, mido.MetaMessage("time_signature", numerator=n, denominator=d)) for tick, n, d in meters]
    messages, last = [], 0
    for tick, message in sorted(timed, key=lambda pair: pair[0]):
        message.time, last = tick - last, tick
        messages.append(message)
    return [*messages, mido.MetaMessage("end_of_track")]


def _make_strip_messages(desk: MixingDesk, track: int, channel: int) -> list[mido.Message]:
    """Make volume and pan (General MIDI: 40 log10 of the volume, 100 at first) of a strip that is not as recorded."""
    strip = desk.find_strip(track)
    volume = round(100 * 10 ** (strip.volume_db / 40)) if desk.is_heard(track) else 0
    values = {7: min(volume, 127), 10: 64 + round(63 * strip.pan / MAX_PAN)}
    at_first = {7: 100, 10: 64}
    return [
        mido.Message("control_change", channel=channel, control=control, value=value)
        for control, value in values.items()
        if value != at_first[control]
    ]


def _make_track_messages(track: InstrumentTrack, index: int, desk: MixingDesk) -> list[mido.Message]:
    """Make a track of notes in delta ticks, on a channel of its own as far as there are enough."""
    channel = _DRUM_CHANNEL if track.is_drum else [c for c in range(16) if c != _DRUM_CHANNEL][index % 15]
    timed = []
    for note in track.notes:
        velocity = to_velocity(note.velocity)
        timed.append((note.start * TICKS_PER_POSITION, 1, note.pitch, velocity))
        timed.append(((note.start + note.duration) * TICKS_PER_POSITION, 0, note.pitch, 0))
    messages, last = [mido.Message("program_change", channel=channel, program=track.program)], 0
    messages += _make_strip_messages(desk, index, channel)
    for tick, _, pitch, velocity in sorted(timed):  # at one tick, ends come before onsets
        messages.append(mido.Message("note_on", channel=channel, note=pitch, velocity=velocity, time=tick - last))
        last = tick
    return messages


def to_mido(piece: Piece, tempo_scale: float = 1.0, desk: MixingDesk | None = None) -> mido.MidiFile:
    """Make a Standard MIDI File of type 1 and TICKS_PER_QUARTER: timing, then a track for each that has notes.

    Args:
        tempo_scale: how many times as fast as the piece says.
        desk: is written as volume and pan of the channels.
    """
    timing = piece.timing
    tempi = [
        (round(start * TICKS_PER_POSITION), tempo * tempo_scale)
        for start, tempo in zip(timing.starts, timing.tempi, strict=True)
    ]
    meters = [
        (start * TICKS_PER_POSITION, *METERS[bar.meter])
        for index, (start, bar) in enumerate(zip(piece.list_bar_starts(), piece.bars, strict=False))
        if not index or bar.meter != piece.bars[index - 1].meter
    ]
    mixed = desk or MixingDesk()
    tracks = [_make_track_messages(track, index, mixed) for index, track in enumerate(piece.tracks) if track.notes]
    return mido.MidiFile(
        ticks_per_beat=TICKS_PER_QUARTER,
        tracks=[mido.MidiTrack(_make_timing_messages(tempi, meters)), *(mido.MidiTrack(track) for track in tracks)],
    )
