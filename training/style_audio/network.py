"""Training of the style network: reconstruction, content, style, and the same words in another voice.

The style loss is on means and deviations over time of features of a fixed, random, single-layer convolution over mel
frames, which are enough to capture the texture of sound (Ulyanov and Lebedev 2016, "Audio texture synthesis and style
transfer"), and of the mel bands and their differences. The content loss keeps each band's course over time and the
normalised features of the encoder. Where two voices speak the same sentence, the second is the answer, and its own
statistics take the place of the style's. There the course is free: a loss on it, like one on the style's statistics,
is least for adaptive instance normalisation of the bands alone, and would hold the network to that. So that few
voices make many, the vocal tract of either is made longer or shorter and its spectrum tilted at random. Frames of
silence count in no statistics, as when the network is used.

Letters: B batch, T frames, M mel bands, C channels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.audio import MelConfig
from models.style.analysis import ACTIVE_DB, LEAST_DEVIATION
from models.style.audio import NEPER_DB, compute_band_centres_hz
from models.style.audio_network import (
    MEL_MEAN,
    MEL_STD,
    AudioStatistics,
    AudioStyleConfig,
    AudioStyleNetwork,
    apply_adain,
)
from training.loop import PlannedTraining
from training.style_audio.corpus import CorpusTrack, SoundClip, align_by_warping

Draw = tuple[Tensor, Tensor, Tensor, Tensor]
FLOOR = math.log(1e-5)  # of log mel


@dataclass(frozen=True)
class NetworkPlan:
    """The plan of a training: how long and on what."""

    steps: int = 1500
    batch: int = 12
    frames: int = 96
    style_frames: int = 160
    parallel_share: float = 0.5
    altered_share: float = 0.7
    voice_share: float = 0.65
    learning_rate: float = 1.0e-3
    last_learning_rate: float = 5e-5
    warm_up: int = 40
    average: float = 0.99
    style_weight: float = 1.0
    content_weight: float = 1.0
    reconstruction_weight: float = 0.5
    parallel_weight: float = 3.0
    seed: int = 1


class RandomFeatures(nn.Module):
    """A fixed random convolution with rectification: what the style loss compares."""

    def __init__(self, bands: int, filters: int = 256, kernel: int = 9, seed: int = 0) -> None:
        super().__init__()
        self.kernel = kernel
        random = torch.Generator().manual_seed(seed)
        weight = torch.randn(filters, bands, kernel, generator=random) / math.sqrt(bands)
        self.register_buffer("weight", weight)

    def forward(self, mel: Tensor) -> Tensor:
        """Map normalised mel (B, T, M) to (B, T - kernel + 1, filters)."""
        weight = self.weight
        assert isinstance(weight, Tensor)
        return F.relu(F.conv1d(mel.transpose(1, 2), weight)).transpose(1, 2)


class StylePairSampler:
    """A source of contents, styles and, for some, how the content sounds in the style."""

    def __init__(self, tracks: list[CorpusTrack], plan: NetworkPlan) -> None:
        self.plan, self.rng = plan, np.random.default_rng(plan.seed)
        self.centres_hz = compute_band_centres_hz(MelConfig())
        self.voices = [t for t in tracks if t.kind == "voice"]
        self.others = [t for t in tracks if t.kind != "voice"]
        self.by_text: dict[str, dict[str, SoundClip]] = {}
        for track in self.voices:
            for clip in track.clips:
                self.by_text.setdefault(clip.name, {})[track.name] = clip
        self.by_text = {k: v for k, v in self.by_text.items() if len(v) > 1}
        self.texts = sorted(self.by_text)
        self.warps: dict[tuple[str, str, str], np.ndarray] = {}

    def _cut_segment(self, mel: np.ndarray, frames: int) -> np.ndarray:
        if len(mel) <= frames:
            mel = np.concatenate([mel] * (frames // len(mel) + 1))
        start = int(self.rng.integers(0, len(mel) - frames + 1))
        return mel[start : start + frames].astype(np.float32)

    def _draw_clip(self, track: CorpusTrack) -> np.ndarray:
        return track.clips[int(self.rng.integers(len(track.clips)))].mel

    def _draw_track(self) -> CorpusTrack:
        pool = self.voices if self.rng.random() < self.plan.voice_share else self.others
        return pool[int(self.rng.integers(len(pool)))]

    def _draw_parallel(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        plan = self.plan
        while True:
            text = self.texts[int(self.rng.integers(len(self.texts)))]
            names = sorted(self.by_text[text])
            one, two = (names[int(i)] for i in self.rng.integers(len(names), size=2))
            content, target = self.by_text[text][one].mel, self.by_text[text][two].mel
            if len(content) > plan.frames:
                break
        key = (text, one, two)
        if key not in self.warps:
            self.warps[key] = align_by_warping(content.astype(np.float32), target.astype(np.float32))
        start = int(self.rng.integers(0, len(content) - plan.frames + 1))
        rows = slice(start, start + plan.frames)
        voice = next(t for t in self.voices if t.name == two)
        style = self._cut_segment(self._draw_clip(voice), plan.style_frames)
        (content,) = self._alter(content[rows].astype(np.float32))
        style, answer = self._alter(style, target[self.warps[key][rows]].astype(np.float32))
        return content, style, answer

    def _alter(self, *mels: np.ndarray) -> list[np.ndarray]:
        """Make the same other voice of each (T, M): move its formants, tilt and bend its spectrum."""
        if self.rng.random() >= self.plan.altered_share:
            return list(mels)
        centres, bands = self.centres_hz, np.arange(len(self.centres_hz))
        places = np.interp(centres * np.exp(self.rng.uniform(-0.16, 0.16)), centres, bands)
        low = np.minimum(places.astype(int), len(bands) - 2)
        share = (places - low).astype(np.float32)
        points = self.rng.normal(0, 0.5, 6)
        gain = np.interp(bands, np.linspace(0, len(bands) - 1, 6), points).astype(np.float32)
        return [np.maximum((1 - share) * x[:, low] + share * x[:, low + 1] + gain, np.float32(FLOOR)) for x in mels]

    def draw(self) -> Draw:
        """Draw content (B, T, M), style (B, T', M), answer (B, T, M), and which rows have one (B,)."""
        contents, styles, answers, known = [], [], [], []
        for _ in range(self.plan.batch):
            parallel = bool(self.rng.random() < self.plan.parallel_share and self.texts)
            if parallel:
                content, style, answer = self._draw_parallel()
            else:
                content = self._cut_segment(self._draw_clip(self._draw_track()), self.plan.frames)
                style = self._cut_segment(self._draw_clip(self._draw_track()), self.plan.style_frames)
                answer = content
            contents.append(content)
            styles.append(style)
            answers.append(answer)
            known.append(parallel)
        a, b, c = (torch.from_numpy(np.stack(x)) for x in (contents, styles, answers))
        return a, b, c, torch.tensor(known)


def normalize_over_time(features: Tensor) -> Tensor:
    """Normalise each channel of (B, T, C) over time."""
    return (features - features.mean(dim=1, keepdim=True)) / (features.std(dim=1, keepdim=True) + 0.1)


def find_audible_frames(mel: Tensor) -> Tensor:
    """Tell which frames of log mel (B, T, M) are no silence, as 0 or 1: (B, T, 1)."""
    level = mel.amax(dim=2, keepdim=True)
    return (level > level.amax(dim=1, keepdim=True) - ACTIVE_DB / NEPER_DB).float()


def compute_moments(features: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return means and standard deviations (B, 1, C) over the frames of (B, T, C), by weight (B, T, 1)."""
    total = weight.sum(dim=1, keepdim=True).clamp_min(1.0)
    mean = (features * weight).sum(dim=1, keepdim=True) / total
    variance = ((features - mean) ** 2 * weight).sum(dim=1, keepdim=True) / total
    return mean, variance.clamp_min(LEAST_DEVIATION**2).sqrt()


def compute_statistics(features: tuple[Tensor, ...], weight: Tensor) -> AudioStatistics:
    """Return the statistics of each level over the frames that count."""
    pairs = [compute_moments(f, weight) for f in features]
    return AudioStatistics(tuple(m for m, _ in pairs), tuple(d for _, d in pairs))


def compare_moments(a: Tensor, weight_a: Tensor, b: Tensor, weight_b: Tensor) -> Tensor:
    """Return the distance (B,) of means and standard deviations over time of two sets of features (B, T, C)."""
    pairs = zip(compute_moments(a, weight_a), compute_moments(b, weight_b), strict=True)
    return torch.stack([(x - y).abs().mean(dim=(1, 2)) for x, y in pairs]).sum(dim=0)


class NetworkTrainer(PlannedTraining[AudioStyleNetwork]):
    """Training of the style network on tracks; resumes from `network.pt` in its folder."""

    def __init__(
        self, tracks: list[CorpusTrack], plan: NetworkPlan, folder: Path, config: AudioStyleConfig | None = None
    ) -> None:
        torch.manual_seed(plan.seed)
        self.plan, config = plan, config or AudioStyleConfig()
        model = AudioStyleNetwork(config)
        self.random_features = RandomFeatures(config.mel.n_mels)
        self.pairs = StylePairSampler(tracks, plan)
        optimizer = torch.optim.AdamW(model.parameters(), plan.learning_rate, betas=(0.9, 0.99))
        super().__init__(model, config, optimizer, folder / "network.pt")
        self.pairs.rng = np.random.default_rng(self.seed_draws(plan.seed))

    def measure_style_distance(self, made: Tensor, made_weight: Tensor, aim: Tensor, aim_weight: Tensor) -> Tensor:
        """Measure how far normalised mel frames are in texture from others, (B,)."""
        random, edge = self.random_features, self.random_features.kernel // 2
        return (
            compare_moments(made, made_weight, aim, aim_weight)
            + compare_moments(made.diff(dim=1), made_weight[:, 1:], aim.diff(dim=1), aim_weight[:, 1:])
            + compare_moments(random(made), made_weight[:, edge:-edge], random(aim), aim_weight[:, edge:-edge])
        )

    def compute_losses(self, draw: Draw) -> dict[str, Tensor]:
        """Return all four losses, unweighted."""
        model = self.model
        content, style, answer, known = draw
        heard, heard_style, heard_answer = map(find_audible_frames, (content, style, answer))
        features = model.encode(content)
        own = compute_statistics(features, heard)
        wanted = compute_statistics(model.encode(style), heard_style)
        same = model.decode(features, own, own)
        moved = (model.decode(features, own, wanted) - same) @ model.smoother
        smooth_content, smooth_style, smooth_answer = (
            (x - MEL_MEAN) / MEL_STD @ model.smoother for x in (content, style, answer)
        )
        made = smooth_content + moved / MEL_STD
        kept = (
            (normalize_over_time(model.encode(content + moved)[2]) - normalize_over_time(features[2]).detach())
            .abs()
            .mean()
        )
        report = {"reconstruction": F.mse_loss(same, content), "content": 0.5 * kept}
        style_loss = torch.zeros(len(content))
        if not known.all():
            free = ~known
            course = (
                1 - (normalize_over_time(made[free]) * normalize_over_time(smooth_content[free])).mean(dim=1).mean()
            )
            report["content"] = report["content"] + course * free.float().mean()
            style_loss[free] = self.measure_style_distance(
                made[free], heard[free], smooth_style[free], heard_style[free]
            )
        if known.any():
            weight = heard_answer[known]
            style_loss[known] = self.measure_style_distance(made[known], weight, smooth_answer[known], weight)
            weight = weight + 0.1  # silence is little heard
            report["parallel"] = ((made[known] - smooth_answer[known]).abs() * weight).mean() / weight.mean()
            with torch.no_grad():  # what AdaIN on the bands alone would do, to compare
                plain = apply_adain(features[0], (own.means[0], own.stds[0]), (wanted.means[0], wanted.stds[0]))
                gap = (plain[known] @ model.smoother - smooth_answer[known]).abs() * weight
                report["_plain_parallel"] = gap.mean() / weight.mean()
        return report | {"style": style_loss.mean()}

    def train_step(self) -> dict[str, float]:
        """Do one step; return the losses."""
        plan = self.plan
        losses = self.compute_losses(self.pairs.draw())
        weights = {
            "style": plan.style_weight,
            "content": plan.content_weight,
            "reconstruction": plan.reconstruction_weight,
            "parallel": plan.parallel_weight,
        }
        loss = torch.stack([weights[k] * v for k, v in losses.items() if k in weights]).sum()
        self.descend(loss, 2.0)
        return {key: float(value.detach()) for key, value in losses.items()}
