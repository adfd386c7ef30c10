"""Training of the acoustic model (Tacotron 2 with attributes) on a corpus; called by `training.speech.train`.

One run has one schedule. The share of the target voice in each batch rises from `first_share` to `last_share`: the
attention learns to read on many clean synthetic texts, then the human voice takes over. Forced alignments
(`training.speech.aligner`) teach the attention: a loss asks for them, and the decoder follows them, so that it learns
what each sound looks like before it can find it, and so that all steps run at once
(`training.speech.parallel_teacher_forcing`). Scheduled sampling (`SamplingSchedule`) then lets the model go: it reads
through its own weights, its past is mixed with what it would itself have looked at and drawn, and the last steps may
run one after another as at inference. Guided attention, which asks for any diagonal, was tried first: it taught the
attention to count steps and to ignore what it read, while the decoder's loss still fell.

The frame before is often withheld, at a rate drawn for each utterance (after the drop frame rate of Liu et al. 2020,
"Maximizing Mutual Information for Tacotron", section 3.2): with it alone the next frames are guessed well enough that a
short training never learns to read. The rate falls as the model is let go: the attention needs to hear how far it has
come.

Each batch is stretched in time, scaled in level and drawn from pitch-shifted versions by chance, with the attributes
that result given to the model: that is what teaches the attribute encoders ranges which one reader never uses.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.speech.attributes import ATTRIBUTES, average_measurements
from models.speech.symbols import SYMBOLS
from models.speech.tacotron2 import Tacotron2, Tacotron2Config, make_length_mask
from training.loop import PlannedTraining
from training.speech.corpus import SpeechClip
from training.speech.parallel_teacher_forcing import DecoderOutput, decode_all_steps, shift_frames

MEL_MEAN, MEL_STD = -5.0, 2.0
"""The network works on (mel - MEL_MEAN) / MEL_STD; written into the weights' metadata."""
SILENT_MEL = math.log(1e-5)
STRETCH_OCTAVES = 0.9
GAIN_DB = 11.0


@dataclass(frozen=True)
class AcousticPlan:
    """The plan of a training: how long and on what; rates are Adam's. Pairs are first and last values."""

    steps: int = 3000
    last_sequential: int = 0
    batch_frames: int = 4000
    batch: tuple[int, int] = (6, 24)
    target_voice: str = "lj"
    first_share: float = 0.45
    last_share: float = 0.9
    learning_rate: float = 1.2e-3
    last_learning_rate: float = 5e-5
    warm_up: int = 100
    alignment_weight: tuple[float, float] = (0.5, 0.3)
    frame_drop: tuple[float, float] = (0.3, 1.0)
    last_frame_drop: tuple[float, float] = (0.0, 0.4)
    sampling_from: float = 0.05
    sampling_until: float = 0.6
    stretch_chance: float = 0.25
    gain_chance: float = 0.3
    shift_chance: float = 0.2
    min_frames: float = 150.0
    max_frames: float = 760.0
    candidates: int = 12
    average: float = 0.995
    seed: int = 1

    def schedule_sampling(self, step: int) -> SamplingSchedule:
        """Return how far the model follows its teacher at a step."""
        progress = (min(1.0, step / self.steps) - self.sampling_from) / (self.sampling_until - self.sampling_from)
        free_running_ratio = min(1.0, max(0.0, progress))

        def between(first: float, last: float) -> float:
            return first + (last - first) * free_running_ratio

        return SamplingSchedule(
            alignment_weight=between(*self.alignment_weight),
            frame_drop=(
                between(self.frame_drop[0], self.last_frame_drop[0]),
                between(self.frame_drop[1], self.last_frame_drop[1]),
            ),
            free_running_ratio=free_running_ratio,
            sequential=step >= self.steps - self.last_sequential,
        )


@dataclass(frozen=True)
class SamplingSchedule:
    """How far the model follows its teacher at one step of the training (scheduled sampling).

    `free_running_ratio`, from 0 to 1, bounds what is drawn for each utterance: to which share it reads through its own
    weights, how much of its own weights the attention's past holds, and how often the frame before is its own.
    """

    alignment_weight: float
    frame_drop: tuple[float, float]
    free_running_ratio: float
    sequential: bool = False


