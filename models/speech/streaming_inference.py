"""Run a network that sees a bounded context piece by piece, with the same result as over the whole.

A network of convolutions changes no output frame by what lies more than its context away. So a frame is final as soon
as that many frames after it are known, and is computed from a window that holds as many on either side. The windows
depend on the frames' places alone, never on how the frames came in: the same bits come out however they are chunked.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

BLOCKS = (16, 32, 64, 128)
"""Frames in the first blocks and in all later ones: small at first so that the sound starts early."""


class StreamingInference:
    """A stream of frames through a local network; what comes out is what no later frame can change.

    Args:
        network: (1, T, C) -> (1, T * scale, ...) with zero padding at its edges.
        context: how many frames to either side an output frame depends on.
        scale: output steps made of one input frame.
    """

    def __init__(self, network: Callable[[Tensor], Tensor], context: int, scale: int = 1) -> None:
        self.network, self.context, self.scale = network, context, scale
        self._held: Tensor | None = None  # (n, C), the input from self._held_from on
        self._held_from = 0
        self._received = 0
        self._emitted = 0
        self._blocks = 0

    def push(self, frames: Tensor, last: bool = False) -> Tensor | None:
        """Add frames (n, C), n may be 0; return the newly final output (m * scale, ...), or None if there is none."""
        self._held = frames if self._held is None else torch.cat([self._held, frames])
        self._received += len(frames)
        outputs = []
        while self._emitted < self._received:
            end = self._emitted + BLOCKS[min(self._blocks, len(BLOCKS) - 1)]
            if end + self.context > self._received and not last:
                break
            outputs.append(self._compute_block(min(end, self._received)))
        return torch.cat(outputs) if outputs else None

    def _compute_block(self, end: int) -> Tensor:
        """Compute the output of frames [emitted, end)."""
        assert self._held is not None
        window = self._held[: min(end + self.context, self._received) - self._held_from]
        first, stop = (self.scale * (place - self._held_from) for place in (self._emitted, end))
        output = self.network(window[None])[0, first:stop]
        self._emitted, self._blocks = end, self._blocks + 1
        keep_from = max(0, end - self.context)
        self._held = self._held[keep_from - self._held_from :]
        self._held_from = keep_from
        return output
