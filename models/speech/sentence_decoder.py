"""Inference with Tacotron 2: mel frames leave while they are made, and the attention is kept from going astray.

Three guards keep long and odd sentences intelligible. The attention may only look into a window around where it is (it
reads forward, as a voice does). If it lingers on one symbol for longer than any person would, the decoder goes back to
where it had last moved on and is made to read past that symbol; this is counted and told. And the stop token counts
only once the end of the text is being read; reading on at the end for too long ends the sentence as well.

Letters: L symbols, S decoder steps, R frames in a step, M mel bands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from models.speech.tacotron2 import Tacotron2

Attributes = tuple[float, ...] | list[tuple[float, ...]]


@dataclass(frozen=True)
class DecodingLimits:
    """How far the attention may go astray before it is corrected; counted in decoder steps and symbols."""

    window_back: int = 1
    window_ahead: int = 5
    linger_s: float = 0.75
    linger_at_pause_s: float = 1.2
    end_symbols: int = 3
    linger_at_end_s: float = 0.5
    stop_threshold: float = 0.5


@dataclass
class DecodingTrace:
    """What is known of a sentence so far; grows while it is decoded."""

    alignment: list[np.ndarray] = field(default_factory=list)  # a row (L,) for each step
    positions: list[int] = field(default_factory=list)  # the symbol read at each step, never decreasing
    retries: list[int] = field(default_factory=list)  # the symbols at which it lingered
    cut: bool = False  # whether the end had to be forced

    def stack_alignment(self) -> np.ndarray:
        """Return the alignment so far, float32 (S, L)."""
        return np.stack(self.alignment) if self.alignment else np.zeros((0, 0), np.float32)


class SentenceDecoder:
    """The decoding of one sentence; iterate `decode_frames()` and look at `trace` in between.

    Args:
        model: in eval mode.
        symbols: ids (L,).
        pauses: bool (L,), where the voice may linger (punctuation).
        frame_s: seconds in a mel frame.
        voice: index of the voice, or None for a model without.
        attributes: values in the model's units, for the sentence (A) or for each symbol (L, A).
        seed: decides the prenet's dropout.
    """

    def __init__(
        self,
        model: Tacotron2,
        symbols: list[int],
        pauses: list[bool],
        frame_s: float,
        voice: int | None = None,
        attributes: Attributes = (),
        seed: int = 0,
        limits: DecodingLimits = DecodingLimits(),
    ) -> None:
        self.model, self.limits, self.pauses = model, limits, pauses
        self.step_s = frame_s * model.config.frames_per_step
        self.generator = torch.Generator().manual_seed(seed)
        self.trace = DecodingTrace()
        self.length = len(symbols)
        ids = torch.tensor([symbols])
        self.memory = model.encode(
            *(ids, torch.tensor([self.length])),
            voice=None if voice is None else torch.tensor([voice]),
            attributes=torch.tensor([attributes]) if attributes else None,
        )
        self.processed_memory = model.decoder.attention.memory(self.memory)

    def decode_frames(self) -> Iterator[Tensor]:
        """Yield coarse frames (n, M), before the postnet, as soon as they are sure to stay."""
        decoder, trace = self.model.decoder, self.trace
        state = decoder.make_initial_state(self.memory)
        frame = self.memory.new_zeros(1, self.model.config.n_mels)
        position, first = 0, 0  # the symbol being read; the first symbol it may read
        pending: list[Tensor] = []
        saved = (replace(state), frame)  # a step binds new tensors and writes into none: a shallow copy is enough
        while True:
            hidden = self._hide_symbols(position, first)
            made, stop = decoder.step(frame, state, self.memory, self.processed_memory, hidden, self.generator)
            frame = made[:, -1]
            pending.append(made[0])
            reached = max(position, int(state.weights[0].argmax()))
            trace.alignment.append(state.weights[0].numpy().copy())
            trace.positions.append(reached)
            if reached > position:
                position = reached
                yield torch.cat(pending)
                pending, saved = [], (replace(state), frame)
            at_end = position >= self.length - self.limits.end_symbols
            stopped = at_end and float(torch.sigmoid(stop[0])) > self.limits.stop_threshold
            if stopped or (at_end and self._lingers(len(pending), self.limits.linger_at_end_s)):
                trace.cut = not stopped
                yield torch.cat(pending) if pending else frame.new_zeros(0, frame.shape[1])
                return
            patience = self.limits.linger_at_pause_s if self.pauses[position] else self.limits.linger_s
            if not at_end and self._lingers(len(pending), patience):
                trace.retries.append(position)
                del trace.alignment[-len(pending) :], trace.positions[-len(pending) :]
                (state, frame), pending = (replace(saved[0]), saved[1]), []
                position = first = position + 1

    def _lingers(self, steps: int, patience_s: float) -> bool:
        return steps * self.step_s > patience_s

    def _hide_symbols(self, position: int, first: int) -> Tensor:
        """Return bool (1, L), True where the attention must not look."""
        index = torch.arange(self.length)
        low = max(first, position - self.limits.window_back)
        return ((index < low) | (index > position + self.limits.window_ahead))[None]
