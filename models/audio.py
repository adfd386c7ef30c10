"""Mel spectrograms, resampling, loudness: what the sound models share.

The mel convention is that of Tacotron 2 and HiFi-GAN (22,050 Hz, 1,024-point window, hop 256, 80 Slaney bands from 0 to
8,000 Hz, natural log of the magnitude with a floor of 1e-5), so that public checkpoints of either can be joined with
the models trained here.

Letters: B batch, N samples, T frames, M mel bands, F frequency bins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from models.torchaudio_import import import_torchaudio

LOG_FLOOR = 1e-5


@dataclass(frozen=True)
class MelConfig:
    """How a mel spectrogram is computed; lengths in samples, frequencies in Hz."""

    sample_rate: int = 22_050
    n_fft: int = 1024
    hop_length: int = 256
    n_mels: int = 80
    f_min: float = 0.0
    f_max: float = 8_000.0


@lru_cache(maxsize=32)
def mel_filterbank(config: MelConfig, device: torch.device | str = "cpu") -> Tensor:
    """Slaney-normalised triangular filters, float32 (F, M)."""
    torchaudio = import_torchaudio()
    with torch.inference_mode(False):  # kept for everyone: training may be the next to ask
        return torchaudio.functional.melscale_fbanks(
            config.n_fft // 2 + 1,
            config.f_min,
            config.f_max,
            config.n_mels,
            config.sample_rate,
            norm="slaney",
            mel_scale="slaney",
        ).to(device)


@lru_cache(maxsize=32)
def hann_window(length: int, device: torch.device | str = "cpu") -> Tensor:
    """Periodic Hann window, float32 (length,)."""
    with torch.inference_mode(False):
        return torch.hann_window(length).to(device)


def log_mel(samples: Tensor, config: MelConfig = MelConfig(), centred: bool = True) -> Tensor:
    """Natural-log mel magnitudes of sound.

    Args:
        samples: float32 (B, N) or (N,) in [-1, 1], at `config.sample_rate`.
        centred: the sound is continued at both ends, so that frame t is centred on sample t * hop_length; else only
            windows that lie wholly inside are taken, and frame t begins there.

    Returns:
        float32 (B, T, M) or (T, M); T = 1 + N // hop_length if centred, else 1 + (N - n_fft) // hop_length.
    """
    window = hann_window(config.n_fft, samples.device)
    padding = "reflect" if samples.shape[-1] > config.n_fft // 2 else "constant"
    spectrum = torch.stft(
        samples, config.n_fft, config.hop_length, window=window, center=centred, pad_mode=padding, return_complex=True
    )
    mel = spectrum.abs().transpose(-1, -2) @ mel_filterbank(config, samples.device)
    return mel.clamp_min(LOG_FLOOR).log()


def resample(samples: np.ndarray, source_rate: int, target_rate: int) -> np.ndarray:
    """Resample float32 (..., N) by polyphase filtering; equal rates return the input itself."""
    if source_rate == target_rate:
        return samples
    from scipy.signal import resample_poly

    divisor = math.gcd(source_rate, target_rate)
    resampled = resample_poly(samples, target_rate // divisor, source_rate // divisor, axis=-1)
    return resampled.astype(np.float32)


def rms_db(samples: np.ndarray) -> float:
    """Root-mean-square level of sound in dB relative to full scale; -120 for silence."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if samples.size else 0.0
    return max(-120.0, 10.0 * math.log10(power)) if power > 0 else -120.0
