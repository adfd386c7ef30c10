"""A whole session on disk: sound as it was sent, and the notes as MIDI.

Nothing grows in memory but the list of notes, about a megabyte and a half an hour. After MAX_RECORD_S recording ends
and the music goes on.
"""

from __future__ import annotations

import wave
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mido
import numpy as np
from numpy.typing import NDArray

from models.live.bar_generator import LiveBar
from models.live.music_stream import BarMark, LiveChunk

MAX_RECORD_S = 3600.0
TICKS_A_POSITION = 20
TICKS_A_QUARTER = 24 * TICKS_A_POSITION
BLOCK_SAMPLES = 1 << 18
PERSON, MODEL = 1, 0
DRUM_CHANNEL = 9


def to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Convert float32 (2, N) to int16 (N, 2): what is sent and what is recorded."""
    return np.round(np.clip(samples.T, -1.0, 1.0) * 32767.0).astype(np.int16)


@dataclass
class _NoteTable:
    """Rows of start tick, length in ticks, pitch, velocity, program (128: drums), who plays."""

    rows: array[int] = field(default_factory=lambda: array("i"))

    def add(self, *row: int) -> None:
        """Add a note."""
        self.rows.extend(row)

    def stack(self) -> NDArray[np.int32]:
        """Stack the rows, int32 (notes, 6)."""
        return np.array(self.rows, dtype=np.int32).reshape(-1, 6)


class SessionRecording:
    """A recording that is written into a folder while the session goes on."""

    def __init__(self, folder: Path, sample_rate: int) -> None:
        self.wav_path, self.sample_rate = folder / "session.wav", sample_rate
        self.samples = 0
        self.is_full = False
        self._tempi: list[tuple[int, int]] = []  # tick, microseconds a quarter
        self._bar_ticks: dict[int, int] = {}  # of late
        self._next_tick = 0
        self._notes = _NoteTable()
        self._file = wave.open(str(self.wav_path), "wb")  # noqa: SIM115  (closed by `close`)
        self._file.setnchannels(2)
        self._file.setsampwidth(2)
        self._file.setframerate(sample_rate)

    @property
    def duration_s(self) -> float:
        """Return how much is recorded."""
        return self.samples / self.sample_rate

    def add(self, chunk: LiveChunk, pcm: NDArray[np.int16]) -> None:
        """Add the next chunk, and its samples as they were sent, int16 (N, 2)."""
        if self.is_full:
            return
        self._file.writeframesraw(np.ascontiguousarray(pcm).tobytes())
        self.samples += len(pcm)
        for mark, bar in chunk.bars:
            self._add_bar(mark, bar)
        self.is_full = self.duration_s >= MAX_RECORD_S

    def _add_bar(self, mark: BarMark, bar: LiveBar) -> None:
        begin, microseconds = self._next_tick, round(6e7 / bar.controls.tempo)
        if not self._tempi or self._tempi[-1][1] != microseconds:
            self._tempi.append((begin, microseconds))
        self._bar_ticks[mark.index] = begin
        for old in [index for index in self._bar_ticks if index < mark.index - 64]:
            del self._bar_ticks[old]
        self._next_tick += bar.controls.bar.positions * TICKS_A_POSITION
        for note in bar.notes:
            self._notes.add(
                begin + note.start * TICKS_A_POSITION,
                note.duration * TICKS_A_POSITION,
                note.pitch,
                note.velocity,
                128 if note.is_drum else note.program,
                MODEL,
            )

    def add_note(
        self, mark: BarMark, start_s: float, length_s: float, pitch: int, velocity: int, program: int, who: int = PERSON
    ) -> None:
        """Add a note beside the bars, at a time of the stream; `mark` is the bar that sounds then."""
        begin = self._bar_ticks.get(mark.index)
        if begin is None or self.is_full:
            return
        a_tick_s = mark.controls.second_a_position / TICKS_A_POSITION
        tick = max(0, begin + round((start_s - mark.start_s) / a_tick_s))
        self._notes.add(tick, max(1, round(length_s / a_tick_s)), pitch, velocity, program, who)

    def close(self) -> None:
        """Finish the sound file; it may be called twice."""
        self._file.close()

    def write_midi(self, path: Path) -> Path:
        """Write the notes as a Standard MIDI File: a track for each instrument, those that the person played apart."""
        notes = self._notes.stack()
        song = mido.MidiFile(ticks_per_beat=TICKS_A_QUARTER)
        timing = [(0, mido.MetaMessage("time_signature", numerator=4, denominator=4))]
        timing += [(tick, mido.MetaMessage("set_tempo", tempo=tempo)) for tick, tempo in self._tempi]
        song.tracks.append(_build_track(timing))
        parts = sorted({(int(row[5]), int(row[4])) for row in notes})
        melodic = [part for part in parts if part[1] < 128]
        for who, program in parts:
            free = [channel for channel in range(16) if channel != DRUM_CHANNEL]
            channel = DRUM_CHANNEL if program == 128 else free[melodic.index((who, program)) % len(free)]
            mine = notes[(notes[:, 5] == who) & (notes[:, 4] == program)]
            song.tracks.append(_build_track(_list_events(mine, channel, program, "You" if who == PERSON else "")))
        song.save(path)
        return path


def write_mp3(wav: Path, path: Path) -> None:
    """Write a session's sound file as MP3, block by block.

    Raises:
        soundfile.LibsndfileError: this machine's libsndfile cannot write MP3.
    """
    import soundfile

    kind: dict[str, Any] = {"format": "MP3", "compression_level": 0.2, "bitrate_mode": "VARIABLE"}
    with (
        soundfile.SoundFile(str(wav)) as source,
        soundfile.SoundFile(str(path), "w", source.samplerate, 2, "MPEG_LAYER_III", **kind) as target,
    ):
        while len(block := source.read(BLOCK_SAMPLES, dtype="int16")):
            target.write(block)


def _list_events(rows: NDArray[np.int32], channel: int, program: int, name: str) -> list[tuple[int, mido.Message]]:
    events: list[tuple[int, mido.Message]] = []
    if name:
        events.append((0, mido.MetaMessage("track_name", name=name)))
    if program < 128:
        events.append((0, mido.Message("program_change", channel=channel, program=program)))
    for start, length, pitch, velocity, _, _ in rows.tolist():
        events.append((start, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        events.append((start + length, mido.Message("note_off", channel=channel, note=pitch, velocity=0)))
    return events


def _build_track(events: list[tuple[int, mido.Message]]) -> mido.MidiTrack:
    """Build a track of events at absolute ticks; at equal ticks notes end before others begin."""
    track, now = mido.MidiTrack(), 0
    for tick, message in sorted(events, key=lambda event: (event[0], event[1].type == "note_on")):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=0))
    return track
