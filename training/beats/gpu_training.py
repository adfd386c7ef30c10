r"""Training of both beat detectors on a GPU with many cores beside it: some days of music in minutes.

    python -m training.beats.gpu_training --pop909 FOLDER --lieder FOLDER --groove FOLDER --soundfont FILE \
        --seconds 400 --workers 10 --out FOLDER

Processes render excerpts as `training.beats.corpus` does; all of them stay on the GPU, where crops are drawn, stretched
in time, tilted and masked. The network for a whole song and the one for live sound learn from the same batches. Time,
not a number of steps, ends the training, and the running averages are written as weights now and then, so that a run
which is cut off leaves something.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty

import numpy as np
import torch
from torch import Tensor, multiprocessing
from torch.nn import functional as F

from models.beats.network import FRAME_RATE, BeatNetwork, BeatNetworkConfig
from models.weights_io import save_safetensors
from training.beats.corpus import (
    EXCERPT_S,
    Excerpt,
    add_source_options,
    list_sources,
    read_source_options,
    render_excerpt,
)
from training.beats.train import CAUSAL_DELAY_FRAMES, FILES, WARM_UP_STEPS
from training.loop import TrainingLoop, weigh_update
from training.team import require_one_process

Render = Callable[[int], Excerpt | None]
MAX_BEATS = 192  # in an excerpt of 30 s
PATIENCE_S, POLL_S = 120.0, 2.0  # how long to wait for an excerpt, and how often to look
MEL_FLOOR = math.log(1e-5)
SIZES = BeatNetworkConfig(front_channels=(16, 28, 64), channels=112, layers=9)


@dataclass(frozen=True)
class GpuPlan:
    """Sizes of the training.

    Attributes:
        capacity: excerpts that are kept; then new ones replace the oldest.
        first: excerpts to wait for before the first step.
        crop_frames: of an excerpt in a step, before it is stretched by up to `stretch`.
    """

    seconds: float = 400.0
    workers: int = 10
    capacity: int = 16_000
    first: int = 256
    batch: int = 64
    crop_frames: int = 1000
    stretch: float = 1.2
    learning_rate: float = 3e-3
    save_every_s: float = 60.0
    seed: int = 1


def _render_forever(render: Render, seed: int, ready: Queue[Excerpt]) -> None:
    """Render excerpts of rising seeds until killed."""
    torch.set_num_threads(1)
    while True:
        excerpt = render(seed)
        if excerpt is not None:
            ready.put(excerpt)
        seed += 1


class ExcerptStore:
    """Excerpts on a device, more of them all the time: mel float16 (N, T, M), times of beats and downbeats (N, B, 2).

    Times of beats that do not exist are -1. Build it before anything uses the GPU: the processes are forks.
    """

    def __init__(self, plan: GpuPlan, render: Render, device: str, frames: int, n_mels: int) -> None:
        context = multiprocessing.get_context("fork")
        self.ready = context.Queue(4 * plan.workers)
        self.processes = [
            context.Process(target=_render_forever, args=(render, plan.seed + 10_000_000 * i, self.ready), daemon=True)
            for i in range(plan.workers)
        ]
        for process in self.processes:
            process.start()
        self.mel = torch.zeros(plan.capacity, frames, n_mels, dtype=torch.float16, device=device)
        self.times = torch.full((plan.capacity, MAX_BEATS, 2), -1.0, device=device)
        self.seen = 0

    @property
    def count(self) -> int:
        """Return how many excerpts there are to draw from."""
        return min(self.seen, len(self.mel))

    def add(self, excerpt: Excerpt) -> None:
        """Keep one more excerpt, in place of the oldest where the store is full."""
        row = self.seen % len(self.mel)
        self.mel[row] = torch.from_numpy(excerpt.mel[: self.mel.shape[1]])
        times = np.full((MAX_BEATS, 2), -1.0, dtype=np.float32)
        for column, of in enumerate((excerpt.beats, excerpt.downbeats)):
            times[: min(MAX_BEATS, len(of)), column] = of[:MAX_BEATS]
        self.times[row] = torch.from_numpy(times)
        self.seen += 1

    def collect(self, until: int = 0) -> None:
        """Take over what was rendered meanwhile, and wait until there are `until` excerpts.

        Raises:
            RuntimeError: the processes have ended, or render nothing.
        """
        patience_s = PATIENCE_S
        while True:
            try:
                self.add(self.ready.get(timeout=POLL_S) if self.seen < until else self.ready.get_nowait())
                patience_s = PATIENCE_S
            except Empty:
                if self.seen >= until:
                    return
                patience_s -= POLL_S
                if patience_s <= 0 or not any(process.is_alive() for process in self.processes):
                    raise RuntimeError("no excerpt was rendered; see above, and look into the folders.") from None

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            process.kill()


def make_stretched_targets(times: Tensor, start: Tensor, factor: Tensor, frames: int) -> Tensor:
    """Make the targets of crops: 1 in the frame nearest to a beat, a half beside it.

    Args:
        times: (B, N, 2) of beats and downbeats in seconds, below 0 where there is none.
        start: (B,), frame of the excerpt at which the crop begins; factor: (B,), frames of the excerpt to one of it.

    Returns:
        float32 (B, frames, 2).
    """
    at = ((times * FRAME_RATE - start[:, None, None]) / factor[:, None, None]).round()
    wanted = torch.zeros(len(times), frames + 2, 2, device=times.device)
    inside = (times >= 0) & (at >= 0) & (at < frames)
    centre = torch.where(inside, at, -1).long() + 1  # row 0 takes what lies outside
    values = inside.float()
    wanted.scatter_reduce_(1, centre, values, "amax")
    for beside in (-1, 1):
        wanted.scatter_reduce_(1, (centre + beside).clamp(0, frames + 1), 0.5 * values, "amax")
    return wanted[:, 1:-1]


def draw_stretched_batch(store: ExcerptStore, plan: GpuPlan, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw crops: mel (B, T, M) at another speed, level and tilt, with bands missing; targets (B, T, 2)."""
    mel, device = store.mel, store.mel.device
    total = mel.shape[1]
    frames = min(plan.crop_frames, int((total - 2) / plan.stretch))

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=device)

    rows = (uniform(plan.batch) * store.count).long().clamp_max(store.count - 1)
    factor = torch.exp((2 * uniform(plan.batch) - 1) * math.log(plan.stretch))
    factor = torch.where(uniform(plan.batch) < 0.4, torch.ones_like(factor), factor)
    start = (uniform(plan.batch) * (total - 2 - frames * factor)).floor()
    position = start[:, None] + torch.arange(frames, device=device) * factor[:, None]  # (B, T)
    left = position.long().clamp(0, total - 2)
    share = (position - left)[..., None]
    drawn = mel[rows[:, None], left].float() * (1 - share) + mel[rows[:, None], left + 1].float() * share
    bands = torch.linspace(-1, 1, mel.shape[2], device=device)
    level = torch.randn(2, plan.batch, 1, 1, generator=generator, device=device)
    drawn = drawn + 0.7 * level[0] + 0.6 * level[1] * bands
    first, width = uniform(plan.batch, 1) * (mel.shape[2] - 8), 2 + 14 * uniform(plan.batch, 1)
    band = torch.arange(mel.shape[2], device=device)
    masked = (band >= first) & (band < first + width) & (uniform(plan.batch, 1) < 0.3)
    drawn = torch.where(masked[:, None], drawn.amin((1, 2), keepdim=True), drawn)
    targets = make_stretched_targets(store.times[rows], start, factor, frames)
    return drawn.clamp_min(MEL_FLOOR), targets


