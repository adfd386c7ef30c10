"""A voice given to another: the content's own sound, its envelope led frame by frame to that of the style's voice.

What each frame has to become is found by `models.style.matching`. The content's sound, its pitch moved to the height
and the liveliness of the style's, is filtered in the STFT domain by the difference of envelopes. As overlapping
frames smear what each of them asks for, the result is looked at and corrected once more. At last the mean of each mel
band is led to the style's (adaptive instance normalisation without the deviations), which takes the room and the
microphone along half the way. The result does not depend on the pieces in which it is made.

Letters: N samples, T frames, P frames of a bank, K width of a key, Q coefficients of an envelope.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from cachetools import LRUCache
from numpy.typing import NDArray
from torch import Tensor

from models.audio import MelConfig
from models.speech.vocoder import build_mel_interpolation
from models.style.analysis import BLOCK_FRAMES, RunningStatistics, SoundAnalysis, cut_frames, find_active_frames
from models.style.audio_network import MEL_MEAN, MEL_STD
from models.style.content_vocoder import compute_mel, compute_spectrum, invert_spectrum
from models.style.envelope import cepstra_to_log_magnitude, compute_cepstra, fill_gaps
from models.style.matching import MatchingNetwork, average_nearest
from models.style.pitch import PitchMover, holds_notes
from models.style.rendering import OverlapAdd, SampleBuffer

FloatArray = NDArray[np.float32]

SET_FRAMES = 2600
LEAST_FRAMES = 170
"""Two seconds of speech; with less there is no telling what a voice does with each sound."""
PASSES = 2
PITCH_STEP_FRAMES = 4
MOST_SPREAD = 2.0
LARGEST_GAIN, LARGEST_CLOSING_GAIN = 7.0, 3.0
CLOSING_S, CLOSING_SHARE = 15.0, 0.5
"""How much of a content is made beforehand, to know what is left to do for the mean of its bands, and how much of that
is done. The whole of it sounds more like the style's recording, and less like its voice."""


@dataclass(frozen=True)
class VoiceMatchingSet:
    """What a voice does with its sounds: keys (P, K) and envelopes (P, Q) of frames, and its pitch.

    log_hz is the middle of the natural log of F0, spread its standard deviation.
    """

    keys: Tensor
    envelopes: Tensor
    log_hz: float
    spread: float

    def thin(self, most: int) -> VoiceMatchingSet:
        """Return at most so many frames, evenly chosen."""
        if len(self.keys) <= most:
            return self
        rows = torch.linspace(0, len(self.keys) - 1, most).long()
        return VoiceMatchingSet(self.keys[rows], self.envelopes[rows], self.log_hz, self.spread)


@dataclass(frozen=True)
class VoiceAnalysis:
    """All frames of a content: keys (T, K), envelopes (T, Q), F0 without gaps and what is no silence (T,), its bank."""

    keys: Tensor
    envelopes: Tensor
    f0: FloatArray
    active: Tensor
    matching_set: VoiceMatchingSet


def analyse_voice(network: MatchingNetwork, sound: SoundAnalysis) -> Iterator[VoiceAnalysis | int]:
    """Listen to a voice; yield how many frames are done, and at last the analysis.

    Nothing is yielded for what has no pitch, plays notes or is too short.
    """
    config = network.config.mel
    frames = sound.frames
    active = find_active_frames(sound.samples, frames, config)
    voiced = sound.f0[sound.f0 > 0]
    if not sound.pitch_hz or int(active.sum()) < LEAST_FRAMES or len(voiced) < 3 or holds_notes(sound.f0):
        return
    mean, deviation = sound.statistics.means[0], sound.statistics.stds[0]
    f0 = fill_gaps(sound.f0)
    keys, envelopes = [], []
    reach = network.reach_frames
    for first in range(0, frames, BLOCK_FRAMES):
        stop = min(frames, first + BLOCK_FRAMES)
        low, high = max(0, first - reach), min(frames, stop + reach)
        bands = sound.encode(low, high)[0]
        keys.append(network(bands, mean, deviation)[0, first - low : stop - low])
        pieces = cut_frames(sound.samples, first, stop, config.n_fft, config.hop_length)
        envelopes.append(compute_cepstra(pieces, f0[first:stop], config))
        yield stop
    all_keys, all_envelopes = torch.cat(keys), torch.cat(envelopes)
    log_f0 = np.log(voiced)
    matching_set = VoiceMatchingSet(all_keys, all_envelopes, float(np.median(log_f0)), float(log_f0.std()))
    yield VoiceAnalysis(all_keys, all_envelopes, f0, torch.from_numpy(active), matching_set.thin(SET_FRAMES))


def build_matching_set(network: MatchingNetwork, sound: SoundAnalysis) -> VoiceMatchingSet | None:
    """Build the matching set of a style; return None for what is no voice."""
    for heard in analyse_voice(network, sound):
        if isinstance(heard, VoiceAnalysis):
            return heard.matching_set
    return None


