"""Restyling sound while it comes in: small chunks, a bounded look-ahead, statistics of what was heard so far.

The content's statistics are not known beforehand, so they begin as those of ordinary speech and follow what is heard,
with a half-life. Everything else is that of `models.style.rendering`.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from models.style.analysis import ACTIVE_DB, RunningStatistics
from models.style.audio_network import MEL_MEAN, MEL_STD, AudioStatistics, AudioStyleNetwork
from models.style.content_vocoder import ContentVocoder, compute_mel, compute_spectrum
from models.style.pitch import (
    MEDIAN_FRAMES,
    count_yin_reach,
    find_typical_pitch,
    holds_notes,
    run_yin,
    smooth_by_median,
)
from models.style.rendering import AudioStyleRenderer, SampleBuffer, round_off

FloatArray = NDArray[np.float32]

HALF_LIFE_S = 10.0
PRIOR_S = 2.0
"""How many seconds of speech the statistics that it starts from count for."""
PITCH_MEMORY_FRAMES = 600


class LiveStyler:
    """A stream of sound that is restyled while it comes in, in the end as many samples as went in.

    Args:
        average: statistics to start from.
        style, style_pitch_hz: what to go to; the pitch is 0 where it is no part of the style.
        strength: 0 to 1; may be set between pushes.
        move_pitch: whether a voice's pitch follows; it adds a delay of at most `PitchMover.delay_samples`.
        chunk_frames: frames made at once.
    """

    def __init__(
        self,
        network: AudioStyleNetwork,
        vocoder: ContentVocoder,
        average: AudioStatistics,
        style: AudioStatistics,
        style_pitch_hz: float,
        strength: float,
        move_pitch: bool,
        seed: int,
        chunk_frames: int,
    ) -> None:
        self.network, self.style, self.style_pitch_hz = network, style, style_pitch_hz
        self.strength, self.chunk_frames = strength, chunk_frames
        self.mel = network.config.mel
        pitched = style_pitch_hz > 0
        self.renderer = AudioStyleRenderer(
            network, vocoder, average, average, 1.0, seed, move_pitch and pitched, pitched
        )
        self.running = RunningStatistics(network.widths)
        self.running.weight = PRIOR_S * self.mel.sample_rate / self.mel.hop_length
        for level, (mean, deviation) in enumerate(zip(average.means, average.stds, strict=True)):
            self.running.sums[level] += self.running.weight * mean.double()
            self.running.squares[level] += self.running.weight * (mean.double() ** 2 + deviation.double() ** 2)
        self._waiting = np.zeros(0, np.float32)  # less than a hop
        self._raw = SampleBuffer()
        self._made = 0  # frames
        self._counted = 0  # frames in the statistics
        self._pitched = 0  # frames whose F0 is known
        self._f0 = np.zeros(0, np.float32)
        self._loudest = -np.inf

    @torch.inference_mode()
    def push(self, samples: FloatArray, last: bool = False) -> FloatArray:
        """Add float32 (n,) at the model's rate, n may be 0; return what is finished, maybe nothing.

        Raises:
            ValueError: the samples are not one row of finite numbers.
        """
        samples = np.asarray(samples, np.float32)
        if samples.ndim != 1 or not np.isfinite(samples).all():
            raise ValueError("Live sound must be one row of finite numbers.")
        hop = self.mel.hop_length
        waiting = np.concatenate([self._waiting, samples])
        whole = len(waiting) // hop * hop
        self._waiting = waiting[whole:]
        made = [self._take_in(waiting[at : at + hop], last=False) for at in range(0, whole, hop)]
        if last:
            made.append(self._take_in(self._waiting, last=True))
        return round_off(np.concatenate(made)) if made else np.zeros(0, np.float32)

    def _take_in(self, samples: FloatArray, last: bool) -> FloatArray:
        """Take in one hop of samples, or the rest.

        The pieces are always the same, so that what is heard of the pitch by when, and with it the result, does not
        depend on how the sound comes in.
        """
        self._raw.add(samples)
        hop = self.mel.hop_length
        received = self._raw.stop
        frames = received // hop + 1
        known = frames if last else max(0, (received - self.mel.n_fft // 2) // hop + 1)
        self.renderer.feed(samples, self._track_new_pitches(frames, last), last)
        vocoder, network = self.renderer.vocoder, self.network
        reach = vocoder.ahead_frames + network.decoder_ahead
        limit = known if last else known - network.encoder_ahead
        made = []
        while self._made < frames:
            stop = self._made + self.chunk_frames
            if last:
                stop = min(stop, frames)
            elif stop + reach > limit or stop + vocoder.ahead_frames > self.renderer.count_ready_frames():
                break
            ended = last and stop == frames
            made.append(self._make_chunk(self._made, stop, limit, received if ended else None))
            self._made = stop
            back = vocoder.past_frames + network.decoder_past + network.encoder_past
            keep_from = min(stop - back, self._pitched - MEDIAN_FRAMES) * hop - self.mel.n_fft
            self._raw.forget_before(max(0, keep_from))
        return np.concatenate(made) if made else np.zeros(0, np.float32)

    def _make_chunk(self, first: int, stop: int, limit: int, total: int | None) -> FloatArray:
        network, vocoder = self.network, self.renderer.vocoder
        low = max(0, first - vocoder.past_frames - network.decoder_past)
        high = min(limit, stop + vocoder.ahead_frames + network.decoder_ahead)
        edge_low, edge_high = max(0, low - network.encoder_past), min(limit, high) + network.encoder_ahead
        edge_high = min(edge_high, self._raw.stop // self.mel.hop_length + 1)
        spectra = compute_spectrum(self._raw.cut_frames(edge_low, edge_high, self.mel.n_fft, self.mel.hop_length))
        encoded = network.encode(compute_mel(spectra, self.mel)[None])
        features = tuple(f[:, low - edge_low : high - edge_low] for f in encoded)
        self._count_frames(tuple(f[:, max(0, self._counted - low) :] for f in features))
        self._counted = high
        own = self.running.compute()
        self.renderer.own, self.renderer.wanted = own, own.interpolate(self.style, self.strength)
        return self.renderer.render(
            first, stop, lambda a, b: tuple(f[:, a - low : b - low] for f in features), limit, total
        )

    def _count_frames(self, features: tuple[torch.Tensor, ...]) -> None:
        """Take new frames into the statistics; silence does not count."""
        count = features[0].shape[1]
        if not count:
            return
        level = (features[0][0] * MEL_STD + MEL_MEAN).amax(dim=-1)
        self._loudest = max(self._loudest, float(level.max()))
        self.running.forget(0.5 ** (count * self.mel.hop_length / self.mel.sample_rate / HALF_LIFE_S))
        self.running.add(features, level > self._loudest - ACTIVE_DB / 8.685889638)

    def _track_new_pitches(self, frames: int, last: bool) -> NDArray[np.float32]:
        """Return F0 of the frames that have become known; set the ratio that follows from all so far."""
        if self.renderer.mover is None:
            return np.zeros(0, np.float32)
        half, reach, hop = MEDIAN_FRAMES // 2, count_yin_reach(self.mel.sample_rate), self.mel.hop_length
        stop = frames if last else max(self._pitched, (self._raw.stop - reach) // hop - half)
        if stop <= self._pitched:
            return np.zeros(0, np.float32)
        low, high = max(0, self._pitched - half), min(frames, stop + half)
        f0 = smooth_by_median(run_yin(self._raw.cut_frames(low, high, 2 * reach, hop).numpy(), self.mel.sample_rate))
        fresh = f0[self._pitched - low : stop - low]
        self._pitched = stop
        self._f0 = np.concatenate([self._f0, fresh])[-PITCH_MEMORY_FRAMES:]
        heard_hz = find_typical_pitch(self._f0)
        if heard_hz and not holds_notes(self._f0):
            self.renderer.mover.ratio = float(np.clip((self.style_pitch_hz / heard_hz) ** self.strength, 0.5, 2.0))
        return fresh
