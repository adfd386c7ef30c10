"""What the recipes share: checkpoints that are whole or absent, running averages, training that can be resumed."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint whole or not at all; plain values and tensors, so that it loads with weights_only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(dict(state), part)
    part.replace(path)


Network = TypeVar("Network", bound=nn.Module)


@torch.no_grad()
def follow(average: dict[str, Tensor], model: nn.Module, step: int, limit: float) -> None:
    """Move a running average of a model's state after step `step`; a young average forgets fast, `limit` is its end."""
    keep = min(limit, (1 + step) / (10 + step))
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value.to(average[name].dtype), 1 - keep)
        else:
            average[name] = value.clone()


class ResumableTraining(Generic[Network]):
    """A network with its running average, optimiser and step; takes up its checkpoint if there is one.

    Args:
        config: of the network, with a `to_dict`; kept in the checkpoint.
    """

    def __init__(self, model: Network, config: Any, optimizer: torch.optim.Optimizer, checkpoint: Path) -> None:
        self.model, self.config, self.optimizer, self.checkpoint = model, config, optimizer, checkpoint
        self.average = {name: value.clone() for name, value in model.state_dict().items()}
        self.step = 0
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        if checkpoint.exists():
            state = torch.load(checkpoint, weights_only=True)
            model.load_state_dict(state["model"])
            optimizer.load_state_dict(state["optimizer"])
            self.average, self.step = state["average"], state["step"]

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
            "config": self.config.to_dict(),
        }
        save_checkpoint(self.checkpoint, state)

    def descend(self, loss: Tensor, largest_norm: float, average: float) -> None:
        """One step of the optimiser down the gradient of `loss`, held to a norm; the average follows."""
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), largest_norm)
        self.optimizer.step()
        self.step += 1
        follow(self.average, self.model, self.step, average)


class PlannedTraining(ResumableTraining[Network]):
    """With a plan (steps, learning_rate, last_learning_rate, warm_up) that `run_steps` carries out."""

    plan: Any

    def train_step(self) -> dict[str, float]:
        """One step; returns what the log line tells."""
        raise NotImplementedError

    def run_steps(self, log_every: int, save_every: int) -> None:
        """Run to the planned step: a cosine learning rate after a warm-up, log lines of JSON, checkpoints."""
        plan = self.plan
        sums: dict[str, float] = {}
        started = time.perf_counter()
        with self.checkpoint.with_suffix(".log").open("a") as log:
            while self.step < plan.steps:
                cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, self.step / plan.steps)))
                rate = plan.last_learning_rate + (plan.learning_rate - plan.last_learning_rate) * cosine
                for group in self.optimizer.param_groups:
                    group["lr"] = rate * min(1.0, (self.step + 1) / plan.warm_up)
                for key, value in self.train_step().items():
                    sums[key] = sums.get(key, 0.0) + value
                if self.step % log_every == 0:
                    took = time.perf_counter() - started
                    line = {k: round(v / log_every, 4) for k, v in sums.items()}
                    text = json.dumps({"step": self.step, **line, "s_per_step": round(took / log_every, 3)})
                    print(text, flush=True)
                    print(text, file=log, flush=True)
                    sums, started = {}, time.perf_counter()
                if self.step % save_every == 0:
                    self.save()
        self.save()
