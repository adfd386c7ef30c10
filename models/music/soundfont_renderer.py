"""One note of a SoundFont as sound: the recording at the note's pitch, its envelope, its filter, its place.

Every note is rendered by itself and whole, with its release: notes add up, so that a piece sounds the same in whatever
portions it is rendered. Equations after "SoundFont Technical Specification 2.04", sections 8 and 9; the filter is the
low-pass of Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter coefficients".

Letters: N samples of a note.
"""

from __future__ import annotations

import math

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray
from scipy.signal import lfilter

from models.memory import copy_to_pages
from models.music.soundfont import SoundFont, Zone

FloatArray = NDArray[np.float32]

SAMPLE_RATE = 44_100
MAX_RELEASE_S = 1.6
MAX_DRUM_S = 2.5
MAX_NOTE_S = 40.0
SILENCE_DB = 66.0  # a release is followed down to here
ATTENUATION_FACTOR = 0.4  # E-mu's own hardware, and players since, take the file's attenuation so
FADE_SAMPLES = 128
FILTER_BLOCK = 4096
MAX_CACHE_BYTES = 48 * 2**20


def make_note_cache() -> LRUCache[tuple[int, bool, int, int, int], FloatArray]:
    """Return an empty cache of rendered notes, at most MAX_CACHE_BYTES of them."""
    return LRUCache(MAX_CACHE_BYTES, getsizeof=lambda sound: sound.nbytes)


