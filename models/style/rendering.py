"""From analysed content and the statistics that it shall have to sound, piece by piece.

Each piece of frames is decoded with the frames around it that the networks see, shaped in the STFT domain and
overlap-added to what came before. Pieces of any size give the same sound.

Letters: N samples, T frames, M mel bands, F frequency bins.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.audio import MelConfig
from models.style.analysis import RunningStatistics
from models.style.audio_network import MEL_MEAN, MEL_STD, AudioStatistics, AudioStyleNetwork
from models.style.content_vocoder import ContentVocoder, compute_mel, compute_spectrum, invert_spectrum
from models.style.pitch import PitchMover

FloatArray = NDArray[np.float32]
Features = Callable[[int, int], tuple[Tensor, ...]]

LEVEL_S, MOST_LEVEL = 1.5, 20.0
KNEE = 0.95
"""Sound louder than this is rounded off instead of clipped."""


class SampleBuffer:
    """Samples by their absolute place, of which the oldest can be forgotten."""

    def __init__(self, start: int = 0) -> None:
        self.samples, self.start = np.zeros(0, np.float32), start

    @property
    def stop(self) -> int:
        """Return the place after the last sample."""
        return self.start + len(self.samples)

    def add(self, samples: FloatArray) -> None:
        """Append samples."""
        self.samples = np.concatenate([self.samples, samples.astype(np.float32)])

    def forget_before(self, place: int) -> None:
        """Let go of what lies before a place."""
        if place > self.start:
            self.samples, self.start = self.samples[place - self.start :], min(place, self.stop)

    def cut_frames(self, first: int, stop: int, size: int, hop: int) -> Tensor:
        """Cut frames (stop - first, size) centred on multiples of hop; silence lies beyond what there is."""
        start, end = first * hop - size // 2, (stop - 1) * hop + size - size // 2
        before = max(0, self.start - start)
        piece = self.samples[max(0, start - self.start) : max(0, end - self.start)]
        piece = np.pad(piece, (before, max(0, end - start - before - len(piece))))
        return torch.from_numpy(np.lib.stride_tricks.sliding_window_view(piece, size)[::hop].copy())


class OverlapAdd:
    """Windowed frames laid over one another, those of a piece after those of the last.

    `emitted` counts the samples that came out.
    """

    def __init__(self, mel: MelConfig) -> None:
        self.mel, self.emitted = mel, 0
        self._tail = np.zeros(0, np.float32)  # sum and weight of overlapping frames from _tail_from on
        self._tail_weight = np.zeros(0, np.float32)
        self._tail_from = -mel.n_fft // 2

    def add(self, frames: FloatArray, first: int, stop: int, total: int | None) -> FloatArray:
        """Add frames first..stop-1, (stop - first, n_fft); return what no later frame touches.

        Args:
            total: length of the whole sound, given with its last frames; all the rest comes out.
        """
        hop, size = self.mel.hop_length, self.mel.n_fft
        end = (stop - 1) * hop + size // 2
        grow = max(0, end - self._tail_from - len(self._tail))
        tail: FloatArray = np.pad(self._tail, (0, grow))
        weight: FloatArray = np.pad(self._tail_weight, (0, grow))
        window = np.hanning(size + 1)[:-1].astype(np.float32) ** 2
        for index, frame in enumerate(frames):
            start = (first + index) * hop - size // 2 - self._tail_from
            tail[start : start + size] += frame
            weight[start : start + size] += window
        final = total if total is not None else stop * hop - size // 2
        count = max(0, final - self._tail_from)
        done = (tail[:count] / np.maximum(weight[:count], 1e-8)).astype(np.float32)
        skip = max(0, min(-self._tail_from, count))  # what lies before sample 0
        self._tail, self._tail_weight = tail[count:], weight[count:]
        self._tail_from += count
        self.emitted += count - skip
        return done[skip:]


class AudioStyleRenderer:
    """The rendering of one content; frames go in order.

    Args:
        own: statistics of the content.
        wanted: statistics that it shall have; both may be exchanged between pieces.
        pitch_ratio: new pitch over old; 1 leaves the sound's own periods untouched.
        seed: of the noise source.
        moves_pitch: whether the ratio may differ from 1, now or later; else sound comes without that delay.
        keep_harmonics: as in `AudioStyleNetwork.compute_change`; for styles that have a pitch.
    """

    def __init__(
        self,
        network: AudioStyleNetwork,
        vocoder: ContentVocoder,
        own: AudioStatistics,
        wanted: AudioStatistics,
        pitch_ratio: float,
        seed: int,
        moves_pitch: bool,
        keep_harmonics: bool,
    ) -> None:
        self.network, self.vocoder, self.own, self.wanted = network, vocoder, own, wanted
        self.keep_harmonics = keep_harmonics
        mel = network.config.mel
        self.mover = PitchMover(pitch_ratio, mel.sample_rate, mel.hop_length) if moves_pitch else None
        self.source = SampleBuffer()
        self.noise = SampleBuffer(-mel.n_fft // 2)
        self.random = np.random.default_rng(seed)
        self.result = RunningStatistics((mel.n_mels,))
        self.added = OverlapAdd(mel)
        self._power = np.zeros((2, 1))  # states of the filters that follow the power of source and result

    @property
    def emitted(self) -> int:
        """Count the samples that came out so far."""
        return self.added.emitted

    def feed(self, samples: FloatArray, f0: NDArray[np.float32], last: bool) -> None:
        """Feed the content's samples, in order, with the F0 of the frames that have become known."""
        self.source.add(self.mover.push(samples, f0, last) if self.mover else samples)

    def count_ready_frames(self) -> int:
        """Count the frames of the (pitch-moved) content that are known whole, from 0 on."""
        mel = self.network.config.mel
        return max(0, (self.source.stop - mel.n_fft // 2) // mel.hop_length + 1)

    def render(self, first: int, stop: int, features: Features, limit: int, total: int | None = None) -> FloatArray:
        """Return the sound that frames first..stop-1 complete.

        Args:
            features: of the content, by frames.
            limit: how many frames exist, or can be looked at already.
            total: length of the whole sound in samples, given with its last frames; all the rest comes out.
        """
        network, vocoder, mel = self.network, self.vocoder, self.network.config.mel
        low, high = max(0, first - vocoder.past_frames), min(limit, stop + vocoder.ahead_frames)
        low_f, high_f = max(0, low - network.decoder_past), min(limit, high + network.decoder_ahead)
        content = features(low_f, high_f)
        change = network.compute_change(content, self.own, self.wanted, self.keep_harmonics)[
            :, low - low_f : high - low_f
        ]
        spectra = compute_spectrum(self.source.cut_frames(low, high, mel.n_fft, mel.hop_length))[None]
        level = compute_mel(spectra, mel)
        if self.mover is not None:  # what the pitch has moved already is not moved again
            unmoved = content[0][:, low - low_f : high - low_f] * MEL_STD + MEL_MEAN
            change = change + (unmoved - level) @ network.smoother
        filters = vocoder.predict_filters(level, change)
        inside = slice(first - low, stop - low)
        noise = compute_spectrum(self._draw_noise(first, stop))[None]
        shaped = vocoder.apply_filters(spectra[:, inside], noise, (filters[0][:, inside], filters[1][:, inside]))
        shaped = shaped * self._match_loudness(spectra[:, inside], shaped)
        self.result.add(((compute_mel(shaped, mel) - MEL_MEAN) / MEL_STD,), torch.ones(stop - first, dtype=torch.bool))
        self.source.forget_before((stop - vocoder.past_frames) * mel.hop_length - mel.n_fft)
        return self.added.add(invert_spectrum(shaped, mel.n_fft)[0].numpy(), first, stop, total)

    def _match_loudness(self, source: Tensor, shaped: Tensor) -> Tensor:
        """Return the gain of each frame (T, 1) that keeps the source's loudness, both followed over LEVEL_S."""
        from scipy.signal import lfilter

        mel = self.network.config.mel
        pole = math.exp(-mel.hop_length / mel.sample_rate / LEVEL_S)
        powers = []
        for row, frames in enumerate((source, shaped)):
            power = frames.abs().square().sum(dim=-1)[0].double().numpy()
            followed, self._power[row] = lfilter([1 - pole], [1, -pole], power, zi=self._power[row])
            powers.append(followed + 1e-6)
        gain = np.clip(np.sqrt(powers[0] / powers[1]), 1 / MOST_LEVEL, MOST_LEVEL)
        return torch.from_numpy(gain.astype(np.float32))[:, None]

    def _draw_noise(self, first: int, stop: int) -> Tensor:
        mel = self.network.config.mel
        need = (stop - 1) * mel.hop_length + mel.n_fft // 2 - self.noise.stop
        if need > 0:
            self.noise.add(self.random.standard_normal(need, dtype=np.float32))
        frames = self.noise.cut_frames(first, stop, mel.n_fft, mel.hop_length)
        self.noise.forget_before(stop * mel.hop_length - mel.n_fft // 2)
        return frames


def round_off(samples: FloatArray) -> FloatArray:
    """Round samples off to [-1, 1]: those beyond KNEE bend towards full scale, the others stay as they are."""
    room = 1.0 - KNEE
    over = np.abs(samples) - KNEE
    bent = np.sign(samples) * (KNEE + room * np.tanh(np.maximum(over, 0.0) / room))
    return np.where(over > 0, bent, samples).astype(np.float32)
