"""The bytes of a Standard MIDI File to timed events, with every limit checked on the way.

Only what the tokenizer uses is kept: notes, programs, tempi and time signatures. A hostile file cannot make this slow
or large: the size is limited first, lengths are checked against what is there, numbers have at most four bytes.
After "The Standard MIDI Files 1.0" (MIDI Manufacturers Association).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

MAX_FILE_BYTES = 1_000_000
_NOTE_OFF, _NOTE_ON, _PROGRAM_CHANGE, _CHANNEL_PRESSURE = 0x8, 0x9, 0xC, 0xD
_META, _SYSEX, _SYSEX_CONTINUED = 0xFF, 0xF0, 0xF7
_SET_TEMPO, _TIME_SIGNATURE, _END_OF_TRACK = 0x51, 0x58, 0x2F


@dataclass
class TrackEvents:
    """One track chunk. Times are ticks from the start; velocity 0 ends a note.

    Attributes:
        notes: (tick, channel, pitch, velocity).
        programs: (tick, channel, program).
        tempi: (tick, microseconds a quarter).
        meters: (tick, numerator, denominator).
        order: for notes and programs together, in file order: True is the next note, False the next program.
    """

    notes: list[tuple[int, int, int, int]] = field(default_factory=list)
    programs: list[tuple[int, int, int]] = field(default_factory=list)
    tempi: list[tuple[int, int]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    order: list[bool] = field(default_factory=list)


@dataclass(frozen=True)
class MidiEvents:
    """A whole file: `midi_type` 0, 1 or 2, ticks in a quarter, the tracks."""

    midi_type: int
    ticks_per_quarter: int
    tracks: tuple[TrackEvents, ...]


def read_midi_bytes(path: str | Path) -> bytes:
    """The bytes of a file that is not too large for MIDI.

    Raises:
        ValueError: it cannot be read, or has more than MAX_FILE_BYTES.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"The file {Path(path).name} cannot be read: {error.strerror or error}.") from error
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(
            f"The file {Path(path).name} is larger than {MAX_FILE_BYTES / 1e6:g} MB; no piece of music needs so much "
            "as MIDI. Is it really a MIDI file?"
        )
    return data


class _ByteReader:
    """Takes bytes, numbers and variable-length numbers from a track; says what is wrong in a sentence."""

    def __init__(self, data: bytes, number: int) -> None:
        self.data = data
        self.at = 0
        self.number = number

    def cut_off(self) -> ValueError:
        return ValueError(f"The MIDI file is cut off or damaged: track {self.number} ends in the middle of an event.")

    def byte(self) -> int:
        if self.at >= len(self.data):
            raise self.cut_off()
        self.at += 1
        return self.data[self.at - 1]

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise self.cut_off()
        self.at += count
        return self.data[self.at - count : self.at]

    def variable_length(self) -> int:
        value = 0
        for _ in range(4):
            byte = self.byte()
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        raise ValueError(f"The MIDI file is damaged: track {self.number} holds a number of more than four bytes.")


def _read_meta(reader: _ByteReader, tick: int, events: TrackEvents) -> bool:
    """Read one meta event; True if the track ends with it."""
    kind = reader.byte()
    data = reader.take(reader.variable_length())
    if kind == _SET_TEMPO and len(data) >= 3:
        events.tempi.append((tick, max(1, int.from_bytes(data[:3], "big"))))
    if kind == _TIME_SIGNATURE and len(data) >= 2 and data[0] > 0 and data[1] <= 7:
        events.meters.append((tick, data[0], 2 ** data[1]))
    return kind == _END_OF_TRACK


def _read_channel_event(reader: _ByteReader, status: int, first: int, tick: int, events: TrackEvents) -> None:
    """Read the rest of a channel event whose first data byte is known; a data byte above 127 counts as 127."""
    kind, channel, first = status >> 4, status & 0xF, min(first, 127)
    if kind == _PROGRAM_CHANGE:
        events.programs.append((tick, channel, first))
        events.order.append(False)
    elif kind != _CHANNEL_PRESSURE:
        second = min(reader.byte(), 127)
        if kind in (_NOTE_ON, _NOTE_OFF):
            events.notes.append((tick, channel, first, second if kind == _NOTE_ON else 0))
            events.order.append(True)


def _read_track(data: bytes, number: int) -> TrackEvents:
    """All events of a track chunk's content that are kept."""
    reader, events = _ByteReader(data, number), TrackEvents()
    tick, running_status = 0, 0
    while reader.at < len(data):
        tick += reader.variable_length()
        byte = reader.byte()
        if byte == _META:
            if _read_meta(reader, tick, events):
                break
        elif byte in (_SYSEX, _SYSEX_CONTINUED):
            reader.take(reader.variable_length())
        elif 0x80 <= byte < 0xF0:
            running_status = byte
            _read_channel_event(reader, byte, reader.byte(), tick, events)
        elif byte < 0x80 and running_status:
            _read_channel_event(reader, running_status, byte, tick, events)
        else:
            raise ValueError(f"The MIDI file is damaged: track {number} holds the byte {byte} where an event begins.")
    return events


def parse_midi(data: bytes) -> MidiEvents:
    """Parse a Standard MIDI File.

    Raises:
        ValueError: it is not MIDI, cut off, damaged, timed in film frames, or a type 2 file of several sequences.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        data = data[20:]
    if len(data) < 14 or data[:4] != b"MThd":
        raise ValueError("This is not a MIDI file: it does not begin with the letters MThd.")
    header_size, midi_type, track_count, division = struct.unpack(">IHHH", data[4:14])
    if midi_type > 2 or division == 0:
        raise ValueError("The MIDI file is damaged: its header has an unknown type or no ticks in a quarter.")
    if division >= 0x8000:
        raise ValueError("The MIDI file counts time in film frames, not in beats; bars cannot be found in it.")
    if midi_type == 2 and track_count > 1:
        raise ValueError(
            f"The MIDI file is of type 2 and holds {track_count} separate sequences; save one of them as type 0 or 1."
        )
    tracks: list[TrackEvents] = []
    at = 8 + header_size
    while at + 8 <= len(data) and len(tracks) < track_count:
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        if at + 8 + size > len(data):
            raise ValueError(f"The MIDI file is cut off: its track {len(tracks) + 1} is shorter than it says.")
        if data[at : at + 4] == b"MTrk":
            tracks.append(_read_track(data[at + 8 : at + 8 + size], len(tracks) + 1))
        at += 8 + size
    if len(tracks) < track_count:
        raise ValueError(f"The MIDI file is cut off: {len(tracks)} of its {track_count} tracks are there.")
    return MidiEvents(midi_type, division, tuple(tracks))