def pack_matching_set(matching_set: VoiceMatchingSet, name: str) -> dict[str, Tensor]:
    """Return a matching set as a weight file keeps it."""
    pitch = torch.tensor([matching_set.log_hz, matching_set.spread])
    return {f"{name}.keys": matching_set.keys, f"{name}.envelopes": matching_set.envelopes, f"{name}.pitch": pitch}


def unpack_matching_set(tensors: Mapping[str, Tensor], name: str) -> VoiceMatchingSet | None:
    """Build a matching set from what `pack_matching_set` returned; return None where there is none of that name."""
    if f"{name}.keys" not in tensors:
        return None
    log_hz, spread = tensors[f"{name}.pitch"].tolist()
    return VoiceMatchingSet(tensors[f"{name}.keys"], tensors[f"{name}.envelopes"], log_hz, spread)


def convert_pitch(f0: FloatArray, own: VoiceMatchingSet, style: VoiceMatchingSet, strength: float) -> FloatArray:
    """Lead F0 (T,) to the style's height and spread."""
    spread = float(np.clip(style.spread / max(own.spread, 1e-3), 1 / MOST_SPREAD, MOST_SPREAD))
    log_f0 = np.log(f0)
    wanted = (log_f0 - own.log_hz) * spread + style.log_hz
    return np.exp(log_f0 + strength * (wanted - log_f0)).astype(np.float32)


