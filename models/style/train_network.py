"""Training of the style network: reconstruction, content, style, and the same words in another voice.

The style loss is on means and deviations over time of features of a fixed, random, single-layer convolution over mel
frames, which are enough to capture the texture of sound (Ulyanov and Lebedev 2016, "Audio texture synthesis and style
transfer"), and of the mel bands and their differences. The content loss keeps each band's course over time and the
normalised features of the encoder. Where two voices speak the same sentence, the second is the answer.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.style.audio_corpus import Clip, Track, warp
from models.style.networks import MEL_MEAN, MEL_STD, StyleConfig, StyleNetwork, adain, statistics_of

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


class Trainer(Protocol):
    """What `run_steps` needs of a training."""

    run: Path
    step: int
    plan: Any
    optimizer: Any

    def train_step(self) -> dict[str, float]:
        """One step of the optimiser."""
        ...

    def save(self) -> None:
        """Write the checkpoint."""
        ...


class NetworkTrainer:
    """Holds everything that a resumed run needs."""

    def __init__(self, tracks: list[Track], plan: NetworkPlan, run: Path, config: StyleConfig | None = None) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.run, self.config = plan, run, config or StyleConfig()
        self.model = StyleNetwork(self.config)
        self.random_features = RandomFeatures(self.config.mel.n_mels)
        self.pairs = Pairs(tracks, plan)
        self.average = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.optimizer = torch.optim.AdamW(self.model.parameters(), plan.learning_rate, betas=(0.9, 0.99))
        self.step = 0
        self.checkpoint = run / "network.pt"
        run.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.average, self.step = state["average"], state["step"]
            self.pairs.rng = np.random.default_rng(plan.seed + self.step)

    def save(self) -> None:
        """Write the checkpoint whole or not at all."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
            "config": self.config.to_dict(),
        }
        part = self.checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.checkpoint)

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
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        self.optimizer.step()
        self.step += 1
        keep = min(plan.average, (1 + self.step) / (10 + self.step))
        for key, value in self.model.state_dict().items():
            self.average[key].lerp_(value, 1 - keep)
        return {key: float(value.detach()) for key, value in losses.items()}

    def train(self, log_every: int = 25, save_every: int = 100) -> None:
        """Run to the planned step, logging JSON lines."""
        run_steps(self, "network", log_every, save_every)


def run_steps(trainer: Trainer, name: str, log_every: int, save_every: int) -> None:
    """Steps, cosine learning rate, log lines and checkpoints, for anything shaped like NetworkTrainer."""
    plan, sums, started = trainer.plan, {}, time.perf_counter()  # type: ignore[var-annotated]
    with (trainer.run / f"{name}.log").open("a") as log:
        while trainer.step < plan.steps:
            share = min(1.0, trainer.step / plan.steps)
            rate = plan.last_learning_rate + (plan.learning_rate - plan.last_learning_rate) * 0.5 * (
                1 + math.cos(math.pi * share)
            )
            for group in trainer.optimizer.param_groups:
                group["lr"] = rate * min(1.0, (trainer.step + 1) / plan.warm_up)
            for key, value in trainer.train_step().items():
                sums[key] = sums.get(key, 0.0) + value
            if trainer.step % log_every == 0:
                took = time.perf_counter() - started
                line = {k: round(v / log_every, 4) for k, v in sums.items()}
                text = json.dumps({"step": trainer.step, **line, "s_per_step": round(took / log_every, 3)})
                print(text, flush=True)
                print(text, file=log, flush=True)
                sums, started = {}, time.perf_counter()
            if trainer.step % save_every == 0:
                trainer.save()
    trainer.save()
