"""Where a model of the Hub runs and in which precision, and what spares memory there."""

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
    """A device, a precision, and whether parts must wait in the main memory until they are needed."""

    device: str
    dtype: torch.dtype
    offload: bool = False


def choose_placement(memory_mb: float, prefer: str = "bfloat16") -> Placement:
    """The best place for a model that takes `memory_mb` in the precision it is stored in.

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


def place_pipeline(pipeline: Any, place: Placement, draws: bool = True) -> tuple[str, ...]:
    """Place a diffusers pipeline, and switch on what spares memory where the pipeline offers it.

    Args:
        draws: whether it makes pictures; what it does with them is not said of a maker of sound.

    Returns:
        a sentence for a person that says what was switched on where parts must wait, or nothing.
    """
    done = []
    if place.offload and _has_accelerate():
        pipeline.enable_model_cpu_offload()
        done.append("parts wait in the main memory until they are needed")
    else:
        pipeline.to(place.device)
    if place.device == "cpu" or place.offload:
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
        if place.offload and unet is not None and hasattr(pipeline, "enable_attention_slicing"):
            pipeline.enable_attention_slicing()
            done.append("attention is computed in slices")
    return (f"To spare memory, {'; '.join(done)}.",) if done and place.offload else ()


def _has_accelerate() -> bool:
    if "accelerate" in sys.modules:
        return True
    from importlib.util import find_spec

    return find_spec("accelerate") is not None
