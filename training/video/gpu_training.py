"""Training of the video model on a GPU with many cores beside it: some millions of clips in ten minutes.

    python -m training.video.gpu_training --folder .runs/video_gpu --seconds 560 --workers 14 --characters FOLDER

The data are those of `training.video.train`. Processes render clips, each with several disturbed captions, into shared
memory; all clips ever rendered stay on the GPU as bytes, and batches are drawn there. Time, not a number of steps, ends
the training: the learning rate falls over the last `--calm` of it. Passes run in bfloat16 and are compiled. The running
average is written as weights now and then, so that a run which is cut off leaves something.
"""

from __future__ import annotations

import argparse
import json
import math
import mmap
import time
from dataclasses import dataclass, replace
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from typing import Any

import numpy as np
import torch
from torch import Tensor, multiprocessing

from models.video.diffusion import compute_loss
from models.video.generator import UNET_WEIGHTS
from models.video.text_embedding import TEXT_WEIGHTS, TextTable, load_text_table
from models.video.thing_words import THING_ATTRIBUTES
from models.video.unet3d import Condition, UNet3D, UNet3DConfig
from models.weights_io import load_safetensors, save_safetensors
from training.loop import TrainingLoop, weigh_update
from training.team import require_one_process
from training.video.clip_pool import ATTRIBUTES, ClipPool, VideoPlan
from training.video.train import WEIGHTS_FOLDER

CAPTIONS = 8  # worded for each clip
CHUNK = 8  # clips that a process hands over at once
GIVEN = (1, 2, 4, 8)  # numbers of frames that may be given
GIVEN_OF_PHOTOS = 0.8  # how often frames of a photograph are given


@dataclass(frozen=True)
class ClipArrays:
    """Clips as bytes: frames uint8 (N, F, R, S, 3), pieces int32 (N, CAPTIONS, L) with -1 at padding, and the numbers
    of attributes int64 (N, A).
    """

    frames: Tensor
    pieces: Tensor
    attributes: Tensor

    @classmethod
    def allocate(
        cls, count: int, plan: VideoPlan, max_words: int, device: str = "cpu", shared: bool = False
    ) -> ClipArrays:
        """Allocate zeros; `shared` with the processes that this one forks afterwards."""

        def zeros(dtype: torch.dtype, *shape: int) -> Tensor:
            if not shared:
                return torch.zeros(count, *shape, dtype=dtype, device=device)
            memory = mmap.mmap(-1, count * math.prod(shape) * dtype.itemsize)
            return torch.frombuffer(memory, dtype=dtype).view(count, *shape)

        return cls(
            zeros(torch.uint8, plan.frames, plan.size, plan.size, 3),
            zeros(torch.int32, CAPTIONS, max_words),
            zeros(torch.int64, len(ATTRIBUTES)),
        )

    def list_arrays(self) -> tuple[Tensor, Tensor, Tensor]:
        """List the arrays, always in one order."""
        return self.frames, self.pieces, self.attributes


def find_photos(attributes: Tensor) -> Tensor:
    """Find the moves over photographs, bool (N,): their camera is known, but neither scene nor thing."""
    camera, kind, thing = (attributes[:, ATTRIBUTES.index(name)] for name in ("camera", "kind", "thing"))
    return (camera > 0) & (kind == 0) & (thing == 0)


def start_from(model: UNet3D, path: Path) -> None:
    """Start from weights that may know fewer attributes: what is not among them says nothing yet."""
    weights = load_safetensors(path)
    for number, table in enumerate(model.attributes):
        if f"attributes.{number}.weight" not in weights:
            with torch.no_grad():
                table.weight[0] = 0  # type: ignore[index, operator]
    missing, unknown = model.load_state_dict(weights, strict=False)
    strange = [name for name in missing if not name.startswith("attributes.")]
    if strange or unknown:
        raise ValueError(f"{path} is of another network: {', '.join([*strange, *unknown][:3])}.")


def fill_row(pool: ClipPool, shelf: ClipArrays, row: int) -> None:
    """Render a clip with its captions into one row."""
    clip = pool.render()
    shelf.frames[row] = torch.from_numpy(clip.frames)
    shelf.attributes[row] = torch.tensor(clip.attributes)
    shelf.pieces[row] = -1
    for at in range(CAPTIONS):
        pieces = pool.wording.augment(pool.table.tokenize(clip.write_caption(pool.rng)), pool.rng)[: pool.max_words]
        shelf.pieces[row, at, : len(pieces)] = torch.tensor(pieces, dtype=torch.int32)


def _render_rows(pool: ClipPool, seed: int, shelf: ClipArrays, free: Queue[int], ready: Queue[int]) -> None:
    """Fill chunks until killed."""
    torch.set_num_threads(1)
    pool.rng = np.random.default_rng(seed)
    while True:
        start = free.get()
        for row in range(start, start + CHUNK):
            fill_row(pool, shelf, row)
        ready.put(start)


