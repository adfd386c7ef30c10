"""MIDI files and PrettyMIDI objects to pieces on the grid, and back.

What `quantise` keeps, and how exactly (the vocabulary has the tables):

- onset: to the nearest 1/24 of a quarter; duration: likewise up to a quarter, then to the nearest of DURATIONS;
- velocity: to within 2; program, pitch: exactly; drums: one track, their durations are not kept;
- tempo: the mean of each bar, to within 1.8 % between 30 and 266 quarters a minute, held to these limits beyond;
- time signature: n/2, n/4, n/8, n/16 of at most eight quarters; others as one of equal length, else as 4/4. A bar cut
  short by a change of signature gets a signature of its own if it is a whole number of sixteenths, else it is kept
  whole and the change comes with the next bar;
- bars after the last onset, pitch bends, controllers (the pedal too), lyrics and names are dropped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import mido
import numpy as np
import pretty_midi

from models.music.midi_bytes import MidiEvents, TrackEvents, parse_midi, read_midi_bytes
from models.music.score import COMMON_TIME, MAX_BARS, Bar, InstrumentTrack, Note, Piece
from models.music.vocabulary import (
    MAX_BAR_POSITIONS,
    MAX_TRACKS,
    METERS,
    POSITIONS_PER_QUARTER,
    TEMPI,
    VELOCITY_STEP,
    count_positions,
    find_meter,
    find_tempo,
    to_velocity,
)

TICKS_PER_QUARTER = 480
TICKS_PER_POSITION = TICKS_PER_QUARTER // POSITIONS_PER_QUARTER
MAX_QUARTERS = MAX_BARS * MAX_BAR_POSITIONS // POSITIONS_PER_QUARTER
_DRUM_CHANNEL = 9

# The time signature of a bar cut short, by its length: in quarters if it can be, else in eighths, else in sixteenths.
_SHORT_BARS: dict[int, int] = {
    count_positions(index): index
    for unit in (16, 8, 4)
    for index, meter in enumerate(METERS)
    if meter[1] == unit and count_positions(index) < MAX_BAR_POSITIONS
}


def _check_length(quarters: float) -> None:
    """ValueError for music longer than a piece can be."""
    if quarters > MAX_QUARTERS:
        raise ValueError(
            f"The music is too long: {quarters:,.0f} quarters. At most {MAX_QUARTERS:,} can be read, "
            f"{MAX_QUARTERS / 120:.0f} minutes at 120 beats a minute."
        )


def _rescale(tick: int, ticks_per_quarter: int) -> int:
    """A tick of a very fine division as one of TICKS_PER_QUARTER."""
    return tick if ticks_per_quarter <= TICKS_PER_QUARTER else round(tick * TICKS_PER_QUARTER / ticks_per_quarter)


def _make_note_messages(events: TrackEvents, ticks_per_quarter: int) -> list[mido.Message]:
    """A track's notes and programs in file order, in delta ticks."""
    messages, notes, programs, last = [], iter(events.notes), iter(events.programs), 0
    for is_note in events.order:
        if is_note:
            tick, channel, pitch, velocity = next(notes)
            message = mido.Message("note_on", skip_checks=True, channel=channel, note=pitch, velocity=velocity)
        else:
            tick, channel, program = next(programs)
            message = mido.Message("program_change", skip_checks=True, channel=channel, program=program)
        tick = _rescale(tick, ticks_per_quarter)
        message.time, last = tick - last, tick
        messages.append(message)
    return messages


def _make_timing_messages(tempi: Sequence[tuple[int, int]], meters: Sequence[tuple[int, int, int]]) -> list:
    """Tempi (tick, microseconds a quarter) and time signatures (tick, n, d) as one track in delta ticks."""
    timed = [(tick, mido.MetaMessage("set_tempo", tempo=tempo)) for tick, tempo in tempi]
    timed += [(tick, mido.MetaMessage("time_signature", numerator=n, denominator=d)) for tick, n, d in meters]
    last = 0
    for tick, message in sorted(timed, key=lambda pair: pair[0]):
        message.time, last = tick - last, tick
    return [message for _, message in sorted(timed, key=lambda pair: pair[0])]


