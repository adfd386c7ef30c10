"""The vocabulary: every token the music models know, in one table.

`TABLE` below is the documentation and the definition: a kind's tokens are numbered one after another in the table's
order. A sequence reads

    BOS  Style Key Tempo Meter Density Register  (Track Program)* [Drums]  bars  EOS

    a bar    Bar [Meter] [Tempo] (Position note+)*
    a note   [Track | Drums] [Velocity] (Pitch Duration | Drum)

Meter and Tempo hold until they change. Within a bar a note's track, and the velocity of each track, are written only
where they differ from the last; every bar begins afresh, so that a bar can be read and replaced alone. Positions rise
within a bar; tracks rise within a position (drums last); pitches rise within a track.

To write bars anew, given what surrounds them, the bars part is

    Before bars  Mask*  After bars  Separator bars

with one Mask for each bar to be written; the bars after Separator are the answer.

Why so. The grid has 24 positions a quarter: the smallest that holds thirty-second notes (3) and sixteenth triplets (4)
exactly, and at 120 beats a minute its error is at most 10 ms, under what a listener notices in human drumming; one
Position token says any of them, so that a finer grid costs rows of the embedding and no length. General MIDI programs
are kept in full, but said once, in front: notes name a track (1 to 16), so that melody and accompaniment on two pianos
stay apart, the tracks' list is the instrument control, and few tokens depend on programs that the data seldom shows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

POSITIONS_PER_QUARTER = 24
MAX_BAR_POSITIONS = 8 * POSITIONS_PER_QUARTER
MAX_TRACKS = 16
VELOCITY_STEP = 4
DRUM_DURATION = POSITIONS_PER_QUARTER // 4
STYLES = ("other", "lieder", "pop", "drums", "chorales", "folk")
PITCH_CLASSES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
KEYS = (*(f"{name} major" for name in PITCH_CLASSES), *(f"{name} minor" for name in PITCH_CLASSES), "none")

METERS: tuple[tuple[int, int], ...] = tuple(
    (beats, unit)
    for unit in (2, 4, 8, 16)
    for beats in range(1, 2 * unit + 1)
    if beats * 4 * POSITIONS_PER_QUARTER // unit <= MAX_BAR_POSITIONS
)

# Every position up to a quarter, every second up to a half, every fourth up to a whole, then eighths and quarters.
DURATIONS: tuple[int, ...] = (
    *range(1, 25),
    *range(26, 49, 2),
    *range(52, 97, 4),
    *range(108, 193, 12),
    *range(216, 385, 24),
)

TEMPI: tuple[float, ...] = tuple(30.0 * 2 ** (step / 20) for step in range(64))
DENSITIES: tuple[float, ...] = tuple(0.25 * 2 ** (step / 2) for step in range(13))
REGISTERS: tuple[int, ...] = tuple(range(36, 85, 4))


@dataclass(frozen=True)
class TokenKind:
    """A run of tokens of one meaning: ids `first` to `stop - 1`."""

    name: str
    first: int
    count: int
    meaning: str

    @property
    def stop(self) -> int:
        """Return one past the last id."""
        return self.first + self.count

    def to_token(self, value: int = 0) -> int:
        """Return the id of a value from 0; ValueError if there is none."""
        if not 0 <= value < self.count:
            raise ValueError(f"{self.name} is {value}; it must be from 0 to {self.count - 1}.")
        return self.first + value


# kind, number of tokens, what value v means
TABLE: tuple[tuple[str, int, str], ...] = (
    ("Pad", 1, "fills a batch; never music"),
    ("Bos", 1, "a sequence begins"),
    ("Eos", 1, "a sequence ends"),
    ("Before", 1, "what comes before the bars to be written"),
    ("Mask", 1, "one bar to be written"),
    ("After", 1, "what comes after the bars to be written"),
    ("Separator", 1, "the bars to be written follow"),
    ("Style", len(STYLES), "control: source collection STYLES[v]"),
    ("Key", len(KEYS), "control: major 0-11 and minor 12-23 from C upwards, 24 without pitch (drums alone)"),
    ("Density", len(DENSITIES), "control: 0.25 * 2^(v/2) notes a quarter, all tracks together"),
    ("Register", len(REGISTERS) + 1, "control: mean pitch 36 + 4 v; the last is without pitch (drums alone)"),
    (
        "Meter",
        len(METERS),
        "time signature METERS[v]: n/2, n/4, n/8, n/16 of at most eight quarters; holds until changed",
    ),
    ("Tempo", len(TEMPI), "30 * 2^(v/20) quarters a minute, 30 to 266 in steps of 3.5 %; holds until changed"),
    ("Track", MAX_TRACKS, "melodic track v; in front its Program follows, in a bar its notes"),
    ("Drums", 1, "the drum track"),
    ("Program", 128, "General MIDI program v, 0 is the grand piano"),
    ("Bar", 1, "a bar begins"),
    ("Position", MAX_BAR_POSITIONS, "onset v/24 of a quarter after the bar's start"),
    ("Velocity", 128 // VELOCITY_STEP, "velocities 4 v to 4 v + 3, read back as 4 v + 2"),
    ("Pitch", 128, "MIDI pitch v, 60 is middle C"),
    ("Duration", len(DURATIONS), "DURATIONS[v] / 24 of a quarter: 1/24 to 16 quarters"),
    ("Drum", 128, "drum v of the General MIDI kit; lasts a sixteenth, or until struck again"),
)


def _number_kinds() -> tuple[TokenKind, ...]:
    """Give the table's rows their first ids."""
    kinds, first = [], 0
    for name, count, meaning in TABLE:
        kinds.append(TokenKind(name, first, count, meaning))
        first += count
    return tuple(kinds)