def delay(wanted: Tensor, frames: int) -> Tensor:
    """Move targets (B, T, 2) later by some frames, as the causal network answers."""
    return F.pad(wanted, (0, 0, frames, 0))[:, : wanted.shape[1]]


class GpuBeatTraining(TrainingLoop[BeatNetwork]):
    """One of the two networks; its learning rate follows the clock."""

    def __init__(self, config: BeatNetworkConfig, plan: GpuPlan, device: str) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.device, self.progress = plan, device, 0.0
        model = BeatNetwork(config).to(device)
        super().__init__(
            model, config, torch.optim.AdamW(model.parameters(), plan.learning_rate, weight_decay=1e-2), None
        )
        self.weights = torch.tensor([4.0, 8.0], device=device)
        self.model.train()

    def measure_progress(self) -> float:
        """Return the share of the time that is over."""
        return self.progress

    def schedule_rates(self) -> tuple[float, ...]:
        """Return the learning rate: a cosine to a hundredth over the time, after a warm-up."""
        warm = min(1.0, (self.step + 1) / WARM_UP_STEPS)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, self.progress)))
        return (self.plan.learning_rate * warm * (0.01 + 0.99 * cosine),)

    def weigh_average(self) -> float:
        """Return the weight of the newest state in the running average."""
        return weigh_update(self.step, 0.999)

    def learn(self, mel: Tensor, wanted: Tensor) -> Tensor:
        """Do one step on a batch; return the loss."""
        for group in self.optimizers[0].param_groups:
            group["lr"] = self.schedule_rates()[0]
        wanted = delay(wanted, self.config.delay_frames)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            logits = self.model(mel)
        loss = F.binary_cross_entropy_with_logits(logits.float(), wanted, weight=1.0 + wanted * self.weights)
        self.descend(loss, 1.0)
        return loss.detach()

    def export(self, folder: Path, clips: int) -> None:
        """Write the running average as a weight file, whole or not at all."""
        about = {"config": json.dumps(self.config.to_dict()), "steps": str(self.step), "excerpts": str(clips)}
        save_safetensors(folder / FILES[self.config.causal], self.average, about)


