"""The video model before a classifier: obedience to the words, likeness to the world, diversity over seeds.

Used by `benchmarks.video`. Prompts are captions of random scenes in wordings that no training caption uses, with colour
and direction always said. Generated clips are kept in a folder named after the weights: a run can be broken off.

Letters: N clips, F frames, S pixels a side, D features.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.video_classifier import FRAMES, NAMES, ClipClassifier, classify, label, shrink
from benchmarks.video_motion import DirectionClassifier
from models.contracts import VideoRequest
from models.video.diffusion import Guidance, predict, sample
from models.video.generator import VideoGenerator, to_pixels
from models.video.scenes import SceneSpec, draw_spec, render, write_caption
from models.video.unet3d import Condition

Pixels = NDArray[np.uint8]
Features = NDArray[np.float64]

SIDE = 64
DEFAULTS = VideoRequest("a")
STEPS = DEFAULTS.steps
BATCH = 10
DIVERSE_PROMPTS, DIVERSE_SEEDS = 15, 4
SAID = {"colour": 1.0, "direction": 1.0, "speed": 0.5, "time": 0.8, "camera": 0.3}


@dataclass(frozen=True)
class JudgedPrompt:
    """A prompt and its meaning."""

    text: str
    spec: SceneSpec


def draw_held_out_prompts(count: int, seed: int = 2026) -> list[JudgedPrompt]:
    """Draw prompts in held-out wordings, kinds evenly."""
    rng = np.random.default_rng(seed)
    specs = [draw_spec(rng) for _ in range(count)]
    return [JudgedPrompt(write_caption(spec, rng, held_out=True, said=SAID), spec) for spec in specs]


def fingerprint_weights(generator: VideoGenerator) -> str:
    """Name the weights of the model and of its prompt parser."""
    digest = hashlib.sha256()
    for network in (generator.model, *([generator.parser.network] if generator.parser else [])):
        for name, value in sorted(network.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().to(torch.float16).numpy().tobytes())
    return digest.hexdigest()[:12]


@dataclass
class ClipMaker:
    """Clips of the model, kept in a folder at 32 pixels a side."""

    generator: VideoGenerator
    folder: Path

    def make_clips(self, texts: list[str], seeds: list[int], scale: float, steps: int = STEPS) -> Pixels:
        """Make uint8 (N, F, 32, 32, 3), one a text."""
        made = []
        for at in range(0, len(texts), BATCH):
            part_texts, part_seeds = texts[at : at + BATCH], seeds[at : at + BATCH]
            key = hashlib.sha256(repr((part_texts, part_seeds, scale, steps, DEFAULTS.rescale)).encode()).hexdigest()[
                :16
            ]
            path = self.folder / f"clips_{key}.npy"
            if not path.exists():
                self.folder.mkdir(parents=True, exist_ok=True)
                part = path.with_suffix(".part.npy")
                np.save(part, self._make(part_texts, part_seeds, scale, steps))
                part.replace(path)
            made.append(np.load(path))
        return np.concatenate(made)

    def _make(self, texts: list[str], seeds: list[int], scale: float, steps: int) -> Pixels:
        requests = [VideoRequest(text, seed=seed) for text, seed in zip(texts, seeds, strict=True)]
        noise = torch.cat(
            [self.generator.draw_noise(each, FRAMES, torch.Generator().manual_seed(each.seed)) for each in requests]
        )
        both = [self.generator.build_conditions(request) for request in requests]
        wanted, unwanted = (Condition.cat([pair[side] for pair in both]) for side in (0, 1))
        model = self.generator.model
        guidance = Guidance(scale, DEFAULTS.rescale)
        with torch.inference_mode():
            for clean in sample(lambda z, t: predict(model, z, t, wanted, unwanted, guidance), noise, steps):
                last = clean
        return shrink(np.stack([to_pixels(clip[None]) for clip in last]))


def render_specs(specs: list[SceneSpec]) -> Pixels:
    """Render the world's own clips of specs, uint8 (N, F, 32, 32, 3)."""
    return np.stack([shrink(render(spec, FRAMES, SIDE).frames) for spec in specs])


def judge_clips(classifier: ClipClassifier, directions: DirectionClassifier, clips: Pixels) -> NDArray[np.int64]:
    """Return the numbers (N, 3) of kind, colour and direction."""
    kinds_and_colours = classify(classifier, clips)[0][:, :2]
    return np.concatenate([kinds_and_colours, directions.classify(clips)[:, None]], axis=1)