@dataclass
class AcousticBatch:
    """Padded tensors; B items, L symbols, T frames."""

    symbols: Tensor
    lengths: Tensor
    mel: Tensor
    mel_lengths: Tensor
    voice: Tensor
    attributes: Tensor
    attention: Tensor  # (B, S, L), where each decoder step should look


Item = tuple[SpeechClip, np.ndarray, np.ndarray, tuple[float, ...]]
"""A clip, its augmented mel frames (T, M), their path (T,) and the attributes of the result."""


class SpeechBatchSampler:
    """A source of batches of clips of like length, with augmentation, from a seeded generator."""

    def __init__(self, clips: list[SpeechClip], plan: AcousticPlan, frames_per_step: int) -> None:
        self.plan, self.frames_per_step = plan, frames_per_step
        self.voices = tuple(dict.fromkeys(c.voice for c in clips))
        self.means = {
            v: average_measurements([c.measured for c in clips if c.voice == v and not c.shifted]) for v in self.voices
        }
        self.plain = {v: [c for c in clips if c.voice == v and not c.shifted] for v in self.voices}
        self.shifted = {v: [c for c in clips if c.voice == v and c.shifted] for v in self.voices}
        self.rng = random.Random(plan.seed)
        self.shape_rng = random.Random(plan.seed)  # equal in all processes, so that none waits for a longer batch

    def draw(self, progress: float) -> AcousticBatch:
        """Draw a batch; `progress` in [0, 1] sets the share of the target voice."""
        plan = self.plan
        share = plan.first_share + (plan.last_share - plan.first_share) * progress
        shape = self.shape_rng
        wanted_frames = shape.uniform(plan.min_frames, plan.max_frames)
        stretched = shape.random() < plan.stretch_chance
        octaves = shape.uniform(-STRETCH_OCTAVES, STRETCH_OCTAVES) if stretched else 0.0
        count = min(max(round(plan.batch_frames / wanted_frames), plan.batch[0]), plan.batch[1])
        items = [self._draw_item(share, wanted_frames, octaves) for _ in range(count)]
        return collate(items, self.frames_per_step, self.voices)

    def _draw_item(self, share: float, wanted_frames: float, octaves: float) -> Item:
        """Draw clips of a random voice and take the one that comes out nearest the wanted length: little padding.

        A batch is stretched as a whole by about `octaves`, for the same reason.
        """
        plan, rng = self.plan, self.rng
        others = [v for v in self.voices if v != plan.target_voice]
        target = not others or rng.random() < share
        voice = plan.target_voice if target else rng.choices(others, [len(self.plain[v]) for v in others])[0]
        shifted = self.shifted[voice] and rng.random() < plan.shift_chance
        pool = self.shifted[voice] if shifted else self.plain[voice]
        octaves = octaves + rng.uniform(-0.15, 0.15) if octaves else 0.0
        candidates = [rng.choice(pool) for _ in range(plan.candidates)]
        clip = min(candidates, key=lambda c: abs(len(c.mel) / 2**octaves - wanted_frames))
        return self._augment(clip, octaves)

    def _augment(self, clip: SpeechClip, octaves: float) -> Item:
        """Make the clip faster by `octaves`, perhaps louder or softer."""
        mel, path, measured = clip.mel.astype(np.float32), clip.path, clip.measured
        if octaves:
            length = round(len(mel) / 2**octaves)
            measured = replace(measured, symbols_per_s=measured.symbols_per_s * len(mel) / length)
            path = path[((np.arange(length) + 0.5) * len(path) / length).astype(int)]
            tensor = torch.from_numpy(mel).T[None]
            mel = F.interpolate(tensor, size=length, mode="linear", align_corners=False)[0].T.numpy()
        if self.rng.random() < self.plan.gain_chance:
            gain_db = self.rng.uniform(-GAIN_DB, GAIN_DB)
            measured = replace(measured, level_db=measured.level_db + gain_db)
            mel = np.maximum(mel + gain_db * math.log(10) / 20, SILENT_MEL)
        return clip, mel, path, measured.relative_to(self.means[clip.voice])


