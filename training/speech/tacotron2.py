"""Training of Tacotron 2 on teachers' clips, for some minutes of a GPU.

The teachers' durations are the attention's teacher from the first step, all decoder steps run at once, and scheduled
sampling lets the model go, as `training.speech.acoustic` describes.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from models.speech.attributes import DB_PER_UNIT, SEMITONES_PER_UNIT
from models.speech.tacotron2 import Tacotron2, Tacotron2Config
from models.speech.tacotron2_config import make_length_mask
from training.speech.acoustic import AcousticBatch, SamplingSchedule, compute_decoding_losses
from training.speech.mel_adversary import MelAdversary
from training.speech.parallel_teacher_forcing import decode_all_steps, shift_frames
from training.speech.resident_corpus import MEL_MEAN, MEL_STD, SILENT, ResidentCorpus, TeacherBatch
from training.speech.timed_training import TimedTraining

GAIN_DB, GAIN_CHANCE = 10.0, 0.25
STRETCH_OCTAVES, STRETCH_CHANCE = 1.0, 0.3
"""How far a batch is made faster or slower, and how often: beyond what the teacher itself can say."""


def make_acoustic_batch(batch: TeacherBatch, frames_per_step: int) -> AcousticBatch:
    """Turn durations into where each decoder step should look; frames must be padded to a multiple of the step."""
    ends = batch.durations.cumsum(dim=1)
    at = torch.arange(batch.mel.shape[1], device=ends.device)[None].expand(len(ends), -1).contiguous()
    owner = torch.searchsorted(ends, at, right=True)
    owner = torch.minimum(owner, batch.lengths[:, None] - 1)
    attention = torch.nn.functional.one_hot(owner, batch.symbols.shape[1]).float()
    steps = -(-batch.frames // frames_per_step)
    attributes = [batch.speed, batch.semitones / SEMITONES_PER_UNIT, batch.gain / DB_PER_UNIT]
    return AcousticBatch(
        symbols=batch.symbols,
        lengths=batch.lengths,
        mel=batch.mel,
        mel_lengths=steps * frames_per_step,
        voice=batch.voice,
        attributes=torch.stack(attributes, dim=-1),
        attention=attention.unflatten(1, (-1, frames_per_step)).mean(dim=2),
    )


def stretch_batch(batch: TeacherBatch, octaves: float, multiple: int) -> TeacherBatch:
    """Make a batch faster by `octaves`, with its mel frames and durations; frames stay padded to a multiple."""
    factor = 2.0**-octaves
    frames = (batch.frames * factor).round().long().clamp_min(1)
    length = max(1, round(batch.mel.shape[1] * factor))
    mel = torch.nn.functional.interpolate(batch.mel.transpose(1, 2), size=length, mode="linear").transpose(1, 2)
    size = -(-max(length, int(frames.max())) // multiple) * multiple
    silent = (SILENT - MEL_MEAN) / MEL_STD
    mel = torch.nn.functional.pad(mel, (0, 0, 0, size - length), value=silent)
    inside = torch.arange(size, device=mel.device)[None] < frames[:, None]
    ends = (batch.durations.cumsum(dim=1) * factor).round().long()
    return replace(
        batch,
        mel=mel.masked_fill(~inside[..., None], silent),
        frames=frames,
        durations=torch.diff(ends, dim=1, prepend=torch.zeros_like(ends[:, :1])),
        speed=batch.speed + octaves,
    )


class Tacotron2Training(TimedTraining[Tacotron2]):
    """Training of Tacotron 2; `frames` make a batch.

    Args:
        let_go: the progress at which the model begins to be let go, and at which it is.
        adversarial_from: the progress at which the discriminators join in.
    """

    RATE = 1.5e-3
    BATCH = (16, 96)  # clips in a batch, at least and at most

    def __init__(
        self,
        config: Tacotron2Config,
        corpus: ResidentCorpus,
        until: float,
        weights: Path,
        frames: int = 24_000,
        let_go: tuple[float, float] = (0.1, 0.6),
        adversarial_from: float = 0.6,
    ) -> None:
        self.corpus, self.frames, self.let_go = corpus, frames, let_go
        model = Tacotron2(config).to(corpus.device)
        fused = corpus.device.type == "cuda"
        optimizer = torch.optim.AdamW(model.parameters(), self.RATE, (0.9, 0.98), weight_decay=1e-4, fused=fused)
        super().__init__(model, config, [optimizer], [self.RATE], until, weights)
        self.adversary = MelAdversary(corpus.device, adversarial_from)

    def describe(self) -> dict[str, object]:
        """Return the metadata of the weights."""
        return {**super().describe(), "mel_scale": {"mean": MEL_MEAN, "std": MEL_STD}, "function_word_stress": False}

    def schedule_sampling(self, progress: float) -> SamplingSchedule:
        """Return how far the model follows its teacher at a progress: wholly at first, hardly in the last half."""
        begins, ends = self.let_go
        free = min(1.0, max(0.0, (progress - begins) / (ends - begins)))
        return SamplingSchedule(
            alignment_weight=0.5 - 0.2 * free,
            frame_drop=(0.3 * (1 - free), 1.0 - 0.7 * free),
            free_running_ratio=free,
        )

    def train_step(self) -> dict[str, Any]:
        """Do one step; return the losses and how sharply the attention looks."""
        rng, step = self.corpus.rng, self.config.frames_per_step
        octaves = rng.uniform(-STRETCH_OCTAVES, STRETCH_OCTAVES) * (rng.random() < STRETCH_CHANCE)
        clips = self.corpus.choose(round(self.frames * min(1.0, 2.0**octaves)), self.BATCH)
        gain = rng.uniform(-GAIN_DB, GAIN_DB, len(clips)) * (rng.random(len(clips)) < GAIN_CHANCE)
        spoken = self.corpus.collate(clips, gain, step)
        batch = make_acoustic_batch(stretch_batch(spoken, octaves, step) if octaves else spoken, step)
        progress = self.measure_progress()
        losses = compute_decoding_losses(self.model, batch, self.schedule_sampling(progress))
        report = losses.report
        if not math.isfinite(report["mel"]):
            raise RuntimeError(f"The loss is {report['mel']} at step {self.step}.")
        heard = self.adversary.send_back(
            losses.fine, losses.distance, losses.others, batch.mel, batch.mel_lengths, progress
        )
        self.step_optimizers(1.0)
        return report | heard

    @torch.no_grad()
    def measure(self, count: int = 48) -> dict[str, Any]:
        """Measure the running average on clips that were held out, reading through its own weights."""
        model = self.build_average()
        clips = self.corpus.held_out[:count]
        step = self.config.frames_per_step
        batch = make_acoustic_batch(self.corpus.collate(clips, None, step), step)
        memory = model.encode(batch.symbols, batch.lengths, batch.voice, batch.attributes)
        own = torch.ones(len(clips), device=memory.device)
        previous = shift_frames(batch.mel, step)
        output = decode_all_steps(model.decoder, memory, batch.lengths, previous, batch.attention, own)
        mask = make_length_mask(batch.mel_lengths, batch.mel.shape[1])
        fine = output.mel + model.postnet(output.mel, mask)
        distance = ((fine - batch.mel).abs().mean(dim=-1) * mask).sum() / mask.sum()
        hit = (output.alignment * batch.attention).sum(dim=-1).mean()
        return {"held_out_mel": round(float(distance), 4), "held_out_attention": round(float(hit), 4)}

    def export(self) -> None:
        """Write the weights, and what they do on held-out clips into the log."""
        super().export()
        self.write_log({"step": self.step, **self.measure()})


def make_config(n_symbols: int, voices: tuple[str, ...], attributes: tuple[str, ...], n_mels: int) -> Tacotron2Config:
    """Return the size that is shipped: under five million parameters, two frames (25 ms) in a step."""
    return Tacotron2Config(
        n_symbols=n_symbols,
        n_mels=n_mels,
        symbol_dim=256,
        encoder_dim=256,
        encoder_dropout=0.1,
        attention_rnn_dim=352,
        attention_dim=64,
        location_filters=16,
        prenet_dim=128,
        decoder_rnn_dim=416,
        frames_per_step=2,
        postnet_dim=128,
        postnet_dropout=0.0,
        voices=voices,
        attributes=attributes,
    )
