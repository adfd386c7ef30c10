"""Training of the content vocoder: bring back sounds whose spectrum was altered.

A sound is given the statistics of another, band by band, or a random smooth gain, and sometimes loses its quiet parts
or gains noise; the vocoder hears the altered sound and is told the true mel frames' distance from its own. The loss is
the multi-resolution STFT loss of `training.speech.vocoder` (Yamamoto et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.speech.vocoder import overlap_add
from models.style.audio_network import build_band_smoother
from models.style.content_vocoder import (
    ContentVocoder,
    ContentVocoderConfig,
    compute_mel,
    compute_spectrum,
    invert_spectrum,
)
from training.loop import PlannedTraining
from training.speech.vocoder import compute_spectral_loss
from training.style_audio.corpus import CorpusTrack


@dataclass(frozen=True)
class ContentVocoderPlan:
    """The plan of a training: how long and on what."""

    steps: int = 1500
    batch: int = 8
    frames: int = 56
    margin_frames: int = 6
    voice_share: float = 0.55
    unaltered_share: float = 0.15
    learning_rate: float = 8.0e-4
    last_learning_rate: float = 5e-5
    warm_up: int = 40
    average: float = 0.99
    seed: int = 1


class SoundSegmentSampler:
    """A source of random pieces of tracks."""

    def __init__(self, tracks: list[CorpusTrack], plan: ContentVocoderPlan, hop: int, n_fft: int) -> None:
        self.plan, self.rng = plan, np.random.default_rng(plan.seed)
        self.length = (plan.frames - 1) * hop + n_fft
        self.pools = [[t for t in tracks if (t.kind == "voice") == voice] for voice in (True, False)]

    def draw(self) -> Tensor:
        """Draw sound (B, N), N = (T - 1) * hop + n_fft."""
        pieces: list[np.ndarray] = []
        while len(pieces) < self.plan.batch:
            pool = self.pools[0 if self.rng.random() < self.plan.voice_share else 1]
            track = pool[int(self.rng.integers(len(pool)))]
            samples = track.clips[int(self.rng.integers(len(track.clips)))].samples
            if len(samples) <= self.length:
                continue
            start = int(self.rng.integers(0, len(samples) - self.length))
            piece = samples[start : start + self.length].astype(np.float32) / 32767.0
            if np.abs(piece).max() > 1e-3:
                pieces.append(piece)
        return torch.from_numpy(np.stack(pieces))


class ContentVocoderTrainer(PlannedTraining[ContentVocoder]):
    """Training of the content vocoder on tracks; resumes from `vocoder.pt` in its folder."""

    def __init__(
        self,
        tracks: list[CorpusTrack],
        plan: ContentVocoderPlan,
        folder: Path,
        config: ContentVocoderConfig | None = None,
    ) -> None:
        torch.manual_seed(plan.seed)
        self.plan, config = plan, config or ContentVocoderConfig()
        model = ContentVocoder(config)
        mel = config.mel
        self.segments = SoundSegmentSampler(tracks, plan, mel.hop_length, mel.n_fft)
        self.smoother = build_band_smoother(mel, 90.0)
        optimizer = torch.optim.AdamW(model.parameters(), plan.learning_rate, betas=(0.8, 0.99))
        super().__init__(model, config, optimizer, folder / "vocoder.pt")
        self.segments.rng = np.random.default_rng(self.seed_draws(plan.seed))

    @torch.no_grad()
    def alter(self, sound: Tensor) -> Tensor:
        """Give sound (B, N) another spectrum, (B, N)."""
        rng, mel_config = self.segments.rng, self.config.mel
        n_fft, hop = mel_config.n_fft, mel_config.hop_length
        count = sound.shape[0]
        spectra = compute_spectrum(sound.unfold(1, n_fft, hop))
        mel = compute_mel(spectra, mel_config)
        mean, deviation = mel.mean(dim=1, keepdim=True), mel.std(dim=1, keepdim=True) + 0.1
        order = torch.from_numpy(rng.permutation(count))
        ratio = (deviation[order] / deviation).clamp(0.25, 4.0)
        swapped = (mel - mean) * ratio + mean[order] - mel
        points = torch.from_numpy(rng.normal(0, 1.2, (count, 1, 3, 7)).astype(np.float32))
        drawn = nn.functional.interpolate(points, size=mel.shape[1:], mode="bicubic", align_corners=True)[:, 0]
        change = torch.where(torch.from_numpy(rng.random(count) < 0.5)[:, None, None], swapped, drawn)
        change[torch.from_numpy(rng.random(count) < self.plan.unaltered_share)] = 0.0
        gain = ((change @ self.smoother).clamp(-6, 6) @ self.model.envelope).exp()
        altered = spectra * gain
        loudest = altered.abs().amax(dim=(1, 2), keepdim=True)
        gate = torch.from_numpy(np.where(rng.random(count) < 0.3, 10 ** rng.uniform(-4, -2, count), 0.0))
        altered = altered * (altered.abs() > gate[:, None, None] * loudest)
        made, weight = overlap_add(invert_spectrum(altered, n_fft), n_fft, hop)
        made = made / weight.clamp_min(0.05)
        hiss = torch.from_numpy(np.where(rng.random(count) < 0.2, 10 ** rng.uniform(-4, -2.3, count), 0.0)).float()
        return made + hiss[:, None] * torch.randn_like(made)

    def train_step(self) -> dict[str, float]:
        """Do one step; return the loss."""
        plan, mel_config = self.plan, self.config.mel
        n_fft, hop = mel_config.n_fft, mel_config.hop_length
        sound = self.segments.draw()
        source = compute_spectrum(self.alter(sound).unfold(1, n_fft, hop))
        mel = compute_mel(source, mel_config)
        change = (compute_mel(compute_spectrum(sound.unfold(1, n_fft, hop)), mel_config) - mel) @ self.smoother
        made = self.model(source, mel, change, torch.randn_like(sound))
        true = sound[:, n_fft // 2 : n_fft // 2 + made.shape[1]]
        margin = plan.margin_frames * hop
        loss = compute_spectral_loss(made[:, margin:-margin], true[:, margin:-margin])
        self.descend(loss, 2.0)
        return {"spectral": float(loss.detach())}