KINDS = _number_kinds()
(
    PAD, BOS, EOS, BEFORE, MASK, AFTER, SEPARATOR, STYLE, KEY, DENSITY, REGISTER, METER, TEMPO, TRACK, DRUMS, PROGRAM,
    BAR, POSITION, VELOCITY, PITCH, DURATION, DRUM,
) = KINDS  # fmt: skip
VOCABULARY_SIZE = KINDS[-1].stop
KIND_OF: tuple[TokenKind, ...] = tuple(kind for kind in KINDS for _ in range(kind.count))

_METER_INDEX = {meter: index for index, meter in enumerate(METERS)}


def split_token(token: int) -> tuple[TokenKind, int]:
    """Split a token into kind and value; ValueError outside the vocabulary."""
    if not 0 <= token < VOCABULARY_SIZE:
        raise ValueError(f"token is {token}; it must be from 0 to {VOCABULARY_SIZE - 1}.")
    kind = KIND_OF[token]
    return kind, token - kind.first


def name_token(token: int) -> str:
    """Name a token for people to read: "Pitch_60"."""
    kind, value = split_token(token)
    return kind.name if kind.count == 1 else f"{kind.name}_{value}"


def count_positions(meter: int) -> int:
    """Count the grid positions of a bar of METERS[meter]."""
    beats, unit = METERS[meter]
    return beats * 4 * POSITIONS_PER_QUARTER // unit


def find_meter(numerator: int, denominator: int) -> int:
    """Find the row of METERS for a time signature, or for one of equal length; 4/4 where there is neither."""
    if (numerator, denominator) in _METER_INDEX:
        return _METER_INDEX[numerator, denominator]
    for unit in (4, 8, 16):
        if numerator * unit % denominator == 0 and (numerator * unit // denominator, unit) in _METER_INDEX:
            return _METER_INDEX[numerator * unit // denominator, unit]
    return _METER_INDEX[4, 4]


def _find_nearest_on_log_scale(value: float, first: float, steps_per_octave: int, count: int) -> int:
    """Find the index of the bin nearest to a positive value, held to the ends."""
    return min(count - 1, max(0, round(steps_per_octave * math.log2(max(value, 1e-9) / first))))


def find_tempo(quarters_per_minute: float) -> int:
    """Find the nearest of TEMPI, by ratio."""
    return _find_nearest_on_log_scale(quarters_per_minute, TEMPI[0], 20, len(TEMPI))


def find_density(measure_density: float) -> int:
    """Find the nearest of DENSITIES, by ratio."""
    return _find_nearest_on_log_scale(measure_density, DENSITIES[0], 2, len(DENSITIES))


def to_velocity(velocity_bin: int) -> int:
    """Convert a velocity bin to MIDI's velocity, the middle of the bin."""
    return velocity_bin * VELOCITY_STEP + VELOCITY_STEP // 2


def find_register(mean_pitch: float) -> int:
    """Find the nearest of REGISTERS."""
    return min(len(REGISTERS) - 1, max(0, round((mean_pitch - REGISTERS[0]) / 4)))


def _tabulate_durations() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Tabulate, for 0 to the longest duration, the nearest index (the shorter of two) and the longest that fits."""
    nearest, fitting = [], []
    for positions in range(DURATIONS[-1] + 1):
        nearest.append(min(range(len(DURATIONS)), key=lambda i: (abs(DURATIONS[i] - positions), i)))
        fitting.append(max((i for i, d in enumerate(DURATIONS) if d <= positions), default=0))
    return tuple(nearest), tuple(fitting)


_NEAREST_DURATION, _FITTING_DURATION = _tabulate_durations()


def find_duration(positions: int) -> int:
    """Find the nearest of DURATIONS, the shorter of two as near; at least one position, at most sixteen quarters."""
    return _NEAREST_DURATION[min(max(positions, 0), DURATIONS[-1])]


def fit_duration(positions: int) -> int:
    """Find the longest of DURATIONS that is not longer than `positions` (at least 1), in positions."""
    return DURATIONS[_FITTING_DURATION[min(max(positions, 0), DURATIONS[-1])]]
