"""Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks") beside AdamW.

A hidden weight matrix moves by its momentum with all singular values made about equal; embeddings, relative tables,
gains and biases are AdamW's. On one CPU core this reaches a given loss in clearly fewer steps than AdamW alone.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def make_optimizers(
    model: nn.Module, muon_rate: float, adam_rate: float
) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Return Muon for the layers' matrices and AdamW for everything else.

    Raises:
        RuntimeError: torch is older than 2.9, which brings Muon.
    """
    if not hasattr(torch.optim, "Muon"):
        raise RuntimeError(
            f"Training the music model needs torch 2.9 or later, which brings Muon; this is torch {torch.__version__}. "
            "Run: python -m pip install 'torch>=2.9'"
        )
    is_matrix = {name: p.dim() == 2 and name.startswith("layers.") for name, p in model.named_parameters()}
    matrices = [p for name, p in model.named_parameters() if is_matrix[name]]
    others = [p for name, p in model.named_parameters() if not is_matrix[name]]
    blocks = [(matrix, rows) for matrix in matrices for rows in split_rows(matrix)]
    parts = [nn.Parameter(matrix.detach()[rows]) for matrix, rows in blocks]  # they share the matrices' memory

    def hand_gradients_over(*_: Any) -> None:
        for part, (matrix, rows) in zip(parts, blocks, strict=True):
            part.grad = None if matrix.grad is None else matrix.grad[rows]

    muon = torch.optim.Muon(parts, lr=muon_rate, weight_decay=0.01)
    muon.register_step_pre_hook(hand_gradients_over)
    return muon, torch.optim.AdamW(others, lr=adam_rate, betas=(0.9, 0.98), weight_decay=0.0)


def split_rows(matrix: nn.Parameter) -> list[slice]:
    """Return the rows that Muon takes as one matrix: queries, keys and values that lie on top of each other are three.

    Args:
        matrix: (rows, columns).
    """
    rows, columns = matrix.shape
    size = columns if rows == 3 * columns else rows
    return [slice(first, first + size) for first in range(0, rows, size)]
