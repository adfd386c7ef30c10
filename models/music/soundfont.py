"""A SoundFont 2 file as zones: which recording sounds for a key and a velocity of a General MIDI program, and how.

It reads what `models.music.soundfont_renderer` uses: key and velocity ranges, tuning, loops, pan, attenuation, the
volume envelope, the low-pass filter and its modulation envelope. It ignores vibrato, tremolo and the modulator lists.
After "SoundFont Technical Specification 2.04" (E-mu Systems 2006), sections 7 and 8.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DRUM_BANK = 128
_RECORDS = {  # section 7: the layout of each list's records
    b"phdr": "<20sHHHIII",
    b"pbag": "<HH",
    b"pgen": "<HH",
    b"inst": "<20sH",
    b"ibag": "<HH",
    b"igen": "<HH",
    b"shdr": "<20sIIIIIBbHH",
}
# Generator numbers of section 8.1.2, by the names used there.
_GENERATORS = {
    0: "startAddrsOffset",
    1: "endAddrsOffset",
    2: "startloopAddrsOffset",
    3: "endloopAddrsOffset",
    4: "startAddrsCoarseOffset",
    8: "initialFilterFc",
    9: "initialFilterQ",
    11: "modEnvToFilterFc",
    12: "endAddrsCoarseOffset",
    17: "pan",
    25: "delayModEnv",
    26: "attackModEnv",
    27: "holdModEnv",
    28: "decayModEnv",
    29: "sustainModEnv",
    33: "delayVolEnv",
    34: "attackVolEnv",
    35: "holdVolEnv",
    36: "decayVolEnv",
    37: "sustainVolEnv",
    38: "releaseVolEnv",
    39: "keynumToVolEnvHold",
    40: "keynumToVolEnvDecay",
    41: "instrument",
    43: "keyRange",
    44: "velRange",
    45: "startloopAddrsCoarseOffset",
    48: "initialAttenuation",
    50: "endloopAddrsCoarseOffset",
    51: "coarseTune",
    52: "fineTune",
    53: "sampleID",
    54: "sampleModes",
    56: "scaleTuning",
    58: "overridingRootKey",
}
_UNSIGNED = {"instrument", "keyRange", "velRange", "sampleID", "sampleModes"}
_DEFAULTS = {
    "initialFilterFc": 13_500,
    "scaleTuning": 100,
    "overridingRootKey": -1,
    "keyRange": 0x7F00,
    "velRange": 0x7F00,
    **{name: -12_000 for name in _GENERATORS.values() if name.endswith(("ModEnv", "VolEnv")) and "sustain" not in name},
}
_NOT_ADDED = _UNSIGNED | {"overridingRootKey"} | {name for name in _GENERATORS.values() if "Addrs" in name}

Generators = dict[str, int]


@dataclass(frozen=True)
class Zone:
    """One recording and how it is played. Sample points are indices into `SoundFont.samples`.

    Attributes:
        keys, velocities: the inclusive ranges in which it sounds.
        loops: 0 plays through, 1 loops on, 3 loops until the key is released.
        values: the generators, in the specification's units; those in seconds are read with `to_seconds`.
    """

    keys: tuple[int, int]
    velocities: tuple[int, int]
    start: int
    end: int
    loop_start: int
    loop_end: int
    loops: int
    sample_rate: int
    root_key: int
    tuning_cents: int
    values: Mapping[str, int]

    def to_seconds(self, name: str) -> float:
        """Convert a generator in timecents to seconds; the least value is none."""
        return 0.0 if self.values[name] <= -12_000 else 2.0 ** (self.values[name] / 1200)


class SoundFont:
    """The zones of every preset, and the recordings.

    Attributes:
        samples: int16 (n,), all recordings.

    Raises:
        ValueError: the file is not a SoundFont 2 file, or damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        lists = dict(_iterate_sub_chunks(self.path.read_bytes()))
        try:
            self.samples: NDArray[np.int16] = np.frombuffer(lists[b"smpl"], dtype="<i2")
            records = {name: list(struct.iter_unpack(layout, lists[name])) for name, layout in _RECORDS.items()}
        except (KeyError, struct.error, ValueError) as error:
            raise ValueError(f"{self.path.name} is damaged: a part of the SoundFont is missing.") from error
        self._records = records
        self._zones: dict[tuple[int, int], tuple[Zone, ...]] = {}
        for index, preset in enumerate(records[b"phdr"][:-1]):
            self._zones[preset[2], preset[1]] = tuple(self._read_preset_zones(index))

    def find_zones(self, program: int, is_drum: bool, key: int, velocity: int) -> list[Zone]:
        """Find the zones that sound together for a note.

        A kit is taken from the drum bank; a program that the file lacks is played by the piano, as is usual.
        """
        bank = DRUM_BANK if is_drum else 0
        zones = self._zones.get((bank, program)) or self._zones.get((bank, 0), ())
        return [
            zone
            for zone in zones
            if zone.keys[0] <= key <= zone.keys[1] and zone.velocities[0] <= velocity <= zone.velocities[1]
        ]

    def _read_generators(self, bags: bytes, generators: bytes, first: int, stop: int) -> Iterator[Generators]:
        """Read the generators by name of each bag from `first` to `stop` - 1."""
        for bag in range(first, stop):
            begin, end = self._records[bags][bag][0], self._records[bags][bag + 1][0]
            found: Generators = {}
            for operator, amount in self._records[generators][begin:end]:
                name = _GENERATORS.get(operator)
                if name is not None:
                    found[name] = amount if name in _UNSIGNED or amount < 0x8000 else amount - 0x10000
            yield found

    def _read_preset_zones(self, index: int) -> Iterator[Zone]:
        """Read the zones of a preset: those of its instruments, with the preset's own values added (section 9.4)."""
        headers = self._records[b"phdr"]
        common: Generators = {}
        for number, own in enumerate(self._read_generators(b"pbag", b"pgen", headers[index][3], headers[index + 1][3])):
            if "instrument" not in own:
                common = own if number == 0 else common
                continue
            preset = common | own
            instruments = self._records[b"inst"]
            first, stop = instruments[own["instrument"]][1], instruments[own["instrument"] + 1][1]
            shared: Generators = {}
            for place, zone in enumerate(self._read_generators(b"ibag", b"igen", first, stop)):
                if "sampleID" in zone:
                    yield self._make_zone(_DEFAULTS | shared | zone, preset)
                elif place == 0:
                    shared = zone

    def _make_zone(self, values: Generators, preset: Generators) -> Zone:
        merged = dict.fromkeys(_GENERATORS.values(), 0) | values
        for name, value in preset.items():
            if name not in _NOT_ADDED:
                merged[name] += value
        header = self._records[b"shdr"][values["sampleID"]]
        _, start, end, loop_start, loop_end, rate, original_key, correction, _, _ = header

        def moved(point: int, name: str) -> int:
            offset = merged[f"{name}AddrsOffset"] + 32_768 * merged[f"{name}AddrsCoarseOffset"]
            return min(max(point + offset, 0), len(self.samples))

        root = merged["overridingRootKey"]
        return Zone(
            keys=_intersect(merged["keyRange"], preset.get("keyRange", 0x7F00)),
            velocities=_intersect(merged["velRange"], preset.get("velRange", 0x7F00)),
            start=moved(start, "start"),
            end=moved(end, "end"),
            loop_start=moved(loop_start, "startloop"),
            loop_end=moved(loop_end, "endloop"),
            loops=merged["sampleModes"] & 3,
            sample_rate=rate,
            root_key=root if root >= 0 else (original_key if original_key <= 127 else 60),
            tuning_cents=100 * merged["coarseTune"] + merged["fineTune"] + correction,
            values=merged,
        )


def _intersect(first: int, second: int) -> tuple[int, int]:
    """Intersect two ranges (low in the low byte, high in the high byte)."""
    return max(first & 0x7F, second & 0x7F), min(first >> 8 & 0x7F, second >> 8 & 0x7F)


def _iterate_sub_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of every chunk inside the file's lists."""
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise ValueError("This is not a SoundFont 2 file.")
    for name, content in _iterate_chunks(data, 12, len(data)):
        if name == b"LIST":
            yield from _iterate_chunks(content, 4, len(content))


def _iterate_chunks(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


@lru_cache(maxsize=1)
def load_general_midi() -> SoundFont:
    """Load the General MIDI sounds that pretty_midi carries: TimGM6mb by Tim Brechbill (GPL-2.0)."""
    import pretty_midi

    return SoundFont(Path(pretty_midi.__file__).with_name("TimGM6mb.sf2"))
