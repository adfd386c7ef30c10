"""The processes of one training, one a GPU, as `accelerate launch` or `torchrun` begins them; usually one alone.

Every process draws its own batches; gradients are averaged before each step, so that all keep the same weights. Several
processes do what one would do with as many times the batch.
Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
from torch import Tensor, nn

SEED_STRIDE = 1_000_003

if "LOCAL_RANK" in os.environ and torch.cuda.is_available():
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))  # what "cuda" means from now on


class Team:
    """The processes that train together.

    Attributes:
        rank: number of this process, 0 of the first; count: how many there are.
    """

    def __init__(self) -> None:
        self.rank, self.count = 0, 1
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            from accelerate import PartialState

            state = PartialState(cpu=not torch.cuda.is_available())
            self.rank, self.count = state.process_index, state.num_processes

    @torch.no_grad()
    def average(self, tensors: Sequence[Tensor]) -> None:
        """Make tensors, of one device, their means over all processes, in place."""
        if self.count == 1 or not tensors:
            return
        from accelerate.utils import reduce

        flat = torch.cat([each.flatten().float() for each in tensors])
        means: Tensor = reduce(flat, reduction="mean")
        for each, mean in zip(tensors, means.split([each.numel() for each in tensors]), strict=True):
            each.copy_(mean.view_as(each))

    def share_gradients(self, network: nn.Module) -> None:
        """Make the gradients of a network their means over all processes."""
        self.average([each.grad for each in network.parameters() if each.grad is not None])

    @torch.no_grad()
    def copy_first(self, tensors: Sequence[Tensor]) -> None:
        """Make tensors those of the first process, in place."""
        if self.count == 1:
            return
        from accelerate.utils import broadcast

        for each in tensors:
            each.copy_(broadcast(each.detach().clone()))

    def ask_first(self, values: Sequence[float]) -> tuple[float, ...]:
        """Return the numbers of the first process, as learning rates by the clock, which differ a little."""
        if self.count == 1:
            return tuple(values)
        from accelerate import PartialState

        told = torch.tensor(values, dtype=torch.float64, device=PartialState().device)
        self.copy_first([told])
        return tuple(told.tolist())


def require_one_process() -> None:
    """Refuse to be one of several processes.

    Raises:
        SystemExit: it is; with a sentence.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise SystemExit("This recipe is made for one GPU; start it with python alone.")