def list_failures(answers: NDArray, prompts: list[JudgedPrompt], judged: tuple[str, ...]) -> list[str]:
    """List a line for each kind, colour and direction, the worst first: how often it was right, what else was seen."""
    lines = []
    for column, name in enumerate(NAMES):
        seen: dict[str, list[str]] = defaultdict(list)
        for answer, prompt in zip(answers, prompts, strict=True):
            if name != "direction" or prompt.spec.kind in judged:
                seen[getattr(prompt.spec, name)].append(NAMES[name][answer[column]])
        shares = {value: np.mean([each == value for each in found]) for value, found in seen.items()}
        for value in sorted(shares, key=lambda each: shares[each]):
            wrong = Counter(each for each in seen[value] if each != value).most_common(4)
            told = ", ".join(f"{each} {count}" for each, count in wrong)
            lines.append(f"{name:10} {value:18} {shares[value]:4.0%} of {len(seen[value]):3}   seen as: {told or '-'}")
    return lines


def measure_obedience(answers: NDArray, specs: list[SceneSpec], judged: tuple[str, ...]) -> dict[str, float]:
    """Measure the shares of clips whose kind, colour and direction are what was asked.

    Directions only of the judged kinds.
    """
    truth = np.array([label(spec) for spec in specs])
    right = answers == truth
    inside = np.isin(truth[:, 0], [NAMES["kind"].index(kind) for kind in judged])
    return {
        "scene_accuracy": float(right[:, 0].mean()),
        "colour_accuracy": float(right[:, 1].mean()),
        "direction_accuracy": float(right[inside, 2].mean()) if inside.any() else 0.0,
    }


def measure_frechet_distance(first: Features, second: Features) -> float:
    """Measure the distance between Gaussians fitted to features (N, D) (Heusel et al. 2017, equation 6)."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    root = _compute_square_root(np.cov(a, rowvar=False))
    cross = _compute_square_root(root @ np.cov(b, rowvar=False) @ root)
    spread = np.trace(np.cov(a, rowvar=False)) + np.trace(np.cov(b, rowvar=False)) - 2 * np.trace(cross)
    return float(np.square(a.mean(axis=0) - b.mean(axis=0)).sum() + spread)


def _compute_square_root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


def measure_spread(features: Features, group: int) -> float:
    """Measure the mean distance between features (N, D) of one prompt; `group` rows in turn share one."""
    distances = []
    for at in range(0, len(features), group):
        rows = features[at : at + group]
        gaps = np.linalg.norm(rows[:, None] - rows[None], axis=-1)
        distances.append(gaps[np.triu_indices(len(rows), 1)].mean())
    return float(np.mean(distances))


def measure_looks(
    classifier: ClipClassifier, prompts: list[JudgedPrompt], made: Pixels, studio: ClipMaker, scale: float
) -> dict[str, float]:
    """Return frechet, frechet_real, frechet_mean_frame, frechet_noise and diversity_ratio."""
    rng = np.random.default_rng(5)
    specs = [prompt.spec for prompt in prompts]
    real = render_specs(specs)
    other = render_specs([replace(spec, seed=int(rng.integers(2**31))) for spec in specs])
    mean_frame = np.broadcast_to(real.mean(axis=(0, 1)).round().astype(np.uint8), real.shape)
    jitter = rng.integers(-1, 2, real.shape)  # a baseline without any spread has no Gaussian
    baselines = {
        "frechet": made,
        "frechet_real": other,
        "frechet_mean_frame": np.clip(mean_frame + jitter, 0, 255).astype(np.uint8),
        "frechet_noise": rng.integers(0, 256, real.shape).astype(np.uint8),
    }
    features = classify(classifier, real)[1]
    figures = {
        name: measure_frechet_distance(features, classify(classifier, clips)[1]) for name, clips in baselines.items()
    }
    few = [prompt for prompt in prompts[:DIVERSE_PROMPTS] for _ in range(DIVERSE_SEEDS)]
    seeds = [10_000 + index for index in range(len(few))]
    generated = studio.make_clips([prompt.text for prompt in few], seeds, scale)
    world = render_specs([replace(prompt.spec, seed=seed) for prompt, seed in zip(few, seeds, strict=True)])
    spreads = [measure_spread(classify(classifier, clips)[1], DIVERSE_SEEDS) for clips in (generated, world)]
    figures["diversity_ratio"] = spreads[0] / spreads[1]
    return figures
