"""Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks") beside AdamW.

A hidden weight matrix moves by its momentum with all singular values made about equal; embeddings, relative tables,
gains and biases are AdamW's. On one CPU core this reaches a given loss in clearly fewer steps than AdamW alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """(..., rows, columns) with singular values near 1, by Newton-Schulz iterations of a quintic polynomial."""
    x = matrix / (matrix.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    is_tall = x.shape[-2] > x.shape[-1]
    x = x.mT if is_tall else x
    a, b, c = _NEWTON_SCHULZ
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if is_tall else x


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised, for matrices; a matrix of q, k and v on top of each other counts as three."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, decay: float = 0.01):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update of every matrix that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                momentum = state.setdefault("momentum", torch.zeros_like(parameter))
                momentum.lerp_(parameter.grad, 1 - group["momentum"])
                update = parameter.grad.lerp(momentum, group["momentum"])
                rows, columns = update.shape
                parts = 3 if rows == 3 * columns else 1
                update = orthogonalise(update.view(parts, rows // parts, columns)).reshape(rows, columns)
                scale = max(1.0, rows / parts / columns) ** 0.5
                parameter.mul_(1 - group["lr"] * group["decay"])
                parameter.add_(update, alpha=-group["lr"] * scale)


def make_optimizers(model: nn.Module, muon_rate: float, adam_rate: float) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the layers' matrices, AdamW for everything else."""
    is_matrix = {name: p.dim() == 2 and name.startswith("layers.") for name, p in model.named_parameters()}
    matrices = [p for name, p in model.named_parameters() if is_matrix[name]]
    others = [p for name, p in model.named_parameters() if not is_matrix[name]]
    return (
        Muon(matrices, lr=muon_rate),
        torch.optim.AdamW(others, lr=adam_rate, betas=(0.9, 0.98), weight_decay=0.0),
    )