class SoundFontRenderer:
    """A renderer of notes that keeps those of late: music repeats itself."""

    def __init__(self, font: SoundFont, sample_rate: int = SAMPLE_RATE) -> None:
        self.font, self.sample_rate = font, sample_rate
        self._samples = np.pad(font.samples.astype(np.float32) / 32_768, (1, 2))  # a neighbour on every side
        self._cache = make_note_cache()

    def render_note(self, program: int, is_drum: bool, key: int, velocity: int, held: int) -> FloatArray:
        """Render a note held for `held` samples, with its release after that.

        Args:
            program: General MIDI's, 0 to 127; drums: the kit.
            velocity: 1 to 127. Drums sound to their own end.

        Returns:
            float32 (2, N), not to be written to; N is 0 where the instrument has no sound at this key.
        """
        held = 0 if is_drum else min(held, round(MAX_NOTE_S * self.sample_rate))
        name = (program, is_drum, key, velocity, held)
        found = self._cache.get(name)
        if found is None:
            found = copy_to_pages(self._render(program, is_drum, key, velocity, held))
            self._cache[name] = found
        return found

    def _render(self, program: int, is_drum: bool, key: int, velocity: int, held: int) -> FloatArray:
        voices = [
            self._render_zone(zone, key, held, is_drum)
            for zone in self.font.find_zones(program, is_drum, key, velocity)
        ]
        length = max((voice.shape[1] for voice in voices), default=0)
        mixed = np.zeros((2, length), np.float32)
        for voice in voices:
            mixed[:, : voice.shape[1]] += voice
        mixed *= (velocity / 127.0) ** 2  # section 8.4.1: concave, 960 cB
        return mixed

    def _render_zone(self, zone: Zone, key: int, held: int, is_drum: bool) -> FloatArray:
        """Render one zone of a note, float32 (2, N), at full velocity."""
        cents = (key - zone.root_key) * zone.values["scaleTuning"] + zone.tuning_cents
        ratio = 2.0 ** (cents / 1200) * zone.sample_rate / self.sample_rate
        loops = zone.loops in (1, 3) and zone.loop_end - zone.loop_start > 1 and not is_drum
        longest = round(MAX_DRUM_S * self.sample_rate) if is_drum else held + self._count_release_samples(zone)
        if not loops:
            longest = min(longest, int((zone.end - zone.start - 2) / ratio))
        if longest <= FADE_SAMPLES:
            return np.zeros((2, 0), np.float32)
        sound = self._resample(zone, ratio, longest, loops)
        sound = self._filter(sound, zone)
        sound *= self._compute_envelope(zone, key, longest if is_drum else held, longest)
        sound[-FADE_SAMPLES:] *= np.linspace(1.0, 0.0, FADE_SAMPLES, dtype=np.float32)
        level = 10.0 ** (-ATTENUATION_FACTOR * zone.values["initialAttenuation"] / 200)
        angle = (min(max(zone.values["pan"], -500), 500) / 1000 + 0.5) * math.pi / 2
        return np.stack([sound * (level * math.cos(angle)), sound * (level * math.sin(angle))]).astype(np.float32)

    def _count_release_samples(self, zone: Zone) -> int:
        """Count the samples for which a released note is heard."""
        seconds = min(zone.to_seconds("releaseVolEnv") * SILENCE_DB / 100, MAX_RELEASE_S)
        return round(max(seconds, 0.02) * self.sample_rate)

    def _resample(self, zone: Zone, ratio: float, count: int, loops: bool) -> FloatArray:
        """Read the recording at `ratio` by cubic Hermite interpolation through four points, float32 (count,)."""
        place = np.arange(count) * ratio + zone.start
        if loops:
            length = zone.loop_end - zone.loop_start
            beyond = int(np.searchsorted(place, zone.loop_end))  # the rest runs round the loop
            place[beyond:] -= np.floor((place[beyond:] - zone.loop_start) * (1 / length)) * length
        index = place.astype(np.int32)
        part = (place - index).astype(np.float32)
        before, here, after, later = (self._samples.take(index + step, mode="clip") for step in range(4))
        slope, bend = (after - before) * 0.5, here - after
        cubic = slope + (later - here) * 0.5 + 2 * bend
        sound: FloatArray = (cubic * part).astype(np.float32, copy=False)
        sound -= cubic + bend + slope  # Horner's form of the Hermite polynomial
        sound *= part
        sound += slope
        sound *= part
        sound += here
        return sound

    def _compute_envelope(self, zone: Zone, key: int, held: int, count: int) -> FloatArray:
        """Compute the volume envelope (section 8.1.2), float32 (count,): attack linear, decay and release in
        decibels.
        """
        rate = self.sample_rate
        by_key = 60 - key
        hold_s = zone.to_seconds("holdVolEnv") * 2.0 ** (by_key * zone.values["keynumToVolEnvHold"] / 1200)
        decay_s = zone.to_seconds("decayVolEnv") * 2.0 ** (by_key * zone.values["keynumToVolEnvDecay"] / 1200)
        attack_from = zone.to_seconds("delayVolEnv") * rate
        attack = max(zone.to_seconds("attackVolEnv") * rate, 32.0)
        decay_from = attack_from + attack + hold_s * rate
        sustain_db = min(max(zone.values["sustainVolEnv"], 0), 1440) / 10
        at = np.arange(count, dtype=np.float32)
        held_at = np.minimum(at, held)
        rise = np.clip((held_at - attack_from) / attack, 0.0, 1.0)
        fall_db = np.clip((held_at - decay_from) * (100 / max(decay_s * rate, 1.0)), 0.0, sustain_db)
        release_s = min(max(zone.to_seconds("releaseVolEnv"), 0.03), MAX_RELEASE_S * 100 / SILENCE_DB)
        fall_db += np.maximum(at - held, 0.0) * (100 / (release_s * rate))
        return (rise * np.exp(fall_db * np.float32(-math.log(10) / 20))).astype(np.float32)

    def _filter(self, sound: FloatArray, zone: Zone) -> FloatArray:
        """Apply the low-pass filter, its cutoff following the modulation envelope block by block."""
        base, depth = zone.values["initialFilterFc"], zone.values["modEnvToFilterFc"]
        if base >= 13_500 and depth >= 0:
            return sound
        if not depth:
            return lfilter(*self._design_low_pass(base, zone), sound).astype(np.float32)
        filtered, state = np.empty_like(sound), np.zeros(2)
        for first in range(0, len(sound), FILTER_BLOCK):
            cents = base + depth * self._compute_modulation(zone, first / self.sample_rate)
            block = slice(first, first + FILTER_BLOCK)
            filtered[block], state = lfilter(*self._design_low_pass(cents, zone), sound[block], zi=state)
        return filtered

    def _compute_modulation(self, zone: Zone, time_s: float) -> float:
        """Compute the modulation envelope in [0, 1] (section 8.1.2); its convex attack is taken as linear."""
        time_s -= zone.to_seconds("delayModEnv")
        attack_s = zone.to_seconds("attackModEnv")
        if time_s < attack_s:
            return max(0.0, time_s / attack_s)
        decay_s = max(zone.to_seconds("decayModEnv"), 1e-3)
        sustain = 1.0 - min(max(zone.values["sustainModEnv"], 0), 1000) / 1000
        return max(sustain, 1.0 - max(0.0, time_s - attack_s - zone.to_seconds("holdModEnv")) / decay_s)

    def _design_low_pass(self, cents: float, zone: Zone) -> tuple[list[float], list[float]]:
        """Design the low-pass at a cutoff in absolute cents (0 is 8.176 Hz): numerator and denominator."""
        cutoff = min(8.176 * 2.0 ** (cents / 1200), 0.45 * self.sample_rate)
        quality = 10.0 ** ((zone.values["initialFilterQ"] / 10 - 3.01) / 20)
        omega = 2 * math.pi * cutoff / self.sample_rate
        cosine, alpha = math.cos(omega), math.sin(omega) / (2 * quality)
        gain = (1 - cosine) / max(math.sqrt(quality), 1.0)
        return [gain / 2, gain, gain / 2], [1 + alpha, -2 * cosine, 1 - alpha]