class ClipStore:
    """Clips on a device, more of them all the time.

    Args:
        capacity: clips that are kept; then new ones replace the oldest.
        workers: processes that render, each up to `waiting` chunks ahead; start the store before anything else uses
            the GPU, since they are forks.
    """

    def __init__(
        self, plan: VideoPlan, table: TextTable, max_words: int, characters: Path | None, capacity: int, workers: int,
        device: str, waiting: int = 4, things: Path | None = None, photos: Path | None = None,
    ) -> None:  # fmt: skip
        self.plan, self.device, self.count, self.seen = plan, device, 0, 0
        pool = ClipPool(replace(plan, first_clips=0), table, max_words, plan.seed, characters, things, photos)
        self.spread = pool.wording.plan.noise * pool.wording.spread
        self.rows = ClipArrays.allocate(CHUNK * waiting * workers, plan, max_words, shared=True)
        context = multiprocessing.get_context("fork")
        self.free, self.ready = context.Queue(), context.Queue()
        for start in range(0, len(self.rows.frames), CHUNK):
            self.free.put(start)
        self.workers = [
            context.Process(
                target=_render_rows, args=(pool, plan.seed + index, self.rows, self.free, self.ready), daemon=True
            )
            for index in range(workers)
        ]
        for worker in self.workers:
            worker.start()
        self.clips = ClipArrays.allocate(capacity, plan, max_words, device)
        self.vectors = table.vectors.float().to(device)
        self.random = torch.Generator(device).manual_seed(plan.seed)
        self.copying = torch.cuda.Stream() if device == "cuda" else None

    def collect(self, wait: bool = False) -> int:
        """Take over what was rendered meanwhile; returns how many clips."""
        taken = 0
        while True:
            try:
                start = self.ready.get(timeout=60) if wait else self.ready.get_nowait()
            except Empty:
                return taken
            wait = False
            at = self.seen % (len(self.clips.frames) // CHUNK * CHUNK)
            with torch.cuda.stream(self.copying):  # beside the training, which it does not hold up
                for whole, part in zip(self.clips.list_arrays(), self.rows.list_arrays(), strict=True):
                    whole[at : at + CHUNK] = part[start : start + CHUNK].to(self.device)
                if self.copying is not None:
                    self.copying.synchronize()
            self.free.put(start)
            self.seen += CHUNK
            self.count = min(self.seen, len(self.clips.frames) // CHUNK * CHUNK)
            taken += CHUNK

    def draw(self, batch: int) -> tuple[Tensor, Condition, Tensor]:
        """Draw a batch as `ClipPool.draw` does, on the device, whole clips only."""
        plan, device, random = self.plan, self.device, self.random

        def draw_chance(*shape: int) -> Tensor:
            return torch.rand(shape, generator=random, device=device)

        rows = (draw_chance(batch) * self.count).long()
        clean = self.clips.frames[rows].permute(0, 4, 1, 2, 3).float() / 127.5 - 1
        pieces = self.clips.pieces[rows, (draw_chance(batch) * CAPTIONS).long()]
        told = draw_chance(batch) >= plan.no_words
        said = (pieces >= 0) & told[:, None]
        words = self.vectors[pieces.clamp(min=0)]
        words = (words + self.spread * torch.randn(words.shape, generator=random, device=device)) * said[..., None]
        left_out = torch.full((len(ATTRIBUTES),), plan.no_attribute, device=device)
        left_out[-len(THING_ATTRIBUTES) :] = plan.no_thing  # which are always said of a clip of things
        kept = (draw_chance(batch, len(ATTRIBUTES)) > left_out) & told[:, None]
        attributes = self.clips.attributes[rows] * kept
        lengths = torch.tensor([n for n in GIVEN if n < plan.frames], device=device)
        chance = torch.where(find_photos(self.clips.attributes[rows]), GIVEN_OF_PHOTOS, plan.given_frames)
        given = lengths[(draw_chance(batch) * len(lengths)).long()] * (draw_chance(batch) < chance)
        known = torch.arange(plan.frames, device=device)[None] < given[:, None]
        return clean, Condition(words, said, attributes), known

    def close(self) -> None:
        """End the processes."""
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.join()


@dataclass(frozen=True)
class TimedSchedule:
    """The schedule of a run: `seconds` of training, the share `calm` of falling rate, and `warm_up` steps."""

    seconds: float = 560.0
    calm: float = 0.5
    warm_up: int = 200
    log_every: int = 50
    save_every_s: float = 90.0

    def compute_rate(self, step: int, elapsed_s: float) -> float:
        """Compute the share of the full learning rate: a warm-up, a plain, a straight fall to nothing."""
        left = (1 - elapsed_s / self.seconds) / self.calm
        return min(1.0, (step + 1) / self.warm_up) * max(0.0, min(1.0, left))


class GpuTraining(TrainingLoop[UNet3D]):
    """Training of the video model anew for a time; `save` writes weights to a folder, and there is no checkpoint.

    Args:
        store: the clips.
        average_limit: limit of the running average.
        start: weights to begin with; None begins anew.
        compiled: whether passes are compiled; the first step, which compiles, does not count.
    """

    def __init__(
        self, store: ClipStore, config: UNet3DConfig, batch: int, timing: TimedSchedule, out: Path,
        average_limit: float, compiled: bool, start: Path | None = None,
    ) -> None:  # fmt: skip
        plan, device = store.plan, store.device
        torch.manual_seed(plan.seed)
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True
        model = UNet3D(config)
        if start is not None:
            start_from(model, start)
        model = model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = torch.optim.AdamW(
            model.parameters(), plan.learning_rate, (0.9, 0.99), weight_decay=plan.weight_decay, fused=device == "cuda"
        )
        super().__init__(model, config, optimizer, checkpoint=None)
        self.network = torch.compile(model) if compiled else model
        self.store, self.batch, self.timing, self.out, self.average_limit = store, batch, timing, out, average_limit
        self.smooth = torch.zeros((), device=device)  # the loss, smoothed

    def measure_progress(self) -> float:
        """Return the share of the time that has passed."""
        return self.elapsed_s / self.timing.seconds if self.timing.seconds > 0 else math.inf

    def schedule_rates(self) -> tuple[float, ...]:
        """Return the learning rate of the timed schedule."""
        return (self.store.plan.learning_rate * self.timing.compute_rate(self.step, self.elapsed_s),)

    def weigh_average(self) -> float:
        """Return the weight of the newest state in the running average."""
        return weigh_update(self.step, self.average_limit)

    def train_step(self) -> dict[str, Any]:
        """Do one step; return the loss, still on the device, and how many clips were rendered."""
        self.store.collect()
        clean, condition, known = self.store.draw(self.batch)
        device = self.store.device
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            loss = compute_loss(self.network, clean, condition, known, self.store.random)  # type: ignore[arg-type]
        self.descend(loss, 1.0)
        self.smooth = self.smooth.lerp(loss.detach(), 0.02 if self.step > 50 else 1 / self.step)
        return {"loss": loss.detach(), "clips": self.store.seen}

    def finish_step(self) -> None:
        """Begin the clock after the first step: the time that compiling took shortens the training."""
        if self.step == 1:
            print(f"first step after {self.elapsed_s:.0f} s, loss {float(self.smooth):.3f}", flush=True)
            self.timing = replace(self.timing, seconds=self.timing.seconds - self.elapsed_s)
            self.elapsed_s = 0.0

    def save(self) -> None:
        """Write the averaged weights, whole or not at all."""
        told = {"config": json.dumps(self.config.to_dict()), "steps": str(self.step)}
        save_safetensors(self.out / UNET_WEIGHTS, self.average, told)


def train(
    store: ClipStore,
    config: UNet3DConfig,
    batch: int,
    timing: TimedSchedule,
    out: Path,
    average_limit: float,
    compiled: bool,
    start: Path | None = None,
) -> dict[str, float]:
    """Train anew, or on from weights, for so long, with weights in `out` now and then; return figures of the run."""
    while store.count < 2 * batch:
        store.collect(wait=True)
    training = GpuTraining(store, config, batch, timing, out, average_limit, compiled, start)
    training.run(log_every=timing.log_every, save_every_s=timing.save_every_s)
    steps, loss = training.step, round(float(training.smooth), 4)
    return {"steps": steps, "clips": steps * batch, "rendered": store.seen, "loss": loss}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(".runs/video_gpu"), help="where the weights go")
    parser.add_argument("--seconds", type=float, default=TimedSchedule.seconds)
    parser.add_argument("--calm", type=float, default=TimedSchedule.calm)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--capacity", type=int, default=200_000, help="clips kept on the GPU, of 196 kB each")
    parser.add_argument("--workers", type=int, default=14)
    parser.add_argument("--waiting", type=int, default=100, help="chunks of 8 clips that may wait for each process")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--average", type=float, default=0.999)
    parser.add_argument("--text", type=Path, default=WEIGHTS_FOLDER / TEXT_WEIGHTS, help="table of distil_text")
    parser.add_argument("--characters", type=Path, help="folder of the Liberated Pixel Cup sheets")
    parser.add_argument("--things", type=Path, help="folder of the cut-outs of things")
    parser.add_argument("--photos", type=Path, help="folder of photographs")
    parser.add_argument("--start", type=Path, help="weights to begin with")
    parser.add_argument("--save-every", type=float, default=TimedSchedule.save_every_s, help="seconds")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--eager", action="store_true", help="do not compile")
    options = parser.parse_args()
    plan = VideoPlan(learning_rate=options.learning_rate)
    table = load_text_table(options.text)
    config = UNet3DConfig(text_width=table.width)
    began = time.monotonic()
    store = ClipStore(
        plan, table, config.max_words, options.characters, options.capacity, options.workers, options.device,
        options.waiting, options.things, options.photos,
    )  # fmt: skip
    print(f"processes started after {time.monotonic() - began:.0f} s", flush=True)
    timing = TimedSchedule(options.seconds, options.calm, save_every_s=options.save_every)
    try:
        figures = train(
            store, config, options.batch, timing, options.folder, options.average, not options.eager, options.start
        )
    finally:
        store.close()
    print(json.dumps(figures))


if __name__ == "__main__":
    require_one_process()
    main()
