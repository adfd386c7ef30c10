"""Read the events of a Standard MIDI File, whatever state the file is in.

Files of the wild are cut off, say wrong lengths and counts, hold a byte too many or messages that belong on a cable.
symusic 0.5 reads 14 of the 18 files of this project's cases and mido 1.3 with `clip` 13; neither says what it lost.
This reader finds the tracks by their marks, reads on after damage where eight events in a row make sense again, and
counts what it mended. A hostile file cannot make it slow: the size is limited, numbers have at most four bytes, and
damage is mended MAX_REPAIRS times.

After "The Complete MIDI 1.0 Detailed Specification" and "The Standard MIDI Files 1.0" (MIDI Manufacturers Association).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

MAX_FILE_BYTES = 1_000_000
MAX_REPAIRS = 200
CLEAN_RUN = 8  # so many events that make sense one after another are no accident
SEARCHED_BYTES = 256  # how far to look for the next event after damage
DEFAULT_DIVISION = 480
NOTE_OFF, NOTE_ON, CONTROL, PROGRAM = 0x8, 0x9, 0xB, 0xC
_DATA_BYTES = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_SYSTEM_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}
_SYSEX, _SYSEX_CONTINUED, _META = 0xF0, 0xF7, 0xFF
_SET_TEMPO, _TIME_SIGNATURE, _END_OF_TRACK = 0x51, 0x58, 0x2F
_HEADER, _TRACK = b"MThd", b"MTrk"
_FRAME_RATES = {24: 24.0, 25: 25.0, 29: 30_000 / 1001, 30: 30.0}


class MidiError(ValueError):
    """A file that cannot be used as MIDI, in a sentence for a person."""


class ChannelEvent(NamedTuple):
    """A message of a channel: `tick` from the start, `kind` the upper half of the status byte, its data bytes."""

    tick: int
    kind: int
    channel: int
    first: int
    second: int


@dataclass
class TrackEvents:
    """One track.

    Attributes:
        events: in the order of the file.
        tempi: (tick, microseconds a quarter).
        meters: (tick, numerator, denominator).
        end: tick of the end of the track, of its last event where it has none.
        damaged, foreign: how often bytes were mended or left out; how many messages did not belong into a file.
        is_cut: whether the track ends in the middle of an event.
    """

    events: list[ChannelEvent] = field(default_factory=list)
    tempi: list[tuple[int, int]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    end: int = 0
    damaged: int = 0
    foreign: int = 0
    is_cut: bool = False

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was read that is kept."""
        return not (self.events or self.tempi or self.meters)


@dataclass(frozen=True)
class MidiEvents:
    """A whole file.

    Attributes:
        ticks_per_quarter: for a file timed in film frames, those of `ticks_per_second` at the tempo of its bars.
        ticks_per_second: of a file timed in film frames; else None.
        remarks: what was wrong with the file, as sentences for a person.
    """

    ticks_per_quarter: float
    tracks: tuple[TrackEvents, ...]
    ticks_per_second: float | None = None
    remarks: tuple[str, ...] = ()


