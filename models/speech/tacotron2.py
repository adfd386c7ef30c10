"""Tacotron 2: from symbols to mel frames.

After Shen et al. 2018, "Natural TTS Synthesis by Conditioning WaveNet on Mel Spectrogram Predictions" (section 2.2),
with the location-sensitive attention of Chorowski et al. 2015, "Attention-Based Models for Speech Recognition"
(section 2.1). One class serves the small shipped model and public checkpoints of the paper's size: the sizes, the
number of frames made in one decoder step, the voices and the controllable attributes are configuration.

Letters: B batch, L symbols, S decoder steps, R frames in a step, T = S * R mel frames, M mel bands, E encoder width.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.speech.decoder import Tacotron2Decoder
from models.speech.tacotron2_config import Tacotron2Config, make_length_mask

__all__ = ["Tacotron2", "Tacotron2Config", "make_length_mask"]


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "tanh": torch.tanh, "none": lambda x: x}


class ConvNorm(nn.Module):
    """Convolution over time, batch norm, activation, dropout; padding is kept at zero under the mask."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, activation: str, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels_in, channels_out, kernel, padding=kernel // 2)
        self.norm = nn.BatchNorm1d(channels_out)
        self.activation = ACTIVATIONS[activation]
        self.dropout = dropout

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Map x (B, C, T) under mask bool (B, 1, T) or None to (B, C', T)."""
        x = F.dropout(self.activation(self.norm(self.conv(x))), self.dropout, self.training)
        return x if mask is None else x * mask


def run_bidirectional_lstm(lstm: nn.LSTM, x: Tensor, lengths: Tensor) -> Tensor:
    """Run the LSTM over the packed sequences x (B, L, C) in two fused calls: faster with gradients.

    The backward half runs over each item turned round in place, so that it begins at the item's own end.
    """
    place = torch.arange(x.shape[1], device=x.device)[None]
    turned = torch.where(place < lengths[:, None], lengths[:, None] - 1 - place, place)[..., None]  # (B, L, 1)
    start = x.new_zeros(1, len(x), lstm.hidden_size)

    def run(inputs: Tensor, weights: Sequence[Tensor]) -> Tensor:
        return torch.lstm(inputs, (start, start), list(weights), True, 1, 0.0, True, False, True)[0]

    forward = run(x, lstm.all_weights[0])
    backward = run(x.gather(1, turned.expand_as(x)), lstm.all_weights[1])
    both = torch.cat([forward, backward.gather(1, turned.expand_as(backward))], dim=-1)
    return both * make_length_mask(lengths, x.shape[1])[..., None]


class Tacotron2Encoder(nn.Module):
    """Symbols to memory: three convolutions with batch norm, then a bidirectional LSTM (section 2.2)."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        widths = [config.symbol_dim] + [config.encoder_dim] * config.encoder_layers
        self.embedding = nn.Embedding(config.n_symbols, config.symbol_dim)
        self.convolutions = nn.ModuleList(
            ConvNorm(a, b, config.encoder_kernel, "relu", config.encoder_dropout) for a, b in itertools.pairwise(widths)
        )
        self.lstm = nn.LSTM(config.encoder_dim, config.encoder_dim // 2, batch_first=True, bidirectional=True)

    def forward(self, symbols: Tensor, lengths: Tensor) -> Tensor:
        """Encode symbols int64 (B, L), lengths int64 (B,), to memory float32 (B, L, E), zero at padding."""
        mask = make_length_mask(lengths, symbols.shape[1])[:, None, :]
        x = self.embedding(symbols).transpose(1, 2) * mask  # (B, E, L)
        for convolution in self.convolutions:
            x = convolution(x, mask)
        if self.training:
            return run_bidirectional_lstm(self.lstm, x.transpose(1, 2), lengths)
        packed = pack_padded_sequence(x.transpose(1, 2), lengths.cpu(), batch_first=True, enforce_sorted=False)
        memory, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=symbols.shape[1])
        return memory


class Conditioner(nn.Module):
    """Voice and attributes as a vector added to the memory.

    One small encoder an attribute: an attribute's value is how far the asked (in training: measured) value lies from
    the voice's own mean, in the units of `models.speech.attributes`; zero is neutral.
    """

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        self.voices = nn.Embedding(len(config.voices), config.encoder_dim) if config.voices else None
        self.attributes = nn.ModuleList(
            nn.Sequential(
                nn.Linear(1, config.attribute_dim), nn.Tanh(), nn.Linear(config.attribute_dim, config.encoder_dim)
            )
            for _ in config.attributes
        )

    def forward(self, memory: Tensor, voice: Tensor | None, attributes: Tensor | None) -> Tensor:
        """Condition memory (B, L, E) on voice int64 (B,) and attributes float32 (B, A) or (B, L, A): (B, L, E)."""
        if self.voices is not None and voice is not None:
            memory = memory + self.voices(voice)[:, None]
        for index, encoder in enumerate(self.attributes):
            if attributes is not None:
                offset = encoder(attributes[..., index : index + 1])
                memory = memory + (offset[:, None] if offset.dim() == 2 else offset)
        return memory


class Postnet(nn.Module):
    """Five convolutions that predict what the decoder's frames still lack (section 2.2)."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        widths = [config.n_mels] + [config.postnet_dim] * (config.postnet_layers - 1) + [config.n_mels]
        activations = ["tanh"] * (config.postnet_layers - 1) + ["none"]
        self.convolutions = nn.ModuleList(
            ConvNorm(a, b, config.postnet_kernel, activation, config.postnet_dropout)
            for a, b, activation in zip(widths[:-1], widths[1:], activations, strict=True)
        )
        self.context_frames = config.postnet_layers * (config.postnet_kernel // 2)

    def forward(self, mel: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return what to add to mel (B, T, M) under mask bool (B, T) or None, (B, T, M)."""
        frame_mask = None if mask is None else mask[:, None]
        x = mel.transpose(1, 2) if frame_mask is None else mel.transpose(1, 2) * frame_mask
        for convolution in self.convolutions:
            x = convolution(x, frame_mask)
        return x.transpose(1, 2)


class Tacotron2(nn.Module):
    """The whole network. `forward` is teacher-forced; inference lives in `models.speech.sentence_decoder`."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = Tacotron2Encoder(config)
        self.conditioner = Conditioner(config)
        self.decoder = Tacotron2Decoder(config)
        self.postnet = Postnet(config)

    def encode(
        self, symbols: Tensor, lengths: Tensor, voice: Tensor | None = None, attributes: Tensor | None = None
    ) -> Tensor:
        """Return memory (B, L, E) of symbols (B, L), conditioned on voice (B,) and attributes (B, A) or (B, L, A)."""
        return self.conditioner(self.encoder(symbols, lengths), voice, attributes)

    def forward(
        self,
        symbols: Tensor,
        lengths: Tensor,
        mel: Tensor,
        mel_lengths: Tensor,
        voice: Tensor | None = None,
        attributes: Tensor | None = None,
        generator: torch.Generator | None = None,
        teacher_alignment: Tensor | None = None,
        teacher_ratio: float = 0.0,
        frame_drop: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Run a teacher-forced pass; see `Tacotron2Decoder.forward`.

        Returns:
            mel before the postnet (B, T, M), mel after it (B, T, M), stop logits (B, S), alignment (B, S, L).
        """
        memory = self.encode(symbols, lengths, voice, attributes)
        coarse, stop, alignment = self.decoder(
            memory, lengths, mel, generator, teacher_alignment, teacher_ratio, frame_drop
        )
        fine = coarse + self.postnet(coarse, make_length_mask(mel_lengths, mel.shape[1]))
        return coarse, fine, stop, alignment