class _Filter:
    """One pass: frames of a sound that comes in, their gains, overlap-added."""

    def __init__(self, config: MelConfig) -> None:
        self.config, self.source, self.added = config, SampleBuffer(), OverlapAdd(config)
        self.result = RunningStatistics((config.n_mels,))

    def count_ready_frames(self) -> int:
        """Count the frames that are known whole."""
        return max(0, (self.source.stop - self.config.n_fft // 2) // self.config.hop_length + 1)

    def cut_frames(self, first: int, stop: int) -> Tensor:
        """Return the samples of frames (stop - first, n_fft)."""
        return self.source.cut_frames(first, stop, self.config.n_fft, self.config.hop_length)

    def apply(self, first: int, stop: int, gain: Tensor, active: Tensor, total: int | None) -> FloatArray:
        """Filter frames first..stop-1 by gains (n, F), log magnitude; return what is final.

        Args:
            active: which of the frames count in the statistics, bool (n,).
            total: length of the whole, with the last frames.
        """
        shaped = compute_spectrum(self.cut_frames(first, stop)) * gain.clamp(-LARGEST_GAIN, LARGEST_GAIN).exp()
        normal = (compute_mel(shaped, self.config)[None] - MEL_MEAN) / MEL_STD
        self.result.add((normal,), active)
        self.source.forget_before(stop * self.config.hop_length - 2 * self.config.n_fft)
        return self.added.add(invert_spectrum(shaped, self.config.n_fft).numpy(), first, stop, total)


def compute_closing_gain(
    content: SoundAnalysis, voice: VoiceAnalysis, style: VoiceMatchingSet, bands: Tensor, move_pitch: bool
) -> Tensor:
    """Compute log gains (F,) that lead the mean of the result's mel bands to that of the style's.

    Args:
        bands: means of the style's bands, (M,), as in `AudioStatistics`.
    """
    config = content.network.config.mel
    trial = VoiceRenderer(content, voice, style, 1.0, move_pitch)
    trial.render(min(content.frames, int(CLOSING_S * config.sample_rate / config.hop_length)))
    left = (bands - trial.result.compute().means[0]) * MEL_STD @ build_mel_interpolation(config)
    return (CLOSING_SHARE * left).clamp(-LARGEST_CLOSING_GAIN, LARGEST_CLOSING_GAIN)


class VoiceRenderer:
    """The rendering of a content in the style's voice, frames in order.

    Args:
        strength: 0 returns the content, 1 goes all the way.
        closing: `compute_closing_gain`, or None for none.
    """

    def __init__(
        self,
        content: SoundAnalysis,
        voice: VoiceAnalysis,
        style: VoiceMatchingSet,
        strength: float,
        move_pitch: bool,
        closing: Tensor | None = None,
    ) -> None:
        self.closing = closing
        config = content.network.config.mel
        self.content, self.voice, self.style, self.strength, self.config = content, voice, style, strength, config
        self.f0 = convert_pitch(voice.f0, voice.matching_set, style, strength) if move_pitch and strength else voice.f0
        moves = not np.allclose(self.f0, voice.f0, rtol=1e-4)
        self.mover = PitchMover(1.0, config.sample_rate, config.hop_length) if moves else None
        self.passes = [_Filter(config) for _ in range(PASSES)]
        self.filtered = [0] * PASSES  # frames done by each pass
        self._fed = 0

    @property
    def emitted(self) -> int:
        """Count the samples that came out so far."""
        return self.passes[-1].added.emitted

    @property
    def result(self) -> RunningStatistics:
        """Return the statistics of the mel bands made so far."""
        return self.passes[-1].result

    @property
    def pitch_ratio(self) -> float:
        """Return the new pitch over the old, in the middle."""
        return float(np.median(self.f0 / self.voice.f0))

    def compute_target(self, first: int, stop: int) -> Tensor:
        """Return the envelopes (stop - first, Q) that the frames shall have."""
        own = self.voice.envelopes[first:stop]
        if not self.strength:
            return own
        keys = self.voice.keys[first:stop]
        theirs = average_nearest(keys, self.style.keys, self.style.envelopes)
        mine = average_nearest(keys, self.voice.matching_set.keys, self.voice.matching_set.envelopes)
        return own + self.strength * (theirs - mine)

    def _feed(self) -> None:
        """Feed a few more frames of the content into the first pass."""
        hop, frames = self.config.hop_length, self.content.frames
        stop = min(frames, self._fed + PITCH_STEP_FRAMES)
        rows = slice(self._fed, stop)
        samples = self.content.samples[self._fed * hop : stop * hop]
        if stop == frames:
            samples = self.content.samples[self._fed * hop :]
        if self.mover is not None:
            self.mover.ratio = float(np.clip((self.f0[rows] / self.voice.f0[rows]).mean(), 0.5, 2.0))
            samples = self.mover.push(samples, self.content.f0[rows], stop == frames)
        self.passes[0].source.add(samples)
        self._fed = stop

    def render(self, stop: int) -> FloatArray:
        """Return the sound that frames up to stop - 1 complete, beyond what came out before."""
        return self._advance(PASSES - 1, stop)

    def _advance(self, number: int, stop: int) -> FloatArray:
        one, frames = self.passes[number], self.content.frames
        while one.count_ready_frames() < stop and not self._has_ended(number):
            if number == 0:
                self._feed()
            else:
                more = min(frames, self.filtered[number - 1] + PITCH_STEP_FRAMES)
                one.source.add(self._advance(number - 1, more))
        first = self.filtered[number]
        if first >= stop:
            return np.zeros(0, np.float32)
        pieces = one.cut_frames(first, stop).numpy()
        now = compute_cepstra(pieces, self.f0[first:stop], self.config)
        gain = cepstra_to_log_magnitude(self.compute_target(first, stop) - now, self.config.n_fft // 2 + 1)
        if number == PASSES - 1 and self.closing is not None:
            gain = gain + self.strength * self.closing
        self.filtered[number] = stop
        total = len(self.content.samples) if stop == frames else None
        return one.apply(first, stop, gain, self.voice.active[first:stop], total)

    def _has_ended(self, number: int) -> bool:
        """Tell whether nothing more will come into a pass."""
        done = self._fed if number == 0 else self.filtered[number - 1]
        return done >= self.content.frames


class VoiceMatcher:
    """A source of renderers that keeps what it heard last, so that another strength starts at the filter.

    Args:
        kept: how many of each are remembered.
    """

    def __init__(self, network: MatchingNetwork, kept: int) -> None:
        self.network = network
        self._heard: LRUCache[str, VoiceAnalysis | None] = LRUCache(kept)
        self._closings: LRUCache[tuple[str, str, bool], Tensor] = LRUCache(kept)
        self._lock = threading.Lock()

    def build_matching_set(self, style: SoundAnalysis) -> VoiceMatchingSet | None:
        """Build the matching set of a style; return None for what is no voice."""
        return build_matching_set(self.network, style)

    def hear(self, name: str, content: SoundAnalysis) -> Iterator[VoiceAnalysis | int]:
        """Listen as `analyse_voice` does, but answer at once for a content of this name that was heard before."""
        with self._lock:
            known = name in self._heard
            voice = self._heard.get(name)
        if not known:
            for heard in analyse_voice(self.network, content):
                if isinstance(heard, VoiceAnalysis):
                    voice = heard
                else:
                    yield heard
            with self._lock:
                self._heard[name] = voice
        if voice is not None:
            yield voice

    def make_renderer(
        self,
        names: tuple[str, str],
        content: SoundAnalysis,
        voice: VoiceAnalysis,
        style: VoiceMatchingSet,
        bands: Tensor,
        strength: float,
        move_pitch: bool,
    ) -> VoiceRenderer:
        """Make a renderer for a content and a style of these names; `bands` are the means of the style's mel bands."""
        closing = None
        if strength > 0:
            with self._lock:
                closing = self._closings.get((*names, move_pitch))
            if closing is None:
                closing = compute_closing_gain(content, voice, style, bands, move_pitch)
                with self._lock:
                    self._closings[*names, move_pitch] = closing
        return VoiceRenderer(content, voice, style, strength, move_pitch, closing)
