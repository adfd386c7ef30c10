"""Training of the parallel acoustic model on teachers' clips, for some minutes of a GPU.

Distances to mel frames, durations, F0 and energy come first; discriminators (`training.speech.mel_adversary`) join in.

Letters: B batch, L symbols, T frames, M mel bands.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.speech.fastspeech2 import FastSpeech2, FastSpeech2Config, Variances
from models.speech.tacotron2_config import make_length_mask
from training.speech.mel_adversary import MelAdversary
from training.speech.resident_corpus import MEL_MEAN, MEL_STD, ResidentCorpus, TeacherBatch
from training.speech.timed_training import TimedTraining

GAIN_DB, GAIN_CHANCE = 10.0, 0.2
OCTAVES_PER_SEMITONE = math.log(2) / 12


def average_inside(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of values (B, T) or (B, T, M) where mask (B, T) holds."""
    mask = mask if values.dim() == 2 else mask[..., None].expand_as(values)
    return (values * mask).sum() / mask.sum().clamp_min(1)


def measure_variation(mel: Tensor, frames: Tensor) -> Tensor:
    """Return how much cepstral coefficients 9 to 24 vary over time in mel (B, T, M): the mean of their deviations."""
    bands = mel.shape[2]
    angle = math.pi / bands * (torch.arange(bands, device=mel.device) + 0.5)
    basis = torch.cos(angle[:, None] * torch.arange(9, min(25, bands), device=mel.device))
    cepstra = mel.float() @ basis
    deviations = [item[: int(count)].std(dim=0).mean() for item, count in zip(cepstra, frames, strict=True)]
    return torch.stack(deviations).mean()


class FastSpeech2Training(TimedTraining[FastSpeech2]):
    """Training of FastSpeech 2 with discriminators.

    Args:
        frames: of a batch.
        adversarial_from: the progress at which the discriminators join in, after they have watched for a while.
    """

    RATE = 1.5e-3
    BATCH = (16, 192)  # clips in a batch, at least and at most

    def __init__(
        self,
        config: FastSpeech2Config,
        corpus: ResidentCorpus,
        until: float,
        weights: Path,
        frames: int = 28_000,
        adversarial_from: float = 0.35,
    ) -> None:
        self.corpus, self.frames = corpus, frames
        model = FastSpeech2(config).to(corpus.device)
        fused = corpus.device.type == "cuda"
        optimizer = torch.optim.AdamW(model.parameters(), self.RATE, (0.9, 0.98), weight_decay=0.01, fused=fused)
        super().__init__(model, config, [optimizer], [self.RATE], until, weights)
        self.adversary = MelAdversary(corpus.device, adversarial_from)

    def describe(self) -> dict[str, object]:
        """Return the metadata of the weights."""
        return {**super().describe(), "mel_scale": {"mean": MEL_MEAN, "std": MEL_STD}, "function_word_stress": False}

    def draw(self) -> TeacherBatch:
        """Draw a batch, some clips of it louder or softer."""
        clips = self.corpus.choose(self.frames, self.BATCH)
        rng = self.corpus.rng
        gain = rng.uniform(-GAIN_DB, GAIN_DB, len(clips)) * (rng.random(len(clips)) < GAIN_CHANCE)
        return self.corpus.collate(clips, gain)

    def train_step(self) -> dict[str, Tensor]:
        """Do one step; return the losses."""
        progress = self.measure_progress()
        batch = self.draw()
        is_free = torch.rand(len(batch.voice), device=self.corpus.device) < max(0.0, 0.8 * (progress - 0.2))
        with torch.autocast(self.corpus.device.type, torch.bfloat16):
            mel, losses = self.predict(batch, is_free)
        mel = mel.float()
        mask = make_length_mask(batch.frames, mel.shape[1])
        distance = average_inside((mel - batch.mel).abs(), mask)
        report = {"mel": distance.detach(), **{name: loss.detach() for name, loss in losses.items()}}
        others = sum(losses.values(), mel.new_zeros(()))
        heard = self.adversary.send_back(mel, distance, others, batch.mel, batch.frames, progress)
        self.step_optimizers(1.0)
        return report | heard

    def predict(self, batch: TeacherBatch, is_free: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Predict normalised mel (B, T, M) with the true variances, or its own where `is_free` (B,); and the losses."""
        model = self.model
        encoded = model.encode(batch.symbols, batch.lengths, batch.voice)
        is_symbol = make_length_mask(batch.lengths, encoded.shape[1])
        wanted = torch.log1p(batch.durations * torch.exp2(batch.speed)[:, None])
        durations = model.predict_durations(encoded, is_symbol).float()
        frames, lengths = model.expand(encoded, batch.durations, batch.mel.shape[1])
        mask = make_length_mask(lengths, frames.shape[1])
        own = model.predict_variances(frames, mask)
        shift = (batch.semitones * OCTAVES_PER_SEMITONE)[:, None]
        louder = (batch.gain * math.log(10) / 20 / MEL_STD)[:, None]
        spoken = mask & batch.voiced
        losses = {
            "duration": average_inside((durations - wanted).abs(), is_symbol),
            "pitch": 2.0 * average_inside((own.log_pitch + shift - batch.log_pitch).abs(), spoken),
            "voicing": 0.5
            * average_inside(
                F.binary_cross_entropy_with_logits(own.voicing, batch.voiced.float(), reduction="none"), mask
            ),
            "energy": 0.5 * average_inside((own.energy + louder - batch.energy).abs(), mask),
        }
        free = is_free[:, None]
        told = Variances(
            torch.where(free, own.log_pitch.detach() + shift, batch.log_pitch),
            torch.where(free, own.voicing.detach(), batch.voiced.float() - 0.5),
            torch.where(free, own.energy.detach() + louder, batch.energy),
        )
        return model.decode(frames, told, mask), losses

    @torch.no_grad()
    def measure(self, count: int = 64) -> dict[str, Any]:
        """Measure the running average on clips of each voice that were held out.

        Returns:
            losses and the ratio of variation over time, a list each, a value for each voice that has clips.
        """
        network, self.model = self.model, self.build_average()
        corpus = self.corpus
        figures: dict[str, list[float]] = {}
        for voice in np.unique(corpus.voice[corpus.held_out]):
            clips = corpus.held_out[corpus.voice[corpus.held_out] == voice][:count]
            batch = corpus.collate(clips)
            mel, losses = self.predict(batch, torch.ones(len(clips), dtype=torch.bool, device=corpus.device))
            mask = make_length_mask(batch.frames, mel.shape[1])
            ratio = measure_variation(mel, batch.frames) / measure_variation(batch.mel, batch.frames)
            mine = {"mel": average_inside((mel - batch.mel).abs(), mask), **losses, "variation_ratio": ratio}
            for name, value in mine.items():
                figures.setdefault(f"held_out_{name}", []).append(round(float(value), 4))
        self.model = network
        return figures

    def export(self) -> None:
        """Write the weights, and what they do on held-out clips into the log."""
        super().export()
        self.write_log({"step": self.step, **self.measure()})
