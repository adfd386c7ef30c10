"""A small model for tests of workers: numbers from a seed, in pieces, which can be held up and can fail."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.contracts import Task, Voice
from models.errors import ModelError
from models.hub.spec import Bundled, ModelSpec

WAIT_S = 60.0


@dataclass(frozen=True)
class DiceRequest:
    """How many pieces, from which seed.

    Attributes:
        held_at: the piece before which the model waits until the file `gate` is there; -1 never.
        ends_process: whether the worker's process ends before the second piece, each time.
        fails: kind of the error with which it fails; "" never.
        table: a file whose bytes add up to the seed, or None.
    """

    pieces: int
    seed: int = 0
    held_at: int = -1
    gate: str = ""
    ends_process: bool = False
    fails: str = ""
    table: Path | None = None


@dataclass(frozen=True, eq=False)
class DiceChunk:
    """A piece of the numbers; `pid` of the process that made it, `table` where it found the file,
    `sees` the GPUs that its process was told of.
    """

    samples: NDArray[np.float32]
    pid: int
    table: str = ""
    sees: str = ""


class DiceModel:
    """Throws dice."""

    voices = (Voice("six", "Six sides", "MIT"),)

    def __init__(self, spec: ModelSpec) -> None:
        self.takes_turns = spec.key.endswith("turns")

    def stream(self, request: DiceRequest) -> Iterator[DiceChunk]:
        """Yield pieces of 3, 4, 5 ... numbers."""
        if request.fails == "value":
            raise ValueError("the dice are loaded.")
        if request.fails == "model":
            raise ModelError("There is no table.", "busy")
        if request.fails == "os":
            raise ConnectionResetError("the line is dead")
        table = request.table
        generator = np.random.default_rng(request.seed + (0 if table is None else sum(table.read_bytes())))
        for piece in range(request.pieces):
            if piece == request.held_at:
                until = time.monotonic() + WAIT_S
                Path(f"{request.gate}.{os.getpid()}").touch()
                while not Path(request.gate).exists() and time.monotonic() < until:
                    time.sleep(0.01)
            if piece and request.ends_process:
                os._exit(3)
            sees = os.environ.get("CUDA_VISIBLE_DEVICES", "")
            yield DiceChunk(generator.random(3 + piece, np.float32), os.getpid(), str(table or ""), sees)


def load(_files: Mapping[str, Path], spec: ModelSpec) -> DiceModel:
    return DiceModel(spec)


def make_dice_spec(name: str = "dice", needs_gpu: bool = False) -> ModelSpec:
    return ModelSpec(
        key=f"speech/{name}",
        task=Task.SPEECH,
        title="Dice",
        summary="Numbers for tests.",
        licence="MIT",
        commercial_use=True,
        credit="nobody",
        sources=(Bundled(("small.bin",)),),
        memory_mb=10,
        needs_gpu=needs_gpu,
        speed="at once",
        loader="tests.models.workers.dice_model:load",
    )


def join_pieces(chunks: list[DiceChunk]) -> bytes:
    return b"".join(each.samples.tobytes() for each in chunks)
