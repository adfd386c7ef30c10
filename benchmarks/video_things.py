"""A judge of things: which of the named things a frame shows, and in which place.

    python -m benchmarks.video_things train --cutouts FOLDER --minutes 25     # renders, trains, writes the weights
    python -m benchmarks.video_things measure --cutouts FOLDER                # on renders that it never saw

It is trained on rendered frames alone, spoilt a little, and never sees a generated one. The weights lie beside this
file, so that figures can be compared over time.

Letters: B frames, S pixels a side.
"""

from __future__ import annotations

import argparse
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.contracts import VideoRequest
from models.video.generator import VideoGenerator
from models.video.thing_parsing import ThingPrompt
from models.video.thing_words import PLACE_NAMES, THING_NAMES
from models.weights_io import load_into, load_safetensors, save_safetensors
from training.video.things import draw_thing_prompt, render_thing

WEIGHTS = Path(__file__).parent / "video_things.safetensors"
SIZE, FRAMES, POOL = 64, 2, 24_000


class ThingJudge(nn.Module):
    """Convolutions over one frame, then the mean and the greatest over places."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        widths = (3, width, 2 * width, 3 * width, 4 * width)
        self.convs = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1) for inputs, outputs in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.GroupNorm(4, each) for each in widths[1:])
        self.things = nn.Linear(8 * width, len(THING_NAMES))
        self.places = nn.Linear(8 * width, len(PLACE_NAMES))

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Map frames (B, 3, S, S) in [0, 1] to the logits of things and of places."""
        x = frames * 2 - 1
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.relu(norm(conv(x)))
        pooled = torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)
        return self.things(pooled), self.places(pooled)


def draw_prompt(rng: np.random.Generator) -> ThingPrompt:
    """Draw what one thing does somewhere."""
    while (prompt := draw_thing_prompt(rng)).other:
        pass
    return prompt


def render_frames(rng: np.random.Generator, cutouts: Path) -> tuple[NDArray[np.uint8], ThingPrompt]:
    """Render two frames of a clip, uint8 (FRAMES, SIZE, SIZE, 3), and what they show."""
    prompt = draw_prompt(rng)
    return render_thing(prompt, cutouts, int(rng.integers(2**31)), FRAMES, SIZE).frames, prompt


def spoil(frames: Tensor, random: torch.Generator) -> Tensor:
    """Blur some frames (B, 3, S, S) in [0, 1], and put noise on all."""
    soft = F.avg_pool2d(F.pad(frames, (1, 1, 1, 1), mode="replicate"), 3, 1)
    share = torch.rand(len(frames), 1, 1, 1, generator=random)
    return frames + share * (soft - frames) + 0.04 * torch.randn(frames.shape, generator=random)


def train(cutouts: Path, minutes: float, path: Path, batch: int = 64) -> ThingJudge:
    """Train for so long, and write the weights."""
    torch.manual_seed(0)
    rng, random = np.random.default_rng(11), torch.Generator().manual_seed(0)
    judge = ThingJudge()
    optimizer = torch.optim.AdamW(judge.parameters(), 2e-3, weight_decay=0.01)
    pool = torch.zeros(POOL, 3, SIZE, SIZE, dtype=torch.uint8)
    labels = torch.zeros(POOL, 2, dtype=torch.long)
    made, step, began = 0, 0, time.monotonic()
    while (share := (time.monotonic() - began) / (60 * minutes)) < 1:
        for _ in range(100 if not made else 6):
            frames, prompt = render_frames(rng, cutouts)
            rows = torch.arange(made, made + FRAMES) % POOL
            pool[rows] = torch.from_numpy(frames).permute(0, 3, 1, 2)
            labels[rows] = torch.tensor([THING_NAMES.index(prompt.thing), PLACE_NAMES.index(prompt.place)])
            made += FRAMES
        rows = torch.randint(min(made, POOL), (batch,), generator=random)
        things, places = judge(spoil(pool[rows].float() / 255, random))
        loss = F.cross_entropy(things, labels[rows, 0]) + 0.3 * F.cross_entropy(places, labels[rows, 1])
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, 2 * (1 - share)) + 1e-6
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if step % 100 == 0:
            right = float((things.argmax(dim=1) == labels[rows, 0]).float().mean())
            print(f"step {step}, {made} frames, loss {float(loss.detach()):.3f}, right {right:.2f}", flush=True)
    save_safetensors(path, judge.state_dict(), {"steps": str(step)})
    return judge.eval()


def load_judge(path: Path = WEIGHTS) -> ThingJudge:
    """Load the weights beside this file."""
    judge = ThingJudge()
    load_into(judge, load_safetensors(path), "the judge of things")
    return judge.eval()


@torch.inference_mode()
def judge_clip(judge: ThingJudge, frames: NDArray[np.uint8]) -> tuple[str, str]:
    """Tell the thing and the place that a clip uint8 (F, SIZE, SIZE, 3) shows, by the mean over its frames."""
    things, places = judge(torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255)
    return (
        THING_NAMES[int(things.log_softmax(dim=1).mean(dim=0).argmax())],
        PLACE_NAMES[int(places.log_softmax(dim=1).mean(dim=0).argmax())],
    )


def measure_renders(judge: ThingJudge, cutouts: Path, clips: int = 400) -> dict[str, float]:
    """Measure the judge on renders that it never saw."""
    rng, right = np.random.default_rng(99), np.zeros(2)
    for _ in range(clips):
        prompt = draw_prompt(rng)
        frames = render_thing(prompt, cutouts, int(rng.integers(2**31)), 4, SIZE).frames
        right += np.array(judge_clip(judge, frames)) == (prompt.thing, prompt.place)
    return {"judge_thing_accuracy": right[0] / clips, "judge_place_accuracy": right[1] / clips}


def measure_things(generator: VideoGenerator, clips: int = 200) -> dict[str, float]:
    """Measure how often a clip shows the thing and the place of its prompt ("cat snow"), all things in turn."""
    judge, rng, right = load_judge(), np.random.default_rng(7), np.zeros(2)
    for number in range(clips):
        prompt = ThingPrompt(THING_NAMES[number % len(THING_NAMES)])
        place = PLACE_NAMES[int(rng.integers(len(PLACE_NAMES)))]
        text = f"{prompt.thing} {place}"
        request = VideoRequest(text, seed=number)
        frames = np.concatenate([chunk.frames for chunk in generator.stream(request)])
        right += np.array(judge_clip(judge, frames)) == (prompt.thing, place)
    return {"thing_accuracy": right[0] / clips, "place_accuracy": right[1] / clips, "thing_prompts": float(clips)}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("train", "measure"))
    parser.add_argument("--cutouts", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=25.0)
    options = parser.parse_args()
    if options.action == "train":
        train(options.cutouts, options.minutes, WEIGHTS)
    print(measure_renders(load_judge(), options.cutouts))


if __name__ == "__main__":
    main()
