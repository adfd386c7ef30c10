"""MIDI files of every kind that people bring, good and damaged, built byte by byte."""

from __future__ import annotations

import struct

TICKS = 480
SCALE = (60, 62, 64, 65, 67, 69, 71, 72)
END = b"\x00\xff\x2f\x00"


def number(value: int) -> bytes:
    """Return a variable-length number."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def note(pitch: int, ticks: int = TICKS, channel: int = 0, after: int = 0, velocity: int = 80) -> bytes:
    """Return a note `after` ticks later, that lasts `ticks`."""
    return number(after) + bytes((0x90 | channel, pitch, velocity)) + number(ticks) + bytes((0x80 | channel, pitch, 0))


def notes(pitches: tuple[int, ...] = SCALE, ticks: int = TICKS, channel: int = 0) -> bytes:
    """Return notes one after another."""
    return b"".join(note(pitch, ticks, channel) for pitch in pitches)


def program(value: int, channel: int = 0, after: int = 0) -> bytes:
    """Return a program change."""
    return number(after) + bytes((0xC0 | channel, value))


def pedal(is_down: bool, channel: int = 0, after: int = 0) -> bytes:
    """Return the sustain pedal."""
    return number(after) + bytes((0xB0 | channel, 64, 127 * is_down))


def tempo(quarters_a_minute: float, after: int = 0) -> bytes:
    """Return a tempo change."""
    return number(after) + b"\xff\x51\x03" + round(6e7 / quarters_a_minute).to_bytes(3, "big")


def meter(numerator: int, power: int, after: int = 0) -> bytes:
    """Return a time signature numerator / 2^power."""
    return number(after) + bytes((0xFF, 0x58, 4, numerator, power, 24, 8))


def header(tracks: int, midi_type: int = 1, division: int = TICKS) -> bytes:
    """Return the header chunk."""
    return b"MThd" + struct.pack(">IHHH", 6, midi_type, tracks, division)


def track(content: bytes, length: int | None = None) -> bytes:
    """Return a track chunk, with its own length or a wrong one."""
    return b"MTrk" + struct.pack(">I", len(content) if length is None else length) + content


def midi_file(*contents: bytes, midi_type: int = 1, division: int = TICKS) -> bytes:
    """Return a file that is in order; each track's end is added."""
    tracks = b"".join(track(content + END) for content in contents)
    return header(len(contents), midi_type, division) + tracks


def riff(data: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """Return the same as a RIFF file, with other chunks around."""
    padded = data + b"\x00" * (len(data) % 2)
    body = b"RMID" + before + b"data" + struct.pack("<I", len(data)) + padded + after
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunk(name: bytes, content: bytes) -> bytes:
    """Return some other chunk of a RIFF file."""
    return name + struct.pack("<I", len(content)) + content + b"\x00" * (len(content) % 2)


DRUM_HITS = b"".join(
    number(0 if i % 2 else 240) + bytes((0x99, 36 + i % 3, 100, 0x00, 0x89, 36 + i % 3, 64)) for i in range(52)
)
G_MAJOR = (67, 69, 71, 72, 74, 76, 78, 79, 78, 76, 74, 72, 71, 69, 67, 67)

# name -> the file and how many notes are in it; those of DAMAGED come with a remark.
SOUND: dict[str, tuple[bytes, int]] = {
    "plain": (midi_file(notes()), 8),
    "type 0": (midi_file(notes() + notes(channel=5), midi_type=0), 16),
    "drum hits without length": (midi_file(DRUM_HITS), 52),
    "key with 18 flats": (midi_file(b"\x00\xff\x59\x02\xee\x01" + notes((60, 64))), 2),
    "running status after a text": (
        midi_file(b"\x00\x90\x3c\x50\x83\x60\xff\x01\x02ab\x00\x3c\x00\x00\x40\x50\x60\x40\x00"),
        2,
    ),
    "tempo change": (midi_file(tempo(120) + tempo(60, 4 * TICKS), notes()), 8),
    "no end of track": (header(1) + track(notes()), 8),
    "RIFF": (riff(midi_file(notes())), 8),
    "RIFF with other chunks": (
        riff(
            midi_file(notes()),
            riff_chunk(b"DISP", b"\x01\x00\x00\x00odd"),
            riff_chunk(b"LIST", b"INFOINAM\x04\x00\x00\x00song"),
        ),
        8,
    ),
    "unknown chunk between": (header(2) + track(notes() + END) + b"XFIH\x00\x00\x00\x03abc" + track(notes() + END), 16),
    "sysex and unknown meta": (midi_file(b"\x00\xf0\x03\x41\x10\xf7\x00\xff\x7f\x02ab" + notes()), 8),
}
DAMAGED: dict[str, tuple[bytes, int]] = {
    "cut tail": (midi_file(notes())[:-6], 8),
    "cut in a note": (midi_file(notes())[: 22 + 7 * 9 + 3], 7),
    "header promises more tracks": (header(3) + track(notes() + END), 8),
    "header promises fewer tracks": (header(1) + track(notes() + END) + track(notes() + END), 16),
    "header promises none": (header(0) + track(notes() + END), 8),
    "length of ffffffff": (header(1) + track(notes() + END, 0xFFFFFFFF), 8),
    "length too short": (header(1) + track(notes() + END, 0x34), 8),
    "length of nothing": (header(1) + track(notes() + END, 0), 8),
    "first length too long": (header(2) + track(notes() + END, 100) + track(notes() + END), 16),
    "first length too short": (header(2) + track(notes() + END, 20) + track(notes() + END), 16),
    "lengths of ffffffff": (header(2) + track(notes() + END, 2**32 - 1) + track(notes() + END, 2**32 - 1), 16),
    "velocity over 127": (midi_file(b"\x00\x90\x3c\xd0\x83\x60\x80\x3c\x00" + note(64)), 2),
    "a data byte too much": (midi_file(note(60)[:4] + b"\x50" + note(60)[4:] + notes()), 9),
    "active sensing": (midi_file(note(60) + b"\x00\xfe" + note(62) + b"\x00\xf8" + note(64)), 3),
    "a clock inside a note": (midi_file(b"\x00\x90\x3c\xf8\x50\x60\x80\x3c\x00" + notes()), 9),
    "song position and tune request": (midi_file(b"\x00\xf2\x01\x02\x00\xf6\x00\xf3\x05" + notes()), 8),
    "film frames": (midi_file(notes(ticks=500), division=0xE728), 8),
    "no division": (midi_file(notes(), division=0), 8),
    "open note": (midi_file(notes() + b"\x00\x90\x48\x50" + number(960)[:-1] + b"\x40\xff\x2f\x00"), 9),
}
