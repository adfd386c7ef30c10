"""What every speech model of the Hub does with its sound and with a request: level, mel frames, and notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from models.contracts import SpeechRequest

FloatArray = NDArray[np.float32]
LOUDEST = 0.99
NO_MEL = np.zeros((0, 80), np.float32)


def adjust_level(samples: FloatArray, request: SpeechRequest) -> tuple[FloatArray, str]:
    """Return the sound at the level that was asked for, without clipping, and a note where it was turned down."""
    note = ""
    if request.energy_db:
        samples = samples * np.float32(10 ** (request.energy_db / 20))
    peak = float(np.abs(samples).max()) if samples.size else 0.0
    if peak > LOUDEST:
        samples = samples * np.float32(LOUDEST / peak)
        note = "The sound was turned down where it would have clipped."
    return samples.astype(np.float32), note


def note_unheeded(request: SpeechRequest, title: str, controls: Sequence[str], mixes_voices: bool) -> Iterator[str]:
    """Say what a request asks that a model has no input for.

    Args:
        controls: those of "speed", "pitch" and "vocoder" that it has.
    """
    asked = {
        "speed": request.speed != 1.0,
        "pitch": request.pitch_semitones != 0.0,
        "vocoder": request.vocoder != "neural",
    }
    for name, is_asked in asked.items():
        if is_asked and name not in controls:
            yield f"{title} has no control of its {name}; it was left as it is."
    if request.second_voice and not mixes_voices:
        yield f"{title} cannot mix two voices; the first one speaks alone."
    if request.energy_db:
        yield f"{title} has no control of energy; its sound was made louder or softer afterwards."


def compute_mel(samples: FloatArray, sample_rate: int) -> FloatArray:
    """Return mel frames of the sound for the plot, in the studio's convention."""
    if not samples.size:
        return NO_MEL
    import torch

    from models.audio import MelConfig, log_mel, resample

    config = MelConfig()
    return log_mel(torch.from_numpy(resample(samples, sample_rate, config.sample_rate)), config).numpy()
