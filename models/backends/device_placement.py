"""Device placement: where a model of the Hub runs, in which precision, and what spares memory there."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.backends.memory_plan import DENOISERS, SAID, PipelineSize, Way, choose_plan
from models.machine import is_zero_gpu
from models.memory import measure_available_memory_mb

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

MEBIBYTE = 2**20 / 1e6  # in MB
HEAVY = (*DENOISERS, "text_encoder", "text_encoder_2", "text_encoder_3")


@dataclass(frozen=True)
class Placement:
    """Where a model runs.

    Attributes:
        device: of torch, as in "cuda".
        dtype: precision of the weights.
        way: where they wait until they are needed.
        float8: whether the denoiser is stored in eight bits.
    """

    device: str
    dtype: torch.dtype
    way: Way = Way.WHOLE
    float8: bool = False


def choose_placement(prefer: str = "bfloat16", size: PipelineSize | None = None) -> Placement:
    """Choose the device and the precision for a model, and what spares memory there.

    CUDA: half precision (bfloat16 where the GPU has it), in the best way that fits what is free. Apple: float16.
    Processor: single precision, because half is emulated there.

    Args:
        size: of a pipeline; None of other models, which run as a whole.
    """
    import torch

    if is_zero_gpu():  # the GPU is not there yet when the model is loaded; `to_gpu` moves it there
        return Placement("cpu", torch.bfloat16 if prefer == "bfloat16" else torch.float16)
    if torch.cuda.is_available():
        half = torch.bfloat16 if prefer == "bfloat16" and torch.cuda.is_bf16_supported() else torch.float16
        if size is None:
            return Placement("cuda", half)
        free_bytes, _ = torch.cuda.mem_get_info()
        plan = choose_plan(size, free_bytes / 1e6, measure_available_memory_mb() * MEBIBYTE)
        return Placement("cuda", half, plan.way, plan.float8)
    if torch.backends.mps.is_available():
        return Placement("mps", torch.float16)
    return Placement("cpu", torch.float32)


def store_in_eight_bits(part: Any, placement: Placement) -> None:
    """Store the weights of a denoiser in eight bits; each layer is widened while it computes.

    What is small and matters most, such as norms and embeddings of time, stays as it is.
    """
    import torch

    part.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=placement.dtype)


def place_pipeline(pipeline: Any, placement: Placement, draws: bool = True) -> tuple[str, ...]:
    """Move a diffusers pipeline to its device, and switch on what spares memory where the pipeline offers it.

    Args:
        draws: whether it makes pictures; the sentence says nothing about pictures of a pipeline that makes sound.

    Returns:
        one sentence for a person about what was switched on, where parts must wait; else nothing.
    """
    done = ["its denoiser is stored in eight bits"] if placement.float8 else []
    waits = placement.way is not Way.WHOLE
    if waits:
        done.append(f"weights wait in the main memory and come over {SAID[placement.way]}")
    if placement.way is Way.LAYERS:
        _offload_layers(pipeline, placement)
    elif waits:
        pipeline.enable_model_cpu_offload(device=placement.device)
    else:
        pipeline.to(placement.device)
    if placement.device == "cpu" or waits:
        coder = getattr(pipeline, "vae", None)
        for name, said in (("enable_tiling", "tile by tile"), ("enable_slicing", "frame by frame")):
            if hasattr(coder, name):
                try:
                    getattr(coder, name)()
                    if draws:
                        done.append(f"pictures are decoded {said}")
                except NotImplementedError:
                    log.debug("%s offers %s in name only", type(coder).__name__, name)
        if waits and getattr(pipeline, "unet", None) is not None and hasattr(pipeline, "enable_attention_slicing"):
            pipeline.enable_attention_slicing()
            done.append("attention is computed in slices")
    return (f"To spare memory, {'; '.join(done)}.",) if waits or placement.float8 else ()


def _offload_layers(pipeline: Any, placement: Placement) -> None:
    """Keep the heavy parts in the main memory; each layer comes over while the one before it computes.

    Decoders and what else is small lie on the device: they compute tile by tile, in an order that cannot be foretold.
    Parts that another pipeline shares and that wait already are left as they are.
    """
    import torch
    from diffusers.hooks import apply_group_offloading

    device = torch.device(placement.device)
    for name, part in pipeline.components.items():
        if not isinstance(part, torch.nn.Module):
            continue
        if name not in HEAVY:
            part.to(device)
        elif not is_offloaded(part):
            apply_group_offloading(
                part,
                onload_device=device,
                offload_device=torch.device("cpu"),
                offload_type="leaf_level",
                use_stream=device.type == "cuda",
                low_cpu_mem_usage=True,  # pages are locked as they are needed, not all at once
            )


def is_offloaded(part: Any) -> bool:
    """Return whether the layers of a part of a pipeline wait in the main memory."""
    return any(
        registry is not None and registry.get_hook("group_offloading") is not None
        for registry in (getattr(each, "_diffusers_hook", None) for each in part.modules())
    )
