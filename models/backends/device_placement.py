"""Device placement: where a model of the Hub runs, in which precision, and what spares memory there."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.machine import is_zero_gpu

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

MEGABYTE = 2**20
ROOM_SHARE = 0.85  # of a GPU's free memory that a whole model may take; above it, parts wait in the main memory


@dataclass(frozen=True)
class Placement:
    """Where a model runs.

    Attributes:
        device: of torch, as in "cuda".
        dtype: precision of the weights.
        offload: whether parts must wait in the main memory until they are needed.
    """

    device: str
    dtype: torch.dtype
    offload: bool = False


def choose_placement(memory_mb: float, prefer: str = "bfloat16") -> Placement:
    """Choose the device and the precision for a model that takes `memory_mb` in the precision it is stored in.

    CUDA: half precision (bfloat16 where the GPU has it), part by part where the whole does not fit. Apple: float16.
    Processor: single precision, because half is emulated there.
    """
    import torch

    if is_zero_gpu():  # the GPU is not there yet when the model is loaded; `to_gpu` moves it there
        return Placement("cpu", torch.bfloat16 if prefer == "bfloat16" else torch.float16)
    if torch.cuda.is_available():
        half = torch.bfloat16 if prefer == "bfloat16" and torch.cuda.is_bf16_supported() else torch.float16
        free_bytes, _ = torch.cuda.mem_get_info()
        return Placement("cuda", half, offload=memory_mb > ROOM_SHARE * free_bytes / MEGABYTE)
    if torch.backends.mps.is_available():
        return Placement("mps", torch.float16)
    return Placement("cpu", torch.float32)


def place_pipeline(pipeline: Any, placement: Placement, draws: bool = True) -> tuple[str, ...]:
    """Move a diffusers pipeline to its device, and switch on what spares memory where the pipeline offers it.

    Args:
        draws: whether it makes pictures; the sentence says nothing about pictures of a pipeline that makes sound.

    Returns:
        one sentence for a person about what was switched on, where parts must wait; else nothing.
    """
    done = []
    if placement.offload and _has_accelerate():
        pipeline.enable_model_cpu_offload()
        done.append("parts wait in the main memory until they are needed")
    else:
        pipeline.to(placement.device)
    if placement.device == "cpu" or placement.offload:
        coder = getattr(pipeline, "vae", None)
        for name, said in (("enable_tiling", "tile by tile"), ("enable_slicing", "frame by frame")):
            if hasattr(coder, name):
                try:
                    getattr(coder, name)()
                    if draws:
                        done.append(f"pictures are decoded {said}")
                except NotImplementedError:
                    log.debug("%s offers %s in name only", type(coder).__name__, name)
        unet = getattr(pipeline, "unet", None)
        if placement.offload and unet is not None and hasattr(pipeline, "enable_attention_slicing"):
            pipeline.enable_attention_slicing()
            done.append("attention is computed in slices")
    return (f"To spare memory, {'; '.join(done)}.",) if done and placement.offload else ()


def _has_accelerate() -> bool:
    if "accelerate" in sys.modules:
        return True
    from importlib.util import find_spec

    return find_spec("accelerate") is not None
