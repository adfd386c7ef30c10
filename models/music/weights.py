"""The shipped music model's file: written by the recipe, read by the composer.

The metadata holds the configuration and what the training was; the tensors are the running average of the weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch

from models.music.transformer import MusicTransformer, MusicTransformerConfig
from models.weights_io import load_network, save_safetensors

MUSIC_FILE = "music_transformer.safetensors"


def save_model(path: Path, model: MusicTransformer, facts: Mapping[str, str] | None = None) -> None:
    """Write a network in half precision; `facts` go into the metadata beside its configuration."""
    metadata = {**(facts or {}), "config": json.dumps(model.config.to_dict())}
    save_safetensors(path, model.state_dict(), metadata)


def load_model(path: Path) -> MusicTransformer:
    """Read a network that `save_model` wrote, ready for use.

    Raises:
        ModelError: the file is missing, damaged, or of another kind.
    """
    return load_network(
        path, lambda values: MusicTransformer(MusicTransformerConfig.from_dict(values)), "the music model"
    )


def save_debug(path: Path, seed: int = 0, position: str = "rotary") -> MusicTransformer:
    """Write a tiny untrained network, for tests; returns it as it will be read."""
    torch.manual_seed(seed)
    save_model(path, MusicTransformer(MusicTransformerConfig.debug(position=position)), {"trained": "not at all"})
    return load_model(path)