def collate(items: Sequence[Item], frames_per_step: int, voices: tuple[str, ...]) -> AcousticBatch:
    """Pad to the longest; frames also to a multiple of the decoder's step, with silence."""
    lengths = torch.tensor([len(clip.symbols) for clip, _, _, _ in items])
    mel_lengths = torch.tensor([-(-len(mel) // frames_per_step) * frames_per_step for _, mel, _, _ in items])
    symbols = torch.zeros(len(items), int(lengths.max()), dtype=torch.long)
    frames = torch.full((len(items), int(mel_lengths.max()), items[0][1].shape[1]), SILENT_MEL)
    attention = torch.zeros(len(items), frames.shape[1], symbols.shape[1])
    for row, (clip, mel, path, _) in enumerate(items):
        symbols[row, : len(clip.symbols)] = torch.tensor(clip.symbols)
        frames[row, : len(mel)] = torch.from_numpy(mel)
        places = np.concatenate([path, np.repeat(path[-1:], int(mel_lengths[row]) - len(path))])
        attention[row, torch.arange(len(places)), torch.from_numpy(places.astype(np.int64))] = 1.0
    return AcousticBatch(
        symbols=symbols,
        lengths=lengths,
        mel=(frames - MEL_MEAN) / MEL_STD,
        mel_lengths=mel_lengths,
        voice=torch.tensor([voices.index(clip.voice) for clip, _, _, _ in items]),
        attributes=torch.tensor([values for _, _, _, values in items], dtype=torch.float32),
        attention=attention.unflatten(1, (-1, frames_per_step)).mean(dim=2),
    )


def compute_alignment_loss(alignment: Tensor, wanted: Tensor, step_mask: Tensor) -> Tensor:
    """Return the mean cross entropy of the attention weights with where each step should look.

    Args:
        alignment, wanted: (B, S, L), rows summing to one; step_mask: bool (B, S).
    """
    entropy = -(wanted * (alignment + 1e-6).log()).sum(dim=-1)
    return (entropy * step_mask).sum() / step_mask.sum()


def decode(model: Tacotron2, batch: AcousticBatch, schedule: SamplingSchedule) -> DecoderOutput:
    """Decode a batch as the schedule says: coarse frames, stop logits and alignment."""
    memory = model.encode(batch.symbols, batch.lengths, batch.voice, batch.attributes)
    count, device = len(batch.lengths), batch.mel.device
    frame_drop = torch.empty(count, device=device).uniform_(*schedule.frame_drop)
    if schedule.sequential:
        return DecoderOutput(*model.decoder(memory, batch.lengths, batch.mel, frame_drop=frame_drop))
    previous, teacher = shift_frames(batch.mel, model.config.frames_per_step), batch.attention
    withheld = torch.rand(previous.shape[:2], device=device) < frame_drop[:, None]
    previous = previous.masked_fill(withheld[..., None], 0.0)
    if torch.rand(()) < schedule.free_running_ratio:
        with torch.no_grad():
            own = decode_all_steps(model.decoder, memory, batch.lengths, previous, teacher)
        own_past = torch.rand(count, device=device) * schedule.free_running_ratio
        teacher = torch.lerp(teacher, own.alignment, own_past[:, None, None])
        guessed = torch.rand(previous.shape[:2], device=device)
        guessed = guessed < torch.rand(count, 1, device=device) * schedule.free_running_ratio
        own_previous = shift_frames(own.mel, model.config.frames_per_step)
        previous = torch.where((guessed & ~withheld)[..., None], own_previous, previous)
    low, high = max(0.0, 2 * schedule.free_running_ratio - 1.0), min(1.0, 2 * schedule.free_running_ratio)
    own_ratio = low + (high - low) * torch.rand(count, device=device)
    return decode_all_steps(model.decoder, memory, batch.lengths, previous, teacher, own_ratio)


@dataclass
class DecodingLosses:
    """What a decoded batch lacks, in parts.

    Attributes:
        fine: (B, T, M), the mel frames after the postnet; `distance` is theirs.
        others: the loss of the frames before the postnet, of stops and of attention.
    """

    fine: Tensor
    distance: Tensor
    others: Tensor
    report: dict[str, float]


def compute_decoding_losses(model: Tacotron2, batch: AcousticBatch, schedule: SamplingSchedule) -> DecodingLosses:
    """Decode a batch as the schedule says and compare it with what was wanted."""
    output = decode(model, batch, schedule)
    coarse, stop, alignment = output.mel, output.stop, output.alignment
    fine = coarse + model.postnet(coarse, make_length_mask(batch.mel_lengths, batch.mel.shape[1]))
    steps = batch.mel_lengths // model.config.frames_per_step
    mask = make_length_mask(batch.mel_lengths, batch.mel.shape[1])[..., None]
    count = mask.sum() * batch.mel.shape[2]

    def distance(mel: Tensor) -> Tensor:
        difference = (mel - batch.mel) * mask
        return (difference.abs().sum() + 0.5 * (difference**2).sum()) / count

    step_mask = make_length_mask(steps, stop.shape[1])
    is_last = torch.arange(stop.shape[1], device=stop.device)[None] >= (steps[:, None] - 1)
    stop_loss = F.binary_cross_entropy_with_logits(stop, is_last.float(), weight=1.0 + 4.0 * is_last)
    astray = compute_alignment_loss(alignment, batch.attention, step_mask)
    before, after = distance(coarse), distance(fine)
    focus = (alignment.amax(dim=2) * step_mask).sum() / step_mask.sum()
    report = {
        "mel": float((before + after).detach()),
        "stop": float(stop_loss.detach()),
        "alignment": float(astray.detach()),
        "focus": float(focus.detach()),
    }
    return DecodingLosses(fine, after, before + stop_loss + schedule.alignment_weight * astray, report)


def compute_losses(
    model: Tacotron2, batch: AcousticBatch, schedule: SamplingSchedule
) -> tuple[Tensor, dict[str, float]]:
    """Return the training loss and what it is made of."""
    losses = compute_decoding_losses(model, batch, schedule)
    return losses.distance + losses.others, losses.report


class AcousticTrainer(PlannedTraining[Tacotron2]):
    """Training of Tacotron 2 on clips; resumes from `acoustic.pt` in its folder."""

    def __init__(self, clips: list[SpeechClip], plan: AcousticPlan, folder: Path) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        voices = tuple(dict.fromkeys(c.voice for c in clips))
        config = Tacotron2Config.small(len(SYMBOLS), voices, ATTRIBUTES)
        self.sampler = SpeechBatchSampler(clips, plan, config.frames_per_step)
        model = Tacotron2(config)
        optimizer = torch.optim.AdamW(model.parameters(), plan.learning_rate, weight_decay=1e-5)
        super().__init__(model, config, optimizer, folder / "acoustic.pt")
        self.sampler.rng.seed(self.seed_draws(plan.seed))
        self.sampler.shape_rng.seed(plan.seed + self.step)

    def make_state(self) -> dict[str, Any]:
        """Return what the checkpoint holds, with the voices' mean attributes."""
        return {**super().make_state(), "means": {v: asdict(m) for v, m in self.sampler.means.items()}}

    def schedule_rates(self) -> tuple[float, ...]:
        """Return the learning rate: a linear warm-up to the full rate, then a cosine down to the last."""
        plan = self.plan
        if self.step < plan.warm_up:
            return (plan.learning_rate * (self.step + 1) / plan.warm_up,)
        return super().schedule_rates()

    def train_step(self) -> dict[str, Any]:
        """Do one step; return the losses, how sharply the attention looks, and the norm of the gradient."""
        batch = self.sampler.draw(min(1.0, self.step / self.plan.steps))
        loss, report = compute_losses(self.model, batch, self.plan.schedule_sampling(self.step))
        norm = self.descend(loss, 1.0)
        return {**report, "norm": float(norm)}
