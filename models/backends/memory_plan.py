"""How much memory each way of running a pipeline takes, and which way fits this machine: one place for all of it.

A pipeline of diffusers is a text encoder, a denoiser and a decoder. On a small GPU they wait in the main memory, each
as a whole or layer by layer, and come over when they are needed. Sizes are in MB (10^6 bytes) of weights in half
precision, as a GPU runs them; what a request takes beside the weights is an estimate.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from models.hub.spec import GGUF, MEMORY_EXTRA_MB, MEMORY_SHARE, QUANTISED, ModelSpec

REQUEST_MB = 2_000  # what a request and the decoder take on a GPU where the weights wait elsewhere
LAYER_MB = 2_200  # the largest single layer of the pipelines known today: the words of UMT5-XXL
LARGEST_SHARE = 0.7  # of the text encoder, in a pipeline whose files are not listed yet
ROOM_SHARE = 0.85  # of a GPU's memory that may be planned for
DENOISERS = ("transformer", "transformer_2", "unet")
HALF_BYTES = 2


class Way(StrEnum):
    """Where the weights are while a request runs."""

    WHOLE = "whole"
    PARTS = "parts"
    LAYERS = "layers"


SAID = {Way.WHOLE: "as a whole", Way.PARTS: "part by part", Way.LAYERS: "layer by layer"}


@dataclass(frozen=True)
class PipelineSize:
    """What a pipeline's weights take.

    Attributes:
        parts: MB by the part's name.
        quantised: names of parts that are stored as they run and are cast no further.
        layer_mb: of the largest layer.
    """

    parts: Mapping[str, float]
    quantised: tuple[str, ...] = ()
    layer_mb: float = LAYER_MB

    @property
    def total_mb(self) -> float:
        """Return the size of all parts."""
        return sum(self.parts.values())

    def cast_denoiser(self) -> PipelineSize:
        """Return the size with every denoiser stored in eight bits."""
        cast = {name: size / 2 if self.is_castable(name) else size for name, size in self.parts.items()}
        return PipelineSize(cast, self.quantised, self.layer_mb)

    def is_castable(self, part: str) -> bool:
        """Return whether a part can be stored in eight bits: denoisers stand it, text encoders and decoders do not."""
        return part in DENOISERS and part not in self.quantised


@dataclass(frozen=True)
class MemoryPlan:
    """One way to run a pipeline.

    Attributes:
        way: where the weights are.
        float8: whether the denoiser is stored in eight bits and computed in sixteen.
        card_mb: of the GPU's memory, in use.
        main_mb: of the main memory, at the most.
    """

    way: Way
    float8: bool
    card_mb: float
    main_mb: float

    def describe(self) -> str:
        """Return the way as a person reads it."""
        return SAID[self.way] + (", its denoiser in eight bits" if self.float8 else "")


def list_plans(size: PipelineSize) -> tuple[MemoryPlan, ...]:
    """Return all ways to run a pipeline, best first: exact ones before those that round, fast ones before slow ones."""
    plans: list[MemoryPlan] = []
    for float8 in (False, True):
        if float8 and not any(map(size.is_castable, size.parts)):
            break
        held = size.cast_denoiser() if float8 else size
        whole = MEMORY_SHARE * held.total_mb + MEMORY_EXTRA_MB
        part = max(held.parts.values()) + REQUEST_MB
        layer = min(2 * size.layer_mb, max(held.parts.values())) + REQUEST_MB  # one computes while the next comes over
        # The denoiser is cast before the others are read, so at no time all are there in half precision.
        denoiser = max((size.parts[name] for name in size.parts if size.is_castable(name)), default=0.0)
        main = max(held.total_mb, denoiser) if float8 else held.total_mb
        plans += [
            MemoryPlan(way, float8, card, MEMORY_SHARE * main + MEMORY_EXTRA_MB)
            for way, card in ((Way.WHOLE, whole), (Way.PARTS, part), (Way.LAYERS, layer))
        ]
    return tuple(plans)


def choose_plan(size: PipelineSize, card_mb: float, main_mb: float) -> MemoryPlan:
    """Return the best way that fits, or the one that takes least where none does.

    Args:
        card_mb: what the GPU has.
        main_mb: what the main memory has for it.
    """
    plans = list_plans(size)
    fitting = [plan for plan in plans if plan.card_mb <= ROOM_SHARE * card_mb and plan.main_mb <= main_mb]
    return fitting[0] if fitting else min(plans, key=lambda plan: (plan.main_mb > main_mb, plan.card_mb, plan.main_mb))


def find_least(size: PipelineSize) -> tuple[int, int]:
    """Return the least (GPU, main memory) in MB that any way takes; not always of one way."""
    plans = list_plans(size)
    return math.ceil(min(plan.card_mb for plan in plans) / ROOM_SHARE), math.ceil(min(plan.main_mb for plan in plans))


def estimate_size(spec: ModelSpec) -> PipelineSize | None:
    """Estimate the size of a pipeline from its entry; None of a model that is no pipeline of diffusers.

    The parts share the entry's memory as their files do, or, before these are listed, as it is usual.
    """
    if not is_pipeline(spec):
        return None
    total = max(1.0, (spec.memory_mb - MEMORY_EXTRA_MB) / MEMORY_SHARE)
    files: dict[str, float] = {}
    quantised: list[str] = []
    for hub in spec.hubs:
        for file in hub.files:
            if file.path.endswith(GGUF):
                files[QUANTISED] = files.get(QUANTISED, 0.0) + file.size_bytes
                quantised.append(QUANTISED)
            elif file.path.endswith(".safetensors"):
                part = file.path.split("/")[0]
                files[part] = files.get(part, 0.0) + file.size_bytes
    if not files or spec.snapshots:
        return PipelineSize({"text_encoder": LARGEST_SHARE * total, "transformer": (1 - LARGEST_SHARE) * total})
    scale = total / sum(files.values())
    return PipelineSize({part: size * scale for part, size in files.items()}, tuple(quantised))


def is_pipeline(spec: ModelSpec) -> bool:
    """Return whether an entry is a pipeline of diffusers, which alone can be run in several ways."""
    return spec.backend.endswith("Pipeline")


def measure_size(folder: Path, gguf: Path | None = None) -> PipelineSize:
    """Measure the parts of a downloaded pipeline from the heads of their files.

    Args:
        gguf: the quantised file that stands for the denoiser's weights.
    """
    parts: dict[str, float] = {}
    layer = 0.0
    for path in sorted(folder.glob("*/*.safetensors")):
        counts = _count_numbers(path)
        parts[path.parent.name] = parts.get(path.parent.name, 0.0) + HALF_BYTES * sum(counts) / 1e6
        layer = max(layer, HALF_BYTES * max(counts, default=0) / 1e6)
    if gguf is not None:
        parts[QUANTISED] = gguf.stat().st_size / 1e6
    return PipelineSize(parts, (QUANTISED,) if gguf is not None else (), layer)


def _count_numbers(path: Path) -> list[int]:
    """Return how many numbers each tensor of a safetensors file holds; the file's head tells."""
    with path.open("rb") as file:
        head = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return [math.prod(each["shape"]) for name, each in head.items() if name != "__metadata__"]


