"""Training of the style network: reconstruction, content, style, and the same words in another voice.

The style loss is on means and deviations over time of features of a fixed, random, single-layer convolution over mel
frames, which are enough to capture the texture of sound (Ulyanov and Lebedev 2016, "Audio texture synthesis and style
transfer"), and of the mel bands and their differences. The content loss keeps each band's course over time and the
normalised features of the encoder. Where two voices speak the same sentence, the second is the answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.style.audio_corpus import Clip, Track, warp
from models.style.networks import MEL_MEAN, MEL_STD, StyleConfig, StyleNetwork, adain, statistics_of
from models.training import PlannedTraining

Draw = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class NetworkPlan:
    """How long and on what."""

    steps: int = 1500
    batch: int = 12
    frames: int = 96
    style_frames: int = 160
    parallel_share: float = 0.4
    voice_share: float = 0.65
    learning_rate: float = 1.0e-3
    last_learning_rate: float = 5e-5
    warm_up: int = 40
    average: float = 0.99
    style_weight: float = 1.0
    content_weight: float = 1.0
    reconstruction_weight: float = 0.5
    parallel_weight: float = 2.0
    seed: int = 1


class RandomFeatures(nn.Module):
    """A fixed random convolution with rectification: what the style loss compares."""

    def __init__(self, bands: int, filters: int = 256, kernel: int = 9, seed: int = 0) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(seed)
        weight = torch.randn(filters, bands, kernel, generator=random) / math.sqrt(bands)
        self.register_buffer("weight", weight)

    def forward(self, mel: Tensor) -> Tensor:
        """Normalised mel (B, T, M) -> (B, T - kernel + 1, filters)."""
        weight = self.weight
        assert isinstance(weight, Tensor)
        return F.relu(F.conv1d(mel.transpose(1, 2), weight)).transpose(1, 2)


class Pairs:
    """Draws contents, styles and, for some, how the content sounds in the style."""

    def __init__(self, tracks: list[Track], plan: NetworkPlan) -> None:
        self.plan, self.rng = plan, np.random.default_rng(plan.seed)
        self.voices = [t for t in tracks if t.kind == "voice"]
        self.others = [t for t in tracks if t.kind != "voice"]
        self.by_text: dict[str, dict[str, Clip]] = {}
        for track in self.voices:
            for clip in track.clips:
                self.by_text.setdefault(clip.name, {})[track.name] = clip
        self.by_text = {k: v for k, v in self.by_text.items() if len(v) > 1}
        self.texts = sorted(self.by_text)
        self.warps: dict[tuple[str, str, str], np.ndarray] = {}

    def _segment(self, mel: np.ndarray, frames: int) -> np.ndarray:
        if len(mel) <= frames:
            mel = np.concatenate([mel] * (frames // len(mel) + 1))
        start = int(self.rng.integers(0, len(mel) - frames + 1))
        return mel[start : start + frames].astype(np.float32)

    def _clip(self, track: Track) -> np.ndarray:
        return track.clips[int(self.rng.integers(len(track.clips)))].mel

    def _track(self) -> Track:
        pool = self.voices if self.rng.random() < self.plan.voice_share else self.others
        return pool[int(self.rng.integers(len(pool)))]

    def _parallel(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        plan = self.plan
        while True:
            text = self.texts[int(self.rng.integers(len(self.texts)))]
            names = sorted(self.by_text[text])
            one, two = (names[int(i)] for i in self.rng.choice(len(names), 2, replace=False))
            content, target = self.by_text[text][one].mel, self.by_text[text][two].mel
            if len(content) > plan.frames:
                break
        key = (text, one, two)
        if key not in self.warps:
            self.warps[key] = warp(content.astype(np.float32), target.astype(np.float32))
        start = int(self.rng.integers(0, len(content) - plan.frames + 1))
        rows = slice(start, start + plan.frames)
        voice = next(t for t in self.voices if t.name == two)
        style = self._segment(self._clip(voice), plan.style_frames)
        return content[rows].astype(np.float32), style, target[self.warps[key][rows]].astype(np.float32)

    def draw(self) -> Draw:
        """Content (B, T, M), style (B, T', M), answer (B, T, M), and which rows have one (B,)."""
        contents, styles, answers, known = [], [], [], []
        for _ in range(self.plan.batch):
            parallel = bool(self.rng.random() < self.plan.parallel_share and self.texts)
            if parallel:
                content, style, answer = self._parallel()
            else:
                content = self._segment(self._clip(self._track()), self.plan.frames)
                style = self._segment(self._clip(self._track()), self.plan.style_frames)
                answer = content
            contents.append(content)
            styles.append(style)
            answers.append(answer)
            known.append(parallel)
        a, b, c = (torch.from_numpy(np.stack(x)) for x in (contents, styles, answers))
        return a, b, c, torch.tensor(known)


def normal(features: Tensor) -> Tensor:
    """Instance normalisation over time, (B, T, C)."""
    return (features - features.mean(dim=1, keepdim=True)) / (features.std(dim=1, keepdim=True) + 0.1)


def spread_distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean distance of the means and of the deviations over time of two sets of features (B, T, C)."""
    means = (a.mean(dim=1) - b.mean(dim=1)).abs().mean()
    return means + (a.std(dim=1) - b.std(dim=1)).abs().mean()


class NetworkTrainer(PlannedTraining[StyleNetwork]):
    """Holds everything that a resumed run needs."""

    def __init__(self, tracks: list[Track], plan: NetworkPlan, run: Path, config: StyleConfig | None = None) -> None:
        torch.manual_seed(plan.seed)
        self.plan, config = plan, config or StyleConfig()
        model = StyleNetwork(config)
        self.random_features = RandomFeatures(config.mel.n_mels)
        self.pairs = Pairs(tracks, plan)
        optimizer = torch.optim.AdamW(model.parameters(), plan.learning_rate, betas=(0.9, 0.99))
        super().__init__(model, config, optimizer, run / "network.pt")
        if self.step:
            self.pairs.rng = np.random.default_rng(plan.seed + self.step)

    def losses(self, draw: Draw) -> dict[str, Tensor]:
        """All four, unweighted."""
        model = self.model
        content, style, answer, known = draw
        features = model.encode(content)
        own = statistics_of(features)
        wanted = statistics_of(model.encode(style))
        same = model.decode(features, own, own)
        moved = (model.decode(features, own, wanted) - same) @ model.smoother
        smooth_content, smooth_style = ((x - MEL_MEAN) / MEL_STD @ model.smoother for x in (content, style))
        made = smooth_content + moved / MEL_STD
        style_loss = spread_distance(made, smooth_style) + spread_distance(made.diff(dim=1), smooth_style.diff(dim=1))
        style_loss = style_loss + spread_distance(self.random_features(made), self.random_features(smooth_style))
        again = model.encode(content + moved)
        course = 1 - (normal(made) * normal(smooth_content)).mean(dim=1).mean()
        kept = (normal(again[2]) - normal(features[2]).detach()).abs().mean()
        report = {
            "style": style_loss,
            "content": course + 0.5 * kept,
            "reconstruction": (same - content).abs().mean(),
        }
        if known.any():
            smooth_answer = (answer[known] - MEL_MEAN) / MEL_STD @ model.smoother
            report["parallel"] = (made[known] - smooth_answer).abs().mean()
            with torch.no_grad():  # what AdaIN on the bands alone would do, to compare
                plain = adain(features[0], (own.means[0], own.deviations[0]), (wanted.means[0], wanted.deviations[0]))
                report["_plain_parallel"] = (plain[known] @ model.smoother - smooth_answer).abs().mean()
        return report

    def train_step(self) -> dict[str, float]:
        """One step."""
        plan = self.plan
        losses = self.losses(self.pairs.draw())
        weights = {
            "style": plan.style_weight,
            "content": plan.content_weight,
            "reconstruction": plan.reconstruction_weight,
            "parallel": plan.parallel_weight,
        }
        loss = torch.stack([weights[k] * v for k, v in losses.items() if k in weights]).sum()
        self.descend(loss, 2.0, plan.average)
        return {key: float(value.detach()) for key, value in losses.items()}

    def train(self, log_every: int = 25, save_every: int = 100) -> None:
        """Run to the planned step, logging JSON lines."""
        self.run_steps(log_every, save_every)
