"""Clips with the mel frames that the acoustic model predicts for them, for the vocoder's second stage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from models.speech.attributes import Measured
from models.speech.corpus import Clip
from models.speech.tacotron2 import Tacotron2, Tacotron2Config
from models.speech.train_acoustic import MEL_MEAN, MEL_STD, collate


def with_predicted_mel(clips: list[Clip], checkpoint: Path, voices: tuple[str, ...], batch: int = 8) -> list[Clip]:
    """Replace each clip's mel frames by the teacher-forced prediction; frame t still belongs to sample t * hop.

    Args:
        clips: those with another pitch, and those of voices that are not named, are left out.
        checkpoint: of the acoustic trainer; its running average predicts.
    """
    state = torch.load(checkpoint, weights_only=True)
    config = Tacotron2Config.from_dict(state["config"])
    model = Tacotron2(config)
    model.load_state_dict(state["average"])
    model.eval()
    means = {voice: Measured(**values) for voice, values in state["means"].items()}
    wanted = sorted((c for c in clips if not c.shifted and c.voice in voices), key=lambda c: len(c.mel))
    generator = torch.Generator().manual_seed(0)
    predicted: list[Clip] = []
    for start in range(0, len(wanted), batch):
        group = wanted[start : start + batch]
        items = [(c, c.mel.astype(np.float32), c.path, c.measured.relative_to(means[c.voice])) for c in group]
        b = collate(items, config.frames_per_step, config.voices)
        with torch.inference_mode():
            _, fine, _, _ = model(b.symbols, b.lengths, b.mel, b.mel_lengths, b.voice, b.attributes, generator)
        mel = (fine * MEL_STD + MEL_MEAN).numpy().astype(np.float16)
        predicted += [replace(c, mel=mel[row, : len(c.mel)]) for row, c in enumerate(group)]
    return predicted
