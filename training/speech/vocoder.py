"""Training of the source-filter vocoder on a corpus; called by `training.speech.train`.

First stage: true mel frames, and F0 as measured, under a multi-resolution STFT loss (Yamamoto et al. 2020, "Parallel
WaveGAN", section 2.2). Second stage (`--predicted`): the mel frames that the finished acoustic model predicts for the
same clips under teacher forcing, so that the vocoder learns to sharpen what the acoustic model leaves smooth. With
`adversarial`, discriminators over spectrogram windows add the fine structure that no distance asks for (Jang et al.
2021, "UnivNet", section 2.2).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.audio import hann_window
from models.speech.vocoder import SourceFilterVocoder, VocoderConfig
from models.weights_io import load_into, load_safetensors
from training.loop import PlannedTraining
from training.speech.corpus import SpeechClip

RESOLUTIONS = ((2048, 512), (1024, 256), (512, 128), (256, 64))
DISCRIMINATOR_RESOLUTIONS = ((1024, 256), (512, 128), (256, 64))


@dataclass(frozen=True)
class VocoderPlan:
    """The plan of a training: how long and on what."""

    steps: int = 8000
    batch: int = 12
    frames: int = 64
    margin_frames: int = 5
    learning_rate: float = 1.0e-3
    last_learning_rate: float = 1e-4
    warm_up: int = 100
    own_pitch_after: int = 1500
    own_pitch_share: float = 1.0
    adversarial_after: int = 1_000_000
    adversarial_weight: float = 0.1
    feature_weight: float = 0.5
    average: float = 0.998
    voices: tuple[str, ...] = ("lj", "slt", "rms")
    shares: tuple[float, ...] = (0.7, 0.15, 0.15)
    seed: int = 1

    @classmethod
    def for_finetuning(cls, steps: int) -> VocoderPlan:
        """Return the plan of the second stage, on predicted mel frames: adversarial from the first step."""
        return cls(
            steps=steps,
            batch=8,
            learning_rate=4e-4,
            last_learning_rate=4e-5,
            own_pitch_after=0,
            own_pitch_share=0.5,
            adversarial_after=0,
            average=0.995,
            shares=(0.8, 0.1, 0.1),
        )


class SpectrogramDiscriminator(nn.Module):
    """A judge of short patches of a log-compressed complex spectrogram: strided 2-D convolutions."""

    def __init__(self, n_fft: int, hop: int, channels: int = 16) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        norm = nn.utils.parametrizations.weight_norm
        widths = [2, channels, channels, 2 * channels, 2 * channels]
        self.layers = nn.ModuleList(
            norm(nn.Conv2d(a, b, (7, 3), stride=(3, 1), padding=(3, 1))) for a, b in itertools.pairwise(widths)
        )
        self.output = norm(nn.Conv2d(widths[-1], 1, (3, 3), padding=1))

    def forward(self, samples: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return scores of samples (B, N), and the features of each layer."""
        window = hann_window(self.n_fft, samples.device)
        spectrum = torch.stft(samples, self.n_fft, self.hop, window=window, return_complex=True)
        magnitude = spectrum.abs().clamp_min(1e-5)
        compressed = spectrum / magnitude * magnitude.pow(0.3)
        x = torch.stack([compressed.real, compressed.imag], dim=1)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.1)
            features.append(x)
        return self.output(x), features


def compute_spectral_loss(made: Tensor, true: Tensor) -> Tensor:
    """Return the mean over resolutions of spectral convergence and log-magnitude distance; (B, N) each."""
    total = made.new_zeros(())
    for n_fft, hop in RESOLUTIONS:
        window = hann_window(n_fft, made.device)
        a, b = (
            torch.stft(x, n_fft, hop, window=window, return_complex=True).abs().clamp_min(1e-4) for x in (made, true)
        )
        convergence = torch.linalg.norm(a - b) / torch.linalg.norm(b)
        total = total + convergence + (a.log() - b.log()).abs().mean()
    return total / len(RESOLUTIONS)