def read_midi_bytes(path: str | Path) -> bytes:
    """Read a file that is not too large for MIDI.

    Raises:
        MidiError: it cannot be read, or has more than MAX_FILE_BYTES.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise MidiError(f"The file {Path(path).name} cannot be read: {error.strerror or error}.") from error
    if len(data) > MAX_FILE_BYTES:
        raise MidiError(
            f"The file {Path(path).name} is larger than {MAX_FILE_BYTES / 1e6:g} MB; no piece of music needs so much "
            "as MIDI. Is it really a MIDI file?"
        )
    return data


# ---- events


class _Scan(NamedTuple):
    """What stands at one place of a track.

    Attributes:
        status: the status byte (the running one where none is written); 0 where no event begins.
        data: data bytes of a channel message, content of a meta event, else nothing.
        meta: the kind of a meta event, else -1.
        end: where the next event begins.
        bad: index in the track's bytes of a data byte over 127, else -1.
        is_cut: whether the event reaches beyond the end.
        is_explicit: whether the status byte is written.
    """

    delta: int = 0
    status: int = 0
    data: bytes = b""
    meta: int = -1
    end: int = 0
    bad: int = -1
    is_cut: bool = False
    is_explicit: bool = True

    @property
    def is_clean(self) -> bool:
        """Return whether the event makes sense in a file."""
        is_known = self.meta < 0x80 if self.status == _META else self.status in (_SYSEX, _SYSEX_CONTINUED)
        return not self.is_cut and self.bad < 0 and (0x80 <= self.status < 0xF0 or is_known)


def _read_number(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """Read a variable-length number at `at`: the number (-1 if it is cut or has over four bytes) and what follows."""
    value = 0
    for place in range(at, min(at + 4, stop)):
        value = value << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return value, place + 1
    return -1, at


def _scan_event(data: bytes, at: int, stop: int, running: int) -> _Scan:
    """Look at the event at `at`; data[stop] is no longer of the track."""
    delta, at = _read_number(data, at, stop)
    if delta < 0:
        return _Scan(end=at, is_cut=stop - at < 4)
    if at >= stop:
        return _Scan(delta, end=at, is_cut=True)
    status = data[at]
    if status in (_META, _SYSEX, _SYSEX_CONTINUED):
        kind_at, at = at + 1, at + 1 + (status == _META)
        length, begin = _read_number(data, at, stop)
        is_cut = length < 0 or begin + length > stop
        meta = data[kind_at] if status == _META and kind_at < stop else -1
        content = data[begin : begin + length] if status == _META and not is_cut else b""
        return _Scan(delta, status, content, meta, begin + max(length, 0), is_cut=is_cut)
    if status >= 0xF0:
        end = at + 1 + _SYSTEM_DATA_BYTES.get(status, 0)
        return _Scan(delta, status, end=end, is_cut=end > stop)
    if status < 0x80 and not running:
        return _Scan(delta, end=at)
    is_explicit = status >= 0x80
    begin = at + is_explicit
    status = status if is_explicit else running
    end = begin + _DATA_BYTES[status >> 4]
    content = data[begin : min(end, stop)]
    bad = next((begin + place for place, byte in enumerate(content) if byte > 0x7F), -1)
    return _Scan(delta, status, content, -1, end, bad, end > stop, is_explicit)


def _is_end_of_track(scan: _Scan) -> bool:
    return scan.status == _META and scan.meta == _END_OF_TRACK


def _count_clean_events(data: bytes, at: int, stop: int, running: int, must_say_status: bool = False) -> int:
    """Count the events from `at` on that make sense, up to CLEAN_RUN; a run to the very end counts as a whole one."""
    count = 0
    while count < CLEAN_RUN:
        if at == stop:
            return CLEAN_RUN if count else 0
        scan = _scan_event(data, at, stop, running)
        if not scan.is_clean or (must_say_status and not count and not scan.is_explicit):
            return count
        if _is_end_of_track(scan):
            return CLEAN_RUN
        running = scan.status if scan.status < 0xF0 else running
        at, count = scan.end, count + 1
    return count


def _mend(data: bytes, at: int, stop: int, running: int, scan: _Scan) -> tuple[_Scan | None, int]:
    """Find where to read on after an event that makes no sense.

    Tried are, in this order: the event with its bad data byte held to 127; the event without that byte, where it is a
    real-time message; what follows one to three bytes later (a data byte too much); the next event within
    SEARCHED_BYTES that says its status. The first that CLEAN_RUN good events follow is taken.

    Returns:
        The event to keep, if any, and where the next begins; -1 where nothing makes sense any more.
    """
    if scan.bad >= 0 and not scan.is_cut:
        if _count_clean_events(data, scan.end, stop, scan.status) == CLEAN_RUN:
            return scan._replace(data=bytes(min(byte, 0x7F) for byte in scan.data), bad=-1), scan.end
        if data[scan.bad] >= 0xF8:
            without = data[at : scan.bad] + data[scan.bad + 1 : scan.end + 1]
            again = _scan_event(without, 0, len(without), running)
            if again.is_clean and _count_clean_events(data, scan.end + 1, stop, scan.status) == CLEAN_RUN:
                return again, scan.end + 1
    for step in range(1, min(SEARCHED_BYTES, stop - at)):
        must_say_status = step > 3 or scan.status >= 0xF0  # text reads as a run of notes
        if _count_clean_events(data, at + step, stop, running, must_say_status) == CLEAN_RUN:
            return None, at + step
    return None, -1


def _keep_meta(scan: _Scan, tick: int, track: TrackEvents) -> None:
    """Keep a tempo or a time signature that makes sense."""
    data = scan.data
    if scan.meta == _SET_TEMPO and len(data) >= 3:
        track.tempi.append((tick, max(1, int.from_bytes(data[:3], "big"))))
    if scan.meta == _TIME_SIGNATURE and len(data) >= 2 and data[0] > 0 and data[1] <= 7:
        track.meters.append((tick, data[0], 2 ** data[1]))


def _read_track(data: bytes, at: int, stop: int) -> tuple[TrackEvents, int, bool]:
    """Read a track from `at` to its end, at the latest to `stop`.

    Returns:
        The track, where reading ended, and whether the track's own end was there.
    """
    track, tick, running = TrackEvents(), 0, 0
    while at < stop:
        scan = _scan_event(data, at, stop, running)
        if not scan.is_clean and not (scan.status >= 0xF0 and scan.status not in (_META, _SYSEX, _SYSEX_CONTINUED)):
            kept, following = (None, -1) if track.damaged >= MAX_REPAIRS else _mend(data, at, stop, running, scan)
            if following < 0:
                track.is_cut = scan.is_cut
                track.damaged += not scan.is_cut
                track.end = tick + scan.delta * scan.is_cut
                return track, stop, False
            track.damaged += 1
            if kept is None:
                at = following
                continue
            scan, at = kept, following
        elif scan.is_cut:
            track.is_cut = True
            return track, stop, False
        else:
            at = scan.end
        tick += scan.delta
        track.end = tick
        if _is_end_of_track(scan):
            return track, at, True
        if scan.status == _META:
            _keep_meta(scan, tick, track)
        elif scan.status < 0xF0:
            running = scan.status
            second = scan.data[1] if len(scan.data) > 1 else 0
            track.events.append(ChannelEvent(tick, running >> 4, running & 0xF, scan.data[0], second))
        else:
            track.foreign += scan.status not in (_SYSEX, _SYSEX_CONTINUED)
    return track, at, False


# ---- chunks


def _is_chunk_border(data: bytes, at: int) -> bool:
    """Check whether a chunk begins at `at`, or the file ends there."""
    if at == len(data):
        return True
    size = int.from_bytes(data[at + 4 : at + 8], "big")
    return data[at : at + 4] == _TRACK or (data[at : at + 4].isalpha() and at + 8 + size <= len(data))


def _find_tracks(data: bytes, at: int) -> Iterator[tuple[TrackEvents, bool]]:
    """Yield the tracks of a file, each with whether its length was right; chunks of other kinds are passed over.

    A track ends where it says so, at its own end-of-track event, or where the next track begins.
    """
    while (at := at if data[at : at + 4] == _TRACK else _find_next_chunk(data, at)) >= 0:
        begin = at + 8
        declared = begin + int.from_bytes(data[at + 4 : begin], "big")
        track, end, has_end = _read_track(data, begin, min(declared, len(data)))
        holds_another = _TRACK in data[end:declared]  # what was declared goes on over the next tracks
        is_border = _is_chunk_border(data, declared) and not holds_another
        is_right = declared <= len(data) and (is_border or (has_end and end == declared))
        if not is_right:
            found = data.find(_TRACK, begin)
            stop = found if found >= 0 else len(data)
            track, end, has_end = _read_track(data, begin, stop)
            track.is_cut = track.is_cut or (not has_end and stop == len(data) < declared)
        yield track, is_right
        at = declared if is_right and _is_chunk_border(data, declared) else end


def _find_next_chunk(data: bytes, at: int) -> int:
    """Find the next track from `at` on: over chunks of other kinds by their length, else by its mark; -1 for none."""
    while at < len(data) and data[at : at + 4] != _TRACK and data[at : at + 4].isalpha():
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        if not _is_chunk_border(data, at + 8 + size):
            break
        at += 8 + size
    return data.find(_TRACK, at)


def _find_header(data: bytes) -> int:
    """Find where the Standard MIDI File begins: at once, in the data chunk of a RIFF file, or after some other bytes.

    Raises:
        MidiError: nowhere.
    """
    at = data.find(_HEADER, 0, 4096 if data[:4] != b"RIFF" else len(data))
    if at < 0:
        raise MidiError("This is not a MIDI file: it does not begin with the letters MThd.")
    return at


def _read_division(division: int) -> tuple[float, float | None, str]:
    """Read the header's word on time: ticks in a quarter, ticks in a second (or None), and what to say about it."""
    if division >= 0x8000:
        ticks_per_frame = division & 0xFF
        rate = _FRAME_RATES.get(256 - (division >> 8))
        if rate is None or not ticks_per_frame:
            return (
                DEFAULT_DIVISION,
                None,
                "The MIDI file does not say how it counts time; 480 ticks a beat are assumed.",
            )
        return 0.0, rate * ticks_per_frame, ""
    if not division:
        return DEFAULT_DIVISION, None, "The MIDI file does not say how it counts time; 480 ticks a beat are assumed."
    return float(division), None, ""


