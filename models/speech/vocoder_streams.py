"""Vocoders behind one face: start a run, push mel frames, get sound; what is streamed equals what is made at once.

Letters: T frames, M mel bands, F frequency bins, n new frames or samples.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from models.audio import MelConfig, hann_window, mel_filterbank
from models.contracts import FloatArray
from models.speech.hifigan import HifiGanGenerator
from models.speech.streaming_inference import StreamingInference
from models.speech.vocoder import SourceFilters, SourceFilterVocoder, frame_signal, make_pulse_train, overlap_add
from models.torchaudio_import import import_torchaudio


class VocoderStream(Protocol):
    """One utterance being turned into sound."""

    def push(self, mel: Tensor, last: bool = False) -> FloatArray:
        """Add log mel frames (n, M), n may be 0; return the sound that is final, float32 (samples,)."""
        ...


class SourceFilterStream:
    """`SourceFilterVocoder` piece by piece.

    Sample k of the sources lies k - n_fft / 2 samples after the centre of frame 0. Frame t covers the samples from
    t * hop on, and can be shaped when F0 is known two frames further.
    """

    def __init__(self, vocoder: SourceFilterVocoder, seed: int) -> None:
        self.vocoder = vocoder
        self.filter_stream = StreamingInference(self._pack_filters, vocoder.context_frames)
        self.random = np.random.default_rng(seed)
        mel = vocoder.config.mel
        self.size, self.hop, self.rate = mel.n_fft, mel.hop_length, mel.sample_rate
        self.cycles = 0.0
        self.filters: Tensor | None = None  # packed filters of frames not yet shaped
        self.last_f0: Tensor | None = None  # F0 of the newest frame, from which the next samples are interpolated
        self.pulses = torch.zeros(1, 0)  # sources from the next frame's first sample on
        self.noise = torch.zeros(1, 0)
        self.tail = torch.zeros(2, self.size - self.hop)  # what shaped frames add to samples not yet out
        self.to_skip = self.size // 2

    def _pack_filters(self, mel: Tensor) -> Tensor:
        filters = self.vocoder.predict_filters(mel)
        parts = [filters.f0[..., None], filters.pulse_log_magnitude, filters.pulse_phase, filters.noise_log_magnitude]
        if filters.free_log_magnitude is not None and filters.free_phase is not None:
            parts += [filters.free_log_magnitude, filters.free_phase]
        return torch.cat(parts, dim=-1)

    def push(self, mel: Tensor, last: bool = False) -> FloatArray:
        """Do as `VocoderStream.push` says."""
        new = self.filter_stream.push(mel, last)
        if new is not None:
            self._extend_sources(new[:, 0])
            self.filters = new if self.filters is None else torch.cat([self.filters, new])
        if self.filters is None:
            return np.zeros(0, np.float32)
        if last and self.last_f0 is not None:
            self._extend(self.last_f0.expand(self.size // 2))
        return self._shape(last)

    def _extend_sources(self, f0: Tensor) -> None:
        """Extend the sources up to the newest frame's centre; F0 between two frames lies on a straight line."""
        if self.last_f0 is None:
            self._extend(f0[:1].expand(self.size // 2))
        else:
            f0 = torch.cat([self.last_f0, f0])
        ramp = torch.arange(self.hop, dtype=f0.dtype) / self.hop
        self._extend((f0[:-1, None] * (1 - ramp) + f0[1:, None] * ramp).flatten())
        self.last_f0 = f0[-1:]

    def _extend(self, f0: Tensor) -> None:
        if not len(f0):
            return
        hz = f0[None].double()
        cycles = self.cycles + torch.cumsum(hz / self.rate, dim=1)
        self.cycles = float(cycles[0, -1]) % 1.0
        self.pulses = torch.cat([self.pulses, make_pulse_train(cycles, hz, self.rate)], dim=1)
        noise = torch.from_numpy(self.random.standard_normal(len(f0)).astype(np.float32))
        self.noise = torch.cat([self.noise, noise[None]], dim=1)

    def _shape(self, last: bool) -> FloatArray:
        assert self.filters is not None
        count = min(len(self.filters), max(0, (self.pulses.shape[1] - self.size) // self.hop + 1))
        if not count:
            return np.zeros(0, np.float32)
        length = (count - 1) * self.hop + self.size
        bins = self.size // 2 + 1
        f0, *rest = self.filters[None, :count].split([1, *[bins] * (self.filters.shape[1] // bins)], dim=-1)
        pulses, noise = (frame_signal(x[:, :length], self.size, self.hop) for x in (self.pulses, self.noise))
        shaped = self.vocoder.apply_filters(pulses, noise, SourceFilters(f0[..., 0], *rest))
        sound, weight = overlap_add(shaped, self.size, self.hop)
        both = torch.cat([sound, weight])  # (2, length)
        both[:, : self.tail.shape[1]] += self.tail
        done = count * self.hop
        out = both[:, : done + (self.size // 2 - self.hop if last else 0)]
        self.tail = both[:, done:]
        self.filters = self.filters[count:]
        self.pulses, self.noise = self.pulses[:, done:], self.noise[:, done:]
        samples = out[0] / out[1].clamp_min(1e-8)
        skipped = min(self.to_skip, len(samples))
        self.to_skip -= skipped
        return samples[skipped:].clamp(-1, 1).numpy()


class HifiGanStream:
    """HiFi-GAN piece by piece: a local network whose every frame makes one hop of sound."""

    def __init__(self, generator: HifiGanGenerator) -> None:
        self.stream = StreamingInference(generator, generator.context_frames, generator.config.hop_length)

    def push(self, mel: Tensor, last: bool = False) -> FloatArray:
        """Do as `VocoderStream.push` says."""
        samples = self.stream.push(mel, last)
        return np.zeros(0, np.float32) if samples is None else samples.numpy()


class GriffinLimStream:
    """Griffin and Lim 1984, the yardstick: needs the whole utterance, so all its sound comes with the last push."""

    ITERATIONS = 60

    def __init__(self, config: MelConfig, seed: int) -> None:
        self.config, self.seed = config, seed
        self.frames: list[Tensor] = []

    def push(self, mel: Tensor, last: bool = False) -> FloatArray:
        """Do as `VocoderStream.push` says."""
        self.frames.append(mel)
        if not last or not sum(len(f) for f in self.frames):
            return np.zeros(0, np.float32)
        return run_griffin_lim(torch.cat(self.frames), self.config, self.seed, self.ITERATIONS)


def run_griffin_lim(mel: Tensor, config: MelConfig, seed: int, iterations: int) -> FloatArray:
    """Turn log mel (T, M) into sound ((T - 1) * hop,) by least squares and the fast Griffin-Lim iteration.

    Perraudin et al. 2013, "A fast Griffin-Lim algorithm", momentum 0.99, from a seeded random phase.
    """
    torchaudio = import_torchaudio()
    bank = mel_filterbank(config)  # (F, M)
    magnitude = torch.linalg.lstsq(bank.T, mel.T.exp(), driver="gelsd").solution.clamp_min(0)  # (F, T)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        samples = torchaudio.functional.griffinlim(
            magnitude,
            window=hann_window(config.n_fft),
            n_fft=config.n_fft,
            hop_length=config.hop_length,
            win_length=config.n_fft,
            power=1.0,
            n_iter=iterations,
            momentum=0.99,
            length=None,
            rand_init=True,
        )
    return samples.clamp(-1, 1).numpy()
