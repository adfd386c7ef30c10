"""A MIDI file as notes: what each channel plays, in time order over all tracks.

A synthesizer knows channels, not tracks, so a program, a pedal or a note's end counts wherever in the file it stands.
Only where two tracks share a channel and each begins with a program of its own, each keeps it, as sequencers do.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.music.midi_events import (
    CONTROL,
    NOTE_OFF,
    NOTE_ON,
    PROGRAM,
    ChannelEvent,
    MidiError,
    MidiEvents,
    TrackEvents,
    parse_midi,
    read_midi_bytes,
)

DRUM_CHANNEL = 9
DEFAULT_TEMPO = 120.0
_PEDAL, _PEDAL_IS_DOWN = 64, 64
_SOUND_OFF, _RESET, _NOTES_OFF = 120, 121, range(123, 128)


class MidiNote(NamedTuple):
    """A note from tick `start` to tick `end`; a note without length, as drums often have, ends where it starts."""

    start: int
    end: int
    pitch: int
    velocity: int


@dataclass
class MidiInstrument:
    """The notes that one program plays in one track, in the order of their onsets; drums have the program 0."""

    program: int
    is_drum: bool
    notes: list[MidiNote] = field(default_factory=list)


@dataclass(frozen=True)
class MidiSong:
    """A file's notes and its timing.

    Attributes:
        ticks_per_quarter: may be a fraction where the file counts film frames.
        tempi: (tick, quarters a minute), rising, the first at 0.
        meters: (tick, numerator, denominator), rising.
        remarks: what was wrong with the file, as sentences for a person.
    """

    ticks_per_quarter: float
    instruments: tuple[MidiInstrument, ...]
    tempi: tuple[tuple[int, float], ...] = ((0, DEFAULT_TEMPO),)
    meters: tuple[tuple[int, int, int], ...] = ()
    remarks: tuple[str, ...] = ()

    def to_seconds(self, ticks: NDArray[np.int64] | Sequence[int]) -> NDArray[np.float64]:
        """Convert ticks to seconds by the tempo map; any shape."""
        starts = np.array([tick for tick, _ in self.tempi], dtype=np.float64)
        pace = 60.0 / (np.array([tempo for _, tempo in self.tempi]) * self.ticks_per_quarter)  # seconds a tick
        begun = np.concatenate([[0.0], np.cumsum(np.diff(starts) * pace[:-1])])
        at = np.asarray(ticks, dtype=np.float64)
        index = np.searchsorted(starts, at, side="right") - 1
        return begun[index] + (at - starts[index]) * pace[index]


def read_midi(path: str | Path) -> MidiSong:
    """Read a Standard MIDI File of type 0 or 1 (2 if it holds one sequence), plain or RIFF, damaged or not.

    Raises:
        MidiError: unreadable, too large, not MIDI, or without a note that can be read.
    """
    events = parse_midi(read_midi_bytes(path))
    song = build_song(events)
    if not song.instruments:
        what = "no note that can be read" if events.remarks else "no notes"
        raise MidiError(f"The file {Path(path).name} holds {what}.")
    return song


def build_song(events: MidiEvents) -> MidiSong:
    """Play a file's events: notes with the programs and ends that their channels give them."""
    player = _ChannelPlayer(events.tracks)
    instruments = player.play()
    last = max((note.start for instrument in instruments for note in instrument.notes), default=0)
    meters = [(tick, n, d) for track in events.tracks for tick, n, d in track.meters if tick <= last]
    tempi = [(tick, us) for track in events.tracks for tick, us in track.tempi if tick <= last]
    if events.ticks_per_second is not None:
        tempi = [(0, round(1e6 * events.ticks_per_quarter / events.ticks_per_second))]
    remarks = list(events.remarks)
    if player.unended:
        one = player.unended == 1
        remarks.append(
            f"{player.unended} note{'' if one else 's'} of the MIDI file {'has' if one else 'have'} no end; "
            f"{'it sounds' if one else 'they sound'} to the end of the track."
        )
    return MidiSong(events.ticks_per_quarter, tuple(instruments), _order_tempi(tempi), _order(meters), tuple(remarks))


def _order(changes: Iterable[tuple[int, int, int]]) -> tuple[tuple[int, int, int], ...]:
    """Sort changes by tick; of several at one tick the last one of the file stays."""
    return tuple({change[0]: change for change in sorted(changes, key=lambda change: change[0])}.values())


def _order_tempi(tempi: Iterable[tuple[int, int]]) -> tuple[tuple[int, float], ...]:
    """Sort tempi by tick and give them in quarters a minute, from tick 0 on."""
    by_tick = {0: DEFAULT_TEMPO, **{tick: 6e7 / us for tick, us in sorted(tempi, key=lambda tempo: tempo[0])}}
    return tuple(sorted(by_tick.items()))


class _Step(NamedTuple):
    """An event and the track it stands in; steps are played in this order."""

    tick: int
    order: int
    track: int
    event: ChannelEvent


@dataclass
class _OpenNote:
    """A note that sounds and has no end yet."""

    start: int
    velocity: int
    track: int
    program: int


@dataclass
class _Channel:
    """What a synthesizer knows of one channel.

    Attributes:
        own_programs: by track, of tracks that began with a program of their own.
        pressed: by pitch and track, the notes whose keys are down.
        held: by pitch, the notes that the pedal holds.
        early_ends: by track and pitch, the tick and number of ends without a note: a note without length may follow.
    """

    program: int = 0
    own_programs: dict[int, int] = field(default_factory=dict)
    is_pedal_down: bool = False
    pressed: dict[int, dict[int, list[_OpenNote]]] = field(default_factory=dict)
    held: dict[int, list[_OpenNote]] = field(default_factory=dict)
    early_ends: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)


