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
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    return Path("/dev/nvidia0").exists() or Path("/proc/driver/nvidia/version").exists()


def is_zero_gpu() -> bool:
    """Return whether the studio runs in a Space that is lent a GPU call by call."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in {"1", "t", "true"}