def parse_midi(data: bytes) -> MidiEvents:
    """Parse a Standard MIDI File, plain or in a RIFF file, as far as it makes sense.

    Raises:
        MidiError: it is not MIDI, or a type 2 file of several sequences.
    """
    at = _find_header(data)
    header = data[at + 4 : at + 14]
    size, midi_type, promised, division = (
        int.from_bytes(header[a:b], "big") for a, b in ((0, 4), (4, 6), (6, 8), (8, 10))
    )
    if midi_type == 2 and promised > 1:
        raise MidiError(
            f"The MIDI file is of type 2 and holds {promised} separate sequences; save one of them as type 0 or 1."
        )
    ticks_per_quarter, ticks_per_second, said = _read_division(division)
    begin = at + 8 + size
    found = list(_find_tracks(data, begin if _is_chunk_border(data, begin) else at + 8))
    tracks = [track for track, _ in found]
    remarks = [said] if said else []
    remarks += _describe_damage(promised, tracks, all(is_right for _, is_right in found))
    if ticks_per_second is not None:
        tempo = next((us for track in tracks for _, us in track.tempi), 500_000)
        ticks_per_quarter = ticks_per_second * tempo / 1e6
        remarks.append(
            f"The MIDI file counts time in film frames; its bars are laid at {6e7 / tempo:g} beats a minute."
        )
    kept = tuple(track for track in tracks if not track.is_empty)
    return MidiEvents(ticks_per_quarter, kept, ticks_per_second, tuple(remarks))


def _describe_damage(promised: int, tracks: list[TrackEvents], lengths_are_right: bool) -> Iterator[str]:
    """Say what was wrong with a file."""
    is_cut = any(track.is_cut for track in tracks)
    if is_cut:
        yield "The MIDI file is cut off; what is there was read."
    if not lengths_are_right and not is_cut:
        yield "The MIDI file gives a wrong length for a track; the track was read to its end."
    if tracks and len(tracks) != promised:
        yield f"The MIDI file promises {promised} track{'s' * (promised != 1)} and holds {len(tracks)}."
    damaged = sum(track.damaged for track in tracks)
    if damaged:
        places = "one place" if damaged == 1 else f"{damaged} places"
        yield f"The MIDI file is damaged in {places}; what makes sense was read."
    if any(track.foreign for track in tracks):
        yield "The MIDI file holds messages that do not belong into a file; they were left out."
