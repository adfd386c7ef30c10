"""A parallel acoustic model: all mel frames at once, from symbols whose durations it predicts.

After Ren et al. 2021, "FastSpeech 2: Fast and High-Quality End-to-End Text to Speech" (section 2): durations stretch
the encoded symbols to frames, F0 and energy are predicted for each frame and given to the decoder. The blocks are
ConvNeXt's in the place of attention, so that the decoder is local in time and streams; one bidirectional LSTM sees the
sentence whole.

Letters: B batch, L symbols, T frames, M mel bands, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from models.speech.attributes import ATTRIBUTES
from models.speech.tacotron2 import run_bidirectional_lstm
from models.speech.tacotron2_config import make_length_mask
from models.speech.vocoder import ConvNeXtBlock


@dataclass(frozen=True)
class FastSpeech2Config:
    """Sizes of a FastSpeech 2; `voices` are keys in the order of the voice embedding."""

    n_symbols: int
    voices: tuple[str, ...]
    n_mels: int = 100
    channels: int = 256
    hidden: int = 640
    kernel: int = 7
    encoder_layers: int = 4
    predictor_layers: int = 2
    variance_channels: int = 128
    variance_layers: int = 3
    decoder_layers: int = 7

    @classmethod
    def debug(cls, **changes: object) -> FastSpeech2Config:
        """Return a tiny network for tests: milliseconds on a CPU."""
        sizes: dict[str, object] = {
            **{"n_symbols": 20, "voices": ("a", "b"), "n_mels": 8, "channels": 16, "hidden": 24, "encoder_layers": 1},
            **{"predictor_layers": 1, "variance_channels": 12, "variance_layers": 1, "decoder_layers": 2},
        }
        return cls(**{**sizes, **changes})  # type: ignore[arg-type]

    @property
    def attributes(self) -> tuple[str, ...]:
        """Return the attributes that can be asked: all of them, as durations, F0 and energy."""
        return ATTRIBUTES

    def to_dict(self) -> dict[str, object]:
        """Return plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> FastSpeech2Config:
        """Build from what `to_dict` returned; TypeError names an unknown field."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})  # type: ignore[arg-type]


class ConvNeXtStack(nn.Module):
    """ConvNeXt blocks and a layer norm; `context_frames` is how far it sees to either side."""

    def __init__(self, channels: int, hidden: int, kernel: int, layers: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ConvNeXtBlock(channels, hidden, kernel, 1.0 / layers) for _ in range(layers))
        self.norm = nn.LayerNorm(channels)
        self.context_frames = layers * (kernel // 2)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map x (B, T, C) under mask bool (B, T) or None, outside of which it is kept at zero, to (B, T, C)."""
        keep = None if mask is None else mask[..., None].to(x.dtype)
        x = x if keep is None else x * keep
        for block in self.blocks:
            x = block(x) if keep is None else block(x) * keep
        return torch.as_tensor(self.norm(x))


@dataclass
class Variances:
    """What is known of each frame beside its symbol: log F0 as `log_pitch`, voicing as a logit, energy; (B, T) each."""

    log_pitch: Tensor
    voicing: Tensor
    energy: Tensor


class FastSpeech2(nn.Module):
    """Symbols to mel frames in parallel.

    F0 is given and predicted as log(F0 / 180 Hz), energy as the mean of the normalised mel bands.
    """

    def __init__(self, config: FastSpeech2Config) -> None:
        super().__init__()
        self.config = c = config
        self.embedding = nn.Embedding(c.n_symbols, c.channels)
        self.encoder = ConvNeXtStack(c.channels, c.hidden, c.kernel, c.encoder_layers)
        self.lstm = nn.LSTM(c.channels, c.channels // 2, batch_first=True, bidirectional=True)
        self.voices = nn.Embedding(len(c.voices), c.channels)
        self.duration = ConvNeXtStack(c.channels, c.channels, c.kernel, c.predictor_layers)
        self.duration_output = nn.Linear(c.channels, 1)
        self.place = nn.Linear(3, c.channels)
        self.variance_input = nn.Linear(c.channels, c.variance_channels)
        self.variance = ConvNeXtStack(c.variance_channels, 2 * c.variance_channels, c.kernel, c.variance_layers)
        self.variance_output = nn.Linear(c.variance_channels, 3)
        self.conditions = nn.Linear(3, c.channels)
        self.decoder = ConvNeXtStack(c.channels, c.hidden, c.kernel, c.decoder_layers)
        self.output = nn.Linear(c.channels, c.n_mels)
        self.context_frames = self.variance.context_frames + self.decoder.context_frames

    def encode(self, symbols: Tensor, lengths: Tensor, voice: Tensor) -> Tensor:
        """Encode symbols int64 (B, L) and lengths (B,) to (B, L, C), zero at padding.

        Args:
            voice: int64 (B,), or shares of all V voices, float (B, V), to mix them.
        """
        mask = make_length_mask(lengths, symbols.shape[1])
        x = self.encoder(self.embedding(symbols), mask).float()
        with torch.autocast(x.device.type, enabled=False):
            x = x + (self.lstm(x)[0] if len(x) == 1 else run_bidirectional_lstm(self.lstm, x, lengths))
        spoken = voice @ self.voices.weight if voice.is_floating_point() else self.voices(voice)
        return (x + spoken[:, None]) * mask[..., None]

    def predict_durations(self, encoded: Tensor, mask: Tensor | None = None) -> Tensor:
        """Predict log(1 + frames) of each symbol (B, L) from encoded (B, L, C)."""
        return torch.as_tensor(self.duration_output(self.duration(encoded, mask))[..., 0])

    def expand(self, encoded: Tensor, durations: Tensor, size: int | None = None) -> tuple[Tensor, Tensor]:
        """Stretch encoded symbols (B, L, C) by whole durations (B, L) in frames, to `size` frames where it is known.

        Returns:
            frames (B, T, C) with their place in the symbol, and lengths (B,).
        """
        ends = durations.cumsum(dim=1)
        lengths = ends[:, -1]
        size = int(lengths.max()) if size is None else size
        at = torch.arange(size, device=encoded.device)[None].expand(len(encoded), -1).contiguous()
        owner = torch.searchsorted(ends, at, right=True).clamp_max(durations.shape[1] - 1)  # (B, T)
        duration = durations.gather(1, owner).to(encoded.dtype)
        passed = (at - (ends - durations).gather(1, owner)).to(encoded.dtype) + 0.5
        share = passed / duration.clamp_min(1.0)
        place = torch.stack([share, 1.0 - share, torch.log1p(duration)], dim=-1)
        frames = encoded.gather(1, owner[..., None].expand(-1, -1, encoded.shape[2])) + self.place(place)
        return frames, lengths

    def predict_variances(self, frames: Tensor, mask: Tensor | None = None) -> Variances:
        """Predict the variances of expanded frames (B, T, C)."""
        output = self.variance_output(self.variance(self.variance_input(frames), mask)).float()
        return Variances(*output.unbind(dim=-1))

    def decode(self, frames: Tensor, variances: Variances, mask: Tensor | None = None) -> Tensor:
        """Decode expanded frames (B, T, C) to normalised mel (B, T, M); F0 counts where the voicing is positive."""
        voiced = (variances.voicing > 0).to(frames.dtype)
        told = torch.stack([variances.log_pitch * voiced * 2.0, voiced, variances.energy], dim=-1).to(frames.dtype)
        return torch.as_tensor(self.output(self.decoder(frames + self.conditions(told), mask)))
