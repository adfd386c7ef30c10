"""Clips with the mel frames that the acoustic model predicts for them, for the vocoder's second stage."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from models.speech.attributes import MeasuredAttributes
from models.speech.tacotron2 import Tacotron2, Tacotron2Config, make_length_mask
from training.speech.acoustic import MEL_MEAN, MEL_STD, AcousticBatch, collate
from training.speech.corpus import SpeechClip
from training.speech.parallel_teacher_forcing import decode_all_steps, shift_frames


def replace_with_aligned_mel(
    clips: list[SpeechClip], checkpoint: Path, voices: tuple[str, ...], max_clips_per_voice: int = 400, batch: int = 8
) -> list[SpeechClip]:
    """Replace each clip's mel frames by the teacher-forced prediction; frame t still belongs to sample t * hop.

    Args:
        clips: those with another pitch, and those of voices that are not named, are left out.
        checkpoint: of the acoustic trainer; its running average predicts.
        most_of_a_voice: so many clips at most are taken of each voice, the same ones each time.
    """
    state = torch.load(checkpoint, weights_only=True)
    config = Tacotron2Config.from_dict(state["config"])
    model = Tacotron2(config)
    model.load_state_dict(state["average"])
    model.eval()
    means = {voice: MeasuredAttributes(**values) for voice, values in state["means"].items()}
    wanted = []
    for voice in voices:
        of_voice = [c for c in clips if c.voice == voice and not c.shifted]
        wanted += random.Random(0).sample(of_voice, min(max_clips_per_voice, len(of_voice)))
    wanted.sort(key=lambda c: len(c.mel))
    generator = torch.Generator().manual_seed(0)
    predicted: list[SpeechClip] = []
    for start in range(0, len(wanted), batch):
        group = wanted[start : start + batch]
        items = [(c, c.mel.astype(np.float32), c.path, c.measured.relative_to(means[c.voice])) for c in group]
        mel = predict_mel(model, collate(items, config.frames_per_step, config.voices), generator)
        predicted += [replace(c, mel=mel[row, : len(c.mel)]) for row, c in enumerate(group)]
    return predicted


@torch.inference_mode()
def predict_mel(model: Tacotron2, batch: AcousticBatch, generator: torch.Generator) -> np.ndarray:
    """Predict log mel (B, T, M), float16, from the true frames before each step and the model's own weights.

    A first pass shows where the model would look; the second has that as its past.
    """
    memory = model.encode(batch.symbols, batch.lengths, batch.voice, batch.attributes)
    previous = shift_frames(batch.mel, model.config.frames_per_step)
    alignment, own_ratio = batch.attention, torch.ones(len(batch.lengths))
    for _ in range(2):
        output = decode_all_steps(model.decoder, memory, batch.lengths, previous, alignment, own_ratio, generator)
        alignment = output.alignment
    fine = output.mel + model.postnet(output.mel, make_length_mask(batch.mel_lengths, output.mel.shape[1]))
    return (fine * MEL_STD + MEL_MEAN).numpy().astype(np.float16)
