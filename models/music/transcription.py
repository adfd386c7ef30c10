"""A recording as a melody: what the listener hears becomes notes, one at a time, on the grid of a tempo.

Notes begin where an onset is likely, or where a pitch sounds that did not; they last while their pitch is likely. Where
several sound at once, the clearest one is the melody.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.audio import resample
from models.media.sound import read_mono
from models.music.bars import add_tempi, lay_out_bars
from models.music.note_listener import HOP, LISTENER_FILE, LOWEST_PITCH, SAMPLE_RATE, NoteListener, load_listener
from models.music.score import InstrumentTrack, Note, Piece, TempoMap
from models.music.vocabulary import DURATIONS, POSITIONS_PER_QUARTER, VELOCITY, find_meter

FloatArray = NDArray[np.float32]

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
MAX_RECORDING_S = 180.0
LEAD_PROGRAM = 73  # a flute plays what was hummed
ONSET, STRUCK_AGAIN = 0.5, 0.7  # likelihoods from which a note begins, and one that sounds is struck again
SOUNDING, SURE = 0.3, 0.45  # from which a note goes on, and begins without an onset
SHORTEST_FRAMES, GAP_FRAMES = 9, 4
SIXTEENTH = POSITIONS_PER_QUARTER // 4
TEMPI = np.arange(66.0, 140.0, 0.5)
USUAL_TEMPO, TEMPO_SPREAD = 100.0, 0.35  # which tempi people mean: a preference between those that fit as well


@dataclass(frozen=True)
class HeardNote:
    """A note that was heard: from `start_s` to `end_s`, `strength` in [0, 1]."""

    start_s: float
    end_s: float
    pitch: int
    strength: float


@cache
def get_listener() -> NoteListener:
    """Return the shipped listener, loaded once."""
    return load_listener(WEIGHTS / LISTENER_FILE)


def read_melody(path: str | Path, tempo: float = 0.0, meter: int | None = None) -> Piece:
    """Read a recording as a piece of one melody.

    Args:
        tempo: quarters a minute; 0 takes the tempo that the onsets fit best.
        meter: row of METERS; None is 4/4.

    Raises:
        ValueError: it cannot be read, or no notes are heard.
    """
    sound, rate = read_mono(path, MAX_RECORDING_S)
    mono = resample(np.nan_to_num(sound, posinf=0.0, neginf=0.0), rate, SAMPLE_RATE).astype(np.float32)
    peak = float(np.abs(mono).max(initial=0.0))
    notes = find_notes(*get_listener().hear(mono * np.float32(0.7 / peak))) if peak > 1e-4 else []
    melody = keep_melody(notes)
    if not melody:
        raise ValueError("No notes were heard in the recording; sing or play a little louder and closer.")
    return lay_on_grid(melody, tempo or estimate_tempo([note.start_s for note in melody]), meter)


def find_notes(sounding: FloatArray, onsets: FloatArray) -> list[HeardNote]:
    """Find notes in likelihoods (frames, pitches), in the order of their beginnings."""
    notes = []
    for row in range(sounding.shape[1]):
        likely, begins = sounding[:, row], onsets[:, row]
        end = 0
        for frame in np.flatnonzero((likely >= SOUNDING) | (begins >= ONSET)):
            if frame < end:
                continue
            is_onset = begins[frame] >= ONSET and begins[frame] >= begins[frame : frame + 3].max()
            is_entry = likely[frame] >= SURE
            if not (is_onset or is_entry):
                continue
            end = _find_end(likely, begins, int(frame))
            if end - frame >= SHORTEST_FRAMES:
                strength = float(likely[frame:end].mean())
                notes.append(
                    HeardNote(frame * HOP / SAMPLE_RATE, end * HOP / SAMPLE_RATE, row + LOWEST_PITCH, strength)
                )
    return sorted(notes, key=lambda note: (note.start_s, note.pitch))


def _find_end(likely: FloatArray, begins: FloatArray, start: int) -> int:
    """Find the frame where a note ends: where it is silent for long, or is struck again."""
    silent = 0
    for frame in range(start + 1, len(likely)):
        silent = silent + 1 if likely[frame] < SOUNDING else 0
        is_new = frame - start > GAP_FRAMES and begins[frame] >= STRUCK_AGAIN
        if silent > GAP_FRAMES or (is_new and begins[frame] > begins[frame - 1]):
            return frame - silent
    return len(likely)


def keep_melody(notes: Sequence[HeardNote]) -> list[HeardNote]:
    """Keep one note at a time: the clearest of those that sound together, each cut where the next begins."""
    kept: list[HeardNote] = []
    for note in sorted(notes, key=lambda each: -each.strength * math.sqrt(each.end_s - each.start_s)):
        shared = (min(note.end_s, each.end_s) - max(note.start_s, each.start_s) for each in kept)
        if max(shared, default=0.0) <= 0.3 * (note.end_s - note.start_s):
            kept.append(note)
    kept.sort(key=lambda note: note.start_s)
    ends = [*(note.start_s for note in kept[1:]), math.inf][: len(kept)]
    return [
        HeardNote(note.start_s, min(note.end_s, end), note.pitch, note.strength)
        for note, end in zip(kept, ends, strict=True)
    ]


def estimate_tempo(onsets_s: Sequence[float]) -> float:
    """Estimate the quarters a minute whose eighths the onsets fit best, from the first on; usual tempi go first."""
    if len(onsets_s) < 3:
        return USUAL_TEMPO
    at = np.asarray(onsets_s) - onsets_s[0]
    fits = [
        float(np.cos(2 * np.pi * at * tempo / 30.0).mean() + 0.5 * np.cos(2 * np.pi * at * tempo / 60.0).mean())
        - 0.5 * (math.log2(tempo / USUAL_TEMPO) / TEMPO_SPREAD) ** 2 * 0.3
        for tempo in TEMPI
    ]
    return float(TEMPI[int(np.argmax(fits))])


def lay_on_grid(notes: Sequence[HeardNote], tempo: float, meter: int | None = None) -> Piece:
    """Lay a melody on the sixteenths of a tempo, its first note at the beginning of the first bar."""
    position_s = 60.0 / tempo / POSITIONS_PER_QUARTER
    strengths = [note.strength for note in notes]
    low, high = min(strengths), max(strengths)
    laid: dict[int, Note] = {}
    for note in notes:
        start = round((note.start_s - notes[0].start_s) / position_s / SIXTEENTH) * SIXTEENTH
        length = max(1, round((note.end_s - note.start_s) / position_s / SIXTEENTH)) * SIXTEENTH
        loud = (note.strength - low) / (high - low) if high > low else 0.5
        laid[start] = Note(start, note.pitch, min(length, DURATIONS[-1]), round((0.5 + 0.3 * loud) * VELOCITY.count))
    ordered = [laid[start] for start in sorted(laid)]
    cut = [
        Note(note.start, note.pitch, min(note.duration, after.start - note.start), note.velocity)
        for note, after in itertools.pairwise(ordered)
    ]
    track = InstrumentTrack.from_notes(LEAD_PROGRAM, False, [*cut, ordered[-1]])
    timing = TempoMap((0.0,), (tempo,))
    meters = lay_out_bars([(0, find_meter(4, 4) if meter is None else meter)], ordered[-1].start)
    said = f"{len(track.notes)} notes were heard, at about {tempo:.0f} beats a minute."
    return Piece(add_tempi(meters, timing), (track,), timing, (said,))
