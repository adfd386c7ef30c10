"""Songs with known beats, as notes in seconds: read from MIDI collections, re-orchestrated, or made up whole.

Beat training needs sound whose beats are known to the millisecond, and as many kinds of it as can be had. So a piece is
taken from a collection, given other instruments, a drummer and a bass player, warped in time like a human performance,
and rendered with one of several soundfonts (`training.beats.corpus`).

Times are seconds; a drum is a note on `DRUMS`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

DRUMS = -1
KICK, SNARE, RIM, CLAP, CLOSED_HAT, PEDAL_HAT, OPEN_HAT, CRASH, RIDE, TOM, SHAKER, COWBELL = (
    36, 38, 37, 39, 42, 44, 46, 49, 51, 47, 70, 56,
)  # fmt: skip
KEYS_AND_PADS = (0, 1, 2, 4, 5, 6, 7, 11, 16, 17, 18, 19, 21, 24, 25, 26, 27, 46, 48, 49, 50, 51, 52, 88, 89, 90, 91)
LEADS = (22, 40, 41, 42, 53, 56, 57, 60, 64, 65, 66, 68, 71, 73, 75, 80, 81, 82, 84, 85)
GUITARS = (27, 28, 29, 30, 30, 29)
BASSES = (32, 33, 34, 35, 36, 38, 39, 87)


@dataclass
class AnnotatedSong:
    """Notes (start_s, end_s, pitch, velocity, program); the beats and the place of each in its bar (1: downbeat)."""

    notes: list[tuple[float, float, int, int, int]] = field(default_factory=list)
    beats: np.ndarray = field(default_factory=lambda: np.zeros(0))
    places: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))

    def cut(self, start_s: float, end_s: float) -> AnnotatedSong:
        """Cut the part from start to end, moved to time 0; notes that begin earlier are left out."""
        kept = [
            (s - start_s, min(e, end_s) - start_s, p, v, prog)
            for s, e, p, v, prog in self.notes
            if start_s <= s < end_s
        ]
        inside = (self.beats >= start_s) & (self.beats < end_s)
        return AnnotatedSong(kept, self.beats[inside] - start_s, self.places[inside])

    def warp(self, warp: Callable[[np.ndarray], np.ndarray]) -> AnnotatedSong:
        """Send every time through a rising function."""
        times = np.array([(n[0], n[1]) for n in self.notes]).reshape(-1, 2)
        moved = warp(times)
        notes = [(float(a), float(b), *n[2:]) for (a, b), n in zip(moved, self.notes, strict=True)]
        return AnnotatedSong(notes, warp(self.beats), self.places)


def draw_warp(rng: random.Random, length_s: float, speed: float, rubato: float) -> Callable[[np.ndarray], np.ndarray]:
    """Time runs `speed` times as fast, and slower and faster by up to the share `rubato` in slow waves."""
    grid = np.linspace(0.0, max(length_s, 1.0) + 10.0, 2000)
    pace = np.ones_like(grid)
    for _ in range(3):
        period_s = rng.uniform(5.0, 40.0)
        pace += rubato / 3 * np.sin(2 * np.pi * (grid / period_s + rng.random()))
    warped = np.concatenate([[0.0], np.cumsum(np.diff(grid) * pace[1:])]) / speed
    return lambda times: np.interp(times, grid, warped)


def _number_places(count: int, bar: int, first: int = 0) -> np.ndarray:
    return (np.arange(count) + first) % bar + 1


def read_beat_seconds(midi: Path) -> tuple[np.ndarray, np.ndarray, list[tuple[float, float, int, int, int]]]:
    """Read beats, places and notes of a MIDI file by its own tempo and time signatures.

    Raises:
        ValueError: a time signature whose beat is a matter of taste (3/8, 5/8 ...).
    """
    from symusic import Score

    score = Score(str(midi))
    tpq = score.ticks_per_quarter
    end = score.end()
    tempi = [(t.time, t.qpm) for t in score.tempos] or [(0, 120.0)]
    ticks = np.array([t for t, _ in tempi] + [max(end, tempi[-1][0]) + tpq * 8], dtype=float)
    lengths = np.diff(ticks) / tpq * np.array([60.0 / q for _, q in tempi])
    seconds = np.concatenate([[0.0], np.cumsum(lengths)])
    signatures = [(s.time, s.numerator, s.denominator) for s in score.time_signatures] or [(0, 4, 4)]
    beats, places = [], []
    for (start, numerator, denominator), stop in zip(signatures, [s[0] for s in signatures[1:]] + [end], strict=True):
        if denominator in (2, 4):
            step, bar = tpq * 4 / denominator, numerator
        elif denominator == 8 and numerator in (6, 9, 12):
            step, bar = tpq * 1.5, numerator // 3
        else:
            raise ValueError(f"{midi.name} is in {numerator}/{denominator}.")
        here = np.arange(start, stop, step)
        beats.append(here)
        places.append(_number_places(len(here), bar))
    beat_ticks = np.concatenate(beats)

    def to_seconds(at: np.ndarray) -> np.ndarray:
        return np.interp(at, ticks, seconds)

    notes = []
    for track in score.tracks:
        if not len(track.notes):
            continue
        arrays = track.notes.numpy()
        starts, ends = to_seconds(arrays["time"]), to_seconds(arrays["time"] + arrays["duration"])
        program = DRUMS if track.is_drum else track.program
        for s, e, p, v in zip(starts, ends, arrays["pitch"], arrays["velocity"], strict=True):
            notes.append((float(s), float(e), int(p), int(v), program))
    return to_seconds(beat_ticks), np.concatenate(places), sorted(notes)


def read_pop909(folder: Path, rng: random.Random) -> AnnotatedSong:
    """Read a POP909 song with other instruments, and often drums and bass; its beats are those of its annotation."""
    from symusic import Score

    rows = [line.split() for line in (folder / "beat_midi.txt").read_text().splitlines() if line.strip()]
    beats = np.array([float(row[0]) for row in rows])
    down = np.flatnonzero(np.array([float(row[2]) for row in rows]) > 0.5)
    places = np.zeros(len(beats), dtype=int)
    for begin, stop in zip([0, *down], [*down, len(beats)], strict=True):
        places[begin:stop] = np.arange(stop - begin) + 1
    if len(down) and down[0] > 0:  # an upbeat counts back from the first downbeat
        places[: down[0]] = np.arange(-down[0], 0) % 4 + 1
    score = Score(str(folder / f"{folder.name}.mid")).to("second")
    notes = []
    for track in score.tracks:
        role = track.name.upper()
        if role == "MELODY":
            program = rng.choice((*LEADS, 0, 0, 4))
        elif role == "BRIDGE":
            program = rng.choice(KEYS_AND_PADS + LEADS)
        else:
            program = rng.choice(KEYS_AND_PADS + (0,) * 10)
        for note in track.notes:
            notes.append((note.start, note.end, note.pitch, note.velocity, program))
    song = AnnotatedSong(sorted(notes), beats, places)
    if rng.random() < 0.7:
        add_drums(song, rng)
    if rng.random() < 0.6:
        add_bass(song, rng)
    return song


def read_lied(midi: Path, rng: random.Random) -> AnnotatedSong:
    """Read an art song in its own notes; the singer is an instrument."""
    beats, places, notes = read_beat_seconds(midi)
    programs = {p: rng.choice(LEADS if i == 0 else KEYS_AND_PADS) for i, p in enumerate({n[4] for n in notes})}
    if rng.random() < 0.5:
        programs = {p: p for p in programs}
    notes = [(s, e, pitch, v, programs[p]) for s, e, pitch, v, p in notes]
    return AnnotatedSong(notes, beats, places)


def read_groove(midi: Path, rng: random.Random) -> AnnotatedSong:
    """Read a drummer of the Groove MIDI dataset, alone or with a made-up band."""
    beats, places, notes = read_beat_seconds(midi)
    song = AnnotatedSong(notes, beats, places)
    if rng.random() < 0.75:
        add_band(song, rng)
    return song


def invent_song(rng: random.Random, length_s: float) -> AnnotatedSong:
    """Invent drums, bass and chords out of nothing: rock, dance, hip hop, ballads and swing at 60 to 200 beats a
    minute.
    """
    bpm = rng.choice((rng.uniform(60, 100), rng.uniform(90, 140), rng.uniform(110, 180), rng.uniform(140, 205)))
    bar = rng.choices((4, 3), (0.88, 0.12))[0]
    count = int((length_s + 4) * bpm / 60) + 2
    beats = rng.uniform(0.0, 0.7) + np.arange(count) * 60.0 / bpm
    song = AnnotatedSong([], beats, _number_places(count, bar, rng.randrange(bar)))
    add_drums(song, rng)
    add_band(song, rng)
    return song


def make_click_song(rng: random.Random, length_s: float) -> AnnotatedSong:
    """Make a metronome: one sound on the beats, perhaps louder or another on downbeats, perhaps with softer, swung
    notes between.
    """
    bpm, bar = rng.uniform(55, 210), rng.choice((4, 4, 4, 3))
    count = int((length_s + 4) * bpm / 60) + 2
    beats = rng.uniform(0.0, 0.7) + np.arange(count) * 60.0 / bpm
    song = AnnotatedSong([], beats, _number_places(count, bar, rng.randrange(bar)))
    drum, accent, between = rng.choice((RIM, COWBELL, 76, 77, CLOSED_HAT)), rng.random() < 0.8, rng.random() < 0.6
    swing = rng.choice((0.0, rng.uniform(0.0, 0.17)))
    first = rng.choice((drum, RIM, COWBELL, 76, OPEN_HAT)) if accent else drum
    for index in range(count - 1):
        down = accent and song.places[index] == 1
        _add_hit(song, rng, index, first if down else drum, 120 if down else 95, 0.0)
        if between:
            _add_hit(song, rng, index + 0.5 + swing, drum, 65, 0.0)
    return song


def _place_hit(song: AnnotatedSong, beat: float) -> float:
    """Find the time of a place between beats."""
    return float(np.interp(beat, np.arange(len(song.beats)), song.beats))


def _add_hit(
    song: AnnotatedSong, rng: random.Random, beat: float, drum: int, velocity: float, looseness_s: float
) -> None:
    start = max(0.0, _place_hit(song, beat) + rng.gauss(0.0, looseness_s))
    loud = int(np.clip(velocity * rng.uniform(0.85, 1.1), 1, 127))
    song.notes.append((start, start + 0.1, drum, loud, DRUMS))


def add_drums(song: AnnotatedSong, rng: random.Random) -> None:
    """Add a drummer who keeps one pattern for some bars, plays fills, falls silent now and then, and may swing."""
    looseness_s = rng.choice((0.0, 0.003, 0.008, 0.012))
    swing = rng.choice((0.0, 0.0, 0.0, rng.uniform(0.05, 0.17)))
    pattern = _draw_pattern(rng)
    for index in range(len(song.beats) - 1):
        place = int(song.places[index]) - 1
        if place == 0 and rng.random() < 0.08:
            pattern = _draw_pattern(rng)
        if place == 0 and rng.random() < 0.02:
            pattern = {}
        if place == 0 and rng.random() < 0.1:
            _add_hit(song, rng, index, CRASH, 105, looseness_s)
        fill = place == 3 and rng.random() < 0.08
        for (when, drum), velocity in pattern.items():
            beat, offset = divmod(when, 1.0)
            if int(beat) != place % 4 or (fill and drum in (KICK, SNARE)):
                continue
            late = swing if abs(offset - 0.5) < 0.01 else 0.0
            _add_hit(song, rng, index + offset + late, drum, velocity, looseness_s)
        if fill:
            for step in range(4):
                _add_hit(song, rng, index + step / 4, rng.choice((SNARE, TOM, TOM - 2, TOM + 3)), 95, looseness_s)


KICKS_AND_BACKBEATS: dict[str, tuple[dict[float, float], dict[float, float]]] = {
    # place in beats 0 to 4 -> velocity: of the kick, of the backbeat (snare, clap or rim)
    "rock": ({0.0: 110, 2.0: 110}, {1.0: 110, 3.0: 110}),
    "break": ({0.0: 110, 2.0: 110}, {1.0: 110, 3.0: 110}),
    "four": ({0.0: 115, 1.0: 115, 2.0: 115, 3.0: 115}, {1.0: 100, 3.0: 100}),
    "half": ({0.0: 115, 2.5: 100}, {2.0: 112}),
    "double": ({0.0: 110, 1.0: 110, 2.0: 110, 3.0: 110}, {0.5: 105, 1.5: 105, 2.5: 105, 3.5: 105}),
    "blast": ({i / 2: 105.0 for i in range(8)}, {1.0: 115, 3.0: 115}),
    "offbeat": ({0.0: 105, 2.0: 105}, {2.0: 95}),
    "waltz": ({0.0: 110}, {1.0: 80, 2.0: 80, 3.0: 80}),
    "sparse": ({0.0: 100}, {}),
    "one drop": ({2.0: 112}, {2.0: 95}),
    "dembow": ({0.0: 112, 1.0: 105, 2.0: 112, 3.0: 105}, {0.75: 100, 1.5: 105, 2.75: 100, 3.5: 105}),
    "trap": ({0.0: 115, 0.75: 100, 2.5: 108}, {2.0: 112}),
    "bossa": ({0.0: 100, 1.5: 85, 2.0: 100, 3.5: 85}, {0.0: 80, 0.75: 80, 1.5: 80, 2.5: 80, 3.25: 80}),
    "two step": ({0.0: 112, 1.5: 100}, {1.0: 110, 3.0: 110}),
}
PATTERN_WEIGHTS = {"rock": 5, "break": 4, "four": 2, "half": 2}  # as often as one hears them; the others once
GHOST_CHANCE = {"rock": 0.15, "break": 0.35, "blast": 0.2}
BETWEEN = (0.5, 0.75, 1.5, 1.75, 2.5, 2.75, 3.5, 3.75)


def _draw_pattern(rng: random.Random) -> dict[tuple[float, int], float]:
    """Draw a pattern: (place in beats 0 to 4, drum) to velocity."""
    hat = rng.choice((CLOSED_HAT, CLOSED_HAT, RIDE, OPEN_HAT, SHAKER, PEDAL_HAT))
    step = rng.choice((1.0, 0.5, 0.5, 0.5, 0.25))
    hits = {(i * step, hat): 95.0 if (i * step) % 1 == 0 else 70.0 for i in range(int(4 / step)) if rng.random() < 0.95}
    kind = rng.choice([name for name in KICKS_AND_BACKBEATS for _ in range(PATTERN_WEIGHTS.get(name, 1))])
    back = rng.choice((SNARE, SNARE, CLAP, RIM))
    kicks, backbeats = KICKS_AND_BACKBEATS[kind]
    hits |= {(beat, KICK): velocity for beat, velocity in kicks.items()}
    hits |= {(beat, back): velocity for beat, velocity in backbeats.items()}
    for beat in BETWEEN:
        if rng.random() < GHOST_CHANCE.get(kind, 0.0):
            hits[beat, KICK] = 100.0
        if kind == "break" and rng.random() < 0.15:
            hits[beat, SNARE] = 55.0
    if kind in ("four", "offbeat"):
        bell = rng.choice((COWBELL, OPEN_HAT)) if kind == "offbeat" else OPEN_HAT
        hits |= {(beat + 0.5, bell): 88.0 for beat in range(4)}
    return hits


def add_bass(song: AnnotatedSong, rng: random.Random) -> None:
    """Add a bass that follows the lowest note sounding at each beat."""
    program, step = rng.choice(BASSES), rng.choice((1.0, 1.0, 0.5, 0.5, 2.0))
    melodic = sorted(n for n in song.notes if n[4] != DRUMS)
    starts = np.array([n[0] for n in melodic])
    for beat in np.arange(0, len(song.beats) - 1, step):
        start, end = _place_hit(song, beat), _place_hit(song, beat + step)
        near = melodic[np.searchsorted(starts, start - 0.05) : np.searchsorted(starts, end)]
        if near and rng.random() < 0.95:
            low = min(n[2] for n in near)
            song.notes.append((start, start + (end - start) * 0.9, 28 + (low - 28) % 12, rng.randint(80, 115), program))


def add_band(song: AnnotatedSong, rng: random.Random) -> None:
    """Add chords, riffs, bass and perhaps a melody over the beats, on a made-up progression."""
    tonic, minor = rng.randrange(12), rng.random() < 0.5
    degrees = rng.choice(((0, 5, 7, 5), (0, 7, 9, 5), (0, 9, 5, 7), (0, 0, 5, 7), (0, 10, 8, 10), (0, 3, 8, 10)))
    heavy = rng.random() < 0.5
    chord_program = rng.choice(GUITARS) if heavy else rng.choice(KEYS_AND_PADS)
    bass_program, lead_program = rng.choice(BASSES), rng.choice(LEADS)
    chord_step, bass_step = rng.choice((0.5, 0.5, 1.0, 2.0, 0.25)), rng.choice((0.5, 0.5, 1.0, 0.25))
    rest = rng.uniform(0.0, 0.35)
    has_lead, syncopated = rng.random() < 0.6, rng.random() < 0.3
    downs = np.flatnonzero(song.places == 1)
    scale = (0, 2, 3, 5, 7, 8, 10) if minor else (0, 2, 4, 5, 7, 9, 11)

    def play(beat: float, length: float, pitch: int, velocity: int, program: int) -> None:
        start, end = _place_hit(song, beat), _place_hit(song, beat + length)
        song.notes.append((start, max(start + 0.05, end - 0.02), int(np.clip(pitch, 20, 100)), velocity, program))

    for bar, first in enumerate(downs):
        beats = int(downs[bar + 1] - first) if bar + 1 < len(downs) else 4
        root = tonic + degrees[bar % 4]
        third = 3 if minor else 4
        chord = (0, 7, 12) if heavy else (0, third, 7, 12)
        for at in np.arange(0, beats, chord_step):
            if at == 0 or rng.random() > rest:
                push = -0.5 if syncopated and at > 0 and rng.random() < 0.2 else 0.0
                for tone in chord:
                    velocity = rng.randint(75, 105) + (10 if at == 0 else 0)
                    play(
                        first + at + push, chord_step, 40 + root % 12 + tone + 12 * (not heavy), velocity, chord_program
                    )
        for at in np.arange(0, beats, bass_step):
            if at == 0 or rng.random() > rest:
                play(first + at, bass_step, 28 + root % 12, rng.randint(80, 112), bass_program)
        at = 0.0
        while has_lead and at < beats:
            length = rng.choice((0.5, 0.5, 1.0, 0.25, 1.5))
            if rng.random() < 0.75:
                play(first + at, length, 60 + tonic + rng.choice(scale) + rng.choice((0, 12)), 95, lead_program)
            at += length
