"""The machine's GPU, found without importing torch: a page must not wait for that."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path


def has_gpu() -> bool:
    """Return whether a GPU that torch can use seems to be there: CUDA (also as a ZeroGPU Space lends it) or Apple's."""
    if is_zero_gpu():
        return True
    torch = sys.modules.get("torch")
    being_imported = getattr(getattr(torch, "__spec__", None), "_initializing", False)  # by another thread
    if torch is not None and not being_imported and hasattr(torch, "cuda"):
        return bool(torch.cuda.is_available() or torch.backends.mps.is_available())
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":  # as a worker of the processor has it
        return False
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    return Path("/dev/nvidia0").exists() or Path("/proc/driver/nvidia/version").exists()


def measure_card_mb() -> float | None:
    """Return the memory of the GPU in MB (10^6 bytes); None where torch is not loaded yet or knows no CUDA."""
    torch = sys.modules.get("torch")
    if is_zero_gpu() or torch is None or not hasattr(torch, "cuda") or not torch.cuda.is_available():
        return None
    return float(torch.cuda.get_device_properties(0).total_memory) / 1e6


def is_zero_gpu() -> bool:
    """Return whether the studio runs in a Space that is lent a GPU call by call."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in {"1", "t", "true"}
