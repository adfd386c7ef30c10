"""The training loop of every recipe: learning rates, a running average, a log, checkpoints, and going on from them.

A recipe derives from `TrainingLoop` and says what one step does (`train_step`), how much of the work is done
(`measure_progress`) and what the learning rates are (`schedule_rates`). `PlannedTraining` is the usual case: a number
of steps under a cosine learning rate. Begun by `accelerate launch`, it trains in several processes (`training.team`).
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from training.team import SEED_STRIDE, Team


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint whole or not at all; plain values and tensors, so that it loads with weights_only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(dict(state), part)
    part.replace(path)


Network = TypeVar("Network", bound=nn.Module)


def weigh_update(step: int, limit: float) -> float:
    """Return the weight of the newest state in an exponential moving average after step `step`.

    A young average forgets fast: it keeps (1 + step) / (10 + step) of itself, in the end `limit`.
    """
    return 1 - min(limit, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(average: dict[str, Tensor], model: nn.Module, weight: float) -> None:
    """Move an exponential moving average of a model's state towards the newest by `weight`; copy whole numbers."""
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value.to(average[name].dtype), weight)
        else:
            average[name] = value.clone()


class TrainingLoop(Generic[Network]):
    """A network with its optimizers, running average, step and clock; goes on from its checkpoint if there is one.

    Args:
        config: of the network, with a `to_dict`; kept in the checkpoint.
        optimizers: one or more; `schedule_rates` gives each its learning rate.
        checkpoint: path of the checkpoint, beside which the log lies; None keeps neither.
    """

    AVERAGE_LIMIT = 0.99

    def __init__(
        self,
        model: Network,
        config: Any,
        optimizers: torch.optim.Optimizer | Sequence[torch.optim.Optimizer],
        checkpoint: Path | None,
    ) -> None:
        self.model, self.config, self.checkpoint = model, config, checkpoint
        self.optimizers = (optimizers,) if isinstance(optimizers, torch.optim.Optimizer) else tuple(optimizers)
        self.average = {name: value.detach().clone() for name, value in model.state_dict().items()}
        self.step, self.elapsed_s = 0, 0.0  # steps and seconds of training so far, over all interruptions
        self.team = Team()
        if checkpoint is not None:
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
            if checkpoint.is_file():
                self.load_state(torch.load(checkpoint, map_location="cpu", weights_only=True))
        self.team.copy_first((*model.state_dict().values(), *self.average.values()))
        if self.team.rank:
            torch.manual_seed(self.seed_draws(torch.initial_seed()))  # what is dropped out differs, too

    # What a recipe says

    def train_step(self) -> dict[str, Any]:
        """Do one step with `descend`; return what the log tells of it, numbers or tensors of one number."""
        raise NotImplementedError

    def measure_progress(self) -> float:
        """Return the share of the planned work that is done; the loop ends at 1."""
        raise NotImplementedError

    def schedule_rates(self) -> tuple[float, ...]:
        """Return the learning rate of each optimizer for the next step."""
        raise NotImplementedError

    def weigh_average(self) -> float:
        """Return the weight of the newest state in the running average."""
        return weigh_update(self.step, self.AVERAGE_LIMIT)

    def reduce_gradients(self) -> None:
        """Change the gradients before they are averaged over all processes and clipped; a hook."""

    def finish_step(self) -> None:
        """Do what follows a step, as to measure held-out losses; a hook, whose time does not count as training."""

    @property
    def writes(self) -> bool:
        """Tell whether this process writes log and checkpoints."""
        return self.team.rank == 0

    def seed_draws(self, seed: int) -> int:
        """Return a seed for what is drawn from this step on, another one in each process."""
        return seed + self.step + SEED_STRIDE * self.team.rank

    # What all recipes share

    def make_state(self) -> dict[str, Any]:
        """Return what the checkpoint holds; a recipe with more to keep adds to it."""
        return {
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "average": self.average,
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "config": self.config.to_dict(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `make_state` returned.

        Raises:
            ValueError: the checkpoint was written by another version of the recipe.
        """
        missing = {"model", "optimizers", "average", "step", "elapsed_s"} - set(state)
        if missing:
            raise ValueError(
                f"{self.checkpoint} lacks {', '.join(sorted(missing))}: another version of this recipe wrote it. "
                "Go on with that version, or move the file away to begin anew."
            )
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        places = {name: value.device for name, value in self.average.items()}
        self.average = {name: value.to(places.get(name, "cpu")) for name, value in state["average"].items()}
        self.step, self.elapsed_s = state["step"], state["elapsed_s"]

    def save(self) -> None:
        """Write the checkpoint, if one is kept."""
        if self.checkpoint is not None:
            save_checkpoint(self.checkpoint, self.make_state())

    def build_average(self) -> Network:
        """Return a copy of the network with the running average, in eval mode."""
        network = copy.deepcopy(self.model)
        network.load_state_dict(self.average)
        return network.eval()

    def descend(self, loss: Tensor, max_norm: float) -> Tensor:
        """Do one step of the optimizers down the gradient of `loss`, clipped to a norm; update the running average.

        Returns:
            the norm of the gradient before it was clipped.
        """
        self.model.zero_grad()
        loss.backward()
        self.reduce_gradients()
        self.team.share_gradients(self.model)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), max_norm)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        update_average(self.average, self.model, self.weigh_average())
        return norm

    def run(self, log_every: int, save_every: int | None = None, save_every_s: float | None = None) -> None:
        """Train until the planned work is done.

        Args:
            log_every: steps between lines of JSON, printed and written beside the checkpoint: the step, minutes of
                training, the means of what `train_step` returned since the last line, and seconds a step.
            save_every, save_every_s: steps or seconds between checkpoints; the last one is always written.

        Raises:
            RuntimeError: what `train_step` returned is not finite; the checkpoint before it is kept.
        """
        self.model.train()
        sums: dict[str, Any] = {}
        count = 0
        logged_at = saved_at = time.perf_counter()
        while self.team.ask_first((self.measure_progress(),))[0] < 1:
            rates = self.team.ask_first(self.schedule_rates())
            for optimizer, rate in zip(self.optimizers, rates, strict=True):
                for group in optimizer.param_groups:
                    group["lr"] = rate
            began_at = time.perf_counter()
            for name, value in self.train_step().items():
                sums[name] = sums.get(name, 0.0) + value
            count += 1
            if self.step % log_every == 0:
                self._check(sums)
                means = {name: round(float(value) / count, 4) for name, value in sums.items()}
                now = time.perf_counter()
                pace = {"s_per_step": round((now - logged_at) / count, 3)}
                self.write_log({"step": self.step, "minutes": round(self.elapsed_s / 60, 1), **means, **pace})
                sums, count, logged_at = {}, 0, now
            now = time.perf_counter()
            is_due = save_every is not None and self.step % save_every == 0
            if is_due or (save_every_s is not None and now - saved_at > save_every_s):
                self._check(sums)
                self._save()
                saved_at = now
            self.elapsed_s += time.perf_counter() - began_at
            self.finish_step()
        self._check(sums)
        self._save()

    def _check(self, sums: Mapping[str, Any]) -> None:
        """Raise if a sum is not finite."""
        for name, value in sums.items():
            if not math.isfinite(float(value)):
                raise RuntimeError(
                    f"{name} is {float(value)} at step {self.step}; start again from the last checkpoint."
                )

    def _save(self) -> None:
        if self.writes:
            self.save()

    def write_log(self, line: Mapping[str, Any]) -> None:
        """Print a line of JSON and write it beside the checkpoint."""
        if not self.writes:
            return
        text = json.dumps(line)
        print(text, flush=True)
        if self.checkpoint is not None:
            with self.checkpoint.with_suffix(".log").open("a", encoding="utf-8") as log:
                print(text, file=log)


class PlannedTraining(TrainingLoop[Network]):
    """A training of `plan.steps` steps under a cosine learning rate after a linear warm-up.

    The plan has `steps`, `learning_rate`, `last_learning_rate`, `warm_up` (in steps) and `average`, the limit of the
    running average; a recipe sets it before it calls `TrainingLoop.__init__`.
    """

    plan: Any

    def measure_progress(self) -> float:
        """Return the share of the planned steps that is done."""
        return float(self.step / self.plan.steps)

    def schedule_rates(self) -> tuple[float, ...]:
        """Return one learning rate for all optimizers: a cosine from the first to the last, after a warm-up."""
        plan = self.plan
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, self.step / plan.steps)))
        rate = plan.last_learning_rate + (plan.learning_rate - plan.last_learning_rate) * cosine
        return (rate * min(1.0, (self.step + 1) / plan.warm_up),) * len(self.optimizers)

    def weigh_average(self) -> float:
        """Return the weight of the newest state, whose limit the plan gives."""
        return weigh_update(self.step, self.plan.average)
