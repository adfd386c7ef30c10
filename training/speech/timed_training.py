"""Training until a time has passed: one cycle of the learning rate over it, weights written on the way.

For machines that are lent for minutes. `training.loop` is the base; the running average is updated by fused operations,
and what counts is written as finished weights, not as a checkpoint to go on from.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.weights_io import load_into, load_safetensors, save_safetensors
from training.loop import Network, TrainingLoop


def schedule_one_cycle(progress: float, rise: float = 0.08) -> float:
    """Return the share of the highest learning rate at a progress in [0, 1]: a line up, a cosine down to 0."""
    if progress < rise:
        return 0.1 + 0.9 * progress / rise
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - rise) / (1 - rise))))


class TimedTraining(TrainingLoop[Network]):
    """A training that ends at a time and writes its running average now and then.

    Args:
        until: seconds of `time.time`, when it ends; `rates` are the highest learning rates of the optimizers.
        weights: the file that is written, with `describe` as its metadata; the log lies beside it.
    """

    AVERAGE_LIMIT = 0.999
    EXPORT_EVERY_S = 60.0

    def __init__(
        self,
        model: Network,
        config: Any,
        optimizers: Sequence[torch.optim.Optimizer],
        rates: Sequence[float],
        until: float,
        weights: Path,
    ) -> None:
        super().__init__(model, config, optimizers, None)
        self.rates, self.weights, self.until = tuple(rates), weights, until
        self.began = self.exported = time.time()

    def start_from(self, path: Path) -> None:
        """Take over the weights of a network of the same sizes."""
        load_into(self.model, self.read_weights(path), f"what {path.name} holds")
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def read_weights(self, path: Path) -> dict[str, Tensor]:
        """Read the weights to start from; a recipe that can begin from other networks makes them fit."""
        return load_safetensors(path)

    def describe(self) -> dict[str, object]:
        """Return the metadata of the weights, as plain values."""
        return {"config": self.config.to_dict()}

    def measure_progress(self) -> float:
        """Return the share of the time that has passed."""
        return (time.time() - self.began) / max(1e-6, self.until - self.began)

    def schedule_rates(self) -> tuple[float, ...]:
        """Return one cycle's learning rates."""
        share = schedule_one_cycle(self.measure_progress())
        return tuple(rate * share for rate in self.rates)

    def step_optimizers(self, max_norm: float) -> None:
        """Clip the gradients that are there, step all optimizers, and update the running average."""
        nn.utils.clip_grad_norm_(self.model.parameters(), max_norm, foreach=True)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        fuse_average(self.average, self.model, self.weigh_average())

    def finish_step(self) -> None:
        """Write the weights if it is time."""
        if time.time() - self.exported > self.EXPORT_EVERY_S:
            self.export()

    def run_on(self, log_every: int) -> None:
        """Train until the time is over; after a step that failed, go on from the weights that were written last."""
        while self.measure_progress() < 1:
            try:
                self.run(log_every)
            except (RuntimeError, ValueError) as error:  # a loss that is no number, or no memory for one batch
                self.write_log({"step": self.step, "failed": str(error)[:300]})
                self.return_to_weights()

    def return_to_weights(self) -> None:
        """Take over the weights that were written last, if any are; begin the optimizers' moments anew."""
        if self.weights.is_file():
            self.start_from(self.weights)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
            optimizer.state.clear()

    def export(self) -> None:
        """Write the running average as a weight file, whole or not at all."""
        self.exported = time.time()
        metadata = {key: json.dumps(value) for key, value in self.describe().items()} | {"steps": str(self.step)}
        save_safetensors(self.weights, self.average, metadata)

    def write_log(self, line: Mapping[str, Any]) -> None:
        """Print a line of JSON and write it beside the weights."""
        text = json.dumps({"task": self.weights.stem, "progress": round(self.measure_progress(), 3), **line})
        print(text, flush=True)
        with self.weights.with_suffix(".log").open("a", encoding="utf-8") as log:
            print(text, file=log)


@torch.no_grad()
def fuse_average(average: dict[str, Tensor], model: nn.Module, weight: float) -> None:
    """Do what `training.loop.update_average` does, in one call for all tensors."""
    state = model.state_dict()
    names = [name for name, value in state.items() if value.is_floating_point()]
    torch._foreach_lerp_([average[name] for name in names], [state[name] for name in names], weight)
    for name, value in state.items():
        if not value.is_floating_point():
            average[name] = value.clone()