def compute_pitch_loss(vocoder: SourceFilterVocoder, logits: Tensor, voicing: Tensor, f0: Tensor) -> Tensor:
    """Return the cross entropy with a bump of one bin's width around the true F0, plus that of the voicing."""
    voiced = f0 > 0
    log_hz = vocoder.pitch.log_hz
    distance = (f0.clamp_min(1.0).log()[..., None] - log_hz) / (log_hz[1] - log_hz[0])
    target = torch.softmax(-0.5 * distance**2, dim=-1)
    entropy = -(target * F.log_softmax(logits, dim=-1)).sum(dim=-1)
    bins = (entropy * voiced).sum() / voiced.sum().clamp_min(1)
    return bins + F.binary_cross_entropy_with_logits(voicing, voiced.float())


def fill_unvoiced(f0: np.ndarray) -> np.ndarray:
    """Bridge unvoiced gaps (0) of F0 by straight lines."""
    voiced = np.flatnonzero(f0 > 0)
    return np.interp(np.arange(len(f0)), voiced, f0[voiced]).astype(np.float32)


class SpeechSegmentSampler:
    """A source of random pieces of clips: mel, F0 and sound, aligned."""

    def __init__(self, clips: list[SpeechClip], plan: VocoderPlan, hop: int) -> None:
        self.plan, self.hop = plan, hop
        fit = [c for c in clips if not c.shifted and len(c.mel) > plan.frames + 2 and (c.f0 > 0).sum() > 10]
        self.by_voice = {v: [c for c in fit if c.voice == v] for v in plan.voices}
        self.rng = np.random.default_rng(plan.seed)

    def draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Draw mel (B, T, M), F0 (B, T) with 0 where unvoiced, and sound (B, (T - 1) * hop)."""
        plan, rng = self.plan, self.rng
        mels, pitches, sounds = [], [], []
        for voice in rng.choice(len(plan.voices), size=plan.batch, p=np.array(plan.shares) / sum(plan.shares)):
            pool = self.by_voice[plan.voices[voice]]
            clip = pool[rng.integers(len(pool))]
            start = int(rng.integers(0, len(clip.mel) - plan.frames - 1))
            gain_db = rng.uniform(-9.0, 6.0) if rng.random() < 0.5 else 0.0
            mel = clip.mel[start : start + plan.frames].astype(np.float32) + gain_db * math.log(10) / 20
            mels.append(np.maximum(mel, math.log(1e-5)))
            pitches.append(clip.f0[start : start + plan.frames])
            samples = clip.samples[start * self.hop : (start + plan.frames - 1) * self.hop].astype(np.float32) / 32768
            sounds.append(samples * 10 ** (gain_db / 20))
        return tuple(torch.from_numpy(np.stack(x)) for x in (mels, pitches, sounds))  # type: ignore[return-value]


class VocoderTrainer(PlannedTraining[SourceFilterVocoder]):
    """Training of the vocoder on clips; resumes from `<name>.pt` in its folder."""

    def __init__(self, clips: list[SpeechClip], plan: VocoderPlan, folder: Path, name: str = "vocoder") -> None:
        torch.manual_seed(plan.seed)
        self.plan, config = plan, VocoderConfig()
        model = SourceFilterVocoder(config)
        self.discriminators = nn.ModuleList(SpectrogramDiscriminator(*r) for r in DISCRIMINATOR_RESOLUTIONS)
        self.segments = SpeechSegmentSampler(clips, plan, config.mel.hop_length)
        optimizer = torch.optim.AdamW(model.parameters(), plan.learning_rate, betas=(0.8, 0.99))
        self.discriminator_optimizer = torch.optim.AdamW(self.discriminators.parameters(), 2e-4, betas=(0.8, 0.99))
        super().__init__(model, config, optimizer, folder / f"{name}.pt")
        self.segments.rng = np.random.default_rng(self.seed_draws(plan.seed))

    def make_state(self) -> dict[str, Any]:
        """Return what the checkpoint holds, with the discriminators and their optimizer."""
        return {
            **super().make_state(),
            "discriminators": self.discriminators.state_dict(),
            "discriminator_optimizer": self.discriminator_optimizer.state_dict(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a checkpoint, with the discriminators and their optimizer."""
        super().load_state(state)
        self.discriminators.load_state_dict(state["discriminators"])
        self.discriminator_optimizer.load_state_dict(state["discriminator_optimizer"])

    def start_from(self, path: Path) -> None:
        """Take over only the generator's weights, of an earlier stage's checkpoint or of a finished weight file."""
        if path.suffix == ".safetensors":
            load_into(self.model, load_safetensors(path), f"the vocoder in {path.name}")
        else:
            self.model.load_state_dict(torch.load(path, weights_only=True)["average"])
        self.average = {k: v.clone() for k, v in self.model.state_dict().items()}

    def train_step(self) -> dict[str, float]:
        """Do one step of the generator and, once their time has come, of the discriminators; return the losses."""
        plan, mel_config = self.plan, self.config.mel
        mel, f0, true = self.segments.draw()
        filled = torch.from_numpy(np.stack([fill_unvoiced(x) if (x > 0).any() else x + 150 for x in f0.numpy()]))
        normal = (mel - self.model.MEL_MEAN) / self.model.MEL_STD
        logits, voicing = self.model.pitch(normal)
        pitch = compute_pitch_loss(self.model, logits, voicing, f0)
        own = self.step >= plan.own_pitch_after and float(torch.rand(())) < plan.own_pitch_share
        noise = torch.randn(mel.shape[0], (mel.shape[1] - 1) * mel_config.hop_length + mel_config.n_fft)
        made = self.model(mel, noise, self.model.pitch.decode(logits).detach() if own else filled)
        margin = plan.margin_frames * mel_config.hop_length
        made, true = made[:, margin:-margin], true[:, margin:-margin]
        spectral = compute_spectral_loss(made, true)
        report = {"spectral": float(spectral.detach()), "pitch": float(pitch.detach())}
        loss = spectral + 0.2 * pitch
        if self.step >= plan.adversarial_after:
            report["discriminator"] = self._train_discriminators(made.detach(), true)
            fooled, features = self._compute_adversarial_losses(made, true)
            report |= {"fooled": float(fooled.detach()), "features": float(features.detach())}
            loss = loss + plan.adversarial_weight * fooled + plan.feature_weight * features
        self.descend(loss, 5.0)
        return report

    def _train_discriminators(self, made: Tensor, true: Tensor) -> float:
        """Train the discriminators by least squares (Mao et al. 2017); return their mean loss."""
        loss = made.new_zeros(())
        for discriminator in self.discriminators:
            scores = discriminator(torch.cat([made, true]))[0]
            fake, real = scores.chunk(2)
            loss = loss + (fake**2).mean() + ((1 - real) ** 2).mean()
        self.discriminator_optimizer.zero_grad()
        loss.backward()
        self.team.share_gradients(self.discriminators)
        self.discriminator_optimizer.step()
        return float(loss.detach()) / len(self.discriminators)

    def _compute_adversarial_losses(self, made: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the generator wants of the discriminators: to be taken as real, and like features."""
        fooled, matched = made.new_zeros(()), made.new_zeros(())
        self.discriminators.requires_grad_(False)
        for discriminator in self.discriminators:
            scores, features = discriminator(made)
            with torch.no_grad():
                _, real_features = discriminator(true)
            fooled = fooled + ((1 - scores) ** 2).mean()
            pairs = list(zip(features, real_features, strict=True))
            matched = matched + sum((a - b).abs().mean() for a, b in pairs) / len(pairs)
        self.discriminators.requires_grad_(True)
        return fooled / len(self.discriminators), matched / len(self.discriminators)