def list_cards(size: PipelineSize) -> Iterable[tuple[int, str]]:
    """Yield from large to small which GPU, in GB, runs a pipeline exactly in which way."""
    smaller = math.inf
    for plan in list_plans(size):
        gigabytes = math.ceil(plan.card_mb / ROOM_SHARE / 1_000)
        if not plan.float8 and gigabytes < smaller:
            smaller = gigabytes
            yield gigabytes, SAID[plan.way]


def describe_plan(spec: ModelSpec, card_mb: float | None, main_mb: float) -> str:
    """Say before a run how a pipeline will run on this GPU and why, or which GPU runs it how; "" of other models.

    Args:
        card_mb: what the GPU has; None where that is not known.
    """
    size = estimate_size(spec)
    if size is None:
        return ""
    if card_mb is None:
        return "on an NVIDIA GPU with " + ", ".join(f"{gigabytes} GB {said}" for gigabytes, said in list_cards(size))
    plan = choose_plan(size, card_mb, main_mb)
    here = f"this GPU of {card_mb * 1e6 / 2**30:.0f} GB runs it {plan.describe()}"
    if plan.way is Way.WHOLE and not plan.float8:
        return here
    whole = list_plans(size)[0]
    why: list[str] = []
    if whole.card_mb > ROOM_SHARE * card_mb:
        why.append(f"the whole takes {whole.card_mb / 1_000:.0f} GB there")
    if whole.main_mb > main_mb:
        exact = "exact weights" if plan.float8 else "its weights"
        why.append(f"{exact} take {whole.main_mb / 1_000:.0f} GB of main memory")
    return f"{here}, because {' and '.join(why)}"
