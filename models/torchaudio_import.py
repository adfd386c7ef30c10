"""Import torchaudio where its compiled extension cannot be loaded.

torchaudio's wheels link CUDA libraries, so that on a torch built for the CPU alone `import torchaudio` fails with an
OSError (`libc10_cuda.so`). All that the studio uses of torchaudio is pure torch, and needs no extension: so on that
error torchaudio's own `_extension.utils` is loaded first under its module name, told that there is no extension to
load, and the import is made again. transformers and diffusers import torchaudio too when it is installed; call
`import_torchaudio` before importing them.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

_UTILS = "torchaudio._extension.utils"


def import_torchaudio() -> ModuleType:
    """Return the torchaudio module; raises ImportError where it is not installed at all."""
    try:
        return importlib.import_module("torchaudio")
    except OSError:
        _forget_torchaudio()
        _preload_utils_without_extension()
        return importlib.import_module("torchaudio")


def _forget_torchaudio() -> None:
    for name in [name for name in sys.modules if name == "torchaudio" or name.startswith("torchaudio.")]:
        del sys.modules[name]


def _preload_utils_without_extension() -> None:
    package = importlib.util.find_spec("torchaudio")
    if package is None or package.origin is None:
        raise ImportError("torchaudio is not installed")
    path = Path(package.origin).parent / "_extension" / "utils.py"
    spec = importlib.util.spec_from_file_location(_UTILS, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"torchaudio has no {path.name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module._load_lib = lambda _library: False  # type: ignore[attr-defined]
    sys.modules[_UTILS] = module