class _ChannelPlayer:
    """The sixteen channels while the events of all tracks go by."""

    def __init__(self, tracks: Sequence[TrackEvents]) -> None:
        self.tracks = tracks
        self.unended = 0
        self._channels = [_Channel() for _ in range(16)]
        self._played: dict[tuple[int, int, int], list[MidiNote]] = {}  # by track, channel and program
        self._first_notes = {
            (number, event.channel): event.tick
            for number, track in enumerate(tracks)
            for event in reversed(track.events)
            if event.kind == NOTE_ON and event.second
        }

    def play(self) -> list[MidiInstrument]:
        """Play everything; the instruments are in the order of the tracks, then of the channels."""
        for step in self._order_steps():
            self._take(step)
        for number, channel in enumerate(self._channels):
            for pitch, by_track in channel.pressed.items():
                for notes in by_track.values():
                    self.unended += len(notes)
                    self._end(number, pitch, notes)
            for pitch, notes in channel.held.items():
                self._end(number, pitch, notes)
        found = sorted(self._played.items(), key=lambda item: item[0][:2])
        return [
            MidiInstrument(0 if channel == DRUM_CHANNEL else program, channel == DRUM_CHANNEL, sorted(notes))
            for (_, channel, program), notes in found
        ]

    def _order_steps(self) -> list[_Step]:
        """Sort the events by time; at one tick come first the programs and pedals that stand before a track's notes."""
        steps = []
        for number, track in enumerate(self.tracks):
            tick, struck = -1, set[int]()
            for event in track.events:
                if event.tick != tick:
                    tick, struck = event.tick, set()
                is_setting = event.kind in (PROGRAM, CONTROL) and event.channel not in struck
                steps.append(_Step(event.tick, 0 if is_setting else 1, number, event))
                if event.kind == NOTE_ON and event.second:
                    struck.add(event.channel)
        return sorted(steps, key=lambda step: step[:3])

    def _take(self, step: _Step) -> None:
        event, channel = step.event, self._channels[step.event.channel]
        if event.kind == PROGRAM:
            channel.program = event.first
            if step.tick <= self._first_notes.get((step.track, event.channel), -1):
                channel.own_programs[step.track] = event.first
            else:  # a change for the whole channel, also for tracks that began with a program of their own
                channel.own_programs.clear()
        elif event.kind == CONTROL:
            self._control(step.tick, event, channel)
        elif event.kind == NOTE_ON and event.second:
            self._end(event.channel, event.first, channel.held.pop(event.first, []), step.tick)
            program = channel.own_programs.get(step.track, channel.program)
            note = _OpenNote(step.tick, event.second, step.track, program)
            ended_at, ends = channel.early_ends.get((step.track, event.first), (-1, 0))
            if ended_at == step.tick and ends:  # some programs write the end of a note without length before its onset
                channel.early_ends[step.track, event.first] = ended_at, ends - 1
                self._end(event.channel, event.first, [note], step.tick)
            else:
                channel.pressed.setdefault(event.first, {}).setdefault(step.track, []).append(note)
        elif event.kind in (NOTE_ON, NOTE_OFF):
            self._release(step, channel)

    def _release(self, step: _Step, channel: _Channel) -> None:
        """Release the keys of a pitch: those that the own track pressed, else those of any track."""
        pitch = step.event.first
        by_track = channel.pressed.get(pitch, {})
        if step.track in by_track:
            released = by_track.pop(step.track)
        else:
            released = list(itertools.chain(*by_track.values()))
            by_track.clear()
        if not by_track:
            channel.pressed.pop(pitch, None)
        if not released:
            ended_at, ends = channel.early_ends.get((step.track, pitch), (-1, 0))
            channel.early_ends[step.track, pitch] = step.tick, 1 + ends * (ended_at == step.tick)
        if released and channel.is_pedal_down and step.event.channel != DRUM_CHANNEL:
            channel.held.setdefault(pitch, []).extend(released)
        else:
            self._end(step.event.channel, pitch, released, step.tick)

    def _control(self, tick: int, event: ChannelEvent, channel: _Channel) -> None:
        """Follow the sustain pedal, and the messages that silence a channel."""
        is_silence = event.first == _SOUND_OFF or event.first in _NOTES_OFF
        if event.first == _PEDAL and event.second >= _PEDAL_IS_DOWN:
            channel.is_pedal_down = True
        elif event.first in (_PEDAL, _RESET) or is_silence:
            channel.is_pedal_down = channel.is_pedal_down and is_silence
            for pitch, notes in channel.held.items():
                self._end(event.channel, pitch, notes, tick)
            channel.held.clear()
        if is_silence:
            for pitch, by_track in channel.pressed.items():
                for notes in by_track.values():
                    self._end(event.channel, pitch, notes, tick)
            channel.pressed.clear()

    def _end(self, channel: int, pitch: int, notes: Iterable[_OpenNote], tick: int | None = None) -> None:
        """End notes at a tick, or each at the end of its track."""
        for note in notes:
            end = self.tracks[note.track].end if tick is None else tick
            played = MidiNote(note.start, max(end, note.start), pitch, note.velocity)
            self._played.setdefault((note.track, channel, note.program), []).append(played)