def _to_pretty_midi(events: MidiEvents) -> pretty_midi.PrettyMIDI:
    """The events as a PrettyMIDI object; tempi and signatures count wherever they stand, up to the last note."""
    division = events.ticks_per_quarter
    last_note = max((track.notes[-1][0] for track in events.tracks if track.notes), default=0)
    _check_length(last_note / division)
    tempi = [(_rescale(t, division), us) for track in events.tracks for t, us in track.tempi if t <= last_note]
    meters = [(_rescale(t, division), n, d) for track in events.tracks for t, n, d in track.meters if t <= last_note]
    timing = [*_make_timing_messages(tempi, meters), mido.MetaMessage("end_of_track")]
    tracks = [_make_note_messages(track, division) for track in events.tracks if track.notes]
    return pretty_midi.PrettyMIDI(
        mido_object=mido.MidiFile(
            ticks_per_beat=min(division, TICKS_PER_QUARTER),
            tracks=[mido.MidiTrack(timing), *(mido.MidiTrack(track) for track in tracks)],
        )
    )


def read_midi(path: str | Path) -> pretty_midi.PrettyMIDI:
    """Read a Standard MIDI File of type 0 or 1 (2 if it holds one sequence): notes, programs, tempi, time signatures.

    Raises:
        ValueError: a sentence about what is wrong: unreadable, too large, not MIDI, cut off, too long, without notes.
    """
    midi = _to_pretty_midi(parse_midi(read_midi_bytes(path)))
    if not any(instrument.notes for instrument in midi.instruments):
        raise ValueError(f"The file {Path(path).name} holds no notes.")
    return midi


class _Clock:
    """Seconds of a PrettyMIDI object to grid positions, and positions to seconds."""

    def __init__(self, midi: pretty_midi.PrettyMIDI) -> None:
        self.midi = midi
        times, tempi = midi.get_tempo_changes()
        self.change_seconds = np.asarray(times, dtype=np.float64)
        self.change_positions = np.array([self.ticks(t) for t in times]) * POSITIONS_PER_QUARTER / midi.resolution
        self.seconds_per_position = 60.0 / (np.asarray(tempi, dtype=np.float64) * POSITIONS_PER_QUARTER)

    def ticks(self, time_s: float) -> int:
        """The nearest tick; ValueError for a negative, infinite or far too late time."""
        if not math.isfinite(time_s) or time_s < 0:
            raise ValueError(f"The music holds an event at {time_s:g} seconds; times must be 0 or later.")
        ticks = int(self.midi.time_to_tick(time_s))
        _check_length(ticks / self.midi.resolution)
        return ticks

    def to_positions(self, ticks: int) -> int:
        """The grid position nearest to a tick, the later of two as near."""
        return (2 * ticks * POSITIONS_PER_QUARTER + self.midi.resolution) // (2 * self.midi.resolution)

    def seconds(self, position: float) -> float:
        """When a grid position is reached."""
        index = max(0, int(np.searchsorted(self.change_positions, position, side="right")) - 1)
        beyond = position - self.change_positions[index]
        return float(self.change_seconds[index] + beyond * self.seconds_per_position[index])


def _lay_out_bars(changes: Sequence[tuple[int, int]], last_onset: int) -> list[int]:
    """The meters of the bars from 0 to the one that holds `last_onset`; `changes` are (position, meter), in order."""
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


