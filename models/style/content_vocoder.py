"""The vocoder of audio style transfer: a source-filter network whose source is the content's own sound.

Like the speech vocoder (`models.speech.vocoder`) it shapes two sources bin by bin in the STFT domain. The first source
is not a pulse train but the content itself, so that one network serves every voice, instrument and sound, chords and
crowds too, and the phase is the content's own. The second is noise, for what the style has and the content lacks. The
network reads the content's mel frames and how they are to change; its answer goes on top of the change itself, spread
over the frequency bins. It is trained to bring back sounds whose spectrum was altered (`training.style_audio.vocoder`).

Letters: B batch, T frames, M mel bands, C channels, F = n_fft / 2 + 1 frequency bins, N samples.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from models.audio import MelConfig, hann_window, mel_filterbank
from models.speech.vocoder import build_mel_interpolation, overlap_add
from models.style.audio_network import MEL_MEAN, MEL_STD, LocalStack

LARGEST_CHANGE = 7.0
"""Of a mel band, natural log of magnitude (60 dB); what is asked beyond it is not done."""


@dataclass(frozen=True)
class ContentVocoderConfig:
    """Sizes of the vocoder; each convolution sees `past` frames back and `ahead` frames forward."""

    mel: MelConfig = field(default_factory=MelConfig)
    channels: int = 192
    hidden: int = 512
    blocks: int = 4
    past: int = 4
    ahead: int = 1

    @classmethod
    def debug(cls) -> ContentVocoderConfig:
        """Return a tiny network for tests."""
        return cls(channels=8, hidden=12, blocks=1, past=2, ahead=1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ContentVocoderConfig:
        """Build from what `to_dict` returned."""
        return cls(**{**values, "mel": MelConfig(**values["mel"])})


class ContentVocoder(nn.Module):
    """Content's spectrum, mel frames and their change -> the changed spectrum. Frames are local in time."""

    envelope: Tensor
    band_level: Tensor
    GAIN_LIMIT, NOISE_LIMIT, NOISE_OFFSET = 3.0, 8.0, -6.0

    def __init__(self, config: ContentVocoderConfig) -> None:
        super().__init__()
        self.config = config
        bins = config.mel.n_fft // 2 + 1
        self.stack = LocalStack(
            2 * config.mel.n_mels, config.channels, config.hidden, config.blocks, config.past, config.ahead
        )
        self.norm = nn.LayerNorm(config.channels)
        self.output = nn.Linear(config.channels, 2 * bins)
        nn.init.normal_(self.output.weight, std=0.01)
        nn.init.zeros_(self.output.bias)
        self.register_buffer("envelope", build_mel_interpolation(config.mel), persistent=False)
        self.register_buffer("band_level", mel_filterbank(config.mel).sum(dim=0).log(), persistent=False)
        self.past_frames, self.ahead_frames = self.stack.past_frames, self.stack.ahead_frames

    def predict_filters(self, mel: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
        """Predict log gain and log noise magnitude (B, T, F) from the content's log mel and wanted change (B, T, M)."""
        change = change.clamp(-LARGEST_CHANGE, LARGEST_CHANGE)
        hidden = self.norm(self.stack(torch.cat([(mel - MEL_MEAN) / MEL_STD, 0.5 * change], dim=-1)))
        rest, noise = self.output(hidden).chunk(2, dim=-1)
        gain = change @ self.envelope + self.GAIN_LIMIT * torch.tanh(rest / self.GAIN_LIMIT)
        level = (mel + change - self.band_level) @ self.envelope - 0.5 * math.log(0.375 * self.config.mel.n_fft)
        return gain, level + self.NOISE_OFFSET + self.NOISE_LIMIT * torch.tanh(noise / self.NOISE_LIMIT)

    def apply_filters(self, source: Tensor, noise: Tensor, filters: tuple[Tensor, Tensor]) -> Tensor:
        """Filter complex spectra (B, T, F) of the content and of unit noise to the changed spectrum (B, T, F)."""
        gain, level = filters
        return source * gain.exp() + noise * level.exp()

    def forward(self, source: Tensor, mel: Tensor, change: Tensor, noise: Tensor) -> Tensor:
        """Change whole clips, for training.

        Args:
            source: complex (B, T, F), `compute_spectrum` of the content's frames.
            mel, change: (B, T, M).
            noise: standard normal (B, (T - 1) * hop + n_fft).

        Returns:
            float32 (B, (T - 1) * hop), frame t centred on sample t * hop.
        """
        n_fft, hop = self.config.mel.n_fft, self.config.mel.hop_length
        shaped = self.apply_filters(
            source, compute_spectrum(noise.unfold(1, n_fft, hop)), self.predict_filters(mel, change)
        )
        sound, weight = overlap_add(invert_spectrum(shaped, n_fft), n_fft, hop)
        return (sound / weight)[:, n_fft // 2 : n_fft // 2 + (mel.shape[1] - 1) * hop]


def compute_spectrum(frames: Tensor) -> Tensor:
    """Return the windowed complex spectrum (..., F) of frames (..., n_fft)."""
    return torch.fft.rfft(frames * hann_window(frames.shape[-1]))


def invert_spectrum(shaped: Tensor, n_fft: int) -> Tensor:
    """Return windowed frames (..., n_fft) of a complex spectrum (..., F), to be overlap-added."""
    return torch.fft.irfft(shaped, n=n_fft) * hann_window(n_fft)


def compute_mel(spectra: Tensor, config: MelConfig) -> Tensor:
    """Return log mel (..., M) of a complex spectrum (..., F)."""
    return (spectra.abs() @ mel_filterbank(config)).clamp_min(1e-5).log()
