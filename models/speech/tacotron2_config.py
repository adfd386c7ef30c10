"""Sizes of a Tacotron 2, and the mask that all its parts share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tacotron2Config:
    """Sizes of a Tacotron 2; the defaults are the paper's."""

    n_symbols: int = 148
    n_mels: int = 80
    symbol_dim: int = 512
    encoder_dim: int = 512
    encoder_layers: int = 3
    encoder_kernel: int = 5
    encoder_dropout: float = 0.5
    attention_rnn_dim: int = 1024
    attention_dim: int = 128
    location_filters: int = 32
    location_kernel: int = 31
    prenet_dim: int = 256
    prenet_dropout: float = 0.5
    decoder_rnn_dim: int = 1024
    rnn_dropout: float = 0.1
    frames_per_step: int = 1
    postnet_dim: int = 512
    postnet_layers: int = 5
    postnet_kernel: int = 5
    postnet_dropout: float = 0.5
    voices: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    attribute_dim: int = 32

    @classmethod
    def small(cls, n_symbols: int, voices: tuple[str, ...], attributes: tuple[str, ...]) -> Tacotron2Config:
        """Return the shipped size: about four million parameters, three frames in a step."""
        return cls(
            n_symbols=n_symbols,
            symbol_dim=256,
            encoder_dim=256,
            encoder_dropout=0.2,
            attention_rnn_dim=320,
            attention_dim=64,
            location_filters=16,
            prenet_dim=128,
            decoder_rnn_dim=320,
            frames_per_step=3,
            postnet_dim=128,
            postnet_dropout=0.0,
            voices=voices,
            attributes=attributes,
        )

    @classmethod
    def debug(cls, **changes: object) -> Tacotron2Config:
        """Return a tiny network for tests: milliseconds on a CPU."""
        sizes: dict[str, object] = {
            "n_symbols": 20,
            "n_mels": 8,
            "symbol_dim": 16,
            "encoder_dim": 16,
            "attention_rnn_dim": 24,
            "attention_dim": 12,
            "location_filters": 4,
            "location_kernel": 5,
            "prenet_dim": 12,
            "decoder_rnn_dim": 20,
            "postnet_dim": 16,
        }
        return cls(**{**sizes, **changes})  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, object]:
        """Return plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Tacotron2Config:
        """Build from what `to_dict` returned; TypeError names an unknown field."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})  # type: ignore[arg-type]


def make_length_mask(lengths: Tensor, size: int) -> Tensor:
    """Return bool (B, size), True where an item of lengths (B,) has content."""
    return torch.arange(size, device=lengths.device)[None, :] < lengths[:, None]
