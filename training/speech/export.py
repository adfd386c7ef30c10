"""From training checkpoints to the weight files that the studio ships; called by `training.speech.train`."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from models.weights_io import save_safetensors
from training.speech.acoustic import MEL_MEAN, MEL_STD

ACOUSTIC_FILE = "speech_tacotron2.safetensors"
VOCODER_FILE = "speech_vocoder.safetensors"


def export_acoustic(checkpoint: Path, folder: Path) -> Path:
    """Write the running average of an acoustic checkpoint, with its configuration and the voices' means."""
    state = torch.load(checkpoint, weights_only=True)
    path = folder / ACOUSTIC_FILE
    metadata = {
        "config": json.dumps(state["config"]),
        "mel_scale": json.dumps({"mean": MEL_MEAN, "std": MEL_STD}),
        "voice_means": json.dumps(state["means"]),
        "steps": str(state["step"]),
    }
    save_safetensors(path, state["average"], metadata)
    return path


def export_vocoder(checkpoint: Path, folder: Path) -> Path:
    """Write the running average of a vocoder checkpoint, with its configuration."""
    state = torch.load(checkpoint, weights_only=True)
    path = folder / VOCODER_FILE
    save_safetensors(path, state["average"], {"config": json.dumps(state["config"]), "steps": str(state["step"])})
    return path