def train_both(
    store: ExcerptStore, plan: GpuPlan, out: Path, device: str, sizes: BeatNetworkConfig = SIZES
) -> Iterator[dict[str, float]]:
    """Train both networks until the time is over; yield what the log tells, about every five seconds.

    The clock begins with the call, so the waiting for the first excerpts counts.
    """
    began = saved = logged = time.monotonic()
    trainings = [
        GpuBeatTraining(replace(sizes, causal=causal, delay_frames=CAUSAL_DELAY_FRAMES if causal else 0), plan, device)
        for causal in (False, True)
    ]
    generator = torch.Generator(device).manual_seed(plan.seed)
    store.collect(until=plan.first)
    while (now := time.monotonic()) < began + plan.seconds:
        store.collect()
        mel, wanted = draw_stretched_batch(store, plan, generator)
        losses = []
        for training in trainings:
            training.progress = (now - began) / plan.seconds
            losses.append(training.learn(mel, wanted))
        if now - logged > 5.0 or trainings[0].step == 1:
            logged = now
            loss, causal_loss = (round(float(loss), 4) for loss in losses)
            yield {
                "seconds": round(now - began, 1), "step": trainings[0].step, "excerpts": store.seen, "loss": loss,
                "causal_loss": causal_loss,
            }  # fmt: skip
        if now - saved > plan.save_every_s:
            saved = now
            for training in trainings:
                training.export(out, store.seen)
    for training in trainings:
        training.export(out, store.seen)


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_source_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the weights and the log")
    parser.add_argument("--seconds", type=float, default=GpuPlan.seconds)
    parser.add_argument("--workers", type=int, default=GpuPlan.workers)
    parser.add_argument("--batch", type=int, default=GpuPlan.batch)
    parser.add_argument("--capacity", type=int, default=GpuPlan.capacity)
    parser.add_argument("--first", type=int, default=GpuPlan.first, help="excerpts to wait for")
    chosen = parser.parse_args()
    plan = GpuPlan(chosen.seconds, chosen.workers, chosen.capacity, chosen.first, chosen.batch)
    sources = read_source_options(chosen)
    render = partial(render_excerpt, list_sources(sources), sources.soundfonts)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    chosen.out.mkdir(parents=True, exist_ok=True)
    store = ExcerptStore(plan, render, device, int(EXCERPT_S * FRAME_RATE), SIZES.n_mels)
    try:
        with (chosen.out / "beats.log").open("a", encoding="utf-8") as log:
            for line in train_both(store, plan, chosen.out, device):
                print(json.dumps(line), flush=True)
                print(json.dumps(line), file=log, flush=True)
    finally:
        store.close()


if __name__ == "__main__":
    require_one_process()
    main()
