"""Training of the source-filter vocoder on teachers' sound, for some minutes of a GPU.

Distances of spectra come first, then discriminators of periods (Kong et al. 2020, "HiFi-GAN", section 2.3) and of
spectrograms (Jang et al. 2021, "UnivNet") join in. In the last part half of the pieces are what the acoustic model
draws for a clip from its true durations, F0 and energy, so that the vocoder knows those frames, too.

Letters: B batch, T frames, M mel bands, N samples.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.audio import MelConfig, log_mel
from models.errors import ModelError
from models.speech.fastspeech2 import FastSpeech2, FastSpeech2Config, Variances
from models.speech.tacotron2_config import make_length_mask
from models.speech.vocoder import SourceFilterVocoder, VocoderConfig
from models.weights_io import load_network
from training.speech.resident_corpus import F0_UNIT_HZ, MEL_MEAN, MEL_STD, ResidentCorpus
from training.speech.timed_training import TimedTraining
from training.speech.vocoder import (
    DISCRIMINATOR_RESOLUTIONS,
    SpectrogramDiscriminator,
    compute_pitch_loss,
    compute_spectral_loss,
)

PERIODS = (2, 3, 5, 7, 11)
MEL_RESOLUTIONS = ((512, 20), (1024, 40), (2048, 80))
GAIN_DB = (-14.0, 6.0)


class PeriodDiscriminator(nn.Module):
    """A judge of every p-th sample: the sound folded to rows of a period, under 2-D convolutions along the columns."""

    def __init__(self, period: int, channels: int = 24) -> None:
        super().__init__()
        self.period = period
        norm = nn.utils.parametrizations.weight_norm
        widths = [1, channels, 4 * channels, 12 * channels, 16 * channels]
        self.layers = nn.ModuleList(
            norm(nn.Conv2d(a, b, (5, 1), stride=(3, 1), padding=(2, 0))) for a, b in itertools.pairwise(widths)
        )
        self.output = norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, samples: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return scores of samples (B, N), and the features of each layer."""
        count = samples.shape[1] // self.period * self.period
        x = samples[:, :count].unflatten(1, (-1, self.period))[:, None]
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.1)
            features.append(x)
        return torch.as_tensor(self.output(x)), features