def _merge_tracks(tracks: list[tuple[int, list[Note]]]) -> list[tuple[int, list[Note]]]:
    """At most MAX_TRACKS melodic tracks (program, notes): if need be one for each program, then for each GM family."""
    for programs_together in (1, 8):
        if len(tracks) <= MAX_TRACKS:
            break
        merged: dict[int, tuple[int, list[Note]]] = {}
        for program, notes in tracks:
            merged.setdefault(program // programs_together, (program, []))[1].extend(notes)
        tracks = list(merged.values())
    return tracks


def quantise(midi: pretty_midi.PrettyMIDI, meter: tuple[int, int] | None = None) -> Piece:
    """A PrettyMIDI object as a piece on the grid; the module's docstring says what is kept.

    Args:
        midi: at least one note; times from 0.
        meter: the time signature to use instead of the object's own, where those are known to be wrong.

    Raises:
        ValueError: no notes, times that are negative or not finite, more than MAX_BARS bars.
    """
    clock = _Clock(midi)
    melodic: list[tuple[int, list[Note]]] = []
    drums: list[Note] = []
    for instrument in midi.instruments:
        notes = []
        for note in instrument.notes:
            start, end = clock.ticks(note.start), clock.ticks(note.end)
            velocity = min(max(int(note.velocity), 1), 127) // VELOCITY_STEP
            pitch = min(max(int(note.pitch), 0), 127)
            notes.append(Note(clock.to_positions(start), pitch, clock.to_positions(end - start), velocity))
        if instrument.is_drum:
            drums += notes
        elif notes:
            melodic.append((min(max(int(instrument.program), 0), 127), notes))
    tracks = [InstrumentTrack.from_notes(program, False, notes) for program, notes in _merge_tracks(melodic)]
    tracks += [InstrumentTrack.from_notes(0, True, drums)] if drums else []
    if not tracks:
        raise ValueError("The music holds no notes.")
    last_onset = max(track.notes[-1].start for track in tracks)
    signatures = [] if meter else sorted(midi.time_signature_changes, key=lambda change: change.time)
    changes = [(0, find_meter(*meter))] if meter else []
    for change in signatures:
        at = clock.to_positions(clock.ticks(change.time))
        changes.append((at, find_meter(change.numerator, change.denominator)))
    return Piece(_add_tempi(_lay_out_bars(changes, last_onset), clock), tuple(tracks))


def _add_tempi(meters: Sequence[int], clock: _Clock) -> tuple[Bar, ...]:
    """Bars of these meters, each with the mean tempo that the clock has in it."""
    bars, start = [], 0
    for meter in meters:
        end = start + count_positions(meter)
        seconds = max(clock.seconds(end) - clock.seconds(start), 1e-9)
        bars.append(Bar(meter, find_tempo((end - start) * 60.0 / POSITIONS_PER_QUARTER / seconds)))
        start = end
    return tuple(bars)


def _make_track_messages(track: InstrumentTrack, index: int) -> list[mido.Message]:
    """A track's notes in delta ticks, on a channel of its own as far as there are enough."""
    channel = _DRUM_CHANNEL if track.is_drum else [c for c in range(16) if c != _DRUM_CHANNEL][index % 15]
    timed = []
    for note in track.notes:
        velocity = to_velocity(note.velocity)
        timed.append((note.start * TICKS_PER_POSITION, 1, note.pitch, velocity))
        timed.append(((note.start + note.duration) * TICKS_PER_POSITION, 0, note.pitch, 0))
    messages, last = [mido.Message("program_change", channel=channel, program=track.program)], 0
    for tick, _, pitch, velocity in sorted(timed):  # at one tick, ends come before onsets
        messages.append(mido.Message("note_on", channel=channel, note=pitch, velocity=velocity, time=tick - last))
        last = tick
    return messages


def to_mido(piece: Piece, tempo_scale: float = 1.0) -> mido.MidiFile:
    """A piece as a Standard MIDI File of type 1 and TICKS_PER_QUARTER: timing, then a track for each that has notes.

    Args:
        tempo_scale: how many times as fast as the bars say; so a tempo between two rows of TEMPI can be exact.
    """
    tempi, meters = [], []
    before = None
    for start, bar in zip(piece.list_bar_starts(), piece.bars, strict=False):
        tick = start * TICKS_PER_POSITION
        if before is None or bar.tempo != before.tempo:
            tempi.append((tick, min(max(round(6e7 / (TEMPI[bar.tempo] * tempo_scale)), 1), 0xFFFFFF)))
        if before is None or bar.meter != before.meter:
            meters.append((tick, *METERS[bar.meter]))
        before = bar
    timing = [*_make_timing_messages(tempi, meters), mido.MetaMessage("end_of_track")]
    tracks = [_make_track_messages(track, index) for index, track in enumerate(piece.tracks) if track.notes]
    return mido.MidiFile(
        ticks_per_beat=TICKS_PER_QUARTER,
        tracks=[mido.MidiTrack(timing), *(mido.MidiTrack(track) for track in tracks)],
    )


def to_midi(piece: Piece) -> pretty_midi.PrettyMIDI:
    """A piece as a PrettyMIDI object of TICKS_PER_QUARTER; a piece without notes gives one without instruments."""
    return pretty_midi.PrettyMIDI(mido_object=to_mido(piece))