class AdversarialVocoderTraining(TimedTraining[SourceFilterVocoder]):
    """Training of the vocoder with discriminators.

    Args:
        pieces, frames: how many pieces make a batch, and how long they are.
        acoustic: weights of the acoustic model, read whenever it is to draw its clips, if they are there.
    """

    RATE = 8e-4
    ADVERSARIAL_FROM = 0.25
    PREDICTED_AT: tuple[float, ...] = (0.62,)  # when the acoustic model draws its clips, anew each time
    PREDICTED_CLIPS, PREDICTED_FRAMES = 6_000, 40_000  # at most, of the acoustic model; and in a batch of it
    MARGIN = 4  # frames at the edges of a piece, whose surroundings are unknown

    def __init__(
        self,
        config: VocoderConfig,
        corpus: ResidentCorpus,
        until: float,
        weights: Path,
        acoustic: Path,
        pieces: int = 40,
        frames: int = 64,
    ) -> None:
        self.corpus, self.pieces, self.frames, self.acoustic = corpus, pieces, frames, acoustic
        model = SourceFilterVocoder(config).to(corpus.device)
        fused = corpus.device.type == "cuda"
        optimizer = torch.optim.AdamW(model.parameters(), self.RATE, (0.8, 0.95), fused=fused)
        super().__init__(model, config, [optimizer], [self.RATE], until, weights)
        self.judges = self.make_judges().to(corpus.device)
        self.judge_optimizer = torch.optim.AdamW(self.judges.parameters(), 3e-4, (0.8, 0.95), fused=fused)
        self.scales = [
            MelConfig(config.mel.sample_rate, size, size // 4, bands, 0.0, 0.5 * config.mel.sample_rate)
            for size, bands in MEL_RESOLUTIONS
        ]
        self.predicted: Tensor | None = None  # the acoustic model's frames (T, M) of the clips in `predicted_clips`
        self.predicted_clips = np.zeros(0, int)
        self.drawings = 0  # how often the acoustic model was asked

    def make_judges(self) -> nn.ModuleList:
        """Make the discriminators."""
        periods = [PeriodDiscriminator(period) for period in PERIODS]
        return nn.ModuleList([*periods, *(SpectrogramDiscriminator(*r, 32) for r in DISCRIMINATOR_RESOLUTIONS)])

    def draw(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Draw pieces at various levels.

        Returns:
            log mel (B, T, M), F0 in Hz (B, T), voicing (B, T), samples (B, (T - 1) * hop), cycles or nan (B, T).
        """
        corpus, rng = self.corpus, self.corpus.rng
        place, log_pitch, voiced, samples = corpus.draw_pieces(self.pieces, self.frames)
        mel = corpus.mel[place].float()
        if self.predicted is not None:
            half = self.pieces // 2
            clips = rng.choice(self.predicted_clips, half)
            room = np.maximum(corpus.clip_frames[clips] - self.frames, 0)
            start = corpus.frame_starts[clips] + (rng.random(half) * (room + 1)).astype(int)
            at, *rest = corpus.take_pieces(clips, start, self.frames)
            mel[:half], place[:half] = self.predicted[at].float(), at
            log_pitch[:half], voiced[:half], samples[:half] = rest
        gain_db = rng.uniform(*GAIN_DB, self.pieces) * (rng.random(self.pieces) < 0.5)
        gain = torch.from_numpy(gain_db.astype(np.float32)).to(corpus.device)[:, None] * (math.log(10) / 20)
        mel = (mel + gain[..., None]).clamp_min(math.log(1e-5))
        return mel, log_pitch.exp() * F0_UNIT_HZ, voiced, samples * gain.exp(), corpus.cycles[place]

    def train_step(self) -> dict[str, Tensor]:
        """Do one step; return the losses."""
        progress = self.measure_progress()
        if progress > (*self.PREDICTED_AT, math.inf)[self.drawings]:
            self.drawings += 1
            self.predict_clips()
        mel, f0, voiced, true, cycles = self.draw()
        model, config = self.model, self.config.mel
        logits, voicing = model.pitch((mel - model.MEL_MEAN) / model.MEL_STD)
        pitch = compute_pitch_loss(model, logits, voicing, f0 * voiced)
        noise = torch.randn(len(mel), (mel.shape[1] - 1) * config.hop_length + config.n_fft, device=mel.device)
        is_aligned = ~cycles.isnan().any(dim=1) & (torch.rand(len(cycles), device=mel.device) < 0.75)
        own = model.pitch.decode(logits).detach() if progress > 0.3 else f0
        f0 = torch.where(is_aligned[:, None], f0, own)
        made = model(mel, noise, f0, cycles.masked_fill(~is_aligned[:, None], torch.nan))
        margin = self.MARGIN * config.hop_length
        made, true = made[:, margin:-margin], true[:, margin:-margin]
        spectral, bands = compute_spectral_loss(made, true), self.compute_mel_loss(made, true)
        level = (made.square().mean(dim=1) + 1e-6).log() - (true.square().mean(dim=1) + 1e-6).log()
        report = {"spectral": spectral.detach(), "bands": bands.detach(), "pitch": pitch.detach()}
        report["louder_db"] = 4.343 * level.detach().mean()
        loss = 10.0 * spectral + 15.0 * bands + 2.0 * pitch + level.abs().mean()
        if progress > self.ADVERSARIAL_FROM:
            report["judges"] = self.train_judges(true, made.detach())
            fooled, matched = self.compute_adversarial_losses(true, made, is_aligned)
            share = min(1.0, (progress - self.ADVERSARIAL_FROM) / 0.05)
            loss = loss + share * (fooled + 2.0 * matched)
            report |= {"fooled": fooled.detach(), "features": matched.detach()}
        loss.backward()
        self.step_optimizers(10.0)
        return report

    def compute_mel_loss(self, made: Tensor, true: Tensor) -> Tensor:
        """Return the mean distance of log mel frames at several resolutions."""
        total = made.new_zeros(())
        for scale in self.scales:
            total = total + (log_mel(made, scale) - log_mel(true, scale)).abs().mean()
        return total / len(self.scales)

    def train_judges(self, true: Tensor, made: Tensor) -> Tensor:
        """Train the discriminators by least squares; return their mean loss."""
        loss = made.new_zeros(())
        both = torch.cat([true, made])
        for judge in self.judges:
            with torch.autocast(made.device.type, torch.bfloat16):
                scores = judge(both)[0].float().chunk(2)
            loss = loss + ((1 - scores[0]) ** 2).mean() + (scores[1] ** 2).mean()
        self.judge_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for group in self.judge_optimizer.param_groups:
            group["lr"] = 3e-4 * min(1.0, 1.6 * (1.0 - self.measure_progress()) + 0.05)
        self.judge_optimizer.step()
        return loss.detach() / len(self.judges)

    def compute_adversarial_losses(self, true: Tensor, made: Tensor, is_aligned: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the vocoder wants of the discriminators: to be taken as real, and like features.

        Features are compared where the pulses fall together with the true ones, is_aligned (B,).
        """
        fooled, matched = made.new_zeros(()), made.new_zeros(())
        self.judges.requires_grad_(False)
        for judge in self.judges:
            with torch.autocast(made.device.type, torch.bfloat16):
                scores, features = judge(made)
                with torch.no_grad():
                    wanted = judge(true)[1]
            fooled = fooled + ((1 - scores.float()) ** 2).mean()
            for a, b in zip(features, wanted, strict=True):
                apart = (a.float() - b.float()).abs().flatten(1).mean(dim=1)
                matched = matched + (apart * is_aligned).sum() / is_aligned.sum().clamp_min(1)
        self.judges.requires_grad_(True)
        return fooled, matched

    @torch.no_grad()
    def predict_clips(self) -> None:
        """Let the acoustic model draw clips from their true durations, F0 and energy; nothing, if its weights lack."""
        try:
            acoustic = load_network(self.acoustic, make_fastspeech2, "the acoustic model")
        except ModelError as error:
            self.write_log({"step": self.step, "note": str(error)})
            return
        corpus = self.corpus
        acoustic.to(corpus.device)
        fit = np.flatnonzero(corpus.clip_frames > self.frames + 2)
        own = np.flatnonzero(corpus.voice[fit] > 0)
        rest = np.flatnonzero(corpus.voice[fit] == 0)
        chosen = fit[np.concatenate([own, corpus.rng.permutation(rest)[: max(0, self.PREDICTED_CLIPS - len(own))]])]
        chosen = chosen[np.argsort(corpus.clip_frames[chosen])]
        predicted = torch.zeros_like(corpus.mel)
        start = 0
        while start < len(chosen):
            count = max(1, self.PREDICTED_FRAMES // int(corpus.clip_frames[chosen[min(start + 64, len(chosen) - 1)]]))
            clips = chosen[start : start + min(count, 64)]
            start += len(clips)
            batch = corpus.collate(clips)
            encoded = acoustic.encode(batch.symbols, batch.lengths, batch.voice)
            expanded, lengths = acoustic.expand(encoded, batch.durations)
            mask = make_length_mask(lengths, expanded.shape[1])
            variances = Variances(batch.log_pitch, batch.voiced.float() - 0.5, batch.energy)
            mel = acoustic.decode(expanded, variances, mask) * MEL_STD + MEL_MEAN
            for row, clip in enumerate(clips):
                first, end = corpus.frame_starts[clip], corpus.frame_ends[clip]
                predicted[first:end] = mel[row, : end - first].half()
        self.predicted, self.predicted_clips = predicted, chosen
        self.write_log({"step": self.step, "predicted_clips": len(chosen)})

    @torch.no_grad()
    def measure(self, count: int = 64) -> dict[str, Any]:
        """Measure the running average on clips that were held out."""
        model, corpus = self.build_average(), self.corpus
        longest = np.argsort(-corpus.clip_frames[corpus.held_out], kind="stable")
        clips = corpus.held_out[longest[:count]]
        frames = min(160, int(corpus.clip_frames[clips].min()))
        place, _, _, true = corpus.take_pieces(clips, corpus.frame_starts[clips], frames)
        config = self.config.mel
        noise = torch.randn(len(clips), (frames - 1) * config.hop_length + config.n_fft, device=corpus.device)
        made = model(corpus.mel[place].float(), noise)
        louder = 10 * torch.log10((made.square().mean() + 1e-9) / (true.square().mean() + 1e-9))
        figures = {"bands": self.compute_mel_loss(made, true), "spectral": compute_spectral_loss(made, true)}
        figures["louder_db"] = louder
        return {f"held_out_{name}": round(float(value), 4) for name, value in figures.items()}

    def export(self) -> None:
        """Write the weights, and what they do on held-out clips into the log."""
        super().export()
        self.write_log({"step": self.step, **self.measure()})


def make_fastspeech2(values: dict[str, object]) -> FastSpeech2:
    """Build the acoustic model from its configuration's plain values."""
    return FastSpeech2(FastSpeech2Config.from_dict(values))
